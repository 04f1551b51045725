/* SPDX-License-Identifier: Apache-2.0 */
/* taut service: the Services that deployments bring, and how they are reached from outside. */
#include "cli/client.h"
#include "cli/output.h"

static const char *const headers[] = {"NAME",     "PROJECT",  "CLUSTER",    "TYPE",
                                      "INTERNAL", "EXTERNAL", "DEPLOYMENT", "CREATED"};

static str join(struct arena *arena, const struct val *list)
{
    str text = STR_EMPTY;
    struct val_iter it = val_iter(list);

    while (val_next(&it))
        text = text.len == 0 ? val_str(it.value)
                             : arena_printf(arena, "%.*s,%.*s", STR(text), STR(val_str(it.value)));
    return text;
}

/* "30001/TCP", and where that answers. */
static str external(struct arena *arena, const struct val *row)
{
    str links = join(arena, val_get(row, S("links")));
    str balancers = join(arena, val_get(row, S("balancers")));
    str ports = STR_EMPTY;
    struct val_iter it = val_iter(val_get(row, S("ports")));

    if (balancers.len > 0)
        return balancers;
    if (str_eq(val_get_str(row, S("type")), S("LoadBalancer")))
        return S("<pending>");
    if (links.len > 0)
        return links;
    while (val_next(&it)) {
        int64_t port = val_i64_or(val_get(it.value, S("nodePort")), 0);
        if (port > 0)
            ports = arena_printf(arena, "%.*s%snodeIP:%lld", STR(ports), ports.len > 0 ? "," : "",
                                 (long long)port);
    }
    return ports;
}

static void add_row(struct cli_table *table, struct arena *arena, const struct val *row)
{
    str cells[] = {
            val_get_str(row, S("name")),        val_get_str(row, S("project")),
            val_get_str(row, S("cluster")),     val_get_str(row, S("type")),
            val_get_str(row, S("clusterIP")),   external(arena, row),
            val_get_str(row, S("application")), cli_age(arena, val_get_str(row, S("created")))};
    cli_table_row(table, cells);
}

static int run_list(struct cli *cli)
{
    auto_client struct client *client = NULL;
    auto_arena struct arena *arena = arena_new(LIMIT_RESPONSE_BYTES);
    struct val *list = NULL;
    struct err err = {0};

    if (!client_open(cli, &client, &err) ||
        !client_call(client, arena, "GET", client_devops_path(client, arena, "/services"), NULL,
                     &list, &err))
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

static int run_access(struct cli *cli)
{
    auto_client struct client *client = NULL;
    auto_arena struct arena *arena = arena_new(LIMIT_RESPONSE_BYTES);
    struct val *body = val_new(arena, val_map());
    struct val *row = NULL;
    struct err err = {0};
    str target = cli_arg(cli, 0);
    size_t slash = str_find_char(target, '/');

    if (slash == SIZE_MAX || slash == 0 || slash + 1 == target.len)
        return cli_fail_usage(cli, "the Service is named NAMESPACE/NAME, not '%.*s'", STR(target));
    str cluster = client_escape(arena, cli_text(cli, "cluster"));
    str project = client_escape(arena, str_first(target, slash));
    str name = client_escape(arena, str_from_index(target, slash + 1));
    val_set_str(arena, body, S("mode"), cli_text(cli, "mode"));
    val_set(arena, body, S("keep"), val_bool(cli_switch(cli, "keep")));
    if (!client_open(cli, &client, &err) ||
        !client_call(client, arena, "PUT",
                     client_devops_path(client, arena, "/services/%.*s/%.*s/%.*s/access",
                                        STR(cluster), STR(project), STR(name)),
                     body, &row, &err))
        return cli_fail(cli, &err);
    if (cli_format(cli) != CLI_TABLE)
        return cli_print_val(cli, row);
    fprintf(cli_out(cli), "Service %.*s: external access is %.*s\n", STR(target),
            STR(cli_text(cli, "mode")));
    str undone = val_get_str(row, S("undone"));
    if (!str_is_empty(undone))
        cli_note(cli,
                 "The manifest in Git says otherwise: %s. --keep makes the deployment leave it.",
                 str_eq(undone, S("selfHeal")) ? "Self-heal undoes this at once"
                                               : "the next sync undoes this");
    return CLI_OK;
}

static const struct cli_flag access_flags[] = {
        {"cluster", CLI_TEXT, "NAME", "The cluster that the Service is in.", NULL, 0, true, NULL},
        {"mode", CLI_CHOICE, "None|NodePort|LoadBalancer",
         "Within the cluster only, by a port of its nodes, or by a load balancer.", NULL, 0, true,
         NULL},
        {"keep", CLI_SWITCH, NULL,
         "Also make the deployment leave it as it is (ignoreDifferences), whatever Git says.", NULL,
         0, false, NULL},
};

static const struct cli_command commands[] = {
        {.name = "list",
         .args = "",
         .summary = "List the Services that continuous deployments bring",
         .example = "taut service list --devops demo",
         .uses = CLI_USES_SERVER | CLI_USES_OUTPUT | CLI_USES_DEVOPS,
         .run = run_list},
        {.name = "access",
         .args = "NAMESPACE/NAME",
         .args_min = 1,
         .args_max = 1,
         .summary = "Edit a Service's external access",
         .example = "taut service access shop/web --devops demo --cluster sandbox --mode NodePort",
         .uses = CLI_USES_SERVER | CLI_USES_OUTPUT | CLI_USES_DEVOPS,
         .flags = access_flags,
         .flag_count = COUNT(access_flags),
         .run = run_access},
};

const struct cli_verb cli_verb_service = {
        .name = "service",
        .summary = "Services of continuous deployments",
        .commands = commands,
        .command_count = COUNT(commands),
};
