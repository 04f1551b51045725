/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Kubernetes paths: the home cluster at its usual place, every cluster below /clusters/{name}.
 * auth_may was asked by the route; here it is decided who answers, and what nobody may ask.
 */
#include "apiserver/http.h"
#include "base/mem.h"
#include "web/call.h"
#include "web/guard.h"
#include "web/repo.h"
#include "web/rights.h"
#include "web/self_review.h"
#include "web/upstream.h"

/* A target's upstream, made at its first use and again when its Secret changes. */
struct web_target {
    struct web_target *next;
    str name;
    str version; /* resourceVersion of the Secret */
    struct upstream *upstream;
};

static bool is_plain(struct web_call *call, str path, struct err *err)
{
    struct http_request *request = call->request;

    for (size_t i = 0; i < request->header_count; i++) {
        if (str_starts(request->headers[i].name, S("Impersonate-")) ||
            str_eq_nocase(str_first(request->headers[i].name, 12), S("impersonate-")))
            return err_set(err, ERR_FORBIDDEN, "impersonation is not passed through Taut");
    }
    if (http_header(request, S("Upgrade")).len > 0)
        return err_set(err, ERR_FORBIDDEN, "connections are not upgraded through Taut");
    return upstream_path_allowed(path, err);
}

static void to_server(struct web_call *call, struct apiserver *server, str path)
{
    struct apiserver_user user = {call->user.name, call->user.groups, call->user.group_count};

    if (!apiserver_serves(path))
        web_fail(call, ERR_NOT_FOUND, "there is nothing at this path");
    else
        apiserver_http(server, web_take_request(call), path, &user);
}

static void to_home(struct web_call *call, str path)
{
    const struct web_options *options = &call->web->options;

    if (options->home_server != NULL)
        to_server(call, options->home_server, path);
    else if (options->home_upstream != NULL)
        upstream_pass(options->home_upstream, web_take_request(call), path);
    else
        web_fail(call, ERR_UNAVAILABLE, "the home cluster is not there");
}

static const struct auth_question everything = {
        .verb = S_INIT("*"), .group = S_INIT("*"), .resource = S_INIT("*")};

/* A real home would take Taut's own credential for the grantor's, which may grant anything. The
 * embedded one looks at what the caller holds (apiserver/escalate.h). */
static bool grants_in_our_name(const struct web_call *call, const struct auth_question *question)
{
    static const str writes[] = {S_INIT("create"), S_INIT("update"), S_INIT("patch")};
    bool is_write = false;

    for (size_t i = 0; i < COUNT(writes); i++)
        is_write = is_write || str_eq(question->verb, writes[i]);
    return is_write && call->web->options.home_server == NULL &&
           str_eq(question->group, S("rbac.authorization.k8s.io")) &&
           !auth_may(call->web->options.auth, &call->user, &everything);
}

static void pass_home(struct web_call *call)
{
    struct auth *auth = call->web->options.auth;
    struct auth_question question = web_question_of(call->request, call->request->path);
    struct err err = {0};

    /* The embedded server puts its own question, for each object; a real one sees Taut only. */
    if (call->web->options.home_server == NULL && !auth_may(auth, &call->user, &question)) {
        web_fail(call, ERR_FORBIDDEN, "user '%.*s' may not %.*s %.*s%.*s here",
                 STR(call->user.name), STR(question.verb), STR(question.resource),
                 STR(question.path));
    } else if (grants_in_our_name(call, &question)) {
        web_fail(call, ERR_FORBIDDEN,
                 "roles and bindings of the home cluster are changed with a credential of that "
                 "cluster, not through Taut");
    } else if (!is_plain(call, call->request->path, &err)) {
        web_reply_err(call, &err);
    } else {
        if (web_is_watch(call->request))
            web_guard(call, &question);
        to_home(call, call->request->path);
    }
}

void web_home_api(struct web_call *call)
{
    struct auth_question question = web_question_of(call->request, call->request->path);

    if (call->web->options.home_server != NULL)
        pass_home(call);
    else if (str_eq(call->request->method, S("POST")) && web_is_self_review(call->request))
        web_self_review(call);
    else
        web_when_reviewed(call, &question, pass_home);
}

/* ---- targets ---- */

static struct web_target *find_target(struct web *web, str name)
{
    for (struct web_target *t = web->targets; t != NULL; t = t->next) {
        if (str_eq(t->name, name))
            return t;
    }
    return NULL;
}

void web_targets_free(struct web *web)
{
    while (web->targets != NULL) {
        struct web_target *t = web->targets;
        web->targets = t->next;
        upstream_free(t->upstream);
        str_own_free(&t->name);
        str_own_free(&t->version);
        mem_free(t);
    }
}

static bool open_target(struct web_call *call, const struct val *secret, str name,
                        struct upstream **ret, struct err *err)
{
    struct web *web = call->web;
    struct web_target *t = find_target(web, name);
    auto_kubeconfig struct kubeconfig *config = NULL;
    struct upstream *upstream = NULL;

    if (t != NULL && str_eq(t->version, object_resource_version(secret))) {
        *ret = t->upstream;
        return true;
    }
    if (!kubeconfig_from_cluster_secret(secret, &config, err) ||
        !upstream_new(web->options.loop, name, config, &upstream, err))
        return false;
    if (t == NULL) {
        t = new0(struct web_target);
        t->name = str_own(name);
        t->next = web->targets;
        web->targets = t;
    } else {
        upstream_free(t->upstream);
        str_own_free(&t->version);
    }
    t->version = str_own(object_resource_version(secret));
    t->upstream = upstream;
    *ret = upstream;
    return true;
}

/* "/clusters/NAME/api/…" → "/api/…" */
static str inner_path(const struct web_call *call, str *ret_name)
{
    str rest = str_from_index(call->request->path, strlen("/clusters/"));
    size_t slash = MIN(str_find_char(rest, '/'), rest.len);

    *ret_name = str_first(rest, slash);
    return str_from_index(rest, slash);
}

static void on_secrets(struct web_call *call, struct kube_response *response)
{
    str name;
    str path = inner_path(call, &name);
    struct upstream *upstream = NULL;
    struct err err = {0};

    if (!response->ok) {
        web_reply_kube(call, response, "looking for the cluster");
        return;
    }
    struct val_iter it = val_iter(val_get(response->object, S("items")));
    while (val_next(&it)) {
        if (!str_eq(web_secret_text(call->arena, it.value, S("name")), name))
            continue;
        if (open_target(call, it.value, name, &upstream, &err))
            upstream_pass(upstream, web_take_request(call), path);
        else
            web_reply_err(call, &err);
        return;
    }
    web_fail(call, ERR_NOT_FOUND, "there is no cluster '%.*s'", STR(name));
}

void web_cluster_api(struct web_call *call)
{
    const struct web_options *options = &call->web->options;
    struct err err = {0};
    str name;
    str path =
            str_starts(call->request->path, S("/clusters/")) ? inner_path(call, &name) : STR_EMPTY;

    if (path.len == 0) {
        web_fail(call, ERR_NOT_FOUND, "a cluster's API is at /clusters/NAME/api");
        return;
    }
    if (!is_plain(call, path, &err)) {
        web_reply_err(call, &err);
        return;
    }
    if (web_is_watch(call->request))
        web_guard(call, &everything);
    if (str_eq(name, S("home")))
        to_home(call, path);
    else if (str_eq(name, S("sandbox")) && options->sandbox_server != NULL)
        to_server(call, options->sandbox_server, path);
    else if (str_eq(name, S("in-cluster")) && options->home_upstream != NULL)
        to_home(call, path);
    else if (str_eq(name, S("in-cluster")) && options->sandbox_server != NULL)
        to_server(call, options->sandbox_server, path);
    else
        web_kube(call,
                 &(struct kube_request){.verb = KUBE_LIST,
                                        .gvr = web_gvr_secrets,
                                        .namespace_ = options->control_namespace,
                                        .label_selector = S(WEB_SECRET_TYPE_LABEL "=cluster")},
                 on_secrets);
}
