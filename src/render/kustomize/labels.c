/* SPDX-License-Identifier: Apache-2.0 */
/* Labels, annotations, prefixes, suffixes, replicas: transformers that set one field each. */
#include "render/kustomize/transform.h"

struct entry {
    str key;
    struct node *value; /* one node for all places of one resource, as upstream */
};

static bool set_entry(struct build *b, struct node *n, void *context)
{
    const struct entry *e = context;

    if (!node_is_null(n) && (n->kind != NODE_MAP || e->key.len == 0))
        return build_fail(b, KUSTOMIZE_ERROR_TRANSFORM,
                          "wrong node kind: expected a map to set '%.*s' in", STR(e->key));
    if (n->kind != NODE_MAP)
        return true;
    node_set(b->arena, n, e->key, e->value);
    return true;
}

static bool set_entries(struct build *b, struct resmap *m, const struct pairs *pairs,
                        const struct fields *specs)
{
    b->shares++;
    for (size_t r = 0; r < m->count; r++) {
        if (arena_is_over(b->arena))
            return build_fail(b, KUSTOMIZE_ERROR_LIMIT, "the render needs too much memory");
        for (size_t i = 0; i < pairs->count; i++) {
            struct entry entry = {.key = pairs->at[i].key,
                                  .value = node_scalar(b->arena, TAG_STR, pairs->at[i].value)};
            for (size_t f = 0; f < specs->count; f++) {
                struct field_visit visit = {.spec = &specs->at[f],
                                            .create_kind = NODE_MAP,
                                            .create_tag = TAG_MAP,
                                            .set = set_entry,
                                            .context = &entry};
                if (!field_visit(b, m->at[r]->node, &visit))
                    return false;
            }
        }
    }
    return true;
}

bool transform_labels(struct build *b, struct resmap *m, const struct pairs *labels,
                      const struct fields *specs)
{
    return set_entries(b, m, labels, specs);
}

bool transform_annotations(struct build *b, struct resmap *m, const struct pairs *annotations,
                           const struct fields *specs)
{
    return set_entries(b, m, annotations, specs);
}

/* ---- names ---- */

struct affix {
    str prefix;
    str suffix;
};

static bool set_affix(struct build *b, struct node *n, void *context)
{
    const struct affix *a = context;
    str value = arena_printf(b->arena, "%.*s%.*s%.*s", STR(a->prefix), STR(node_spelling(n)),
                             STR(a->suffix));

    if (node_set_scalar(n, TAG_NONE, value))
        return true;
    return build_fail(b, KUSTOMIZE_ERROR_TRANSFORM, "wrong node kind: a name must be a scalar");
}

static bool keeps_its_name(const struct id *id)
{
    return str_eq(id->kind, S("CustomResourceDefinition")) || str_eq(id->kind, S("Namespace")) ||
           (str_eq(id->kind, S("APIService")) && str_eq(id->group, S("apiregistration.k8s.io")));
}

static bool affix_one(struct build *b, struct resource *r, struct affix *affix,
                      const struct fields *specs)
{
    struct id id = id_original(b, r);

    if (keeps_its_name(&id))
        return true;
    for (size_t f = 0; f < specs->count; f++) {
        const struct field_spec *spec = &specs->at[f];
        if (!id_is_selected(&id, spec->group, spec->version, spec->kind))
            continue;
        if (str_eq(spec->path, S("metadata/name")) && affix->prefix.len + affix->suffix.len > 0) {
            resource_add_prefix(b, r, affix->prefix);
            resource_add_suffix(b, r, affix->suffix);
            if (!resource_store_previous(b, r))
                return false;
        }
        struct field_visit visit = {.spec = spec,
                                    .create_kind = NODE_SCALAR,
                                    .create_tag = TAG_STR,
                                    .set = set_affix,
                                    .context = affix};
        if (!field_visit(b, r->node, &visit))
            return false;
    }
    return true;
}

static bool affix_all(struct build *b, struct resmap *m, struct affix *affix,
                      const struct fields *specs)
{
    for (size_t i = 0; i < m->count; i++)
        if (!affix_one(b, m->at[i], affix, specs))
            return false;
    resmap_changed(m);
    return true;
}

bool transform_prefix(struct build *b, struct resmap *m, str prefix, const struct fields *specs)
{
    struct affix affix = {.prefix = prefix, .suffix = STR_EMPTY};

    return affix_all(b, m, &affix, specs);
}

bool transform_suffix(struct build *b, struct resmap *m, str suffix, const struct fields *specs)
{
    struct affix affix = {.prefix = STR_EMPTY, .suffix = suffix};

    return affix_all(b, m, &affix, specs);
}

/* ---- replicas ---- */

static bool set_count(struct build *b, struct node *n, void *context)
{
    if (node_set_scalar(n, TAG_INT, *(const str *)context))
        return true;
    return build_fail(b, KUSTOMIZE_ERROR_TRANSFORM, "wrong node kind: replicas must be a scalar");
}

static bool has_name(struct build *b, const struct resource *r, const struct replica *replica,
                     const struct field_spec *spec)
{
    struct id id = {0};

    group_version_split(resource_api_version(r), &id.group, &id.version);
    for (size_t i = 0; i < r->previous.count; i++) {
        struct id previous = id_previous(r, i, id.group, id.version);
        if (str_eq(previous.name, replica->name) &&
            id_is_selected(&previous, spec->group, spec->version, spec->kind))
            return true;
    }
    id = id_current(b, r);
    return str_eq(id.name, replica->name) &&
           id_is_selected(&id, spec->group, spec->version, spec->kind);
}

bool transform_replicas(struct build *b, struct resmap *m, const struct replica *replica,
                        const struct fields *specs)
{
    str count = arena_printf(b->arena, "%lld", (long long)replica->count);
    bool found = false;

    for (size_t f = 0; f < specs->count; f++) {
        struct field_visit visit = {.spec = &specs->at[f],
                                    .create_kind = NODE_SCALAR,
                                    .create_tag = TAG_INT,
                                    .set = set_count,
                                    .context = &count};
        for (size_t i = 0; i < m->count; i++) {
            if (node_is_empty(m->at[i]->node) || !has_name(b, m->at[i], replica, &specs->at[f]))
                continue;
            found = true;
            if (!field_visit(b, m->at[i]->node, &visit))
                return false;
        }
    }
    if (found)
        return true;
    return build_fail(b, KUSTOMIZE_ERROR_TRANSFORM,
                      "replicas: resource with name %.*s does not match a config with replicas",
                      STR(replica->name));
}
