/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Edit External Access (PRODUCT section 4): changes the live Service, says what will undo it, and
 * on *Keep it* first makes the deployment ignore what is changed.
 */
#include "engine/ignore.h"
#include "engine/sync_options.h"
#include "web/services.h"

const struct access_mode access_modes[3] = {
        {S_INIT("None"), S_INIT("ClusterIP")},
        {S_INIT("NodePort"), S_INIT("NodePort")},
        {S_INIT("LoadBalancer"), S_INIT("LoadBalancer")},
};

#define RESPECT S("RespectIgnoreDifferences=true")
#define TYPE_POINTER S("/spec/type")

static bool mode_type(str mode, str *ret_type)
{
    for (size_t i = 0; i < COUNT(access_modes); i++)
        if (str_eq(access_modes[i].mode, mode)) {
            *ret_type = access_modes[i].type;
            return true;
        }
    return false;
}

/* ---- what Git says ---- */

static struct sync_options options_of(const struct val *application, const struct val *wanted)
{
    struct sync_options options = {.respect_ignore = false};

    sync_options_add_list(&options, VAL_AT(application, "spec", "syncPolicy", "syncOptions"));
    sync_options_add_csv(&options, object_annotation(wanted, S("argocd.argoproj.io/sync-options")));
    return options;
}

static bool has_text(const struct val *list, str text)
{
    struct val_iter it = val_iter(list);

    while (val_next(&it))
        if (str_eq(val_str(it.value), text))
            return true;
    return false;
}

/* Is the type of this Service ignored by a rule already? */
static bool type_is_ignored(struct arena *arena, const struct services_item *item)
{
    struct ignore_target target = {{S(""), S("v1"), S("Service")}, item->namespace_, item->name};
    struct val_iter it = val_iter(VAL_AT(item->application, "spec", "ignoreDifferences"));

    while (val_next(&it)) {
        struct val one = val_list();

        val_append(arena, &one, val_dup_value(arena, it.value));
        if (has_text(val_get(it.value, S("jsonPointers")), TYPE_POINTER) &&
            ignore_matches(&one, &target))
            return true;
    }
    return false;
}

static str undone_by(const struct val *application)
{
    const struct val *automated = VAL_AT(application, "spec", "syncPolicy", "automated");

    return val_is(automated, VAL_MAP) && val_get_bool(automated, S("enabled"), true) &&
                           val_get_bool(automated, S("selfHeal"), false)
                   ? S("selfHeal")
                   : S("nextSync");
}

void access_add_git(struct web_call *call, const struct services_item *item, struct val *row)
{
    struct arena *arena = call->arena;
    struct engine_object object;
    str id = arena_printf(arena, "/Service/%.*s/%.*s", STR(item->namespace_), STR(item->name));

    if (!engine_app_object(call->web->options.engine, call->namespace_,
                           object_name(item->application), id, arena, &object) ||
        object.wanted == NULL)
        return;
    struct sync_options options = options_of(item->application, object.wanted);
    bool kept = options.respect_ignore && type_is_ignored(arena, item);
    str type = VAL_STR(object.wanted, "spec", "type");
    struct val *git = val_ensure_map(arena, row, S("git"));
    struct val *ports = val_ensure_list(arena, git, S("nodePorts"));
    struct val_iter it = val_iter(VAL_AT(object.wanted, "spec", "ports"));

    while (val_next(&it))
        if (val_i64_or(val_get(it.value, S("nodePort")), 0) > 0)
            val_append(arena, ports, val_dup_value(arena, val_get(it.value, S("nodePort"))));
    bool has_ports = val_count(ports) > 0;
    val_set_str(arena, git, S("type"), type);
    val_set(arena, git, S("replace"), val_bool(options.replace));
    val_set(arena, git, S("kept"), val_bool(kept));
    /* A replaced object is what Git says, and what Git leaves out becomes the default. */
    if (options.replace && str_is_empty(type))
        type = S("ClusterIP");
    struct val *undone = val_ensure_map(arena, git, S("undone"));
    for (size_t i = 0; i < COUNT(access_modes); i++) {
        bool differs = (!str_is_empty(type) && !str_eq(type, access_modes[i].type)) ||
                       (has_ports && i == 0);

        val_set_str(arena, undone, access_modes[i].mode,
                    differs && !kept ? undone_by(item->application) : STR_EMPTY);
    }
}

/* ---- changing ---- */

static struct services_item *the_item(struct web_call *call)
{
    struct services *s = call->state;

    return &s->items[s->at];
}

static void on_changed(struct web_call *call, struct kube_response *response)
{
    struct services *s = call->state;

    if (!response->ok) {
        web_reply_kube(call, response, "changing the external access");
        return;
    }
    struct val *row = services_add_row(call, the_item(call), response->object);
    val_set_str(call->arena, row, S("undone"), val_get_str(VAL_AT(row, "git", "undone"), s->mode));
    web_reply_val(call, 200, row);
}

/* The type, and for None the ports without their node ports: the port is given back. */
static struct val *access_patch(struct arena *arena, const struct val *service, str type)
{
    struct val *patch = val_new(arena, val_map());
    struct val *spec = val_ensure_map(arena, patch, S("spec"));

    val_set_str(arena, val_ensure_map(arena, patch, S("metadata")), S("resourceVersion"),
                object_resource_version(service));
    val_set_str(arena, spec, S("type"), type);
    if (!str_eq(type, S("ClusterIP")))
        return patch;
    struct val *ports = val_set(arena, spec, S("ports"),
                                val_dup_value(arena, VAL_AT(service, "spec", "ports")));
    struct val_iter it = val_iter(ports);
    while (val_next(&it))
        val_del(it.value, S("nodePort"));
    return patch;
}

static void change_service(struct web_call *call, const struct val *service)
{
    struct services *s = call->state;
    const struct services_item *item = the_item(call);
    str type = STR_EMPTY;

    (void)mode_type(s->mode, &type);
    web_kube_at(call, s->targets[item->target].kube,
                &(struct kube_request){.verb = KUBE_PATCH_MERGE,
                                       .gvr = services_gvr,
                                       .namespace_ = item->namespace_,
                                       .name = item->name,
                                       .field_manager = S("taut-console"),
                                       .body = access_patch(call->arena, service, type)},
                on_changed);
}

/* ---- Keep it ---- */

/* One rule for this Service, with the type and its present ports; the options with the one that
 * makes syncs respect it. */
static struct val *keep_patch(struct web_call *call, const struct val *service)
{
    struct arena *arena = call->arena;
    const struct services_item *item = the_item(call);
    const struct val *application = item->application;
    struct val *patch = val_new(arena, val_map());
    struct val *spec = val_ensure_map(arena, patch, S("spec"));
    const struct val *rules = VAL_AT(application, "spec", "ignoreDifferences");
    const struct val *options = VAL_AT(application, "spec", "syncPolicy", "syncOptions");

    val_set_str(arena, val_ensure_map(arena, patch, S("metadata")), S("resourceVersion"),
                object_resource_version(application));
    struct val *list = val_set(arena, spec, S("ignoreDifferences"),
                               rules == NULL ? val_list() : val_dup_value(arena, rules));
    if (!type_is_ignored(arena, item)) {
        struct val *rule = val_append(arena, list, val_map());
        val_set_str(arena, rule, S("kind"), S("Service"));
        val_set_str(arena, rule, S("namespace"), item->namespace_);
        val_set_str(arena, rule, S("name"), item->name);
        struct val *pointers = val_ensure_list(arena, rule, S("jsonPointers"));
        val_append(arena, pointers, val_string(arena, TYPE_POINTER));
        for (size_t i = 0; i < val_count(VAL_AT(service, "spec", "ports")); i++)
            val_append(arena, pointers,
                       val_string(arena, arena_printf(arena, "/spec/ports/%zu/nodePort", i)));
    }
    struct val *policy = val_ensure_map(arena, spec, S("syncPolicy"));
    list = val_set(arena, policy, S("syncOptions"),
                   options == NULL ? val_list() : val_dup_value(arena, options));
    if (!has_text(list, RESPECT))
        val_append(arena, list, val_string(arena, RESPECT));
    return patch;
}

/* The application as it is now is what the answer judges by. */
static void on_kept(struct web_call *call, struct kube_response *response)
{
    struct services *s = call->state;

    if (!response->ok) {
        web_reply_kube(call, response, "keeping the external access in the deployment");
        return;
    }
    the_item(call)->application = val_dup(call->arena, response->object);
    change_service(call, s->list);
}

static bool may_keep(struct web_call *call)
{
    struct auth_question question = {.verb = S("update"),
                                     .group = S("argoproj.io"),
                                     .resource = S("applications"),
                                     .namespace_ = call->namespace_};

    if (auth_may(call->web->options.auth, &call->user, &question))
        return true;
    web_fail(call, ERR_FORBIDDEN,
             "user '%.*s' may not keep it: that changes the continuous deployment, which needs "
             "update applications",
             STR(call->user.name));
    return false;
}

static void on_service(struct web_call *call, struct kube_response *response)
{
    struct services *s = call->state;
    const struct services_item *item = the_item(call);

    if (!response->ok) {
        web_reply_kube(call, response, "reading the Service");
        return;
    }
    if (str_eq(VAL_STR(response->object, "spec", "clusterIP"), S("None")) ||
        str_eq(VAL_STR(response->object, "spec", "type"), S("ExternalName"))) {
        web_fail(call, ERR_INVALID,
                 "Service '%.*s' has no address of its own (headless or ExternalName), so it has "
                 "no external access",
                 STR(item->name));
        return;
    }
    if (!val_get_bool(call->body, S("keep"), false)) {
        change_service(call, response->object);
        return;
    }
    if (!may_keep(call))
        return;
    s->list = val_dup(call->arena, response->object);
    web_kube(call,
             &(struct kube_request){.verb = KUBE_PATCH_MERGE,
                                    .gvr = web_gvr_applications,
                                    .namespace_ = call->namespace_,
                                    .name = object_name(item->application),
                                    .field_manager = S("taut-console"),
                                    .body = keep_patch(call, s->list)},
             on_kept);
}

static void on_nodes(struct web_call *call, struct kube_response *response)
{
    struct services *s = call->state;
    const struct services_item *item = the_item(call);

    services_take_nodes(call, item->target, response);
    web_kube_at(call, s->targets[item->target].kube,
                &(struct kube_request){.verb = KUBE_GET,
                                       .gvr = services_gvr,
                                       .namespace_ = item->namespace_,
                                       .name = item->name},
                on_service);
}

static void on_applications(struct web_call *call, struct kube_response *response)
{
    str type;

    if (!services_take(call, response))
        return;
    struct services *s = call->state;
    s->mode = web_body_str(call, S("mode"));
    if (!mode_type(s->mode, &type)) {
        web_fail(call, ERR_INVALID, "mode must be None, NodePort or LoadBalancer");
        return;
    }
    for (s->at = 0; s->at < s->count; s->at++) {
        const struct services_item *item = the_item(call);
        if (!str_eq(s->targets[item->target].cluster, call->params[1]) ||
            !str_eq(item->namespace_, call->params[2]) || !str_eq(item->name, call->params[3]))
            continue;
        services_ask_nodes(call, item->target, on_nodes);
        return;
    }
    web_fail(call, ERR_NOT_FOUND,
             "no deployment of '%.*s' brings a Service '%.*s' to project '%.*s' of cluster '%.*s'",
             STR(call->params[0]), STR(call->params[3]), STR(call->params[2]),
             STR(call->params[1]));
}

void web_service_access(struct web_call *call)
{
    services_list_applications(call, on_applications);
}
