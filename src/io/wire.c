/* SPDX-License-Identifier: Apache-2.0 */
#include "io/wire.h"

#include "base/map.h"

enum { NODE_NONE = 15, STYLE_MASK = 31, SMALL_MAP = 16, DEPTH_MAX = LIMIT_DOC_DEPTH + 8 };

void wire_put_u64(struct buf *out, uint64_t value)
{
    while (value >= 0x80) {
        buf_addc(out, (char)(0x80 | (value & 0x7f)));
        value >>= 7;
    }
    buf_addc(out, (char)value);
}

void wire_put_bool(struct buf *out, bool value)
{
    buf_addc(out, value ? 1 : 0);
}

void wire_put_str(struct buf *out, str s)
{
    wire_put_u64(out, s.len);
    buf_add(out, s);
}

static void put_node(struct buf *out, const struct val *v)
{
    enum val_kind kind = val_kind(v);

    buf_addc(out, (char)kind);
    buf_addc(out, (char)(v->style & STYLE_MASK));
    wire_put_u64(out, val_line(v));
    wire_put_u64(out, val_column(v));
    switch (kind) {
    case VAL_NULL:
        return;
    case VAL_BOOL:
        wire_put_bool(out, val_is_true(v));
        return;
    case VAL_NUMBER:
    case VAL_STRING:
        wire_put_str(out, val_text(v));
        return;
    case VAL_LIST:
    case VAL_MAP:
        break;
    }
    wire_put_u64(out, val_count(v));
    for (struct val_iter it = val_iter(v); val_next(&it);) {
        if (kind == VAL_MAP)
            wire_put_str(out, it.key);
        put_node(out, it.value);
    }
}

void wire_put_val(struct buf *out, const struct val *v)
{
    if (v == NULL)
        buf_addc(out, NODE_NONE);
    else
        put_node(out, v);
}

/* ---- reading ---- */

struct wire wire_of(str bytes, struct arena *arena)
{
    return (struct wire){.rest = bytes, .arena = arena};
}

static unsigned char byte_next(struct wire *w)
{
    if (w->bad || str_is_empty(w->rest)) {
        w->bad = true;
        return 0;
    }
    unsigned char byte = (unsigned char)w->rest.at[0];
    w->rest = str_from_index(w->rest, 1);
    return byte;
}

uint64_t wire_u64(struct wire *w)
{
    uint64_t value = 0;

    for (unsigned shift = 0; shift < 64; shift += 7) {
        unsigned char byte = byte_next(w);
        if (shift == 63 && byte > 1)
            break;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if ((byte & 0x80) == 0)
            return w->bad ? 0 : value;
    }
    w->bad = true;
    return 0;
}

uint64_t wire_u64_most(struct wire *w, uint64_t max)
{
    uint64_t value = wire_u64(w);

    if (value <= max)
        return value;
    w->bad = true;
    return 0;
}

size_t wire_count(struct wire *w, size_t max)
{
    uint64_t count = wire_u64(w);

    if (count > max || count > w->rest.len) {
        w->bad = true;
        return 0;
    }
    return (size_t)count;
}

bool wire_bool(struct wire *w)
{
    unsigned char byte = byte_next(w);

    if (byte > 1)
        w->bad = true;
    return byte == 1;
}

str wire_str(struct wire *w)
{
    uint64_t len = wire_u64(w);

    if (w->bad || len > w->rest.len) {
        w->bad = true;
        return STR_EMPTY;
    }
    str s = str_first(w->rest, (size_t)len);
    w->rest = str_from_index(w->rest, (size_t)len);
    return s;
}

str wire_text(struct wire *w)
{
    str s = wire_str(w);

    if (!str_is_utf8(s) || str_find_char(s, '\0') != SIZE_MAX) {
        w->bad = true;
        return STR_EMPTY;
    }
    return s;
}

str wire_dup(struct wire *w)
{
    return arena_str(w->arena, wire_text(w));
}

static size_t digits(str s)
{
    size_t n = 0;

    while (n < s.len && s.at[n] >= '0' && s.at[n] <= '9')
        n++;
    return n;
}

/* RFC 8259 section 6. */
static bool is_json_number(str s)
{
    str_skip(&s, S("-"));
    size_t whole = digits(s);
    if (whole == 0 || (whole > 1 && s.at[0] == '0'))
        return false;
    s = str_from_index(s, whole);
    if (str_skip(&s, S("."))) {
        size_t fraction = digits(s);
        if (fraction == 0)
            return false;
        s = str_from_index(s, fraction);
    }
    if (str_skip(&s, S("e")) || str_skip(&s, S("E"))) {
        if (!str_skip(&s, S("+")))
            str_skip(&s, S("-"));
        size_t exponent = digits(s);
        if (exponent == 0)
            return false;
        s = str_from_index(s, exponent);
    }
    return str_is_empty(s);
}

static struct val node(struct wire *w, int depth);

static struct val node_list(struct wire *w, int depth)
{
    struct val v = val_list();
    size_t count = wire_count(w, LIMIT_DOC_BYTES);

    for (size_t i = 0; i < count && !w->bad && !arena_is_over(w->arena); i++)
        val_append(w->arena, &v, node(w, depth + 1));
    return v;
}

static struct val node_map(struct wire *w, int depth)
{
    struct val v = val_map();
    size_t count = wire_count(w, LIMIT_DOC_BYTES);
    auto_map struct map *seen = count > SMALL_MAP ? map_new() : NULL;

    for (size_t i = 0; i < count && !w->bad && !arena_is_over(w->arena); i++) {
        str key = wire_str(w);
        bool twice = seen != NULL ? map_set(seen, key, w) != NULL : val_get(&v, key) != NULL;
        if (twice || !str_is_utf8(key)) {
            w->bad = true;
            break;
        }
        val_add(w->arena, &v, key, node(w, depth + 1));
    }
    return v;
}

static struct val node_text(struct wire *w)
{
    str s = wire_str(w);

    if (!str_is_utf8(s))
        w->bad = true;
    return val_string(w->arena, w->bad ? STR_EMPTY : s);
}

static struct val node_number(struct wire *w)
{
    str s = wire_str(w);

    if (!is_json_number(s))
        w->bad = true;
    return val_number(w->arena, w->bad ? S("0") : s);
}

static struct val node_body(struct wire *w, unsigned kind, int depth)
{
    switch (kind) {
    case VAL_NULL:
        return val_null();
    case VAL_BOOL:
        return val_bool(wire_bool(w));
    case VAL_NUMBER:
        return node_number(w);
    case VAL_STRING:
        return node_text(w);
    case VAL_LIST:
        return node_list(w, depth);
    case VAL_MAP:
        return node_map(w, depth);
    default:
        w->bad = true;
        return val_null();
    }
}

static struct val node(struct wire *w, int depth)
{
    unsigned kind = byte_next(w);
    unsigned style = byte_next(w);
    uint64_t line = wire_u64(w);
    uint64_t column = wire_u64(w);

    if (depth > DEPTH_MAX || style > STYLE_MASK)
        w->bad = true;
    if (w->bad)
        return val_null();

    struct val v = node_body(w, kind, depth);
    v.style = (uint8_t)style;
    if (line > 0)
        val_set_place(&v, 0, (size_t)line, (size_t)column);
    return v;
}

struct val *wire_val(struct wire *w)
{
    if (!str_is_empty(w->rest) && w->rest.at[0] == NODE_NONE) {
        w->rest = str_from_index(w->rest, 1);
        return NULL;
    }
    struct val v = node(w, 0);
    return w->bad ? NULL : val_new(w->arena, v);
}

bool wire_end(const struct wire *w, const char *what, struct err *err)
{
    if (w->bad || !str_is_empty(w->rest))
        return err_set(err, ERR_INTERNAL, "%s cannot be understood", what);
    return w->arena == NULL || arena_check(w->arena, what, err);
}

void wire_put_frame(struct buf *out, str body)
{
    char head[WIRE_HEAD];

    for (size_t i = 0; i < WIRE_HEAD; i++)
        head[i] = (char)(((uint64_t)body.len >> (8 * i)) & 0xff);
    buf_add(out, str_of(head, WIRE_HEAD));
    buf_add(out, body);
}

bool wire_frame(str bytes, size_t max, str *ret_body, bool *ret_bad)
{
    uint64_t len = 0;

    if (bytes.len < WIRE_HEAD)
        return false;
    for (size_t i = 0; i < WIRE_HEAD; i++)
        len |= (uint64_t)(unsigned char)bytes.at[i] << (8 * i);
    if (len > max) {
        *ret_bad = true;
        return false;
    }
    if (bytes.len - WIRE_HEAD < len)
        return false;
    *ret_body = str_of(bytes.at + WIRE_HEAD, (size_t)len);
    return true;
}
