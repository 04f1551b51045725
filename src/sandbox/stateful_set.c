/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/pod.h"
#include "sandbox/workload.h"

#define MANAGER "kube-controller-manager"
#define HASH_LABEL "controller-revision-hash"

enum { PODS_MAX = 1000 };

struct stateful {
    struct world_key *key;
    struct arena *arena;
    const struct val *set;
    str update_revision; /* NAME-HASH */
    int64_t first;       /* spec.ordinals.start */
    int64_t wanted;
    struct thing **pods; /* by ordinal − first */
    bool waits;          /* for a Pod to become ready, or to end */
};

static str pod_name(const struct stateful *s, int64_t ordinal)
{
    return arena_printf(s->arena, "%.*s-%lld", STR(s->key->name), (long long)ordinal);
}

static void gather(struct stateful *s)
{
    s->pods = arena_array(s->arena, (size_t)s->wanted, struct thing *);
    for (int64_t i = 0; i < s->wanted; i++) {
        struct thing *pod =
                world_find(s->key->world, WORLD_POD, s->key->namespace_, pod_name(s, s->first + i));
        s->pods[i] = pod != NULL && str_eq(pod->owner_uid, object_uid(s->set)) ? pod : NULL;
    }
}

/* The claims of one Pod; they stay when it goes. */
static void create_claims(struct stateful *s, struct val *pod, str name)
{
    struct val_iter it = val_iter(VAL_AT(s->set, "spec", "volumeClaimTemplates"));
    struct arena *arena = s->arena;

    while (val_next(&it)) {
        str volume = VAL_STR(it.value, "metadata", "name");
        str claim_name = arena_printf(arena, "%.*s-%.*s", STR(volume), STR(name));
        struct val entry = val_map();
        val_set_str(arena, &entry, S("name"), volume);
        val_set_str(arena, val_ensure_map(arena, &entry, S("persistentVolumeClaim")),
                    S("claimName"), claim_name);
        val_append(arena, val_ensure_list(arena, val_get(pod, S("spec")), S("volumes")), entry);
        if (world_find(s->key->world, WORLD_CLAIM, s->key->namespace_, claim_name) != NULL)
            continue;
        struct val *claim = val_dup(arena, it.value);
        val_set_str(arena, claim, S("apiVersion"), S("v1"));
        val_set_str(arena, claim, S("kind"), S("PersistentVolumeClaim"));
        val_del(claim, S("status"));
        struct val *metadata = val_ensure_map(arena, claim, S("metadata"));
        val_set_str(arena, metadata, S("name"), claim_name);
        val_set_str(arena, metadata, S("namespace"), s->key->namespace_);
        world_create(s->key, WORLD_CLAIM, MANAGER, claim);
    }
}

static void create_pod(struct stateful *s, int64_t ordinal)
{
    struct arena *arena = s->arena;
    str name = pod_name(s, ordinal);

    /* A Pod of the name that is not ours, or still ends: wait for it. */
    if (world_find(s->key->world, WORLD_POD, s->key->namespace_, name) != NULL) {
        s->waits = true;
        return;
    }
    struct val *pod = pod_from_template(s->key, s->set, VAL_AT(s->set, "spec", "template"), name,
                                        HASH_LABEL, s->update_revision);
    struct val *labels = val_ensure_map(arena, val_get(pod, S("metadata")), S("labels"));
    val_set_str(arena, labels, S("statefulset.kubernetes.io/pod-name"), name);
    val_set_str(arena, labels, S("apps.kubernetes.io/pod-index"),
                arena_printf(arena, "%lld", (long long)ordinal));
    struct val *spec = val_ensure_map(arena, pod, S("spec"));
    val_set_str(arena, spec, S("hostname"), name);
    str subdomain = VAL_STR(s->set, "spec", "serviceName");
    if (!str_is_empty(subdomain))
        val_set_str(arena, spec, S("subdomain"), subdomain);
    create_claims(s, pod, name);
    world_create(s->key, WORLD_POD, MANAGER, pod);
}

/* One after the other, each when the one before is ready; or all at once. */
static void scale(struct stateful *s)
{
    bool parallel = str_eq(VAL_STR(s->set, "spec", "podManagementPolicy"), S("Parallel"));

    for (int64_t i = 0; i < s->wanted && !(s->waits && !parallel); i++) {
        struct thing *pod = s->pods[i];
        if (pod == NULL) {
            create_pod(s, s->first + i);
            s->waits = true;
        } else if (pod->finished && !pod->deleting) {
            world_delete(s->key, pod, /*at_once=*/false);
            s->waits = true;
        } else if (pod->deleting || !pod->ready) {
            s->waits = true;
        }
    }
    if (s->waits && !parallel)
        return;
    /* The highest goes first. */
    struct thing *highest = NULL;
    int64_t ordinal = -1;
    for (struct thing *t = world_children(s->key->world, object_uid(s->set)); t != NULL;
         t = t->next_sibling) {
        int64_t number = 0;
        size_t dash = str_rfind_char(t->name, '-');
        if (t->kind != WORLD_POD || dash == SIZE_MAX ||
            !str_to_i64(str_from_index(t->name, dash + 1), &number))
            continue;
        bool is_extra = number < s->first || number >= s->first + s->wanted;
        if (is_extra && parallel && !t->deleting)
            world_delete(s->key, t, /*at_once=*/false);
        if (is_extra && number > ordinal) {
            highest = t;
            ordinal = number;
        }
    }
    if (highest != NULL && !highest->deleting)
        world_delete(s->key, highest, /*at_once=*/false);
    s->waits = s->waits || highest != NULL;
}

static void roll(struct stateful *s)
{
    const struct val *strategy = VAL_AT(s->set, "spec", "updateStrategy");
    int64_t partition = val_i64_or(VAL_AT(strategy, "rollingUpdate", "partition"), 0);

    if (s->waits || str_eq(val_get_str(strategy, S("type")), S("OnDelete")))
        return;
    for (int64_t i = s->wanted - 1; i >= 0 && s->first + i >= partition; i--) {
        if (s->pods[i] == NULL || str_eq(s->pods[i]->revision, s->update_revision))
            continue;
        world_delete(s->key, s->pods[i], /*at_once=*/false);
        return;
    }
}

/* A Pod of the old template that does not work is replaced without waiting for it. */
static void replace_broken(struct stateful *s)
{
    bool on_delete = str_eq(VAL_STR(s->set, "spec", "updateStrategy", "type"), S("OnDelete"));

    for (int64_t i = s->wanted - 1; i >= 0 && !on_delete; i--) {
        struct thing *pod = s->pods[i];
        if (pod == NULL || pod->ready || pod->deleting || pod->finished ||
            str_eq(pod->revision, s->update_revision))
            continue;
        world_delete(s->key, pod, /*at_once=*/false);
        return;
    }
}

static void set_status(struct stateful *s)
{
    struct arena *arena = s->arena;
    struct val status = val_map();
    int64_t counts[4] = {0}; /* replicas, ready, updated, current */
    str current = VAL_STR(s->set, "status", "currentRevision");

    if (str_is_empty(current))
        current = s->update_revision;
    for (int64_t i = 0; i < s->wanted; i++) {
        struct thing *pod = s->pods[i];
        if (pod == NULL || pod->finished)
            continue;
        counts[0]++;
        counts[1] += pod->ready && !pod->deleting ? 1 : 0;
        counts[2] += str_eq(pod->revision, s->update_revision) ? 1 : 0;
        counts[3] += str_eq(pod->revision, current) ? 1 : 0;
    }
    if (counts[2] == s->wanted && counts[1] == s->wanted) {
        current = s->update_revision;
        counts[3] = counts[2];
    }
    static const char *const names[] = {"replicas", "readyReplicas", "updatedReplicas",
                                        "currentReplicas"};
    val_set(arena, &status, S("observedGeneration"),
            val_dup_value(arena, VAL_AT(s->set, "metadata", "generation")));
    for (size_t i = 0; i < COUNT(names); i++)
        if (counts[i] > 0 || i == 0)
            val_set(arena, &status, str_from(names[i]), val_int(arena, counts[i]));
    val_set(arena, &status, S("availableReplicas"), val_int(arena, counts[1]));
    val_set_str(arena, &status, S("currentRevision"), current);
    val_set_str(arena, &status, S("updateRevision"), s->update_revision);
    val_set(arena, &status, S("collisionCount"), val_int(arena, 0));
    world_status(s->key, s->set, MANAGER, &status);
}

void stateful_set_reconcile(struct world_key *key, const struct val *set)
{
    if (set == NULL || VAL_AT(set, "metadata", "deletionTimestamp") != NULL)
        return;

    str hash = pod_template_hash(key->at, VAL_AT(set, "spec", "template"));
    struct stateful s = {
            .key = key,
            .arena = key->at,
            .set = set,
            .update_revision = arena_printf(key->at, "%.*s-%.*s", STR(key->name), STR(hash)),
            .first = val_i64_or(VAL_AT(set, "spec", "ordinals", "start"), 0),
            .wanted = MIN(val_i64_or(VAL_AT(set, "spec", "replicas"), 1), (int64_t)PODS_MAX),
    };
    s.wanted = MAX(s.wanted, (int64_t)0);
    gather(&s);
    replace_broken(&s);
    scale(&s);
    roll(&s);
    set_status(&s);
}
