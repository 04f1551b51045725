/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"
#include "engine/apply.h"
#include "engine/engine_state.h"
#include "engine/fields.h"
#include "engine/ignore.h"
#include "engine/mask.h"
#include "engine/tree.h"

/*
 * Questions of people that take a while: the difference, the rendered set, a cluster's state. Each
 * works on copies, so that the application may change or go meanwhile.
 */

struct diff_row {
    struct engine_ask *ask;
    struct gvk gvk;
    struct gvr gvr;
    str namespace_;
    str name;
    str status;
    str reason; /* tree.h */
    str note;
    bool is_ignored;  /* a rule of ignoreDifferences is about it */
    bool asks_server; /* what would the server make of it? */
    const struct val *want;
    bool skip_validation;
    struct ask *read;
    struct apply *dry;
    struct cluster *cluster;
    struct val *live;
    struct val *predicted;
};

struct engine_ask {
    struct engine *engine;
    struct engine_ask *next;
    struct engine_ask *prev;
    struct arena *arena;
    engine_answer_fn *done;
    void *owner;
    struct loop_task *task;
    bool failed;
    struct err err;
    struct val *answer;
    struct diff_row *rows;
    size_t row_count;
    size_t busy;
    struct pull *pull;
    struct app_spec spec;
    struct mark mark;
};

static void ask_free(struct engine_ask *ask)
{
    if (ask->prev != NULL)
        ask->prev->next = ask->next;
    else
        ask->engine->asks = ask->next;
    if (ask->next != NULL)
        ask->next->prev = ask->prev;
    for (size_t i = 0; i < ask->row_count; i++) {
        ask_cancel(ask->rows[i].read);
        apply_cancel(ask->rows[i].dry);
        cluster_keep(&ask->rows[i].cluster, NULL);
    }
    pull_cancel(ask->pull);
    loop_task_free(ask->task);
    arena_free(ask->arena);
    mem_free(ask);
}

void engine_ask_cancel(struct engine_ask *ask)
{
    if (ask != NULL)
        ask_free(ask);
}

static void ask_told(void *owner)
{
    struct engine_ask *ask = owner;

    ask->done(ask->owner, ask->failed ? NULL : ask->answer, ask->failed ? &ask->err : NULL);
    ask_free(ask);
}

static struct engine_ask *ask_new(struct engine *engine, engine_answer_fn *done, void *owner)
{
    struct engine_ask *ask = new0(struct engine_ask);

    ask->engine = engine;
    ask->next = engine->asks;
    if (ask->next != NULL)
        ask->next->prev = ask;
    engine->asks = ask;
    ask->arena = arena_new(LIMIT_ANSWER_ARENA);
    ask->done = done;
    ask->owner = owner;
    ask->task = loop_task_new(engine->options.loop, "engine answer", ask_told, ask);
    return ask;
}

static struct engine_ask *ask_fail(struct engine_ask *ask, const struct err *err)
{
    ask->failed = true;
    ask->err = *err;
    loop_task_post(ask->task);
    return ask;
}

static struct app *ask_app(struct engine_ask *ask, str namespace_, str name)
{
    struct app *app = engine_app(ask->engine, namespace_, name);
    struct err err;

    if (app == NULL) {
        err_set(&err, ERR_NOT_FOUND, "there is no application %.*s/%.*s", STR(namespace_),
                STR(name));
        ask_fail(ask, &err);
    }
    return app;
}

/* ---- diff ---- */

struct diff_fields {
    struct arena *arena;
    struct val *list;
    const struct val *managers; /* managedFields of the live object */
};

static void diff_field(void *owner, str path, const struct val *live, const struct val *wanted)
{
    struct diff_fields *fields = owner;
    const struct val *manager =
            fields_manager(fields->arena, fields->managers, path, /*not_us=*/false);
    struct val field = val_map();

    val_set_str(fields->arena, &field, S("path"), path);
    if (live != NULL)
        val_set(fields->arena, &field, S("live"), val_dup_value(fields->arena, live));
    if (wanted != NULL)
        val_set(fields->arena, &field, S("wanted"), val_dup_value(fields->arena, wanted));
    if (manager != NULL) {
        val_set_str(fields->arena, &field, S("manager"), val_get_str(manager, S("manager")));
        val_set_str(fields->arena, &field, S("time"), val_get_str(manager, S("time")));
    }
    val_append(fields->arena, fields->list, field);
}

static struct val diff_val(struct diff_row *row)
{
    struct arena *arena = row->ask->arena;
    struct val out = val_map();
    struct diff_fields fields = {.arena = arena,
                                 .managers = VAL_AT(row->live, "metadata", "managedFields")};
    struct val *live = row->live == NULL ? NULL : live_spec_view(arena, row->live);
    struct val *wanted = row->predicted != NULL ? live_spec_view(arena, row->predicted)
                         : row->want != NULL    ? val_dup(arena, row->want)
                                                : NULL;

    mask_pair(arena, live, wanted);
    val_set_str(arena, &out, S("group"), row->gvk.group);
    val_set_str(arena, &out, S("kind"), row->gvk.kind);
    val_set_str(arena, &out, S("namespace"), row->namespace_);
    val_set_str(arena, &out, S("name"), row->name);
    val_set_str(arena, &out, S("status"), row->status);
    val_set_str(arena, &out, S("reason"), row->reason);
    val_set_str(arena, &out, S("message"), row->note);
    val_set(arena, &out, S("ignored"), val_bool(row->is_ignored));
    if (live != NULL)
        val_set(arena, &out, S("live"), *live);
    if (wanted != NULL)
        val_set(arena, &out, S("wanted"), *wanted);
    fields.list = val_set(arena, &out, S("fields"), val_list());
    if (live != NULL && row->predicted != NULL)
        fields_each_difference(arena, live, wanted, LIMIT_DIFF_FIELDS, diff_field, &fields);
    return out;
}

static void diff_end_row(struct engine_ask *ask)
{
    if (--ask->busy > 0)
        return;
    ask->answer = val_new(ask->arena, val_list());
    for (size_t i = 0; i < ask->row_count; i++)
        val_append(ask->arena, ask->answer, diff_val(&ask->rows[i]));
    loop_task_post(ask->task);
}

static void diff_predicted(void *owner, struct kube_response *response, UNUSED str removed)
{
    struct diff_row *row = owner;

    row->dry = NULL;
    if (response->ok)
        row->predicted = val_dup(row->ask->arena, response->object);
    else
        row->note = arena_str(row->ask->arena,
                              mask_sentence(row->gvk.group, row->gvk.kind, response->status,
                                            err_message(&response->err)));
    diff_end_row(row->ask);
}

static void diff_read(void *owner, struct kube_response *response)
{
    struct diff_row *row = owner;
    struct apply_request request = {.gvr = row->gvr,
                                    .namespace_ = row->namespace_,
                                    .name = row->name,
                                    .body = row->want,
                                    .dry_run = true,
                                    .skip_validation = row->skip_validation};

    row->read = NULL;
    if (response->ok)
        row->live = val_dup(row->ask->arena, response->object);
    else if (response->status != 404)
        row->note = arena_str(row->ask->arena, err_message(&response->err));
    if (response->ok && row->asks_server)
        row->dry =
                apply_start(cluster_queue(row->cluster), &request, ASK_PAGE, diff_predicted, row);
    else
        diff_end_row(row->ask);
}

static void diff_start_row(struct engine_ask *ask, const struct app *app, const struct row *from)
{
    struct ignore_target target = {from->gvk, from->namespace_, from->name};
    struct diff_row *row = &ask->rows[ask->row_count++];
    struct arena *arena = ask->arena;
    struct kube_request request = {.verb = KUBE_GET};
    struct ask_options options = {ASK_READ, ASK_PAGE};

    row->ask = ask;
    row->gvk = (struct gvk){arena_str(arena, from->gvk.group), arena_str(arena, from->gvk.version),
                            arena_str(arena, from->gvk.kind)};
    row->gvr = (struct gvr){arena_str(arena, from->gvr.group), arena_str(arena, from->gvr.version),
                            arena_str(arena, from->gvr.resource)};
    row->namespace_ = arena_str(arena, from->namespace_);
    row->name = arena_str(arena, from->name);
    row->status = str_from(row_status_name(from->status));
    row->reason = str_from(tree_reason_word(from->reason));
    row->note = arena_str(arena, from->note);
    row->is_ignored = app->spec_is_good && ignore_matches(app->spec.ignore, &target);
    row->asks_server = from->want != NULL && from->owner == MARK_OURS && !from->deleting;
    if (from->want != NULL) {
        row->want = val_dup(arena, from->want->object);
        row->skip_validation = from->want->options.skip_validation;
    }
    if (str_is_empty(row->gvr.resource) || from->live == ROW_LIVE_ABSENT)
        return;
    request.gvr = row->gvr;
    request.namespace_ = row->namespace_;
    request.name = row->name;
    ask->busy++;
    cluster_keep(&row->cluster, from->cluster);
    row->read = ask_start(cluster_queue(row->cluster), &request, &options, diff_read, row);
}

struct engine_ask *engine_app_diff(struct engine *engine, str namespace_, str name, str only,
                                   engine_answer_fn *done, void *owner)
{
    struct engine_ask *ask = ask_new(engine, done, owner);
    struct app *app = ask_app(ask, namespace_, name);
    struct err err;

    if (app == NULL)
        return ask;
    if (app->last == NULL) {
        err_set(&err, ERR_UNAVAILABLE, "application %.*s/%.*s was not compared yet",
                STR(namespace_), STR(name));
        return ask_fail(ask, &err);
    }
    ask->rows = arena_array(ask->arena, compare_count(app->last) + 1, struct diff_row);
    ask->busy = 1;
    for (size_t i = 0; i < compare_count(app->last); i++) {
        const struct row *row = compare_row(app->last, i);

        if (str_is_empty(only) ? row->status != ROW_SYNCED : str_eq(row->key, only))
            diff_start_row(ask, app, row);
    }
    diff_end_row(ask);
    return ask;
}

/* ---- manifests ---- */

static void manifests_answer(struct engine_ask *ask, const struct desired *desired)
{
    struct arena *arena = ask->arena;
    struct val *list;

    ask->answer = val_new(arena, val_map());
    val_set_str(arena, ask->answer, S("commit"), arena_str(arena, desired->commit));
    list = val_set(arena, ask->answer, S("objects"), val_list());
    for (size_t i = 0; i < desired->count; i++) {
        struct val *object = val_dup(arena, desired->objects[i].object);

        mask_pair(arena, object, NULL);
        val_append(arena, list, *object);
    }
    loop_task_post(ask->task);
}

static void manifests_pulled(void *owner, const struct pull_result *result, const struct err *err)
{
    struct engine_ask *ask = owner;

    ask->pull = NULL;
    if (err != NULL)
        ask_fail(ask, err);
    else
        manifests_answer(ask, result->desired);
}

struct engine_ask *engine_app_manifests(struct engine *engine, str namespace_, str name,
                                        str revision, engine_answer_fn *done, void *owner)
{
    struct engine_ask *ask = ask_new(engine, done, owner);
    struct app *app = ask_app(ask, namespace_, name);
    struct pull_request request = {.context = &engine->context, .revision = revision};
    struct err err;

    if (app == NULL)
        return ask;
    if (str_is_empty(revision) && app->desired != NULL) {
        manifests_answer(ask, app->desired);
        return ask;
    }
    if (!app_spec_parse(val_dup(ask->arena, app->object), &ask->spec, &err))
        return ask_fail(ask, &err);
    request.cluster =
            engine->context.cluster(engine, &ask->spec.destination, ask->spec.project, &err);
    if (request.cluster == NULL)
        return ask_fail(ask, &err);
    mark_init(&ask->mark, ask->arena, engine->installation, engine->control_namespace, namespace_,
              name);
    request.spec = &ask->spec;
    request.mark = &ask->mark;
    if (str_is_empty(revision))
        request.revision = ask->spec.revision;
    ask->pull = pull_start(&request, manifests_pulled, ask);
    return ask;
}

/* ---- the state of a cluster ---- */

struct engine_ask *engine_cluster_check(struct engine *engine, str cluster, engine_answer_fn *done,
                                        void *owner)
{
    struct engine_ask *ask = ask_new(engine, done, owner);
    struct app_destination destination = {.server = STR_EMPTY, .name = cluster};
    struct cluster *found;
    struct err err;

    if (engine->destinations == NULL) {
        err_set(&err, ERR_UNAVAILABLE, "the engine has not started yet");
        return ask_fail(ask, &err);
    }
    found = destinations_find(engine->destinations, &destination, STR_EMPTY, &err);
    if (found == NULL)
        return ask_fail(ask, &err);
    if (cluster_trouble(found) != NULL)
        return ask_fail(ask, cluster_trouble(found));
    ask->answer = val_new(ask->arena, val_map());
    val_set(ask->arena, ask->answer, S("ready"), val_bool(cluster_is_ready(found)));
    val_set_str(ask->arena, ask->answer, S("version"),
                arena_str(ask->arena, discovery_server_version(cluster_discovery(found))));
    loop_task_post(ask->task);
    return ask;
}
