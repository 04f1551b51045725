/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/pod.h"
#include "sandbox/workload.h"

#define MANAGER "kube-controller-manager"

/* There is one node: does the template's nodeSelector take it? */
static bool fits_node(const struct world *world, struct world_key *key, const struct val *template_)
{
    struct thing *node = world_find(world, WORLD_NODE, STR_EMPTY, S(POD_NODE));
    struct val_iter it = val_iter(VAL_AT(template_, "spec", "nodeSelector"));

    if (node == NULL)
        return false;
    const struct val *object = world_parse(key, node);
    while (val_next(&it))
        if (!str_eq(object_label(object, it.key), val_str(it.value)))
            return false;
    return true;
}

static void set_status(struct world_key *key, const struct val *set, int64_t desired,
                       const struct thing *pod, str hash)
{
    struct arena *arena = key->at;
    struct val status = val_map();
    int64_t is_there = pod != NULL ? 1 : 0;
    int64_t is_ready = pod != NULL && pod->ready && !pod->deleting ? 1 : 0;
    int64_t is_new = pod != NULL && str_eq(pod->revision, hash) ? 1 : 0;

    val_set(arena, &status, S("observedGeneration"),
            val_dup_value(arena, VAL_AT(set, "metadata", "generation")));
    val_set(arena, &status, S("desiredNumberScheduled"), val_int(arena, desired));
    val_set(arena, &status, S("currentNumberScheduled"), val_int(arena, is_there));
    val_set(arena, &status, S("numberMisscheduled"), val_int(arena, 0));
    val_set(arena, &status, S("numberReady"), val_int(arena, is_ready));
    if (is_new > 0)
        val_set(arena, &status, S("updatedNumberScheduled"), val_int(arena, is_new));
    if (is_ready > 0)
        val_set(arena, &status, S("numberAvailable"), val_int(arena, is_ready));
    if (desired > is_ready)
        val_set(arena, &status, S("numberUnavailable"), val_int(arena, desired - is_ready));
    world_status(key, set, MANAGER, &status);
}

void daemon_set_reconcile(struct world_key *key, const struct val *set)
{
    if (set == NULL || VAL_AT(set, "metadata", "deletionTimestamp") != NULL)
        return;

    const struct val *template_ = VAL_AT(set, "spec", "template");
    str hash = pod_template_hash(key->at, template_);
    bool on_delete = str_eq(VAL_STR(set, "spec", "updateStrategy", "type"), S("OnDelete"));
    int64_t desired = fits_node(key->world, key, template_) ? 1 : 0;
    struct thing *pod = NULL;
    bool ending = false;

    for (struct thing *t = world_children(key->world, object_uid(set)); t != NULL;
         t = t->next_sibling) {
        if (t->kind != WORLD_POD)
            continue;
        ending = ending || t->deleting;
        if (t->deleting)
            continue;
        bool is_old = !on_delete && !str_eq(t->revision, hash);
        if (pod != NULL || desired == 0 || t->finished || is_old) {
            world_delete(key, t, /*at_once=*/false);
            ending = true;
        } else {
            pod = t;
        }
    }
    if (pod == NULL && desired == 1 && !ending)
        world_create(key, WORLD_POD, MANAGER,
                     pod_from_template(key, set, template_, pod_random_name(key->at, key->name),
                                       "controller-revision-hash", hash));
    set_status(key, set, desired, pod, hash);
}
