/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Strategic merge patch of the API server (apimachinery's strategicpatch): merge keys and
 * strategies from the built-in types, $patch, $retainKeys, $deleteFromPrimitiveList,
 * $setElementOrder. Kustomize's is another and lives in render/kustomize.
 */
#include "schema/type.h"

/* Applies to *root, which lives in `arena` and is of `type`; the patch is copied. */
MUST_USE bool strategic_apply(struct arena *arena, const struct type *type, struct val *root,
                              const struct val *patch, struct err *err);
