/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "kube/discovery.h"
#include "kube/fake.h"

struct scene {
    struct loop *loop;
    struct kube *fake;
    struct discovery *discovery;
    bool done;
    int dones;
    bool failed;
    char message[LIMIT_ERR_MESSAGE];
    bool free_it;
};

static void on_done(void *owner, const struct err *err)
{
    struct scene *scene = owner;

    scene->done = true;
    scene->dones++;
    scene->failed = err != NULL;
    if (err != NULL)
        memcpy(scene->message, err->message, sizeof(scene->message));
    if (scene->free_it) {
        discovery_free(scene->discovery);
        scene->discovery = NULL;
    }
}

static void scene_init(struct scene *scene)
{
    *scene = (struct scene){.loop = loop_new()};
    scene->fake = kube_fake_new(scene->loop, NULL);
    scene->discovery = discovery_new(scene->fake);
}

static void scene_done(struct scene *scene)
{
    discovery_free(scene->discovery);
    kube_free(scene->fake);
    loop_free(scene->loop);
}

static void refresh(struct scene *scene)
{
    scene->done = false;
    discovery_refresh(scene->discovery, on_done, scene);
    assert_true(loop_run_until(scene->loop, &scene->done, 5000));
}

#define THINGS                                                                                     \
    "{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: "             \
    "{name: things.example.com}, spec: {group: example.com, scope: Cluster, names: "               \
    "{kind: Thing, plural: things}, versions: [{name: v1, served: true}]}}"

TEST(kinds_are_found_by_kind_and_by_resource)
{
    struct scene scene;
    struct discovery_kind kind;

    scene_init(&scene);
    assert_int_equal(discovery_find(scene.discovery, gvk_parse(S("v1"), S("Secret")), NULL),
                     DISCOVERY_UNKNOWN);
    refresh(&scene);
    assert_false(scene.failed);
    assert_int_equal(
            discovery_find(scene.discovery, gvk_parse(S("apps/v1"), S("Deployment")), &kind),
            DISCOVERY_FOUND);
    assert_str(kind.resource, S("deployments"));
    assert_true(kind.namespaced && kind.can_list_watch && kind.can_patch && kind.can_delete);
    assert_int_equal(discovery_find_kind(scene.discovery, S("autoscaling"),
                                         S("HorizontalPodAutoscaler"), &kind),
                     DISCOVERY_FOUND);
    assert_str(kind.gvk.version, S("v2")); /* the preferred one */
    assert_int_equal(discovery_find_resource(scene.discovery,
                                             (struct gvr){S(""), S("v1"), S("nodes")}, &kind),
                     DISCOVERY_FOUND);
    assert_false(kind.namespaced);
    assert_int_equal(discovery_find(scene.discovery, gvk_parse(S("x.io/v1"), S("Y")), &kind),
                     DISCOVERY_ABSENT);
    assert_str(discovery_server_version(scene.discovery), S("v1.34.4"));
    scene_done(&scene);
}

TEST(a_new_crd_is_seen_by_the_next_refresh)
{
    struct scene scene;

    scene_init(&scene);
    refresh(&scene);
    uint64_t generation = discovery_generation(scene.discovery);
    refresh(&scene);
    assert_int_equal(discovery_generation(scene.discovery), generation);
    kube_fake_put_yaml(scene.fake, THINGS);
    refresh(&scene);
    assert_true(discovery_generation(scene.discovery) > generation);
    assert_int_equal(
            discovery_find(scene.discovery, gvk_parse(S("example.com/v1"), S("Thing")), NULL),
            DISCOVERY_FOUND);
    scene_done(&scene);
}

TEST(a_failed_refresh_keeps_the_old_answers)
{
    struct scene scene;

    scene_init(&scene);
    kube_fake_fail(scene.fake, KUBE_RAW_GET, "/apis", NULL, 503, "", "busy", 1);
    refresh(&scene);
    assert_true(scene.failed);
    assert_non_null(strstr(scene.message, "busy"));
    assert_false(discovery_is_loaded(scene.discovery));
    refresh(&scene);
    assert_false(scene.failed);
    kube_fake_fail(scene.fake, KUBE_RAW_GET, "/api", NULL, 0, "", "no route", 1);
    refresh(&scene);
    assert_true(scene.failed);
    assert_int_equal(discovery_find(scene.discovery, gvk_parse(S("v1"), S("Secret")), NULL),
                     DISCOVERY_FOUND);
    scene_done(&scene);
}

TEST(who_asks_while_a_run_goes_on_hears_of_what_came_since)
{
    struct scene scene;
    bool never = false;

    scene_init(&scene);
    discovery_refresh(scene.discovery, on_done, &scene);
    loop_run_until(scene.loop, &never, 1);
    kube_fake_put_yaml(scene.fake, THINGS);
    discovery_refresh(scene.discovery, on_done, &scene);
    while (scene.dones < 2) {
        scene.done = false;
        assert_true(loop_run_until(scene.loop, &scene.done, 5000));
    }
    assert_int_equal(
            discovery_find(scene.discovery, gvk_parse(S("example.com/v1"), S("Thing")), NULL),
            DISCOVERY_FOUND);
    scene_done(&scene);
}

TEST(it_can_be_forgotten_and_freed_at_any_moment)
{
    struct scene scene;
    bool never = false;

    for (int ms = 0; ms < 10; ms++) {
        scene_init(&scene);
        discovery_refresh(scene.discovery, on_done, &scene);
        discovery_refresh(scene.discovery, on_done, &scene);
        loop_run_until(scene.loop, &never, ms);
        int dones = scene.dones;
        discovery_forget(scene.discovery, &scene);
        loop_run_until(scene.loop, &never, 8);
        assert_int_equal(scene.dones, dones);
        scene_done(&scene);

        scene_init(&scene);
        discovery_refresh(scene.discovery, on_done, &scene);
        loop_run_until(scene.loop, &never, ms);
        scene_done(&scene);
    }
    scene_init(&scene);
    scene.free_it = true;
    discovery_refresh(scene.discovery, on_done, &scene);
    discovery_refresh(scene.discovery, on_done, &scene);
    assert_true(loop_run_until(scene.loop, &scene.done, 5000));
    loop_run_until(scene.loop, &never, 8);
    assert_int_equal(scene.dones, 1);
    scene_done(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(kinds_are_found_by_kind_and_by_resource),
            cmocka_unit_test(a_new_crd_is_seen_by_the_next_refresh),
            cmocka_unit_test(a_failed_refresh_keeps_the_old_answers),
            cmocka_unit_test(who_asks_while_a_run_goes_on_hears_of_what_came_since),
            cmocka_unit_test(it_can_be_forgotten_and_freed_at_any_moment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
