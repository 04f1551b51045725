/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Name references: a resource that was renamed is renamed wherever others name it.
 *
 * Only resources with a history can be referred to, so an index from their previous names leads
 * from the written name to the few candidates; a sieve then leaves one, or none, or an error.
 */
#include "base/map.h"
#include "render/kustomize/transform.h"

#include <stdlib.h>

/* What the sieve asks of a resource again and again; names do not change meanwhile. */
struct facts {
    struct resource *resource;
    struct id current, original;
    str current_namespace, original_namespace; /* effective */
};

struct name_list {
    uint32_t *at;
    size_t count, size;
};

/* A combination of namespaces that some resource has. */
struct place {
    str original, current, raw;
    bool is_cluster;
};

struct resolver {
    struct build *b;
    struct arena *arena; /* of the tables below */
    struct facts *facts;
    size_t count;
    struct map *by_name; /* previous name → struct name_list */
    struct place *places;
    size_t place_count, place_size;

    /* the referrer at hand */
    const struct facts *referrer;
    struct strs binding_namespaces;
    const struct name_target *target;
    str path;
};

/* ---- which resources a referrer can mean ---- */

static bool is_reachable(const struct resolver *r, bool is_cluster, str current, str raw)
{
    return r->referrer->current.is_cluster || is_cluster ||
           str_eq(current, r->referrer->current_namespace) || strs_has(&r->binding_namespaces, raw);
}

static bool has_namespace(const struct resolver *r, str namespace_)
{
    if (str_eq(namespace_, str_from(id_not_a_namespace)))
        return false;
    for (size_t i = 0; i < r->place_count; i++) {
        const struct place *p = &r->places[i];
        if (str_eq(p->original, namespace_) && is_reachable(r, p->is_cluster, p->current, p->raw))
            return true;
    }
    return false;
}

static bool has_kind_before(const struct facts *f, str group, str version, str kind)
{
    for (size_t i = 0; i < f->resource->previous.count; i++) {
        struct id id = id_previous(f->resource, i, f->current.group, f->current.version);
        if (id_is_selected(&id, group, version, kind))
            return true;
    }
    return false;
}

static bool passes_role_ref(const struct resolver *r, const struct facts *f)
{
    if (!str_ends(r->path, S("roleRef/name")))
        return true;
    const struct node *ref = node_get(r->referrer->resource->node, S("roleRef"));
    const struct node *group = node_get(ref, S("apiGroup"));
    const struct node *kind = node_get(ref, S("kind"));
    if (group == NULL || kind == NULL)
        return true;
    return has_kind_before(f, node_spelling(group), STR_EMPTY, node_spelling(kind));
}

static bool is_same_namespace(const struct resolver *r, const struct facts *f)
{
    return r->referrer->current.is_cluster || f->current.is_cluster ||
           str_eq(f->current.kind, S("ServiceAccount")) ||
           str_eq(f->current_namespace, r->referrer->current_namespace);
}

/* Does the shorter list end the longer one? */
static bool same_ending(const struct strs *a, const struct strs *b)
{
    const struct strs *shorter = a->count <= b->count ? a : b;
    const struct strs *longer = a->count <= b->count ? b : a;
    size_t skip = longer->count - shorter->count;

    if (shorter->count == 0)
        return skip == 0;
    for (size_t i = 0; i < shorter->count; i++)
        if (!str_eq(shorter->at[i], longer->at[skip + i]))
            return false;
    return true;
}

static bool same_affixes(const struct resource *a, const struct resource *b, bool allow_empty)
{
    bool no_prefix = allow_empty && (a->prefixes.count == 0 || b->prefixes.count == 0);
    bool no_suffix = allow_empty && (a->suffixes.count == 0 || b->suffixes.count == 0);

    return (no_prefix || same_ending(&a->prefixes, &b->prefixes)) &&
           (no_suffix || same_ending(&a->suffixes, &b->suffixes));
}

static size_t sieve_affixes(const struct resolver *r, const struct facts **list, size_t count,
                            bool allow_empty)
{
    size_t kept = 0;

    for (size_t i = 0; i < count; i++)
        if (same_affixes(list[i]->resource, r->referrer->resource, allow_empty))
            list[kept++] = list[i];
    return kept;
}

/* *ret NULL: nothing to rename. namespace_.at NULL: any namespace. */
static bool find_referral(struct resolver *r, str name, str namespace_, bool compare_namespaces,
                          const struct facts **ret)
{
    const struct name_list *names = map_get(r->by_name, name);
    bool by_original = namespace_.at != NULL && names != NULL && has_namespace(r, namespace_);
    size_t count = 0;

    *ret = NULL;
    if (names == NULL)
        return true;
    const struct facts **list = arena_array(r->arena, names->count, const struct facts *);
    for (size_t i = 0; i < names->count; i++) {
        const struct facts *f = &r->facts[names->at[i]];
        if (!is_reachable(r, f->current.is_cluster, f->current_namespace, f->current.namespace_))
            continue;
        if (namespace_.at != NULL &&
            (str_eq(namespace_, str_from(id_not_a_namespace)) ||
             !str_eq(by_original ? f->original_namespace : f->current_namespace, namespace_)))
            continue;
        if (has_kind_before(f, r->target->group, r->target->version, r->target->kind) &&
            passes_role_ref(r, f) && is_same_namespace(r, f))
            list[count++] = f;
    }
    if (count != 1) {
        count = sieve_affixes(r, list, count, /*allow_empty=*/true);
        if (count > 1)
            count = sieve_affixes(r, list, count, /*allow_empty=*/false);
    }
    for (size_t i = 1; i < count; i++)
        if (!str_eq(list[i]->current.name, list[0]->current.name) ||
            (compare_namespaces &&
             !str_eq(list[i]->current.namespace_, list[0]->current.namespace_)))
            return build_fail(r->b, KUSTOMIZE_ERROR_TRANSFORM,
                              "found multiple possible referrals for '%.*s': %.*s, %.*s", STR(name),
                              STR(id_text(r->b, &list[0]->current)),
                              STR(id_text(r->b, &list[i]->current)));
    *ret = count > 0 ? list[0] : NULL;
    return true;
}

/* ---- writing names ---- */

static bool set_scalar(struct resolver *r, struct node *n)
{
    const struct facts *f = NULL;
    str name = node_spelling(n);

    if (!find_referral(r, name, (str){0}, /*compare_namespaces=*/false, &f))
        return false;
    if (f != NULL && !str_eq(f->current.name, name))
        (void)node_set_scalar(n, TAG_NONE, f->current.name);
    return true;
}

static bool set_map(struct resolver *r, struct node *n)
{
    struct arena *arena = r->b->arena;
    const struct node *name = node_get(n, S("name"));
    const struct node *namespace_ = node_get(n, S("namespace"));
    const struct facts *f = NULL;

    if (name == NULL)
        return build_fail(r->b, KUSTOMIZE_ERROR_TRANSFORM,
                          "path config error; no 'name' field in node");
    str old = node_spelling(name);
    if (!find_referral(r, old, namespace_ == NULL ? (str){0} : node_spelling(namespace_),
                       /*compare_namespaces=*/true, &f))
        return false;
    if (f == NULL || (str_eq(f->current.name, old) && f->current.namespace_.len == 0))
        return true;
    node_set(arena, n, S("name"), node_scalar(arena, TAG_NONE, f->current.name));
    if (f->current.namespace_.len > 0)
        node_set(arena, n, S("namespace"), node_scalar(arena, TAG_NONE, f->current.namespace_));
    return true;
}

static bool set_reference(struct build *b, struct node *n, void *context)
{
    struct resolver *r = context;

    if (node_is_null(n))
        return true;
    if (n->kind == NODE_SCALAR)
        return set_scalar(r, n);
    if (n->kind == NODE_MAP)
        return set_map(r, n);
    for (uint32_t i = 0; n->kind == NODE_LIST && i < n->count; i++) {
        struct node *item = n->items[i];
        if (node_is_null(item))
            continue;
        if (item->kind == NODE_LIST)
            return build_fail(b, KUSTOMIZE_ERROR_TRANSFORM,
                              "a list of names may hold texts and maps only");
        if (!(item->kind == NODE_SCALAR ? set_scalar(r, item) : set_map(r, item)))
            return false;
    }
    return true;
}

/* ---- all resources ---- */

static bool note_binding_namespaces(struct resolver *r)
{
    const struct resource *binding = r->referrer->resource;
    const struct node *subjects = node_get(binding->node, S("subjects"));

    r->binding_namespaces = (struct strs){0};
    if (!str_eq(resource_kind(binding), S("RoleBinding")) || !node_is(subjects, NODE_LIST))
        return true;
    for (uint32_t i = 0; i < subjects->count; i++) {
        const struct node *ns = node_get(subjects->items[i], S("namespace"));
        const struct node *kind = node_get(subjects->items[i], S("kind"));
        if (ns == NULL || !str_eq(node_spelling(kind), S("ServiceAccount")))
            continue;
        if (!node_is(ns, NODE_SCALAR) || ns->tag == TAG_NULL)
            return build_fail(r->b, KUSTOMIZE_ERROR_TRANSFORM,
                              "Invalid Input: namespace is blank for resource %.*s",
                              STR(id_text(r->b, &r->referrer->current)));
        strs_add(r->b, &r->binding_namespaces, ns->value);
    }
    return true;
}

static void note_place(struct resolver *r, const struct facts *f)
{
    for (size_t i = 0; i < r->place_count; i++) {
        const struct place *p = &r->places[i];
        if (p->is_cluster == f->current.is_cluster && str_eq(p->original, f->original_namespace) &&
            str_eq(p->current, f->current_namespace) && str_eq(p->raw, f->current.namespace_))
            return;
    }
    r->places =
            arena_grow(r->arena, r->places, r->place_count + 1, &r->place_size, sizeof(*r->places));
    r->places[r->place_count++] = (struct place){.original = f->original_namespace,
                                                 .current = f->current_namespace,
                                                 .raw = f->current.namespace_,
                                                 .is_cluster = f->current.is_cluster};
}

static void note_names(struct resolver *r, uint32_t index)
{
    const struct resource *resource = r->facts[index].resource;

    for (size_t i = 0; i < resource->previous.count; i++) {
        str name = resource->previous.at[i].name;
        struct name_list *names = map_get(r->by_name, name);
        if (names == NULL) {
            names = arena_new0(r->arena, struct name_list);
            map_set(r->by_name, name, names);
        }
        if (names->count > 0 && names->at[names->count - 1] == index)
            continue;
        names->at =
                arena_grow(r->arena, names->at, names->count + 1, &names->size, sizeof(uint32_t));
        names->at[names->count++] = index;
    }
}

static void index_resources(struct resolver *r, const struct resmap *m)
{
    r->facts = arena_array(r->arena, m->count, struct facts);
    r->count = m->count;
    for (size_t i = 0; i < m->count; i++) {
        struct facts *f = &r->facts[i];
        f->resource = m->at[i];
        f->current = id_current(r->b, m->at[i]);
        f->original = id_original(r->b, m->at[i]);
        f->current_namespace = id_namespace(&f->current);
        f->original_namespace = id_namespace(&f->original);
        note_place(r, f);
        note_names(r, (uint32_t)i);
    }
}

static bool resolve_one(struct resolver *r, const struct facts *referrer,
                        const struct config *config)
{
    r->referrer = referrer;
    if (!note_binding_namespaces(r))
        return false;
    for (size_t t = 0; t < config->target_count; t++) {
        r->target = &config->targets[t];
        for (size_t f = 0; f < r->target->referrers.count; f++) {
            const struct field_spec *spec = &r->target->referrers.at[f];
            if (!id_is_selected(&referrer->original, spec->group, spec->version, spec->kind))
                continue;
            struct field_spec any = {.path = spec->path, .create = spec->create};
            struct field_visit visit = {.spec = &any, .set = set_reference, .context = r};
            r->path = spec->path;
            if (!field_visit(r->b, referrer->resource->node, &visit))
                return err_wrap(r->b->err, "updating name reference in '%.*s' field of '%.*s'",
                                STR(spec->path), STR(id_text(r->b, &referrer->current)));
        }
    }
    return true;
}

bool transform_name_references(struct build *b, struct resmap *m, const struct config *config)
{
    auto_map struct map *by_name = map_new();
    auto_arena struct arena *arena = arena_new(LIMIT_RENDER_ARENA / 4);
    struct resolver r = {.b = b, .arena = arena, .by_name = by_name};

    index_resources(&r, m);
    for (size_t i = 0; i < r.count; i++) {
        if (arena_is_over(b->arena) || arena_is_over(arena))
            return build_fail(b, KUSTOMIZE_ERROR_LIMIT, "the render needs too much memory");
        if (!resolve_one(&r, &r.facts[i], config))
            return false;
    }
    return true;
}
