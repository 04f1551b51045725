/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/sync.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/stop.h"
#include "engine/autosync.h"
#include "engine/project.h"

#define SYNC_TICK_MS 1000
/* Progress is written this often while an operation runs; what it waits for, at each tick. */
#define SYNC_PROGRESS_MS 5000
/* The watch delivers what was applied within this, or the comparison does without. */
#define SYNC_SETTLE_MS 2000

static void sync_advance(struct sync *sync);

struct ask_options sync_ask_options(const struct sync *sync, enum ask_class class)
{
    return (struct ask_options){class, sync->automated ? ASK_AUTOMATED : ASK_MANUAL};
}

static void sync_fail(struct sync *sync, const char *phase, const struct err *err)
{
    sync_end(sync, phase, arena_str(sync->arena, err_message(err)));
}

/* "reason: a; b", of at most three failed tasks. */
static str failed_reasons(const struct sync *sync)
{
    str text = STR_EMPTY;
    size_t count = 0;

    for (size_t i = 0; i < sync->task_count; i++) {
        const struct task *task = &sync->tasks[i];

        if (task->result != RESULT_FAILED || ++count > 3)
            continue;
        text = arena_printf(sync->arena, "%.*s%s%.*s", STR(text), count > 1 ? "; " : "",
                            STR(task->message));
    }
    if (count > 3)
        text = arena_printf(sync->arena, "%.*s; and %zu more", STR(text), count - 3);
    return text;
}

static bool has_failed(const struct sync *sync)
{
    for (size_t i = 0; i < sync->task_count; i++)
        if (sync->tasks[i].result == RESULT_FAILED)
            return true;
    return false;
}

/* ---- pull and compare ---- */

/* Rows of the process before that are no task now: what they meant to delete is gone. */
static void tasks_add_resumed(struct sync *sync)
{
    struct val_iter it = val_iter(sync->resumed);
    struct task *tasks =
            arena_array(sync->arena, sync->task_count + val_count(sync->resumed) + 1, struct task);

    memcpy(tasks, sync->tasks, sync->task_count * sizeof(*tasks));
    sync->tasks = tasks;
    while (val_next(&it)) {
        bool intended = val_get(it.value, S("uid")) != NULL;
        bool pruned = str_eq(val_get_str(it.value, S("status")), S("Pruned"));
        struct row *row = arena_new0(sync->arena, struct row);
        str key;

        row->gvk =
                (struct gvk){val_get_str(it.value, S("group")), val_get_str(it.value, S("version")),
                             val_get_str(it.value, S("kind"))};
        row->namespace_ = val_get_str(it.value, S("namespace"));
        row->name = val_get_str(it.value, S("name"));
        key = object_key(sync->arena, row->gvk.group, row->gvk.kind, row->namespace_, row->name);
        if ((!intended && !pruned) || compare_find(sync->compare, key) != NULL)
            continue;
        tasks[sync->task_count++] = (struct task){.kind = TASK_NOTHING,
                                                  .state = TASK_DONE,
                                                  .result = RESULT_PRUNED,
                                                  .row = row,
                                                  .changed = true,
                                                  .message = S("pruned"),
                                                  .uid = STR_EMPTY};
    }
}

/* What makes the whole operation invalid before anything is sent. */
static bool rows_are_valid(struct sync *sync, struct err *err)
{
    for (size_t i = 0; i < sync->task_count; i++) {
        struct task *task = &sync->tasks[i];
        const struct row *row = task->row;

        if (task->state == TASK_DONE || row->want == NULL)
            continue;
        if (row->reason == REASON_FORBIDDEN ||
            (row->reason == REASON_KIND_ABSENT && !row->want->options.skip_dry_run_missing) ||
            (row->reason == REASON_TROUBLE && !row->want->kind_known))
            task_finish(task, RESULT_FAILED, row->note);
    }
    if (!has_failed(sync))
        return true;
    return err_set(err, ERR_INVALID, "one or more synchronization tasks are not valid: %.*s",
                   STR(failed_reasons(sync)));
}

static void refuse_prunes(struct sync *sync)
{
    str why;

    if (compare_is_complete(sync->compare))
        return;
    why = arena_printf(sync->arena, "not pruned, because not everything could be read: %s",
                       compare_trouble(sync->compare)->message);
    for (size_t i = 0; i < sync->task_count; i++)
        if (task_is_pending(&sync->tasks[i], TASK_PRUNE))
            task_finish(&sync->tasks[i], RESULT_FAILED, why);
}

static void sync_compared(void *owner, struct compare *compare)
{
    struct sync *sync = ((struct app *)owner)->sync;
    struct err err;

    sync->tasks = task_build(sync->arena, compare, &sync->options, &sync->task_count);
    tasks_add_resumed(sync);
    sync->jobs = arena_array(sync->arena, sync->task_count + 1, struct job);
    for (size_t i = 0; i < sync->task_count; i++)
        job_init(&sync->jobs[i], sync, &sync->tasks[i]);
    if (!rows_are_valid(sync, &err)) {
        sync_fail(sync, "Failed", &err);
        return;
    }
    for (size_t i = 0; sync->spec.options.fail_on_shared && i < compare_count(compare); i++)
        if (compare_row(compare, i)->reason == REASON_SHARED) {
            err_set(&err, ERR_CONFLICT, "Shared resource found: %.*s",
                    STR(compare_row(compare, i)->note));
            sync_fail(sync, "Failed", &err);
            return;
        }
    refuse_prunes(sync);
    sync->state = SYNC_LOOKING;
    sync_advance(sync);
}

static void sync_compare(struct sync *sync, struct desired *desired)
{
    struct app *app = sync->app;
    struct compare_options options;

    if (sync->revision.len == 40 && !str_eq(sync->revision, desired->commit)) {
        struct err wrong;

        err_set(&wrong, ERR_INTERNAL, "the rendered set is of commit %.*s, the operation of %.*s",
                STR(desired->commit), STR(sync->revision));
        sync_fail(sync, "Error", &wrong);
        return;
    }
    sync->revision = arena_str(sync->arena, desired->commit);
    options = app_compare_options(app, &sync->spec, sync->arena);
    options.cluster = sync->cluster;
    options.desired = desired;
    options.trust_changes = sync->automated;
    options.order = sync->automated ? ASK_AUTOMATED : ASK_MANUAL;
    sync->state = SYNC_COMPARING;
    sync->compare = compare_start(&options, sync_compared, app);
}

static void sync_pulled(void *owner, const struct pull_result *result, const struct err *err)
{
    struct sync *sync = owner;

    sync->pull = NULL;
    if (err != NULL)
        sync_fail(sync, "Error", err);
    else
        sync_compare(sync, result->desired);
}

/* The set that the comparison before this operation judged: of the same commit, spec and options.
 */
static bool sync_has_desired(const struct sync *sync)
{
    const struct app *app = sync->app;

    return sync->is_lazy && app->desired != NULL && app->cluster == sync->cluster &&
           str_eq(app->desired->commit, sync->revision) &&
           hash_eq(&app->desired_for, &app->spec_hash) &&
           app->desired->discovery_generation == pull_generation(app->context, sync->cluster);
}

static void sync_pull(struct sync *sync)
{
    struct app *app = sync->app;
    const struct app_context *context = app->context;
    str revision = VAL_STR(sync->operation, "sync", "revision");
    struct pull_request request;
    struct err err;

    cluster_keep(&sync->cluster, context->cluster(context->owner, &sync->spec.destination,
                                                  sync->spec.project, &err));
    if (sync->cluster == NULL) {
        sync_fail(sync, "Error", &err);
        return;
    }
    if (!cluster_is_ready(sync->cluster) || !context->is_ready(context->owner)) {
        if (cluster_trouble(sync->cluster) != NULL)
            sync_fail(sync, "Error", cluster_trouble(sync->cluster));
        return; /* poked again */
    }
    if (sync_has_desired(sync)) {
        sync_compare(sync, app->desired);
        return;
    }
    if (!str_is_empty(sync->revision))
        revision = sync->revision;
    else if (str_is_empty(revision))
        revision = sync->spec.revision;
    request = (struct pull_request){.context = context,
                                    .spec = &sync->spec,
                                    .mark = &app->mark,
                                    .cluster = sync->cluster,
                                    .revision = revision,
                                    .max_age_ms = sync->automated ? INT64_MAX / 4 : 0};
    sync->state = SYNC_PULLING;
    sync->pull = pull_start(&request, sync_pulled, sync);
}

/* ---- the namespace ---- */

bool sync_namespace_is_coming(const struct sync *sync, const struct row *row)
{
    str key = object_key(sync->arena, S(""), S("Namespace"), S(""), row->namespace_);
    const struct row *namespace_ = compare_find(sync->compare, key);

    if (str_is_empty(row->namespace_))
        return false;
    if (sync->namespace_absent && str_eq(row->namespace_, sync->spec.destination.namespace_))
        return true;
    return namespace_ != NULL && namespace_->want != NULL && namespace_->live != ROW_LIVE_PRESENT;
}

static bool wants_namespace(const struct sync *sync)
{
    str name = sync->spec.destination.namespace_;
    const struct row *row;

    /* Who manages only namespaces finds them made. */
    if (!sync->spec.options.create_namespace || str_is_empty(name) ||
        cluster_is_limited(sync->cluster) || val_count(sync->options.resources) > 0)
        return false;
    row = compare_find(sync->compare, object_key(sync->arena, S(""), S("Namespace"), S(""), name));
    return row == NULL || row->want == NULL;
}

static void got_namespace(void *owner, struct kube_response *response)
{
    struct sync *sync = owner;

    sync->ask = NULL;
    sync->namespace_absent = response->status == 404;
    if (!response->ok && !sync->namespace_absent) {
        struct err err = response->err;

        err_wrap(&err, "looking for the namespace '%.*s'", STR(sync->spec.destination.namespace_));
        sync_fail(sync, "Failed", &err);
        return;
    }
    sync->state = SYNC_VALIDATING;
    sync_advance(sync);
}

static struct kube_request namespace_request(const struct sync *sync, enum kube_verb verb)
{
    return (struct kube_request){.verb = verb,
                                 .gvr = {S(""), S("v1"), S("namespaces")},
                                 .name = sync->spec.destination.namespace_,
                                 .dry_run = sync->options.dry_run,
                                 .field_manager = FIELD_MANAGER,
                                 .force = true};
}

static void sync_look(struct sync *sync)
{
    struct kube_request request = namespace_request(sync, KUBE_GET);
    struct ask_options options = sync_ask_options(sync, ASK_READ);

    if (!wants_namespace(sync)) {
        sync->state = SYNC_VALIDATING;
        sync_advance(sync);
    } else if (sync->ask == NULL) {
        request.dry_run = false;
        sync->ask =
                ask_start(cluster_queue(sync->cluster), &request, &options, got_namespace, sync);
    }
}

static void made_namespace(void *owner, struct kube_response *response)
{
    struct sync *sync = owner;

    sync->ask = NULL;
    if (!response->ok) {
        struct err err = response->err;

        err_wrap(&err, "the namespace '%.*s' failed to apply",
                 STR(sync->spec.destination.namespace_));
        sync_fail(sync, "Failed", &err);
        return;
    }
    STOP_POINT("after-namespace-before-apply");
    sync->state = SYNC_PRUNING;
    sync_advance(sync);
}

/* Without marks of ours: a namespace made here outlives the application. */
static void sync_make_namespace(struct sync *sync)
{
    struct ask_options options = sync_ask_options(sync, ASK_WRITE);
    struct kube_request request = namespace_request(sync, KUBE_APPLY);
    const struct val *more = sync->spec.namespace_metadata;
    struct val *metadata;

    if (sync->ask != NULL)
        return;
    if (!wants_namespace(sync) || (!sync->namespace_absent && more == NULL)) {
        sync->state = SYNC_PRUNING;
        sync_advance(sync);
        return;
    }
    sync->namespace_body = val_new(sync->arena, val_map());
    val_set_str(sync->arena, sync->namespace_body, S("apiVersion"), S("v1"));
    val_set_str(sync->arena, sync->namespace_body, S("kind"), S("Namespace"));
    metadata = val_ensure_map(sync->arena, sync->namespace_body, S("metadata"));
    val_set_str(sync->arena, metadata, S("name"), sync->spec.destination.namespace_);
    if (val_get(more, S("labels")) != NULL)
        val_set(sync->arena, metadata, S("labels"),
                val_dup_value(sync->arena, val_get(more, S("labels"))));
    if (val_get(more, S("annotations")) != NULL)
        val_set(sync->arena, metadata, S("annotations"),
                val_dup_value(sync->arena, val_get(more, S("annotations"))));
    request.body = sync->namespace_body;
    sync->ask = ask_start(cluster_queue(sync->cluster), &request, &options, made_namespace, sync);
}

/* ---- tasks ---- */

/* Is a dry run of this task wanted before anything is sent? */
static bool wants_validation(const struct sync *sync, const struct task *task)
{
    const struct row *row = task->row;

    if (!task_is_pending(task, TASK_APPLY) || row->want->from_crd || row->want->kind_absent ||
        row->deleting || sync_namespace_is_coming(sync, row))
        return false;
    if (sync->options.dry_run)
        return true;
    return !sync->automated && row->reason != REASON_DIFFERS && !task->replace && !task->force;
}

static void sync_validate(struct sync *sync)
{
    struct err err;

    if (sync->busy > 0)
        return;
    for (size_t i = 0; i < sync->task_count; i++)
        if (wants_validation(sync, &sync->tasks[i]) && !sync->jobs[i].dry_run)
            job_validate(&sync->jobs[i]);
    if (sync->busy > 0)
        return;
    if (has_failed(sync) && !sync->options.dry_run) {
        err_set(&err, ERR_INVALID, "one or more objects failed to apply (dry run), reason: %.*s",
                STR(failed_reasons(sync)));
        sync_fail(sync, "Failed", &err);
        return;
    }
    if (sync->options.dry_run) {
        for (size_t i = 0; i < sync->task_count; i++) {
            struct task *task = &sync->tasks[i];
            bool prune = task->kind == TASK_PRUNE;

            if (task->state != TASK_DONE)
                task_finish(task, prune ? RESULT_PRUNED : RESULT_SYNCED,
                            prune ? S("pruned (dry run)")
                                  : arena_printf(sync->arena, "%.*s created (dry run)",
                                                 STR(task_label(sync->arena, task->row))));
        }
        sync->state = SYNC_SETTLING;
    } else {
        sync->state = SYNC_MAKING_NAMESPACE;
    }
    sync_advance(sync);
}

/* The next run of equal kind, in parallel; a failure does not stop later runs. */
static void sync_apply(struct sync *sync)
{
    size_t first = 0;

    if (sync->busy > 0) {
        for (size_t i = 0; i < sync->task_count; i++)
            if (sync->tasks[i].state == TASK_BUSY)
                job_poke(&sync->jobs[i]);
        return;
    }
    while (first < sync->task_count && !task_is_pending(&sync->tasks[first], TASK_APPLY))
        first++;
    if (first == sync->task_count) {
        sync->state = SYNC_WAITING_HEALTHY;
        sync_advance(sync);
        return;
    }
    for (size_t i = first; i < sync->task_count; i++) {
        struct task *task = &sync->tasks[i];

        if (task->kind != TASK_APPLY)
            continue;
        if (!str_eq(task->row->gvk.kind, sync->tasks[first].row->gvk.kind))
            break;
        if (task->state == TASK_PENDING)
            job_apply(&sync->jobs[i]);
    }
}

/* What the watch holds of a task's object is at least as new as what was applied. */
static bool task_is_delivered(const struct task *task, const struct live *live)
{
    uint64_t have;
    uint64_t want;

    if (live == NULL)
        return false;
    if (str_is_empty(task->resource_version) ||
        str_eq(live->resource_version, task->resource_version))
        return true;
    return str_to_u64(live->resource_version, &have) && str_to_u64(task->resource_version, &want) &&
           have >= want;
}

static const struct live *task_live(const struct task *task)
{
    const struct row *row = task->row;

    return row->cluster == NULL ? NULL
                                : cluster_live(row->cluster, row->gvr, row->namespace_, row->name);
}

/* Prune last: everything that was applied is healthy. */
static void sync_wait_healthy(struct sync *sync)
{
    const struct row *waits = NULL;
    size_t count = 0;
    struct err err;

    if (!sync_prune_is_left(sync, /*last=*/true)) {
        sync->state = SYNC_SETTLING;
        sync_advance(sync);
        return;
    }
    if (has_failed(sync)) {
        sync->state = SYNC_SETTLING; /* nothing is pruned after a failure */
        sync_advance(sync);
        return;
    }
    for (size_t i = 0; i < sync->task_count; i++) {
        const struct task *task = &sync->tasks[i];
        const struct live *live;

        if (task->row->want == NULL || task->result != RESULT_SYNCED)
            continue;
        live = task_live(task);
        if (task_is_delivered(task, live) && live->health == HEALTH_DEGRADED) {
            err_set(&err, ERR_CONFLICT,
                    "one or more synchronization tasks completed unsuccessfully, reason: %.*s: "
                    "%.*s",
                    STR(task_label(sync->arena, task->row)), STR(live->health_message));
            sync_fail(sync, "Failed", &err);
            return;
        }
        if (!task_is_delivered(task, live) ||
            (live->health != HEALTH_NONE && live->health != HEALTH_HEALTHY)) {
            waits = waits == NULL ? task->row : waits;
            count++;
        }
    }
    if (count == 0) {
        sync->state = SYNC_PRUNING_LAST;
        sync_advance(sync);
        return;
    }
    sync->message = arena_printf(sync->arena, "waiting for healthy state of %.*s/%.*s/%.*s",
                                 STR(waits->gvk.group), STR(waits->gvk.kind), STR(waits->name));
    if (count > 1)
        sync->message = arena_printf(sync->arena, "%.*s and %zu more resources", STR(sync->message),
                                     count - 1);
}

static void sync_settle(struct sync *sync)
{
    bool delivered = true;
    int64_t now = clock_mono_ms();

    if (sync->settle_until_ms == 0)
        sync->settle_until_ms = now + SYNC_SETTLE_MS;
    for (size_t i = 0; delivered && i < sync->task_count; i++) {
        const struct task *task = &sync->tasks[i];

        if (task->kind == TASK_APPLY && task->result == RESULT_SYNCED && !sync->options.dry_run)
            delivered = task_is_delivered(task, task_live(task));
    }
    if (!delivered && now < sync->settle_until_ms)
        return;
    STOP_POINT("after-prune-before-finish");
    if (has_failed(sync))
        sync_end(sync, "Failed",
                 arena_printf(sync->arena, "one or more objects failed to apply, reason: %.*s",
                              STR(failed_reasons(sync))));
    else
        sync_end(sync, "Succeeded", S("successfully synced (all tasks run)"));
}

/* ---- steps ---- */

static void sync_dispatch(struct sync *sync)
{
    switch (sync->state) {
    case SYNC_RECORDING:
        if (sync->app->written >= sync->need) {
            STOP_POINT("after-start-before-work");
            sync_pull(sync);
        }
        break;
    case SYNC_PULLING:
    case SYNC_COMPARING:
        if (sync->compare != NULL)
            compare_poke(sync->compare);
        break;
    case SYNC_LOOKING:
        sync_look(sync);
        break;
    case SYNC_VALIDATING:
        sync_validate(sync);
        break;
    case SYNC_MAKING_NAMESPACE:
        sync_make_namespace(sync);
        break;
    case SYNC_PRUNING:
        sync_prune(sync, /*last=*/false, SYNC_APPLYING);
        break;
    case SYNC_APPLYING:
        sync_apply(sync);
        break;
    case SYNC_WAITING_HEALTHY:
        sync_wait_healthy(sync);
        break;
    case SYNC_PRUNING_LAST:
        sync_prune(sync, /*last=*/true, SYNC_SETTLING);
        break;
    case SYNC_SETTLING:
        sync_settle(sync);
        break;
    case SYNC_ENDED:
        break;
    }
}

/* Terminate: nothing new is sent; what is under way is waited for. */
static bool sync_is_stopping(struct sync *sync)
{
    if (!sync->terminating || sync->state == SYNC_ENDED)
        return false;
    if (sync->busy > 0 || sync->ask != NULL)
        return true;
    pull_cancel(sync->pull);
    sync->pull = NULL;
    sync_end(sync, "Failed", S("Operation terminated"));
    return true;
}

/* Its cluster is another one now: what this operation knows of it counts no more. */
static bool sync_is_lost(struct sync *sync)
{
    if (sync->cluster == NULL || !cluster_is_retired(sync->cluster) || sync->busy > 0 ||
        sync->ask != NULL)
        return false;
    pull_cancel(TAKE(sync->pull));
    sync_fail(sync, "Error", cluster_trouble(sync->cluster));
    return true;
}

static void sync_advance(struct sync *sync)
{
    loop_task_post(sync->step);
}

static void sync_stepped(void *owner)
{
    struct sync *sync = owner;

    if (sync->state == SYNC_ENDED) {
        sync->app->sync = NULL;
        sync_free(sync);
        return;
    }
    if (!sync_is_stopping(sync) && !sync_is_lost(sync))
        sync_dispatch(sync);
}

static void sync_ticked(void *owner)
{
    struct sync *sync = owner;

    if (sync->state == SYNC_ENDED)
        return;
    if (sync->state > SYNC_COMPARING && app_is_written(sync->app) && sync->tasks != NULL &&
        (sync->message.len > 0 || clock_mono_ms() - sync->recorded_ms >= SYNC_PROGRESS_MS))
        sync_record(sync, "Running"); /* written only when it differs */
    loop_timer_start(sync->tick, SYNC_TICK_MS);
    sync_advance(sync);
}

void sync_poke(struct sync *sync)
{
    sync_advance(sync);
}

void sync_terminate(struct sync *sync)
{
    sync->terminating = true;
    sync_advance(sync);
}

/* ---- life ---- */

static bool sync_read(struct sync *sync, struct err *err)
{
    const struct val *sync_part = val_get(sync->operation, S("sync"));
    const struct val *strategy = val_get(sync_part, S("syncStrategy"));
    const struct val *source = val_get(sync_part, S("source"));

    if (!app_spec_parse(sync->object, &sync->spec, err))
        return false;
    if (sync_part == NULL)
        return err_set(err, ERR_INVALID, "the operation is no sync");
    if (val_count(val_get(sync_part, S("sources"))) > 0 ||
        val_count(val_get(sync_part, S("manifests"))) > 0)
        return err_set(err, ERR_UNSUPPORTED, "not supported yet: operation.sync.%s",
                       val_count(val_get(sync_part, S("sources"))) > 0 ? "sources" : "manifests");
    if (source != NULL) {
        if (!app_spec_check_source(source, err))
            return false;
        sync->spec.source = source;
        sync->spec.repo_url = val_get_str(source, S("repoURL"));
        sync->spec.revision = val_get_str(source, S("targetRevision"));
    }
    sync->spec.options = (struct sync_options){0};
    sync_options_add_list(&sync->spec.options, val_get(sync_part, S("syncOptions")));
    sync->automated =
            val_get_bool(val_get(sync->operation, S("initiatedBy")), S("automated"), false);
    sync->options = (struct task_options){
            .prune = val_get_bool(sync_part, S("prune"), false),
            .dry_run = val_get_bool(sync_part, S("dryRun"), false),
            .force = val_get_bool(val_get(strategy, S("apply")), S("force"), false) ||
                     val_get_bool(val_get(strategy, S("hook")), S("force"), false),
            .options = sync->spec.options,
            .resources = val_get(sync_part, S("resources")),
    };
    return true;
}

/* A state that was not ended is gone on with: what it resolved counts. */
static void sync_resume(struct sync *sync, const struct val *state)
{
    str phase = val_get_str(state, S("phase"));
    char now[CLOCK_RFC3339_SIZE];

    sync->revision = STR_EMPTY;
    clock_format(clock_wall_ms(), now);
    sync->started_at = arena_str(sync->arena, str_from(now));
    if (!str_eq(phase, S("Running")) && !str_eq(phase, S("Terminating")))
        return;
    sync->started_at = arena_str(sync->arena, val_get_str(state, S("startedAt")));
    sync->revision = arena_str(sync->arena, VAL_STR(state, "syncResult", "revision"));
    sync->resumed = val_dup(sync->arena, VAL_AT(state, "syncResult", "resources"));
    sync->terminating = str_eq(phase, S("Terminating"));
}

struct sync *sync_start(struct app *app)
{
    struct sync *sync = new0(struct sync);
    struct err err;

    sync->app = app;
    sync->begun_ms = clock_mono_ms();
    sync->arena = arena_new(LIMIT_RENDER_ARENA);
    sync->object = val_dup(sync->arena, app->object);
    sync->operation = app->new_operation != NULL ? val_dup(sync->arena, app->new_operation)
                                                 : val_get(sync->object, S("operation"));
    sync->message = STR_EMPTY;
    sync->step = loop_task_new(app->context->loop, "sync step", sync_stepped, sync);
    sync->tick = loop_timer_new(app->context->loop, "sync tick", sync_ticked, sync);
    sync_resume(sync, app_operation_state(app));
    app->sync = sync;
    if (!sync_read(sync, &err)) {
        sync_fail(sync, "Error", &err);
        return sync;
    }
    loop_timer_start(sync->tick, SYNC_TICK_MS);
    if (str_is_empty(sync->revision) && VAL_STR(sync->operation, "sync", "revision").len == 40)
        sync->revision = VAL_STR(sync->operation, "sync", "revision");
    sync->state = SYNC_RECORDING;
    sync->is_lazy = app->new_operation != NULL;
    if (sync->is_lazy)
        sync_record_later(sync);
    else if (!sync->terminating)
        sync_record(sync, "Running");
    sync_advance(sync);
    return sync;
}

void sync_free(struct sync *sync)
{
    if (sync == NULL)
        return;
    pull_cancel(sync->pull);
    ask_cancel(sync->ask);
    for (size_t i = 0; i < sync->task_count && sync->jobs != NULL; i++)
        job_done(&sync->jobs[i]);
    compare_free(sync->compare);
    cluster_keep(&sync->cluster, NULL);
    loop_task_free(sync->step);
    loop_timer_free(sync->tick);
    arena_free(sync->arena);
    mem_free(sync);
}
