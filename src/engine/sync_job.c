/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "base/mem.h"
#include "base/stop.h"
#include "engine/adopt.h"
#include "engine/fields.h"
#include "engine/ignore.h"
#include "engine/mask.h"
#include "engine/sync.h"

/*
 * One task's requests. A job is busy from its first request to its last; whatever ends it calls
 * job_finish once. Texts of results live in the sync's arena.
 */

#define JOB_POLL_MS 300
#define JOB_TRIES 6

static void job_decide(struct job *job);
static void job_send(struct job *job);
static void job_read(struct job *job, kube_done_fn *done);
static void job_delete_for_force(struct job *job);
static void job_tick(void *owner);

void job_init(struct job *job, struct sync *sync, struct task *task)
{
    *job = (struct job){.sync = sync, .task = task};
}

static void job_reset_body(struct job *job)
{
    if (job->body_arena != NULL)
        arena_free(job->body_arena);
    job->body_arena = NULL;
    job->body = NULL;
    job->body_is_copy = false;
}

void job_done(struct job *job)
{
    ask_cancel(job->ask);
    apply_cancel(job->apply);
    loop_timer_free(job->timer);
    job_reset_body(job);
    *job = (struct job){.sync = job->sync, .task = job->task};
}

static void job_begin(struct job *job)
{
    job->task->state = TASK_BUSY;
    job->sync->busy++;
}

static void job_finish(struct job *job, enum task_result result, str message)
{
    struct sync *sync = job->sync;
    bool dry_run = job->dry_run;

    task_finish(job->task, result, arena_str(sync->arena, message));
    sync->busy--;
    job_done(job);
    job->dry_run = dry_run;
    sync_poke(sync);
}

static void job_fail(struct job *job, str sentence);

/* With the server's sentence, as far as people may read it. */
static void job_refused(struct job *job, const struct kube_response *response)
{
    const struct row *row = job->task->row;

    job_fail(job, mask_sentence(row->gvk.group, row->gvk.kind, response->status,
                                err_message(&response->err)));
}

static void job_fail(struct job *job, str sentence)
{
    struct arena *arena = job->sync->arena;
    const struct desired_object *want = job->task->row->want;
    str message = sentence;

    if (want != NULL && !str_is_empty(want->file))
        message = arena_printf(arena, "%.*s (%.*s:%u)", STR(sentence), STR(want->file), want->line);
    job_finish(job, RESULT_FAILED, message);
}

static void job_wait(struct job *job, int64_t for_ms)
{
    struct loop *loop = job->sync->app->context->loop;

    if (job->timer == NULL)
        job->timer = loop_timer_new(loop, "sync job", job_tick, job);
    if (job->deadline_ms == 0)
        job->deadline_ms = clock_mono_ms() + for_ms;
    loop_timer_start(job->timer, JOB_POLL_MS);
}

static bool job_is_late(const struct job *job)
{
    return job->deadline_ms != 0 && clock_mono_ms() >= job->deadline_ms;
}

static struct kube_request job_request(const struct job *job, enum kube_verb verb)
{
    const struct row *row = job->task->row;

    return (struct kube_request){.verb = verb,
                                 .gvr = row->gvr,
                                 .namespace_ = row->namespace_,
                                 .name = row->name,
                                 .field_manager = FIELD_MANAGER};
}

/* ---- dry run ---- */

static void job_validated(void *owner, struct kube_response *response, str removed)
{
    struct job *job = owner;
    struct task *task = job->task;
    struct arena *arena = job->sync->arena;
    const char *verb = response->created ? "created" : "configured";

    job->apply = NULL;
    if (!response->ok) {
        job_refused(job, response);
    } else if (job->sync->options.dry_run) {
        if (task->row->live != ROW_LIVE_PRESENT)
            verb = "created";
        job_finish(job, RESULT_SYNCED,
                   arena_printf(arena, "%.*s %s (dry run)%s%.*s", STR(task_label(arena, task->row)),
                                verb, removed.len > 0 ? ", left out: " : "", STR(removed)));
    } else {
        struct sync *sync = job->sync;

        task->state = TASK_PENDING;
        sync->busy--;
        sync_poke(sync);
    }
}

void job_validate(struct job *job)
{
    const struct row *row = job->task->row;
    struct apply_request request = {.gvr = row->gvr,
                                    .namespace_ = row->namespace_,
                                    .name = row->name,
                                    .body = row->want->object,
                                    .dry_run = true,
                                    .skip_validation = row->want->options.skip_validation};

    job->dry_run = true;
    job_begin(job);
    job->apply = apply_start(cluster_queue(row->cluster), &request,
                             sync_ask_options(job->sync, ASK_DRY_RUN).order, job_validated, job);
}

/* ---- the end of an apply ---- */

static bool answer_is_unchanged(const struct row *row, const struct val *answer)
{
    struct hash spec;
    struct hash owner;

    if (row->live != ROW_LIVE_PRESENT || !str_eq(row->uid, object_uid(answer)))
        return false;
    if (str_eq(row->resource_version, object_resource_version(answer)))
        return true;
    spec = live_spec_hash(answer);
    owner = live_owner_hash(answer);
    return hash_eq(&spec, &row->spec_hash) && hash_eq(&owner, &row->owner_hash);
}

static void job_applied(struct job *job, const struct val *answer, bool created, str removed)
{
    struct sync *sync = job->sync;
    struct task *task = job->task;
    bool unchanged = !created && !job->was_deleted && answer_is_unchanged(task->row, answer);
    const char *verb = created && !job->was_deleted ? "created"
                       : unchanged                  ? "unchanged"
                                                    : "configured";

    task->changed = !unchanged;
    task->resource_version = arena_str(sync->arena, object_resource_version(answer));
    if (!job->body_is_copy)
        compare_record_applied(sync->app->context->verdicts, task->row, answer,
                               task->row->want->options.skip_validation, sync->spec.ignore);
    STOP_POINT("after-apply-before-record");
    job_finish(job, RESULT_SYNCED,
               arena_printf(sync->arena, "%.*s %s%s%.*s", STR(task_label(sync->arena, task->row)),
                            verb, removed.len > 0 ? ", left out because the schema lacks it: " : "",
                            STR(removed)));
}

/* ---- apply ---- */

static bool answer_wants_force(const struct job *job, const struct kube_response *response)
{
    return job->task->force && !job->was_deleted && job->task->row->live == ROW_LIVE_PRESENT &&
           (response->status == 409 || response->status == 422);
}

static bool answer_wants_kind(const struct job *job, const struct kube_response *response)
{
    return response->status == 404 && job->task->row->want->from_crd && !job_is_late(job);
}

static void job_apply_answered(void *owner, struct kube_response *response, str removed)
{
    struct job *job = owner;

    job->apply = NULL;
    if (response->ok)
        job_applied(job, response->object, response->created, removed);
    else if (answer_wants_force(job, response))
        job_delete_for_force(job);
    else if (answer_wants_kind(job, response))
        job_wait(job, LIMIT_KIND_SERVED_MS);
    else if ((response->status == 0 || response->status >= 500) && ++job->tries < 3)
        job_wait(job, LIMIT_KIND_SERVED_MS);
    else
        job_refused(job, response);
}

static void job_send(struct job *job)
{
    const struct row *row = job->task->row;
    struct apply_request request = {.gvr = row->gvr,
                                    .namespace_ = row->namespace_,
                                    .name = row->name,
                                    .body = job->body != NULL ? job->body : row->want->object,
                                    .skip_validation = row->want->options.skip_validation};

    job->apply = apply_start(cluster_queue(row->cluster), &request,
                             sync_ask_options(job->sync, ASK_WRITE).order, job_apply_answered, job);
}

/* ---- replace: PUT or POST, then the entry that it left becomes our Apply entry ---- */

static void job_replace_adopted(void *owner, struct kube_response *response)
{
    struct job *job = owner;

    job->ask = NULL;
    if (response->ok)
        job_applied(job, response->object, job->was_created, STR_EMPTY);
    else
        job_refused(job, response);
}

static void job_replaced(void *owner, struct kube_response *response)
{
    struct job *job = owner;
    const struct val *patch;
    struct kube_request request = job_request(job, KUBE_PATCH_JSON);
    struct ask_options options = sync_ask_options(job->sync, ASK_WRITE);

    job->ask = NULL;
    if (!response->ok && response->status == 409 && ++job->tries < JOB_TRIES) {
        job_decide(job);
        return;
    }
    if (!response->ok && answer_wants_force(job, response)) {
        job_delete_for_force(job);
        return;
    }
    if (!response->ok) {
        job_refused(job, response);
        return;
    }
    job->was_created = response->created;
    job_reset_body(job);
    job->body_arena = arena_new(LIMIT_OBJECT_ARENA);
    patch = adopt_patch(job->body_arena, response->object);
    if (patch == NULL) {
        job_applied(job, response->object, response->created, STR_EMPTY);
        return;
    }
    request.body = patch;
    job->ask = ask_start(cluster_queue(job->task->row->cluster), &request, &options,
                         job_replace_adopted, job);
}

static void job_put(struct job *job, const struct val *live)
{
    struct kube_request request = job_request(job, live == NULL ? KUBE_CREATE : KUBE_UPDATE);
    struct ask_options options = sync_ask_options(job->sync, ASK_WRITE);
    struct val *body;

    if (job->body_arena == NULL)
        job->body_arena = arena_new(LIMIT_OBJECT_ARENA);
    body = val_dup(job->body_arena, job->body != NULL ? job->body : job->task->row->want->object);
    if (live != NULL)
        val_set_str(job->body_arena, val_ensure_map(job->body_arena, body, S("metadata")),
                    S("resourceVersion"), object_resource_version(live));
    request.body = body;
    if (live == NULL)
        request.name = STR_EMPTY;
    job->ask = ask_start(cluster_queue(job->task->row->cluster), &request, &options, job_replaced,
                         job);
}

/* ---- what the live object has to say first ---- */

static bool row_is_ignored(const struct job *job)
{
    const struct row *row = job->task->row;
    struct ignore_target target = {row->gvk, row->namespace_, row->name};

    return job->sync->spec.options.respect_ignore &&
           ignore_matches(job->sync->spec.ignore, &target);
}

/* `replicas` left Git while an autoscaler sets it and nobody but us owns it. */
static bool row_is_scaled(const struct job *job)
{
    const struct row *row = job->task->row;

    return VAL_AT(row->want->object, "spec", "replicas") == NULL &&
           VAL_AT(row->want->object, "spec", "template") != NULL &&
           cluster_is_scaled(row->cluster, row->gvk, row->namespace_, row->name);
}

static bool needs_body(const struct job *job)
{
    const struct row *row = job->task->row;

    return row->live == ROW_LIVE_PRESENT && !job->was_deleted &&
           (row->owner != MARK_OURS || job->task->replace || row_is_ignored(job) ||
            row_is_scaled(job));
}

/* The wanted object, with the live values that are to stay. */
static void body_keep_live(struct job *job, const struct val *live)
{
    const struct row *row = job->task->row;
    struct ignore_target target = {row->gvk, row->namespace_, row->name};
    const struct val *replicas = VAL_AT(live, "spec", "replicas");
    const struct val *fields = live_our_fields(live);
    bool keep_replicas = row_is_scaled(job) && replicas != NULL &&
                         VAL_AT(fields, "f:spec", "f:replicas") != NULL;
    struct val *body;

    if (!row_is_ignored(job) && !keep_replicas)
        return;
    job_reset_body(job);
    job->body_arena = arena_new(LIMIT_OBJECT_ARENA);
    body = val_dup(job->body_arena, row->want->object);
    if (row_is_ignored(job))
        ignore_keep_live(job->body_arena, job->sync->spec.ignore, &target, body, live);
    if (keep_replicas)
        val_set(job->body_arena, val_ensure_map(job->body_arena, body, S("spec")), S("replicas"),
                val_dup_value(job->body_arena, replicas));
    job->body = body;
    job->body_is_copy = true;
}

static void job_adopted(void *owner, struct kube_response *response)
{
    struct job *job = owner;

    job->ask = NULL;
    if (response->ok)
        job_send(job);
    else if (response->status == 409 && ++job->tries < JOB_TRIES)
        job_decide(job);
    else
        job_refused(job, response);
}

static void job_adopt(struct job *job, const struct val *live)
{
    struct kube_request request = job_request(job, KUBE_PATCH_JSON);
    struct ask_options options = sync_ask_options(job->sync, ASK_WRITE);

    if (job->body_arena == NULL)
        job->body_arena = arena_new(LIMIT_OBJECT_ARENA);
    request.body = adopt_patch(job->body_arena, live);
    if (request.body == NULL)
        job_send(job);
    else
        job->ask = ask_start(cluster_queue(job->task->row->cluster), &request, &options,
                             job_adopted, job);
}

static void job_got_body(void *owner, struct kube_response *response)
{
    struct job *job = owner;

    job->ask = NULL;
    if (!response->ok && response->status != 404) {
        job_refused(job, response);
        return;
    }
    if (!response->ok) {
        if (job->task->replace)
            job_put(job, NULL);
        else
            job_send(job);
        return;
    }
    body_keep_live(job, response->object);
    if (job->task->replace && job->task->force) {
        job_delete_for_force(job);
    } else if (job->task->replace) {
        job_put(job, response->object);
    } else {
        job_adopt(job, response->object);
    }
}

static void job_read(struct job *job, kube_done_fn *done)
{
    struct kube_request request = job_request(job, KUBE_GET);
    struct ask_options options = sync_ask_options(job->sync, ASK_READ);

    job->ask = ask_start(cluster_queue(job->task->row->cluster), &request, &options, done, job);
}

/* ---- waiting until an object is gone ---- */

static void job_looked(void *owner, struct kube_response *response)
{
    struct job *job = owner;
    const struct row *row = job->task->row;

    job->ask = NULL;
    if (response->status == 404 ||
        (response->ok && !str_eq(object_uid(response->object), row->uid))) {
        job->was_deleted = true;
        job->deadline_ms = 0;
        if (job->task->replace)
            job_put(job, NULL);
        else
            job_send(job);
    } else if (job_is_late(job)) {
        job_fail(job, S("it is still being deleted: something in the cluster holds it with a "
                        "finalizer"));
    } else {
        job_wait(job, LIMIT_OBJECT_GONE_MS);
    }
}

static void job_tick(void *owner)
{
    struct job *job = owner;

    if (job->sync->terminating)
        job_fail(job, S("terminated"));
    else if (job->task->row->deleting || job->needs_intent)
        job_read(job, job_looked);
    else
        job_send(job);
}

/* ---- force: delete, wait, create ---- */

static void job_deleted_for_force(void *owner, struct kube_response *response)
{
    struct job *job = owner;

    job->ask = NULL;
    STOP_POINT("after-delete-before-record");
    if (response->ok || response->status == 404)
        job_wait(job, LIMIT_OBJECT_GONE_MS);
    else
        job_refused(job, response);
}

static void job_send_delete(struct job *job)
{
    struct kube_request request = job_request(job, KUBE_DELETE);
    struct ask_options options = sync_ask_options(job->sync, ASK_WRITE);

    request.propagation = str_from(sync_propagation_name(job->sync->spec.options.propagation));
    request.precondition_uid = job->task->uid;
    job->ask = ask_start(cluster_queue(job->task->row->cluster), &request, &options,
                         job_deleted_for_force, job);
}

/* The row with the uid is written before the delete goes out. */
static void job_delete_for_force(struct job *job)
{
    job->needs_intent = true;
    job->task->uid = job->task->row->uid;
    job->task->intended = true;
    sync_record(job->sync, "Running");
    job->need = job->sync->need;
    job_poke(job);
}

void job_poke(struct job *job)
{
    if (job->need == 0 || job->sync->app->written < job->need)
        return;
    job->need = 0;
    STOP_POINT("after-intent-before-delete");
    job_send_delete(job);
}

/* ---- beginning ---- */

static void job_decide(struct job *job)
{
    const struct row *row = job->task->row;

    job_reset_body(job);
    if (row->deleting && !job->was_deleted)
        job_read(job, job_looked);
    else if (needs_body(job))
        job_read(job, job_got_body);
    else if (job->task->replace)
        job_put(job, NULL);
    else
        job_send(job);
}

void job_apply(struct job *job)
{
    job_begin(job);
    job_decide(job);
}

/* ---- prune ---- */

static void job_prune_send(struct job *job, str resource_version);

/* The version moved on: judge the object again, by what it is now. */
static void job_prune_reread(void *owner, struct kube_response *response)
{
    struct job *job = owner;
    const struct row *row = job->task->row;
    str instance;

    job->ask = NULL;
    if (response->status == 404 ||
        (response->ok && !str_eq(object_uid(response->object), job->task->uid))) {
        job_finish(job, RESULT_PRUNED, S("pruned"));
    } else if (!response->ok) {
        job_refused(job, response);
    } else if (mark_owner(&job->sync->app->mark, object_annotation(response->object, MARK_TRACKING),
                          object_annotation(response->object, MARK_INSTALLATION), row->gvk,
                          row->namespace_, row->name, &instance) != MARK_OURS) {
        job_finish(job, RESULT_PRUNE_SKIPPED, S("not pruned: it is no longer ours"));
    } else {
        job_prune_send(job, arena_str(job->sync->arena, object_resource_version(response->object)));
    }
}

static void job_pruned(void *owner, struct kube_response *response)
{
    struct job *job = owner;

    job->ask = NULL;
    STOP_POINT("after-delete-before-record");
    if (response->ok || response->status == 404) {
        job->task->changed = true;
        job_finish(job, RESULT_PRUNED, S("pruned"));
    } else if (response->status == 409 && ++job->tries < JOB_TRIES) {
        job_read(job, job_prune_reread);
    } else {
        job_refused(job, response);
    }
}

static void job_prune_send(struct job *job, str resource_version)
{
    struct kube_request request = job_request(job, KUBE_DELETE);
    struct ask_options options = sync_ask_options(job->sync, ASK_WRITE);

    request.propagation = str_from(sync_propagation_name(job->task->propagation));
    request.precondition_uid = job->task->uid;
    request.precondition_resource_version = resource_version;
    job->ask =
            ask_start(cluster_queue(job->task->row->cluster), &request, &options, job_pruned, job);
}

void job_prune(struct job *job)
{
    job_begin(job);
    job_prune_send(job, job->task->row->resource_version);
}
