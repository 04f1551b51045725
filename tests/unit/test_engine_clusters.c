/* SPDX-License-Identifier: Apache-2.0 */
/* Cluster Secrets that come, change and go while deployments use them. */
#include "engine_scene.h"

#include "doc/hash.h"
#include "engine/cluster.h"

#define EDITS 1000
/* Nothing listens there: connections end at once. */
#define NOWHERE "https://127.0.0.1:1"

static void put_secret(struct scene *scene, const char *server, int number, const char *label)
{
    auto_arena struct arena *arena = arena_new(LIMIT_DOC_BYTES);
    str config = arena_printf(arena, "{\"bearerToken\": \"token-%d\"}", number);

    kube_fake_put_yaml(
            scene->kube,
            arena_z(arena,
                    arena_printf(arena,
                                 "{apiVersion: v1, kind: Secret, metadata: {name: far, namespace: "
                                 "argocd, labels: {argocd.argoproj.io/secret-type: cluster, "
                                 "taut.dev/environment: %s}}, data: {name: ZmFy, server: '%.*s', "
                                 "config: '%.*s'}}",
                                 label, STR(base64_encode(arena, str_from(server))),
                                 STR(base64_encode(arena, config)))));
}

static void put_far_app(struct scene *scene)
{
    kube_fake_put_yaml(
            scene->kube,
            "{apiVersion: argoproj.io/v1alpha1, kind: Application, metadata: {name: one, "
            "namespace: argocd}, spec: {project: default, source: {repoURL: "
            "'https://git.example/one', path: .}, destination: {name: far, namespace: "
            "demo}}}");
}

static bool has_message(struct scene *scene, const char *text)
{
    struct val_iter it = val_iter(VAL_AT(scene_app(scene), "status", "conditions"));

    while (val_next(&it))
        if (str_contains(val_get_str(it.value, S("message")), str_from(text)))
            return true;
    return false;
}

TEST(a_thousand_edits_of_a_cluster_secret_leave_one_cluster)
{
    struct scene *scene = *state;
    size_t before = cluster_count();

    commit(C1, two_maps);
    put_secret(scene, NOWHERE, 0, "test");
    put_far_app(scene);
    WAIT_FOR(scene, has_message(scene, "cluster 'far'"));
    for (int i = 1; i <= EDITS; i++) {
        put_secret(scene, NOWHERE, i, "test");
        if (i % 10 == 0)
            run_ms(scene, 1);
    }
    WAIT_FOR(scene, cluster_count() == before + 1);
    kube_fake_remove(scene->kube, "secrets", "argocd", "far");
    WAIT_FOR(scene, has_message(scene, "there is no cluster far"));
    WAIT_FOR(scene, cluster_count() == before);
}

TEST(a_label_of_the_secret_makes_no_new_cluster)
{
    struct scene *scene = *state;
    size_t before = cluster_count();
    struct val *list;
    auto_arena struct arena *arena = arena_new(LIMIT_DOC_BYTES);

    put_secret(scene, NOWHERE, 0, "test");
    WAIT_FOR(scene, cluster_count() == before + 1);
    WAIT_FOR(scene,
             val_get(val_item(engine_clusters(scene->engine, arena), 1), S("message")) != NULL);
    put_secret(scene, NOWHERE, 0, "production");
    run_ms(scene, 100);
    /* A new one would not have failed yet, or would live beside the old. */
    list = engine_clusters(scene->engine, arena);
    assert_non_null(val_get(val_item(list, 1), S("message")));
    assert_int_equal(cluster_count(), before + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test_setup_teardown(a_thousand_edits_of_a_cluster_secret_leave_one_cluster,
                                            scene_setup, scene_teardown),
            cmocka_unit_test_setup_teardown(a_label_of_the_secret_makes_no_new_cluster, scene_setup,
                                            scene_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
