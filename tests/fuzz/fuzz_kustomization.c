/* SPDX-License-Identifier: Apache-2.0 */
/* The kustomization file itself, over a small base. */
#define KUSTOMIZATION NULL
#define PARTS "kustomization.yaml", "r.yaml", "p.yaml"
#include "fuzz_kustomize.inc"
