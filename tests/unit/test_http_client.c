/* SPDX-License-Identifier: Apache-2.0 */
#include "rude_server.h"

#include "base/arena.h"
#include "base/buf.h"
#include "io/http_client.h"
#include "io/http_server.h"
#include "io/pki.h"

/* ---- the client's side ---- */

struct talk {
    struct server *server;
    struct loop *loop;
    struct http_client *client;
    struct http_call *call;
    struct buf body;
    struct http_client_response response;
    int dones;
    bool done;
    int pieces;
    int cancel_at_piece;
    bool free_client; /* in the callback */
    int wanted;
};

static void talk_init(struct talk *talk, struct server *server)
{
    char url[64];
    struct err err;

    *talk = (struct talk){.server = server, .loop = loop_new(), .wanted = 1};
    buf_init(&talk->body, LIMIT_MIB);
    snprintf(url, sizeof(url), "http://127.0.0.1:%d/", server->port);
    assert_ok(http_client_new(talk->loop,
                              &(struct http_client_options){.name = S("the test server"),
                                                            .url = str_from(url)},
                              &talk->client, &err),
              err);
}

static void talk_done(struct talk *talk)
{
    http_client_free(talk->client);
    buf_done(&talk->body);
    loop_free(talk->loop);
}

static void on_done(void *owner, struct http_client_response *response)
{
    struct talk *talk = owner;

    talk->response = *response;
    buf_add(&talk->body, response->body);
    talk->dones++;
    talk->done = talk->dones >= talk->wanted;
    if (talk->free_client) {
        http_client_free(talk->client);
        talk->client = NULL;
    } else {
        http_cancel(talk->call); /* its own, which is over: legal, does nothing */
    }
}

static size_t on_body(void *owner, int status, str bytes)
{
    struct talk *talk = owner;
    size_t end = str_rfind_char(bytes, '\n');

    assert_int_equal(status, 200);
    talk->pieces++;
    if (talk->pieces == talk->cancel_at_piece) {
        if (talk->free_client) {
            http_client_free(talk->client);
            talk->client = NULL;
        } else {
            http_cancel(talk->call);
        }
        talk->done = true;
    }
    if (end == SIZE_MAX)
        return 0;
    buf_add(&talk->body, str_first(bytes, end + 1));
    return end + 1;
}

static struct http_client_request get(const char *path)
{
    return (struct http_client_request){
            .method = S("GET"), .path = str_from(path), .max_bytes = LIMIT_MIB};
}

static void ask(struct talk *talk, struct http_client_request request)
{
    talk->call = http_start(talk->client, &request, on_done, talk);
    assert_int_equal(talk->dones, 0);
}

static void wait_for(struct talk *talk)
{
    assert_true(loop_run_until(talk->loop, &talk->done, 10000));
}

/* Turns the loop for a while in which nothing may happen. */
static void wait_ms(struct talk *talk, int ms)
{
    bool never = false;

    loop_run_until(talk->loop, &never, ms);
}

TEST(an_answer_comes_back_with_its_type)
{
    struct talk talk;

    talk_init(&talk, *state);
    ask(&talk, get("/hello"));
    wait_for(&talk);
    assert_true(talk.response.answered);
    assert_int_equal(talk.response.status, 200);
    assert_str(buf_str(&talk.body), S("hello"));
    assert_int_equal(http_client_calls(talk.client), 0);
    talk_done(&talk);
}

TEST(method_headers_and_body_are_sent_and_nothing_else)
{
    struct talk talk;
    auto_secret struct secret *token = secret_new(S("sesame"));

    talk_init(&talk, *state);
    http_client_set_bearer(talk.client, token);
    struct http_client_request request = get("/echo");
    request.method = S("PATCH");
    request.content_type = S("application/apply-patch+yaml");
    request.accept = S("application/json");
    request.body = S("{}");
    ask(&talk, request);
    wait_for(&talk);
    str seen = buf_str(&talk.body);
    assert_true(str_starts(seen, S("PATCH /echo HTTP/1.1\r\nHost: 127.0.0.1")));
    assert_true(str_contains(seen, S("\r\nAuthorization: Bearer sesame\r\n")));
    assert_true(str_contains(seen, S("\r\nContent-Type: application/apply-patch+yaml\r\n")));
    assert_true(str_contains(seen, S("\r\nAccept: application/json\r\n")));
    assert_true(str_contains(seen, S("\r\nContent-Length: 2\r\n")));
    assert_false(str_contains(seen, S("Expect")));
    talk_done(&talk);
}

TEST(a_busy_server_says_when_to_come_back)
{
    struct talk talk;

    talk_init(&talk, *state);
    ask(&talk, get("/busy"));
    wait_for(&talk);
    assert_true(talk.response.answered);
    assert_int_equal(talk.response.status, 429);
    assert_int_equal(talk.response.retry_after_ms, 7000);
    talk_done(&talk);
}

TEST(a_server_that_is_not_there_is_named_with_the_reason)
{
    struct talk talk;
    struct err err;

    talk_init(&talk, *state);
    http_client_free(talk.client);
    assert_ok(http_client_new(talk.loop,
                              &(struct http_client_options){.name = S("cluster prod"),
                                                            .url = S("http://127.0.0.1:1")},
                              &talk.client, &err),
              err);
    ask(&talk, get("/hello"));
    wait_for(&talk);
    assert_false(talk.response.answered);
    assert_int_equal(talk.response.err.code, ERR_UNAVAILABLE);
    assert_string_equal(talk.response.err.message,
                        "cluster prod at http://127.0.0.1:1: no connection: Connection refused");
    talk_done(&talk);
}

TEST(a_broken_connection_is_tried_again_only_when_that_is_harmless)
{
    struct talk talk;

    talk_init(&talk, *state);
    atomic_store(&talk.server->broken, 2);
    struct http_client_request request = get("/break-twice");
    request.idempotent = true;
    ask(&talk, request);
    wait_for(&talk);
    assert_str(buf_str(&talk.body), S("at last"));

    atomic_store(&talk.server->broken, 1);
    int before = atomic_load(&talk.server->requests);
    request.idempotent = false;
    request.method = S("POST");
    request.body = S("{}");
    talk.done = false;
    talk.dones = 0;
    ask(&talk, request);
    wait_for(&talk);
    assert_false(talk.response.answered);
    assert_int_equal(talk.response.err.code, ERR_UNAVAILABLE);
    assert_int_equal(atomic_load(&talk.server->requests), before + 1);
    talk_done(&talk);
}

TEST(a_server_that_always_breaks_off_is_given_up)
{
    struct talk talk;

    talk_init(&talk, *state);
    int before = atomic_load(&talk.server->requests);
    struct http_client_request request = get("/silent");
    request.idempotent = true;
    ask(&talk, request);
    wait_for(&talk);
    assert_false(talk.response.answered);
    assert_true(atomic_load(&talk.server->requests) - before >= 3);
    assert_true(atomic_load(&talk.server->requests) - before <= 6); /* libcurl tries once more */
    talk_done(&talk);
}

TEST(a_deadline_ends_a_request_that_gets_no_answer)
{
    struct talk talk;

    talk_init(&talk, *state);
    struct http_client_request request = get("/never");
    request.timeout_ms = 30;
    ask(&talk, request);
    wait_for(&talk);
    assert_int_equal(talk.response.err.code, ERR_TIMEOUT);
    assert_int_equal(http_client_calls(talk.client), 0);
    talk_done(&talk);
}

TEST(a_decompression_bomb_stops_at_the_limit)
{
    struct talk talk;

    talk_init(&talk, *state);
    struct http_client_request request = get("/bomb");
    request.want_gzip = true;
    ask(&talk, request);
    wait_for(&talk);
    assert_int_equal(talk.response.err.code, ERR_LIMIT);
    talk_done(&talk);
}

TEST(something_that_is_not_http_is_said_so)
{
    struct talk talk;

    talk_init(&talk, *state);
    ask(&talk, get("/garbage"));
    wait_for(&talk);
    assert_false(talk.response.answered);
    assert_int_equal(talk.response.err.code, ERR_UNAVAILABLE);
    talk_done(&talk);
}

TEST(a_stream_keeps_what_is_not_consumed)
{
    struct talk talk;

    talk_init(&talk, *state);
    struct http_client_request request = get("/stream");
    request.on_body = on_body;
    ask(&talk, request);
    wait_for(&talk);
    assert_true(talk.response.answered);
    /* The last "." has no newline and is dropped. */
    assert_str(buf_str(&talk.body), S("event\n.event\n.event\n.event\n.event\n"));
    talk_done(&talk);
}

TEST(a_stream_that_breaks_off_delivers_what_came_and_then_fails)
{
    struct talk talk;

    talk_init(&talk, *state);
    struct http_client_request request = get("/cut");
    request.on_body = on_body;
    ask(&talk, request);
    wait_for(&talk);
    assert_false(talk.response.answered);
    assert_int_equal(talk.response.status, 200);
    assert_str(buf_str(&talk.body), S("event\n.event\n.event\n"));
    talk_done(&talk);
}

TEST(a_stream_with_too_large_an_event_fails)
{
    struct talk talk;

    talk_init(&talk, *state);
    struct http_client_request request = get("/stream");
    request.on_body = on_body;
    request.max_bytes = 3;
    ask(&talk, request);
    wait_for(&talk);
    assert_int_equal(talk.response.err.code, ERR_LIMIT);
    talk_done(&talk);
}

TEST(cancelling_is_legal_before_during_and_after_sending)
{
    struct talk talk;

    talk_init(&talk, *state);
    for (int turns = 0; turns < 12; turns++) {
        static const char *const paths[] = {"/never", "/hello", "/stream", "/silent", "/bomb"};

        for (size_t i = 0; i < COUNT(paths); i++) {
            struct http_client_request request = get(paths[i]);

            request.idempotent = true;
            if (i == 2)
                request.on_body = on_body;
            talk.dones = 0;
            ask(&talk, request);
            wait_ms(&talk, turns);
            if (talk.dones == 0)
                http_cancel(talk.call);
            int dones = talk.dones;
            wait_ms(&talk, 2);
            assert_int_equal(talk.dones, dones);
            assert_int_equal(http_client_calls(talk.client), 0);
        }
    }
    http_cancel(NULL);
    talk_done(&talk);
}

TEST(a_stream_can_be_cancelled_by_its_own_callback)
{
    struct talk talk;

    talk_init(&talk, *state);
    talk.cancel_at_piece = 2;
    struct http_client_request request = get("/stream");
    request.on_body = on_body;
    ask(&talk, request);
    wait_for(&talk);
    wait_ms(&talk, 20);
    assert_int_equal(talk.pieces, 2);
    assert_int_equal(talk.dones, 0);
    assert_int_equal(http_client_calls(talk.client), 0);
    talk_done(&talk);
}

TEST(the_client_can_be_freed_by_a_callback_of_its_own)
{
    struct talk talk;

    for (int from_body = 0; from_body < 2; from_body++) {
        talk_init(&talk, *state);
        talk.free_client = true;
        talk.cancel_at_piece = from_body ? 1 : 1000;
        struct http_client_request other = get("/never");
        struct http_client_request request = get(from_body ? "/stream" : "/hello");
        if (from_body)
            request.on_body = on_body;
        http_start(talk.client, &other, on_done, &talk);
        ask(&talk, request);
        wait_for(&talk);
        wait_ms(&talk, 20);
        assert_int_equal(talk.dones, from_body ? 0 : 1);
        talk_done(&talk);
    }
}

TEST(freeing_the_client_cancels_everything)
{
    struct talk talk;

    for (int turns = 0; turns < 5; turns++) {
        talk_init(&talk, *state);
        for (int i = 0; i < 30; i++) {
            struct http_client_request request = get(i % 2 == 0 ? "/never" : "/stream");

            if (i % 3 == 0)
                request.on_body = on_body;
            http_start(talk.client, &request, on_done, &talk);
        }
        wait_ms(&talk, turns);
        http_client_free(talk.client);
        talk.client = NULL;
        int dones = talk.dones;
        wait_ms(&talk, 3);
        assert_int_equal(talk.dones, dones);
        talk_done(&talk);
    }
}

TEST(many_requests_share_few_connections_and_all_are_answered)
{
    struct talk talk;

    talk_init(&talk, *state);
    talk.wanted = 500;
    for (int i = 0; i < 500; i++) {
        struct http_client_request request = get("/hello");

        request.timeout_ms = 5000;
        http_start(talk.client, &request, on_done, &talk);
    }
    talk.call = NULL;
    wait_for(&talk);
    assert_int_equal(talk.body.len, 500 * 5);
    /* libcurl now and then trades an idle connection for a new one. */
    assert_true(http_client_connections(talk.client) <= 40);
    talk_done(&talk);
}

/* ---- TLS, against our own server ---- */

static void handle(UNUSED void *owner, struct http_request *request)
{
    static char large[300000];

    if (str_eq(request->path, S("/large"))) {
        memset(large, 'x', sizeof(large));
        http_reply_text(request, 200, S("text/plain"), str_of(large, sizeof(large)));
        return;
    }
    http_reply_text(request, 200, S("text/plain"), S("secure"));
}

static void ask_tls(struct http_client_options options, struct http_server *server,
                    struct loop *loop, const char *host, struct talk *talk)
{
    char url[64];
    struct err err;

    *talk = (struct talk){.loop = loop, .wanted = 1};
    buf_init(&talk->body, LIMIT_MIB);
    snprintf(url, sizeof(url), "https://%s:%d", host, http_server_port(server));
    options.name = S("the test server");
    options.url = str_from(url);
    assert_ok(http_client_new(loop, &options, &talk->client, &err), err);
    ask(talk, get("/"));
    wait_for(talk);
    http_client_free(talk->client);
}

TEST(only_the_given_authority_is_trusted_and_only_for_its_names)
{
    auto_loop struct loop *loop = loop_new();
    char dir[] = "/tmp/taut-test-XXXXXX";
    char other_dir[] = "/tmp/taut-test-XXXXXX";
    auto_pki struct pki pki = {0};
    auto_pki struct pki other = {0};
    str name = S("taut.example");
    struct talk talk;
    struct err err;

    assert_non_null(mkdtemp(dir));
    assert_non_null(mkdtemp(other_dir));
    assert_ok(pki_load(&pki, dir, &name, 1, &err), err);
    assert_ok(pki_load(&other, other_dir, NULL, 0, &err), err);
    auto_http_server struct http_server *server =
            http_server_new(loop,
                            &(struct http_server_options){.listen = S("127.0.0.1:0"),
                                                          .cert_pem = str_from(pki.cert_pem),
                                                          .key_pem = secret_reveal(pki.key_pem)},
                            handle, NULL, &err);
    assert_non_null(server);

    struct http_client_options trusted = {.ca_pem = str_from(pki.ca_pem)};
    ask_tls(trusted, server, loop, "127.0.0.1", &talk);
    assert_str(buf_str(&talk.body), S("secure"));
    buf_done(&talk.body);

    trusted.server_name = S("taut.example");
    ask_tls(trusted, server, loop, "127.0.0.1", &talk);
    assert_str(buf_str(&talk.body), S("secure"));
    buf_done(&talk.body);

    trusted.server_name = S("another.example");
    ask_tls(trusted, server, loop, "127.0.0.1", &talk);
    assert_false(talk.response.answered);
    assert_non_null(strstr(talk.response.err.message, "its certificate is not trusted"));
    buf_done(&talk.body);

    ask_tls((struct http_client_options){.ca_pem = str_from(other.ca_pem)}, server, loop,
            "127.0.0.1", &talk);
    assert_false(talk.response.answered);
    assert_non_null(strstr(talk.response.err.message, "its certificate is not trusted"));
    buf_done(&talk.body);

    ask_tls((struct http_client_options){.insecure = true}, server, loop, "127.0.0.1", &talk);
    assert_str(buf_str(&talk.body), S("secure"));
    buf_done(&talk.body);

    ask_tls((struct http_client_options){.ca_pem = S("this is no certificate")}, server, loop,
            "127.0.0.1", &talk);
    assert_false(talk.response.answered);
    buf_done(&talk.body);
}

static struct http_server *tls_server(struct loop *loop, struct pki *pki)
{
    char dir[] = "/tmp/taut-test-XXXXXX";
    struct err err;

    assert_non_null(mkdtemp(dir));
    assert_ok(pki_load(pki, dir, NULL, 0, &err), err);
    struct http_server *server =
            http_server_new(loop,
                            &(struct http_server_options){.listen = S("127.0.0.1:0"),
                                                          .cert_pem = str_from(pki->cert_pem),
                                                          .key_pem = secret_reveal(pki->key_pem)},
                            handle, NULL, &err);
    assert_non_null(server);
    return server;
}

/* A handle keeps its first buffer, and a stream's is small: libcurl would write beyond its end. */
TEST(the_handle_of_a_stream_that_never_began_is_not_used_for_a_request)
{
    auto_loop struct loop *loop = loop_new();
    auto_pki struct pki pki = {0};
    auto_http_server struct http_server *server = tls_server(loop, &pki);
    struct talk talk = {.loop = loop, .wanted = 1};
    struct http_client_request stream = get("/");
    struct http_call *calls[8];
    char url[64];
    bool never = false;
    struct err err;

    buf_init(&talk.body, LIMIT_MIB);
    snprintf(url, sizeof(url), "https://127.0.0.1:%d", http_server_port(server));
    struct http_client_options options = {
            .name = S("x"), .url = str_from(url), .ca_pem = str_from(pki.ca_pem)};
    assert_ok(http_client_new(loop, &options, &talk.client, &err), err);
    stream.on_body = on_body;
    for (size_t i = 0; i < COUNT(calls); i++)
        calls[i] = http_start(talk.client, &stream, on_done, &talk);
    uint64_t turns = loop_turns(loop);
    while (loop_turns(loop) < turns + 3)
        loop_run_until(loop, &never, 1);
    for (size_t i = 0; i < COUNT(calls); i++)
        http_cancel(calls[i]);
    assert_int_equal(talk.dones, 0);
    talk.wanted = (int)COUNT(calls);
    for (size_t i = 0; i < COUNT(calls); i++) {
        struct http_client_request large = get("/large");

        http_start(talk.client, &large, on_done, &talk);
    }
    wait_for(&talk);
    assert_true(talk.response.answered);
    http_client_free(talk.client);
    buf_done(&talk.body);
}

TEST(endpoints_that_cannot_be_used_are_refused)
{
    static const char *const urls[] = {
            "",         "example.com",           "ftp://example.com",
            "file:///", "https://u:p@localhost", "https://localhost?x=1",
            "https://", "https://localhost#x",   "http://a b",
    };
    auto_loop struct loop *loop = loop_new();
    auto_secret struct secret *bad = secret_new(S("a\r\nX-Evil: 1"));
    struct http_client *client = NULL;
    struct err err;

    for (size_t i = 0; i < COUNT(urls); i++) {
        struct http_client_options options = {.name = S("x"), .url = str_from(urls[i])};

        assert_fails(http_client_new(loop, &options, &client, &err), err, ERR_INVALID);
    }
    struct http_client_options options = {
            .name = S("x"), .url = S("https://localhost"), .bearer = bad};
    assert_fails(http_client_new(loop, &options, &client, &err), err, ERR_INVALID);
    options = (struct http_client_options){
            .name = S("x"), .url = S("https://localhost"), .cert_pem = S("pem")};
    assert_fails(http_client_new(loop, &options, &client, &err), err, ERR_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(an_answer_comes_back_with_its_type),
            cmocka_unit_test(method_headers_and_body_are_sent_and_nothing_else),
            cmocka_unit_test(a_busy_server_says_when_to_come_back),
            cmocka_unit_test(a_server_that_is_not_there_is_named_with_the_reason),
            cmocka_unit_test(a_broken_connection_is_tried_again_only_when_that_is_harmless),
            cmocka_unit_test(a_server_that_always_breaks_off_is_given_up),
            cmocka_unit_test(a_deadline_ends_a_request_that_gets_no_answer),
            cmocka_unit_test(a_decompression_bomb_stops_at_the_limit),
            cmocka_unit_test(something_that_is_not_http_is_said_so),
            cmocka_unit_test(a_stream_keeps_what_is_not_consumed),
            cmocka_unit_test(a_stream_that_breaks_off_delivers_what_came_and_then_fails),
            cmocka_unit_test(a_stream_with_too_large_an_event_fails),
            cmocka_unit_test(cancelling_is_legal_before_during_and_after_sending),
            cmocka_unit_test(a_stream_can_be_cancelled_by_its_own_callback),
            cmocka_unit_test(the_client_can_be_freed_by_a_callback_of_its_own),
            cmocka_unit_test(freeing_the_client_cancels_everything),
            cmocka_unit_test(many_requests_share_few_connections_and_all_are_answered),
            cmocka_unit_test(only_the_given_authority_is_trusted_and_only_for_its_names),
            cmocka_unit_test(the_handle_of_a_stream_that_never_began_is_not_used_for_a_request),
            cmocka_unit_test(endpoints_that_cannot_be_used_are_refused),
    };
    return cmocka_run_group_tests(tests, server_start, server_stop);
}
