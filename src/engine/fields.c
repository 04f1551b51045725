/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/fields.h"
#include "doc/json.h"
#include "engine/live.h"

struct walk {
    struct arena *arena;
    struct buf path;
    str found;
};

/* The item of a list by the text behind "k:", a JSON map of its keys. */
static const struct val *item_by_key(const struct val *list, const struct val *keys)
{
    struct val_iter items = val_iter(list);

    while (val_next(&items)) {
        struct val_iter it = val_iter(keys);
        bool same = true;

        while (same && val_next(&it))
            same = val_eq(val_get(items.value, it.key), it.value);
        if (same)
            return items.value;
    }
    return NULL;
}

static const struct val *item_by_value(const struct val *list, const struct val *value)
{
    struct val_iter it = val_iter(list);

    while (val_next(&it))
        if (val_eq(it.value, value))
            return it.value;
    return NULL;
}

/* The child of `v` that an element of fieldsV1 names. */
static const struct val *child_of(struct arena *arena, const struct val *v, str element)
{
    str rest = str_from_index(element, 2);
    struct val *parsed;
    uint64_t index;

    if (str_starts(element, S("f:")))
        return val_get(v, rest);
    if (str_starts(element, S("i:")))
        return str_to_u64(rest, &index) ? val_item(v, (size_t)index) : NULL;
    if (!json_parse(arena, rest, NULL, &parsed, NULL))
        return NULL;
    if (str_starts(element, S("k:")))
        return item_by_key(v, parsed);
    return str_starts(element, S("v:")) ? item_by_value(v, parsed) : NULL;
}

static void path_push(struct buf *path, str element)
{
    if (str_starts(element, S("f:")))
        buf_addc(path, '.');
    else
        buf_addc(path, '[');
    buf_add(path, str_from_index(element, 2));
    if (!str_starts(element, S("f:")))
        buf_addc(path, ']');
}

static bool walk_differs(struct walk *walk, const struct val *fields, const struct val *a,
                         const struct val *b)
{
    struct val_iter it = val_iter(fields);
    size_t length = walk->path.len;
    bool members = false;

    if (a == NULL && b == NULL)
        return false;
    while (a != NULL && b != NULL && val_next(&it)) {
        if (str_eq(it.key, S(".")))
            continue;
        members = true;
        path_push(&walk->path, it.key);
        if (walk_differs(walk, it.value, child_of(walk->arena, a, it.key),
                         child_of(walk->arena, b, it.key)))
            return true;
        walk->path.len = length;
    }
    /* A leaf of the set owns all that stands below it; so does a member that one side lacks. */
    if (a != NULL && b != NULL && (members || val_get(fields, S(".")) != NULL || val_eq(a, b)))
        return false;
    walk->found = arena_str(walk->arena, buf_str(&walk->path));
    return true;
}

bool fields_differ(struct arena *arena, const struct val *fields, const struct val *wanted,
                   const struct val *live, str *ret_path)
{
    struct walk walk = {.arena = arena};
    bool differs;

    if (fields == NULL)
        return false;
    buf_init(&walk.path, LIMIT_FIELD_PATH);
    differs = walk_differs(&walk, fields, wanted, live);
    buf_done(&walk.path);
    if (differs && ret_path != NULL)
        *ret_path = walk.found;
    return differs;
}

/* ---- every difference ---- */

struct each {
    struct arena *arena;
    struct buf path;
    size_t left;
    bool over;
    fields_each_fn *fn;
    void *owner;
};

static void each_tell(struct each *each, const struct val *live, const struct val *wanted)
{
    if (each->left == 0) {
        each->over = true;
        return;
    }
    each->left--;
    each->fn(each->owner, arena_str(each->arena, buf_str(&each->path)), live, wanted);
}

static void each_walk(struct each *each, const struct val *live, const struct val *wanted);

static void each_member(struct each *each, str key, const struct val *live,
                        const struct val *wanted)
{
    size_t length = each->path.len;

    buf_addc(&each->path, '.');
    buf_add(&each->path, key);
    each_walk(each, live, wanted);
    each->path.len = length;
}

static void each_map(struct each *each, const struct val *live, const struct val *wanted)
{
    struct val_iter it = val_iter(live);

    while (val_next(&it))
        each_member(each, it.key, it.value, val_get(wanted, it.key));
    it = val_iter(wanted);
    while (val_next(&it))
        if (val_get(live, it.key) == NULL)
            each_member(each, it.key, NULL, it.value);
}

static bool list_has_names(const struct val *list)
{
    struct val_iter it = val_iter(list);

    while (val_next(&it))
        if (!val_is(val_get(it.value, S("name")), VAL_STRING))
            return false;
    return val_count(list) > 0;
}

static const struct val *item_by_name(const struct val *list, str name)
{
    struct val_iter it = val_iter(list);

    while (val_next(&it))
        if (str_eq(val_get_str(it.value, S("name")), name))
            return it.value;
    return NULL;
}

static void each_named(struct each *each, str name, const struct val *live,
                       const struct val *wanted)
{
    size_t length = each->path.len;

    buf_addf(&each->path, "[name=\"%.*s\"]", STR(name));
    each_walk(each, live, wanted);
    each->path.len = length;
}

static void each_list(struct each *each, const struct val *live, const struct val *wanted)
{
    struct val_iter it = val_iter(live);

    if (list_has_names(live) && list_has_names(wanted)) {
        while (val_next(&it))
            each_named(each, val_get_str(it.value, S("name")), it.value,
                       item_by_name(wanted, val_get_str(it.value, S("name"))));
        it = val_iter(wanted);
        while (val_next(&it))
            if (item_by_name(live, val_get_str(it.value, S("name"))) == NULL)
                each_named(each, val_get_str(it.value, S("name")), NULL, it.value);
        return;
    }
    if (val_count(live) != val_count(wanted)) {
        each_tell(each, live, wanted);
        return;
    }
    while (val_next(&it)) {
        size_t length = each->path.len;

        buf_addf(&each->path, "[%zu]", it.index);
        each_walk(each, it.value, val_item(wanted, it.index));
        each->path.len = length;
    }
}

static void each_walk(struct each *each, const struct val *live, const struct val *wanted)
{
    if (each->over || val_eq(live, wanted))
        return;
    if (val_is(live, VAL_MAP) && val_is(wanted, VAL_MAP))
        each_map(each, live, wanted);
    else if (val_is(live, VAL_LIST) && val_is(wanted, VAL_LIST))
        each_list(each, live, wanted);
    else
        each_tell(each, live, wanted);
}

bool fields_each_difference(struct arena *arena, const struct val *live, const struct val *wanted,
                            size_t max, fields_each_fn *fn, void *owner)
{
    struct each each = {.arena = arena, .left = max, .fn = fn, .owner = owner};

    buf_init(&each.path, LIMIT_FIELD_PATH);
    each_walk(&each, live, wanted);
    buf_done(&each.path);
    return !each.over;
}

/* ---- who owns a path ---- */

/* Does one element of fieldsV1 stand for the part that `path` begins with? Its length, or 0. */
static size_t element_matches(struct arena *arena, str element, str path)
{
    str rest = str_from_index(element, 2);
    struct val *keys;
    str text;

    if (str_starts(element, S("f:"))) {
        str part = str_from_index(path, 1);
        char after = rest.len < part.len ? part.at[rest.len] : '.';

        return path.at[0] == '.' && str_starts(part, rest) && (after == '.' || after == '[')
                       ? 1 + rest.len
                       : 0;
    }
    text = arena_printf(arena, "[%.*s]", STR(rest)); /* as path_push writes it */
    if (str_starts(path, text))
        return text.len;
    if (!str_starts(element, S("k:")) || !json_parse(arena, rest, NULL, &keys, NULL))
        return 0;
    text = arena_printf(arena, "[name=\"%.*s\"]", STR(val_get_str(keys, S("name"))));
    return str_starts(path, text) ? text.len : 0;
}

bool fields_own_path(struct arena *arena, const struct val *fields, str path)
{
    struct val_iter it = val_iter(fields);

    if (path.len == 0)
        return true;
    if (val_count(fields) == 0)
        return true; /* a leaf above the path */
    while (val_next(&it)) {
        size_t length = it.key.len > 2 ? element_matches(arena, it.key, path) : 0;

        if (length > 0 && fields_own_path(arena, it.value, str_from_index(path, length)))
            return true;
    }
    return false;
}

const struct val *fields_manager(struct arena *arena, const struct val *managed, str path,
                                 bool not_us)
{
    struct val_iter it = val_iter(managed);
    const struct val *newest = NULL;

    while (val_next(&it)) {
        bool is_ours = str_eq(val_get_str(it.value, S("manager")), FIELD_MANAGER) &&
                       str_eq(val_get_str(it.value, S("operation")), S("Apply"));

        if ((is_ours && not_us) || !fields_own_path(arena, val_get(it.value, S("fieldsV1")), path))
            continue;
        /* RFC 3339 in UTC sorts as text. */
        if (newest == NULL ||
            str_cmp(val_get_str(newest, S("time")), val_get_str(it.value, S("time"))) < 0)
            newest = it.value;
    }
    return newest;
}

/* ---- what left a set ---- */

static bool walk_left(struct walk *walk, const struct val *fields, const struct val *newer,
                      const struct val *view)
{
    struct val_iter it = val_iter(fields);
    size_t length = walk->path.len;
    bool members = false;

    if (view == NULL)
        return false;
    while (val_next(&it)) {
        const struct val *still = val_get(newer, it.key);

        if (str_eq(it.key, S(".")))
            continue;
        members = true;
        path_push(&walk->path, it.key);
        if (walk_left(walk, it.value, still, child_of(walk->arena, view, it.key)))
            return true;
        walk->path.len = length;
    }
    if (members || newer != NULL)
        return false;
    walk->found = arena_str(walk->arena, buf_str(&walk->path));
    return true;
}

bool fields_left(struct arena *arena, const struct val *fields, const struct val *newer,
                 const struct val *view, str *ret_path)
{
    struct walk walk = {.arena = arena};
    bool left;

    if (fields == NULL)
        return false;
    buf_init(&walk.path, LIMIT_FIELD_PATH);
    left = walk_left(&walk, fields, newer, view);
    buf_done(&walk.path);
    *ret_path = left ? walk.found : STR_EMPTY;
    return left;
}
