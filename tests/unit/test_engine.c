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
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
