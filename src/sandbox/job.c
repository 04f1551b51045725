/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "base/mem.h"
#include "sandbox/pod.h"
#include "sandbox/workload.h"

#define MANAGER "job-controller"

/* When a finished Job with a time to live ended, by our clock. */
struct ending {
    int64_t since_ms;
};

static bool has_condition(const struct val *job, const char *type)
{
    struct val_iter it = val_iter(VAL_AT(job, "status", "conditions"));

    while (val_next(&it))
        if (str_eq(val_get_str(it.value, S("type")), str_from(type)) &&
            str_eq(val_get_str(it.value, S("status")), S("True")))
            return true;
    return false;
}

static void add_condition(struct world_key *key, const struct val *job, struct val *status,
                          const char *type, const char *reason, str message)
{
    struct val conditions = val_list();

    pod_condition(key, &conditions, VAL_AT(job, "status", "conditions"), type, true, reason,
                  message);
    struct val *one = val_item(&conditions, 0);
    val_set_str(key->at, one, S("lastProbeTime"), world_now(key));
    val_append(key->at, val_ensure_list(key->at, status, S("conditions")), *one);
}

static void set_status(struct world_key *key, const struct val *job,
                       const struct pod_counts *counts, bool done, bool failed)
{
    struct arena *arena = key->at;
    struct val status = val_map();
    str start = VAL_STR(job, "status", "startTime");

    val_set_str(arena, &status, S("startTime"), str_is_empty(start) ? world_now(key) : start);
    if (counts->active > 0)
        val_set(arena, &status, S("active"), val_int(arena, counts->active));
    val_set(arena, &status, S("ready"), val_int(arena, counts->ready));
    val_set(arena, &status, S("terminating"), val_int(arena, counts->deleting));
    if (counts->succeeded > 0)
        val_set(arena, &status, S("succeeded"), val_int(arena, counts->succeeded));
    if (counts->failed > 0)
        val_set(arena, &status, S("failed"), val_int(arena, counts->failed));
    val_set(arena, &status, S("uncountedTerminatedPods"), val_map());
    if (done) {
        val_set_str(arena, &status, S("completionTime"), world_now(key));
        add_condition(key, job, &status, "SuccessCriteriaMet", "CompletionsReached",
                      S("Reached expected number of succeeded pods"));
        add_condition(key, job, &status, "Complete", "CompletionsReached",
                      S("Reached expected number of succeeded pods"));
    }
    if (failed) {
        str message = S("Job has reached the specified backoff limit");
        world_event(key, job, MANAGER, "Warning", "BackoffLimitExceeded", message);
        add_condition(key, job, &status, "FailureTarget", "BackoffLimitExceeded", message);
        add_condition(key, job, &status, "Failed", "BackoffLimitExceeded", message);
    }
    world_status(key, job, "kube-controller-manager", &status);
}

static void set_suspended(struct world_key *key, const struct val *job)
{
    struct val status = val_map();

    for (struct thing *t = world_children(key->world, object_uid(job)); t != NULL;
         t = t->next_sibling)
        if (t->kind == WORLD_POD && !t->deleting && !t->finished)
            world_delete(key, t, /*at_once=*/false);
    if (has_condition(job, "Suspended"))
        return;
    add_condition(key, job, &status, "Suspended", "JobSuspended", S("Job suspended"));
    world_status(key, job, "kube-controller-manager", &status);
}

/* ttlSecondsAfterFinished counts from when we saw the end. */
static void expire(struct world_key *key, const struct val *job)
{
    const struct val *ttl = VAL_AT(job, "spec", "ttlSecondsAfterFinished");
    struct ending *ending = key->memo;

    if (ttl == NULL)
        return;
    if (ending == NULL) {
        key->memo = ending = new0(struct ending);
        ending->since_ms = clock_mono_ms();
    }
    int64_t left =
            ending->since_ms + MIN(val_i64_or(ttl, 0), (int64_t)100000000) * 1000 - clock_mono_ms();
    if (left > 0)
        world_later(key, left);
    else
        world_delete(key, world_find(key->world, WORLD_JOB, key->namespace_, key->name),
                     /*at_once=*/false);
}

void job_reconcile(struct world_key *key, const struct val *job)
{
    if (job == NULL || VAL_AT(job, "metadata", "deletionTimestamp") != NULL)
        return;
    if (has_condition(job, "Complete") || has_condition(job, "Failed")) {
        expire(key, job);
        return;
    }
    if (val_is_true(VAL_AT(job, "spec", "suspend"))) {
        set_suspended(key, job);
        return;
    }

    struct pod_counts counts = pod_count(key->world, object_uid(job));
    int64_t parallelism = val_i64_or(VAL_AT(job, "spec", "parallelism"), 1);
    int64_t wanted = val_i64_or(VAL_AT(job, "spec", "completions"), parallelism > 0 ? 1 : 0);
    int64_t limit = val_i64_or(VAL_AT(job, "spec", "backoffLimit"), 6);
    bool done = counts.succeeded >= wanted;
    bool failed = !done && counts.failed > limit;
    int64_t missing = MIN(parallelism, wanted - counts.succeeded) - counts.active;

    for (int64_t i = 0; i < missing && i < 500 && !done && !failed; i++) {
        str name = pod_random_name(key->at, key->name);
        struct val *pod =
                pod_from_template(key, job, VAL_AT(job, "spec", "template"), name, NULL, STR_EMPTY);
        world_create(key, WORLD_POD, MANAGER, pod);
    }
    set_status(key, job, &counts, done, failed);
}
