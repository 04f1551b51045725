/* SPDX-License-Identifier: Apache-2.0 */
/* taut devops member: who may what in a DevOps Project. */
#include "cli/client.h"
#include "cli/devops.h"
#include "cli/output.h"

/* /taut/v1/devops/PROJECT/members[/USER] */
static str path_of(struct cli *cli, struct arena *arena, bool with_user)
{
    str project = client_escape(arena, cli_arg(cli, 0));
    str path = arena_printf(arena, "/taut/v1/devops/%.*s/members", STR(project));

    if (!with_user)
        return path;
    str user = client_escape(arena, cli_arg(cli, 1));
    return arena_printf(arena, "%.*s/%.*s", STR(path), STR(user));
}

/* Invites, or gives who is a member already another role. */
int devops_member_add(struct cli *cli)
{
    auto_client struct client *client = NULL;
    auto_arena struct arena *arena = arena_new(LIMIT_RESPONSE_BYTES);
    struct val *body = val_new(arena, val_map());
    struct err err = {0};

    val_set_str(arena, body, S("role"), cli_text(cli, "role"));
    val_set_str(arena, body, S("name"), cli_arg(cli, 1));
    if (!client_open(cli, &client, &err))
        return cli_fail(cli, &err);
    bool ok = client_call(client, arena, "POST", path_of(cli, arena, false), body, NULL, &err);
    if (!ok && (err.code == ERR_EXISTS || err.code == ERR_CONFLICT))
        ok = client_call(client, arena, "PUT", path_of(cli, arena, true), body, NULL, &err);
    if (!ok)
        return cli_fail(cli, &err);
    fprintf(cli_out(cli), "%.*s is %.*s of %.*s\n", STR(cli_arg(cli, 1)),
            STR(cli_text(cli, "role")), STR(cli_arg(cli, 0)));
    return CLI_OK;
}

int devops_member_list(struct cli *cli)
{
    static const char *const headers[] = {"NAME", "KIND", "ROLE"};
    auto_client struct client *client = NULL;
    auto_arena struct arena *arena = arena_new(LIMIT_RESPONSE_BYTES);
    struct val *list = NULL;
    struct err err = {0};

    if (!client_open(cli, &client, &err) ||
        !client_call(client, arena, "GET", path_of(cli, arena, false), NULL, &list, &err))
        return cli_fail(cli, &err);
    if (cli_format(cli) != CLI_TABLE)
        return cli_print_val(cli, list);
    struct cli_table *table = cli_table_new(arena, headers, COUNT(headers));
    struct val_iter it = val_iter(val_get(list, S("items")));
    while (val_next(&it)) {
        str cells[] = {val_get_str(it.value, S("name")), val_get_str(it.value, S("kind")),
                       val_get_str(it.value, S("role"))};
        cli_table_row(table, cells);
    }
    cli_table_print(cli, table);
    return CLI_OK;
}

int devops_member_remove(struct cli *cli)
{
    auto_client struct client *client = NULL;
    auto_arena struct arena *arena = arena_new(LIMIT_RESPONSE_BYTES);
    struct err err = {0};

    if (!client_open(cli, &client, &err) ||
        !client_call(client, arena, "DELETE", path_of(cli, arena, true), NULL, NULL, &err))
        return cli_fail(cli, &err);
    fprintf(cli_out(cli), "%.*s is no member of %.*s any more\n", STR(cli_arg(cli, 1)),
            STR(cli_arg(cli, 0)));
    return CLI_OK;
}
