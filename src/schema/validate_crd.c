/* SPDX-License-Identifier: Apache-2.0 */
/* validate_structural of schema/validate.h: the rules that a CRD's schema states. */
#include "schema/validate.h"

#include "base/buf.h"
#include "base/map.h"
#include "doc/json.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdarg.h>
#include <stdlib.h>

struct rules {
    struct arena *arena;
    struct val *problems;
    struct buf path;
};

enum { PATTERN_STEPS = 100000, PATTERN_DEPTH = 10000, PATTERN_HEAP_KIB = 4096 };

static void check(struct rules *r, const struct val *schema, const struct val *v);

static str here(const struct rules *r)
{
    return buf_str(&r->path);
}

/* The value as it stands in a message, quoted and clipped. */
static str shown(struct rules *r, const struct val *v)
{
    str text = json_text(r->arena, v, JSON_SORT_KEYS);

    if (val_is(v, VAL_MAP) || val_is(v, VAL_LIST))
        text = arena_printf(r->arena, "\"%s\"", val_is(v, VAL_MAP) ? "object" : "array");
    return str_first(text, str_utf8_clip(text, 200));
}

static void invalid(struct rules *r, const struct val *v, const char *format, ...)
        PRINTF_LIKE(3, 4);

static void invalid(struct rules *r, const struct val *v, const char *format, ...)
{
    char text[512];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    str value = shown(r, v);
    validate_problem(r->arena, r->problems, "FieldValueInvalid", here(r),
                     "Invalid value: %.*s: %.*s in body %s", STR(value), STR(here(r)), text);
}

static bool is_type(str name, const struct val *v)
{
    int64_t whole = 0;

    if (str_eq(name, S("object")))
        return val_is(v, VAL_MAP);
    if (str_eq(name, S("array")))
        return val_is(v, VAL_LIST);
    if (str_eq(name, S("string")))
        return val_is(v, VAL_STRING);
    if (str_eq(name, S("boolean")))
        return val_is(v, VAL_BOOL);
    if (str_eq(name, S("number")))
        return val_is(v, VAL_NUMBER);
    if (str_eq(name, S("integer")))
        return val_to_i64(v, &whole);
    return true;
}

static const char *type_name(const struct val *v)
{
    static const char *const names[] = {
            [VAL_NULL] = "null",     [VAL_BOOL] = "boolean", [VAL_NUMBER] = "number",
            [VAL_STRING] = "string", [VAL_LIST] = "array",   [VAL_MAP] = "object"};
    int64_t whole = 0;

    return val_to_i64(v, &whole) ? "integer" : names[val_kind(v)];
}

/* ---- texts ---- */

static size_t characters(str s)
{
    size_t count = 0;

    for (size_t i = 0; i < s.len; i++)
        count += ((unsigned char)s.at[i] & 0xc0) != 0x80 ? 1 : 0;
    return count;
}

/* A pattern that does not compile, or that takes too long, is no reason to refuse the object. */
static bool matches(str pattern, str text)
{
    int error = 0;
    PCRE2_SIZE offset = 0;
    pcre2_code *code = pcre2_compile((PCRE2_SPTR)pattern.at, pattern.len,
                                     PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_BACKSLASH_C,
                                     &error, &offset, NULL);
    if (code == NULL)
        return true;
    pcre2_match_data *data = pcre2_match_data_create(1, NULL);
    pcre2_match_context *context = pcre2_match_context_create(NULL);
    pcre2_set_match_limit(context, PATTERN_STEPS);
    pcre2_set_depth_limit(context, PATTERN_DEPTH);
    pcre2_set_heap_limit(context, PATTERN_HEAP_KIB);
    int found = pcre2_match(code, (PCRE2_SPTR)text.at, text.len, 0, 0, data, context);
    pcre2_match_context_free(context);
    pcre2_match_data_free(data);
    pcre2_code_free(code);
    return found != PCRE2_ERROR_NOMATCH;
}

static void check_text(struct rules *r, const struct val *schema, const struct val *v)
{
    str text = val_str(v);
    int64_t most = val_i64_or(val_get(schema, S("maxLength")), INT64_MAX);
    int64_t least = val_i64_or(val_get(schema, S("minLength")), 0);
    str pattern = val_get_str(schema, S("pattern"));

    if ((int64_t)characters(text) > most)
        validate_problem(r->arena, r->problems, "FieldValueTooLong", here(r),
                         "Too long: may not be more than %lld bytes", (long long)most);
    if ((int64_t)characters(text) < least)
        invalid(r, v, "should be at least %lld chars long", (long long)least);
    if (pattern.len > 0 && !matches(pattern, text))
        invalid(r, v, "should match '%.*s'", STR(pattern));
}

/* ---- numbers ---- */

static double number_of(const struct val *v)
{
    char text[64];
    str number = val_text(v);

    if (number.len >= sizeof(text))
        return 0;
    memcpy(text, number.at, number.len);
    text[number.len] = '\0';
    return strtod(text, NULL);
}

static void check_number(struct rules *r, const struct val *schema, const struct val *v)
{
    const struct val *least = val_get(schema, S("minimum"));
    const struct val *most = val_get(schema, S("maximum"));
    const struct val *multiple = val_get(schema, S("multipleOf"));
    bool above = val_get_bool(schema, S("exclusiveMinimum"), false);
    bool below = val_get_bool(schema, S("exclusiveMaximum"), false);
    double number = number_of(v);
    int64_t whole = 0;
    int64_t step = 0;

    if (least != NULL && (number < number_of(least) || (above && number <= number_of(least))))
        invalid(r, v, "should be greater than %s%.*s", above ? "" : "or equal to ",
                STR(val_text(least)));
    if (most != NULL && (number > number_of(most) || (below && number >= number_of(most))))
        invalid(r, v, "should be less than %s%.*s", below ? "" : "or equal to ",
                STR(val_text(most)));
    if (val_to_i64(v, &whole) && val_to_i64(multiple, &step) && step > 0 && whole % step != 0)
        invalid(r, v, "should be a multiple of %lld", (long long)step);
}

static void check_enum(struct rules *r, const struct val *schema, const struct val *v)
{
    const struct val *allowed = val_get(schema, S("enum"));
    struct val_iter it = val_iter(allowed);
    auto_buf struct buf names = {0};

    buf_init(&names, LIMIT_ERR_MESSAGE);
    if (val_count(allowed) == 0)
        return;
    while (val_next(&it)) {
        if (val_eq(it.value, v))
            return;
        buf_addf(&names, "%s%.*s", it.index > 0 ? ", " : "", STR(json_text(r->arena, it.value, 0)));
    }
    validate_problem(r->arena, r->problems, "FieldValueNotSupported", here(r),
                     "Unsupported value: %.*s: supported values: %.*s", STR(shown(r, v)),
                     STR(buf_str(&names)));
}

/* ---- containers ---- */

static void check_below(struct rules *r, const struct val *schema, const struct val *v,
                        const char *format, ...) PRINTF_LIKE(4, 5);

static void check_below(struct rules *r, const struct val *schema, const struct val *v,
                        const char *format, ...)
{
    size_t len = r->path.len;
    char step[512];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(step, sizeof(step), format, args);
    va_end(args);
    buf_add(&r->path, str_from(len == 0 && step[0] == '.' ? step + 1 : step));
    check(r, schema, v);
    r->path.len = len;
    if (r->path.at != NULL)
        r->path.at[len] = '\0';
}

static void check_object(struct rules *r, const struct val *schema, const struct val *v)
{
    const struct val *properties = val_get(schema, S("properties"));
    const struct val *additional = val_get(schema, S("additionalProperties"));
    struct val_iter it = val_iter(val_get(schema, S("required")));
    int64_t most = val_i64_or(val_get(schema, S("maxProperties")), INT64_MAX);
    int64_t least = val_i64_or(val_get(schema, S("minProperties")), 0);

    while (val_next(&it)) {
        str name = val_str(it.value);
        if (val_get(v, name) != NULL)
            continue;
        str field = arena_printf(r->arena, "%.*s%s%.*s", STR(here(r)), r->path.len > 0 ? "." : "",
                                 STR(name));
        validate_problem(r->arena, r->problems, "FieldValueRequired", field, "Required value");
    }
    if ((int64_t)val_count(v) > most)
        validate_problem(r->arena, r->problems, "FieldValueTooMany", here(r),
                         "Too many: %zu: must have at most %lld properties", val_count(v),
                         (long long)most);
    if ((int64_t)val_count(v) < least)
        invalid(r, v, "should have at least %lld properties", (long long)least);
    it = val_iter(v);
    while (val_next(&it)) {
        const struct val *member = val_get(properties, it.key);
        if (r->path.len == 0 && str_eq(it.key, S("metadata")))
            continue; /* validate_metadata */
        if (member == NULL && val_is(additional, VAL_MAP))
            member = additional;
        if (member != NULL)
            check_below(r, member, it.value, ".%.*s", STR(it.key));
    }
}

static void check_unique(struct rules *r, const struct val *schema, const struct val *v)
{
    str list_type = val_get_str(schema, S("x-kubernetes-list-type"));
    const struct val *keys = val_get(schema, S("x-kubernetes-list-map-keys"));
    bool is_map = str_eq(list_type, S("map"));

    if (!is_map && !str_eq(list_type, S("set")))
        return;
    auto_map struct map *seen = map_new();
    struct val_iter it = val_iter(v);
    while (val_next(&it)) {
        struct val id = is_map ? val_map() : *it.value;
        struct val_iter names = val_iter(keys);
        while (is_map && val_next(&names)) {
            const struct val *key = val_get(it.value, val_str(names.value));
            if (key != NULL)
                val_add(r->arena, &id, val_str(names.value), *key);
        }
        str text = json_text(r->arena, &id, JSON_SORT_KEYS);
        if (map_has(seen, text)) {
            str field = arena_printf(r->arena, "%.*s[%zu]", STR(here(r)), it.index);
            validate_problem(r->arena, r->problems, "FieldValueDuplicate", field,
                             "Duplicate value: %.*s",
                             STR(str_first(text, str_utf8_clip(text, 200))));
        }
        map_set(seen, text, r);
    }
}

static void check_array(struct rules *r, const struct val *schema, const struct val *v)
{
    const struct val *items = val_get(schema, S("items"));
    int64_t most = val_i64_or(val_get(schema, S("maxItems")), INT64_MAX);
    int64_t least = val_i64_or(val_get(schema, S("minItems")), 0);
    struct val_iter it = val_iter(v);

    if ((int64_t)val_count(v) > most)
        validate_problem(r->arena, r->problems, "FieldValueTooMany", here(r),
                         "Too many: %zu: must have at most %lld items", val_count(v),
                         (long long)most);
    if ((int64_t)val_count(v) < least)
        invalid(r, v, "should have at least %lld items", (long long)least);
    check_unique(r, schema, v);
    while (items != NULL && val_next(&it))
        check_below(r, items, it.value, "[%zu]", it.index);
}

/* ---- allOf, anyOf, oneOf, not ---- */

static bool fits(struct rules *r, const struct val *schema, const struct val *v)
{
    struct val problems = val_list();
    struct rules inner = {.arena = r->arena, .problems = &problems, .path = r->path};

    check(&inner, schema, v);
    r->path = inner.path; /* it may have grown */
    return val_count(&problems) == 0;
}

static size_t count_fitting(struct rules *r, const struct val *schemas, const struct val *v)
{
    struct val_iter it = val_iter(schemas);
    size_t count = 0;

    while (val_next(&it))
        count += fits(r, it.value, v) ? 1 : 0;
    return count;
}

static void check_combined(struct rules *r, const struct val *schema, const struct val *v)
{
    const struct val *any = val_get(schema, S("anyOf"));
    const struct val *one = val_get(schema, S("oneOf"));
    const struct val *not = val_get(schema, S("not"));
    struct val_iter it = val_iter(val_get(schema, S("allOf")));

    while (val_next(&it))
        check(r, it.value, v);
    if (val_count(any) > 0 && count_fitting(r, any, v) == 0)
        invalid(r, v, "must validate at least one schema (anyOf)");
    if (val_count(one) > 0) {
        size_t count = count_fitting(r, one, v);
        if (count != 1)
            invalid(r, v, "must validate one and only one schema (oneOf). Found %s",
                    count == 0 ? "none valid" : "more than one valid");
    }
    if (not != NULL && fits(r, not, v))
        invalid(r, v, "must not validate the schema (not)");
}

static void check(struct rules *r, const struct val *schema, const struct val *v)
{
    str type = val_get_str(schema, S("type"));

    if (val_count(r->problems) >= LIMIT_SCHEMA_PROBLEMS || arena_is_over(r->arena))
        return;
    if (val_is(v, VAL_NULL) && val_get_bool(schema, S("nullable"), false))
        return;
    bool is_either = val_get_bool(schema, S("x-kubernetes-int-or-string"), false);
    if (is_either ? !is_type(S("integer"), v) && !val_is(v, VAL_STRING) : !is_type(type, v)) {
        str wanted = is_either ? S("integer,string") : type;
        validate_problem(r->arena, r->problems, "FieldValueTypeInvalid", here(r),
                         "Invalid value: \"%s\": %.*s in body must be of type %.*s: \"%s\"",
                         type_name(v), STR(here(r)), STR(wanted), type_name(v));
        return;
    }
    check_enum(r, schema, v);
    if (val_is(v, VAL_STRING))
        check_text(r, schema, v);
    else if (val_is(v, VAL_NUMBER))
        check_number(r, schema, v);
    else if (val_is(v, VAL_MAP))
        check_object(r, schema, v);
    else if (val_is(v, VAL_LIST))
        check_array(r, schema, v);
    check_combined(r, schema, v);
}

void validate_structural(struct arena *arena, const struct type *type, const struct val *object,
                         struct val *problems)
{
    struct rules r = {.arena = arena, .problems = problems};

    if (type->schema == NULL)
        return;
    buf_init(&r.path, LIMIT_MIB);
    check(&r, type->schema, object);
    buf_done(&r.path);
}
