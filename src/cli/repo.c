/* SPDX-License-Identifier: Apache-2.0 */
/* taut repo: code repositories. */
#include "cli/client.h"
#include "cli/output.h"

static int run_list(struct cli *cli)
{
    static const char *const headers[] = {"NAME", "URL", "SOURCE", "CREDENTIAL", "CREATED"};
    auto_client struct client *client = NULL;
    auto_arena struct arena *arena = arena_new(LIMIT_RESPONSE_BYTES);
    struct val *list = NULL;
    struct err err = {0};

    if (!client_open(cli, &client, &err) ||
        !client_call(client, arena, "GET", client_devops_path(client, arena, "/repos"), NULL, &list,
                     &err))
        return cli_fail(cli, &err);
    if (cli_format(cli) != CLI_TABLE)
        return cli_print_val(cli, list);
    struct cli_table *table = cli_table_new(arena, headers, COUNT(headers));
    struct val_iter it = val_iter(val_get(list, S("items")));
    while (val_next(&it)) {
        str credential = val_get_str(it.value, S("credential"));
        if (credential.len == 0 && val_get_bool(it.value, S("inline"), false))
            credential = S("in the repository");
        str cells[] = {val_get_str(it.value, S("name")), val_get_str(it.value, S("url")),
                       val_get_str(it.value, S("provider")), credential,
                       cli_age(arena, val_get_str(it.value, S("created")))};
        cli_table_row(table, cells);
    }
    cli_table_print(cli, table);
    return CLI_OK;
}

static str repo_path(struct cli *cli, struct client *client, struct arena *arena, const char *more)
{
    str name = client_escape(arena, cli_arg(cli, 0));
    return client_devops_path(client, arena, "/repos/%.*s%s", STR(name), more);
}

static void show(struct cli *cli, const struct val *row)
{
    static const struct {
        const char *label;
        const char *key;
    } fields[] = {{"Name", "name"},       {"URL", "url"},
                  {"Source", "provider"}, {"Credential", "credential"},
                  {"Alias", "alias"},     {"Description", "description"},
                  {"Creator", "creator"}, {"Created", "created"}};

    for (size_t i = 0; i < COUNT(fields); i++)
        cli_print_field(cli, fields[i].label, val_get_str(row, str_from(fields[i].key)));
}

static int run_get(struct cli *cli)
{
    auto_client struct client *client = NULL;
    auto_arena struct arena *arena = arena_new(LIMIT_RESPONSE_BYTES);
    struct val *row = NULL;
    struct val *test = NULL;
    struct err err = {0};

    if (!client_open(cli, &client, &err) ||
        !client_call(client, arena, "GET", repo_path(cli, client, arena, ""), NULL, &row, &err))
        return cli_fail(cli, &err);
    if (cli_switch(cli, "test") &&
        !client_call(client, arena, "POST", repo_path(cli, client, arena, "/test"), NULL, &test,
                     &err))
        return cli_fail(cli, &err);
    if (test != NULL)
        val_set(arena, row, S("connection"), *test);
    if (cli_format(cli) != CLI_TABLE)
        return cli_print_val(cli, row);
    show(cli, row);
    cli_print_field(cli, "Connection", val_get_str(test, S("state")));
    cli_print_field(cli, "", val_get_str(test, S("message")));
    return CLI_OK;
}

/* The import stands whatever the test says; the person hears both. */
static int tell_connection(struct cli *cli, const struct val *test)
{
    str state = val_get_str(test, S("state"));
    str fingerprint = val_get_str(test, S("fingerprint"));

    if (str_eq(state, S("ok"))) {
        fprintf(cli_out(cli), "connection: ok, %lld refs\n",
                (long long)val_i64_or(val_get(test, S("refs")), 0));
        return CLI_OK;
    }
    cli_note(cli, "connection: %.*s", STR(val_get_str(test, S("message"))));
    if (fingerprint.len > 0)
        cli_note(cli,
                 "The host's key is %.*s. If that is right, delete the repository and add it with\n"
                 "  --accept-host-key %.*s",
                 STR(fingerprint), STR(fingerprint));
    return CLI_OK;
}

static int run_add(struct cli *cli)
{
    static const char *const texts[] = {"url", "credential", "alias", "description"};
    auto_client struct client *client = NULL;
    auto_arena struct arena *arena = arena_new(LIMIT_RESPONSE_BYTES);
    struct val *body = val_new(arena, val_map());
    struct val *row = NULL;
    struct val *test = NULL;
    struct err err = {0};

    val_set_str(arena, body, S("name"), cli_arg(cli, 0));
    for (size_t i = 0; i < COUNT(texts); i++) {
        if (cli_is_set(cli, texts[i]))
            val_set_str(arena, body, str_from(texts[i]), cli_text(cli, texts[i]));
    }
    if (cli_is_set(cli, "accept-host-key"))
        val_set_str(arena, body, S("acceptHostKey"), cli_text(cli, "accept-host-key"));
    if (!client_open(cli, &client, &err) ||
        !client_call(client, arena, "POST", client_devops_path(client, arena, "/repos"), body, &row,
                     &err))
        return cli_fail(cli, &err);
    if (cli_switch(cli, "test")) {
        cli_progress(cli, "testing the connection…");
        if (!client_call(client, arena, "POST", repo_path(cli, client, arena, "/test"), NULL, &test,
                         &err)) {
            test = val_new(arena, val_map());
            val_set_str(arena, test, S("state"), S("failed"));
            val_set_str(arena, test, S("message"), err_message(&err));
        }
        val_set(arena, row, S("connection"), *test);
    }
    cli_progress_end(cli);
    if (cli_format(cli) != CLI_TABLE)
        return cli_print_val(cli, row);
    fprintf(cli_out(cli), "code repository %.*s imported\n", STR(cli_arg(cli, 0)));
    return test == NULL ? CLI_OK : tell_connection(cli, test);
}

static int run_set(struct cli *cli)
{
    static const char *const texts[] = {"url", "credential", "alias", "description"};
    auto_client struct client *client = NULL;
    auto_arena struct arena *arena = arena_new(LIMIT_RESPONSE_BYTES);
    struct val *body = val_new(arena, val_map());
    struct val *row = NULL;
    struct err err = {0};

    for (size_t i = 0; i < COUNT(texts); i++) {
        if (cli_is_set(cli, texts[i]))
            val_set_str(arena, body, str_from(texts[i]), cli_text(cli, texts[i]));
    }
    if (cli_is_set(cli, "accept-host-key"))
        val_set_str(arena, body, S("acceptHostKey"), cli_text(cli, "accept-host-key"));
    if (!client_open(cli, &client, &err) ||
        !client_call(client, arena, "PATCH", repo_path(cli, client, arena, ""), body, &row, &err))
        return cli_fail(cli, &err);
    if (cli_format(cli) != CLI_TABLE)
        return cli_print_val(cli, row);
    fprintf(cli_out(cli), "code repository %.*s saved\n", STR(cli_arg(cli, 0)));
    struct val_iter it = val_iter(val_get(row, S("rewritten")));
    while (val_next(&it))
        fprintf(cli_out(cli), "continuous deployment %.*s reads the new URL\n",
                STR(val_str(it.value)));
    return CLI_OK;
}

static int run_delete(struct cli *cli)
{
    auto_client struct client *client = NULL;
    auto_arena struct arena *arena = arena_new(LIMIT_RESPONSE_BYTES);
    struct err err = {0};

    if (!client_open(cli, &client, &err) ||
        !client_call(client, arena, "DELETE", repo_path(cli, client, arena, ""), NULL, NULL, &err))
        return cli_fail(cli, &err);
    fprintf(cli_out(cli), "code repository %.*s deleted\n", STR(cli_arg(cli, 0)));
    return CLI_OK;
}

static const struct cli_flag add_flags[] = {
        {"url", CLI_TEXT, "URL", "https, http, ssh or git; also git@host:path.", NULL, 0, true,
         NULL},
        {"credential", CLI_TEXT, "NAME", "The credential of a private repository.", NULL, 0, false,
         NULL},
        {"accept-host-key", CLI_TEXT, "FINGERPRINT",
         "Trust the SSH host whose key has this SHA256:… fingerprint.", NULL, 0, false, NULL},
        {"alias", CLI_TEXT, "TEXT", "A name for people, up to 63 characters.", NULL, 0, false,
         NULL},
        {"description", CLI_TEXT, "TEXT", "Up to 256 characters.", NULL, 0, false, NULL},
        {"test", CLI_SWITCH, NULL, "Test the connection by listing the refs.", "true", 0, false,
         NULL},
};
static const struct cli_flag set_flags[] = {
        {"url", CLI_TEXT, "URL", "The new URL; deployments that use the repository follow.", NULL,
         0, false, NULL},
        {"credential", CLI_TEXT, "NAME", "The credential; an empty text takes it off.", NULL, 0,
         false, NULL},
        {"accept-host-key", CLI_TEXT, "FINGERPRINT",
         "Trust the SSH host whose key has this SHA256:… fingerprint.", NULL, 0, false, NULL},
        {"alias", CLI_TEXT, "TEXT", "A name for people, up to 63 characters.", NULL, 0, false,
         NULL},
        {"description", CLI_TEXT, "TEXT", "Up to 256 characters.", NULL, 0, false, NULL},
};
static const struct cli_flag get_flags[] = {
        {"test", CLI_SWITCH, NULL, "Test the connection by listing the refs.", "false", 0, false,
         NULL},
};

static const struct cli_command commands[] = {
        {.name = "add",
         .args = "NAME",
         .args_min = 1,
         .args_max = 1,
         .summary = "Import a code repository",
         .text = "The repository is imported also when the connection test fails; the failure is "
                 "told.",
         .example = "taut repo add podcasts --url https://github.com/opensource-f2f/open-podcasts",
         .uses = CLI_USES_SERVER | CLI_USES_OUTPUT | CLI_USES_DEVOPS,
         .flags = add_flags,
         .flag_count = COUNT(add_flags),
         .run = run_add},
        {.name = "list",
         .args = "",
         .summary = "List code repositories",
         .example = "taut repo list --devops shop",
         .uses = CLI_USES_SERVER | CLI_USES_OUTPUT | CLI_USES_DEVOPS,
         .run = run_list},
        {.name = "get",
         .args = "NAME",
         .args_min = 1,
         .args_max = 1,
         .summary = "Show a code repository",
         .example = "taut repo get podcasts --test",
         .uses = CLI_USES_SERVER | CLI_USES_OUTPUT | CLI_USES_DEVOPS,
         .flags = get_flags,
         .flag_count = COUNT(get_flags),
         .run = run_get},
        {.name = "set",
         .args = "NAME",
         .args_min = 1,
         .args_max = 1,
         .summary = "Edit a code repository; what is not named stays",
         .text = "A new URL is written into the continuous deployments that use the repository.",
         .example = "taut repo set podcasts --url https://git.example.org/podcasts.git",
         .uses = CLI_USES_SERVER | CLI_USES_OUTPUT | CLI_USES_DEVOPS,
         .flags = set_flags,
         .flag_count = COUNT(set_flags),
         .run = run_set},
        {.name = "delete",
         .args = "NAME",
         .args_min = 1,
         .args_max = 1,
         .summary = "Delete a code repository that no continuous deployment uses",
         .example = "taut repo delete podcasts",
         .uses = CLI_USES_SERVER | CLI_USES_DEVOPS,
         .run = run_delete},
};

const struct cli_verb cli_verb_repo = {
        .name = "repo",
        .summary = "Code repositories",
        .commands = commands,
        .command_count = COUNT(commands),
};
