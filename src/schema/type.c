/* SPDX-License-Identifier: Apache-2.0 */
#include "schema/type.h"

#include "base/map.h"
#include "base/mem.h"
#include "doc/json.h"
#include "schema/data.h"

#include <stdlib.h>

/* Built from OpenAPI once per definition and on demand: a process that only applies Deployments
 * never builds the types of flow control. */

#define OBJECT_META "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"

struct builder {
    struct arena *arena;
    bool is_crd;
};

static const struct type any_type = {.kind = TYPE_ANY, .preserve_unknown = true};
static const struct type opaque_type = {.kind = TYPE_OPAQUE, .preserve_unknown = true};
static const struct type scalar_type = {.kind = TYPE_SCALAR};
static const struct type string_type = {.kind = TYPE_STRING};
static const struct type any_map = {
        .kind = TYPE_MAP, .preserve_unknown = true, .element = &any_type};
static const struct type any_list = {.kind = TYPE_LIST, .element = &opaque_type};
static const struct type opaque_map = {
        .kind = TYPE_MAP, .atomic = true, .preserve_unknown = true, .element = &opaque_type};

/* The built-in definitions, for the process's life. */
static struct {
    struct arena *arena;
    struct val *definitions; /* name → schema */
    struct map *schemas;     /* the same, hashed */
    struct val *omitted;     /* name → fields that Go leaves out when they are zero */
    struct map *omits;       /* the same, hashed */
    struct map *types;       /* name → struct type */
    struct map *kinds;       /* "group/version/kind" → definition's name, as a val */
} builtin;

static const struct type *build(struct builder *b, const struct val *schema);

/* ---- the built-in tables ---- */

static str kind_key(struct arena *arena, struct gvk gvk)
{
    return arena_printf(arena, "%.*s/%.*s/%.*s", STR(gvk.group), STR(gvk.version), STR(gvk.kind));
}

static struct val *read_table(const char *name, const char *text, size_t size)
{
    struct val *table = NULL;
    struct err err = {0};

    if (!json_parse(builtin.arena, str_of(text, size), NULL, &table, &err)) {
        fprintf(stderr, "taut: data/kube/%s.json: %s\n", name, err.message);
        abort(); /* built in: our own mistake */
    }
    return table;
}

static void index_definition(struct val_iter *it)
{
    map_set(builtin.schemas, it->key, it->value);
    struct val_iter kinds = val_iter(val_get(it->value, S("x-kubernetes-group-version-kind")));
    while (val_next(&kinds)) {
        struct gvk gvk = {val_get_str(kinds.value, S("group")),
                          val_get_str(kinds.value, S("version")),
                          val_get_str(kinds.value, S("kind"))};
        str key = kind_key(builtin.arena, gvk);
        map_set(builtin.kinds, key,
                val_new(builtin.arena, val_string_borrow(arena_str(builtin.arena, it->key))));
    }
}

static void load(void)
{
    if (builtin.arena != NULL)
        return;
    builtin.arena = arena_new(64 * LIMIT_MIB);
    builtin.schemas = map_new();
    builtin.types = map_new();
    builtin.kinds = map_new();
    builtin.omits = map_new();
    builtin.definitions = read_table("schemas", data_schemas, data_schemas_size);
    builtin.omitted = read_table("omitted", data_omitted, data_omitted_size);
    struct val_iter it = val_iter(builtin.definitions);
    while (val_next(&it))
        index_definition(&it);
    it = val_iter(builtin.omitted);
    while (val_next(&it))
        map_set(builtin.omits, it.key, it.value);
}

const struct val *type_definitions(void)
{
    load();
    return builtin.definitions;
}

/* Definitions whose schema does not say all: as kube-openapi's own conversion has them. */
static void adjust_definition(struct type *type, str go_name)
{
    type->go_name = go_name;
    type->quantity = str_eq(go_name, S("Quantity"));
    type->int_or_string = str_eq(go_name, S("IntOrString"));
    type->is_time = str_eq(go_name, S("Time")) || str_eq(go_name, S("MicroTime"));
    if (type->quantity || type->int_or_string || type->is_time)
        type->kind = TYPE_SCALAR;
}

static void fill(struct builder *b, struct type *type, const struct val *schema);

static void note_omitted(struct type *type, const struct val *names)
{
    struct val_iter it = val_iter(names);

    while (val_next(&it)) {
        const struct type_field *field = type_field(type, val_str(it.value));
        if (field != NULL)
            ((struct type_field *)(uintptr_t)field)->omits_zero = true;
    }
}

const struct type *type_definition(str name)
{
    load();
    struct type *type = map_get(builtin.types, name);
    const struct val *schema = map_get(builtin.schemas, name);
    if (type != NULL || schema == NULL)
        return type;

    /* Known before it is filled: definitions refer to themselves. */
    struct builder b = {.arena = builtin.arena};
    type = arena_new0(b.arena, struct type);
    map_set(builtin.types, name, type);
    fill(&b, type, schema);
    note_omitted(type, map_get(builtin.omits, name));
    size_t dot = str_rfind_char(name, '.');
    adjust_definition(type,
                      arena_str(b.arena, str_from_index(name, dot == SIZE_MAX ? 0 : dot + 1)));
    return type;
}

const struct type *type_builtin(struct gvk gvk)
{
    char text[512];

    load();
    int len = snprintf(text, sizeof(text), "%.*s/%.*s/%.*s", STR(gvk.group), STR(gvk.version),
                       STR(gvk.kind));
    if (len < 0 || (size_t)len >= sizeof(text))
        return NULL;
    const struct val *name = map_get(builtin.kinds, str_of(text, (size_t)len));
    return name == NULL ? NULL : type_definition(val_str(name));
}

/* ---- from OpenAPI ---- */

static uint8_t patch_bits(str strategies)
{
    uint8_t bits = 0;
    str part = STR_EMPTY;

    while (str_split(&strategies, ',', &part)) {
        if (str_eq(part, S("merge")))
            bits |= TYPE_PATCH_MERGE;
        if (str_eq(part, S("retainKeys")))
            bits |= TYPE_PATCH_RETAIN_KEYS;
    }
    return bits;
}

static int compare_fields(const void *a, const void *b)
{
    return str_cmp(((const struct type_field *)a)->name, ((const struct type_field *)b)->name);
}

static bool list_has(const struct val *list, str text)
{
    struct val_iter it = val_iter(list);

    while (val_next(&it))
        if (str_eq(val_str(it.value), text))
            return true;
    return false;
}

static void fill_fields(struct builder *b, struct type *type, const struct val *schema)
{
    const struct val *properties = val_get(schema, S("properties"));
    size_t count = val_count(properties);
    struct type_field *fields = arena_array(b->arena, count, struct type_field);
    struct val_iter it = val_iter(properties);

    while (val_next(&it)) {
        fields[it.index] = (struct type_field){
                .name = it.key,
                .type = build(b, it.value),
                .default_value = val_get(it.value, S("default")),
                .patch = patch_bits(val_get_str(it.value, S("x-kubernetes-patch-strategy"))),
                .merge_key = val_get_str(it.value, S("x-kubernetes-patch-merge-key")),
                .required = list_has(val_get(schema, S("required")), it.key),
        };
    }
    if (count > 0)
        qsort(fields, count, sizeof(*fields), compare_fields);
    type->fields = fields;
    type->field_count = count;
}

static void fill_map(struct builder *b, struct type *type, const struct val *schema)
{
    const struct val *additional = val_get(schema, S("additionalProperties"));

    type->kind = TYPE_MAP;
    type->atomic = str_eq(val_get_str(schema, S("x-kubernetes-map-type")), S("atomic"));
    fill_fields(b, type, schema);
    if (val_is(additional, VAL_MAP)) {
        type->element = build(b, additional);
    } else if (val_is_true(additional)) {
        type->preserve_unknown = true;
    } else if (type->field_count == 0) {
        /* Free form. In a CRD what is in it is pruned unless it says otherwise. */
        type->element = &any_type;
        type->preserve_unknown = type->preserve_unknown || !b->is_crd;
    }
    if (type->preserve_unknown && type->element == NULL)
        type->element = &any_type;
}

static int compare_strs(const void *a, const void *b)
{
    return str_cmp(*(const str *)a, *(const str *)b);
}

static void fill_list(struct builder *b, struct type *type, const struct val *schema)
{
    const struct val *items = val_get(schema, S("items"));
    const struct val *keys = val_get(schema, S("x-kubernetes-list-map-keys"));
    str list_type = val_get_str(schema, S("x-kubernetes-list-type"));

    type->kind = TYPE_LIST;
    type->element = items == NULL ? &any_type : build(b, items);
    if (str_eq(list_type, S("set")))
        type->list = TYPE_LIST_SET;
    if (!str_eq(list_type, S("map")) || val_count(keys) == 0)
        return;
    type->list = TYPE_LIST_MAP;
    str *sorted = arena_array(b->arena, val_count(keys), str);
    struct val_iter it = val_iter(keys);
    while (val_next(&it))
        sorted[it.index] = val_str(it.value);
    qsort(sorted, val_count(keys), sizeof(*sorted), compare_strs);
    type->keys = sorted;
    type->key_count = val_count(keys);
}

static void fill(struct builder *b, struct type *type, const struct val *schema)
{
    static const struct {
        str name;
        enum type_kind kind;
    } kinds[] = {{S_INIT("string"), TYPE_STRING},
                 {S_INIT("integer"), TYPE_INTEGER},
                 {S_INIT("number"), TYPE_NUMBER},
                 {S_INIT("boolean"), TYPE_BOOL}};
    str name = val_get_str(schema, S("type"));

    type->schema = schema;
    type->format = val_get_str(schema, S("format"));
    type->nullable = val_get_bool(schema, S("nullable"), false);
    type->preserve_unknown = val_get_bool(schema, S("x-kubernetes-preserve-unknown-fields"), false);
    type->embedded = val_get_bool(schema, S("x-kubernetes-embedded-resource"), false);
    type->int_or_string = val_get_bool(schema, S("x-kubernetes-int-or-string"), false);
    type->kind = type->preserve_unknown ? TYPE_ANY : TYPE_OPAQUE;
    if (type->int_or_string || str_eq(type->format, S("int-or-string")))
        type->kind = TYPE_SCALAR;
    else if (str_eq(name, S("object")) || val_get(schema, S("properties")) != NULL)
        fill_map(b, type, schema);
    else if (str_eq(name, S("array")))
        fill_list(b, type, schema);
    for (size_t i = 0; i < COUNT(kinds); i++)
        if (type->kind == TYPE_OPAQUE && str_eq(name, kinds[i].name))
            type->kind = kinds[i].kind;
}

static const struct type *build(struct builder *b, const struct val *schema)
{
    str ref = val_get_str(schema, S("$ref"));

    if (!str_is_empty(ref) && !b->is_crd) {
        const struct type *type = type_definition(ref);
        return type != NULL ? type : &any_type;
    }
    struct type *type = arena_new0(b->arena, struct type);
    if (!arena_is_over(b->arena))
        fill(b, type, schema);
    return type;
}

/* ---- custom kinds ---- */

struct type_set {
    struct arena *arena;
    struct type *root;
};

/* apiVersion, kind and metadata are those of every object, whatever the CRD says of them. */
static void add_object_fields(struct type_set *set)
{
    struct type *root = set->root;
    struct type_field *fields = arena_array(set->arena, root->field_count + 3, struct type_field);
    size_t count = 0;

    for (size_t i = 0; i < root->field_count; i++) {
        str name = root->fields[i].name;
        if (!str_eq(name, S("apiVersion")) && !str_eq(name, S("kind")) &&
            !str_eq(name, S("metadata")))
            fields[count++] = root->fields[i];
    }
    fields[count++] = (struct type_field){.name = S("apiVersion"), .type = &string_type};
    fields[count++] = (struct type_field){.name = S("kind"), .type = &string_type};
    fields[count++] =
            (struct type_field){.name = S("metadata"), .type = type_definition(S(OBJECT_META))};
    qsort(fields, count, sizeof(*fields), compare_fields);
    root->fields = fields;
    root->field_count = count;
}

struct type_set *type_set_new(const struct val *open_api_v3_schema)
{
    struct type_set *set = new0(struct type_set);
    set->arena = arena_new(64 * LIMIT_MIB);
    struct builder b = {.arena = set->arena, .is_crd = true};

    set->root = arena_new0(set->arena, struct type);
    set->root->kind = TYPE_MAP;
    if (val_is(open_api_v3_schema, VAL_MAP)) {
        fill(&b, set->root, val_dup(set->arena, open_api_v3_schema));
        set->root->kind = TYPE_MAP;
    } else {
        set->root->preserve_unknown = true;
        set->root->element = &any_type;
    }
    /* A schema that names nothing but metadata has no free form beside it. */
    if (!set->root->preserve_unknown)
        set->root->element = NULL;
    add_object_fields(set);
    return set;
}

void type_set_free(struct type_set *set)
{
    if (set == NULL)
        return;
    arena_free(set->arena);
    mem_free(set);
}

const struct type *type_set_root(const struct type_set *set)
{
    return set->root;
}

const struct type *type_unknown(void)
{
    static struct type_set *set;

    if (set == NULL)
        set = type_set_new(NULL);
    return set->root;
}

/* ---- looking up ---- */

const struct type_field *type_field(const struct type *type, str name)
{
    size_t low = 0;
    size_t high = type == NULL ? 0 : type->field_count;

    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = str_cmp(type->fields[middle].name, name);
        if (order == 0)
            return &type->fields[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

const struct type *type_member(const struct type *type, str name)
{
    const struct type_field *field = type_field(type, name);

    return field != NULL ? field->type : type->element;
}

const struct type *type_deduce(const struct type *type, const struct val *v)
{
    if (type->kind != TYPE_ANY && type->kind != TYPE_OPAQUE)
        return type;
    switch (val_kind(v)) {
    case VAL_MAP:
        return type->kind == TYPE_ANY ? &any_map : &opaque_map;
    case VAL_LIST:
        return &any_list;
    case VAL_NULL:
    case VAL_BOOL:
    case VAL_NUMBER:
    case VAL_STRING:
        return &scalar_type;
    }
    return &scalar_type;
}
