/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/adopt.h"
#include "engine/live.h"
#include "schema/fieldset.h"

#define LAST_APPLIED S("kubectl.kubernetes.io/last-applied-configuration")

/* Whose entries become ours. An entry of the status subresource never does. */
static bool entry_is_taken(const struct val *entry, bool has_last_applied)
{
    str manager = val_get_str(entry, S("manager"));
    bool update = str_eq(val_get_str(entry, S("operation")), S("Update"));

    if (!str_is_empty(val_get_str(entry, S("subresource"))))
        return false;
    if (str_eq(manager, S("argocd-controller")))
        return true;
    if (!update)
        return false;
    return str_eq(manager, S("kubectl-client-side-apply")) || str_eq(manager, FIELD_MANAGER) ||
           (has_last_applied && str_starts(manager, S("kubectl")));
}

static bool entry_is_ours(const struct val *entry)
{
    return str_eq(val_get_str(entry, S("manager")), FIELD_MANAGER) &&
           str_eq(val_get_str(entry, S("operation")), S("Apply")) &&
           str_is_empty(val_get_str(entry, S("subresource")));
}

static struct val our_entry(struct arena *arena, const struct val *like,
                            const struct fieldset *fields)
{
    struct val entry = val_map();

    val_set_str(arena, &entry, S("manager"), FIELD_MANAGER);
    val_set_str(arena, &entry, S("operation"), S("Apply"));
    val_set_str(arena, &entry, S("apiVersion"), val_get_str(like, S("apiVersion")));
    if (val_get(like, S("time")) != NULL)
        val_set_str(arena, &entry, S("time"), val_get_str(like, S("time")));
    val_set_str(arena, &entry, S("fieldsType"), S("FieldsV1"));
    val_set(arena, &entry, S("fieldsV1"), fieldset_format(arena, fields));
    return entry;
}

static void patch_replace(struct arena *arena, struct val *patch, str path, struct val value)
{
    struct val op = val_map();

    val_set_str(arena, &op, S("op"), S("replace"));
    val_set_str(arena, &op, S("path"), path);
    val_set(arena, &op, S("value"), value);
    val_append(arena, patch, op);
}

const struct val *adopt_patch(struct arena *arena, const struct val *live)
{
    bool has_last_applied = !str_is_empty(object_annotation(live, LAST_APPLIED));
    struct val_iter it = val_iter(VAL_AT(live, "metadata", "managedFields"));
    struct fieldset *fields = fieldset_new(arena);
    const struct val *like = NULL;
    struct val kept = val_list();
    struct val *patch;
    size_t taken = 0;

    while (val_next(&it)) {
        struct fieldset *more;
        bool ours = entry_is_ours(it.value);

        if ((!ours && !entry_is_taken(it.value, has_last_applied)) ||
            !fieldset_parse(arena, val_get(it.value, S("fieldsV1")), &more, NULL)) {
            val_append(arena, &kept, val_dup_value(arena, it.value));
            continue;
        }
        if (like == NULL || ours)
            like = it.value;
        fields = fieldset_union(arena, fields, more);
        taken += !ours;
    }
    if (taken == 0)
        return NULL;
    val_append(arena, &kept, our_entry(arena, like, fields));
    patch = val_new(arena, val_list());
    patch_replace(arena, patch, S("/metadata/managedFields"), kept);
    patch_replace(arena, patch, S("/metadata/resourceVersion"),
                  val_string(arena, object_resource_version(live)));
    return patch;
}
