/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/apply.h"

#include "base/clock.h"
#include "base/mem.h"
#include "doc/hash.h"
#include "engine/adopt.h"
#include "render/dir_tree.h"
#include "render/directory.h"
#include "render/tool.h"

#include <sys/random.h>

#define APPLY_WAIT_MS 60000
#define CONTROL_NAMESPACE S("argocd")
#define SETTINGS S("argocd-cm")
/* The namespace that an application of the command line belongs to. */
#define OWN_NAMESPACE S("cli")
/* For a dry run on a cluster where nothing of Taut ever was. */
#define NO_INSTALLATION S("00000000000000000000000000000000")

struct work;

struct apply_run {
    struct arena *arena;
    struct apply_run_options options;
    struct loop *loop;
    struct kubeconfig *config;
    struct kube *kube;
    struct cluster *cluster;
    struct tree *tree; /* the rendered set borrows file names of it */
    struct render_result *rendered;
    struct app_spec spec;
    struct mark mark;
    struct desired *desired;
    struct verdicts *verdicts;
    struct compare *compare;
    struct task *tasks;
    size_t task_count;
    struct work *work; /* one a task */
    size_t busy;
    bool done; /* what the loop is turned for */
    struct kube_response answer;
    struct arena *answer_arena;
};

/* One task's requests: read, adopt, apply. */
struct work {
    struct apply_run *run;
    struct task *task;
    struct ask *ask;
    struct apply *apply;
    struct arena *arena; /* of the adopting patch */
};

/* ---- one question at a time ---- */

static void on_answer(void *owner, struct kube_response *response)
{
    struct apply_run *run = owner;

    if (run->answer_arena != NULL)
        arena_free(run->answer_arena);
    run->answer = *response;
    run->answer_arena = kube_response_take(response);
    run->done = true;
}

static bool wait_done(struct apply_run *run, const char *what, struct err *err)
{
    return loop_run_until(run->loop, &run->done, APPLY_WAIT_MS) ||
           err_set(err, ERR_TIMEOUT, "%s took longer than %d s", what, APPLY_WAIT_MS / 1000);
}

/* True with run->answer set, whatever the server said; false when it was not reached. */
static bool ask_now(struct apply_run *run, const struct kube_request *request, struct err *err)
{
    run->done = false;
    struct kube_call *call = kube_start(run->kube, request, on_answer, run);
    if (!wait_done(run, kube_verb_word(request->verb), err)) {
        kube_cancel(call);
        return false;
    }
    if (run->answer.ok || run->answer.status == 404)
        return true;
    if (err != NULL)
        *err = run->answer.err;
    return false;
}

/* ---- the directory ---- */

static bool render(struct apply_run *run, struct err *err)
{
    struct val *source = val_new(run->arena, val_map());
    enum render_tool tool;
    struct render_request request = {
            .path = STR_EMPTY,
            .source = source,
            .application = run->options.name,
            .namespace_ = run->options.namespace_,
    };

    val_set(run->arena, val_ensure_map(run->arena, source, S("directory")), S("recurse"),
            val_bool(run->options.recurse));
    run->rendered = render_result_new();
    if (!dir_tree_open(run->options.dir, &run->tree, err))
        return false;
    struct render_request plain = request;
    plain.source = NULL;
    if (!tool_detect(run->tree, &plain, &tool, err))
        return false;
    if (tool != RENDER_DIRECTORY)
        return err_set(err, ERR_UNSUPPORTED,
                       "%s is a %s folder; taut apply reads plain manifests: render it first, or "
                       "deploy it with taut app create",
                       run->options.dir, render_tool_name(tool));
    return directory_render(run->tree, &request, run->rendered, err);
}

/* The Application that the engine's parts want to see. */
static bool make_spec(struct apply_run *run, struct err *err)
{
    struct arena *arena = run->arena;
    struct val *app = val_new(arena, val_map());
    struct val *metadata = val_ensure_map(arena, app, S("metadata"));
    struct val *spec = val_ensure_map(arena, app, S("spec"));
    struct val *source = val_ensure_map(arena, spec, S("source"));
    struct val *destination = val_ensure_map(arena, spec, S("destination"));

    val_set_str(arena, app, S("apiVersion"), S("argoproj.io/v1alpha1"));
    val_set_str(arena, app, S("kind"), S("Application"));
    val_set_str(arena, metadata, S("name"), run->options.name);
    val_set_str(arena, metadata, S("namespace"), OWN_NAMESPACE);
    val_set_str(arena, spec, S("project"), S("default"));
    val_set_str(arena, source, S("repoURL"), S("file:///"));
    val_set_str(arena, source, S("path"), S("."));
    val_set_str(arena, destination, S("server"), run->config->server);
    val_set_str(arena, destination, S("namespace"), run->options.namespace_);
    return app_spec_parse(app, &run->spec, err);
}

bool apply_run_new(const struct apply_run_options *options, struct apply_run **ret_run,
                   struct err *err)
{
    auto_apply_run struct apply_run *run = new0(struct apply_run);

    run->arena = arena_new(LIMIT_RENDER_ARENA);
    run->options = *options;
    run->loop = loop_new();
    if (!render(run, err))
        return false;
    if (!kubeconfig_load(arena_z(run->arena, options->kubeconfig), options->context, &run->config,
                         err) ||
        !make_spec(run, err) ||
        !kube_remote_new(run->loop,
                         arena_printf(run->arena, "cluster %.*s", STR(run->config->name)),
                         run->config, &run->kube, err))
        return false;
    *ret_run = TAKE(run);
    return true;
}

/* ---- the installation id: argocd-cm's installationID (ENGINE section 1) ---- */

static bool write_one(struct apply_run *run, struct gvr gvr, str namespace_, struct val *object,
                      struct err *err)
{
    struct kube_request request = {
            .verb = KUBE_APPLY,
            .gvr = gvr,
            .namespace_ = namespace_,
            .name = object_name(object),
            .body = object,
            .field_manager = FIELD_MANAGER,
    };

    if (!ask_now(run, &request, err))
        return false;
    return run->answer.ok || err_set(err, run->answer.err.code, "%s", run->answer.err.message);
}

static struct val *new_object(struct apply_run *run, const char *kind, str name)
{
    struct val *object = val_new(run->arena, val_map());

    val_set_str(run->arena, object, S("apiVersion"), S("v1"));
    val_set_str(run->arena, object, S("kind"), str_from(kind));
    val_set_str(run->arena, val_ensure_map(run->arena, object, S("metadata")), S("name"), name);
    return object;
}

static bool make_installation(struct apply_run *run, str *ret_id, struct err *err)
{
    unsigned char bytes[16];
    struct val *namespace_ = new_object(run, "Namespace", CONTROL_NAMESPACE);
    struct val *settings = new_object(run, "ConfigMap", SETTINGS);

    if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
        return err_set(err, ERR_IO, "no random numbers");
    str id = hex_encode(run->arena, str_of((const char *)bytes, sizeof(bytes)));
    val_set_str(run->arena, val_ensure_map(run->arena, settings, S("data")), S("installationID"),
                id);
    if (!write_one(run, (struct gvr){S(""), S("v1"), S("namespaces")}, STR_EMPTY, namespace_,
                   err) ||
        !write_one(run, (struct gvr){S(""), S("v1"), S("configmaps")}, CONTROL_NAMESPACE, settings,
                   err))
        return err_wrap(err, "the installation id in %.*s/%.*s", STR(CONTROL_NAMESPACE),
                        STR(SETTINGS));
    *ret_id = id;
    return true;
}

static bool find_installation(struct apply_run *run, str *ret_id, struct err *err)
{
    struct kube_request request = {
            .verb = KUBE_GET,
            .gvr = {S(""), S("v1"), S("configmaps")},
            .namespace_ = CONTROL_NAMESPACE,
            .name = SETTINGS,
    };

    if (!ask_now(run, &request, err))
        return false;
    *ret_id = arena_str(run->arena, VAL_STR(run->answer.object, "data", "installationID"));
    if (ret_id->len > 0)
        return true;
    if (run->options.dry_run) {
        *ret_id = NO_INSTALLATION;
        return true;
    }
    return make_installation(run, ret_id, err);
}

/* ---- comparing ---- */

static void poke(struct apply_run *run)
{
    if (run->compare != NULL)
        compare_poke(run->compare);
    if (run->compare == NULL &&
        (cluster_is_ready(run->cluster) || cluster_trouble(run->cluster) != NULL))
        run->done = true;
}

static void on_cluster_changed(void *owner, UNUSED struct cluster *cluster)
{
    poke(owner);
}

static void on_live_changed(void *owner, UNUSED struct cluster *cluster,
                            UNUSED const struct live *was, UNUSED const struct live *is)
{
    poke(owner);
}

static bool reach(struct apply_run *run, struct err *err)
{
    static const struct cluster_events events = {
            .live_changed = on_live_changed,
            .changed = on_cluster_changed,
    };
    struct cluster_options options = {
            .kube = run->kube,
            .name = run->config->name,
            .server = run->config->server,
    };

    run->cluster = cluster_new(&options, &events, run);
    run->done = cluster_is_ready(run->cluster);
    if (!wait_done(run, "reaching the cluster", err))
        return false;
    if (!cluster_is_ready(run->cluster)) {
        if (err != NULL)
            *err = *cluster_trouble(run->cluster);
        return false;
    }
    return true;
}

static void on_compared(void *owner, UNUSED struct compare *compare)
{
    struct apply_run *run = owner;

    run->done = true;
}

static bool no_instance(UNUSED void *owner, UNUSED str instance)
{
    return true; /* a mark of another application is respected; the command line knows none */
}

static bool compare_now(struct apply_run *run, struct err *err)
{
    struct compare_options options = {
            .cluster = run->cluster,
            .home = run->cluster,
            .desired = run->desired,
            .spec = &run->spec,
            .mark = run->mark,
            .verdicts = run->verdicts,
            .order = ASK_MANUAL,
            .fresh = true,
            .instance_exists = no_instance,
    };

    run->done = false;
    run->compare = compare_start(&options, on_compared, run);
    return wait_done(run, "comparing", err);
}

bool apply_run_compare(struct apply_run *run, struct err *err)
{
    struct desired_options options = {.spec = &run->spec, .mark = &run->mark};
    str installation;

    if (!reach(run, err) || !find_installation(run, &installation, err))
        return false;
    mark_init(&run->mark, run->arena, installation, CONTROL_NAMESPACE, OWN_NAMESPACE,
              run->options.name);
    options.discovery = cluster_discovery(run->cluster);
    if (!desired_build(run->rendered, &options, &run->desired, err))
        return false;
    run->verdicts = verdicts_new(run->loop, /*data_dir=*/NULL);
    return compare_now(run, err);
}

/* ---- applying ---- */

static void work_over(struct work *work, enum task_result result, str message)
{
    task_finish(work->task, result, arena_str(work->run->arena, message));
    work->task->state = TASK_DONE;
    work->run->busy--;
    work->run->done = work->run->busy == 0;
}

static void on_applied(void *owner, struct kube_response *response, UNUSED str removed)
{
    struct work *work = owner;
    struct apply_run *run = work->run;
    const struct row *row = work->task->row;

    work->apply = NULL;
    if (!response->ok) {
        work_over(work, RESULT_FAILED, err_message(&response->err));
        return;
    }
    bool same = str_eq(object_resource_version(response->object), row->resource_version);
    const char *word = response->created ? "created" : same ? "unchanged" : "configured";
    str label = task_label(run->arena, row);
    work->task->changed = !same;
    work_over(work, RESULT_SYNCED, arena_printf(run->arena, "%.*s %s", STR(label), word));
}

static void work_apply(struct work *work)
{
    const struct desired_object *want = work->task->row->want;
    struct apply_request request = {
            .gvr = want->gvr,
            .namespace_ = want->namespace_,
            .name = want->name,
            .body = want->object,
            .skip_validation = want->options.skip_validation,
    };

    work->apply =
            apply_start(cluster_queue(work->run->cluster), &request, ASK_MANUAL, on_applied, work);
}

static void on_adopted(void *owner, struct kube_response *response)
{
    struct work *work = owner;

    work->ask = NULL;
    if (response->ok)
        work_apply(work);
    else
        work_over(work, RESULT_FAILED, err_message(&response->err));
}

static void work_ask(struct work *work, enum kube_verb verb, const struct val *body,
                     kube_done_fn *done)
{
    const struct desired_object *want = work->task->row->want;
    struct ask_options options = {verb == KUBE_GET ? ASK_READ : ASK_WRITE, ASK_MANUAL};
    struct kube_request request = {
            .verb = verb,
            .gvr = want->gvr,
            .namespace_ = want->namespace_,
            .name = want->name,
            .body = body,
            .field_manager = FIELD_MANAGER,
    };

    work->ask = ask_start(cluster_queue(work->run->cluster), &request, &options, done, work);
}

static void on_read(void *owner, struct kube_response *response)
{
    struct work *work = owner;
    const struct val *patch = NULL;

    work->ask = NULL;
    if (!response->ok && response->status != 404) {
        work_over(work, RESULT_FAILED, err_message(&response->err));
        return;
    }
    work->arena = arena_new(LIMIT_DOC_BYTES);
    if (response->ok)
        patch = adopt_patch(work->arena, response->object);
    if (patch == NULL)
        work_apply(work);
    else
        work_ask(work, KUBE_PATCH_JSON, patch, on_adopted);
}

/* Adoption comes first wherever somebody else's fields may be in the way (ENGINE section 2). */
static void work_start(struct work *work)
{
    const struct row *row = work->task->row;

    work->run->busy++;
    work->task->state = TASK_BUSY;
    if (row->reason == REASON_SHARED)
        work_over(work, RESULT_FAILED, row->note);
    else if (!row->want->kind_known)
        work_over(work, RESULT_FAILED, row->note.len > 0 ? row->note : S("its kind is not known"));
    else if (row->live == ROW_LIVE_PRESENT && row->owner != MARK_OURS)
        work_ask(work, KUBE_GET, NULL, on_read);
    else
        work_apply(work);
}

static bool is_to_apply(const struct task *task)
{
    return task->kind == TASK_APPLY && task->row->want != NULL && task->row->status != ROW_SYNCED;
}

/* A kind that a CRD of this run brought is served a moment later. */
static void await_kinds(struct apply_run *run, int order)
{
    int64_t until = clock_mono_ms() + APPLY_WAIT_MS / 2;

    for (size_t i = 0; i < run->task_count; i++) {
        const struct task *task = &run->tasks[i];

        while (task->order == order && is_to_apply(task) && !task->row->want->kind_known &&
               task->row->want->from_crd && clock_mono_ms() < until) {
            bool never = false;

            cluster_rediscover(run->cluster);
            loop_run_until(run->loop, &never, 200);
            desired_resolve(run->desired, cluster_discovery(run->cluster));
        }
    }
}

static bool apply_kind(struct apply_run *run, size_t from, size_t *ret_to, struct err *err)
{
    int order = run->tasks[from].order;
    size_t to = from;

    await_kinds(run, order);
    run->done = false;
    for (; to < run->task_count && run->tasks[to].order == order; to++) {
        if (is_to_apply(&run->tasks[to]))
            work_start(&run->work[to]);
    }
    *ret_to = to;
    return run->busy == 0 || wait_done(run, "applying", err);
}

bool apply_run_apply(struct apply_run *run, struct err *err)
{
    struct task_options options = {.options = run->spec.options};

    run->tasks = task_build(run->arena, run->compare, &options, &run->task_count);
    run->work = arena_array(run->arena, run->task_count + 1, struct work);
    for (size_t i = 0; i < run->task_count; i++)
        run->work[i] = (struct work){.run = run, .task = &run->tasks[i]};
    for (size_t at = 0; at < run->task_count;) {
        if (!apply_kind(run, at, &at, err))
            return false;
    }
    return true;
}

/* ---- the end ---- */

void apply_run_free(struct apply_run *run)
{
    if (run == NULL)
        return;
    for (size_t i = 0; i < run->task_count && run->work != NULL; i++) {
        ask_cancel(run->work[i].ask);
        apply_cancel(run->work[i].apply);
        if (run->work[i].arena != NULL)
            arena_free(run->work[i].arena);
    }
    compare_free(run->compare);
    verdicts_free(run->verdicts);
    desired_unref(run->desired);
    if (run->cluster != NULL)
        cluster_free(run->cluster);
    kube_free(run->kube);
    kubeconfig_free(run->config);
    render_result_unref(run->rendered);
    tree_free(run->tree);
    if (run->answer_arena != NULL)
        arena_free(run->answer_arena);
    loop_free(run->loop);
    arena_free(run->arena);
    mem_free(run);
}

const struct render_result *apply_run_rendered(const struct apply_run *run)
{
    return run->rendered;
}

const struct compare *apply_run_rows(const struct apply_run *run)
{
    return run->compare;
}

const struct task *apply_run_tasks(const struct apply_run *run, size_t *ret_count)
{
    *ret_count = run->task_count;
    return run->tasks;
}
