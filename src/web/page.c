/* SPDX-License-Identifier: Apache-2.0 */
/* What needs no token: the first page, liveness, readiness, this API's description; and metrics. */
#include "base/clock.h"
#include "doc/json.h"
#include "engine/engine.h"
#include "web/assets.h"
#include "web/call.h"

static const char page_text[] =
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
        "<title>Taut</title>\n</head>\n<body>\n<h1>Taut %s</h1>\n"
        "<p>Taut keeps Kubernetes clusters taut to Git. This server was built without the web "
        "console.</p>\n"
        "<p>What works: the command line (<code>taut --help</code>), kubectl on this port, and the "
        "API described at <a href=\"taut/v1/openapi.json\">taut/v1/openapi.json</a>.</p>\n"
        "<p>The administrator's kubeconfig is on the server's machine: <code>%s</code></p>\n"
        "</body>\n</html>\n";

/* Our own path may hold any character that a folder can. */
static str escape_html(struct arena *arena, str text)
{
    auto_buf struct buf out = {0};

    buf_init(&out, LIMIT_MIB);
    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];
        if (c == '<' || c == '>' || c == '&' || c == '"' || c == '\'')
            buf_addf(&out, "&#%d;", c);
        else
            buf_addc(&out, c);
    }
    return arena_str(arena, buf_str(&out));
}

/* The console's files and pages; also for every path that no route has. */
void web_page(struct web_call *call)
{
    if (asset_count > 0 && !str_starts(call->request->path, S("/taut/"))) {
        struct http_request *request = web_take_request(call);
        if (!assets_serve(request))
            http_reply_text(request, 404, S("text/plain; charset=utf-8"),
                            S("there is nothing at this path\n"));
        return;
    }
    if (!str_eq(call->request->path, S("/"))) {
        web_fail(call, ERR_NOT_FOUND, "there is nothing at this path");
        return;
    }
    str path = escape_html(call->arena, call->web->options.kubeconfig_path);
    const char *path_z = arena_z(call->arena, path);
    web_reply_bytes(call, 200, S("text/html; charset=utf-8"),
                    arena_printf(call->arena, page_text, TAUT_VERSION, path_z));
}

void web_livez(struct web_call *call)
{
    web_reply_bytes(call, 200, S("text/plain; charset=utf-8"), S("ok"));
}

void web_readyz(struct web_call *call)
{
    if (call->web->ready)
        web_reply_bytes(call, 200, S("text/plain; charset=utf-8"), S("ok"));
    else
        web_fail(call, ERR_UNAVAILABLE, "the server is still starting");
}

void web_metrics(struct web_call *call)
{
    struct web *web = call->web;
    size_t apps = web->options.engine == NULL ? 0 : engine_app_count(web->options.engine);

    web_reply_bytes(
            call, 200, S("text/plain; version=0.0.4; charset=utf-8"),
            arena_printf(call->arena,
                         "# TYPE taut_info gauge\ntaut_info{version=\"%s\"} 1\n"
                         "# TYPE taut_uptime_seconds counter\ntaut_uptime_seconds %.3f\n"
                         "# TYPE taut_applications gauge\ntaut_applications %zu\n"
                         "# TYPE taut_http_requests_total counter\ntaut_http_requests_total %llu\n"
                         "# TYPE taut_http_failures_total counter\ntaut_http_failures_total %llu\n",
                         TAUT_VERSION, (double)(clock_mono_ms() - web->started_ms) / 1000.0, apps,
                         (unsigned long long)web->requests, (unsigned long long)web->failures));
}
