/* SPDX-License-Identifier: Apache-2.0 */
/* What goes to the home cluster, whatever the destination is. */
#include "engine_scene.h"

static int two_setup(void **state)
{
    struct scene *scene;
    struct kube_fake_options options = {.seed = 9};

    scene_setup(state);
    scene = *state;
    engine_free(scene->engine);
    scene->sandbox = kube_fake_new(scene->loop, &options);
    kube_fake_put_yaml(scene->sandbox, "{apiVersion: v1, kind: Namespace, metadata: {name: "
                                       "kube-system, uid: cluster-two}}");
    kube_fake_put_yaml(scene->sandbox, "{apiVersion: v1, kind: Namespace, metadata: {name: demo}}");
    scene_start(scene);
    return 0;
}

static const char parent[] =
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: team}\n---\n"
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: plain}\n---\n"
        "apiVersion: argoproj.io/v1alpha1\nkind: AppProject\nmetadata: {name: team, namespace: "
        "team}\nspec: {}\n---\n"
        "apiVersion: v1\nkind: Secret\nmetadata: {name: repo-x, namespace: team, labels: "
        "{argocd.argoproj.io/secret-type: repository}}\n---\n"
        "apiVersion: v1\nkind: Secret\nmetadata: {name: other, namespace: plain, labels: "
        "{argocd.argoproj.io/secret-type: something-else}}\n---\n"
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n";

static bool is_at(struct kube *kube, const char *resource, const char *namespace_, const char *name)
{
    return kube_fake_get(kube, resource, namespace_, name) != NULL;
}

TEST(argo_cds_objects_their_secrets_and_namespaces_live_at_home)
{
    struct scene *scene = *state;

    commit(C1, parent);
    put_app(scene, AUTOMATED);
    wait_app(scene, "Synced", "Healthy", "Succeeded");
    assert_true(is_at(scene->kube, "appprojects", "team", "team"));
    assert_true(is_at(scene->kube, "secrets", "team", "repo-x"));
    assert_true(is_at(scene->kube, "namespaces", "", "team"));
    assert_false(is_at(scene->sandbox, "appprojects", "team", "team"));
    assert_false(is_at(scene->sandbox, "secrets", "team", "repo-x"));
    assert_false(is_at(scene->sandbox, "namespaces", "", "team"));
    assert_true(is_at(scene->sandbox, "namespaces", "", "plain"));
    assert_true(is_at(scene->sandbox, "secrets", "plain", "other"));
    assert_true(is_at(scene->sandbox, "configmaps", "demo", "a"));
    assert_false(is_at(scene->kube, "secrets", "plain", "other"));
}

TEST(what_went_home_is_pruned_there_after_a_restart_too)
{
    struct scene *scene = *state;

    commit(C1, parent);
    put_app(scene, AUTOMATED);
    wait_app(scene, "Synced", "Healthy", "Succeeded");
    engine_free(scene->engine);
    commit(C2, one_map);
    scene_start(scene);
    WAIT_FOR(scene, !is_at(scene->kube, "secrets", "team", "repo-x"));
    WAIT_FOR(scene, !is_at(scene->kube, "appprojects", "team", "team"));
    WAIT_FOR(scene, !is_at(scene->kube, "namespaces", "", "team"));
    wait_app(scene, "Synced", "Healthy", "Succeeded");
    assert_true(is_at(scene->sandbox, "configmaps", "demo", "a"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test_setup_teardown(
                    argo_cds_objects_their_secrets_and_namespaces_live_at_home, two_setup,
                    scene_teardown),
            cmocka_unit_test_setup_teardown(what_went_home_is_pruned_there_after_a_restart_too,
                                            two_setup, scene_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
