/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/namespace_look.h"
#include "base/mem.h"
#include "engine/mark.h"

/* Objects of one kind that are looked at; a namespace with more of one kind holds something. */
#define LOOK_PAGE 200

struct namespace_look {
    struct cluster *cluster;
    struct arena *arena;
    str name;
    str label;
    struct gvr *kinds;
    size_t count;
    size_t size;
    size_t busy;
    bool whole;
    struct ask **asks;
    str held;
    struct loop_task *tell;
    namespace_look_fn *done;
    void *owner;
};

struct look_kind {
    struct namespace_look *look;
    size_t index;
};

/* Kinds that say nothing about what people put into a namespace. */
static const struct {
    str group;
    str resource;
} passing[] = {
        {S_INIT(""), S_INIT("events")},
        {S_INIT("events.k8s.io"), S_INIT("events")},
        {S_INIT(""), S_INIT("endpoints")},
        {S_INIT("discovery.k8s.io"), S_INIT("endpointslices")},
        {S_INIT("metrics.k8s.io"), S_INIT("pods")},
};

/* Objects that every namespace has. */
static const struct {
    str kind;
    str name;
} standard[] = {
        {S_INIT("ConfigMapList"), S_INIT("kube-root-ca.crt")},
        {S_INIT("ServiceAccountList"), S_INIT("default")},
};

static void look_add_kind(void *owner, const struct discovery_kind *kind)
{
    struct namespace_look *look = owner;
    struct discovery_kind preferred;

    if (!kind->namespaced || !kind->can_list_watch ||
        discovery_find_kind(cluster_discovery(look->cluster), kind->gvk.group, kind->gvk.kind,
                            &preferred) != DISCOVERY_FOUND ||
        !str_eq(preferred.gvk.version, kind->gvk.version))
        return;
    for (size_t i = 0; i < COUNT(passing); i++)
        if (str_eq(kind->gvk.group, passing[i].group) &&
            str_eq(kind->resource, passing[i].resource))
            return;
    if (look->count == look->size) {
        look->size = MAX(look->size * 2, 64u);
        look->kinds = mem_grow(look->kinds, look->size, sizeof(*look->kinds));
    }
    look->kinds[look->count++] = (struct gvr){arena_str(look->arena, kind->gvk.group),
                                              arena_str(look->arena, kind->gvk.version),
                                              arena_str(look->arena, kind->resource)};
}

static bool object_would_be_lost(const struct namespace_look *look, const struct val *list,
                                 const struct val *object)
{
    if (val_count(VAL_AT(object, "metadata", "ownerReferences")) > 0 ||
        VAL_AT(object, "metadata", "deletionTimestamp") != NULL ||
        str_eq(object_label(object, MARK_LABEL), look->label))
        return false;
    for (size_t i = 0; i < COUNT(standard); i++)
        if (str_eq(val_get_str(list, S("kind")), standard[i].kind) &&
            str_eq(object_name(object), standard[i].name))
            return false;
    /* Tokens of service accounts go with them. */
    return !str_eq(val_get_str(object, S("type")), S("kubernetes.io/service-account-token"));
}

static void look_hold(struct namespace_look *look, str what)
{
    if (str_is_empty(look->held))
        look->held = arena_str(look->arena, what);
}

static void look_list(struct namespace_look *look, size_t index, const struct val *list)
{
    struct val_iter it = val_iter(val_get(list, S("items")));

    while (val_next(&it))
        if (object_would_be_lost(look, list, it.value))
            look_hold(look, arena_printf(look->arena, "%.*s/%.*s", STR(look->kinds[index].resource),
                                         STR(object_name(it.value))));
    if (!str_is_empty(VAL_STR(list, "metadata", "continue")))
        look_hold(look, look->kinds[index].resource);
}

static void look_answered(void *owner, struct kube_response *response)
{
    struct look_kind *kind = owner;
    struct namespace_look *look = kind->look;

    look->asks[kind->index] = NULL;
    if (response->ok)
        look_list(look, kind->index, response->object);
    else if (response->status != 404 && response->status != 405)
        look_hold(look,
                  arena_printf(look->arena, "%.*s, which cannot be listed (%s)",
                               STR(look->kinds[kind->index].resource), response->err.message));
    if (--look->busy == 0)
        loop_task_post(look->tell);
}

static void look_free(struct namespace_look *look)
{
    for (size_t i = 0; i < look->count; i++)
        ask_cancel(look->asks[i]);
    loop_task_free(look->tell);
    mem_free(look->kinds);
    arena_free(look->arena);
    mem_free(look);
}

static void look_told(void *owner)
{
    struct namespace_look *look = owner;

    if (!look->whole)
        look_hold(look, S("kinds that the cluster does not tell about"));
    look->done(look->owner, look->held);
    look_free(look);
}

struct namespace_look *namespace_look_start(struct cluster *cluster, str name, str label,
                                            namespace_look_fn *done, void *owner)
{
    struct namespace_look *look = new0(struct namespace_look);
    struct ask_options options = {ASK_READ, ASK_MANUAL};

    look->cluster = cluster;
    look->arena = arena_new(LIMIT_SETTINGS_ARENA);
    look->name = arena_str(look->arena, name);
    look->label = arena_str(look->arena, label);
    look->held = STR_EMPTY;
    look->done = done;
    look->owner = owner;
    look->tell = loop_task_new(cluster_kube(cluster)->loop, "namespace look", look_told, look);
    look->whole = discovery_each(cluster_discovery(cluster), look_add_kind, look);
    look->asks = arena_array(look->arena, look->count + 1, struct ask *);
    look->busy = 1;
    for (size_t i = 0; i < look->count; i++) {
        struct look_kind *kind = arena_new0(look->arena, struct look_kind);
        struct kube_request request = {.verb = KUBE_LIST,
                                       .gvr = look->kinds[i],
                                       .namespace_ = look->name,
                                       .limit = LOOK_PAGE};

        *kind = (struct look_kind){look, i};
        look->busy++;
        look->asks[i] = ask_start(cluster_queue(cluster), &request, &options, look_answered, kind);
    }
    if (--look->busy == 0)
        loop_task_post(look->tell);
    return look;
}

void namespace_look_cancel(struct namespace_look *look)
{
    if (look != NULL)
        look_free(look);
}
