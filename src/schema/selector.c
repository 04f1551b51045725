/* SPDX-License-Identifier: Apache-2.0 */
#include "schema/selector.h"

#include "base/buf.h"
#include "schema/names.h"

enum operation { OP_IN, OP_NOT_IN, OP_EXISTS, OP_ABSENT, OP_NOTHING };

struct requirement {
    str key;
    enum operation op;
    str *values;
    size_t count;
};

struct selector {
    struct requirement requirements[LIMIT_SELECTOR_REQUIREMENTS];
    size_t count;
};

/* ---- text ---- */

struct reader {
    struct arena *arena;
    str rest;
    struct selector *out;
    struct err *err;
};

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void skip_space(struct reader *r)
{
    while (r->rest.len > 0 && is_space(r->rest.at[0]))
        r->rest = str_from_index(r->rest, 1);
}

static bool skip(struct reader *r, str token)
{
    skip_space(r);
    return str_skip(&r->rest, token);
}

/* Up to a space or one of the signs of the grammar. */
static str word(struct reader *r)
{
    size_t len = 0;

    skip_space(r);
    while (len < r->rest.len && !is_space(r->rest.at[len]) &&
           (r->rest.at[len] == '\0' || strchr("=!,()<>", r->rest.at[len]) == NULL))
        len++;
    str found = str_first(r->rest, len);
    r->rest = str_from_index(r->rest, len);
    return found;
}

static bool fail_at(struct reader *r, const char *expected)
{
    if (r->rest.len == 0)
        return err_set(r->err, ERR_INVALID, "unable to parse requirement: found '', expected: %s",
                       expected);
    return err_set(r->err, ERR_INVALID, "unable to parse requirement: found '%.*s', expected: %s",
                   STR(str_first(r->rest, 1)), expected);
}

static bool add_value(struct reader *r, struct requirement *to, str value)
{
    if (!names_is_label_value(value))
        return err_set(r->err, ERR_INVALID,
                       "unable to parse requirement: values: Invalid value: \"%.*s\": a valid "
                       "label must begin and end with a letter or digit",
                       STR(value));
    str *values = arena_array(r->arena, to->count + 1, str);
    if (to->count > 0)
        memcpy(values, to->values, to->count * sizeof(*values));
    values[to->count++] = arena_str(r->arena, value);
    to->values = values;
    return true;
}

static bool read_set(struct reader *r, struct requirement *to)
{
    if (!skip(r, S("(")))
        return fail_at(r, "'('");
    for (;;) {
        if (to->count >= LIMIT_SELECTOR_REQUIREMENTS * 10)
            return err_set(r->err, ERR_LIMIT, "a selector may name at most %d values",
                           LIMIT_SELECTOR_REQUIREMENTS * 10);
        if (!add_value(r, to, word(r)))
            return false;
        if (skip(r, S(",")))
            continue;
        return skip(r, S(")")) || fail_at(r, "',' or ')'");
    }
}

static bool read_operator(struct reader *r, struct requirement *to)
{
    skip_space(r);
    if (r->rest.len == 0 || r->rest.at[0] == ',') {
        to->op = OP_EXISTS;
        return true;
    }
    if (skip(r, S("==")) || skip(r, S("="))) {
        to->op = OP_IN;
        return add_value(r, to, word(r));
    }
    if (skip(r, S("!="))) {
        to->op = OP_NOT_IN;
        return add_value(r, to, word(r));
    }
    str name = word(r);
    if (str_eq(name, S("in")) || str_eq(name, S("notin"))) {
        to->op = str_eq(name, S("in")) ? OP_IN : OP_NOT_IN;
        return read_set(r, to);
    }
    if (name.len == 0)
        return fail_at(r, "in, notin, =, ==, !=");
    return err_set(
            r->err, ERR_INVALID,
            "unable to parse requirement: found '%.*s', expected: in, notin, =, ==, !=", STR(name));
}

static bool read_requirement(struct reader *r)
{
    struct requirement *to = &r->out->requirements[r->out->count];

    *to = (struct requirement){0};
    bool is_absent = skip(r, S("!"));
    str key = word(r);
    if (key.len == 0)
        return fail_at(r, "!, identifier, or ','");
    if (!names_is_label_key(key))
        return err_set(r->err, ERR_INVALID,
                       "unable to parse requirement: key: Invalid value: \"%.*s\": a label key is "
                       "[prefix/]name of letters, digits, '-', '_' and '.'",
                       STR(key));
    to->key = arena_str(r->arena, key);
    to->op = OP_ABSENT;
    if (!is_absent && !read_operator(r, to))
        return false;
    r->out->count++;
    return true;
}

bool selector_parse(struct arena *arena, str text, struct selector **ret_selector, struct err *err)
{
    struct reader r = {
            .arena = arena, .rest = text, .out = arena_new0(arena, struct selector), .err = err};

    skip_space(&r);
    while (r.rest.len > 0) {
        if (r.out->count >= LIMIT_SELECTOR_REQUIREMENTS)
            return err_set(err, ERR_LIMIT, "a selector may have at most %d requirements",
                           LIMIT_SELECTOR_REQUIREMENTS);
        if (!read_requirement(&r))
            return false;
        skip_space(&r);
        if (r.rest.len == 0)
            break;
        if (!skip(&r, S(",")))
            return fail_at(&r, "',' or end of selector");
        skip_space(&r);
        if (r.rest.len == 0)
            return fail_at(&r, "identifier after ','");
    }
    *ret_selector = r.out;
    return true;
}

bool selector_parse_fields(struct arena *arena, str text, struct selector **ret_selector,
                           struct err *err)
{
    struct selector *out = arena_new0(arena, struct selector);
    str rest = text;
    str part = STR_EMPTY;

    while (text.len > 0 && str_split(&rest, ',', &part)) {
        if (out->count >= LIMIT_SELECTOR_REQUIREMENTS)
            return err_set(err, ERR_LIMIT, "a selector may have at most %d requirements",
                           LIMIT_SELECTOR_REQUIREMENTS);
        size_t equals = str_find_char(part, '=');
        if (equals == SIZE_MAX || equals == 0)
            return err_set(err, ERR_INVALID, "invalid selector: '%.*s'; can't understand '%.*s'",
                           STR(text), STR(part));
        struct requirement *to = &out->requirements[out->count++];
        str key = str_first(part, equals);
        str value = str_from_index(part, equals + 1);
        to->op = str_chop(&key, S("!")) ? OP_NOT_IN : OP_IN;
        if (to->op == OP_IN)
            (void)str_skip(&value, S("="));
        to->key = arena_str(arena, str_trim(key));
        to->values = arena_array(arena, 1, str);
        to->values[0] = arena_str(arena, value);
        to->count = 1;
    }
    *ret_selector = out;
    return true;
}

/* ---- objects ---- */

static bool add_expression(struct arena *arena, struct selector *out, const struct val *expression,
                           struct err *err)
{
    static const struct {
        str name;
        enum operation op;
        bool has_values;
    } operators[] = {{S_INIT("In"), OP_IN, true},
                     {S_INIT("NotIn"), OP_NOT_IN, true},
                     {S_INIT("Exists"), OP_EXISTS, false},
                     {S_INIT("DoesNotExist"), OP_ABSENT, false}};
    str name = val_get_str(expression, S("operator"));
    const struct val *values = val_get(expression, S("values"));
    struct requirement *to = &out->requirements[out->count];

    for (size_t i = 0; i < COUNT(operators); i++) {
        if (!str_eq(name, operators[i].name))
            continue;
        if (operators[i].has_values != (val_count(values) > 0))
            return err_set(err, ERR_INVALID, "a selector's operator %.*s %s values", STR(name),
                           operators[i].has_values ? "needs" : "takes no");
        *to = (struct requirement){.key = arena_str(arena, val_get_str(expression, S("key"))),
                                   .op = operators[i].op,
                                   .values = arena_array(arena, val_count(values), str),
                                   .count = val_count(values)};
        for (size_t k = 0; k < to->count; k++)
            to->values[k] = arena_str(arena, val_str(val_item(values, k)));
        out->count++;
        return true;
    }
    return err_set(err, ERR_INVALID, "\"%.*s\" is not a valid label selector operator", STR(name));
}

bool selector_of(struct arena *arena, const struct val *label_selector,
                 struct selector **ret_selector, struct err *err)
{
    struct selector *out = arena_new0(arena, struct selector);
    const struct val *labels = val_get(label_selector, S("matchLabels"));
    const struct val *expressions = val_get(label_selector, S("matchExpressions"));

    if (val_count(labels) + val_count(expressions) > LIMIT_SELECTOR_REQUIREMENTS)
        return err_set(err, ERR_LIMIT, "a selector may have at most %d requirements",
                       LIMIT_SELECTOR_REQUIREMENTS);
    if (val_kind(label_selector) == VAL_NULL)
        out->requirements[out->count++].op = OP_NOTHING;
    struct val_iter it = val_iter(labels);
    while (val_next(&it)) {
        struct requirement *to = &out->requirements[out->count++];
        to->key = arena_str(arena, it.key);
        to->op = OP_IN;
        to->values = arena_array(arena, 1, str);
        to->values[0] = arena_str(arena, val_str(it.value));
        to->count = 1;
    }
    it = val_iter(expressions);
    while (val_next(&it))
        if (!add_expression(arena, out, it.value, err))
            return false;
    *ret_selector = out;
    return true;
}

str selector_text(struct arena *arena, const struct val *label_selector)
{
    auto_buf struct buf out = {0};
    struct val_iter it = val_iter(val_get(label_selector, S("matchLabels")));

    buf_init(&out, LIMIT_MIB);
    while (val_next(&it))
        buf_addf(&out, "%s%.*s=%.*s", out.len > 0 ? "," : "", STR(it.key), STR(val_str(it.value)));
    it = val_iter(val_get(label_selector, S("matchExpressions")));
    while (val_next(&it)) {
        str key = val_get_str(it.value, S("key"));
        str op = val_get_str(it.value, S("operator"));
        const char *comma = out.len > 0 ? "," : "";
        if (str_eq(op, S("Exists")) || str_eq(op, S("DoesNotExist"))) {
            buf_addf(&out, "%s%s%.*s", comma, str_eq(op, S("Exists")) ? "" : "!", STR(key));
            continue;
        }
        buf_addf(&out, "%s%.*s %s (", comma, STR(key), str_eq(op, S("In")) ? "in" : "notin");
        struct val_iter values = val_iter(val_get(it.value, S("values")));
        while (val_next(&values))
            buf_addf(&out, "%s%.*s", values.index > 0 ? "," : "", STR(val_str(values.value)));
        buf_addc(&out, ')');
    }
    return arena_str(arena, buf_str(&out));
}

/* ---- matching ---- */

bool selector_is_empty(const struct selector *selector)
{
    return selector == NULL || selector->count == 0;
}

static bool has_value(const struct requirement *r, str value)
{
    for (size_t i = 0; i < r->count; i++)
        if (str_eq(r->values[i], value))
            return true;
    return false;
}

bool selector_matches_labels(const struct selector *selector, const struct val *labels)
{
    if (selector == NULL)
        return true;
    for (size_t i = 0; i < selector->count; i++) {
        const struct requirement *r = &selector->requirements[i];
        const struct val *label = val_get(labels, r->key);
        bool holds = false;
        switch (r->op) {
        case OP_IN:
            holds = label != NULL && has_value(r, val_str(label));
            break;
        case OP_NOT_IN:
            holds = label == NULL || !has_value(r, val_str(label));
            break;
        case OP_EXISTS:
            holds = label != NULL;
            break;
        case OP_ABSENT:
            holds = label == NULL;
            break;
        case OP_NOTHING:
            break;
        }
        if (!holds)
            return false;
    }
    return true;
}

static str value_at(const struct val *object, str path)
{
    const struct val *at = object;
    str part = STR_EMPTY;

    while (str_split(&path, '.', &part))
        at = val_get(at, part);
    return val_text(at);
}

bool selector_matches_fields(const struct selector *selector, const struct val *object)
{
    if (selector == NULL)
        return true;
    for (size_t i = 0; i < selector->count; i++) {
        const struct requirement *r = &selector->requirements[i];
        if (has_value(r, value_at(object, r->key)) != (r->op == OP_IN))
            return false;
    }
    return true;
}

str selector_exact(const struct selector *selector, str key)
{
    for (size_t i = 0; selector != NULL && i < selector->count; i++) {
        const struct requirement *r = &selector->requirements[i];
        if (r->op == OP_IN && r->count == 1 && str_eq(r->key, key))
            return r->values[0];
    }
    return STR_EMPTY;
}

size_t selector_count(const struct selector *selector)
{
    return selector == NULL ? 0 : selector->count;
}

str selector_key(const struct selector *selector, size_t index)
{
    return selector->requirements[index].key;
}
