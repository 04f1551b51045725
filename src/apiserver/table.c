/* SPDX-License-Identifier: Apache-2.0 */
#include "apiserver/table.h"

#include "apiserver/columns.h"
#include "apiserver/jsonpath.h"
#include "doc/json.h"

struct table {
    struct api *api;
    struct arena *arena;
    struct val *root;
    struct val *rows;
    bool named_first; /* Name comes before the kind's own columns */
};

static void add_column(struct table *table, struct val *list, str name, str type, str format,
                       int64_t priority)
{
    struct val *column = val_append(table->arena, list, val_map());

    val_set_str(table->arena, column, S("name"), name);
    val_set_str(table->arena, column, S("type"), type);
    val_set_str(table->arena, column, S("format"), format);
    val_set_str(table->arena, column, S("description"), name);
    val_set(table->arena, column, S("priority"), val_int(table->arena, priority));
}

static void add_custom_columns(struct table *table, struct val *list)
{
    struct val_iter it = val_iter(table->api->version->columns);

    while (val_next(&it))
        add_column(table, list, val_get_str(it.value, S("name")), val_get_str(it.value, S("type")),
                   val_get_str(it.value, S("format")),
                   val_i64_or(val_get(it.value, S("priority")), 0));
    if (val_count(table->api->version->columns) == 0)
        add_column(table, list, S("Age"), S("date"), STR_EMPTY, 0);
}

struct table *table_new(struct api *api)
{
    struct table *table = arena_new0(api->arena, struct table);
    struct arena *arena = api->arena;

    table->api = api;
    table->arena = arena;
    table->root = val_new(arena, val_map());
    val_set_str(arena, table->root, S("kind"), S("Table"));
    val_set_str(arena, table->root, S("apiVersion"), S("meta.k8s.io/v1"));
    val_ensure_map(arena, table->root, S("metadata"));
    struct val *columns = val_ensure_list(arena, table->root, S("columnDefinitions"));
    table->named_first = !str_eq(api->kind->key, S("/events"));
    if (table->named_first)
        add_column(table, columns, S("Name"), S("string"), S("name"), 0);
    if (api->kind->is_crd) {
        add_custom_columns(table, columns);
    } else {
        size_t count;
        const struct column *of = columns_of(api->kind->key, &count);

        for (size_t i = 0; i < count; i++)
            add_column(table, columns, str_from(of[i].name), str_from(of[i].type), STR_EMPTY,
                       of[i].priority);
        if (!table->named_first)
            add_column(table, columns, S("Name"), S("string"), S("name"), 1);
    }
    table->rows = val_ensure_list(arena, table->root, S("rows"));
    return table;
}

static struct val custom_cell(struct table *table, const struct val *column,
                              const struct val *object)
{
    struct arena *arena = table->arena;
    str type = val_get_str(column, S("type"));
    const struct val *v = jsonpath_first(arena, object, val_get_str(column, S("jsonPath")));

    if (v == NULL || val_is(v, VAL_NULL))
        return val_null();
    if (str_eq(type, S("date")))
        return val_string(arena, columns_age(arena, val_str(v)));
    if (str_eq(type, S("string")))
        return val_string(arena, val_is(v, VAL_MAP) || val_is(v, VAL_LIST)
                                         ? json_text(arena, v, JSON_COMPACT)
                                         : val_text(v));
    return val_dup_value(arena, v);
}

static void add_custom_cells(struct table *table, struct val *cells, const struct val *object)
{
    struct val_iter it = val_iter(table->api->version->columns);

    while (val_next(&it))
        val_append(table->arena, cells, custom_cell(table, it.value, object));
    if (val_count(table->api->version->columns) == 0)
        val_append(table->arena, cells,
                   val_string(table->arena,
                              columns_age(table->arena,
                                          VAL_STR(object, "metadata", "creationTimestamp"))));
}

static void add_object(struct table *table, struct val *row, const struct val *object)
{
    struct arena *arena = table->arena;
    str include = table->api->include_object;

    if (str_eq(include, S("None")))
        return;
    if (str_eq(include, S("Object"))) {
        val_set(arena, row, S("object"), *object);
        return;
    }
    struct val *partial = val_ensure_map(arena, row, S("object"));
    const struct val *metadata = val_get(object, S("metadata"));
    val_set_str(arena, partial, S("kind"), S("PartialObjectMetadata"));
    val_set_str(arena, partial, S("apiVersion"), S("meta.k8s.io/v1"));
    if (metadata != NULL)
        val_set(arena, partial, S("metadata"), *metadata);
}

void table_add(struct table *table, const struct val *object)
{
    struct arena *arena = table->arena;
    struct val *row = val_append(arena, table->rows, val_map());
    struct val *cells = val_ensure_list(arena, row, S("cells"));

    if (table->named_first)
        val_append(arena, cells, val_string(arena, object_name(object)));
    if (table->api->kind->is_crd) {
        add_custom_cells(table, cells, object);
    } else {
        size_t count;
        const struct column *of = columns_of(table->api->kind->key, &count);

        for (size_t i = 0; i < count; i++)
            val_append(arena, cells, of[i].cell(arena, object, of[i].path));
        if (!table->named_first)
            val_append(arena, cells, val_string(arena, object_name(object)));
    }
    add_object(table, row, object);
}

const struct val *table_finish(struct table *table, str resource_version, str token, int64_t left)
{
    struct arena *arena = table->arena;
    struct val *metadata = val_get(table->root, S("metadata"));

    if (!str_is_empty(resource_version))
        val_set_str(arena, metadata, S("resourceVersion"), resource_version);
    if (!str_is_empty(token))
        val_set_str(arena, metadata, S("continue"), token);
    if (left > 0)
        val_set(arena, metadata, S("remainingItemCount"), val_int(arena, left));
    return table->root;
}
