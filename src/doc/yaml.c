/* SPDX-License-Identifier: Apache-2.0 */
#include "doc/yaml.h"

#include "base/buf.h"
#include "base/map.h"
#include "base/mem.h"
#include "doc/yaml_scalar.h"

#include <yaml.h>

enum {
    KEY_CACHE = 512,
    QUADRATIC_KEYS = 24,
    FEW_ITEMS = 16,
    COLONS_MAX = 32, /* of those that Go takes, see quote_colon; each costs a parse of the text */
    COLONS_BYTES = 8 * 1024 * 1024,
};

struct anchor {
    struct val value;
    size_t nodes;
    bool is_open; /* its end has not been read */
};

/* Members and items of the containers that are open, those of the innermost last. */
struct frame_stack {
    struct val_member_init *at;
    size_t count;
    size_t size;
};

struct parser {
    yaml_parser_t yaml;
    struct arena *arena;
    struct err *err;
    const struct yaml_options *options;
    str text;
    bool has_slash_escapes; /* "\\/" stands somewhere */
    bool met_colon;         /* at which the parser failed, see quote_colon */
    size_t char_index;      /* libyaml counts characters: */
    size_t byte_index;      /* where this one stands */
    uint16_t file;
    unsigned depth;
    unsigned flow;
    size_t nodes;   /* made so far */
    size_t aliased; /* of these by aliases */
    struct frame_stack stack;
    struct anchor *anchors;
    size_t anchor_count;
    struct map *anchor_by_name; /* index + 1 */
    const struct val_key *keys[KEY_CACHE];
};

static bool fail(struct parser *p, enum err_code code, const yaml_mark_t *mark, const char *what)
{
    str file = p->options->file;

    return err_set(p->err, code, "%.*s%s%zu:%zu: %s", STR(file), file.len > 0 ? ":" : "line ",
                   mark->line + 1 + p->options->line_base, mark->column + 1, what);
}

static bool next(struct parser *p, yaml_event_t *event)
{
    if (yaml_parser_parse(&p->yaml, event))
        return true;
    const char *what = p->yaml.problem == NULL ? "this is not YAML" : p->yaml.problem;
    yaml_mark_t mark = p->yaml.problem_mark;
    p->met_colon = strcmp(what, "found unexpected ':'") == 0;
    if (p->yaml.error == YAML_READER_ERROR) {
        mark = (yaml_mark_t){0};
        for (size_t i = 0; i < p->text.len && i < p->yaml.problem_offset; i++) {
            mark.column = p->text.at[i] == '\n' ? 0 : mark.column + 1;
            mark.line += p->text.at[i] == '\n' ? 1 : 0;
        }
    }
    return fail(p, p->yaml.error == YAML_MEMORY_ERROR ? ERR_LIMIT : ERR_INVALID, &mark, what);
}

static const struct val_key *intern(struct parser *p, str text)
{
    uint32_t hash = (uint32_t)text.len * 2654435761U;

    for (size_t i = 0; i < text.len; i++)
        hash = (hash ^ (unsigned char)text.at[i]) * 16777619U;
    const struct val_key **slot = &p->keys[hash % KEY_CACHE];
    if (*slot == NULL || !str_eq(str_of((*slot)->text, (*slot)->len), text))
        *slot = val_key_new(p->arena, text);
    return *slot;
}

static void push(struct parser *p, const struct val_key *key, struct val value)
{
    if (p->stack.count == p->stack.size) {
        p->stack.size = MAX(p->stack.size * 2, (size_t)256);
        p->stack.at = mem_grow(p->stack.at, p->stack.size, sizeof(*p->stack.at));
    }
    p->stack.at[p->stack.count++] = (struct val_member_init){.key = key, .value = value};
}

/* ---- scalars ---- */

static str short_tag(const yaml_char_t *tag)
{
    str text = str_from((const char *)tag);

    (void)str_skip(&text, S("tag:yaml.org,2002:"));
    return text;
}

/* The byte at which a character stands; asked for in ascending order. */
static size_t byte_of(struct parser *p, size_t index)
{
    while (p->char_index < index && p->byte_index < p->text.len) {
        p->byte_index++;
        while (p->byte_index < p->text.len &&
               ((unsigned char)p->text.at[p->byte_index] & 0xc0) == 0x80)
            p->byte_index++;
        p->char_index++;
    }
    return p->byte_index;
}

/* libyaml takes "\/", Go's parsers do not. */
static bool has_slash_escape(struct parser *p, const yaml_event_t *event)
{
    if (!p->has_slash_escapes)
        return false;
    size_t start = byte_of(p, event->start_mark.index);
    size_t end = byte_of(p, event->end_mark.index);
    for (size_t i = start; i + 1 < end; i++)
        if (p->text.at[i] == '\\') {
            if (p->text.at[i + 1] == '/')
                return true;
            i++;
        }
    return false;
}

static enum yaml_type tagged_type(str tag, enum yaml_type otherwise)
{
    static const struct {
        str tag;
        enum yaml_type type;
    } rows[] = {
            {S_INIT("str"), YAML_STR},     {S_INIT("null"), YAML_NULL},
            {S_INIT("bool"), YAML_BOOL},   {S_INIT("int"), YAML_INT},
            {S_INIT("float"), YAML_FLOAT}, {S_INIT("timestamp"), YAML_TIMESTAMP},
            {S_INIT("merge"), YAML_MERGE}, {S_INIT("binary"), YAML_STR},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        if (str_eq(rows[i].tag, tag))
            return rows[i].type;
    return otherwise;
}

static struct val typed(struct arena *arena, str text, enum yaml_type type)
{
    struct val v = val_string(arena, text);

    switch (type) {
    case YAML_STR:
    case YAML_MERGE:
        break;
    case YAML_TIMESTAMP:
        v.spare = YAML_TIME;
        break;
    case YAML_NULL:
        v.kind = VAL_NULL;
        v.style = text.len == 0 ? VAL_EMPTY : 0;
        break;
    case YAML_BOOL:
        v.kind = VAL_BOOL;
        v.count = yaml_word_is_true(text);
        break;
    case YAML_INT:
        v.kind = VAL_NUMBER;
        break;
    case YAML_FLOAT:
        v.kind = VAL_NUMBER;
        v.style = VAL_FLOAT;
        break;
    }
    return v;
}

static bool scalar(struct parser *p, const yaml_event_t *event, struct val *ret,
                   enum yaml_type *ret_type)
{
    str text = str_of((const char *)event->data.scalar.value, event->data.scalar.length);
    yaml_scalar_style_t style = event->data.scalar.style;
    bool plain = style == YAML_PLAIN_SCALAR_STYLE;
    str tag = short_tag(event->data.scalar.tag);
    bool is_tagged = tag.len > 0 && !str_eq(tag, S("!"));
    enum yaml_type type = plain ? yaml_resolve(text, p->options->dialect) : YAML_STR;

    if (style == YAML_DOUBLE_QUOTED_SCALAR_STYLE && has_slash_escape(p, event))
        return fail(p, ERR_INVALID, &event->start_mark, "found unknown escape character '/'");
    if (plain && p->flow > 0 && str_find_char(text, '?') != SIZE_MAX)
        return fail(p, ERR_INVALID, &event->start_mark,
                    "a plain text inside {} or [] may not hold '?': quote it");
    if (is_tagged)
        type = tagged_type(tag, YAML_STR);
    struct val v = typed(p->arena, text, type);
    if (!plain)
        v.style |= style == YAML_LITERAL_SCALAR_STYLE || style == YAML_FOLDED_SCALAR_STYLE
                           ? VAL_BLOCK
                           : VAL_QUOTED;
    if (style == YAML_SINGLE_QUOTED_SCALAR_STYLE && p->options->keep_text)
        v.style |= VAL_MARK_A;
    if (style == YAML_FOLDED_SCALAR_STYLE && v.kind == VAL_STRING)
        v.spare = YAML_FOLDED;
    if (is_tagged) {
        v.style |= VAL_TAGGED;
        if (str_eq(tag, S("binary")))
            v.spare = YAML_BINARY;
    }
    val_set_place(&v, p->file, event->start_mark.line + 1 + p->options->line_base,
                  event->start_mark.column + 1);
    if (v.spare == YAML_TIME && p->options->dialect == YAML_11)
        v.spare = YAML_DEFAULT;
    if (v.spare == YAML_FOLDED && !p->options->keep_text)
        v.spare = YAML_DEFAULT;
    if (!p->options->keep_text && !yaml_settle(p->arena, &v, p->err))
        return false;
    *ret = v;
    *ret_type = type;
    return true;
}

/* ---- anchors ---- */

static size_t anchor_open(struct parser *p, const yaml_char_t *name)
{
    if (name == NULL)
        return SIZE_MAX;
    if (p->anchor_by_name == NULL)
        p->anchor_by_name = map_new();
    p->anchors = mem_grow(p->anchors, p->anchor_count + 1, sizeof(*p->anchors));
    p->anchors[p->anchor_count++] = (struct anchor){.is_open = true, .nodes = p->nodes};
    map_set(p->anchor_by_name, str_from((const char *)name), (void *)(uintptr_t)p->anchor_count);
    return p->anchor_count - 1;
}

static void anchor_close(struct parser *p, size_t index, const struct val *value)
{
    if (index == SIZE_MAX)
        return;
    struct anchor *a = &p->anchors[index];
    a->value = *value;
    a->nodes = p->nodes - a->nodes + 1;
    a->is_open = false;
}

static bool alias(struct parser *p, const yaml_event_t *event, struct val *ret)
{
    str name = str_from((const char *)event->data.alias.anchor);
    size_t index = p->anchor_by_name == NULL ? 0 : (uintptr_t)map_get(p->anchor_by_name, name);

    if (index == 0)
        return fail(p, ERR_INVALID, &event->start_mark, "this alias has no anchor before it");
    const struct anchor *found = &p->anchors[index - 1];
    if (found->is_open)
        return fail(p, ERR_INVALID, &event->start_mark, "this alias is inside its own anchor");
    p->aliased += found->nodes;
    p->nodes += found->nodes;
    if (p->aliased > LIMIT_YAML_ALIAS_NODES)
        return fail(p, ERR_LIMIT, &event->start_mark,
                    "the document contains excessive aliasing (LIMIT_YAML_ALIAS_NODES)");
    *ret = val_dup_value(p->arena, &found->value);
    return true;
}

/* ---- maps ---- */

static size_t find_member(const struct parser *p, size_t from, const struct val_key *key)
{
    for (size_t i = from; i < p->stack.count; i++) {
        const struct val_key *k = p->stack.at[i].key;
        if (k == key || (k->len == key->len && memcmp(k->text, key->text, k->len) == 0))
            return i;
    }
    return SIZE_MAX;
}

/* Members of an open map by key, for maps with many of them. */
struct key_index {
    uint32_t *slots; /* 0 = free, else stack index + 1 relative to from */
    size_t size;
    size_t indexed;
};

static size_t key_slot(const struct key_index *x, const struct parser *p, size_t from,
                       const struct val_key *key)
{
    size_t at = str_hash(str_of(key->text, key->len)) & (x->size - 1);

    for (; x->slots[at] != 0; at = (at + 1) & (x->size - 1)) {
        const struct val_key *k = p->stack.at[from + x->slots[at] - 1].key;
        if (k == key || (k->len == key->len && memcmp(k->text, key->text, k->len) == 0))
            break;
    }
    return at;
}

static size_t find_key(struct parser *p, struct key_index *x, size_t from,
                       const struct val_key *key)
{
    size_t count = p->stack.count - from;

    if (count <= QUADRATIC_KEYS)
        return find_member(p, from, key);
    if (x->size < count * 2) {
        x->size = x->size == 0 ? 128 : x->size * 2;
        x->slots = arena_array(p->arena, x->size, uint32_t);
        x->indexed = 0;
    }
    for (; x->indexed < count; x->indexed++)
        x->slots[key_slot(x, p, from, p->stack.at[from + x->indexed].key)] =
                (uint32_t)x->indexed + 1;
    uint32_t found = x->slots[key_slot(x, p, from, key)];
    return found == 0 ? SIZE_MAX : from + found - 1;
}

struct map_state {
    size_t from;
    struct key_index index;
    uint32_t marks;
    bool has_merge;
    struct val merge; /* YAML_12: applied at the end, because what stands in the map itself wins */
    struct val place;
};

static void merge_one(struct parser *p, struct map_state *m, const struct val *source, bool replace)
{
    struct val_iter it = val_iter(source);

    while (val_next(&it)) {
        const struct val_key *key = intern(p, it.key);
        size_t at = find_key(p, &m->index, m->from, key);
        if (at == SIZE_MAX)
            push(p, key, *it.value);
        else if (replace)
            p->stack.at[at].value = *it.value;
    }
}

static bool merge(struct parser *p, struct map_state *m, const struct val *value,
                  const yaml_mark_t *mark)
{
    bool replace = p->options->dialect == YAML_11;

    if (val_is(value, VAL_MAP)) {
        merge_one(p, m, value, replace);
        return true;
    }
    if (!val_is(value, VAL_LIST))
        return fail(p, ERR_INVALID, mark,
                    "map merge requires map or sequence of maps as the value");
    size_t count = val_count(value);
    for (size_t i = 0; i < count; i++) {
        const struct val *source = val_item(value, replace ? count - 1 - i : i);
        if (!val_is(source, VAL_MAP))
            return fail(p, ERR_INVALID, mark,
                        "map merge requires map or sequence of maps as the value");
        merge_one(p, m, source, replace);
    }
    return true;
}

static bool node(struct parser *p, yaml_event_t *event, struct val *ret, enum yaml_type *ret_type);

static bool add_member(struct parser *p, struct map_state *m, const struct val *key,
                       struct val value, const yaml_mark_t *mark)
{
    str text = p->options->keep_text ? yaml_text(key) : val_text(key);
    const struct val_key *k = intern(p, text);
    size_t at = find_key(p, &m->index, m->from, k);

    if (at == SIZE_MAX) {
        push(p, k, value);
        return true;
    }
    switch (p->options->duplicates) {
    case YAML_DUPLICATES_LAST:
        p->stack.at[at].value = value;
        return true;
    case YAML_DUPLICATES_MARK:
        m->marks |= YAML_TWICE;
        return true;
    case YAML_DUPLICATES_REFUSE:
        break;
    }
    str before = val_place(p->arena, &p->stack.at[at].value);
    return fail(p, ERR_INVALID, mark,
                arena_printf(p->arena,
                             "the key \"%.*s\" stands here twice (its other value is at %.*s)",
                             STR(text), STR(before))
                        .at);
}

static bool map_entry(struct parser *p, struct map_state *m, yaml_event_t *key_event)
{
    yaml_mark_t mark = key_event->start_mark;
    struct val key = val_null();
    struct val value = val_null();
    enum yaml_type key_type = YAML_STR;
    enum yaml_type value_type = YAML_STR;
    yaml_event_t event;

    if (!node(p, key_event, &key, &key_type))
        return false;
    if (key.kind == VAL_MAP || key.kind == VAL_LIST)
        return fail(p, ERR_INVALID, &mark, "a key must be a text");
    if (!next(p, &event) || !node(p, &event, &value, &value_type))
        return false;
    if (key_type == YAML_MERGE) {
        if (p->options->dialect == YAML_11)
            return merge(p, m, &value, &mark);
        if (m->has_merge)
            return fail(p, ERR_INVALID, &mark, "duplicate merge key");
        m->has_merge = true;
        m->merge = value;
        return true;
    }
    /* kyaml clears "<<" whether or not it merges */
    if (p->options->keep_text && p->options->dialect == YAML_12 && str_eq(yaml_text(&key), S("<<")))
        return true;
    if (key.kind != VAL_STRING || (key.spare != YAML_DEFAULT && key.spare != YAML_FOLDED)) {
        if (p->options->dialect == YAML_11 && key.kind == VAL_NULL)
            return fail(p, ERR_INVALID, &mark, "a key may not be null");
        m->marks |= YAML_ODD_KEY;
    }
    return add_member(p, m, &key, value, &mark);
}

static bool map(struct parser *p, struct val *ret)
{
    struct map_state m = {.from = p->stack.count};
    yaml_event_t event;

    for (;;) {
        if (arena_is_over(p->arena))
            return arena_check(p->arena, "YAML", p->err);
        if (!next(p, &event))
            return false;
        if (event.type == YAML_MAPPING_END_EVENT)
            break;
        if (!map_entry(p, &m, &event))
            return false;
    }
    yaml_mark_t mark = event.start_mark;
    yaml_event_delete(&event);
    if (m.has_merge && !merge(p, &m, &m.merge, &mark))
        return false;
    ret->spare |= m.marks;
    if (p->stack.at == NULL) /* the first map of all, and empty */
        val_fill_map(p->arena, ret, NULL, 0);
    else
        val_fill_map(p->arena, ret, p->stack.at + m.from, p->stack.count - m.from);
    p->stack.count = m.from;
    return true;
}

static bool list(struct parser *p, struct val *ret)
{
    size_t from = p->stack.count;
    yaml_event_t event;
    enum yaml_type type = YAML_STR;

    for (;;) {
        struct val value = val_null();
        if (arena_is_over(p->arena))
            return arena_check(p->arena, "YAML", p->err);
        if (!next(p, &event))
            return false;
        if (event.type == YAML_SEQUENCE_END_EVENT)
            break;
        if (!node(p, &event, &value, &type))
            return false;
        push(p, NULL, value);
    }
    yaml_event_delete(&event);
    size_t count = p->stack.count - from;
    struct val few[FEW_ITEMS];
    struct val *items = count > FEW_ITEMS ? new0_array(count, struct val) : few;
    for (size_t i = 0; i < count; i++)
        items[i] = p->stack.at[from + i].value;
    val_fill_list(p->arena, ret, items, count);
    if (items != few)
        mem_free(items);
    p->stack.count = from;
    return true;
}

/* ---- nodes and documents ---- */

static bool container(struct parser *p, const yaml_event_t *event, struct val *ret)
{
    bool is_map = event->type == YAML_MAPPING_START_EVENT;
    bool is_flow = is_map ? event->data.mapping_start.style == YAML_FLOW_MAPPING_STYLE
                          : event->data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE;
    size_t anchor = anchor_open(p, is_map ? event->data.mapping_start.anchor
                                          : event->data.sequence_start.anchor);
    struct val v = is_map ? val_map() : val_list();

    if (p->depth >= LIMIT_DOC_DEPTH)
        return fail(p, ERR_LIMIT, &event->start_mark,
                    "the document is nested too deeply (LIMIT_DOC_DEPTH)");
    val_set_place(&v, p->file, event->start_mark.line + 1 + p->options->line_base,
                  event->start_mark.column + 1);
    if (is_flow)
        v.spare |= YAML_FLOW;
    p->depth++;
    p->flow += is_flow ? 1 : 0;
    bool ok = is_map ? map(p, &v) : list(p, &v);
    p->flow -= is_flow ? 1 : 0;
    p->depth--;
    if (!ok)
        return false;
    if (!p->options->keep_text)
        v.spare = 0;
    anchor_close(p, anchor, &v);
    *ret = v;
    return true;
}

/* Takes the event: it is deleted on every way out. */
static bool node(struct parser *p, yaml_event_t *event, struct val *ret, enum yaml_type *ret_type)
{
    bool ok = false;

    p->nodes++;
    *ret_type = YAML_STR;
    switch ((int)event->type) {
    case YAML_SCALAR_EVENT: {
        size_t anchor = anchor_open(p, event->data.scalar.anchor);
        ok = scalar(p, event, ret, ret_type);
        if (ok)
            anchor_close(p, anchor, ret);
        break;
    }
    case YAML_ALIAS_EVENT:
        ok = alias(p, event, ret);
        break;
    case YAML_MAPPING_START_EVENT:
    case YAML_SEQUENCE_START_EVENT:
        ok = container(p, event, ret);
        break;
    default:
        ok = fail(p, ERR_INVALID, &event->start_mark, "a value was expected here");
        break;
    }
    yaml_event_delete(event);
    return ok;
}

/* One document's content, after its start event. */
static bool document(struct parser *p, struct val **ret, struct err *err)
{
    struct val value = val_null();
    enum yaml_type type = YAML_STR;
    yaml_event_t event;

    p->anchor_count = 0;
    if (p->anchor_by_name != NULL)
        map_clear(p->anchor_by_name);
    if (!next(p, &event) || !node(p, &event, &value, &type) || !next(p, &event))
        return false;
    yaml_event_delete(&event); /* the document's end */
    if (!arena_check(p->arena, "YAML", err))
        return false;
    *ret = val_new(p->arena, value);
    return true;
}

struct documents {
    struct val **at;
    size_t count;
    size_t size;
};

static void documents_add(struct parser *p, struct documents *docs, struct val *doc)
{
    if (doc->kind == VAL_NULL && !p->options->keep_empty)
        return;
    if (docs->count == docs->size) {
        size_t size = MAX(docs->size * 2, (size_t)8);
        struct val **grown = arena_array(p->arena, size, struct val *);
        if (docs->count > 0)
            memcpy(grown, docs->at, docs->count * sizeof(*grown));
        docs->at = grown;
        docs->size = size;
    }
    docs->at[docs->count++] = doc;
}

static bool stream(struct parser *p, struct documents *docs, struct err *err)
{
    yaml_event_t event;

    for (;;) {
        struct val *doc = NULL;
        if (!next(p, &event))
            return false;
        yaml_event_type_t type = event.type;
        yaml_event_delete(&event);
        if (type == YAML_STREAM_END_EVENT)
            return true;
        if (type != YAML_DOCUMENT_START_EVENT)
            continue;
        if (!document(p, &doc, err))
            return false;
        documents_add(p, docs, doc);
        if (p->options->only_first)
            return true;
    }
}

static void start(struct parser *p)
{
    const struct yaml_options *options = p->options;

    str_skip(&p->text, S("\xEF\xBB\xBF"));
    if (p->text.len == 0)
        p->text = S(""); /* libyaml takes no null pointer */
    p->has_slash_escapes = p->text.len > 1 && memchr(p->text.at, '\\', p->text.len) != NULL &&
                           memmem(p->text.at, p->text.len, "\\/", 2) != NULL;
    p->file = options->file.len > 0 ? val_file_add(options->file) : 0;
    yaml_parser_set_input_string(&p->yaml, (const unsigned char *)p->text.at, p->text.len);
    yaml_parser_set_encoding(&p->yaml, YAML_UTF8_ENCODING);
}

static size_t byte_at(str text, size_t index)
{
    size_t at = 0;

    for (size_t i = 0; i < index && at < text.len; i++) {
        at++;
        while (at < text.len && ((unsigned char)text.at[at] & 0xc0) == 0x80)
            at++;
    }
    return at;
}

/* In flow style Go's reader ends a plain text behind a ':' that stands before one of ,[]{}? where
 * libyaml gives up: {a:} is a map with the key "a:". The text in quotes is read the same by both.
 */
static str quote_colon(struct parser *p)
{
    auto_buf struct buf out = {0};
    size_t from = byte_at(p->text, p->yaml.context_mark.index);
    size_t colon = byte_at(p->text, p->yaml.problem_mark.index);

    buf_init(&out, 2 * LIMIT_DOC_BYTES);
    buf_add(&out, str_first(p->text, from));
    buf_addc(&out, '\'');
    for (size_t i = from; i <= colon && i < p->text.len; i++) {
        if (p->text.at[i] == '\'')
            buf_addc(&out, '\'');
        buf_addc(&out, p->text.at[i]);
    }
    buf_addc(&out, '\'');
    buf_add(&out, str_from_index(p->text, MIN(colon + 1, p->text.len)));
    return arena_str(p->arena, buf_str(&out));
}

/* *ret_again: not done, but this text may be read instead. */
static bool parse_text(struct arena *arena, str text, const struct yaml_options *options,
                       struct documents *docs, str *ret_again, struct err *err)
{
    struct parser p = {.arena = arena, .err = err, .options = options, .text = text};

    if (!yaml_parser_initialize(&p.yaml))
        return err_set(err, ERR_LIMIT, "out of memory for a YAML parser");
    start(&p);
    bool ok = stream(&p, docs, err);
    if (!ok && p.met_colon)
        *ret_again = quote_colon(&p);
    yaml_parser_delete(&p.yaml);
    mem_free(p.stack.at);
    mem_free(p.anchors);
    map_free(p.anchor_by_name);
    return ok;
}

bool yaml_parse_all(struct arena *arena, str text, const struct yaml_options *options,
                    struct val ***ret_docs, size_t *ret_count, struct err *err)
{
    struct documents docs = {0};
    str again = {0};

    if (text.len > LIMIT_DOC_BYTES)
        return err_set(err, ERR_LIMIT, "%.*s: longer than %zu MiB (LIMIT_DOC_BYTES)",
                       STR(options->file), (size_t)(LIMIT_DOC_BYTES / LIMIT_MIB));
    size_t tries = MIN((size_t)COLONS_MAX, COLONS_BYTES / (text.len + 1) + 1);
    while (!parse_text(arena, text, options, &docs, &again, err)) {
        if (again.at == NULL || tries-- == 0)
            return false;
        text = again;
        again = (str){0};
        docs = (struct documents){0};
    }
    *ret_docs = docs.at;
    *ret_count = docs.count;
    return true;
}

bool yaml_parse(struct arena *arena, str text, const struct yaml_options *options,
                struct val **ret_doc, struct err *err)
{
    struct yaml_options first = *options;
    struct val **docs = NULL;
    size_t count = 0;

    first.only_first = true;
    first.keep_empty = true;
    if (!yaml_parse_all(arena, text, &first, &docs, &count, err))
        return false;
    *ret_doc = count > 0 ? docs[0] : val_new(arena, val_null());
    return true;
}
