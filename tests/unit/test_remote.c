/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "base/buf.h"
#include "io/http_server.h"
#include "kube/remote.h"

#include <stdio.h>

/* An API server that lies: what it answers depends on the name of the object asked for. */
struct scene {
    struct loop *loop;
    struct http_server *server;
    struct kube *kube;
    struct http_stream *stream;
    char seen[512]; /* method, path and query of the last request, then its content type and body */
    bool stream_closed;
    struct kube_call *call;
    struct kube_response response;
    struct arena *arena; /* taken from the response */
    int dones;
    int events;
    struct buf told;
    bool done;
    int cancel_at; /* the n-th event cancels the watch */
    int free_at;   /* the n-th event frees the endpoint */
    bool free_in_done;
};

static const char forbidden[] =
        "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"status\":\"Failure\",\"message\":\"secrets "
        "is "
        "forbidden: User \\\"x\\\" cannot list\",\"reason\":\"Forbidden\",\"code\":403}";

static void on_stream_closed(void *owner)
{
    ((struct scene *)owner)->stream_closed = true;
}

static void start_stream(struct scene *scene, struct http_request *request, const char *first)
{
    scene->stream_closed = false;
    scene->stream = http_reply_stream(request,
                                      &(struct http_reply){.status = 200,
                                                           .content_type = S("application/json"),
                                                           .body = str_from(first)},
                                      on_stream_closed, NULL, scene);
}

static const struct canned {
    const char *name;
    int status;
    const char *type;
    const char *body;
} answers[] = {
        {"good", 200, "application/json",
         "{\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"good\"}}"},
        {"configmaps", 200, "application/json",
         "{\"kind\":\"ConfigMapList\",\"apiVersion\":\"v1\",\"items\":[{\"metadata\":{\"name\":"
         "\"a\"}},"
         "{\"kind\":\"Other\",\"apiVersion\":\"x/v1\"},null]}"},
        {"new", 201, "application/json", "{\"kind\":\"ConfigMap\"}"},
        {"forbidden", 403, "application/json", forbidden},
        {"busy", 429, "application/json",
         "{\"kind\":\"Status\",\"message\":\"slow "
         "down\",\"reason\":\"TooManyRequests\",\"details\":"
         "{\"retryAfterSeconds\":4},\"code\":429}"},
        {"proxy", 502, "text/html", "<html><h1>Bad Gateway</h1></html>"},
        {"plain", 401, "text/plain", "Unauthorized\n"},
        {"cut", 200, "application/json", "{\"kind\":\"ConfigMap\",\"meta"},
        {"empty", 200, "application/json", ""},
        {"deep", 200, "application/json", NULL},
};

static void handle(void *owner, struct http_request *request)
{
    struct scene *scene = owner;

    snprintf(scene->seen, sizeof(scene->seen), "%.*s %.*s?%.*s %.*s %.*s", STR(request->method),
             STR(request->path), STR(request->query), STR(http_header(request, S("content-type"))),
             STR(request->body));
    if (str_contains(request->query, S("labelSelector=refused"))) {
        http_reply_text(request, 403, S("application/json"), str_from(forbidden));
        return;
    }
    if (str_contains(request->query, S("watch=true"))) {
        start_stream(scene, request,
                     "{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"name\":\"a\"}}}\n"
                     "{\"type\":\"MODIFIED\",\"object\":{\"metadata\":{\"name\":\"b\"}}}\n"
                     "{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":{\"na");
        return;
    }
    for (size_t i = 0; i < COUNT(answers); i++) {
        char deep[1000];
        const char *body = answers[i].body;

        if (!str_ends(request->path, str_from(answers[i].name)))
            continue;
        memset(deep, '[', sizeof(deep) - 1);
        deep[sizeof(deep) - 1] = '\0';
        http_reply_text(request, answers[i].status, str_from(answers[i].type),
                        str_from(body == NULL ? deep : body));
        return;
    }
    http_reply_text(request, 404, S("text/plain"), S("404 page not found\n"));
}

static void scene_init(struct scene *scene)
{
    char url[64];
    struct kubeconfig config = {0};
    struct err err;

    *scene = (struct scene){.loop = loop_new()};
    buf_init(&scene->told, LIMIT_MIB);
    scene->server =
            http_server_new(scene->loop, &(struct http_server_options){.listen = S("127.0.0.1:0")},
                            handle, scene, &err);
    assert_non_null(scene->server);
    snprintf(url, sizeof(url), "http://127.0.0.1:%d", http_server_port(scene->server));
    config.server = str_from(url);
    assert_ok(kube_remote_new(scene->loop, S("the liar"), &config, &scene->kube, &err), err);
}

static void scene_done(struct scene *scene)
{
    kube_free(scene->kube);
    http_stream_end(scene->stream);
    http_server_free(scene->server);
    if (scene->arena != NULL)
        arena_free(scene->arena);
    buf_done(&scene->told);
    loop_free(scene->loop);
}

static void on_done(void *owner, struct kube_response *response)
{
    struct scene *scene = owner;

    if (scene->arena != NULL)
        arena_free(scene->arena);
    scene->response = *response;
    scene->arena = kube_response_take(response);
    scene->dones++;
    scene->done = true;
    kube_cancel(scene->call); /* over: nothing happens */
    if (scene->free_in_done) {
        kube_free(scene->kube);
        scene->kube = NULL;
    }
}

static struct kube_request about(enum kube_verb verb, const char *name)
{
    return (struct kube_request){.verb = verb,
                                 .gvr = {S(""), S("v1"), S("configmaps")},
                                 .namespace_ = S("demo"),
                                 .name = str_from(name)};
}

static void run(struct scene *scene, struct kube_request request)
{
    scene->done = false;
    scene->dones = 0;
    scene->call = kube_start(scene->kube, &request, on_done, scene);
    assert_int_equal(scene->dones, 0);
    assert_true(loop_run_until(scene->loop, &scene->done, 5000));
    assert_int_equal(scene->dones, 1);
}

TEST(requests_arrive_as_kubernetes_wants_them)
{
    auto_arena struct arena *arena = arena_new(LIMIT_MIB);
    struct val *body = val_new(arena, val_map());
    struct scene scene;

    scene_init(&scene);
    val_set_str(arena, body, S("kind"), S("ConfigMap"));
    struct kube_request request = about(KUBE_APPLY, "good");
    request.field_manager = S("taut");
    request.force = true;
    request.body = body;
    run(&scene, request);
    assert_true(scene.response.ok);
    assert_str(object_name(scene.response.object), S("good"));
    assert_string_equal(scene.seen, "PATCH /api/v1/namespaces/demo/configmaps/good?fieldManager="
                                    "taut&force=true application/apply-patch+yaml "
                                    "{\"kind\":\"ConfigMap\"}");
    run(&scene, about(KUBE_GET, "new"));
    assert_true(scene.response.created);
    scene_done(&scene);
}

TEST(items_of_a_list_know_their_kind)
{
    struct scene scene;

    scene_init(&scene);
    run(&scene, about(KUBE_LIST, ""));
    const struct val *items = val_get(scene.response.object, S("items"));
    assert_str(VAL_STR(val_item(items, 0), "kind"), S("ConfigMap"));
    assert_str(VAL_STR(val_item(items, 0), "apiVersion"), S("v1"));
    assert_str(VAL_STR(val_item(items, 1), "kind"), S("Other"));
    scene_done(&scene);
}

TEST(refusals_are_the_servers_sentence_whatever_form_they_have)
{
    static const struct {
        const char *name;
        int status;
        enum err_code code;
        const char *message;
    } cases[] = {
            {"forbidden", 403, ERR_FORBIDDEN, "secrets is forbidden: User \"x\" cannot list"},
            {"busy", 429, ERR_TOO_MANY, "slow down"},
            {"proxy", 502, ERR_UNAVAILABLE, "the server answered 502"},
            {"plain", 401, ERR_UNAUTHORIZED, "the server answered 401: Unauthorized"},
            {"nothing", 404, ERR_NOT_FOUND, "the server answered 404: 404 page not found"},
    };
    struct scene scene;

    scene_init(&scene);
    for (size_t i = 0; i < COUNT(cases); i++) {
        run(&scene, about(KUBE_GET, cases[i].name));
        assert_false(scene.response.ok);
        assert_int_equal(scene.response.status, cases[i].status);
        assert_int_equal(scene.response.err.code, cases[i].code);
        assert_string_equal(scene.response.err.message, cases[i].message);
    }
    run(&scene, about(KUBE_GET, "busy"));
    assert_int_equal(scene.response.retry_after_ms, 4000);
    scene_done(&scene);
}

TEST(an_answer_that_is_no_json_is_an_error_and_never_an_object)
{
    static const char *const names[] = {"cut", "deep"};
    struct scene scene;

    scene_init(&scene);
    for (size_t i = 0; i < COUNT(names); i++) {
        run(&scene, about(KUBE_GET, names[i]));
        assert_false(scene.response.ok);
        assert_null(scene.response.object);
        assert_int_equal(scene.response.err.code, ERR_UNAVAILABLE);
        assert_non_null(strstr(scene.response.err.message, "the liar: the answer to GET /api"));
    }
    scene_done(&scene);
}

TEST(a_request_that_cannot_be_sent_is_answered_in_a_later_turn)
{
    struct scene scene;

    scene_init(&scene);
    run(&scene, about(KUBE_GET, "../secrets"));
    assert_int_equal(scene.response.status, 0);
    assert_int_equal(scene.response.err.code, ERR_INVALID);
    assert_string_equal(scene.seen, "");
    struct kube_request request = about(KUBE_GET, "..");
    kube_cancel(kube_start(scene.kube, &request, on_done, &scene));
    scene_done(&scene);
}

/* ---- watches ---- */

static void on_event(void *owner, const struct kube_event *event)
{
    static const char *const names[] = {"ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR"};
    struct scene *scene = owner;

    scene->events++;
    scene->done = true;
    buf_addf(&scene->told, "%s %.*s\n", names[event->type], STR(object_name(event->object)));
    if (scene->events == scene->cancel_at)
        kube_cancel(scene->call);
    if (scene->events == scene->free_at) {
        kube_free(scene->kube);
        scene->kube = NULL;
    }
}

static void watch(struct scene *scene, const char *selector)
{
    struct kube_request request = about(KUBE_WATCH, "");

    request.label_selector = str_from(selector);
    scene->done = false;
    scene->call = kube_watch(scene->kube, &request, on_event, on_done, scene);
}

static void wait_events(struct scene *scene, int events)
{
    while (scene->events < events) {
        scene->done = false;
        assert_true(loop_run_until(scene->loop, &scene->done, 5000));
    }
}

static void pass_ms(struct scene *scene, int ms)
{
    bool never = false;

    loop_run_until(scene->loop, &never, ms);
}

TEST(events_arrive_one_by_one_however_they_are_cut)
{
    struct scene scene;

    scene_init(&scene);
    watch(&scene, "");
    wait_events(&scene, 2);
    assert_true(http_stream_write(scene.stream, S("me\":\"c\"}}}\n\n{\"type\":")));
    wait_events(&scene, 3);
    assert_true(http_stream_write(scene.stream,
                                  S("\"ERROR\",\"object\":{\"kind\":\"Status\",\"code\":410}}\n")));
    wait_events(&scene, 4);
    assert_str(buf_str(&scene.told), S("ADDED a\nMODIFIED b\nBOOKMARK c\nERROR \n"));
    scene.done = false;
    http_stream_end(TAKE(scene.stream));
    assert_true(loop_run_until(scene.loop, &scene.done, 5000));
    assert_true(scene.response.ok);
    scene_done(&scene);
}

TEST(an_event_that_makes_no_sense_ends_the_watch_with_a_sentence)
{
    static const char *const nonsense[] = {
            "me\":\"c\"}}}\nhello\n",
            "me\":\"c\"}}}\n{\"type\":\"SOMETHING\",\"object\":{}}\n",
            "me\":\"c\"}}}\n{\"type\":\"ADDED\"}\n",
            "me\":\"c\"}}}\n[]\n",
    };
    struct scene scene;

    for (size_t i = 0; i < COUNT(nonsense); i++) {
        scene_init(&scene);
        watch(&scene, "");
        wait_events(&scene, 2);
        assert_true(http_stream_write(scene.stream, str_from(nonsense[i])));
        while (scene.dones == 0) {
            scene.done = false;
            assert_true(loop_run_until(scene.loop, &scene.done, 5000));
        }
        assert_false(scene.response.ok);
        assert_non_null(strstr(scene.response.err.message, "the liar: GET /api/v1/"));
        pass_ms(&scene, 10);
        assert_int_equal(scene.dones, 1);
        scene_done(&scene);
    }
}

TEST(a_watch_that_is_refused_ends_with_the_servers_sentence)
{
    struct scene scene;

    scene_init(&scene);
    watch(&scene, "refused");
    assert_true(loop_run_until(scene.loop, &scene.done, 5000));
    assert_int_equal(scene.events, 0);
    assert_int_equal(scene.response.status, 403);
    assert_string_equal(scene.response.err.message, "secrets is forbidden: User \"x\" cannot list");
    scene_done(&scene);
}

TEST(a_watch_may_be_cancelled_or_its_endpoint_freed_by_an_event)
{
    struct scene scene;

    for (int frees = 0; frees < 2; frees++) {
        scene_init(&scene);
        scene.cancel_at = frees ? 0 : 1;
        scene.free_at = frees ? 1 : 0;
        watch(&scene, "");
        wait_events(&scene, 1);
        pass_ms(&scene, 20);
        assert_int_equal(scene.events, 1); /* the second was in the same piece */
        assert_int_equal(scene.dones, 0);
        assert_true(scene.stream_closed);
        scene_done(&scene);
    }
}

TEST(an_endpoint_may_be_freed_by_an_answer_while_others_run)
{
    struct scene scene;

    scene_init(&scene);
    watch(&scene, "");
    wait_events(&scene, 2);
    scene.free_in_done = true;
    for (int i = 0; i < 5; i++) {
        struct kube_request request = about(KUBE_GET, "good");

        scene.call = kube_start(scene.kube, &request, on_done, &scene);
    }
    struct kube_request refused = about(KUBE_GET, "..");
    kube_start(scene.kube, &refused, on_done, &scene);
    scene.done = false;
    assert_true(loop_run_until(scene.loop, &scene.done, 5000));
    pass_ms(&scene, 20);
    assert_int_equal(scene.dones, 1);
    scene_done(&scene);
}

TEST(calls_may_be_cancelled_at_any_moment)
{
    struct scene scene;

    scene_init(&scene);
    for (int ms = 0; ms < 12; ms++) {
        struct kube_request request = about(KUBE_GET, ms % 2 ? "good" : "forbidden");

        scene.dones = 0;
        scene.call = kube_start(scene.kube, &request, on_done, &scene);
        pass_ms(&scene, ms / 2);
        int dones = scene.dones;
        if (dones == 0)
            kube_cancel(scene.call);
        pass_ms(&scene, 3);
        assert_int_equal(scene.dones, dones);
    }
    scene_done(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(requests_arrive_as_kubernetes_wants_them),
            cmocka_unit_test(items_of_a_list_know_their_kind),
            cmocka_unit_test(refusals_are_the_servers_sentence_whatever_form_they_have),
            cmocka_unit_test(an_answer_that_is_no_json_is_an_error_and_never_an_object),
            cmocka_unit_test(a_request_that_cannot_be_sent_is_answered_in_a_later_turn),
            cmocka_unit_test(events_arrive_one_by_one_however_they_are_cut),
            cmocka_unit_test(an_event_that_makes_no_sense_ends_the_watch_with_a_sentence),
            cmocka_unit_test(a_watch_that_is_refused_ends_with_the_servers_sentence),
            cmocka_unit_test(a_watch_may_be_cancelled_or_its_endpoint_freed_by_an_event),
            cmocka_unit_test(an_endpoint_may_be_freed_by_an_answer_while_others_run),
            cmocka_unit_test(calls_may_be_cancelled_at_any_moment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
