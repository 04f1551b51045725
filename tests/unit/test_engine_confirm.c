/* SPDX-License-Identifier: Apache-2.0 */
/* Objects that go only after a person said so. */
#include "engine_scene.h"

#include "base/clock.h"

#define OPTION "annotations: {argocd.argoproj.io/sync-options: 'Prune=confirm'}"

static const char with_guarded[] =
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {v: one}\n---\n"
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b, " OPTION "}\ndata: {v: one}\n---\n"
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {v: one}\n";

static void annotate(struct scene *scene, int64_t wall_ms, const char *finalizer_time)
{
    auto_arena struct arena *arena = arena_new(LIMIT_DOC_BYTES);
    struct val *app = val_dup(arena, scene_app(scene));
    char text[CLOCK_RFC3339_SIZE];

    if (finalizer_time != NULL)
        val_set_str(arena, val_get(app, S("metadata")), S("deletionTimestamp"),
                    str_from(finalizer_time));
    if (wall_ms > 0) {
        clock_format(wall_ms, text);
        val_set_str(arena, val_ensure_map(arena, val_get(app, S("metadata")), S("annotations")),
                    S("argocd.argoproj.io/deletion-approved"), arena_str(arena, str_from(text)));
    }
    kube_fake_put(scene->kube, app);
}

static bool has(struct scene *scene, const char *name)
{
    return kube_fake_get(scene->kube, "configmaps", "demo", name) != NULL;
}

static str operation_message(struct scene *scene)
{
    return VAL_STR(scene_app(scene), "status", "operationState", "message");
}

TEST(a_prune_that_asks_waits_and_nothing_is_pruned_before_it_is_approved)
{
    struct scene *scene = *state;

    commit(C1, with_guarded);
    put_app(scene, AUTOMATED);
    wait_app(scene, "Synced", "Healthy", "Succeeded");
    commit(C2, one_map);
    WAIT_FOR(scene, str_eq(operation_message(scene),
                           S("waiting for pruning confirmation of /ConfigMap/b")));
    wait_app(scene, NULL, NULL, "Running");
    assert_true(has(scene, "b"));
    assert_true(has(scene, "c"));

    annotate(scene, 1000000, NULL); /* of long ago: another operation's */
    run_ms(scene, 200);
    assert_true(has(scene, "b"));
    annotate(scene, clock_wall_ms(), NULL);
    WAIT_FOR(scene, !has(scene, "b") && !has(scene, "c"));
    wait_app(scene, "Synced", "Healthy", "Succeeded");
    assert_true(has(scene, "a"));
}

TEST(a_waiting_prune_survives_a_restart_and_can_be_terminated)
{
    struct scene *scene = *state;
    auto_arena struct arena *arena = arena_new(LIMIT_DOC_BYTES);
    struct val *app;

    commit(C1, with_guarded);
    put_app(scene, AUTOMATED);
    wait_app(scene, "Synced", "Healthy", "Succeeded");
    commit(C2, one_map);
    WAIT_FOR(scene, str_starts(operation_message(scene), S("waiting for pruning")));
    engine_free(scene->engine);
    scene_start(scene);
    run_ms(scene, 300);
    assert_true(has(scene, "b"));
    app = val_dup(arena, scene_app(scene));
    val_set_str(arena, VAL_AT(app, "status", "operationState"), S("phase"), S("Terminating"));
    kube_fake_put(scene->kube, app);
    wait_app(scene, NULL, NULL, "Failed");
    assert_true(has(scene, "b"));
}

TEST(a_deletion_that_asks_takes_nothing_before_it_is_approved)
{
    struct scene *scene = *state;
    const struct val *row;

    commit(C1, with_guarded);
    put_app(scene, AUTOMATED);
    wait_app(scene, "Synced", "Healthy", "Succeeded");
    row = val_item(VAL_AT(scene_app(scene), "status", "resources"), 1);
    assert_str(val_get_str(row, S("name")), S("b"));
    assert_true(val_get_bool(row, S("requiresDeletionConfirmation"), false));
    annotate(scene, 0, "2026-01-01T00:00:00Z");
    WAIT_FOR(scene, str_eq(operation_message(scene),
                           S("waiting for deletion confirmation of /ConfigMap/b")));
    assert_true(has(scene, "a") && has(scene, "b") && has(scene, "c"));
    annotate(scene, clock_wall_ms(), "2026-01-01T00:00:00Z");
    WAIT_FOR(scene, !has(scene, "a") && !has(scene, "b") && !has(scene, "c"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test_setup_teardown(
                    a_prune_that_asks_waits_and_nothing_is_pruned_before_it_is_approved,
                    scene_setup, scene_teardown),
            cmocka_unit_test_setup_teardown(
                    a_waiting_prune_survives_a_restart_and_can_be_terminated, scene_setup,
                    scene_teardown),
            cmocka_unit_test_setup_teardown(
                    a_deletion_that_asks_takes_nothing_before_it_is_approved, scene_setup,
                    scene_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
