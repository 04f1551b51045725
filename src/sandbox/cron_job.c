/* SPDX-License-Identifier: Apache-2.0 */
/* CronJobs: the Jobs of their schedule, at most one late one, and those that are kept. */
#include "sandbox/cron.h"

#include "base/clock.h"
#include "sandbox/pod.h"
#include "sandbox/workload.h"

#include <stdlib.h>

#define MANAGER "cronjob-controller"

enum { JOBS_MAX = 200 };

struct run {
    struct thing *thing;
    const struct val *job;
    int64_t made_s;
    bool complete;
    bool failed;
};

struct runs {
    struct run at[JOBS_MAX];
    size_t count;
    size_t active;
};

static int64_t seconds_of(str text)
{
    int64_t ms = 0;

    return clock_parse(text, &ms) ? ms / 1000 : 0;
}

static bool is_true(const struct val *job, const char *type)
{
    struct val_iter it = val_iter(VAL_AT(job, "status", "conditions"));

    while (val_next(&it))
        if (str_eq(val_get_str(it.value, S("type")), str_from(type)))
            return str_eq(val_get_str(it.value, S("status")), S("True"));
    return false;
}

static int by_age(const void *a, const void *b)
{
    int64_t x = ((const struct run *)a)->made_s;
    int64_t y = ((const struct run *)b)->made_s;

    return x < y ? -1 : x > y;
}

/* Oldest first. */
static void collect(struct world_key *key, const struct val *cron_job, struct runs *runs)
{
    for (struct thing *t = world_children(key->world, object_uid(cron_job)); t != NULL;
         t = t->next_sibling) {
        if (t->kind != WORLD_JOB || t->deleting || runs->count == JOBS_MAX)
            continue;
        struct run *run = &runs->at[runs->count++];
        *run = (struct run){.thing = t, .job = world_parse(key, t)};
        run->made_s = seconds_of(VAL_STR(run->job, "metadata", "creationTimestamp"));
        run->complete = is_true(run->job, "Complete");
        run->failed = is_true(run->job, "Failed");
        runs->active += !run->complete && !run->failed;
    }
    if (runs->count > 0)
        qsort(runs->at, runs->count, sizeof(*runs->at), by_age);
}

/* Of the finished ones the last few are kept. */
static void tidy(struct world_key *key, const struct val *spec, struct runs *runs)
{
    int64_t complete = val_i64_or(val_get(spec, S("successfulJobsHistoryLimit")), 3);
    int64_t failed = val_i64_or(val_get(spec, S("failedJobsHistoryLimit")), 1);

    for (size_t i = runs->count; i-- > 0;) {
        struct run *run = &runs->at[i];
        if ((run->complete && --complete < 0) || (run->failed && --failed < 0))
            world_delete(key, run->thing, /*at_once=*/false);
    }
}

static struct val *job_of(struct world_key *key, const struct val *cron_job, str name, int64_t when)
{
    struct arena *arena = key->at;
    const struct val *template_ = VAL_AT(cron_job, "spec", "jobTemplate");
    struct val *job = val_new(arena, val_map());
    char text[CLOCK_RFC3339_SIZE];

    clock_format(when * 1000, text);
    val_set_str(arena, job, S("apiVersion"), S("batch/v1"));
    val_set_str(arena, job, S("kind"), S("Job"));
    struct val *metadata = val_ensure_map(arena, job, S("metadata"));
    val_set_str(arena, metadata, S("name"), name);
    val_set_str(arena, metadata, S("namespace"), key->namespace_);
    if (VAL_AT(template_, "metadata", "labels") != NULL)
        val_set(arena, metadata, S("labels"),
                val_dup_value(arena, VAL_AT(template_, "metadata", "labels")));
    if (VAL_AT(template_, "metadata", "annotations") != NULL)
        val_set(arena, metadata, S("annotations"),
                val_dup_value(arena, VAL_AT(template_, "metadata", "annotations")));
    val_set_str(arena, val_ensure_map(arena, metadata, S("annotations")),
                S("batch.kubernetes.io/cronjob-scheduled-timestamp"),
                arena_str(arena, str_from(text)));
    val_append(arena, val_ensure_list(arena, metadata, S("ownerReferences")),
               pod_owner_reference(arena, cron_job));
    val_set(arena, job, S("spec"), val_dup_value(arena, val_get(template_, S("spec"))));
    return job;
}

/* The time of the latest run that is due and has not begun, 0 = none. */
static int64_t due(const struct val *cron_job, const struct cron *cron, int64_t now)
{
    const struct val *deadline = VAL_AT(cron_job, "spec", "startingDeadlineSeconds");
    str before = VAL_STR(cron_job, "status", "lastScheduleTime");
    int64_t since = seconds_of(
            str_is_empty(before) ? VAL_STR(cron_job, "metadata", "creationTimestamp") : before);
    int64_t last = cron_last(cron, now);

    if (last <= since || (deadline != NULL && now - last > val_i64_or(deadline, 0)))
        return 0;
    return last;
}

/* Makes the Job of that time, if the policy lets it. */
static bool fire(struct world_key *key, const struct val *cron_job, const struct runs *runs,
                 int64_t when)
{
    str policy = VAL_STR(cron_job, "spec", "concurrencyPolicy");
    str name = arena_printf(key->at, "%.*s-%lld", STR(key->name), (long long)(when / 60));

    if (runs->active > 0 && str_eq(policy, S("Forbid"))) {
        world_event(key, cron_job, MANAGER, "Normal", "JobAlreadyActive",
                    S("Not starting job because prior execution is running and concurrency policy "
                      "is Forbid"));
        return false;
    }
    for (size_t i = 0; i < runs->count && str_eq(policy, S("Replace")); i++) {
        if (!runs->at[i].complete && !runs->at[i].failed)
            world_delete(key, runs->at[i].thing, /*at_once=*/false);
    }
    if (world_find(key->world, WORLD_JOB, key->namespace_, name) == NULL) {
        world_create(key, WORLD_JOB, MANAGER, job_of(key, cron_job, name, when));
        world_event(key, cron_job, MANAGER, "Normal", "SuccessfulCreate",
                    arena_printf(key->at, "Created job %.*s", STR(name)));
    }
    return true;
}

static void add_active(struct world_key *key, struct val *status, const struct run *run)
{
    struct arena *arena = key->at;
    struct val *one = val_append(arena, val_ensure_list(arena, status, S("active")), val_map());

    val_set_str(arena, one, S("kind"), S("Job"));
    val_set_str(arena, one, S("namespace"), key->namespace_);
    val_set_str(arena, one, S("name"), run->thing->name);
    val_set_str(arena, one, S("uid"), run->thing->uid);
    val_set_str(arena, one, S("apiVersion"), S("batch/v1"));
    val_set_str(arena, one, S("resourceVersion"), object_resource_version(run->job));
}

static void set_status(struct world_key *key, const struct val *cron_job, const struct runs *runs,
                       int64_t fired)
{
    struct val status = val_map();
    str last = VAL_STR(cron_job, "status", "lastScheduleTime");
    str good = VAL_STR(cron_job, "status", "lastSuccessfulTime");
    char text[CLOCK_RFC3339_SIZE];

    if (fired > 0) {
        clock_format(fired * 1000, text);
        last = str_from(text);
    }
    for (size_t i = 0; i < runs->count; i++) {
        if (!runs->at[i].complete && !runs->at[i].failed)
            add_active(key, &status, &runs->at[i]);
        str ended = VAL_STR(runs->at[i].job, "status", "completionTime");
        if (runs->at[i].complete && seconds_of(ended) > seconds_of(good))
            good = ended;
    }
    if (!str_is_empty(last))
        val_set_str(key->at, &status, S("lastScheduleTime"), last);
    if (!str_is_empty(good))
        val_set_str(key->at, &status, S("lastSuccessfulTime"), good);
    world_status(key, cron_job, "kube-controller-manager", &status);
}

void cron_job_reconcile(struct world_key *key, const struct val *cron_job)
{
    const struct val *spec = val_get(cron_job, S("spec"));
    int64_t now = clock_wall_ms() / 1000;
    struct cron cron;
    struct err err;
    int64_t fired = 0;

    if (cron_job == NULL || VAL_AT(cron_job, "metadata", "deletionTimestamp") != NULL)
        return;
    struct runs *runs = arena_new0(key->at, struct runs);
    collect(key, cron_job, runs);
    tidy(key, spec, runs);
    if (!cron_parse(val_get_str(spec, S("schedule")), &cron, &err)) {
        world_event(key, cron_job, MANAGER, "Warning", "UnparseableSchedule",
                    str_from(err.message));
    } else if (!val_is_true(val_get(spec, S("suspend")))) {
        int64_t when = due(cron_job, &cron, now);
        int64_t next = cron_next(&cron, now);
        if (when > 0 && fire(key, cron_job, runs, when))
            fired = when;
        if (next > 0)
            world_later(key, MIN(next - now, (int64_t)3600) * 1000);
    }
    set_status(key, cron_job, runs, fired);
}
