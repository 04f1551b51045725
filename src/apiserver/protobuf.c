/* SPDX-License-Identifier: Apache-2.0 */
#include "apiserver/protobuf.h"

#include "base/clock.h"
#include "doc/hash.h"
#include "doc/json.h"
#include "schema/gvk.h"

#include <assert.h>
#include <math.h>

extern const char data_protobuf[];
extern const size_t data_protobuf_size;

#define MAGIC S("k8s\0")

/* The table: message name → list of [number, JSON name, type]. A type is a letter (s text, i
 * integer, b boolean, d double, y bytes) or a message's name, with * (pointer: zero is a value),
 * [ (repeated), { (map from texts) or L (a message that is a list) in front. Read once; it lives
 * for the process. */
static const struct val *table(void)
{
    static struct val *messages;
    static struct arena *arena;
    struct err err = {0};

    /* Asked of the arena, so that a leak checker sees who holds it. */
    if (arena == NULL) {
        arena = arena_new(8 * LIMIT_MIB);
        bool parsed =
                json_parse(arena, str_of(data_protobuf, data_protobuf_size), NULL, &messages, &err);
        assert(parsed);
    }
    return messages;
}

/* ---- the wire ---- */

enum wire { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2, WIRE_FIXED32 = 5 };

struct field {
    uint64_t number;
    enum wire wire;
    uint64_t varint; /* also of the fixed ones */
    str bytes;
};

static bool take_varint(str *rest, uint64_t *ret)
{
    uint64_t value = 0;

    for (unsigned shift = 0; shift < 64 && rest->len > 0; shift += 7) {
        unsigned char byte = (unsigned char)rest->at[0];

        *rest = str_from_index(*rest, 1);
        value |= (uint64_t)(byte & 0x7f) << shift;
        if ((byte & 0x80) == 0) {
            *ret = value;
            return true;
        }
    }
    return false;
}

static bool take_fixed(str *rest, size_t size, uint64_t *ret)
{
    uint64_t value = 0;

    if (rest->len < size)
        return false;
    for (size_t i = 0; i < size; i++)
        value |= (uint64_t)(unsigned char)rest->at[i] << (8 * i);
    *rest = str_from_index(*rest, size);
    *ret = value;
    return true;
}

static bool take_field(str *rest, struct field *ret)
{
    struct field field = {0};
    uint64_t tag, len;

    if (!take_varint(rest, &tag))
        return false;
    field.number = tag >> 3;
    field.wire = (enum wire)(tag & 7);
    switch (tag & 7) {
    case WIRE_VARINT:
        if (!take_varint(rest, &field.varint))
            return false;
        break;
    case WIRE_FIXED64:
    case WIRE_FIXED32:
        if (!take_fixed(rest, (tag & 7) == WIRE_FIXED64 ? 8 : 4, &field.varint))
            return false;
        break;
    case WIRE_BYTES:
        if (!take_varint(rest, &len) || len > rest->len)
            return false;
        field.bytes = str_first(*rest, len);
        *rest = str_from_index(*rest, len);
        break;
    default:
        return false; /* groups are of another age */
    }
    *ret = field;
    return true;
}

/* ---- types of their own ---- */

static struct val text_value(struct arena *arena, str bytes)
{
    return str_is_utf8(bytes) ? val_string(arena, bytes) : val_null();
}

/* The fields 1 and 2 of a small message, and 3 as text. */
static bool small(str bytes, uint64_t *ret_one, uint64_t *ret_two, str *ret_text)
{
    struct field field;

    while (!str_is_empty(bytes)) {
        if (!take_field(&bytes, &field))
            return false;
        if (field.number == 1)
            *ret_one = field.varint;
        if (field.number == 2)
            *ret_two = field.varint;
        if (field.wire == WIRE_BYTES)
            *ret_text = field.bytes;
    }
    return true;
}

static struct val time_value(struct arena *arena, str bytes, bool micro)
{
    uint64_t seconds = 0, nanos = 0;
    char text[CLOCK_RFC3339_SIZE];
    str none;

    if (str_is_empty(bytes) || !small(bytes, &seconds, &nanos, &none) ||
        (int64_t)seconds < -62135596800 || (int64_t)seconds > 253402300799)
        return val_null();
    if (micro)
        clock_format_micro((int64_t)seconds * 1000000 + (int64_t)(nanos / 1000), text);
    else
        clock_format((int64_t)seconds * 1000, text);
    return val_string(arena, str_from(text));
}

static struct val int_or_string(struct arena *arena, str bytes)
{
    uint64_t is_text = 0, number = 0;
    str text = STR_EMPTY;

    if (str_is_empty(bytes) || !small(bytes, &is_text, &number, &text))
        return val_null();
    if (is_text == 1)
        return text_value(arena, text);
    return val_int(arena, (int32_t)number);
}

static struct val raw_json(struct arena *arena, str bytes)
{
    uint64_t one = 0, two = 0;
    str text = STR_EMPTY;
    struct val *value = NULL;

    if (!small(bytes, &one, &two, &text) || str_is_empty(text) ||
        !json_parse(arena, text, NULL, &value, NULL))
        return val_null();
    return *value;
}

static struct val first_text(struct arena *arena, str bytes)
{
    uint64_t one = 0, two = 0;
    str text = STR_EMPTY;

    return small(bytes, &one, &two, &text) && !str_is_empty(text) ? text_value(arena, text)
                                                                  : val_null();
}

static bool is_special(str type, struct arena *arena, str bytes, struct val *ret)
{
    if (str_eq(type, S("meta.v1.Time")))
        *ret = time_value(arena, bytes, /*micro=*/false);
    else if (str_eq(type, S("meta.v1.MicroTime")))
        *ret = time_value(arena, bytes, /*micro=*/true);
    else if (str_eq(type, S("intstr.IntOrString")))
        *ret = int_or_string(arena, bytes);
    else if (str_eq(type, S("resource.Quantity")))
        *ret = first_text(arena, bytes);
    else if (str_eq(type, S("runtime.RawExtension")) || str_eq(type, S("meta.v1.FieldsV1")))
        *ret = raw_json(arena, bytes);
    else
        return false;
    return true;
}

/* ---- messages ---- */

static bool decode_message(struct arena *arena, str name, str bytes, struct val *map, int depth);

/* One value of a type without prefix. Null: nothing, or zero where zero is nothing. */
static bool decode_value(struct arena *arena, str type, const struct field *field, int depth,
                         struct val *ret)
{
    if (type.len == 1) {
        switch (type.at[0]) {
        case 's':
            *ret = text_value(arena, field->bytes);
            return true;
        case 'y':
            *ret = val_string(arena, base64_encode(arena, field->bytes));
            return true;
        case 'i':
            *ret = val_int(arena, (int64_t)field->varint);
            return true;
        case 'b':
            *ret = val_bool(field->varint != 0);
            return true;
        case 'd': {
            double number;

            memcpy(&number, &field->varint, sizeof(number));
            *ret = isfinite(number) ? val_number(arena, arena_printf(arena, "%.17g", number))
                                    : val_null();
            return true;
        }
        default:
            return false;
        }
    }
    if (is_special(type, arena, field->bytes, ret))
        return true;
    if (str_skip(&type, S("L"))) {
        str rest = field->bytes;
        struct field item;

        *ret = val_list();
        while (!str_is_empty(rest)) {
            struct val value;

            if (!take_field(&rest, &item) || !decode_value(arena, type, &item, depth + 1, &value))
                return false;
            val_append(arena, ret, value);
        }
        return true;
    }
    *ret = val_map();
    return decode_message(arena, type, field->bytes, ret, depth + 1);
}

static bool is_zero(const struct val *v)
{
    switch (val_kind(v)) {
    case VAL_NULL:
        return true;
    case VAL_BOOL:
        return !val_is_true(v);
    case VAL_NUMBER:
        return val_i64_or(v, 1) == 0;
    case VAL_STRING:
    case VAL_LIST:
    case VAL_MAP:
        return val_kind(v) == VAL_STRING ? str_is_empty(val_str(v)) : val_count(v) == 0;
    }
    return false;
}

static bool decode_entry(struct arena *arena, str type, str bytes, struct val *map, int depth)
{
    str key = STR_EMPTY;
    struct val value = type.len == 1 ? val_string(arena, STR_EMPTY) : val_null();
    struct field field;

    while (!str_is_empty(bytes)) {
        if (!take_field(&bytes, &field))
            return false;
        if (field.number == 1)
            key = field.bytes;
        else if (!decode_value(arena, type, &field, depth + 1, &value))
            return false;
    }
    if (str_is_utf8(key))
        val_set(arena, map, key, value);
    return true;
}

static bool decode_field(struct arena *arena, const struct val *row, const struct field *field,
                         struct val *map, int depth)
{
    str name = val_str(val_item(row, 1));
    str type = val_str(val_item(row, 2));
    bool pointer = str_skip(&type, S("*"));
    struct val value;

    if (str_is_empty(name)) /* embedded: its fields are ours */
        return decode_message(arena, type, field->bytes, map, depth + 1);
    if (str_skip(&type, S("{")))
        return decode_entry(arena, type, field->bytes, val_ensure_map(arena, map, name), depth);
    if (str_skip(&type, S("["))) {
        if (!decode_value(arena, type, field, depth, &value))
            return false;
        val_append(arena, val_ensure_list(arena, map, name), value);
        return true;
    }
    if (!decode_value(arena, type, field, depth, &value))
        return false;
    /* Go writes every plain field; JSON leaves out those that are zero */
    if (pointer ? !val_is(&value, VAL_NULL) : !is_zero(&value))
        val_set(arena, map, name, value);
    return true;
}

static bool decode_message(struct arena *arena, str name, str bytes, struct val *map, int depth)
{
    const struct val *rows = val_get(table(), name);
    struct field field;

    if (depth > LIMIT_DOC_DEPTH || arena_is_over(arena))
        return false;
    while (!str_is_empty(bytes)) {
        if (!take_field(&bytes, &field))
            return false;
        struct val_iter it = val_iter(rows);
        while (val_next(&it))
            if ((uint64_t)val_i64_or(val_item(it.value, 0), -1) == field.number) {
                if (!decode_field(arena, it.value, &field, map, depth))
                    return false;
                break;
            }
    }
    return true;
}

/* "core.v1.Pod" of v1 Pod, "rbac.v1.Role" of rbac.authorization.k8s.io/v1 Role. */
static str message_of(struct arena *arena, struct gvk gvk)
{
    size_t point = str_find_char(gvk.group, '.');
    str group = point == SIZE_MAX ? gvk.group : str_first(gvk.group, point);

    if (str_eq(gvk.kind, S("DeleteOptions")))
        return S("meta.v1.DeleteOptions");
    return arena_printf(arena, "%.*s.%.*s.%.*s", STR(str_is_empty(group) ? S("core") : group),
                        STR(gvk.version), STR(gvk.kind));
}

bool protobuf_is(str body)
{
    return str_starts(body, MAGIC);
}

static bool malformed(struct err *err)
{
    return err_set(err, ERR_INVALID, "the protobuf body is malformed");
}

bool protobuf_decode(struct arena *arena, str body, struct val **ret_object, struct err *err)
{
    struct val *object = val_new(arena, val_map());
    str raw = STR_EMPTY, api_version = STR_EMPTY, kind = STR_EMPTY;
    struct field field, of;

    if (!str_skip(&body, MAGIC))
        return malformed(err);
    while (!str_is_empty(body)) {
        if (!take_field(&body, &field))
            return malformed(err);
        if (field.number == 2)
            raw = field.bytes;
        while (field.number == 1 && !str_is_empty(field.bytes)) {
            if (!take_field(&field.bytes, &of))
                return malformed(err);
            if (of.number == 1)
                api_version = of.bytes;
            if (of.number == 2)
                kind = of.bytes;
        }
    }
    if (!str_is_utf8(api_version) || !str_is_utf8(kind))
        return malformed(err);
    str message = message_of(arena, gvk_parse(api_version, kind));
    if (val_get(table(), message) == NULL)
        return err_set(err, ERR_UNSUPPORTED, "%.*s %.*s is not known in protobuf", STR(api_version),
                       STR(kind));
    val_set_str(arena, object, S("kind"), kind);
    val_set_str(arena, object, S("apiVersion"), api_version);
    if (!decode_message(arena, message, raw, object, 0) ||
        !arena_check(arena, "the protobuf body", err))
        return malformed(err);

    *ret_object = object;
    return true;
}
