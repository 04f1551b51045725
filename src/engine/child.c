/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/child.h"
#include "base/mem.h"
#include "engine/info.h"
#include "engine/live.h"
#include "engine/mark.h"

static const struct {
    struct gvk gvk;
    struct gvr gvr;
} kinds[CHILD_KINDS] = {
        [CHILD_REPLICA_SET] = {{S_INIT("apps"), S_INIT("v1"), S_INIT("ReplicaSet")},
                               {S_INIT("apps"), S_INIT("v1"), S_INIT("replicasets")}},
        [CHILD_JOB] = {{S_INIT("batch"), S_INIT("v1"), S_INIT("Job")},
                       {S_INIT("batch"), S_INIT("v1"), S_INIT("jobs")}},
        [CHILD_POD] = {{S_INIT(""), S_INIT("v1"), S_INIT("Pod")},
                       {S_INIT(""), S_INIT("v1"), S_INIT("pods")}},
};

struct gvk child_gvk(enum child_kind kind)
{
    return kinds[kind].gvk;
}

struct gvr child_gvr(enum child_kind kind)
{
    return kinds[kind].gvr;
}

static str clip(str text)
{
    return str_first(text, str_utf8_clip(text, LIMIT_CAUSE_BYTES));
}

/* ---- why a Pod is not ready ---- */

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
            if (!reasons[i].tell_message || str_is_empty(message))
                return reasons[i].words;
            return arena_printf(arena, "%.*s: %.*s", STR(reasons[i].words), STR(clip(message)));
        }
    return STR_EMPTY;
}

/* A container that ended and will not be started again. */
static str exit_words(struct arena *arena, const struct val *ended)
{
    int64_t code = val_i64_or(val_get(ended, S("exitCode")), 0);

    if (str_eq(val_get_str(ended, S("reason")), S("OOMKilled")))
        return reason_words(arena, S("OOMKilled"), STR_EMPTY);
    if (ended == NULL || code == 0)
        return STR_EMPTY;
    return arena_printf(arena, "container failed with exit code %lld", (long long)code);
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
        words = exit_words(arena, VAL_AT(status, "state", "terminated"));
    if (str_is_empty(words))
        return STR_EMPTY;
    return arena_printf(arena, "%.*s: %.*s", STR(val_get_str(status, S("name"))), STR(words));
}

static const char *const status_lists[] = {"initContainerStatuses", "containerStatuses"};

static str pod_trouble(struct arena *arena, const struct val *pod)
{
    struct val_iter it = val_iter(VAL_AT(pod, "status", "conditions"));

    while (val_next(&it))
        if (str_eq(val_get_str(it.value, S("reason")), S("Unschedulable")))
            return arena_printf(arena, "no node takes it: %.*s",
                                STR(clip(val_get_str(it.value, S("message")))));
    for (size_t i = 0; i < COUNT(status_lists); i++) {
        it = val_iter(val_get(val_get(pod, S("status")), str_from(status_lists[i])));
        while (val_next(&it)) {
            str trouble = container_trouble(arena, it.value);

            if (!str_is_empty(trouble))
                return trouble;
        }
    }
    if (str_eq(VAL_STR(pod, "status", "phase"), S("Failed")))
        return arena_printf(arena, "%.*s%s%.*s", STR(VAL_STR(pod, "status", "reason")),
                            str_is_empty(VAL_STR(pod, "status", "message")) ? "" : ": ",
                            STR(clip(VAL_STR(pod, "status", "message"))));
    return STR_EMPTY;
}

/* ---- what trees show ---- */

/* kubectl's STATUS: the first container that waits or ended badly, else the phase. */
static str pod_reason(const struct val *pod)
{
    str reason = VAL_STR(pod, "status", "reason");

    if (VAL_AT(pod, "metadata", "deletionTimestamp") != NULL)
        return S("Terminating");
    for (size_t i = 0; i < COUNT(status_lists) && str_is_empty(reason); i++) {
        struct val_iter it =
                val_iter(val_get(val_get(pod, S("status")), str_from(status_lists[i])));

        while (str_is_empty(reason) && val_next(&it)) {
            const struct val *ended = VAL_AT(it.value, "state", "terminated");

            reason = VAL_STR(it.value, "state", "waiting", "reason");
            if (str_is_empty(reason) && val_i64_or(val_get(ended, S("exitCode")), 0) != 0)
                reason = str_is_empty(val_get_str(ended, S("reason")))
                                 ? S("Error")
                                 : val_get_str(ended, S("reason"));
        }
    }
    return str_is_empty(reason) ? VAL_STR(pod, "status", "phase") : reason;
}

static int64_t pod_restarts(const struct val *pod)
{
    struct val_iter it = val_iter(VAL_AT(pod, "status", "containerStatuses"));
    int64_t count = 0;

    while (val_next(&it))
        count += val_i64_or(val_get(it.value, S("restartCount")), 0);
    return count;
}

static str controller_uid(const struct val *object)
{
    struct val_iter it = val_iter(VAL_AT(object, "metadata", "ownerReferences"));

    while (val_next(&it))
        if (val_get_bool(it.value, S("controller"), false))
            return val_get_str(it.value, S("uid"));
    return STR_EMPTY;
}

/* Moves the texts behind the struct, into one allocation. */
static void *pack(const void *from, size_t size, const size_t *offsets, size_t count)
{
    size_t bytes = size;
    char *out;
    char *at;

    for (size_t i = 0; i < count; i++)
        bytes += ((const str *)((const char *)from + offsets[i]))->len;
    out = mem_new(1, bytes);
    memcpy(out, from, size);
    at = out + size;
    for (size_t i = 0; i < count; i++) {
        str *text = (str *)(out + offsets[i]);

        if (text->len > 0)
            memcpy(at, text->at, text->len);
        *text = str_of(at, text->len);
        at += text->len;
    }
    return out;
}

static void fill_pod(struct child *child, const struct val *object, struct arena *arena)
{
    str phase = VAL_STR(object, "status", "phase");

    child->reason = pod_reason(object);
    child->restarts = pod_restarts(object);
    child->node = VAL_STR(object, "spec", "nodeName");
    child->ended = str_eq(phase, S("Succeeded")) || str_eq(phase, S("Failed"));
    if (!str_eq(phase, S("Succeeded")))
        child->trouble = pod_trouble(arena, object);
}

struct child *child_new(enum child_kind kind, const struct val *object)
{
    static const size_t texts[] = {
            offsetof(struct child, namespace_), offsetof(struct child, name),
            offsetof(struct child, uid),        offsetof(struct child, owner),
            offsetof(struct child, created),    offsetof(struct child, reason),
            offsetof(struct child, message),    offsetof(struct child, trouble),
            offsetof(struct child, info),       offsetof(struct child, images),
            offsetof(struct child, node),       offsetof(struct child, revision)};
    auto_arena struct arena *arena = arena_new(LIMIT_CHILD_ARENA);
    auto_buf struct buf images = {0};
    struct child child = {.kind = kind};
    struct health health;

    child.owner = controller_uid(object);
    if (str_is_empty(child.owner) && str_is_empty(object_label(object, MARK_LABEL)))
        return NULL;
    health = health_of(object, arena);
    live_images(&images, object);
    child.images = buf_str(&images);
    child.namespace_ = object_namespace(object);
    child.name = object_name(object);
    child.uid = object_uid(object);
    child.created = VAL_STR(object, "metadata", "creationTimestamp");
    child.reason = child.trouble = child.node = STR_EMPTY;
    child.info = info_of(object, arena);
    child.revision = object_annotation(object, S("deployment.kubernetes.io/revision"));
    child.message = clip(health.message);
    child.health = health.status;
    child.deleting = VAL_AT(object, "metadata", "deletionTimestamp") != NULL;
    if (kind == CHILD_POD)
        fill_pod(&child, object, arena);
    else if (health_condition_is(object, S("Failed"), S("True")))
        child.reason = val_get_str(health_condition(object, S("Failed")), S("reason"));
    return pack(&child, sizeof(child), texts, COUNT(texts));
}

void child_free(struct child *child)
{
    mem_free(child);
}

/* ---- warnings ---- */

static const struct {
    str reason;
    str words;
} warnings[] = {
        {S_INIT("FailedCreate"), S_INIT("Pods cannot be made")},
        {S_INIT("FailedScheduling"), S_INIT("no node takes it")},
        {S_INIT("FailedMount"), S_INIT("volume cannot be mounted")},
        {S_INIT("FailedAttachVolume"), S_INIT("volume cannot be attached")},
        {S_INIT("FailedCreatePodSandBox"), S_INIT("Pod network cannot be set up")},
        {S_INIT("ProvisioningFailed"), S_INIT("storage cannot be provisioned")},
        {S_INIT("Unhealthy"), S_INIT("probe fails")},
        {S_INIT("FailedPreStopHook"), S_INIT("hook before the stop fails")},
        {S_INIT("FailedPostStartHook"), S_INIT("hook after the start fails")},
        {S_INIT("Evicted"), S_INIT("evicted from its node")},
};

struct warning *warning_new(const struct val *event)
{
    static const size_t texts[] = {
            offsetof(struct warning, about), offsetof(struct warning, reason),
            offsetof(struct warning, message), offsetof(struct warning, last)};
    struct warning warning = {
            .about = VAL_STR(event, "involvedObject", "uid"),
            .reason = val_get_str(event, S("reason")),
            .message = clip(val_get_str(event, S("message"))),
            .last = val_get_str(event, S("lastTimestamp")),
    };

    if (str_is_empty(warning.about) || !str_eq(val_get_str(event, S("type")), S("Warning")))
        return NULL;
    if (str_is_empty(warning.last))
        warning.last = VAL_STR(event, "series", "lastObservedTime");
    if (str_is_empty(warning.last))
        warning.last = val_get_str(event, S("eventTime"));
    return pack(&warning, sizeof(warning), texts, COUNT(texts));
}

void warning_free(struct warning *warning)
{
    mem_free(warning);
}

str warning_words(const struct warning *warning, struct arena *arena)
{
    str words = warning->reason;

    for (size_t i = 0; i < COUNT(warnings); i++)
        if (str_eq(warning->reason, warnings[i].reason))
            words = warnings[i].words;
    if (str_is_empty(warning->message))
        return arena_str(arena, words);
    return arena_printf(arena, "%.*s: %.*s", STR(words), STR(warning->message));
}
