/* SPDX-License-Identifier: Apache-2.0 */
#include "render/kustomize/schema.h"

#include "doc/yaml.h"

struct schema {
    struct arena *arena;
    bool is_set;
    bool use_builtin;
    const struct val *definitions; /* custom */
    const struct val *paths;
};

/* ---- built in ---- */

enum shape { OBJECT, LIST, MAP };

struct field_row {
    const char *name;
    uint8_t shape;
    uint8_t merges;
    uint16_t definition;
    const char *keys;
};

/* Each definition's fields stand together, behind a row without name that carries its number. */
static const struct field_row field_rows[] = {
#define DEFINITION(number) {NULL, 0, 0, number, NULL},
#define FIELD(name, shape, definition, merges, keys) {name, shape, merges, definition, keys},
#include "render/kustomize/merge_schema.inc"
#undef DEFINITION
#undef FIELD
};

static const struct {
    const char *api_version;
    const char *kind;
    uint16_t definition;
} resource_rows[] = {
#define RESOURCE(api_version, kind, definition) {api_version, kind, definition},
#include "render/kustomize/merge_schema.inc"
#undef RESOURCE
};

static const struct {
    const char *api_version;
    const char *kind;
} cluster_rows[] = {
#include "render/kustomize/cluster_scoped.inc"
};

static uint16_t definition_start[400];

static void index_definitions(void)
{
    if (definition_start[1] != 0 || field_rows[0].definition != 1)
        return;
    for (size_t i = 0; i < COUNT(field_rows); i++)
        if (field_rows[i].name == NULL)
            definition_start[field_rows[i].definition] = (uint16_t)(i + 1);
}

struct schema *schema_new(struct arena *arena)
{
    struct schema *s = arena_new0(arena, struct schema);

    s->arena = arena;
    s->use_builtin = true;
    index_definitions();
    return s;
}

bool schema_is_set(const struct schema *schema)
{
    return schema->is_set;
}

void schema_set_builtin(struct schema *schema)
{
    schema->is_set = true;
}

bool schema_set_custom(struct schema *schema, str text, str file, struct err *err)
{
    struct yaml_options options = {
            .dialect = YAML_11, .duplicates = YAML_DUPLICATES_LAST, .file = file};
    struct val *doc = NULL;

    if (!yaml_parse(schema->arena, text, &options, &doc, err))
        return false;
    if (!val_is(doc, VAL_MAP))
        return err_set(err, ERR_INVALID, "%.*s: an OpenAPI schema must be a map", STR(file));
    schema->is_set = true;
    schema->use_builtin = false;
    schema->definitions = val_get(doc, S("definitions"));
    schema->paths = val_get(doc, S("paths"));
    return true;
}

/* ---- scope ---- */

static bool gvk_matches(const struct val *gvk, str api_version, str kind)
{
    str group = val_get_str(gvk, S("group"));
    str version = val_get_str(gvk, S("version"));

    if (!str_eq(val_get_str(gvk, S("kind")), kind))
        return false;
    if (group.len == 0)
        return str_eq(version, api_version);
    return api_version.len == group.len + 1 + version.len && str_starts(api_version, group) &&
           api_version.at[group.len] == '/' && str_ends(api_version, version);
}

static bool custom_is_cluster_scoped(const struct schema *schema, str api_version, str kind)
{
    bool found = false;
    struct val_iter it = val_iter(schema->paths);

    while (val_next(&it)) {
        const struct val *gvk =
                val_get(val_get(it.value, S("get")), S("x-kubernetes-group-version-kind"));
        if (gvk == NULL || !gvk_matches(gvk, api_version, kind))
            continue;
        if (str_contains(it.key, S("namespaces/{namespace}")))
            return false;
        found = true;
    }
    return found;
}

bool schema_is_cluster_scoped(const struct schema *schema, str api_version, str kind)
{
    for (size_t i = 0; i < COUNT(cluster_rows); i++) {
        const char *row = cluster_rows[i].kind;
        if (row[0] == (kind.len > 0 ? kind.at[0] : '\0') && str_eq(kind, str_from(row)) &&
            str_eq(api_version, str_from(cluster_rows[i].api_version)))
            return true;
    }
    return schema->paths != NULL && custom_is_cluster_scoped(schema, api_version, kind);
}

/* ---- custom schemas ---- */

/* Follows $ref as long as there is one. */
static const struct val *resolve(const struct schema *schema, const struct val *v)
{
    for (int hops = 0; hops < 32; hops++) {
        str ref = val_get_str(v, S("$ref"));
        if (ref.len == 0)
            return v;
        size_t slash = str_rfind_char(ref, '/');
        v = val_get(schema->definitions, str_from_index(ref, slash + 1));
        if (v == NULL)
            return NULL;
    }
    return NULL;
}

static struct schema_at custom_at(const struct schema *schema, const struct val *v)
{
    struct schema_at at = {0};
    const struct val *strategy = val_get(v, S("x-kubernetes-patch-strategy"));
    str rest = val_str(strategy);
    str part = STR_EMPTY;

    if (v == NULL)
        return at;
    at.known = true;
    at.custom = v;
    at.keys = "";
    while (rest.at != NULL && str_split(&rest, ',', &part))
        at.merges = at.merges || str_eq(part, S("merge"));
    const struct val *keys = val_get(v, S("x-kubernetes-list-map-keys"));
    if (val_is(keys, VAL_LIST)) {
        struct val_iter it = val_iter(keys);
        str joined = STR_EMPTY;
        while (val_next(&it))
            joined = arena_printf(schema->arena, "%.*s%s%.*s", STR(joined),
                                  joined.len > 0 ? "," : "", STR(val_str(it.value)));
        at.keys = arena_z(schema->arena, joined);
    } else if (val_get(v, S("x-kubernetes-patch-merge-key")) != NULL) {
        at.keys = arena_z(schema->arena, val_get_str(v, S("x-kubernetes-patch-merge-key")));
    }
    return at;
}

/* ---- walking ---- */

struct schema_at schema_of_kind(const struct schema *schema, str api_version, str kind)
{
    struct val_iter it = val_iter(schema->definitions);

    while (val_next(&it)) {
        const struct val *gvks = val_get(it.value, S("x-kubernetes-group-version-kind"));
        struct val_iter each = val_iter(gvks);
        while (val_next(&each))
            if (gvk_matches(each.value, api_version, kind))
                return custom_at(schema, it.value);
    }
    if (!schema->use_builtin && !str_starts(api_version, S("kustomize.config.k8s.io/")))
        return (struct schema_at){0};
    for (size_t i = 0; i < COUNT(resource_rows); i++)
        if (str_eq(kind, str_from(resource_rows[i].kind)) &&
            str_eq(api_version, str_from(resource_rows[i].api_version)))
            return (struct schema_at){
                    .known = true, .definition = resource_rows[i].definition, .keys = ""};
    return (struct schema_at){0};
}

static struct schema_at builtin_field(struct schema_at at, str field)
{
    if (at.definition == 0)
        return (struct schema_at){.known = true, .keys = ""};
    for (const struct field_row *row = &field_rows[definition_start[at.definition]];
         row < field_rows + COUNT(field_rows) && row->name != NULL; row++)
        if (str_eq(field, str_from(row->name)))
            return (struct schema_at){.known = true,
                                      .definition = row->definition,
                                      .merges = row->merges != 0,
                                      .keys = row->keys};
    return (struct schema_at){.known = true, .keys = ""};
}

struct schema_at schema_field(const struct schema *schema, struct schema_at at, str field)
{
    if (!at.known)
        return at;
    if (at.custom == NULL)
        return builtin_field(at, field);
    const struct val *v = val_get(val_get(at.custom, S("properties")), field);
    if (v == NULL) {
        v = val_get(at.custom, S("additionalProperties"));
        if (!val_is(v, VAL_MAP))
            return (struct schema_at){0};
    }
    const struct val *target = resolve(schema, v);
    return target == NULL ? (struct schema_at){0} : custom_at(schema, target);
}

struct schema_at schema_element(const struct schema *schema, struct schema_at at)
{
    if (!at.known)
        return at;
    if (at.custom == NULL)
        return (struct schema_at){.known = true, .definition = at.definition, .keys = ""};
    const struct val *items = val_get(at.custom, S("items"));
    if (!str_eq(val_get_str(at.custom, S("type")), S("array")) || !val_is(items, VAL_MAP))
        return (struct schema_at){0};
    const struct val *target = resolve(schema, items);
    return target == NULL ? (struct schema_at){0} : custom_at(schema, target);
}
