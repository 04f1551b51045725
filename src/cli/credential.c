/* SPDX-License-Identifier: Apache-2.0 */
/* taut credential: what private repositories are reached with. A value comes from a file or from
 * standard input, never from an argument, and never comes back. */
#include "base/mem.h"
#include "base/secret.h"
#include "cli/client.h"
#include "cli/output.h"

static int run_list(struct cli *cli)
{
    static const char *const headers[] = {"NAME", "TYPE", "USERNAME", "USED BY", "CREATED"};
    auto_client struct client *client = NULL;
    auto_arena struct arena *arena = arena_new(LIMIT_RESPONSE_BYTES);
    struct val *list = NULL;
    struct err err = {0};

    if (!client_open(cli, &client, &err) ||
        !client_call(client, arena, "GET", client_devops_path(client, arena, "/credentials"), NULL,
                     &list, &err))
        return cli_fail(cli, &err);
    if (cli_format(cli) != CLI_TABLE)
        return cli_print_val(cli, list);
    struct cli_table *table = cli_table_new(arena, headers, COUNT(headers));
    struct val_iter it = val_iter(val_get(list, S("items")));
    while (val_next(&it)) {
        const struct val *users = val_get(it.value, S("usedBy"));
        str used = val_count(users) == 0 ? STR_EMPTY : val_str(val_item(users, 0));
        if (val_count(users) > 1)
            used = arena_printf(arena, "%.*s and %zu more", STR(used), val_count(users) - 1);
        str cells[] = {val_get_str(it.value, S("name")), val_get_str(it.value, S("type")),
                       val_get_str(it.value, S("username")), used,
                       cli_age(arena, val_get_str(it.value, S("created")))};
        cli_table_row(table, cells);
    }
    cli_table_print(cli, table);
    return CLI_OK;
}

/* Passwords and tokens end where an editor put a newline; keys need theirs. */
static str trimmed(str secret, str type)
{
    if (str_eq(type, S("ssh")))
        return secret;
    while (str_chop(&secret, S("\n")) || str_chop(&secret, S("\r"))) {
    }
    return secret;
}

static int create(struct cli *cli, struct arena *arena, str secret, str passphrase)
{
    auto_client struct client *client = NULL;
    struct val *body = val_new(arena, val_map());
    struct val *row = NULL;
    struct err err = {0};

    val_set_str(arena, body, S("name"), cli_arg(cli, 0));
    val_set_str(arena, body, S("type"), cli_text(cli, "type"));
    val_set_str(arena, body, S("username"), cli_text(cli, "username"));
    val_set_str(arena, body, S("description"), cli_text(cli, "description"));
    val_set_str(arena, body, S("secret"), trimmed(secret, cli_text(cli, "type")));
    if (!str_is_empty(passphrase))
        val_set_str(arena, body, S("passphrase"), trimmed(passphrase, STR_EMPTY));
    if (!client_open(cli, &client, &err) ||
        !client_call(client, arena, "POST", client_devops_path(client, arena, "/credentials"), body,
                     &row, &err))
        return cli_fail(cli, &err);
    if (cli_format(cli) != CLI_TABLE)
        return cli_print_val(cli, row);
    fprintf(cli_out(cli), "credential %.*s created\n", STR(cli_arg(cli, 0)));
    return CLI_OK;
}

struct secret_file {
    char *bytes;
    size_t len;
};

/* A flag that is not given reads nothing. */
static bool read_secret(struct cli *cli, const char *flag, struct secret_file *ret, struct err *err)
{
    return !cli_is_set(cli, flag) ||
           cli_read_file(cli_text(cli, flag), LIMIT_CREDENTIAL_BYTES, &ret->bytes, &ret->len, err);
}

static void secret_file_done(struct secret_file *file)
{
    if (file->bytes != NULL)
        secret_wipe(file->bytes, file->len);
    mem_free(file->bytes);
}

static int edit(struct cli *cli, struct arena *arena, str secret, str passphrase)
{
    static const char *const texts[] = {"username", "description"};
    auto_client struct client *client = NULL;
    struct val *body = val_new(arena, val_map());
    struct val *row = NULL;
    struct err err = {0};
    str name = client_escape(arena, cli_arg(cli, 0));

    for (size_t i = 0; i < COUNT(texts); i++) {
        if (cli_is_set(cli, texts[i]))
            val_set_str(arena, body, str_from(texts[i]), cli_text(cli, texts[i]));
    }
    /* A key ends with the newline that it needs; passwords and tokens have none. */
    val_set_str(arena, body, S("secret"),
                trimmed(secret, str_starts(secret, S("-----BEGIN")) ? S("ssh") : S("token")));
    val_set_str(arena, body, S("passphrase"), trimmed(passphrase, S("token")));
    if (!client_open(cli, &client, &err) ||
        !client_call(client, arena, "PATCH",
                     client_devops_path(client, arena, "/credentials/%.*s", STR(name)), body, &row,
                     &err))
        return cli_fail(cli, &err);
    if (cli_format(cli) != CLI_TABLE)
        return cli_print_val(cli, row);
    fprintf(cli_out(cli), "credential %.*s saved\n", STR(cli_arg(cli, 0)));
    return CLI_OK;
}

static int run_set(struct cli *cli)
{
    auto_arena struct arena *arena = arena_new(16 * LIMIT_MIB);
    struct secret_file secret = {0};
    struct secret_file passphrase = {0};
    struct err err = {0};

    int code = read_secret(cli, "secret-file", &secret, &err) &&
                               read_secret(cli, "passphrase-file", &passphrase, &err)
                       ? edit(cli, arena, str_of(secret.bytes, secret.len),
                              str_of(passphrase.bytes, passphrase.len))
                       : cli_fail(cli, &err);
    secret_file_done(&secret);
    secret_file_done(&passphrase);
    return code;
}

static int run_create(struct cli *cli)
{
    auto_arena struct arena *arena = arena_new(16 * LIMIT_MIB);
    struct err err = {0};
    struct secret_file secret = {0};
    struct secret_file passphrase = {0};

    if (cli_is_set(cli, "passphrase-file") && !str_eq(cli_text(cli, "type"), S("ssh")))
        return cli_fail(cli,
                        (err_set(&err, ERR_INVALID, "--passphrase-file is for --type ssh"), &err));
    if (!read_secret(cli, "secret-file", &secret, &err) ||
        !read_secret(cli, "passphrase-file", &passphrase, &err)) {
        secret_file_done(&secret);
        return cli_fail(cli, &err);
    }
    int code = create(cli, arena, str_of(secret.bytes, secret.len),
                      str_of(passphrase.bytes, passphrase.len));
    secret_file_done(&secret);
    secret_file_done(&passphrase);
    return code;
}

static int run_delete(struct cli *cli)
{
    auto_client struct client *client = NULL;
    auto_arena struct arena *arena = arena_new(LIMIT_RESPONSE_BYTES);
    struct err err = {0};
    str name = client_escape(arena, cli_arg(cli, 0));

    if (!client_open(cli, &client, &err) ||
        !client_call(client, arena, "DELETE",
                     client_devops_path(client, arena, "/credentials/%.*s", STR(name)), NULL, NULL,
                     &err))
        return cli_fail(cli, &err);
    fprintf(cli_out(cli), "credential %.*s deleted\n", STR(cli_arg(cli, 0)));
    return CLI_OK;
}

static const struct cli_flag create_flags[] = {
        {"type", CLI_CHOICE, "basic|ssh|token",
         "Username and password, SSH private key, or access token.", NULL, 0, true, NULL},
        {"username", CLI_TEXT, "NAME", "Who signs in; needed by type basic.", NULL, 0, false, NULL},
        {"secret-file", CLI_TEXT, "FILE", "Where the value is read from; - is standard input.",
         NULL, 0, true, NULL},
        {"passphrase-file", CLI_TEXT, "FILE",
         "Where the passphrase of an SSH key is read from; - is standard input.", NULL, 0, false,
         NULL},
        {"description", CLI_TEXT, "TEXT", "Up to 256 characters.", NULL, 0, false, NULL},
};

static const struct cli_flag set_flags[] = {
        {"username", CLI_TEXT, "NAME", "Who signs in.", NULL, 0, false, NULL},
        {"secret-file", CLI_TEXT, "FILE",
         "Where the new value is read from; - is standard input. Without it the value stays.", NULL,
         0, false, NULL},
        {"passphrase-file", CLI_TEXT, "FILE", "The passphrase of a new SSH key.", NULL, 0, false,
         NULL},
        {"description", CLI_TEXT, "TEXT", "Up to 256 characters.", NULL, 0, false, NULL},
};

static const struct cli_command commands[] = {
        {.name = "create",
         .args = "NAME",
         .args_min = 1,
         .args_max = 1,
         .summary = "Create a credential",
         .text = "The value is stored in the home cluster, is read when Git is fetched, and is "
                 "never shown again.",
         .example = "taut credential create ci --type basic --username ci --secret-file - "
                    "< password.txt",
         .uses = CLI_USES_SERVER | CLI_USES_OUTPUT | CLI_USES_DEVOPS,
         .flags = create_flags,
         .flag_count = COUNT(create_flags),
         .run = run_create},
        {.name = "list",
         .args = "",
         .summary = "List credentials, without their values",
         .example = "taut credential list --devops shop",
         .uses = CLI_USES_SERVER | CLI_USES_OUTPUT | CLI_USES_DEVOPS,
         .run = run_list},
        {.name = "set",
         .args = "NAME",
         .args_min = 1,
         .args_max = 1,
         .summary = "Edit a credential; what is not named stays",
         .text = "The type stays. A new value counts from the next fetch on.",
         .example = "taut credential set ci --secret-file - < new-password.txt",
         .uses = CLI_USES_SERVER | CLI_USES_OUTPUT | CLI_USES_DEVOPS,
         .flags = set_flags,
         .flag_count = COUNT(set_flags),
         .run = run_set},
        {.name = "delete",
         .args = "NAME",
         .args_min = 1,
         .args_max = 1,
         .summary = "Delete a credential that no code repository uses",
         .example = "taut credential delete ci",
         .uses = CLI_USES_SERVER | CLI_USES_DEVOPS,
         .run = run_delete},
};

const struct cli_verb cli_verb_credential = {
        .name = "credential",
        .summary = "Credentials of private code repositories",
        .commands = commands,
        .command_count = COUNT(commands),
};
