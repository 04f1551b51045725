/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Clusters: cluster Secrets in the control namespace, in Argo CD's form. Their credentials go in
 * and never come out. What the engine sees of a cluster (version, reachable) is joined to the list.
 */
#include "doc/hash.h"
#include "doc/json.h"
#include "engine/engine.h"
#include "web/cluster.h"
#include "web/repo.h"

static str control(const struct web_call *call)
{
    return call->web->options.control_namespace;
}

bool web_is_cluster(const struct val *secret)
{
    return str_eq(object_label(secret, S(WEB_SECRET_TYPE_LABEL)), S("cluster"));
}

str web_cluster_name(struct web_call *call, const struct val *secret)
{
    str name = web_secret_text(call->arena, secret, S("name"));
    return name.len > 0 ? name : object_name(secret);
}

static const struct val *engine_row(const struct val *clusters, str name)
{
    struct val_iter it = val_iter(clusters);

    while (val_next(&it)) {
        if (str_eq(val_get_str(it.value, S("name")), name))
            return it.value;
    }
    return NULL;
}

static void copy_facts(struct web_call *call, struct val *row, const struct val *facts)
{
    static const char *const keys[] = {"version", "reachable", "message", "simulated"};

    for (size_t i = 0; i < COUNT(keys); i++) {
        const struct val *value = val_get(facts, str_from(keys[i]));
        if (value != NULL)
            val_set(call->arena, row, str_from(keys[i]), val_dup_value(call->arena, value));
    }
    const struct val *reachable = val_get(facts, S("reachable"));
    val_set_str(call->arena, row, S("state"),
                reachable == NULL        ? S("Unknown")
                : val_is_true(reachable) ? S("Ready")
                                         : S("Unreachable"));
}

static void on_listed(struct web_call *call, struct kube_response *response)
{
    struct arena *arena = call->arena;
    struct engine *engine = call->web->options.engine;
    struct val *known = engine == NULL ? NULL : engine_clusters(engine, arena);
    struct val *rows;
    struct val *list = web_items(arena, &rows);

    if (!response->ok) {
        web_reply_kube(call, response, "listing clusters");
        return;
    }
    struct val_iter it = val_iter(known);
    while (val_next(&it)) { /* those that have no Secret: in-cluster, home, sandbox */
        struct val *row = val_append(arena, rows, val_dup_value(arena, it.value));
        copy_facts(call, row, it.value);
    }
    it = val_iter(val_get(response->object, S("items")));
    while (val_next(&it)) {
        str name = web_cluster_name(call, it.value);
        struct val *row = (struct val *)engine_row(rows, name);
        if (row == NULL) {
            row = val_append(arena, rows, val_map());
            val_set_str(arena, row, S("name"), name);
            copy_facts(call, row, NULL);
        }
        val_set_str(arena, row, S("server"), web_secret_text(arena, it.value, S("server")));
        val_set_str(arena, row, S("created"), VAL_STR(it.value, "metadata", "creationTimestamp"));
        str environment = object_label(it.value, S("taut.dev/environment"));
        str namespaces = web_secret_text(arena, it.value, S("namespaces"));
        if (environment.len > 0)
            val_set_str(arena, row, S("environment"), environment);
        if (namespaces.len > 0)
            val_set_str(arena, row, S("namespaces"), namespaces);
        val_set(arena, row, S("editable"), val_bool(true));
    }
    web_reply_val(call, 200, list);
}

void web_list_clusters(struct web_call *call, web_next_fn *then)
{
    web_kube(call,
             &(struct kube_request){.verb = KUBE_LIST,
                                    .gvr = web_gvr_secrets,
                                    .namespace_ = control(call),
                                    .label_selector = S(WEB_SECRET_TYPE_LABEL "=cluster")},
             then);
}

void web_cluster_list(struct web_call *call)
{
    web_list_clusters(call, on_listed);
}

/* ---- add: {name, kubeconfig, context?} or {name, server, config: {…Argo CD's cluster config…}},
 * and environment?, namespaces? ---- */

struct cluster_new {
    str server;
    struct val *config;
};

static void on_created(struct web_call *call, struct kube_response *response)
{
    if (!response->ok) {
        web_reply_kube(call, response, "adding the cluster");
        return;
    }
    struct val *row = val_new(call->arena, val_map());
    val_set_str(call->arena, row, S("name"), web_body_str(call, S("name")));
    val_set_str(call->arena, row, S("server"), ((struct cluster_new *)call->state)->server);
    web_reply_val(call, 201, row);
}

static struct val *new_object(struct web_call *call)
{
    const struct cluster_new *new = call->state;
    struct arena *arena = call->arena;
    str name = web_body_str(call, S("name"));
    str environment = web_body_str(call, S("environment"));
    str namespaces = web_body_str(call, S("namespaces"));
    struct val *object = web_object(arena, "v1", "Secret", arena_join(arena, S("cluster-"), name),
                                    control(call));
    struct val *labels = val_ensure_map(arena, val_get(object, S("metadata")), S("labels"));
    struct val *data = val_ensure_map(arena, object, S("data"));

    val_set_str(arena, labels, S(WEB_SECRET_TYPE_LABEL), S("cluster"));
    if (environment.len > 0)
        val_set_str(arena, labels, S("taut.dev/environment"), environment);
    val_set_str(arena, data, S("name"), base64_encode(arena, name));
    val_set_str(arena, data, S("server"), base64_encode(arena, new->server));
    val_set_str(arena, data, S("config"),
                base64_encode(arena, json_text(arena, new->config, JSON_COMPACT)));
    if (namespaces.len > 0)
        val_set_str(arena, data, S("namespaces"), base64_encode(arena, namespaces));
    return object;
}

static void on_checked(struct web_call *call, struct kube_response *response)
{
    struct arena *arena = call->arena;
    const struct cluster_new *new = call->state;
    str name = web_body_str(call, S("name"));

    if (!response->ok) {
        web_reply_kube(call, response, "adding the cluster");
        return;
    }
    struct val_iter it = val_iter(val_get(response->object, S("items")));
    while (val_next(&it)) {
        if (str_eq(web_cluster_name(call, it.value), name)) {
            web_fail(call, ERR_EXISTS, "the cluster '%.*s' exists already", STR(name));
            return;
        }
        if (str_eq(web_secret_text(arena, it.value, S("server")), new->server)) {
            web_fail(call, ERR_EXISTS, "this server is added already, as the cluster '%.*s'",
                     STR(web_cluster_name(call, it.value)));
            return;
        }
    }
    web_kube(call,
             &(struct kube_request){.verb = KUBE_CREATE,
                                    .gvr = web_gvr_secrets,
                                    .namespace_ = control(call),
                                    .body = new_object(call)},
             on_created);
}

void web_cluster_create(struct web_call *call)
{
    struct cluster_new *new = arena_new0(call->arena, struct cluster_new);
    struct err err = {0};
    str name = web_body_str(call, S("name"));

    call->state = new;
    if (!web_check_name(S("a cluster"), name, &err) ||
        !web_cluster_access(call, &new->server, &new->config, &err))
        web_reply_err(call, &err);
    else if (str_eq(name, S("in-cluster")) || str_eq(name, S("home")) || str_eq(name, S("sandbox")))
        web_fail(call, ERR_INVALID, "the name '%.*s' is reserved", STR(name));
    else if (!str_starts(new->server, S("https://")) && !str_starts(new->server, S("http://")))
        web_fail(call, ERR_INVALID, "the cluster's server must be an https:// or http:// URL");
    else if (!val_is(new->config, VAL_MAP))
        web_fail(call, ERR_INVALID, "the cluster's config is missing");
    else
        web_list_clusters(call, on_checked);
}

/* ---- delete: refused while a deployment names it ---- */

static void on_deleted(struct web_call *call, struct kube_response *response)
{
    if (!response->ok) {
        web_reply_kube(call, response, "removing the cluster");
        return;
    }
    struct val *done = val_new(call->arena, val_map());
    val_set_str(call->arena, done, S("name"), call->params[0]);
    web_reply_val(call, 200, done);
}

struct cluster_state {
    str secret;
    str server;
};

static void on_users(struct web_call *call, struct kube_response *response)
{
    struct cluster_state *state = call->state;
    struct val_iter it = val_iter(val_get(response->object, S("items")));

    if (!response->ok) {
        web_reply_kube(call, response, "looking for deployments on the cluster");
        return;
    }
    while (val_next(&it)) {
        const struct val *to = VAL_AT(it.value, "spec", "destination");
        if (str_eq(val_get_str(to, S("name")), call->params[0]) ||
            (state->server.len > 0 && str_eq(val_get_str(to, S("server")), state->server))) {
            web_fail(call, ERR_CONFLICT,
                     "the cluster is used by the continuous deployment '%.*s'; delete it first, "
                     "or move it",
                     STR(object_name(it.value)));
            return;
        }
    }
    web_kube(call,
             &(struct kube_request){.verb = KUBE_DELETE,
                                    .gvr = web_gvr_secrets,
                                    .namespace_ = control(call),
                                    .name = state->secret},
             on_deleted);
}

static void on_deleting(struct web_call *call, struct kube_response *response)
{
    struct cluster_state *state = call->state;
    struct val_iter it = val_iter(val_get(response->object, S("items")));

    if (!response->ok) {
        web_reply_kube(call, response, "removing the cluster");
        return;
    }
    while (val_next(&it)) {
        if (web_is_cluster(it.value) && str_eq(web_cluster_name(call, it.value), call->params[0])) {
            state->secret = arena_str(call->arena, object_name(it.value));
            state->server = web_secret_text(call->arena, it.value, S("server"));
        }
    }
    if (state->secret.len == 0)
        web_fail(call, ERR_NOT_FOUND, "there is no cluster '%.*s' that could be removed",
                 STR(call->params[0]));
    else
        web_kube(call, &(struct kube_request){.verb = KUBE_LIST, .gvr = web_gvr_applications},
                 on_users);
}

void web_cluster_delete(struct web_call *call)
{
    call->state = arena_new0(call->arena, struct cluster_state);
    web_list_clusters(call, on_deleting);
}

/* ---- test ---- */

static void on_answer(void *owner, const struct val *answer, const struct err *err)
{
    struct web_call *call = owner;

    call->ask = NULL;
    if (err != NULL) {
        web_reply_err(call, err);
        return;
    }
    web_reply_val(call, 200, answer);
}

void web_cluster_test(struct web_call *call)
{
    struct engine *engine = call->web->options.engine;

    if (engine == NULL)
        web_fail(call, ERR_UNAVAILABLE, "the server is still starting");
    else
        call->ask = engine_cluster_check(engine, call->params[0], on_answer, call);
}
