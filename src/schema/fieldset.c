/* SPDX-License-Identifier: Apache-2.0 */
#include "schema/fieldset.h"

#include "base/mem.h"
#include "doc/json.h"

#include <stdlib.h>

struct fieldset {
    struct fieldset_node *nodes; /* sorted by element */
    size_t count;
    size_t size;
};

/* ---- elements ---- */

static int compare_i64(int64_t a, int64_t b)
{
    return a < b ? -1 : a > b ? 1 : 0;
}

static int compare_values(const struct val *a, const struct val *b);

/* Maps compare member by member in their own order; ours are sorted by key. */
static int compare_maps(const struct val *a, const struct val *b)
{
    struct val_iter left = val_iter(a);
    struct val_iter right = val_iter(b);

    for (;;) {
        bool more_left = val_next(&left);
        bool more_right = val_next(&right);
        if (!more_left || !more_right)
            return (int)more_left - (int)more_right;
        int order = str_cmp(left.key, right.key);
        if (order == 0)
            order = compare_values(left.value, right.value);
        if (order != 0)
            return order;
    }
}

static int compare_lists(const struct val *a, const struct val *b)
{
    for (size_t i = 0; i < val_count(a) && i < val_count(b); i++) {
        int order = compare_values(val_item(a, i), val_item(b, i));
        if (order != 0)
            return order;
    }
    return compare_i64((int64_t)val_count(a), (int64_t)val_count(b));
}

static double number_of(const struct val *v)
{
    char text[64];
    str number = val_text(v);

    if (number.len >= sizeof(text))
        return 0;
    memcpy(text, number.at, number.len);
    text[number.len] = '\0';
    return strtod(text, NULL);
}

/* structured-merge-diff's order of kinds: numbers, strings, bools, lists, maps, null. */
static int compare_values(const struct val *a, const struct val *b)
{
    static const int rank[] = {[VAL_NUMBER] = 0, [VAL_STRING] = 1, [VAL_BOOL] = 2,
                               [VAL_LIST] = 3,   [VAL_MAP] = 4,    [VAL_NULL] = 5};
    int64_t x = 0;
    int64_t y = 0;

    if (val_kind(a) != val_kind(b))
        return rank[val_kind(a)] - rank[val_kind(b)];
    switch (val_kind(a)) {
    case VAL_NULL:
        return 0;
    case VAL_BOOL:
        return (int)val_is_true(a) - (int)val_is_true(b);
    case VAL_STRING:
        return str_cmp(val_str(a), val_str(b));
    case VAL_NUMBER:
        if (val_to_i64(a, &x) && val_to_i64(b, &y))
            return compare_i64(x, y);
        return number_of(a) < number_of(b) ? -1 : number_of(a) > number_of(b) ? 1 : 0;
    case VAL_LIST:
        return compare_lists(a, b);
    case VAL_MAP:
        return compare_maps(a, b);
    }
    return 0;
}

int path_element_cmp(const struct path_element *a, const struct path_element *b)
{
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    switch (a->kind) {
    case PATH_FIELD:
        return str_cmp(a->name, b->name);
    case PATH_KEY:
    case PATH_VALUE:
        return compare_values(a->value, b->value);
    case PATH_INDEX:
        return compare_i64(a->index, b->index);
    }
    return 0;
}

/* ---- nodes ---- */

struct fieldset *fieldset_new(struct arena *arena)
{
    return arena_new0(arena, struct fieldset);
}

size_t fieldset_nodes(const struct fieldset *set)
{
    return set == NULL ? 0 : set->count;
}

const struct fieldset_node *fieldset_node(const struct fieldset *set, size_t index)
{
    return &set->nodes[index];
}

/* Where the element is or would be. */
static size_t position(const struct fieldset *set, const struct path_element *element,
                       bool *ret_found)
{
    size_t low = 0;
    size_t high = set->count;

    *ret_found = false;
    /* Most sets are filled in order: look at the end first. */
    if (high > 0 && path_element_cmp(&set->nodes[high - 1].element, element) < 0)
        return high;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = path_element_cmp(&set->nodes[middle].element, element);
        if (order == 0) {
            *ret_found = true;
            return middle;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const struct fieldset_node *fieldset_find(const struct fieldset *set,
                                          const struct path_element *element)
{
    bool found = false;

    if (set == NULL)
        return NULL;
    size_t at = position(set, element, &found);
    return found ? &set->nodes[at] : NULL;
}

static struct fieldset_node *add_node(struct arena *arena, struct fieldset *set, size_t at,
                                      const struct fieldset_node *node)
{
    if (set->count == set->size) {
        size_t size = set->size == 0 ? 4 : set->size * 2;
        struct fieldset_node *nodes = arena_array(arena, size, struct fieldset_node);
        if (set->count > 0)
            memcpy(nodes, set->nodes, set->count * sizeof(*nodes));
        set->nodes = nodes;
        set->size = size;
    }
    memmove(&set->nodes[at + 1], &set->nodes[at], (set->count - at) * sizeof(*node));
    set->nodes[at] = *node;
    set->count++;
    return &set->nodes[at];
}

static void append_node(struct arena *arena, struct fieldset *set, const struct fieldset_node *node)
{
    if (node->member || !fieldset_is_empty(node->children))
        add_node(arena, set, set->count, node);
}

void fieldset_insert(struct arena *arena, struct fieldset *set, struct path path)
{
    struct fieldset *at = set;

    for (size_t i = 0; i < path.count; i++) {
        bool found = false;
        size_t where = position(at, &path.at[i], &found);
        struct fieldset_node *node = NULL;
        if (found)
            node = &at->nodes[where];
        else
            node = add_node(arena, at, where, &(struct fieldset_node){.element = path.at[i]});
        if (i + 1 == path.count) {
            node->member = true;
            return;
        }
        if (node->children == NULL)
            node->children = fieldset_new(arena);
        at = (struct fieldset *)(uintptr_t)node->children;
    }
}

bool fieldset_is_empty(const struct fieldset *set)
{
    return set == NULL || set->count == 0;
}

size_t fieldset_count(const struct fieldset *set)
{
    size_t count = 0;

    for (size_t i = 0; i < fieldset_nodes(set); i++)
        count += (set->nodes[i].member ? 1u : 0u) + fieldset_count(set->nodes[i].children);
    return count;
}

static const struct fieldset_node *walk(const struct fieldset *set, struct path path)
{
    const struct fieldset_node *node = NULL;

    for (size_t i = 0; i < path.count; i++) {
        node = fieldset_find(i == 0 ? set : node->children, &path.at[i]);
        if (node == NULL)
            return NULL;
    }
    return node;
}

bool fieldset_has(const struct fieldset *set, struct path path)
{
    const struct fieldset_node *node = walk(set, path);

    return node != NULL && node->member;
}

bool fieldset_touches(const struct fieldset *set, struct path path)
{
    if (path.count == 0)
        return !fieldset_is_empty(set);
    return walk(set, path) != NULL;
}

bool fieldset_eq(const struct fieldset *a, const struct fieldset *b)
{
    if (fieldset_nodes(a) != fieldset_nodes(b))
        return false;
    for (size_t i = 0; i < fieldset_nodes(a); i++) {
        const struct fieldset_node *left = &a->nodes[i];
        const struct fieldset_node *right = &b->nodes[i];
        if (left->member != right->member ||
            path_element_cmp(&left->element, &right->element) != 0 ||
            !fieldset_eq(left->children, right->children))
            return false;
    }
    return true;
}

/* ---- set operations: two sorted lists walked side by side ---- */

struct pairs {
    const struct fieldset *a;
    const struct fieldset *b;
    size_t i;
    size_t k;
    const struct fieldset_node *left; /* NULL when the element is in b only */
    const struct fieldset_node *right;
};

static bool next_pair(struct pairs *p)
{
    bool more_left = p->i < fieldset_nodes(p->a);
    bool more_right = p->k < fieldset_nodes(p->b);

    if (!more_left && !more_right)
        return false;
    int order = !more_left ? 1
                : !more_right
                        ? -1
                        : path_element_cmp(&p->a->nodes[p->i].element, &p->b->nodes[p->k].element);
    p->left = order <= 0 ? &p->a->nodes[p->i++] : NULL;
    p->right = order >= 0 ? &p->b->nodes[p->k++] : NULL;
    return true;
}

struct fieldset *fieldset_union(struct arena *arena, const struct fieldset *a,
                                const struct fieldset *b)
{
    struct fieldset *out = fieldset_new(arena);
    struct pairs p = {.a = a, .b = b};

    while (next_pair(&p)) {
        struct fieldset_node node = p.left != NULL ? *p.left : *p.right;
        if (p.left != NULL && p.right != NULL) {
            node.member = p.left->member || p.right->member;
            if (p.left->children == NULL)
                node.children = p.right->children;
            else if (p.right->children != NULL)
                node.children = fieldset_union(arena, p.left->children, p.right->children);
        }
        append_node(arena, out, &node);
    }
    return out;
}

struct fieldset *fieldset_intersection(struct arena *arena, const struct fieldset *a,
                                       const struct fieldset *b)
{
    struct fieldset *out = fieldset_new(arena);
    struct pairs p = {.a = a, .b = b};

    while (next_pair(&p)) {
        if (p.left == NULL || p.right == NULL)
            continue;
        struct fieldset_node node = *p.left;
        node.member = p.left->member && p.right->member;
        node.children = NULL;
        if (p.left->children != NULL && p.right->children != NULL)
            node.children = fieldset_intersection(arena, p.left->children, p.right->children);
        append_node(arena, out, &node);
    }
    return out;
}

static struct fieldset *difference(struct arena *arena, const struct fieldset *a,
                                   const struct fieldset *b, bool recursive)
{
    struct fieldset *out = fieldset_new(arena);
    struct pairs p = {.a = a, .b = b};

    while (next_pair(&p)) {
        if (p.left == NULL || (recursive && p.right != NULL && p.right->member))
            continue;
        struct fieldset_node node = *p.left;
        if (p.right != NULL) {
            node.member = p.left->member && !p.right->member;
            if (p.left->children != NULL && p.right->children != NULL)
                node.children = difference(arena, p.left->children, p.right->children, recursive);
        }
        append_node(arena, out, &node);
    }
    return out;
}

struct fieldset *fieldset_difference(struct arena *arena, const struct fieldset *a,
                                     const struct fieldset *b)
{
    return difference(arena, a, b, /*recursive=*/false);
}

struct fieldset *fieldset_recursive_difference(struct arena *arena, const struct fieldset *a,
                                               const struct fieldset *b)
{
    return difference(arena, a, b, /*recursive=*/true);
}

/* ---- fieldsV1 ---- */

static bool parse_element(struct arena *arena, str text, struct path_element *ret, struct err *err)
{
    str rest = str_from_index(text, 2);
    struct val *value = NULL;

    *ret = (struct path_element){0};
    if (str_starts(text, S("f:"))) {
        *ret = (struct path_element){.kind = PATH_FIELD, .name = arena_str(arena, rest)};
        return true;
    }
    if (str_starts(text, S("i:"))) {
        ret->kind = PATH_INDEX;
        if (!str_to_i64(rest, &ret->index))
            return err_set(err, ERR_INVALID, "'%.*s' is not an index", STR(text));
        return true;
    }
    if (!str_starts(text, S("k:")) && !str_starts(text, S("v:")))
        return err_set(err, ERR_INVALID, "'%.*s' is not the name of a managed field", STR(text));
    if (!json_parse(arena, rest, NULL, &value, err))
        return err_wrap(err, "managed field '%.*s'", STR(text));
    ret->kind = text.at[0] == 'k' ? PATH_KEY : PATH_VALUE;
    if (ret->kind == PATH_KEY && !val_is(value, VAL_MAP))
        return err_set(err, ERR_INVALID, "the keys in '%.*s' are not a map", STR(text));
    val_sort_keys(arena, value, /*deep=*/true);
    ret->value = value;
    return true;
}

static bool parse_into(struct arena *arena, struct fieldset *set, const struct val *fields,
                       size_t depth, struct err *err)
{
    struct val_iter it = val_iter(fields);

    if (!val_is(fields, VAL_MAP))
        return err_set(err, ERR_INVALID, "fieldsV1 must be made of maps");
    if (depth > LIMIT_DOC_DEPTH)
        return err_set(err, ERR_LIMIT, "fieldsV1 is nested deeper than %d levels", LIMIT_DOC_DEPTH);
    while (val_next(&it)) {
        struct fieldset_node node = {0};
        bool found = false;
        if (str_eq(it.key, S(".")))
            continue;
        if (!parse_element(arena, it.key, &node.element, err))
            return false;
        node.member = val_count(it.value) == 0 || val_get(it.value, S(".")) != NULL;
        struct fieldset *children = fieldset_new(arena);
        if (!parse_into(arena, children, it.value, depth + 1, err))
            return false;
        node.children = children->count == 0 ? NULL : children;
        size_t at = position(set, &node.element, &found);
        if (!found)
            add_node(arena, set, at, &node);
    }
    return arena_check(arena, "fieldsV1", err);
}

bool fieldset_parse(struct arena *arena, const struct val *fields_v1, struct fieldset **ret_set,
                    struct err *err)
{
    struct fieldset *set = fieldset_new(arena);

    if (val_is(fields_v1, VAL_NULL) || fields_v1 == NULL) {
        *ret_set = set;
        return true;
    }
    if (!parse_into(arena, set, fields_v1, 0, err))
        return false;
    *ret_set = set;
    return true;
}

static str element_key(struct arena *arena, const struct path_element *element)
{
    str text = STR_EMPTY;

    switch (element->kind) {
    case PATH_FIELD:
        return arena_join(arena, S("f:"), element->name);
    case PATH_KEY:
    case PATH_VALUE:
        text = json_text(arena, element->value, JSON_SORT_KEYS | JSON_ESCAPE_HTML);
        return arena_join(arena, element->kind == PATH_KEY ? S("k:") : S("v:"), text);
    case PATH_INDEX:
        return arena_printf(arena, "i:%lld", (long long)element->index);
    }
    return text;
}

static void format_into(struct arena *arena, struct val *map, const struct fieldset *set)
{
    for (size_t i = 0; i < fieldset_nodes(set); i++) {
        const struct fieldset_node *node = &set->nodes[i];
        struct val *child = val_add(arena, map, element_key(arena, &node->element), val_map());
        if (node->member && node->children != NULL)
            val_add(arena, child, S("."), val_map());
        format_into(arena, child, node->children);
    }
}

struct val fieldset_format(struct arena *arena, const struct fieldset *set)
{
    struct val map = val_map();

    format_into(arena, &map, set);
    return map;
}

/* ---- paths ---- */

struct each {
    fieldset_each_fn *fn;
    void *owner;
    struct path_element elements[LIMIT_DOC_DEPTH];
};

static void each_in(struct each *e, const struct fieldset *set, size_t depth)
{
    if (depth >= LIMIT_DOC_DEPTH)
        return;
    for (size_t i = 0; i < fieldset_nodes(set); i++) {
        e->elements[depth] = set->nodes[i].element;
        if (set->nodes[i].member)
            e->fn(e->owner, (struct path){e->elements, depth + 1});
        each_in(e, set->nodes[i].children, depth + 1);
    }
}

void fieldset_each(const struct fieldset *set, fieldset_each_fn *fn, void *owner)
{
    struct each e = {.fn = fn, .owner = owner};

    each_in(&e, set, 0);
}

static void format_value(struct buf *out, const struct val *v)
{
    if (val_is(v, VAL_STRING))
        json_format_string(out, val_str(v), 0);
    else
        json_format(out, v, 0);
}

static void format_element(struct buf *out, const struct path_element *element)
{
    if (element->kind == PATH_FIELD) {
        buf_addf(out, ".%.*s", STR(element->name));
    } else if (element->kind == PATH_INDEX) {
        buf_addf(out, "[%lld]", (long long)element->index);
    } else if (element->kind == PATH_VALUE) {
        buf_add(out, S("[="));
        format_value(out, element->value);
        buf_addc(out, ']');
    } else {
        struct val_iter it = val_iter(element->value);
        while (val_next(&it)) {
            buf_addf(out, "%s%.*s=", it.index == 0 ? "[" : ",", STR(it.key));
            format_value(out, it.value);
        }
        buf_addc(out, ']');
    }
}

str path_text(struct arena *arena, struct path path)
{
    auto_buf struct buf out = {0};

    buf_init(&out, LIMIT_DOC_BYTES);
    for (size_t i = 0; i < path.count; i++)
        format_element(&out, &path.at[i]);
    return arena_str(arena, buf_str(&out));
}

/* A key that the item leaves out counts as its default, which only the type knows. */
static bool item_has_keys(const struct val *item, const struct val *keys)
{
    struct val_iter it = val_iter(keys);

    if (!val_is(item, VAL_MAP))
        return false;
    while (val_next(&it)) {
        const struct val *value = val_get(item, it.key);
        if (value != NULL && !val_eq(value, it.value))
            return false;
    }
    return true;
}

static struct val *get_element(const struct val *v, const struct path_element *element)
{
    struct val_iter it = val_iter(v);

    if (element->kind == PATH_FIELD)
        return val_get(v, element->name);
    if (!val_is(v, VAL_LIST))
        return NULL;
    if (element->kind == PATH_INDEX)
        return element->index < 0 ? NULL : val_item(v, (size_t)element->index);
    while (val_next(&it)) {
        bool same = element->kind == PATH_KEY ? item_has_keys(it.value, element->value)
                                              : val_eq(it.value, element->value);
        if (same)
            return it.value;
    }
    return NULL;
}

struct val *path_get(const struct val *root, struct path path)
{
    const struct val *at = root;

    for (size_t i = 0; i < path.count && at != NULL; i++)
        at = get_element(at, &path.at[i]);
    return (struct val *)(uintptr_t)at;
}
