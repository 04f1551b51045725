/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/pod.h"
#include "sandbox/workload.h"

enum { CREATE_AT_ONCE = 500 }; /* as the real controller's burst */

/* The next Pod to go: one that is not ready before one that is, the youngest first. */
static struct thing *victim(const struct world *world, str owner_uid)
{
    struct thing *found = NULL;

    for (struct thing *t = world_children(world, owner_uid); t != NULL; t = t->next_sibling) {
        if (t->kind != WORLD_POD || t->deleting || t->finished)
            continue;
        if (found == NULL || (found->ready && !t->ready) ||
            (found->ready == t->ready && t->version > found->version))
            found = t;
    }
    return found;
}

static void set_status(struct world_key *key, const struct val *set)
{
    struct arena *arena = key->at;
    struct pod_counts counts = pod_count(key->world, object_uid(set));
    struct val status = val_map();

    val_set(arena, &status, S("replicas"), val_int(arena, counts.active));
    if (counts.active > 0)
        val_set(arena, &status, S("fullyLabeledReplicas"), val_int(arena, counts.active));
    if (counts.ready > 0) {
        val_set(arena, &status, S("readyReplicas"), val_int(arena, counts.ready));
        val_set(arena, &status, S("availableReplicas"), val_int(arena, counts.ready));
    }
    const struct val *generation = VAL_AT(set, "metadata", "generation");
    val_set(arena, &status, S("observedGeneration"), val_dup_value(arena, generation));
    world_status(key, set, "kube-controller-manager", &status);
}

void replica_set_reconcile(struct world_key *key, const struct val *set)
{
    if (set == NULL || VAL_AT(set, "metadata", "deletionTimestamp") != NULL)
        return;

    str uid = object_uid(set);
    int64_t wanted = val_i64_or(VAL_AT(set, "spec", "replicas"), 1);
    struct pod_counts counts = pod_count(key->world, uid);
    for (int64_t i = counts.active; i < wanted && i - counts.active < CREATE_AT_ONCE; i++) {
        str name = pod_random_name(key->at, key->name);
        world_create(key, WORLD_POD, "kube-controller-manager",
                     pod_from_template(key, set, VAL_AT(set, "spec", "template"), name, NULL,
                                       STR_EMPTY));
    }
    for (int64_t i = wanted; i < counts.active; i++) {
        struct thing *pod = victim(key->world, uid);
        if (pod != NULL)
            world_delete(key, pod, /*at_once=*/false);
    }
    set_status(key, set);
}
