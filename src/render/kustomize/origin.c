/* SPDX-License-Identifier: Apache-2.0 */
/* buildMetadata: where a resource came from, and which transformers changed it, as annotations. */
#include "doc/yaml.h"
#include "render/kustomize/node_yaml.h"
#include "render/kustomize/target.h"

/* As Go's filepath.Join: "." goes, ".." takes a part back, or stays when there is none. */
static str join_clean(struct build *b, str base, str path)
{
    char *out = arena_bytes(b->arena, base.len + path.len + 2);
    size_t len = 0;
    str parts[2] = {base, path};

    for (size_t i = 0; i < COUNT(parts); i++) {
        str rest = parts[i];
        str part = STR_EMPTY;
        while (rest.at != NULL && str_split(&rest, '/', &part)) {
            str before = str_of(out, len);
            if (part.len == 0 || str_eq(part, S(".")))
                continue;
            if (str_eq(part, S("..")) && len > 0 && !str_eq(tree_path_base(before), S(".."))) {
                len = tree_path_dir(before).len;
                continue;
            }
            if (len > 0)
                out[len++] = '/';
            memcpy(out + len, part.at, part.len);
            len += part.len;
        }
    }
    return str_of(out, len);
}

const struct origin *origin_append(struct build *b, const struct origin *o, str path)
{
    struct origin *next = arena_new0(b->arena, struct origin);
    struct repo_spec spec = {0};

    if (o == NULL)
        return NULL;
    *next = *o;
    if (repo_spec_parse(b->arena, path, &spec)) {
        next->repo = arena_join(b->arena, spec.host, spec.repo_path);
        next->ref = spec.ref;
        next->path = STR_EMPTY;
        path = spec.directory;
    }
    if (next->path.at == NULL)
        next->path = STR_EMPTY;
    next->path = join_clean(b, next->path, path);
    return next;
}

static void write_field(struct buf *out, const char *indent, bool *first, const char *name,
                        str value)
{
    struct node scalar = {.kind = NODE_SCALAR, .tag = TAG_STR, .value = value};

    if (value.len == 0)
        return;
    buf_addf(out, "%s%s: ", *first ? "" : indent, name);
    node_write_scalar(&scalar, out);
    buf_addc(out, '\n');
    *first = false;
}

static str origin_text(struct build *b, const struct origin *o, bool is_item)
{
    auto_buf struct buf out = {0};
    const char *indent = is_item ? "  " : "";
    const char *deeper = is_item ? "    " : "  ";
    bool first = true;

    buf_init(&out, LIMIT_MIB);
    if (is_item)
        buf_add(&out, S("- "));
    write_field(&out, indent, &first, "path", o->path);
    write_field(&out, indent, &first, "repo", o->repo);
    write_field(&out, indent, &first, "ref", o->ref);
    write_field(&out, indent, &first, "configuredIn", o->configured_in);
    if (o->by_kind.len + o->by_api_version.len > 0) {
        buf_addf(&out, "%sconfiguredBy:\n", first ? "" : indent);
        first = false;
        bool inner = false;
        write_field(&out, deeper, &inner, "apiVersion", o->by_api_version);
        write_field(&out, deeper, &inner, "kind", o->by_kind);
        write_field(&out, deeper, &inner, "name", o->by_name);
        write_field(&out, deeper, &inner, "namespace", o->by_namespace);
    }
    if (first)
        buf_add(&out, S("{}\n"));
    return arena_str(b->arena, buf_str(&out));
}

static bool put(struct build *b, struct resource *r, str key, str value)
{
    struct pairs annotations = resource_map(b, r, "annotations");

    pairs_put(b, &annotations, key, value);
    return resource_set_map(b, r, "annotations", &annotations);
}

bool origin_annotate_all(struct build *b, struct resmap *m, const struct origin *o)
{
    static const struct field_spec spec = {.path = S_INIT("metadata/annotations"), .create = true};
    struct fields specs = {.at = (struct field_spec *)(uintptr_t)&spec, .count = 1};
    struct pair pair = {.key = ORIGIN_KEY, .value = origin_text(b, o, /*is_item=*/false)};
    struct pairs pairs = {.at = &pair, .count = 1};

    return transform_annotations(b, m, &pairs, &specs);
}

static bool has_origin(struct build *b, const struct resource *r)
{
    struct pairs annotations = resource_map(b, r, "annotations");
    bool found = false;

    (void)pairs_get(&annotations, ORIGIN_KEY, &found);
    return found;
}

bool origin_annotate_missing(struct build *b, struct resmap *m, const struct origin *o)
{
    if (o == NULL)
        return true;
    for (size_t i = 0; i < m->count; i++)
        if (!has_origin(b, m->at[i]) &&
            !put(b, m->at[i], ORIGIN_KEY, origin_text(b, o, /*is_item=*/false)))
            return false;
    return true;
}

bool origin_add_transformation(struct build *b, struct resmap *m, const struct origin *o)
{
    if (o == NULL)
        return true;
    str item = origin_text(b, o, /*is_item=*/true);
    for (size_t i = 0; i < m->count; i++) {
        if (node_is_empty(m->at[i]->node))
            continue;
        if (!has_origin(b, m->at[i])) {
            if (!put(b, m->at[i], ORIGIN_KEY, origin_text(b, o, /*is_item=*/false)))
                return false;
            continue;
        }
        struct pairs annotations = resource_map(b, m->at[i], "annotations");
        str before = pairs_get(&annotations, TRANSFORMATIONS_KEY, NULL);
        if (!put(b, m->at[i], TRANSFORMATIONS_KEY, arena_join(b->arena, before, item)))
            return false;
    }
    return true;
}

const struct origin *origin_of_builtin(struct target *t, const char *kind)
{
    if (t->origin == NULL)
        return NULL;
    struct origin *o = arena_new0(t->b->arena, struct origin);
    const struct origin *in = origin_append(t->b, t->origin, t->file_name);
    o->repo = t->origin->repo;
    o->ref = t->origin->ref;
    o->configured_in = in->path;
    o->by_api_version = S("builtin");
    o->by_kind = str_from(kind);
    return o;
}

const struct origin *origin_of_document(struct build *b, const struct resource *document)
{
    struct pairs annotations = resource_map(b, document, "annotations");
    bool found = false;
    str text = pairs_get(&annotations, ORIGIN_KEY, &found);
    struct yaml_options options = {.dialect = YAML_11, .duplicates = YAML_DUPLICATES_LAST};
    struct val *doc = NULL;
    struct err ignored = {0};

    if (!found || !yaml_parse(b->arena, text, &options, &doc, &ignored))
        return NULL;
    struct origin *o = arena_new0(b->arena, struct origin);
    o->repo = val_get_str(doc, S("repo"));
    o->ref = val_get_str(doc, S("ref"));
    o->configured_in = val_get_str(doc, S("path"));
    o->by_api_version = resource_api_version(document);
    o->by_kind = resource_kind(document);
    o->by_name = resource_name(document);
    o->by_namespace = resource_namespace(document);
    return o;
}
