// SPDX-License-Identifier: Apache-2.0

//go:build never

package main

import _ "k8s.io/ingress-nginx/cmd/nginx"
