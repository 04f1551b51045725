/* SPDX-License-Identifier: Apache-2.0 */
/* Replacements: the file of replacements with its field paths, and a resource. */
#define KUSTOMIZATION "resources: [base, r.yaml]\nreplacements: [{path: p.yaml}]\n"
#define PARTS "p.yaml", "r.yaml"
#include "fuzz_kustomize.inc"
