/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/preview.h"
#include "base/mem.h"
#include "engine/mask.h"
#include "engine/project.h"

/* A listing of refs this young is good enough: a dialog asks at each change of a field. */
#define PREVIEW_REFS_MS 1000

static void preview_step(struct engine_preview *preview);

/* ---- the end ---- */

static void preview_free(struct engine_preview *preview)
{
    *preview->link = preview->next;
    if (preview->next != NULL)
        preview->next->link = preview->link;
    for (size_t i = 0; i < preview->row_count; i++) {
        apply_cancel(preview->rows[i].dry);
        ask_cancel(preview->rows[i].ask);
        namespace_look_cancel(preview->rows[i].look);
    }
    ask_cancel(preview->namespace_ask);
    pull_cancel(preview->pull);
    compare_free(preview->compare);
    cluster_keep(&preview->cluster, NULL);
    desired_unref(preview->desired);
    loop_task_free(preview->tell);
    loop_timer_free(preview->late);
    arena_free(preview->arena);
    mem_free(preview);
}

void engine_preview_cancel(struct engine_preview *preview)
{
    if (preview != NULL)
        preview_free(preview);
}

static void preview_told(void *owner)
{
    struct engine_preview *preview = owner;

    preview->done(preview->owner, preview_answer(preview), NULL);
    preview_free(preview);
}

static void preview_finish(struct engine_preview *preview)
{
    preview->stage = PREVIEW_TOLD;
    loop_timer_stop(preview->late);
    loop_task_post(preview->tell);
}

void preview_fail(struct engine_preview *preview, const char *where, const struct err *err)
{
    preview->failed_at = where;
    preview->err = *err;
    preview_finish(preview);
}

static void preview_is_late(void *owner)
{
    struct engine_preview *preview = owner;
    struct err err;

    err_set(&err, ERR_TIMEOUT, "the preview took longer than %d s", LIMIT_PREVIEW_MS / 1000);
    preview_fail(preview, "cluster", &err);
}

void preview_end_question(struct engine_preview *preview)
{
    if (--preview->busy == 0 && preview->stage != PREVIEW_TOLD)
        preview_finish(preview);
}

/* ---- dry runs of what is new ---- */

static void row_refuse(struct preview_row *row, const struct kube_response *response)
{
    const struct row *at = row->row;

    row->effect = "refused";
    row->reason = "refused";
    row->message = arena_str(row->preview->arena,
                             mask_sentence(at->gvk.group, at->gvk.kind, response->status,
                                           err_message(&response->err)));
}

static void row_asked(void *owner, struct kube_response *response, str removed)
{
    struct preview_row *row = owner;

    row->dry = NULL;
    if (!response->ok)
        row_refuse(row, response);
    else if (!str_is_empty(removed))
        row->message = arena_str(row->preview->arena, removed);
    preview_end_question(row->preview);
}

/* Its namespace comes with this sync, so the server cannot be asked about it yet. */
static bool namespace_is_coming(const struct engine_preview *preview, const struct row *row)
{
    str key = object_key(preview->arena, S(""), S("Namespace"), S(""), row->namespace_);
    const struct row *namespace_ = compare_find(preview->compare, key);

    if (str_is_empty(row->namespace_))
        return false;
    if (preview->namespace_absent && str_eq(row->namespace_, preview->spec.destination.namespace_))
        return true;
    return namespace_ != NULL && namespace_->want != NULL && namespace_->live != ROW_LIVE_PRESENT;
}

static void row_ask(struct preview_row *row)
{
    const struct row *at = row->row;
    struct apply_request request = {.gvr = at->gvr,
                                    .namespace_ = at->namespace_,
                                    .name = at->name,
                                    .body = at->want->object,
                                    .dry_run = true,
                                    .skip_validation = at->want->options.skip_validation};

    row->preview->busy++;
    row->dry = apply_start(cluster_queue(at->cluster), &request, ASK_PAGE, row_asked, row);
}

static void preview_ask_new(struct engine_preview *preview)
{
    preview_tasks(preview);
    preview->stage = PREVIEW_ASKING;
    preview->busy = 1;
    for (size_t i = 0; i < preview->row_count; i++) {
        struct preview_row *row = &preview->rows[i];
        const struct row *at = row->row;

        if (str_eq(str_from(row->effect), S("create")) && at->want->kind_known &&
            !at->want->kind_absent && !at->want->from_crd && !namespace_is_coming(preview, at))
            row_ask(row);
    }
    preview_end_question(preview);
}

/* ---- the namespace ---- */

static void got_namespace(void *owner, struct kube_response *response)
{
    struct engine_preview *preview = owner;

    preview->namespace_ask = NULL;
    preview->namespace_absent = response->status == 404;
    preview_ask_new(preview);
}

static void preview_compared(void *owner, UNUSED struct compare *compare)
{
    struct engine_preview *preview = owner;
    struct kube_request request = {.verb = KUBE_GET,
                                   .gvr = {S(""), S("v1"), S("namespaces")},
                                   .name = preview->spec.destination.namespace_};
    struct ask_options options = {ASK_READ, ASK_PAGE};

    if (str_is_empty(request.name))
        preview_ask_new(preview);
    else
        preview->namespace_ask = ask_start(cluster_queue(preview->cluster), &request, &options,
                                           got_namespace, preview);
}

/* ---- pull and compare ---- */

static bool preview_instance_exists(void *owner, str instance)
{
    struct engine_preview *preview = owner;

    return map_has(preview->engine->by_instance, instance);
}

struct compare_options preview_compare_options(struct engine_preview *preview)
{
    const struct app_context *context = &preview->engine->context;

    return (struct compare_options){
            .cluster = preview->cluster,
            .home = context->home_cluster,
            .spec = &preview->spec,
            .mark = preview->mark,
            .known = VAL_AT(preview->application, "status", "resources"),
            .known_more = VAL_AT(preview->application, "status", "operationState", "syncResult",
                                 "resources"),
            .verdicts = context->verdicts,
            .order = ASK_PAGE,
            .instance_exists = preview_instance_exists,
    };
}

static void preview_pulled(void *owner, const struct pull_result *result, const struct err *err)
{
    struct engine_preview *preview = owner;
    const struct app_context *context = &preview->engine->context;
    struct compare_options options;
    const struct val *project;

    preview->pull = NULL;
    if (err != NULL) {
        preview_fail(preview, result->repo == NULL ? "repository" : "render", err);
        return;
    }
    preview->desired = desired_ref(result->desired);
    project = context->project(context->owner, preview->spec.project, NULL);
    options = preview_compare_options(preview);
    options.desired = preview->desired;
    options.project = project == NULL ? NULL : val_dup(preview->arena, project);
    options.project_home = app_context_home(context, &preview->spec);
    preview->stage = PREVIEW_COMPARING;
    preview->compare = compare_start(&options, preview_compared, preview);
}

static void preview_pull(struct engine_preview *preview)
{
    struct pull_request request = {.context = &preview->engine->context,
                                   .spec = &preview->spec,
                                   .mark = &preview->mark,
                                   .cluster = preview->cluster,
                                   .revision = preview->revision,
                                   .max_age_ms = PREVIEW_REFS_MS};

    preview->stage = PREVIEW_PULLING;
    preview->pull = pull_start(&request, preview_pulled, preview);
}

/* What the project permits; NULL or the part of the form that is wrong. */
static const char *preview_check(struct engine_preview *preview, struct err *err)
{
    const struct app_context *context = &preview->engine->context;
    const struct val *project = context->project(context->owner, preview->spec.project, err);
    struct project_target target;

    if (project == NULL || !project_check(project, err) ||
        !project_permits_namespace(project, context->control_namespace, preview->spec.namespace_,
                                   err))
        return "project";
    if (!project_permits_source(project, preview->spec.repo_url, err))
        return "repository";
    cluster_keep(&preview->cluster, context->cluster(context->owner, &preview->spec.destination,
                                                     preview->spec.project, err));
    if (preview->cluster == NULL)
        return "location";
    target = (struct project_target){
            .server = cluster_server(preview->cluster),
            .name = cluster_name(preview->cluster),
            .namespace_ = preview->spec.destination.namespace_,
            .home = preview->cluster == context->home_cluster
                            ? app_context_home(context, &preview->spec)
                            : NULL,
    };
    return project_permits_destination(project, &target, err) ? NULL : "location";
}

/* The cluster of a deletion is found without asking the project, as the deletion does. */
static const char *preview_find_cluster(struct engine_preview *preview, struct err *err)
{
    const struct app_context *context = &preview->engine->context;

    cluster_keep(&preview->cluster,
                 context->cluster(context->owner, &preview->spec.destination, STR_EMPTY, err));
    return preview->cluster == NULL ? "cluster" : NULL;
}

static void preview_step(struct engine_preview *preview)
{
    const struct app_context *context = &preview->engine->context;
    const char *wrong;
    struct err err;

    if (context->owner == NULL || !context->is_ready(context->owner))
        return; /* poked again */
    wrong = preview->is_deletion ? preview_find_cluster(preview, &err)
                                 : preview_check(preview, &err);
    if (wrong != NULL)
        preview_fail(preview, wrong, &err);
    else if (cluster_is_ready(preview->cluster) && preview->is_deletion)
        preview_delete(preview);
    else if (cluster_is_ready(preview->cluster))
        preview_pull(preview);
    else if (cluster_trouble(preview->cluster) != NULL)
        preview_fail(preview, "cluster", cluster_trouble(preview->cluster));
}

void engine_preview_poke(struct engine *engine)
{
    struct engine_preview *next;

    for (struct engine_preview *it = engine->previews; it != NULL; it = next) {
        next = it->next;
        if (it->stage == PREVIEW_WAITING)
            preview_step(it);
        else if (it->stage == PREVIEW_COMPARING)
            compare_poke(it->compare);
    }
}

/* ---- the question ---- */

/* The options of an operation win over the deployment's; without one, the spec's count. */
static bool preview_read(struct engine_preview *preview, struct err *err)
{
    const struct val *strategy = val_get(preview->sync, S("syncStrategy"));
    const struct val *options = val_get(preview->sync, S("syncOptions"));
    bool good = app_spec_parse(preview->application, &preview->spec, err);

    if (!good && !preview->is_deletion)
        return false;
    if (options != NULL) {
        preview->spec.options = (struct sync_options){0};
        sync_options_add_list(&preview->spec.options, options);
    }
    preview->revision = val_get_str(preview->sync, S("revision"));
    if (str_is_empty(preview->revision))
        preview->revision = preview->spec.revision;
    preview->options = (struct task_options){
            .prune = val_get_bool(preview->sync, S("prune"),
                                  preview->sync == NULL && preview->spec.prune),
            .force = val_get_bool(val_get(strategy, S("apply")), S("force"), false) ||
                     val_get_bool(val_get(strategy, S("hook")), S("force"), false),
            .options = preview->spec.options,
            .resources = val_get(preview->sync, S("resources")),
    };
    return true;
}

static bool engine_is_busy(const struct engine *engine, struct err *err)
{
    size_t count = 0;

    for (const struct engine_preview *it = engine->previews; it != NULL; it = it->next)
        count++;
    if (count >= LIMIT_PREVIEWS)
        err_set(err, ERR_TOO_MANY, "%d previews are being computed already; try again",
                LIMIT_PREVIEWS);
    return count >= LIMIT_PREVIEWS;
}

struct engine_preview *engine_preview(struct engine *engine,
                                      const struct engine_preview_request *request,
                                      engine_answer_fn *done, void *owner, struct err *err)
{
    struct engine_preview *preview;
    struct err wrong;

    if (engine_is_busy(engine, err))
        return NULL;
    preview = new0(struct engine_preview);
    preview->engine = engine;
    preview->next = engine->previews;
    preview->link = &engine->previews;
    if (preview->next != NULL)
        preview->next->link = &preview->next;
    engine->previews = preview;
    preview->arena = arena_new(LIMIT_ANSWER_ARENA);
    preview->done = done;
    preview->owner = owner;
    preview->tell = loop_task_new(engine->options.loop, "preview", preview_told, preview);
    preview->late = loop_timer_new(engine->options.loop, "preview late", preview_is_late, preview);
    preview->is_deletion = request->deletion;
    preview->application = val_dup(preview->arena, request->application);
    preview->sync = request->sync == NULL ? NULL : val_dup(preview->arena, request->sync);
    loop_timer_start(preview->late, LIMIT_PREVIEW_MS);
    if (!preview_read(preview, &wrong)) {
        preview_fail(preview, "spec", &wrong);
        return preview;
    }
    mark_init(&preview->mark, preview->arena, engine->installation, engine->control_namespace,
              preview->spec.namespace_, preview->spec.name);
    preview_step(preview);
    return preview;
}
