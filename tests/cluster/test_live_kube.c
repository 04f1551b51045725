/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The remote endpoint, discovery and the reflector against a real API server. Run by hand and by
 * `make test-cluster`: TAUT_TOKEN_KUBECONFIG and TAUT_CERTIFICATE_KUBECONFIG name the kubeconfigs
 * that tests/cluster/cluster.py prints.
 */
#include "../unit/test.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "doc/yaml.h"
#include "kube/discovery.h"
#include "kube/reflector.h"
#include "kube/remote.h"

#include <stdio.h>
#include <stdlib.h>

struct scene {
    struct loop *loop;
    struct kube *kube;
    struct arena *arena;
    struct kube_response response;
    char message[LIMIT_ERR_MESSAGE];
    bool done;
    int dones;
    int wanted;
    int created;
    int events;
    int changes;
    int completes;
    bool troubled;
    struct err gone;
};

static struct kubeconfig *config_of(const char *variable)
{
    struct kubeconfig *config = NULL;
    const char *path = getenv(variable);
    struct err err;

    if (path == NULL)
        fail_msg("%s is not set", variable);
    assert_ok(kubeconfig_load(path, STR_EMPTY, &config, &err), err);
    return config;
}

static void scene_with(struct scene *scene, const struct kubeconfig *config)
{
    struct err err;

    *scene = (struct scene){.loop = loop_new(), .arena = arena_new(64 * LIMIT_MIB), .wanted = 1};
    assert_ok(kube_remote_new(scene->loop, S("the live cluster"), config, &scene->kube, &err), err);
}

static void scene_init(struct scene *scene)
{
    auto_kubeconfig struct kubeconfig *config = config_of("TAUT_TOKEN_KUBECONFIG");

    scene_with(scene, config);
}

static void scene_done(struct scene *scene)
{
    kube_free(scene->kube);
    loop_free(scene->loop);
    arena_free(scene->arena);
}

static void on_done(void *owner, struct kube_response *response)
{
    struct scene *scene = owner;

    scene->response = *response;
    memcpy(scene->message, response->err.message, sizeof(scene->message));
    if (response->object != NULL && scene->wanted == 1)
        scene->response.object = val_dup(scene->arena, response->object);
    if (scene->wanted > 1 && !response->ok)
        print_message("failed: %s\n", response->err.message);
    scene->created += response->ok;
    scene->dones++;
    scene->done = scene->dones >= scene->wanted;
}

static void wait_done(struct scene *scene, int seconds)
{
    assert_true(loop_run_until(scene->loop, &scene->done, seconds * 1000));
}

static void run(struct scene *scene, struct kube_request request)
{
    scene->done = false;
    scene->dones = 0;
    kube_start(scene->kube, &request, on_done, scene);
    wait_done(scene, 30);
}

static struct val *yaml(struct scene *scene, const char *text)
{
    struct yaml_options options = {.dialect = YAML_11};
    struct val *v;
    struct err err;

    assert_ok(yaml_parse(scene->arena, str_from(text), &options, &v, &err), err);
    return v;
}

static struct kube_request about(enum kube_verb verb, str name)
{
    return (struct kube_request){.verb = verb,
                                 .gvr = {S(""), S("v1"), S("configmaps")},
                                 .namespace_ = S("default"),
                                 .name = name,
                                 .field_manager = S("taut")};
}

static struct kube_request apply_of(struct scene *scene, str name)
{
    struct kube_request request = about(KUBE_APPLY, name);

    request.force = true;
    request.body = yaml(scene, arena_printf(scene->arena,
                                            "{apiVersion: v1, kind: ConfigMap, metadata: {name: "
                                            "%.*s, labels: {live: 'yes'}}, data: {a: '1'}}",
                                            STR(name))
                                       .at);
    return request;
}

static void delete_all(struct scene *scene)
{
    struct kube_request request = about(KUBE_DELETE_COLLECTION, STR_EMPTY);

    request.label_selector = S("live");
    run(scene, request);
    assert_true(scene->response.ok);
}

TEST(each_verb_does_its_work)
{
    struct scene scene;

    scene_init(&scene);
    delete_all(&scene);
    run(&scene, apply_of(&scene, S("live-a")));
    assert_int_equal(scene.response.status, 201);
    struct kube_request request = apply_of(&scene, S("live-a"));
    request.dry_run = true;
    run(&scene, request);
    assert_int_equal(scene.response.status, 200);
    str version = object_resource_version(scene.response.object);
    str uid = object_uid(scene.response.object);

    request = about(KUBE_PATCH_MERGE, S("live-a"));
    request.body = yaml(&scene, "{data: {b: '2'}}");
    run(&scene, request);
    assert_true(scene.response.ok);
    assert_false(str_eq(object_resource_version(scene.response.object), version));
    request = about(KUBE_PATCH_JSON, S("live-a"));
    request.body = yaml(&scene, "[{op: remove, path: /data/b}]");
    run(&scene, request);
    assert_true(scene.response.ok);
    request = about(KUBE_PATCH_STRATEGIC, S("live-a"));
    request.body = yaml(&scene, "{data: {c: '3'}}");
    run(&scene, request);
    assert_str(VAL_STR(scene.response.object, "data", "c"), S("3"));

    request = about(KUBE_UPDATE, S("live-a"));
    request.body = val_dup(scene.arena, scene.response.object);
    val_set_str(scene.arena, val_ensure_map(scene.arena, (struct val *)request.body, S("metadata")),
                S("resourceVersion"), version);
    run(&scene, request);
    assert_int_equal(scene.response.err.code, ERR_CONFLICT);

    request = about(KUBE_CREATE, STR_EMPTY);
    request.body = yaml(&scene, "{apiVersion: v1, kind: ConfigMap, metadata: {name: live-a}}");
    run(&scene, request);
    assert_int_equal(scene.response.err.code, ERR_EXISTS);
    assert_string_equal(scene.message, "configmaps \"live-a\" already exists");

    request = about(KUBE_DELETE, S("live-a"));
    request.precondition_uid = S("00000000-0000-4000-8000-000000000000");
    run(&scene, request);
    assert_int_equal(scene.response.status, 409);
    request.precondition_uid = uid;
    run(&scene, request);
    assert_true(scene.response.ok);
    run(&scene, about(KUBE_GET, S("live-a")));
    assert_int_equal(scene.response.err.code, ERR_NOT_FOUND);
    scene_done(&scene);
}

TEST(a_client_certificate_signs_in)
{
    struct scene scene;
    auto_kubeconfig struct kubeconfig *config = config_of("TAUT_CERTIFICATE_KUBECONFIG");

    scene_with(&scene, config);
    struct kube_request request = {.verb = KUBE_LIST, .gvr = {S(""), S("v1"), S("namespaces")}};
    run(&scene, request);
    assert_true(scene.response.ok);
    assert_true(val_count(val_get(scene.response.object, S("items"))) >= 4);
    scene_done(&scene);
}

TEST(a_wrong_token_or_authority_is_said_in_one_sentence)
{
    struct scene scene;
    auto_kubeconfig struct kubeconfig *config = config_of("TAUT_TOKEN_KUBECONFIG");

    secret_free(config->bearer);
    config->bearer = secret_new(S("wrong"));
    scene_with(&scene, config);
    run(&scene, about(KUBE_GET, S("x")));
    assert_int_equal(scene.response.err.code, ERR_UNAUTHORIZED);
    assert_string_equal(scene.message, "Unauthorized");
    scene_done(&scene);

    config->ca_pem = STR_EMPTY; /* the system's authorities do not know it */
    scene_with(&scene, config);
    run(&scene, about(KUBE_GET, S("x")));
    assert_int_equal(scene.response.status, 0);
    print_message("untrusted: %s\n", scene.message);
    assert_non_null(strstr(scene.message, "its certificate is not trusted"));
    scene_done(&scene);
}

TEST(four_hundred_applies_share_two_connections)
{
    struct scene scene;

    scene_init(&scene);
    scene.wanted = 400;
    int64_t began = clock_mono_ms();
    for (int i = 0; i < 400; i++) {
        struct kube_request request = apply_of(&scene, arena_printf(scene.arena, "live-%d", i));

        kube_start(scene.kube, &request, on_done, &scene);
    }
    wait_done(&scene, 60);
    int64_t took = clock_mono_ms() - began;
    assert_int_equal(scene.created, 400);
    print_message("400 applies in %d ms over %d connections\n", (int)took,
                  (int)kube_remote_connections(scene.kube));
    /* a few more where the server closes connections of its own accord */
    assert_true(kube_remote_connections(scene.kube) <= 20);
    scene_done(&scene);
}

static void *keep(UNUSED void *owner, const struct val *object)
{
    return mem_dup_z(object_resource_version(object));
}

static void drop(UNUSED void *owner, void *kept)
{
    mem_free(kept);
}

static void changed(void *owner, UNUSED str namespace_, UNUSED str name, UNUSED const void *was,
                    UNUSED const void *is)
{
    struct scene *scene = owner;

    scene->changes++;
    scene->done = true;
}

static void complete(void *owner)
{
    struct scene *scene = owner;

    scene->completes++;
    scene->done = true;
}

static void trouble(void *owner, const struct err *err)
{
    struct scene *scene = owner;

    scene->troubled = err != NULL;
    if (err != NULL)
        print_message("trouble: %s\n", err->message);
}

static const struct reflector_events events = {keep, drop, changed, complete, trouble};

TEST(a_reflector_follows_a_real_server)
{
    struct scene scene;
    struct kube_selector what = {.gvr = {S(""), S("v1"), S("configmaps")},
                                 .label_selector = S("live")};

    scene_init(&scene);
    run(&scene, apply_of(&scene, S("live-first")));
    scene.done = false;
    struct reflector *reflector = reflector_new(scene.kube, &what, &events, &scene);
    while (scene.completes == 0) {
        scene.done = false;
        wait_done(&scene, 30);
    }
    size_t before = reflector_count(reflector);
    assert_true(before >= 1);
    assert_true(reflector_is_complete(reflector));
    run(&scene, apply_of(&scene, S("live-second")));
    while (reflector_count(reflector) == before) {
        scene.done = false;
        wait_done(&scene, 10);
    }
    delete_all(&scene);
    while (reflector_count(reflector) > 0) {
        scene.done = false;
        wait_done(&scene, 10);
    }
    assert_false(scene.troubled);
    reflector_free(reflector);
    scene_done(&scene);
}

static void on_event(void *owner, const struct kube_event *event)
{
    struct scene *scene = owner;

    scene->events += event->type == KUBE_ADDED;
    scene->done = scene->events >= scene->wanted;
}

/* A watch that may end by itself: a server may close its connections whenever it likes. */
struct slot {
    struct scene *scene;
    struct kube_call *call;
};

static void on_slot_event(void *owner, const struct kube_event *event)
{
    struct slot *slot = owner;

    on_event(slot->scene, event);
}

static void on_slot_done(void *owner, UNUSED struct kube_response *response)
{
    struct slot *slot = owner;

    slot->call = NULL;
}

TEST(three_hundred_watches_share_few_connections)
{
    struct scene scene;
    struct slot slots[300];

    scene_init(&scene);
    run(&scene, apply_of(&scene, S("live-seen")));
    scene.wanted = 300;
    scene.done = false;
    for (int i = 0; i < 300; i++) {
        struct kube_request request = about(KUBE_WATCH, STR_EMPTY);

        request.label_selector = S("live");
        slots[i].scene = &scene;
        slots[i].call = kube_watch(scene.kube, &request, on_slot_event, on_slot_done, &slots[i]);
    }
    wait_done(&scene, 60);
    print_message("300 watches over %d connections\n", (int)kube_remote_connections(scene.kube));
    assert_true(kube_remote_connections(scene.kube) <= 30);
    for (int i = 0; i < 300; i++)
        kube_cancel(slots[i].call);
    scene.wanted = 1;
    delete_all(&scene); /* requests still work beside them */
    scene_done(&scene);
}

TEST(watches_cancelled_at_any_moment_leave_the_others_alone)
{
    struct scene scene;

    scene_init(&scene);
    run(&scene, apply_of(&scene, S("live-any")));
    scene.wanted = 1000;
    for (int ms = 0; ms < 20; ms++) {
        struct slot slots[20] = {0};
        bool never = false;

        for (int i = 0; i < 20; i++) {
            struct kube_request request = about(i % 2 ? KUBE_WATCH : KUBE_LIST, STR_EMPTY);
            struct slot *slot = &slots[i];

            slot->scene = &scene;
            slot->call = i % 2 ? kube_watch(scene.kube, &request, on_slot_event, on_slot_done, slot)
                               : kube_start(scene.kube, &request, on_slot_done, slot);
            if (i % 4 == 0)
                kube_cancel(TAKE(slot->call));
        }
        loop_run_until(scene.loop, &never, ms);
        for (int i = 0; i < 20; i++)
            kube_cancel(slots[i].call);
    }
    scene.wanted = 1;
    delete_all(&scene);
    scene_done(&scene);
}

static void on_version(void *owner, const struct kube_event *event)
{
    struct scene *scene = owner;

    if (event->type == KUBE_EVENT_ERROR) {
        kube_status_error(event->object, 0, &scene->gone);
        scene->done = true;
    }
}

TEST(a_version_that_is_gone_is_an_error_event_or_410)
{
    struct scene scene;

    scene_init(&scene);
    struct kube_request request = about(KUBE_WATCH, STR_EMPTY);
    request.resource_version = S("1");
    struct kube_call *call = kube_watch(scene.kube, &request, on_version, on_done, &scene);
    if (!loop_run_until(scene.loop, &scene.done, 3000)) {
        print_message("version 1 is still known\n");
        kube_cancel(call);
    } else {
        assert_int_equal(scene.gone.code, ERR_GONE);
    }
    scene_done(&scene);
}

static void on_discovered(void *owner, const struct err *err)
{
    struct scene *scene = owner;

    if (err != NULL)
        print_message("%s\n", err->message);
    scene->troubled = err != NULL;
    scene->done = true;
}

TEST(discovery_knows_the_kinds)
{
    struct scene scene;
    struct discovery_kind kind;

    scene_init(&scene);
    struct discovery *discovery = discovery_new(scene.kube);
    int64_t began = clock_mono_ms();
    discovery_refresh(discovery, on_discovered, &scene);
    wait_done(&scene, 30);
    assert_false(scene.troubled);
    print_message("%d kinds of %.*s in %d ms\n", (int)discovery_count(discovery),
                  STR(discovery_server_version(discovery)), (int)(clock_mono_ms() - began));
    assert_int_equal(discovery_find(discovery, gvk_parse(S("apps/v1"), S("Deployment")), &kind),
                     DISCOVERY_FOUND);
    assert_str(kind.resource, S("deployments"));
    assert_true(kind.namespaced && kind.can_list_watch);
    assert_int_equal(
            discovery_find_kind(discovery, S("autoscaling"), S("HorizontalPodAutoscaler"), &kind),
            DISCOVERY_FOUND);
    assert_str(kind.gvk.version, S("v2"));
    assert_int_equal(discovery_find(discovery, gvk_parse(S("x.io/v1"), S("X")), &kind),
                     DISCOVERY_ABSENT);
    discovery_free(discovery);
    scene_done(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(each_verb_does_its_work),
            cmocka_unit_test(a_client_certificate_signs_in),
            cmocka_unit_test(a_wrong_token_or_authority_is_said_in_one_sentence),
            cmocka_unit_test(four_hundred_applies_share_two_connections),
            cmocka_unit_test(a_reflector_follows_a_real_server),
            cmocka_unit_test(three_hundred_watches_share_few_connections),
            cmocka_unit_test(watches_cancelled_at_any_moment_leave_the_others_alone),
            cmocka_unit_test(a_version_that_is_gone_is_an_error_event_or_410),
            cmocka_unit_test(discovery_knows_the_kinds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
