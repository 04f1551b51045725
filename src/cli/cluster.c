/* SPDX-License-Identifier: Apache-2.0 */
/* taut cluster: the clusters that deployments go to. The kubeconfig is read here, with the files
 * that it names; what is sent is Argo CD's form of the same. */
#include "cli/client.h"
#include "cli/output.h"
#include "kube/kubeconfig.h"

static int run_list(struct cli *cli)
{
    static const char *const headers[] = {"NAME",    "SERVER",      "STATE",
                                          "VERSION", "ENVIRONMENT", "MESSAGE"};
    auto_client struct client *client = NULL;
    auto_arena struct arena *arena = arena_new(LIMIT_RESPONSE_BYTES);
    struct val *list = NULL;
    struct err err = {0};

    if (!client_open(cli, &client, &err) ||
        !client_call(client, arena, "GET", S("/taut/v1/clusters"), NULL, &list, &err))
        return cli_fail(cli, &err);
    if (cli_format(cli) != CLI_TABLE)
        return cli_print_val(cli, list);
    struct cli_table *table = cli_table_new(arena, headers, COUNT(headers));
    struct val_iter it = val_iter(val_get(list, S("items")));
    while (val_next(&it)) {
        str cells[] = {
                val_get_str(it.value, S("name")),        val_get_str(it.value, S("server")),
                val_get_str(it.value, S("state")),       val_get_str(it.value, S("version")),
                val_get_str(it.value, S("environment")), val_get_str(it.value, S("message"))};
        cli_table_row(table, cells);
    }
    cli_table_print(cli, table);
    return CLI_OK;
}

static void set(struct arena *arena, struct val *map, str key, str text)
{
    if (text.len > 0)
        val_set_str(arena, map, key, text);
}

static bool test(struct cli *cli, struct client *client, struct arena *arena,
                 struct val **ret_answer, struct err *err)
{
    str name = client_escape(arena, cli_arg(cli, 0));

    cli_progress(cli, "asking the cluster…");
    /* The engine hears of a new cluster by its watch: a moment later. */
    for (int tries = 0; tries < 20; tries++) {
        if (client_call(client, arena, "POST",
                        arena_printf(arena, "/taut/v1/clusters/%.*s/test", STR(name)), NULL,
                        ret_answer, err)) {
            cli_progress_end(cli);
            return true;
        }
        if (err->code != ERR_NOT_FOUND)
            break;
        client_sleep(client, 250);
    }
    cli_progress_end(cli);
    return false;
}

static int run_add(struct cli *cli)
{
    auto_client struct client *client = NULL;
    auto_arena struct arena *arena = arena_new(LIMIT_RESPONSE_BYTES);
    auto_kubeconfig struct kubeconfig *config = NULL;
    struct val *body = val_new(arena, val_map());
    struct val *row = NULL;
    struct val *answer = NULL;
    struct err err = {0};

    if (!kubeconfig_load(arena_z(arena, cli_text(cli, "kubeconfig")), cli_text(cli, "context"),
                         &config, &err))
        return cli_fail(cli, &err);
    val_set_str(arena, body, S("name"), cli_arg(cli, 0));
    val_set_str(arena, body, S("server"), config->server);
    set(arena, body, S("environment"), cli_text(cli, "environment"));
    if (!kubeconfig_cluster_config(config, arena, val_ensure_map(arena, body, S("config")), &err) ||
        !client_open(cli, &client, &err) ||
        !client_call(client, arena, "POST", S("/taut/v1/clusters"), body, &row, &err))
        return cli_fail(cli, &err);
    fprintf(cli_out(cli), "cluster %.*s added\n", STR(cli_arg(cli, 0)));
    if (!test(cli, client, arena, &answer, &err)) {
        cli_note(cli, "the cluster does not answer yet: %s", err.message);
        return CLI_OK;
    }
    str version = val_get_str(answer, S("version"));
    fprintf(cli_out(cli), "it answers%s%.*s\n", version.len > 0 ? ": Kubernetes " : "",
            STR(version));
    return CLI_OK;
}

static int run_delete(struct cli *cli)
{
    auto_client struct client *client = NULL;
    auto_arena struct arena *arena = arena_new(LIMIT_RESPONSE_BYTES);
    struct err err = {0};
    str name = client_escape(arena, cli_arg(cli, 0));

    if (!client_open(cli, &client, &err) ||
        !client_call(client, arena, "DELETE", arena_join(arena, S("/taut/v1/clusters/"), name),
                     NULL, NULL, &err))
        return cli_fail(cli, &err);
    fprintf(cli_out(cli), "cluster %.*s removed\n", STR(cli_arg(cli, 0)));
    return CLI_OK;
}

static const struct cli_flag add_flags[] = {
        {"kubeconfig", CLI_TEXT, "FILE",
         "How the new cluster is reached; credential plug-ins are refused.", NULL, 0, true, NULL},
        {"context", CLI_TEXT, "NAME", "Its context; without it, the current one.", NULL, 0, false,
         NULL},
        {"server-kubeconfig", CLI_TEXT, "FILE",
         "Which Taut server to talk to; else TAUT_KUBECONFIG, else admin.kubeconfig in the data "
         "folder.",
         NULL, 0, false, NULL},
        {"environment", CLI_TEXT, "NAME",
         "Such as production, which asks for typed names before dangerous steps.", NULL, 0, false,
         NULL},
};

static const struct cli_command commands[] = {
        {.name = "add",
         .args = "NAME",
         .args_min = 1,
         .args_max = 1,
         .summary = "Add a cluster",
         .text = "--kubeconfig names the new cluster's file here, so the server's own is named by "
                 "TAUT_KUBECONFIG or --server-kubeconfig.",
         .example = "taut cluster add prod --kubeconfig prod.yaml --environment production",
         .flags = add_flags,
         .flag_count = COUNT(add_flags),
         .run = run_add},
        {.name = "list",
         .args = "",
         .summary = "List clusters and whether they answer",
         .example = "taut cluster list",
         .uses = CLI_USES_SERVER | CLI_USES_OUTPUT,
         .run = run_list},
        {.name = "delete",
         .args = "NAME",
         .args_min = 1,
         .args_max = 1,
         .summary = "Remove a cluster that no continuous deployment names",
         .example = "taut cluster delete prod",
         .uses = CLI_USES_SERVER,
         .run = run_delete},
};

const struct cli_verb cli_verb_cluster = {
        .name = "cluster",
        .summary = "Clusters that deployments go to",
        .commands = commands,
        .command_count = COUNT(commands),
};
