/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A cluster's kubeconfig comes as a text: it may name no file and no program. It is tested before
 * it is saved; an edit changes only what the body names, and never the name.
 */
#include "base/mem.h"
#include "doc/hash.h"
#include "doc/json.h"
#include "doc/yaml.h"
#include "kube/remote.h"
#include "web/cluster.h"
#include "web/repo.h"

#define TRY_MS 10000

static bool parse(struct web_call *call, struct kubeconfig **ret_config, struct err *err)
{
    return kubeconfig_parse(web_body_str(call, S("kubeconfig")), S("kubeconfig"), STR_EMPTY,
                            web_body_str(call, S("context")), ret_config, err);
}

bool web_cluster_access(struct web_call *call, str *ret_server, struct val **ret_config,
                        struct err *err)
{
    auto_kubeconfig struct kubeconfig *parsed = NULL;
    struct val *config = val_new(call->arena, val_map());

    *ret_server = web_body_str(call, S("server"));
    *ret_config = val_get(call->body, S("config"));
    if (web_body_str(call, S("kubeconfig")).len == 0)
        return true;
    if (!parse(call, &parsed, err) || !kubeconfig_cluster_config(parsed, call->arena, config, err))
        return false;
    *ret_server = arena_str(call->arena, parsed->server);
    *ret_config = config;
    return true;
}

/* ---- a test before it is saved ---- */

static void reply_try(struct web_call *call, const struct err *err)
{
    struct val *answer = call->state;

    val_set_str(call->arena, answer, S("state"), err == NULL ? S("ok") : S("failed"));
    if (err != NULL)
        val_set_str(call->arena, answer, S("message"), err_message(err));
    web_reply_val(call, 200, answer);
}

/* The version is public on most clusters; reading namespaces proves that the credential counts. */
static void on_try_namespaces(struct web_call *call, struct kube_response *response)
{
    struct err err = response->err;

    if (!response->ok)
        err_wrap(&err, "the cluster answers, but its namespaces cannot be read");
    reply_try(call, response->ok ? NULL : &err);
}

static void on_try_version(struct web_call *call, struct kube_response *response)
{
    if (!response->ok) {
        reply_try(call, &response->err);
        return;
    }
    val_set_str(call->arena, call->state, S("version"),
                val_get_str(response->object, S("gitVersion")));
    web_kube_at(
            call, call->other,
            &(struct kube_request){
                    .verb = KUBE_LIST, .gvr = web_gvr_namespaces, .limit = 1, .timeout_ms = TRY_MS},
            on_try_namespaces);
}

/* The contexts of the file, so that a person can choose one. */
static void add_contexts(struct web_call *call, struct val *answer)
{
    struct yaml_options options = {.dialect = YAML_11, .only_first = true};
    struct val *names = val_ensure_list(call->arena, answer, S("contexts"));
    auto_arena struct arena *arena = arena_new(16 * LIMIT_MIB);
    struct val *file = NULL;

    if (!yaml_parse(arena, web_body_str(call, S("kubeconfig")), &options, &file, NULL))
        return;
    struct val_iter it = val_iter(val_get(file, S("contexts")));
    while (val_next(&it))
        val_append(call->arena, names, val_string(call->arena, val_get_str(it.value, S("name"))));
    val_set_str(call->arena, answer, S("context"), val_get_str(file, S("current-context")));
}

void web_cluster_try(struct web_call *call)
{
    auto_kubeconfig struct kubeconfig *config = NULL;
    struct val *answer = val_new(call->arena, val_map());
    struct err err = {0};

    call->state = answer;
    if (web_body_str(call, S("kubeconfig")).len == 0) {
        web_fail(call, ERR_INVALID, "the body must have the 'kubeconfig' that is to be tested");
        return;
    }
    add_contexts(call, answer);
    if (!parse(call, &config, &err)) {
        reply_try(call, &err);
        return;
    }
    val_set_str(call->arena, answer, S("server"), config->server);
    if (web_body_str(call, S("context")).len > 0)
        val_set_str(call->arena, answer, S("context"), web_body_str(call, S("context")));
    if (!kube_remote_new(call->web->options.loop, S("the new cluster"), config, &call->other,
                         &err)) {
        reply_try(call, &err);
        return;
    }
    web_kube_at(call, call->other,
                &(struct kube_request){
                        .verb = KUBE_RAW_GET, .path = S("/version"), .timeout_ms = TRY_MS},
                on_try_version);
}

/* ---- edit ---- */

static void on_edited(struct web_call *call, struct kube_response *response)
{
    if (!response->ok) {
        web_reply_kube(call, response, "saving the cluster");
        return;
    }
    struct val *row = val_new(call->arena, val_map());
    val_set_str(call->arena, row, S("name"), call->params[0]);
    web_reply_val(call, 200, row);
}

static bool edit_patch(struct web_call *call, const struct val *secret, struct val **ret_patch,
                       struct err *err)
{
    struct arena *arena = call->arena;
    struct val *patch = val_new(arena, val_map());
    struct val *meta = val_ensure_map(arena, patch, S("metadata"));
    struct val *data = val_ensure_map(arena, patch, S("data"));
    const struct val *environment = val_get(call->body, S("environment"));
    const struct val *namespaces = val_get(call->body, S("namespaces"));
    struct val *config;
    str server;

    if (!web_cluster_access(call, &server, &config, err))
        return false;
    val_set_str(arena, meta, S("resourceVersion"), object_resource_version(secret));
    if (environment != NULL)
        val_set(arena, val_ensure_map(arena, meta, S("labels")), S("taut.dev/environment"),
                val_str(environment).len == 0 ? val_null()
                                              : val_string(arena, val_str(environment)));
    if (namespaces != NULL)
        val_set(arena, data, S("namespaces"),
                val_str(namespaces).len == 0
                        ? val_null()
                        : val_string(arena, base64_encode(arena, val_str(namespaces))));
    if (server.len > 0 && val_is(config, VAL_MAP)) {
        val_set_str(arena, data, S("server"), base64_encode(arena, server));
        val_set_str(arena, data, S("config"),
                    base64_encode(arena, json_text(arena, config, JSON_COMPACT)));
    }
    *ret_patch = patch;
    return true;
}

static void on_editing(struct web_call *call, struct kube_response *response)
{
    struct val_iter it = val_iter(val_get(response->object, S("items")));
    const struct val *secret = NULL;
    struct val *patch;
    struct err err = {0};

    if (!response->ok) {
        web_reply_kube(call, response, "reading the cluster");
        return;
    }
    while (val_next(&it)) {
        if (web_is_cluster(it.value) && str_eq(web_cluster_name(call, it.value), call->params[0]))
            secret = it.value;
    }
    if (secret == NULL)
        web_fail(call, ERR_NOT_FOUND, "there is no cluster '%.*s' that could be edited",
                 STR(call->params[0]));
    else if (!edit_patch(call, secret, &patch, &err))
        web_reply_err(call, &err);
    else
        web_kube(call,
                 &(struct kube_request){.verb = KUBE_PATCH_MERGE,
                                        .gvr = web_gvr_secrets,
                                        .namespace_ = call->web->options.control_namespace,
                                        .name = object_name(secret),
                                        .body = patch},
                 on_edited);
}

void web_cluster_edit(struct web_call *call)
{
    web_list_clusters(call, on_editing);
}
