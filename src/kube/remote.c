/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/remote.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/ring.h"
#include "doc/json.h"
#include "io/http_client.h"

#include <assert.h>
#include <stdlib.h>

#define TOKEN_AGAIN_MS 60000
/* The server ends a watch after this time plus a random part, so that watches do not end together;
 * one that is silent beyond it is dead. */
#define WATCH_S 300
#define WATCH_GRACE_S 30
/* Of an error that is plain text. */
#define ERROR_TEXT 300

struct remote {
    struct kube kube;
    char *name;
    struct http_client *client;
    struct kubeconfig *config; /* only its token file matters later; NULL = none */
    struct loop_timer *token_timer;
    struct ring calls;
    struct loop_task *end; /* set: freed once no call is left */
};

struct remote_call {
    struct kube_call call;
    struct ring ring;
    struct http_call *http;
    struct loop_task *refusal; /* set: never sent, and why */
    struct err err;
    char *what; /* "GET /api/v1/…", for messages */
    enum kube_verb verb;
    bool is_over;          /* done ran, or it was cancelled */
    bool in_callback;      /* freed when the owner returns */
    struct buf error_body; /* of a watch that was refused */
    kube_event_fn *event;
    kube_done_fn *done;
    void *owner;
};

static struct remote *remote_of(struct kube *kube)
{
    return CONTAINER_OF(kube, struct remote, kube);
}

/* It is over, or as good as. From here on the endpoint may be freed before the call is. */
static void call_leave(struct remote_call *call)
{
    struct remote *remote = remote_of(call->call.kube);

    call->is_over = true;
    ring_unlink(&call->ring);
    if (remote->end != NULL && ring_is_empty(&remote->calls))
        loop_task_post(remote->end);
}

static void call_free(struct remote_call *call)
{
    ring_unlink(&call->ring);
    http_cancel(call->http);
    loop_task_free(call->refusal);
    buf_done(&call->error_body);
    mem_free(call->what);
    mem_free(call);
}

/* ---- answers ---- */

static void tell_done(struct remote_call *call, struct kube_response *response)
{
    call->http = NULL; /* frees itself after its done */
    call_leave(call);
    call->done(call->owner, response);
    if (response->arena != NULL)
        arena_free(response->arena);
    call_free(call);
}

static void on_refusal(void *owner)
{
    struct remote_call *call = owner;
    struct kube_response response = {.err = call->err};

    tell_done(call, &response);
}

/* A short text/plain answer, as authentication and proxies give it, in one printable line. */
static void take_text(struct kube_response *response, str body, int status)
{
    str line = str_trim(body);
    size_t newline = str_find_char(line, '\n');

    line = str_trim(str_first(line, newline));
    if (line.len == 0 || line.len > ERROR_TEXT || !str_is_utf8(line) || line.at[0] == '<')
        return;
    for (size_t i = 0; i < line.len; i++) {
        if ((unsigned char)line.at[i] < 0x20)
            return;
    }
    err_set(&response->err, response->err.code, "the server answered %d: %.*s", status, STR(line));
}

/* Items of a list of built-in objects come without apiVersion and kind; here they have them. */
static void name_items(struct arena *arena, const struct val *list)
{
    str kind = val_get_str(list, S("kind"));
    str api_version = val_get_str(list, S("apiVersion"));
    struct val_iter it = val_iter(val_get(list, S("items")));

    if (!str_chop(&kind, S("List")) || kind.len == 0)
        return;
    while (val_next(&it)) {
        if (!val_is(it.value, VAL_MAP) || val_get(it.value, S("kind")) != NULL)
            continue;
        val_set(arena, it.value, S("apiVersion"), val_string_borrow(api_version));
        val_set(arena, it.value, S("kind"), val_string_borrow(arena_str(arena, kind)));
    }
}

static void take_body(struct remote_call *call, struct kube_response *response, str body,
                      int status)
{
    struct json_options options = {.last_duplicate_wins = true};
    struct val *object = NULL;
    struct err why;

    response->arena = arena_new(3 * body.len + 64 * LIMIT_KIB);
    bool is_json = body.len > 0 && json_parse(response->arena, body, &options, &object, &why);
    bool is_text = !is_json && call->verb == KUBE_RAW_GET && str_is_utf8(body);
    if (is_text) {
        object = val_new(response->arena, val_string(response->arena, body));
        is_json = true;
    }
    response->object = object;
    kube_response_read(response, status);
    if (response->ok && call->verb == KUBE_LIST)
        name_items(response->arena, object);
    if (!response->ok && (!is_json || is_text))
        take_text(response, body, status);
    if (response->ok && !is_json && body.len > 0) {
        response->ok = false;
        err_set(&response->err, ERR_UNAVAILABLE, "%s: the answer to %s is no JSON: %s",
                call->call.kube->name, call->what, why.message);
    }
}

static void on_http_done(void *owner, struct http_client_response *http)
{
    struct remote_call *call = owner;
    struct kube_response response = {.retry_after_ms = http->retry_after_ms};
    bool is_watch = call->verb == KUBE_WATCH;

    if (is_watch && call->error_body.len > 0) {
        take_body(call, &response, buf_str(&call->error_body), http->status);
    } else if (!http->answered) {
        response.err = http->err;
        response.status = http->status;
    } else if (is_watch) {
        kube_response_read(&response, http->status);
    } else {
        take_body(call, &response, http->body, http->status);
    }
    tell_done(call, &response);
}

/* ---- watches ---- */

static const struct event_name {
    str name;
    enum kube_event_type type;
} event_names[] = {
        {S_INIT("ADDED"), KUBE_ADDED},       {S_INIT("MODIFIED"), KUBE_MODIFIED},
        {S_INIT("DELETED"), KUBE_DELETED},   {S_INIT("BOOKMARK"), KUBE_BOOKMARK},
        {S_INIT("ERROR"), KUBE_EVENT_ERROR},
};

static bool read_event(struct arena *arena, str line, struct kube_event *ret_event, struct err *err)
{
    struct json_options options = {.last_duplicate_wins = true};
    struct val *root = NULL;

    if (!json_parse(arena, line, &options, &root, err))
        return err_wrap(err, "a watch event is no JSON");
    str type = val_get_str(root, S("type"));
    for (size_t i = 0; i < COUNT(event_names); i++) {
        if (str_eq(event_names[i].name, type)) {
            ret_event->type = event_names[i].type;
            ret_event->object = val_get(root, S("object"));
            return val_is(ret_event->object, VAL_MAP) ||
                   err_set(err, ERR_UNAVAILABLE, "a watch event has no object");
        }
    }
    return err_set(err, ERR_UNAVAILABLE, "a watch event is of the unknown type \"%.*s\"",
                   STR(str_first(type, 40)));
}

/* False when the call is over: its owner cancelled it, or the event made no sense. */
static bool tell_event(struct remote_call *call, str line)
{
    auto_arena struct arena *arena = arena_new(3 * line.len + 64 * LIMIT_KIB);
    struct kube_event event;
    struct kube_response response = {.ok = false};

    if (line.len == 0)
        return true;
    call->in_callback = true;
    if (read_event(arena, line, &event, &response.err)) {
        call->event(call->owner, &event);
        call->in_callback = false;
        return !call->is_over;
    }
    err_wrap(&response.err, "%s: %s", call->call.kube->name, call->what);
    http_cancel(TAKE(call->http));
    call_leave(call);
    call->done(call->owner, &response);
    return false;
}

static size_t on_http_body(void *owner, int status, str bytes)
{
    struct remote_call *call = owner;
    size_t used = 0;

    if (status < 200 || status > 299) {
        buf_add(&call->error_body, str_first(bytes, LIMIT_ERROR_BODY - call->error_body.len));
        return bytes.len;
    }
    for (;;) {
        str rest = str_from_index(bytes, used);
        size_t end = str_find_char(rest, '\n');

        if (end == SIZE_MAX)
            return used;
        used += end + 1;
        if (!tell_event(call, str_trim(str_first(rest, end)))) {
            call_free(call);
            return used;
        }
    }
}

/* ---- starting and cancelling ---- */

static struct http_client_request http_request_of(const struct kube_request *request)
{
    int64_t timeout = request->timeout_ms > 0 ? request->timeout_ms : LIMIT_KUBE_CALL_MS;
    struct http_client_request http = {
            .method = kube_request_method(request),
            .accept = S("application/json"),
            .timeout_ms = timeout,
            .max_bytes = LIMIT_RESPONSE_BYTES,
            .idempotent = kube_request_is_idempotent(request),
            .want_gzip = request->verb == KUBE_LIST || request->verb == KUBE_RAW_GET,
    };

    if (request->want_table)
        http.accept = S("application/json;as=Table;v=v1;g=meta.k8s.io,application/json");
    if (request->verb == KUBE_RAW_GET && request->accept.len > 0)
        http.accept = request->accept;
    if (request->verb == KUBE_WATCH) {
        http.on_body = on_http_body;
        http.max_bytes = LIMIT_WATCH_EVENT_BYTES;
    }
    return http;
}

static bool call_send(struct remote_call *call, const struct kube_request *request, struct err *err)
{
    struct remote *remote = remote_of(call->call.kube);
    auto_arena struct arena *arena = arena_new(LIMIT_RESPONSE_BYTES);
    struct http_client_request http = http_request_of(request);
    auto_buf struct buf text = {0};
    str path;

    buf_init(&text, LIMIT_RESPONSE_BYTES);
    if (!kube_request_path(request, arena, &path, err))
        return false;
    call->what = mem_dup_z(arena_printf(arena, "%.*s %.*s", STR(http.method),
                                        STR(str_first(path, str_find_char(path, '?')))));
    if (request->verb == KUBE_WATCH) {
        int seconds = WATCH_S + (int)arc4random_uniform(WATCH_S);

        path = arena_printf(arena, "%.*s&timeoutSeconds=%d", STR(path), seconds);
        http.timeout_ms = (int64_t)(seconds + WATCH_GRACE_S) * 1000;
    }
    const struct val *body = kube_request_body(request, arena);
    if (body != NULL) {
        json_format(&text, body, JSON_COMPACT);
        if (!buf_check(&text, "the request", err))
            return false;
        http.content_type = kube_request_content_type(request);
        http.body = buf_str(&text);
    }
    http.path = path;
    call->http = http_start(remote->client, &http, on_http_done, call);
    return true;
}

static struct kube_call *remote_start(struct kube *kube, const struct kube_request *request,
                                      kube_event_fn *event, kube_done_fn *done, void *owner)
{
    struct remote *remote = remote_of(kube);
    struct remote_call *call = new0(struct remote_call);

    *call = (struct remote_call){.call = {.kube = kube},
                                 .verb = request->verb,
                                 .event = event,
                                 .done = done,
                                 .owner = owner};
    buf_init(&call->error_body, LIMIT_ERROR_BODY);
    ring_append(&remote->calls, &call->ring);
    if (!call_send(call, request, &call->err)) {
        call->refusal = loop_task_new(kube->loop, "refused request", on_refusal, call);
        loop_task_post(call->refusal);
    }
    return &call->call;
}

static void remote_cancel(struct kube_call *at)
{
    struct remote_call *call = CONTAINER_OF(at, struct remote_call, call);

    if (call->is_over)
        return;
    call_leave(call);
    if (!call->in_callback) {
        call_free(call);
        return;
    }
    http_cancel(TAKE(call->http)); /* the call is freed when the owner returns */
}

/* ---- the endpoint ---- */

static void remote_free(struct kube *kube)
{
    struct remote *remote = remote_of(kube);

    while (!ring_is_empty(&remote->calls))
        remote_cancel(&RING_FIRST(&remote->calls, struct remote_call, ring)->call);
    loop_task_free(remote->end);
    http_client_free(remote->client);
    loop_timer_free(remote->token_timer);
    kubeconfig_free(remote->config);
    mem_free(remote->name);
    mem_free(remote);
}

static void remote_ended(void *owner)
{
    struct remote *remote = owner;

    if (ring_is_empty(&remote->calls))
        remote_free(&remote->kube);
}

static void remote_retire(struct kube *kube)
{
    struct remote *remote = remote_of(kube);

    if (ring_is_empty(&remote->calls)) {
        remote_free(kube);
        return;
    }
    remote->end = loop_task_new(kube->loop, "end of a remote cluster", remote_ended, remote);
}

static const struct kube_ops remote_ops = {remote_start, remote_cancel, remote_free, remote_retire};

static void read_token_again(void *owner)
{
    struct remote *remote = owner;
    struct secret *token = NULL;

    /* A file that cannot be read now leaves the old token, and the server has the last word. */
    if (kubeconfig_read_token(remote->config, &token, NULL))
        http_client_set_bearer(remote->client, token);
    secret_free(token);
    loop_timer_start(remote->token_timer, TOKEN_AGAIN_MS);
}

static void follow_token_file(struct remote *remote, const struct kubeconfig *config)
{
    if (config->token_file.len == 0)
        return;
    remote->config = new0(struct kubeconfig);
    remote->config->arena = arena_new(16 * LIMIT_KIB);
    remote->config->token_file = arena_str(remote->config->arena, config->token_file);
    remote->token_timer = loop_timer_new(remote->kube.loop, "token file", read_token_again, remote);
    loop_timer_start(remote->token_timer, TOKEN_AGAIN_MS);
}

bool kube_remote_new(struct loop *loop, str name, const struct kubeconfig *config,
                     struct kube **ret_kube, struct err *err)
{
    struct http_client_options options = {
            .name = name,
            .url = config->server,
            .ca_pem = config->ca_pem,
            .cert_pem = config->cert_pem,
            .key_pem = config->key_pem,
            .bearer = config->bearer,
            .username = config->username,
            .password = config->password,
            .insecure = config->insecure,
            .server_name = config->server_name,
            .proxy_url = config->proxy_url,
    };
    struct http_client *client = NULL;

    if (!http_client_new(loop, &options, &client, err))
        return false;
    struct remote *remote = new0(struct remote);
    remote->name = mem_dup_z(name);
    remote->kube = (struct kube){.ops = &remote_ops, .loop = loop, .name = remote->name};
    remote->client = client;
    ring_init(&remote->calls);
    follow_token_file(remote, config);
    *ret_kube = &remote->kube;
    return true;
}

size_t kube_remote_connections(const struct kube *kube)
{
    assert(kube->ops == &remote_ops);
    return http_client_connections(CONTAINER_OF(kube, struct remote, kube)->client);
}
