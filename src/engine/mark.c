/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/mark.h"
#include "doc/hash.h"

void mark_init(struct mark *mark, struct arena *arena, str installation, str control_namespace,
               str namespace_, str name)
{
    str text = arena_printf(arena, "%.*s/%.*s/%.*s", STR(installation), STR(namespace_), STR(name));
    struct hash hash = hash_bytes(text);

    mark->label = str_first(base32_encode(arena, str_of((const char *)hash.bytes, HASH_SIZE)),
                            MARK_LABEL_LENGTH);
    mark->installation = arena_str(arena, installation);
    mark->instance = str_eq(namespace_, control_namespace)
                             ? arena_str(arena, name)
                             : arena_printf(arena, "%.*s_%.*s", STR(namespace_), STR(name));
}

str mark_tracking(const struct mark *mark, struct arena *arena, struct gvk gvk, str namespace_,
                  str name)
{
    return arena_printf(arena, "%.*s:%.*s/%.*s:%.*s/%.*s", STR(mark->instance), STR(gvk.group),
                        STR(gvk.kind), STR(namespace_), STR(name));
}

void mark_apply(const struct mark *mark, struct arena *arena, struct val *object)
{
    struct val *metadata = val_ensure_map(arena, object, S("metadata"));
    struct val *labels = val_ensure_map(arena, metadata, S("labels"));
    struct val *annotations;

    val_set_str(arena, labels, MARK_LABEL, mark->label);
    annotations = val_ensure_map(arena, metadata, S("annotations"));
    val_set_str(arena, annotations, MARK_TRACKING,
                mark_tracking(mark, arena, gvk_of(object), object_namespace(object),
                              object_name(object)));
    val_set_str(arena, annotations, MARK_INSTALLATION, mark->installation);
}

bool mark_parse(str tracking, struct mark_tracked *ret)
{
    str rest = tracking;
    str kind;
    str name;
    struct mark_tracked parsed = {0};

    if (!str_split(&rest, ':', &parsed.instance) || rest.at == NULL ||
        !str_split(&rest, ':', &kind) || rest.at == NULL)
        return false;
    name = rest;
    if (!str_split(&kind, '/', &parsed.group) || kind.at == NULL ||
        !str_split(&name, '/', &parsed.namespace_) || name.at == NULL)
        return false;
    parsed.kind = kind;
    parsed.name = name;
    *ret = parsed;
    return true;
}

enum mark_owner mark_owner(const struct mark *mark, str tracking, str installation, struct gvk gvk,
                           str namespace_, str name, str *ret_instance)
{
    struct mark_tracked tracked;

    *ret_instance = STR_EMPTY;
    if (!mark_parse(tracking, &tracked))
        return MARK_NOBODY;
    if (!str_eq(tracked.group, gvk.group) || !str_eq(tracked.kind, gvk.kind) ||
        !str_eq(tracked.name, name) ||
        (!str_is_empty(namespace_) && !str_eq(tracked.namespace_, namespace_)))
        return MARK_NOBODY;
    *ret_instance = tracked.instance;
    if (str_is_empty(installation))
        return str_eq(tracked.instance, mark->instance) ? MARK_NOBODY : MARK_SIBLING;
    if (!str_eq(installation, mark->installation))
        return MARK_FOREIGN;
    return str_eq(tracked.instance, mark->instance) ? MARK_OURS : MARK_SIBLING;
}
