/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/client.h"
#include "base/log.h"
#include "base/mem.h"
#include "cli/paths.h"
#include "doc/json.h"
#include "io/http_client.h"
#include "kube/kubeconfig.h"
#include "kube/remote.h"
#include <stdarg.h>

#define CALL_TIMEOUT_MS 120000

struct client {
    struct cli *cli;
    struct loop *loop;
    struct http_client *http;
    struct kubeconfig *config;
    struct kube *kube; /* NULL: nothing was watched yet */
    struct arena *arena;
};

struct answer {
    struct arena *arena;
    struct val *value;
    struct err err;
    bool ok;
    bool done;
};

void client_free(struct client *client)
{
    if (client == NULL)
        return;
    http_client_free(client->http);
    kube_free(client->kube);
    kubeconfig_free(client->config);
    loop_free(client->loop);
    arena_free(client->arena);
    mem_free(client);
}

static bool load_config(struct cli *cli, struct arena *arena, struct kubeconfig **ret,
                        struct err *err)
{
    bool other = cli_has_flag(cli, "server-kubeconfig"); /* --kubeconfig is something else here */
    str path = cli_text(cli, other ? "server-kubeconfig" : "kubeconfig");
    str context = other ? STR_EMPTY : cli_text(cli, "context");
    struct err second = {0};

    if (path.len == 0)
        path = path_kubeconfig(arena);
    if (path.len == 0)
        return err_set(err, ERR_INVALID,
                       "no server is known: start one with 'taut serve', or name its kubeconfig by "
                       "--kubeconfig or TAUT_KUBECONFIG");
    if (context.len > 0)
        return kubeconfig_load(arena_z(arena, path), context, ret, err);
    /* A server's own kubeconfig calls its API `home`, whatever kubectl's current context is. */
    return kubeconfig_load(arena_z(arena, path), S("home"), ret, &second) ||
           kubeconfig_load(arena_z(arena, path), STR_EMPTY, ret, err);
}

bool client_open(struct cli *cli, struct client **ret_client, struct err *err)
{
    auto_client struct client *client = new0(struct client);
    auto_kubeconfig struct kubeconfig *config = NULL;

    log_set_level(LOG_ERROR); /* whom would a slow turn of this loop keep waiting? */
    client->cli = cli;
    client->arena = arena_new(LIMIT_MIB);
    if (!load_config(cli, client->arena, &config, err))
        return false;
    client->loop = loop_new();
    struct http_client_options options = {
            .name = S("the server"),
            .url = config->server,
            .ca_pem = config->ca_pem,
            .cert_pem = config->cert_pem,
            .key_pem = config->key_pem,
            .bearer = config->bearer,
            .username = config->username,
            .password = config->password,
            .insecure = config->insecure,
            .server_name = config->server_name,
            .proxy_url = config->proxy_url,
            .user_agent = S("taut/" TAUT_VERSION),
    };
    if (!http_client_new(client->loop, &options, &client->http, err))
        return false;
    client->config = TAKE(config);
    *ret_client = TAKE(client);
    return true;
}

/* The server's sentence from a Status; the code from its reason, for 409 has two meanings. */
static void take_refusal(struct answer *answer, const struct http_client_response *response)
{
    str message = val_get_str(answer->value, S("message"));
    str reason = val_get_str(answer->value, S("reason"));
    enum err_code code = err_code_from_http(response->status);

    if (str_eq(reason, S("AlreadyExists")))
        code = ERR_EXISTS;
    if (message.len > 0)
        err_set(&answer->err, code, "%.*s", STR(message));
    else
        err_set(&answer->err, code, "the server answers with status %d: %.*s", response->status,
                STR(str_trim(str_first(response->body, 500))));
}

static void on_answer(void *owner, struct http_client_response *response)
{
    struct answer *answer = owner;
    str body = str_trim(response->body);
    bool is_json = body.len > 0 && (body.at[0] == '{' || body.at[0] == '[');

    answer->done = true;
    if (!response->answered) {
        answer->err = response->err;
        return;
    }
    if (is_json && !json_parse(answer->arena, body, NULL, &answer->value, &answer->err)) {
        err_wrap(&answer->err, "the server's answer");
        return;
    }
    if (response->status >= 200 && response->status < 300)
        answer->ok = true;
    else
        take_refusal(answer, response);
}

static bool call(struct client *client, struct answer *answer, struct http_client_request *request,
                 struct val **ret_answer, struct err *err)
{
    request->accept = S("application/json");
    request->timeout_ms = CALL_TIMEOUT_MS;
    request->max_bytes = LIMIT_RESPONSE_BYTES;
    struct http_call *http = http_start(client->http, request, on_answer, answer);
    if (!loop_run_until(client->loop, &answer->done, CALL_TIMEOUT_MS + 5000)) {
        http_cancel(http);
        return err_set(err, ERR_TIMEOUT, "the server does not answer");
    }
    if (!answer->ok) {
        if (err != NULL)
            *err = answer->err;
        return false;
    }
    if (ret_answer != NULL)
        *ret_answer = answer->value;
    return true;
}

bool client_call(struct client *client, struct arena *arena, const char *method, str path,
                 const struct val *body, struct val **ret_answer, struct err *err)
{
    struct answer answer = {.arena = arena};
    struct http_client_request request = {
            .method = str_from(method),
            .path = path,
            .content_type = body != NULL ? S("application/json") : STR_EMPTY,
            .body = body != NULL ? json_text(arena, body, JSON_COMPACT) : STR_EMPTY,
            .idempotent = str_eq(str_from(method), S("GET")),
    };

    return call(client, &answer, &request, ret_answer, err);
}

bool client_merge(struct client *client, struct arena *arena, str path, const struct val *patch,
                  struct val **ret_answer, struct err *err)
{
    struct answer answer = {.arena = arena};
    struct http_client_request request = {
            .method = S("PATCH"),
            .path = path,
            .content_type = S("application/merge-patch+json"),
            .body = json_text(arena, patch, JSON_COMPACT),
    };

    return call(client, &answer, &request, ret_answer, err);
}

str client_escape(struct arena *arena, str text)
{
    static const char digits[] = "0123456789ABCDEF";
    char *to = arena_bytes(arena, text.len * 3 + 1);
    size_t len = 0;

    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.at[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     c == '-' || c == '_' || c == '.' || c == '~';
        if (plain) {
            to[len++] = (char)c;
        } else {
            to[len++] = '%';
            to[len++] = digits[c >> 4];
            to[len++] = digits[c & 15];
        }
    }
    to[len] = '\0';
    return str_of(to, len);
}

void client_sleep(struct client *client, int64_t ms)
{
    bool never = false;
    (void)loop_run_until(client->loop, &never, ms);
}

bool client_kube(struct client *client, struct kube **ret_kube, struct err *err)
{
    if (client->kube == NULL &&
        !kube_remote_new(client->loop, S("the server"), client->config, &client->kube, err))
        return false;
    *ret_kube = client->kube;
    return true;
}

void client_run(struct client *client, const bool *done, int64_t ms)
{
    (void)!loop_run_until(client->loop, done, ms);
}

str client_devops_path(struct client *client, struct arena *arena, const char *format, ...)
{
    char rest[1024];
    va_list args;

    va_start(args, format);
    vsnprintf(rest, sizeof(rest), format, args);
    va_end(args);
    str devops = client_escape(arena, cli_text(client->cli, "devops"));
    return arena_printf(arena, "/taut/v1/devops/%.*s%s", STR(devops), rest);
}

bool client_devops_namespace(struct client *client, struct arena *arena, str *ret_namespace,
                             struct err *err)
{
    struct val *devops = NULL;
    str name = cli_text(client->cli, "devops");

    /* Any other DevOps Project is the namespace of its name. */
    if (!str_eq(name, S("default"))) {
        *ret_namespace = name;
        return true;
    }
    if (!client_call(client, arena, "GET", S("/taut/v1/status"), NULL, &devops, err))
        return false;
    *ret_namespace = val_get_str(devops, S("controlNamespace"));
    return true;
}
