/* SPDX-License-Identifier: Apache-2.0 */
#include "schema/validate.h"

#include "base/buf.h"
#include "doc/hash.h"
#include "doc/quantity.h"

#include <stdarg.h>

struct walk {
    struct arena *arena;
    struct buf path; /* "spec.containers[0]" */
    bool prune;
    struct val *out;
    struct err *err;
    const struct type *parent; /* the struct that holds the value: Go names it */
};

void validate_problem(struct arena *arena, struct val *problems, const char *reason, str field,
                      const char *format, ...)
{
    char text[LIMIT_ERR_MESSAGE];
    struct val one = val_map();
    va_list args;

    if (val_count(problems) >= LIMIT_SCHEMA_PROBLEMS)
        return;
    va_start(args, format);
    int len = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    size_t used = MIN((size_t)MAX(len, 0), sizeof(text) - 1);
    val_set_str(arena, &one, S("reason"), str_from(reason));
    val_set_str(arena, &one, S("message"), str_of(text, str_utf8_clip(str_of(text, used), used)));
    val_set_str(arena, &one, S("field"), field);
    val_append(arena, problems, one);
}

str validate_summary(struct arena *arena, const struct val *problems)
{
    auto_buf struct buf out = {0};
    struct val_iter it = val_iter(problems);
    bool many = val_count(problems) > 1;

    buf_init(&out, LIMIT_MIB);
    if (many)
        buf_addc(&out, '[');
    while (val_next(&it))
        buf_addf(&out, "%s%.*s: %.*s", it.index > 0 ? ", " : "",
                 STR(val_get_str(it.value, S("field"))), STR(val_get_str(it.value, S("message"))));
    if (many)
        buf_addc(&out, ']');
    return arena_str(arena, buf_str(&out));
}

static size_t push_name(struct buf *path, str name)
{
    size_t len = path->len;

    buf_addf(path, "%s%.*s", len > 0 ? "." : "", STR(name));
    return len;
}

static void pop(struct buf *path, size_t len)
{
    path->len = len;
    if (path->at != NULL)
        path->at[len] = '\0';
}

/* ---- unknown fields ---- */

static void unknown_in(struct walk *w, const struct type *type, struct val *v);

static bool is_known(const struct type *type, str name)
{
    if (type_field(type, name) != NULL)
        return true;
    if (type->embedded &&
        (str_eq(name, S("apiVersion")) || str_eq(name, S("kind")) || str_eq(name, S("metadata"))))
        return true;
    if (type->element == NULL)
        return false;
    return type->element->kind != TYPE_ANY || type->preserve_unknown;
}

static void unknown_in_map(struct walk *w, const struct type *type, struct val *v)
{
    struct val unknown = val_list();
    struct val_iter it = val_iter(v);

    while (val_next(&it)) {
        size_t len = push_name(&w->path, it.key);
        const struct type *member = type_member(type, it.key);
        if (is_known(type, it.key)) {
            if (member != NULL)
                unknown_in(w, member, it.value);
        } else {
            val_append(w->arena, &unknown, val_string(w->arena, it.key));
            if (val_count(w->out) < LIMIT_SCHEMA_PROBLEMS)
                val_append(w->arena, w->out, val_string(w->arena, buf_str(&w->path)));
        }
        pop(&w->path, len);
    }
    it = val_iter(&unknown);
    while (w->prune && val_next(&it))
        val_del(v, val_str(it.value));
}

static void unknown_in(struct walk *w, const struct type *type, struct val *v)
{
    if (type->kind == TYPE_MAP && val_is(v, VAL_MAP)) {
        unknown_in_map(w, type, v);
        return;
    }
    if (type->kind != TYPE_LIST || !val_is(v, VAL_LIST))
        return;
    struct val_iter it = val_iter(v);
    while (val_next(&it)) {
        size_t len = w->path.len;
        buf_addf(&w->path, "[%zu]", it.index);
        unknown_in(w, type->element, it.value);
        pop(&w->path, len);
    }
}

void validate_unknown(struct arena *arena, const struct type *type, struct val *object, bool prune,
                      struct val *ret_paths)
{
    struct walk w = {.arena = arena, .prune = prune, .out = ret_paths};

    buf_init(&w.path, LIMIT_MIB);
    unknown_in(&w, type, object);
    buf_done(&w.path);
}

/* ---- decoding ---- */

static const char *json_word(const struct val *v)
{
    switch (val_kind(v)) {
    case VAL_NULL:
        return "null";
    case VAL_BOOL:
        return "bool";
    case VAL_NUMBER:
        return "number";
    case VAL_STRING:
        return "string";
    case VAL_LIST:
        return "array";
    case VAL_MAP:
        return "object";
    }
    return "";
}

static str go_type(struct arena *arena, const struct type *type)
{
    switch (type->kind) {
    case TYPE_STRING:
        return str_eq(type->format, S("byte")) ? S("[]uint8") : S("string");
    case TYPE_BOOL:
        return S("bool");
    case TYPE_INTEGER:
        return str_eq(type->format, S("int32")) ? S("int32") : S("int64");
    case TYPE_NUMBER:
        return S("float64");
    case TYPE_LIST:
        return arena_join(arena, S("[]"), go_type(arena, type->element));
    case TYPE_MAP:
        if (type->go_name.len > 0)
            return arena_join(arena, S("v1."), type->go_name);
        return type->element == NULL
                       ? S("struct")
                       : arena_join(arena, S("map[string]"), go_type(arena, type->element));
    case TYPE_SCALAR:
    case TYPE_ANY:
    case TYPE_OPAQUE:
        return type->go_name;
    }
    return STR_EMPTY;
}

static bool cannot_decode(struct walk *w, const struct type *type, const struct val *v)
{
    str holder = w->parent == NULL ? STR_EMPTY : w->parent->go_name;

    return err_set(w->err, ERR_INVALID,
                   "json: cannot unmarshal %s into Go struct field %.*s.%.*s of type %.*s",
                   json_word(v), STR(holder), STR(buf_str(&w->path)), STR(go_type(w->arena, type)));
}

static bool decode(struct walk *w, const struct type *type, const struct val *v);

static bool decode_scalar(struct walk *w, const struct type *type, const struct val *v)
{
    struct quantity quantity = {0};
    int64_t whole = 0;
    str bytes = STR_EMPTY;
    bool ok = true;

    if (val_is(v, VAL_MAP) || val_is(v, VAL_LIST) ||
        (val_is(v, VAL_BOOL) && type->kind != TYPE_BOOL))
        ok = type->kind == TYPE_ANY || type->kind == TYPE_OPAQUE;
    else if (type->kind == TYPE_STRING)
        ok = val_is(v, VAL_STRING);
    else if (type->kind == TYPE_BOOL)
        ok = val_is(v, VAL_BOOL);
    else if (type->kind == TYPE_NUMBER)
        ok = val_is(v, VAL_NUMBER);
    else if (type->kind == TYPE_INTEGER)
        ok = val_to_i64(v, &whole) &&
             (!str_eq(type->format, S("int32")) || (whole >= INT32_MIN && whole <= INT32_MAX));
    if (!ok)
        return cannot_decode(w, type, v);
    if (type->quantity && !quantity_parse(val_text(v), &quantity))
        return err_set(w->err, ERR_INVALID,
                       "quantities must match the regular expression "
                       "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$' (%.*s is \"%.*s\")",
                       STR(buf_str(&w->path)), STR(val_text(v)));
    if (type->kind == TYPE_STRING && str_eq(type->format, S("byte")) &&
        !base64_decode(w->arena, val_str(v), &bytes))
        return err_set(w->err, ERR_INVALID, "illegal base64 data in %.*s", STR(buf_str(&w->path)));
    return true;
}

static bool decode_map(struct walk *w, const struct type *type, const struct val *v)
{
    const struct type *parent = w->parent;
    struct val_iter it = val_iter(v);

    if (type->field_count > 0)
        w->parent = type;
    while (val_next(&it)) {
        const struct type *member = type_member(type, it.key);
        /* Go's path stops at the field that holds a map of values. */
        size_t len = w->path.len;
        if (type->field_count > 0)
            (void)push_name(&w->path, it.key);
        if (member != NULL && !decode(w, member, it.value))
            return false;
        pop(&w->path, len);
    }
    w->parent = parent;
    return true;
}

static bool decode(struct walk *w, const struct type *type, const struct val *v)
{
    if (val_is(v, VAL_NULL))
        return true;
    if (type->kind != TYPE_MAP && type->kind != TYPE_LIST)
        return decode_scalar(w, type, v);
    if (type->kind == TYPE_MAP)
        return val_is(v, VAL_MAP) ? decode_map(w, type, v) : cannot_decode(w, type, v);
    if (!val_is(v, VAL_LIST))
        return cannot_decode(w, type, v);
    struct val_iter it = val_iter(v);
    while (val_next(&it))
        if (!decode(w, type->element, it.value))
            return false;
    return true;
}

bool validate_decode(struct arena *arena, const struct type *type, const struct val *object,
                     struct err *err)
{
    struct walk w = {.arena = arena, .err = err};
    struct gvk gvk = gvk_of(object);

    buf_init(&w.path, LIMIT_MIB);
    bool ok = decode(&w, type, object);
    buf_done(&w.path);
    if (ok)
        return true;
    return err_wrap(err, "%.*s in version \"%.*s\" cannot be handled as a %.*s", STR(gvk.kind),
                    STR(gvk.version), STR(gvk.kind));
}

/* ---- defaults of a CRD ---- */

void validate_default(struct arena *arena, const struct type *type, struct val *v)
{
    if (type->kind == TYPE_LIST && val_is(v, VAL_LIST)) {
        struct val_iter items = val_iter(v);
        while (val_next(&items))
            validate_default(arena, type->element, items.value);
        return;
    }
    if (type->kind != TYPE_MAP || !val_is(v, VAL_MAP))
        return;
    for (size_t i = 0; i < type->field_count && !arena_is_over(arena); i++) {
        const struct type_field *field = &type->fields[i];
        const struct val *member = val_get(v, field->name);
        bool is_missing = member == NULL || (val_is(member, VAL_NULL) && !field->type->nullable);
        /* Built-in types (metadata) carry Go's zero values, which are no defaults to write. */
        if (is_missing && field->default_value != NULL && str_is_empty(type->go_name))
            val_set(arena, v, field->name, val_dup_value(arena, field->default_value));
    }
    struct val_iter it = val_iter(v);
    while (val_next(&it)) {
        const struct type *member = type_member(type, it.key);
        if (member != NULL)
            validate_default(arena, member, it.value);
    }
}
