/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/app.h"

bool app_open(struct cli *cli, struct app_call *call, struct err *err)
{
    call->arena = arena_new(2 * LIMIT_RESPONSE_BYTES);
    return client_open(cli, &call->client, err) &&
           client_devops_namespace(call->client, call->arena, &call->namespace_, err);
}

void app_close(struct app_call *call)
{
    client_free(call->client);
    if (call->arena != NULL)
        arena_free(call->arena);
}

str app_path(struct app_call *call, str name)
{
    str escaped = client_escape(call->arena, name);
    str namespace_ = client_escape(call->arena, call->namespace_);

    return arena_printf(call->arena,
                        "/apis/argoproj.io/v1alpha1/namespaces/%.*s/applications%s%.*s",
                        STR(namespace_), name.len > 0 ? "/" : "", STR(escaped));
}

bool app_get(struct app_call *call, struct arena *arena, str name, struct val **ret,
             struct err *err)
{
    return client_call(call->client, arena, "GET", app_path(call, name), NULL, ret, err);
}

str app_taut_path(struct cli *cli, struct app_call *call, const char *what)
{
    str name = client_escape(call->arena, cli_arg(cli, 0));
    return client_devops_path(call->client, call->arena, "/apps/%.*s/%s", STR(name), what);
}

str app_location(struct arena *arena, const struct val *app)
{
    str cluster = VAL_STR(app, "spec", "destination", "name");
    str project = VAL_STR(app, "spec", "destination", "namespace");

    if (cluster.len == 0)
        cluster = VAL_STR(app, "spec", "destination", "server");
    return arena_printf(arena, "%.*s/%.*s", STR(cluster), STR(project));
}

bool app_is_busy(const struct val *app)
{
    str phase = VAL_STR(app, "status", "operationState", "phase");

    return val_is(val_get(app, S("operation")), VAL_MAP) || str_eq(phase, S("Running")) ||
           str_eq(phase, S("Terminating"));
}

str app_health(const struct val *app)
{
    str word = VAL_STR(app, "status", "health", "status");
    return word.len > 0 ? word : S("Unknown");
}

str app_sync_status(const struct val *app)
{
    str word = VAL_STR(app, "status", "sync", "status");
    return word.len > 0 ? word : S("Unknown");
}

void app_tell_trouble(struct cli *cli, const struct val *app)
{
    struct val_iter it = val_iter(VAL_AT(app, "status", "conditions"));
    str message = VAL_STR(app, "status", "operationState", "message");

    while (val_next(&it))
        cli_note(cli, "%.*s: %.*s", STR(val_get_str(it.value, S("type"))),
                 STR(val_get_str(it.value, S("message"))));
    if (message.len > 0)
        cli_note(cli, "last operation: %.*s", STR(message));
}

void app_print_results(struct cli *cli, struct arena *arena, const struct val *app)
{
    static const char *const headers[] = {"KIND", "PROJECT", "NAME", "STATUS", "MESSAGE"};
    struct cli_table *table = cli_table_new(arena, headers, COUNT(headers));
    struct val_iter it =
            val_iter(VAL_AT(app, "status", "operationState", "syncResult", "resources"));

    while (val_next(&it)) {
        str cells[] = {val_get_str(it.value, S("kind")), val_get_str(it.value, S("namespace")),
                       val_get_str(it.value, S("name")), val_get_str(it.value, S("status")),
                       val_get_str(it.value, S("message"))};
        cli_table_row(table, cells);
    }
    if (cli_table_rows(table) > 0)
        cli_table_print(cli, table);
}
