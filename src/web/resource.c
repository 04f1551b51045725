/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One object of a deployment: as the cluster has it, as Git wants it, and editing it.
 *
 * Only what the deployment manages, and what that owns, can be named: any other object is out of
 * reach here, whatever is asked for.
 */
#include "web/resource.h"

#include "doc/yaml.h"
#include "engine/mask.h"

bool web_is_secret(struct gvk gvk)
{
    return str_is_empty(gvk.group) && str_eq(gvk.kind, S("Secret"));
}

/* "group:Kind:namespace:name" → "group/Kind/namespace/name"; a name may hold colons itself. */
bool web_resource_id(struct arena *arena, str key, str *ret)
{
    str parts[3];

    for (size_t i = 0; i < COUNT(parts); i++) {
        size_t end = str_find_char(key, ':');

        if (end == SIZE_MAX)
            return false;
        parts[i] = str_first(key, end);
        key = str_from_index(key, end + 1);
    }
    *ret = arena_printf(arena, "%.*s/%.*s/%.*s/%.*s", STR(parts[0]), STR(parts[1]), STR(parts[2]),
                        STR(key));
    return true;
}

bool web_resource_find(struct web_call *call, struct engine_object *ret)
{
    struct engine *engine = web_engine(call);
    struct arena *arena = call->arena;
    struct engine_object found;
    str id;

    if (engine == NULL)
        return false;
    if (!web_resource_id(arena, call->params[2], &id) ||
        !engine_app_object(engine, call->namespace_, call->params[1], id, arena, &found)) {
        web_fail(call, ERR_NOT_FOUND,
                 "continuous deployment '%.*s' has no resource '%.*s' (group:Kind:namespace:name)",
                 STR(call->params[1]), STR(call->params[2]));
        return false;
    }
    *ret = (struct engine_object){
            .kube = found.kube,
            .gvk = {arena_str(arena, found.gvk.group), arena_str(arena, found.gvk.version),
                    arena_str(arena, found.gvk.kind)},
            .gvr = {arena_str(arena, found.gvr.group), arena_str(arena, found.gvr.version),
                    arena_str(arena, found.gvr.resource)},
            .namespace_ = arena_str(arena, found.namespace_),
            .name = arena_str(arena, found.name),
            .is_managed = found.is_managed,
            .wanted = found.wanted == NULL ? NULL : val_dup(arena, found.wanted)};
    return true;
}

/* ---- reading ---- */

/* The YAML of a Secret, even masked, is for those who may edit it. */
static bool may_see(struct web_call *call, struct gvk gvk)
{
    struct auth_question question = {.verb = S("update"),
                                     .group = S("argoproj.io"),
                                     .resource = S("applications"),
                                     .subresource = S("resources"),
                                     .namespace_ = call->namespace_};

    if (!web_is_secret(gvk) || auth_may(call->web->options.auth, &call->user, &question))
        return true;
    web_fail(call, ERR_FORBIDDEN,
             "user '%.*s' may not see the YAML of Secrets here: it needs update "
             "applications/resources",
             STR(call->user.name));
    return false;
}

static void answer_views(struct web_call *call, struct val *live, struct val *wanted)
{
    const struct engine_object *object = call->state;
    struct arena *arena = call->arena;
    struct val *answer = val_new(arena, val_map());

    mask_pair(arena, live, wanted);
    val_set_str(arena, answer, S("group"), object->gvk.group);
    val_set_str(arena, answer, S("kind"), object->gvk.kind);
    val_set_str(arena, answer, S("namespace"), object->namespace_);
    val_set_str(arena, answer, S("name"), object->name);
    val_set(arena, answer, S("managed"), val_bool(object->is_managed));
    if (live != NULL)
        val_set(arena, answer, S("live"), *live);
    if (wanted != NULL)
        val_set(arena, answer, S("desired"), *wanted);
    web_reply_val(call, 200, answer);
}

static void on_live(struct web_call *call, struct kube_response *response)
{
    const struct engine_object *object = call->state;
    struct val *wanted = object->wanted == NULL ? NULL : val_dup(call->arena, object->wanted);

    if (response->ok)
        answer_views(call, val_dup(call->arena, response->object), wanted);
    else if (response->status == 404)
        answer_views(call, NULL, wanted);
    else
        web_reply_kube(call, response, "reading the resource");
}

static struct kube_request request_of(const struct engine_object *object, enum kube_verb verb)
{
    return (struct kube_request){.verb = verb,
                                 .gvr = object->gvr,
                                 .namespace_ = object->namespace_,
                                 .name = object->name};
}

void web_resource_get(struct web_call *call)
{
    struct engine_object *object = arena_new0(call->arena, struct engine_object);

    if (!web_resource_find(call, object) || !may_see(call, object->gvk))
        return;
    struct kube_request request = request_of(object, KUBE_GET);
    call->state = object;
    web_kube_at(call, object->kube, &request, on_live);
}

/* ---- editing ---- */

static bool check_same(const struct engine_object *object, const struct val *edited,
                       struct err *err)
{
    struct gvk gvk = gvk_of(edited);

    if (!val_is(edited, VAL_MAP))
        return err_set(err, ERR_INVALID, "the body must be one object, as YAML or JSON");
    if (!str_eq(gvk.kind, object->gvk.kind) || !str_eq(gvk.group, object->gvk.group) ||
        !str_eq(object_name(edited), object->name) ||
        !str_eq(object_namespace(edited), object->namespace_))
        return err_set(err, ERR_INVALID,
                       "kind, namespace and name of %.*s '%.*s' cannot be changed here",
                       STR(object->gvk.kind), STR(object->name));
    if (str_is_empty(object_resource_version(edited)))
        return err_set(err, ERR_INVALID,
                       "metadata.resourceVersion is missing: it says which version was edited");
    return true;
}

static void on_saved(struct web_call *call, struct kube_response *response)
{
    if (!response->ok) {
        web_reply_kube(call, response, "saving the resource");
        return;
    }
    answer_views(call, val_dup(call->arena, response->object), NULL);
}

void web_resource_put(struct web_call *call)
{
    struct engine_object *object = arena_new0(call->arena, struct engine_object);
    struct yaml_options options = {.dialect = YAML_11, .file = S("edit")};
    struct kube_request request;
    struct val *edited = NULL;
    struct err err = {0};

    if (!web_resource_find(call, object))
        return;
    if (web_is_secret(object->gvk)) {
        web_fail(call, ERR_INVALID,
                 "a Secret is not edited here: its values are not shown, and would be lost");
        return;
    }
    if (!yaml_parse(call->arena, call->request->body, &options, &edited, &err) ||
        !check_same(object, edited, &err)) {
        web_reply_err(call, &err);
        return;
    }
    request = request_of(object, KUBE_UPDATE);
    request.body = edited;
    request.field_manager = S("taut-console");
    call->state = object;
    web_kube_at(call, object->kube, &request, on_saved);
}
