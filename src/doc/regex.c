/* SPDX-License-Identifier: Apache-2.0 */
#include "doc/regex.h"

#include "base/buf.h"
#include "base/mem.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

enum { REPEAT_MAX = 1000, MATCH_STEPS = 2000000, MATCH_DEPTH = 20000, MATCH_HEAP_KIB = 32768 };

struct regex {
    pcre2_code *code;
    pcre2_match_data *data;
    pcre2_match_context *context;
};

/* ---- syntax: from Go's to PCRE2's ---- */

struct translator {
    str in;
    size_t at;
    struct buf out;
    struct err *err;
    bool can_repeat; /* something stands before that a repetition can bind to */
};

static bool refuse(struct translator *t, const char *what)
{
    return err_set(t->err, ERR_INVALID, "the regular expression `%.*s` has %s",
                   (int)MIN(t->in.len, (size_t)200), t->in.at, what);
}

static char peek(const struct translator *t, size_t ahead)
{
    return t->at + ahead < t->in.len ? t->in.at[t->at + ahead] : '\0';
}

static bool is_octal(char c)
{
    return c >= '0' && c <= '7';
}

static bool is_alnum(char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

static void copy(struct translator *t, size_t count)
{
    buf_add(&t->out, str_of(t->in.at + t->at, count));
    t->at += count;
}

static bool octal(struct translator *t)
{
    unsigned value = 0;

    for (size_t digits = 0; digits < 3 && is_octal(peek(t, 0)); digits++, t->at++)
        value = value * 8 + (unsigned)(t->in.at[t->at] - '0');
    buf_addf(&t->out, "\\x{%x}", value);
    return true;
}

/* \x41, \x{10FFFF} */
static bool hexadecimal(struct translator *t)
{
    size_t end = t->at + 2;

    if (peek(t, 2) == '{') {
        while (end < t->in.len && t->in.at[end] != '}')
            end++;
        if (end >= t->in.len)
            return refuse(t, "an invalid escape sequence");
        copy(t, end + 1 - t->at);
        return true;
    }
    buf_addf(&t->out, "\\x{%c%c}", peek(t, 2), peek(t, 3));
    t->at = MIN(t->at + 4, t->in.len);
    return true;
}

/* A backslash and what follows. */
static bool escape(struct translator *t, bool in_class)
{
    char c = peek(t, 1);

    if (t->at + 1 >= t->in.len)
        return refuse(t, "a trailing backslash");
    if (c == 'x')
        return hexadecimal(t);
    if (c == '0' || (is_octal(c) && is_octal(peek(t, 2)))) {
        t->at++;
        return octal(t);
    }
    if (!in_class && c == 'Q') {
        str rest = str_from_index(t->in, t->at + 2);
        size_t end = str_find(rest, S("\\E"));
        size_t len = end == SIZE_MAX ? rest.len : end;
        for (size_t i = 0; i < len; i++) {
            if ((unsigned char)rest.at[i] < 0x80 && !is_alnum(rest.at[i]))
                buf_addc(&t->out, '\\');
            buf_addc(&t->out, rest.at[i]);
        }
        t->at = MIN(t->at + 2 + len + 2, t->in.len);
        return true;
    }
    if (c == 's' || c == 'S') {
        buf_add(&t->out, in_class   ? c == 's' ? S("\\t\\n\\f\\r ") : S("\\S")
                           : c == 's' ? S("[\\t\\n\\f\\r ]")
                                    : S("[^\\t\\n\\f\\r ]"));
        t->at += 2;
        return true;
    }
    if (c == 'v') {
        buf_add(&t->out, S("\\x{b}"));
        t->at += 2;
        return true;
    }
    if (is_alnum(c)) {
        static const char anywhere[] = "adfnrtwpPDW";
        static const char outside[] = "AbBz";
        if (strchr(anywhere, c) == NULL && (in_class || strchr(outside, c) == NULL))
            return refuse(t, "an invalid escape sequence");
    }
    copy(t, 2);
    return true;
}

static bool class(struct translator *t)
{
    copy(t, 1);
    if (peek(t, 0) == '^')
        copy(t, 1);
    bool first = true;
    while (t->at < t->in.len && (peek(t, 0) != ']' || first)) {
        if (peek(t, 0) == '[' && peek(t, 1) == ':') {
            size_t end = str_find(str_from_index(t->in, t->at + 2), S(":]"));
            if (end != SIZE_MAX) {
                copy(t, end + 4);
                first = false;
                continue;
            }
        }
        if (peek(t, 0) == '\\') {
            if (!escape(t, /*in_class=*/true))
                return false;
        } else if (peek(t, 0) == '[') {
            buf_add(&t->out, S("\\["));
            t->at++;
        } else if (first && peek(t, 0) == ']') {
            buf_add(&t->out, S("\\]"));
            t->at++;
        } else {
            copy(t, 1);
        }
        first = false;
    }
    if (t->at >= t->in.len)
        return refuse(t, "a missing closing ]");
    copy(t, 1);
    return true;
}

/* The length of {n}, {n,} or {n,m}; 0 when it is literal text. */
static size_t repeat_length(struct translator *t, bool *ret_too_big)
{
    size_t at = t->at + 1;
    unsigned values[2] = {0, 0};
    size_t parts = 0;

    for (; parts < 2; parts++) {
        size_t start = at;
        while (at < t->in.len && t->in.at[at] >= '0' && t->in.at[at] <= '9') {
            values[parts] = MIN(values[parts] * 10 + (unsigned)(t->in.at[at] - '0'), 100000U);
            at++;
        }
        if (start == at && parts == 0)
            return 0;
        if (at < t->in.len && t->in.at[at] == ',' && parts == 0) {
            at++;
            continue;
        }
        break;
    }
    if (at >= t->in.len || t->in.at[at] != '}')
        return 0;
    *ret_too_big = values[0] > REPEAT_MAX || values[1] > REPEAT_MAX;
    return at + 1 - t->at;
}

static bool repetition(struct translator *t, size_t length)
{
    if (!t->can_repeat)
        return refuse(t, "a repetition operator without argument, or a nested one");
    copy(t, length);
    if (peek(t, 0) == '?')
        copy(t, 1);
    t->can_repeat = false;
    return true;
}

/* (, (?:, (?flags), (?flags:, (?P<name>, (?<name> */
static bool group(struct translator *t)
{
    if (peek(t, 1) == '*')
        return refuse(t, "a repetition operator without argument");
    t->can_repeat = false;
    if (peek(t, 1) != '?') {
        copy(t, 1);
        return true;
    }
    size_t name = peek(t, 2) == 'P' && peek(t, 3) == '<' ? 4 : peek(t, 2) == '<' ? 3 : 0;
    if (name != 0) {
        size_t end = name;
        while (is_alnum(peek(t, end)) || peek(t, end) == '_')
            end++;
        if (end == name || peek(t, end) != '>')
            return refuse(t, "an invalid named group");
        buf_addc(&t->out, '('); /* names are not used, and PCRE2 limits them */
        t->at += end + 1;
        return true;
    }
    size_t end = 2;
    while (strchr("imsU-", peek(t, end)) != NULL && peek(t, end) != '\0')
        end++;
    if (peek(t, end) != ':' && (peek(t, end) != ')' || end == 2))
        return refuse(t, "invalid or unsupported Perl syntax");
    bool is_flags = peek(t, end) == ')';
    copy(t, end + 1);
    t->can_repeat = is_flags && false;
    return true;
}

static bool translate(struct translator *t)
{
    while (t->at < t->in.len) {
        char c = peek(t, 0);
        bool too_big = false;
        size_t length = c == '{' ? repeat_length(t, &too_big) : 0;
        if (too_big)
            return refuse(t, "a repeat count above 1000");
        if (c == '*' || c == '+' || c == '?' || length > 0) {
            if (!repetition(t, MAX(length, (size_t)1)))
                return false;
            continue;
        }
        if (c == '(') {
            if (!group(t))
                return false;
            continue;
        }
        if (c == '|') {
            copy(t, 1);
            t->can_repeat = false;
            continue;
        }
        if (c == '\\') {
            if (!escape(t, /*in_class=*/false))
                return false;
        } else if (c == '[') {
            if (!class(t))
                return false;
        } else if (c == '{') {
            buf_add(&t->out, S("\\{"));
            t->at++;
        } else {
            copy(t, 1);
        }
        t->can_repeat = true;
    }
    return true;
}

/* ---- use ---- */

static bool compile(struct regex *r, str pattern, str original, struct err *err)
{
    int code = 0;
    PCRE2_SIZE offset = 0;
    pcre2_compile_context *context = pcre2_compile_context_create(NULL);

    pcre2_set_newline(context, PCRE2_NEWLINE_LF);
    r->code = pcre2_compile((PCRE2_SPTR)pattern.at, pattern.len,
                            PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_DOLLAR_ENDONLY |
                                    PCRE2_NEVER_BACKSLASH_C,
                            &code, &offset, context);
    pcre2_compile_context_free(context);
    if (r->code == NULL) {
        unsigned char message[120] = "";
        pcre2_get_error_message(code, message, sizeof(message));
        return err_set(err, ERR_INVALID, "the regular expression `%.*s` is wrong: %s",
                       (int)MIN(original.len, (size_t)200), original.at, (const char *)message);
    }
    r->data = pcre2_match_data_create(1, NULL);
    r->context = pcre2_match_context_create(NULL);
    pcre2_set_match_limit(r->context, MATCH_STEPS);
    pcre2_set_depth_limit(r->context, MATCH_DEPTH);
    pcre2_set_heap_limit(r->context, MATCH_HEAP_KIB);
    return true;
}

bool regex_new(str pattern, struct regex **ret_regex, struct err *err)
{
    auto_regex struct regex *r = new0(struct regex);
    struct translator t = {.in = pattern, .err = err};

    if (pattern.len > LIMIT_REGEX_BYTES)
        return err_set(err, ERR_LIMIT,
                       "a regular expression is longer than %d bytes (LIMIT_REGEX_BYTES)",
                       LIMIT_REGEX_BYTES);
    if (!str_is_utf8(pattern))
        return err_set(err, ERR_INVALID, "a regular expression is not UTF-8");
    buf_init(&t.out, (size_t)LIMIT_REGEX_BYTES * 16);
    bool ok = translate(&t) && compile(r, buf_str(&t.out), pattern, err);
    buf_done(&t.out);
    if (!ok)
        return false;
    *ret_regex = TAKE(r);
    return true;
}

void regex_free(struct regex *regex)
{
    if (regex == NULL)
        return;
    pcre2_code_free(regex->code);
    pcre2_match_data_free(regex->data);
    pcre2_match_context_free(regex->context);
    mem_free(regex);
}

bool regex_find(struct regex *regex, str text, size_t from, bool *ret_matches, size_t *ret_start,
                size_t *ret_end, struct err *err)
{
    int rc = pcre2_match(regex->code, (PCRE2_SPTR)(text.len == 0 ? "" : text.at), text.len, from, 0,
                         regex->data, regex->context);

    if (rc == PCRE2_ERROR_NOMATCH) {
        *ret_matches = false;
        return true;
    }
    if (rc < 0)
        return err_set(err, ERR_LIMIT,
                       "a regular expression needs too many steps on a text of %zu bytes",
                       text.len);
    const PCRE2_SIZE *offsets = pcre2_get_ovector_pointer(regex->data);
    *ret_matches = true;
    *ret_start = offsets[0];
    *ret_end = offsets[1];
    return true;
}

bool regex_match(struct regex *regex, str text, bool *ret_matches, struct err *err)
{
    size_t start = 0;
    size_t end = 0;

    return regex_find(regex, text, 0, ret_matches, &start, &end, err);
}
