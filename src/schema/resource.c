/* SPDX-License-Identifier: Apache-2.0 */
#include "schema/resource.h"

#include "doc/json.h"
#include "schema/data.h"

#include <stdlib.h>

/* Read once, when first asked for; for the process's life. */
static struct {
    struct arena *arena;
    struct resource *rows;
    size_t count;
} table;

static const str *texts_of(const struct val *list, size_t *ret_count)
{
    str *texts = arena_array(table.arena, val_count(list), str);
    struct val_iter it = val_iter(list);

    while (val_next(&it))
        texts[it.index] = val_str(it.value);
    *ret_count = val_count(list);
    return texts;
}

static struct gvk kind_of(const struct val *row, struct gvk outer)
{
    struct gvk gvk = {outer.group, outer.version, val_get_str(row, S("kind"))};

    if (val_get(row, S("version")) != NULL) {
        gvk.group = val_get_str(row, S("group"));
        gvk.version = val_get_str(row, S("version"));
    }
    return gvk;
}

static const struct resource_sub *subs_of(const struct val *list, struct gvk outer,
                                          size_t *ret_count)
{
    struct resource_sub *subs = arena_array(table.arena, val_count(list), struct resource_sub);
    struct val_iter it = val_iter(list);

    while (val_next(&it)) {
        struct resource_sub *sub = &subs[it.index];
        sub->name = val_get_str(it.value, S("name"));
        sub->gvk = kind_of(it.value, outer);
        sub->verbs = texts_of(val_get(it.value, S("verbs")), &sub->verb_count);
    }
    *ret_count = val_count(list);
    return subs;
}

static void fill(struct resource *to, const struct val *row)
{
    to->gvk = kind_of(row, (struct gvk){0});
    to->plural = val_get_str(row, S("plural"));
    to->singular = val_get_str(row, S("singular"));
    to->namespaced = val_get_bool(row, S("namespaced"), false);
    to->short_names = texts_of(val_get(row, S("short")), &to->short_name_count);
    to->categories = texts_of(val_get(row, S("categories")), &to->category_count);
    to->verbs = texts_of(val_get(row, S("verbs")), &to->verb_count);
    to->subs = subs_of(val_get(row, S("subs")), to->gvk, &to->sub_count);
}

static void load(void)
{
    struct val *rows = NULL;
    struct err err = {0};

    if (table.arena != NULL)
        return;
    table.arena = arena_new(16 * LIMIT_MIB);
    if (!json_parse(table.arena, str_of(data_resources, data_resources_size), NULL, &rows, &err)) {
        fprintf(stderr, "taut: data/kube/resources.json: %s\n", err.message);
        abort(); /* built in: our own mistake */
    }
    table.rows = arena_array(table.arena, val_count(rows), struct resource);
    table.count = val_count(rows);
    struct val_iter it = val_iter(rows);
    while (val_next(&it))
        fill(&table.rows[it.index], it.value);
}

size_t resource_count(void)
{
    load();
    return table.count;
}

const struct resource *resource_at(size_t index)
{
    load();
    return index < table.count ? &table.rows[index] : NULL;
}

const struct resource *resource_by_kind(struct gvk gvk)
{
    load();
    for (size_t i = 0; i < table.count; i++)
        if (gvk_eq(table.rows[i].gvk, gvk))
            return &table.rows[i];
    return NULL;
}

const struct resource *resource_by_plural(struct gvr gvr)
{
    load();
    for (size_t i = 0; i < table.count; i++) {
        const struct resource *row = &table.rows[i];
        if (str_eq(row->plural, gvr.resource) && str_eq(row->gvk.version, gvr.version) &&
            str_eq(row->gvk.group, gvr.group))
            return row;
    }
    return NULL;
}

const struct resource *resource_by_group_kind(str group, str kind)
{
    load();
    for (size_t i = 0; i < table.count; i++)
        if (str_eq(table.rows[i].gvk.kind, kind) && str_eq(table.rows[i].gvk.group, group))
            return &table.rows[i];
    return NULL;
}

bool resource_has_verb(const struct resource *resource, str verb)
{
    for (size_t i = 0; i < resource->verb_count; i++)
        if (str_eq(resource->verbs[i], verb))
            return true;
    return false;
}

const struct resource_sub *resource_sub(const struct resource *resource, str name)
{
    for (size_t i = 0; i < resource->sub_count; i++)
        if (str_eq(resource->subs[i].name, name))
            return &resource->subs[i];
    return NULL;
}
