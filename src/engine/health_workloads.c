/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/health.h"

/* Health of the kinds that run Pods. Each function reads down its rule of spec/argocd.md 1.3.1. */

static bool observed_is_old(const struct val *object)
{
    return health_number(object, "metadata", "generation", 0) >
           health_number(object, "status", "observedGeneration", 0);
}

static struct health waiting(struct arena *arena, const char *format, int64_t have, int64_t want)
{
    return health_make(HEALTH_PROGRESSING, arena_printf(arena, "%s: %lld of %lld", format,
                                                        (long long)have, (long long)want));
}

static struct health deployment(const struct val *o, struct arena *arena)
{
    int64_t wanted = health_number(o, "spec", "replicas", 1);
    int64_t updated = health_number(o, "status", "updatedReplicas", 0);
    int64_t all = health_number(o, "status", "replicas", 0);
    int64_t available = health_number(o, "status", "availableReplicas", 0);
    const struct val *progressing = health_condition(o, S("Progressing"));

    if (val_is_true(VAL_AT(o, "spec", "paused")))
        return health_make(HEALTH_SUSPENDED, S("Deployment is paused"));
    if (observed_is_old(o))
        return health_make(HEALTH_PROGRESSING, S("the new specification is not observed yet"));
    if (str_eq(val_get_str(progressing, S("reason")), S("ProgressDeadlineExceeded")))
        return health_make(HEALTH_DEGRADED, arena_printf(arena,
                                                         "Deployment \"%.*s\" exceeded its "
                                                         "progress deadline",
                                                         STR(object_name(o))));
    if (updated < wanted)
        return waiting(arena, "new replicas updated", updated, wanted);
    if (all > updated)
        return waiting(arena, "old replicas still to end", all - updated, all);
    if (available < updated)
        return waiting(arena, "updated replicas available", available, updated);
    return health_make(HEALTH_HEALTHY, STR_EMPTY);
}

static struct health stateful_set(const struct val *o, struct arena *arena)
{
    int64_t wanted = health_number(o, "spec", "replicas", 1);
    int64_t updated = health_number(o, "status", "updatedReplicas", 0);
    const struct val *strategy = VAL_AT(o, "spec", "updateStrategy");
    const struct val *rolling = val_get(strategy, S("rollingUpdate"));
    const struct val *partition = val_get(rolling, S("partition"));
    int64_t ready = health_number(o, "status", "readyReplicas", 0);

    if (health_number(o, "status", "observedGeneration", 0) == 0 || observed_is_old(o))
        return health_make(HEALTH_PROGRESSING, S("the new specification is not observed yet"));
    if (ready < wanted)
        return waiting(arena, "replicas ready", ready, wanted);
    if (str_eq(val_get_str(strategy, S("type")), S("RollingUpdate")) && rolling != NULL) {
        int64_t target = wanted - val_i64_or(partition, 0);

        if (partition != NULL && updated < target)
            return waiting(arena, "replicas updated", updated, target);
        return health_make(HEALTH_HEALTHY, STR_EMPTY);
    }
    if (str_eq(val_get_str(strategy, S("type")), S("OnDelete")))
        return health_make(HEALTH_HEALTHY, STR_EMPTY);
    if (!str_eq(VAL_STR(o, "status", "updateRevision"), VAL_STR(o, "status", "currentRevision")))
        return waiting(arena, "replicas at the new revision", updated, wanted);
    return health_make(HEALTH_HEALTHY, STR_EMPTY);
}

static struct health daemon_set(const struct val *o, struct arena *arena)
{
    int64_t desired = health_number(o, "status", "desiredNumberScheduled", 0);
    int64_t updated = health_number(o, "status", "updatedNumberScheduled", 0);
    int64_t available = health_number(o, "status", "numberAvailable", 0);

    if (observed_is_old(o))
        return health_make(HEALTH_PROGRESSING, S("the new specification is not observed yet"));
    if (str_eq(VAL_STR(o, "spec", "updateStrategy", "type"), S("OnDelete")))
        return health_make(HEALTH_HEALTHY, STR_EMPTY);
    if (updated < desired)
        return waiting(arena, "Pods updated", updated, desired);
    if (available < desired)
        return waiting(arena, "updated Pods available", available, desired);
    return health_make(HEALTH_HEALTHY, STR_EMPTY);
}

static struct health replica_set(const struct val *o, struct arena *arena)
{
    int64_t wanted = health_number(o, "spec", "replicas", 1);
    int64_t available = health_number(o, "status", "availableReplicas", 0);

    if (observed_is_old(o))
        return health_make(HEALTH_PROGRESSING, S("the new specification is not observed yet"));
    if (health_condition_is(o, S("ReplicaFailure"), S("True")))
        return health_make(HEALTH_DEGRADED,
                           val_get_str(health_condition(o, S("ReplicaFailure")), S("message")));
    if (available < wanted)
        return waiting(arena, "replicas available", available, wanted);
    return health_make(HEALTH_HEALTHY, STR_EMPTY);
}

/* ---- Pod ---- */

static bool pod_runs_long(const struct val *o)
{
    str policy = VAL_STR(o, "spec", "restartPolicy");
    bool is_hook = !str_is_empty(object_annotation(o, S("argocd.argoproj.io/hook")));

    return str_eq(policy, S("Always")) || str_is_empty(policy) ||
           (!is_hook &&
            str_eq(object_annotation(o, S("argocd.argoproj.io/ignore-restart-policy")), S("true")));
}

/* The first container that waits for a reason which does not pass by itself. */
static const struct val *pod_stuck(const struct val *o)
{
    static const char *const lists[] = {"initContainerStatuses", "containerStatuses"};

    for (size_t i = 0; i < COUNT(lists); i++) {
        struct val_iter it = val_iter(val_get(val_get(o, S("status")), str_from(lists[i])));

        while (val_next(&it)) {
            const struct val *waits = VAL_AT(it.value, "state", "waiting");
            str reason = val_get_str(waits, S("reason"));

            if (str_starts(reason, S("Err")) || str_ends(reason, S("Error")) ||
                str_ends(reason, S("BackOff")))
                return waits;
        }
    }
    return NULL;
}

static str pod_failure(const struct val *o, struct arena *arena)
{
    static const char *const lists[] = {"initContainerStatuses", "containerStatuses"};
    str message = VAL_STR(o, "status", "message");

    for (size_t i = 0; i < COUNT(lists) && str_is_empty(message); i++) {
        struct val_iter it = val_iter(val_get(val_get(o, S("status")), str_from(lists[i])));

        while (str_is_empty(message) && val_next(&it)) {
            const struct val *ended = VAL_AT(it.value, "state", "terminated");
            int64_t code = val_i64_or(val_get(ended, S("exitCode")), 0);

            message = val_get_str(ended, S("message"));
            if (str_is_empty(message) && str_eq(val_get_str(ended, S("reason")), S("OOMKilled")))
                message = S("OOMKilled");
            if (str_is_empty(message) && code != 0)
                message = arena_printf(arena, "container \"%.*s\" failed with exit code %lld",
                                       STR(val_get_str(it.value, S("name"))), (long long)code);
        }
    }
    return message;
}

static bool pod_ended_before(const struct val *o)
{
    struct val_iter it = val_iter(VAL_AT(o, "status", "containerStatuses"));

    while (val_next(&it))
        if (VAL_AT(it.value, "lastState", "terminated") != NULL)
            return true;
    return false;
}

static struct health pod(const struct val *o, struct arena *arena)
{
    bool long_running = pod_runs_long(o);
    const struct val *stuck = long_running ? pod_stuck(o) : NULL;
    str phase = VAL_STR(o, "status", "phase");
    str message = VAL_STR(o, "status", "message");

    if (stuck != NULL)
        return health_make(HEALTH_DEGRADED, val_get_str(stuck, S("message")));
    if (str_eq(phase, S("Pending")))
        return health_make(HEALTH_PROGRESSING, message);
    if (str_eq(phase, S("Succeeded")))
        return health_make(HEALTH_HEALTHY, message);
    if (str_eq(phase, S("Failed")))
        return health_make(HEALTH_DEGRADED, pod_failure(o, arena));
    if (!str_eq(phase, S("Running")))
        return health_make(HEALTH_UNKNOWN, message);
    if (!long_running)
        return health_make(HEALTH_PROGRESSING, message);
    if (health_condition_is(o, S("Ready"), S("True")))
        return health_make(HEALTH_HEALTHY, message);
    if (pod_ended_before(o))
        return health_make(HEALTH_DEGRADED, message);
    return health_make(HEALTH_PROGRESSING, message);
}

/* ---- Jobs ---- */

static struct health job(const struct val *o, UNUSED struct arena *arena)
{
    static const struct {
        str type;
        enum health_status status;
    } rows[] = {
            {S_INIT("Failed"), HEALTH_DEGRADED},
            {S_INIT("Suspended"), HEALTH_SUSPENDED},
            {S_INIT("Complete"), HEALTH_HEALTHY},
    };

    for (size_t i = 0; i < COUNT(rows); i++)
        if (health_condition_is(o, rows[i].type, S("True")))
            return health_make(rows[i].status,
                               val_get_str(health_condition(o, rows[i].type), S("message")));
    return health_make(HEALTH_PROGRESSING, S("Job is running"));
}

static struct health cron_job(const struct val *o, UNUSED struct arena *arena)
{
    const struct val *status = val_get(o, S("status"));
    str scheduled = val_get_str(status, S("lastScheduleTime"));
    str succeeded = val_get_str(status, S("lastSuccessfulTime"));

    if (status == NULL)
        return health_make(HEALTH_PROGRESSING, S("CronJob has no status yet"));
    if (val_is_true(VAL_AT(o, "spec", "suspend")))
        return health_make(HEALTH_HEALTHY, S("CronJob is suspended"));
    if (val_count(val_get(status, S("active"))) > 0)
        return health_make(HEALTH_HEALTHY, S("CronJob has running Jobs"));
    /* RFC 3339 in UTC sorts as text. */
    if (!str_is_empty(succeeded) && str_cmp(succeeded, scheduled) < 0)
        return health_make(HEALTH_DEGRADED, S("the last Job did not succeed"));
    return health_make(HEALTH_HEALTHY, STR_EMPTY);
}

const struct health_rule health_workloads[] = {
        {"apps", "Deployment", deployment},
        {"apps", "StatefulSet", stateful_set},
        {"apps", "DaemonSet", daemon_set},
        {"apps", "ReplicaSet", replica_set},
        {"", "Pod", pod},
        {"batch", "Job", job},
        {"batch", "CronJob", cron_job},
        {0},
};
