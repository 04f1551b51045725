/* SPDX-License-Identifier: Apache-2.0 */
#include "render/kustomize/build.h"

/* ---- regular expressions over ids ---- */

static bool compile_one(struct build *b, str pattern, struct regex **ret)
{
    if (pattern.len == 0)
        return true;
    return build_regex(b, arena_printf(b->arena, "^(?:%.*s)$", STR(pattern)), ret);
}

bool selector_compile(struct build *b, const struct selector *s, struct selector_regex *ret)
{
    *ret = (struct selector_regex){.selector = s};
    return compile_one(b, s->group, &ret->group) && compile_one(b, s->version, &ret->version) &&
           compile_one(b, s->kind, &ret->kind) && compile_one(b, s->name, &ret->name) &&
           compile_one(b, s->namespace_, &ret->namespace_);
}

static bool matches(struct build *b, struct regex *regex, str text, bool *ret)
{
    if (regex == NULL) {
        *ret = true;
        return true;
    }
    if (regex_match(regex, text, ret, b->err))
        return true;
    b->error_class = KUSTOMIZE_ERROR_LIMIT;
    return false;
}

bool selector_matches_gvk(struct build *b, const struct selector_regex *r, const struct id *id,
                          bool *ret)
{
    if (!matches(b, r->group, id->group, ret))
        return false;
    if (*ret && !matches(b, r->version, id->version, ret))
        return false;
    return !*ret || matches(b, r->kind, id->kind, ret);
}

bool selector_matches_name(struct build *b, const struct selector_regex *r, str name, bool *ret)
{
    return matches(b, r->name, name, ret);
}

bool selector_matches_namespace(struct build *b, const struct selector_regex *r, str namespace_,
                                bool *ret)
{
    return matches(b, r->namespace_, namespace_, ret);
}

bool resource_matches_selectors(struct build *b, const struct resource *r, const struct selector *s,
                                bool *ret)
{
    *ret = true;
    if (s->label_selector.len > 0) {
        struct pairs labels = resource_map(b, r, "labels");
        if (!labels_match(b, s->label_selector, &labels, ret))
            return false;
    }
    if (*ret && s->annotation_selector.len > 0) {
        struct pairs annotations = resource_map(b, r, "annotations");
        return labels_match(b, s->annotation_selector, &annotations, ret);
    }
    return true;
}

/* ---- label selectors: key, !key, key=value, key!=value, key in (a,b), key notin (…), key>1 ----
 */

enum token {
    T_END,
    T_WORD,
    T_NOT,
    T_EQ,
    T_EQEQ,
    T_NE,
    T_GT,
    T_LT,
    T_IN,
    T_NOTIN,
    T_OPEN,
    T_CLOSE,
    T_COMMA,
    T_BAD
};

struct label_parser {
    struct build *b;
    str text;
    size_t at;
    enum token token;
    str literal;
    const struct pairs *labels;
};

static bool is_special(char c)
{
    return c != '\0' && strchr("=!(),><", c) != NULL;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void special_token(struct label_parser *p)
{
    static const struct {
        const char *text;
        enum token token;
    } rows[] = {{"==", T_EQEQ}, {"!=", T_NE},  {"=", T_EQ},    {"!", T_NOT},  {">", T_GT},
                {"<", T_LT},    {"(", T_OPEN}, {")", T_CLOSE}, {",", T_COMMA}};

    for (size_t i = 0; i < COUNT(rows); i++) {
        if (str_starts(str_from_index(p->text, p->at), str_from(rows[i].text))) {
            p->token = rows[i].token;
            p->literal = str_from(rows[i].text);
            p->at += p->literal.len;
            return;
        }
    }
    p->token = T_BAD;
}

static void advance(struct label_parser *p, bool as_value)
{
    while (p->at < p->text.len && is_space(p->text.at[p->at]))
        p->at++;
    if (p->at >= p->text.len) {
        p->token = T_END;
        p->literal = STR_EMPTY;
        return;
    }
    if (is_special(p->text.at[p->at])) {
        special_token(p);
        return;
    }
    size_t start = p->at;
    while (p->at < p->text.len && !is_special(p->text.at[p->at]) && !is_space(p->text.at[p->at]))
        p->at++;
    p->literal = str_of(p->text.at + start, p->at - start);
    p->token = T_WORD;
    if (!as_value && str_eq(p->literal, S("in")))
        p->token = T_IN;
    if (!as_value && str_eq(p->literal, S("notin")))
        p->token = T_NOTIN;
}

static bool refuse(struct label_parser *p)
{
    return build_fail(p->b, KUSTOMIZE_ERROR_CONFIG,
                      "unable to parse the selector \"%.*s\": found '%.*s'", STR(p->text),
                      STR(p->literal));
}

static bool is_name(str s, size_t most)
{
    if (s.len == 0 || s.len > most)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.at[i];
        bool alnum = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
        bool inner = i > 0 && i + 1 < s.len && (c == '-' || c == '_' || c == '.');
        if (!alnum && !inner)
            return false;
    }
    return true;
}

static bool is_subdomain(str s)
{
    if (s.len == 0 || s.len > 253)
        return false;
    str rest = s;
    str part = STR_EMPTY;
    while (str_split(&rest, '.', &part)) {
        if (part.len == 0 || part.at[0] == '-' || part.at[part.len - 1] == '-')
            return false;
        for (size_t i = 0; i < part.len; i++)
            if (!((part.at[i] >= '0' && part.at[i] <= '9') ||
                  (part.at[i] >= 'a' && part.at[i] <= 'z') || part.at[i] == '-'))
                return false;
    }
    return true;
}

static bool is_qualified(str key)
{
    size_t slash = str_find_char(key, '/');

    if (slash == SIZE_MAX)
        return is_name(key, 63);
    return is_subdomain(str_first(key, slash)) && is_name(str_from_index(key, slash + 1), 63);
}

static bool value_matches(struct label_parser *p, str value, str actual, bool *ret)
{
    if (value.len > 0 && !is_name(value, 63))
        return build_fail(p->b, KUSTOMIZE_ERROR_CONFIG, "invalid label value \"%.*s\" in selector",
                          STR(value));
    *ret = *ret || str_eq(value, actual);
    return true;
}

/* ( a, b, ) : an empty place is the empty value */
static bool value_set(struct label_parser *p, str actual, bool *ret)
{
    bool want_value = true;

    advance(p, /*as_value=*/true);
    if (p->token != T_OPEN)
        return refuse(p);
    advance(p, true);
    for (; p->token != T_CLOSE; advance(p, true)) {
        if (p->token == T_WORD && want_value) {
            if (!value_matches(p, p->literal, actual, ret))
                return false;
            want_value = false;
        } else if (p->token == T_COMMA) {
            if (want_value && !value_matches(p, STR_EMPTY, actual, ret))
                return false;
            want_value = true;
        } else {
            return refuse(p);
        }
    }
    if (want_value && !value_matches(p, STR_EMPTY, actual, ret))
        return false;
    advance(p, true);
    return true;
}

static bool one_value(struct label_parser *p, str *ret)
{
    advance(p, /*as_value=*/true);
    *ret = STR_EMPTY;
    if (p->token == T_END || p->token == T_COMMA)
        return true;
    if (p->token != T_WORD)
        return refuse(p);
    *ret = p->literal;
    advance(p, true);
    return true;
}

static bool compare(struct label_parser *p, enum token op, bool has, str actual, bool *ret)
{
    str value = STR_EMPTY;
    int64_t left = 0;
    int64_t right = 0;
    bool equal = false;

    if (!one_value(p, &value))
        return false;
    if (op == T_GT || op == T_LT) {
        if (!str_to_i64(value, &right))
            return build_fail(p->b, KUSTOMIZE_ERROR_CONFIG,
                              "for 'Gt', 'Lt' operators, the value must be an integer");
        *ret = has && str_to_i64(actual, &left) && (op == T_GT ? left > right : left < right);
        return true;
    }
    if (!value_matches(p, value, actual, &equal))
        return false;
    *ret = op == T_NE ? !has || !equal : has && equal;
    return true;
}

static bool requirement(struct label_parser *p, bool *ret)
{
    bool negated = p->token == T_NOT;
    bool has = false;
    bool in_set = false;

    if (negated)
        advance(p, /*as_value=*/true);
    if (p->token != T_WORD)
        return refuse(p);
    str key = p->literal;
    if (!is_qualified(key))
        return build_fail(p->b, KUSTOMIZE_ERROR_CONFIG, "invalid label key \"%.*s\" in selector",
                          STR(key));
    str actual = pairs_get(p->labels, key, &has);
    advance(p, /*as_value=*/false);
    enum token op = p->token;
    if (negated || op == T_END || op == T_COMMA) {
        if (negated && op != T_END && op != T_COMMA)
            return refuse(p);
        *ret = negated ? !has : has;
        return true;
    }
    if (op == T_IN || op == T_NOTIN) {
        if (!value_set(p, actual, &in_set))
            return false;
        *ret = op == T_IN ? has && in_set : !has || !in_set;
        return true;
    }
    if (op != T_EQ && op != T_EQEQ && op != T_NE && op != T_GT && op != T_LT)
        return refuse(p);
    return compare(p, op, has, actual, ret);
}

bool labels_match(struct build *b, str selector, const struct pairs *labels, bool *ret)
{
    struct label_parser p = {.b = b, .text = selector, .labels = labels};
    bool all = true;

    advance(&p, /*as_value=*/true);
    while (p.token != T_END) {
        bool one = false;
        if (!requirement(&p, &one))
            return false;
        all = all && one;
        if (p.token == T_END)
            break;
        if (p.token != T_COMMA)
            return refuse(&p);
        advance(&p, true);
        if (p.token == T_END)
            return refuse(&p);
    }
    *ret = all;
    return true;
}
