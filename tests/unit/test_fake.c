/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "base/buf.h"
#include "doc/json.h"
#include "doc/yaml.h"
#include "kube/fake.h"

/* One question and its answer, copied out of the callback. */
struct ask {
    struct loop *loop;
    struct kube *fake;
    struct arena *arena;
    struct kube_call *call;
    struct kube_response response;
    bool done;
    int dones;
    struct buf events;
    size_t event_count;
};

static void ask_init(struct ask *ask, uint64_t seed)
{
    *ask = (struct ask){.loop = loop_new(), .arena = arena_new(16 * LIMIT_MIB)};
    ask->fake = kube_fake_new(ask->loop, &(struct kube_fake_options){.seed = seed});
    buf_init(&ask->events, LIMIT_MIB);
}

static void ask_done(struct ask *ask)
{
    kube_free(ask->fake);
    loop_free(ask->loop);
    arena_free(ask->arena);
    buf_done(&ask->events);
}

static void on_done(void *owner, struct kube_response *response)
{
    struct ask *ask = owner;

    ask->response = *response;
    if (response->object != NULL)
        ask->response.object = val_dup(ask->arena, response->object);
    ask->response.reason = arena_str(ask->arena, response->reason);
    ask->done = true;
    ask->dones++;
}

static void on_event(void *owner, const struct kube_event *event)
{
    static const char *const names[] = {"ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR"};
    struct ask *ask = owner;

    buf_addf(&ask->events, "%s %.*s\n", names[event->type], STR(object_name(event->object)));
    ask->event_count++;
    ask->done = true;
}

static const struct gvr configmaps = {{"", 0}, {"v1", 2}, {"configmaps", 10}};

static struct val *yaml(struct ask *ask, const char *text)
{
    struct yaml_options options = {.dialect = YAML_11};
    struct val *v;
    struct err err;

    assert_ok(yaml_parse(ask->arena, str_from(text), &options, &v, &err), err);
    return v;
}

static struct kube_request about(enum kube_verb verb, const char *name)
{
    return (struct kube_request){
            .verb = verb, .gvr = configmaps, .namespace_ = S("default"), .name = str_from(name)};
}

static void run(struct ask *ask, struct kube_request request)
{
    ask->done = false;
    ask->dones = 0;
    ask->call = kube_start(ask->fake, &request, on_done, ask);
    assert_int_equal(ask->dones, 0);
    assert_true(loop_run_until(ask->loop, &ask->done, 5000));
}

static void apply(struct ask *ask, const char *name, const char *manager, const char *text)
{
    struct kube_request request = about(KUBE_APPLY, name);

    request.field_manager = str_from(manager);
    request.force = true;
    request.body = yaml(ask, text);
    run(ask, request);
}

TEST(apply_creates_owns_and_removes_what_it_no_longer_says)
{
    struct ask ask;

    ask_init(&ask, 1);
    apply(&ask, "c", "taut",
          "{apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {a: '1', b: '2'}}");
    assert_int_equal(ask.response.status, 201);
    assert_true(ask.response.created);
    assert_non_null(VAL_AT(ask.response.object, "metadata", "managedFields"));
    str version = object_resource_version(ask.response.object);

    apply(&ask, "c", "taut",
          "{apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {a: '1', b: '2'}}");
    assert_int_equal(ask.response.status, 200);
    assert_str(object_resource_version(ask.response.object), version); /* nothing changed */

    apply(&ask, "c", "taut",
          "{apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {a: '1'}}");
    assert_null(VAL_AT(ask.response.object, "data", "b"));
    assert_str(VAL_STR(kube_fake_get(ask.fake, "configmaps", "default", "c"), "data", "a"), S("1"));
    ask_done(&ask);
}

TEST(a_dry_run_shows_and_keeps_nothing)
{
    struct ask ask;

    ask_init(&ask, 2);
    struct kube_request request = about(KUBE_APPLY, "c");
    request.field_manager = S("taut");
    request.dry_run = true;
    request.body = yaml(&ask, "{apiVersion: v1, kind: ConfigMap, metadata: {name: c}}");
    run(&ask, request);
    assert_int_equal(ask.response.status, 201);
    assert_null(kube_fake_get(ask.fake, "configmaps", "default", "c"));
    assert_int_equal(kube_fake_log_count(ask.fake, "apply configmaps default/c dry-run"), 1);
    ask_done(&ask);
}

TEST(what_does_not_exist_is_said_as_kubernetes_says_it)
{
    struct ask ask;

    ask_init(&ask, 3);
    run(&ask, about(KUBE_GET, "c"));
    assert_int_equal(ask.response.status, 404);
    assert_int_equal(ask.response.err.code, ERR_NOT_FOUND);
    assert_string_equal(ask.response.err.message, "configmaps \"c\" not found");

    struct kube_request request = about(KUBE_CREATE, "");
    request.namespace_ = S("nowhere");
    request.body = yaml(&ask, "{apiVersion: v1, kind: ConfigMap, metadata: {name: c}}");
    run(&ask, request);
    assert_string_equal(ask.response.err.message, "namespaces \"nowhere\" not found");

    request = about(KUBE_GET, "c");
    request.gvr = (struct gvr){S("example.com"), S("v1"), S("things")};
    run(&ask, request);
    assert_int_equal(ask.response.status, 404);
    ask_done(&ask);
}

TEST(deletes_keep_their_preconditions_and_finalizers)
{
    struct ask ask;

    ask_init(&ask, 4);
    kube_fake_put_yaml(ask.fake, "{apiVersion: v1, kind: ConfigMap, metadata: {name: c, namespace: "
                                 "default, finalizers: [a/b]}}");
    struct kube_request request = about(KUBE_DELETE, "c");
    request.precondition_uid = S("another");
    run(&ask, request);
    assert_int_equal(ask.response.status, 409);
    assert_int_equal(ask.response.err.code, ERR_CONFLICT);

    run(&ask, about(KUBE_DELETE, "c"));
    assert_int_equal(ask.response.status, 200);
    assert_non_null(VAL_AT(kube_fake_get(ask.fake, "configmaps", "default", "c"), "metadata",
                           "deletionTimestamp"));

    request = about(KUBE_PATCH_MERGE, "c");
    request.body = yaml(&ask, "{metadata: {finalizers: null}}");
    run(&ask, request);
    assert_int_equal(ask.response.status, 200);
    assert_null(kube_fake_get(ask.fake, "configmaps", "default", "c"));
    ask_done(&ask);
}

TEST(lists_come_in_pages)
{
    struct ask ask;
    size_t seen = 0;
    str token = STR_EMPTY;

    ask_init(&ask, 5);
    for (int i = 0; i < 7; i++) {
        str text = arena_printf(ask.arena,
                                "{apiVersion: v1, kind: ConfigMap, metadata: {name: c%d, "
                                "namespace: default, labels: {odd: '%d'}}}",
                                i, i % 2);
        kube_fake_put_yaml(ask.fake, text.at);
    }
    do {
        struct kube_request request = about(KUBE_LIST, "");
        request.limit = 3;
        request.continue_ = token;
        run(&ask, request);
        assert_true(ask.response.ok);
        seen += val_count(val_get(ask.response.object, S("items")));
        token = VAL_STR(ask.response.object, "metadata", "continue");
    } while (token.len > 0);
    assert_int_equal(seen, 7);

    struct kube_request request = about(KUBE_LIST, "");
    request.label_selector = S("odd=1");
    run(&ask, request);
    assert_int_equal(val_count(val_get(ask.response.object, S("items"))), 3);
    ask_done(&ask);
}

static void wait_events(struct ask *ask, size_t count)
{
    while (ask->event_count < count) {
        ask->done = false;
        assert_true(loop_run_until(ask->loop, &ask->done, 5000));
    }
}

TEST(a_watch_sees_changes_in_order_through_its_selector)
{
    struct ask ask;

    ask_init(&ask, 6);
    kube_fake_put_yaml(ask.fake, "{apiVersion: v1, kind: ConfigMap, metadata: {name: before, "
                                 "namespace: default, labels: {app: x}}}");
    struct kube_request request = about(KUBE_WATCH, "");
    request.label_selector = S("app");
    request.allow_bookmarks = true;
    struct kube_call *watch = kube_watch(ask.fake, &request, on_event, on_done, &ask);
    wait_events(&ask, 1);
    kube_fake_put_yaml(ask.fake, "{apiVersion: v1, kind: ConfigMap, metadata: {name: c, namespace: "
                                 "default, labels: {app: x}}}");
    kube_fake_put_yaml(ask.fake, "{apiVersion: v1, kind: ConfigMap, metadata: {name: c, namespace: "
                                 "default, labels: {app: y}}}");
    kube_fake_put_yaml(ask.fake, "{apiVersion: v1, kind: ConfigMap, metadata: {name: c, namespace: "
                                 "default}}");
    kube_fake_put_yaml(ask.fake, "{apiVersion: v1, kind: ConfigMap, metadata: {name: other, "
                                 "namespace: default}}");
    kube_fake_remove(ask.fake, "configmaps", "default", "before");
    kube_fake_bookmark(ask.fake);
    wait_events(&ask, 6);
    assert_str(buf_str(&ask.events),
               S("ADDED before\nADDED c\nMODIFIED c\nDELETED c\nDELETED before\nBOOKMARK \n"));
    kube_cancel(watch);
    assert_int_equal(ask.dones, 0);
    ask_done(&ask);
}

TEST(scripted_failures_hold_and_heal)
{
    struct ask ask;

    ask_init(&ask, 7);
    kube_fake_fail(ask.fake, KUBE_GET, "configmaps", NULL, 503, "ServiceUnavailable", "busy", 1);
    run(&ask, about(KUBE_GET, "c"));
    assert_int_equal(ask.response.status, 503);
    assert_string_equal(ask.response.err.message, "busy");
    run(&ask, about(KUBE_GET, "c"));
    assert_int_equal(ask.response.status, 404);

    kube_fake_fail(ask.fake, KUBE_GET, NULL, NULL, 0, NULL, "no route", 1);
    run(&ask, about(KUBE_GET, "c"));
    assert_int_equal(ask.response.status, 0);
    assert_int_equal(ask.response.err.code, ERR_UNAVAILABLE);

    kube_fake_hold(ask.fake, KUBE_GET, "configmaps");
    struct kube_request request = about(KUBE_GET, "c");
    ask.done = false;
    kube_start(ask.fake, &request, on_done, &ask);
    assert_false(loop_run_until(ask.loop, &ask.done, 20));
    kube_fake_heal(ask.fake);
    assert_true(loop_run_until(ask.loop, &ask.done, 5000));
    ask_done(&ask);
}

TEST(a_crd_brings_its_kind_and_takes_it)
{
    struct ask ask;

    ask_init(&ask, 8);
    kube_fake_put_yaml(
            ask.fake,
            "{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: "
            "{name: things.example.com}, spec: {group: example.com, scope: Namespaced, names: "
            "{kind: Thing, plural: things}, versions: [{name: v1, served: true}]}}");
    struct kube_request request = about(KUBE_APPLY, "t");
    request.gvr = (struct gvr){S("example.com"), S("v1"), S("things")};
    request.field_manager = S("taut");
    request.body = yaml(&ask, "{apiVersion: example.com/v1, kind: Thing, metadata: {name: t}}");
    run(&ask, request);
    assert_int_equal(ask.response.status, 201);
    kube_fake_remove(ask.fake, "customresourcedefinitions", "", "things.example.com");
    run(&ask, request);
    assert_int_equal(ask.response.status, 404);
    ask_done(&ask);
}

TEST(dependents_go_with_their_owner_unless_orphaned)
{
    struct ask ask;

    for (int orphan = 0; orphan < 2; orphan++) {
        ask_init(&ask, 9);
        const struct val *owner =
                kube_fake_put_yaml(ask.fake, "{apiVersion: apps/v1, kind: Deployment, metadata: "
                                             "{name: web, namespace: default}}");
        str text = arena_printf(ask.arena,
                                "{apiVersion: apps/v1, kind: ReplicaSet, metadata: {name: web-1, "
                                "namespace: default, ownerReferences: [{uid: %.*s}]}}",
                                STR(object_uid(owner)));
        kube_fake_put_yaml(ask.fake, text.at);
        struct kube_request request = about(KUBE_DELETE, "web");
        request.gvr = (struct gvr){S("apps"), S("v1"), S("deployments")};
        request.propagation = orphan ? S("Orphan") : S("Background");
        run(&ask, request);
        assert_int_equal(kube_fake_count(ask.fake, "replicasets.apps"), orphan);
        ask_done(&ask);
    }
}

TEST(calls_can_be_cancelled_at_any_time)
{
    struct ask ask;

    ask_init(&ask, 10);
    for (int turns = 0; turns < 12; turns++) {
        struct kube_request request = about(turns % 2 ? KUBE_WATCH : KUBE_LIST, "");
        bool never = false;

        ask.dones = 0;
        ask.call = turns % 2 ? kube_watch(ask.fake, &request, on_event, on_done, &ask)
                             : kube_start(ask.fake, &request, on_done, &ask);
        loop_run_until(ask.loop, &never, turns);
        int dones = ask.dones;
        if (dones == 0)
            kube_cancel(ask.call);
        loop_run_until(ask.loop, &never, 8);
        assert_int_equal(ask.dones, dones);
    }
    kube_cancel(NULL);
    ask_done(&ask);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(apply_creates_owns_and_removes_what_it_no_longer_says),
            cmocka_unit_test(a_dry_run_shows_and_keeps_nothing),
            cmocka_unit_test(what_does_not_exist_is_said_as_kubernetes_says_it),
            cmocka_unit_test(deletes_keep_their_preconditions_and_finalizers),
            cmocka_unit_test(lists_come_in_pages),
            cmocka_unit_test(a_watch_sees_changes_in_order_through_its_selector),
            cmocka_unit_test(scripted_failures_hold_and_heal),
            cmocka_unit_test(a_crd_brings_its_kind_and_takes_it),
            cmocka_unit_test(dependents_go_with_their_owner_unless_orphaned),
            cmocka_unit_test(calls_can_be_cancelled_at_any_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
