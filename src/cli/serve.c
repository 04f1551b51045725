/* SPDX-License-Identifier: Apache-2.0 */
/* taut serve: the server. */
#include "cli/cli.h"
#include "cli/demo.h"
#include "cli/paths.h"
#include "cli/server.h"
#include "doc/json.h"
#include "engine/engine.h"
#include "io/listen.h"

#include <unistd.h>

static void tell(struct server *server, UNUSED void *owner)
{
    auto_arena struct arena *arena = arena_new(LIMIT_MIB);
    str url = server_url(server, arena);

    printf("Taut %s serves %.*s\n", TAUT_VERSION, STR(url));
    if (server->plain != NULL)
        printf("plain HTTP on port %u\n", http_server_port(server->plain));
    printf("kubeconfig: %.*s (contexts home%s)\n", STR(server_kubeconfig_path(server)),
           server->sandbox_server != NULL ? ", sandbox" : "");
    fflush(stdout);
}

static bool check_flags(struct cli *cli, struct server_options *options, struct err *err)
{
    str host;
    uint16_t port = 0;

    if ((options->tls_cert.len > 0) != (options->tls_key.len > 0))
        return err_set(err, ERR_INVALID, "--tls-cert and --tls-key belong together");
    if (!listen_split(options->listen, &host, &port, err))
        return err_wrap(err, "--listen");
    bool is_public = !listen_is_loopback(host);
    if (options->http.len > 0 && !listen_split(options->http, &host, &port, err))
        return err_wrap(err, "--http");
    str allow = str_from(getenv("TAUT_DEMO_PUBLIC"));
    if (cli_switch(cli, "demo") && is_public && !str_eq(allow, S("yes")))
        return err_set(err, ERR_INVALID,
                       "the demo listens on loopback only; set TAUT_DEMO_PUBLIC=yes if everybody "
                       "who reaches this machine may reach it");
    return true;
}

/* Processes of ours have another working directory, and so may who reads what we print. */
static str absolute(struct arena *arena, str path)
{
    char here[4096];

    if (str_is_empty(path) || str_starts(path, S("/")) || getcwd(here, sizeof(here)) == NULL)
        return path;
    return arena_printf(arena, "%s/%.*s", here, STR(path));
}

/* For a home cluster where Taut may not define kinds itself. */
static int print_crds(struct cli *cli)
{
    auto_arena struct arena *arena = arena_new(64 * LIMIT_MIB);
    struct val list = val_map();

    val_set_str(arena, &list, S("apiVersion"), S("v1"));
    val_set_str(arena, &list, S("kind"), S("List"));
    val_set(arena, &list, S("items"), *engine_crds(arena));
    fprintf(cli_out(cli), "%.*s\n", STR(json_text(arena, &list, JSON_PRETTY)));
    return CLI_OK;
}

static int run(struct cli *cli)
{
    auto_arena struct arena *arena = arena_new(LIMIT_MIB);
    bool demo = cli_switch(cli, "demo");
    struct server server;
    struct err err = {0};
    struct server_options options = {
            .data_dir = cli_is_set(cli, "data") ? absolute(arena, cli_text(cli, "data"))
                                                : path_data_dir(arena, demo),
            .listen = cli_text(cli, "listen"),
            .http = cli_text(cli, "http"),
            .home = cli_text(cli, "home"),
            .home_context = cli_text(cli, "home-context"),
            .file_repos = absolute(arena, cli_text(cli, "file-repos")),
            .control_namespace = cli_text(cli, "control-namespace"),
            .tls_cert = cli_text(cli, "tls-cert"),
            .tls_key = cli_text(cli, "tls-key"),
            .sandbox = cli_switch(cli, "sandbox") || demo,
    };

    if (cli_switch(cli, "print-crds"))
        return print_crds(cli);
    if (!check_flags(cli, &options, &err))
        return cli_fail_usage(cli, "%s", err.message);
    if (demo)
        return demo_run(cli, &options);
    bool ok = server_open(&server, &options, &err);
    server.ready = tell;
    ok = ok && server_run(&server, &err);
    server_close(&server);
    return ok ? CLI_OK : cli_fail(cli, &err);
}

static const struct cli_flag flags[] = {
        {"data", CLI_TEXT, "DIR",
         "The data folder: database, certificates, Git caches. Else TAUT_DATA, else "
         "~/.local/share/taut.",
         NULL, 0, false, NULL},
        {"listen", CLI_TEXT, "ADDR:PORT", "Where to serve, always with TLS.", "127.0.0.1:9443", 0,
         false, NULL},
        {"http", CLI_TEXT, "ADDR:PORT", "A plain port too, for a browser on loopback or a proxy.",
         NULL, 0, false, NULL},
        {"home", CLI_TEXT, "KUBECONFIG",
         "Keep Taut's objects in this real cluster instead of the data folder.", NULL, 0, false,
         NULL},
        {"home-context", CLI_TEXT, "NAME", "Context of --home.", NULL, 0, false, NULL},
        {"sandbox", CLI_SWITCH, NULL, "Add the built-in simulated cluster.", "false", 0, false,
         NULL},
        {"demo", CLI_SWITCH, NULL, "Sandbox, sample repository and four sample deployments.",
         "false", 0, false, NULL},
        {"file-repos", CLI_TEXT, "DIR", "Allow file:// repositories below this folder.", NULL, 0,
         false, NULL},
        {"control-namespace", CLI_TEXT, "NS", "Where projects, clusters and settings live.",
         "argocd", 0, false, NULL},
        {"print-crds", CLI_SWITCH, NULL,
         "Print the CustomResourceDefinitions for kubectl apply --server-side -f -, and end.",
         "false", 0, false, NULL},
        {"tls-cert", CLI_TEXT, "FILE", "A certificate of your own, in PEM.", NULL, 0, false, NULL},
        {"tls-key", CLI_TEXT, "FILE", "Its key.", NULL, 0, false, NULL},
};

static const struct cli_command commands[] = {{
        .name = "",
        .args = "",
        .summary = "Run the server",
        .text = "It runs in the foreground until SIGTERM. The first start makes the administrator "
                "and prints\nthe password once; admin.kubeconfig in the data folder opens it for "
                "kubectl and this command.",
        .example = "taut serve --data /var/lib/taut --listen 0.0.0.0:9443",
        .flags = flags,
        .flag_count = COUNT(flags),
        .run = run,
}};

const struct cli_verb cli_verb_serve = {
        .name = "serve",
        .summary = "Run the server",
        .commands = commands,
        .command_count = COUNT(commands),
};
