/* SPDX-License-Identifier: Apache-2.0 */
#include "doc/yaml_emit.h"

#include "base/mem.h"
#include "doc/yaml_char.h"
#include "doc/yaml_scalar.h"

#include <stdlib.h>

enum { WIDTH = 80, INDENT = 2, SIMPLE_KEY_MAX = 128, MEMBERS_ON_STACK = 32 };

struct emitter {
    struct buf *out;
    struct err *err;
    int column;
    int indent;
    unsigned depth;
    bool whitespace; /* the last thing written was blank */
    bool indention;  /* only indentation and indicators stand on this line */
};

static void put(struct emitter *e, char c)
{
    buf_addc(e->out, c);
    e->column++;
}

static void put_break(struct emitter *e)
{
    buf_addc(e->out, '\n');
    e->column = 0;
}

static void put_char(struct emitter *e, str s, size_t *at, size_t len)
{
    buf_add(e->out, str_of(s.at + *at, len));
    e->column++;
    *at += len;
}

static void write_indent(struct emitter *e)
{
    int indent = MAX(e->indent, 0);

    if (!e->indention || e->column > indent || (e->column == indent && !e->whitespace))
        put_break(e);
    if (e->column < indent) {
        buf_fill(e->out, ' ', (size_t)(indent - e->column));
        e->column = indent;
    }
    e->whitespace = true;
    e->indention = true;
}

static void indicator(struct emitter *e, const char *text, bool need_space, bool is_space,
                      bool is_indent)
{
    if (need_space && !e->whitespace)
        put(e, ' ');
    for (; *text != '\0'; text++)
        put(e, *text);
    e->whitespace = is_space;
    e->indention = e->indention && is_indent;
}

static int deeper(const struct emitter *e, bool flow, bool indentless)
{
    if (e->indent < 0)
        return flow ? INDENT : 0;
    return indentless ? e->indent : e->indent + INDENT;
}

/* ---- scalars ---- */

enum style { STYLE_PLAIN, STYLE_SINGLE, STYLE_DOUBLE, STYLE_LITERAL };

struct facts {
    bool block_indicators;
    bool line_breaks;
    bool special;
    bool leading_space, leading_break, trailing_space, trailing_break;
    bool break_space, space_break;
};

static bool is_break_char(uint32_t c)
{
    return c == '\r' || c == '\n' || c == 0x85 || c == 0x2028 || c == 0x2029;
}

static bool is_printable(uint32_t c)
{
    if (c < 0x80)
        return c == '\n' || (c >= 0x20 && c <= 0x7e);
    return c >= 0xa0 && c <= 0xffff && c != 0xfeff && c != 0xfffe && c != 0xffff &&
           !(c >= 0xd800 && c <= 0xdfff);
}

static bool is_blank_at(str s, size_t at)
{
    return at >= s.len || s.at[at] == ' ' || s.at[at] == '\t';
}

static bool starts_indicator(char c, bool followed_by_blank)
{
    switch (c) {
    case '#':
    case ',':
    case '[':
    case ']':
    case '{':
    case '}':
    case '&':
    case '*':
    case '!':
    case '|':
    case '>':
    case '\'':
    case '"':
    case '%':
    case '@':
    case '`':
        return true;
    case '?':
    case ':':
    case '-':
        return followed_by_blank;
    default:
        return false;
    }
}

static struct facts analyze(str s)
{
    struct facts f = {0};
    bool after_blank = true;
    bool previous_space = false;
    bool previous_break = false;

    f.block_indicators = str_starts(s, S("---")) || str_starts(s, S("..."));
    for (size_t i = 0; i < s.len;) {
        size_t len = 1;
        uint32_t c = yaml_char_at(s.at + i, s.len - i, &len);
        bool before_blank = is_blank_at(s, i + len);
        bool last = i + len == s.len;
        if (i == 0)
            f.block_indicators |= starts_indicator(s.at[0], before_blank);
        else if ((c == ':' && before_blank) || (c == '#' && after_blank))
            f.block_indicators = true;
        if (!is_printable(c))
            f.special = true;
        if (c == ' ') {
            f.leading_space |= i == 0;
            f.trailing_space |= last;
            f.break_space |= previous_break;
            previous_space = true;
            previous_break = false;
        } else if (is_break_char(c)) {
            f.line_breaks = true;
            f.leading_break |= i == 0;
            f.trailing_break |= last;
            f.space_break |= previous_space;
            previous_space = false;
            previous_break = true;
        } else {
            previous_space = previous_break = false;
        }
        after_blank = c == ' ' || c == '\t' || c == 0 || is_break_char(c);
        i += len;
    }
    return f;
}

static enum style choose(str s, enum style wanted, const struct facts *f, bool simple_key)
{
    bool plain_allowed = !(f->leading_space || f->leading_break || f->trailing_space ||
                           f->trailing_break || f->break_space || f->space_break || f->special ||
                           f->line_breaks || f->block_indicators);
    bool single_allowed = !(f->break_space || f->space_break || f->special);
    bool block_allowed = s.len > 0 && !(f->trailing_space || f->space_break || f->special);
    enum style style = wanted;

    if (style == STYLE_PLAIN && (!plain_allowed || (s.len == 0 && simple_key)))
        style = STYLE_SINGLE;
    if (style == STYLE_SINGLE && !single_allowed)
        style = STYLE_DOUBLE;
    if (style == STYLE_LITERAL && (!block_allowed || simple_key))
        style = STYLE_DOUBLE;
    return style;
}

static void put_run(struct emitter *e, str run)
{
    buf_add(e->out, run);
    for (size_t i = 0; i < run.len; i++)
        e->column += ((unsigned char)run.at[i] & 0xc0) != 0x80;
}

/* Word by word: a single space behind column 80 becomes a line break. */
static void write_plain(struct emitter *e, str s, bool allow_breaks)
{
    if (!e->whitespace)
        put(e, ' ');
    for (size_t i = 0; i < s.len;) {
        const char *space = memchr(s.at + i, ' ', s.len - i);
        size_t end = space == NULL ? s.len : (size_t)(space - s.at);
        if (end > i) {
            put_run(e, str_of(s.at + i, end - i));
            e->indention = false;
            i = end;
            continue;
        }
        while (end < s.len && s.at[end] == ' ')
            end++;
        if (end == i + 1 && allow_breaks && e->column > WIDTH)
            write_indent(e);
        else
            put_run(e, str_of(s.at + i, end - i));
        i = end;
    }
    e->whitespace = false;
    e->indention = false;
}

static void write_single(struct emitter *e, str s, bool allow_breaks)
{
    bool spaces = false;
    bool breaks = false;

    indicator(e, "'", true, false, false);
    for (size_t i = 0; i < s.len;) {
        size_t len = 1;
        uint32_t c = yaml_char_at(s.at + i, s.len - i, &len);
        if (c == ' ') {
            if (allow_breaks && !spaces && e->column > WIDTH && i > 0 && i < s.len - 1 &&
                s.at[i + 1] != ' ') {
                write_indent(e);
                i++;
            } else {
                put_char(e, s, &i, len);
            }
            spaces = true;
        } else if (is_break_char(c)) {
            if (!breaks && c == '\n')
                put_break(e);
            put_char(e, s, &i, len);
            e->column = 0;
            e->indention = true;
            breaks = true;
        } else {
            if (breaks)
                write_indent(e);
            if (c == '\'')
                put(e, '\'');
            put_char(e, s, &i, len);
            e->indention = false;
            spaces = false;
            breaks = false;
        }
    }
    indicator(e, "'", false, false, false);
}

static void write_escape(struct emitter *e, uint32_t c)
{
    static const struct {
        uint32_t c;
        char letter;
    } named[] = {{0, '0'},     {7, 'a'},    {8, 'b'},    {9, 't'},      {10, 'n'},
                 {11, 'v'},    {12, 'f'},   {13, 'r'},   {0x1b, 'e'},   {'"', '"'},
                 {'\\', '\\'}, {0x85, 'N'}, {0xa0, '_'}, {0x2028, 'L'}, {0x2029, 'P'}};

    put(e, '\\');
    for (size_t i = 0; i < COUNT(named); i++) {
        if (named[i].c == c) {
            put(e, named[i].letter);
            return;
        }
    }
    int digits = c <= 0xff ? 2 : c <= 0xffff ? 4 : 8;
    put(e, digits == 2 ? 'x' : digits == 4 ? 'u' : 'U');
    for (int k = digits - 1; k >= 0; k--)
        put(e, "0123456789ABCDEF"[c >> (4 * k) & 0xf]);
}

static void write_double(struct emitter *e, str s, bool allow_breaks)
{
    bool spaces = false;
    bool has_mark = str_starts(s, S("\xEF\xBB\xBF")); /* the original looks at offset 0 only */

    indicator(e, "\"", true, false, false);
    for (size_t i = 0; i < s.len;) {
        size_t len = 1;
        uint32_t c = yaml_char_at(s.at + i, s.len - i, &len);
        if (!is_printable(c) || has_mark || is_break_char(c) || c == '"' || c == '\\') {
            write_escape(e, c);
            i += len;
            spaces = false;
        } else if (c == ' ') {
            if (allow_breaks && !spaces && e->column > WIDTH && i > 0 && i < s.len - 1) {
                write_indent(e);
                if (s.at[i + 1] == ' ')
                    put(e, '\\');
                i++;
            } else {
                put_char(e, s, &i, len);
            }
            spaces = true;
        } else {
            put_char(e, s, &i, len);
            spaces = false;
        }
    }
    indicator(e, "\"", false, false, false);
}

static uint32_t last_char(str s, size_t end, size_t *ret_at)
{
    size_t at = end - 1;
    size_t len = 1;

    while (at > 0 && ((unsigned char)s.at[at] & 0xc0) == 0x80)
        at--;
    *ret_at = at;
    return yaml_char_at(s.at + at, s.len - at, &len);
}

static void write_literal(struct emitter *e, str s)
{
    size_t len = 1;
    size_t at = 0;
    uint32_t first = yaml_char_at(s.at, s.len, &len);
    bool breaks = true;

    indicator(e, "|", true, false, false);
    if (first == ' ' || is_break_char(first))
        indicator(e, "2", false, false, false);
    if (!is_break_char(last_char(s, s.len, &at)))
        indicator(e, "-", false, false, false);
    else if (at == 0 || is_break_char(last_char(s, at, &at)))
        indicator(e, "+", false, false, false);
    put_break(e);
    e->indention = true;
    e->whitespace = true;
    for (size_t i = 0; i < s.len;) {
        const char *end = memchr(s.at + i, '\n', s.len - i);
        size_t line = end == NULL ? s.len - i : (size_t)(end - (s.at + i));
        bool has_other_break = false;
        if (line > 0) {
            has_other_break = breaks;
            /* NEL, LS and PS are breaks too: what follows is indented */
            size_t stop = i + line;
            while (i < stop) {
                uint32_t c = yaml_char_at(s.at + i, s.len - i, &len);
                if (has_other_break && !is_break_char(c)) {
                    write_indent(e);
                    has_other_break = false;
                }
                put_char(e, s, &i, len);
                if (is_break_char(c)) {
                    e->column = 0;
                    e->indention = true;
                    has_other_break = true;
                } else {
                    e->indention = false;
                }
            }
            breaks = has_other_break;
        }
        if (end != NULL) {
            put_break(e);
            e->indention = true;
            breaks = true;
            i++;
        }
    }
}

/* Texts pass through JSON and a YAML reader: NEL becomes a folded line break on that way, other C1
 * controls, DEL, U+FFFE and U+FFFF are refused. Most texts have none of them. */
static bool is_carried(const struct emitter *e, str s)
{
    for (size_t i = 0; i < s.len;) {
        size_t len = 1;
        unsigned char b = (unsigned char)s.at[i];
        if (b < 0x7f) {
            i++;
            continue;
        }
        uint32_t c = yaml_char_at(s.at + i, s.len - i, &len);
        if (c == 0x7f || (c >= 0x80 && c < 0xa0 && c != 0x85) || c == 0xfffe || c == 0xffff)
            return err_set(
                    e->err, ERR_INVALID,
                    "the text \"%.*s\" holds the control character U+%04X, which YAML cannot "
                    "carry",
                    (int)MIN(s.len, (size_t)40), s.at, c);
        i += len;
    }
    return true;
}

/* NEL in a quoted text is a line break to the reader that the text went through: blanks around it
 * go, one break becomes a space, more become one newline less. */
static str fold_nel(str s, struct buf *folded)
{
    static const char nel[] = "\xC2\x85";

    if (s.len < 2 || memmem(s.at, s.len, nel, 2) == NULL)
        return s;
    buf_init(folded, s.len + 1);
    for (size_t i = 0; i < s.len;) {
        size_t end = i;
        size_t breaks = 0;
        while (end < s.len && s.at[end] == ' ')
            end++;
        while (end + 1 < s.len && s.at[end] == nel[0] && s.at[end + 1] == nel[1]) {
            breaks++;
            end += 2;
            while (end < s.len && s.at[end] == ' ')
                end++;
        }
        if (breaks == 0 && end == i) {
            buf_addc(folded, s.at[i++]);
            continue;
        }
        if (breaks == 0)
            buf_add(folded, str_of(s.at + i, end - i));
        else if (breaks == 1)
            buf_addc(folded, ' ');
        else
            buf_fill(folded, '\n', breaks - 1);
        i = end;
    }
    return buf_str(folded);
}

static bool is_ambiguous(str s)
{
    if (s.len == 0)
        return true;
    char c = s.at[0];
    /* what begins otherwise resolves to nothing else */
    if (!((c >= '0' && c <= '9') || strchr("+-.yYnNtTfFoO~<", c) != NULL))
        return false;
    enum yaml_type type = yaml_resolve(s, YAML_11);
    if (type == YAML_MERGE)
        return false;
    return type != YAML_STR || yaml_is_base60(s);
}

/* What one look at the bytes tells; most texts need no other. */
struct look {
    bool is_ascii;  /* printable ASCII and newlines only */
    bool has_break; /* a newline */
    bool has_space;
    bool space_break;
    bool is_marked; /* ": ", " #" or ':' at the end */
};

static struct look look_at(str s)
{
    struct look l = {.is_ascii = true};
    char previous = ' ';

    for (size_t i = 0; i < s.len; i++) {
        char c = s.at[i];
        if (c == '\n') {
            l.has_break = true;
            l.space_break |= previous == ' ' && i > 0;
        } else if (c < 0x20 || c == 0x7f) { /* also what is beyond ASCII */
            l.is_ascii = false;
            return l;
        } else if (c == ' ') {
            l.has_space = true;
            l.is_marked |= previous == ':' && i > 0;
        } else if (c == '#') {
            l.is_marked |= previous == ' ' || previous == '\n';
        }
        previous = c;
    }
    l.is_marked |= previous == ':' && s.len > 0;
    return l;
}

/* The common texts: one line that can stand plain and is not folded. */
static bool write_easy_plain(struct emitter *e, str s, const struct look *l, bool simple_key)
{
    if (l->has_break || l->is_marked || s.len == 0 || s.at[0] == ' ' || s.at[s.len - 1] == ' ' ||
        starts_indicator(s.at[0], s.len == 1 || s.at[1] == ' ') || is_ambiguous(s) ||
        str_starts(s, S("---")) || str_starts(s, S("...")))
        return false;
    if (l->has_space && !simple_key && e->column + 1 + (int)MIN(s.len, (size_t)WIDTH) >= WIDTH)
        return false;
    if (!e->whitespace)
        put(e, ' ');
    buf_add(e->out, s);
    e->column += (int)s.len;
    e->whitespace = false;
    e->indention = false;
    return true;
}

static bool write_easy_literal(struct emitter *e, str s, const struct look *l, bool simple_key)
{
    size_t breaks = 0;

    if (!l->has_break || l->space_break || simple_key || s.at[s.len - 1] == ' ')
        return false;
    while (breaks < s.len && s.at[s.len - 1 - breaks] == '\n')
        breaks++;
    indicator(e, "|", true, false, false);
    if (s.at[0] == ' ' || s.at[0] == '\n')
        indicator(e, "2", false, false, false);
    if (breaks == 0)
        indicator(e, "-", false, false, false);
    else if (breaks > 1 || breaks == s.len)
        indicator(e, "+", false, false, false);
    put_break(e);
    size_t indent = (size_t)MAX(deeper(e, /*flow=*/true, /*indentless=*/false), 0);
    bool ended = true;
    for (size_t i = 0; i < s.len;) {
        const char *end = memchr(s.at + i, '\n', s.len - i);
        size_t line = end == NULL ? s.len - i : (size_t)(end - (s.at + i));
        if (line > 0) {
            buf_fill(e->out, ' ', indent);
            buf_add(e->out, str_of(s.at + i, line));
            e->column = (int)(indent + MIN(line, (size_t)1000000));
        }
        ended = end != NULL;
        if (ended)
            put_break(e);
        i += line + (ended ? 1 : 0);
    }
    e->whitespace = true;
    e->indention = ended;
    return true;
}

static bool write_text(struct emitter *e, str source, bool simple_key)
{
    auto_buf struct buf folded = {0};
    struct look look = look_at(source);
    str s = source;

    if (look.is_ascii &&
        (write_easy_plain(e, s, &look, simple_key) || write_easy_literal(e, s, &look, simple_key)))
        return true;
    if (!look.is_ascii) {
        if (!is_carried(e, source))
            return false;
        s = fold_nel(source, &folded);
    }
    enum style wanted = s.len > 0 && memchr(s.at, '\n', s.len) != NULL ? STYLE_LITERAL
                        : is_ambiguous(s)                              ? STYLE_DOUBLE
                                                                       : STYLE_PLAIN;
    struct facts facts = analyze(s);
    int indent = e->indent;

    e->indent = deeper(e, /*flow=*/true, /*indentless=*/false);
    switch (choose(s, wanted, &facts, simple_key)) {
    case STYLE_PLAIN:
        write_plain(e, s, !simple_key);
        break;
    case STYLE_SINGLE:
        write_single(e, s, !simple_key);
        break;
    case STYLE_DOUBLE:
        write_double(e, s, !simple_key);
        break;
    case STYLE_LITERAL:
        write_literal(e, s);
        break;
    }
    e->indent = indent;
    return true;
}

static void write_word(struct emitter *e, str s)
{
    if (!e->whitespace)
        put(e, ' ');
    buf_add(e->out, s);
    e->column += (int)s.len;
    e->whitespace = false;
    e->indention = false;
}

/* A JSON number as a YAML reader takes it: whole numbers as they are, others in Go's %g. */
static void write_number(struct emitter *e, str text)
{
    char number[YAML_NUMBER_SIZE];
    double value = 0;

    if (yaml_format_int(text, number)) {
        write_word(e, str_from(number));
    } else if (yaml_to_double(text, &value)) {
        yaml_format_g(value, number);
        write_word(e, str_from(number));
    } else {
        write_word(e, text);
    }
}

/* ---- containers ---- */

struct pair {
    str key;
    const struct val *value;
};

static int compare_pairs(const void *a, const void *b)
{
    return yaml_key_cmp(((const struct pair *)a)->key, ((const struct pair *)b)->key);
}

static void sort_pairs(struct pair *pairs, size_t count)
{
    if (count > MEMBERS_ON_STACK) {
        qsort(pairs, count, sizeof(*pairs), compare_pairs);
        return;
    }
    for (size_t i = 1; i < count; i++) {
        struct pair p = pairs[i];
        size_t at = i;
        for (; at > 0 && yaml_key_cmp(p.key, pairs[at - 1].key) < 0; at--)
            pairs[at] = pairs[at - 1];
        pairs[at] = p;
    }
}

static bool write_node(struct emitter *e, const struct val *v, bool in_map);

static bool write_member(struct emitter *e, const struct pair *p)
{
    if (p->key.len > 1 && memmem(p->key.at, p->key.len, "\xC2\x85", 2) != NULL)
        return err_set(e->err, ERR_INVALID, "the key \"%.*s\" holds a line break (U+0085)",
                       (int)MIN(p->key.len, (size_t)40), p->key.at);
    write_indent(e);
    bool is_simple = p->key.len <= SIMPLE_KEY_MAX;
    struct look look = look_at(p->key);
    if (look.is_ascii)
        is_simple = is_simple && !look.has_break;
    for (size_t i = 0; i < p->key.len && is_simple && !look.is_ascii;) {
        size_t len = 1;
        is_simple = !is_break_char(yaml_char_at(p->key.at + i, p->key.len - i, &len));
        i += len;
    }
    if (is_simple) {
        if (!write_text(e, p->key, /*simple_key=*/true))
            return false;
        indicator(e, ":", false, false, false);
    } else {
        indicator(e, "?", true, false, true);
        if (!write_text(e, p->key, /*simple_key=*/false))
            return false;
        write_indent(e);
        indicator(e, ":", true, false, true);
    }
    return write_node(e, p->value, /*in_map=*/true);
}

static bool write_members(struct emitter *e, struct pair *pairs, const struct val *v)
{
    size_t count = 0;
    struct val_iter it = val_iter(v);

    while (val_next(&it))
        pairs[count++] = (struct pair){.key = it.key, .value = it.value};
    sort_pairs(pairs, count);
    for (size_t i = 0; i < count; i++)
        if (!write_member(e, &pairs[i]))
            return false;
    return true;
}

static bool write_map(struct emitter *e, const struct val *v)
{
    int indent = e->indent;
    struct pair few[MEMBERS_ON_STACK];
    size_t count = val_count(v);

    if (count == 0) {
        indicator(e, "{", true, true, false);
        indicator(e, "}", false, false, false);
        return true;
    }
    e->indent = deeper(e, /*flow=*/false, /*indentless=*/false);
    struct pair *many = count > MEMBERS_ON_STACK ? new0_array(count, struct pair) : NULL;
    bool ok = write_members(e, many != NULL ? many : few, v);
    mem_free(many);
    e->indent = indent;
    return ok;
}

static bool write_list(struct emitter *e, const struct val *v, bool in_map)
{
    int indent = e->indent;

    if (val_count(v) == 0) {
        indicator(e, "[", true, true, false);
        indicator(e, "]", false, false, false);
        return true;
    }
    e->indent = deeper(e, /*flow=*/false, in_map && !e->indention);
    struct val_iter it = val_iter(v);
    while (val_next(&it)) {
        write_indent(e);
        indicator(e, "-", true, false, true);
        if (!write_node(e, it.value, /*in_map=*/false))
            return false;
    }
    e->indent = indent;
    return true;
}

static bool write_node(struct emitter *e, const struct val *v, bool in_map)
{
    if (++e->depth > 2 * LIMIT_DOC_DEPTH || buf_is_over(e->out))
        return err_set(e->err, ERR_LIMIT, "the output is nested too deeply or too long");
    bool ok = true;
    switch (val_kind(v)) {
    case VAL_NULL:
        write_word(e, S("null"));
        break;
    case VAL_BOOL:
        write_word(e, val_is_true(v) ? S("true") : S("false"));
        break;
    case VAL_NUMBER:
        write_number(e, val_text(v));
        break;
    case VAL_STRING:
        ok = write_text(e, val_str(v), /*simple_key=*/false);
        break;
    case VAL_LIST:
        ok = write_list(e, v, in_map);
        break;
    case VAL_MAP:
        ok = write_map(e, v);
        break;
    }
    e->depth--;
    return ok;
}

bool yaml_emit(const struct val *v, struct buf *out, struct err *err)
{
    struct emitter e = {
            .out = out, .err = err, .indent = -1, .whitespace = true, .indention = true};

    if (!write_node(&e, v, /*in_map=*/false))
        return false;
    write_indent(&e);
    return buf_check(out, "YAML output", err);
}
