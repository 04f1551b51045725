/* SPDX-License-Identifier: Apache-2.0 */
#include "doc/json.h"

#include "base/mem.h"

#include <stdlib.h>

struct emitter {
    struct buf *out;
    unsigned format;
    size_t level;
};

static void emit(struct emitter *e, const struct val *v);

/* ---- strings ---- */

enum { KEEP = 0, ESCAPE = 1, HTML = 2, WIDE = 4 };

/* What a byte asks for; everything that is not listed stays. */
static const unsigned char classes[256] = {
        [0 ... 0x1f] = ESCAPE, ['"'] = ESCAPE, ['\\'] = ESCAPE,        ['<'] = HTML,
        ['>'] = HTML,          ['&'] = HTML,   [0x80 ... 0xff] = WIDE,
};

static void emit_escape(struct buf *out, unsigned char c)
{
    static const char from[] = "\"\\\b\f\n\r\t";
    static const char into[] = "\"\\bfnrt";
    const char *known = c == '\0' ? NULL : strchr(from, c);

    if (known == NULL) {
        buf_addf(out, "\\u%04x", c);
        return;
    }
    buf_addc(out, '\\');
    buf_addc(out, into[known - from]);
}

/* A multi-byte sequence at s: what is no UTF-8 becomes U+FFFD, so that the output always is. */
static size_t emit_wide(struct buf *out, str s, unsigned format)
{
    size_t length = 2;

    while (length <= 4 && length <= s.len && !str_is_utf8(str_first(s, length)))
        length++;
    if (length > 4 || length > s.len) {
        buf_add(out, S("\xef\xbf\xbd"));
        return 1;
    }
    str one = str_first(s, length);
    if ((format & JSON_ESCAPE_HTML) != 0 && str_eq(one, S("\xe2\x80\xa8")))
        buf_add(out, S("\\u2028"));
    else if ((format & JSON_ESCAPE_HTML) != 0 && str_eq(one, S("\xe2\x80\xa9")))
        buf_add(out, S("\\u2029"));
    else
        buf_add(out, one);
    return length;
}

void json_format_string(struct buf *out, str text, unsigned format)
{
    unsigned stops = ESCAPE | WIDE | ((format & JSON_ESCAPE_HTML) != 0 ? HTML : 0);
    size_t from = 0;
    size_t at = 0;

    buf_addc(out, '"');
    while (at < text.len) {
        unsigned class = classes[(unsigned char)text.at[at]];
        if ((class & stops) == 0) {
            at++;
            continue;
        }
        buf_add(out, str_of(text.at + from, at - from));
        if (class == WIDE) {
            at += emit_wide(out, str_from_index(text, at), format);
        } else {
            emit_escape(out, (unsigned char)text.at[at]);
            at++;
        }
        from = at;
    }
    buf_add(out, str_of(text.at + from, text.len - from));
    buf_addc(out, '"');
}

/* ---- containers ---- */

static void newline(struct emitter *e)
{
    if ((e->format & JSON_PRETTY) == 0)
        return;
    buf_addc(e->out, '\n');
    buf_fill(e->out, ' ', e->level * 2);
}

static void emit_member(struct emitter *e, str key, const struct val *value)
{
    json_format_string(e->out, key, e->format);
    buf_add(e->out, (e->format & JSON_PRETTY) != 0 ? S(": ") : S(":"));
    emit(e, value);
}

struct sorted_member {
    str key;
    const struct val *value;
};

static int compare_keys(const void *a, const void *b)
{
    return str_cmp(((const struct sorted_member *)a)->key, ((const struct sorted_member *)b)->key);
}

static void emit_sorted(struct emitter *e, const struct val *map)
{
    size_t count = val_count(map);
    struct sorted_member *members = new0_array(count, struct sorted_member);
    struct val_iter it = val_iter(map);

    while (val_next(&it))
        members[it.index] = (struct sorted_member){it.key, it.value};
    qsort(members, count, sizeof(*members), compare_keys);
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buf_addc(e->out, ',');
        newline(e);
        emit_member(e, members[i].key, members[i].value);
    }
    mem_free(members);
}

static void emit_container(struct emitter *e, const struct val *v)
{
    bool is_map = val_is(v, VAL_MAP);

    buf_addc(e->out, is_map ? '{' : '[');
    if (val_count(v) > 0 && !buf_is_over(e->out)) {
        e->level++;
        if (is_map && (e->format & JSON_SORT_KEYS) != 0) {
            emit_sorted(e, v);
        } else {
            struct val_iter it = val_iter(v);
            while (val_next(&it) && !buf_is_over(e->out)) {
                if (it.index > 0)
                    buf_addc(e->out, ',');
                newline(e);
                if (is_map)
                    emit_member(e, it.key, it.value);
                else
                    emit(e, it.value);
            }
        }
        e->level--;
        newline(e);
    }
    buf_addc(e->out, is_map ? '}' : ']');
}

static void emit(struct emitter *e, const struct val *v)
{
    switch (val_kind(v)) {
    case VAL_NULL:
        buf_add(e->out, S("null"));
        break;
    case VAL_BOOL:
    case VAL_NUMBER:
        buf_add(e->out, val_text(v));
        break;
    case VAL_STRING:
        json_format_string(e->out, val_str(v), e->format);
        break;
    case VAL_LIST:
    case VAL_MAP:
        emit_container(e, v);
        break;
    }
}

void json_format(struct buf *out, const struct val *v, unsigned format)
{
    struct emitter e = {.out = out, .format = format};

    emit(&e, v);
}

str json_text(struct arena *arena, const struct val *v, unsigned format)
{
    auto_buf struct buf out = {0};

    buf_init(&out, SIZE_MAX / 2);
    json_format(&out, v, format);
    return arena_str(arena, buf_str(&out));
}
