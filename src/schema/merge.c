/* SPDX-License-Identifier: Apache-2.0 */
#include "schema/merge.h"

#include <assert.h>
#include <stdlib.h>

/* A walk's way down, and what it gathers. */
struct walk {
    struct arena *arena;
    struct merge_changes out; /* merge_fields fills `added` */
    struct path_element elements[LIMIT_DOC_DEPTH + 1];
    size_t depth;
    bool in_leaf;
};

static bool is_nothing(const struct val *v)
{
    return v == NULL || v->kind == VAL_NULL;
}

static const struct type *member_type(const struct type *type, str name)
{
    static const struct type any = {.kind = TYPE_ANY, .preserve_unknown = true};
    const struct type *member = type_member(type, name);

    return member != NULL ? member : &any;
}

bool merge_item_element(struct arena *arena, const struct type *list_type, const struct val *item,
                        size_t index, struct path_element *ret_element)
{
    if (list_type->list == TYPE_LIST_ATOMIC) {
        *ret_element = (struct path_element){.kind = PATH_INDEX, .index = (int64_t)index};
        return true;
    }
    if (list_type->list == TYPE_LIST_SET) {
        if (is_nothing(item) || val_is(item, VAL_MAP) || val_is(item, VAL_LIST))
            return false;
        *ret_element = (struct path_element){.kind = PATH_VALUE, .value = item};
        return true;
    }
    if (!val_is(item, VAL_MAP))
        return false;
    struct val keys = val_map();
    for (size_t i = 0; i < list_type->key_count; i++) {
        str name = list_type->keys[i];
        const struct val *value = val_get(item, name);
        if (value == NULL) {
            const struct type_field *field = type_field(list_type->element, name);
            value = field == NULL ? NULL : field->default_value;
        }
        if (value == NULL)
            return false;
        val_add(arena, &keys, name, *value);
    }
    *ret_element = (struct path_element){.kind = PATH_KEY, .value = val_new(arena, keys)};
    return true;
}

/* ---- list items by element ---- */

struct item {
    struct path_element element;
    const struct val *value;
    size_t index;
    size_t same; /* how many items share the element; only the first of them is in `sorted` */
    bool is_first;
    bool done;
};

struct items {
    struct item *at; /* in the list's order */
    size_t count;
    struct item **sorted; /* by element */
    size_t sorted_count;
};

static int compare_items(const void *a, const void *b)
{
    const struct item *x = *(struct item *const *)a;
    const struct item *y = *(struct item *const *)b;
    int order = path_element_cmp(&x->element, &y->element);

    if (order != 0)
        return order;
    return x->index < y->index ? -1 : x->index > y->index ? 1 : 0;
}

/* Items without a key are left out; merge_check has refused them, in a live object they are
 * somebody's accident. */
static struct items index_items(struct arena *arena, const struct type *type,
                                const struct val *list)
{
    struct items items = {.at = arena_array(arena, val_count(list), struct item)};
    struct val_iter it = val_iter(list);

    while (val_next(&it)) {
        struct item *item = &items.at[items.count];
        if (!merge_item_element(arena, type, it.value, it.index, &item->element))
            continue;
        item->value = it.value;
        item->index = it.index;
        items.count++;
    }
    items.sorted = arena_array(arena, items.count, struct item *);
    for (size_t i = 0; i < items.count; i++)
        items.sorted[i] = &items.at[i];
    if (items.count > 1)
        qsort(items.sorted, items.count, sizeof(*items.sorted), compare_items);
    for (size_t i = 0; i < items.count; i++) {
        struct item *last = items.sorted_count == 0 ? NULL : items.sorted[items.sorted_count - 1];
        struct item *now = items.sorted[i];
        if (last != NULL && path_element_cmp(&last->element, &now->element) == 0) {
            last->same++;
            continue;
        }
        now->same = 1;
        now->is_first = true;
        items.sorted[items.sorted_count++] = now;
    }
    return items;
}

static struct item *find_item(const struct items *items, const struct path_element *element)
{
    size_t low = 0;
    size_t high = items->sorted_count;

    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = path_element_cmp(&items->sorted[middle]->element, element);
        if (order == 0)
            return items->sorted[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* The item's value, or NULL when there is none or several. */
static const struct val *only_value(const struct item *item)
{
    return item == NULL || item->same > 1 ? NULL : item->value;
}

/* ---- merging ---- */

static struct val merge_two(struct arena *arena, const struct type *type, const struct val *lhs,
                            const struct val *rhs);

static struct val merge_maps(struct arena *arena, const struct type *type, const struct val *lhs,
                             const struct val *rhs)
{
    struct val out = val_map();
    struct val_iter it = val_iter(lhs);

    while (val_next(&it)) {
        struct val merged =
                merge_two(arena, member_type(type, it.key), it.value, val_get(rhs, it.key));
        val_add(arena, &out, it.key, merged);
    }
    it = val_iter(rhs);
    while (val_next(&it))
        if (val_get(lhs, it.key) == NULL)
            val_add(arena, &out, it.key, *it.value);
    return out;
}

/* The order of the shared items is the right side's; items of the left side alone keep their place
 * between their neighbours. */
static struct val merge_lists(struct arena *arena, const struct type *type, const struct val *lhs,
                              const struct val *rhs)
{
    struct items left = index_items(arena, type, lhs);
    struct items right = index_items(arena, type, rhs);
    struct val out = val_list();
    size_t shared = 0; /* index in `right` of the next item that is on both sides */
    size_t l = 0;
    size_t r = 0;

    while (shared < right.count && find_item(&left, &right.at[shared].element) == NULL)
        shared++;
    while (l < left.count || r < right.count) {
        struct item *mine = l < left.count ? &left.at[l] : NULL;
        struct item *theirs = r < right.count ? &right.at[r] : NULL;
        struct item *match = mine == NULL ? NULL : find_item(&right, &mine->element);
        if (mine != NULL && match == NULL) {
            val_append(arena, &out, *mine->value);
            l++;
            continue;
        }
        if (mine != NULL && theirs != NULL &&
            path_element_cmp(&mine->element, &theirs->element) != 0 && !match->done &&
            shared < right.count &&
            path_element_cmp(&right.at[shared].element, &mine->element) != 0) {
            l++; /* it comes later, where the right side has it */
            continue;
        }
        if (mine != NULL && match->done) {
            l++;
            continue;
        }
        if (theirs == NULL) {
            l++;
            continue;
        }
        const struct val *was = only_value(find_item(&left, &theirs->element));
        val_append(arena, &out, merge_two(arena, type->element, was, theirs->value));
        find_item(&right, &theirs->element)->done = true;
        r++;
        if (shared < r) {
            shared = r;
            while (shared < right.count && find_item(&left, &right.at[shared].element) == NULL)
                shared++;
        }
    }
    return out;
}

static struct val merge_two(struct arena *arena, const struct type *type, const struct val *lhs,
                            const struct val *rhs)
{
    if (rhs == NULL || arena_is_over(arena))
        return lhs == NULL ? val_null() : *lhs;
    if (lhs == NULL)
        return *rhs;

    const struct type *known = type_deduce(type, is_nothing(rhs) ? lhs : rhs);
    bool is_container = known->kind == TYPE_MAP || known->kind == TYPE_LIST;
    bool is_atomic = !is_container || (known->kind == TYPE_MAP && known->atomic) ||
                     (known->kind == TYPE_LIST && known->list == TYPE_LIST_ATOMIC);
    if (is_atomic || (val_count(lhs) == 0 && val_count(rhs) == 0))
        return *rhs;
    enum val_kind kind = known->kind == TYPE_MAP ? VAL_MAP : VAL_LIST;
    /* A value of another kind, in a live object of an older schema: replaced. */
    if (!val_is(lhs, kind))
        return *rhs;
    if (!val_is(rhs, kind))
        return *lhs; /* null takes nothing away: what the manager no longer sets goes by pruning */
    return kind == VAL_MAP ? merge_maps(arena, known, lhs, rhs)
                           : merge_lists(arena, known, lhs, rhs);
}

struct val merge_values(struct arena *arena, const struct type *type, const struct val *live,
                        const struct val *config)
{
    return merge_two(arena, type, live, config);
}

/* ---- walking down ---- */

static bool descend(struct walk *w, struct path_element element)
{
    if (w->depth >= LIMIT_DOC_DEPTH || arena_is_over(w->arena))
        return false;
    w->elements[w->depth++] = element;
    return true;
}

static void note(struct walk *w, struct fieldset *set)
{
    if (w->depth > 0)
        fieldset_insert(w->arena, set, (struct path){w->elements, w->depth});
}

/* ---- what a value sets ---- */

static void fields_of(struct walk *w, const struct type *type, const struct val *v);

static void fields_of_map(struct walk *w, const struct type *type, const struct val *v)
{
    struct val_iter it = val_iter(v);

    if (type->atomic) {
        note(w, w->out.added);
        return;
    }
    while (val_next(&it)) {
        if (!descend(w, (struct path_element){.kind = PATH_FIELD, .name = it.key}))
            return;
        fields_of(w, member_type(type, it.key), it.value);
        bool is_empty =
                is_nothing(it.value) || (val_is(it.value, VAL_MAP) && val_count(it.value) == 0);
        if (is_empty || type_field(type, it.key) == NULL)
            note(w, w->out.added);
        w->depth--;
    }
}

static void fields_of_list(struct walk *w, const struct type *type, const struct val *v)
{
    if (type->list == TYPE_LIST_ATOMIC) {
        note(w, w->out.added);
        return;
    }
    struct items items = index_items(w->arena, type, v);
    for (size_t i = 0; i < items.sorted_count; i++) {
        struct item *item = items.sorted[i];
        if (!descend(w, item->element))
            return;
        if (item->same == 1)
            fields_of(w, type->element, item->value);
        note(w, w->out.added);
        w->depth--;
    }
}

static void fields_of(struct walk *w, const struct type *type, const struct val *v)
{
    const struct type *known = type_deduce(type, v);

    if (known->kind == TYPE_MAP)
        fields_of_map(w, known, v);
    else if (known->kind == TYPE_LIST)
        fields_of_list(w, known, v);
    else
        note(w, w->out.added);
}

struct fieldset *merge_fields(struct arena *arena, const struct type *type, const struct val *v)
{
    struct walk w = {.arena = arena, .out.added = fieldset_new(arena)};

    if (v != NULL)
        fields_of(&w, type, v);
    return w.out.added;
}

/* ---- comparing ---- */

static void compare(struct walk *w, const struct type *type, const struct val *lhs,
                    const struct val *rhs);

static void compare_leaf(struct walk *w, const struct val *lhs, const struct val *rhs)
{
    if (w->in_leaf)
        return;
    w->in_leaf = true;
    if (lhs == NULL)
        note(w, w->out.added);
    else if (rhs == NULL)
        note(w, w->out.removed);
    else if (!val_eq(lhs, rhs))
        note(w, w->out.modified);
}

static void compare_below(struct walk *w, struct path_element element, const struct type *type,
                          const struct val *lhs, const struct val *rhs)
{
    bool in_leaf = w->in_leaf;

    if (!descend(w, element))
        return;
    compare(w, type, lhs, rhs);
    w->depth--;
    w->in_leaf = in_leaf;
}

static void compare_maps(struct walk *w, const struct type *type, const struct val *lhs,
                         const struct val *rhs)
{
    struct val_iter it = val_iter(lhs);

    while (val_next(&it))
        compare_below(w, (struct path_element){.kind = PATH_FIELD, .name = it.key},
                      member_type(type, it.key), it.value, val_get(rhs, it.key));
    it = val_iter(rhs);
    while (val_next(&it))
        if (val_get(lhs, it.key) == NULL)
            compare_below(w, (struct path_element){.kind = PATH_FIELD, .name = it.key},
                          member_type(type, it.key), NULL, it.value);
}

/* Repeated items are compared together and stand for themselves as one. */
static void compare_repeated(struct walk *w, const struct type *type, const struct item *lhs,
                             const struct item *rhs)
{
    struct path_element element = lhs != NULL ? lhs->element : rhs->element;
    bool many_left = lhs != NULL && lhs->same > 1;
    bool many_right = rhs != NULL && rhs->same > 1;

    if (many_left && many_right) {
        if (lhs->same == rhs->same && val_eq(lhs->value, rhs->value))
            return;
        if (descend(w, element)) {
            note(w, w->out.modified);
            w->depth--;
        }
        return;
    }
    const struct item *single = many_left ? rhs : lhs;
    if (single != NULL)
        compare_below(w, element, type->element, many_left ? NULL : single->value,
                      many_left ? single->value : NULL);
    if (descend(w, element)) {
        note(w, many_left ? w->out.removed : w->out.added);
        w->depth--;
    }
}

static void compare_lists(struct walk *w, const struct type *type, const struct val *lhs,
                          const struct val *rhs)
{
    struct items left = index_items(w->arena, type, lhs);
    struct items right = index_items(w->arena, type, rhs);

    for (size_t i = 0; i < left.sorted_count; i++) {
        const struct item *mine = left.sorted[i];
        const struct item *theirs = find_item(&right, &mine->element);
        if (mine->same > 1 || (theirs != NULL && theirs->same > 1))
            compare_repeated(w, type, mine, theirs);
        else
            compare_below(w, mine->element, type->element, mine->value, only_value(theirs));
    }
    for (size_t i = 0; i < right.sorted_count; i++) {
        const struct item *theirs = right.sorted[i];
        if (find_item(&left, &theirs->element) != NULL)
            continue;
        if (theirs->same > 1)
            compare_repeated(w, type, NULL, theirs);
        else
            compare_below(w, theirs->element, type->element, NULL, theirs->value);
    }
}

static void compare_as(struct walk *w, const struct type *type, const struct val *lhs,
                       const struct val *rhs)
{
    bool both_empty = val_count(lhs) == 0 && val_count(rhs) == 0;

    if (type->kind == TYPE_MAP && !type->atomic && !both_empty)
        compare_maps(w, type, val_is(lhs, VAL_MAP) ? lhs : NULL, val_is(rhs, VAL_MAP) ? rhs : NULL);
    else if (type->kind == TYPE_LIST && type->list != TYPE_LIST_ATOMIC && !both_empty)
        compare_lists(w, type, val_is(lhs, VAL_LIST) ? lhs : NULL,
                      val_is(rhs, VAL_LIST) ? rhs : NULL);
    else
        compare_leaf(w, lhs, rhs);
}

static void compare(struct walk *w, const struct type *type, const struct val *lhs,
                    const struct val *rhs)
{
    const struct type *left = type_deduce(type, lhs);
    const struct type *right = type_deduce(type, rhs);

    if (rhs == NULL) {
        compare_as(w, left, lhs, NULL);
    } else if (lhs == NULL || left->kind == right->kind) {
        compare_as(w, right, lhs, rhs);
    } else {
        /* Not described, and of another kind than before. */
        bool in_leaf = w->in_leaf;
        compare_as(w, left, lhs, rhs);
        w->in_leaf = in_leaf;
        compare_as(w, right, lhs, rhs);
    }
    if (w->in_leaf)
        return;
    if (lhs == NULL)
        note(w, w->out.added);
    else if (rhs == NULL)
        note(w, w->out.removed);
}

struct merge_changes merge_compare(struct arena *arena, const struct type *type,
                                   const struct val *from, const struct val *to)
{
    struct walk w = {.arena = arena,
                     .out = {fieldset_new(arena), fieldset_new(arena), fieldset_new(arena)}};

    if (from != NULL || to != NULL)
        compare(&w, type, from, to);
    return w.out;
}

/* ---- removing ---- */

static bool remove_from(struct arena *arena, const struct type *type, const struct val *v,
                        const struct fieldset *set, struct val *ret);

static bool remove_from_map(struct arena *arena, const struct type *type, const struct val *v,
                            const struct fieldset *set, struct val *ret)
{
    struct val_iter it = val_iter(v);

    *ret = val_map();
    while (val_next(&it)) {
        struct path_element element = {.kind = PATH_FIELD, .name = it.key};
        const struct fieldset_node *node = fieldset_find(set, &element);
        struct val kept = *it.value;
        if (node != NULL && node->member)
            continue;
        if (node != NULL && !fieldset_is_empty(node->children) &&
            !remove_from(arena, member_type(type, it.key), it.value, node->children, &kept))
            continue;
        val_add(arena, ret, it.key, kept);
    }
    return val_count(ret) > 0;
}

static bool remove_from_list(struct arena *arena, const struct type *type, const struct val *v,
                             const struct fieldset *set, struct val *ret)
{
    struct val_iter it = val_iter(v);

    *ret = val_list();
    while (val_next(&it)) {
        struct path_element element = {0};
        struct val kept = *it.value;
        const struct fieldset_node *node = NULL;
        if (merge_item_element(arena, type, it.value, it.index, &element))
            node = fieldset_find(set, &element);
        if (node != NULL && node->member)
            continue;
        if (node != NULL && !fieldset_is_empty(node->children) &&
            !remove_from(arena, type->element, it.value, node->children, &kept))
            continue;
        val_append(arena, ret, kept);
    }
    return val_count(ret) > 0;
}

/* False when nothing is left. */
static bool remove_from(struct arena *arena, const struct type *type, const struct val *v,
                        const struct fieldset *set, struct val *ret)
{
    const struct type *known = type_deduce(type, v);

    if (known->kind == TYPE_MAP && val_is(v, VAL_MAP))
        return !known->atomic && val_count(v) > 0 && remove_from_map(arena, known, v, set, ret);
    if (known->kind == TYPE_LIST && val_is(v, VAL_LIST))
        return known->list != TYPE_LIST_ATOMIC && val_count(v) > 0 &&
               remove_from_list(arena, known, v, set, ret);
    *ret = *v;
    return true;
}

struct val merge_remove(struct arena *arena, const struct type *type, const struct val *v,
                        const struct fieldset *set)
{
    struct val out = val_null();

    if (v == NULL)
        return out;
    if (fieldset_is_empty(set))
        return *v;
    if (!remove_from(arena, type, v, set, &out))
        return val_is(v, VAL_MAP) ? val_map() : val_null();
    return out;
}

/* ---- named fields ---- */

static void add_named(struct walk *w, const struct type *type, const struct fieldset *set)
{
    for (size_t i = 0; i < fieldset_nodes(set); i++) {
        const struct fieldset_node *node = fieldset_node(set, i);
        const struct type *below = NULL;
        bool is_named = false;
        if (type != NULL && node->element.kind == PATH_FIELD && type->kind == TYPE_MAP) {
            is_named = type_field(type, node->element.name) != NULL;
            below = type_member(type, node->element.name);
        } else if (type != NULL && node->element.kind == PATH_KEY && type->kind == TYPE_LIST) {
            below = type->element;
        }
        if (!descend(w, node->element))
            return;
        if (node->member || is_named)
            note(w, w->out.added);
        add_named(w, below, node->children);
        w->depth--;
    }
}

struct fieldset *merge_named_fields(struct arena *arena, const struct type *type,
                                    const struct fieldset *set)
{
    struct walk w = {.arena = arena, .out.added = fieldset_new(arena)};

    add_named(&w, type, set);
    return w.out.added;
}
