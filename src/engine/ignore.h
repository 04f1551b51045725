/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Ignore: spec.ignoreDifferences with JSON pointers. Group, kind, name and namespace may be globs;
 * an absent name or namespace matches all.
 */
#include "doc/hash.h"
#include "schema/gvk.h"

struct ignore_target {
    struct gvk gvk;
    str namespace_;
    str name;
};

bool ignore_matches(const struct val *rules, const struct ignore_target *target);
/* Takes what the rules name out of a view. */
void ignore_remove(const struct val *rules, const struct ignore_target *target, struct val *view);
/* RespectIgnoreDifferences: what the rules name becomes in `wanted` what it is in `live`. */
void ignore_keep_live(struct arena *arena, const struct val *rules,
                      const struct ignore_target *target, struct val *wanted,
                      const struct val *live);
