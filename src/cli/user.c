/* SPDX-License-Identifier: Apache-2.0 */
/* taut user: the people who sign in. A password is made here or read from a file; the server keeps
 * a hash of it. */
#include "cli/user.h"
#include "auth/auth.h"
#include "base/mem.h"
#include "cli/client.h"
#include "cli/output.h"

static const char *const headers[] = {"NAME",     "ROLE",   "MEMBER OF", "DISABLED",
                                      "SESSIONS", "TOKENS", "CREATED"};

static str path_of(struct cli *cli, struct arena *arena)
{
    str name = client_escape(arena, cli_arg(cli, 0));
    return arena_join(arena, S("/taut/v1/users/"), name);
}

static str members_text(struct arena *arena, const struct val *list)
{
    str text = STR_EMPTY;
    struct val_iter it = val_iter(list);

    while (val_next(&it))
        text = arena_printf(arena, "%.*s%s%.*s=%.*s", STR(text), text.len > 0 ? "," : "",
                            STR(val_get_str(it.value, S("devops"))),
                            STR(val_get_str(it.value, S("role"))));
    return text;
}

static void add_row(struct cli_table *table, struct arena *arena, const struct val *row)
{
    str cells[] = {val_get_str(row, S("name")),
                   val_get_str(row, S("role")),
                   members_text(arena, val_get(row, S("memberships"))),
                   val_get_bool(row, S("disabled"), false) ? S("yes") : S("no"),
                   val_text(val_get(row, S("sessions"))),
                   val_text(val_get(row, S("tokens"))),
                   cli_age(arena, val_get_str(row, S("created")))};
    cli_table_row(table, cells);
}

static int run_list(struct cli *cli)
{
    auto_client struct client *client = NULL;
    auto_arena struct arena *arena = arena_new(LIMIT_RESPONSE_BYTES);
    struct val *list = NULL;
    struct err err = {0};

    if (!client_open(cli, &client, &err) ||
        !client_call(client, arena, "GET", S("/taut/v1/users"), NULL, &list, &err))
        return cli_fail(cli, &err);
    if (cli_format(cli) != CLI_TABLE)
        return cli_print_val(cli, list);
    struct cli_table *table = cli_table_new(arena, headers, COUNT(headers));
    struct val_iter it = val_iter(val_get(list, S("items")));
    while (val_next(&it))
        add_row(table, arena, it.value);
    cli_table_print(cli, table);
    return CLI_OK;
}

static int run_get(struct cli *cli)
{
    auto_client struct client *client = NULL;
    auto_arena struct arena *arena = arena_new(LIMIT_RESPONSE_BYTES);
    struct val *row = NULL;
    struct err err = {0};

    if (!client_open(cli, &client, &err) ||
        !client_call(client, arena, "GET", path_of(cli, arena), NULL, &row, &err))
        return cli_fail(cli, &err);
    if (cli_format(cli) != CLI_TABLE)
        return cli_print_val(cli, row);
    struct cli_table *table = cli_table_new(arena, headers, COUNT(headers));
    add_row(table, arena, row);
    cli_table_print(cli, table);
    return CLI_OK;
}

/* ---- passwords ---- */

/* From --password-file, else a random one, which is then shown once. */
static struct secret *take_password(struct cli *cli, struct err *err)
{
    char *bytes = NULL;
    size_t len = 0;

    if (!cli_is_set(cli, "password-file"))
        return auth_new_password();
    if (!cli_read_file(cli_text(cli, "password-file"), LIMIT_PASSWORD_BYTES, &bytes, &len, err))
        return NULL;
    str text = str_of(bytes, len);
    while (str_chop(&text, S("\n")) || str_chop(&text, S("\r"))) {
    }
    struct secret *password =
            auth_check_password(cli_arg(cli, 0), text, err) ? secret_new(text) : NULL;
    secret_wipe(bytes, len);
    mem_free(bytes);
    return password;
}

static void show_password(struct cli *cli, const struct secret *password)
{
    if (cli_is_set(cli, "password-file"))
        return;
    str text = secret_reveal(password);
    fprintf(cli_out(cli), "password, shown this once: %.*s\n", STR(text));
}

static int run_create(struct cli *cli)
{
    auto_client struct client *client = NULL;
    auto_arena struct arena *arena = arena_new(LIMIT_RESPONSE_BYTES);
    struct val *body = val_new(arena, val_map());
    struct err err = {0};
    auto_secret struct secret *password = take_password(cli, &err);

    if (password == NULL || !client_open(cli, &client, &err))
        return cli_fail(cli, &err);
    val_set_str(arena, body, S("name"), cli_arg(cli, 0));
    val_set_str(arena, body, S("role"),
                cli_switch(cli, "admin") ? S("platform-admin") : cli_text(cli, "role"));
    val_set_str(arena, body, S("language"), cli_text(cli, "language"));
    val_set_str(arena, body, S("password"), secret_reveal(password));
    if (!client_call(client, arena, "POST", S("/taut/v1/users"), body, NULL, &err))
        return cli_fail(cli, &err);
    fprintf(cli_out(cli), "user %.*s created\n", STR(cli_arg(cli, 0)));
    show_password(cli, password);
    return CLI_OK;
}

static bool reset_served(struct cli *cli, struct arena *arena, const struct secret *password,
                         struct err *err)
{
    auto_client struct client *client = NULL;
    struct val *body = val_new(arena, val_map());
    str path = arena_join(arena, path_of(cli, arena), S("/password"));

    val_set_str(arena, body, S("password"), secret_reveal(password));
    return client_open(cli, &client, err) &&
           client_call(client, arena, "PUT", path, body, NULL, err);
}

static int run_reset(struct cli *cli)
{
    auto_arena struct arena *arena = arena_new(LIMIT_RESPONSE_BYTES);
    struct err err = {0};
    auto_secret struct secret *password = take_password(cli, &err);
    bool ok = password != NULL &&
              (cli_is_set(cli, "data") ? user_reset_direct(cli_text(cli, "data"), cli_arg(cli, 0),
                                                           arena, password, &err)
                                       : reset_served(cli, arena, password, &err));

    if (!ok)
        return cli_fail(cli, &err);
    fprintf(cli_out(cli), "user %.*s has a new password; open sessions are ended\n",
            STR(cli_arg(cli, 0)));
    show_password(cli, password);
    return CLI_OK;
}

/* ---- changes ---- */

static int run_set(struct cli *cli)
{
    auto_client struct client *client = NULL;
    auto_arena struct arena *arena = arena_new(LIMIT_RESPONSE_BYTES);
    struct val *body = val_new(arena, val_map());
    struct err err = {0};

    if (cli_is_set(cli, "role"))
        val_set_str(arena, body, S("role"), cli_text(cli, "role"));
    if (cli_is_set(cli, "language"))
        val_set_str(arena, body, S("language"), cli_text(cli, "language"));
    if (cli_is_set(cli, "disabled"))
        val_set(arena, body, S("disabled"), val_bool(cli_switch(cli, "disabled")));
    if (val_count(body) == 0)
        return cli_fail_usage(cli, "say what to change: --role, --language or --disabled");
    if (!client_open(cli, &client, &err) ||
        !client_call(client, arena, "PATCH", path_of(cli, arena), body, NULL, &err))
        return cli_fail(cli, &err);
    fprintf(cli_out(cli), "user %.*s changed\n", STR(cli_arg(cli, 0)));
    return CLI_OK;
}

static int run_delete(struct cli *cli)
{
    auto_client struct client *client = NULL;
    auto_arena struct arena *arena = arena_new(LIMIT_RESPONSE_BYTES);
    struct err err = {0};

    if (str_eq(cli_arg(cli, 0), S("admin")))
        return cli_fail_usage(cli, "the user admin cannot be deleted: it would come back");
    if (!client_open(cli, &client, &err) ||
        !client_call(client, arena, "DELETE", path_of(cli, arena), NULL, NULL, &err))
        return cli_fail(cli, &err);
    fprintf(cli_out(cli), "user %.*s deleted\n", STR(cli_arg(cli, 0)));
    return CLI_OK;
}

#define ROLES "platform-regular|platform-self-provisioner|platform-admin"
#define PASSWORD_FILE                                                                              \
    {                                                                                              \
        "password-file", CLI_TEXT, "FILE",                                                         \
                "Read it from here, - is standard input; else a random one is shown.", NULL, 0,    \
                false, NULL                                                                        \
    }
#define LANGUAGE                                                                                   \
    {                                                                                              \
        "language", CLI_CHOICE, "en|zh-CN", "The console's language; else the browser's.", NULL,   \
                0, false, NULL                                                                     \
    }

static const struct cli_flag create_flags[] = {
        PASSWORD_FILE,
        {"role", CLI_CHOICE, ROLES, "What the user may on the platform.", "platform-regular", 0,
         false, NULL},
        LANGUAGE,
        {"admin", CLI_SWITCH, NULL, "The same as --role platform-admin.", "false", 0, false, NULL},
};
static const struct cli_flag set_flags[] = {
        {"role", CLI_CHOICE, ROLES, "What the user may on the platform.", NULL, 0, false, NULL},
        LANGUAGE,
        {"disabled", CLI_SWITCH, NULL,
         "Ends the user's sessions and lets nobody in by that name; =false lets in again.", NULL, 0,
         false, NULL},
};
static const struct cli_flag reset_flags[] = {
        PASSWORD_FILE,
        {"data", CLI_TEXT, "DIR", "The data folder of a stopped server.", NULL, 0, false, NULL},
};

#define ONE .args_min = 1, .args_max = 1

static const struct cli_command commands[] = {
        {.name = "create",
         .args = "NAME",
         ONE,
         .summary = "Create a user",
         .text = "A platform-regular user may nothing until `taut devops member add` invites him; "
                 "a platform-self-provisioner may create DevOps Projects and is admin of them; a "
                 "platform-admin may everything.",
         .example = "taut user create ann",
         .uses = CLI_USES_SERVER,
         .flags = create_flags,
         .flag_count = COUNT(create_flags),
         .run = run_create},
        {.name = "list",
         .args = "",
         .summary = "List users, their roles and where they are members",
         .example = "taut user list",
         .uses = CLI_USES_SERVER | CLI_USES_OUTPUT,
         .run = run_list},
        {.name = "get",
         .args = "NAME",
         ONE,
         .summary = "Show a user",
         .example = "taut user get ann -o yaml",
         .uses = CLI_USES_SERVER | CLI_USES_OUTPUT,
         .run = run_get},
        {.name = "set",
         .args = "NAME",
         ONE,
         .summary = "Change a user's role or language, disable or enable him",
         .text = "The last platform admin can be neither demoted, disabled nor deleted.",
         .example = "taut user set ann --disabled",
         .uses = CLI_USES_SERVER,
         .flags = set_flags,
         .flag_count = COUNT(set_flags),
         .run = run_set},
        {.name = "reset-password",
         .args = "NAME",
         ONE,
         .summary = "Give a user a new password",
         .example = "taut user reset-password admin --data /var/lib/taut",
         .uses = CLI_USES_SERVER,
         .flags = reset_flags,
         .flag_count = COUNT(reset_flags),
         .run = run_reset},
        {.name = "delete",
         .args = "NAME",
         ONE,
         .summary = "Delete a user, and every role that was bound to him",
         .example = "taut user delete ann",
         .uses = CLI_USES_SERVER,
         .run = run_delete},
        {.name = "token create",
         .args = "NAME",
         ONE,
         .summary = "Make an API token, shown this once",
         .example = "taut user token create ci --days 90",
         .uses = CLI_USES_SERVER | CLI_USES_OUTPUT,
         .flags = user_token_flags,
         .flag_count = USER_TOKEN_FLAGS,
         .run = user_token_create},
        {.name = "token list",
         .args = "",
         .summary = "List API tokens",
         .example = "taut user token list --user ann",
         .uses = CLI_USES_SERVER | CLI_USES_OUTPUT,
         .flags = user_token_flags,
         .flag_count = 1,
         .run = user_token_list},
        {.name = "token revoke",
         .args = "NAME",
         ONE,
         .summary = "Revoke an API token",
         .example = "taut user token revoke ci",
         .uses = CLI_USES_SERVER,
         .flags = user_token_flags,
         .flag_count = 1,
         .run = user_token_revoke},
};

const struct cli_verb cli_verb_user = {
        .name = "user",
        .summary = "People who sign in",
        .commands = commands,
        .command_count = COUNT(commands),
};
