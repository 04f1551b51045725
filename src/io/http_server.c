/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libmicrohttpd in external epoll mode: its epoll descriptor is one watch of our loop, and
 * MHD_run handles what is ready. A request that waits for its answer, and a stream without bytes to
 * send, are suspended; a watch of ours on the socket tells when such a client goes, which a
 * suspended connection would not notice.
 *
 * An exchange is one request and its answer. It has two holders, counted: libmicrohttpd until the
 * request is completed, and the handler until it has answered (or ended its stream).
 */
#include "io/http_server.h"
#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/secret.h"
#include "io/http_request.h"
#include "io/listen.h"
#include <assert.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum exchange_state {
    EXCHANGE_READING,  /* the body is arriving */
    EXCHANGE_HANDLING, /* the handler has it */
    EXCHANGE_ANSWERED, /* `response` is to be queued */
    EXCHANGE_SENDING,  /* queued */
};

struct exchange {
    struct http_request request; /* first: a request is its exchange */
    struct http_server *server;
    struct exchange *next;
    struct exchange **link;
    struct exchange *orphan; /* `link` points here once the server is gone */
    int references;
    enum exchange_state state;
    struct MHD_Connection *connection; /* NULL = gone */
    struct loop_watch *watch;
    struct MHD_Response *response;
    struct http_stream *stream;
    struct buf body;
    char *target; /* as sent */
    http_closed_fn *closed;
    void *closed_owner;
    int status;
    bool suspended;
    bool gone; /* the client left, or was cut off */
};

struct http_stream {
    struct exchange *exchange; /* held */
    struct buf waiting;
    size_t sent; /* bytes at the front of `waiting` that are gone already */
    http_closed_fn *drained;
    void *owner;
    int references; /* the owner, and the response */
    bool ended;
};

struct http_server {
    struct loop *loop;
    struct MHD_Daemon *daemon;
    struct loop_watch *watch;
    struct loop_timer *timer;
    struct loop_task *again;
    http_handler_fn *handler;
    void *owner;
    struct exchange *exchanges;
    char *cert;
    char *key;
    uint16_t port;
};

/* ---- exchanges ---- */

static struct exchange *exchange_of(struct http_request *request)
{
    return (struct exchange *)request;
}

static void exchange_unref(struct exchange *x)
{
    if (--x->references > 0)
        return;
    assert(x->connection == NULL && x->watch == NULL);
    *x->link = x->next;
    if (x->next != NULL)
        x->next->link = x->link;
    if (x->response != NULL)
        MHD_destroy_response(x->response);
    buf_done(&x->body);
    mem_free(x->target);
    arena_free(x->request.arena);
    mem_free(x);
}

static void exchange_tell_closed(struct exchange *x)
{
    http_closed_fn *closed = TAKE(x->closed);

    if (closed != NULL)
        closed(x->closed_owner);
}

static void exchange_wake(struct exchange *x)
{
    loop_watch_free(TAKE(x->watch));
    if (x->suspended && x->connection != NULL) {
        x->suspended = false;
        MHD_resume_connection(x->connection);
        loop_task_post(x->server->again); /* resuming alone does not wake the epoll descriptor */
    }
}

/* The peer closed its side while we were not reading from it. */
static void on_hangup(void *owner, UNUSED uint32_t events)
{
    struct exchange *x = owner;

    x->gone = true;
    exchange_wake(x);
}

static void exchange_sleep(struct exchange *x)
{
    const union MHD_ConnectionInfo *info =
            MHD_get_connection_info(x->connection, MHD_CONNECTION_INFO_CONNECTION_FD);

    MHD_suspend_connection(x->connection);
    x->suspended = true;
    if (info != NULL && x->watch == NULL)
        x->watch = loop_watch_new(x->server->loop, "http hang-up", info->connect_fd, EPOLLRDHUP,
                                  on_hangup, x);
}

static void *on_uri(void *cls, const char *uri, struct MHD_Connection *connection)
{
    struct http_server *server = cls;
    struct exchange *x = new0(struct exchange);

    x->server = server;
    x->references = 1;
    x->connection = connection;
    x->target = mem_dup_z(str_from(uri));
    x->request.arena = arena_new(LIMIT_HTTP_REQUEST_ARENA);
    buf_init(&x->body, LIMIT_REQUEST_BYTES);
    x->next = server->exchanges;
    x->link = &server->exchanges;
    if (x->next != NULL)
        x->next->link = &x->next;
    server->exchanges = x;
    return x;
}

static void on_completed(UNUSED void *cls, UNUSED struct MHD_Connection *connection, void **con_cls,
                         UNUSED enum MHD_RequestTerminationCode why)
{
    struct exchange *x = *con_cls;

    if (x == NULL)
        return;
    *con_cls = NULL;
    loop_watch_free(TAKE(x->watch));
    x->connection = NULL;
    x->suspended = false;
    x->gone = true;
    exchange_tell_closed(x);
    exchange_unref(x);
}

/* ---- reading ---- */

static enum MHD_Result queue(struct exchange *x)
{
    enum MHD_Result result = MHD_queue_response(x->connection, (unsigned)x->status, x->response);

    MHD_destroy_response(TAKE(x->response));
    x->state = EXCHANGE_SENDING;
    return result;
}

static void answer_error(struct exchange *x, enum err_code code, const char *text)
{
    str body = str_from(text);

    x->references++; /* http_reply gives one back */
    http_reply_text(&x->request, err_facts(code)->http_status, S("text/plain; charset=utf-8"),
                    arena_join(x->request.arena, body, S("\n")));
}

/* The answer that the headers alone deserve; false = none, read on. */
static bool refuse_by_headers(struct exchange *x)
{
    uint64_t length = 0;
    const char *text = MHD_lookup_connection_value(x->connection, MHD_HEADER_KIND,
                                                   MHD_HTTP_HEADER_CONTENT_LENGTH);

    if (text == NULL || !str_to_u64(str_from(text), &length) || length <= LIMIT_REQUEST_BYTES)
        return false;
    answer_error(x, ERR_LIMIT, "the request body is larger than 3 MiB");
    x->status = MHD_HTTP_CONTENT_TOO_LARGE;
    return true;
}

static enum MHD_Result hand_over(struct exchange *x, const char *method)
{
    struct http_server *server = x->server;
    struct err err = {0};

    x->request.body = buf_str(&x->body);
    if (!http_request_parse(&x->request, x->connection, method, x->target, &err)) {
        answer_error(x, err.code, err.message);
        return queue(x);
    }
    x->state = EXCHANGE_HANDLING;
    x->references++;
    server->handler(server->owner, &x->request);
    if (x->state == EXCHANGE_ANSWERED)
        return queue(x);
    exchange_sleep(x);
    return MHD_YES;
}

static enum MHD_Result on_access(UNUSED void *cls, UNUSED struct MHD_Connection *connection,
                                 UNUSED const char *url, const char *method,
                                 UNUSED const char *version, const char *upload,
                                 size_t *upload_size, void **con_cls)
{
    struct exchange *x = *con_cls;

    if (x == NULL)
        return MHD_NO;
    switch (x->state) {
    case EXCHANGE_READING:
        if (x->request.method.len == 0) { /* first call: headers only */
            x->request.method = arena_str(x->request.arena, str_from(method));
            return refuse_by_headers(x) ? queue(x) : MHD_YES;
        }
        if (*upload_size == 0)
            return hand_over(x, method);
        buf_add(&x->body, str_of(upload, *upload_size));
        *upload_size = 0;
        return buf_is_over(&x->body) ? MHD_NO : MHD_YES;
    case EXCHANGE_HANDLING: /* woken without an answer: the client has gone */
        return MHD_NO;
    case EXCHANGE_ANSWERED:
        return x->gone ? MHD_NO : queue(x);
    case EXCHANGE_SENDING:
        return MHD_NO;
    }
    return MHD_NO;
}

/* ---- answering ---- */

static void add_headers(struct MHD_Response *response, const struct http_reply *reply)
{
    char type[128];

    if (reply->content_type.len > 0 && reply->content_type.len < sizeof(type)) {
        snprintf(type, sizeof(type), "%.*s", STR(reply->content_type));
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    }
    for (size_t i = 0; i < reply->header_count; i++) {
        char *name = mem_dup_z(reply->headers[i].name);
        char *value = mem_dup_z(reply->headers[i].value);
        /* libmicrohttpd refuses CR and LF in both, so that no value can make a header. */
        if (MHD_add_response_header(response, name, value) != MHD_YES)
            log_warn("http", "a response header '%s' was refused", name);
        mem_free(name);
        mem_free(value);
    }
}

static void answer(struct exchange *x, int status, struct MHD_Response *response)
{
    assert(status >= 200 && status <= 599);
    assert(x->response == NULL && x->state != EXCHANGE_ANSWERED && x->state != EXCHANGE_SENDING);
    x->response = response;
    x->status = status;
    x->state = EXCHANGE_ANSWERED;
    exchange_wake(x);
}

void http_reply(struct http_request *request, const struct http_reply *reply)
{
    struct exchange *x = exchange_of(request);

    x->closed = NULL;
    if (x->connection != NULL) {
        struct MHD_Response *response = MHD_create_response_from_buffer(
                reply->body.len, (void *)(uintptr_t)reply->body.at, MHD_RESPMEM_MUST_COPY);
        if (response == NULL)
            abort(); /* memory is out */
        add_headers(response, reply);
        answer(x, reply->status, response);
    }
    exchange_unref(x);
}

void http_reply_text(struct http_request *request, int status, str content_type, str body)
{
    http_reply(request,
               &(struct http_reply){.status = status, .content_type = content_type, .body = body});
}

void http_on_closed(struct http_request *request, http_closed_fn *closed, void *owner)
{
    struct exchange *x = exchange_of(request);

    x->closed = closed;
    x->closed_owner = owner;
}

struct http_request *http_keep(struct http_request *request)
{
    exchange_of(request)->references++;
    return request;
}

bool http_is_over(const struct http_request *kept)
{
    return ((const struct exchange *)kept)->connection == NULL;
}

void http_cut(struct http_request *kept)
{
    struct exchange *x = exchange_of(kept);

    if (x->connection == NULL)
        return;
    x->gone = true;
    exchange_wake(x);
}

void http_drop(struct http_request *kept)
{
    exchange_unref(exchange_of(kept));
}

/* ---- streams ---- */

static void stream_unref(struct http_stream *stream)
{
    if (--stream->references > 0)
        return;
    buf_done(&stream->waiting);
    mem_free(stream);
}

static void stream_response_freed(void *cls)
{
    stream_unref(cls);
}

static ssize_t stream_read(void *cls, UNUSED uint64_t position, char *to, size_t max)
{
    struct http_stream *stream = cls;
    struct exchange *x = stream->exchange;
    size_t count = stream->waiting.len - stream->sent;

    /* An ended stream has no exchange of its own any more, but what waits is still sent. */
    if (count == 0 && stream->ended)
        return MHD_CONTENT_READER_END_OF_STREAM;
    if (!stream->ended && x->gone)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    if (count == 0) {
        if (stream->drained != NULL)
            stream->drained(stream->owner);
        if (stream->ended && stream->waiting.len == stream->sent)
            return MHD_CONTENT_READER_END_OF_STREAM;
        if (stream->waiting.len == stream->sent) {
            exchange_sleep(x);
            return 0;
        }
        count = stream->waiting.len - stream->sent;
    }
    count = MIN(count, max);
    memcpy(to, stream->waiting.at + stream->sent, count);
    stream->sent += count;
    if (stream->sent == stream->waiting.len) {
        buf_reset(&stream->waiting);
        stream->sent = 0;
    }
    return (ssize_t)count;
}

struct http_stream *http_reply_stream(struct http_request *request, const struct http_reply *reply,
                                      http_closed_fn *closed, http_closed_fn *drained, void *owner)
{
    struct exchange *x = exchange_of(request);
    struct http_stream *stream = new0(struct http_stream);

    stream->exchange = x;
    stream->references = 1;
    stream->drained = drained;
    stream->owner = owner;
    buf_init(&stream->waiting, LIMIT_HTTP_STREAM_BYTES);
    buf_add(&stream->waiting, reply->body);
    x->stream = stream;
    x->closed = closed;
    x->closed_owner = owner;
    if (x->connection != NULL) {
        struct MHD_Response *response = MHD_create_response_from_callback(
                MHD_SIZE_UNKNOWN, 16384, stream_read, stream, stream_response_freed);
        if (response == NULL)
            abort(); /* memory is out */
        stream->references++;
        add_headers(response, reply);
        answer(x, reply->status, response);
    }
    return stream;
}

bool http_stream_write(struct http_stream *stream, str bytes)
{
    struct exchange *x = stream->exchange;

    assert(!stream->ended);
    if (x->gone)
        return false;
    if (stream->sent > LIMIT_HTTP_STREAM_BYTES / 4) {
        buf_drop_front(&stream->waiting, stream->sent);
        stream->sent = 0;
    }
    buf_add(&stream->waiting, bytes);
    if (buf_is_over(&stream->waiting)) {
        log_info("http", "a stream is ended: its client does not read (%.*s)",
                 STR(x->request.peer));
        x->gone = true;
    }
    if (x->state == EXCHANGE_SENDING)
        exchange_wake(x);
    return !x->gone;
}

size_t http_stream_waiting(const struct http_stream *stream)
{
    return stream->waiting.len - stream->sent;
}

void http_stream_end(struct http_stream *stream)
{
    if (stream == NULL)
        return;
    struct exchange *x = stream->exchange;
    assert(!stream->ended);
    stream->ended = true;
    stream->drained = NULL;
    x->closed = NULL;
    x->stream = NULL;
    if (x->state == EXCHANGE_SENDING)
        exchange_wake(x);
    exchange_unref(x);
    stream_unref(stream);
}

/* ---- the server ---- */

static void run(struct http_server *server)
{
    MHD_UNSIGNED_LONG_LONG wait_ms = 0;

    MHD_run(server->daemon);
    if (MHD_get_timeout(server->daemon, &wait_ms) != MHD_YES)
        loop_timer_stop(server->timer);
    else if (wait_ms == 0)
        loop_task_post(server->again);
    else
        loop_timer_start(server->timer, (int64_t)MIN(wait_ms, 60000));
}

static void on_ready(void *owner, UNUSED uint32_t events)
{
    run(owner);
}

static void on_again(void *owner)
{
    run(owner);
}

static size_t keep_escapes(UNUSED void *cls, UNUSED struct MHD_Connection *connection, char *text)
{
    return strlen(text); /* decoding is ours: http_request.c */
}

static struct MHD_Daemon *start_daemon(struct http_server *server, int fd, bool tls)
{
    unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | (tls ? MHD_USE_TLS : 0);
    struct MHD_OptionItem tls_options[] = {
            {MHD_OPTION_HTTPS_MEM_KEY, 0, server->key},
            {MHD_OPTION_HTTPS_MEM_CERT, 0, server->cert},
            {MHD_OPTION_HTTPS_PRIORITIES, 0, (char *)"NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"},
            {MHD_OPTION_END, 0, NULL},
    };

    return MHD_start_daemon(
            flags, 0, NULL, NULL, on_access, server, MHD_OPTION_LISTEN_SOCKET, fd,
            MHD_OPTION_URI_LOG_CALLBACK, on_uri, server, MHD_OPTION_NOTIFY_COMPLETED, on_completed,
            server, MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL, MHD_OPTION_CONNECTION_LIMIT,
            (unsigned)LIMIT_HTTP_CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT,
            (unsigned)LIMIT_HTTP_IDLE_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
            (size_t)LIMIT_HTTP_HEADER_BYTES, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_ARRAY,
            tls ? tls_options : tls_options + 3, MHD_OPTION_END);
}

struct http_server *http_server_new(struct loop *loop, const struct http_server_options *options,
                                    http_handler_fn *handler, void *owner, struct err *err)
{
    auto_http_server struct http_server *server = new0(struct http_server);
    bool tls = options->cert_pem.len > 0;
    int fd = -1;

    server->loop = loop;
    server->handler = handler;
    server->owner = owner;
    if (!listen_open(options->listen, &fd, &server->port, err))
        return NULL;
    server->cert = mem_dup_z(options->cert_pem);
    server->key = mem_dup_z(options->key_pem);
    server->daemon = start_daemon(server, fd, tls);
    if (server->daemon == NULL) {
        close(fd);
        err_set(err, ERR_INVALID, "the HTTP server on %.*s does not start%s", STR(options->listen),
                tls ? "; are the certificate and its key a pair in PEM?" : "");
        return NULL;
    }
    server->timer = loop_timer_new(loop, "http", on_again, server);
    server->again = loop_task_new(loop, "http", on_again, server);
    server->watch = loop_watch_new(
            loop, "http", MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd,
            EPOLLIN, on_ready, server);
    loop_task_post(server->again);
    return TAKE(server);
}

void http_server_free(struct http_server *server)
{
    if (server == NULL)
        return;
    for (struct exchange *x = server->exchanges; x != NULL; x = x->next) {
        x->gone = true;
        exchange_wake(x); /* libmicrohttpd cannot stop with suspended connections */
    }
    if (server->daemon != NULL)
        MHD_stop_daemon(server->daemon);
    loop_watch_free(server->watch);
    loop_timer_free(server->timer);
    loop_task_free(server->again);
    /* Requests that are still held answer into the void; they keep their own memory. */
    while (server->exchanges != NULL) {
        struct exchange *x = server->exchanges;
        server->exchanges = x->next;
        x->server = NULL;
        x->next = NULL;
        x->link = &x->orphan;
    }
    if (server->key != NULL)
        secret_wipe(server->key, strlen(server->key));
    mem_free(server->key);
    mem_free(server->cert);
    mem_free(server);
}

uint16_t http_server_port(const struct http_server *server)
{
    return server->port;
}

size_t http_server_connections(const struct http_server *server)
{
    const union MHD_DaemonInfo *info =
            MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS);
    return info == NULL ? 0 : info->num_connections;
}
