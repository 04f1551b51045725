/* SPDX-License-Identifier: Apache-2.0 */
#include "web/rights.h"

#include "apiserver/url.h"

bool web_is_watch(const struct http_request *request)
{
    str value;

    return http_param(request, S("watch"), &value) &&
           (str_eq(value, S("1")) || str_eq(value, S("true")));
}

/* https://kubernetes.io/docs/reference/access-authn-authz/authorization/#determine-the-request-verb
 */
static str verb_of(const struct http_request *request, bool has_name)
{
    str method = request->method;

    if (str_eq(method, S("GET")) || str_eq(method, S("HEAD")))
        return has_name ? S("get") : web_is_watch(request) ? S("watch") : S("list");
    if (str_eq(method, S("POST")))
        return S("create");
    if (str_eq(method, S("PUT")))
        return S("update");
    if (str_eq(method, S("PATCH")))
        return S("patch");
    if (str_eq(method, S("DELETE")))
        return has_name ? S("delete") : S("deletecollection");
    return method;
}

struct auth_question web_question_of(const struct http_request *request, str path)
{
    struct kube_request parsed = {0};

    if (!url_path(path, &parsed))
        return (struct auth_question){.verb = str_eq(request->method, S("GET")) ? S("get")
                                                                                : request->method,
                                      .path = path};
    return (struct auth_question){
            .verb = verb_of(request, parsed.name.len > 0),
            .group = parsed.gvr.group,
            .resource = parsed.gvr.resource,
            .subresource = parsed.subresource,
            .namespace_ = parsed.namespace_,
            .name = parsed.name,
    };
}

/* Discovery tells which kinds exist, nothing of what is there: kubectl needs it from everybody. */
static bool is_discovery(str verb, str path)
{
    static const str open[] = {S_INIT("/api"), S_INIT("/apis"), S_INIT("/openapi"),
                               S_INIT("/version")};

    if (!str_eq(verb, S("get")))
        return false;
    for (size_t i = 0; i < COUNT(open); i++) {
        str rest = path;
        if (str_skip(&rest, open[i]) && (rest.len == 0 || rest.at[0] == '/'))
            return true;
    }
    return false;
}

bool web_apiserver_may(void *owner, const struct apiserver_question *q)
{
    struct auth_user user = {q->user.name, q->user.groups, q->user.group_count};
    struct auth_question question = {
            .verb = q->verb,
            .group = q->group,
            .resource = q->resource,
            .subresource = q->subresource,
            .namespace_ = q->namespace_,
            .name = q->name,
            .path = q->path,
    };
    bool asks_about_self = str_starts(q->resource, S("selfsubject")) &&
                           (str_eq(q->group, S("authorization.k8s.io")) ||
                            str_eq(q->group, S("authentication.k8s.io")));

    if (q->path.len > 0 && is_discovery(q->verb, q->path))
        return true;
    return asks_about_self || auth_may(owner, &user, &question);
}

void web_apiserver_rules(void *owner, const struct apiserver_user *asker, str namespace_,
                         apiserver_rule_fn *fn, void *fn_owner)
{
    struct auth_user user = {asker->name, asker->groups, asker->group_count};

    auth_rules_each(owner, &user, namespace_, fn, fn_owner);
}
