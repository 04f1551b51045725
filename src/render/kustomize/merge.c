/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Strategic merge patches as kyaml merges: a walk over destination and patch together. Which lists
 * merge, and by which keys, is the schema's word; every other list is replaced. The order of a
 * merged list, and what becomes of elements without their key, follow from the way in which kyaml
 * puts it together, so this code takes the same way.
 */
#include "base/map.h"
#include "render/kustomize/schema.h"
#include "render/kustomize/transform.h"

#include <stdlib.h>

enum { KEYS_MAX = 4, KEYED_ELEMENTS_MAX = 4000, LONG_LIST = 64 };

struct keys {
    str at[KEYS_MAX];
    size_t count;
};

enum directive { SMP_MERGE, SMP_REPLACE, SMP_DELETE };

struct merger {
    struct build *b;
    unsigned depth;
    const struct node *added; /* the keyed list that is being put together */
};

/* *ret NULL: the value goes away. */
static bool walk(struct merger *m, struct node *dest, struct node *patch, struct schema_at schema,
                 struct node **ret, bool *ret_keep);

static bool wrong_kind(struct merger *m, const struct node *n, const char *expected)
{
    struct val at = {.file = n->file, .place = n->place};
    str place = val_place(m->b->arena, &at);

    return build_fail(m->b, KUSTOMIZE_ERROR_TRANSFORM, "%.*s%swrong node kind: expected %s",
                      STR(place), place.len > 0 ? ": " : "", expected);
}

/* ---- elements of keyed lists ---- */

static bool is_empty_map(const struct node *n)
{
    return node_is_null(n) || (n->kind == NODE_MAP && n->count == 0);
}

/* Does the field exist, and, when a value is given, equal it? */
static bool field_matches(struct merger *m, const struct node *n, str name, str value, bool *ret)
{
    *ret = false;
    if (node_is_null(n))
        return true;
    if (name.len == 0) {
        if (n->kind != NODE_SCALAR)
            return wrong_kind(m, n, "ScalarNode");
        *ret = str_eq(node_text(n), value);
        return true;
    }
    if (n->kind != NODE_MAP)
        return wrong_kind(m, n, "MappingNode");
    const struct node *field = node_get(n, name);
    *ret = field != NULL && (value.len == 0 || str_eq(node_spelling(field), value));
    return true;
}

/* Puts `element` (NULL: nothing) in place of the elements whose keys have these values, or at the
 * end. kyaml's ElementSetter, also in what it drops on the way. */
static bool set_element(struct merger *m, struct node *list, const struct keys *keys,
                        const struct keys *values, struct node *element)
{
    bool is_mapping = keys->at[0].len > 0 && values->count > 0 && values->at[0].len > 0;
    bool found_any = false;
    uint32_t kept = 0;
    /* another list may share these items, but not those of a list that is being put together */
    struct node **items = list == m->added
                                  ? list->items
                                  : arena_array(m->b->arena, list->count + 1, struct node *);

    for (uint32_t i = 0; i < list->count; i++) {
        struct node *item = list->items[i];
        if (is_empty_map(item))
            continue;
        if (item->kind != NODE_MAP && is_mapping) {
            items[kept++] = item;
            continue;
        }
        bool found = true;
        bool have = false;
        for (size_t k = 0; k < keys->count && found; k++) {
            if (k < values->count && !field_matches(m, item, keys->at[k], values->at[k], &have))
                return false;
            found = have;
        }
        if (!found) {
            if (values->count > 0)
                items[kept++] = item;
            continue;
        }
        found_any = true;
        if (element != NULL)
            items[kept++] = element;
    }
    if (list != m->added)
        list->size = list->count + 1;
    list->items = items;
    list->count = kept;
    if (!node_is_null(element) && !found_any)
        node_append(m->b->arena, list, element);
    return true;
}

static struct node *find_element(const struct node *list, const struct keys *keys,
                                 const struct keys *values)
{
    if (!node_is(list, NODE_LIST))
        return NULL;
    for (uint32_t i = 0; i < list->count; i++) {
        struct node *item = list->items[i];
        if (keys->count == 0 || keys->at[0].len == 0) {
            if (str_eq(node_spelling(item), values->count > 0 ? values->at[0] : STR_EMPTY))
                return item;
            continue;
        }
        if (node_is_null(item) || item->kind != NODE_MAP)
            continue;
        bool matches = true;
        for (size_t k = 0; k < keys->count && matches; k++) {
            const struct node *field = node_get(item, keys->at[k]);
            matches = field != NULL && str_eq(node_spelling(field), values->at[k]);
        }
        if (matches)
            return item;
    }
    return NULL;
}

/* ---- directives ---- */

static bool directive_of(struct merger *m, const struct node *value, enum directive *ret)
{
    str word = node_spelling(value);

    if (str_eq(word, S("delete")))
        *ret = SMP_DELETE;
    else if (str_eq(word, S("replace")))
        *ret = SMP_REPLACE;
    else if (str_eq(word, S("merge")))
        *ret = SMP_MERGE;
    else
        return build_fail(m->b, KUSTOMIZE_ERROR_TRANSFORM, "unknown patch strategy '%.*s'",
                          STR(word));
    return true;
}

/* Takes "$patch" out of the patch. */
static bool take_directive(struct merger *m, struct node *patch, enum directive *ret)
{
    static const str name = S_INIT("$patch");

    *ret = SMP_MERGE;
    if (patch == NULL)
        return true;
    if (patch->kind == NODE_MAP) {
        const struct node *value = node_get(patch, name);
        if (value == NULL)
            return true;
        if (!directive_of(m, value, ret))
            return false;
        node_clear(patch, name);
        return true;
    }
    if (patch->kind != NODE_LIST)
        return build_fail(m->b, KUSTOMIZE_ERROR_TRANSFORM,
                          "no implemented strategic merge patch strategy for a scalar");
    for (uint32_t i = 0; i < patch->count; i++) {
        const struct node *item = patch->items[i];
        const struct node *value = node_is(item, NODE_MAP) ? node_get(item, name) : NULL;
        if (value == NULL)
            continue;
        if (item->count > 1)
            return true;
        if (!directive_of(m, value, ret))
            return false;
        struct keys keys = {.at = {name}, .count = 1};
        struct keys values = {.at = {node_spelling(value)}, .count = 1};
        return set_element(m, patch, &keys, &values, NULL);
    }
    return true;
}

static void take_style(struct node *dest, const struct node *patch)
{
    if (dest != NULL && patch != NULL && dest->kind != NODE_SCALAR && dest->count == 0)
        dest->style = patch->style;
}

/* ---- maps ---- */

static bool visit_map(struct merger *m, struct node *dest, struct node *patch, struct node **ret,
                      bool *ret_keep)
{
    enum directive directive = SMP_MERGE;

    *ret = NULL;
    take_style(dest, patch);
    if (node_is_null(dest)) {
        if (patch != NULL && !node_is_null(patch) && !take_directive(m, patch, &directive))
            return false;
        if (directive == SMP_DELETE)
            return true;
        if (patch == NULL && dest != NULL && node_spelling(dest).len > 0) {
            *ret = node_scalar(m->b->arena, TAG_NULL, node_spelling(dest));
            *ret_keep = true;
            return true;
        }
        *ret = patch;
        return true;
    }
    if (patch != NULL && patch->tag == TAG_NULL)
        return true;
    if (!take_directive(m, patch, &directive))
        return false;
    if (directive == SMP_DELETE)
        return true;
    *ret = directive == SMP_REPLACE ? patch : dest;
    return true;
}

static int compare_names(const void *a, const void *b)
{
    return str_cmp(*(const str *)a, *(const str *)b);
}

/* The field names of both, sorted, each once. */
static struct strs field_names(struct merger *m, const struct node *dest, const struct node *patch)
{
    const struct node *sources[2] = {dest, patch};
    size_t most = (node_is(dest, NODE_MAP) ? dest->count : 0) +
                  (node_is(patch, NODE_MAP) && patch != dest ? patch->count : 0);
    struct strs names = {.at = arena_array(m->b->arena, most, str)};

    for (size_t s = 0; s < 2; s++)
        for (uint32_t i = 0;
             node_is(sources[s], NODE_MAP) && (s == 0 || patch != dest) && i < sources[s]->count;
             i++)
            names.at[names.count++] = sources[s]->members[i].key;
    qsort(names.at, names.count, sizeof(str), compare_names);
    size_t kept = 0;
    for (size_t i = 0; i < names.count; i++)
        if (kept == 0 || !str_eq(names.at[kept - 1], names.at[i]))
            names.at[kept++] = names.at[i];
    names.count = kept;
    return names;
}

static bool walk_map(struct merger *m, struct node *old, struct node *patch,
                     struct schema_at schema, struct node **ret, bool *ret_keep)
{
    struct node *dest = NULL;

    *ret = NULL;
    if (!visit_map(m, old, patch, &dest, ret_keep))
        return false;
    if (dest == NULL)
        return true;
    struct strs names = field_names(m, dest, patch);
    for (size_t i = 0; i < names.count; i++) {
        str name = names.at[i];
        struct node *value = NULL;
        bool keep = false;
        if (name.len == 0)
            return build_fail(m->b, KUSTOMIZE_ERROR_TRANSFORM,
                              "wrong node kind: a map with an empty key cannot be patched");
        if (!walk(m, node_get(dest, name), node_get(patch, name),
                  schema_field(m->b->schema, schema, name), &value, &keep))
            return false;
        uint32_t flags = dest->flags;
        if ((keep && value != NULL) || !node_is_null(value))
            node_put(m->b->arena, dest, name, value);
        else
            node_blank(dest, name);
        /* a key from the patch brings its quotes along */
        if (patch == NULL || (patch->flags & NODE_ODD_KEY) == 0)
            dest->flags = flags & 3;
    }
    node_drop_blanks(dest);
    *ret = dest;
    return true;
}

/* ---- lists ---- */

struct tuples {
    struct keys *at;
    size_t count, size;
};

static bool keys_eq(const struct keys *a, const struct keys *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (!str_eq(a->at[i], b->at[i]))
            return false;
    return true;
}

static void add_tuple(struct merger *m, struct tuples *t, const struct keys *tuple)
{
    for (size_t i = 0; i < t->count; i++)
        if (keys_eq(&t->at[i], tuple))
            return;
    t->at = build_grow(m->b, t->at, t->count + 1, &t->size, sizeof(*t->at));
    t->at[t->count++] = *tuple;
}

/* Key values of every element, the patch's first. */
static struct tuples collect_tuples(struct merger *m, const struct node *dest,
                                    const struct node *patch, const struct keys *keys)
{
    const struct node *sources[2] = {patch, dest};
    struct tuples t = {0};

    for (size_t s = 0; s < 2; s++) {
        for (uint32_t i = 0; node_is(sources[s], NODE_LIST) && i < sources[s]->count; i++) {
            const struct node *item = sources[s]->items[i];
            struct keys tuple = {.count = keys->count};
            if (keys->at[0].len == 0) {
                tuple.at[0] = node_spelling(item);
            } else {
                for (size_t k = 0; k < keys->count; k++) {
                    const struct node *field = node_get(item, keys->at[k]);
                    tuple.at[k] = node_is_empty(field) ? STR_EMPTY : node_spelling(field);
                }
            }
            add_tuple(m, &t, &tuple);
        }
    }
    return t;
}

/* Rows that differ only where one of them is empty become equal. */
static void merge_tuples(struct tuples *t)
{
    for (size_t i = 0; i < t->count; i++) {
        for (size_t j = 0; j < t->count; j++) {
            const struct keys *a = &t->at[i];
            const struct keys *b = &t->at[j];
            struct keys merged = {.count = a->count};
            bool common = false;
            bool conflict = false;
            for (size_t k = 0; k < a->count && !conflict; k++) {
                common = common || str_eq(a->at[k], b->at[k]);
                conflict = !str_eq(a->at[k], b->at[k]) && a->at[k].len > 0 && b->at[k].len > 0;
                merged.at[k] = a->at[k].len > 0 ? a->at[k] : b->at[k];
            }
            if (common && !conflict) {
                t->at[i] = merged;
                t->at[j] = merged;
            }
        }
    }
}

/* Keys that some row has a value for; all when none has. */
static void valid_keys(const struct keys *rows, size_t count, const struct keys *values,
                       const struct keys *keys, struct keys *ret_keys, struct keys *ret_values)
{
    bool valid[KEYS_MAX] = {false};
    bool any = false;

    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < rows[i].count; k++)
            if (rows[i].at[k].len > 0)
                any = valid[k] = true;
    if (!any) {
        *ret_keys = *keys;
        *ret_values = *values;
        return;
    }
    *ret_keys = *ret_values = (struct keys){0};
    for (size_t k = 0; k < keys->count; k++)
        if (valid[k]) {
            ret_keys->at[ret_keys->count++] = keys->at[k];
            ret_values->at[ret_values->count++] = values->at[k];
        }
}

static bool add_element(struct merger *m, struct node *added, const struct keys *keys,
                        const struct keys *values, struct node *element)
{
    m->added = added;
    bool ok = set_element(m, added, keys, values, element);
    m->added = NULL;
    return ok;
}

static bool append_rest(struct merger *m, struct node *added, const struct node *dest,
                        const struct keys *keys)
{
    for (uint32_t i = 0; i < dest->count; i++) {
        struct node *item = dest->items[i];
        struct keys values = {0};
        if (keys->count == 0 || keys->at[0].len == 0) {
            struct keys none = {.at = {STR_EMPTY}, .count = 1};
            values = (struct keys){.at = {node_spelling(item)}, .count = 1};
            if (!add_element(m, added, &none, &values, item))
                return false;
            continue;
        }
        for (size_t k = 0; k < keys->count; k++) {
            if (!node_is_null(item) && item->kind != NODE_MAP)
                return wrong_kind(m, item, "MappingNode");
            const struct node *value = node_get(item, keys->at[k]);
            if (value == NULL)
                node_append(m->b->arena, added, item);
            else
                values.at[values.count++] = node_spelling(value);
        }
        if (keys->count > 1 && !add_element(m, added, keys, &values, NULL))
            return false;
        if (!add_element(m, added, keys, &values, item))
            return false;
    }
    return true;
}

static bool merge_element(struct merger *m, struct node *dest, struct node *patch,
                          struct node *added, const struct keys *keys, const struct keys *values,
                          struct schema_at element)
{
    struct keys own_keys = {0};
    struct keys own_values = {0};
    struct node *value = NULL;
    bool keep = false;

    valid_keys(values, 1, values, keys, &own_keys, &own_values);
    if (!walk(m, find_element(dest, &own_keys, &own_values),
              find_element(patch, &own_keys, &own_values), element, &value, &keep))
        return false;
    if (is_empty_map(value))
        return set_element(m, dest, keys, values, NULL);
    for (size_t k = 0; k < keys->count; k++) {
        if (values->at[k].len == 0)
            continue;
        struct node *scalar = node_scalar(m->b->arena, TAG_NONE, values->at[k]);
        if (keys->at[k].len == 0) {
            if (value->kind != NODE_SCALAR)
                return wrong_kind(m, value, "ScalarNode");
            (void)node_set_scalar(value, TAG_NONE, values->at[k]);
        } else if (node_get(value, keys->at[k]) == NULL) {
            if (value->kind != NODE_MAP)
                return wrong_kind(m, value, "MappingNode");
            node_set(m->b->arena, value, keys->at[k], scalar);
        }
    }
    return add_element(m, added, keys, values, value);
}

/* ---- long lists ---- */

/* The elements by their key; false when one has none, or one that another has too. */
static bool index_elements(const struct node *list, str key, struct map *index)
{
    for (uint32_t i = 0; node_is(list, NODE_LIST) && i < list->count; i++) {
        const struct node *item = list->items[i];
        const struct node *field = node_is(item, NODE_MAP) ? node_get(item, key) : NULL;
        if (!node_is(field, NODE_SCALAR) || node_is_null(field) || field->value.len == 0 ||
            map_set(index, field->value, list->items[i]) != NULL)
            return false;
    }
    return true;
}

struct long_merge {
    struct node *dest, *patch, *added;
    str key;
    struct map *by_dest, *by_patch; /* key → element */
    struct map *by_added;           /* key → index in added + 1 */
};

static bool merge_by_index(struct merger *m, struct long_merge *l, str value,
                           struct schema_at element)
{
    struct node *merged = NULL;
    bool keep = false;

    if (arena_is_over(m->b->arena))
        return build_fail(m->b, KUSTOMIZE_ERROR_LIMIT, "a merge needs too much memory");
    if (!walk(m, map_get(l->by_dest, value), map_get(l->by_patch, value), element, &merged, &keep))
        return false;
    if (is_empty_map(merged)) {
        map_del(l->by_dest, value);
        return true;
    }
    if (node_get(merged, l->key) == NULL) {
        if (merged->kind != NODE_MAP)
            return wrong_kind(m, merged, "MappingNode");
        node_set(m->b->arena, merged, l->key, node_scalar(m->b->arena, TAG_NONE, value));
    }
    node_append(m->b->arena, l->added, merged);
    map_set(l->by_added, value, (void *)(uintptr_t)l->added->count);
    return true;
}

/* What stays of the destination takes its place in the merged list. */
static void keep_rest(struct merger *m, struct long_merge *l)
{
    for (uint32_t i = 0; i < l->dest->count; i++) {
        struct node *item = l->dest->items[i];
        const struct node *field = node_get(item, l->key);
        str value = node_spelling(field);
        if (is_empty_map(item) || (field != NULL && !map_has(l->by_dest, value)))
            continue;
        uintptr_t place = field == NULL ? 0 : (uintptr_t)map_get(l->by_added, value);
        if (place > 0)
            l->added->items[place - 1] = item;
        else
            node_append(m->b->arena, l->added, item);
    }
}

/* The same as below in linear time, for lists in which each element has a key of its own. */
static bool merge_long(struct merger *m, struct long_merge *l, struct schema_at element)
{
    const struct node *sources[2] = {l->patch, l->dest};

    for (size_t s = 0; s < 2; s++) {
        for (uint32_t i = 0; node_is(sources[s], NODE_LIST) && i < sources[s]->count; i++) {
            str value = node_spelling(node_get(sources[s]->items[i], l->key));
            bool is_new = s == 0 || !map_has(l->by_patch, value);
            if (is_new && !merge_by_index(m, l, value, element))
                return false;
        }
    }
    if (l->added->count > 0 || map_count(l->by_dest) > 0)
        keep_rest(m, l);
    return true;
}

/* *ret_done: it was such a list. */
static bool try_long(struct merger *m, struct node *dest, struct node *patch,
                     const struct keys *keys, struct schema_at schema, struct node **ret,
                     bool *ret_done)
{
    auto_map struct map *by_dest = map_new();
    auto_map struct map *by_patch = map_new();
    auto_map struct map *by_added = map_new();
    struct long_merge l = {.dest = dest,
                           .patch = patch,
                           .key = keys->at[0],
                           .by_dest = by_dest,
                           .by_patch = by_patch,
                           .by_added = by_added};
    uint32_t count = node_count(dest) + (node_is(patch, NODE_LIST) ? node_count(patch) : 0);

    *ret_done = false;
    if (count < LONG_LIST || keys->count != 1 || keys->at[0].len == 0 ||
        !node_is(dest, NODE_LIST) || !index_elements(dest, l.key, by_dest) ||
        !index_elements(patch, l.key, by_patch))
        return true;
    *ret_done = true;
    l.added = node_new(m->b->arena, NODE_LIST);
    if (!merge_long(m, &l, schema_element(m->b->schema, schema)))
        return false;
    *ret = l.added;
    return true;
}

static bool merge_keyed(struct merger *m, struct node *dest, struct node *patch,
                        const struct keys *keys, struct schema_at schema, struct node **ret)
{
    bool done = false;
    if (!try_long(m, dest, patch, keys, schema, ret, &done))
        return false;
    if (done)
        return true;
    struct node *added = node_new(m->b->arena, NODE_LIST);
    struct tuples tuples = {0};
    struct schema_at element = schema_element(m->b->schema, schema);
    struct keys row_keys = *keys;
    struct keys row_values = {0};

    if ((node_is(dest, NODE_LIST) && dest->count > KEYED_ELEMENTS_MAX) ||
        (node_is(patch, NODE_LIST) && patch->count > KEYED_ELEMENTS_MAX))
        return build_fail(m->b, KUSTOMIZE_ERROR_LIMIT,
                          "a list that is merged by keys has more than %d elements",
                          KEYED_ELEMENTS_MAX);
    tuples = collect_tuples(m, dest, patch, keys);
    if (keys->count > 1)
        merge_tuples(&tuples);
    for (size_t i = 0; i < tuples.count; i++) {
        valid_keys(tuples.at, tuples.count, &tuples.at[i], keys, &row_keys, &row_values);
        if (!merge_element(m, dest, patch, added, &row_keys, &row_values, element))
            return false;
    }
    *ret = dest;
    if (tuples.count > 0) {
        if (!append_rest(m, added, dest, &row_keys))
            return false;
        *ret = added;
    }
    return true;
}

static struct keys keys_of(const char *text)
{
    struct keys keys = {0};
    str rest = str_from(text);
    str part = STR_EMPTY;

    while (keys.count < KEYS_MAX && rest.at != NULL && str_split(&rest, ',', &part))
        keys.at[keys.count++] = part;
    return keys;
}

static bool walk_list(struct merger *m, struct node *old, struct node *patch,
                      struct schema_at schema, struct node **ret)
{
    enum directive directive = SMP_MERGE;
    struct node *dest = old;

    *ret = NULL;
    take_style(old, patch);
    if (!schema.known || !schema.merges) {
        *ret = patch != NULL ? patch : old;
        return true;
    }
    if (node_is_null(old)) {
        dest = patch;
    } else {
        if (patch != NULL && patch->tag == TAG_NULL)
            return true;
        if (!take_directive(m, patch, &directive))
            return false;
        if (directive == SMP_DELETE)
            return true;
        if (directive == SMP_REPLACE)
            dest = patch;
    }
    if (dest == NULL)
        return true;
    struct keys keys = keys_of(schema.keys);
    return merge_keyed(m, dest, patch, &keys, schema, ret);
}

/* ---- the walk ---- */

static struct schema_at schema_for(struct merger *m, struct schema_at schema,
                                   const struct node *dest, const struct node *patch)
{
    const struct node *sources[2] = {dest, patch};

    for (size_t i = 0; i < 2 && !schema.known; i++) {
        str kind = node_text(node_get(sources[i], S("kind")));
        str api_version = node_text(node_get(sources[i], S("apiVersion")));
        if (!node_is_null(sources[i]) && kind.len > 0 && api_version.len > 0)
            schema = schema_of_kind(m->b->schema, api_version, kind);
    }
    return schema;
}

static bool same_kind(struct merger *m, const struct node *dest, const struct node *patch,
                      enum node_kind kind)
{
    static const char *const names[] = {"", "ScalarNode", "MappingNode", "SequenceNode"};

    if (!node_is_null(dest) && dest->kind != kind)
        return wrong_kind(m, dest, names[kind]);
    if (!node_is_null(patch) && patch->kind != kind)
        return wrong_kind(m, patch, names[kind]);
    return true;
}

static bool walk(struct merger *m, struct node *dest, struct node *patch, struct schema_at schema,
                 struct node **ret, bool *ret_keep)
{
    enum node_kind kind = !node_is_null(dest)    ? (enum node_kind)dest->kind
                          : !node_is_null(patch) ? (enum node_kind)patch->kind
                                                 : NODE_ZERO;
    bool ok = false;

    if (m->depth > 2 * LIMIT_DOC_DEPTH || arena_is_over(m->b->arena))
        return build_fail(m->b, KUSTOMIZE_ERROR_LIMIT,
                          "a patch is nested too deeply or needs too much memory");
    if (kind != NODE_ZERO && !same_kind(m, dest, patch, kind))
        return false;
    m->depth++;
    switch (kind) {
    case NODE_SCALAR:
        *ret = patch != NULL ? patch : dest;
        ok = true;
        break;
    case NODE_LIST:
        ok = walk_list(m, dest, patch, schema_for(m, schema, dest, patch), ret);
        break;
    case NODE_MAP:
    case NODE_ZERO:
        ok = walk_map(m, dest, patch, schema_for(m, schema, dest, patch), ret, ret_keep);
        break;
    }
    m->depth--;
    return ok;
}

bool merge_patch(struct build *b, struct resource *r, struct resource *patch)
{
    struct merger m = {.b = b};
    str name = resource_name(r);
    str ns = resource_namespace(r);
    str kind = resource_kind(r);
    struct node *result = NULL;
    bool keep = false;

    b->shares++;
    if ((patch->allow_name_change || patch->allow_kind_change) && !resource_store_previous(b, r))
        return false;
    if (!walk(&m, r->node, patch->node, (struct schema_at){0}, &result, &keep)) {
        struct id id = id_current(b, r);
        return err_wrap(b->err, "patching %.*s", STR(id_text(b, &id)));
    }
    if (result == NULL || node_is_empty(r->node)) {
        r->node = NULL;
        return true;
    }
    resource_check_mark(r);
    if (!patch->allow_kind_change)
        node_set(b->arena, r->node, S("kind"), node_scalar(b->arena, TAG_NONE, kind));
    if ((!patch->allow_name_change && !resource_set_name(b, r, name)) ||
        !resource_set_namespace(b, r, ns))
        return build_fail(b, KUSTOMIZE_ERROR_TRANSFORM, "metadata of %.*s %.*s is no map",
                          STR(kind), STR(name));
    return true;
}
