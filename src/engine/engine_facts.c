/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "engine/autosync.h"
#include "engine/delete.h"
#include "engine/engine_state.h"
#include "engine/rollup.h"
#include "engine/sync.h"

/* What only memory knows of an application. */

static void set_time(struct arena *arena, struct val *out, str key, int64_t wall_ms)
{
    char text[CLOCK_RFC3339_SIZE];

    if (wall_ms <= 0)
        return;
    clock_format(wall_ms, text);
    val_set_str(arena, out, key, arena_str(arena, str_from(text)));
}

static struct val resource_facts(const struct row *row, struct arena *arena)
{
    struct val out = val_map();

    val_set_str(arena, &out, S("group"), row->gvk.group);
    val_set_str(arena, &out, S("version"), row->gvk.version);
    val_set_str(arena, &out, S("kind"), row->gvk.kind);
    val_set_str(arena, &out, S("namespace"), row->namespace_);
    val_set_str(arena, &out, S("name"), row->name);
    val_set_str(arena, &out, S("uid"), row->uid);
    val_set_str(arena, &out, S("images"), row->images);
    val_set(arena, &out, S("deleting"), val_bool(row->deleting));
    val_set_str(arena, &out, S("status"), str_from(row_status_name(row->status)));
    val_set_str(arena, &out, S("health"), str_from(health_name(row->health.status)));
    val_set_str(arena, &out, S("message"), row->health.message);
    val_set_str(arena, &out, S("note"), row->note);
    val_set(arena, &out, S("requiresPruning"), val_bool(row->requires_pruning));
    if (row->want != NULL && !str_is_empty(row->want->file))
        val_set_str(arena, &out, S("file"),
                    arena_printf(arena, "%.*s:%u", STR(row->want->file), row->want->line));
    return out;
}

/* Where an operation is, as the page names its steps. */
static const char *const sync_steps[] = {
        [SYNC_RECORDING] = "resolve",    [SYNC_PULLING] = "resolve",
        [SYNC_COMPARING] = "render",     [SYNC_LOOKING] = "render",
        [SYNC_VALIDATING] = "apply",     [SYNC_MAKING_NAMESPACE] = "apply",
        [SYNC_PRUNING] = "prune",        [SYNC_APPLYING] = "apply",
        [SYNC_WAITING_HEALTHY] = "wait", [SYNC_PRUNING_LAST] = "prune",
        [SYNC_SETTLING] = "apply",       [SYNC_ENDED] = "",
};

static void add_sync(struct arena *arena, struct val *facts, const struct sync *sync)
{
    struct val *out;
    int64_t done = 0;
    int64_t failed = 0;

    if (sync == NULL || sync->state == SYNC_ENDED)
        return;
    for (size_t i = 0; i < sync->task_count; i++) {
        done += sync->tasks[i].result != RESULT_NONE;
        failed += sync->tasks[i].result == RESULT_FAILED;
    }
    out = val_set(arena, facts, S("sync"), val_map());
    val_set_str(arena, out, S("step"), str_from(sync_steps[sync->state]));
    val_set(arena, out, S("tasks"), val_int(arena, (int64_t)sync->task_count));
    val_set(arena, out, S("done"), val_int(arena, done));
    val_set(arena, out, S("failed"), val_int(arena, failed));
}

struct val *engine_app_facts(const struct engine *engine, str namespace_, str name,
                             struct arena *arena)
{
    const struct app *app = engine_app(engine, namespace_, name);
    struct val *facts;
    struct val *resources;
    str message;

    if (app == NULL)
        return NULL;
    facts = val_new(arena, val_map());
    set_time(arena, facts, S("lastCheck"), app->checked_wall_ms);
    if (app->repo != NULL && source_repo_listed_ms(app->repo->source) > 0)
        set_time(arena, facts, S("gitChecked"),
                 clock_wall_ms() - (clock_mono_ms() - source_repo_listed_ms(app->repo->source)));
    message = deletion_progress(app->deletion, arena);
    if (str_is_empty(message) && app->sync != NULL)
        message = app->sync->message;
    if (!str_is_empty(message))
        val_set_str(arena, facts, S("message"), message);
    add_sync(arena, facts, app->sync);
    resources = val_set(arena, facts, S("resources"), val_list());
    for (size_t i = 0; app->last != NULL && i < compare_count(app->last); i++)
        val_append(arena, resources, resource_facts(compare_row(app->last, i), arena));
    if (app->last != NULL)
        val_set_str(arena, facts, S("cause"), rollup_health(app->last, arena).message);
    return facts;
}

struct kube *engine_app_kube(const struct engine *engine, const struct val *application,
                             struct err *err)
{
    const struct val *to = VAL_AT(application, "spec", "destination");
    struct app_destination destination = {
            .server = val_get_str(to, S("server")),
            .name = val_get_str(to, S("name")),
            .namespace_ = val_get_str(to, S("namespace")),
    };
    struct cluster *cluster = destinations_find(engine->destinations, &destination,
                                                VAL_STR(application, "spec", "project"), err);

    return cluster == NULL ? NULL : cluster_kube(cluster);
}
