/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/ignore.h"
#include "doc/glob.h"
#include "doc/pointer.h"

static bool rule_matches(const struct val *rule, const struct ignore_target *target)
{
    str name = val_get_str(rule, S("name"));
    str namespace_ = val_get_str(rule, S("namespace"));

    return glob_match(val_get_str(rule, S("group")), target->gvk.group, 0) &&
           glob_match(val_get_str(rule, S("kind")), target->gvk.kind, 0) &&
           (str_is_empty(name) || str_eq(name, target->name)) &&
           (str_is_empty(namespace_) || str_eq(namespace_, target->namespace_));
}

bool ignore_matches(const struct val *rules, const struct ignore_target *target)
{
    struct val_iter it = val_iter(rules);

    while (val_next(&it))
        if (rule_matches(it.value, target))
            return true;
    return false;
}

void ignore_remove(const struct val *rules, const struct ignore_target *target, struct val *view)
{
    struct val_iter it = val_iter(rules);

    while (val_next(&it)) {
        struct val_iter pointers = val_iter(val_get(it.value, S("jsonPointers")));

        if (!rule_matches(it.value, target))
            continue;
        while (val_next(&pointers))
            pointer_delete(view, val_str(pointers.value));
    }
}

static void pointer_keep_live(struct arena *arena, str pointer, struct val *wanted,
                              const struct val *live)
{
    const struct val *value = pointer_get(live, pointer);

    if (value == NULL)
        pointer_delete(wanted, pointer);
    /* A parent that the manifest lacks means that it says nothing there: nothing to keep. */
    else if (!pointer_set(arena, wanted, pointer, val_dup_value(arena, value), NULL))
        return;
}

void ignore_keep_live(struct arena *arena, const struct val *rules,
                      const struct ignore_target *target, struct val *wanted,
                      const struct val *live)
{
    struct val_iter it = val_iter(rules);

    while (val_next(&it)) {
        struct val_iter pointers = val_iter(val_get(it.value, S("jsonPointers")));

        if (!rule_matches(it.value, target))
            continue;
        while (val_next(&pointers))
            pointer_keep_live(arena, val_str(pointers.value), wanted, live);
    }
}
