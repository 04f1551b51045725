/* SPDX-License-Identifier: Apache-2.0 */
#include "doc/merge_patch.h"

/* What a patch value makes of nothing: maps lose their nulls, as RFC 7386 has it. */
static struct val from_patch(struct arena *arena, const struct val *patch)
{
    if (!val_is(patch, VAL_MAP))
        return val_dup_value(arena, patch);

    struct val map = val_map();
    struct val_iter it = val_iter(patch);
    while (val_next(&it))
        if (!val_is(it.value, VAL_NULL))
            val_add(arena, &map, it.key, from_patch(arena, it.value));
    return map;
}

void merge_patch_apply(struct arena *arena, struct val *root, const struct val *patch)
{
    if (!val_is(patch, VAL_MAP) || !val_is(root, VAL_MAP)) {
        *root = from_patch(arena, patch);
        return;
    }
    struct val_iter it = val_iter(patch);
    while (val_next(&it)) {
        if (val_is(it.value, VAL_NULL)) {
            val_del(root, it.key);
            continue;
        }
        struct val *member = val_get(root, it.key);
        if (member != NULL)
            merge_patch_apply(arena, member, it.value);
        else
            val_add(arena, root, it.key, from_patch(arena, it.value));
        if (arena_is_over(arena))
            return;
    }
}

struct val merge_patch_make(struct arena *arena, const struct val *from, const struct val *to)
{
    if (!val_is(from, VAL_MAP) || !val_is(to, VAL_MAP))
        return val_dup_value(arena, to);

    struct val patch = val_map();
    struct val_iter it = val_iter(from);
    while (val_next(&it))
        if (val_get(to, it.key) == NULL)
            val_add(arena, &patch, it.key, val_null());
    it = val_iter(to);
    while (val_next(&it)) {
        const struct val *was = val_get(from, it.key);
        if (was == NULL || !val_eq(was, it.value))
            val_add(arena, &patch, it.key, merge_patch_make(arena, was, it.value));
    }
    return patch;
}
