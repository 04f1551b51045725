/* SPDX-License-Identifier: Apache-2.0 */
/* taut user token: API tokens, one's own or, for platform admins, somebody else's. */
#include "cli/client.h"
#include "cli/output.h"
#include "cli/user.h"

const struct cli_flag user_token_flags[] = {
        {"user", CLI_TEXT, "NAME", "Whose token; without it, your own.", NULL, 0, false, NULL},
        {"days", CLI_NUMBER, "DAYS", "How long it is good for; 0 is without an end.", "0", 0, false,
         NULL},
};

static str path_of(struct cli *cli, struct arena *arena, str token)
{
    str user = cli_text(cli, "user");
    str base = user.len == 0 ? S("/taut/v1/me/tokens")
                             : arena_printf(arena, "/taut/v1/users/%.*s/tokens",
                                            STR(client_escape(arena, user)));

    if (token.len == 0)
        return base;
    str escaped = client_escape(arena, token);
    return arena_printf(arena, "%.*s/%.*s", STR(base), STR(escaped));
}

int user_token_create(struct cli *cli)
{
    auto_client struct client *client = NULL;
    auto_arena struct arena *arena = arena_new(LIMIT_RESPONSE_BYTES);
    struct val *body = val_new(arena, val_map());
    struct val *made = NULL;
    struct err err = {0};

    val_set_str(arena, body, S("name"), cli_arg(cli, 0));
    val_set(arena, body, S("expiresInDays"), val_int(arena, cli_number(cli, "days")));
    if (!client_open(cli, &client, &err) ||
        !client_call(client, arena, "POST", path_of(cli, arena, STR_EMPTY), body, &made, &err))
        return cli_fail(cli, &err);
    if (cli_format(cli) != CLI_TABLE)
        return cli_print_val(cli, made);
    fprintf(cli_out(cli), "token %.*s, shown this once: %.*s\n", STR(cli_arg(cli, 0)),
            STR(val_get_str(made, S("token"))));
    return CLI_OK;
}

int user_token_list(struct cli *cli)
{
    static const char *const headers[] = {"NAME", "CREATED", "EXPIRES"};
    auto_client struct client *client = NULL;
    auto_arena struct arena *arena = arena_new(LIMIT_RESPONSE_BYTES);
    struct val *list = NULL;
    struct err err = {0};

    if (!client_open(cli, &client, &err) ||
        !client_call(client, arena, "GET", path_of(cli, arena, STR_EMPTY), NULL, &list, &err))
        return cli_fail(cli, &err);
    if (cli_format(cli) != CLI_TABLE)
        return cli_print_val(cli, list);
    struct cli_table *table = cli_table_new(arena, headers, COUNT(headers));
    struct val_iter it = val_iter(val_get(list, S("items")));
    while (val_next(&it)) {
        str ends = val_get_str(it.value, S("expires"));
        str cells[] = {val_get_str(it.value, S("name")),
                       cli_age(arena, val_get_str(it.value, S("created"))),
                       val_get_bool(it.value, S("expired"), false) ? S("expired")
                       : ends.len > 0                              ? ends
                                                                   : S("never")};
        cli_table_row(table, cells);
    }
    cli_table_print(cli, table);
    return CLI_OK;
}

int user_token_revoke(struct cli *cli)
{
    auto_client struct client *client = NULL;
    auto_arena struct arena *arena = arena_new(LIMIT_RESPONSE_BYTES);
    struct err err = {0};

    if (!client_open(cli, &client, &err) ||
        !client_call(client, arena, "DELETE", path_of(cli, arena, cli_arg(cli, 0)), NULL, NULL,
                     &err))
        return cli_fail(cli, &err);
    fprintf(cli_out(cli), "token %.*s revoked\n", STR(cli_arg(cli, 0)));
    return CLI_OK;
}
