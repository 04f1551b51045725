/* SPDX-License-Identifier: Apache-2.0 */
/* Field specs: a configurations file that says where labels, names and references go. */
#define KUSTOMIZATION                                                                              \
    "resources: [base, r.yaml]\nconfigurations: [p.yaml]\nnamePrefix: p-\nnamespace: ns\n"         \
    "commonLabels: {l: v}\ncommonAnnotations: {a: v}\nimages: [{name: i, newTag: t}]\n"            \
    "replicas: [{name: d, count: 2}]\n"                                                            \
    "vars: [{name: V, objref: {kind: Deployment, apiVersion: apps/v1, name: d}}]\n"
#define PARTS "p.yaml", "r.yaml"
#include "fuzz_kustomize.inc"
