/* SPDX-License-Identifier: Apache-2.0 */
#include "render/kustomize/node_yaml.h"

#include "doc/yaml_scalar.h"

static bool is_special_start(char c, char next)
{
    if (strchr("#,[]{}&*!|>'\"%@`", c) != NULL)
        return true;
    return strchr("?:-", c) != NULL && (next == '\0' || next == ' ' || next == '\t');
}

static bool is_plain(str s, bool in_flow)
{
    if (s.len == 0)
        return !in_flow;
    if (is_special_start(s.at[0], s.len > 1 ? s.at[1] : '\0') || s.at[0] == ' ' ||
        s.at[s.len - 1] == ' ' || str_starts(s, S("---")) || str_starts(s, S("...")))
        return false;
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.at[i];
        bool blank_next = i + 1 == s.len || s.at[i + 1] == ' ' || s.at[i + 1] == '\t';
        if (c < 0x20 || c == 0x7f || c >= 0xf0 || (c == ':' && (blank_next || in_flow)) ||
            (c == '#' && i > 0 && s.at[i - 1] == ' ') ||
            (in_flow && strchr(",?[]{}", (char)c) != NULL))
            return false;
    }
    return true;
}

static bool needs_double(str s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.at[i];
        if (c < 0x20 || c == 0x7f || c >= 0xf0)
            return true;
    }
    return false;
}

static void write_double(str s, struct buf *out)
{
    static const char names[] = "0......abtnvfr............e";

    buf_addc(out, '"');
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.at[i];
        if (c == '"' || c == '\\')
            buf_addf(out, "\\%c", c);
        else if (c < sizeof(names) && names[c] != '.' && names[c] != '\0')
            buf_addf(out, "\\%c", names[c]);
        else if (c < 0x20 || c == 0x7f)
            buf_addf(out, "\\x%02X", c);
        else
            buf_addc(out, (char)c);
    }
    buf_addc(out, '"');
}

static void write_single(str s, struct buf *out)
{
    buf_addc(out, '\'');
    for (size_t i = 0; i < s.len; i++) {
        if (s.at[i] == '\'')
            buf_addc(out, '\'');
        buf_addc(out, s.at[i]);
    }
    buf_addc(out, '\'');
}

static bool block_fits(str s)
{
    if (s.len == 0 || s.at[s.len - 1] == ' ')
        return false;
    for (size_t i = 0; i + 1 < s.len; i++)
        if (s.at[i] == ' ' && s.at[i + 1] == '\n')
            return false;
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.at[i];
        if ((c < 0x20 && c != '\n' && c != '\t') || c == 0x7f || c >= 0xf0)
            return false;
    }
    return true;
}

static void write_block(str s, char indicator, int indent, struct buf *out)
{
    size_t breaks = 0;

    while (breaks < s.len && s.at[s.len - 1 - breaks] == '\n')
        breaks++;
    buf_addc(out, indicator);
    if (s.at[0] == ' ' || s.at[0] == '\n')
        buf_addc(out, '2');
    if (breaks == 0)
        buf_addc(out, '-');
    else if (breaks > 1 || breaks == s.len)
        buf_addc(out, '+');
    str rest = str_first(s, s.len - breaks);
    str line = STR_EMPTY;
    while (rest.at != NULL && s.len > breaks && str_split(&rest, '\n', &line)) {
        buf_addc(out, '\n');
        if (line.len > 0) {
            buf_fill(out, ' ', (size_t)indent);
            buf_add(out, line);
        }
    }
    for (size_t i = 1; i < breaks; i++)
        buf_addc(out, '\n');
}

static void write_scalar(const struct node *n, int indent, bool in_flow, struct buf *out)
{
    str s = node_spelling(n);
    bool quoted = (n->style & STYLE_QUOTED) != 0;
    bool forced = n->tag == TAG_STR && !quoted && yaml_resolve(s, YAML_12) != YAML_STR;
    bool many_lines = memchr(s.at == NULL ? "" : s.at, '\n', s.len) != NULL;

    if (!quoted && !in_flow && indent >= 0 && block_fits(s) &&
        (many_lines || (n->style & (STYLE_LITERAL | STYLE_FOLDED)) != 0)) {
        write_block(s, (n->style & STYLE_FOLDED) != 0 ? '>' : '|', indent, out);
        return;
    }
    if ((quoted && (n->style & STYLE_SINGLE) == 0) || forced || needs_double(s))
        write_double(s, out);
    else if (quoted || !is_plain(s, in_flow))
        write_single(s, out);
    else
        buf_add(out, s);
}

static void write_key(str key, struct buf *out)
{
    struct node scalar = {.kind = NODE_SCALAR, .tag = TAG_STR, .value = key};

    write_scalar(&scalar, -1, /*in_flow=*/false, out);
}

static void write_node(const struct node *n, int indent, bool in_map, unsigned depth,
                       struct buf *out);

static void write_flow(const struct node *n, unsigned depth, struct buf *out)
{
    if (n->kind == NODE_SCALAR || depth > 2 * LIMIT_DOC_DEPTH) {
        write_scalar(n, -1, /*in_flow=*/true, out);
        return;
    }
    buf_addc(out, n->kind == NODE_MAP ? '{' : '[');
    for (uint32_t i = 0; i < n->count; i++) {
        if (i > 0)
            buf_add(out, S(", "));
        if (n->kind == NODE_MAP) {
            write_key(n->members[i].key, out);
            buf_add(out, S(": "));
        }
        write_flow(n->kind == NODE_MAP ? n->members[i].value : n->items[i], depth + 1, out);
    }
    buf_addc(out, n->kind == NODE_MAP ? '}' : ']');
}

static void write_map(const struct node *n, int indent, unsigned depth, struct buf *out)
{
    for (uint32_t i = 0; i < n->count; i++) {
        const struct node *value = n->members[i].value;
        if (i > 0) {
            buf_addc(out, '\n');
            buf_fill(out, ' ', (size_t)indent);
        }
        write_key(n->members[i].key, out);
        buf_addc(out, ':');
        bool block = (value->kind == NODE_MAP || value->kind == NODE_LIST) && value->count > 0 &&
                     (value->style & STYLE_FLOW) == 0;
        int below = value->kind == NODE_LIST ? indent : indent + 2;
        if (block) {
            buf_addc(out, '\n');
            buf_fill(out, ' ', (size_t)below);
        } else if (value->kind != NODE_SCALAR || value->value.len > 0 ||
                   (value->style & STYLE_QUOTED) != 0 || value->tag == TAG_STR) {
            buf_addc(out, ' ');
        }
        write_node(value, block ? below : indent + 2, /*in_map=*/true, depth + 1, out);
    }
}

static void write_list(const struct node *n, int indent, unsigned depth, struct buf *out)
{
    for (uint32_t i = 0; i < n->count; i++) {
        if (i > 0) {
            buf_addc(out, '\n');
            buf_fill(out, ' ', (size_t)indent);
        }
        buf_add(out, S("- "));
        write_node(n->items[i], indent + 2, /*in_map=*/false, depth + 1, out);
    }
}

static void write_node(const struct node *n, int indent, bool in_map, unsigned depth,
                       struct buf *out)
{
    (void)in_map;
    if (n->kind == NODE_SCALAR || n->kind == NODE_ZERO || depth > 2 * LIMIT_DOC_DEPTH) {
        write_scalar(n, MAX(indent, 2), /*in_flow=*/false, out);
        return;
    }
    if (n->count == 0 || (n->style & STYLE_FLOW) != 0) {
        write_flow(n, depth, out);
        return;
    }
    if (n->kind == NODE_MAP)
        write_map(n, indent, depth, out);
    else
        write_list(n, indent, depth, out);
}

void node_write_yaml(const struct node *n, struct buf *out)
{
    write_node(n, 0, /*in_map=*/false, 0, out);
    buf_addc(out, '\n');
}

void node_write_scalar(const struct node *n, struct buf *out)
{
    if (n->kind == NODE_SCALAR)
        write_scalar(n, 2, /*in_flow=*/false, out);
    else
        write_node(n, 0, false, 0, out);
}
