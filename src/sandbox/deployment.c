/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "base/mem.h"
#include "doc/hash.h"
#include "sandbox/pod.h"
#include "sandbox/workload.h"

#include <stdlib.h>

#define REVISION "deployment.kubernetes.io/revision"
#define MANAGER "kube-controller-manager"

enum { SETS_MAX = 200 };

/* Since when a rollout makes no progress: the deadline is kept by our own clock. */
struct progress {
    int64_t since_ms;
    struct hash seen; /* of the counts that would show progress */
    bool is_overdue;
    bool is_known;
};

struct set {
    struct thing *thing;
    const struct val *object;
    int64_t spec; /* wanted replicas, with what this pass already asked for */
    int64_t replicas;
    int64_t available;
    int64_t revision;
    bool is_new;
};

struct rollout {
    struct world_key *key;
    const struct val *object;
    struct arena *arena;
    int64_t wanted;
    int64_t surge;
    int64_t unavailable;
    struct set sets[SETS_MAX];
    size_t count;
    struct set *newest; /* the one of the present template, or NULL */
    int64_t max_revision;
};

int64_t workload_share(const struct val *v, int64_t total, bool up, int64_t otherwise)
{
    int64_t number = 0;
    str text = val_str(v);

    if (val_to_i64(v, &number))
        return number;
    if (!str_chop(&text, S("%")) || !str_to_i64(text, &number) || number < 0 || number > 10000)
        return otherwise;
    return (total * number + (up ? 99 : 0)) / 100;
}

static int64_t number_at(const struct val *object, const char *part, const char *name)
{
    return val_i64_or(VAL_AT(object, part, name), 0);
}

/* ---- the sets ---- */

static void gather(struct rollout *r)
{
    const struct world *world = r->key->world;
    str hash = pod_template_hash(r->arena, VAL_AT(r->object, "spec", "template"));

    for (struct thing *t = world_children(world, object_uid(r->object)); t != NULL;
         t = t->next_sibling) {
        if (t->kind != WORLD_REPLICA_SET || t->deleting || r->count == SETS_MAX)
            continue;
        struct set *set = &r->sets[r->count++];
        int64_t revision = 0;
        const struct val *object = world_parse(r->key, t);
        if (!str_to_i64(object_annotation(object, S(REVISION)), &revision))
            revision = 0;
        *set = (struct set){
                .thing = t,
                .object = object,
                .spec = val_i64_or(VAL_AT(object, "spec", "replicas"), 1),
                .replicas = number_at(object, "status", "replicas"),
                .available = number_at(object, "status", "availableReplicas"),
                .revision = revision,
                .is_new = str_eq(object_label(object, S("pod-template-hash")), hash),
        };
        r->max_revision = MAX(r->max_revision, revision);
        if (set->is_new)
            r->newest = set;
    }
}

static int64_t sum_spec(const struct rollout *r)
{
    int64_t sum = 0;

    for (size_t i = 0; i < r->count; i++)
        sum += r->sets[i].spec;
    return sum;
}

static int64_t sum_status(const struct rollout *r, const char *name)
{
    int64_t sum = 0;

    for (size_t i = 0; i < r->count; i++)
        sum += number_at(r->sets[i].object, "status", name);
    return sum;
}

static void annotate(struct rollout *r, struct val *annotations, int64_t revision)
{
    struct arena *arena = r->arena;

    val_set(arena, annotations, S(REVISION),
            val_string_borrow(arena_printf(arena, "%lld", (long long)revision)));
    val_set(arena, annotations, S("deployment.kubernetes.io/desired-replicas"),
            val_string_borrow(arena_printf(arena, "%lld", (long long)r->wanted)));
    int64_t most = r->wanted + r->surge;
    val_set(arena, annotations, S("deployment.kubernetes.io/max-replicas"),
            val_string_borrow(arena_printf(arena, "%lld", (long long)most)));
}

static void scale(struct rollout *r, struct set *set, int64_t replicas)
{
    struct val patch = val_map();

    if (set->spec == replicas)
        return;
    set->spec = replicas;
    val_set(r->arena, val_ensure_map(r->arena, &patch, S("spec")), S("replicas"),
            val_int(r->arena, replicas));
    annotate(r,
             val_ensure_map(r->arena, val_ensure_map(r->arena, &patch, S("metadata")),
                            S("annotations")),
             set->revision);
    world_patch(r->key, set->thing, NULL, MANAGER, &patch);
}

static void create_newest(struct rollout *r, int64_t replicas)
{
    struct arena *arena = r->arena;
    const struct val *template_ = VAL_AT(r->object, "spec", "template");
    str hash = pod_template_hash(arena, template_);
    struct val set = val_map();

    val_set_str(arena, &set, S("apiVersion"), S("apps/v1"));
    val_set_str(arena, &set, S("kind"), S("ReplicaSet"));
    struct val *metadata = val_ensure_map(arena, &set, S("metadata"));
    val_set_str(arena, metadata, S("name"),
                arena_printf(arena, "%.*s-%.*s", STR(r->key->name), STR(hash)));
    val_set_str(arena, metadata, S("namespace"), r->key->namespace_);
    val_append(arena, val_ensure_list(arena, metadata, S("ownerReferences")),
               pod_owner_reference(arena, r->object));
    val_set(arena, metadata, S("labels"),
            val_dup_value(arena, VAL_AT(template_, "metadata", "labels")));
    val_set_str(arena, val_ensure_map(arena, metadata, S("labels")), S("pod-template-hash"), hash);
    annotate(r, val_ensure_map(arena, metadata, S("annotations")), r->max_revision + 1);
    struct val *spec = val_ensure_map(arena, &set, S("spec"));
    val_set(arena, spec, S("replicas"), val_int(arena, replicas));
    val_set(arena, spec, S("selector"),
            val_dup_value(arena, VAL_AT(r->object, "spec", "selector")));
    val_set_str(arena, val_ensure_map(arena, val_get(spec, S("selector")), S("matchLabels")),
                S("pod-template-hash"), hash);
    struct val *inner = val_set(arena, spec, S("template"), val_dup_value(arena, template_));
    val_set_str(arena,
                val_ensure_map(arena, val_ensure_map(arena, inner, S("metadata")), S("labels")),
                S("pod-template-hash"), hash);
    world_create(r->key, WORLD_REPLICA_SET, MANAGER, &set);
}

static void set_revision(struct rollout *r, int64_t revision)
{
    str text = arena_printf(r->arena, "%lld", (long long)revision);
    struct val patch = val_map();

    if (str_eq(object_annotation(r->object, S(REVISION)), text))
        return;
    val_set_str(r->arena,
                val_ensure_map(r->arena, val_ensure_map(r->arena, &patch, S("metadata")),
                               S("annotations")),
                S(REVISION), text);
    world_patch(r->key,
                world_find(r->key->world, WORLD_DEPLOYMENT, r->key->namespace_, r->key->name),
                "status", MANAGER, &patch);
}

/* ---- rolling ---- */

static void scale_down_old(struct rollout *r)
{
    int64_t least = r->wanted - r->unavailable;
    int64_t missing = r->newest == NULL ? 0 : r->newest->spec - r->newest->available;
    int64_t may_go = sum_spec(r) - least - missing;

    /* Those that do not work first: they serve nobody. */
    for (size_t i = 0; i < r->count && may_go > 0; i++) {
        struct set *set = &r->sets[i];
        int64_t broken = set->is_new ? 0 : MIN(set->spec - set->available, may_go);
        if (broken <= 0)
            continue;
        scale(r, set, set->spec - broken);
        may_go -= broken;
    }
    int64_t spare = -least;
    for (size_t i = 0; i < r->count; i++)
        spare += MIN(r->sets[i].available, r->sets[i].spec);
    for (size_t i = 0; i < r->count && spare > 0; i++) {
        struct set *set = &r->sets[i];
        int64_t gone = set->is_new ? 0 : MIN(set->spec, spare);
        if (gone <= 0)
            continue;
        scale(r, set, set->spec - gone);
        spare -= gone;
    }
}

static void roll(struct rollout *r)
{
    bool recreate = str_eq(VAL_STR(r->object, "spec", "strategy", "type"), S("Recreate"));
    int64_t old_pods = 0;

    if (recreate) {
        for (size_t i = 0; i < r->count; i++) {
            struct set *set = &r->sets[i];
            if (set->is_new)
                continue;
            scale(r, set, 0);
            struct pod_counts counts = pod_count(r->key->world, set->thing->uid);
            old_pods += set->replicas + counts.deleting;
        }
        if (old_pods > 0)
            return;
    }
    int64_t room = recreate ? r->wanted : r->wanted + r->surge - sum_spec(r);
    if (r->newest == NULL) {
        create_newest(r, MAX(MIN(r->wanted, room), (int64_t)0));
        return;
    }
    if (r->newest->spec > r->wanted || recreate)
        scale(r, r->newest, r->wanted);
    else if (room > 0)
        scale(r, r->newest, MIN(r->wanted, r->newest->spec + room));
    if (!recreate)
        scale_down_old(r);
}

/* While it is paused only its size changes. */
static void resize(struct rollout *r)
{
    struct set *largest = NULL;

    for (size_t i = 0; i < r->count; i++)
        if (largest == NULL || r->sets[i].spec > largest->spec ||
            (r->sets[i].spec == largest->spec && r->sets[i].is_new))
            largest = &r->sets[i];
    if (largest != NULL && sum_spec(r) != r->wanted)
        scale(r, largest, MAX(largest->spec + r->wanted - sum_spec(r), (int64_t)0));
}

static int compare_revision(const void *a, const void *b)
{
    int64_t x = ((const struct set *)a)->revision;
    int64_t y = ((const struct set *)b)->revision;
    return x < y ? -1 : x > y ? 1 : 0;
}

static void clean_up(struct rollout *r)
{
    int64_t keep = val_i64_or(VAL_AT(r->object, "spec", "revisionHistoryLimit"), 10);
    int64_t old = 0;

    qsort(r->sets, r->count, sizeof(*r->sets), compare_revision);
    for (size_t i = 0; i < r->count; i++)
        old += r->sets[i].is_new ? 0 : 1;
    for (size_t i = 0; i < r->count && old > keep; i++) {
        struct set *set = &r->sets[i];
        if (set->is_new || set->spec > 0 || set->replicas > 0)
            continue;
        world_delete(r->key, set->thing, /*at_once=*/false);
        old--;
    }
}

/* ---- status ---- */

static bool is_complete(const struct rollout *r, int64_t updated, int64_t available)
{
    return r->newest != NULL && updated == r->wanted && available >= r->wanted &&
           sum_status(r, "replicas") == r->wanted;
}

/* Whether the deadline has passed; asks to be called when it will have. */
static bool is_overdue(struct rollout *r, const struct val *counts, bool complete)
{
    struct progress *p = r->key->memo;
    int64_t deadline = val_i64_or(VAL_AT(r->object, "spec", "progressDeadlineSeconds"), 600) * 1000;
    struct hash now = hash_val(counts);

    if (p == NULL)
        r->key->memo = p = new0(struct progress);
    if (!p->is_known || !hash_eq(&p->seen, &now)) {
        p->seen = now;
        p->since_ms = clock_mono_ms();
        p->is_known = true;
        p->is_overdue = false;
    }
    if (complete || p->is_overdue)
        return p->is_overdue && !complete;
    deadline = world_delay(r->key->world, deadline);
    int64_t left = p->since_ms + deadline - clock_mono_ms();
    p->is_overdue = left <= 0;
    if (left > 0)
        world_later(r->key, left + 1);
    return p->is_overdue;
}

static void add_update_time(struct rollout *r, struct val *conditions, const struct val *old)
{
    struct val_iter it = val_iter(conditions);

    while (val_next(&it)) {
        struct val_iter was = val_iter(old);
        str time = world_now(r->key);
        while (val_next(&was))
            if (str_eq(val_get_str(was.value, S("type")), val_get_str(it.value, S("type"))) &&
                str_eq(val_get_str(was.value, S("reason")), val_get_str(it.value, S("reason"))) &&
                str_eq(val_get_str(was.value, S("message")), val_get_str(it.value, S("message"))))
                time = val_get_str(was.value, S("lastUpdateTime"));
        val_set_str(r->arena, it.value, S("lastUpdateTime"), time);
    }
}

static void set_conditions(struct rollout *r, struct val *status, int64_t available, bool complete)
{
    struct arena *arena = r->arena;
    const struct val *old = VAL_AT(r->object, "status", "conditions");
    struct val conditions = val_list();
    struct val counts = val_dup_value(arena, status);
    bool enough = available >= r->wanted - r->unavailable;
    str set_name = r->newest == NULL ? STR_EMPTY : r->newest->thing->name;

    val_set(arena, &counts, S("set"), val_string(arena, set_name));
    pod_condition(r->key, &conditions, old, "Available", enough,
                  enough ? "MinimumReplicasAvailable" : "MinimumReplicasUnavailable",
                  enough ? S("Deployment has minimum availability.")
                         : S("Deployment does not have minimum availability."));
    if (val_is_true(VAL_AT(r->object, "spec", "paused"))) {
        pod_condition(r->key, &conditions, old, "Progressing", true, "DeploymentPaused",
                      S("Deployment is paused"));
    } else if (complete) {
        (void)is_overdue(r, &counts, complete);
        pod_condition(r->key, &conditions, old, "Progressing", true, "NewReplicaSetAvailable",
                      arena_printf(arena, "ReplicaSet \"%.*s\" has successfully progressed.",
                                   STR(set_name)));
    } else if (is_overdue(r, &counts, complete)) {
        pod_condition(r->key, &conditions, old, "Progressing", false, "ProgressDeadlineExceeded",
                      arena_printf(arena, "ReplicaSet \"%.*s\" has timed out progressing.",
                                   STR(set_name)));
    } else if (r->newest == NULL) {
        pod_condition(r->key, &conditions, old, "Progressing", true, "NewReplicaSetCreated",
                      S("Created new replica set"));
    } else {
        pod_condition(r->key, &conditions, old, "Progressing", true, "ReplicaSetUpdated",
                      arena_printf(arena, "ReplicaSet \"%.*s\" is progressing.", STR(set_name)));
    }
    add_update_time(r, &conditions, old);
    val_set(arena, status, S("conditions"), conditions);
}

static void add_number(struct arena *arena, struct val *status, const char *name, int64_t number)
{
    if (number > 0)
        val_set(arena, status, str_from(name), val_int(arena, number));
}

static void set_status(struct rollout *r)
{
    struct arena *arena = r->arena;
    struct val status = val_map();
    int64_t available = sum_status(r, "availableReplicas");
    int64_t updated = r->newest == NULL ? 0 : r->newest->replicas;

    val_set(arena, &status, S("observedGeneration"),
            val_dup_value(arena, VAL_AT(r->object, "metadata", "generation")));
    add_number(arena, &status, "replicas", sum_status(r, "replicas"));
    add_number(arena, &status, "updatedReplicas", updated);
    add_number(arena, &status, "readyReplicas", sum_status(r, "readyReplicas"));
    add_number(arena, &status, "availableReplicas", available);
    add_number(arena, &status, "unavailableReplicas", MAX(sum_spec(r), r->wanted) - available);
    set_conditions(r, &status, available, is_complete(r, updated, available));
    world_status(r->key, r->object, MANAGER, &status);
}

void deployment_reconcile(struct world_key *key, const struct val *object)
{
    if (object == NULL || VAL_AT(object, "metadata", "deletionTimestamp") != NULL)
        return;

    struct rollout *r = arena_new0(key->at, struct rollout);
    const struct val *rolling = VAL_AT(object, "spec", "strategy", "rollingUpdate");
    r->key = key;
    r->object = object;
    r->arena = key->at;
    r->wanted = val_i64_or(VAL_AT(object, "spec", "replicas"), 1);
    r->surge = workload_share(val_get(rolling, S("maxSurge")), r->wanted, /*up=*/true, 0);
    r->unavailable =
            workload_share(val_get(rolling, S("maxUnavailable")), r->wanted, /*up=*/false, 0);
    if (r->surge == 0 && r->unavailable == 0)
        r->unavailable = 1;
    r->unavailable = MIN(r->unavailable, r->wanted);
    gather(r);
    if (r->newest != NULL && r->newest->revision < r->max_revision)
        r->newest->revision = r->max_revision + 1; /* rolled back: the old template is new again */
    if (val_is_true(VAL_AT(object, "spec", "paused"))) {
        resize(r);
    } else {
        roll(r);
        set_revision(r, r->newest == NULL ? r->max_revision + 1 : r->newest->revision);
        clean_up(r);
        r->newest = NULL;
        for (size_t i = 0; i < r->count; i++)
            if (r->sets[i].is_new)
                r->newest = &r->sets[i];
    }
    set_status(r);
}
