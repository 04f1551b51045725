/* SPDX-License-Identifier: Apache-2.0 */
#include "render/kustomize/node.h"

#include "base/mem.h"
#include "doc/yaml.h"
#include "doc/yaml_scalar.h"

enum { DEPTH_MAX = 4 * LIMIT_DOC_DEPTH, FEW = 16, MANY = 64, SHARED_TEXT_MAX = 48 };

_Static_assert(sizeof(struct node) == 24, "a render is mostly nodes");

static struct node *fresh(struct arena *arena)
{
    return arena_words(arena, sizeof(struct node));
}

struct node *node_new(struct arena *arena, enum node_kind kind)
{
    struct node *n = fresh(arena);

    n->kind = kind & 3;
    return n;
}

struct node *node_scalar(struct arena *arena, enum node_tag tag, str value)
{
    struct node *n = node_new(arena, NODE_SCALAR);

    n->tag = tag & 15;
    n->value = value;
    return n;
}

/* ---- big maps ---- */

/* Before the members of a map with room for MANY or more stands an index of their keys. */
struct key_index {
    uint32_t *slots; /* member + 1; a power of two of them */
    uint32_t mask;
    uint32_t known; /* members that are in it; the rest is added when somebody looks */
};

_Static_assert(sizeof(struct key_index) <= sizeof(struct node_member), "it stands in one's place");

static struct key_index *index_of(const struct node *map)
{
    return (struct key_index *)(void *)(map->members - 1);
}

static bool has_index(const struct node *map)
{
    return map->kind == NODE_MAP && map->size >= MANY;
}

static void index_forget(struct node *map)
{
    if (!has_index(map))
        return;
    struct key_index *index = index_of(map);
    memset(index->slots, 0, ((size_t)index->mask + 1) * sizeof(*index->slots));
    index->known = 0;
}

static struct node_member *many_new(struct arena *arena, size_t size)
{
    size_t slots = 2 * MANY;

    while (slots < size * 2)
        slots *= 2;
    struct node_member *block = arena_words(arena, (size + 1) * sizeof(*block));
    *(struct key_index *)(void *)block = (struct key_index){
            .slots = arena_words(arena, slots * sizeof(uint32_t)), .mask = (uint32_t)slots - 1};
    return block + 1;
}

/* The slot of the key, or the free one in which it would be. */
static uint32_t *index_slot(const struct node *map, str key)
{
    struct key_index *index = index_of(map);
    uint32_t at = (uint32_t)str_hash(key) & index->mask;

    while (index->slots[at] != 0 && !str_eq(map->members[index->slots[at] - 1].key, key))
        at = (at + 1) & index->mask;
    return &index->slots[at];
}

static struct node_member *find_indexed(const struct node *map, str key)
{
    struct key_index *index = index_of(map);

    for (; index->known < map->count; index->known++) {
        uint32_t *slot = index_slot(map, map->members[index->known].key);
        if (*slot == 0) /* of two equal keys the first counts */
            *slot = index->known + 1;
    }
    uint32_t found = *index_slot(map, key);
    return found == 0 || found > map->count ? NULL : &map->members[found - 1];
}

static void reserve(struct arena *arena, struct node *n, size_t count)
{
    size_t one = n->kind == NODE_MAP ? sizeof(struct node_member) : sizeof(struct node *);
    size_t size = n->size == 0 ? count : MAX(count, (size_t)n->size * 2);
    void *grown = n->kind == NODE_MAP && size >= MANY ? (void *)many_new(arena, size)
                                                      : arena_words(arena, size * one);

    if (n->count > 0)
        memcpy(grown, n->members, n->count * one);
    n->members = grown;
    n->size = (uint32_t)size;
}

static struct node *copy(struct arena *arena, const struct node *n, unsigned depth)
{
    struct node *c = fresh(arena);

    *c = *n;
    if (n->kind == NODE_SCALAR)
        return c;
    c->size = 0;
    c->count = 0;
    c->members = NULL;
    if (n->count == 0 || arena_is_over(arena) || depth > DEPTH_MAX)
        return c;
    reserve(arena, c, n->count);
    c->count = n->count;
    for (uint32_t i = 0; i < n->count; i++) {
        if (n->kind == NODE_MAP) {
            c->members[i].key = n->members[i].key;
            c->members[i].value = copy(arena, n->members[i].value, depth + 1);
        } else {
            c->items[i] = copy(arena, n->items[i], depth + 1);
        }
    }
    return c;
}

struct node *node_copy(struct arena *arena, const struct node *n)
{
    return n == NULL ? NULL : copy(arena, n, 0);
}

/* ---- from and to val ---- */

static void scalar_from_val(struct node *n, const struct val *v)
{
    n->kind = NODE_SCALAR;
    n->value = yaml_text(v);
    unsigned style = ((v->style & VAL_QUOTED) != 0 ? STYLE_QUOTED : 0) |
                     ((v->style & VAL_MARK_A) != 0 ? STYLE_SINGLE : 0) |
                     ((v->style & VAL_TAGGED) != 0 ? STYLE_TAGGED : 0) |
                     ((v->style & VAL_BLOCK) != 0 ? STYLE_LITERAL : 0);
    n->style = style & 63;
    switch (val_kind(v)) {
    case VAL_NULL:
        n->tag = TAG_NULL;
        break;
    case VAL_BOOL:
        n->tag = TAG_BOOL;
        break;
    case VAL_NUMBER:
        n->tag = (v->style & VAL_FLOAT) != 0 ? TAG_FLOAT : TAG_INT;
        break;
    case VAL_STRING:
    case VAL_LIST:
    case VAL_MAP:
        n->tag = TAG_STR;
        if ((v->spare & YAML_TYPE_MASK) == YAML_TIME)
            n->tag = TAG_TIME;
        if ((v->spare & YAML_TYPE_MASK) == YAML_BINARY)
            n->tag = TAG_BINARY;
        if ((v->spare & YAML_TYPE_MASK) == YAML_FOLDED)
            n->style = STYLE_FOLDED;
        break;
    }
}

static str take_text(struct arena *arena, struct node_texts *texts, str text)
{
    uint32_t hash = (uint32_t)text.len;

    if (texts == NULL)
        return text;
    if (text.len > SHARED_TEXT_MAX)
        return arena_str(arena, text);
    for (size_t i = 0; i < text.len; i++)
        hash = (hash ^ (unsigned char)text.at[i]) * 16777619U;
    str *slot = &texts->slots[(hash ^ hash >> 15) % COUNT(texts->slots)];
    if (slot->at == NULL || !str_eq(*slot, text))
        *slot = arena_str(arena, text);
    return *slot;
}

struct node *node_from_val(struct arena *arena, struct node_texts *texts, const struct val *v)
{
    struct node *n = fresh(arena);

    n->place = v->place;
    n->file = v->file;
    if (v->kind != VAL_MAP && v->kind != VAL_LIST) {
        scalar_from_val(n, v);
        n->value = take_text(arena, texts, n->value);
        return n;
    }
    n->kind = v->kind == VAL_MAP ? NODE_MAP : NODE_LIST;
    n->tag = v->kind == VAL_MAP ? TAG_MAP : TAG_SEQ;
    n->style = (v->spare & YAML_FLOW) != 0 ? STYLE_FLOW : 0;
    n->flags = ((v->spare & YAML_TWICE) != 0 ? NODE_TWICE : 0U) |
               ((v->spare & YAML_ODD_KEY) != 0 ? NODE_ODD_KEY : 0U);
    size_t count = val_count(v);
    if (count == 0 || arena_is_over(arena))
        return n;
    n->size = 0;
    reserve(arena, n, count);
    struct val_iter it = val_iter(v);
    while (val_next(&it)) {
        struct node *child = node_from_val(arena, texts, it.value);
        if (n->kind == NODE_MAP)
            n->members[n->count++] =
                    (struct node_member){.key = take_text(arena, texts, it.key), .value = child};
        else
            n->items[n->count++] = child;
    }
    return n;
}

static void number_from_json(struct arena *arena, struct node_texts *texts, struct node *n,
                             const struct val *v)
{
    char text[YAML_NUMBER_SIZE];
    double number = 0;

    n->value = val_text(v);
    if (yaml_to_double(n->value, &number)) {
        yaml_format_g(number, text);
        if (!str_eq(n->value, str_from(text)))
            n->value = arena_str(arena, str_from(text));
        else
            n->value = take_text(arena, texts, n->value);
    } else {
        n->value = take_text(arena, texts, n->value);
    }
    n->tag = yaml_resolve(n->value, YAML_12) == YAML_INT ? TAG_INT : TAG_FLOAT;
}

static void text_from_json(struct arena *arena, struct node_texts *texts, struct node *n,
                           const struct val *v)
{
    n->tag = TAG_STR;
    n->value = take_text(arena, texts, val_str(v));
    enum yaml_type type = yaml_resolve(n->value, YAML_11);
    if (n->value.len > 0 && memchr(n->value.at, '\n', n->value.len) != NULL)
        n->style = STYLE_LITERAL;
    else if (type != YAML_STR || yaml_is_base60(n->value))
        n->style = STYLE_QUOTED;
}

/* false: a list or a map. */
static bool scalar_from_json(struct arena *arena, struct node_texts *texts, struct node *n,
                             const struct val *v)
{
    n->kind = NODE_SCALAR;
    switch (val_kind(v)) {
    case VAL_NULL:
        n->tag = TAG_NULL;
        n->value = S("null");
        return true;
    case VAL_BOOL:
        n->tag = TAG_BOOL;
        n->value = take_text(arena, texts, val_text(v));
        return true;
    case VAL_NUMBER:
        number_from_json(arena, texts, n, v);
        return true;
    case VAL_STRING:
        text_from_json(arena, texts, n, v);
        return true;
    case VAL_LIST:
    case VAL_MAP:
        break;
    }
    return false;
}

static struct node *child_of(const struct node *n, uint32_t index)
{
    return n->kind == NODE_MAP ? n->members[index].value : n->items[index];
}

void node_into_json(struct arena *arena, struct node_texts *texts, const struct val *v,
                    struct node *n)
{
    struct node old = *n;
    uint32_t old_count = node_count(&old);

    *n = (struct node){.place = v->place, .file = v->file};
    if (scalar_from_json(arena, texts, n, v))
        return;
    n->kind = val_is(v, VAL_MAP) ? NODE_MAP : NODE_LIST;
    n->tag = val_is(v, VAL_MAP) ? TAG_MAP : TAG_SEQ;
    n->style = val_count(v) == 0 ? STYLE_FLOW : 0;
    n->value = (str){0};
    if (val_count(v) == 0 || arena_is_over(arena))
        return;
    if (old.kind == n->kind && old.size >= val_count(v)) {
        n->members = old.members;
        n->size = old.size;
        index_forget(n);
    } else {
        reserve(arena, n, val_count(v));
    }
    struct val_iter it = val_iter(v);
    while (val_next(&it)) {
        struct node *child = n->count < old_count ? child_of(&old, n->count) : NULL;
        if (child == NULL)
            child = fresh(arena);
        node_into_json(arena, texts, it.value, child);
        if (n->kind == NODE_MAP)
            n->members[n->count++] =
                    (struct node_member){.key = take_text(arena, texts, it.key), .value = child};
        else
            n->items[n->count++] = child;
    }
}

struct node *node_from_json(struct arena *arena, struct node_texts *texts, const struct val *v)
{
    struct node *n = fresh(arena);

    node_into_json(arena, texts, v, n);
    return n;
}

/* Which tag a reader finds when it reads what is written for this scalar. */
static enum node_tag written_tag(const struct node *n)
{
    bool quoted = (n->style & (STYLE_QUOTED | STYLE_LITERAL | STYLE_FOLDED)) != 0;

    if ((n->style & STYLE_TAGGED) != 0 || n->tag == TAG_STR)
        return n->tag;
    if (n->tag == TAG_NONE)
        return quoted || (n->value.len > 0 && memchr(n->value.at, '\n', n->value.len) != NULL)
                       ? TAG_STR
                       : TAG_NONE;
    if (!quoted)
        return n->tag;
    /* a tag that the plain text would have anyway is not written: the quotes win */
    enum yaml_type type = yaml_resolve(n->value, YAML_12);
    bool same = (type == YAML_INT && n->tag == TAG_INT) ||
                (type == YAML_FLOAT && n->tag == TAG_FLOAT) ||
                (type == YAML_BOOL && n->tag == TAG_BOOL) ||
                (type == YAML_NULL && n->tag == TAG_NULL) ||
                (type == YAML_TIMESTAMP && n->tag == TAG_TIME);
    return same ? TAG_STR : n->tag;
}

static bool scalar_to_val(struct arena *arena, const struct node *n, bool in_flow, struct val *ret,
                          struct err *err)
{
    struct val v = val_string_borrow(n->value);

    v.place = n->place;
    v.file = n->file;
    switch (written_tag(n)) {
    case TAG_STR:
    case TAG_MAP:
    case TAG_SEQ:
        if ((n->style & STYLE_FOLDED) == 0 || in_flow) {
            *ret = v;
            return true;
        }
        v.spare = YAML_FOLDED;
        break;
    case TAG_NONE:
        v.spare = YAML_UNTAGGED;
        v.style = n->value.len == 0 ? VAL_EMPTY : 0;
        if (in_flow && n->value.len == 0) {
            *ret = v;
            ret->spare = 0;
            return true;
        }
        break;
    case TAG_INT:
        v.kind = VAL_NUMBER;
        break;
    case TAG_FLOAT:
        v.kind = VAL_NUMBER;
        v.style = VAL_FLOAT;
        break;
    case TAG_BOOL:
        v.kind = VAL_BOOL;
        v.text = arena_z(arena, n->value);
        v.count = yaml_word_is_true(n->value);
        break;
    case TAG_NULL:
        v.kind = VAL_NULL;
        v.style = n->value.len == 0 ? VAL_EMPTY : 0;
        v.text = arena_z(arena, n->value);
        if (in_flow && n->value.len == 0) {
            *ret = val_string_borrow(STR_EMPTY);
            return true;
        }
        break;
    case TAG_TIME:
        v.spare = YAML_TIME;
        break;
    case TAG_BINARY:
        v.spare = YAML_BINARY;
        break;
    }
    if (!yaml_settle(arena, &v, err))
        return false;
    *ret = v;
    return true;
}

static bool to_val(struct arena *arena, const struct node *n, bool in_flow, unsigned depth,
                   struct val *ret, struct err *err);

static bool items_to_val(struct arena *arena, const struct node *n, bool flow, unsigned depth,
                         struct val *ret, struct err *err)
{
    struct val few[FEW];
    struct val *items = n->count > FEW ? new0_array(n->count, struct val) : few;
    bool ok = true;

    for (uint32_t i = 0; i < n->count && ok; i++)
        ok = to_val(arena, n->items[i], flow, depth + 1, &items[i], err);
    if (ok)
        val_fill_list(arena, ret, items, n->count);
    if (items != few)
        mem_free(items);
    return ok;
}

static bool members_to_val(struct arena *arena, const struct node *n, bool flow, unsigned depth,
                           struct val *ret, struct err *err)
{
    struct val_member_init few[FEW];
    struct val_member_init *members =
            n->count > FEW ? new0_array(n->count, struct val_member_init) : few;
    bool ok = true;

    for (uint32_t i = 0; i < n->count && ok; i++) {
        members[i].key = val_key_new(arena, n->members[i].key);
        ok = to_val(arena, n->members[i].value, flow, depth + 1, &members[i].value, err);
    }
    if (ok)
        val_fill_map(arena, ret, members, n->count);
    if (members != few)
        mem_free(members);
    return ok;
}

static bool container_to_val(struct arena *arena, const struct node *n, bool in_flow,
                             unsigned depth, struct val *ret, struct err *err)
{
    struct val v = n->kind == NODE_MAP ? val_map() : val_list();
    bool flow = in_flow || (n->style & STYLE_FLOW) != 0;

    v.place = n->place;
    v.file = n->file;
    if (depth > DEPTH_MAX || arena_is_over(arena))
        return err_set(err, ERR_LIMIT, "a resource is nested too deeply or grew too big");
    if ((n->flags & NODE_TWICE) != 0 || ((n->flags & NODE_ODD_KEY) != 0 && depth > 0)) {
        str place = val_place(arena, &v);
        return err_set(err, ERR_INVALID, "%.*s: %s", STR(place),
                       (n->flags & NODE_TWICE) != 0
                               ? "a mapping key is already defined in this map"
                               : "this map has a key that is no text; quote the key");
    }
    bool ok = n->kind == NODE_LIST ? items_to_val(arena, n, flow, depth, &v, err)
                                   : members_to_val(arena, n, flow, depth, &v, err);
    if (ok)
        *ret = v;
    return ok;
}

static bool to_val(struct arena *arena, const struct node *n, bool in_flow, unsigned depth,
                   struct val *ret, struct err *err)
{
    if (n == NULL || n->kind == NODE_ZERO) {
        *ret = val_null();
        return true;
    }
    if (n->kind == NODE_SCALAR)
        return scalar_to_val(arena, n, in_flow, ret, err);
    return container_to_val(arena, n, in_flow, depth, ret, err);
}

bool node_to_val(struct arena *arena, const struct node *n, struct val *ret, struct err *err)
{
    return to_val(arena, n, /*in_flow=*/false, 0, ret, err);
}

/* ---- reading ---- */

bool node_is_empty(const struct node *n)
{
    return node_is_null(n) || n->kind == NODE_ZERO || (n->kind != NODE_SCALAR && n->count == 0);
}

uint32_t node_count(const struct node *n)
{
    return n == NULL || n->kind == NODE_SCALAR ? 0 : n->count;
}

bool node_is_string(const struct node *n)
{
    return node_is(n, NODE_SCALAR) && (n->tag == TAG_STR || n->tag == TAG_NONE);
}

str node_spelling(const struct node *n)
{
    return node_is(n, NODE_SCALAR) ? n->value : STR_EMPTY;
}

str node_text(const struct node *n)
{
    return node_is_null(n) ? STR_EMPTY : node_spelling(n);
}

static struct node_member *find(const struct node *map, str key)
{
    if (!node_is(map, NODE_MAP))
        return NULL;
    if (has_index(map) && map->count >= MANY)
        return find_indexed(map, key);
    for (uint32_t i = 0; i < map->count; i++) {
        struct node_member *m = &map->members[i];
        if (m->key.len != key.len)
            continue;
        if (m->key.at == key.at || key.len == 0)
            return m;
        /* most keys of one length differ at the end */
        if (m->key.at[key.len - 1] == key.at[key.len - 1] &&
            memcmp(m->key.at, key.at, key.len) == 0)
            return m;
    }
    return NULL;
}

struct node *node_get(const struct node *map, str key)
{
    const struct node_member *m = find(map, key);

    return m == NULL ? NULL : m->value;
}

struct node *node_path(const struct node *n, const char *const *names, size_t count)
{
    const struct node *at = n;

    for (size_t i = 0; i < count && at != NULL; i++)
        at = node_get(at, str_from(names[i]));
    return (struct node *)(uintptr_t)at;
}

bool node_eq(const struct node *a, const struct node *b)
{
    if (a == b)
        return true;
    if (a == NULL || b == NULL || a->kind != b->kind || a->tag != b->tag)
        return false;
    if (a->kind == NODE_SCALAR)
        return str_eq(a->value, b->value);
    if (a->count != b->count)
        return false;
    for (uint32_t i = 0; i < a->count; i++) {
        if (a->kind == NODE_MAP && !str_eq(a->members[i].key, b->members[i].key))
            return false;
        const struct node *x = a->kind == NODE_MAP ? a->members[i].value : a->items[i];
        const struct node *y = b->kind == NODE_MAP ? b->members[i].value : b->items[i];
        if (!node_eq(x, y))
            return false;
    }
    return true;
}

/* ---- changing ---- */

void node_add(struct arena *arena, struct node *map, str key, struct node *value)
{
    if (map->count == map->size)
        reserve(arena, map, (size_t)map->count + 1);
    map->members[map->count++] = (struct node_member){.key = key, .value = value};
}

/* kyaml quotes a text that YAML 1.1 would read as something else when it sets a field. */
static void quote_ambiguous(struct node *value)
{
    if (!node_is_string(value) || value->style != STYLE_PLAIN || value->value.len == 0)
        return;
    enum yaml_type type = yaml_resolve(value->value, YAML_11);
    if (type != YAML_STR && type != YAML_MERGE)
        value->style = STYLE_QUOTED;
}

/* A key that kyaml adds has no tag: what it reads as is found out when it is written. */
void node_add_new(struct arena *arena, struct node *map, str key, struct node *value)
{
    quote_ambiguous(value);
    node_add(arena, map, key, value);
    if (yaml_resolve(key, YAML_12) != YAML_STR)
        map->flags |= NODE_ODD_KEY;
}

void node_append(struct arena *arena, struct node *list, struct node *item)
{
    if (list->count == list->size)
        reserve(arena, list, (size_t)list->count + 1);
    list->items[list->count++] = item;
}

bool node_clear(struct node *map, str key)
{
    struct node_member *m = find(map, key);

    if (m == NULL)
        return false;
    size_t after = (size_t)(&map->members[map->count] - (m + 1));
    memmove(m, m + 1, after * sizeof(*m));
    map->count--;
    index_forget(map);
    return true;
}

void node_blank(struct node *map, str key)
{
    struct node_member *m = find(map, key);

    if (m != NULL)
        m->value = NULL;
}

void node_drop_blanks(struct node *map)
{
    uint32_t kept = 0;

    if (map->kind != NODE_MAP)
        return;
    for (uint32_t i = 0; i < map->count; i++)
        if (map->members[i].value != NULL)
            map->members[kept++] = map->members[i];
    if (kept == map->count)
        return;
    map->count = kept;
    index_forget(map);
}

void node_assign(struct node *to, const struct node *from)
{
    *to = *from;
    if (to->kind != NODE_SCALAR)
        to->size = to->count; /* the children's array is shared: the next addition must move it */
}

struct node *node_set(struct arena *arena, struct node *map, str key, struct node *value)
{
    if (node_is_null(value)) {
        node_clear(map, key);
        return NULL;
    }
    return node_put(arena, map, key, value);
}

struct node *node_put(struct arena *arena, struct node *map, str key, struct node *value)
{
    struct node_member *m = NULL;

    quote_ambiguous(value);
    m = find(map, key);
    if (m == NULL) {
        node_add_new(arena, map, key, value);
        return value;
    }
    if (m->value != value) {
        value->style = m->value->style;
        node_assign(m->value, value);
    }
    return m->value;
}

bool node_set_scalar(struct node *n, enum node_tag tag, str value)
{
    if (n->kind != NODE_SCALAR && n->tag != TAG_NULL)
        return false;
    n->kind = NODE_SCALAR;
    n->tag = tag & 15;
    n->value = value;
    return true;
}

struct node *node_ensure_map(struct arena *arena, struct node *map, str key)
{
    struct node *child = node_get(map, key);

    if (child != NULL)
        return node_is(child, NODE_MAP) ? child : NULL;
    child = node_new(arena, NODE_MAP);
    node_add_new(arena, map, key, child);
    return child;
}
