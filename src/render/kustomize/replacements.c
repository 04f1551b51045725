/* SPDX-License-Identifier: Apache-2.0 */
/* replacements: a value of one resource goes into fields of others. */
#include "doc/json.h"
#include "doc/yaml.h"
#include "render/kustomize/node_yaml.h"
#include "render/kustomize/transform.h"

struct found {
    struct node **at;
    size_t count, size;
};

/* ---- the source ---- */

static bool selects(const struct selector *s, const struct id *id)
{
    struct id wanted = {.namespace_ = s->namespace_};

    return (s->name.len == 0 || str_eq(s->name, id->name)) &&
           (s->namespace_.len == 0 || str_eq(id_namespace(&wanted), id_namespace(id))) &&
           id_is_selected(id, s->group, s->version, s->kind);
}

/* The current id first; scope is not asked for here. */
static size_t id_count(const struct resource *r)
{
    return r->previous.count + 1;
}

static struct id id_at(struct build *b, const struct resource *r, size_t index)
{
    struct id id = id_current(b, r);

    id.is_cluster = false;
    return index == 0 ? id : id_previous(r, index - 1, id.group, id.version);
}

static bool find_source(struct build *b, const struct resmap *m, const struct selector *s,
                        struct resource **ret)
{
    struct resource *found = NULL;

    for (size_t i = 0; i < m->count; i++) {
        bool matches = false;
        for (size_t k = 0; k < id_count(m->at[i]) && !matches; k++) {
            struct id id = id_at(b, m->at[i], k);
            matches = selects(s, &id);
        }
        if (!matches)
            continue;
        if (found != NULL)
            return build_fail(b, KUSTOMIZE_ERROR_TRANSFORM,
                              "replacements: multiple matches for the source selector (%.*s %.*s)",
                              STR(s->kind.at == NULL ? S("any kind") : s->kind),
                              STR(s->name.at == NULL ? S("any name") : s->name));
        found = m->at[i];
    }
    if (found == NULL)
        return build_fail(b, KUSTOMIZE_ERROR_TRANSFORM,
                          "replacements: nothing selected by the source (%.*s %.*s)",
                          STR(s->kind.at == NULL ? S("any kind") : s->kind),
                          STR(s->name.at == NULL ? S("any name") : s->name));
    *ret = found;
    return true;
}

static size_t split_parts(str text, str delimiter, str *parts, size_t most)
{
    size_t count = 0;
    str rest = text;

    for (;;) {
        size_t at = str_find(rest, delimiter);
        if (count < most)
            parts[count] = at == SIZE_MAX ? rest : str_first(rest, at);
        count++;
        if (at == SIZE_MAX)
            return count;
        rest = str_from_index(rest, at + delimiter.len);
    }
}

static str *split_all(struct build *b, str text, str delimiter, size_t *ret_count)
{
    *ret_count = split_parts(text, delimiter, NULL, 0);
    str *parts = arena_array(b->arena, *ret_count, str);
    (void)split_parts(text, delimiter, parts, *ret_count);
    return parts;
}

static bool refine(struct build *b, const struct field_options *options, struct node *n,
                   struct node **ret)
{
    size_t count = 0;

    *ret = n;
    if (options == NULL || options->delimiter.len == 0)
        return true;
    if (n->kind != NODE_SCALAR)
        return build_fail(b, KUSTOMIZE_ERROR_TRANSFORM,
                          "replacements: delimiter option can only be used with scalar nodes");
    str *parts = split_all(b, node_text(n), options->delimiter, &count);
    if (options->index < 0 || options->index >= (int64_t)count)
        return build_fail(b, KUSTOMIZE_ERROR_TRANSFORM,
                          "replacements: options.index %lld is out of bounds for value %.*s",
                          (long long)options->index, STR(n->value));
    *ret = node_copy(b->arena, n);
    (*ret)->value = parts[options->index];
    return true;
}

static bool source_value(struct build *b, const struct resmap *m, const struct replacement *r,
                         struct node **ret)
{
    struct resource *source = NULL;
    struct node *field = NULL;

    if (r->source_value.at != NULL && r->source != NULL)
        return build_fail(b, KUSTOMIZE_ERROR_CONFIG,
                          "replacements: value and resource selectors are mutually exclusive");
    if (r->source_value.at != NULL) {
        *ret = node_scalar(b->arena, TAG_NONE, r->source_value);
        return true;
    }
    if (!find_source(b, m, &r->source->select, &source))
        return false;
    str path = r->source->field_path.len > 0 ? r->source->field_path : S("metadata.name");
    struct strs parts = path_split_brackets(b, path);
    if (!path_lookup(b, source->node, &parts, NODE_ZERO, &field))
        return err_wrap(b->err, "error looking up replacement source");
    if (node_is_empty(field))
        return build_fail(b, KUSTOMIZE_ERROR_TRANSFORM,
                          "fieldPath `%.*s` is missing for replacement source %.*s", STR(path),
                          STR(resource_name(source)));
    return refine(b, r->source->options, field, ret);
}

/* ---- fields of a target ---- */

struct matcher {
    struct build *b;
    enum node_kind create;
    struct found *found;
    unsigned depth;
};

static bool match(struct matcher *m, struct node *n, const str *path, size_t count);

static bool wrong_kind(struct matcher *m, str part, const char *expected)
{
    return build_fail(m->b, KUSTOMIZE_ERROR_TRANSFORM, "wrong node kind at '%.*s': expected %s",
                      STR(part), expected);
}

static void add_found(struct matcher *m, struct node *n)
{
    struct found *f = m->found;

    f->at = build_grow(m->b, f->at, f->count + 1, &f->size, sizeof(*f->at));
    f->at[f->count++] = n;
}

static bool is_list_index(str part)
{
    return part.len >= 2 && part.at[0] == '[' && part.at[part.len - 1] == ']';
}

static bool is_index(str part, int64_t *ret)
{
    return str_to_i64(part, ret) && *ret >= 0;
}

static enum node_kind kind_of_next(const str *path, size_t count, enum node_kind otherwise)
{
    int64_t index = 0;

    if (count < 2 || path[1].len == 0)
        return otherwise;
    return is_list_index(path[1]) || is_index(path[1], &index) ? NODE_LIST : NODE_MAP;
}

static bool parse_inner(struct build *b, str text, struct node **ret)
{
    struct yaml_options options = {
            .dialect = YAML_12, .duplicates = YAML_DUPLICATES_MARK, .keep_text = true};
    struct val *doc = NULL;

    if (!yaml_parse(b->arena, text, &options, &doc, b->err)) {
        b->error_class = KUSTOMIZE_ERROR_YAML;
        return false;
    }
    *ret = node_from_val(b->arena, NULL, doc);
    return true;
}

static bool match_index(struct matcher *m, struct node *n, const str *path, size_t count,
                        int64_t index)
{
    if (!node_is_null(n) && n->kind != NODE_LIST)
        return wrong_kind(m, path[0], "SequenceNode");
    if (n->count == index && m->create != NODE_ZERO && n->kind == NODE_LIST)
        node_append(m->b->arena, n, node_new(m->b->arena, kind_of_next(path, count, m->create)));
    if (n->kind != NODE_LIST || n->count < index + 1)
        return build_fail(m->b, KUSTOMIZE_ERROR_TRANSFORM,
                          "index %lld specified but only %u elements found", (long long)index,
                          n->count);
    return match(m, n->items[index], path + 1, count - 1);
}

static bool matches_pattern(struct matcher *m, const struct node *n, struct regex *regex, bool *ret)
{
    auto_buf struct buf text = {0};

    buf_init(&text, LIMIT_FILE_BYTES);
    node_write_scalar(n, &text);
    if (regex_match(regex, str_trim(buf_str(&text)), ret, m->b->err))
        return true;
    m->b->error_class = KUSTOMIZE_ERROR_LIMIT;
    return false;
}

static bool match_elements(struct matcher *m, struct node *n, const str *path, size_t count,
                           bool may_create)
{
    str inner = str_of(path[0].at + 1, path[0].len - 2);
    size_t equals = str_find_char(inner, '=');
    size_t before = m->found->count;
    struct regex *regex = NULL;

    if (equals == SIZE_MAX)
        return build_fail(m->b, KUSTOMIZE_ERROR_TRANSFORM,
                          "list path element '%.*s' must contain fieldName=fieldValue",
                          STR(path[0]));
    str key = str_first(inner, equals);
    str pattern = str_from_index(inner, equals + 1);
    if (!node_is_null(n) && n->kind != NODE_LIST)
        return wrong_kind(m, path[0], "SequenceNode");
    if (node_count(n) > 0 && !build_regex(m->b, pattern, &regex))
        return false;
    for (uint32_t i = 0; n->kind == NODE_LIST && i < n->count; i++) {
        struct node *item = n->items[i];
        const struct node *field = key.len == 0 ? item : node_get(item, key);
        bool is_match = false;
        if (field == NULL || node_is_null(item))
            continue;
        if (!matches_pattern(m, field, regex, &is_match))
            return false;
        if (!is_match)
            continue;
        if (key.len == 0)
            add_found(m, item);
        else if (!match(m, item, path + 1, count - 1))
            return false;
    }
    if (m->create == NODE_ZERO || m->found->count > before || n->kind != NODE_LIST)
        return true;
    if (!may_create)
        return build_fail(m->b, KUSTOMIZE_ERROR_TRANSFORM,
                          "an element made for '%.*s' does not match it", STR(path[0]));
    struct node *scalar = node_scalar(m->b->arena, TAG_NONE, pattern);
    struct node *item = scalar;
    if (key.len > 0) {
        item = node_new(m->b->arena, NODE_MAP);
        node_add_new(m->b->arena, item, key, scalar);
        scalar->style = STYLE_PLAIN; /* no quotes here: [port=80] makes a number */
    }
    node_append(m->b->arena, n, item);
    return match_elements(m, n, path, count, /*may_create=*/false);
}

static bool match_field(struct matcher *m, struct node *n, const str *path, size_t count)
{
    bool is_null = node_is_null(n);
    if (path[0].len == 0) /* names the scalar itself */
        return is_null && m->create == NODE_ZERO ? true : wrong_kind(m, path[0], "ScalarNode");
    if (!is_null && n->kind != NODE_MAP)
        return wrong_kind(m, path[0], "MappingNode");
    struct node *field = is_null ? NULL : node_get(n, path[0]);
    if (field == NULL) {
        if (m->create == NODE_ZERO)
            return true;
        field = node_new(m->b->arena, kind_of_next(path, count, m->create));
        if (!is_null) /* below a null it is found, but never written */
            node_add_new(m->b->arena, n, path[0], field);
    }
    if (field->kind == NODE_SCALAR && count > 1) {
        struct node *document = NULL; /* changes to it get lost, as upstream */
        return parse_inner(m->b, field->value, &document) &&
               match(m, document, path + 1, count - 1);
    }
    return match(m, field, path + 1, count - 1);
}

static bool match(struct matcher *m, struct node *n, const str *path, size_t count)
{
    int64_t index = 0;

    if (count == 0) {
        add_found(m, n);
        return true;
    }
    if (++m->depth > LIMIT_DOC_DEPTH || arena_is_over(m->b->arena))
        return build_fail(m->b, KUSTOMIZE_ERROR_LIMIT, "a replacement's field path is too deep");
    bool ok = true;
    if (is_index(path[0], &index)) {
        ok = match_index(m, n, path, count, index);
    } else if (is_list_index(path[0])) {
        ok = match_elements(m, n, path, count, /*may_create=*/true);
    } else if (str_eq(path[0], S("*"))) {
        if (!node_is_null(n) && n->kind != NODE_LIST)
            return wrong_kind(m, path[0], "SequenceNode");
        for (uint32_t i = 0; n->kind == NODE_LIST && i < n->count && ok; i++)
            ok = match(m, n->items[i], path + 1, count - 1);
    } else {
        ok = match_field(m, n, path, count);
    }
    m->depth--;
    return ok;
}

/* ---- documents inside of texts ---- */

static bool has_comment(str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.at[i] == '#' &&
            (i == 0 || text.at[i - 1] == ' ' || text.at[i - 1] == '\t' || text.at[i - 1] == '\n'))
            return true;
    return false;
}

static bool write_back(struct build *b, const struct node *document, struct node *scalar)
{
    auto_buf struct buf out = {0};
    str old = scalar->value;
    str trimmed = str_trim(old);
    bool is_json = trimmed.len > 0 && (trimmed.at[0] == '{' || trimmed.at[0] == '[');

    buf_init(&out, LIMIT_FILE_BYTES);
    if (is_json) {
        struct val value = val_null();
        bool pretty = str_contains(old, S("\n")) && str_contains(old, S("  "));
        if (!node_to_val(b->arena, document, &value, b->err)) {
            b->error_class = KUSTOMIZE_ERROR_YAML;
            return false;
        }
        json_format(&out, &value,
                    (pretty ? JSON_PRETTY : JSON_COMPACT) | JSON_ESCAPE_HTML | JSON_SORT_KEYS);
    } else if (has_comment(old)) {
        return build_fail(
                b, KUSTOMIZE_ERROR_UNSUPPORTED,
                "not supported yet: a replacement inside of a YAML text that has comments");
    } else {
        node_write_yaml(document, &out);
    }
    if (!buf_check(&out, "a replaced text", b->err)) {
        b->error_class = KUSTOMIZE_ERROR_LIMIT;
        return false;
    }
    scalar->value = arena_str(b->arena, is_json ? buf_str(&out) : str_trim(buf_str(&out)));
    return true;
}

/* The first scalar on the path that has more path behind it and is YAML. */
static struct node *find_document(struct build *b, struct node *target, const struct strs *path,
                                  size_t *ret_used, struct node **ret_document)
{
    struct err ignored = {0};
    struct err *err = b->err;
    struct node *found = NULL;

    b->err = &ignored;
    for (size_t i = 1; i < path->count && found == NULL; i++) {
        struct strs part = {.at = path->at, .count = i};
        struct node *n = NULL;
        if (path_lookup(b, target, &part, NODE_ZERO, &n) && n != NULL && n->kind == NODE_SCALAR &&
            parse_inner(b, n->value, ret_document)) {
            found = n;
            *ret_used = i;
        }
    }
    b->err = err;
    return found;
}

/* *ret_done: the value went into a document. false: an error that counts. */
static bool set_in_document(struct build *b, struct node *target, const struct node *value,
                            const struct strs *path, enum node_kind create, bool *ret_done)
{
    struct found found = {0};
    struct node *document = NULL;
    size_t used = 0;
    struct err ignored = {0};
    struct err *err = b->err;

    *ret_done = false;
    struct node *scalar = find_document(b, target, path, &used, &document);
    if (scalar == NULL)
        return true;
    b->err = &ignored;
    struct matcher m = {.b = b, .create = create, .found = &found};
    bool ok = match(&m, document, path->at + used, path->count - used);
    b->err = err;
    if (!ok || found.count == 0)
        return true;
    for (size_t i = 0; i < found.count; i++) {
        if (found.at[i]->kind == NODE_SCALAR)
            found.at[i]->value = node_spelling(value);
        else
            node_assign(found.at[i], value);
    }
    *ret_done = true;
    return write_back(b, document, scalar);
}

/* ---- targets ---- */

static size_t count_nodes(const struct node *n)
{
    size_t count = 1;

    for (uint32_t i = 0; i < node_count(n); i++)
        count += count_nodes(n->kind == NODE_MAP ? n->members[i].value : n->items[i]);
    return count;
}

static bool set_value(struct build *b, const struct field_options *options, struct node *field,
                      const struct node *source)
{
    b->copied_nodes += count_nodes(source);
    if (b->copied_nodes > LIMIT_YAML_ALIAS_NODES)
        return build_fail(b, KUSTOMIZE_ERROR_LIMIT,
                          "replacements copy more than %d values (LIMIT_YAML_ALIAS_NODES)",
                          LIMIT_YAML_ALIAS_NODES);
    struct node *value = node_copy(b->arena, source);
    if (options != NULL && options->delimiter.len > 0) {
        size_t count = 0;
        if (field->kind != NODE_SCALAR)
            return build_fail(b, KUSTOMIZE_ERROR_TRANSFORM,
                              "replacements: delimiter option can only be used with scalar nodes");
        str *parts = split_all(b, field->value, options->delimiter, &count);
        str text = node_text(value);
        auto_buf struct buf out = {0};
        buf_init(&out, LIMIT_FILE_BYTES);
        if (options->index < 0) {
            buf_add(&out, text);
            buf_add(&out, options->delimiter);
        }
        for (size_t i = 0; i < count; i++) {
            if (i > 0)
                buf_add(&out, options->delimiter);
            buf_add(&out, (int64_t)i == options->index ? text : parts[i]);
        }
        if (options->index >= (int64_t)count) {
            buf_add(&out, options->delimiter);
            buf_add(&out, text);
        }
        field->value = arena_str(b->arena, buf_str(&out));
        return true;
    }
    if (field->kind == NODE_SCALAR)
        field->value = node_spelling(value);
    else
        node_assign(field, value);
    return true;
}

static bool copy_to_target(struct build *b, struct resource *r, const struct node *value,
                           const struct target_selector *t)
{
    static str default_path[] = {S_INIT("metadata.name")};
    bool creates = t->options != NULL && t->options->create;
    enum node_kind create = creates ? (enum node_kind)value->kind : NODE_ZERO;
    const str *paths = t->field_paths.count > 0 ? t->field_paths.at : default_path;
    size_t count = MAX(t->field_paths.count, (size_t)1);

    for (size_t i = 0; i < count; i++) {
        struct strs path = path_split_brackets(b, paths[i]);
        struct found found = {0};
        bool done = false;
        if (!set_in_document(b, r->node, value, &path, create, &done))
            return false;
        if (done)
            continue;
        struct matcher m = {.b = b, .create = create, .found = &found};
        if (!match(&m, r->node, path.at, path.count))
            return err_wrap(b->err, "unable to find%s field \"%.*s\" in replacement target",
                            creates ? " or create" : "", STR(paths[i]));
        if (found.count == 0)
            return build_fail(b, KUSTOMIZE_ERROR_TRANSFORM,
                              "unable to find%s field \"%.*s\" in replacement target",
                              creates ? " or create" : "", STR(paths[i]));
        for (size_t k = 0; k < found.count; k++)
            if (!set_value(b, t->options, found.at[k], value))
                return false;
    }
    return true;
}

struct target_regex {
    struct selector_regex select;
    struct selector_regex *reject;
};

static bool id_matches(struct build *b, const struct selector_regex *s, const struct id *id,
                       bool *ret)
{
    if (!selector_matches_gvk(b, s, id, ret))
        return false;
    if (*ret && !selector_matches_name(b, s, id->name, ret))
        return false;
    return !*ret || selector_matches_namespace(b, s, id->namespace_, ret);
}

static bool is_empty_selector(const struct selector *s)
{
    return s->group.len + s->version.len + s->kind.len + s->name.len + s->namespace_.len == 0;
}

static bool is_selected(struct build *b, const struct resource *r, const struct target_selector *t,
                        const struct target_regex *regex, bool *ret)
{
    bool matches = false;

    *ret = false;
    if (!resource_matches_selectors(b, r, t->select, &matches))
        return false;
    if (!matches)
        return true;
    for (size_t i = 0; i < t->reject.count; i++) {
        const struct selector *s = &t->reject.at[i];
        if (s->annotation_selector.len + s->label_selector.len == 0)
            continue;
        if (!resource_matches_selectors(b, r, s, &matches))
            return false;
        if (matches)
            return true;
    }
    for (size_t i = 0; i < t->reject.count; i++) {
        if (is_empty_selector(&t->reject.at[i]))
            continue;
        for (size_t k = 0; k < id_count(r); k++) {
            struct id id = id_at(b, r, k);
            if (!id_matches(b, &regex->reject[i], &id, &matches))
                return false;
            if (matches)
                return true;
        }
    }
    for (size_t k = 0; k < id_count(r) && !*ret; k++) {
        struct id id = id_at(b, r, k);
        if (!id_matches(b, &regex->select, &id, ret))
            return false;
    }
    return true;
}

static bool apply_target(struct build *b, struct resmap *m, const struct node *value,
                         const struct target_selector *t)
{
    struct target_regex regex = {0};

    if (t->select == NULL)
        return build_fail(b, KUSTOMIZE_ERROR_CONFIG,
                          "replacements: target must specify resources to select");
    if (!selector_compile(b, t->select, &regex.select))
        return false;
    regex.reject = arena_array(b->arena, t->reject.count, struct selector_regex);
    for (size_t i = 0; i < t->reject.count; i++)
        if (!selector_compile(b, &t->reject.at[i], &regex.reject[i]))
            return false;
    for (size_t i = 0; i < m->count; i++) {
        bool selected = false;
        if (!is_selected(b, m->at[i], t, &regex, &selected))
            return false;
        if (selected && !copy_to_target(b, m->at[i], value, t))
            return false;
    }
    return true;
}

/* ---- the transformer ---- */

static bool apply_replacement(struct build *b, struct resmap *m, const struct replacement *r)
{
    struct node *value = NULL;

    if ((r->source == NULL && r->source_value.at == NULL) || !r->targets.set)
        return build_fail(b, KUSTOMIZE_ERROR_CONFIG,
                          "replacements must specify a source and at least one target");
    if (!source_value(b, m, r, &value))
        return false;
    for (size_t i = 0; i < r->targets.count; i++)
        if (!apply_target(b, m, value, &r->targets.at[i]))
            return false;
    return true;
}

static bool apply_file(struct build *b, struct resmap *m, const struct loader *loader, str path)
{
    str file = loader_file_name(b, loader, path);
    struct yaml_options options = {
            .dialect = YAML_11, .duplicates = YAML_DUPLICATES_LAST, .file = file};
    str text = STR_EMPTY;
    struct val *doc = NULL;

    if (!loader_read(b, loader, path, &text))
        return false;
    b->error_class = KUSTOMIZE_ERROR_CONFIG;
    if (!yaml_parse(b->arena, text, &options, &doc, b->err))
        return false;
    if (!val_is(doc, VAL_LIST) && !val_is(doc, VAL_MAP))
        return build_fail(b, KUSTOMIZE_ERROR_CONFIG,
                          "%.*s: a replacement file must hold a replacement or a list of them",
                          STR(file));
    size_t count = val_is(doc, VAL_LIST) ? val_count(doc) : 1;
    for (size_t i = 0; i < count; i++) {
        const struct val *item = val_is(doc, VAL_LIST) ? val_item(doc, i) : doc;
        struct replacement r = {0};
        b->error_class = KUSTOMIZE_ERROR_CONFIG;
        if (!replacement_decode(b->arena, item, file, &r, b->err))
            return false;
        if (!apply_replacement(b, m, &r))
            return err_wrap(b->err, "%.*s", STR(file));
    }
    return true;
}

bool transform_replacements(struct build *b, struct resmap *m, const struct loader *loader,
                            struct replacement *list, size_t count)
{
    b->shares++;
    for (size_t i = 0; i < count; i++) {
        struct replacement *r = &list[i];
        if (r->path.len > 0 && (r->source != NULL || r->targets.count > 0))
            return build_fail(b, KUSTOMIZE_ERROR_CONFIG,
                              "replacements: cannot specify both path and inline replacement");
        if (r->path.len > 0 ? !apply_file(b, m, loader, r->path) : !apply_replacement(b, m, r))
            return false;
    }
    resmap_changed(m);
    resmap_drop_empty(m);
    return true;
}
