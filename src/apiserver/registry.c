/* SPDX-License-Identifier: Apache-2.0 */
#include "apiserver/registry.h"

#include "base/map.h"
#include "base/mem.h"

struct registry {
    struct arena *arena;
    struct map *by_key; /* kind's key → struct kind */
    uint64_t generation;
};

/* Versions of one built-in kind that are served at once: HorizontalPodAutoscaler has two. */
#define BUILTIN_VERSIONS 4

static const struct {
    str name;
    enum kind_verb verb;
} verb_names[] = {
        {S_INIT("get"), VERB_GET},       {S_INIT("list"), VERB_LIST},
        {S_INIT("watch"), VERB_WATCH},   {S_INIT("create"), VERB_CREATE},
        {S_INIT("update"), VERB_UPDATE}, {S_INIT("patch"), VERB_PATCH},
        {S_INIT("delete"), VERB_DELETE}, {S_INIT("deletecollection"), VERB_DELETECOLLECTION},
};

/* What the home serves: what is of use without controllers, nodes and pods. a star is a whole
 * group. */
static const str home_kinds[] = {
        S_INIT("/configmaps"),
        S_INIT("/events"),
        S_INIT("/namespaces"),
        S_INIT("/secrets"),
        S_INIT("/serviceaccounts"),
        S_INIT("authentication.k8s.io/*"),
        S_INIT("authorization.k8s.io/*"),
        S_INIT("rbac.authorization.k8s.io/*"),
        S_INIT("apiextensions.k8s.io/*"),
        S_INIT("coordination.k8s.io/*"),
};

/* Kinds of the tables that nothing here could honour: they are not served at all, which clients
 * understand, instead of being accepted without effect. */
static const str refused_kinds[] = {
        S_INIT("/bindings"),
        S_INIT("/componentstatuses"),
        S_INIT("apiregistration.k8s.io/*"),
        S_INIT("events.k8s.io/*"), /* the same objects as core events, which all clients know */
        S_INIT("flowcontrol.apiserver.k8s.io/*"),
        S_INIT("certificates.k8s.io/*"),
        S_INIT("resource.k8s.io/*"),
        S_INIT("authentication.k8s.io/tokenreviews"),
};

static bool is_listed(const str *kinds, size_t count, str group, str key)
{
    for (size_t i = 0; i < count; i++) {
        str pattern = kinds[i];

        if (str_eq(pattern, key) ||
            (str_chop(&pattern, S("/*")) && str_eq(pattern, group) && !str_is_empty(group)))
            return true;
    }
    return false;
}

static unsigned verbs_of(const struct resource *row)
{
    unsigned verbs = 0;

    for (size_t i = 0; i < COUNT(verb_names); i++)
        if (resource_has_verb(row, verb_names[i].name))
            verbs |= verb_names[i].verb;
    return verbs;
}

static struct kind *new_builtin(struct registry *registry, const struct resource *row, str key)
{
    struct kind *kind = arena_new0(registry->arena, struct kind);

    kind->group = row->gvk.group;
    kind->plural = row->plural;
    kind->key = arena_str(registry->arena, key);
    kind->singular = row->singular;
    kind->name = row->gvk.kind;
    kind->list = arena_printf(registry->arena, "%.*sList", STR(row->gvk.kind));
    kind->namespaced = row->namespaced;
    kind->verbs = verbs_of(row);
    kind->is_review = kind->verbs == VERB_CREATE;
    kind->short_names = row->short_names;
    kind->short_name_count = row->short_name_count;
    kind->categories = row->categories;
    kind->category_count = row->category_count;
    kind->versions = arena_array(registry->arena, BUILTIN_VERSIONS, struct kind_version);
    map_set(registry->by_key, kind->key, kind);
    return kind;
}

static void add_builtin(struct registry *registry, const struct resource *row,
                        enum apiserver_kinds kinds)
{
    char buffer[256];
    int len = snprintf(buffer, sizeof(buffer), "%.*s/%.*s", STR(row->gvk.group), STR(row->plural));
    str key = str_of(buffer, (size_t)len);

    if (is_listed(refused_kinds, COUNT(refused_kinds), row->gvk.group, key) ||
        (kinds == APISERVER_HOME && !is_listed(home_kinds, COUNT(home_kinds), row->gvk.group, key)))
        return;

    struct kind *kind = map_get(registry->by_key, key);
    if (kind == NULL)
        kind = new_builtin(registry, row, key);
    if (kind->version_count == BUILTIN_VERSIONS)
        return;
    kind->versions[kind->version_count] = (struct kind_version){
            .name = row->gvk.version,
            .served = true,
            .storage = kind->version_count == 0,
            .has_status = resource_sub(row, S("status")) != NULL,
            .type = type_builtin(row->gvk),
            .row = row,
    };
    if (kind->versions[kind->version_count].type == NULL)
        kind->versions[kind->version_count].type = type_unknown();
    kind->version_count++;
}

struct registry *registry_new(enum apiserver_kinds kinds)
{
    struct registry *registry = new0(struct registry);

    registry->arena = arena_new(4 * LIMIT_MIB);
    registry->by_key = map_new();
    registry->generation = 1;
    for (size_t i = 0; i < resource_count(); i++)
        add_builtin(registry, resource_at(i), kinds);
    return registry;
}

void kind_free(struct kind *kind)
{
    if (kind == NULL || !kind->is_crd)
        return;
    for (size_t i = 0; i < kind->version_count; i++)
        type_set_free(kind->versions[i].types);
    arena_free(kind->arena);
}

void registry_clear_crds(struct registry *registry)
{
    struct map_iter it = map_iter(registry->by_key);

    while (map_next(&it)) {
        struct kind *kind = it.value;

        if (kind->is_crd) {
            map_del(registry->by_key, it.key);
            kind_free(kind);
        }
    }
    registry->generation++;
}

void registry_free(struct registry *registry)
{
    if (registry == NULL)
        return;
    registry_clear_crds(registry);
    map_free(registry->by_key);
    arena_free(registry->arena);
    mem_free(registry);
}

const struct kind *registry_find_key(const struct registry *registry, str key)
{
    return map_get(registry->by_key, key);
}

const struct kind *registry_find(const struct registry *registry, str group, str plural)
{
    char key[600];
    int len = snprintf(key, sizeof(key), "%.*s/%.*s", STR(group), STR(plural));

    if (len < 0 || (size_t)len >= sizeof(key))
        return NULL;
    return registry_find_key(registry, str_of(key, (size_t)len));
}

const struct kind *registry_find_kind(const struct registry *registry, str group, str name)
{
    struct map_iter it = map_iter(registry->by_key);

    while (map_next(&it)) {
        const struct kind *kind = it.value;

        if (str_eq(kind->name, name) && str_eq(kind->group, group))
            return kind;
    }
    return NULL;
}

const struct kind_version *kind_version_find(const struct kind *kind, str version)
{
    for (size_t i = 0; i < kind->version_count; i++)
        if (str_eq(kind->versions[i].name, version) && kind->versions[i].served)
            return &kind->versions[i];
    return NULL;
}

const struct kind_version *kind_storage_version(const struct kind *kind)
{
    for (size_t i = 0; i < kind->version_count; i++)
        if (kind->versions[i].storage)
            return &kind->versions[i];
    return &kind->versions[0];
}

/* Sub-resources that are data of the object itself; the others (exec, log, proxy …) are not served.
 */
static bool is_served_subresource(str name)
{
    return str_eq(name, S("status")) || str_eq(name, S("scale")) || str_eq(name, S("finalize"));
}

bool kind_has_subresource(const struct kind *kind, const struct kind_version *version, str name)
{
    if (kind->is_crd)
        return (str_eq(name, S("status")) && version->has_status) ||
               (str_eq(name, S("scale")) && version->scale != NULL);
    return is_served_subresource(name) && resource_sub(version->row, name) != NULL;
}

bool kind_has_verb(const struct kind *kind, enum kind_verb verb)
{
    return (kind->verbs & verb) != 0;
}

void registry_set_crd(struct registry *registry, struct kind *kind)
{
    kind_free(map_del(registry->by_key, kind->key));
    map_set(registry->by_key, kind->key, kind);
    registry->generation++;
}

void registry_remove_crd(struct registry *registry, str key)
{
    struct kind *before = map_get(registry->by_key, key);

    if (before == NULL || !before->is_crd)
        return;
    map_del(registry->by_key, before->key);
    kind_free(before);
    registry->generation++;
}

void registry_each(const struct registry *registry, registry_each_fn *fn, void *owner)
{
    struct map_iter it = map_iter(registry->by_key);

    while (map_next(&it))
        fn(owner, it.value);
}

uint64_t registry_generation(const struct registry *registry)
{
    return registry->generation;
}
