/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/desired.h"

/* The form of one wanted object: what a manifest may not say is taken out (ENGINE section 1). */

static const char *const server_fields[] = {
        "managedFields", "resourceVersion", "uid", "generation", "selfLink", "creationTimestamp"};

/* Where pod templates stand, and so where a creationTimestamp of an export may stand too. */
static const char *const templates[][4] = {
        {"spec", "template", "metadata"},
        {"spec", "jobTemplate", "metadata"},
        {"spec", "podTemplate", "metadata"},
};

static void strip_metadata(struct val *metadata)
{
    for (size_t i = 0; i < COUNT(server_fields); i++)
        val_del(metadata, str_from(server_fields[i]));
}

static void strip_templates(struct val *object)
{
    struct val_iter it;

    for (size_t i = 0; i < COUNT(templates); i++)
        val_del(val_walk(object, templates[i], 3), S("creationTimestamp"));
    val_del(VAL_AT(object, "spec", "jobTemplate", "spec", "template", "metadata"),
            S("creationTimestamp"));

    it = val_iter(VAL_AT(object, "spec", "volumeClaimTemplates"));
    while (val_next(&it)) {
        val_del(it.value, S("status"));
        val_del(val_get(it.value, S("metadata")), S("creationTimestamp"));
    }
}

/* stringData is merged into data, as the server would, so that we own the keys. */
static void merge_string_data(struct arena *arena, struct val *secret)
{
    struct val *plain = val_get(secret, S("stringData"));
    struct val_iter it = val_iter(plain);
    struct val *data;

    if (!val_is(plain, VAL_MAP))
        return;
    while (val_next(&it))
        if (!val_is(it.value, VAL_STRING))
            return; /* the server's error */
    data = val_ensure_map(arena, secret, S("data"));
    it = val_iter(plain);
    while (val_next(&it)) {
        str text = base64_encode(arena, val_str(it.value));

        val_set(arena, data, it.key, val_string_borrow(text));
    }
    val_del(secret, S("stringData"));
}

void desired_normalise(struct arena *arena, struct val *object)
{
    struct gvk gvk = gvk_of(object);

    val_del(object, S("status"));
    strip_metadata(val_get(object, S("metadata")));
    strip_templates(object);
    if (str_is_empty(gvk.group) && str_eq(gvk.kind, S("Secret")))
        merge_string_data(arena, object);
    if (str_eq(gvk.group, S("rbac.authorization.k8s.io")) && str_eq(gvk.kind, S("ClusterRole")) &&
        val_get(object, S("aggregationRule")) != NULL)
        val_del(object, S("rules"));
}

str object_key(struct arena *arena, str group, str kind, str namespace_, str name)
{
    return arena_printf(arena, "%.*s/%.*s/%.*s/%.*s", STR(group), STR(kind), STR(namespace_),
                        STR(name));
}

str desired_label(struct arena *arena, const struct desired_object *object)
{
    if (str_is_empty(object->file))
        return arena_printf(arena, "%.*s '%.*s'", STR(object->gvk.kind), STR(object->name));
    return arena_printf(arena, "%.*s '%.*s' (%.*s:%u)", STR(object->gvk.kind), STR(object->name),
                        STR(object->file), object->line);
}
