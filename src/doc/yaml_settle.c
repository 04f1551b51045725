/* SPDX-License-Identifier: Apache-2.0 */
#include "doc/yaml_scalar.h"

#include <math.h>

str yaml_text(const struct val *v)
{
    switch (val_kind(v)) {
    case VAL_STRING:
    case VAL_NUMBER:
        return str_of(v->text, v->count);
    case VAL_BOOL:
        if (v->text != NULL)
            return str_from(v->text);
        return v->count != 0 ? S("true") : S("false");
    case VAL_NULL:
        if (v != NULL && v->text != NULL)
            return str_from(v->text);
        return v != NULL && (v->style & VAL_EMPTY) != 0 ? STR_EMPTY : S("null");
    case VAL_LIST:
    case VAL_MAP:
        break;
    }
    return STR_EMPTY;
}

static bool fail(struct arena *arena, const struct val *v, const char *what, str text,
                 struct err *err)
{
    str place = val_place(arena, v);

    return err_set(err, ERR_INVALID, "%.*s%scannot write %s `%.*s`", STR(place),
                   place.len > 0 ? ": " : "", what, (int)MIN(text.len, (size_t)80), text.at);
}

static bool settle_number(struct arena *arena, struct val *v, struct err *err)
{
    char text[YAML_NUMBER_SIZE];
    str source = yaml_text(v);
    double number = 0;

    if ((v->style & VAL_FLOAT) == 0) {
        if (!yaml_format_int(source, text))
            return fail(arena, v, "as a whole number", source, err);
    } else {
        if (!yaml_to_double(source, &number))
            return fail(arena, v, "as a number", source, err);
        if (!isfinite(number))
            return fail(arena, v, "in JSON the value", source, err);
        yaml_format_json(number, text);
    }
    if (str_eq(source, str_from(text))) /* most are */
        return true;
    uint8_t style = v->style;
    struct val number_value = val_number(arena, str_from(text));
    v->text = number_value.text;
    v->count = number_value.count;
    v->style = style;
    return true;
}

static bool settle_time(struct arena *arena, struct val *v, struct err *err)
{
    char text[YAML_TIME_SIZE];

    yaml_format_time(yaml_text(v), text);
    if (text[0] == '\0')
        return fail(arena, v, "as a time", yaml_text(v), err);
    str copy = arena_str(arena, str_from(text));
    v->text = copy.at;
    v->count = (uint32_t)copy.len;
    v->spare = YAML_DEFAULT;
    return true;
}

static bool settle_binary(struct arena *arena, struct val *v, struct err *err)
{
    str bytes = STR_EMPTY;

    if (!yaml_decode_base64(arena, yaml_text(v), &bytes) || !str_is_utf8(bytes))
        return fail(arena, v, "as a text of bytes", yaml_text(v), err);
    v->text = arena_z(arena, bytes);
    v->count = (uint32_t)bytes.len;
    v->spare = YAML_DEFAULT;
    return true;
}

static bool is_double_quoted(str s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.at[i];
        if ((c < 0x20 && c != '\n' && c != '\t') || c == 0x7f || c >= 0xf0 ||
            (c == 0xc2 && (unsigned char)s.at[i + 1] < 0xa0) ||
            str_starts(str_from_index(s, i), S("\xEF\xBB\xBF")))
            return true;
        if (c == ' ' && (i + 1 == s.len || s.at[i + 1] == '\n'))
            return true;
    }
    return s.len == 0;
}

/* go-yaml writes a folded text and reads it again, and its writer looks at the wrong character
 * before it doubles a line break: see write_folded there. This is what comes back. */
static void settle_folded(struct arena *arena, struct val *v)
{
    str s = yaml_text(v);
    size_t first = 0;

    v->spare = YAML_DEFAULT;
    if (is_double_quoted(s))
        return;
    while (first < s.len && s.at[first] == '\n')
        first++;
    bool doubles = first < s.len && s.at[first] != ' ' && s.at[first] != '\t';
    char *out = arena_bytes(arena, s.len * 2 + 1);
    size_t len = 0;
    bool blank_line = true; /* nothing folds behind a line that begins with a blank */
    for (size_t i = 0; i < s.len;) {
        if (s.at[i] != '\n') {
            if (i == 0 || s.at[i - 1] == '\n')
                blank_line = s.at[i] == ' ' || s.at[i] == '\t';
            out[len++] = s.at[i++];
            continue;
        }
        size_t breaks = 0;
        for (; i < s.len && s.at[i] == '\n'; i++)
            breaks++;
        bool at_end = i == s.len;
        size_t written = breaks + (doubles && !blank_line ? 1 : 0);
        bool folds = !at_end && !blank_line && s.at[i] != ' ' && s.at[i] != '\t';
        if (at_end && breaks == 1)
            written = 1; /* clipped */
        if (folds && written == 1)
            out[len++] = ' ';
        else
            for (size_t n = folds ? written - 1 : written; n > 0; n--)
                out[len++] = '\n';
    }
    out[len] = '\0';
    v->text = out;
    v->count = (uint32_t)len;
}

static void settle_untagged(struct val *v)
{
    str text = yaml_text(v);

    v->spare = YAML_DEFAULT;
    switch (yaml_resolve(text, YAML_12)) {
    case YAML_STR:
    case YAML_MERGE:
        break;
    case YAML_NULL:
        v->kind = VAL_NULL;
        v->text = NULL;
        v->count = 0;
        break;
    case YAML_BOOL:
        v->kind = VAL_BOOL;
        v->count = yaml_word_is_true(text);
        v->text = NULL; /* borrowed: need not end in NUL */
        break;
    case YAML_INT:
        v->kind = VAL_NUMBER;
        break;
    case YAML_FLOAT:
        v->kind = VAL_NUMBER;
        v->style |= VAL_FLOAT;
        break;
    case YAML_TIMESTAMP:
        v->spare = YAML_TIME;
        break;
    }
}

static bool settle_scalar(struct arena *arena, struct val *v, bool in_flow, struct err *err)
{
    if (v->kind == VAL_STRING && (v->spare & YAML_TYPE_MASK) == YAML_UNTAGGED)
        settle_untagged(v);
    switch (val_kind(v)) {
    case VAL_NUMBER:
        return settle_number(arena, v, err);
    case VAL_BOOL:
        if (v->text != NULL && yaml_resolve(str_from(v->text), YAML_11) != YAML_BOOL)
            return fail(arena, v, "as a bool", str_from(v->text), err);
        v->text = NULL;
        return true;
    case VAL_NULL:
        if (v->text != NULL && yaml_resolve(str_from(v->text), YAML_12) != YAML_NULL)
            return fail(arena, v, "as null", str_from(v->text), err);
        /* inside {} and [] an empty value becomes '' when it is written */
        if (in_flow && (v->style & VAL_EMPTY) != 0)
            *v = val_string_borrow(STR_EMPTY);
        v->text = NULL;
        return true;
    case VAL_STRING:
        if ((v->spare & YAML_TYPE_MASK) == YAML_TIME)
            return settle_time(arena, v, err);
        if ((v->spare & YAML_TYPE_MASK) == YAML_BINARY)
            return settle_binary(arena, v, err);
        if ((v->spare & YAML_TYPE_MASK) == YAML_FOLDED && in_flow)
            v->spare = YAML_DEFAULT;
        else if ((v->spare & YAML_TYPE_MASK) == YAML_FOLDED)
            settle_folded(arena, v);
        return true;
    case VAL_LIST:
    case VAL_MAP:
        break;
    }
    return true;
}

static bool settle(struct arena *arena, struct val *v, bool in_flow, unsigned depth,
                   struct err *err)
{
    if (v->kind != VAL_MAP && v->kind != VAL_LIST)
        return settle_scalar(arena, v, in_flow, err);
    if (depth > 2 * LIMIT_DOC_DEPTH)
        return err_set(err, ERR_LIMIT, "the document is nested too deeply (LIMIT_DOC_DEPTH)");
    str place = (v->spare & (YAML_TWICE | YAML_ODD_KEY)) != 0 ? val_place(arena, v) : STR_EMPTY;
    if ((v->spare & YAML_TWICE) != 0)
        return err_set(err, ERR_INVALID, "%.*s: a mapping key is already defined in this map",
                       STR(place));
    if ((v->spare & YAML_ODD_KEY) != 0 && depth > 0)
        return err_set(err, ERR_INVALID, "%.*s: this map has a key that is no text; quote the key",
                       STR(place));
    bool flow = in_flow || (v->spare & YAML_FLOW) != 0;
    v->spare = 0;
    struct val_iter it = val_iter(v);
    while (val_next(&it))
        if (!settle(arena, it.value, flow, depth + 1, err))
            return false;
    return true;
}

bool yaml_settle(struct arena *arena, struct val *v, struct err *err)
{
    return settle(arena, v, /*in_flow=*/false, 0, err);
}
