/* SPDX-License-Identifier: Apache-2.0 */
#include "apiserver/http.h"

#include "apiserver/protobuf.h"
#include "apiserver/session.h"
#include "apiserver/url.h"
#include "base/mem.h"
#include "doc/json.h"
#include "doc/yaml.h"

#include <sys/random.h>

struct exchange {
    struct turn_reply reply;
    struct api api;
    struct http_request *request; /* NULL once it is answered */
    struct session *session;      /* of a watch */
    struct http_stream *stream;
    bool full; /* the stream waits to drain */
};

/* What a watch may have waiting before it pauses. */
#define STREAM_FULL (256 * LIMIT_KIB)
/* A watch without timeoutSeconds ends after 30 to 60 minutes, as kube-apiserver's. */
#define WATCH_MS_LEAST (30 * 60 * 1000)

static const struct {
    const char *prefix;
    bool whole; /* nothing may follow */
} served[] = {
        {"/api", false},  {"/apis", false},  {"/openapi", false}, {"/version", true},
        {"/livez", true}, {"/readyz", true}, {"/healthz", true},
};

bool apiserver_serves(str path)
{
    for (size_t i = 0; i < COUNT(served); i++) {
        str rest = path;

        if (str_skip(&rest, str_from(served[i].prefix)) &&
            (str_is_empty(rest) || (rest.at[0] == '/' && !served[i].whole)))
            return true;
    }
    return false;
}

static void exchange_free(struct exchange *exchange)
{
    session_free(exchange->session);
    http_stream_end(exchange->stream);
    arena_free(exchange->api.arena);
    mem_free(exchange);
}

/* ---- answers ---- */

static str content_type(const struct api *api)
{
    if (api->object == NULL && !str_starts(api->text, S("{")))
        return S("text/plain; charset=utf-8");
    if (api->aggregated && str_eq(val_get_str(api->object, S("kind")), S("APIGroupDiscoveryList")))
        return S("application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList");
    return S("application/json");
}

static size_t headers_of(struct api *api, struct http_pair **ret_headers)
{
    size_t count = val_count(api->warnings);
    struct http_pair *headers = arena_array(api->arena, count + 1, struct http_pair);

    for (size_t i = 0; i < count; i++) {
        auto_buf struct buf text = {0};

        buf_init(&text, LIMIT_MIB);
        buf_add(&text, S("299 - "));
        json_format_string(&text, val_str(val_item(api->warnings, i)), JSON_COMPACT);
        headers[i] = (struct http_pair){S("Warning"), arena_str(api->arena, buf_str(&text))};
    }
    *ret_headers = headers;
    return count;
}

static void send_reply(struct turn_reply *waiting)
{
    struct exchange *exchange = CONTAINER_OF(waiting, struct exchange, reply);
    struct api *api = &exchange->api;
    struct http_pair *headers;
    auto_buf struct buf body = {0};
    size_t header_count = headers_of(api, &headers);

    buf_init(&body, LIMIT_LIST_ARENA);
    if (api->object != NULL) {
        json_format(&body, api->object, JSON_COMPACT);
        buf_addc(&body, '\n');
    }
    struct http_reply reply = {
            .status = api->status,
            .content_type = content_type(api),
            .headers = headers,
            .header_count = header_count,
            .body = api->object != NULL ? buf_str(&body) : api->text,
    };
    http_reply(exchange->request, &reply);
    exchange_free(exchange);
}

static void defer(struct exchange *exchange)
{
    exchange->reply.api = &exchange->api;
    exchange->reply.send = send_reply;
    turn_defer(exchange->api.server->turn, &exchange->reply);
}

/* ---- watches ---- */

static const char *const event_words[] = {
        [KUBE_ADDED] = "ADDED",       [KUBE_MODIFIED] = "MODIFIED", [KUBE_DELETED] = "DELETED",
        [KUBE_BOOKMARK] = "BOOKMARK", [KUBE_EVENT_ERROR] = "ERROR",
};

static bool on_event(void *owner, enum kube_event_type type, UNUSED const struct val *object,
                     str json)
{
    struct exchange *exchange = owner;
    auto_buf struct buf line = {0};

    if (exchange->stream == NULL)
        return true;
    if (http_stream_waiting(exchange->stream) > STREAM_FULL) {
        exchange->full = true;
        return false;
    }
    buf_init(&line, LIMIT_LIST_ARENA);
    buf_addf(&line, "{\"type\":\"%s\",\"object\":", event_words[type]);
    buf_add(&line, json);
    buf_add(&line, S("}\n"));
    /* false: the client is gone; `closed` tells us in a later turn */
    (void)http_stream_write(exchange->stream, buf_str(&line));
    return true;
}

static void on_end(void *owner)
{
    exchange_free(owner);
}

static void on_closed(void *owner)
{
    exchange_free(owner);
}

static void on_drained(void *owner)
{
    struct exchange *exchange = owner;

    if (!exchange->full || exchange->session == NULL)
        return;
    exchange->full = false;
    session_resume(exchange->session);
}

static int64_t watch_ms(struct http_request *request)
{
    str text;
    int64_t seconds;
    uint32_t spread = 0;

    if (http_param(request, S("timeoutSeconds"), &text) && str_to_i64(text, &seconds) &&
        seconds > 0 && seconds < 24 * 3600)
        return seconds * 1000;
    (void)!getrandom(&spread, sizeof(spread), 0);
    return WATCH_MS_LEAST + spread % WATCH_MS_LEAST;
}

static void start_watch(struct exchange *exchange)
{
    static const struct session_events events = {on_event, on_end};
    struct http_reply head = {.status = 200, .content_type = S("application/json")};

    if (api_open(&exchange->api))
        exchange->session =
                session_new(&exchange->api, watch_ms(exchange->request), &events, exchange);
    if (exchange->session == NULL) {
        defer(exchange);
        return;
    }
    exchange->stream =
            http_reply_stream(TAKE(exchange->request), &head, on_closed, on_drained, exchange);
}

/* ---- bodies ---- */

static const struct {
    const char *type;
    enum kube_verb verb;
} patch_types[] = {
        {"application/json-patch+json", KUBE_PATCH_JSON},
        {"application/merge-patch+json", KUBE_PATCH_MERGE},
        {"application/strategic-merge-patch+json", KUBE_PATCH_STRATEGIC},
        {"application/apply-patch+yaml", KUBE_APPLY},
};

static str media_type(str header)
{
    size_t semicolon = str_find_char(header, ';');

    return str_trim(semicolon == SIZE_MAX ? header : str_first(header, semicolon));
}

static bool choose_patch(struct api *api, str type)
{
    for (size_t i = 0; i < COUNT(patch_types); i++)
        if (str_eq_nocase(type, str_from(patch_types[i].type))) {
            api->q.verb = patch_types[i].verb;
            return true;
        }
    return api_fail_causes(api, 415, "UnsupportedMediaType", val_new(api->arena, val_map()),
                           "415: Unsupported Media Type");
}

static bool parse_yaml(struct api *api, str body, struct val **ret_value, struct err *err)
{
    struct yaml_options options = {
            .dialect = YAML_11, .duplicates = YAML_DUPLICATES_LAST, .only_first = true};

    return yaml_parse(api->arena, body, &options, ret_value, err);
}

static bool fail_json(struct api *api, const struct err *err)
{
    const struct kind *kind =
            registry_find(api->server->registry, api->q.gvr.group, api->q.gvr.resource);

    if (kind == NULL || api->q.verb == KUBE_DELETE)
        return api_fail(api, 400, "BadRequest", "json parse error: %s", err->message);
    return api_fail(api, 400, "BadRequest",
                    "the object provided is unrecognized (must be of type %.*s): couldn't get "
                    "version/kind; json parse error: %s",
                    STR(kind->name), err->message);
}

static bool read_body(struct api *api, const struct http_request *request)
{
    str type = media_type(http_header(request, S("Content-Type")));
    struct val *value = NULL, *duplicates = val_new(api->arena, val_list());
    struct json_options options = {.ret_duplicates = duplicates};
    struct err err = {0};

    if (str_eq(request->method, S("PATCH")) && !choose_patch(api, type))
        return false;
    if (str_is_empty(str_trim(request->body)))
        return true; /* whether one is needed is asked when the kind is known */
    if (protobuf_is(request->body)) {
        if (!protobuf_decode(api->arena, request->body, &value, &err))
            return api_fail(api, 400, "BadRequest", "%s", err.message);
        api->q.body = value;
        return true;
    }
    if (str_eq_nocase(type, S("application/cbor")))
        return api_fail(api, 415, "UnsupportedMediaType",
                        "the body of the request was in an unknown format - accepted media types "
                        "include: application/json, application/yaml, "
                        "application/vnd.kubernetes.protobuf");
    bool may_be_yaml = api->q.verb == KUBE_APPLY || str_eq_nocase(type, S("application/yaml"));
    if (!json_parse(api->arena, request->body, &options, &value, &err) &&
        (!may_be_yaml || !parse_yaml(api, request->body, &value, &err)))
        return fail_json(api, &err);
    api->q.body = value;
    api->duplicates = duplicates;
    return true;
}

/* ---- the request ---- */

static bool fail_method(struct api *api)
{
    return api_fail_causes(api, 405, "MethodNotAllowed", val_new(api->arena, val_map()),
                           "the server does not allow this method on the requested resource");
}

static bool choose_verb(struct api *api, const struct http_request *request)
{
    bool named = !str_is_empty(api->q.name);
    str method = request->method;

    if (str_eq(method, S("GET")) || str_eq(method, S("HEAD")))
        api->q.verb = named ? KUBE_GET : KUBE_LIST;
    else if (str_eq(method, S("POST")))
        api->q.verb = KUBE_CREATE;
    else if (str_eq(method, S("PUT")))
        api->q.verb = KUBE_UPDATE;
    else if (str_eq(method, S("PATCH")))
        api->q.verb = KUBE_PATCH_MERGE;
    else if (str_eq(method, S("DELETE")))
        api->q.verb = named ? KUBE_DELETE : KUBE_DELETE_COLLECTION;
    else
        return fail_method(api);
    if (named == (api->q.verb == KUBE_CREATE && str_is_empty(api->q.subresource)) &&
        (api->q.verb == KUBE_CREATE || api->q.verb == KUBE_UPDATE || str_eq(method, S("PATCH"))))
        return fail_method(api);
    return true;
}

/* A watch of one name is a watch with a field selector. */
static void watch_name(struct api *api)
{
    if (api->q.verb != KUBE_WATCH || str_is_empty(api->q.name))
        return;
    api->q.field_selector = arena_printf(api->arena, "metadata.name=%.*s", STR(api->q.name));
    api->q.name = STR_EMPTY;
}

static void read_accept(struct api *api, str accept)
{
    api->aggregated = str_contains(accept, S("as=APIGroupDiscoveryList"));
    api->q.want_table = str_contains(accept, S("as=Table"));
}

static bool open_exchange(struct exchange *exchange, str path)
{
    struct api *api = &exchange->api;
    struct http_request *request = exchange->request;
    bool watch = false;

    bool is_object = url_path(path, &api->q);
    read_accept(api, http_header(request, S("Accept")));
    if (!is_object) {
        api->q.verb = KUBE_RAW_GET;
        api->q.path = arena_str(api->arena, path);
        if (!str_eq(request->method, S("GET")) && !str_eq(request->method, S("HEAD")))
            return fail_method(api);
        return api_may(api, "get");
    }
    if (!choose_verb(api, request) || !url_params(api, request, &watch))
        return false;
    if (watch && (api->q.verb == KUBE_GET || api->q.verb == KUBE_LIST))
        api->q.verb = KUBE_WATCH;
    watch_name(api);
    switch (api->q.verb) {
    case KUBE_GET:
    case KUBE_LIST:
    case KUBE_WATCH:
    case KUBE_RAW_GET:
        return true;
    case KUBE_CREATE:
    case KUBE_UPDATE:
    case KUBE_PATCH_JSON:
    case KUBE_PATCH_MERGE:
    case KUBE_PATCH_STRATEGIC:
    case KUBE_APPLY:
    case KUBE_DELETE:
    case KUBE_DELETE_COLLECTION:
        break;
    }
    return read_body(api, request);
}

static void copy_user(struct api *api, const struct apiserver_user *user)
{
    str *groups = arena_array(api->arena, user->group_count + 1, str);

    for (size_t i = 0; i < user->group_count; i++)
        groups[i] = arena_str(api->arena, user->groups[i]);
    api->user =
            (struct apiserver_user){arena_str(api->arena, user->name), groups, user->group_count};
}

void apiserver_http(struct apiserver *server, struct http_request *request, str path,
                    const struct apiserver_user *user)
{
    struct exchange *exchange = new0(struct exchange);

    exchange->request = request;
    exchange->api = (struct api){
            .server = server,
            .arena = arena_new(LIMIT_LIST_ARENA),
            .grace = -1,
            .want_text = true,
            .user_agent = http_header(request, S("User-Agent")),
    };
    copy_user(&exchange->api, user);
    if (!open_exchange(exchange, path)) {
        defer(exchange);
    } else if (exchange->api.q.verb == KUBE_WATCH) {
        start_watch(exchange);
    } else {
        api_serve(&exchange->api);
        defer(exchange);
    }
}
