/* SPDX-License-Identifier: Apache-2.0 */
#include "doc/json.h"
#include "engine/apply.h"

/*
 * Reads the API server's sentences about a patch that does not fit its schema:
 *   .spec.containers[name="a"].imagee: field not declared in schema
 *   .spec.ports: duplicate entries for key [port=80,protocol="TCP"]
 * The text is the server's: every step expects it to lie.
 */

#define STRIP_UNDECLARED S(": field not declared in schema")
#define STRIP_DUPLICATE S(": duplicate entries for key [")

/* Where a path ends in its parent and its last part. */
struct strip_at {
    struct val *parent;
    str field;   /* of a map */
    size_t item; /* of a list */
};

static bool key_value_is(struct arena *arena, const struct val *v, str wanted)
{
    struct val *parsed;

    return json_parse(arena, wanted, NULL, &parsed, NULL) && val_eq(v, parsed);
}

/* Does a list item have the keys of `name="a",port=80`? A missing key counts as equal when it has a
 * default that the server filled in (protocol): the item then decides by its other keys. */
static bool item_has_keys(struct arena *arena, const struct val *item, str keys)
{
    bool matched = false;

    while (keys.len > 0) {
        size_t equals = str_find_char(keys, '=');
        size_t end = equals == SIZE_MAX ? keys.len : equals + 1;
        bool quoted = false;
        const struct val *v;

        if (equals == SIZE_MAX)
            return false;
        for (; end < keys.len && (quoted || keys.at[end] != ','); end++)
            if (keys.at[end] == '"' && keys.at[end - 1] != '\\')
                quoted = !quoted;
        v = val_get(item, str_first(keys, equals));
        if (v != NULL && !key_value_is(arena, v, str_of(keys.at + equals + 1, end - equals - 1)))
            return false;
        matched = matched || v != NULL;
        keys = str_from_index(keys, end + 1);
    }
    return matched;
}

static size_t item_by_keys(struct arena *arena, const struct val *list, str keys)
{
    struct val_iter it = val_iter(list);
    uint64_t index;

    if (str_to_u64(keys, &index))
        return index < val_count(list) ? (size_t)index : SIZE_MAX;
    while (val_next(&it))
        if (item_has_keys(arena, it.value, keys))
            return it.index;
    return SIZE_MAX;
}

/* The length of the `[…]` that `path` begins with, or 0. */
static size_t bracket_length(str path)
{
    bool quoted = false;

    for (size_t i = 1; i < path.len; i++) {
        if (path.at[i] == '"' && path.at[i - 1] != '\\')
            quoted = !quoted;
        if (path.at[i] == ']' && !quoted)
            return i + 1;
    }
    return 0;
}

/* The longest member name of `map` that the path, behind its dot, begins with: names may hold dots.
 */
static str field_of(const struct val *map, str path)
{
    struct val_iter it = val_iter(map);
    str best = STR_EMPTY;

    while (val_next(&it)) {
        char after = it.key.len < path.len ? path.at[it.key.len] : '.';

        if (str_starts(path, it.key) && (after == '.' || after == '[') && it.key.len > best.len)
            best = it.key;
    }
    return best;
}

static bool strip_find(struct arena *arena, struct val *root, str path, struct strip_at *ret)
{
    struct val *at = root;

    *ret = (struct strip_at){.item = SIZE_MAX};
    while (path.len > 0) {
        ret->parent = at;
        if (path.at[0] == '.') {
            str field = field_of(at, str_from_index(path, 1));

            if (field.len == 0)
                return false;
            ret->field = field;
            ret->item = SIZE_MAX;
            at = val_get(at, field);
            path = str_from_index(path, 1 + field.len);
        } else {
            size_t length = path.at[0] == '[' ? bracket_length(path) : 0;

            if (length == 0)
                return false;
            ret->item = item_by_keys(arena, at, str_of(path.at + 1, length - 2));
            if (ret->item == SIZE_MAX)
                return false;
            at = val_item(at, ret->item);
            path = str_from_index(path, length);
        }
    }
    return ret->parent != NULL;
}

static bool strip_undeclared(struct arena *arena, struct val *body, str path)
{
    struct strip_at at;

    if (!strip_find(arena, body, path, &at))
        return false;
    return at.item == SIZE_MAX ? val_del(at.parent, at.field) : val_remove(at.parent, at.item);
}

/* All but the last entry with these keys go. */
static bool strip_duplicates(struct arena *arena, struct val *body, str path, str keys)
{
    struct strip_at at;
    struct val *list;
    bool last_seen = false;
    bool removed = false;

    if (!strip_find(arena, body, path, &at))
        return false;
    list = at.item == SIZE_MAX ? val_get(at.parent, at.field) : val_item(at.parent, at.item);
    for (size_t i = val_count(list); i > 0; i--) {
        if (!item_has_keys(arena, val_item(list, i - 1), keys))
            continue;
        if (last_seen)
            removed = val_remove(list, i - 1) || removed;
        last_seen = true;
    }
    return removed;
}

/* The path that ends at `end`: back to the space or line that it follows, outside brackets. */
static str path_before(str message, size_t end)
{
    size_t start = end;
    bool quoted = false;

    while (start > 0) {
        char c = message.at[start - 1];

        if (c == '"')
            quoted = !quoted;
        if (!quoted && (c == ' ' || c == '\n' || c == '\t'))
            break;
        start--;
    }
    return str_of(message.at + start, end - start);
}

static void removed_add(struct buf *removed, str path, str why)
{
    if (removed->len > 0)
        buf_add(removed, S(", "));
    buf_add(removed, path);
    buf_add(removed, why);
}

bool apply_strip(struct arena *arena, struct val *body, str message, struct buf *removed)
{
    bool any = false;
    str rest = message;
    size_t at;

    while ((at = str_find(rest, STRIP_UNDECLARED)) != SIZE_MAX) {
        str path = path_before(rest, at);

        if (strip_undeclared(arena, body, path)) {
            removed_add(removed, path, STR_EMPTY);
            any = true;
        }
        rest = str_from_index(rest, at + STRIP_UNDECLARED.len);
    }
    rest = message;
    while ((at = str_find(rest, STRIP_DUPLICATE)) != SIZE_MAX) {
        str path = path_before(rest, at);
        str tail = str_from_index(rest, at + STRIP_DUPLICATE.len - 1);
        size_t length = bracket_length(tail);

        if (length > 2 && strip_duplicates(arena, body, path, str_of(tail.at + 1, length - 2))) {
            removed_add(removed, path, S(" (all but the last entry)"));
            any = true;
        }
        rest = tail;
    }
    return any;
}
