/* SPDX-License-Identifier: Apache-2.0 */
#include "schema/gvk.h"

bool gvk_eq(struct gvk a, struct gvk b)
{
    return str_eq(a.kind, b.kind) && str_eq(a.version, b.version) && str_eq(a.group, b.group);
}

bool gvr_eq(struct gvr a, struct gvr b)
{
    return str_eq(a.resource, b.resource) && str_eq(a.version, b.version) &&
           str_eq(a.group, b.group);
}

struct gvk gvk_parse(str api_version, str kind)
{
    size_t slash = str_find_char(api_version, '/');

    if (slash == SIZE_MAX)
        return (struct gvk){STR_EMPTY, api_version, kind};
    return (struct gvk){str_first(api_version, slash), str_from_index(api_version, slash + 1),
                        kind};
}

struct gvk gvk_of(const struct val *object)
{
    return gvk_parse(val_get_str(object, S("apiVersion")), val_get_str(object, S("kind")));
}

str gvk_api_version(struct arena *arena, str group, str version)
{
    if (str_is_empty(group))
        return arena_str(arena, version);
    return arena_printf(arena, "%.*s/%.*s", STR(group), STR(version));
}

str object_name(const struct val *object)
{
    return VAL_STR(object, "metadata", "name");
}

str object_namespace(const struct val *object)
{
    return VAL_STR(object, "metadata", "namespace");
}

str object_uid(const struct val *object)
{
    return VAL_STR(object, "metadata", "uid");
}

str object_resource_version(const struct val *object)
{
    return VAL_STR(object, "metadata", "resourceVersion");
}

str object_annotation(const struct val *object, str key)
{
    return val_get_str(VAL_AT(object, "metadata", "annotations"), key);
}

str object_label(const struct val *object, str key)
{
    return val_get_str(VAL_AT(object, "metadata", "labels"), key);
}
