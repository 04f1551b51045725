/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "kube/kube.h"

static const struct gvr deployments = {{"apps", 4}, {"v1", 2}, {"deployments", 11}};
static const struct gvr namespaces = {{"", 0}, {"v1", 2}, {"namespaces", 10}};

static void assert_path(struct kube_request request, const char *expected)
{
    auto_arena struct arena *arena = arena_new(LIMIT_MIB);
    struct err err;
    str path;

    assert_ok(kube_request_path(&request, arena, &path, &err), err);
    assert_str(path, str_from(expected));
}

TEST(paths_follow_group_namespace_and_sub_resource)
{
    assert_path((struct kube_request){.verb = KUBE_GET,
                                      .gvr = deployments,
                                      .namespace_ = S("demo"),
                                      .name = S("web"),
                                      .subresource = S("status")},
                "/apis/apps/v1/namespaces/demo/deployments/web/status");
    assert_path((struct kube_request){.verb = KUBE_GET, .gvr = namespaces, .name = S("demo")},
                "/api/v1/namespaces/demo");
    assert_path((struct kube_request){.verb = KUBE_CREATE,
                                      .gvr = deployments,
                                      .namespace_ = S("demo"),
                                      .name = S("ignored"),
                                      .field_manager = S("taut")},
                "/apis/apps/v1/namespaces/demo/deployments?fieldManager=taut");
}

TEST(lists_watches_and_applies_carry_their_options)
{
    assert_path((struct kube_request){.verb = KUBE_LIST,
                                      .gvr = deployments,
                                      .limit = 500,
                                      .continue_ = S("a+/="),
                                      .label_selector = S("app in (a,b)")},
                "/apis/apps/v1/deployments?limit=500&continue=a%2B%2F%3D"
                "&labelSelector=app%20in%20%28a%2Cb%29");
    assert_path((struct kube_request){.verb = KUBE_WATCH,
                                      .gvr = deployments,
                                      .allow_bookmarks = true,
                                      .resource_version = S("12")},
                "/apis/apps/v1/deployments?watch=true&allowWatchBookmarks=true&resourceVersion=12");
    assert_path((struct kube_request){.verb = KUBE_APPLY,
                                      .gvr = deployments,
                                      .namespace_ = S("demo"),
                                      .name = S("web"),
                                      .field_manager = S("taut"),
                                      .force = true,
                                      .dry_run = true,
                                      .field_validation = S("Strict")},
                "/apis/apps/v1/namespaces/demo/deployments/web?fieldManager=taut"
                "&fieldValidation=Strict&force=true&dryRun=All");
}

TEST(names_cannot_leave_their_place_in_the_path)
{
    static const char *const names[] = {"..", ".", "a/b", "a%2fb"};
    auto_arena struct arena *arena = arena_new(LIMIT_MIB);
    struct err err;
    str path;

    for (size_t i = 0; i < COUNT(names); i++) {
        struct kube_request request = {
                .verb = KUBE_GET, .gvr = deployments, .name = str_from(names[i])};

        assert_fails(kube_request_path(&request, arena, &path, &err), err, ERR_INVALID);
    }
    struct kube_request nameless = {.verb = KUBE_DELETE, .gvr = deployments};
    assert_fails(kube_request_path(&nameless, arena, &path, &err), err, ERR_INVALID);
    assert_path((struct kube_request){.verb = KUBE_GET,
                                      .gvr = {S("rbac.authorization.k8s.io"), S("v1"),
                                              S("clusterroles")},
                                      .name = S("system:node?x&y #")},
                "/apis/rbac.authorization.k8s.io/v1/clusterroles/system%3Anode%3Fx%26y%20%23");
}

TEST(a_delete_carries_its_preconditions)
{
    auto_arena struct arena *arena = arena_new(LIMIT_MIB);
    struct kube_request request = {.verb = KUBE_DELETE};

    assert_null(kube_request_body(&request, arena));
    request.precondition_uid = S("u");
    request.precondition_resource_version = S("7");
    request.propagation = S("Foreground");
    const struct val *body = kube_request_body(&request, arena);
    assert_str(VAL_STR(body, "kind"), S("DeleteOptions"));
    assert_str(VAL_STR(body, "propagationPolicy"), S("Foreground"));
    assert_str(VAL_STR(body, "preconditions", "uid"), S("u"));
    assert_str(VAL_STR(body, "preconditions", "resourceVersion"), S("7"));
}

TEST(only_what_cannot_hurt_twice_is_sent_twice)
{
    struct kube_request request = {.verb = KUBE_CREATE};

    assert_false(kube_request_is_idempotent(&request));
    request.dry_run = true;
    assert_true(kube_request_is_idempotent(&request));
    request = (struct kube_request){.verb = KUBE_DELETE};
    assert_false(kube_request_is_idempotent(&request));
    request.precondition_uid = S("u");
    assert_true(kube_request_is_idempotent(&request));
    request = (struct kube_request){.verb = KUBE_APPLY};
    assert_true(kube_request_is_idempotent(&request));
    request = (struct kube_request){.verb = KUBE_PATCH_JSON};
    assert_false(kube_request_is_idempotent(&request));
}

TEST(an_error_is_the_servers_own_sentence)
{
    auto_arena struct arena *arena = arena_new(LIMIT_MIB);
    struct val *status = val_new(arena, val_map());
    struct kube_response response = {.object = status};

    val_set_str(arena, status, S("kind"), S("Status"));
    val_set_str(arena, status, S("message"), S("deployments.apps \"web\" already exists"));
    val_set_str(arena, status, S("reason"), S("AlreadyExists"));
    val_set(arena, status, S("code"), val_int(arena, 409));
    kube_response_read(&response, 409);
    assert_false(response.ok);
    assert_int_equal(response.err.code, ERR_EXISTS);
    assert_string_equal(response.err.message, "deployments.apps \"web\" already exists");
    assert_str(response.reason, S("AlreadyExists"));

    response = (struct kube_response){.object = NULL};
    kube_response_read(&response, 503);
    assert_int_equal(response.err.code, ERR_UNAVAILABLE);
    assert_string_equal(response.err.message, "the server answered 503");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(paths_follow_group_namespace_and_sub_resource),
            cmocka_unit_test(lists_watches_and_applies_carry_their_options),
            cmocka_unit_test(names_cannot_leave_their_place_in_the_path),
            cmocka_unit_test(a_delete_carries_its_preconditions),
            cmocka_unit_test(only_what_cannot_hurt_twice_is_sent_twice),
            cmocka_unit_test(an_error_is_the_servers_own_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
