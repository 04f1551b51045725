/* SPDX-License-Identifier: Apache-2.0 */
#include "render/kustomize/build.h"

#include "doc/yaml.h"
#include "render/kustomize/schema.h"

/* Stands in metadata.annotations for the bookkeeping that Kustomize keeps there as text. */
#define MARK S("internal.config.kubernetes.io/previousNames")

const char id_not_a_namespace[] = "_non_namespaceable_";

/* ---- ids ---- */

void group_version_split(str api_version, str *ret_group, str *ret_version)
{
    size_t slash = str_find_char(api_version, '/');

    if (slash == SIZE_MAX) {
        *ret_group = STR_EMPTY;
        *ret_version = api_version;
        return;
    }
    *ret_group = str_first(api_version, slash);
    *ret_version = str_from_index(api_version, slash + 1);
}

struct id id_current(struct build *b, const struct resource *r)
{
    struct id id = {.kind = resource_kind(r),
                    .name = resource_name(r),
                    .namespace_ = resource_namespace(r)};
    str api_version = resource_api_version(r);

    group_version_split(api_version, &id.group, &id.version);
    id.is_cluster = schema_is_cluster_scoped(b->schema, api_version, id.kind);
    return id;
}

struct id id_previous(const struct resource *r, size_t index, str group, str version)
{
    const struct previous *p = &r->previous.at[index];

    return (struct id){.group = group,
                       .version = version,
                       .kind = p->kind,
                       .name = p->name,
                       .namespace_ = p->namespace_};
}

struct id id_original(struct build *b, const struct resource *r)
{
    struct id id = {0};

    if (r->previous.count == 0)
        return id_current(b, r);
    group_version_split(resource_api_version(r), &id.group, &id.version);
    return id_previous(r, 0, id.group, id.version);
}

str id_namespace(const struct id *id)
{
    if (id->is_cluster)
        return str_from(id_not_a_namespace);
    return id->namespace_.len == 0 ? S("default") : id->namespace_;
}

bool id_gvkn_eq(const struct id *a, const struct id *b)
{
    return str_eq(a->name, b->name) && str_eq(a->kind, b->kind) && str_eq(a->group, b->group) &&
           str_eq(a->version, b->version);
}

bool id_eq(const struct id *a, const struct id *b)
{
    return id_gvkn_eq(a, b) && str_eq(id_namespace(a), id_namespace(b));
}

bool id_is_selected(const struct id *id, str group, str version, str kind)
{
    return (kind.len == 0 || str_eq(kind, id->kind)) &&
           (group.len == 0 || str_eq(group, id->group)) &&
           (version.len == 0 || str_eq(version, id->version));
}

str id_text(struct build *b, const struct id *id)
{
    str group = id->group.len == 0 ? S("[noGrp]") : id->group;
    str version = id->version.len == 0 ? S("[noVer]") : id->version;
    str kind = id->kind.len == 0 ? S("[noKind]") : id->kind;
    str name = id->name.len == 0 ? S("[noName]") : id->name;
    str ns = id->namespace_.len == 0 ? S("[noNs]") : id->namespace_;

    return arena_printf(b->arena, "%.*s.%.*s.%.*s/%.*s.%.*s", STR(kind), STR(version), STR(group),
                        STR(name), STR(ns));
}

/* ---- reading ---- */

str resource_kind(const struct resource *r)
{
    return node_spelling(node_get(r->node, S("kind")));
}

str resource_api_version(const struct resource *r)
{
    return node_spelling(node_get(r->node, S("apiVersion")));
}

static const struct node *metadata(const struct resource *r)
{
    const struct node *meta = node_get(r->node, S("metadata"));

    return node_is_empty(meta) ? NULL : meta;
}

static str metadata_text(const struct resource *r, str key)
{
    const struct node *field = node_get(metadata(r), key);

    return node_is_empty(field) ? STR_EMPTY : node_spelling(field);
}

str resource_name(const struct resource *r)
{
    return metadata_text(r, S("name"));
}

str resource_namespace(const struct resource *r)
{
    return metadata_text(r, S("namespace"));
}

struct pairs resource_map(struct build *b, const struct resource *r, const char *field)
{
    struct pairs pairs = {0};
    const struct node *map = node_get(metadata(r), str_from(field));

    if (!node_is(map, NODE_MAP))
        return pairs;
    for (uint32_t i = 0; i < map->count; i++)
        if (!str_eq(map->members[i].key, MARK))
            pairs_put(b, &pairs, map->members[i].key, node_spelling(map->members[i].value));
    return pairs;
}

/* ---- changing ---- */

struct resource *resource_new(struct build *b, struct node *node)
{
    struct resource *r = arena_new0(b->arena, struct resource);

    r->node = node;
    return r;
}

struct resource *resource_copy(struct build *b, const struct resource *r)
{
    struct resource *copy = arena_new0(b->arena, struct resource);

    *copy = *r;
    copy->node = node_copy(b->arena, r->node);
    copy->unshared = 0;
    copy->previous.size = copy->previous.count; /* a later addition moves it */
    return copy;
}

static struct node *metadata_map(struct build *b, struct resource *r)
{
    return node_ensure_map(b->arena, r->node, S("metadata"));
}

bool resource_set_name(struct build *b, struct resource *r, str name)
{
    struct node *meta = metadata_map(b, r);

    if (meta != NULL)
        node_set(b->arena, meta, S("name"), node_scalar(b->arena, TAG_NONE, name));
    return meta != NULL;
}

bool resource_set_namespace(struct build *b, struct resource *r, str namespace_)
{
    struct node *meta = node_get(r->node, S("metadata"));

    if (namespace_.len == 0) {
        if (node_is(meta, NODE_MAP))
            node_clear(meta, S("namespace"));
        return true;
    }
    meta = metadata_map(b, r);
    if (meta != NULL)
        node_set(b->arena, meta, S("namespace"), node_scalar(b->arena, TAG_NONE, namespace_));
    return meta != NULL;
}

bool resource_set_map(struct build *b, struct resource *r, const char *field,
                      const struct pairs *pairs)
{
    struct node *meta = metadata_map(b, r);
    str key = str_from(field);
    bool is_annotations = str_eq(key, S("annotations"));
    bool marked = is_annotations && node_get(node_get(meta, key), MARK) != NULL;

    if (meta == NULL)
        return build_fail(b, KUSTOMIZE_ERROR_TRANSFORM, "metadata of a %.*s is no map",
                          STR(resource_kind(r)));
    node_clear(meta, key);
    if (pairs->count == 0 && !marked)
        return true;
    struct node *map = node_ensure_map(b->arena, meta, key);
    if (pairs->count > 0 && pairs->at[0].key.len == 0)
        return build_fail(b, KUSTOMIZE_ERROR_TRANSFORM, "%s of %.*s %.*s have an empty key", field,
                          STR(resource_kind(r)), STR(resource_name(r)));
    for (size_t i = 0; i < pairs->count; i++)
        node_add_new(b->arena, map, pairs->at[i].key,
                     node_scalar(b->arena, TAG_STR, pairs->at[i].value));
    if (marked)
        node_add(b->arena, map, MARK, node_scalar(b->arena, TAG_STR, S("true")));
    return true;
}

bool resource_mark(struct build *b, struct resource *r)
{
    struct node *meta = node_get(r->node, S("metadata"));
    struct node *map = node_get(meta, S("annotations"));

    if (node_is(meta, NODE_MAP) && map != NULL && node_count(map) == 0) /* empty or null ones go */
        node_clear(meta, S("annotations"));
    meta = metadata_map(b, r);
    map = meta == NULL ? NULL : node_ensure_map(b->arena, meta, S("annotations"));
    if (map == NULL)
        return build_fail(b, KUSTOMIZE_ERROR_TRANSFORM, "annotations of %.*s %.*s are no map",
                          STR(resource_kind(r)), STR(resource_name(r)));
    if (node_get(map, MARK) == NULL)
        node_add(b->arena, map, MARK, node_scalar(b->arena, TAG_STR, S("true")));
    return true;
}

void resource_check_mark(struct resource *r)
{
    if (r->node == NULL || NODE_AT(r->node, "metadata", "annotations") == NULL ||
        node_get(NODE_AT(r->node, "metadata", "annotations"), MARK) == NULL) {
        r->previous.count = r->previous.size = 0;
        r->prefixes = r->suffixes = (struct strs){0};
        r->needs_hash = false;
        r->behavior = BEHAVIOR_UNSPECIFIED;
    }
}

bool resource_store_previous(struct build *b, struct resource *r)
{
    struct id id = id_current(b, r);

    if (!resource_mark(b, r))
        return false;
    if (id.name.len == 0 || id.kind.len == 0)
        return build_fail(b, KUSTOMIZE_ERROR_TRANSFORM,
                          "a %.*s without metadata.name cannot be renamed or moved", STR(id.kind));
    if (r->previous.count == r->previous.size) /* a namespace and a prefix are two */
        r->previous.at = build_grow(b, r->previous.at, r->previous.count + 2, &r->previous.size,
                                    sizeof(*r->previous.at));
    r->previous.at[r->previous.count++] =
            (struct previous){.name = id.name, .namespace_ = id_namespace(&id), .kind = id.kind};
    return true;
}

void resource_add_prefix(struct build *b, struct resource *r, str prefix)
{
    if (prefix.len > 0)
        strs_add(b, &r->prefixes, prefix);
}

void resource_add_suffix(struct build *b, struct resource *r, str suffix)
{
    if (suffix.len > 0)
        strs_add(b, &r->suffixes, suffix);
}

/* ---- reading resource files ---- */

static bool validate(struct build *b, const struct node *n, str file, bool *ret_skip)
{
    struct resource r = {.node = (struct node *)(uintptr_t)n};
    struct val at = {.file = n == NULL ? 0 : n->file, .place = n == NULL ? 0 : n->place};

    *ret_skip = node_is_empty(n);
    if (*ret_skip)
        return true;
    str place = val_place(b->arena, &at);
    if (place.len == 0)
        place = file;
    if (n->kind != NODE_MAP)
        return build_fail(b, KUSTOMIZE_ERROR_YAML,
                          "%.*s: missing Resource metadata: this is no "
                          "Kubernetes object",
                          STR(place));
    if (node_is_empty(node_get(n, S("kind"))) || resource_kind(&r).len == 0)
        return build_fail(b, KUSTOMIZE_ERROR_YAML, "%.*s: missing kind in this object", STR(place));
    if (!str_ends(resource_kind(&r), S("List")) && resource_name(&r).len == 0)
        return build_fail(b, KUSTOMIZE_ERROR_YAML, "%.*s: missing metadata.name in this object",
                          STR(place));
    return true;
}

/* What a JSON text gives when it is read as YAML: flow style, quoted texts. */
static void flow_all(struct node *n)
{
    if (n->kind == NODE_SCALAR) {
        if (n->tag == TAG_STR)
            n->style = STYLE_QUOTED;
        return;
    }
    n->style = STYLE_FLOW;
    for (uint32_t i = 0; i < n->count; i++)
        flow_all(n->kind == NODE_MAP ? n->members[i].value : n->items[i]);
}

struct node_list {
    struct node **at;
    size_t count, size;
};

static void list_add(struct build *b, struct node_list *l, struct node *n)
{
    l->at = build_grow(b, l->at, l->count + 1, &l->size, sizeof(*l->at));
    l->at[l->count++] = n;
}

static bool expand_list(struct build *b, struct node *n, str file, struct node_list *queue)
{
    struct val object = val_null();

    if (!node_to_val(b->arena, n, &object, b->err)) {
        b->error_class = KUSTOMIZE_ERROR_YAML;
        return false;
    }
    const struct val *items = val_get(&object, S("items"));
    if (val_is(items, VAL_NULL))
        return true;
    if (!val_is(items, VAL_LIST))
        return build_fail(b, KUSTOMIZE_ERROR_YAML, "%.*s: items of a %.*s must be a list",
                          STR(file), STR(node_spelling(node_get(n, S("kind")))));
    struct val_iter it = val_iter(items);
    while (val_next(&it)) {
        struct node *item = node_from_val(b->arena, NULL, it.value);
        bool skip = false;
        flow_all(item);
        if (!validate(b, item, file, &skip))
            return false;
        if (!skip)
            list_add(b, queue, item);
    }
    return true;
}

/* Output of the original that was read again may still ask for a hash. */
static bool note_hash_wish(struct build *b, struct resource *r)
{
    const struct node *wish = NODE_AT(r->node, "metadata", "annotations",
                                      "internal.config.kubernetes.io/needsHashSuffix");

    if (wish == NULL || !str_eq(node_spelling(wish), S("enabled")))
        return true;
    r->needs_hash = true;
    return resource_mark(b, r);
}

static bool take_nodes(struct build *b, struct node_list *nodes, str file, struct resmap *ret)
{
    struct node_list queue = {0};

    for (size_t i = 0; i < nodes->count; i++) {
        bool skip = false;
        if (!validate(b, nodes->at[i], file, &skip))
            return false;
        if (!skip)
            list_add(b, &queue, nodes->at[i]);
    }
    for (size_t i = 0; i < queue.count; i++) {
        struct node *n = queue.at[i];
        if (arena_is_over(b->arena))
            return build_fail(b, KUSTOMIZE_ERROR_LIMIT, "the render needs too much memory");
        if (!str_ends(node_spelling(node_get(n, S("kind"))), S("List")) ||
            node_get(n, S("items")) == NULL) {
            struct resource *r = resource_new(b, n);
            r->unshared = b->shares + 1;
            if (!note_hash_wish(b, r))
                return false;
            resmap_push(b, ret, r);
            continue;
        }
        if (!expand_list(b, n, file, &queue))
            return false;
    }
    return true;
}

static str without_crlf(struct build *b, str text)
{
    if (text.len == 0 || memchr(text.at, '\r', text.len) == NULL)
        return text;
    char *out = arena_bytes(b->arena, text.len + 1);
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++)
        if (text.at[i] != '\r' || i + 1 >= text.len || text.at[i + 1] != '\n')
            out[len++] = text.at[i];
    return str_of(out, len);
}

/* The next "\n---…\n" from `from`; false when there is none. */
static bool next_separator(str text, size_t from, size_t *ret_start, size_t *ret_end)
{
    while (from < text.len) {
        const char *at = memmem(text.at + from, text.len - from, "\n---", 4);
        if (at == NULL)
            return false;
        size_t start = (size_t)(at - text.at);
        const char *end = memchr(at + 4, '\n', text.len - start - 4);
        if (end == NULL)
            return false;
        *ret_start = start;
        *ret_end = (size_t)(end - text.at) + 1;
        return true;
    }
    return false;
}

static bool parse_document(struct build *b, str chunk, str file, uint32_t line,
                           struct node_list *nodes)
{
    struct yaml_options options = {.dialect = YAML_12,
                                   .duplicates = YAML_DUPLICATES_MARK,
                                   .keep_text = true,
                                   .only_first = true,
                                   .file = file,
                                   .line_base = line};
    auto_arena struct arena *scratch = arena_new(LIMIT_RENDER_ARENA / 4);
    struct val **docs = NULL;
    size_t count = 0;

    if (!yaml_parse_all(scratch, chunk, &options, &docs, &count, b->err)) {
        b->error_class = b->err != NULL && b->err->code == ERR_LIMIT ? KUSTOMIZE_ERROR_LIMIT
                                                                     : KUSTOMIZE_ERROR_YAML;
        b->malformed_yaml = true;
        return false;
    }
    if (count > 0)
        list_add(b, nodes, node_from_val(b->arena, &b->texts, docs[0]));
    return true;
}

/* A lone List gives its items as they stand. */
static void unwrap(struct build *b, struct node_list *nodes)
{
    if (nodes->count != 1)
        return;
    const struct node *n = nodes->at[0];
    str kind = node_text(node_get(n, S("kind")));
    if (!str_eq(kind, S("List")) && !str_eq(kind, S("ResourceList")))
        return;
    const struct node *items = node_get(n, S("items"));
    if (items == NULL && node_get(n, S("functionConfig")) == NULL)
        return;
    nodes->count = 0;
    nodes->at = NULL;
    nodes->size = 0;
    for (uint32_t i = 0; node_is(items, NODE_LIST) && i < items->count; i++)
        list_add(b, nodes, items->items[i]);
}

bool resources_parse(struct build *b, str source, str file, struct resmap *ret)
{
    str text = without_crlf(b, source);
    struct node_list nodes = {0};
    size_t from = 0;
    size_t start = 0;
    size_t end = 0;
    size_t chunks = 0;
    uint32_t line = 0;

    while (next_separator(text, from, &start, &end)) {
        str rest = str_trim(str_of(text.at + start + 4, end - start - 4));
        if (rest.len > 0 && rest.at[0] != '#')
            return build_fail(b, KUSTOMIZE_ERROR_YAML, "%.*s: invalid document separator: ---%.*s",
                              STR(file), STR(rest));
        if (!parse_document(b, str_of(text.at + from, start + 1 - from), file, line, &nodes))
            return false;
        for (size_t i = from; i < end; i++)
            line += text.at[i] == '\n';
        from = end;
        chunks++;
    }
    if (text.len > 0 && !parse_document(b, str_from_index(text, from), file, line, &nodes))
        return false;
    if (chunks == 0)
        unwrap(b, &nodes);
    return take_nodes(b, &nodes, file, ret);
}
