/* SPDX-License-Identifier: Apache-2.0 */
#include "io/http_client.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/ring.h"
#include "io/http_curl.h"
#include "io/http_endpoint.h"

#include <assert.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>

/* Streams that we put on one HTTP/2 connection; API servers allow about 100. */
#define STREAMS_PER_CONNECTION 80
/* Connections for requests; more do not make an API server faster. */
#define REQUEST_CONNECTIONS 2
/* The same for a server that only speaks HTTP/1.1, one request a connection. */
#define REQUEST_CONNECTIONS_H1 8
#define STREAM_CONNECTIONS_H1 1000
#define TRIES 3
/* Owners are called for so long in one turn; then others have theirs. */
#define SLICE_US 10000
/* Connections that may be begun in one turn of the loop. */
#define CONNECTS_PER_TURN 10
#define RETRY_MS 50
/* Handles kept for reuse; each is some 6 KiB. */
#define SPARE_HANDLES 32

enum call_state {
    CALL_QUEUED,  /* in lane->queue */
    CALL_ACTIVE,  /* libcurl has it */
    CALL_WAITING, /* for the next try */
    CALL_ENDED,   /* has its result, waits for dispatch */
    CALL_OVER,    /* done ran or was renounced; to be freed */
};

/* Requests and streams have a libcurl multi handle each, and so connections of their own. */
struct lane {
    struct http_client *client;
    CURLM *multi;
    struct loop_timer *timer;
    struct loop_task *pump;
    struct ring calls; /* all */
    struct ring queue; /* to be sent, in order */
    struct ring ready; /* to be told something, by dispatch */
    size_t count;      /* of calls */
    size_t active;     /* in libcurl's hands */
    /* Handles never change the lane, and CURLOPT_BUFFERSIZE stays what it is: libcurl 7.88 writes
     * beyond the buffer of a handle whose size is not the default. */
    CURL *spare[SPARE_HANDLES];
    size_t spare_count;
    bool is_stream;
};

struct http_socket {
    struct lane *lane;
    curl_socket_t fd;
    struct loop_watch *watch;
};

struct http_client {
    struct loop *loop;
    struct http_endpoint endpoint;
    bool is_h1;   /* seen to answer with HTTP/1.1 */
    bool is_dead; /* freed by an owner in a callback */
    bool is_dispatching;
    size_t connections;
    struct loop_task *more; /* to be told in the next turn */
    struct lane requests;
    struct lane streams;
};

struct http_call {
    struct lane *lane;
    struct ring ring; /* in lane->calls */
    struct ring line; /* in lane->queue or lane->ready */
    enum call_state state;
    bool is_in_callback; /* its owner runs: freed afterwards */
    bool is_over_limit;
    int tries;
    CURL *easy;
    CURLcode result;
    struct arena *arena; /* the request */
    char *authorization; /* wiped */
    struct curl_slist headers[6];
    const char *method;
    const char *url;
    str body;
    size_t body_at; /* of a body that may be sent only once */
    size_t max_bytes;
    int64_t timeout_ms;
    bool idempotent;
    bool want_gzip;
    struct buf in;
    char detail[CURL_ERROR_SIZE];
    struct loop_timer *deadline;
    http_body_fn *on_body;
    http_done_fn *done;
    void *owner;
};

static void dispatch(struct http_client *client);

/* ---- libcurl's side: these run inside libcurl and never call an owner ---- */

static void on_fd(void *owner, uint32_t events)
{
    struct http_socket *socket = owner;
    struct lane *lane = socket->lane;
    int running = 0;
    int mask = ((events & EPOLLIN) != 0 ? CURL_CSELECT_IN : 0) |
               ((events & EPOLLOUT) != 0 ? CURL_CSELECT_OUT : 0) |
               ((events & (EPOLLERR | EPOLLHUP)) != 0 ? CURL_CSELECT_ERR : 0);

    curl_multi_socket_action(lane->multi, socket->fd, mask, &running);
    dispatch(lane->client);
}

static void on_curl_timer(void *owner)
{
    struct lane *lane = owner;
    int running = 0;

    curl_multi_socket_action(lane->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    dispatch(lane->client);
}

static int curl_wants_timer(UNUSED CURLM *multi, long ms, void *owner)
{
    struct lane *lane = owner;

    if (ms < 0)
        loop_timer_stop(lane->timer);
    else
        loop_timer_start(lane->timer, ms);
    return 0;
}

static int curl_wants_socket(UNUSED CURL *easy, curl_socket_t fd, int what, void *owner,
                             void *known)
{
    struct lane *lane = owner;
    struct http_socket *socket = known;

    if (what == CURL_POLL_REMOVE) {
        if (socket != NULL) {
            loop_watch_free(socket->watch);
            mem_free(socket);
            curl_multi_assign(lane->multi, fd, NULL);
        }
        return 0;
    }
    uint32_t events = ((what & CURL_POLL_IN) != 0 ? (uint32_t)EPOLLIN : 0) |
                      ((what & CURL_POLL_OUT) != 0 ? (uint32_t)EPOLLOUT : 0);
    if (socket != NULL) {
        loop_watch_set(socket->watch, events);
        return 0;
    }
    socket = new0(struct http_socket);
    socket->lane = lane;
    socket->fd = fd;
    socket->watch = loop_watch_new(lane->client->loop, "http client", fd, events, on_fd, socket);
    curl_multi_assign(lane->multi, fd, socket);
    return 0;
}

static void set_ready(struct http_call *call)
{
    ring_unlink(&call->line);
    ring_append(&call->lane->ready, &call->line);
}

static size_t curl_gives_body(char *at, size_t size, size_t count, void *owner)
{
    struct http_call *call = owner;
    size_t len = size * count;

    set_ready(call);
    buf_add(&call->in, str_of(at, len));
    if (!buf_is_over(&call->in))
        return len;
    call->is_over_limit = true;
    return 0; /* libcurl ends the transfer with CURLE_WRITE_ERROR */
}

static size_t curl_takes_body(char *at, size_t size, size_t count, void *owner)
{
    struct http_call *call = owner;
    size_t len = MIN(size * count, call->body.len - call->body_at);

    memcpy(at, call->body.at + call->body_at, len);
    call->body_at += len;
    return len;
}

/* A peer that vanished without a word is noticed within a minute, also by an idle watch. */
static int curl_has_socket(void *owner, curl_socket_t fd, UNUSED curlsocktype purpose)
{
    struct http_client *client = owner;
    const int on = 1;
    const int idle_s = 30;
    const int step_s = 10;
    const int steps = 3;
    const int unacked_ms = 60000;

    client->connections++;
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof(idle_s));
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &step_s, sizeof(step_s));
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &steps, sizeof(steps));
    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unacked_ms, sizeof(unacked_ms));
    return CURL_SOCKOPT_OK;
}

/* ---- one call on its way ---- */

static void set_request(struct http_call *call)
{
    CURL *easy = call->easy;

    curl_easy_setopt(easy, CURLOPT_PRIVATE, call);
    curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, curl_has_socket);
    curl_easy_setopt(easy, CURLOPT_SOCKOPTDATA, call->lane->client);
    curl_easy_setopt(easy, CURLOPT_URL, call->url);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, call->detail);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, call->headers);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, curl_gives_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, call);
    if (call->want_gzip)
        curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip");
    if (call->body.len > 0 || !str_eq(str_from(call->method), S("GET"))) {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body.len);
        if (call->idempotent) {
            curl_easy_setopt(easy, CURLOPT_POSTFIELDS, call->body.at);
        } else {
            /* libcurl sends again when a kept connection dies without a word of answer, unless it
             * cannot rewind the body. */
            call->body_at = 0;
            curl_easy_setopt(easy, CURLOPT_POST, 1L);
            curl_easy_setopt(easy, CURLOPT_READFUNCTION, curl_takes_body);
            curl_easy_setopt(easy, CURLOPT_READDATA, call);
        }
    }
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, call->method);
}

static CURL *take_handle(struct lane *lane)
{
    if (lane->spare_count > 0)
        return lane->spare[--lane->spare_count];
    CURL *easy = curl_easy_init();
    assert(easy != NULL);
    return easy;
}

static void give_handle(struct lane *lane, CURL *easy)
{
    if (lane->spare_count == SPARE_HANDLES) {
        curl_easy_cleanup(easy);
        return;
    }
    curl_easy_reset(easy);
    lane->spare[lane->spare_count++] = easy;
}

/* Takes the call from libcurl, in whatever state the transfer is. */
static void detach(struct http_call *call)
{
    if (call->easy == NULL)
        return;
    curl_multi_remove_handle(call->lane->multi, call->easy);
    give_handle(call->lane, TAKE(call->easy));
    call->lane->active--;
    loop_task_post(call->lane->pump);
}

static void call_end(struct http_call *call, CURLcode result)
{
    call->result = result;
    call->state = CALL_ENDED;
    loop_timer_stop(call->deadline);
    set_ready(call);
}

static void enqueue(struct http_call *call)
{
    call->state = CALL_QUEUED;
    ring_append(&call->lane->queue, &call->line);
    loop_task_post(call->lane->pump);
}

static void on_deadline(void *owner)
{
    struct http_call *call = owner;
    struct http_client *client = call->lane->client;

    if (call->state == CALL_WAITING) { /* the pause before the next try */
        enqueue(call);
        return;
    }
    detach(call);
    call_end(call, CURLE_OPERATION_TIMEDOUT);
    dispatch(client);
}

static void call_send(struct http_call *call)
{
    struct lane *lane = call->lane;

    call->tries++;
    call->detail[0] = '\0';
    call->is_over_limit = false;
    buf_reset(&call->in);
    call->easy = take_handle(lane);
    http_endpoint_set(&lane->client->endpoint, call->easy);
    set_request(call);
    call->state = CALL_ACTIVE;
    lane->active++;
    CURLMcode failed = curl_multi_add_handle(lane->multi, call->easy);
    assert(failed == CURLM_OK);
    if (call->timeout_ms > 0)
        loop_timer_start(call->deadline, call->timeout_ms);
}

/* The caps that keep libcurl from opening a connection a stream; below them it queues silently, so
 * the number in flight is ours to bound. */
static void set_caps(struct lane *lane)
{
    bool is_h1 = lane->client->is_h1;
    size_t cap;

    if (lane->is_stream)
        cap = is_h1 ? STREAM_CONNECTIONS_H1 : lane->count / STREAMS_PER_CONNECTION + 2;
    else
        cap = is_h1 ? REQUEST_CONNECTIONS_H1 : REQUEST_CONNECTIONS;
    curl_multi_setopt(lane->multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)cap);
}

static size_t in_flight_limit(const struct lane *lane)
{
    if (lane->is_stream)
        return SIZE_MAX;
    return lane->client->is_h1 ? REQUEST_CONNECTIONS_H1 : LIMIT_HTTP_CALLS_IN_FLIGHT;
}

/* A handshake costs a millisecond; when many clusters come back at once, they take turns. */
static bool may_connect(const struct loop *loop)
{
    static uint64_t turn;
    static int connects;

    if (loop_turns(loop) != turn)
        connects = 0;
    turn = loop_turns(loop);
    return connects++ < CONNECTS_PER_TURN;
}

/* In a turn of its own, so that many calls started together leave together. */
static void pump(void *owner)
{
    struct lane *lane = owner;

    set_caps(lane);
    while (!ring_is_empty(&lane->queue) && lane->active < in_flight_limit(lane)) {
        struct http_call *call = RING_FIRST(&lane->queue, struct http_call, line);
        bool connects = lane->active == 0 || (lane->is_stream && lane->client->is_h1);

        if (connects && !may_connect(lane->client->loop)) {
            loop_task_post(lane->pump);
            return;
        }
        ring_unlink(&call->line);
        call_send(call);
    }
}

static void call_free(struct http_call *call)
{
    struct lane *lane = call->lane;

    detach(call);
    ring_unlink(&call->ring);
    ring_unlink(&call->line);
    lane->count--;
    loop_timer_free(call->deadline);
    buf_done(&call->in);
    if (call->authorization != NULL)
        secret_wipe(call->authorization, strlen(call->authorization));
    mem_free(call->authorization);
    arena_free(call->arena);
    mem_free(call);
}

/* ---- telling the owners ---- */

static void collect_results(struct lane *lane)
{
    CURLMsg *message;
    int left = 0;

    while ((message = curl_multi_info_read(lane->multi, &left)) != NULL) {
        struct http_call *call = NULL;

        if (message->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&call);
        call_end(call, message->data.result);
    }
}

static int status_of(const struct http_call *call)
{
    long status = 0;

    if (call->easy != NULL)
        curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
    return (int)status;
}

static void learn_version(struct http_call *call)
{
    struct http_client *client = call->lane->client;
    long version = 0;

    if (call->easy == NULL || status_of(call) == 0)
        return;
    curl_easy_getinfo(call->easy, CURLINFO_HTTP_VERSION, &version);
    bool is_h1 = version == CURL_HTTP_VERSION_1_0 || version == CURL_HTTP_VERSION_1_1;
    if (is_h1 == client->is_h1)
        return;
    client->is_h1 = is_h1;
    set_caps(&client->requests);
    set_caps(&client->streams);
}

static bool try_again(struct http_call *call)
{
    bool is_broken = http_curl_may_retry(call->result) && call->idempotent && call->tries < TRIES &&
                     call->on_body == NULL;

    if (!is_broken)
        return false;
    detach(call);
    call->state = CALL_WAITING;
    loop_timer_start(call->deadline, RETRY_MS * call->tries);
    return true;
}

static void explain(struct http_call *call, struct http_client_response *response)
{
    const struct http_client *client = call->lane->client;

    if (call->is_over_limit)
        err_set(&response->err, ERR_LIMIT,
                "%s at %s: the answer is larger than the allowed %zu bytes", client->endpoint.name,
                client->endpoint.url, call->max_bytes);
    else
        http_curl_explain(call->easy, call->result, call->detail, client->endpoint.name,
                          client->endpoint.url, &response->err);
}

static void tell_done(struct http_call *call)
{
    struct http_client_response response = {.status = status_of(call)};
    curl_off_t retry_after_s = 0;
    char *content_type = NULL;

    response.answered = call->result == CURLE_OK;
    if (!response.answered)
        explain(call, &response);
    if (call->easy != NULL) {
        curl_easy_getinfo(call->easy, CURLINFO_RETRY_AFTER, &retry_after_s);
        curl_easy_getinfo(call->easy, CURLINFO_CONTENT_TYPE, &content_type);
    }
    response.retry_after_ms = (int64_t)MIN(retry_after_s, (curl_off_t)3600) * 1000;
    response.content_type = str_from(content_type);
    response.body = call->on_body == NULL ? buf_str(&call->in) : STR_EMPTY;
    call->state = CALL_OVER;
    call->is_in_callback = true;
    call->done(call->owner, &response);
    call->is_in_callback = false;
    call_free(call);
}

static void tell_body(struct http_call *call)
{
    call->is_in_callback = true;
    size_t used = call->on_body(call->owner, status_of(call), buf_str(&call->in));
    call->is_in_callback = false;
    if (call->state != CALL_OVER)
        buf_drop_front(&call->in, MIN(used, call->in.len));
}

static void dispatch_call(struct http_call *call)
{
    ring_unlink(&call->line);
    learn_version(call);
    if (call->on_body != NULL && call->in.len > 0)
        tell_body(call);
    if (call->state == CALL_OVER)
        call_free(call);
    else if (call->state == CALL_ENDED && !try_again(call))
        tell_done(call);
}

/* At least one call a turn, so that neither lane starves. */
static void lane_dispatch(struct lane *lane, int64_t until_us)
{
    bool is_first = true;

    while (!ring_is_empty(&lane->ready) && !lane->client->is_dead &&
           (is_first || clock_mono_us() < until_us)) {
        is_first = false;
        dispatch_call(RING_FIRST(&lane->ready, struct http_call, line));
    }
}

static void client_destroy(struct http_client *client);

/* The one place from which owners are called. The last that its callers do: the client may be gone
 * afterwards. What does not fit into the slice is told in the next turn. */
static void dispatch(struct http_client *client)
{
    int64_t until_us = clock_mono_us() + SLICE_US;

    assert(!client->is_dispatching); /* an owner must not turn the loop in a callback */
    client->is_dispatching = true;
    collect_results(&client->requests);
    collect_results(&client->streams);
    lane_dispatch(&client->requests, until_us);
    lane_dispatch(&client->streams, until_us);
    client->is_dispatching = false;
    if (client->is_dead)
        client_destroy(client);
    else if (!ring_is_empty(&client->requests.ready) || !ring_is_empty(&client->streams.ready))
        loop_task_post(client->more);
}

static void dispatch_more(void *owner)
{
    dispatch(owner);
}

/* ---- starting and cancelling ---- */

static void add_header(struct http_call *call, size_t *count, const char *text)
{
    assert(*count < COUNT(call->headers));
    if (*count > 0)
        call->headers[*count - 1].next = &call->headers[*count];
    call->headers[(*count)++] = (struct curl_slist){.data = (char *)text};
}

static const char *header_text(struct http_call *call, const char *name, str value)
{
    return arena_printf(call->arena, "%s: %.*s", name, STR(value)).at;
}

static void add_authorization(struct http_call *call, size_t *count)
{
    static const char start[] = "Authorization: Bearer ";
    str token = secret_reveal(call->lane->client->endpoint.bearer);
    size_t len = sizeof(start) - 1 + token.len;

    call->authorization = mem_new(len + 1, 1);
    memcpy(call->authorization, start, sizeof(start) - 1);
    memcpy(call->authorization + sizeof(start) - 1, token.at, token.len);
    add_header(call, count, call->authorization);
}

static void call_headers(struct http_call *call, const struct http_client_request *request)
{
    const struct http_client *client = call->lane->client;
    size_t count = 0;

    add_header(call, &count,
               header_text(call, "User-Agent", str_from(client->endpoint.user_agent)));
    add_header(call, &count, "Expect:"); /* no round trip before a large body */
    if (request->accept.len > 0)
        add_header(call, &count, header_text(call, "Accept", request->accept));
    if (request->content_type.len > 0)
        add_header(call, &count, header_text(call, "Content-Type", request->content_type));
    if (!secret_is_empty(client->endpoint.bearer))
        add_authorization(call, &count);
}

struct http_call *http_start(struct http_client *client, const struct http_client_request *request,
                             http_done_fn *done, void *owner)
{
    struct lane *lane = request->on_body != NULL ? &client->streams : &client->requests;
    struct http_call *call = new0(struct http_call);

    assert(!client->is_dead && request->max_bytes > 0);
    *call = (struct http_call){.lane = lane,
                               .max_bytes = request->max_bytes,
                               .timeout_ms = request->timeout_ms,
                               .idempotent = request->idempotent,
                               .want_gzip = request->want_gzip,
                               .on_body = request->on_body,
                               .done = done,
                               .owner = owner};
    ring_init(&call->line);
    ring_append(&lane->calls, &call->ring);
    lane->count++;
    call->arena = arena_new(request->body.len + request->path.len + 16 * LIMIT_KIB);
    call->method = arena_z(call->arena, request->method);
    call->url = arena_printf(call->arena, "%s%.*s", client->endpoint.url, STR(request->path)).at;
    call->body = arena_str(call->arena, request->body);
    call_headers(call, request);
    buf_init(&call->in, request->max_bytes);
    call->deadline = loop_timer_new(client->loop, "http deadline", on_deadline, call);
    enqueue(call);
    return call;
}

void http_cancel(struct http_call *call)
{
    if (call == NULL || call->state == CALL_OVER)
        return;
    if (!call->is_in_callback) {
        call_free(call);
        return;
    }
    detach(call);
    loop_timer_stop(call->deadline);
    call->state = CALL_OVER; /* dispatch frees it when its owner returns */
}

size_t http_client_calls(const struct http_client *client)
{
    return client->requests.count + client->streams.count;
}

size_t http_client_connections(const struct http_client *client)
{
    return client->connections;
}

const char *http_client_name(const struct http_client *client)
{
    return client->endpoint.name;
}

/* ---- the client ---- */

static void lane_init(struct lane *lane, struct http_client *client, bool is_stream)
{
    lane->client = client;
    lane->is_stream = is_stream;
    ring_init(&lane->calls);
    ring_init(&lane->queue);
    ring_init(&lane->ready);
    lane->multi = curl_multi_init();
    assert(lane->multi != NULL);
    lane->timer = loop_timer_new(client->loop, "http client", on_curl_timer, lane);
    lane->pump = loop_task_new(client->loop, "http client", pump, lane);
    curl_multi_setopt(lane->multi, CURLMOPT_SOCKETFUNCTION, curl_wants_socket);
    curl_multi_setopt(lane->multi, CURLMOPT_SOCKETDATA, lane);
    curl_multi_setopt(lane->multi, CURLMOPT_TIMERFUNCTION, curl_wants_timer);
    curl_multi_setopt(lane->multi, CURLMOPT_TIMERDATA, lane);
    curl_multi_setopt(lane->multi, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX);
}

static void lane_cancel_all(struct lane *lane)
{
    struct ring *at = lane->calls.next;

    while (at != &lane->calls) {
        struct http_call *call = RING_ELEMENT(at, struct http_call, ring);

        at = at->next;
        http_cancel(call); /* one whose owner runs stays until that returns */
    }
}

static void lane_done(struct lane *lane)
{
    if (lane->multi == NULL)
        return;
    lane_cancel_all(lane);
    assert(ring_is_empty(&lane->calls));
    for (size_t i = 0; i < lane->spare_count; i++)
        curl_easy_cleanup(lane->spare[i]);
    curl_multi_cleanup(lane->multi);
    loop_timer_free(lane->timer);
    loop_task_free(lane->pump);
}

static void client_destroy(struct http_client *client)
{
    lane_done(&client->requests);
    lane_done(&client->streams);
    http_endpoint_done(&client->endpoint);
    loop_task_free(client->more);
    mem_free(client);
}

void http_client_free(struct http_client *client)
{
    if (client == NULL || client->is_dead)
        return;
    if (!client->is_dispatching) {
        client_destroy(client);
        return;
    }
    lane_cancel_all(&client->requests);
    lane_cancel_all(&client->streams);
    client->is_dead = true;
}

void http_client_set_bearer(struct http_client *client, const struct secret *bearer)
{
    secret_free(client->endpoint.bearer);
    client->endpoint.bearer = bearer == NULL ? NULL : secret_dup(bearer);
}

bool http_client_new(struct loop *loop, const struct http_client_options *options,
                     struct http_client **ret_client, struct err *err)
{
    auto_http_client struct http_client *client = new0(struct http_client);

    client->loop = loop;
    client->more = loop_task_new(loop, "http client", dispatch_more, client);
    client->is_h1 = str_starts(options->url, S("http://"));
    if (!http_curl_init(err) || !http_endpoint_init(&client->endpoint, options, err))
        return false;
    lane_init(&client->requests, client, /*is_stream=*/false);
    lane_init(&client->streams, client, /*is_stream=*/true);
    *ret_client = TAKE(client);
    return true;
}
