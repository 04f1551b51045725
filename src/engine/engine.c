/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"
#include "base/mem.h"
#include "engine/engine_state.h"

/* ---- applications ---- */

static str app_key(struct arena *arena, str namespace_, str name)
{
    return arena_printf(arena, "%.*s/%.*s", STR(namespace_), STR(name));
}

struct app *engine_app(const struct engine *engine, str namespace_, str name)
{
    auto_arena struct arena *arena = arena_new(LIMIT_KEY_ARENA);

    return map_get(engine->apps, app_key(arena, namespace_, name));
}

/* The reflector keeps only what tells one version from another; the app has the object. */
static void *application_keep(void *owner, const struct val *object)
{
    struct engine *engine = owner;
    auto_arena struct arena *arena = arena_new(LIMIT_KEY_ARENA);
    str key = app_key(arena, object_namespace(object), object_name(object));
    struct app *app = map_get(engine->apps, key);

    if (app != NULL) {
        app_take_object(app, object);
    } else {
        app = app_new(&engine->context, object);
        map_set(engine->apps, key, app);
        map_set(engine->by_label, app->mark.label, app);
        map_set(engine->by_instance, app->mark.instance, app);
    }
    return mem_dup_z(object_resource_version(object));
}

static void application_drop(UNUSED void *owner, void *kept)
{
    mem_free(kept);
}

static void engine_remove_app(struct engine *engine, struct app *app)
{
    map_del(engine->by_label, app->mark.label);
    map_del(engine->by_instance, app->mark.instance);
    claims_begin(engine->claims, app->mark.instance);
    claims_end(engine->claims, app->mark.instance);
    app_free(app);
}

static void application_changed(void *owner, str namespace_, str name, UNUSED const void *was,
                                const void *is)
{
    struct engine *engine = owner;
    auto_arena struct arena *arena = arena_new(LIMIT_KEY_ARENA);
    struct app *app;

    if (is != NULL)
        return;
    app = map_del(engine->apps, app_key(arena, namespace_, name));
    if (app != NULL)
        engine_remove_app(engine, app);
}

static void engine_poke(void *owner)
{
    struct engine *engine = owner;
    struct map_iter it = map_iter(engine->apps);

    while (map_next(&it))
        app_poke(it.value);
    engine_preview_poke(engine);
}

static void engine_told(void *owner)
{
    struct engine *engine = owner;

    loop_task_post(engine->poke);
}

static void list_trouble(UNUSED void *owner, const struct err *err)
{
    if (err != NULL)
        log_warn("engine", "the home cluster: %s", err->message);
}

static const struct reflector_events application_events = {
        .keep = application_keep,
        .drop = application_drop,
        .changed = application_changed,
        .complete = engine_told,
        .trouble = list_trouble,
};

/* ---- projects ---- */

struct project_kept {
    struct arena *arena;
    const struct val *object;
};

static void *project_keep(UNUSED void *owner, const struct val *object)
{
    struct project_kept *kept = new0(struct project_kept);

    kept->arena = arena_new(LIMIT_SETTINGS_ARENA);
    kept->object = val_dup(kept->arena, object);
    return kept;
}

static void project_drop(UNUSED void *owner, void *project)
{
    struct project_kept *kept = project;

    arena_free(kept->arena);
    mem_free(kept);
}

/* What a project permits changed: its applications are compared again. */
static void project_changed(void *owner, UNUSED str namespace_, str name, UNUSED const void *was,
                            UNUSED const void *is)
{
    struct engine *engine = owner;
    struct map_iter it = map_iter(engine->apps);

    while (map_next(&it)) {
        struct app *app = it.value;

        if (str_eq(app->spec.project, name))
            app_refresh(app, APP_KNOWN_REVISION, /*hard=*/false);
    }
}

static const struct reflector_events project_events = {
        .keep = project_keep,
        .drop = project_drop,
        .changed = project_changed,
        .complete = engine_told,
        .trouble = list_trouble,
};

/* ---- what applications use of us ---- */

static bool context_is_ready(void *owner)
{
    struct engine *engine = owner;

    return reflector_is_complete(engine->applications) && reflector_is_complete(engine->projects) &&
           settings_is_complete(engine->settings) && repos_is_complete(engine->repos) &&
           destinations_is_complete(engine->destinations);
}

static const struct val *context_project(void *owner, str name, struct err *err)
{
    struct engine *engine = owner;
    struct project_kept *kept = reflector_get(engine->projects, engine->control_namespace, name);

    if (kept == NULL) {
        err_set(err, ERR_FORBIDDEN, "there is no project '%.*s' in namespace '%.*s'", STR(name),
                STR(engine->control_namespace));
        return NULL;
    }
    return kept->object;
}

/* A DevOps Project NAME is namespace NAME and AppProject NAME that takes its applications. */
static bool context_is_devops(void *owner, str namespace_)
{
    struct engine *engine = owner;
    struct project_kept *kept =
            reflector_get(engine->projects, engine->control_namespace, namespace_);
    struct val_iter it =
            val_iter(kept == NULL ? NULL : VAL_AT(kept->object, "spec", "sourceNamespaces"));

    while (val_next(&it)) {
        if (str_eq(val_str(it.value), namespace_))
            return true;
    }
    return false;
}

static struct cluster *context_cluster(void *owner, const struct app_destination *destination,
                                       str project, struct err *err)
{
    struct engine *engine = owner;

    return destinations_find(engine->destinations, destination, project, err);
}

static bool context_instance_exists(void *owner, str instance)
{
    struct engine *engine = owner;

    return map_has(engine->by_instance, instance);
}

static void context_claims_begin(void *owner, str claimer)
{
    claims_begin(((struct engine *)owner)->claims, claimer);
}

static void context_claim(void *owner, str holder, str claimer, str object)
{
    claims_add(((struct engine *)owner)->claims, holder, claimer, object);
}

static void context_claims_end(void *owner, str claimer)
{
    claims_end(((struct engine *)owner)->claims, claimer);
}

static void context_claims_each(void *owner, str holder, void (*fn)(void *to, str sentence),
                                void *to)
{
    claims_each(((struct engine *)owner)->claims, holder, fn, to);
}

static void context_object_changed(void *owner, const struct val *was, const struct val *is)
{
    event_log_tell(((struct engine *)owner)->events, was, is);
}

/* Operations are under way, or statuses are to be written: what can wait does. */
static bool engine_is_busy(void *owner)
{
    struct engine *engine = owner;
    struct map_iter it = map_iter(engine->apps);

    while (map_next(&it)) {
        const struct app *app = it.value;

        if (app->sync != NULL || !app_is_written(app))
            return true;
    }
    return false;
}

static void context_told(void *owner, const struct app *app)
{
    engine_tell(owner, app);
}

static void claims_changed(void *owner, str holder)
{
    struct engine *engine = owner;
    struct app *app = map_get(engine->by_instance, holder);

    if (app != NULL)
        app_refresh(app, APP_SAME_REVISION, /*hard=*/false);
}

/* ---- clusters ---- */

static void live_told(struct engine *engine, const struct live *live)
{
    struct app *app = live == NULL ? NULL : map_get(engine->by_label, live->label);

    if (app == NULL)
        return;
    app_live_changed(app);
    engine_tell(engine, app);
}

static void cluster_live_changed(void *owner, UNUSED struct cluster *cluster,
                                 const struct live *was, const struct live *is)
{
    live_told(owner, was);
    if (was == NULL || is == NULL || !str_eq(was->label, is->label))
        live_told(owner, is);
}

static void cluster_children_changed(void *owner, UNUSED struct cluster *cluster,
                                     const struct live *live)
{
    struct engine *engine = owner;
    struct app *app = map_get(engine->by_label, live->label);

    if (app != NULL)
        engine_tell(engine, app);
}

static void cluster_unused(void *owner, UNUSED struct cluster *cluster)
{
    struct engine *engine = owner;

    destinations_sweep(engine->destinations);
}

static void cluster_changed(void *owner, struct cluster *cluster)
{
    struct engine *engine = owner;
    struct map_iter it = map_iter(engine->apps);

    while (map_next(&it))
        app_cluster_changed(it.value, cluster);
    engine_preview_poke(engine);
}

static const struct cluster_events cluster_events = {
        .live_changed = cluster_live_changed,
        .children_changed = cluster_children_changed,
        .unused = cluster_unused,
        .changed = cluster_changed,
};

/* ---- life ---- */

static void settings_told(void *owner)
{
    struct engine *engine = owner;
    str installation = settings_get(engine->settings, SETTINGS_MAIN, S("installationID"));

    if (settings_is_complete(engine->settings) && !str_eq(installation, engine->installation))
        log_warn("engine",
                 "installationID of argocd-cm changed to '%.*s'; it counts after a restart, and "
                 "objects marked before are then another installation's",
                 STR(installation));
    if (engine->options.source != NULL)
        source_set_interval(engine->options.source, settings_reconcile_ms(engine->settings));
    engine_told(engine);
}

static void engine_open(struct engine *engine)
{
    struct kube *home = engine->options.home;
    struct destinations_options destinations = {.home = home,
                                                .sandbox = engine->options.sandbox,
                                                .home_is_cluster = engine->options.home_is_cluster,
                                                .control_namespace = engine->control_namespace};
    struct kube_selector projects = {.gvr = {S("argoproj.io"), S("v1alpha1"), S("appprojects")},
                                     .namespace_ = engine->control_namespace};
    struct kube_selector applications = {
            .gvr = {S("argoproj.io"), S("v1alpha1"), S("applications")}};

    engine->settings = settings_new(home, engine->control_namespace, settings_told, engine);
    engine->repos = repos_new(home, engine->options.source, engine->settings,
                              engine->control_namespace, engine_told, engine);
    engine->destinations = destinations_new(&destinations, &cluster_events, engine);
    engine->events = event_log_new(
            &(struct event_log_options){.home = destinations_home(engine->destinations),
                                        .is_busy = engine_is_busy,
                                        .owner = engine});
    engine->context = (struct app_context){
            .loop = engine->options.loop,
            .home = home,
            .home_cluster = destinations_home(engine->destinations),
            .repos = engine->repos,
            .settings = engine->settings,
            .verdicts = engine->verdicts,
            .control_namespace = engine->control_namespace,
            .installation = engine->installation,
            .project_home = {engine->control_namespace, context_is_devops, engine},
            .is_ready = context_is_ready,
            .project = context_project,
            .cluster = context_cluster,
            .instance_exists = context_instance_exists,
            .claims_begin = context_claims_begin,
            .claim = context_claim,
            .claims_end = context_claims_end,
            .claims_each = context_claims_each,
            .object_changed = context_object_changed,
            .told = context_told,
            .owner = engine,
    };
    engine->projects = reflector_new(home, &projects, &project_events, engine);
    engine->applications = reflector_new(home, &applications, &application_events, engine);
}

static void engine_bootstrapped(void *owner, str installation, const struct err *err)
{
    struct engine *engine = owner;

    engine->bootstrap = NULL;
    if (err == NULL) {
        engine->installation = str_own(installation);
        engine_open(engine);
    }
    engine->started(engine->started_owner, err);
}

void engine_start(struct engine *engine, engine_started_fn *done, void *owner)
{
    engine->started = done;
    engine->started_owner = owner;
    engine->bootstrap = bootstrap_start(engine->options.home, engine->control_namespace,
                                        engine_bootstrapped, engine);
}

struct engine *engine_new(const struct engine_options *options)
{
    struct engine *engine = new0(struct engine);

    engine->options = *options;
    engine->control_namespace = str_own(
            str_is_empty(options->control_namespace) ? S("argocd") : options->control_namespace);
    engine->installation = (str){NULL, 0};
    engine->verdicts = verdicts_new(options->loop, options->data_dir);
    engine->claims = claims_new(claims_changed, engine);
    engine->apps = map_new();
    engine->by_label = map_new();
    engine->by_instance = map_new();
    engine->poke = loop_task_new(options->loop, "engine poke", engine_poke, engine);
    return engine;
}

void engine_free(struct engine *engine)
{
    struct map_iter it;

    if (engine == NULL)
        return;
    while (engine->asks != NULL)
        engine_ask_cancel(engine->asks);
    while (engine->previews != NULL)
        engine_preview_cancel(engine->previews);
    bootstrap_cancel(engine->bootstrap);
    it = map_iter(engine->apps);
    while (map_next(&it))
        app_free(it.value);
    if (engine->applications != NULL)
        reflector_free(engine->applications);
    if (engine->projects != NULL)
        reflector_free(engine->projects);
    event_log_free(engine->events);
    destinations_free(engine->destinations);
    repos_free(engine->repos);
    settings_free(engine->settings);
    claims_free(engine->claims);
    verdicts_free(engine->verdicts);
    while (engine->listeners != NULL)
        engine_unlisten(engine, engine->listeners->owner);
    map_free(engine->apps);
    map_free(engine->by_label);
    map_free(engine->by_instance);
    loop_task_free(engine->poke);
    str_own_free(&engine->control_namespace);
    str_own_free(&engine->installation);
    mem_free(engine);
}

bool engine_app_refresh(struct engine *engine, str namespace_, str name, bool hard)
{
    struct app *app = engine_app(engine, namespace_, name);

    if (app != NULL) {
        app->wanted_asked = true;
        app_refresh(app, APP_ASK_GIT, hard);
    }
    return app != NULL;
}

size_t engine_app_count(const struct engine *engine)
{
    return map_count(engine->apps);
}

struct val *engine_clusters(const struct engine *engine, struct arena *arena)
{
    return engine->destinations == NULL ? val_new(arena, val_list())
                                        : destinations_list(engine->destinations, arena);
}
