/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/cluster.h"
#include "base/clock.h"
#include "base/map.h"
#include "base/mem.h"
#include "engine/children.h"
#include "engine/mark.h"
#include "engine/wholes.h"

#define CLUSTER_RETRY_MS 1000
#define CLUSTER_RETRY_MAX_MS 60000
#define CLUSTER_REDISCOVER_MS 300

struct live_set {
    struct live_ref {
        struct gvr gvr;
        struct live *live;
    } * at;
    size_t count;
    size_t size;
};

/* One selector watch. */
struct watch {
    struct cluster *cluster;
    struct gvr gvr; /* texts owned */
    struct scope *scope;
};

enum cluster_state { CLUSTER_CONNECTING, CLUSTER_READY };

struct cluster {
    struct kube *kube;
    bool owns_kube;
    str name;
    str server;
    str uid;
    const struct cluster_events *events;
    void *owner;
    struct discovery *discovery;
    struct ask_queue *queue;
    struct ask *uid_ask;
    struct loop_timer *retry;
    struct loop_timer *rediscover;
    struct loop_task *tell;
    enum cluster_state state;
    bool has_trouble;
    struct err trouble;
    int64_t retry_ms;
    struct map *watches;       /* "group/version/resource" → struct watch */
    struct map *by_uid;        /* uid → struct live */
    struct children *children; /* from the first workload on */
    struct map *by_label;      /* label → struct live_set */
    struct wholes *wholes;
    struct map *kind_hashes; /* "group/kind" → struct hash */
    uint64_t kind_hashes_for;
    struct scope_limits limits;
    size_t users;
    bool is_retired;
};

static size_t clusters;

static void cluster_connect(void *owner);

/* ---- the selector watches ---- */

static void *watch_keep(UNUSED void *owner, const struct val *object)
{
    return live_new(object);
}

static void watch_drop(UNUSED void *owner, void *kept)
{
    live_free(kept);
}

static void set_del(struct map *by_label, const struct live *live)
{
    struct live_set *set = map_get(by_label, live->label);

    for (size_t i = set == NULL ? 0 : set->count; i > 0; i--)
        if (set->at[i - 1].live == live) {
            set->at[i - 1] = set->at[--set->count];
            break;
        }
    if (set != NULL && set->count == 0) {
        map_del(by_label, live->label);
        mem_free(set->at);
        mem_free(set);
    }
}

static void set_add(struct map *by_label, struct gvr gvr, struct live *live)
{
    struct live_set *set = map_get(by_label, live->label);

    if (set == NULL) {
        set = new0(struct live_set);
        map_set(by_label, live->label, set);
    }
    if (set->count == set->size) {
        set->size = MAX(set->size * 2, 4u);
        set->at = mem_grow(set->at, set->size, sizeof(*set->at));
    }
    set->at[set->count++] = (struct live_ref){gvr, live};
}

static void watch_changed(void *owner, UNUSED str namespace_, UNUSED str name, const void *was,
                          const void *is)
{
    struct watch *watch = owner;
    struct cluster *cluster = watch->cluster;

    if (was != NULL) {
        set_del(cluster->by_label, was);
        map_del(cluster->by_uid, ((const struct live *)was)->uid);
    }
    if (is != NULL) {
        set_add(cluster->by_label, watch->gvr, (struct live *)is);
        map_set(cluster->by_uid, ((const struct live *)is)->uid, (struct live *)is);
    }
    cluster->events->live_changed(cluster->owner, cluster, was, is);
}

static void watch_complete(void *owner)
{
    struct watch *watch = owner;

    loop_task_post(watch->cluster->tell);
}

static void watch_trouble(void *owner, UNUSED const struct err *err)
{
    struct watch *watch = owner;

    loop_task_post(watch->cluster->tell);
}

static const struct reflector_events watch_events = {
        .keep = watch_keep,
        .drop = watch_drop,
        .changed = watch_changed,
        .complete = watch_complete,
        .trouble = watch_trouble,
};

static str gvr_key(struct arena *arena, struct gvr gvr)
{
    return arena_printf(arena, "%.*s/%.*s/%.*s", STR(gvr.group), STR(gvr.version),
                        STR(gvr.resource));
}

static struct watch *watch_find(const struct cluster *cluster, struct gvr gvr)
{
    auto_arena struct arena *arena = arena_new(LIMIT_KEY_ARENA);

    return map_get(cluster->watches, gvr_key(arena, gvr));
}

/* Resources whose objects make others, or wait for what Warnings tell. */
static const struct {
    str group;
    str resource;
} parents[] = {
        {S_INIT("apps"), S_INIT("deployments")},
        {S_INIT("apps"), S_INIT("statefulsets")},
        {S_INIT("apps"), S_INIT("daemonsets")},
        {S_INIT("apps"), S_INIT("replicasets")},
        {S_INIT("batch"), S_INIT("jobs")},
        {S_INIT("batch"), S_INIT("cronjobs")},
        {S_INIT(""), S_INIT("pods")},
        {S_INIT(""), S_INIT("replicationcontrollers")},
        {S_INIT(""), S_INIT("persistentvolumeclaims")},
};

static bool gvr_is_parent(struct gvr gvr)
{
    for (size_t i = 0; i < COUNT(parents); i++)
        if (str_eq(gvr.resource, parents[i].resource) && str_eq(gvr.group, parents[i].group))
            return true;
    return false;
}

static void children_changed(void *owner, str uid, bool cause)
{
    struct cluster *cluster = owner;
    const struct live *live = map_get(cluster->by_uid, uid);

    if (live == NULL)
        return;
    if (cause)
        cluster->events->live_changed(cluster->owner, cluster, live, live);
    else
        cluster->events->children_changed(cluster->owner, cluster, live);
}

static const struct children_events children_events = {.changed = children_changed};

const struct children *cluster_children(const struct cluster *cluster)
{
    return cluster->children;
}

static struct watch *watch_open(struct cluster *cluster, struct gvr gvr)
{
    auto_arena struct arena *arena = arena_new(LIMIT_KEY_ARENA);
    struct watch *watch = new0(struct watch);
    struct kube_selector what;

    watch->cluster = cluster;
    watch->gvr = (struct gvr){str_own(gvr.group), str_own(gvr.version), str_own(gvr.resource)};
    map_set(cluster->watches, gvr_key(arena, gvr), watch);
    what = (struct kube_selector){.gvr = watch->gvr, .label_selector = MARK_LABEL};
    watch->scope = scope_new(cluster->kube, &what, &cluster->limits, &watch_events, watch);
    return watch;
}

static void watch_free(struct watch *watch)
{
    scope_free(watch->scope);
    str_own_free(&watch->gvr.group);
    str_own_free(&watch->gvr.version);
    str_own_free(&watch->gvr.resource);
    mem_free(watch);
}

static void children_open(struct cluster *cluster, struct gvr gvr, str namespace_)
{
    if (!gvr_is_parent(gvr))
        return;
    if (cluster->children == NULL)
        cluster->children =
                children_new(cluster->kube, &cluster->limits, &children_events, cluster);
    children_watch(cluster->children, namespace_);
}

enum watch_state cluster_watch(struct cluster *cluster, struct gvr gvr, str namespace_,
                               struct err *err)
{
    struct watch *watch = watch_find(cluster, gvr);
    enum watch_state state;

    if (cluster->is_retired) {
        err_set(err, ERR_FORBIDDEN, "%s", cluster->trouble.message);
        return WATCH_BROKEN;
    }
    if (watch == NULL)
        watch = watch_open(cluster, gvr);
    state = scope_watch(watch->scope, namespace_, err);
    if (state != WATCH_BROKEN)
        children_open(cluster, gvr, namespace_);
    return state == WATCH_WHOLE && !wholes_know(cluster->wholes, namespace_) ? WATCH_LOADING
                                                                             : state;
}

bool cluster_is_limited(const struct cluster *cluster)
{
    return cluster->limits.limited && !cluster->limits.cluster_resources;
}

const struct live *cluster_live(const struct cluster *cluster, struct gvr gvr, str namespace_,
                                str name)
{
    struct watch *watch = watch_find(cluster, gvr);

    return watch == NULL ? NULL : scope_get(watch->scope, namespace_, name);
}

void cluster_live_each(const struct cluster *cluster, str label, cluster_live_fn *fn, void *owner)
{
    const struct live_set *set = map_get(cluster->by_label, label);

    for (size_t i = 0; set != NULL && i < set->count; i++)
        fn(owner, set->at[i].gvr, set->at[i].live);
}

/* ---- what decides verdicts ---- */

static void wholes_told(void *owner)
{
    struct cluster *cluster = owner;

    loop_task_post(cluster->tell);
}

static void definition_changed(void *owner)
{
    cluster_rediscover(owner);
}

static const struct wholes_events wholes_events = {
        .told = wholes_told,
        .definition_changed = definition_changed,
};

static void kind_hashes_clear(struct cluster *cluster)
{
    struct map_iter it = map_iter(cluster->kind_hashes);

    while (map_next(&it))
        mem_free(it.value);
    map_clear(cluster->kind_hashes);
}

struct hash cluster_kind_hash(struct cluster *cluster, struct gvk gvk)
{
    auto_arena struct arena *arena = arena_new(LIMIT_KEY_ARENA);
    uint64_t generation =
            wholes_generation(cluster->wholes) + discovery_generation(cluster->discovery);
    str kind = arena_printf(arena, "%.*s/%.*s", STR(gvk.group), STR(gvk.kind));
    struct hash *known;

    if (generation != cluster->kind_hashes_for)
        kind_hashes_clear(cluster);
    cluster->kind_hashes_for = generation;
    known = map_get(cluster->kind_hashes, kind);
    if (known == NULL) {
        known = new0(struct hash);
        *known = hash_bytes(arena_printf(arena, "%.*s %.*s", STR(cluster->uid),
                                         STR(discovery_server_version(cluster->discovery))));
        wholes_add_hash(cluster->wholes, gvk, known);
        map_set(cluster->kind_hashes, kind, known);
    }
    return *known;
}

bool cluster_is_scaled(const struct cluster *cluster, struct gvk target, str namespace_, str name)
{
    return wholes_is_scaled(cluster->wholes, target, namespace_, name);
}

/* ---- connecting ---- */

static void cluster_failed(struct cluster *cluster, const struct err *err)
{
    cluster->has_trouble = true;
    cluster->trouble = *err;
    loop_timer_start(cluster->retry, cluster->retry_ms);
    cluster->retry_ms = MIN(cluster->retry_ms * 2, (int64_t)CLUSTER_RETRY_MAX_MS);
    loop_task_post(cluster->tell);
}

static void cluster_ready(struct cluster *cluster, str uid)
{
    str_own_free(&cluster->uid);
    cluster->uid = str_own(uid);
    cluster->state = CLUSTER_READY;
    cluster->has_trouble = false;
    cluster->retry_ms = CLUSTER_RETRY_MS;
    wholes_open(cluster->wholes, cluster->discovery);
    loop_task_post(cluster->tell);
}

static void cluster_got_uid(void *owner, struct kube_response *response)
{
    struct cluster *cluster = owner;

    cluster->uid_ask = NULL;
    if (response->ok) {
        cluster_ready(cluster, object_uid(response->object));
    } else if (response->status == 403) {
        /* Who may not look at kube-system knows the cluster by its address. */
        cluster_ready(cluster, str_is_empty(cluster->server) ? cluster->name : cluster->server);
    } else {
        struct err err = response->err;

        err_wrap(&err, "cluster '%.*s'", STR(cluster->name));
        cluster_failed(cluster, &err);
    }
}

static void cluster_discovered(void *owner, const struct err *err)
{
    struct cluster *cluster = owner;
    struct kube_request request = {
            .verb = KUBE_GET, .gvr = {S(""), S("v1"), S("namespaces")}, .name = S("kube-system")};
    struct ask_options options = {ASK_READ, ASK_PAGE};

    if (err != NULL && !discovery_is_loaded(cluster->discovery)) {
        struct err wrapped = *err;

        err_wrap(&wrapped, "cluster '%.*s'", STR(cluster->name));
        cluster_failed(cluster, &wrapped);
        return;
    }
    if (cluster->state == CLUSTER_READY) {
        wholes_open(cluster->wholes, cluster->discovery);
        loop_task_post(cluster->tell);
    } else if (cluster->uid_ask == NULL) {
        cluster->uid_ask = ask_start(cluster->queue, &request, &options, cluster_got_uid, cluster);
    }
}

static void cluster_connect(void *owner)
{
    struct cluster *cluster = owner;

    discovery_refresh(cluster->discovery, cluster_discovered, cluster);
}

void cluster_rediscover(struct cluster *cluster)
{
    if (!cluster->is_retired && !loop_timer_is_running(cluster->rediscover))
        loop_timer_start(cluster->rediscover, CLUSTER_REDISCOVER_MS);
}

static void cluster_tell(void *owner)
{
    struct cluster *cluster = owner;

    cluster->events->changed(cluster->owner, cluster);
}

struct cluster *cluster_new(const struct cluster_options *options,
                            const struct cluster_events *events, void *owner)
{
    struct cluster *cluster = new0(struct cluster);
    struct loop *loop = options->kube->loop;

    clusters++;
    cluster->kube = options->kube;
    cluster->owns_kube = options->owns_kube;
    cluster->name = str_own(options->name);
    cluster->server = str_own(options->server);
    cluster->uid = str_own(STR_EMPTY);
    cluster->events = events;
    cluster->owner = owner;
    cluster->discovery = discovery_new(cluster->kube);
    cluster->queue = ask_queue_new(cluster->kube);
    cluster->retry = loop_timer_new(loop, "cluster retry", cluster_connect, cluster);
    cluster->rediscover = loop_timer_new(loop, "cluster rediscover", cluster_connect, cluster);
    cluster->tell = loop_task_new(loop, "cluster changed", cluster_tell, cluster);
    cluster->retry_ms = CLUSTER_RETRY_MS;
    cluster->watches = map_new();
    cluster->by_label = map_new();
    cluster->by_uid = map_new();
    cluster->kind_hashes = map_new();
    cluster->limits = (struct scope_limits){.limited = options->limited,
                                            .namespaces = str_own(options->namespaces),
                                            .cluster_resources = options->cluster_resources,
                                            .cluster = cluster->name};
    cluster->wholes = wholes_new(cluster->kube, &cluster->limits, &wholes_events, cluster);
    cluster_connect(cluster);
    return cluster;
}

/* What it sees, and all that goes on by itself. */
static void cluster_close(struct cluster *cluster)
{
    struct map_iter it = map_iter(cluster->watches);

    ask_cancel(TAKE(cluster->uid_ask));
    discovery_forget(cluster->discovery, cluster);
    children_free(TAKE(cluster->children));
    while (map_next(&it))
        watch_free(it.value);
    map_clear(cluster->watches);
    it = map_iter(cluster->by_label);
    while (map_next(&it)) {
        struct live_set *set = it.value;

        mem_free(set->at);
        mem_free(set);
    }
    map_clear(cluster->by_label);
    map_clear(cluster->by_uid);
    wholes_close(cluster->wholes);
    loop_timer_stop(cluster->retry);
    loop_timer_stop(cluster->rediscover);
}

void cluster_free(struct cluster *cluster)
{
    if (cluster == NULL)
        return;
    clusters--;
    cluster_close(cluster);
    wholes_free(cluster->wholes);
    kind_hashes_clear(cluster);
    map_free(cluster->kind_hashes);
    map_free(cluster->watches);
    map_free(cluster->by_label);
    map_free(cluster->by_uid);
    loop_timer_free(cluster->retry);
    loop_timer_free(cluster->rediscover);
    loop_task_free(cluster->tell);
    ask_queue_free(cluster->queue);
    discovery_free(cluster->discovery);
    if (cluster->owns_kube)
        kube_retire(cluster->kube);
    str_own_free(&cluster->name);
    str_own_free(&cluster->server);
    str_own_free(&cluster->uid);
    str_own_free(&cluster->limits.namespaces);
    mem_free(cluster);
}

/* ---- users ---- */

void cluster_keep(struct cluster **at, struct cluster *cluster)
{
    struct cluster *was = *at;

    if (cluster != NULL)
        cluster->users++;
    *at = cluster;
    if (was != NULL && --was->users == 0 && was->is_retired)
        was->events->unused(was->owner, was);
}

void cluster_retire(struct cluster *cluster)
{
    cluster_close(cluster);
    cluster->is_retired = true;
    cluster->state = CLUSTER_CONNECTING;
    cluster->has_trouble = true;
    err_set(&cluster->trouble, ERR_UNAVAILABLE, "the settings of cluster '%.*s' changed",
            STR(cluster->name));
}

bool cluster_is_retired(const struct cluster *cluster)
{
    return cluster->is_retired;
}

bool cluster_is_used(const struct cluster *cluster)
{
    return cluster->users > 0;
}

size_t cluster_count(void)
{
    return clusters;
}

/* ---- facts ---- */

str cluster_name(const struct cluster *cluster)
{
    return cluster->name;
}

str cluster_server(const struct cluster *cluster)
{
    return cluster->server;
}

str cluster_uid(const struct cluster *cluster)
{
    return cluster->uid;
}

struct kube *cluster_kube(const struct cluster *cluster)
{
    return cluster->kube;
}

struct ask_queue *cluster_queue(const struct cluster *cluster)
{
    return cluster->queue;
}

struct discovery *cluster_discovery(const struct cluster *cluster)
{
    return cluster->discovery;
}

bool cluster_is_ready(const struct cluster *cluster)
{
    return cluster->state == CLUSTER_READY && wholes_are_settled(cluster->wholes);
}

const struct err *cluster_trouble(const struct cluster *cluster)
{
    return cluster->has_trouble ? &cluster->trouble : NULL;
}
