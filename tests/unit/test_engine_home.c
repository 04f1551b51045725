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

/* Another kind is served now: what is known stays as it is, and Git is not asked. */
TEST(a_new_kind_in_the_cluster_renders_no_application_anew)
{
    struct scene *scene = *state;
    int asked;

    commit(C1, two_maps);
    put_app(scene, AUTOMATED);
    wait_app(scene, "Synced", "Healthy", "Succeeded");
    asked = git.asked;
    kube_fake_put_yaml(scene->sandbox,
                       "{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, "
                       "metadata: {name: widgets.tests.taut.dev}, spec: {group: tests.taut.dev, "
                       "scope: Namespaced, names: {kind: Widget, plural: widgets}, versions: "
                       "[{name: v1, served: true, storage: true}]}}");
    run_ms(scene, 1500);
    auto_arena struct arena *arena = arena_new(LIMIT_DOC_BYTES);
    struct val *a = val_dup(arena, kube_fake_get(scene->sandbox, "configmaps", "demo", "a"));
    val_set_str(arena, val_get(a, S("data")), S("v"), S("hand"));
    kube_fake_put(scene->sandbox, a);
    WAIT_FOR(scene,
             str_eq(VAL_STR(kube_fake_get(scene->sandbox, "configmaps", "demo", "a"), "data", "v"),
                    S("one")));
    assert_int_equal(git.asked, asked);
}

static bool says_not_served(struct scene *scene)
{
    auto_arena struct arena *arena = arena_new(LIMIT_DOC_BYTES);
    const struct val *facts = engine_app_facts(scene->engine, S("argocd"), S("one"), arena);
    const struct val *row = val_item(val_get(facts, S("resources")), 0);

    return str_contains(val_get_str(row, S("note")), S("does not serve the kind"));
}

TEST(a_kind_that_comes_later_is_deployed_then)
{
    struct scene *scene = *state;

    commit(C1, "apiVersion: tests.taut.dev/v1\nkind: Widget\nmetadata: {name: one}\n");
    put_app(scene, "");
    wait_app(scene, "OutOfSync", NULL, NULL);
    WAIT_FOR(scene, says_not_served(scene));
    kube_fake_put_yaml(scene->sandbox,
                       "{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, "
                       "metadata: {name: widgets.tests.taut.dev}, spec: {group: tests.taut.dev, "
                       "scope: Namespaced, names: {kind: Widget, plural: widgets}, versions: "
                       "[{name: v1, served: true, storage: true}]}}");
    WAIT_FOR(scene, !says_not_served(scene));
    patch_app(scene, "{operation: {sync: {}}}");
    WAIT_FOR(scene, is_at(scene->sandbox, "widgets", "demo", "one"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test_setup_teardown(
                    argo_cds_objects_their_secrets_and_namespaces_live_at_home, two_setup,
                    scene_teardown),
            cmocka_unit_test_setup_teardown(what_went_home_is_pruned_there_after_a_restart_too,
                                            two_setup, scene_teardown),
            cmocka_unit_test_setup_teardown(a_new_kind_in_the_cluster_renders_no_application_anew,
                                            two_setup, scene_teardown),
            cmocka_unit_test_setup_teardown(a_kind_that_comes_later_is_deployed_then, two_setup,
                                            scene_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
