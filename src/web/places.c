/* SPDX-License-Identifier: Apache-2.0 */
/* Places: the projects (namespaces) of a cluster that a DevOps Project may deploy to, for the
 * pickers of the console. */
#include "engine/engine.h"
#include "engine/project.h"
#include "web/call.h"

static str server_of(struct web_call *call, str cluster)
{
    struct val_iter it = val_iter(engine_clusters(call->web->options.engine, call->arena));

    while (val_next(&it))
        if (str_eq(val_get_str(it.value, S("name")), cluster))
            return val_get_str(it.value, S("server"));
    return STR_EMPTY;
}

static void on_namespaces(struct web_call *call, struct kube_response *response)
{
    struct arena *arena = call->arena;
    const struct val *project = call->state;
    struct project_target target = {.name = call->params[1],
                                    .server = server_of(call, call->params[1])};
    struct val *rows;
    struct val *list = web_items(arena, &rows);

    if (!response->ok) {
        web_reply_kube(call, response, "listing the projects of the cluster");
        return;
    }
    struct val_iter it = val_iter(val_get(response->object, S("items")));
    while (val_next(&it)) {
        target.namespace_ = object_name(it.value);
        if (!project_permits_destination(project, &target, NULL))
            continue;
        struct val *row = val_append(arena, rows, val_map());
        val_set_str(arena, row, S("name"), target.namespace_);
        if (VAL_AT(it.value, "metadata", "deletionTimestamp") != NULL)
            val_set(arena, row, S("deleting"), val_bool(true));
    }
    val_set(arena, list, S("more"),
            val_bool(!str_is_empty(VAL_STR(response->object, "metadata", "continue"))));
    web_reply_val(call, 200, list);
}

static void on_project(struct web_call *call, struct kube_response *response)
{
    struct arena *arena = call->arena;
    struct val *application = val_new(arena, val_map());
    struct val *spec = val_ensure_map(arena, application, S("spec"));
    struct err err = {0};

    if (!response->ok) {
        web_reply_kube(call, response, "reading the DevOps Project");
        return;
    }
    if (call->web->options.engine == NULL) {
        web_fail(call, ERR_UNAVAILABLE, "the server is still starting");
        return;
    }
    call->state = val_dup(arena, response->object);
    val_set_str(arena, spec, S("project"), call->params[0]);
    val_set_str(arena, val_ensure_map(arena, spec, S("destination")), S("name"), call->params[1]);
    struct kube *kube = engine_app_kube(call->web->options.engine, application, &err);
    if (kube == NULL) {
        web_reply_err(call, &err);
        return;
    }
    web_kube_at(call, kube,
                &(struct kube_request){.verb = KUBE_LIST,
                                       .gvr = web_gvr_namespaces,
                                       .limit = LIMIT_PROJECTS_SHOWN},
                on_namespaces);
}

void web_place_list(struct web_call *call)
{
    web_kube(call,
             &(struct kube_request){.verb = KUBE_GET,
                                    .gvr = web_gvr_projects,
                                    .namespace_ = call->web->options.control_namespace,
                                    .name = call->params[0]},
             on_project);
}
