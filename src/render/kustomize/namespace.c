/* SPDX-License-Identifier: Apache-2.0 */
/* The namespace transformer: metadata.namespace, the fields that name a namespace, and subjects. */
#include "base/map.h"
#include "render/kustomize/transform.h"

struct setting {
    str namespace_;
    bool unset_only;
};

static bool set_namespace(struct build *b, struct node *n, void *context)
{
    const struct setting *s = context;

    if (s->unset_only && node_text(n).len > 0)
        return true;
    if (node_set_scalar(n, TAG_STR, s->namespace_))
        return true;
    return build_fail(b, KUSTOMIZE_ERROR_TRANSFORM,
                      "namespace field specs must target scalar nodes");
}

static bool set_subjects(struct build *b, struct node *object, str mode, struct setting *setting)
{
    struct node *subjects = node_get(object, S("subjects"));
    bool all = str_eq(mode, S("allServiceAccounts"));

    if (node_is_null(subjects) || str_eq(mode, S("none")))
        return true;
    if (subjects->kind != NODE_LIST)
        return build_fail(b, KUSTOMIZE_ERROR_TRANSFORM, "subjects must be a list");
    for (uint32_t i = 0; i < subjects->count; i++) {
        struct node *subject = subjects->items[i];
        if (node_is_null(subject))
            continue;
        if (subject->kind != NODE_MAP)
            return build_fail(b, KUSTOMIZE_ERROR_TRANSFORM, "a subject must be a map");
        const struct node *field = node_get(subject, all ? S("kind") : S("name"));
        if (node_is_null(field) ||
            !str_eq(node_spelling(field), all ? S("ServiceAccount") : S("default")))
            continue;
        struct node *ns = node_get(subject, S("namespace"));
        if (ns == NULL) {
            ns = node_new(b->arena, NODE_SCALAR);
            node_add(b->arena, subject, S("namespace"), ns);
        }
        if (!set_namespace(b, ns, setting))
            return false;
    }
    return true;
}

static bool applies(const struct field_spec *spec, str api_version, bool is_binding)
{
    if (str_eq(spec->path, S("metadata/namespace")))
        return false;
    if (str_eq(spec->path, S("metadata/name")) && !str_eq(api_version, S("v1")))
        return false;
    return !(is_binding && str_eq(spec->path, S("subjects/namespace")) &&
             (str_eq(spec->kind, S("RoleBinding")) || str_eq(spec->kind, S("ClusterRoleBinding"))));
}

bool namespace_set(struct build *b, struct resource *r, const struct namespace_options *options)
{
    static const struct field_spec metadata_namespace = {.path = S_INIT("metadata/namespace"),
                                                         .create = true};
    struct setting setting = {.namespace_ = options->namespace_, .unset_only = options->unset_only};
    struct field_visit visit = {.spec = &metadata_namespace,
                                .create_kind = NODE_SCALAR,
                                .set = set_namespace,
                                .context = &setting};
    struct id id = id_current(b, r);
    bool is_binding = str_eq(id.kind, S("RoleBinding")) || str_eq(id.kind, S("ClusterRoleBinding"));
    str api_version = resource_api_version(r);

    if (!id.is_cluster && !field_visit(b, r->node, &visit))
        return false;
    if (is_binding && !set_subjects(b, r->node, options->subjects, &setting))
        return false;
    visit.create_tag = TAG_STR;
    for (size_t f = 0; options->specs != NULL && f < options->specs->count; f++) {
        visit.spec = &options->specs->at[f];
        if (applies(visit.spec, api_version, is_binding) && !field_visit(b, r->node, &visit))
            return false;
    }
    return true;
}

static str key_of(struct build *b, struct arena *arena, const struct resource *r)
{
    struct id id = id_current(b, r);

    return arena_printf(arena, "%.*s\n%.*s\n%.*s\n%.*s\n%.*s", STR(id.group), STR(id.version),
                        STR(id.kind), STR(id.name), STR(id_namespace(&id)));
}

static void count_id(struct map *counts, str key, intptr_t change)
{
    intptr_t count = (intptr_t)map_get(counts, key) + change;

    map_set(counts, key, (void *)count);
}

bool transform_namespace(struct build *b, struct resmap *m, const struct namespace_options *options)
{
    auto_map struct map *counts = map_new();
    auto_arena struct arena *keys = arena_new(LIMIT_RENDER_ARENA / 4);

    if (options->namespace_.len == 0)
        return true;
    for (size_t i = 0; i < m->count; i++)
        count_id(counts, key_of(b, keys, m->at[i]), 1);
    for (size_t i = 0; i < m->count; i++) {
        struct resource *r = m->at[i];
        if (node_is_empty(r->node))
            continue;
        count_id(counts, key_of(b, keys, r), -1);
        if (arena_is_over(keys))
            return build_fail(b, KUSTOMIZE_ERROR_LIMIT, "the render needs too much memory");
        if (!resource_store_previous(b, r) || !namespace_set(b, r, options))
            return false;
        str key = key_of(b, keys, r);
        count_id(counts, key, 1);
        if ((intptr_t)map_get(counts, key) != 1) {
            struct id id = id_current(b, r);
            return build_fail(b, KUSTOMIZE_ERROR_CONFLICT,
                              "namespace transformation produces ID conflict: %.*s",
                              STR(id_text(b, &id)));
        }
    }
    resmap_changed(m);
    return true;
}
