/* SPDX-License-Identifier: Apache-2.0 */
#include "apiserver/jsonpath.h"

/* A name up to '.' or '['; a backslash takes the next byte as it is. */
static str take_name(struct arena *arena, str *rest)
{
    char *text = arena_bytes(arena, rest->len + 1);
    size_t len = 0, at = 0;

    while (at < rest->len && rest->at[at] != '.' && rest->at[at] != '[') {
        if (rest->at[at] == '\\' && at + 1 < rest->len)
            at++;
        text[len++] = rest->at[at++];
    }
    *rest = str_from_index(*rest, at);
    return str_of(text, len);
}

static str unquote(str text)
{
    text = str_trim(text);
    if (text.len >= 2 && (text.at[0] == '"' || text.at[0] == '\'') &&
        text.at[text.len - 1] == text.at[0])
        return str_first(str_from_index(text, 1), text.len - 2);
    return text;
}

/* [?(@.name=="value")]: the first item of which that is true. */
static const struct val *filtered(struct arena *arena, const struct val *list, str filter)
{
    size_t equals = str_find(filter, S("=="));

    if (!str_skip(&filter, S("?(@.")) || !str_chop(&filter, S(")")) || equals == SIZE_MAX)
        return NULL;
    equals = str_find(filter, S("=="));
    str path = str_trim(str_first(filter, equals));
    str wanted = unquote(str_from_index(filter, equals + 2));
    struct val_iter it = val_iter(list);
    while (val_next(&it)) {
        str dotted = arena_printf(arena, ".%.*s", STR(path));

        if (str_eq(val_text(jsonpath_first(arena, it.value, dotted)), wanted))
            return it.value;
    }
    return NULL;
}

static const struct val *step_bracket(struct arena *arena, const struct val *v, str *rest)
{
    size_t end = str_find_char(*rest, ']');
    uint64_t index;

    if (end == SIZE_MAX)
        return NULL;
    str inner = str_first(str_from_index(*rest, 1), end - 1);
    *rest = str_from_index(*rest, end + 1);
    if (str_starts(inner, S("?")))
        return filtered(arena, v, inner);
    if (str_eq(inner, S("*")))
        return val_item(v, 0);
    if (str_to_u64(inner, &index))
        return val_item(v, index);
    return val_get(v, unquote(inner));
}

const struct val *jsonpath_first(struct arena *arena, const struct val *root, str path)
{
    const struct val *v = root;

    str_skip(&path, S("$"));
    if (str_skip(&path, S("{")))
        str_chop(&path, S("}"));
    while (v != NULL && !str_is_empty(path)) {
        if (path.at[0] == '[') {
            v = step_bracket(arena, v, &path);
            continue;
        }
        if (path.at[0] == '.')
            path = str_from_index(path, 1);
        str name = take_name(arena, &path);
        if (!str_is_empty(name))
            v = val_get(v, name);
    }
    return v;
}
