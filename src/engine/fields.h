/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Fields: where two spec views differ, and whether we own the place (ENGINE section 4 rule 3).
 *
 * Both views come from the server, so lists with keys are walked as its fieldsV1 say; beyond that
 * no schema is needed.
 */
#include "base/buf.h"
#include "doc/val.h"

/* Is there a difference at a path of `fields` (a fieldsV1 map, NULL = owns nothing)? `ret_path`
 * gets the first such path, ".spec.replicas"; it may be NULL. */
bool fields_differ(struct arena *arena, const struct val *fields, const struct val *wanted,
                   const struct val *live, str *ret_path);

typedef void fields_each_fn(void *owner, str path, const struct val *live,
                            const struct val *wanted);
/* Every place where two trees differ, at most `max` of them; false when there were more. */
bool fields_each_difference(struct arena *arena, const struct val *live, const struct val *wanted,
                            size_t max, fields_each_fn *fn, void *owner);

/* Does the set name the path (as fields_each_difference writes it) or something above it that has
 * no members of its own? */
bool fields_own_path(struct arena *arena, const struct val *fields, str path);

/* The entry of managedFields that set the path last: the newest that owns it; `not_us`: of others.
 * Both ways of writing a path are understood. NULL: nobody. */
const struct val *fields_manager(struct arena *arena, const struct val *managed, str path,
                                 bool not_us);
/* The first path that `fields` names, `newer` (both fieldsV1) does not, and `view` still has. */
bool fields_left(struct arena *arena, const struct val *fields, const struct val *newer,
                 const struct val *view, str *ret_path);
