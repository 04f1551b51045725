/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * YAML out: the bytes that sigs.k8s.io/yaml writes, which is what `kustomize build`, `kubectl -o
 * yaml` and `helm get` print. Keys in natural order (a2 before a10), sequences at the indent of
 * their key, texts quoted when YAML 1.1 would read them as something else, folded after column 80.
 *
 * Bounds: the maximum of `out`.
 * Fails:  on control characters that the format cannot carry, on too deep trees.
 */
#include "base/buf.h"
#include "doc/val.h"

/* Appends one document, ending in a newline; no "---". Numbers are read as JSON numbers. */
MUST_USE bool yaml_emit(const struct val *v, struct buf *out, struct err *err);
/* The order of keys: <0, 0, >0. */
int yaml_key_cmp(str a, str b);
