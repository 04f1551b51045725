/* SPDX-License-Identifier: Apache-2.0 */
/* Accepting an SSH host's key: scan, compare with what the person saw, add one line to the known
 * hosts, go on. */
#include "web/host_key.h"
#include "web/repo.h"

static void on_hosts_written(struct web_call *call, struct kube_response *response)
{
    struct web_host_accept *state = call->state;

    if (!response->ok)
        web_reply_kube(call, response, "storing the host key");
    else
        state->then(call);
}

static void on_hosts_read(struct web_call *call, struct kube_response *response)
{
    struct web_host_accept *state = call->state;
    struct arena *arena = call->arena;
    str control = call->web->options.control_namespace;
    str known = VAL_STR(response->object, "data", "ssh_known_hosts");
    bool is_new = !response->ok && response->err.code == ERR_NOT_FOUND;

    if (!response->ok && !is_new) {
        web_reply_kube(call, response, "reading the known hosts");
        return;
    }
    if (str_contains(known, state->line)) {
        state->then(call);
        return;
    }
    const char *between = known.len == 0 || str_ends(known, S("\n")) ? "" : "\n";
    struct val *object = is_new ? web_object(arena, "v1", "ConfigMap", S(WEB_KNOWN_HOSTS), control)
                                : val_new(arena, val_map());
    if (!is_new) /* nobody else's line may be lost */
        val_set_str(arena, val_ensure_map(arena, object, S("metadata")), S("resourceVersion"),
                    object_resource_version(response->object));
    else
        val_set_str(arena, val_ensure_map(arena, val_get(object, S("metadata")), S("labels")),
                    S("app.kubernetes.io/part-of"), S("argocd"));
    val_set_str(arena, val_ensure_map(arena, object, S("data")), S("ssh_known_hosts"),
                arena_printf(arena, "%.*s%s%.*s\n", STR(known), between, STR(state->line)));
    web_kube(call,
             &(struct kube_request){.verb = is_new ? KUBE_CREATE : KUBE_PATCH_MERGE,
                                    .gvr = web_gvr_configmaps,
                                    .namespace_ = control,
                                    .name = is_new ? STR_EMPTY : S(WEB_KNOWN_HOSTS),
                                    .body = object},
             on_hosts_written);
}

static void on_host_key(void *owner, str line, const struct err *err)
{
    struct web_call *call = owner;
    struct web_host_accept *state = call->state;

    call->scan = NULL;
    if (err != NULL) {
        web_reply_err(call, err);
        return;
    }
    state->line = arena_str(call->arena, line);
    web_kube(call,
             &(struct kube_request){.verb = KUBE_GET,
                                    .gvr = web_gvr_configmaps,
                                    .namespace_ = call->web->options.control_namespace,
                                    .name = S(WEB_KNOWN_HOSTS)},
             on_hosts_read);
}

void web_accept_host_key(struct web_call *call, web_handler_fn *then)
{
    struct web_host_accept *state = call->state;
    str fingerprint = web_body_str(call, S("acceptHostKey"));
    struct err err = {0};

    state->then = then;
    if (fingerprint.len == 0)
        then(call);
    else if (!host_key_scan(call->web->options.loop, web_body_str(call, S("url")), fingerprint,
                            on_host_key, call, &call->scan, &err))
        web_reply_err(call, &err);
}
