/* SPDX-License-Identifier: Apache-2.0 */
/* What controllers made of an application's objects: the tree, and the cause of its health. */
#include "engine_scene.h"

#include "engine/engine_state.h"

static const char deployment[] =
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: 3}\n";

/* The Deployment of the application, and below it what its controller would make. */
static void put_tree(struct scene *scene)
{
    auto_arena struct arena *arena = arena_new(LIMIT_DOC_BYTES);
    const struct val *web;

    commit(C1, deployment);
    put_app(scene, AUTOMATED);
    wait_app(scene, "Synced", "Progressing", "Succeeded");
    web = kube_fake_get(scene->kube, "deployments", "demo", "web");
    kube_fake_put_yaml(
            scene->kube,
            arena_z(arena,
                    arena_printf(arena,
                                 "{apiVersion: apps/v1, kind: ReplicaSet, metadata: {name: web-1, "
                                 "namespace: demo, uid: set-1, annotations: "
                                 "{deployment.kubernetes.io/revision: '1'}, ownerReferences: "
                                 "[{apiVersion: apps/v1, kind: Deployment, name: web, uid: '%.*s', "
                                 "controller: true}]}, spec: {replicas: 3, template: {spec: "
                                 "{containers: [{name: web, image: 'web:1'}]}}}}",
                                 STR(object_uid(web)))));
}

static void put_pod(struct scene *scene, const char *name, const char *waiting)
{
    auto_arena struct arena *arena = arena_new(LIMIT_DOC_BYTES);

    kube_fake_put_yaml(
            scene->kube,
            arena_z(arena,
                    arena_printf(arena,
                                 "{apiVersion: v1, kind: Pod, metadata: {name: %s, namespace: "
                                 "demo, uid: %s-uid, ownerReferences: [{apiVersion: apps/v1, kind: "
                                 "ReplicaSet, name: web-1, uid: set-1, controller: true}]}, spec: "
                                 "{containers: [{name: web, image: 'web:1'}]}, status: {phase: "
                                 "Pending, containerStatuses: [{name: web, ready: false, "
                                 "restartCount: 4, state: {waiting: {reason: %s}}}]}}",
                                 name, name, waiting)));
}

static void wait_cause(struct scene *scene, const char *cause)
{
    auto_arena struct arena *arena = arena_new(LIMIT_DOC_BYTES);
    str text = STR_EMPTY;

    for (int i = 0; i < DEADLINE_MS / 10; i++) {
        text = VAL_STR(engine_app_facts(scene->engine, S("argocd"), S("one"), arena), "cause");
        if (str_eq(text, str_from(cause)))
            return;
        run_ms(scene, 10);
    }
    fail_msg("the cause is '%.*s'", STR(text));
}

static size_t listened;

static void on_told(UNUSED void *owner, str namespace_, str name)
{
    assert_str(namespace_, S("argocd"));
    assert_str(name, S("one"));
    listened++;
}

static const struct children *children(struct scene *scene)
{
    const struct app *app = engine_app(scene->engine, S("argocd"), S("one"));

    return app->last == NULL ? NULL : cluster_children(app->cluster);
}

TEST(the_tree_below_an_application_is_known_at_once)
{
    struct scene *scene = *state;
    const struct child *set;
    const struct child *pod;
    str web;

    put_tree(scene);
    put_pod(scene, "web-1-a", "ImagePullBackOff");
    put_pod(scene, "web-1-b", "ContainerCreating");
    kube_fake_put_yaml(scene->kube, "{apiVersion: v1, kind: Pod, metadata: {name: stranger, "
                                    "namespace: demo}, spec: {containers: []}}");
    wait_cause(scene, "Deployment/web: web: image cannot be pulled, 1 of 2 Pods");
    web = object_uid(kube_fake_get(scene->kube, "deployments", "demo", "web"));
    assert_int_equal(children_of(children(scene), web).count, 1);
    set = children_of(children(scene), web).at[0];
    assert_int_equal(set->kind, CHILD_REPLICA_SET);
    assert_str(set->revision, S("1"));
    assert_str(set->images, S("web:1"));
    assert_int_equal(children_of(children(scene), set->uid).count, 2);
    pod = children_find(children(scene), S("web-1-a-uid"));
    assert_str(pod->owner, S("set-1"));
    assert_str(pod->name, S("web-1-a"));
    assert_str(pod->reason, S("ImagePullBackOff"));
    assert_int_equal(pod->health, HEALTH_DEGRADED);
    assert_str(pod->trouble, S("web: image cannot be pulled"));
    assert_int_equal(pod->restarts, 4);
    assert_null(children_find(children(scene), S("stranger")));
    assert_null(children_trouble(children(scene)));
}

TEST(listeners_hear_of_a_pod_and_of_its_end)
{
    struct scene *scene = *state;
    size_t before;

    put_tree(scene);
    listened = 0;
    engine_listen(scene->engine, on_told, scene);
    put_pod(scene, "web-1-a", "ContainerCreating");
    for (int i = 0; i < DEADLINE_MS / 10 && listened == 0; i++)
        run_ms(scene, 10);
    assert_true(listened > 0);
    run_ms(scene, 200);
    before = listened;
    kube_fake_remove(scene->kube, "pods", "demo", "web-1-a");
    for (int i = 0; i < DEADLINE_MS / 10 && listened == before; i++)
        run_ms(scene, 10);
    assert_true(listened > before);
    engine_unlisten(scene->engine, scene);
}

TEST(a_warning_about_a_replica_set_is_the_cause_until_pods_say_more)
{
    struct scene *scene = *state;

    put_tree(scene);
    kube_fake_put_yaml(scene->kube,
                       "{apiVersion: v1, kind: Event, metadata: {name: e1, namespace: "
                       "demo}, type: Warning, reason: FailedCreate, message: 'exceeded "
                       "quota: small', lastTimestamp: '2026-01-01T00:00:00Z', "
                       "involvedObject: {kind: ReplicaSet, name: web-1, uid: set-1}}");
    wait_cause(scene, "Deployment/web: Pods cannot be made: exceeded quota: small");
    put_pod(scene, "web-1-a", "CrashLoopBackOff");
    wait_cause(scene, "Deployment/web: web: container keeps crashing, 1 of 1 Pods");
}

TEST(the_newest_warning_about_a_pod_that_waits_is_told)
{
    struct scene *scene = *state;

    put_tree(scene);
    put_pod(scene, "web-1-a", "ContainerCreating");
    kube_fake_put_yaml(scene->kube,
                       "{apiVersion: v1, kind: Event, metadata: {name: e1, namespace: "
                       "demo}, type: Warning, reason: FailedMount, message: 'secret "
                       "\"s\" not found', lastTimestamp: '2026-01-01T00:02:00Z', "
                       "involvedObject: {kind: Pod, name: web-1-a, uid: web-1-a-uid}}");
    kube_fake_put_yaml(scene->kube, "{apiVersion: v1, kind: Event, metadata: {name: e2, namespace: "
                                    "demo}, type: Warning, reason: FailedScheduling, message: old, "
                                    "lastTimestamp: '2026-01-01T00:01:00Z', involvedObject: {kind: "
                                    "Pod, name: web-1-a, uid: web-1-a-uid}}");
    wait_cause(scene, "Deployment/web: volume cannot be mounted: secret \"s\" not found, 1 of 1 "
                      "Pods");
}

TEST(a_failed_job_names_the_exit_code_of_its_pods)
{
    struct scene *scene = *state;
    auto_arena struct arena *arena = arena_new(LIMIT_DOC_BYTES);
    const struct val *job;
    struct val *failed;
    struct val condition = val_map();

    commit(C1, "apiVersion: batch/v1\nkind: Job\nmetadata: {name: migrate}\nspec: {}\n");
    put_app(scene, AUTOMATED);
    wait_app(scene, "Synced", "Progressing", "Succeeded");
    job = kube_fake_get(scene->kube, "jobs", "demo", "migrate");
    kube_fake_put_yaml(
            scene->kube,
            arena_z(arena, arena_printf(arena,
                                        "{apiVersion: v1, kind: Pod, metadata: {name: migrate-x, "
                                        "namespace: demo, ownerReferences: [{kind: Job, name: "
                                        "migrate, uid: '%.*s', controller: true}]}, spec: "
                                        "{restartPolicy: Never, containers: [{name: run}]}, "
                                        "status: {phase: Failed, containerStatuses: [{name: run, "
                                        "state: {terminated: {exitCode: 3, reason: Error}}}]}}",
                                        STR(object_uid(job)))));
    failed = val_dup(arena, job);
    val_set_str(arena, &condition, S("type"), S("Failed"));
    val_set_str(arena, &condition, S("status"), S("True"));
    val_set_str(arena, &condition, S("reason"), S("BackoffLimitExceeded"));
    val_append(arena,
               val_ensure_list(arena, val_ensure_map(arena, failed, S("status")), S("conditions")),
               condition);
    kube_fake_put(scene->kube, failed);
    wait_cause(scene, "Job/migrate: run: container failed with exit code 3, 1 of 1 Pods");
}

TEST(where_pods_may_not_be_read_the_rest_of_the_tree_lives_on)
{
    struct scene *scene = *state;
    str web;

    kube_fake_fail(scene->kube, KUBE_LIST, "pods", NULL, 403, "Forbidden", "pods is forbidden", -1);
    put_tree(scene);
    web = object_uid(kube_fake_get(scene->kube, "deployments", "demo", "web"));
    for (int i = 0; i < DEADLINE_MS / 10; i++) {
        if (children_trouble(children(scene)) != NULL &&
            children_of(children(scene), web).count == 1)
            break;
        run_ms(scene, 10);
    }
    assert_true(str_contains(str_from(children_trouble(children(scene))->message),
                             S("pods is forbidden")));
    assert_int_equal(children_of(children(scene), web).count, 1);
}

/* The node of this id, or NULL. */
static const struct val *node_of(const struct val *tree, const char *id)
{
    struct val_iter it = val_iter(val_get(tree, S("items")));

    while (val_next(&it))
        if (str_eq(val_get_str(it.value, S("id")), str_from(id)))
            return it.value;
    return NULL;
}

TEST(the_tree_has_what_the_application_manages_and_what_that_owns)
{
    struct scene *scene = *state;
    auto_arena struct arena *arena = arena_new(LIMIT_DOC_BYTES);
    const struct val *tree;
    const struct val *pod = NULL;

    put_tree(scene);
    put_pod(scene, "web-1-a", "CrashLoopBackOff");
    for (int i = 0; i < DEADLINE_MS / 10 && pod == NULL; i++) {
        run_ms(scene, 10);
        tree = engine_app_tree(scene->engine, S("argocd"), S("one"), arena);
        pod = node_of(tree, "/Pod/demo/web-1-a");
    }
    assert_non_null(pod);
    assert_str(val_get_str(pod, S("parent")), S("apps/ReplicaSet/demo/web-1"));
    assert_str(val_get_str(pod, S("reason")), S("web: container keeps crashing"));
    assert_str(val_get_str(pod, S("info")), S("0/1"));
    assert_str(val_get_str(node_of(tree, "apps/ReplicaSet/demo/web-1"), S("parent")),
               S("apps/Deployment/demo/web"));
    assert_true(val_get_bool(node_of(tree, "apps/Deployment/demo/web"), S("managed"), false));
    assert_null(engine_app_tree(scene->engine, S("argocd"), S("no-such"), arena));
}

TEST(an_object_without_owner_and_mark_is_nobodys_child)
{
    auto_arena struct arena *arena = arena_new(LIMIT_DOC_BYTES);
    struct val pod = val_map();
    struct val event = val_map();

    assert_null(child_new(CHILD_POD, &pod));
    val_set_str(arena, &event, S("type"), S("Warning"));
    assert_null(warning_new(&event));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test_setup_teardown(the_tree_below_an_application_is_known_at_once,
                                            scene_setup, scene_teardown),
            cmocka_unit_test_setup_teardown(listeners_hear_of_a_pod_and_of_its_end, scene_setup,
                                            scene_teardown),
            cmocka_unit_test_setup_teardown(
                    a_warning_about_a_replica_set_is_the_cause_until_pods_say_more, scene_setup,
                    scene_teardown),
            cmocka_unit_test_setup_teardown(the_newest_warning_about_a_pod_that_waits_is_told,
                                            scene_setup, scene_teardown),
            cmocka_unit_test_setup_teardown(a_failed_job_names_the_exit_code_of_its_pods,
                                            scene_setup, scene_teardown),
            cmocka_unit_test_setup_teardown(
                    where_pods_may_not_be_read_the_rest_of_the_tree_lives_on, scene_setup,
                    scene_teardown),
            cmocka_unit_test_setup_teardown(
                    the_tree_has_what_the_application_manages_and_what_that_owns, scene_setup,
                    scene_teardown),
            cmocka_unit_test(an_object_without_owner_and_mark_is_nobodys_child),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
