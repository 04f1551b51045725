/* SPDX-License-Identifier: Apache-2.0 */
/* merge_check of schema/merge.h: does a value fit its type? The sentences are those that the API
 * server's typed values give, because people search for them. */
#include "schema/merge.h"

#include "base/buf.h"
#include "doc/json.h"

#include <stdarg.h>
#include <stdlib.h>

struct checker {
    struct arena *arena;
    bool allow_duplicates;
    struct buf problems; /* one a line, each indented by two */
    size_t count;
    struct path_element elements[LIMIT_DOC_DEPTH + 1];
    size_t depth;
};

static void problem(struct checker *c, const char *format, ...) PRINTF_LIKE(2, 3);

static void problem(struct checker *c, const char *format, ...)
{
    char text[1024];
    va_list args;

    if (++c->count > LIMIT_SCHEMA_PROBLEMS)
        return;
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    str path = path_text(c->arena, (struct path){c->elements, c->depth});
    buf_addf(&c->problems, "%s%.*s%s%s", c->count == 1 ? "" : "\n  ", STR(path),
             path.len > 0 ? ": " : "", text);
}

/* ---- Go's notation of a value, as it stands in those sentences ---- */

static void go_plain(struct buf *out, const struct val *v)
{
    struct val_iter it = val_iter(v);

    if (val_is(v, VAL_NULL)) {
        buf_add(out, S("<nil>"));
        return;
    }
    if (!val_is(v, VAL_MAP) && !val_is(v, VAL_LIST)) {
        buf_add(out, val_text(v));
        return;
    }
    buf_add(out, val_is(v, VAL_MAP) ? S("map[") : S("["));
    while (val_next(&it)) {
        if (it.index > 0)
            buf_addc(out, ' ');
        if (val_is(v, VAL_MAP))
            buf_addf(out, "%.*s:", STR(it.key));
        go_plain(out, it.value);
    }
    buf_addc(out, ']');
}

static void go_syntax(struct buf *out, const struct val *v)
{
    struct val_iter it = val_iter(v);

    if (val_is(v, VAL_NULL)) {
        buf_add(out, S("interface {}(nil)"));
        return;
    }
    if (!val_is(v, VAL_MAP) && !val_is(v, VAL_LIST)) {
        json_format(out, v, 0);
        return;
    }
    buf_add(out, val_is(v, VAL_MAP) ? S("map[string]interface {}{") : S("[]interface {}{"));
    while (val_next(&it)) {
        if (it.index > 0)
            buf_add(out, S(", "));
        if (val_is(v, VAL_MAP)) {
            json_format_string(out, it.key, 0);
            buf_addc(out, ':');
        }
        go_syntax(out, it.value);
    }
    buf_addc(out, '}');
}

static const char *go_type(const struct val *v)
{
    int64_t whole = 0;

    switch (val_kind(v)) {
    case VAL_NULL:
        return "<nil>";
    case VAL_BOOL:
        return "bool";
    case VAL_NUMBER:
        return val_to_i64(v, &whole) ? "int64" : "float64";
    case VAL_STRING:
        return "string";
    case VAL_LIST:
        return "[]interface {}";
    case VAL_MAP:
        return "map[string]interface {}";
    }
    return "";
}

static void wrong(struct checker *c, const char *expected, const struct val *v)
{
    auto_buf struct buf text = {0};

    buf_init(&text, 512);
    if (strcmp(expected, "string") == 0) {
        go_syntax(&text, v);
        problem(c, "expected string, got &value.valueUnstructured{Value:%.*s}",
                STR(buf_str(&text)));
        return;
    }
    go_plain(&text, v);
    problem(c, "expected %s, got &{%.*s}", expected, STR(buf_str(&text)));
}

/* ---- the walk ---- */

static void check(struct checker *c, const struct type *type, const struct val *v);

static void check_scalar(struct checker *c, const struct type *type, const struct val *v)
{
    enum val_kind kind = val_kind(v);

    if (kind == VAL_NULL)
        return;
    if (type->kind == TYPE_STRING && kind != VAL_STRING)
        wrong(c, "string", v);
    else if (type->kind == TYPE_BOOL && kind != VAL_BOOL)
        wrong(c, "boolean", v);
    else if ((type->kind == TYPE_INTEGER || type->kind == TYPE_NUMBER) && kind != VAL_NUMBER)
        problem(c, "expected numeric (int or float), got %s", go_type(v));
    else if (type->kind == TYPE_SCALAR && (kind == VAL_MAP || kind == VAL_LIST))
        wrong(c, "any scalar", v);
}

static void check_child(struct checker *c, const struct path_element *element,
                        const struct type *type, const struct val *v)
{
    if (c->depth >= LIMIT_DOC_DEPTH) {
        problem(c, "nested deeper than %d levels", LIMIT_DOC_DEPTH);
        return;
    }
    c->elements[c->depth++] = *element;
    check(c, type, v);
    c->depth--;
}

static void check_map(struct checker *c, const struct type *type, const struct val *v)
{
    struct val_iter it = val_iter(v);

    if (!val_is(v, VAL_MAP)) {
        wrong(c, "map", v);
        return;
    }
    while (val_next(&it) && !arena_is_over(c->arena)) {
        struct path_element element = {.kind = PATH_FIELD, .name = it.key};
        const struct type *member = type_member(type, it.key);
        if (member != NULL) {
            check_child(c, &element, member, it.value);
            continue;
        }
        c->elements[c->depth++] = element;
        problem(c, "field not declared in schema");
        c->depth--;
        return;
    }
}

static const char *missing_key(const struct type *type, const struct val *item)
{
    static char text[256];

    if (type->list == TYPE_LIST_SET)
        return "associative list without keys has an element that's a map, a list or null";
    if (val_is(item, VAL_NULL))
        return "associative list with keys may not have a null element";
    if (!val_is(item, VAL_MAP))
        return "associative list with keys may not have non-map elements";
    for (size_t i = 0; i < type->key_count; i++) {
        const struct type_field *field = type_field(type->element, type->keys[i]);
        if (val_get(item, type->keys[i]) != NULL || (field != NULL && field->default_value != NULL))
            continue;
        (void)snprintf(text, sizeof(text),
                       "associative list with keys has an element that omits key field \"%.*s\" "
                       "(and doesn't have default value)",
                       STR(type->keys[i]));
    }
    return text;
}

static void check_list(struct checker *c, const struct type *type, const struct val *v)
{
    struct fieldset *seen = fieldset_new(c->arena);
    struct val_iter it = val_iter(v);

    if (!val_is(v, VAL_LIST)) {
        wrong(c, "list", v);
        return;
    }
    while (val_next(&it) && !arena_is_over(c->arena)) {
        struct path_element element = {.kind = PATH_INDEX, .index = (int64_t)it.index};
        if (type->list != TYPE_LIST_ATOMIC) {
            if (!merge_item_element(c->arena, type, it.value, it.index, &element)) {
                problem(c, "element %zu: %s", it.index, missing_key(type, it.value));
                return;
            }
            struct path path = {&element, 1};
            if (!c->allow_duplicates && fieldset_has(seen, path))
                problem(c, "duplicate entries for key %.*s", STR(path_text(c->arena, path)));
            fieldset_insert(c->arena, seen, path);
        }
        check_child(c, &element, type->element, it.value);
    }
}

static void check(struct checker *c, const struct type *type, const struct val *v)
{
    const struct type *known = type_deduce(type, v);

    if (val_is(v, VAL_NULL) || v == NULL)
        return;
    if (known->kind == TYPE_MAP)
        check_map(c, known, v);
    else if (known->kind == TYPE_LIST)
        check_list(c, known, v);
    else
        check_scalar(c, known, v);
}

bool merge_check(struct arena *arena, const struct type *type, const struct val *v,
                 bool allow_duplicates, struct err *err)
{
    struct checker c = {.arena = arena, .allow_duplicates = allow_duplicates};

    buf_init(&c.problems, 64 * LIMIT_KIB);
    check(&c, type, v);
    bool ok = c.count == 0;
    if (!ok)
        (void)err_set(err, ERR_INVALID, "%s%.*s", c.count > 1 ? "errors:\n  " : "",
                      STR(buf_str(&c.problems)));
    buf_done(&c.problems);
    return ok && arena_check(arena, "checking an object", err);
}
