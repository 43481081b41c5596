// SPDX-License-Identifier: Apache-2.0

//go:build never

package main

import _ "helm.sh/helm/v3/cmd/helm"
