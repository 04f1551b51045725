/* SPDX-License-Identifier: Apache-2.0 */
#include "apiserver/api.h"

#include "apiserver/discovery.h"
#include "apiserver/log.h"

static const struct {
    const char *word;
    enum kind_verb bit;
    void (*serve)(struct api *api);
} verbs[] = {
        [KUBE_GET] = {"get", VERB_GET, api_get},
        [KUBE_LIST] = {"list", VERB_LIST, api_list},
        [KUBE_CREATE] = {"create", VERB_CREATE, api_create},
        [KUBE_UPDATE] = {"update", VERB_UPDATE, api_update},
        [KUBE_PATCH_JSON] = {"patch", VERB_PATCH, api_patch},
        [KUBE_PATCH_MERGE] = {"patch", VERB_PATCH, api_patch},
        [KUBE_PATCH_STRATEGIC] = {"patch", VERB_PATCH, api_patch},
        [KUBE_APPLY] = {"patch", VERB_PATCH, api_patch},
        [KUBE_DELETE] = {"delete", VERB_DELETE, api_delete},
        [KUBE_DELETE_COLLECTION] = {"deletecollection", VERB_DELETECOLLECTION,
                                    api_delete_collection},
        [KUBE_WATCH] = {"watch", VERB_WATCH, NULL},
};

static void note_version(void *owner, const struct kind *kind)
{
    struct api *api = owner;

    if (str_eq(kind->group, api->q.gvr.group) &&
        kind_version_find(kind, api->q.gvr.version) != NULL)
        api->status = 404;
}

/* Of a group or version that is not served, the real server's router says so, in plain text. */
static bool fail_unknown(struct api *api)
{
    api->kind = NULL;
    api->status = 0;
    registry_each(api->server->registry, note_version, api);
    if (api->status == 0 && api->want_text) {
        api->status = 404;
        api->text = S("404 page not found\n");
        return false;
    }
    return api_fail_causes(api, 404, "NotFound", val_new(api->arena, val_map()),
                           "the server could not find the requested resource");
}

bool api_may(struct api *api, const char *verb)
{
    const struct apiserver *server = api->server;
    struct apiserver_question question = {
            .user = api->user,
            .verb = str_from(verb),
            .group = api->q.gvr.group,
            .version = api->q.gvr.version,
            .resource = api->q.gvr.resource,
            .subresource = api->q.subresource,
            .namespace_ = api->q.namespace_,
            .name = api->q.name,
            .path = api->q.path,
    };
    str resource = api->q.gvr.resource;

    if (server->may == NULL || server->may(server->may_owner, &question))
        return true;
    if (!str_is_empty(api->q.path))
        return api_fail(api, 403, "Forbidden", "forbidden: User \"%.*s\" cannot %s path \"%.*s\"",
                        STR(api->user.name), verb, STR(api->q.path));
    if (!str_is_empty(api->q.subresource))
        resource = arena_printf(api->arena, "%.*s/%.*s", STR(resource), STR(api->q.subresource));
    str place =
            str_is_empty(api->q.namespace_)
                    ? S("at the cluster scope")
                    : arena_printf(api->arena, "in the namespace \"%.*s\"", STR(api->q.namespace_));
    return api_fail(api, 403, "Forbidden",
                    "%.*s %s%.*s%sis forbidden: User \"%.*s\" cannot %s resource \"%.*s\" in API "
                    "group \"%.*s\" %.*s",
                    STR(api_qualified(api)), str_is_empty(api->q.name) ? "" : "\"",
                    STR(api->q.name), str_is_empty(api->q.name) ? "" : "\" ", STR(api->user.name),
                    verb, STR(resource), STR(api->q.gvr.group), STR(place));
}

static bool fail_method(struct api *api)
{
    return api_fail_causes(api, 405, "MethodNotAllowed", val_new(api->arena, val_map()),
                           "the server does not allow this method on the requested resource");
}

/* Sub-resources that real servers have and this one has not are refused by name. */
static bool fail_subresource(struct api *api)
{
    const struct resource *row = api->version->row;

    if (row == NULL || resource_sub(row, api->q.subresource) == NULL)
        return fail_unknown(api);
    return api_fail(api, 405, "MethodNotAllowed",
                    "%.*s/%.*s is not served here: nothing really runs in this cluster",
                    STR(api_qualified(api)), STR(api->q.subresource));
}

static bool check_scope(struct api *api)
{
    bool has_namespace = !str_is_empty(api->q.namespace_);

    if (!api->kind->namespaced)
        return !has_namespace || fail_unknown(api);
    if (has_namespace || api->q.verb == KUBE_LIST || api->q.verb == KUBE_WATCH)
        return true;
    return fail_method(api);
}

static bool check_verb(struct api *api)
{
    const struct kind *kind = api->kind;
    enum kind_verb bit = verbs[api->q.verb].bit;

    if (!str_is_empty(api->q.subresource)) {
        if (!kind_has_subresource(kind, api->version, api->q.subresource))
            return fail_subresource(api);
        if (bit == VERB_GET || bit == VERB_PATCH || bit == VERB_UPDATE)
            return true;
    } else if (kind_has_verb(kind, bit)) {
        return true;
    }
    return fail_method(api);
}

bool api_open(struct api *api)
{
    api->kind = registry_find(api->server->registry, api->q.gvr.group, api->q.gvr.resource);
    if (api->kind != NULL)
        api->version = kind_version_find(api->kind, api->q.gvr.version);
    if (api->version == NULL)
        return fail_unknown(api);
    if (!check_verb(api) || !check_scope(api) || !api_may(api, verbs[api->q.verb].word))
        return false;
    if (!str_is_empty(api->version->deprecation))
        api_warn(api, "%.*s", STR(api->version->deprecation));
    return true;
}

static bool needs_body(const struct api *api)
{
    enum kind_verb bit = verbs[api->q.verb].bit;

    return bit == VERB_CREATE || bit == VERB_UPDATE || bit == VERB_PATCH;
}

void api_serve(struct api *api)
{
    struct err err = {0};

    if (api->q.verb == KUBE_RAW_GET) {
        if (!log_serve(api))
            discovery_serve(api);
    } else if (api_open(api)) {
        if (needs_body(api) && api->q.body == NULL)
            api_fail(api, 400, "BadRequest", "the body of the request is empty");
        else if (api->q.verb == KUBE_WATCH)
            api_fail(api, 400, "BadRequest", "a watch is no single answer");
        else if (api->kind->is_review)
            api_review(api);
        else if (str_eq(api->q.subresource, S("scale")))
            api_scale(api);
        else
            verbs[api->q.verb].serve(api);
    }
    if (!arena_check(api->arena, "the request", &err))
        api_fail_err(api, &err);
}

struct api api_internal(struct apiserver *server, struct arena *arena)
{
    static const str groups[] = {S_INIT("system:masters")};

    return (struct api){
            .server = server,
            .arena = arena,
            .user = {S("system:apiserver"), groups, COUNT(groups)},
            .user_agent = S("taut"),
            .grace = -1,
    };
}
