/* SPDX-License-Identifier: Apache-2.0 */
#include "doc/json.h"

#include "base/mem.h"

#include <stdlib.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

/* Containers are gathered on two scratch stacks and then moved into storage of the exact size.
 * Duplicate keys are found when a map closes: every key of the document has one interned record,
 * and the map's own serial number is stamped on the records of its keys. A record that already
 * carries it was a key of this map before. That is linear, whatever the input. */
struct intern {
    uint32_t stamp;
    uint32_t first; /* index of the first member with this key, in the map of the stamp */
    uint32_t hash;
    struct intern *next; /* the key that followed this one last time */
    struct val_key key;
};

struct parser {
    const char *at;
    const char *end;
    const char *start;
    const char *line_start;
    size_t line;
    size_t depth;
    uint16_t file;
    uint32_t serial;
    const struct json_options *options;
    struct arena *arena;
    struct err *err;

    struct val_member_init *members;
    size_t member_count;
    size_t member_size;
    struct val *items;
    size_t item_count;
    size_t item_size;

    struct intern **interns;
    size_t intern_count;
    size_t intern_size; /* a power of two */
    struct intern *last_key;

    struct {
        str key;      /* of the member that is being read; in a list unused */
        size_t index; /* of the item; SIZE_MAX in a map */
    } path[LIMIT_DOC_DEPTH + 1];
};

static bool parse_value(struct parser *p, struct val *ret);

/* ---- errors ---- */

/* Line and column are found again from the text: counting as we go would cost every parse. */
static void locate(const struct parser *p, const char *at, size_t *ret_line, size_t *ret_column)
{
    const char *line_start = p->start;
    size_t line = 1;

    for (const char *c = p->start; c < at; c++) {
        if (*c == '\n') {
            line++;
            line_start = c + 1;
        }
    }
    *ret_line = line;
    *ret_column = (size_t)(at - line_start) + 1;
}

static bool fail_code(struct parser *p, const char *at, enum err_code code, const char *reason)
{
    size_t line = 0;
    size_t column = 0;

    locate(p, at, &line, &column);
    if (str_is_empty(p->options->file))
        return err_set(p->err, code, "line %zu column %zu: %s", line, column, reason);
    return err_set(p->err, code, "%.*s:%zu:%zu: %s", STR(p->options->file), line, column, reason);
}

static bool fail(struct parser *p, const char *at, const char *reason)
{
    return fail_code(p, at, ERR_INVALID, reason);
}

static bool fail_unexpected(struct parser *p, const char *expected)
{
    char reason[128];

    if (p->at >= p->end)
        return fail(p, p->end, "the JSON text ends too early");
    unsigned char c = (unsigned char)*p->at;
    if (c >= 0x20 && c < 0x7f)
        (void)snprintf(reason, sizeof(reason), "expected %s, found '%c'", expected, c);
    else
        (void)snprintf(reason, sizeof(reason), "expected %s, found byte 0x%02x", expected, c);
    return fail(p, p->at, reason);
}

/* ---- scanning ---- */

static inline void skip_space(struct parser *p)
{
    const char *at = p->at;

    if (at < p->end && (unsigned char)*at > ' ')
        return; /* compact texts have none */
    while (at < p->end && (*at == ' ' || *at == '\n' || *at == '\t' || *at == '\r')) {
        if (*at == '\n') {
            p->line++;
            p->line_start = at + 1;
        }
        at++;
    }
    p->at = at;
}

/* The first byte that ends a plain run in a string: quote, backslash, control or non-ASCII. */
static const char *scan_plain(const char *at, const char *end)
{
#if defined(__SSE2__)
    const __m128i quote = _mm_set1_epi8('"');
    const __m128i backslash = _mm_set1_epi8('\\');
    const __m128i space = _mm_set1_epi8(0x20);
    while (end - at >= 16) {
        __m128i chunk = _mm_loadu_si128((const __m128i *)(const void *)at);
        /* The signed comparison takes control and non-ASCII bytes in one go. */
        __m128i hit = _mm_or_si128(
                _mm_or_si128(_mm_cmpeq_epi8(chunk, quote), _mm_cmpeq_epi8(chunk, backslash)),
                _mm_cmplt_epi8(chunk, space));
        int mask = _mm_movemask_epi8(hit);
        if (mask != 0)
            return at + __builtin_ctz((unsigned)mask);
        at += 16;
    }
#endif
    while (at < end) {
        signed char c = (signed char)*at;
        if (c == '"' || c == '\\' || c < 0x20)
            break;
        at++;
    }
    return at;
}

/* Bytes of the UTF-8 sequence at `at`, 0 when it is none (overlong, surrogate, cut). */
static size_t utf8_length(const char *at, const char *end)
{
    const unsigned char *s = (const unsigned char *)at;
    size_t left = (size_t)(end - at);
    unsigned char low = 0x80;
    unsigned char high = 0xbf;
    size_t length = 0;

    if (s[0] < 0x80)
        return 1;
    if (s[0] >= 0xc2 && s[0] <= 0xdf)
        length = 2;
    else if (s[0] >= 0xe0 && s[0] <= 0xef)
        length = 3;
    else if (s[0] >= 0xf0 && s[0] <= 0xf4)
        length = 4;
    if (length == 0 || length > left)
        return 0;
    if (s[0] == 0xe0)
        low = 0xa0;
    else if (s[0] == 0xed)
        high = 0x9f;
    else if (s[0] == 0xf0)
        low = 0x90;
    else if (s[0] == 0xf4)
        high = 0x8f;
    if (s[1] < low || s[1] > high)
        return 0;
    for (size_t i = 2; i < length; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    return length;
}

static int hex4(const char *at)
{
    int value = 0;

    for (int i = 0; i < 4; i++) {
        char c = at[i];
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

static char *put_utf8(char *to, unsigned code)
{
    if (code < 0x80) {
        *to++ = (char)code;
    } else if (code < 0x800) {
        *to++ = (char)(0xc0 | (code >> 6));
        *to++ = (char)(0x80 | (code & 0x3f));
    } else if (code < 0x10000) {
        *to++ = (char)(0xe0 | (code >> 12));
        *to++ = (char)(0x80 | ((code >> 6) & 0x3f));
        *to++ = (char)(0x80 | (code & 0x3f));
    } else {
        *to++ = (char)(0xf0 | (code >> 18));
        *to++ = (char)(0x80 | ((code >> 12) & 0x3f));
        *to++ = (char)(0x80 | ((code >> 6) & 0x3f));
        *to++ = (char)(0x80 | (code & 0x3f));
    }
    return to;
}

/* Moves past the closing quote. The raw text between the quotes is checked but not decoded. */
static bool scan_string(struct parser *p, str *ret_raw, bool *ret_escaped)
{
    const char *start = p->at;
    const char *at = start;

    *ret_escaped = false;
    for (;;) {
        at = scan_plain(at, p->end);
        if (at >= p->end)
            return fail(p, start - 1, "a string is not closed");
        if (*at == '"')
            break;
        if (*at == '\\') {
            *ret_escaped = true;
            if (p->end - at < 2)
                return fail(p, start - 1, "a string is not closed");
            if (at[1] == '\0' || strchr("\"\\/bfnrtu", at[1]) == NULL)
                return fail(p, at, "a string has an unknown escape");
            if (at[1] == 'u' && (p->end - at < 6 || hex4(at + 2) < 0))
                return fail(p, at, "\\u must be followed by four hexadecimal digits");
            at += at[1] == 'u' ? 6 : 2;
            continue;
        }
        if ((unsigned char)*at < 0x20)
            return fail(p, at, "a control character in a string must be escaped");
        size_t length = utf8_length(at, p->end);
        if (length == 0)
            return fail(p, at, "a string is not valid UTF-8");
        at += length;
    }
    *ret_raw = str_of(start, (size_t)(at - start));
    p->at = at + 1;
    return true;
}

/* Decodes into `to`, which has room for raw.len bytes: no escape grows. Returns the length. */
static size_t decode_string(str raw, char *to)
{
    static const char from[] = "bfnrt";
    static const char into[] = "\b\f\n\r\t";
    const char *at = raw.at;
    const char *end = raw.at + raw.len;
    char *start = to;

    while (at < end) {
        if (*at != '\\') {
            *to++ = *at++;
            continue;
        }
        const char *known = strchr(from, at[1]);
        if (at[1] != 'u') {
            *to++ = known != NULL ? into[known - from] : at[1];
            at += 2;
            continue;
        }
        unsigned code = (unsigned)hex4(at + 2);
        at += 6;
        if (code >= 0xd800 && code <= 0xdfff) {
            int low = end - at >= 6 && at[0] == '\\' && at[1] == 'u' ? hex4(at + 2) : -1;
            if (code <= 0xdbff && low >= 0xdc00 && low <= 0xdfff) {
                code = 0x10000 + ((code - 0xd800) << 10) + ((unsigned)low - 0xdc00);
                at += 6;
            } else {
                code = 0xfffd;
            }
        }
        to = put_utf8(to, code);
    }
    return (size_t)(to - start);
}

/* ---- keys ---- */

static void interns_grow(struct parser *p)
{
    size_t size = p->intern_size == 0 ? 64 : p->intern_size * 2;
    struct intern **table = new0_array(size, struct intern *);

    for (size_t i = 0; i < p->intern_size; i++) {
        struct intern *one = p->interns[i];
        if (one == NULL)
            continue;
        size_t slot = one->hash & (size - 1);
        while (table[slot] != NULL)
            slot = (slot + 1) & (size - 1);
        table[slot] = one;
    }
    mem_free(p->interns);
    p->interns = table;
    p->intern_size = size;
}

static struct intern *intern_find(struct parser *p, str text)
{
    if (p->intern_count * 2 >= p->intern_size)
        interns_grow(p);

    uint32_t hash = (uint32_t)str_hash(text);
    size_t slot = hash & (p->intern_size - 1);
    for (struct intern *one = NULL; (one = p->interns[slot]) != NULL;
         slot = (slot + 1) & (p->intern_size - 1)) {
        if (one->hash == hash && one->key.len == text.len &&
            memcmp(one->key.text, text.at, text.len) == 0)
            return one;
    }
    struct intern *added = arena_alloc(p->arena, sizeof(*added) + text.len + 1);
    added->hash = hash;
    added->key.len = (uint32_t)text.len;
    memcpy(added->key.text, text.at, text.len);
    p->interns[slot] = added;
    p->intern_count++;
    return added;
}

/* Objects of a list have their keys in the same order: the guess is nearly always right. */
static const struct val_key *intern_key(struct parser *p, str text)
{
    struct intern *guess = p->last_key == NULL ? NULL : p->last_key->next;

    if (guess == NULL || guess->key.len != text.len ||
        memcmp(guess->key.text, text.at, text.len) != 0) {
        guess = intern_find(p, text);
        if (p->last_key != NULL)
            p->last_key->next = guess;
    }
    p->last_key = guess;
    return &guess->key;
}

static bool parse_key(struct parser *p, const struct val_key **ret_key)
{
    char small[256];
    str raw = STR_EMPTY;
    bool escaped = false;

    if (p->at >= p->end || *p->at != '"')
        return fail_unexpected(p, "a key in double quotes");
    p->at++;
    if (!scan_string(p, &raw, &escaped))
        return false;
    if (escaped) {
        char *text = raw.len <= sizeof(small) ? small : arena_bytes(p->arena, raw.len);
        raw = str_of(text, decode_string(raw, text));
    }
    *ret_key = intern_key(p, raw);
    return true;
}

/* ---- containers ---- */

/* Scratch counts against the arena's limit: a text of `[0,0,0…` would else take 24 times its size.
 */
static bool scratch_check(struct parser *p, size_t bytes)
{
    size_t limit = arena_limit(p->arena);
    size_t used = arena_used(p->arena);

    if (arena_is_over(p->arena) || bytes > limit - MIN(used, limit)) {
        char reason[96];
        (void)snprintf(reason, sizeof(reason), "the document needs more than %zu bytes of memory",
                       limit);
        return fail_code(p, p->at, ERR_LIMIT, reason);
    }
    return true;
}

static bool push_member(struct parser *p, const struct val_member_init *member)
{
    if (p->member_count == p->member_size) {
        size_t size = p->member_size == 0 ? 64 : p->member_size * 2;
        if (!scratch_check(p, size * sizeof(*member)))
            return false;
        p->members = mem_grow(p->members, size, sizeof(*member));
        p->member_size = size;
    }
    p->members[p->member_count++] = *member;
    return true;
}

static bool push_item(struct parser *p, const struct val *item)
{
    if (p->item_count == p->item_size) {
        size_t size = p->item_size == 0 ? 64 : p->item_size * 2;
        if (!scratch_check(p, size * sizeof(*item)))
            return false;
        p->items = mem_grow(p->items, size, sizeof(*item));
        p->item_size = size;
    }
    p->items[p->item_count++] = *item;
    return true;
}

static void report_duplicate(struct parser *p, str key)
{
    struct arena *arena =
            p->options->duplicates_arena != NULL ? p->options->duplicates_arena : p->arena;
    auto_buf struct buf path = {0};

    buf_init(&path, LIMIT_ERR_MESSAGE);
    for (size_t i = 0; i + 1 < p->depth; i++) {
        if (p->path[i].index != SIZE_MAX)
            buf_addf(&path, "[%zu]", p->path[i].index);
        else
            buf_addf(&path, "%s%.*s", path.len > 0 ? "." : "", STR(p->path[i].key));
    }
    buf_addf(&path, "%s%.*s", path.len > 0 ? "." : "", STR(key));
    if (val_count(p->options->ret_duplicates) < 100)
        val_append(arena, p->options->ret_duplicates, val_string(arena, buf_str(&path)));
}

static bool duplicate_found(struct parser *p, str key, size_t place)
{
    char reason[160];

    if (p->options->ret_duplicates != NULL)
        report_duplicate(p, key);
    if (p->options->last_duplicate_wins || p->options->ret_duplicates != NULL)
        return true;
    (void)snprintf(reason, sizeof(reason), "the key \"%.*s\" is repeated",
                   STR(str_first(key, str_utf8_clip(key, 100))));
    return fail(p, p->start + place, reason);
}

/* Called for the members of one map, when it closes. `spare` holds where each key stood. Of equal
 * keys the last value wins, at the place of the first. */
static bool check_duplicates(struct parser *p, struct val_member_init *members, size_t *count)
{
    uint32_t serial = ++p->serial;
    size_t to = 0;

    for (size_t i = 0; i < *count; i++) {
        struct intern *one =
                CONTAINER_OF((struct val_key *)(uintptr_t)members[i].key, struct intern, key);
        size_t place = members[i].value.spare;
        members[i].value.spare = 0;
        if (one->stamp == serial) {
            if (!duplicate_found(p, str_of(one->key.text, one->key.len), place))
                return false;
            members[one->first].value = members[i].value;
            continue;
        }
        one->stamp = serial;
        one->first = (uint32_t)to;
        if (to != i)
            members[to] = members[i];
        to++;
    }
    *count = to;
    return true;
}

static bool enter(struct parser *p)
{
    if (p->depth >= LIMIT_DOC_DEPTH) {
        char reason[96];
        (void)snprintf(reason, sizeof(reason), "the document is nested deeper than %d levels",
                       LIMIT_DOC_DEPTH);
        return fail_code(p, p->at, ERR_LIMIT, reason);
    }
    p->path[p->depth].index = SIZE_MAX;
    p->depth++;
    return true;
}

static bool parse_member(struct parser *p)
{
    struct val_member_init member = {0};
    size_t place = (size_t)(p->at - p->start);

    if (!parse_key(p, &member.key))
        return false;
    skip_space(p);
    if (p->at >= p->end || *p->at != ':')
        return fail_unexpected(p, "':'");
    p->at++;
    p->path[p->depth - 1].key = str_of(member.key->text, member.key->len);
    if (!parse_value(p, &member.value))
        return false;
    member.value.spare = (uint32_t)place;
    return push_member(p, &member);
}

static bool parse_map(struct parser *p, struct val *ret)
{
    size_t base = p->member_count;

    if (!enter(p))
        return false;
    p->at++;
    skip_space(p);
    ret->kind = VAL_MAP;
    if (p->at < p->end && *p->at == '}') {
        p->at++;
        p->depth--;
        return true;
    }
    for (;;) {
        if (!parse_member(p))
            return false;
        skip_space(p);
        if (p->at < p->end && *p->at == ',') {
            p->at++;
            skip_space(p);
            continue;
        }
        if (p->at >= p->end || *p->at != '}')
            return fail_unexpected(p, "',' or '}'");
        p->at++;
        break;
    }
    size_t count = p->member_count - base;
    if (!check_duplicates(p, p->members + base, &count))
        return false;
    val_fill_map(p->arena, ret, p->members + base, count);
    p->member_count = base;
    p->depth--;
    return scratch_check(p, 0);
}

static bool parse_list(struct parser *p, struct val *ret)
{
    size_t base = p->item_count;

    if (!enter(p))
        return false;
    p->at++;
    skip_space(p);
    ret->kind = VAL_LIST;
    if (p->at < p->end && *p->at == ']') {
        p->at++;
        p->depth--;
        return true;
    }
    for (;;) {
        struct val item = {0};
        p->path[p->depth - 1].index = p->item_count - base;
        if (!parse_value(p, &item) || !push_item(p, &item))
            return false;
        skip_space(p);
        if (p->at < p->end && *p->at == ',') {
            p->at++;
            continue;
        }
        if (p->at >= p->end || *p->at != ']')
            return fail_unexpected(p, "',' or ']'");
        p->at++;
        break;
    }
    val_fill_list(p->arena, ret, p->items + base, p->item_count - base);
    p->item_count = base;
    p->depth--;
    return scratch_check(p, 0);
}

/* ---- scalars ---- */

static bool parse_text(struct parser *p, struct val *ret)
{
    str raw = STR_EMPTY;
    bool escaped = false;

    p->at++;
    if (!scan_string(p, &raw, &escaped))
        return false;
    ret->kind = VAL_STRING;
    ret->style = VAL_QUOTED;
    if (!escaped) {
        ret->text = arena_str(p->arena, raw).at;
        ret->count = (uint32_t)raw.len;
        return true;
    }
    char *text = arena_bytes(p->arena, raw.len + 1);
    ret->count = (uint32_t)decode_string(raw, text);
    text[ret->count] = '\0';
    ret->text = text;
    return true;
}

static const char *skip_digits(const char *at, const char *end)
{
    while (at < end && *at >= '0' && *at <= '9')
        at++;
    return at;
}

static bool parse_number(struct parser *p, struct val *ret)
{
    const char *at = p->at;
    const char *end = p->end;

    if (*at == '-')
        at++;
    const char *digits = at;
    at = skip_digits(at, end);
    if (at == digits)
        return fail(p, p->at, "a number must have digits");
    if (*digits == '0' && at - digits > 1)
        return fail(p, p->at, "a number may not begin with a zero");
    if (at < end && *at == '.') {
        digits = ++at;
        at = skip_digits(at, end);
        if (at == digits)
            return fail(p, p->at, "a number must have digits behind its point");
        ret->style = VAL_FLOAT;
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        at++;
        if (at < end && (*at == '+' || *at == '-'))
            at++;
        digits = at;
        at = skip_digits(at, end);
        if (at == digits)
            return fail(p, p->at, "a number must have digits in its exponent");
        ret->style = VAL_FLOAT;
    }
    str text = str_of(p->at, (size_t)(at - p->at));
    ret->kind = VAL_NUMBER;
    ret->text = arena_str(p->arena, text).at;
    ret->count = (uint32_t)text.len;
    p->at = at;
    return true;
}

static bool parse_word(struct parser *p, str word, struct val value, struct val *ret)
{
    if (!str_starts(str_of(p->at, (size_t)(p->end - p->at)), word))
        return fail_unexpected(p, "a value");
    ret->kind = value.kind;
    ret->count = value.count;
    p->at += word.len;
    return true;
}

static bool parse_value(struct parser *p, struct val *ret)
{
    skip_space(p);
    if (p->at >= p->end)
        return fail_unexpected(p, "a value");
    if (p->options->places)
        val_set_place(ret, p->file, p->line, (size_t)(p->at - p->line_start) + 1);
    switch (*p->at) {
    case '{':
        return parse_map(p, ret);
    case '[':
        return parse_list(p, ret);
    case '"':
        return parse_text(p, ret);
    case 't':
        return parse_word(p, S("true"), val_bool(true), ret);
    case 'f':
        return parse_word(p, S("false"), val_bool(false), ret);
    case 'n':
        return parse_word(p, S("null"), val_null(), ret);
    default:
        if (*p->at == '-' || (*p->at >= '0' && *p->at <= '9'))
            return parse_number(p, ret);
        return fail_unexpected(p, "a value");
    }
}

bool json_parse(struct arena *arena, str text, const struct json_options *options,
                struct val **ret_value, struct err *err)
{
    static const struct json_options none = {0};
    struct parser p = {.at = text.at,
                       .end = text.at + text.len,
                       .start = text.at,
                       .line_start = text.at,
                       .line = 1,
                       .options = options != NULL ? options : &none,
                       .arena = arena,
                       .err = err};
    struct val root = {0};

    if (text.len > LIMIT_DOC_BYTES)
        return err_set(err, ERR_LIMIT,
                       "a JSON document may have at most %zu bytes, this one has %zu",
                       LIMIT_DOC_BYTES, text.len);
    if (p.options->places)
        p.file = str_is_empty(p.options->file) ? 0 : val_file_add(p.options->file);

    bool ok = parse_value(&p, &root);
    if (ok) {
        skip_space(&p);
        if (p.at < p.end)
            ok = fail(&p, p.at, "there is something behind the end of the JSON document");
    }
    if (ok)
        ok = scratch_check(&p, 0);
    mem_free(p.members);
    mem_free(p.items);
    mem_free(p.interns);
    if (ok)
        *ret_value = val_new(arena, root);
    return ok;
}
