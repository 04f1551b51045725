/* SPDX-License-Identifier: Apache-2.0 */
/* configMapGenerator and secretGenerator, and the hash that ends generated names. */
#include "doc/hash.h"
#include "doc/json.h"
#include "render/kustomize/transform.h"

#include <stdlib.h>

/* ---- key and value sources ---- */

struct data {
    struct pair *at;
    size_t count, size;
};

static void add_pair(struct build *b, struct data *data, str key, str value)
{
    data->at = build_grow(b, data->at, data->count + 1, &data->size, sizeof(*data->at));
    data->at[data->count++] = (struct pair){.key = key, .value = value};
}

static int compare_pairs(const void *a, const void *b)
{
    return str_cmp(((const struct pair *)a)->key, ((const struct pair *)b)->key);
}

/* Sorted by key; a key that stands twice is an error. */
static bool sort_data(struct build *b, struct data *data, str owner)
{
    if (data->count > 1)
        qsort(data->at, data->count, sizeof(*data->at), compare_pairs);
    for (size_t i = 1; i < data->count; i++)
        if (str_eq(data->at[i - 1].key, data->at[i].key))
            return build_fail(b, KUSTOMIZE_ERROR_CONFIG,
                              "configmap %.*s illegally repeats the key `%.*s`", STR(owner),
                              STR(data->at[i].key));
    return true;
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool add_env_line(struct build *b, const struct generator *args, str line, bool first,
                         struct data *data)
{
    if (!str_is_utf8(line))
        return build_fail(b, KUSTOMIZE_ERROR_CONFIG, "an env file of %.*s has invalid UTF-8",
                          STR(args->name));
    if (first)
        str_skip(&line, S("\xEF\xBB\xBF"));
    for (;;) {
        if (line.len > 0 && is_space(line.at[0]))
            line = str_from_index(line, 1);
        else if (!str_skip(&line, S("\xC2\x85")) && !str_skip(&line, S("\xC2\xA0")) &&
                 !str_skip(&line, S("\xE3\x80\x80")) && !str_skip(&line, S("\xE2\x80\xA8")) &&
                 !str_skip(&line, S("\xE2\x80\xA9")))
            break;
    }
    if (line.len == 0 || line.at[0] == '#')
        return true;
    size_t equals = str_find_char(line, '=');
    str key = equals == SIZE_MAX ? line : str_first(line, equals);
    str value = equals == SIZE_MAX ? STR_EMPTY : str_from_index(line, equals + 1);
    if (key.len > 0)
        add_pair(b, data, key, value);
    return true;
}

static bool add_env_file(struct build *b, const struct loader *loader, const struct generator *args,
                         str path, struct data *data)
{
    str text = STR_EMPTY;
    str line = STR_EMPTY;

    if (!loader_read(b, loader, path, &text))
        return err_wrap(b->err, "env source files");
    str rest = text;
    for (bool first = true; rest.len > 0 && str_split(&rest, '\n', &line); first = false) {
        if (line.len > 65536)
            return build_fail(b, KUSTOMIZE_ERROR_LIMIT, "'%.*s' has a line that is too long",
                              STR(path));
        str_chop(&line, S("\r"));
        if (!add_env_line(b, args, line, first, data))
            return false;
    }
    return true;
}

static bool add_literal(struct build *b, str literal, struct data *data)
{
    size_t equals = str_find_char(literal, '=');

    if (equals == SIZE_MAX || equals == 0)
        return build_fail(b, KUSTOMIZE_ERROR_CONFIG,
                          "invalid literal source %.*s, expected key=value", STR(literal));
    str value = str_from_index(literal, equals + 1);
    if (value.len >= 2 && value.at[0] == value.at[value.len - 1] &&
        (value.at[0] == '"' || value.at[0] == '\''))
        value = str_of(value.at + 1, value.len - 2);
    add_pair(b, data, str_first(literal, equals), value);
    return true;
}

static bool add_file(struct build *b, const struct loader *loader, str source, struct data *data)
{
    size_t equals = str_find_char(source, '=');
    str key = tree_path_base(source);
    str path = source;
    str bytes = STR_EMPTY;

    if (equals != SIZE_MAX) {
        key = str_first(source, equals);
        path = str_from_index(source, equals + 1);
        if (str_find_char(path, '=') != SIZE_MAX)
            return build_fail(b, KUSTOMIZE_ERROR_CONFIG,
                              "source \"%.*s\" key name or file path contains '='", STR(source));
        if (key.len == 0 || path.len == 0)
            return build_fail(b, KUSTOMIZE_ERROR_CONFIG,
                              "missing key name or file path in source \"%.*s\"", STR(source));
    }
    if (!loader_read(b, loader, path, &bytes))
        return err_wrap(b->err, "file sources");
    add_pair(b, data, key, bytes);
    return true;
}

static bool load_pairs(struct build *b, const struct loader *loader, const struct generator *args,
                       struct data *data)
{
    for (size_t i = 0; i < args->envs.count; i++)
        if (!add_env_file(b, loader, args, args->envs.at[i], data))
            return false;
    if (args->env.len > 0 && !add_env_file(b, loader, args, args->env, data))
        return false;
    for (size_t i = 0; i < args->literals.count; i++)
        if (!add_literal(b, args->literals.at[i], data))
            return false;
    for (size_t i = 0; i < args->files.count; i++)
        if (!add_file(b, loader, args->files.at[i], data))
            return false;
    return true;
}

/* ---- objects ---- */

enum { BASE64_LINE = 70 };

/* Long texts are cut into lines of 70, each with its newline. */
static str base64(struct build *b, str bytes)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t plain = (bytes.len + 2) / 3 * 4;
    char *out = arena_bytes(b->arena, plain + plain / BASE64_LINE + 2);
    size_t len = 0;
    size_t column = 0;
    bool cut = plain >= BASE64_LINE;

    for (size_t i = 0; i < bytes.len; i += 3) {
        uint32_t bits = (uint32_t)(unsigned char)bytes.at[i] << 16;
        size_t have = MIN(bytes.len - i, (size_t)3);
        if (have > 1)
            bits |= (uint32_t)(unsigned char)bytes.at[i + 1] << 8;
        if (have > 2)
            bits |= (unsigned char)bytes.at[i + 2];
        for (size_t k = 0; k < 4; k++) {
            out[len++] = k <= have ? digits[bits >> (18 - 6 * k) & 63] : '=';
            if (cut && ++column == BASE64_LINE) {
                out[len++] = '\n';
                column = 0;
            }
        }
    }
    if (cut && column > 0)
        out[len++] = '\n';
    return str_of(out, len);
}

static struct node *text_node(struct build *b, str text)
{
    struct node *n = node_scalar(b->arena, TAG_STR, text);

    if (text.len > 0 && memchr(text.at, '\n', text.len) != NULL)
        n->style = STYLE_LITERAL;
    return n;
}

static void add_data(struct build *b, struct node *object, const struct data *data, bool is_secret)
{
    if (is_secret)
        node_ensure_map(b->arena, object, S("data"));
    for (size_t i = 0; i < data->count; i++) {
        str value = data->at[i].value;
        bool is_text = str_is_utf8(value);
        str field = is_secret || is_text ? S("data") : S("binaryData");
        struct node *map = node_ensure_map(b->arena, object, field);
        node_add_new(b->arena, map, data->at[i].key,
                     text_node(b, is_secret || !is_text ? base64(b, value) : value));
    }
}

/* What stands locally wins over generatorOptions; a true one cannot be taken back. */
static struct generator_options merged_options(struct build *b,
                                               const struct generator_options *local,
                                               const struct generator_options *global)
{
    struct generator_options o = local == NULL ? (struct generator_options){0} : *local;

    if (global == NULL)
        return o;
    struct pairs labels = {0};
    struct pairs annotations = {0};
    const struct pairs *from[2][2] = {{&global->labels, &o.labels},
                                      {&global->annotations, &o.annotations}};
    struct pairs *to[2] = {&labels, &annotations};
    for (size_t t = 0; t < 2; t++)
        for (size_t f = 0; f < 2; f++)
            for (size_t i = 0; i < from[t][f]->count; i++)
                pairs_put(b, to[t], from[t][f]->at[i].key, from[t][f]->at[i].value);
    o.labels = labels;
    o.annotations = annotations;
    o.disable_name_suffix_hash = o.disable_name_suffix_hash || global->disable_name_suffix_hash;
    o.immutable = o.immutable || global->immutable;
    return o;
}

static void add_metadata_map(struct build *b, struct node *object, str field,
                             const struct pairs *pairs)
{
    if (pairs->count == 0)
        return;
    struct node *meta = node_ensure_map(b->arena, object, S("metadata"));
    struct node *map = node_ensure_map(b->arena, meta, field);
    for (size_t i = 0; i < pairs->count; i++)
        node_set(b->arena, map, pairs->at[i].key,
                 node_scalar(b->arena, TAG_STR, pairs->at[i].value));
}

static enum behavior behavior_of(str word)
{
    return str_eq(word, S("merge"))     ? BEHAVIOR_MERGE
           : str_eq(word, S("replace")) ? BEHAVIOR_REPLACE
           : str_eq(word, S("create"))  ? BEHAVIOR_CREATE
                                        : BEHAVIOR_UNSPECIFIED;
}

bool generate_config_map(struct build *b, const struct loader *loader, const struct generator *args,
                         bool is_secret, const struct generator_options *global, struct resmap *ret)
{
    struct generator_options options = merged_options(b, args->options, global);
    struct node *object = node_new(b->arena, NODE_MAP);
    struct data data = {0};
    const char *kind = is_secret ? "Secret" : "ConfigMap";

    if (args->name.len == 0)
        return build_fail(b, KUSTOMIZE_ERROR_CONFIG, "a %s generator must have a name", kind);
    if (!load_pairs(b, loader, args, &data))
        return err_wrap(b->err, "loading KV pairs of the %s %.*s", kind, STR(args->name));
    if (!sort_data(b, &data, args->name))
        return false;
    node_add(b->arena, object, S("apiVersion"), node_scalar(b->arena, TAG_STR, S("v1")));
    node_add(b->arena, object, S("kind"), node_scalar(b->arena, TAG_STR, str_from(kind)));
    struct node *meta = node_ensure_map(b->arena, object, S("metadata"));
    node_add_new(b->arena, meta, S("name"), node_scalar(b->arena, TAG_STR, args->name));
    if (args->namespace_.len > 0)
        node_add(b->arena, meta, S("namespace"), node_scalar(b->arena, TAG_STR, args->namespace_));
    if (is_secret)
        node_add_new(b->arena, object, S("type"),
                     node_scalar(b->arena, TAG_STR, args->type.len > 0 ? args->type : S("Opaque")));
    add_data(b, object, &data, is_secret);
    add_metadata_map(b, object, S("labels"), &options.labels);
    add_metadata_map(b, object, S("annotations"), &options.annotations);
    if (options.immutable)
        node_add(b->arena, object, S("immutable"), node_scalar(b->arena, TAG_BOOL, S("true")));
    struct resource *r = resource_new(b, object);
    r->needs_hash = !options.disable_name_suffix_hash;
    r->behavior = behavior_of(args->behavior.at == NULL ? STR_EMPTY : args->behavior);
    resmap_push(b, ret, r);
    return resource_mark(b, r);
}

/* ---- the hash ---- */

/* A field as the hasher sees it: missing is "", a scalar its text, else its JSON through float64.
 */
static bool hashed_field(struct build *b, const struct node *object, const char *field,
                         struct val *ret)
{
    const struct node *n = node_get(object, str_from(field));
    struct val value = val_null();

    if (n == NULL || n->kind == NODE_SCALAR) {
        *ret = val_string_borrow(n == NULL ? STR_EMPTY : n->value);
        return true;
    }
    if (!node_to_val(b->arena, n, &value, b->err)) {
        b->error_class = KUSTOMIZE_ERROR_YAML;
        return false;
    }
    /* a list decodes into no map */
    *ret = val_is(&value, VAL_MAP) ? value : val_null();
    return true;
}

static void through_double(struct arena *arena, struct val *v)
{
    if (val_is(v, VAL_NUMBER)) {
        struct node *n = node_from_json(arena, NULL, v);
        struct val again = val_null();
        if (node_to_val(arena, n, &again, NULL))
            *v = again;
        return;
    }
    struct val_iter it = val_iter(v);
    while (val_next(&it))
        through_double(arena, it.value);
}

bool resource_hash(struct build *b, const struct resource *r, str *ret_hash)
{
    static const char *const config_map_fields[] = {"binaryData", "data", NULL};
    static const char *const secret_fields[] = {"data", "stringData", "type", NULL};
    bool is_secret = str_eq(resource_kind(r), S("Secret"));
    struct val object = val_map();
    auto_buf struct buf json = {0};
    char hex[65];

    if (!is_secret && !str_eq(resource_kind(r), S("ConfigMap")))
        return build_fail(b, KUSTOMIZE_ERROR_UNSUPPORTED,
                          "not supported yet: a name suffix hash for a %.*s",
                          STR(resource_kind(r)));
    for (const char *const *f = is_secret ? secret_fields : config_map_fields; *f != NULL; f++) {
        struct val value = val_null();
        bool optional = strcmp(*f, "binaryData") == 0 || strcmp(*f, "stringData") == 0;
        if (!hashed_field(b, r->node, *f, &value))
            return false;
        if (optional && !val_is(&value, VAL_MAP))
            continue;
        through_double(b->arena, &value);
        val_set(b->arena, &object, str_from(*f), value);
    }
    val_set_str(b->arena, &object, S("kind"), resource_kind(r));
    val_set_str(b->arena, &object, S("name"), STR_EMPTY);
    buf_init(&json, LIMIT_RENDER_BYTES);
    json_format(&json, &object, JSON_COMPACT | JSON_ESCAPE_HTML | JSON_SORT_KEYS);
    if (!buf_check(&json, "a hashed object", b->err)) {
        b->error_class = KUSTOMIZE_ERROR_LIMIT;
        return false;
    }
    struct hash hash = hash_bytes(buf_str(&json));
    hash_hex(&hash, hex);
    char text[11];
    for (size_t i = 0; i < 10; i++)
        text[i] = hex[i] == '0'   ? 'g'
                  : hex[i] == '1' ? 'h'
                  : hex[i] == '3' ? 'k'
                  : hex[i] == 'a' ? 'm'
                  : hex[i] == 'e' ? 't'
                                  : hex[i];
    *ret_hash = arena_str(b->arena, str_of(text, 10));
    return true;
}

bool transform_hashes(struct build *b, struct resmap *m)
{
    for (size_t i = 0; i < m->count; i++) {
        struct resource *r = m->at[i];
        str hash = STR_EMPTY;
        if (!r->needs_hash)
            continue;
        if (!resource_hash(b, r, &hash) || !resource_store_previous(b, r))
            return false;
        str name = arena_printf(b->arena, "%.*s-%.*s", STR(resource_name(r)), STR(hash));
        if (!resource_set_name(b, r, name))
            return build_fail(b, KUSTOMIZE_ERROR_TRANSFORM, "metadata is no map");
    }
    resmap_changed(m);
    return true;
}
