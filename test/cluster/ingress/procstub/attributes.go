// SPDX-License-Identifier: Apache-2.0

// Package common stands in for a module that is not served: just what the ingress controller's process metrics name.
package common

type ProcAttributes struct {
	Name    string
	Cmdline []string
}

type MatchNamer interface {
	MatchAndName(ProcAttributes) (bool, string)
}
