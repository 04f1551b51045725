/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The start, as steps of the loop: no other controller on a real home → users → the kubeconfig's
 * token (the one that is there, or a new one) → engine → ready.
 */
#include "base/log.h"
#include "cli/kubeconfig_file.h"
#include "cli/server.h"
#include "engine/engine.h"
#include "io/http_server.h"
#include "io/listen.h"

#define TOKEN_POLL_MS 10

static void start_users(struct server *server);

str server_kubeconfig_path(const struct server *server)
{
    return arena_printf(server->arena, "%s/admin.kubeconfig", server->dir);
}

str server_url(const struct server *server, struct arena *arena)
{
    return listen_url(arena, server->options.listen, http_server_port(server->tls));
}

/* ---- 4. the engine ---- */

static void on_engine(void *owner, const struct err *err)
{
    struct server *server = owner;
    struct err copy;

    if (err != NULL) {
        copy = *err;
        if (copy.code == ERR_FORBIDDEN)
            err_wrap(&copy, "Taut's account may not prepare the home cluster; let one who may run "
                            "`taut help --crds | kubectl apply --server-side -f -`");
        else
            err_wrap(&copy, "the engine");
        server_fail(server, &copy);
        return;
    }
    web_set_engine(server->web, server->engine);
    web_set_ready(server->web, true);
    server_stage(server, "engine");
    if (server->ready != NULL)
        server->ready(server, server->ready_owner);
}

static void start_engine(struct server *server)
{
    struct engine_options options = {
            .loop = server->loop,
            .home = server->home,
            .sandbox = server->sandbox,
            .home_is_cluster = server->home_server == NULL,
            .source = server->source,
            .data_dir = server->dir,
            .control_namespace = server->options.control_namespace,
    };

    server->engine = engine_new(&options);
    engine_start(server->engine, on_engine, server);
}

/* ---- 3. the kubeconfig ---- */

/* A new token counts once the watch of users has brought it. */
static void on_token_poll(void *owner)
{
    struct server *server = owner;
    struct auth_user user;

    if (!auth_check_token(server->auth, secret_reveal(server->token), &user, NULL)) {
        loop_timer_start(server->token_timer, TOKEN_POLL_MS);
        return;
    }
    secret_free(TAKE(server->token));
    start_engine(server);
}

static void use_token(struct server *server, const struct secret *token)
{
    struct arena *arena = server->arena;
    str url = server_url(server, arena);
    struct err err = {0};
    const struct kubeconfig_context contexts[] = {
            {"home", url},
            {"sandbox", arena_join(arena, url, S("/clusters/sandbox"))},
    };
    struct kubeconfig_file file = {
            .path = server_kubeconfig_path(server),
            /* With a certificate of one's own, the machine's authorities vouch for it. */
            .ca_pem = str_from(server->pki.ca_pem),
            .token = secret_reveal(token),
            .contexts = contexts,
            .context_count = server->sandbox_server != NULL ? 2 : 1,
    };

    if (!kubeconfig_file_write(&file, &err)) {
        server_fail(server, &err);
        return;
    }
    server->token = secret_dup(token);
    server->token_timer = loop_timer_new(server->loop, "token", on_token_poll, server);
    loop_timer_start(server->token_timer, 0);
}

static void on_token(void *owner, const struct secret *token, const struct err *err)
{
    struct server *server = owner;

    if (err != NULL)
        server_fail(server, err);
    else
        use_token(server, token);
}

static void start_token(struct server *server)
{
    auto_secret struct secret *token = kubeconfig_file_token(server_kubeconfig_path(server));
    struct auth_user user;

    if (token != NULL && auth_check_token(server->auth, secret_reveal(token), &user, NULL))
        use_token(server, token); /* written again: the port or the CA may have changed */
    else
        auth_make_token(server->auth, S("admin"), S("admin-kubeconfig"), on_token, server);
}

/* ---- 2. users ---- */

static void on_users(void *owner, const struct auth_first *first, const struct err *err)
{
    struct server *server = owner;

    if (err != NULL) {
        server_fail(server, err);
        return;
    }
    if (first->password != NULL && !server->options.keeps_sign_ins) {
        str password = secret_reveal(first->password);
        printf("\nThe administrator's password, shown this once:\n  user admin, password %.*s\n\n",
               STR(password));
        fflush(stdout);
    }
    server_stage(server, "users");
    start_token(server);
}

static void start_users(struct server *server)
{
    auth_start(server->auth, on_users, server);
}

/* ---- 1. nobody else may be at work on a real home ---- */

static const struct gvr controllers[] = {
        {S_INIT("apps"), S_INIT("v1"), S_INIT("statefulsets")},
        {S_INIT("apps"), S_INIT("v1"), S_INIT("deployments")},
};

static void look_for_controllers(struct server *server);

static void on_controllers(void *owner, struct kube_response *response)
{
    struct server *server = owner;
    struct val_iter it = val_iter(val_get(response->object, S("items")));
    struct err err = {0};

    server->call = NULL;
    if (!response->ok && response->err.code != ERR_NOT_FOUND) {
        err_wrap(&response->err, "looking for an Argo CD controller on the home cluster");
        server_fail(server, &response->err);
        return;
    }
    while (val_next(&it)) {
        if (val_i64_or(VAL_AT(it.value, "spec", "replicas"), 1) == 0)
            continue;
        err_set(&err, ERR_CONFLICT,
                "an Argo CD controller runs on the home cluster: %.*s/%.*s. Two controllers would "
                "fight over the same applications. Scale it to 0 replicas, or give Taut another "
                "namespace with --control-namespace",
                STR(object_namespace(it.value)), STR(object_name(it.value)));
        server_fail(server, &err);
        return;
    }
    server->refusals++;
    look_for_controllers(server);
}

static void look_for_controllers(struct server *server)
{
    if (server->home_server != NULL || server->refusals == (int)COUNT(controllers)) {
        start_users(server);
        return;
    }
    struct kube_request request = {
            .verb = KUBE_LIST,
            .gvr = controllers[server->refusals],
            .namespace_ = server->options.control_namespace,
            .label_selector = S("app.kubernetes.io/name=argocd-application-controller"),
    };
    server->call = kube_start(server->home, &request, on_controllers, server);
}

void server_start(struct server *server)
{
    look_for_controllers(server);
}
