/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/causes.h"
#include "base/map.h"
#include "base/mem.h"

#define CAUSE_ARENA (64 * LIMIT_KIB)
#define CAUSE_MESSAGE 200

/* A Pod or ReplicaSet, reduced: one allocation. */
struct dependent {
    str owner;   /* uid of its controller */
    str trouble; /* of a Pod: what keeps it from being ready, or empty; of a ReplicaSet: its uid */
};

struct causes {
    struct kube *kube;
    struct reflector *pods;
    struct reflector *replica_sets;
    struct map *parents; /* uid of a ReplicaSet → its dependent record's owner (owned text) */
    causes_changed_fn *changed;
    void *owner;
};

/* Reasons that containers wait or ended for, in words for people. */
static const struct {
    str reason;
    str words;
    bool tell_message;
} reasons[] = {
        {S_INIT("ImagePullBackOff"), S_INIT("image cannot be pulled"), false},
        {S_INIT("ErrImagePull"), S_INIT("image cannot be pulled"), false},
        {S_INIT("ErrImageNeverPull"), S_INIT("image is not on the node"), false},
        {S_INIT("InvalidImageName"), S_INIT("image name is invalid"), true},
        {S_INIT("CrashLoopBackOff"), S_INIT("container keeps crashing"), false},
        {S_INIT("OOMKilled"), S_INIT("container runs out of memory"), false},
        {S_INIT("CreateContainerConfigError"), S_INIT("configuration is missing"), true},
        {S_INIT("CreateContainerError"), S_INIT("container cannot be made"), true},
        {S_INIT("RunContainerError"), S_INIT("container cannot be started"), true},
};

static str reason_words(struct arena *arena, str reason, str message)
{
    for (size_t i = 0; i < COUNT(reasons); i++)
        if (str_eq(reason, reasons[i].reason)) {
            str clipped = str_first(message, str_utf8_clip(message, CAUSE_MESSAGE));

            if (!reasons[i].tell_message || str_is_empty(message))
                return reasons[i].words;
            return arena_printf(arena, "%.*s: %.*s", STR(reasons[i].words), STR(clipped));
        }
    return STR_EMPTY;
}

static str container_trouble(struct arena *arena, const struct val *status)
{
    const struct val *waits = VAL_AT(status, "state", "waiting");
    const struct val *ended = VAL_AT(status, "lastState", "terminated");
    str words = STR_EMPTY;

    /* The last end says more than "keeps crashing" does. */
    if (str_eq(val_get_str(ended, S("reason")), S("OOMKilled")))
        words = reason_words(arena, S("OOMKilled"), STR_EMPTY);
    if (str_is_empty(words))
        words = reason_words(arena, val_get_str(waits, S("reason")),
                             val_get_str(waits, S("message")));
    if (str_is_empty(words))
        return STR_EMPTY;
    return arena_printf(arena, "%.*s: %.*s", STR(val_get_str(status, S("name"))), STR(words));
}

static str pod_trouble(struct arena *arena, const struct val *pod)
{
    static const char *const lists[] = {"initContainerStatuses", "containerStatuses"};
    struct val_iter it = val_iter(VAL_AT(pod, "status", "conditions"));

    while (val_next(&it)) {
        str message = val_get_str(it.value, S("message"));

        if (str_eq(val_get_str(it.value, S("reason")), S("Unschedulable")))
            return arena_printf(arena, "no node takes it: %.*s",
                                STR(str_first(message, str_utf8_clip(message, CAUSE_MESSAGE))));
    }
    for (size_t i = 0; i < COUNT(lists); i++) {
        it = val_iter(val_get(val_get(pod, S("status")), str_from(lists[i])));
        while (val_next(&it)) {
            str trouble = container_trouble(arena, it.value);

            if (!str_is_empty(trouble))
                return trouble;
        }
    }
    return STR_EMPTY;
}

/* ---- what is kept ---- */

static str controller_uid(const struct val *object)
{
    struct val_iter it = val_iter(VAL_AT(object, "metadata", "ownerReferences"));

    while (val_next(&it))
        if (val_get_bool(it.value, S("controller"), false))
            return val_get_str(it.value, S("uid"));
    return STR_EMPTY;
}

static struct dependent *dependent_new(str owner, str trouble)
{
    struct dependent *dependent = mem_new(1, sizeof(*dependent) + owner.len + trouble.len);
    char *at = (char *)(dependent + 1);

    memcpy(at, owner.at, owner.len);
    dependent->owner = str_of(at, owner.len);
    if (trouble.len > 0)
        memcpy(at + owner.len, trouble.at, trouble.len);
    dependent->trouble = str_of(at + owner.len, trouble.len);
    return dependent;
}

static void *pod_keep(UNUSED void *owner, const struct val *object)
{
    auto_arena struct arena *arena = arena_new(CAUSE_ARENA);
    str controller = controller_uid(object);

    return str_is_empty(controller) ? NULL : dependent_new(controller, pod_trouble(arena, object));
}

static void *replica_set_keep(void *owner, const struct val *object)
{
    struct causes *causes = owner;
    str controller = controller_uid(object);

    if (str_is_empty(controller))
        return NULL;
    mem_free(map_set(causes->parents, object_uid(object), mem_dup_z(controller)));
    return dependent_new(controller, object_uid(object));
}

static void dependent_drop(UNUSED void *owner, void *kept)
{
    mem_free(kept);
}

/* The workload above a Pod's controller: a Deployment above its ReplicaSet, else itself. */
static str workload_of(const struct causes *causes, str controller)
{
    const char *parent = map_get(causes->parents, controller);

    return parent == NULL ? controller : str_from(parent);
}

static void pod_changed(void *owner, UNUSED str namespace_, UNUSED str name, const void *was,
                        const void *is)
{
    struct causes *causes = owner;
    const struct dependent *before = was;
    const struct dependent *after = is;
    const struct dependent *any = after != NULL ? after : before;

    if (str_eq(before == NULL ? STR_EMPTY : before->trouble,
               after == NULL ? STR_EMPTY : after->trouble))
        return;
    causes->changed(causes->owner, workload_of(causes, any->owner));
}

static void replica_set_changed(void *owner, UNUSED str namespace_, UNUSED str name,
                                const void *was, const void *is)
{
    struct causes *causes = owner;
    const struct dependent *gone = was;

    if (is == NULL && gone != NULL)
        mem_free(map_del(causes->parents, gone->trouble));
}

static void causes_told(UNUSED void *owner)
{
}

static void causes_trouble(UNUSED void *owner, UNUSED const struct err *err)
{
}

static const struct reflector_events pod_events = {
        .keep = pod_keep,
        .drop = dependent_drop,
        .changed = pod_changed,
        .complete = causes_told,
        .trouble = causes_trouble,
};

static const struct reflector_events replica_set_events = {
        .keep = replica_set_keep,
        .drop = dependent_drop,
        .changed = replica_set_changed,
        .complete = causes_told,
        .trouble = causes_trouble,
};

struct causes *causes_new(struct kube *kube, causes_changed_fn *changed, void *owner)
{
    struct causes *causes = new0(struct causes);
    struct kube_selector pods = {.gvr = {S(""), S("v1"), S("pods")}};
    struct kube_selector replica_sets = {.gvr = {S("apps"), S("v1"), S("replicasets")}};

    causes->kube = kube;
    causes->changed = changed;
    causes->owner = owner;
    causes->parents = map_new();
    causes->replica_sets = reflector_new(kube, &replica_sets, &replica_set_events, causes);
    causes->pods = reflector_new(kube, &pods, &pod_events, causes);
    return causes;
}

void causes_free(struct causes *causes)
{
    struct map_iter it;

    if (causes == NULL)
        return;
    reflector_free(causes->pods);
    reflector_free(causes->replica_sets);
    it = map_iter(causes->parents);
    while (map_next(&it))
        mem_free(it.value);
    map_free(causes->parents);
    mem_free(causes);
}

/* ---- asking ---- */

struct question {
    const struct causes *causes;
    str uid;
    str first; /* the trouble that is told */
    size_t all;
    size_t with_it;
};

static void question_pod(void *owner, UNUSED str namespace_, UNUSED str name, void *kept)
{
    struct question *question = owner;
    const struct dependent *pod = kept;

    if (!str_eq(workload_of(question->causes, pod->owner), question->uid))
        return;
    question->all++;
    if (str_is_empty(question->first))
        question->first = pod->trouble;
    if (!str_is_empty(pod->trouble) && str_eq(pod->trouble, question->first))
        question->with_it++;
}

str causes_of(const struct causes *causes, str uid, struct arena *arena)
{
    struct question question = {.causes = causes, .uid = uid, .first = STR_EMPTY};

    if (causes == NULL)
        return STR_EMPTY;
    reflector_each(causes->pods, question_pod, &question);
    if (question.with_it == 0)
        return STR_EMPTY;
    return arena_printf(arena, "%.*s, %zu of %zu Pods", STR(question.first), question.with_it,
                        question.all);
}
