/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Merge patch: RFC 7386. Maps merge, null deletes, everything else replaces. */
#include "doc/val.h"

/* Applies to *root, which lives in `arena`; the patch is copied. */
void merge_patch_apply(struct arena *arena, struct val *root, const struct val *patch);
/* The patch that turns `from` into `to`. */
struct val merge_patch_make(struct arena *arena, const struct val *from, const struct val *to);
