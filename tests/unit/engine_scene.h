/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A scene for tests of the engine: a fake API server, and a source that gives what the test says.
 */
#include "test.h"

#include "base/mem.h"
#include "doc/json.h"
#include "doc/yaml.h"
#include "engine/engine.h"
#include "kube/fake.h"

#define DEADLINE_MS 10000

/* ---- a source of its own: one repository, one commit at a time ---- */

struct source_repo {
    int unused;
};

struct source_wait {
    struct loop_task *task;
    source_desired_fn *done;
    void *owner;
};

static struct {
    struct loop *loop;
    struct source_repo repo;
    const char *yaml;
    const char *commit;
    const char *failure;
    source_changed_fn *changed;
    void *changed_owner;
    int asked;
} git;

bool source_url_normalize(struct arena *arena, str url, str *ret_url, UNUSED struct err *err)
{
    *ret_url = arena_str(arena, url);
    return true;
}

struct source_repo *source_repo_get(UNUSED struct source *source, UNUSED str url,
                                    UNUSED const struct source_credential *credential,
                                    UNUSED struct err *err)
{
    return &git.repo;
}

void source_repo_unref(UNUSED struct source_repo *repo)
{
}

void source_set_interval(UNUSED struct source *source, UNUSED int64_t interval_ms)
{
}

int64_t source_repo_listed_ms(UNUSED const struct source_repo *repo)
{
    return 0;
}

void source_repo_subscribe(UNUSED struct source_repo *repo, source_changed_fn *fn, void *owner)
{
    git.changed = fn;
    git.changed_owner = owner;
}

void source_repo_unsubscribe(UNUSED struct source_repo *repo, UNUSED void *owner)
{
    git.changed = NULL;
}

static struct render_result *render(void)
{
    struct render_result *result = render_result_new();
    struct yaml_options options = {.dialect = YAML_11, .file = S("app.yaml")};
    struct val **docs;
    struct err err;

    if (result->arena == NULL)
        result->arena = arena_new(LIMIT_RENDER_ARENA);
    assert_ok(yaml_parse_all(result->arena, str_from(git.yaml), &options, &docs,
                             &result->object_count, &err),
              err);
    result->objects = arena_array(result->arena, result->object_count + 1, struct render_object);
    for (size_t i = 0; i < result->object_count; i++)
        result->objects[i] = (struct render_object){docs[i], S("app.yaml"), val_line(docs[i])};
    result->commit = str_from(git.commit);
    result->digest = str_from(git.commit);
    return result;
}

static void wait_done(void *owner)
{
    struct source_wait *wait = owner;
    struct source_desired desired = {.commit = str_from(git.commit)};
    struct err err;

    if (git.failure != NULL) {
        err_set(&err, ERR_INVALID, "%s", git.failure);
        wait->done(wait->owner, NULL, &err);
    } else {
        desired.result = render();
        wait->done(wait->owner, &desired, NULL);
        render_result_unref(desired.result);
    }
    loop_task_free(wait->task);
    mem_free(wait);
}

struct source_wait *source_desire(UNUSED struct source_repo *repo,
                                  UNUSED const struct source_request *request,
                                  source_desired_fn *done, void *owner)
{
    struct source_wait *wait = new0(struct source_wait);

    git.asked++;
    wait->task = loop_task_new(git.loop, "fake source", wait_done, wait);
    wait->done = done;
    wait->owner = owner;
    loop_task_post(wait->task);
    return wait;
}

void source_cancel(struct source_wait *wait)
{
    if (wait == NULL)
        return;
    loop_task_free(wait->task);
    mem_free(wait);
}

/* ---- the scene ---- */

struct scene {
    struct loop *loop;
    struct kube *kube;
    struct kube *sandbox; /* NULL: the home is the only cluster */
    struct engine *engine;
    bool started;
};

static void on_started(void *owner, const struct err *err)
{
    struct scene *scene = owner;

    if (err != NULL)
        fail_msg("the engine does not start: %s", err->message);
    scene->started = true;
}

static void scene_start(struct scene *scene)
{
    struct engine_options options = {.loop = scene->loop,
                                     .home = scene->kube,
                                     .sandbox = scene->sandbox,
                                     .home_is_cluster = scene->sandbox == NULL};

    scene->started = false;
    scene->engine = engine_new(&options);
    engine_start(scene->engine, on_started, scene);
    assert_true(loop_run_until(scene->loop, &scene->started, DEADLINE_MS));
}

static inline int scene_setup(void **state)
{
    struct scene *scene = new0(struct scene);
    struct kube_fake_options options = {.seed = 7};

    memset(&git, 0, sizeof(git));
    scene->loop = loop_new();
    git.loop = scene->loop;
    scene->kube = kube_fake_new(scene->loop, &options);
    kube_fake_put_yaml(scene->kube, "{apiVersion: v1, kind: Namespace, metadata: {name: "
                                    "kube-system, uid: cluster-one}}");
    kube_fake_put_yaml(scene->kube, "{apiVersion: v1, kind: Namespace, metadata: {name: demo}}");
    scene_start(scene);
    *state = scene;
    return 0;
}

static inline int scene_teardown(void **state)
{
    struct scene *scene = *state;

    engine_free(scene->engine);
    kube_free(scene->sandbox);
    kube_free(scene->kube);
    loop_free(scene->loop);
    mem_free(scene);
    return 0;
}

static inline const struct val *scene_app(struct scene *scene)
{
    return kube_fake_get(scene->kube, "applications", "argocd", "one");
}

/* Runs the loop until the texts at the two paths of the application are as wanted. */
static inline void wait_app(struct scene *scene, const char *sync, const char *health,
                            const char *phase)
{
    bool never = false;

    for (int i = 0; i < DEADLINE_MS / 5; i++) {
        const struct val *app = scene_app(scene);

        if ((sync == NULL || str_eq(VAL_STR(app, "status", "sync", "status"), str_from(sync))) &&
            (health == NULL ||
             str_eq(VAL_STR(app, "status", "health", "status"), str_from(health))) &&
            (phase == NULL ||
             str_eq(VAL_STR(app, "status", "operationState", "phase"), str_from(phase))))
            return;
        (void)!loop_run_until(scene->loop, &never, 5);
    }
    auto_arena struct arena *arena = arena_new(LIMIT_DOC_BYTES);
    fail_msg("the application is %.*s\nlog:\n%.*s",
             STR(json_text(arena, scene_app(scene), JSON_PRETTY)), STR(kube_fake_log(scene->kube)));
}

static inline void run_ms(struct scene *scene, int64_t ms)
{
    bool never = false;

    (void)!loop_run_until(scene->loop, &never, ms);
}

static inline void put_app(struct scene *scene, const char *more)
{
    auto_arena struct arena *arena = arena_new(LIMIT_DOC_BYTES);

    kube_fake_put_yaml(
            scene->kube,
            arena_z(arena, arena_printf(arena,
                                        "{apiVersion: argoproj.io/v1alpha1, kind: Application, "
                                        "metadata: {name: one, namespace: argocd, finalizers: "
                                        "[resources-finalizer.argocd.argoproj.io]}, spec: "
                                        "{project: default, source: {repoURL: "
                                        "'https://git.example/one', path: .}, destination: {name: "
                                        "in-cluster, namespace: demo}%s}}",
                                        more)));
}

UNUSED static const char two_maps[] = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"
                                      "data: {v: one}\n---\n"
                                      "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\n"
                                      "data: {v: one}\n";
UNUSED static const char one_map[] = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"
                                     "data: {v: two}\n";

static inline void commit(const char *id, const char *yaml)
{
    git.commit = id;
    git.yaml = yaml;
    if (git.changed != NULL)
        git.changed(git.changed_owner, &git.repo);
}

static inline void patch_app(struct scene *scene, const char *yaml)
{
    auto_arena struct arena *arena = arena_new(LIMIT_DOC_BYTES);
    struct val *object = val_dup(arena, scene_app(scene));
    struct val *patch;
    struct yaml_options options = {.dialect = YAML_11};
    struct err err;
    struct val_iter it;

    assert_ok(yaml_parse(arena, str_from(yaml), &options, &patch, &err), err);
    it = val_iter(patch);
    while (val_next(&it))
        val_set(arena, object, it.key, *it.value);
    kube_fake_put(scene->kube, object);
}

#define C1 "1111111111111111111111111111111111111111"
#define C2 "2222222222222222222222222222222222222222"
#define AUTOMATED ", syncPolicy: {automated: {prune: true, selfHeal: true}}"

/* Runs the loop until the condition holds. */
#define WAIT_FOR(scene, condition)                                                                 \
    do {                                                                                           \
        for (int left = DEADLINE_MS / 10; left > 0 && !(condition); left--)                        \
            run_ms(scene, 10);                                                                     \
        if (!(condition))                                                                          \
            fail_msg("never: %s\nlog:\n%.*s", #condition, STR(kube_fake_log((scene)->kube)));      \
    } while (0)
