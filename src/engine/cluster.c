/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/cluster.h"
#include "base/clock.h"
#include "base/map.h"
#include "base/mem.h"
#include "engine/children.h"
#include "engine/mark.h"

#define CLUSTER_RETRY_MS 1000
#define CLUSTER_RETRY_MAX_MS 60000
#define CLUSTER_REDISCOVER_MS 300
#define WHOLE_KINDS 6
#define CLUSTER_KEY_ARENA (64 * LIMIT_KIB)

/* Watched whole, because they decide verdicts. Where they may not be read, verdicts live on. */
static const struct {
    struct gvr gvr;
    bool is_crd;
    bool is_scaler;
} whole_kinds[WHOLE_KINDS] = {
        {{S_INIT("apiextensions.k8s.io"), S_INIT("v1"), S_INIT("customresourcedefinitions")},
         .is_crd = true},
        {{S_INIT("admissionregistration.k8s.io"), S_INIT("v1"),
          S_INIT("mutatingwebhookconfigurations")},
         .is_crd = false},
        {{S_INIT("admissionregistration.k8s.io"), S_INIT("v1"),
          S_INIT("validatingwebhookconfigurations")},
         .is_crd = false},
        {{S_INIT("admissionregistration.k8s.io"), S_INIT("v1"),
          S_INIT("validatingadmissionpolicies")},
         .is_crd = false},
        {{S_INIT("admissionregistration.k8s.io"), S_INIT("v1"),
          S_INIT("validatingadmissionpolicybindings")},
         .is_crd = false},
        {{S_INIT("autoscaling"), S_INIT("v2"), S_INIT("horizontalpodautoscalers")},
         .is_scaler = true},
};

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
    struct reflector *reflector;
};

/* One whole watch of whole_kinds: each object reduced to one line of text. */
struct whole {
    struct cluster *cluster;
    size_t row;
    struct reflector *reflector;
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
    struct whole wholes[WHOLE_KINDS];
};

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
    auto_arena struct arena *arena = arena_new(CLUSTER_KEY_ARENA);

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
    auto_arena struct arena *arena = arena_new(CLUSTER_KEY_ARENA);
    struct watch *watch = new0(struct watch);
    struct kube_selector what;

    watch->cluster = cluster;
    watch->gvr = (struct gvr){str_own(gvr.group), str_own(gvr.version), str_own(gvr.resource)};
    map_set(cluster->watches, gvr_key(arena, gvr), watch);
    what = (struct kube_selector){.gvr = watch->gvr, .label_selector = MARK_LABEL};
    watch->reflector = reflector_new(cluster->kube, &what, &watch_events, watch);
    if (cluster->children == NULL && gvr_is_parent(gvr))
        cluster->children = children_new(cluster->kube, &children_events, cluster);
    return watch;
}

static void watch_free(struct watch *watch)
{
    reflector_free(watch->reflector);
    str_own_free(&watch->gvr.group);
    str_own_free(&watch->gvr.version);
    str_own_free(&watch->gvr.resource);
    mem_free(watch);
}

enum watch_state cluster_watch(struct cluster *cluster, struct gvr gvr, struct err *err)
{
    struct watch *watch = watch_find(cluster, gvr);
    const struct err *trouble;

    if (watch == NULL)
        watch = watch_open(cluster, gvr);
    trouble = reflector_trouble(watch->reflector);
    if (trouble != NULL) {
        err_set(err, trouble->code, "cannot watch %.*s: %s", STR(gvr.resource), trouble->message);
        return WATCH_BROKEN;
    }
    return reflector_is_complete(watch->reflector) ? WATCH_WHOLE : WATCH_LOADING;
}

const struct live *cluster_live(const struct cluster *cluster, struct gvr gvr, str namespace_,
                                str name)
{
    struct watch *watch = watch_find(cluster, gvr);

    return watch == NULL ? NULL : reflector_get(watch->reflector, namespace_, name);
}

void cluster_live_each(const struct cluster *cluster, str label, cluster_live_fn *fn, void *owner)
{
    const struct live_set *set = map_get(cluster->by_label, label);

    for (size_t i = 0; set != NULL && i < set->count; i++)
        fn(owner, set->at[i].gvr, set->at[i].live);
}

/* ---- the whole watches ---- */

/* "<what it is about> <uid> <generation>": owned text with its NUL. */
static void *whole_keep(void *owner, const struct val *object)
{
    struct whole *whole = owner;
    auto_arena struct arena *arena = arena_new(1 * LIMIT_MIB);
    str about = STR_EMPTY;
    str text;

    if (whole_kinds[whole->row].is_crd)
        about = arena_printf(arena, "%.*s/%.*s", STR(VAL_STR(object, "spec", "group")),
                             STR(VAL_STR(object, "spec", "names", "kind")));
    if (whole_kinds[whole->row].is_scaler) {
        const struct val *target = VAL_AT(object, "spec", "scaleTargetRef");

        text = arena_printf(arena, "%.*s/%.*s", STR(val_get_str(target, S("kind"))),
                            STR(val_get_str(target, S("name"))));
        return mem_dup_z(text);
    }
    text = arena_printf(arena, "%.*s %.*s %lld", STR(about), STR(object_uid(object)),
                        (long long)val_i64_or(VAL_AT(object, "metadata", "generation"), 0));
    return mem_dup_z(text);
}

static void whole_drop(UNUSED void *owner, void *kept)
{
    mem_free(kept);
}

static void whole_changed(void *owner, UNUSED str namespace_, UNUSED str name,
                          UNUSED const void *was, UNUSED const void *is)
{
    struct whole *whole = owner;

    if (whole_kinds[whole->row].is_crd && reflector_is_complete(whole->reflector))
        cluster_rediscover(whole->cluster);
}

static void whole_told(void *owner)
{
    struct whole *whole = owner;

    loop_task_post(whole->cluster->tell);
}

static void whole_trouble(void *owner, UNUSED const struct err *err)
{
    whole_told(owner);
}

static const struct reflector_events whole_events = {
        .keep = whole_keep,
        .drop = whole_drop,
        .changed = whole_changed,
        .complete = whole_told,
        .trouble = whole_trouble,
};

static void wholes_open(struct cluster *cluster)
{
    for (size_t i = 0; i < WHOLE_KINDS; i++) {
        struct kube_selector what = {.gvr = whole_kinds[i].gvr};
        struct discovery_kind kind;

        if (cluster->wholes[i].reflector != NULL ||
            discovery_find_resource(cluster->discovery, what.gvr, &kind) != DISCOVERY_FOUND)
            continue;
        cluster->wholes[i].reflector =
                reflector_new(cluster->kube, &what, &whole_events, &cluster->wholes[i]);
    }
}

static bool wholes_are_settled(const struct cluster *cluster)
{
    for (size_t i = 0; i < WHOLE_KINDS; i++) {
        const struct reflector *r = cluster->wholes[i].reflector;

        if (r != NULL && !reflector_is_complete(r) && reflector_trouble(r) == NULL)
            return false;
    }
    return true;
}

struct kind_hash {
    struct hash sum; /* of the hashes of the lines, in any order */
    str prefix;      /* of the lines that count; empty: all */
};

static void hash_mix(struct hash *sum, str line)
{
    struct hash hash = hash_bytes(line);

    for (size_t i = 0; i < HASH_SIZE; i++)
        sum->bytes[i] ^= hash.bytes[i];
}

static void kind_hash_line(void *owner, UNUSED str namespace_, UNUSED str name, void *kept)
{
    struct kind_hash *kind = owner;
    str line = str_from(kept);

    if (str_is_empty(kind->prefix) || str_starts(line, kind->prefix))
        hash_mix(&kind->sum, line);
}

struct hash cluster_kind_hash(const struct cluster *cluster, struct gvk gvk)
{
    auto_arena struct arena *arena = arena_new(CLUSTER_KEY_ARENA);
    struct kind_hash kind = {.sum = {{0}}};

    hash_mix(&kind.sum, cluster->uid);
    hash_mix(&kind.sum, discovery_server_version(cluster->discovery));
    for (size_t i = 0; i < WHOLE_KINDS; i++) {
        if (cluster->wholes[i].reflector == NULL || whole_kinds[i].is_scaler)
            continue;
        kind.prefix = whole_kinds[i].is_crd
                              ? arena_printf(arena, "%.*s/%.*s ", STR(gvk.group), STR(gvk.kind))
                              : STR_EMPTY;
        reflector_each(cluster->wholes[i].reflector, kind_hash_line, &kind);
    }
    return kind.sum;
}

struct scaled {
    str wanted; /* "Kind/name" */
    str namespace_;
    bool found;
};

static void scaled_line(void *owner, str namespace_, UNUSED str name, void *kept)
{
    struct scaled *scaled = owner;

    if (str_eq(namespace_, scaled->namespace_) && str_eq(str_from(kept), scaled->wanted))
        scaled->found = true;
}

bool cluster_is_scaled(const struct cluster *cluster, struct gvk target, str namespace_, str name)
{
    auto_arena struct arena *arena = arena_new(CLUSTER_KEY_ARENA);
    struct scaled scaled = {.namespace_ = namespace_};

    scaled.wanted = arena_printf(arena, "%.*s/%.*s", STR(target.kind), STR(name));
    for (size_t i = 0; i < WHOLE_KINDS; i++)
        if (whole_kinds[i].is_scaler && cluster->wholes[i].reflector != NULL)
            reflector_each(cluster->wholes[i].reflector, scaled_line, &scaled);
    return scaled.found;
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

static void cluster_got_uid(void *owner, struct kube_response *response)
{
    struct cluster *cluster = owner;

    cluster->uid_ask = NULL;
    if (!response->ok) {
        struct err err = response->err;

        err_wrap(&err, "cluster '%.*s'", STR(cluster->name));
        cluster_failed(cluster, &err);
        return;
    }
    str_own_free(&cluster->uid);
    cluster->uid = str_own(object_uid(response->object));
    cluster->state = CLUSTER_READY;
    cluster->has_trouble = false;
    cluster->retry_ms = CLUSTER_RETRY_MS;
    wholes_open(cluster);
    loop_task_post(cluster->tell);
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
        wholes_open(cluster);
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
    if (!loop_timer_is_running(cluster->rediscover))
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
    for (size_t i = 0; i < WHOLE_KINDS; i++)
        cluster->wholes[i] = (struct whole){.cluster = cluster, .row = i};
    cluster_connect(cluster);
    return cluster;
}

void cluster_free(struct cluster *cluster)
{
    struct map_iter it;

    if (cluster == NULL)
        return;
    ask_cancel(cluster->uid_ask);
    discovery_forget(cluster->discovery, cluster);
    children_free(cluster->children);
    it = map_iter(cluster->watches);
    while (map_next(&it))
        watch_free(it.value);
    it = map_iter(cluster->by_label);
    while (map_next(&it)) {
        struct live_set *set = it.value;

        mem_free(set->at);
        mem_free(set);
    }
    for (size_t i = 0; i < WHOLE_KINDS; i++)
        if (cluster->wholes[i].reflector != NULL)
            reflector_free(cluster->wholes[i].reflector);
    map_free(cluster->watches);
    map_free(cluster->by_label);
    map_free(cluster->by_uid);
    loop_timer_free(cluster->retry);
    loop_timer_free(cluster->rediscover);
    loop_task_free(cluster->tell);
    ask_queue_free(cluster->queue);
    discovery_free(cluster->discovery);
    if (cluster->owns_kube)
        kube_free(cluster->kube);
    str_own_free(&cluster->name);
    str_own_free(&cluster->server);
    str_own_free(&cluster->uid);
    mem_free(cluster);
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
    return cluster->state == CLUSTER_READY && wholes_are_settled(cluster);
}

const struct err *cluster_trouble(const struct cluster *cluster)
{
    return cluster->has_trouble ? &cluster->trouble : NULL;
}
