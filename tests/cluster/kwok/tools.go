// SPDX-License-Identifier: Apache-2.0

//go:build tools

// Package kwok pins the player of nodes and Pods.
package kwok

import _ "sigs.k8s.io/kwok/cmd/kwok"
