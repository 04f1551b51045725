/* SPDX-License-Identifier: Apache-2.0 */
#include "schema/strategic.h"

#include "doc/json.h"

struct merger {
    struct arena *arena;
    struct err *err;
};

#define ORDER "$setElementOrder/"
#define DELETE_FROM "$deleteFromPrimitiveList/"

static const struct type any_type = {.kind = TYPE_ANY, .preserve_unknown = true};

static bool merge_map(struct merger *m, const struct type *type, struct val *to,
                      const struct val *patch);

/* A patch value where nothing was: its directives and nulls go. */
static struct val taken(struct arena *arena, const struct val *patch)
{
    struct val_iter it = val_iter(patch);

    if (val_is(patch, VAL_LIST)) {
        struct val list = val_list();
        while (val_next(&it)) {
            const struct val *directive = val_get(it.value, S("$patch"));
            if (directive == NULL)
                val_append(arena, &list, taken(arena, it.value));
        }
        return list;
    }
    if (!val_is(patch, VAL_MAP))
        return val_dup_value(arena, patch);
    struct val map = val_map();
    while (val_next(&it))
        if (!str_starts(it.key, S("$")) && !val_is(it.value, VAL_NULL))
            val_add(arena, &map, it.key, taken(arena, it.value));
    return map;
}

/* ---- lists ---- */

/* The item with the same merge key, or for primitives the same value; SIZE_MAX = none. */
static size_t index_of(const struct val *list, const struct val *item, str key)
{
    struct val_iter it = val_iter(list);
    const struct val *wanted = key.len == 0 ? item : val_get(item, key);

    while (wanted != NULL && val_next(&it)) {
        const struct val *value = key.len == 0 ? it.value : val_get(it.value, key);
        if (value != NULL && val_eq(value, wanted))
            return it.index;
    }
    return SIZE_MAX;
}

static void append_in_order(struct merger *m, struct val *out, const struct val *merged,
                            const struct val *order, str key)
{
    struct val_iter it = val_iter(order);

    while (val_next(&it)) {
        size_t at = index_of(merged, it.value, key);
        if (at != SIZE_MAX && index_of(out, it.value, key) == SIZE_MAX)
            val_append(m->arena, out, *val_item(merged, at));
    }
}

/* Items that the order names stand in that order; the others keep theirs, and of two that the
 * server knew both, the one that stood first goes first. An item that is new goes before. */
static struct val ordered(struct merger *m, const struct val *merged, const struct val *order,
                          const struct val *server, str key)
{
    struct val named = val_list();
    struct val others = val_list();
    struct val out = val_list();
    struct val_iter it = val_iter(merged);
    size_t i = 0;
    size_t k = 0;

    struct val rest = val_list();
    append_in_order(m, &named, merged, order, key);
    while (val_next(&it))
        if (index_of(order, it.value, key) == SIZE_MAX)
            val_append(m->arena, &rest, *it.value);
    append_in_order(m, &others, &rest, server, key);
    it = val_iter(&rest);
    while (val_next(&it))
        if (index_of(&others, it.value, key) == SIZE_MAX)
            val_append(m->arena, &others, *it.value);

    while (i < val_count(&others) || k < val_count(&named)) {
        const struct val *left = val_item(&others, i);
        const struct val *right = val_item(&named, k);
        bool take_left = right == NULL;
        if (left != NULL && right != NULL) {
            size_t from = index_of(server, left, key);
            size_t to = index_of(server, right, key);
            take_left = from != SIZE_MAX && to != SIZE_MAX && from < to;
        }
        val_append(m->arena, &out, take_left ? *left : *right);
        i += take_left ? 1 : 0;
        k += take_left ? 0 : 1;
    }
    return out;
}

static bool merge_primitives(struct merger *m, struct val *to, const struct val *patch)
{
    struct val was = *to;
    struct val merged = val_list();
    struct val_iter it = val_iter(&was);

    while (val_next(&it))
        if (index_of(&merged, it.value, STR_EMPTY) == SIZE_MAX)
            val_append(m->arena, &merged, *it.value);
    it = val_iter(patch);
    while (val_next(&it))
        if (index_of(&merged, it.value, STR_EMPTY) == SIZE_MAX)
            val_append(m->arena, &merged, val_dup_value(m->arena, it.value));
    *to = ordered(m, &merged, patch, &was, STR_EMPTY);
    return true;
}

static bool needs_key(struct merger *m, const struct val *item, str key)
{
    if (val_get(item, key) != NULL)
        return true;
    return err_set(m->err, ERR_INVALID, "map: %.*s does not contain declared merge key: %.*s",
                   STR(json_text(m->arena, item, JSON_SORT_KEYS)), STR(key));
}

static bool merge_item(struct merger *m, const struct type *type, struct val *to,
                       const struct val *item, str key)
{
    str directive = val_get_str(item, S("$patch"));

    if (!val_is(item, VAL_MAP))
        return err_set(m->err, ERR_INVALID,
                       "a list merged by '%.*s' may hold maps alone in a patch", STR(key));
    if (!needs_key(m, item, key))
        return false;
    size_t at = index_of(to, item, key);
    if (str_eq(directive, S("delete"))) {
        while (at != SIZE_MAX) {
            val_remove(to, at);
            at = index_of(to, item, key);
        }
        return true;
    }
    if (directive.len > 0 && !str_eq(directive, S("replace")))
        return err_set(m->err, ERR_INVALID, "Unknown patch type: %.*s in map", STR(directive));
    if (at == SIZE_MAX) {
        val_append(m->arena, to, taken(m->arena, item));
        return true;
    }
    struct val *existing = val_item(to, at);
    if (val_is(existing, VAL_MAP) && directive.len == 0)
        return merge_map(m, type, existing, item);
    *existing = taken(m->arena, item);
    return true;
}

static bool replaces_list(const struct val *patch, str key)
{
    struct val_iter it = val_iter(patch);

    while (val_next(&it))
        if (str_eq(val_get_str(it.value, S("$patch")), S("replace")) &&
            val_get(it.value, key) == NULL)
            return true;
    return false;
}

/* `order` NULL: the patch's own order. */
static bool merge_list(struct merger *m, const struct type_field *field, struct val *to,
                       const struct val *patch, const struct val *order)
{
    const struct type *item_type = field->type->element != NULL ? field->type->element : &any_type;
    str key = field->merge_key;
    struct val_iter it = val_iter(patch);
    const struct val *first = val_item(to, 0) != NULL ? val_item(to, 0) : val_item(patch, 0);

    if ((field->patch & TYPE_PATCH_MERGE) == 0 || replaces_list(patch, key)) {
        *to = taken(m->arena, patch);
        return true;
    }
    if (!val_is(first, VAL_MAP)) {
        if (patch != NULL && !merge_primitives(m, to, patch))
            return false;
        if (order != NULL)
            *to = ordered(m, val_dup(m->arena, to), order, to, STR_EMPTY);
        return true;
    }
    if (key.len == 0)
        return err_set(m->err, ERR_INVALID, "cannot merge lists without merge key for %.*s",
                       STR(field->name));
    const struct val *was = val_dup(m->arena, to);
    struct val names = val_list();
    while (val_next(&it)) {
        if (!merge_item(m, item_type, to, it.value, key))
            return false;
        if (val_get(it.value, S("$patch")) == NULL)
            val_append(m->arena, &names, *it.value);
    }
    *to = ordered(m, val_dup(m->arena, to), order != NULL ? order : &names, was, key);
    return true;
}

static void delete_primitives(struct val *list, const struct val *gone)
{
    struct val_iter it = val_iter(gone);

    while (val_next(&it)) {
        size_t at = index_of(list, it.value, STR_EMPTY);
        while (at != SIZE_MAX) {
            val_remove(list, at);
            at = index_of(list, it.value, STR_EMPTY);
        }
    }
}

/* ---- maps ---- */

static void retain_keys(struct merger *m, struct val *to, const struct val *keys)
{
    struct val gone = val_list();
    struct val_iter it = val_iter(to);

    while (val_next(&it)) {
        struct val name = val_string(m->arena, it.key);
        if (index_of(keys, &name, STR_EMPTY) == SIZE_MAX)
            val_append(m->arena, &gone, name);
    }
    it = val_iter(&gone);
    while (val_next(&it))
        val_del(to, val_str(it.value));
}

static struct type_field field_of(const struct type *type, str name)
{
    const struct type_field *field = type_field(type, name);
    const struct type *member = type == NULL ? NULL : type->element;

    if (field != NULL)
        return *field;
    return (struct type_field){.name = name, .type = member != NULL ? member : &any_type};
}

/* The lists that only an order or a deletion speaks of. */
static bool merge_directive(struct merger *m, const struct type *type, struct val *to,
                            const struct val *patch, struct val_iter *it)
{
    str name = it->key;

    if (str_skip(&name, S(DELETE_FROM))) {
        struct val *list = val_get(to, name);
        if (val_is(list, VAL_LIST))
            delete_primitives(list, it->value);
        return true;
    }
    if (!str_skip(&name, S(ORDER)))
        return str_eq(name, S("$retainKeys")) || str_eq(name, S("$patch")) ||
               err_set(m->err, ERR_INVALID, "the patch directive '%.*s' is unknown", STR(name));
    struct type_field field = field_of(type, name);
    struct val *list = val_get(to, name);
    if (val_get(patch, name) != NULL || !val_is(list, VAL_LIST))
        return true; /* ordered where the list itself is merged */
    return merge_list(m, &field, list, NULL, it->value);
}

static bool merge_member(struct merger *m, const struct type *type, struct val *to,
                         const struct val *patch, struct val_iter *it)
{
    struct type_field field = field_of(type, it->key);
    struct val *member = val_get(to, it->key);

    if (val_is(it->value, VAL_NULL)) {
        val_del(to, it->key);
        return true;
    }
    if (member == NULL || member->kind != it->value->kind) {
        val_set(m->arena, to, it->key, taken(m->arena, it->value));
        return true;
    }
    if (val_is(it->value, VAL_MAP))
        return merge_map(m, field.type, member, it->value);
    if (val_is(it->value, VAL_LIST)) {
        str order = arena_join(m->arena, S(ORDER), it->key);
        return merge_list(m, &field, member, it->value, val_get(patch, order));
    }
    *member = val_dup_value(m->arena, it->value);
    return true;
}

static bool merge_map(struct merger *m, const struct type *type, struct val *to,
                      const struct val *patch)
{
    const struct val *directive = val_get(patch, S("$patch"));
    const struct val *keep = val_get(patch, S("$retainKeys"));
    struct val_iter it = val_iter(patch);

    if (directive != NULL) {
        if (str_eq(val_str(directive), S("delete")))
            *to = val_map();
        else if (str_eq(val_str(directive), S("replace")))
            *to = taken(m->arena, patch);
        else if (!str_eq(val_str(directive), S("merge")))
            return err_set(m->err, ERR_INVALID, "Unknown patch type: %.*s in map",
                           STR(val_text(directive)));
        if (!str_eq(val_str(directive), S("merge")))
            return true;
    }
    if (val_is(keep, VAL_LIST))
        retain_keys(m, to, keep);
    while (val_next(&it)) {
        bool ok = str_starts(it.key, S("$")) ? merge_directive(m, type, to, patch, &it)
                                             : merge_member(m, type, to, patch, &it);
        if (!ok || !arena_check(m->arena, "the patch", m->err))
            return false;
    }
    return true;
}

bool strategic_apply(struct arena *arena, const struct type *type, struct val *root,
                     const struct val *patch, struct err *err)
{
    struct merger m = {arena, err};

    if (!val_is(patch, VAL_MAP) || !val_is(root, VAL_MAP))
        return err_set(err, ERR_INVALID, "a strategic merge patch must be an object");
    return merge_map(&m, type, root, patch);
}
