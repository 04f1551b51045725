/* SPDX-License-Identifier: Apache-2.0 */
/* taut status: is the server well? */
#include "cli/client.h"
#include "cli/output.h"

static void show_clusters(struct cli *cli, struct arena *arena, const struct val *clusters)
{
    static const char *const headers[] = {"CLUSTER", "REACHABLE", "VERSION", "MESSAGE"};
    struct cli_table *table = cli_table_new(arena, headers, COUNT(headers));
    struct val_iter it = val_iter(clusters);

    while (val_next(&it)) {
        str cells[] = {val_get_str(it.value, S("name")),
                       val_text(val_get(it.value, S("reachable"))),
                       val_get_str(it.value, S("version")), val_get_str(it.value, S("message"))};
        cli_table_row(table, cells);
    }
    if (cli_table_rows(table) == 0)
        return;
    fputc('\n', cli_out(cli));
    cli_table_print(cli, table);
}

static int run(struct cli *cli)
{
    auto_client struct client *client = NULL;
    auto_arena struct arena *arena = arena_new(LIMIT_RESPONSE_BYTES);
    struct val *status = NULL;
    struct err err = {0};

    if (!client_open(cli, &client, &err) ||
        !client_call(client, arena, "GET", S("/taut/v1/status"), NULL, &status, &err))
        return cli_fail(cli, &err);
    if (cli_format(cli) != CLI_TABLE)
        return cli_print_val(cli, status);
    cli_print_field(cli, "Version", val_get_str(status, S("version")));
    cli_print_field(cli, "State",
                    val_get_bool(status, S("ready"), false) ? S("Ready") : S("starting"));
    cli_print_field(cli, "Up for seconds", val_text(val_get(status, S("uptimeSeconds"))));
    cli_print_field(cli, "Home", VAL_STR(status, "home", "kind"));
    cli_print_field(cli, "", VAL_STR(status, "home", "warning"));
    cli_print_field(cli, "Deployments", val_text(val_get(status, S("applications"))));
    cli_print_field(cli, "You are", val_get_str(status, S("user")));
    show_clusters(cli, arena, val_get(status, S("clusters")));
    return CLI_OK;
}

static const struct cli_command commands[] = {{
        .name = "",
        .args = "",
        .summary = "Show how the server is",
        .example = "taut status -o json",
        .uses = CLI_USES_SERVER | CLI_USES_OUTPUT,
        .run = run,
}};

const struct cli_verb cli_verb_status = {
        .name = "status",
        .summary = "How the server is",
        .commands = commands,
        .command_count = COUNT(commands),
};
