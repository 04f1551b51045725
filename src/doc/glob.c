/* SPDX-License-Identifier: Apache-2.0 */
#include "doc/glob.h"

/* {a,b} is written out into plain patterns first; each of those is then walked as a set of states,
 * so that no pattern can make matching slower than pattern × text. */

enum { GROUPS_MAX = 32 };

enum token_kind { TOKEN_RUNE, TOKEN_ONE, TOKEN_STAR, TOKEN_SUPER, TOKEN_CLASS };

struct token {
    enum token_kind kind;
    uint32_t rune;
    str class; /* between the brackets */
};

struct glob {
    struct token tokens[LIMIT_GLOB_PATTERN];
    size_t count;
};

struct search {
    str text;
    char separator;
    size_t alternatives;
    bool is_bad;
    bool only_check;
};

static uint32_t next_rune(str *rest)
{
    size_t length = 1;

    if ((unsigned char)rest->at[0] >= 0x80)
        for (size_t n = 2; n <= 4 && n <= rest->len && length == 1; n++)
            if (str_is_utf8(str_first(*rest, n)))
                length = n;
    uint32_t rune = 0;
    for (size_t i = 0; i < length; i++)
        rune = rune << 8 | (unsigned char)rest->at[i];
    *rest = str_from_index(*rest, length);
    return rune;
}

static bool compile(str pattern, struct glob *glob)
{
    glob->count = 0;
    while (pattern.len > 0) {
        struct token token = {.kind = TOKEN_RUNE};
        if (str_skip(&pattern, S("**"))) {
            while (str_skip(&pattern, S("*")))
                ;
            token.kind = TOKEN_SUPER;
        } else if (str_skip(&pattern, S("*"))) {
            token.kind = TOKEN_STAR;
        } else if (str_skip(&pattern, S("?"))) {
            token.kind = TOKEN_ONE;
        } else if (str_skip(&pattern, S("["))) {
            size_t end = str_find_char(pattern, ']');
            if (end == SIZE_MAX || end == 0)
                return false;
            token.kind = TOKEN_CLASS;
            token.class = str_first(pattern, end);
            pattern = str_from_index(pattern, end + 1);
        } else {
            if (str_skip(&pattern, S("\\")) && pattern.len == 0)
                return false;
            token.rune = next_rune(&pattern);
        }
        glob->tokens[glob->count++] = token;
    }
    return true;
}

static bool class_has(str class, uint32_t rune)
{
    bool negated = str_skip(&class, S("!"));
    bool found = false;

    while (class.len > 0) {
        uint32_t low = next_rune(&class);
        uint32_t high = low;
        if (class.len > 1 && str_skip(&class, S("-")))
            high = next_rune(&class);
        found = found || (rune >= low && rune <= high);
    }
    return found != negated;
}

static bool token_takes(const struct token *token, uint32_t rune, bool is_separator)
{
    switch (token->kind) {
    case TOKEN_RUNE:
        return token->rune == rune;
    case TOKEN_ONE:
    case TOKEN_STAR:
        return !is_separator;
    case TOKEN_SUPER:
        return true;
    case TOKEN_CLASS:
        return class_has(token->class, rune);
    }
    return false;
}

static bool is_star(const struct token *token)
{
    return token->kind == TOKEN_STAR || token->kind == TOKEN_SUPER;
}

/* Stars take nothing, too. */
static void close_states(const struct glob *glob, bool *states)
{
    for (size_t i = 0; i < glob->count; i++)
        if (states[i] && is_star(&glob->tokens[i]))
            states[i + 1] = true;
}

static bool walk(const struct glob *glob, str text, char separator)
{
    bool now[LIMIT_GLOB_PATTERN + 1] = {true};
    bool next[LIMIT_GLOB_PATTERN + 1];

    close_states(glob, now);
    while (text.len > 0) {
        uint32_t rune = next_rune(&text);
        bool is_separator = separator != '\0' && rune == (unsigned char)separator;
        memset(next, 0, glob->count + 1);
        for (size_t i = 0; i < glob->count; i++) {
            if (now[i] && token_takes(&glob->tokens[i], rune, is_separator))
                next[is_star(&glob->tokens[i]) ? i : i + 1] = true;
        }
        close_states(glob, next);
        memcpy(now, next, glob->count + 1);
    }
    return now[glob->count];
}

/* The end of the group, class or escape that begins at `at`, or len. */
static size_t skip_element(str pattern, size_t at)
{
    if (pattern.at[at] == '\\')
        return MIN(at + 2, pattern.len);
    if (pattern.at[at] == '[') {
        size_t end = str_find_char(str_from_index(pattern, at), ']');
        return end == SIZE_MAX ? pattern.len : at + end + 1;
    }
    return at + 1;
}

static bool search(struct search *s, str pattern, size_t groups);

/* One alternative in the place of its group. */
static bool search_with(struct search *s, str before, str middle, str after, size_t groups)
{
    char joined[LIMIT_GLOB_PATTERN];
    size_t len = before.len + middle.len + after.len;

    if (len > sizeof(joined)) {
        s->is_bad = true;
        return false;
    }
    memcpy(joined, before.at, before.len);
    memcpy(joined + before.len, middle.at, middle.len);
    memcpy(joined + before.len + middle.len, after.at, after.len);
    return search(s, str_of(joined, len), groups + 1);
}

static bool search_group(struct search *s, str pattern, size_t open, size_t groups)
{
    size_t depth = 0;
    size_t from = open + 1;

    /* First the end, then each part between the commas of this level. */
    size_t close = open;
    for (size_t i = open; i < pattern.len; i = skip_element(pattern, i)) {
        depth += pattern.at[i] == '{' ? 1 : 0;
        if (pattern.at[i] == '}' && --depth == 0) {
            close = i;
            break;
        }
    }
    if (close == open || groups >= GROUPS_MAX) {
        s->is_bad = true;
        return false;
    }
    str before = str_first(pattern, open);
    str after = str_from_index(pattern, close + 1);
    bool found = false;
    for (size_t i = from; i <= close && !found && !s->is_bad; i = skip_element(pattern, i)) {
        char c = pattern.at[i];
        if (i < close) {
            depth += c == '{' ? 1 : 0;
            depth -= c == '}' ? 1 : 0;
        }
        if (i != close && (c != ',' || depth > 0))
            continue;
        found = search_with(s, before, str_of(pattern.at + from, i - from), after, groups);
        from = i + 1;
    }
    return found;
}

static bool match_plain(struct search *s, str pattern)
{
    struct glob glob;

    if (++s->alternatives > LIMIT_GLOB_ALTERNATIVES || !compile(pattern, &glob)) {
        s->is_bad = true;
        return false;
    }
    return !s->only_check && walk(&glob, s->text, s->separator);
}

static bool search(struct search *s, str pattern, size_t groups)
{
    for (size_t i = 0; i < pattern.len; i = skip_element(pattern, i))
        if (pattern.at[i] == '{')
            return search_group(s, pattern, i, groups);
    return match_plain(s, pattern);
}

bool glob_match(str pattern, str text, char separator)
{
    struct search s = {.text = text, .separator = separator};

    if (pattern.len > LIMIT_GLOB_PATTERN)
        return str_eq(pattern, text);
    bool found = search(&s, pattern, 0);
    return s.is_bad ? str_eq(pattern, text) : found;
}

bool glob_check(str pattern, struct err *err)
{
    struct search s = {.only_check = true};

    if (pattern.len > LIMIT_GLOB_PATTERN)
        return err_set(err, ERR_LIMIT, "a pattern may have at most %d bytes, this one has %zu",
                       LIMIT_GLOB_PATTERN, pattern.len);
    (void)search(&s, pattern, 0);
    if (s.alternatives > LIMIT_GLOB_ALTERNATIVES)
        return err_set(err, ERR_LIMIT, "the pattern '%.*s' stands for more than %d alternatives",
                       STR(pattern), LIMIT_GLOB_ALTERNATIVES);
    if (s.is_bad)
        return err_set(err, ERR_INVALID, "'%.*s' is not a valid pattern", STR(pattern));
    return true;
}
