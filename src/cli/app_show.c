/* SPDX-License-Identifier: Apache-2.0 */
/* taut app list, get, diff, manifests, history: looking. */
#include "cli/app.h"
#include "doc/yaml_emit.h"
#include "schema/gvk.h"

static str short_revision(str revision)
{
    return str_first(revision, 8);
}

int app_run_list(struct cli *cli)
{
    static const char *const headers[] = {"NAME",     "HEALTH",   "SYNC",
                                          "REVISION", "LOCATION", "UPDATED"};
    auto_app_call struct app_call call = {0};
    struct val *list = NULL;
    struct err err = {0};

    if (!app_open(cli, &call, &err))
        return cli_fail(cli, &err);
    str path = cli_switch(cli, "all") ? S("/apis/argoproj.io/v1alpha1/applications")
                                      : app_path(&call, STR_EMPTY);
    if (!client_call(call.client, call.arena, "GET", path, NULL, &list, &err))
        return cli_fail(cli, &err);
    if (cli_format(cli) != CLI_TABLE)
        return cli_print_val(cli, list);
    struct cli_table *table = cli_table_new(call.arena, headers, COUNT(headers));
    struct val_iter it = val_iter(val_get(list, S("items")));
    while (val_next(&it)) {
        str name = object_name(it.value);
        if (cli_switch(cli, "all"))
            name = arena_printf(call.arena, "%.*s/%.*s", STR(object_namespace(it.value)),
                                STR(name));
        str cells[] = {name,
                       app_health(it.value),
                       app_sync_status(it.value),
                       short_revision(VAL_STR(it.value, "status", "sync", "revision")),
                       app_location(call.arena, it.value),
                       cli_age(call.arena, object_annotation(it.value, S("taut.dev/updated-at")))};
        cli_table_row(table, cells);
    }
    cli_table_print(cli, table);
    return CLI_OK;
}

static void show_resources(struct cli *cli, struct arena *arena, const struct val *app)
{
    static const char *const headers[] = {"KIND", "PROJECT", "NAME", "SYNC", "HEALTH", "MESSAGE"};
    struct cli_table *table = cli_table_new(arena, headers, COUNT(headers));
    struct val_iter it = val_iter(VAL_AT(app, "status", "resources"));

    while (val_next(&it)) {
        str message = VAL_STR(it.value, "health", "message");
        if (val_get_str(it.value, S("message")).len > 0)
            message = val_get_str(it.value, S("message"));
        str cells[] = {val_get_str(it.value, S("kind")),      val_get_str(it.value, S("namespace")),
                       val_get_str(it.value, S("name")),      val_get_str(it.value, S("status")),
                       VAL_STR(it.value, "health", "status"), message};
        cli_table_row(table, cells);
    }
    if (cli_table_rows(table) == 0)
        return;
    fputc('\n', cli_out(cli));
    cli_table_print(cli, table);
}

static void show(struct cli *cli, struct arena *arena, const struct val *app)
{
    const struct val *automated = VAL_AT(app, "spec", "syncPolicy", "automated");
    str updated = object_annotation(app, S("taut.dev/updated-at"));

    cli_print_field(cli, "Name", object_name(app));
    cli_print_field(cli, "Alias", object_annotation(app, S("kubesphere.io/alias-name")));
    cli_print_field(cli, "Description", object_annotation(app, S("kubesphere.io/description")));
    cli_print_field(cli, "Health", app_health(app));
    cli_print_field(cli, "", VAL_STR(app, "status", "health", "message"));
    cli_print_field(cli, "Sync", app_sync_status(app));
    cli_print_field(cli, "Location", app_location(arena, app));
    cli_print_field(cli, "Code Repository", VAL_STR(app, "spec", "source", "repoURL"));
    cli_print_field(cli, "Path", VAL_STR(app, "spec", "source", "path"));
    cli_print_field(cli, "Revision", VAL_STR(app, "spec", "source", "targetRevision"));
    cli_print_field(cli, "Commit", VAL_STR(app, "status", "sync", "revision"));
    cli_print_field(cli, "Sync Strategy",
                    val_is(automated, VAL_MAP) ? S("Auto Sync") : S("Manual Sync"));
    cli_print_field(cli, "Created", VAL_STR(app, "metadata", "creationTimestamp"));
    cli_print_field(cli, "Update Time", updated.len > 0 ? updated : S("Never"));
    cli_print_field(cli, "Last Check", VAL_STR(app, "status", "reconciledAt"));
    cli_print_field(cli, "Last Operation", VAL_STR(app, "status", "operationState", "phase"));
    cli_print_field(cli, "", VAL_STR(app, "status", "operationState", "message"));
    struct val_iter it = val_iter(VAL_AT(app, "status", "conditions"));
    while (val_next(&it))
        cli_print_field(cli, arena_z(arena, val_get_str(it.value, S("type"))),
                        val_get_str(it.value, S("message")));
    show_resources(cli, arena, app);
}

int app_run_get(struct cli *cli)
{
    auto_app_call struct app_call call = {0};
    struct val *app = NULL;
    struct err err = {0};

    if (!app_open(cli, &call, &err) || !app_get(&call, call.arena, cli_arg(cli, 0), &app, &err))
        return cli_fail(cli, &err);
    if (cli_format(cli) != CLI_TABLE)
        return cli_print_val(cli, app);
    show(cli, call.arena, app);
    return CLI_OK;
}

/* ---- diff ---- */

static str short_value(struct arena *arena, const struct val *value)
{
    auto_buf struct buf out = {0};

    buf_init(&out, LIMIT_MIB);
    if (value == NULL)
        return S("(absent)");
    if (!val_is(value, VAL_MAP) && !val_is(value, VAL_LIST))
        return val_text(value);
    if (!yaml_emit(value, &out, NULL))
        return S("(a tree)");
    return arena_join(arena, S("\n"), buf_str(&out));
}

static void print_side(struct cli *cli, enum cli_colour colour, const char *mark, str text)
{
    str line;

    text = str_trim(text);
    while (str_split(&text, '\n', &line)) {
        fprintf(cli_out(cli), "%s    %s ", cli_colour(cli, colour), mark);
        cli_print_text(cli, line);
        fprintf(cli_out(cli), "%s\n", cli_colour(cli, CLI_PLAIN));
    }
}

static void print_difference(struct cli *cli, struct arena *arena, const struct val *row)
{
    const struct val *fields = val_get(row, S("fields"));
    struct val_iter it = val_iter(fields);
    str namespace_ = val_get_str(row, S("namespace"));

    fprintf(cli_out(cli), "%s%.*s %.*s%s%.*s%s: ", cli_colour(cli, CLI_BOLD),
            STR(val_get_str(row, S("kind"))), STR(namespace_), namespace_.len > 0 ? "/" : "",
            STR(val_get_str(row, S("name"))), cli_colour(cli, CLI_PLAIN));
    cli_print_text(cli, val_get_str(row, S("status")));
    if (val_get_str(row, S("message")).len > 0) {
        fputs(", ", cli_out(cli));
        cli_print_text(cli, val_get_str(row, S("message")));
    }
    if (!val_is(val_get(row, S("live")), VAL_MAP))
        fputs(" (not in the cluster)", cli_out(cli));
    else if (!val_is(val_get(row, S("wanted")), VAL_MAP))
        fputs(" (not in Git)", cli_out(cli));
    fputc('\n', cli_out(cli));
    while (val_next(&it)) {
        str manager = val_get_str(it.value, S("manager"));
        fputs("  ", cli_out(cli));
        cli_print_text(cli, val_get_str(it.value, S("path")));
        if (manager.len > 0)
            fprintf(cli_out(cli), "  %s(last set by %.*s)%s", cli_colour(cli, CLI_DIM),
                    STR(manager), cli_colour(cli, CLI_PLAIN));
        fputc('\n', cli_out(cli));
        print_side(cli, CLI_RED, "-", short_value(arena, val_get(it.value, S("live"))));
        print_side(cli, CLI_GREEN, "+", short_value(arena, val_get(it.value, S("wanted"))));
    }
}

int app_run_diff(struct cli *cli)
{
    auto_app_call struct app_call call = {0};
    struct val *list = NULL;
    struct err err = {0};
    size_t differences = 0;

    if (!app_open(cli, &call, &err) ||
        !client_call(call.client, call.arena, "GET", app_taut_path(cli, &call, "diff"), NULL, &list,
                     &err))
        return cli_fail(cli, &err);
    struct val_iter it = val_iter(val_get(list, S("items")));
    while (val_next(&it)) {
        if (str_eq(val_get_str(it.value, S("status")), S("Synced")))
            continue;
        differences++;
        if (cli_format(cli) == CLI_TABLE)
            print_difference(cli, call.arena, it.value);
    }
    if (cli_format(cli) != CLI_TABLE) {
        int code = cli_print_val(cli, list);
        return code != CLI_OK ? code : differences > 0 ? CLI_DIFFERS : CLI_OK;
    }
    if (differences == 0)
        fputs("no differences\n", cli_out(cli));
    return differences > 0 ? CLI_DIFFERS : CLI_OK;
}

/* ---- manifests, history ---- */

int app_run_manifests(struct cli *cli)
{
    auto_app_call struct app_call call = {0};
    struct val *answer = NULL;
    struct err err = {0};
    bool is_first = true;

    if (!app_open(cli, &call, &err))
        return cli_fail(cli, &err);
    str revision = client_escape(call.arena, cli_text(cli, "revision"));
    str path = app_taut_path(cli, &call, "manifests");
    if (revision.len > 0)
        path = arena_printf(call.arena, "%.*s?revision=%.*s", STR(path), STR(revision));
    if (!client_call(call.client, call.arena, "GET", path, NULL, &answer, &err))
        return cli_fail(cli, &err);
    if (cli_format(cli) == CLI_JSON)
        return cli_print_val(cli, answer);
    struct val_iter it = val_iter(val_get(answer, S("objects")));
    while (val_next(&it)) {
        fputs(is_first ? "" : "---\n", cli_out(cli));
        is_first = false;
        int code = cli_print_val(cli, it.value);
        if (code != CLI_OK)
            return code;
    }
    return CLI_OK;
}

int app_run_history(struct cli *cli)
{
    static const char *const headers[] = {"ID", "COMMIT", "DEPLOYED", "BY"};
    auto_app_call struct app_call call = {0};
    struct val *list = NULL;
    struct err err = {0};

    if (!app_open(cli, &call, &err) ||
        !client_call(call.client, call.arena, "GET", app_taut_path(cli, &call, "history"), NULL,
                     &list, &err))
        return cli_fail(cli, &err);
    if (cli_format(cli) != CLI_TABLE)
        return cli_print_val(cli, list);
    struct cli_table *table = cli_table_new(call.arena, headers, COUNT(headers));
    struct val_iter it = val_iter(val_get(list, S("items")));
    while (val_next(&it)) {
        const struct val *by = val_get(it.value, S("initiatedBy"));
        str who = val_get_bool(by, S("automated"), false) ? S("Auto Sync")
                                                          : val_get_str(by, S("username"));
        str cells[] = {val_text(val_get(it.value, S("id"))), val_get_str(it.value, S("revision")),
                       val_get_str(it.value, S("deployedAt")), who};
        cli_table_row(table, cells);
    }
    cli_table_print(cli, table);
    return CLI_OK;
}
