/* SPDX-License-Identifier: Apache-2.0 */
/* Strategic merge: a resource and a patch. */
#define KUSTOMIZATION                                                                              \
    "resources: [r.yaml]\npatches: [{path: p.yaml, target: {name: .*}}]\nnamePrefix: p-\n"
#define PARTS "r.yaml", "p.yaml"
#include "fuzz_kustomize.inc"
