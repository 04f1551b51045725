/* SPDX-License-Identifier: Apache-2.0 */
/* taut devops: the rooms that teams deploy from. */
#include "cli/devops.h"
#include "cli/client.h"
#include "cli/output.h"

static const char *const headers[] = {"NAME",         "NAMESPACE", "ALIAS",
                                      "REPOSITORIES", "LOCATIONS", "CREATED"};

static str join_list(struct arena *arena, const struct val *list)
{
    str text = STR_EMPTY;
    struct val_iter it = val_iter(list);

    while (val_next(&it)) {
        if (text.len > 0)
            text = arena_join(arena, text, S(","));
        text = arena_join(arena, text, val_str(it.value));
    }
    return text;
}

static void add_row(struct cli_table *table, struct arena *arena, const struct val *row)
{
    str cells[] = {val_get_str(row, S("name")),
                   val_get_str(row, S("namespace")),
                   val_get_str(row, S("alias")),
                   join_list(arena, val_get(row, S("repos"))),
                   join_list(arena, val_get(row, S("locations"))),
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
        !client_call(client, arena, "GET", S("/taut/v1/devops"), NULL, &list, &err))
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

static str path_of(struct cli *cli, struct arena *arena)
{
    str name = client_escape(arena, cli_arg(cli, 0));
    return arena_join(arena, S("/taut/v1/devops/"), name);
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

static void set_list(struct cli *cli, struct arena *arena, struct val *body, const char *flag,
                     str key)
{
    if (cli_list_count(cli, flag) == 0)
        return;
    struct val *list = val_ensure_list(arena, body, key);
    for (size_t i = 0; i < cli_list_count(cli, flag); i++)
        val_append(arena, list, val_string(arena, cli_list(cli, flag, i)));
}

static int run_create(struct cli *cli)
{
    auto_client struct client *client = NULL;
    auto_arena struct arena *arena = arena_new(LIMIT_RESPONSE_BYTES);
    struct val *body = val_new(arena, val_map());
    struct val *row = NULL;
    struct err err = {0};

    val_set_str(arena, body, S("name"), cli_arg(cli, 0));
    val_set_str(arena, body, S("alias"), cli_text(cli, "alias"));
    val_set_str(arena, body, S("description"), cli_text(cli, "description"));
    set_list(cli, arena, body, "repo", S("repos"));
    set_list(cli, arena, body, "location", S("locations"));
    val_set(arena, body, S("clusterResources"), val_bool(cli_switch(cli, "cluster-resources")));
    if (!client_open(cli, &client, &err) ||
        !client_call(client, arena, "POST", S("/taut/v1/devops"), body, &row, &err))
        return cli_fail(cli, &err);
    if (cli_format(cli) != CLI_TABLE)
        return cli_print_val(cli, row);
    fprintf(cli_out(cli), "DevOps Project %.*s created\n", STR(cli_arg(cli, 0)));
    if (cli_list_count(cli, "location") == 0)
        cli_note(cli, "It may deploy to every cluster and project; --location narrows that.");
    return CLI_OK;
}

static int run_set(struct cli *cli)
{
    auto_client struct client *client = NULL;
    auto_arena struct arena *arena = arena_new(LIMIT_RESPONSE_BYTES);
    struct val *body = val_new(arena, val_map());
    struct err err = {0};

    if (cli_is_set(cli, "alias"))
        val_set_str(arena, body, S("alias"), cli_text(cli, "alias"));
    if (cli_is_set(cli, "description"))
        val_set_str(arena, body, S("description"), cli_text(cli, "description"));
    set_list(cli, arena, body, "repo", S("repos"));
    set_list(cli, arena, body, "location", S("locations"));
    if (cli_is_set(cli, "cluster-resources"))
        val_set(arena, body, S("clusterResources"), val_bool(cli_switch(cli, "cluster-resources")));
    if (val_count(body) == 0)
        return cli_fail_usage(cli, "say what to change, such as --alias or --location");
    if (!client_open(cli, &client, &err) ||
        !client_call(client, arena, "PATCH", path_of(cli, arena), body, NULL, &err))
        return cli_fail(cli, &err);
    fprintf(cli_out(cli), "DevOps Project %.*s changed\n", STR(cli_arg(cli, 0)));
    return CLI_OK;
}

static int run_delete(struct cli *cli)
{
    auto_client struct client *client = NULL;
    auto_arena struct arena *arena = arena_new(LIMIT_RESPONSE_BYTES);
    struct err err = {0};

    if (!client_open(cli, &client, &err) ||
        !client_call(client, arena, "DELETE", path_of(cli, arena), NULL, NULL, &err))
        return cli_fail(cli, &err);
    fprintf(cli_out(cli), "DevOps Project %.*s deleted\n", STR(cli_arg(cli, 0)));
    return CLI_OK;
}

static const struct cli_flag create_flags[] = {
        {"repo", CLI_LIST, "GLOB", "Code repositories that it may use; without it, all.", NULL, 0,
         false, NULL},
        {"location", CLI_LIST, "CLUSTER/PROJECT",
         "Where it may deploy, as patterns; without it, everywhere.", NULL, 0, false, NULL},
        {"cluster-resources", CLI_SWITCH, NULL,
         "Allow cluster-wide kinds: whoever deploys such objects can reach the whole cluster.",
         "false", 0, false, NULL},
        {"alias", CLI_TEXT, "TEXT", "A name for people, up to 63 characters.", NULL, 0, false,
         NULL},
        {"description", CLI_TEXT, "TEXT", "Up to 256 characters.", NULL, 0, false, NULL},
};

static const struct cli_flag set_flags[] = {
        {"repo", CLI_LIST, "GLOB", "Code repositories that it may use, in place of all it had.",
         NULL, 0, false, NULL},
        {"location", CLI_LIST, "CLUSTER/PROJECT",
         "Where it may deploy, as patterns, in place of all it had.", NULL, 0, false, NULL},
        {"cluster-resources", CLI_SWITCH, NULL,
         "Allow cluster-wide kinds; =false forbids them again.", NULL, 0, false, NULL},
        {"alias", CLI_TEXT, "TEXT", "A name for people, up to 63 characters.", NULL, 0, false,
         NULL},
        {"description", CLI_TEXT, "TEXT", "Up to 256 characters.", NULL, 0, false, NULL},
};
static const struct cli_flag role_flags[] = {
        {"role", CLI_CHOICE, "viewer|operator|admin", "What the member may.", "operator", 0, false,
         NULL},
};

static const struct cli_command commands[] = {
        {.name = "create",
         .args = "NAME",
         .args_min = 1,
         .args_max = 1,
         .summary = "Create a DevOps Project",
         .example = "taut devops create shop --location 'sandbox/*' --repo 'https://git.example/*'",
         .uses = CLI_USES_SERVER | CLI_USES_OUTPUT,
         .flags = create_flags,
         .flag_count = COUNT(create_flags),
         .run = run_create},
        {.name = "list",
         .args = "",
         .summary = "List DevOps Projects",
         .example = "taut devops list",
         .uses = CLI_USES_SERVER | CLI_USES_OUTPUT,
         .run = run_list},
        {.name = "get",
         .args = "NAME",
         .args_min = 1,
         .args_max = 1,
         .summary = "Show a DevOps Project",
         .example = "taut devops get shop -o yaml",
         .uses = CLI_USES_SERVER | CLI_USES_OUTPUT,
         .run = run_get},
        {.name = "set",
         .args = "NAME",
         .args_min = 1,
         .args_max = 1,
         .summary = "Change a DevOps Project's words or its allowlist",
         .text = "Only what is named is changed; a list replaces the one that was there.",
         .example = "taut devops set shop --alias 'The shop' --location 'sandbox/shop-*'",
         .uses = CLI_USES_SERVER,
         .flags = set_flags,
         .flag_count = COUNT(set_flags),
         .run = run_set},
        {.name = "member add",
         .args = "NAME USER",
         .args_min = 2,
         .args_max = 2,
         .summary = "Invite a user, or give a member another role",
         .example = "taut devops member add shop ann --role operator",
         .uses = CLI_USES_SERVER,
         .flags = role_flags,
         .flag_count = COUNT(role_flags),
         .run = devops_member_add},
        {.name = "member list",
         .args = "NAME",
         .args_min = 1,
         .args_max = 1,
         .summary = "List the members of a DevOps Project",
         .example = "taut devops member list shop",
         .uses = CLI_USES_SERVER | CLI_USES_OUTPUT,
         .run = devops_member_list},
        {.name = "member remove",
         .args = "NAME USER",
         .args_min = 2,
         .args_max = 2,
         .summary = "Remove a member from a DevOps Project",
         .example = "taut devops member remove shop ann",
         .uses = CLI_USES_SERVER,
         .run = devops_member_remove},
        {.name = "delete",
         .args = "NAME",
         .args_min = 1,
         .args_max = 1,
         .summary = "Delete a DevOps Project that holds no continuous deployment",
         .example = "taut devops delete shop",
         .uses = CLI_USES_SERVER,
         .run = run_delete},
};

const struct cli_verb cli_verb_devops = {
        .name = "devops",
        .summary = "DevOps Projects: who may deploy what, and where",
        .commands = commands,
        .command_count = COUNT(commands),
};
