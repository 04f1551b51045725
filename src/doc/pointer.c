/* SPDX-License-Identifier: Apache-2.0 */
#include "doc/pointer.h"

bool pointer_is_valid(str pointer)
{
    if (pointer.len > 0 && pointer.at[0] != '/')
        return false;
    for (size_t i = 0; i < pointer.len; i++) {
        if (pointer.at[i] != '~')
            continue;
        if (i + 1 >= pointer.len || (pointer.at[i + 1] != '0' && pointer.at[i + 1] != '1'))
            return false;
    }
    return true;
}

bool pointer_index(str part, size_t *ret_index)
{
    size_t index = 0;

    if (part.len == 0 || part.len > 9 || (part.at[0] == '0' && part.len > 1))
        return false;
    for (size_t i = 0; i < part.len; i++) {
        if (part.at[i] < '0' || part.at[i] > '9')
            return false;
        index = index * 10 + (size_t)(part.at[i] - '0');
    }
    *ret_index = index;
    return true;
}

bool pointer_next(struct arena *arena, str *rest, str *ret_part)
{
    if (rest->len == 0)
        return false;

    str from = str_from_index(*rest, 1);
    size_t slash = str_find_char(from, '/');
    str part = str_first(from, slash);
    *rest = slash == SIZE_MAX ? STR_EMPTY : str_from_index(from, slash);
    if (str_find_char(part, '~') == SIZE_MAX) {
        *ret_part = part;
        return true;
    }
    char *text = arena_bytes(arena, part.len + 1);
    size_t len = 0;
    for (size_t i = 0; i < part.len; i++) {
        char c = part.at[i];
        if (c == '~' && i + 1 < part.len)
            c = part.at[++i] == '1' ? '/' : '~';
        text[len++] = c;
    }
    *ret_part = str_of(text, len);
    return true;
}

str pointer_join(struct arena *arena, str pointer, str part)
{
    char *text = arena_bytes(arena, pointer.len + 2 * part.len + 2);
    size_t len = pointer.len;

    if (len > 0)
        memcpy(text, pointer.at, len);
    text[len++] = '/';
    for (size_t i = 0; i < part.len; i++) {
        char c = part.at[i];
        if (c == '~' || c == '/') {
            text[len++] = '~';
            c = c == '~' ? '0' : '1';
        }
        text[len++] = c;
    }
    return str_of(text, len);
}

/* Compares a raw part with a key without decoding into memory. */
static bool part_is(str raw, str key)
{
    size_t at = 0;

    for (size_t i = 0; i < raw.len; i++) {
        char c = raw.at[i];
        if (c == '~' && i + 1 < raw.len)
            c = raw.at[++i] == '1' ? '/' : '~';
        if (at >= key.len || key.at[at] != c)
            return false;
        at++;
    }
    return at == key.len;
}

static struct val *child_of(const struct val *v, str raw)
{
    size_t index = 0;

    if (val_is(v, VAL_LIST))
        return pointer_index(raw, &index) ? val_item(v, index) : NULL;
    if (!val_is(v, VAL_MAP))
        return NULL;
    if (str_find_char(raw, '~') == SIZE_MAX)
        return val_get(v, raw);
    struct val_iter it = val_iter(v);
    while (val_next(&it))
        if (part_is(raw, it.key))
            return it.value;
    return NULL;
}

struct val *pointer_get(const struct val *root, str pointer)
{
    const struct val *at = root;

    if (!pointer_is_valid(pointer))
        return NULL;
    while (pointer.len > 0 && at != NULL) {
        str from = str_from_index(pointer, 1);
        size_t slash = str_find_char(from, '/');
        at = child_of(at, str_first(from, slash));
        pointer = slash == SIZE_MAX ? STR_EMPTY : str_from_index(from, slash);
    }
    return (struct val *)(uintptr_t)at;
}

/* The parent of what the pointer names, and the raw last part. */
static struct val *parent_of(const struct val *root, str pointer, str *ret_last)
{
    size_t slash = str_rfind_char(pointer, '/');

    if (slash == SIZE_MAX)
        return NULL;
    *ret_last = str_from_index(pointer, slash + 1);
    return pointer_get(root, str_first(pointer, slash));
}

bool pointer_set(struct arena *arena, struct val *root, str pointer, struct val value,
                 struct err *err)
{
    str last = STR_EMPTY;
    size_t index = 0;

    if (!pointer_is_valid(pointer))
        return err_set(err, ERR_INVALID, "'%.*s' is not a JSON pointer", STR(pointer));
    if (pointer.len == 0) {
        *root = value;
        return true;
    }
    struct val *parent = parent_of(root, pointer, &last);
    if (val_is(parent, VAL_MAP)) {
        str rest = str_of(last.at - 1, last.len + 1);
        (void)pointer_next(arena, &rest, &last);
        val_set(arena, parent, last, value);
        return true;
    }
    if (val_is(parent, VAL_LIST)) {
        if (str_eq(last, S("-"))) {
            val_append(arena, parent, value);
            return true;
        }
        struct val *item = pointer_index(last, &index) ? val_item(parent, index) : NULL;
        if (item == NULL)
            return err_set(err, ERR_INVALID, "'%.*s' names no item of the list", STR(pointer));
        *item = value;
        return true;
    }
    return err_set(err, ERR_NOT_FOUND, "'%.*s' has no parent", STR(pointer));
}

bool pointer_delete(struct val *root, str pointer)
{
    str last = STR_EMPTY;
    size_t index = 0;

    if (!pointer_is_valid(pointer))
        return false;
    struct val *parent = parent_of(root, pointer, &last);
    if (val_is(parent, VAL_LIST))
        return pointer_index(last, &index) && val_remove(parent, index);
    if (!val_is(parent, VAL_MAP))
        return false;
    struct val_iter it = val_iter(parent);
    while (val_next(&it))
        if (part_is(last, it.key))
            return val_del(parent, it.key);
    return false;
}
