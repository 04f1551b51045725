/* SPDX-License-Identifier: Apache-2.0 */
#include "web/upstream.h"
#include "base/mem.h"
#include "doc/json.h"
#include "web/upstream_call.h"

/* One request on its way. It ends when the upstream's answer has ended and our side has let go. */
struct pass {
    struct upstream *upstream;
    struct pass *next;
    struct pass **link;
    struct http_request *request; /* until it is answered */
    struct http_stream *stream;
    struct upstream_call *call;
};

struct upstream {
    struct upstream_client *client;
    struct pass *passes;
};

bool upstream_new(struct loop *loop, str name, const struct kubeconfig *config,
                  struct upstream **ret_upstream, struct err *err)
{
    auto_upstream struct upstream *upstream = new0(struct upstream);

    if (!upstream_client_new(loop, name, config, &upstream->client, err))
        return false;
    *ret_upstream = TAKE(upstream);
    return true;
}

static void pass_free(struct pass *pass)
{
    upstream_cancel(pass->call);
    http_stream_end(pass->stream);
    *pass->link = pass->next;
    if (pass->next != NULL)
        pass->next->link = pass->link;
    mem_free(pass);
}

static void fail(struct http_request *request, const struct err *err)
{
    struct arena *arena = request->arena;
    struct val *status = val_new(arena, val_map());
    int code = err_facts(err->code)->http_status;

    val_set_str(arena, status, S("kind"), S("Status"));
    val_set_str(arena, status, S("apiVersion"), S("v1"));
    val_set_str(arena, status, S("status"), S("Failure"));
    val_set_str(arena, status, S("message"), err_message(err));
    val_set_str(arena, status, S("reason"), str_from(err_facts(err->code)->reason));
    val_set(arena, status, S("code"), val_int(arena, code));
    http_reply_text(request, code, S("application/json"), json_text(arena, status, JSON_COMPACT));
}

void upstream_free(struct upstream *upstream)
{
    struct err err = {0};

    if (upstream == NULL)
        return;
    err_set(&err, ERR_UNAVAILABLE, "the server is stopping, or the cluster has changed");
    while (upstream->passes != NULL) {
        struct pass *pass = upstream->passes;
        if (pass->request != NULL)
            fail(TAKE(pass->request), &err);
        pass_free(pass);
    }
    upstream_client_free(upstream->client);
    mem_free(upstream);
}

static void on_closed(void *owner)
{
    pass_free(owner); /* nobody listens: the upstream's watch ends too */
}

static void on_part(void *owner, int status, str bytes)
{
    struct pass *pass = owner;

    if (pass->stream == NULL)
        pass->stream = http_reply_stream(
                TAKE(pass->request),
                &(struct http_reply){.status = status, .content_type = S("application/json")},
                on_closed, NULL, pass);
    (void)http_stream_write(pass->stream, bytes);
}

static void on_done(void *owner, const struct upstream_answer *answer)
{
    struct pass *pass = owner;

    pass->call = NULL;
    if (pass->request != NULL && answer->answered)
        http_reply(TAKE(pass->request), &(struct http_reply){.status = answer->status,
                                                             .content_type = answer->content_type,
                                                             .body = answer->body});
    else if (pass->request != NULL)
        fail(TAKE(pass->request), &answer->err);
    pass_free(pass);
}

void upstream_pass(struct upstream *upstream, struct http_request *request, str path)
{
    struct pass *pass = new0(struct pass);
    str watch = STR_EMPTY;
    str accept = http_header(request, S("Accept"));

    /* Frames of other encodings cannot be passed on as lines. */
    if (str_contains(accept, S("protobuf")) || str_contains(accept, S("cbor")))
        accept = S("application/json");
    (void)http_param(request, S("watch"), &watch);
    struct upstream_ask ask = {
            .method = request->method,
            .path = request->query.len == 0 ? path
                                            : arena_printf(request->arena, "%.*s?%.*s", STR(path),
                                                           STR(request->query)),
            .accept = accept,
            .content_type = http_header(request, S("Content-Type")),
            .body = request->body,
            .is_stream = str_eq(watch, S("true")) || str_eq(watch, S("1")),
    };
    pass->upstream = upstream;
    pass->request = request;
    pass->next = upstream->passes;
    pass->link = &upstream->passes;
    if (pass->next != NULL)
        pass->next->link = &pass->next;
    upstream->passes = pass;
    pass->call = upstream_start(upstream->client, &ask, on_part, on_done, pass);
}

/* ---- what is refused ---- */

static const str refused[] = {S_INIT("exec"),  S_INIT("attach"), S_INIT("portforward"),
                              S_INIT("proxy"), S_INIT("token"),  S_INIT("ephemeralcontainers")};

/* Splits what stands behind /api/VERSION or /apis/GROUP/VERSION. */
static size_t resource_parts(str path, str parts[8])
{
    str part;
    size_t skip = 0;
    size_t count = 0;

    if (str_starts(path, S("/api/")))
        skip = 3;
    else if (str_starts(path, S("/apis/")))
        skip = 4;
    else
        return 0;
    while (count < 8 && str_split(&path, '/', &part)) {
        if (skip > 0)
            skip--;
        else if (part.len > 0)
            parts[count++] = part;
    }
    return count;
}

bool upstream_path_allowed(str path, struct err *err)
{
    str parts[8];
    size_t count = resource_parts(path, parts);
    size_t at = 0;

    /* The old forms /api/v1/watch/… and /api/v1/proxy/… */
    if (at < count && str_eq(parts[at], S("watch")))
        at++;
    if (at < count && str_eq(parts[at], S("proxy")))
        return err_set(err, ERR_FORBIDDEN, "proxy is not passed through Taut");
    if (count - at >= 3 && str_eq(parts[at], S("namespaces")))
        at += 2;
    if (count - at < 3)
        return true;
    for (size_t i = 0; i < COUNT(refused); i++) {
        if (str_eq(parts[at + 2], refused[i]))
            return err_set(err, ERR_FORBIDDEN,
                           "%.*s is not passed through Taut; use the cluster's own kubeconfig",
                           STR(refused[i]));
    }
    return true;
}
