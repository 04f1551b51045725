/* SPDX-License-Identifier: Apache-2.0 */
/* Dispatch: find the route, know the user, ask the one decision point, read the body, look at the
 * DevOps Project, call the handler. */
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "doc/json.h"
#include "engine/engine.h"
#include "source/source.h"
#include "web/guard.h"
#include "web/host_key.h"
#include "web/list.h"
#include "web/repo_state.h"
#include "web/session.h"
#include "web/stream.h"
#include <assert.h>
#include <stdarg.h>

const struct gvr web_gvr_namespaces = {S_INIT(""), S_INIT("v1"), S_INIT("namespaces")};
const struct gvr web_gvr_secrets = {S_INIT(""), S_INIT("v1"), S_INIT("secrets")};
const struct gvr web_gvr_configmaps = {S_INIT(""), S_INIT("v1"), S_INIT("configmaps")};
const struct gvr web_gvr_projects = {S_INIT("argoproj.io"), S_INIT("v1alpha1"),
                                     S_INIT("appprojects")};
const struct gvr web_gvr_applications = {S_INIT("argoproj.io"), S_INIT("v1alpha1"),
                                         S_INIT("applications")};

/* On every answer of ours: nothing is guessed, framed, cached or loaded from elsewhere. */
static const struct http_pair safe_headers[] = {
        {S_INIT("X-Content-Type-Options"), S_INIT("nosniff")},
        {S_INIT("Cache-Control"), S_INIT("no-store")},
        {S_INIT("Referrer-Policy"), S_INIT("no-referrer")},
        {S_INIT("X-Frame-Options"), S_INIT("DENY")},
        {S_INIT("Content-Security-Policy"),
         S_INIT("default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; "
                "frame-ancestors 'none'")},
};

/* ---- the life of a call ---- */

static struct web_call *call_new(struct web *web, struct http_request *request)
{
    struct web_call *call = arena_new0(request->arena, struct web_call);

    call->web = web;
    call->request = request;
    call->arena = request->arena;
    call->next = web->calls;
    call->link = &web->calls;
    if (call->next != NULL)
        call->next->link = &call->next;
    web->calls = call;
    return call;
}

struct http_request *web_take_request(struct web_call *call)
{
    assert(call->kube == NULL && call->ask == NULL && call->wait == NULL && call->scan == NULL &&
           call->preview == NULL);
    loop_timer_free(TAKE(call->timer));
    secret_free(TAKE(call->secret));
    if (call->repo != NULL)
        source_repo_unref(TAKE(call->repo));
    if (call->other != NULL)
        kube_free(TAKE(call->other));
    *call->link = call->next;
    if (call->next != NULL)
        call->next->link = call->link;
    return call->request;
}

/* The end of a call that no client asked: see web_load_start. */
static void finish_load(struct web_call *call, int status, const struct val *answer)
{
    struct web_load load = call->load;
    struct arena *arena = call->arena;

    web_take_request(call);
    if (load.done != NULL) {
        *load.slot = NULL;
        load.done(load.owner, status, answer);
    }
    arena_free(arena);
}

static void finish(struct web_call *call, const struct http_reply *reply)
{
    bool wrote = reply->status < 300 && !str_eq(call->request->method, S("GET"));

    if (call->is_load) {
        finish_load(call, 500, NULL); /* no value: such a route is no topic */
        return;
    }
    if (reply->status >= 500)
        call->web->failures++;
    if (wrote && call->route != NULL && (call->route->flags & WEB_PREFIX) == 0) {
        stream_touch(call->web, NULL, call->namespace_, STR_EMPTY);
        stream_touch(call->web, "devops", STR_EMPTY, STR_EMPTY);
    }
    http_reply(web_take_request(call), reply);
}

void web_reply_bytes(struct web_call *call, int status, str content_type, str body)
{
    finish(call, &(struct http_reply){.status = status,
                                      .content_type = content_type,
                                      .headers = safe_headers,
                                      .header_count = COUNT(safe_headers),
                                      .body = body});
}

void web_reply_cookie(struct web_call *call, str cookie, const struct val *body)
{
    struct http_pair headers[COUNT(safe_headers) + 1];
    str text = json_text(call->arena, body, JSON_COMPACT);

    memcpy(headers, safe_headers, sizeof(safe_headers));
    headers[COUNT(safe_headers)] = (struct http_pair){S("Set-Cookie"), cookie};
    finish(call, &(struct http_reply){.status = 200,
                                      .content_type = S("application/json"),
                                      .headers = headers,
                                      .header_count = COUNT(headers),
                                      .body = text});
}

void web_reply_json(struct web_call *call, int status, str body)
{
    struct http_pair headers[COUNT(safe_headers) + 4];
    struct http_reply reply = {.status = status,
                               .content_type = S("application/json"),
                               .headers = headers,
                               .header_count = COUNT(safe_headers),
                               .body = body};

    memcpy(headers, safe_headers, sizeof(safe_headers));
    web_encode(call, &reply, headers);
    finish(call, &reply);
}

/* ?topic=NAME: the answer is where the client's copy of the topic begins. */
static void adopt_as_topic(struct web_call *call, int status, const struct val *value)
{
    struct stream *stream = call->web->stream;
    str topic = STR_EMPTY;

    if (status == 200 && stream != NULL && call->user.name.len > 0 &&
        http_param(call->request, S("topic"), &topic) &&
        stream_adopt(stream, topic, &call->user, call->request->path, value))
        call->position = stream_position(stream, call->arena);
}

void web_reply_val(struct web_call *call, int status, const struct val *value)
{
    if (call->is_load) {
        finish_load(call, status, value);
        return;
    }
    adopt_as_topic(call, status, value);
    str body = json_text(call->arena, value, JSON_COMPACT);
    web_reply_json(call, status, arena_join(call->arena, body, S("\n")));
}

static void reply_status(struct web_call *call, int code, str reason, str message)
{
    struct arena *arena = call->arena;
    struct val *status = val_new(arena, val_map());

    val_set_str(arena, status, S("kind"), S("Status"));
    val_set_str(arena, status, S("apiVersion"), S("v1"));
    val_ensure_map(arena, status, S("metadata"));
    val_set_str(arena, status, S("status"), S("Failure"));
    val_set_str(arena, status, S("message"), message);
    val_set_str(arena, status, S("reason"), reason);
    val_set(arena, status, S("code"), val_int(arena, code));
    web_reply_val(call, code, status);
}

void web_reply_err(struct web_call *call, const struct err *err)
{
    const struct err_facts *facts = err_facts(err->code);
    reply_status(call, facts->http_status, str_from(facts->reason), err_message(err));
}

void web_fail(struct web_call *call, enum err_code code, const char *format, ...)
{
    char text[LIMIT_ERR_MESSAGE];
    struct err err = {0};
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    err_set(&err, code, "%s", text);
    web_reply_err(call, &err);
}

void web_reply_kube(struct web_call *call, const struct kube_response *response, const char *doing)
{
    struct err err = response->err;

    err_wrap(&err, "%s", doing);
    if (response->status < 400 || response->reason.len == 0)
        web_reply_err(call, &err);
    else
        reply_status(call, response->status, arena_str(call->arena, response->reason),
                     err_message(&err));
}

/* ---- asking the home ---- */

static void on_kube(void *owner, struct kube_response *response)
{
    struct web_call *call = owner;

    call->kube = NULL;
    call->then(call, response);
}

void web_kube_at(struct web_call *call, struct kube *kube, const struct kube_request *request,
                 web_next_fn *then)
{
    struct kube_request copy = *request;

    assert(call->kube == NULL);
    if (copy.verb != KUBE_GET && copy.verb != KUBE_LIST && copy.field_manager.len == 0)
        copy.field_manager = S("taut");
    call->then = then;
    call->kube = kube_start(kube, &copy, on_kube, call);
}

void web_kube(struct web_call *call, const struct kube_request *request, web_next_fn *then)
{
    web_kube_at(call, call->web->options.home, request, then);
}

/* ---- routes ---- */

/* Splits both at '/' and compares segment by segment; `{x}` takes one that is not empty. */
static bool route_matches(const struct web_route *route, str path, str params[WEB_PARAMS_MAX])
{
    str pattern = str_from(route->pattern);
    str part;
    str wanted;
    size_t count = 0;

    while (str_split(&pattern, '/', &wanted)) {
        if (!str_split(&path, '/', &part))
            return false;
        if (str_starts(wanted, S("{"))) {
            if (part.len == 0)
                return false;
            assert(count < WEB_PARAMS_MAX);
            params[count++] = part;
        } else if (!str_eq(wanted, part)) {
            return false;
        }
    }
    return path.at == NULL || (route->flags & WEB_PREFIX);
}

static const struct web_route *find_route(struct web_call *call, bool *ret_other_method)
{
    str method = call->request->method;

    if (str_eq(method, S("HEAD")))
        method = S("GET");
    *ret_other_method = false;
    for (size_t i = 0; i < web_route_count; i++) {
        const struct web_route *route = &web_routes[i];
        if (!route_matches(route, call->request->path, call->params))
            continue;
        if (route->method == NULL || str_eq(method, str_from(route->method)))
            return route;
        *ret_other_method = true;
    }
    return NULL;
}

static bool check_user(struct web_call *call, struct err *err)
{
    struct auth *auth = call->web->options.auth;
    str token = http_header(call->request, S("Authorization"));
    str session = web_session_id(call->request);
    struct auth_user user = {0};

    if (str_skip(&token, S("Bearer ")) || str_skip(&token, S("bearer "))) {
        if (!auth_check_token(auth, str_trim(token), &user, err))
            return false;
        call->ticket = auth_ticket_of(str_trim(token), /*is_session=*/false);
    } else if (session.len > 0) {
        if (!auth_check_session(auth, session, &user, err) ||
            !web_session_allows(call->request, err))
            return false;
        call->ticket = auth_ticket_of(session, /*is_session=*/true);
    } else {
        return err_set(err, ERR_UNAUTHORIZED,
                       "this needs a log-in, or a bearer token as in the server's "
                       "admin.kubeconfig");
    }
    str *groups = arena_array(call->arena, user.group_count + 1, str);
    for (size_t i = 0; i < user.group_count; i++)
        groups[i] = arena_str(call->arena, user.groups[i]);
    call->user = (struct auth_user){arena_str(call->arena, user.name), groups, user.group_count};
    return true;
}

const struct web_route *web_route_of(const char *pattern)
{
    for (size_t i = 0; i < web_route_count; i++) {
        const char *method = web_routes[i].method;
        if (method != NULL && strcmp(method, "GET") == 0 &&
            strcmp(web_routes[i].pattern, pattern) == 0)
            return &web_routes[i];
    }
    return NULL;
}

static struct auth_question question_of(const struct web_route *route, str namespace_)
{
    return (struct auth_question){
            .verb = str_from(route->may.verb),
            .group = str_from(route->may.group),
            .resource = str_from(route->may.resource),
            .subresource = str_from(route->may.subresource),
            .namespace_ = namespace_,
    };
}

bool web_may(const struct web *web, const struct auth_user *user, const struct web_route *route,
             str namespace_, struct err *err)
{
    struct auth_question question = question_of(route, namespace_);

    if (route->flags & WEB_SIGNED_IN)
        return true;
    assert(route->may.verb != NULL);
    if (auth_may(web->options.auth, user, &question))
        return true;
    if (str_eq(question.verb, S("*")))
        return err_set(err, ERR_FORBIDDEN,
                       "user '%.*s' may not use a cluster's API: that is for administrators",
                       STR(user->name));
    return err_set(err, ERR_FORBIDDEN, "user '%.*s' may not %s %s%s%s here", STR(user->name),
                   route->may.verb, route->may.resource, question.subresource.len > 0 ? "/" : "",
                   route->may.subresource);
}

static void on_review(void *owner, const struct err *err)
{
    struct web_call *call = owner;

    call->review = NULL;
    if (err != NULL)
        web_reply_err(call, err);
    else
        call->reviewed(call);
}

void web_when_reviewed(struct web_call *call, const struct auth_question *question,
                       void (*then)(struct web_call *call))
{
    struct auth *auth = call->web->options.auth;

    call->reviewed = then;
    if (auth_knows(auth, &call->user, question))
        then(call);
    else
        call->review = auth_review(auth, &call->user, question, on_review, call);
}

static bool read_body(struct web_call *call, struct err *err)
{
    struct val *body = NULL;
    str type = http_header(call->request, S("Content-Type"));

    if (call->request->body.len == 0) {
        call->body = val_new(call->arena, val_map());
        return true;
    }
    /* A browser's form cannot send this type across origins without asking first. */
    if (!str_starts(type, S("application/json")))
        return err_set(err, ERR_INVALID, "the body must be application/json");
    struct json_options options = {.file = S("body")};
    if (!json_parse(call->arena, call->request->body, &options, &body, err))
        return false;
    if (!val_is(body, VAL_MAP))
        return err_set(err, ERR_INVALID, "the body must be a JSON object");
    call->body = body;
    return true;
}

static void on_devops(struct web_call *call, struct kube_response *response)
{
    if (!response->ok && response->err.code != ERR_NOT_FOUND) {
        web_reply_kube(call, response, "reading the DevOps Project");
        return;
    }
    if (!response->ok ||
        !str_eq(object_label(response->object, S(WEB_DEVOPS_LABEL)), call->params[0])) {
        web_fail(call, ERR_NOT_FOUND, "there is no DevOps Project '%.*s'", STR(call->params[0]));
        return;
    }
    call->route->handler(call);
}

/* The DevOps Project `default` is the control namespace; any other is a namespace with our label,
 * so that no route reaches into a namespace that is none. */
static void enter_devops(struct web_call *call)
{
    struct err err = {0};

    if (str_eq(call->params[0], S("default"))) {
        call->namespace_ = call->web->options.control_namespace;
        call->route->handler(call);
        return;
    }
    if (!web_check_name(S("a DevOps Project"), call->params[0], &err)) {
        web_reply_err(call, &err);
        return;
    }
    call->namespace_ = call->params[0];
    web_kube(call,
             &(struct kube_request){
                     .verb = KUBE_GET, .gvr = web_gvr_namespaces, .name = call->params[0]},
             on_devops);
}

static void on_right_known(struct web_call *call)
{
    struct err err = {0};

    if (!(call->route->flags & WEB_PUBLIC) &&
        !web_may(call->web, &call->user, call->route, call->namespace_, &err))
        web_reply_err(call, &err);
    else if ((call->route->flags & WEB_BODY) && !read_body(call, &err))
        web_reply_err(call, &err);
    else if (call->route->flags & WEB_DEVOPS)
        enter_devops(call);
    else
        call->route->handler(call);
}

static void ask_right(struct web_call *call)
{
    struct auth_question question = question_of(call->route, call->namespace_);

    if (call->route->may.verb == NULL)
        on_right_known(call);
    else
        web_when_reviewed(call, &question, on_right_known);
}

void web_handle(void *owner, struct http_request *request)
{
    struct web *web = owner;
    struct web_call *call = call_new(web, request);
    struct err err = {0};
    bool other_method = false;

    web->requests++;
    call->route = find_route(call, &other_method);
    if (call->route == NULL) {
        if (other_method)
            reply_status(call, 405, S("MethodNotAllowed"),
                         S("the method is not allowed for this path"));
        else
            web_page(call);
        return;
    }
    if (call->route->flags & WEB_DEVOPS)
        call->namespace_ = str_eq(call->params[0], S("default")) ? web->options.control_namespace
                                                                 : call->params[0];
    if (!(call->route->flags & WEB_PUBLIC) && !check_user(call, &err))
        web_reply_err(call, &err);
    else
        ask_right(call);
}

/* ---- calls of our own ---- */

void web_load_start(struct web *web, const struct auth_user *user, str path,
                    const struct web_load *load)
{
    struct arena *arena = arena_new(LIMIT_HTTP_REQUEST_ARENA);
    struct http_request *request = arena_new0(arena, struct http_request);
    bool other_method = false;

    request->method = S("GET");
    request->path = arena_str(arena, path);
    request->arena = arena;
    struct web_call *call = call_new(web, request);
    call->is_load = true;
    call->load = *load;
    *load->slot = call;
    str *groups = arena_array(arena, user->group_count + 1, str);
    for (size_t i = 0; i < user->group_count; i++)
        groups[i] = arena_str(arena, user->groups[i]);
    call->user = (struct auth_user){arena_str(arena, user->name), groups, user->group_count};
    call->route = find_route(call, &other_method);
    if (call->route == NULL) {
        web_fail(call, ERR_NOT_FOUND, "there is nothing at this path");
        return;
    }
    if (call->route->flags & WEB_DEVOPS)
        call->namespace_ = str_eq(call->params[0], S("default")) ? web->options.control_namespace
                                                                 : call->params[0];
    ask_right(call);
}

void web_load_cancel(struct web_call *call)
{
    if (call != NULL)
        call->load.done = NULL;
}

/* ---- the web itself ---- */

struct web *web_new(const struct web_options *options)
{
    struct web *web = new0(struct web);

    web->options = *options;
    web->texts[0] = mem_dup_z(options->control_namespace);
    web->texts[1] = mem_dup_z(options->kubeconfig_path);
    web->options.control_namespace = str_from(web->texts[0]);
    web->options.kubeconfig_path = str_from(web->texts[1]);
    web->started_ms = clock_mono_ms();
    web->guard = guard_new(options->loop, options->auth);
    web->stream = stream_new(web);
    web->apps = list_apps_new(web);
    return web;
}

void web_free(struct web *web)
{
    if (web == NULL)
        return;
    if (web->options.engine != NULL)
        engine_unlisten(web->options.engine, web);
    stream_free(TAKE(web->stream));
    list_apps_free(TAKE(web->apps));
    while (web->calls != NULL) {
        struct web_call *call = web->calls;
        kube_cancel(TAKE(call->kube));
        if (call->ask != NULL)
            engine_ask_cancel(TAKE(call->ask));
        if (call->preview != NULL)
            engine_preview_cancel(TAKE(call->preview));
        if (call->wait != NULL)
            source_cancel(TAKE(call->wait));
        host_key_cancel(TAKE(call->scan));
        auth_login_cancel(TAKE(call->login));
        auth_review_cancel(TAKE(call->review));
        password_cancel(TAKE(call->password));
        web_fail(call, ERR_UNAVAILABLE, "the server is stopping");
    }
    web_targets_free(web);
    web_repo_states_free(web);
    guard_free(web->guard);
    for (size_t i = 0; i < COUNT(web->texts); i++)
        mem_free(web->texts[i]);
    mem_free(web);
}

void web_set_ready(struct web *web, bool ready)
{
    web->ready = ready;
}

/* What the engine knows of a deployment changed: the pages that show it look again. */
static void on_engine(void *owner, str namespace_, str name)
{
    static const char *const words[] = {"tree", "facts"};

    for (size_t i = 0; i < COUNT(words); i++)
        stream_touch(owner, words[i], namespace_, name);
}

void web_set_engine(struct web *web, struct engine *engine)
{
    if (web->options.engine != NULL)
        engine_unlisten(web->options.engine, web);
    web->options.engine = engine;
    if (engine != NULL)
        engine_listen(engine, on_engine, web);
    list_apps_start(web->apps); /* its definitions are served now */
}
