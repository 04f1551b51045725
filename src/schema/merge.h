/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Merge: values with their types, as sigs.k8s.io/structured-merge-diff does for server-side apply.
 *
 * Owner:  results are in the arena and may share nodes with their operands: dup before changing.
 * Errors: the sentences are the API server's: ".spec.foo: field not declared in schema".
 */
#include "schema/fieldset.h"
#include "schema/type.h"

/* Every field is declared and of its type, keys of lists are whole and, unless `allow_duplicates`,
 * unique. Several problems come as "errors:\n  …\n  …". */
MUST_USE bool merge_check(struct arena *arena, const struct type *type, const struct val *v,
                          bool allow_duplicates, struct err *err);
/* `config` laid over `live`. Both were checked. */
struct val merge_values(struct arena *arena, const struct type *type, const struct val *live,
                        const struct val *config);
/* What a value sets: what applying it owns. */
struct fieldset *merge_fields(struct arena *arena, const struct type *type, const struct val *v);

struct merge_changes {
    struct fieldset *added;
    struct fieldset *modified;
    struct fieldset *removed;
};
struct merge_changes merge_compare(struct arena *arena, const struct type *type,
                                   const struct val *from, const struct val *to);
/* The value without what the set names. */
struct val merge_remove(struct arena *arena, const struct type *type, const struct val *v,
                        const struct fieldset *set);
/* The set plus the named fields on the way to its members. */
struct fieldset *merge_named_fields(struct arena *arena, const struct type *type,
                                    const struct fieldset *set);
/* The element of a list item by the list's type; false when it has no key. */
bool merge_item_element(struct arena *arena, const struct type *list_type, const struct val *item,
                        size_t index, struct path_element *ret_element);
