/* SPDX-License-Identifier: Apache-2.0 */
/* Watches that may not show everything: namespace by namespace, and what is concluded then. */
#include "engine_scene.h"

#include "engine/scope.h"

#define FORBIDDEN 403, "Forbidden", "configmaps is forbidden: User \"u\" cannot list it"

/* An object of the application in each of two namespaces. */
static const char in_two[] = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"
                             "data: {v: one}\n---\n"
                             "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b, namespace: "
                             "other}\ndata: {v: one}\n";
static const char in_one[] = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"
                             "data: {v: two}\n";

static bool has_condition(struct scene *scene, const char *text)
{
    struct val_iter it = val_iter(VAL_AT(scene_app(scene), "status", "conditions"));

    while (val_next(&it))
        if (str_contains(val_get_str(it.value, S("message")), str_from(text)))
            return true;
    return false;
}

static str status_of(struct scene *scene, const char *name)
{
    struct val_iter it = val_iter(VAL_AT(scene_app(scene), "status", "resources"));

    while (val_next(&it))
        if (str_eq(val_get_str(it.value, S("name")), str_from(name)))
            return val_get_str(it.value, S("status"));
    return STR_EMPTY;
}

static void begin(struct scene *scene)
{
    kube_fake_put_yaml(scene->kube, "{apiVersion: v1, kind: Namespace, metadata: {name: other}}");
    commit(C1, in_two);
    put_app(scene, AUTOMATED);
}

TEST(where_the_whole_may_not_be_listed_each_namespace_is)
{
    struct scene *scene = *state;

    kube_fake_fail(scene->kube, KUBE_LIST, "configmaps", "/", FORBIDDEN, -1);
    begin(scene);
    wait_app(scene, "Synced", "Healthy", "Succeeded");
    assert_true(kube_fake_log_count(scene->kube, "watch configmaps demo") > 0);
    assert_true(kube_fake_log_count(scene->kube, "watch configmaps other") > 0);
    commit(C2, in_one);
    WAIT_FOR(scene, kube_fake_get(scene->kube, "configmaps", "other", "b") == NULL);
    wait_app(scene, "Synced", "Healthy", "Succeeded");
}

TEST(a_namespace_that_may_not_be_listed_is_unknown_and_never_pruned)
{
    struct scene *scene = *state;

    begin(scene);
    wait_app(scene, "Synced", "Healthy", "Succeeded");
    engine_free(scene->engine);
    kube_fake_fail(scene->kube, KUBE_LIST, "configmaps", "/", FORBIDDEN, -1);
    kube_fake_fail(scene->kube, KUBE_LIST, "configmaps", "other/", FORBIDDEN, -1);
    scene_start(scene);
    wait_app(scene, "Unknown", NULL, NULL);
    WAIT_FOR(scene, has_condition(scene, "cannot watch configmaps in namespace 'other': the right "
                                         "to list and watch them there is missing"));
    assert_str(status_of(scene, "a"), S("Synced"));
    assert_str(status_of(scene, "b"), S("Unknown"));
    commit(C2, in_one);
    WAIT_FOR(scene, str_eq(VAL_STR(scene_app(scene), "status", "sync", "revision"), S(C2)));
    run_ms(scene, 300);
    assert_non_null(kube_fake_get(scene->kube, "configmaps", "other", "b"));
    assert_str(VAL_STR(scene_app(scene), "status", "sync", "status"), S("Unknown"));

    kube_fake_heal(scene->kube);
    WAIT_FOR(scene, kube_fake_get(scene->kube, "configmaps", "other", "b") == NULL);
    wait_app(scene, "Synced", "Healthy", "Succeeded");
}

TEST(drift_is_seen_where_only_the_namespace_may_be_watched)
{
    struct scene *scene = *state;
    auto_arena struct arena *arena = arena_new(LIMIT_DOC_BYTES);
    struct val *a;

    kube_fake_fail(scene->kube, KUBE_LIST, "configmaps", "/", FORBIDDEN, -1);
    begin(scene);
    wait_app(scene, "Synced", "Healthy", "Succeeded");
    a = val_dup(arena, kube_fake_get(scene->kube, "configmaps", "other", "b"));
    val_set_str(arena, val_get(a, S("data")), S("v"), S("hand"));
    kube_fake_put(scene->kube, a);
    WAIT_FOR(scene,
             str_eq(VAL_STR(kube_fake_get(scene->kube, "configmaps", "other", "b"), "data", "v"),
                    S("one")));
}

/* ---- the scope alone ---- */

static struct {
    size_t objects; /* that are known by `changed` */
    size_t lists;
} seen;

static void *seen_keep(UNUSED void *owner, const struct val *object)
{
    return mem_dup_z(object_name(object));
}

static void seen_drop(UNUSED void *owner, void *kept)
{
    mem_free(kept);
}

static void seen_changed(UNUSED void *owner, UNUSED str namespace_, UNUSED str name,
                         const void *was, const void *is)
{
    seen.objects += is != NULL;
    seen.objects -= was != NULL;
}

static void seen_complete(UNUSED void *owner)
{
    seen.lists++;
}

static void seen_trouble(UNUSED void *owner, UNUSED const struct err *err)
{
}

static const struct reflector_events seen_events = {
        .keep = seen_keep,
        .drop = seen_drop,
        .changed = seen_changed,
        .complete = seen_complete,
        .trouble = seen_trouble,
};

static const struct kube_selector all_maps = {
        .gvr = {S_INIT(""), S_INIT("v1"), S_INIT("configmaps")}};

static void put_maps(struct scene *scene)
{
    memset(&seen, 0, sizeof(seen));
    kube_fake_put_yaml(scene->kube, "{apiVersion: v1, kind: Namespace, metadata: {name: other}}");
    kube_fake_put_yaml(scene->kube,
                       "{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: demo}}");
    kube_fake_put_yaml(scene->kube,
                       "{apiVersion: v1, kind: ConfigMap, metadata: {name: b, namespace: other}}");
}

TEST(a_secret_that_lists_namespaces_shows_no_other)
{
    struct scene *scene = *state;
    struct scope_limits limits = {
            .limited = true, .namespaces = S("demo, third"), .cluster = S("far")};
    struct scope *scope = scope_new(scene->kube, &all_maps, &limits, &seen_events, NULL);
    struct err err;

    put_maps(scene);
    assert_int_equal(scope_watch(scope, S("demo"), &err), WATCH_LOADING);
    WAIT_FOR(scene, scope_watch(scope, S("demo"), &err) == WATCH_WHOLE);
    assert_non_null(scope_get(scope, S("demo"), S("a")));
    assert_int_equal(scope_watch(scope, S("other"), &err), WATCH_BROKEN);
    assert_int_equal(err.code, ERR_FORBIDDEN);
    assert_true(str_contains(err_message(&err), S("namespace 'other'")));
    assert_true(str_contains(err_message(&err), S("cluster 'far'")));
    assert_int_equal(scope_watch(scope, STR_EMPTY, &err), WATCH_BROKEN);
    assert_true(str_contains(err_message(&err), S("clusterResources")));
    assert_null(scope_get(scope, S("other"), S("b")));
    assert_true(scope_permits(&limits, S("configmaps"), S("third"), NULL));
    limits.cluster_resources = true;
    assert_true(scope_permits(&limits, S("namespaces"), STR_EMPTY, NULL));
    scope_free(scope);
}

TEST(moving_from_namespaces_to_the_whole_tells_each_object_once)
{
    struct scene *scene = *state;
    struct scope_limits limits = {.cluster = S("far")};
    struct scope *scope = scope_new(scene->kube, &all_maps, &limits, &seen_events, NULL);
    size_t all = kube_fake_count(scene->kube, "configmaps") + 2;
    struct err err;

    put_maps(scene);
    kube_fake_fail(scene->kube, KUBE_LIST, "configmaps", "/", FORBIDDEN, -1);
    scope_watch(scope, S("demo"), &err);
    WAIT_FOR(scene, scope_watch(scope, S("demo"), &err) == WATCH_WHOLE);
    WAIT_FOR(scene, scope_watch(scope, S("other"), &err) == WATCH_WHOLE);
    assert_int_equal(seen.objects, 2);
    assert_null(scope_trouble(scope));
    kube_fake_heal(scene->kube);
    scope_retry(scope);
    WAIT_FOR(scene, seen.objects == all);
    assert_int_equal(scope_watch(scope, S("other"), &err), WATCH_WHOLE);
    assert_non_null(scope_get(scope, S("other"), S("b")));

    /* The right goes again while the watch runs. */
    kube_fake_fail(scene->kube, KUBE_LIST, "configmaps", "/", FORBIDDEN, -1);
    kube_fake_fail(scene->kube, KUBE_WATCH, "configmaps", "/", FORBIDDEN, -1);
    kube_fake_expire(scene->kube);
    WAIT_FOR(scene, seen.objects == 2 && scope_watch(scope, S("other"), &err) == WATCH_WHOLE);
    scope_free(scope);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test_setup_teardown(where_the_whole_may_not_be_listed_each_namespace_is,
                                            scene_setup, scene_teardown),
            cmocka_unit_test_setup_teardown(
                    a_namespace_that_may_not_be_listed_is_unknown_and_never_pruned, scene_setup,
                    scene_teardown),
            cmocka_unit_test_setup_teardown(drift_is_seen_where_only_the_namespace_may_be_watched,
                                            scene_setup, scene_teardown),
            cmocka_unit_test_setup_teardown(a_secret_that_lists_namespaces_shows_no_other,
                                            scene_setup, scene_teardown),
            cmocka_unit_test_setup_teardown(
                    moving_from_namespaces_to_the_whole_tells_each_object_once, scene_setup,
                    scene_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
