// SPDX-License-Identifier: Apache-2.0

//go:build tools

// Package kustomize pins the oracle of the Kustomize differential tests.
package kustomize

import _ "sigs.k8s.io/kustomize/kustomize/v5"
