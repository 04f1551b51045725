/* SPDX-License-Identifier: Apache-2.0 */
/* What became of an application, as Kubernetes Events on it. */
#include "engine_scene.h"

#include "engine/event_log.h"

/* ---- the log alone ---- */

static bool is_busy;

static bool busy(UNUSED void *owner)
{
    return is_busy;
}

static void cluster_told(UNUSED void *owner, UNUSED struct cluster *cluster)
{
}

static void live_told(UNUSED void *owner, UNUSED struct cluster *cluster,
                      UNUSED const struct live *was, UNUSED const struct live *is)
{
}

static void child_told(UNUSED void *owner, UNUSED struct cluster *cluster,
                       UNUSED const struct live *live)
{
}

static const struct cluster_events quiet = {.live_changed = live_told,
                                            .children_changed = child_told,
                                            .unused = cluster_told,
                                            .changed = cluster_told};

static struct val *as(struct arena *arena, const char *sync, const char *health,
                      const char *operation)
{
    struct yaml_options options = {.dialect = YAML_11};
    struct val *app;
    struct err err;
    str text = arena_printf(
            arena,
            "{apiVersion: argoproj.io/v1alpha1, kind: Application, metadata: {name: one, "
            "namespace: argocd, uid: u-1}, status: {sync: {status: %s}, health: {status: %s}%s}}",
            sync, health, operation);

    assert_ok(yaml_parse(arena, text, &options, &app, &err), err);
    return app;
}

struct listing {
    bool done;
    struct arena *arena;
    str text;
};

static void listed(void *owner, struct kube_response *response)
{
    struct listing *listing = owner;
    struct val_iter it = val_iter(val_get(response->object, S("items")));

    while (val_next(&it))
        listing->text = arena_printf(listing->arena, "%.*s%.*s %.*s x%lld: %.*s\n",
                                     STR(listing->text), STR(val_get_str(it.value, S("type"))),
                                     STR(val_get_str(it.value, S("reason"))),
                                     (long long)val_i64_or(val_get(it.value, S("count")), 0),
                                     STR(val_get_str(it.value, S("message"))));
    listing->done = true;
}

static str all_events(struct scene *scene, struct arena *arena)
{
    struct listing listing = {.arena = arena, .text = STR_EMPTY};
    struct kube_request request = {
            .verb = KUBE_LIST, .gvr = {S(""), S("v1"), S("events")}, .namespace_ = S("argocd")};

    kube_start(scene->kube, &request, listed, &listing);
    assert_true(loop_run_until(scene->loop, &listing.done, DEADLINE_MS));
    return listing.text;
}

#define RUNNING                                                                                    \
    ", operationState: {phase: Running, startedAt: '2026-01-01T00:00:00Z', operation: {sync: "     \
    "{revision: abc}, initiatedBy: {username: ann}}}"
#define FAILED                                                                                     \
    ", operationState: {phase: Failed, message: boom, startedAt: '2026-01-01T00:00:00Z', "         \
    "finishedAt: '2026-01-01T00:00:09Z', operation: {sync: {revision: abc}, initiatedBy: "         \
    "{username: ann}}}"

TEST(transitions_and_operations_become_events_and_close_ones_are_one)
{
    struct scene *scene = *state;
    auto_arena struct arena *arena = arena_new(LIMIT_DOC_BYTES);
    struct cluster *home = cluster_new(
            &(struct cluster_options){.kube = scene->kube, .name = S("home")}, &quiet, NULL);
    struct event_log *log =
            event_log_new(&(struct event_log_options){.home = home, .is_busy = busy});
    str text;

    is_busy = true;
    event_log_tell(log, as(arena, "Unknown", "Progressing", ""),
                   as(arena, "OutOfSync", "Missing", ""));
    event_log_tell(log, as(arena, "OutOfSync", "Missing", ""),
                   as(arena, "OutOfSync", "Missing", RUNNING));
    event_log_tell(log, as(arena, "OutOfSync", "Missing", RUNNING),
                   as(arena, "Synced", "Missing", FAILED));
    event_log_tell(log, as(arena, "Synced", "Missing", FAILED),
                   as(arena, "Synced", "Missing", FAILED));
    run_ms(scene, 700);
    assert_str(all_events(scene, arena), S(""));
    is_busy = false;
    WAIT_FOR(scene, kube_fake_count(scene->kube, "events") == 4);
    text = all_events(scene, arena);
    assert_true(str_contains(
            text, S("Normal ResourceUpdated x1: Updated sync status: Unknown -> Synced\n")));
    assert_true(str_contains(
            text, S("Normal ResourceUpdated x1: Updated health status: Progressing -> Missing\n")));
    assert_true(str_contains(text, S("Normal OperationStarted x1: ann initiated sync to 'abc'\n")));
    assert_true(str_contains(
            text, S("Warning OperationCompleted x1: Sync operation to abc failed: boom\n")));

    event_log_tell(log, as(arena, "Unknown", "Missing", ""), as(arena, "Synced", "Missing", ""));
    WAIT_FOR(scene, str_contains(all_events(scene, arena),
                                 S("ResourceUpdated x2: Updated sync status: Unknown -> Synced")));
    event_log_free(log);
    cluster_free(home);
}

TEST(a_log_may_go_while_events_are_pending_or_on_their_way)
{
    struct scene *scene = *state;
    auto_arena struct arena *arena = arena_new(LIMIT_DOC_BYTES);
    struct cluster *home = cluster_new(
            &(struct cluster_options){.kube = scene->kube, .name = S("home")}, &quiet, NULL);
    struct event_log *log =
            event_log_new(&(struct event_log_options){.home = home, .is_busy = busy});

    is_busy = false;
    kube_fake_hold(scene->kube, KUBE_CREATE, "events");
    event_log_tell(log, as(arena, "Unknown", "Missing", ""), as(arena, "Synced", "Missing", ""));
    WAIT_FOR(scene, kube_fake_log_count(scene->kube, "create events") == 1);
    event_log_tell(log, as(arena, "Synced", "Missing", ""), as(arena, "OutOfSync", "Missing", ""));
    event_log_free(log);
    cluster_free(home);
}

TEST(an_application_tells_its_sync_and_a_restart_repeats_nothing)
{
    struct scene *scene = *state;
    auto_arena struct arena *arena = arena_new(LIMIT_DOC_BYTES);
    size_t count;

    commit(C1, two_maps);
    put_app(scene, AUTOMATED);
    wait_app(scene, "Synced", "Healthy", "Succeeded");
    WAIT_FOR(scene, str_contains(all_events(scene, arena),
                                 S("OperationCompleted x1: Sync operation to " C1 " succeeded")));
    assert_true(str_contains(all_events(scene, arena),
                             S("OperationStarted x1: Initiated automated sync to '" C1 "'")));
    run_ms(scene, 1000);
    count = kube_fake_count(scene->kube, "events");
    engine_free(scene->engine);
    scene_start(scene);
    run_ms(scene, 1500);
    assert_int_equal(kube_fake_count(scene->kube, "events"), count);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test_setup_teardown(
                    transitions_and_operations_become_events_and_close_ones_are_one, scene_setup,
                    scene_teardown),
            cmocka_unit_test_setup_teardown(a_log_may_go_while_events_are_pending_or_on_their_way,
                                            scene_setup, scene_teardown),
            cmocka_unit_test_setup_teardown(
                    an_application_tells_its_sync_and_a_restart_repeats_nothing, scene_setup,
                    scene_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
