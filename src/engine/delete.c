/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/delete.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/stop.h"
#include "engine/approval.h"
#include "engine/delete_rule.h"
#include "engine/namespace_look.h"
#include "engine/sync_task.h"

#define DELETE_AGAIN_MS 2000
#define DELETE_SOON_MS 150
#define DELETE_UNAPPROVED_MS 60000

enum deletion_state {
    DELETION_WAITING, /* for the cluster, an event, or the timer */
    DELETION_COMPARING,
    DELETION_LOOKING, /* into a namespace that might go too */
    DELETION_RECORDING,
    DELETION_DELETING,
    DELETION_FINISHING,
};

struct deletion {
    struct app *app;
    enum deletion_state state;
    enum sync_propagation propagation;
    struct arena *arena; /* of the round */
    const struct val *object;
    struct app_spec spec;
    struct compare *compare;
    struct namespace_look *look;
    const struct row *looked_at;
    struct map *kept_namespaces; /* they hold what is not going */
    struct victim *victims;
    size_t count;
    size_t busy;
    uint64_t need;
    struct loop_timer *timer;
    size_t total; /* most that were ever seen */
    size_t left;
    size_t told; /* what is left, as it was written last */
    str started_at;
};

struct victim {
    struct deletion *deletion;
    const struct row *row;
    struct ask *ask;
};

static void deletion_round(void *owner);

static void deletion_later(struct deletion *deletion, int64_t ms)
{
    deletion->state = DELETION_WAITING;
    loop_timer_start(deletion->timer, ms);
}

static void round_reset(struct deletion *deletion)
{
    for (size_t i = 0; i < deletion->count; i++)
        ask_cancel(deletion->victims[i].ask);
    namespace_look_cancel(deletion->look);
    deletion->look = NULL;
    deletion->count = 0;
    deletion->victims = NULL;
    deletion->busy = 0;
    compare_free(deletion->compare);
    deletion->compare = NULL;
    if (deletion->arena != NULL)
        arena_free(deletion->arena);
    deletion->arena = NULL;
}

static void deletion_trouble(struct deletion *deletion, const struct err *err)
{
    app_report_error(deletion->app, "DeletionError", err);
    app_report_changed(deletion->app);
    deletion_later(deletion, DELETE_AGAIN_MS * 2);
}

/* ---- the deletes ---- */

static void victim_deleted(void *owner, struct kube_response *response)
{
    struct victim *victim = owner;
    struct deletion *deletion = victim->deletion;
    struct err err = response->err;

    victim->ask = NULL;
    deletion->busy--;
    if (!response->ok && response->status != 404 && response->status != 409) {
        err_wrap(&err, "deleting %.*s '%.*s'", STR(victim->row->gvk.kind), STR(victim->row->name));
        app_report_error(deletion->app, "DeletionError", &err);
        app_report_changed(deletion->app);
    }
    if (deletion->busy == 0)
        deletion_later(deletion, DELETE_SOON_MS);
}

static void deletion_send(struct deletion *deletion)
{
    struct ask_options options = {ASK_WRITE, ASK_MANUAL};

    deletion->state = DELETION_DELETING;
    STOP_POINT("after-intent-before-delete");
    for (size_t i = 0; i < deletion->count; i++) {
        struct victim *victim = &deletion->victims[i];
        const struct row *row = victim->row;
        struct kube_request request = {
                .verb = KUBE_DELETE,
                .gvr = row->gvr,
                .namespace_ = row->namespace_,
                .name = row->name,
                .propagation = str_from(sync_propagation_name(deletion->propagation)),
                .precondition_uid = row->uid,
        };

        deletion->busy++;
        victim->ask =
                ask_start(cluster_queue(row->cluster), &request, &options, victim_deleted, victim);
    }
}

static struct val *state_make(const struct deletion *deletion, str message)
{
    struct arena *arena = deletion->arena;
    struct val *state = val_new(arena, val_map());
    struct val *operation = val_ensure_map(arena, state, S("operation"));
    struct val *info = val_new(arena, val_map());

    val_set_str(arena, info, S("name"), S("reason"));
    val_set_str(arena, info, S("value"), S("the application is deleted with its resources"));
    val_append(arena, val_ensure_list(arena, operation, S("info")), *info);
    val_set_str(arena, state, S("phase"), S("Running"));
    val_set_str(arena, state, S("message"), message);
    val_set_str(arena, state, S("startedAt"), deletion->started_at);
    val_set_str(arena, val_ensure_map(arena, state, S("syncResult")), S("revision"), STR_EMPTY);
    return state;
}

/* One row a delete, written before any is sent. */
static void deletion_record(struct deletion *deletion)
{
    struct arena *arena = deletion->arena;
    struct val *state = state_make(deletion, deletion_progress(deletion, arena));
    struct val *rows = val_ensure_list(arena, val_get(state, S("syncResult")), S("resources"));

    for (size_t i = 0; i < deletion->count; i++) {
        struct task task = {.row = deletion->victims[i].row,
                            .intended = true,
                            .uid = deletion->victims[i].row->uid,
                            .message = S("deleted with its application")};

        val_append(arena, rows, task_val(arena, &task));
    }
    deletion->state = DELETION_RECORDING;
    deletion->told = deletion->left;
    app_operation_changed(deletion->app, state);
    deletion->need = deletion->app->change;
    loop_timer_start(deletion->timer, DELETE_AGAIN_MS);
}

/* ---- what is left ---- */

static bool row_is_namespace(const struct row *row)
{
    return str_is_empty(row->gvk.group) && str_eq(row->gvk.kind, S("Namespace"));
}

static bool row_is_kept(const struct deletion *deletion, const struct row *row)
{
    struct delete_facts facts =
            delete_facts(deletion->object, deletion->app->context->control_namespace);

    return delete_rule_keeps(delete_rule(&facts, row)) ||
           (row_is_namespace(row) && map_has(deletion->kept_namespaces, row->name));
}

static void deletion_finish(struct deletion *deletion)
{
    deletion->state = DELETION_FINISHING;
    STOP_POINT("in-cascade-before-finalizer");
    deletion->app->drop_finalizers = true;
    app_report_changed(deletion->app);
}

static void namespace_looked(void *owner, str held)
{
    struct deletion *deletion = owner;
    str name = deletion->looked_at->name;

    deletion->look = NULL;
    if (str_is_empty(held)) {
        deletion->victims[deletion->count++] =
                (struct victim){.deletion = deletion, .row = deletion->looked_at};
        deletion_record(deletion);
        return;
    }
    log_info("engine", "application %.*s/%.*s: the namespace %.*s is kept, it holds %.*s",
             STR(deletion->spec.namespace_), STR(deletion->spec.name), STR(name), STR(held));
    map_set(deletion->kept_namespaces, name, deletion);
    deletion_later(deletion, 0);
}

/* Everything is asked to go and some of it has gone: people see how far it is. */
static void deletion_wait(struct deletion *deletion)
{
    struct app *app = deletion->app;
    const struct val *was = app_operation_state(app);

    if (deletion->told != deletion->left && val_is(was, VAL_MAP)) {
        struct val *state = val_dup(deletion->arena, was);

        val_set_str(deletion->arena, state, S("message"),
                    deletion_progress(deletion, deletion->arena));
        deletion->told = deletion->left;
        app_operation_changed(app, state);
    }
    deletion_later(deletion, DELETE_AGAIN_MS);
}

/* All else is gone: may the next namespace go? One that was ticked may, whatever it holds. */
static void deletion_look(struct deletion *deletion, const struct row *row)
{
    struct delete_facts facts =
            delete_facts(deletion->object, deletion->app->context->control_namespace);

    deletion->state = DELETION_LOOKING;
    deletion->looked_at = row;
    if (delete_rule(&facts, row) == DELETE_GOES_AT_THE_END) {
        namespace_looked(deletion, STR_EMPTY);
        return;
    }
    deletion->look = namespace_look_start(row->cluster, row->name, deletion->app->mark.label,
                                          namespace_looked, deletion);
}

/* Nothing goes before all that asks for it is approved. */
static bool deletion_is_approved(struct deletion *deletion, const struct row *first, size_t count)
{
    str sentence;

    if (count == 0 || approval_is_given(deletion->object,
                                        VAL_STR(deletion->object, "metadata", "deletionTimestamp")))
        return true;
    sentence = approval_sentence(deletion->arena, "deletion", first, count);
    app_operation_changed(deletion->app, state_make(deletion, sentence));
    deletion_later(deletion, DELETE_UNAPPROVED_MS); /* or when the application changes */
    return false;
}

static void deletion_compared(void *owner, struct compare *compare)
{
    struct app *app = owner;
    struct deletion *deletion = app->deletion;
    const struct row *namespace_ = NULL;
    const struct row *unapproved = NULL;
    size_t unapproved_count = 0;
    size_t others = 0;
    size_t left = 0;

    deletion->victims = arena_array(deletion->arena, compare_count(compare) + 1, struct victim);
    for (size_t i = 0; i < compare_count(compare); i++) {
        const struct row *row = compare_row(compare, i);

        if (row->live == ROW_LIVE_ABSENT || row_is_kept(deletion, row))
            continue;
        if (approval_is_needed(row) && !row->deleting) {
            unapproved = unapproved == NULL ? row : unapproved;
            unapproved_count++;
        }
        left++;
        others += !row_is_namespace(row);
        if (row_is_namespace(row)) {
            if (!row->deleting)
                namespace_ = row;
        } else if (row->live == ROW_LIVE_PRESENT && !row->deleting)
            deletion->victims[deletion->count++] =
                    (struct victim){.deletion = deletion, .row = row};
    }
    deletion->left = left;
    deletion->total = MAX(deletion->total, left);
    if (!compare_is_complete(compare))
        deletion_trouble(deletion, compare_trouble(compare));
    else if (left == 0)
        deletion_finish(deletion);
    else if (!deletion_is_approved(deletion, unapproved, unapproved_count))
        return;
    else if (deletion->count > 0)
        deletion_record(deletion);
    else if (others == 0 && namespace_ != NULL)
        deletion_look(deletion, namespace_);
    else
        deletion_wait(deletion);
}

static bool deletion_compare(struct deletion *deletion, struct err *err)
{
    struct app *app = deletion->app;
    const struct app_context *context = app->context;
    struct compare_options options;
    struct cluster *cluster =
            context->cluster(context->owner, &deletion->spec.destination, STR_EMPTY, err);

    if (cluster == NULL)
        return false;
    if (!cluster_is_ready(cluster)) {
        if (cluster_trouble(cluster) != NULL)
            *err = *cluster_trouble(cluster);
        else
            err->code = ERR_NONE;
        return false;
    }
    options = app_compare_options(app, &deletion->spec, deletion->arena);
    options.cluster = cluster;
    options.project = NULL;
    deletion->state = DELETION_COMPARING;
    deletion->compare = compare_start(&options, deletion_compared, app);
    return true;
}

static void deletion_round(void *owner)
{
    struct deletion *deletion = owner;
    struct app *app = deletion->app;
    struct err err = {0};

    if (deletion->state == DELETION_RECORDING)
        deletion_poke(deletion);
    if (deletion->state != DELETION_WAITING)
        return;
    if (!app_has_cascade(app->object, &deletion->propagation)) {
        deletion->state = DELETION_FINISHING; /* nothing of ours holds it */
        return;
    }
    if (!app->context->is_ready(app->context->owner))
        return; /* poked again */
    round_reset(deletion);
    deletion->arena = arena_new(LIMIT_RENDER_ARENA);
    deletion->object = val_dup(deletion->arena, app->object);
    (void)!app_spec_parse(deletion->object, &deletion->spec, &err); /* the destination is read */
    if (deletion_compare(deletion, &err))
        return;
    if (err.code == ERR_NOT_FOUND)
        deletion_finish(deletion); /* the cluster is not ours any more: nothing can be deleted */
    else if (err.code != ERR_NONE)
        deletion_trouble(deletion, &err);
}

/* ---- life ---- */

void deletion_start(struct app *app)
{
    struct deletion *deletion = new0(struct deletion);
    char now[CLOCK_RFC3339_SIZE];

    clock_format(clock_wall_ms(), now);
    deletion->app = app;
    deletion->timer =
            loop_timer_new(app->context->loop, "application delete", deletion_round, deletion);
    deletion->started_at = str_own(str_from(now));
    deletion->kept_namespaces = map_new();
    app->deletion = deletion;
    deletion_later(deletion, 0);
}

void deletion_free(struct deletion *deletion)
{
    if (deletion == NULL)
        return;
    round_reset(deletion);
    loop_timer_free(deletion->timer);
    str_own_free(&deletion->started_at);
    map_free(deletion->kept_namespaces);
    mem_free(deletion);
}

void deletion_poke(struct deletion *deletion)
{
    if (deletion->state == DELETION_RECORDING && deletion->app->written >= deletion->need)
        deletion_send(deletion);
    else if (deletion->state == DELETION_COMPARING)
        compare_poke(deletion->compare);
    else if (deletion->state == DELETION_WAITING)
        loop_timer_start(deletion->timer, DELETE_SOON_MS);
}

str deletion_progress(const struct deletion *deletion, struct arena *arena)
{
    if (deletion == NULL || deletion->total == 0)
        return STR_EMPTY;
    return arena_printf(arena, "Deleting, %zu of %zu", deletion->total - deletion->left,
                        deletion->total);
}
