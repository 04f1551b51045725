/* SPDX-License-Identifier: Apache-2.0 */
/* The engine over a fake API server and a source that gives what the test says. */
#include "engine_scene.h"

TEST(a_manual_application_is_out_of_sync_until_it_is_synced)
{
    struct scene *scene = *state;
    const struct val *a;

    commit(C1, two_maps);
    put_app(scene, "");
    wait_app(scene, "OutOfSync", "Missing", NULL);
    assert_null(kube_fake_get(scene->kube, "configmaps", "demo", "a"));

    patch_app(scene, "{operation: {sync: {}}}");
    wait_app(scene, "Synced", "Healthy", "Succeeded");
    a = kube_fake_get(scene->kube, "configmaps", "demo", "a");
    assert_str(VAL_STR(a, "data", "v"), S("one"));
    assert_str(object_annotation(a, S("argocd.argoproj.io/tracking-id")),
               S("one:/ConfigMap:demo/a"));
    assert_int_equal(val_count(VAL_AT(scene_app(scene), "status", "history")), 1);
    assert_null(val_get(scene_app(scene), S("operation")));
}

TEST(an_automated_application_follows_commits_and_prunes)
{
    struct scene *scene = *state;

    commit(C1, two_maps);
    put_app(scene, AUTOMATED);
    wait_app(scene, "Synced", "Healthy", "Succeeded");
    commit(C2, one_map);
    for (int i = 0; i < 200 && kube_fake_get(scene->kube, "configmaps", "demo", "b") != NULL; i++)
        run_ms(scene, 10);
    assert_null(kube_fake_get(scene->kube, "configmaps", "demo", "b"));
    wait_app(scene, "Synced", "Healthy", "Succeeded");
    assert_str(VAL_STR(kube_fake_get(scene->kube, "configmaps", "demo", "a"), "data", "v"),
               S("two"));
}

TEST(drift_is_healed)
{
    struct scene *scene = *state;

    commit(C1, two_maps);
    put_app(scene, AUTOMATED);
    wait_app(scene, "Synced", "Healthy", "Succeeded");
    auto_arena struct arena *arena = arena_new(LIMIT_DOC_BYTES);
    struct val *a = val_dup(arena, kube_fake_get(scene->kube, "configmaps", "demo", "a"));
    val_set_str(arena, val_get(a, S("data")), S("v"), S("hand"));
    kube_fake_put(scene->kube, a);
    for (int i = 0; i < 300; i++) {
        if (str_eq(VAL_STR(kube_fake_get(scene->kube, "configmaps", "demo", "a"), "data", "v"),
                   S("one")))
            return;
        run_ms(scene, 10);
    }
    fail_msg("not healed:\n%.*s", STR(kube_fake_log(scene->kube)));
}

TEST(a_steady_state_sends_nothing)
{
    struct scene *scene = *state;

    commit(C1, two_maps);
    put_app(scene, AUTOMATED);
    wait_app(scene, "Synced", "Healthy", "Succeeded");
    WAIT_FOR(scene, kube_fake_count(scene->kube, "events") > 0);
    run_ms(scene, 500);
    kube_fake_log_reset(scene->kube);
    run_ms(scene, 2000);
    assert_str(kube_fake_log(scene->kube), S(""));
}

TEST(delete_takes_the_resources_along)
{
    struct scene *scene = *state;

    commit(C1, two_maps);
    put_app(scene, AUTOMATED);
    wait_app(scene, "Synced", "Healthy", "Succeeded");
    patch_app(scene, "{}");
    auto_arena struct arena *arena = arena_new(LIMIT_DOC_BYTES);
    struct val *app = val_dup(arena, scene_app(scene));
    val_set_str(arena, val_get(app, S("metadata")), S("deletionTimestamp"),
                S("2026-01-01T00:00:00Z"));
    kube_fake_put(scene->kube, app);
    for (int i = 0; i < 300 && kube_fake_get(scene->kube, "configmaps", "demo", "a") != NULL; i++)
        run_ms(scene, 10);
    assert_null(kube_fake_get(scene->kube, "configmaps", "demo", "a"));
    assert_null(kube_fake_get(scene->kube, "configmaps", "demo", "b"));
}

TEST(a_failed_render_prunes_nothing_and_is_told)
{
    struct scene *scene = *state;

    commit(C1, two_maps);
    put_app(scene, AUTOMATED);
    wait_app(scene, "Synced", "Healthy", "Succeeded");
    git.failure = "app.yaml:3: broken";
    commit(C2, one_map);
    wait_app(scene, "Unknown", NULL, NULL);
    run_ms(scene, 300);
    assert_non_null(kube_fake_get(scene->kube, "configmaps", "demo", "b"));
}

/* ---- previews ---- */

struct preview_seen {
    bool done;
    struct arena *arena;
    const struct val *answer;
};

static void preview_seen(void *owner, const struct val *answer, const struct err *err)
{
    struct preview_seen *seen = owner;

    if (err != NULL)
        fail_msg("the preview fails: %s", err->message);
    seen->answer = val_dup(seen->arena, answer);
    seen->done = true;
}

/* `request`: {application: …, sync: …, deletion: …}; without an application, the scene's own. */
static const struct val *preview(struct scene *scene, struct arena *arena, const char *request)
{
    struct preview_seen seen = {.arena = arena};
    struct yaml_options options = {.dialect = YAML_11};
    struct engine_preview_request ask = {0};
    struct val *asked;
    struct err err;

    assert_ok(yaml_parse(arena, str_from(request), &options, &asked, &err), err);
    ask.application = val_get(asked, S("application"));
    if (ask.application == NULL)
        ask.application = scene_app(scene);
    ask.sync = val_get(asked, S("sync"));
    ask.deletion = val_get_bool(asked, S("deletion"), false);
    assert_non_null(engine_preview(scene->engine, &ask, preview_seen, &seen, &err));
    assert_true(loop_run_until(scene->loop, &seen.done, DEADLINE_MS));
    return seen.answer;
}

static const struct val *preview_of(const struct val *answer, const char *name)
{
    struct val_iter it = val_iter(val_get(answer, S("resources")));

    while (val_next(&it))
        if (str_eq(val_get_str(it.value, S("name")), str_from(name)))
            return it.value;
    return NULL;
}

static void assert_effect(const struct val *answer, const char *name, const char *effect,
                          const char *reason)
{
    const struct val *row = preview_of(answer, name);

    assert_non_null(row);
    assert_str(val_get_str(row, S("effect")), str_from(effect));
    assert_str(val_get_str(row, S("reason")), str_from(reason));
}

#define NEW_APP(namespace_)                                                                        \
    "{application: {apiVersion: argoproj.io/v1alpha1, kind: Application, metadata: {name: new, "   \
    "namespace: argocd}, spec: {project: default, source: {repoURL: 'https://git.example/one', "   \
    "path: .}, destination: {name: in-cluster, namespace: " namespace_ "}, syncPolicy: "           \
    "{syncOptions: [CreateNamespace=true]}}}}"

TEST(a_preview_tells_what_a_sync_would_do_and_writes_nothing)
{
    struct scene *scene = *state;
    auto_arena struct arena *arena = arena_new(LIMIT_DOC_BYTES);
    const struct val *answer;

    commit(C1, two_maps);
    put_app(scene, "");
    wait_app(scene, "OutOfSync", "Missing", NULL);
    kube_fake_log_reset(scene->kube);
    answer = preview(scene, arena, "{}");
    assert_effect(answer, "a", "create", "missing");
    assert_str(val_get_str(answer, S("commit")), S(C1));
    assert_null(val_get(answer, S("error")));
    assert_int_equal(kube_fake_log_count(scene->kube, "apply configmaps demo/a dry-run"), 1);
    assert_null(kube_fake_get(scene->kube, "configmaps", "demo", "a"));

    patch_app(scene, "{operation: {sync: {}}}");
    wait_app(scene, "Synced", "Healthy", "Succeeded");
    commit(C2, one_map);
    wait_app(scene, "OutOfSync", NULL, NULL);
    answer = preview(scene, arena, "{}");
    assert_effect(answer, "a", "update", "differs");
    assert_effect(answer, "b", "keep", "prune-off");
    answer = preview(scene, arena, "{sync: {prune: true}}");
    assert_effect(answer, "b", "delete", "extraneous");
    answer = preview(scene, arena, "{sync: {prune: true, syncOptions: [Replace=true]}}");
    assert_effect(answer, "a", "replace", "differs");
    answer = preview(scene, arena, "{sync: {resources: [{kind: ConfigMap, name: a}]}}");
    assert_int_equal(val_count(val_get(answer, S("resources"))), 1);
}

TEST(a_preview_of_a_new_application_needs_no_object_and_makes_its_project)
{
    struct scene *scene = *state;
    auto_arena struct arena *arena = arena_new(LIMIT_DOC_BYTES);
    const struct val *answer;

    commit(C1, two_maps);
    answer = preview(scene, arena, NEW_APP("fresh"));
    assert_effect(answer, "fresh", "create", "auto-create");
    assert_effect(answer, "a", "create", "missing");
    assert_null(kube_fake_get(scene->kube, "namespaces", "", "fresh"));
    assert_null(kube_fake_get(scene->kube, "applications", "argocd", "new"));
    kube_fake_put_yaml(scene->kube,
                       "{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: demo}}");
    answer = preview(scene, arena, NEW_APP("demo"));
    assert_effect(answer, "a", "update", "unmanaged");
    assert_effect(answer, "b", "create", "missing");
}

TEST(a_preview_tells_errors_in_full_and_what_the_server_refuses)
{
    struct scene *scene = *state;
    auto_arena struct arena *arena = arena_new(LIMIT_DOC_BYTES);
    const struct val *answer;

    commit(C1, two_maps);
    kube_fake_fail(scene->kube, KUBE_APPLY, "configmaps", "b", 422, "Invalid", "v must be a number",
                   -1);
    answer = preview(scene, arena, NEW_APP("demo"));
    assert_effect(answer, "b", "refused", "refused");
    assert_true(str_contains(val_get_str(preview_of(answer, "b"), S("message")),
                             S("v must be a number")));
    git.failure = "app.yaml:3: broken";
    answer = preview(scene, arena, NEW_APP("demo"));
    assert_str(VAL_STR(answer, "error", "at"), S("render"));
    assert_str(VAL_STR(answer, "error", "message"), S("app.yaml:3: broken"));
    git.failure = NULL;
    answer = preview(scene, arena,
                     "{application: {metadata: {name: new, namespace: argocd}, spec: {project: "
                     "default, source: {repoURL: 'https://git.example/one', path: .}, "
                     "destination: {name: nowhere, namespace: demo}}}}");
    assert_str(VAL_STR(answer, "error", "at"), S("location"));
}

TEST(a_preview_of_a_deletion_tells_what_goes_and_what_stays)
{
    struct scene *scene = *state;
    auto_arena struct arena *arena = arena_new(LIMIT_DOC_BYTES);
    const struct val *answer;

    commit(C1, "apiVersion: v1\nkind: Namespace\nmetadata: {name: own}\n---\n"
               "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n---\n"
               "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: k, annotations: "
               "{argocd.argoproj.io/sync-options: Delete=false}}\n");
    put_app(scene, AUTOMATED);
    wait_app(scene, "Synced", NULL, "Succeeded");
    answer = preview(scene, arena, "{deletion: true}");
    assert_effect(answer, "a", "delete", "goes");
    assert_effect(answer, "k", "keep", "delete-option");
    assert_effect(answer, "own", "delete", "when-empty");
    kube_fake_put_yaml(scene->kube,
                       "{apiVersion: v1, kind: ConfigMap, metadata: {name: x, namespace: own}}");
    answer = preview(scene, arena, "{deletion: true}");
    assert_effect(answer, "own", "keep", "when-empty");
    assert_str(val_get_str(preview_of(answer, "own"), S("held")), S("configmaps/x"));
    assert_non_null(kube_fake_get(scene->kube, "configmaps", "demo", "a"));
}

TEST(a_preview_may_be_left_and_only_so_many_run_at_once)
{
    struct scene *scene = *state;
    auto_arena struct arena *arena = arena_new(LIMIT_DOC_BYTES);
    struct preview_seen seen = {.arena = arena};
    struct engine_preview *running[LIMIT_PREVIEWS];
    struct engine_preview_request ask = {0};
    struct err err;

    commit(C1, two_maps);
    put_app(scene, "");
    wait_app(scene, "OutOfSync", "Missing", NULL);
    ask.application = scene_app(scene);
    kube_fake_hold(scene->kube, KUBE_APPLY, "configmaps");
    for (size_t i = 0; i < LIMIT_PREVIEWS; i++) {
        running[i] = engine_preview(scene->engine, &ask, preview_seen, &seen, &err);
        assert_non_null(running[i]);
    }
    assert_null(engine_preview(scene->engine, &ask, preview_seen, &seen, &err));
    assert_int_equal(err.code, ERR_TOO_MANY);
    run_ms(scene, 100);
    for (size_t i = 0; i + 1 < LIMIT_PREVIEWS; i++)
        engine_preview_cancel(running[i]);
    run_ms(scene, 20);
    assert_false(seen.done); /* the last one ends with the engine */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test_setup_teardown(a_manual_application_is_out_of_sync_until_it_is_synced,
                                            scene_setup, scene_teardown),
            cmocka_unit_test_setup_teardown(an_automated_application_follows_commits_and_prunes,
                                            scene_setup, scene_teardown),
            cmocka_unit_test_setup_teardown(drift_is_healed, scene_setup, scene_teardown),
            cmocka_unit_test_setup_teardown(a_steady_state_sends_nothing, scene_setup,
                                            scene_teardown),
            cmocka_unit_test_setup_teardown(delete_takes_the_resources_along, scene_setup,
                                            scene_teardown),
            cmocka_unit_test_setup_teardown(a_failed_render_prunes_nothing_and_is_told, scene_setup,
                                            scene_teardown),
            cmocka_unit_test_setup_teardown(a_preview_tells_what_a_sync_would_do_and_writes_nothing,
                                            scene_setup, scene_teardown),
            cmocka_unit_test_setup_teardown(
                    a_preview_of_a_new_application_needs_no_object_and_makes_its_project,
                    scene_setup, scene_teardown),
            cmocka_unit_test_setup_teardown(
                    a_preview_tells_errors_in_full_and_what_the_server_refuses, scene_setup,
                    scene_teardown),
            cmocka_unit_test_setup_teardown(a_preview_of_a_deletion_tells_what_goes_and_what_stays,
                                            scene_setup, scene_teardown),
            cmocka_unit_test_setup_teardown(a_preview_may_be_left_and_only_so_many_run_at_once,
                                            scene_setup, scene_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
