/* SPDX-License-Identifier: Apache-2.0 */
#include "doc/val.h"

#include "base/map.h"
#include "base/mem.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

/* Items and members stand in a chain of blocks: a parsed container is one block of the exact size,
 * additions go to blocks behind it, so that pointers to what is there stay valid. */
struct member {
    const struct val_key *key;
    struct val value;
};

struct val_block {
    struct val_block *next;
    uint32_t used;
    uint32_t size;
    union {
        struct val items[1];
        struct member members[1];
    };
};

enum { PLACE_COLUMNS = 4096, BLOCK_FIRST = 4, BLOCK_MAX = 1024 };

_Static_assert(sizeof(struct val) == 24, "memory per value is a promise of docs/performance.md");

/* ---- making ---- */

struct val val_null(void)
{
    return (struct val){.kind = VAL_NULL};
}

struct val val_bool(bool value)
{
    return (struct val){.kind = VAL_BOOL, .count = value ? 1 : 0};
}

struct val val_string_borrow(str text)
{
    assert(text.len <= UINT32_MAX);
    return (struct val){.kind = VAL_STRING, .count = (uint32_t)text.len, .text = text.at};
}

struct val val_string(struct arena *arena, str text)
{
    return val_string_borrow(arena_str(arena, text));
}

struct val val_number(struct arena *arena, str text)
{
    struct val v = val_string(arena, text);

    v.kind = VAL_NUMBER;
    return v;
}

struct val val_int(struct arena *arena, int64_t value)
{
    struct val v = val_string_borrow(arena_printf(arena, "%lld", (long long)value));

    v.kind = VAL_NUMBER;
    return v;
}

struct val val_list(void)
{
    return (struct val){.kind = VAL_LIST};
}

struct val val_map(void)
{
    return (struct val){.kind = VAL_MAP};
}

struct val *val_new(struct arena *arena, struct val value)
{
    struct val *v = arena_new0(arena, struct val);

    *v = value;
    return v;
}

static struct val_block *block_new(struct arena *arena, bool is_map, size_t size)
{
    size_t one = is_map ? sizeof(struct member) : sizeof(struct val);
    struct val_block *b = arena_words(arena, offsetof(struct val_block, items) + size * one);

    b->size = (uint32_t)size;
    return b;
}

struct val val_dup_value(struct arena *arena, const struct val *v)
{
    if (v == NULL)
        return val_null();

    struct val copy = *v;
    if (v->kind == VAL_STRING || v->kind == VAL_NUMBER) {
        copy.text = arena_str(arena, str_of(v->text, v->count)).at;
        return copy;
    }
    if (v->kind != VAL_LIST && v->kind != VAL_MAP)
        return copy;
    copy.first = NULL;
    if (v->count == 0 || arena_is_over(arena))
        return copy;
    copy.first = block_new(arena, v->kind == VAL_MAP, v->count);
    for (struct val_block *b = v->first; b != NULL; b = b->next) {
        for (uint32_t i = 0; i < b->used; i++) {
            uint32_t to = copy.first->used++;
            if (v->kind == VAL_LIST) {
                copy.first->items[to] = val_dup_value(arena, &b->items[i]);
                continue;
            }
            const struct val_key *key = b->members[i].key;
            copy.first->members[to].key = val_key_new(arena, str_of(key->text, key->len));
            copy.first->members[to].value = val_dup_value(arena, &b->members[i].value);
        }
    }
    return copy;
}

struct val *val_dup(struct arena *arena, const struct val *v)
{
    return val_new(arena, val_dup_value(arena, v));
}

const struct val_key *val_key_new(struct arena *arena, str text)
{
    assert(text.len < UINT32_MAX);
    struct val_key *key = arena_alloc(arena, sizeof(*key) + text.len + 1);

    key->len = (uint32_t)text.len;
    if (text.len > 0)
        memcpy(key->text, text.at, text.len);
    return key;
}

void val_fill_list(struct arena *arena, struct val *list, const struct val *items, size_t count)
{
    assert(list->kind == VAL_LIST && list->count == 0 && count <= UINT32_MAX);
    if (count == 0)
        return;
    list->first = block_new(arena, /*is_map=*/false, count);
    memcpy(list->first->items, items, count * sizeof(*items));
    list->first->used = list->count = (uint32_t)count;
}

_Static_assert(sizeof(struct val_member_init) == sizeof(struct member), "filled by one copy");

void val_fill_map(struct arena *arena, struct val *map, const struct val_member_init *members,
                  size_t count)
{
    assert(map->kind == VAL_MAP && map->count == 0 && count <= UINT32_MAX);
    if (count == 0)
        return;
    map->first = block_new(arena, /*is_map=*/true, count);
    memcpy(map->first->members, members, count * sizeof(*members));
    map->first->used = map->count = (uint32_t)count;
}

/* ---- reading ---- */

const char *val_kind_name(enum val_kind kind)
{
    static const char *const names[] = {"null", "bool", "number", "string", "list", "map"};
    return names[kind];
}

str val_str(const struct val *v)
{
    return val_is(v, VAL_STRING) ? str_of(v->text, v->count) : STR_EMPTY;
}

str val_text(const struct val *v)
{
    switch (val_kind(v)) {
    case VAL_STRING:
    case VAL_NUMBER:
        return str_of(v->text, v->count);
    case VAL_BOOL:
        return v->count != 0 ? S("true") : S("false");
    case VAL_NULL:
    case VAL_LIST:
    case VAL_MAP:
        return STR_EMPTY;
    }
    return STR_EMPTY;
}

bool val_is_true(const struct val *v)
{
    return val_is(v, VAL_BOOL) && v->count != 0;
}

bool val_to_i64(const struct val *v, int64_t *ret)
{
    if (!val_is(v, VAL_NUMBER))
        return false;

    str text = str_of(v->text, v->count);
    if (str_to_i64(text, ret))
        return true;
    char copy[64];
    if (text.len >= sizeof(copy))
        return false;
    memcpy(copy, text.at, text.len);
    copy[text.len] = '\0';
    char *end = NULL;
    double number = strtod(copy, &end);
    if (*end != '\0' || number < -9.2e18 || number > 9.2e18 || (double)(int64_t)number != number)
        return false;
    *ret = (int64_t)number;
    return true;
}

int64_t val_i64_or(const struct val *v, int64_t otherwise)
{
    int64_t number = 0;
    return val_to_i64(v, &number) ? number : otherwise;
}

size_t val_count(const struct val *v)
{
    return val_is(v, VAL_LIST) || val_is(v, VAL_MAP) ? v->count : 0;
}

static struct member *find(const struct val *map, str key)
{
    if (!val_is(map, VAL_MAP))
        return NULL;
    for (struct val_block *b = map->first; b != NULL; b = b->next) {
        for (uint32_t i = 0; i < b->used; i++) {
            const struct val_key *k = b->members[i].key;
            if (k->len == key.len && (key.len == 0 || memcmp(k->text, key.at, key.len) == 0))
                return &b->members[i];
        }
    }
    return NULL;
}

struct val *val_get(const struct val *map, str key)
{
    struct member *m = find(map, key);
    return m == NULL ? NULL : &m->value;
}

str val_get_str(const struct val *map, str key)
{
    return val_str(val_get(map, key));
}

bool val_get_bool(const struct val *map, str key, bool otherwise)
{
    const struct val *v = val_get(map, key);
    return val_is(v, VAL_BOOL) ? v->count != 0 : otherwise;
}

struct val *val_item(const struct val *list, size_t index)
{
    if (!val_is(list, VAL_LIST) || index >= list->count)
        return NULL;
    for (struct val_block *b = list->first; b != NULL; b = b->next) {
        if (index < b->used)
            return &b->items[index];
        index -= b->used;
    }
    return NULL;
}

struct val *val_walk(const struct val *v, const char *const *names, size_t count)
{
    const struct val *at = v;

    for (size_t i = 0; i < count && at != NULL; i++)
        at = val_get(at, str_from(names[i]));
    return (struct val *)(uintptr_t)at;
}

struct val_iter val_iter(const struct val *v)
{
    if (!val_is(v, VAL_LIST) && !val_is(v, VAL_MAP))
        return (struct val_iter){0};
    return (struct val_iter){
            .block = v->first, .is_map = v->kind == VAL_MAP, .index = SIZE_MAX, .key = STR_EMPTY};
}

bool val_next(struct val_iter *it)
{
    while (it->block != NULL && it->at >= it->block->used) {
        it->block = it->block->next;
        it->at = 0;
    }
    if (it->block == NULL)
        return false;
    if (it->is_map) {
        struct member *m = &it->block->members[it->at];
        it->key = str_of(m->key->text, m->key->len);
        it->value = &m->value;
    } else {
        it->value = &it->block->items[it->at];
    }
    it->at++;
    it->index++;
    return true;
}

static bool number_eq(str a, str b)
{
    char left[64];
    char right[64];

    if (str_eq(a, b))
        return true;
    int64_t x = 0;
    int64_t y = 0;
    if (str_to_i64(a, &x) && str_to_i64(b, &y))
        return x == y;
    if (a.len >= sizeof(left) || b.len >= sizeof(right))
        return false;
    (void)snprintf(left, sizeof(left), "%.*s", STR(a));
    (void)snprintf(right, sizeof(right), "%.*s", STR(b));
    return strtod(left, NULL) == strtod(right, NULL);
}

bool val_eq(const struct val *a, const struct val *b)
{
    if (val_kind(a) != val_kind(b))
        return false;
    switch (val_kind(a)) {
    case VAL_NULL:
        return true;
    case VAL_BOOL:
        return a->count == b->count;
    case VAL_NUMBER:
        return number_eq(val_text(a), val_text(b));
    case VAL_STRING:
        return str_eq(val_str(a), val_str(b));
    case VAL_LIST:
    case VAL_MAP:
        break;
    }
    if (a->count != b->count)
        return false;
    struct val_iter left = val_iter(a);
    struct val_iter right = val_iter(b);
    while (val_next(&left)) {
        const struct val *other = NULL;
        bool same_place = val_next(&right) && str_eq(left.key, right.key);
        other = same_place ? right.value : val_get(b, left.key);
        if (other == NULL || !val_eq(left.value, other))
            return false;
    }
    return true;
}

/* ---- changing ---- */

/* The place for one more at the end; grows by blocks that double. */
static struct val_block *room(struct arena *arena, struct val *v)
{
    struct val_block *last = v->first;

    while (last != NULL && last->next != NULL)
        last = last->next;
    if (last != NULL && last->used < last->size)
        return last;
    size_t size = MIN(MAX((size_t)v->count, (size_t)BLOCK_FIRST), (size_t)BLOCK_MAX);
    struct val_block *b = block_new(arena, v->kind == VAL_MAP, size);
    if (last == NULL)
        v->first = b;
    else
        last->next = b;
    return b;
}

struct val *val_add_key(struct arena *arena, struct val *map, const struct val_key *key,
                        struct val value)
{
    assert(map->kind == VAL_MAP && map->count < UINT32_MAX);
    struct val_block *b = room(arena, map);
    struct member *m = &b->members[b->used++];

    m->key = key;
    m->value = value;
    map->count++;
    return &m->value;
}

struct val *val_add(struct arena *arena, struct val *map, str key, struct val value)
{
    return val_add_key(arena, map, val_key_new(arena, key), value);
}

struct val *val_set(struct arena *arena, struct val *map, str key, struct val value)
{
    struct member *m = find(map, key);

    if (m == NULL)
        return val_add(arena, map, key, value);
    m->value = value;
    return &m->value;
}

struct val *val_set_str(struct arena *arena, struct val *map, str key, str text)
{
    return val_set(arena, map, key, val_string(arena, text));
}

bool val_del(struct val *map, str key)
{
    if (!val_is(map, VAL_MAP))
        return false;
    for (struct val_block *b = map->first; b != NULL; b = b->next) {
        for (uint32_t i = 0; i < b->used; i++) {
            const struct val_key *k = b->members[i].key;
            if (!str_eq(str_of(k->text, k->len), key))
                continue;
            memmove(&b->members[i], &b->members[i + 1], (b->used - i - 1) * sizeof(struct member));
            b->used--;
            map->count--;
            return true;
        }
    }
    return false;
}

bool val_rename(struct arena *arena, struct val *map, str from, str to)
{
    struct member *m = find(map, from);

    if (m == NULL || (!str_eq(from, to) && find(map, to) != NULL))
        return false;
    m->key = val_key_new(arena, to);
    return true;
}

struct val *val_append(struct arena *arena, struct val *list, struct val value)
{
    assert(list->kind == VAL_LIST && list->count < UINT32_MAX);
    struct val_block *b = room(arena, list);
    struct val *item = &b->items[b->used++];

    *item = value;
    list->count++;
    return item;
}

/* Brings all items or members into one block. */
static struct val_block *flatten(struct arena *arena, struct val *v, size_t extra)
{
    bool is_map = v->kind == VAL_MAP;
    size_t one = is_map ? sizeof(struct member) : sizeof(struct val);

    if (v->first != NULL && v->first->next == NULL && v->first->size - v->first->used >= extra)
        return v->first;
    struct val_block *flat = block_new(arena, is_map, v->count + extra);
    for (struct val_block *b = v->first; b != NULL; b = b->next) {
        memcpy((char *)flat->items + flat->used * one, b->items, b->used * one);
        flat->used += b->used;
    }
    v->first = flat;
    return flat;
}

struct val *val_insert(struct arena *arena, struct val *list, size_t index, struct val value)
{
    assert(list->kind == VAL_LIST && index <= list->count);
    if (index == list->count)
        return val_append(arena, list, value);
    struct val_block *b = flatten(arena, list, 1);
    memmove(&b->items[index + 1], &b->items[index], (b->used - index) * sizeof(struct val));
    b->items[index] = value;
    b->used++;
    list->count++;
    return &b->items[index];
}

bool val_remove(struct val *list, size_t index)
{
    if (!val_is(list, VAL_LIST) || index >= list->count)
        return false;
    for (struct val_block *b = list->first; b != NULL; b = b->next) {
        if (index < b->used) {
            memmove(&b->items[index], &b->items[index + 1],
                    (b->used - index - 1) * sizeof(struct val));
            b->used--;
            list->count--;
            return true;
        }
        index -= b->used;
    }
    return false;
}

static struct val *ensure(struct arena *arena, struct val *map, str key, struct val empty)
{
    struct val *child = val_get(map, key);

    if (child != NULL && child->kind == empty.kind)
        return child;
    return val_set(arena, map, key, empty);
}

struct val *val_ensure_map(struct arena *arena, struct val *map, str key)
{
    return ensure(arena, map, key, val_map());
}

struct val *val_ensure_list(struct arena *arena, struct val *map, str key)
{
    return ensure(arena, map, key, val_list());
}

static int compare_members(const void *a, const void *b)
{
    const struct val_key *x = ((const struct member *)a)->key;
    const struct val_key *y = ((const struct member *)b)->key;
    return str_cmp(str_of(x->text, x->len), str_of(y->text, y->len));
}

void val_sort_keys(struct arena *arena, struct val *map, bool deep)
{
    if (map->kind == VAL_MAP && map->count > 1) {
        struct val_block *b = flatten(arena, map, 0);
        bool sorted = true;
        for (uint32_t i = 1; i < b->used && sorted; i++)
            sorted = compare_members(&b->members[i - 1], &b->members[i]) < 0;
        if (!sorted)
            qsort(b->members, b->used, sizeof(struct member), compare_members);
    }
    if (!deep)
        return;
    struct val_iter it = val_iter(map);
    while (val_next(&it))
        val_sort_keys(arena, it.value, deep);
}

/* A stable merge sort: qsort gives no order to equals. */
static void merge_sort(struct val *items, struct val *scratch, size_t count,
                       int (*compare)(const struct val *, const struct val *))
{
    if (count < 2)
        return;
    size_t half = count / 2;
    merge_sort(items, scratch, half, compare);
    merge_sort(items + half, scratch, count - half, compare);
    memcpy(scratch, items, count * sizeof(*items));
    size_t left = 0;
    size_t right = half;
    for (size_t to = 0; to < count; to++) {
        bool take_left =
                right == count || (left < half && compare(&scratch[left], &scratch[right]) <= 0);
        items[to] = take_left ? scratch[left++] : scratch[right++];
    }
}

void val_sort_list(struct arena *arena, struct val *list,
                   int (*compare)(const struct val *a, const struct val *b))
{
    if (!val_is(list, VAL_LIST) || list->count < 2)
        return;
    struct val_block *b = flatten(arena, list, 0);
    struct val *scratch = arena_array(arena, b->used, struct val);
    merge_sort(b->items, scratch, b->used, compare);
}

/* ---- place ---- */

static struct {
    struct map *by_name;
    str *names;
    size_t count;
} files;

uint16_t val_file_add(str name)
{
    if (files.by_name == NULL) {
        files.by_name = map_new();
        files.count = 1;
        files.names = new0_array(1, str);
    }
    uintptr_t known = (uintptr_t)map_get(files.by_name, name);
    if (known != 0)
        return (uint16_t)known;
    if (files.count > UINT16_MAX)
        return 0;
    files.names = mem_grow(files.names, files.count + 1, sizeof(str));
    files.names[files.count] = str_own(name);
    map_set(files.by_name, name, (void *)(uintptr_t)files.count);
    return (uint16_t)files.count++;
}

str val_file(const struct val *v)
{
    return v == NULL || v->file == 0 ? STR_EMPTY : files.names[v->file];
}

uint32_t val_line(const struct val *v)
{
    return v == NULL ? 0 : v->place / PLACE_COLUMNS;
}

uint32_t val_column(const struct val *v)
{
    return v == NULL ? 0 : v->place % PLACE_COLUMNS;
}

void val_set_place(struct val *v, uint16_t file, size_t line, size_t column)
{
    v->file = file;
    v->place = (uint32_t)(MIN(line, (size_t)(UINT32_MAX / PLACE_COLUMNS - 1)) * PLACE_COLUMNS +
                          MIN(column, (size_t)(PLACE_COLUMNS - 1)));
}

str val_place(struct arena *arena, const struct val *v)
{
    str file = val_file(v);

    if (val_line(v) == 0)
        return file;
    if (str_is_empty(file))
        return arena_printf(arena, "line %u column %u", val_line(v), val_column(v));
    return arena_printf(arena, "%.*s:%u:%u", STR(file), val_line(v), val_column(v));
}
