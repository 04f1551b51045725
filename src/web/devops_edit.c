/* SPDX-License-Identifier: Apache-2.0 */
/* Editing a DevOps Project: words on its namespace, the allowlist on its AppProject. Only what the
 * body names is changed. */
#include "web/devops.h"

struct edit_state {
    const struct val *project;
};

static void on_words(struct web_call *call, struct kube_response *response)
{
    const struct edit_state *state = call->state;

    if (!response->ok)
        web_reply_kube(call, response, "changing the DevOps Project");
    else
        web_reply_val(call, 200,
                      devops_row(call, response->object, call->params[0], state->project));
}

static void set_word(struct web_call *call, struct val *annotations, str key, str annotation)
{
    if (val_get(call->body, key) == NULL)
        return;
    str text = web_body_str(call, key);
    if (text.len == 0)
        val_set(call->arena, annotations, annotation, val_null());
    else
        val_set_str(call->arena, annotations, annotation, text);
}

static void on_project(struct web_call *call, struct kube_response *response)
{
    struct edit_state *state = call->state;
    struct arena *arena = call->arena;
    struct val *patch = val_new(arena, val_map());
    struct val *annotations =
            val_ensure_map(arena, val_ensure_map(arena, patch, S("metadata")), S("annotations"));

    if (!response->ok) {
        web_reply_kube(call, response, "changing the DevOps Project");
        return;
    }
    state->project = val_dup(arena, response->object);
    set_word(call, annotations, S("alias"), S("kubesphere.io/alias-name"));
    set_word(call, annotations, S("description"), S("kubesphere.io/description"));
    web_kube(call,
             &(struct kube_request){.verb = KUBE_PATCH_MERGE,
                                    .gvr = web_gvr_namespaces,
                                    .name = call->namespace_,
                                    .body = patch},
             on_words);
}

static void patch_project(struct web_call *call, const struct val *spec)
{
    struct val *patch = val_new(call->arena, val_map());

    val_set(call->arena, patch, S("spec"), *spec);
    web_kube(call,
             &(struct kube_request){.verb = KUBE_PATCH_MERGE,
                                    .gvr = web_gvr_projects,
                                    .namespace_ = call->web->options.control_namespace,
                                    .name = call->params[0],
                                    .body = patch},
             on_project);
}

/* "Allowed" keeps a list of certain kinds that somebody wrote by hand. */
static void on_present(struct web_call *call, struct kube_response *response)
{
    struct val *spec = val_new(call->arena, val_map());
    struct err err = {0};

    if (!response->ok) {
        web_reply_kube(call, response, "reading the DevOps Project");
        return;
    }
    if (!devops_allowlist(call, spec, &err)) {
        web_reply_err(call, &err);
        return;
    }
    if (val_get_bool(call->body, S("clusterResources"), false) &&
        val_count(VAL_AT(response->object, "spec", "clusterResourceWhitelist")) > 0)
        val_del(spec, S("clusterResourceWhitelist"));
    if (val_get(call->body, S("description")) != NULL)
        val_set_str(call->arena, spec, S("description"), web_body_str(call, S("description")));
    patch_project(call, spec);
}

void web_devops_edit(struct web_call *call)
{
    struct err err = {0};

    call->state = arena_new0(call->arena, struct edit_state);
    if (!web_add_words(call, val_new(call->arena, val_map()), &err)) {
        web_reply_err(call, &err);
        return;
    }
    web_kube(call,
             &(struct kube_request){.verb = KUBE_GET,
                                    .gvr = web_gvr_projects,
                                    .namespace_ = call->web->options.control_namespace,
                                    .name = call->params[0]},
             on_present);
}
