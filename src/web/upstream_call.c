/* SPDX-License-Identifier: Apache-2.0 */
#include "web/upstream_call.h"
#include "base/mem.h"
#include "io/http_client.h"

#define TIMEOUT_MS 60000

struct upstream_client {
    struct http_client *http;
};

struct upstream_call {
    struct http_call *http;
    upstream_part_fn *part;
    upstream_done_fn *done;
    void *owner;
};

bool upstream_client_new(struct loop *loop, str name, const struct kubeconfig *config,
                         struct upstream_client **ret, struct err *err)
{
    struct upstream_client *client = new0(struct upstream_client);
    auto_secret struct secret *token = NULL;
    struct http_client_options options = {
            .name = name,
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
            .user_agent = S("taut"),
    };
    bool ok = true;

    if (config->token_file.len > 0) {
        ok = kubeconfig_read_token(config, &token, err);
        options.bearer = token;
    }
    if (!ok || !http_client_new(loop, &options, &client->http, err)) {
        mem_free(client);
        return false;
    }
    *ret = client;
    return true;
}

void upstream_client_free(struct upstream_client *client)
{
    if (client == NULL)
        return;
    http_client_free(client->http);
    mem_free(client);
}

static size_t on_body(void *owner, int status, str bytes)
{
    struct upstream_call *call = owner;

    call->part(call->owner, status, bytes);
    return bytes.len;
}

static void on_done(void *owner, struct http_client_response *response)
{
    struct upstream_call *call = owner;
    struct upstream_answer answer = {
            .answered = response->answered,
            .status = response->status,
            .content_type = response->content_type,
            .body = response->body,
            .err = response->err,
    };

    call->done(call->owner, &answer);
    mem_free(call);
}

struct upstream_call *upstream_start(struct upstream_client *client, const struct upstream_ask *ask,
                                     upstream_part_fn *part, upstream_done_fn *done, void *owner)
{
    struct upstream_call *call = new0(struct upstream_call);
    struct http_client_request request = {
            .method = ask->method,
            .path = ask->path,
            .accept = ask->accept,
            .content_type = ask->content_type,
            .body = ask->body,
            .on_body = ask->is_stream ? on_body : NULL,
            .timeout_ms = ask->is_stream ? 0 : TIMEOUT_MS,
            .max_bytes = LIMIT_RESPONSE_BYTES,
            .want_gzip = !ask->is_stream,
    };

    call->part = part;
    call->done = done;
    call->owner = owner;
    call->http = http_start(client->http, &request, on_done, call);
    return call;
}

void upstream_cancel(struct upstream_call *call)
{
    if (call == NULL)
        return;
    http_cancel(call->http);
    mem_free(call);
}
