/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"
/* the HTTP server behind real sockets; clients run in threads of their own */
#include "base/buf.h"
#include "base/mem.h"
#include "base/secret.h"
#include "io/http_server.h"
#include "io/pki.h"
#include <curl/curl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

struct fixture {
    struct loop *loop;
    struct http_server *server;
    struct loop_timer *timer;
    struct http_request *held;
    struct http_stream *stream;
    char seen[512];
    bool closed;
    bool done;
    bool drained;
};

static void reply_held(void *owner)
{
    struct fixture *f = owner;
    http_reply_text(TAKE(f->held), 200, S("text/plain"), S("late"));
}

static void on_closed(void *owner)
{
    ((struct fixture *)owner)->closed = true;
}

static void on_drained(void *owner)
{
    ((struct fixture *)owner)->drained = true;
}

static void stream_more(void *owner)
{
    struct fixture *f = owner;
    assert_true(http_stream_write(f->stream, S("two\n")));
    http_stream_end(TAKE(f->stream));
}

static void handle(void *owner, struct http_request *request)
{
    struct fixture *f = owner;
    str q = STR_EMPTY;

    (void)http_param(request, S("q"), &q);
    snprintf(f->seen, sizeof(f->seen), "%.*s %.*s q=%.*s body=%zu", STR(request->method),
             STR(request->path), STR(q), request->body.len);
    if (str_eq(request->path, S("/late"))) {
        f->held = request;
        http_on_closed(request, on_closed, f);
        loop_timer_start(f->timer, 20);
    } else if (str_eq(request->path, S("/hang"))) {
        f->held = request;
        http_on_closed(request, on_closed, f);
    } else if (str_starts(request->path, S("/stream"))) {
        f->stream = http_reply_stream(request,
                                      &(struct http_reply){.status = 200,
                                                           .content_type = S("text/plain"),
                                                           .body = S("one\n")},
                                      on_closed, on_drained, f);
        loop_timer_free(f->timer);
        f->timer = loop_timer_new(f->loop, "test", stream_more, f);
        if (str_eq(request->path, S("/stream")))
            loop_timer_start(f->timer, 20);
    } else {
        struct http_pair extra[] = {{S("X-Test"), S("yes")}};
        http_reply(request, &(struct http_reply){.status = 201,
                                                 .content_type = S("text/plain"),
                                                 .headers = extra,
                                                 .header_count = 1,
                                                 .body = S("hello\n")});
    }
}

static void start(struct fixture *f, const struct pki *pki)
{
    struct err err = {0};
    struct http_server_options options = {.listen = S("127.0.0.1:0")};

    if (pki != NULL) {
        options.cert_pem = str_from(pki->cert_pem);
        options.key_pem = secret_reveal(pki->key_pem);
    }
    f->loop = loop_new();
    f->timer = loop_timer_new(f->loop, "test", reply_held, f);
    f->server = http_server_new(f->loop, &options, handle, f, &err);
    if (f->server == NULL)
        fail_msg("%s", err.message);
}

static void stop(struct fixture *f)
{
    http_server_free(f->server);
    loop_timer_free(f->timer);
    loop_free(f->loop);
}

/* The flag may be set by another thread, which does not wake the loop: look in short turns. */
static bool turn_until(struct fixture *f, const bool *flag)
{
    for (int turn = 0; turn < 1000; turn++)
        if (loop_run_until(f->loop, flag, 10))
            return true;
    return false;
}

/* One blocking client: sends bytes, reads until the server closes or `enough` bytes. */
struct client {
    pthread_t thread;
    struct fixture *f;
    uint16_t port;
    const char *send;
    size_t enough;
    char got[65536];
    size_t got_len;
};

static void *client_run(void *owner)
{
    struct client *c = owner;
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(c->port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    if (connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0 &&
        write(fd, c->send, strlen(c->send)) > 0) {
        while (c->got_len < c->enough) {
            ssize_t n = read(fd, c->got + c->got_len, sizeof(c->got) - 1 - c->got_len);
            if (n <= 0)
                break;
            c->got_len += (size_t)n;
        }
    }
    close(fd);
    __atomic_store_n(&c->f->done, true, __ATOMIC_RELEASE);
    return NULL;
}

static void talk(struct fixture *f, struct client *c, const char *send, size_t enough)
{
    *c = (struct client){
            .f = f, .port = http_server_port(f->server), .send = send, .enough = enough};
    f->done = false;
    assert_int_equal(pthread_create(&c->thread, NULL, client_run, c), 0);
    assert_true(turn_until(f, &f->done));
    pthread_join(c->thread, NULL);
}

#define CLOSE "Host: x\r\nConnection: close\r\n"

TEST(a_request_is_parsed_and_answered)
{
    struct fixture f = {0};
    static struct client c;

    start(&f, NULL);
    talk(&f, &c, "POST /a%20b/c?x=1&q=%2Fz+y HTTP/1.1\r\n" CLOSE "Content-Length: 4\r\n\r\nbody",
         sizeof(c.got));
    assert_string_equal(f.seen, "POST /a b/c q=/z y body=4");
    assert_non_null(strstr(c.got, "HTTP/1.1 201"));
    assert_non_null(strstr(c.got, "X-Test: yes"));
    assert_non_null(strstr(c.got, "hello\n"));
    stop(&f);
}

TEST(an_answer_may_come_in_a_later_turn)
{
    struct fixture f = {0};
    static struct client c;

    start(&f, NULL);
    talk(&f, &c, "GET /late HTTP/1.1\r\n" CLOSE "\r\n", sizeof(c.got));
    assert_non_null(strstr(c.got, "late"));
    assert_false(f.closed);
    stop(&f);
}

TEST(a_client_that_leaves_is_noticed_while_its_answer_is_pending)
{
    struct fixture f = {0};
    static struct client c;

    start(&f, NULL);
    talk(&f, &c, "GET /hang HTTP/1.1\r\n" CLOSE "\r\n", 0);
    assert_true(loop_run_until(f.loop, &f.closed, 5000));
    assert_non_null(f.held);
    reply_held(&f); /* into the void */
    stop(&f);
}

TEST(a_stream_is_chunked_and_ends)
{
    struct fixture f = {0};
    static struct client c;

    start(&f, NULL);
    talk(&f, &c, "GET /stream HTTP/1.1\r\n" CLOSE "\r\n", sizeof(c.got));
    assert_non_null(strstr(c.got, "Transfer-Encoding: chunked"));
    assert_non_null(strstr(c.got, "one\n"));
    assert_non_null(strstr(c.got, "two\n"));
    assert_non_null(strstr(c.got, "\r\n0\r\n"));
    assert_true(f.drained);
    stop(&f);
}

TEST(a_stream_hears_that_its_client_is_gone)
{
    struct fixture f = {0};
    static struct client c;

    start(&f, NULL);
    talk(&f, &c, "GET /stream-open HTTP/1.1\r\n" CLOSE "\r\n", 1);
    assert_true(loop_run_until(f.loop, &f.closed, 5000));
    assert_false(http_stream_write(f.stream, S("x")));
    http_stream_end(f.stream);
    stop(&f);
}

TEST(a_server_is_freed_with_requests_and_streams_open)
{
    struct fixture f = {0};
    static struct client c;

    start(&f, NULL);
    c = (struct client){.f = &f,
                        .port = http_server_port(f.server),
                        .send = "GET /stream-open HTTP/1.1\r\n" CLOSE "\r\n",
                        .enough = sizeof(c.got)};
    pthread_create(&c.thread, NULL, client_run, &c);
    assert_true(loop_run_until(f.loop, &f.drained, 5000));
    stop(&f);
    pthread_join(c.thread, NULL);
    assert_true(f.closed);
    http_stream_end(f.stream);
}

TEST(an_encoded_slash_or_bad_escape_is_refused)
{
    static const char *const bad[] = {
            "GET /a%2fb HTTP/1.1\r\n" CLOSE "\r\n",
            "GET /a%zz HTTP/1.1\r\n" CLOSE "\r\n",
            "GET /a%00 HTTP/1.1\r\n" CLOSE "\r\n",
            "GET /a?x=%1 HTTP/1.1\r\n" CLOSE "\r\n",
    };
    struct fixture f = {0};
    static struct client c;

    start(&f, NULL);
    for (size_t i = 0; i < COUNT(bad); i++) {
        talk(&f, &c, bad[i], sizeof(c.got));
        assert_non_null(strstr(c.got, "HTTP/1.1 4"));
        assert_string_equal(f.seen, "");
    }
    stop(&f);
}

TEST(a_body_above_the_limit_is_refused_before_it_is_read)
{
    struct fixture f = {0};
    static struct client c;

    start(&f, NULL);
    talk(&f, &c, "POST /a HTTP/1.1\r\n" CLOSE "Content-Length: 99999999\r\n\r\n", sizeof(c.got));
    assert_non_null(strstr(c.got, "HTTP/1.1 413"));
    assert_string_equal(f.seen, "");
    stop(&f);
}

TEST(a_busy_port_is_an_error_that_names_it)
{
    struct fixture f = {0};
    struct err err = {0};
    char address[64];

    start(&f, NULL);
    snprintf(address, sizeof(address), "127.0.0.1:%u", http_server_port(f.server));
    struct http_server_options options = {.listen = str_from(address)};
    assert_null(http_server_new(f.loop, &options, handle, &f, &err));
    assert_int_equal(err.code, ERR_EXISTS);
    assert_non_null(strstr(err.message, address));
    stop(&f);
}

/* ---- TLS with our own authority ---- */

struct tls_client {
    struct fixture *f;
    const char *url;
    const char *ca;
    CURLcode code;
    char got[4096];
    size_t len;
};

static size_t tls_take(char *at, size_t size, size_t count, void *owner)
{
    struct tls_client *c = owner;
    size_t n = MIN(size * count, sizeof(c->got) - 1 - c->len);
    memcpy(c->got + c->len, at, n);
    c->len += n;
    return size * count;
}

static void *tls_run(void *owner)
{
    struct tls_client *c = owner;
    CURL *curl = curl_easy_init();
    struct curl_blob ca = {(void *)(uintptr_t)c->ca, strlen(c->ca), CURL_BLOB_COPY};

    curl_easy_setopt(curl, CURLOPT_URL, c->url);
    curl_easy_setopt(curl, CURLOPT_CAINFO_BLOB, &ca);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, tls_take);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, c);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, 10L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    c->code = curl_easy_perform(curl);
    curl_easy_cleanup(curl);
    __atomic_store_n(&c->f->done, true, __ATOMIC_RELEASE);
    return NULL;
}

static void folder(char *to)
{
    memcpy(to, "/tmp/taut-pki-XXXXXX", 21);
    assert_non_null(mkdtemp(to));
}

static void remove_folder(const char *dir)
{
    static const char *const names[] = {"ca.crt", "ca.key", "server.crt", "server.key"};
    char path[256];

    for (size_t i = 0; i < COUNT(names); i++) {
        snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
        unlink(path);
    }
    rmdir(dir);
}

TEST(tls_is_served_with_a_certificate_that_its_authority_vouches_for)
{
    struct fixture f = {0};
    char dir[32];
    auto_pki struct pki pki = {0};
    struct err err = {0};
    char url[64];
    pthread_t thread;

    folder(dir);
    assert_ok(pki_load(&pki, dir, NULL, 0, &err), err);
    start(&f, &pki);
    snprintf(url, sizeof(url), "https://localhost:%u/late", http_server_port(f.server));
    struct tls_client c = {.f = &f, .url = url, .ca = pki.ca_pem};
    pthread_create(&thread, NULL, tls_run, &c);
    assert_true(turn_until(&f, &f.done));
    pthread_join(thread, NULL);
    assert_int_equal(c.code, CURLE_OK);
    assert_string_equal(c.got, "late");
    stop(&f);
    remove_folder(dir);
}

TEST(certificates_are_kept_and_a_new_name_renews_only_the_servers)
{
    char dir[32];
    auto_pki struct pki first = {0};
    auto_pki struct pki again = {0};
    auto_pki struct pki named = {0};
    struct err err = {0};
    str names[] = {S("taut.example"), S("192.0.2.7")};
    struct stat facts;
    char path[64];

    folder(dir);
    assert_ok(pki_load(&first, dir, NULL, 0, &err), err);
    assert_true(first.made_ca);
    assert_ok(pki_load(&again, dir, NULL, 0, &err), err);
    assert_false(again.made_ca);
    assert_string_equal(first.cert_pem, again.cert_pem);
    assert_ok(pki_load(&named, dir, names, COUNT(names), &err), err);
    assert_string_equal(first.ca_pem, named.ca_pem);
    assert_string_not_equal(first.cert_pem, named.cert_pem);
    snprintf(path, sizeof(path), "%s/ca.key", dir);
    assert_int_equal(stat(path, &facts), 0);
    assert_int_equal(facts.st_mode & 0777, 0600);
    remove_folder(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_request_is_parsed_and_answered),
            cmocka_unit_test(an_answer_may_come_in_a_later_turn),
            cmocka_unit_test(a_client_that_leaves_is_noticed_while_its_answer_is_pending),
            cmocka_unit_test(a_stream_is_chunked_and_ends),
            cmocka_unit_test(a_stream_hears_that_its_client_is_gone),
            cmocka_unit_test(a_server_is_freed_with_requests_and_streams_open),
            cmocka_unit_test(an_encoded_slash_or_bad_escape_is_refused),
            cmocka_unit_test(a_body_above_the_limit_is_refused_before_it_is_read),
            cmocka_unit_test(a_busy_port_is_an_error_that_names_it),
            cmocka_unit_test(tls_is_served_with_a_certificate_that_its_authority_vouches_for),
            cmocka_unit_test(certificates_are_kept_and_a_new_name_renews_only_the_servers),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
