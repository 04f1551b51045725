/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * JSON patch: RFC 6902, with the conventions of the Kubernetes API server (evanphx/json-patch):
 * negative indexes count from the end, "remove" of a path that is not there is an error, "test" of
 * an absent member equals null.
 *
 * Bounds: LIMIT_JSON_PATCH_OPERATIONS operations; copies count against the arena.
 */
#include "doc/val.h"

/* Applies to *root, which lives in `arena`. On false *root is half changed: work on a copy. */
MUST_USE bool json_patch_apply(struct arena *arena, struct val *root, const struct val *patch,
                               struct err *err);
