/* SPDX-License-Identifier: Apache-2.0 */
/* JSON patches in Kustomize's way: a patch and a resource. */
#define KUSTOMIZATION                                                                              \
    "resources: [base, r.yaml]\npatches: [{path: p.yaml, target: {name: .*}}]\nnameSuffix: -s\n"
#define PARTS "p.yaml", "r.yaml"
#include "fuzz_kustomize.inc"
