/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/app.h"
#include "base/clock.h"
#include "base/mem.h"
#include "engine/autosync.h"
#include "engine/delete.h"
#include "engine/project.h"
#include "engine/rollup.h"
#include "engine/sync.h"

/* Events of one moment are answered by one pass. */
#define PASS_DELAY_MS 20
/* While an operation runs, passes only tell its progress. */
#define PASS_DELAY_BUSY_MS 5000
#define PASS_BLIND_MS 15000
/* A Deployment without trouble is healthy within this after its apply. */
#define PASS_SETTLE_MS 600
#define PASS_RETRY_MS 5000
#define PASS_RETRY_MAX_MS 180000
/* A pass without a reason: verifies verdicts that are due, moves reconciledAt. */
#define PASS_IDLE_MS ((int64_t)30 * 60 * 1000)
/* So many heals of one revision, and it still differs: people are told. */
#define UNSETTLED_ATTEMPTS 3
/* The listing of refs that an event-driven pass takes from memory, whatever its age. */
#define ANY_AGE (INT64_MAX / 4)
/* A new or changed application takes a listing this young, so that many share one. */
#define YOUNG_MS 1000

static void pass_run(void *owner);
static void pass_retried(void *owner);

/* ---- what the object says ---- */

const struct val *app_operation(const struct app *app)
{
    if (app->clear_operation)
        return NULL;
    return app->new_operation != NULL ? app->new_operation : val_get(app->object, S("operation"));
}

const struct val *app_operation_state(const struct app *app)
{
    return app->operation_state != NULL ? app->operation_state
                                        : VAL_AT(app->object, "status", "operationState");
}

void app_start_sync(struct app *app)
{
    if (app->sync != NULL || app->deletion != NULL || app->clear_operation ||
        app_operation(app) == NULL)
        return;
    sync_start(app);
}

static void object_replace(struct app *app, const struct val *object)
{
    struct arena *arena = arena_new(LIMIT_APP_ARENA);
    const struct val *copy = val_dup(arena, object);

    if (app->object_arena != NULL) {
        app->context->object_changed(app->context->owner, app->object, copy);
        arena_free(app->object_arena);
    }
    app->object_arena = arena;
    app->object = copy;
    app->spec_is_good = app_spec_parse(copy, &app->spec, &app->spec_err);
}

/* What of the object asks for a comparison, and at which level (spec/argocd.md 1.7). */
static void object_ask(struct app *app, const struct hash *spec_was)
{
    str refresh = object_annotation(app->object, S("argocd.argoproj.io/refresh"));

    app->spec_hash = hash_val(val_get(app->object, S("spec")));
    if (!str_is_empty(refresh))
        app->wanted_asked = true;
    if (!str_is_empty(refresh) && !app->report_answers_refresh)
        app_refresh(app, APP_ASK_GIT, str_eq(refresh, S("hard")));
    if (!hash_eq(&app->spec_hash, spec_was))
        app_refresh(app, APP_ASK_GIT, /*hard=*/false);
}

void app_take_object(struct app *app, const struct val *object)
{
    struct hash spec_was = app->spec_hash;
    bool is_known = app->object != NULL &&
                    str_eq(object_resource_version(object), object_resource_version(app->object));

    if (is_known)
        return;
    object_replace(app, object);
    object_ask(app, &spec_was);
    if (app->spec.deleting && app->deletion == NULL) {
        sync_free(app->sync);
        app->sync = NULL;
        deletion_start(app);
        return;
    }
    if (app->sync != NULL &&
        str_eq(VAL_STR(app->object, "status", "operationState", "phase"), S("Terminating")))
        sync_terminate(app->sync);
    app_start_sync(app);
    app_poke(app);
}

struct app *app_new(const struct app_context *context, const struct val *object)
{
    struct app *app = new0(struct app);

    app->context = context;
    app->mark_arena = arena_new(LIMIT_KEY_ARENA);
    mark_init(&app->mark, app->mark_arena, context->installation, context->control_namespace,
              object_namespace(object), object_name(object));
    app->start = loop_timer_new(context->loop, "application pass", pass_run, app);
    app->retry = loop_timer_new(context->loop, "application retry", pass_retried, app);
    app->retry_ms = PASS_RETRY_MS;
    app_write_init(app);
    app_take_object(app, object);
    return app;
}

static void app_repo_changed(void *owner, UNUSED struct source_repo *repo)
{
    app_refresh(owner, APP_KNOWN_REVISION, /*hard=*/false);
}

static void app_keep_repo(struct app *app, struct repo *repo)
{
    if (app->repo == repo)
        return;
    if (app->repo != NULL) {
        source_repo_unsubscribe(app->repo->source, app);
        repo_unref(app->repo);
    }
    app->repo = repo == NULL ? NULL : repo_ref(repo);
    if (repo != NULL)
        source_repo_subscribe(repo->source, app_repo_changed, app);
}

static void app_keep_desired(struct app *app, struct desired *desired)
{
    if (desired != NULL)
        desired_ref(desired);
    desired_unref(app->desired);
    app->desired = desired;
}

void app_free(struct app *app)
{
    if (app == NULL)
        return;
    sync_free(app->sync);
    deletion_free(app->deletion);
    pull_cancel(app->pull);
    compare_free(app->comparing);
    compare_free(app->last);
    app_keep_desired(app, NULL);
    app_keep_repo(app, NULL);
    cluster_keep(&app->cluster, NULL);
    loop_timer_free(app->start);
    loop_timer_free(app->retry);
    app_write_done(app);
    if (app->pass_arena != NULL)
        arena_free(app->pass_arena);
    if (app->object_arena != NULL)
        arena_free(app->object_arena);
    arena_free(app->mark_arena);
    mem_free(app);
}

/* ---- asking for a pass ---- */

static bool sync_is_at_work(const struct app *app)
{
    return app->sync != NULL && app->sync->state != SYNC_ENDED;
}

/* A comparison would only read what the operation is about to change. */
static bool sync_is_moving(const struct app *app)
{
    return app->sync != NULL && app->sync->state < SYNC_WAITING_HEALTHY &&
           app->wanted <= APP_SAME_REVISION &&
           clock_mono_ms() - app->sync->begun_ms < PASS_BLIND_MS;
}

void app_refresh(struct app *app, enum app_level level, bool hard)
{
    int64_t delay = level == APP_ASK_GIT ? 0 : PASS_DELAY_MS;
    bool late = level <= APP_SAME_REVISION && sync_is_at_work(app);

    app->wanted = MAX(app->wanted, level);
    app->wanted_hard = app->wanted_hard || hard;
    if (app->pass != PASS_NONE)
        return;
    /* Events while an operation runs neither hurry nor put off a pass that is on its way. */
    if (!late)
        loop_timer_start(app->start, delay);
    else if (!loop_timer_is_running(app->start))
        loop_timer_start(app->start, PASS_DELAY_BUSY_MS);
}

void app_live_changed(struct app *app)
{
    if (app->sync != NULL)
        sync_poke(app->sync);
    if (app->deletion != NULL)
        deletion_poke(app->deletion);
    app_refresh(app, APP_SAME_REVISION, /*hard=*/false);
}

void app_poke(struct app *app)
{
    if (app->pass == PASS_WAITING)
        loop_timer_start(app->start, 0);
    if (app->comparing != NULL)
        compare_poke(app->comparing);
    if (app->sync != NULL)
        sync_poke(app->sync);
    if (app->deletion != NULL)
        deletion_poke(app->deletion);
}

static bool desired_is_unsure(const struct desired *desired)
{
    for (size_t i = 0; desired != NULL && i < desired->count; i++)
        if (!desired->objects[i].kind_known || desired->objects[i].kind_absent)
            return true;
    return false;
}

void app_cluster_changed(struct app *app, struct cluster *cluster)
{
    app_poke(app);
    if (app->cluster == cluster && cluster_is_retired(cluster)) {
        app_refresh(app, APP_SAME_REVISION, /*hard=*/false);
        return;
    }
    if (app->cluster != cluster || !cluster_is_ready(cluster) || app->pass != PASS_NONE)
        return;
    if (app->cluster_failed || (app->last != NULL && !compare_is_complete(app->last)) ||
        (desired_is_unsure(app->desired) &&
         app->desired->discovery_generation != pull_generation(app->context, cluster)))
        app_refresh(app, APP_SAME_REVISION, /*hard=*/false);
}

/* ---- the pass ---- */

bool app_instance_exists(void *owner, str instance)
{
    struct app *app = owner;

    return app->context->instance_exists(app->context->owner, instance);
}

const struct project_home *app_context_home(const struct app_context *context,
                                            const struct app_spec *spec)
{
    bool is_control = str_eq(spec->namespace_, context->control_namespace);

    return is_control ? NULL : &context->project_home;
}

struct compare_options app_compare_options(struct app *app, const struct app_spec *spec,
                                           struct arena *arena)
{
    const struct app_context *context = app->context;
    const struct val *project = context->project(context->owner, spec->project, NULL);

    return (struct compare_options){
            .home = context->home_cluster,
            .spec = spec,
            .project = project == NULL ? NULL : val_dup(arena, project),
            .project_home = app_context_home(context, spec),
            .mark = app->mark,
            .known = val_dup(arena, VAL_AT(app->object, "status", "resources")),
            .known_more = val_dup(arena, VAL_AT(app->object, "status", "operationState",
                                                "syncResult", "resources")),
            .verdicts = context->verdicts,
            .instance_exists = app_instance_exists,
    };
}

static void pass_retry(struct app *app, enum app_level level, int64_t ms)
{
    app->retry_level = MAX(app->retry_level, level);
    loop_timer_start(app->retry, ms);
}

static void pass_retried(void *owner)
{
    struct app *app = owner;

    app_refresh(app, app->retry_level, /*hard=*/false);
}

/* Objects that no watch shows are read again from time to time; all else is told. */
static int64_t pass_idle_ms(const struct app *app)
{
    for (size_t i = 0; app->last != NULL && i < compare_count(app->last); i++) {
        const struct row *row = compare_row(app->last, i);

        if (row->want != NULL && (row->reason == REASON_MISSING ||
                                  row->reason == REASON_UNMANAGED || row->reason == REASON_SHARED))
            return settings_reconcile_ms(app->context->settings);
    }
    return PASS_IDLE_MS;
}

void app_pass_done(struct app *app)
{
    app->pass = PASS_NONE;
    app->context->told(app->context->owner, app);
    if (app->wanted != APP_IDLE)
        loop_timer_start(app->start, sync_is_at_work(app) ? PASS_DELAY_BUSY_MS : PASS_DELAY_MS);
    else if (!loop_timer_is_running(app->retry))
        pass_retry(app, APP_SAME_REVISION, pass_idle_ms(app));
    app_start_sync(app);
}

static void pass_fail(struct app *app, const char *type, const struct err *err)
{
    app_report_error(app, type, err);
    app_report_changed(app);
    pass_retry(app, app->level, app->retry_ms);
    app->retry_ms = MIN(app->retry_ms * 2, (int64_t)PASS_RETRY_MAX_MS);
    app_pass_done(app);
}

static int64_t since_last_operation(const struct app *app)
{
    int64_t then;
    str text = val_get_str(app_operation_state(app), S("finishedAt"));

    if (app->operation_ended_ms != 0)
        return clock_mono_ms() - app->operation_ended_ms;
    if (!clock_parse(text, &then))
        return -1;
    /* After a restart only the wall clock knows; it is taken as a hint within sane bounds. */
    return MAX(clock_wall_ms() - then, (int64_t)0);
}

/* Healed again and again, and different each time: somebody else keeps changing it. */
static void pass_report_unsettled(struct app *app)
{
    const struct val *sync = VAL_AT(app_operation_state(app), "operation", "sync");

    if (val_i64_or(val_get(sync, S("autoHealAttemptsCount")), 0) < UNSETTLED_ATTEMPTS)
        return;
    for (size_t i = 0; i < compare_count(app->last); i++) {
        const struct row *row = compare_row(app->last, i);

        if (row->reason == REASON_DIFFERS)
            app_report_condition(app, "SyncError",
                                 arena_printf(app->report_arena,
                                              "%.*s '%.*s' does not settle: %.*s (after %d "
                                              "syncs that set it right)",
                                              STR(row->gvk.kind), STR(row->name), STR(row->note),
                                              UNSETTLED_ATTEMPTS));
    }
}

static void pass_autosync(struct app *app)
{
    struct autosync_input input = {
            .spec = &app->spec,
            .operation = app_operation(app),
            .operation_state = app_operation_state(app),
            .compare = app->last,
            .revision = app->desired->commit,
            .since_last_ms = since_last_operation(app),
    };
    struct autosync_output output = autosync_decide(&input, app->report_arena);

    if (sync_is_at_work(app) || app->deletion != NULL ||
        rollup_sync(app->last) != ROW_OUT_OF_SYNC || !compare_is_complete(app->last))
        return;
    if (output.answer != AUTOSYNC_ERROR && output.answer != AUTOSYNC_NOTHING &&
        (app->sync != NULL || app->clear_operation)) {
        app->wanted = MAX(app->wanted, APP_SAME_REVISION); /* once the end is written */
        return;
    }
    switch (output.answer) {
    case AUTOSYNC_NOTHING:
        break;
    case AUTOSYNC_SYNC:
    case AUTOSYNC_HEAL:
        app->new_operation = val_new(app_operation_arena(app),
                                     autosync_operation(&input, &output, app_operation_arena(app)));
        sync_start(app);
        break;
    case AUTOSYNC_WAIT:
        pass_report_unsettled(app);
        pass_retry(app, APP_SAME_REVISION, output.wait_ms);
        break;
    case AUTOSYNC_ERROR:
        app_report_condition(app, "SyncError", output.message);
        break;
    }
}

/* An automated operation has just ended, and health is about to follow. */
static bool pass_settles(const struct app *app)
{
    bool automated = val_get_bool(VAL_AT(app->operation_state, "operation", "initiatedBy"),
                                  S("automated"), false);

    return automated && !app->hurry && clock_mono_ms() - app->operation_ended_ms < PASS_SETTLE_MS &&
           rollup_health(app->last, app->report_arena).status == HEALTH_PROGRESSING;
}

static void pass_compared(void *owner, struct compare *compare)
{
    struct app *app = owner;

    app->comparing = NULL;
    if (cluster_is_retired(app->cluster)) {
        compare_free(compare);
        app->wanted = MAX(app->wanted, app->level);
        app_pass_done(app);
        return;
    }
    compare_free(app->last);
    app->last = compare;
    app->retry_ms = PASS_RETRY_MS;
    app_report_compare(app);
    if (compare_retry_ms(compare) > 0)
        pass_retry(app, APP_SAME_REVISION, compare_retry_ms(compare));
    pass_autosync(app);
    /* What an operation of ours is about to change is told with its end, if that comes soon; what
     * controllers are about to do with what it applied, too. */
    if (sync_is_at_work(app) && app->sync->is_lazy)
        app_report_changed_later(app, SYNC_LAZY_MS);
    else if (pass_settles(app))
        app_report_changed_later(app, PASS_SETTLE_MS);
    else
        app_report_changed(app);
    app_pass_done(app);
}

static bool revision_is_attempted(const struct app *app)
{
    const struct autosync_input input = {.spec = &app->spec,
                                         .operation_state = app_operation_state(app),
                                         .revision = app->desired->commit};

    return autosync_is_attempted(&input);
}

static void pass_compare(struct app *app)
{
    struct compare_options options;

    options = app_compare_options(app, &app->pass_spec, app->pass_arena);
    options.cluster = app->cluster;
    options.desired = app->desired;
    options.fresh = app->hard;
    options.order = app->level == APP_ASK_GIT ? ASK_MANUAL : ASK_DRIFT;
    options.trust_changes = app->spec.automated && !revision_is_attempted(app);
    options.trust_unread = options.trust_changes;
    app->pass = PASS_COMPARING;
    app->comparing = compare_start(&options, pass_compared, app);
}

static void pass_pulled(void *owner, const struct pull_result *result, const struct err *err)
{
    struct app *app = owner;

    app->pull = NULL;
    app_keep_repo(app, result->repo != NULL ? result->repo : app->repo);
    if (err != NULL) {
        bool is_spec = err->code == ERR_FORBIDDEN && result->repo == NULL;

        pass_fail(app, is_spec ? "InvalidSpecError" : "ComparisonError", err);
        return;
    }
    app_keep_desired(app, result->desired);
    app->desired_for = app->pass_hash;
    pass_compare(app);
}

static void pass_pull(struct app *app)
{
    struct pull_request request = {.context = app->context,
                                   .spec = &app->pass_spec,
                                   .mark = &app->mark,
                                   .cluster = app->cluster,
                                   .revision = app->pass_spec.revision,
                                   .max_age_ms = app->level != APP_ASK_GIT ? ANY_AGE
                                                 : app->asked              ? 0
                                                                           : YOUNG_MS,
                                   .no_cache = app->hard};

    app->pass = PASS_PULLING;
    app->pull = pull_start(&request, pass_pulled, app);
}

/* Everything that must hold before Git is asked. */
static bool pass_check(struct app *app, struct err *err)
{
    const struct app_context *context = app->context;
    const struct val *project;
    struct project_target target;

    if (!app->spec_is_good) {
        *err = app->spec_err;
        return false;
    }
    project = context->project(context->owner, app->spec.project, err);
    if (project == NULL || !project_check(project, err) ||
        !project_permits_namespace(project, context->control_namespace, app->spec.namespace_,
                                   err) ||
        !project_permits_source(project, app->spec.repo_url, err))
        return false;
    cluster_keep(&app->cluster,
                 context->cluster(context->owner, &app->spec.destination, app->spec.project, err));
    if (app->cluster == NULL)
        return false;
    target = (struct project_target){
            .server = cluster_server(app->cluster),
            .name = cluster_name(app->cluster),
            .namespace_ = app->spec.destination.namespace_,
            .home = app->cluster == context->home_cluster ? app_context_home(context, &app->spec)
                                                          : NULL,
    };
    return project_permits_destination(project, &target, err);
}

/* The pass outlives changes of the object: it works on a copy. */
static void pass_copy_object(struct app *app)
{
    struct err err;

    if (app->pass_arena != NULL)
        arena_free(app->pass_arena);
    app->pass_arena = arena_new(LIMIT_APP_ARENA);
    (void)!app_spec_parse(val_dup(app->pass_arena, app->object), &app->pass_spec, &err);
    app->pass_hash = app->spec_hash;
    app->saw_refresh =
            !str_is_empty(object_annotation(app->object, S("argocd.argoproj.io/refresh")));
}

static void pass_step(struct app *app)
{
    struct err err;

    app->cluster_failed = false;
    if (!app->context->is_ready(app->context->owner)) {
        app->pass = PASS_WAITING;
        return;
    }
    if (!pass_check(app, &err)) {
        pass_fail(app, "InvalidSpecError", &err);
        return;
    }
    if (!cluster_is_ready(app->cluster)) {
        app->pass = PASS_WAITING;
        app->cluster_failed = cluster_trouble(app->cluster) != NULL;
        if (app->cluster_failed)
            pass_fail(app, "ComparisonError", cluster_trouble(app->cluster));
        return;
    }
    pass_copy_object(app);
    if (app->level == APP_SAME_REVISION && app->desired != NULL &&
        hash_eq(&app->desired_for, &app->pass_hash) &&
        pull_still_holds(app->context, app->cluster, app->desired))
        pass_compare(app);
    else
        pass_pull(app); /* the rendered set is in the source's cache */
}

static void pass_run(void *owner)
{
    struct app *app = owner;

    if (app->deletion != NULL || (app->pass != PASS_NONE && app->pass != PASS_WAITING))
        return;
    loop_timer_stop(app->start);
    if (app->pass == PASS_NONE && sync_is_moving(app)) {
        loop_timer_start(app->start, PASS_DELAY_BUSY_MS);
        return;
    }
    loop_timer_stop(app->retry);
    if (app->pass == PASS_NONE) {
        app->level = MAX(app->wanted, APP_SAME_REVISION);
        app->hard = app->wanted_hard;
    } else {
        app->level = MAX(app->level, app->wanted);
        app->hard = app->hard || app->wanted_hard;
    }
    app->wanted = APP_IDLE;
    app->retry_level = APP_IDLE;
    app->wanted_hard = false;
    app->asked = app->wanted_asked || app->hard;
    app->wanted_asked = false;
    pass_step(app);
}
