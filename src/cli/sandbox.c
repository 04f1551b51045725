/* SPDX-License-Identifier: Apache-2.0 */
/* taut sandbox: the built-in simulated cluster alone, for kubectl and for tests of other programs.
 */
#include "sandbox/sandbox.h"
#include "apiserver/embedded.h"
#include "apiserver/http.h"
#include "base/buf.h"
#include "base/fd.h"
#include "cli/cli.h"
#include "cli/kubeconfig_file.h"
#include "cli/paths.h"
#include "doc/hash.h"
#include "io/listen.h"
#include "io/pki.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/random.h>

struct alone {
    struct arena *arena;
    const char *dir;
    int lock;
    struct loop *loop;
    struct pki pki;
    struct apiserver *server;
    struct kube *kube;
    struct sandbox *life;
    struct http_server *http;
    struct secret *token;
    struct loop_watch *signals[2];
};

static void on_signal(void *owner)
{
    loop_stop(((struct alone *)owner)->loop);
}

static void handle(void *owner, struct http_request *request)
{
    static const str groups[] = {S_INIT("system:masters")};
    static const struct apiserver_user user = {S_INIT("system:admin"), groups, COUNT(groups)};
    struct alone *alone = owner;
    str token = http_header(request, S("Authorization"));

    if (str_eq(request->path, S("/readyz")) || str_eq(request->path, S("/livez")))
        http_reply_text(request, 200, S("text/plain"), S("ok"));
    else if (!str_skip(&token, S("Bearer ")) || !secret_equals(alone->token, str_trim(token)))
        http_reply_text(
                request, 401, S("application/json"),
                S("{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"status\":\"Failure\","
                  "\"message\":\"Unauthorized\",\"reason\":\"Unauthorized\",\"code\":401}"));
    else if (!apiserver_serves(request->path))
        http_reply_text(request, 404, S("text/plain"), S("there is nothing at this path\n"));
    else
        apiserver_http(alone->server, request, request->path, &user);
}

static bool make_token(struct alone *alone, struct err *err)
{
    unsigned char bytes[32];

    if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
        return err_set(err, ERR_IO, "no random bytes: %s", strerror(errno));
    auto_arena struct arena *arena = arena_new(LIMIT_MIB);
    alone->token = secret_new(hex_encode(arena, str_of((const char *)bytes, sizeof(bytes))));
    secret_wipe(bytes, sizeof(bytes));
    return true;
}

static bool open_alone(struct cli *cli, struct alone *alone, struct err *err)
{
    str listen = cli_text(cli, "listen");
    str host;
    uint16_t port = 0;

    if (!listen_split(listen, &host, &port, err) || !path_make_dir(str_from(alone->dir), err))
        return false;
    alone->lock = open(arena_printf(alone->arena, "%s/lock", alone->dir).at,
                       O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (alone->lock < 0 || flock(alone->lock, LOCK_EX | LOCK_NB) < 0)
        return err_set(err, ERR_CONFLICT, "the data folder '%s' is in use: %s", alone->dir,
                       strerror(errno));
    struct apiserver_options options = {
            .name = "sandbox",
            .path = arena_printf(alone->arena, "%s/sandbox.db", alone->dir).at,
            .sync = SYNC_NORMAL,
            .kinds = APISERVER_SANDBOX};
    if (!pki_load(&alone->pki, arena_printf(alone->arena, "%s/pki", alone->dir).at, &host,
                  host.len > 0 ? 1 : 0, err) ||
        !make_token(alone, err) || !apiserver_new(alone->loop, &options, &alone->server, err))
        return false;
    alone->kube = apiserver_kube(alone->server);
    alone->life = sandbox_new(alone->kube, NULL);
    struct http_server_options http = {.listen = listen,
                                       .cert_pem = str_from(alone->pki.cert_pem),
                                       .key_pem = secret_reveal(alone->pki.key_pem)};
    alone->http = http_server_new(alone->loop, &http, handle, alone, err);
    return alone->http != NULL;
}

static bool write_kubeconfig(struct cli *cli, struct alone *alone, struct err *err)
{
    struct kubeconfig_context context = {
            .name = "sandbox",
            .server = listen_url(alone->arena, cli_text(cli, "listen"),
                                 http_server_port(alone->http)),
    };
    struct kubeconfig_file file = {
            .path = arena_printf(alone->arena, "%s/sandbox.kubeconfig", alone->dir),
            .ca_pem = str_from(alone->pki.ca_pem),
            .token = secret_reveal(alone->token),
            .contexts = &context,
            .context_count = 1,
    };

    if (!kubeconfig_file_write(&file, err))
        return false;
    printf("The sandbox, a simulated cluster, serves %.*s\nkubeconfig: %.*s\n", STR(context.server),
           STR(file.path));
    fflush(stdout);
    return true;
}

static void close_alone(struct alone *alone)
{
    http_server_free(alone->http);
    sandbox_free(alone->life);
    if (alone->kube != NULL)
        kube_free(alone->kube);
    if (alone->server != NULL)
        apiserver_free(alone->server);
    for (size_t i = 0; i < COUNT(alone->signals); i++)
        loop_watch_free(alone->signals[i]);
    loop_free(alone->loop);
    secret_free(alone->token);
    pki_done(&alone->pki);
    fd_close(&alone->lock);
    arena_free(alone->arena);
}

static int run(struct cli *cli)
{
    struct alone alone = {.arena = arena_new(16 * LIMIT_MIB), .lock = -1};
    struct err err = {0};
    str dir = cli_is_set(cli, "data")
                      ? cli_text(cli, "data")
                      : arena_join(alone.arena, path_data_dir(alone.arena, false), S("-sandbox"));

    signal(SIGPIPE, SIG_IGN);
    alone.dir = arena_z(alone.arena, dir);
    alone.loop = loop_new();
    alone.signals[0] = loop_signal_new(alone.loop, SIGTERM, on_signal, &alone);
    alone.signals[1] = loop_signal_new(alone.loop, SIGINT, on_signal, &alone);
    bool ok = open_alone(cli, &alone, &err) && write_kubeconfig(cli, &alone, &err);
    if (ok)
        loop_run(alone.loop);
    close_alone(&alone);
    return ok ? CLI_OK : cli_fail(cli, &err);
}

static const struct cli_flag flags[] = {
        {"listen", CLI_TEXT, "ADDR:PORT", "Where to serve, with TLS.", "127.0.0.1:9444", 0, false,
         NULL},
        {"data", CLI_TEXT, "DIR", "Its data folder.", NULL, 0, false, NULL},
};

static const struct cli_command commands[] = {{
        .name = "",
        .args = "",
        .summary = "Run the simulated cluster alone",
        .text = "It behaves as a Kubernetes API with one node on which nothing really runs. It is "
                "no place\nfor production.",
        .example = "taut sandbox --listen 127.0.0.1:9444",
        .flags = flags,
        .flag_count = COUNT(flags),
        .run = run,
}};

const struct cli_verb cli_verb_sandbox = {
        .name = "sandbox",
        .summary = "Run the simulated cluster alone",
        .commands = commands,
        .command_count = COUNT(commands),
};
