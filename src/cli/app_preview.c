/* SPDX-License-Identifier: Apache-2.0 */
/* What a deployment would do, for `taut app create --dry-run`: asked of the server, never written.
 */
#include "cli/app.h"

static void print_rows(struct cli *cli, struct arena *arena, const struct val *answer)
{
    static const char *const headers[] = {"EFFECT", "KIND", "PROJECT", "NAME", "WHY"};
    struct cli_table *table = cli_table_new(arena, headers, COUNT(headers));
    struct val_iter it = val_iter(val_get(answer, S("resources")));

    while (val_next(&it)) {
        str why = val_get_str(it.value, S("message"));
        str cells[] = {val_get_str(it.value, S("effect")), val_get_str(it.value, S("kind")),
                       val_get_str(it.value, S("namespace")), val_get_str(it.value, S("name")),
                       why.len > 0 ? why : val_get_str(it.value, S("reason"))};
        cli_table_row(table, cells);
    }
    if (cli_table_rows(table) > 0)
        cli_table_print(cli, table);
}

static bool is_refused(const struct val *answer)
{
    struct val_iter it = val_iter(val_get(answer, S("resources")));

    while (val_next(&it)) {
        str effect = val_get_str(it.value, S("effect"));
        if (str_eq(effect, S("refused")) || str_eq(effect, S("forbidden")))
            return true;
    }
    return false;
}

int app_preview(struct cli *cli, struct app_call *call, const struct val *application)
{
    struct arena *arena = call->arena;
    struct val *body = val_new(arena, val_map());
    struct val *answer = NULL;
    struct err err = {0};

    val_set(arena, body, S("application"), val_dup_value(arena, application));
    if (!client_call(call->client, arena, "POST",
                     client_devops_path(call->client, arena, "/preview"), body, &answer, &err))
        return cli_fail(cli, &err);
    const struct val *error = val_get(answer, S("error"));
    if (cli_format(cli) != CLI_TABLE) {
        int code = cli_print_val(cli, answer);
        return code == CLI_OK && (error != NULL || is_refused(answer)) ? CLI_FAILED : code;
    }
    print_rows(cli, arena, answer);
    struct val_iter it = val_iter(val_get(answer, S("warnings")));
    while (val_next(&it))
        cli_note(cli, "%.*s: %.*s", STR(val_get_str(it.value, S("code"))),
                 STR(val_get_str(it.value, S("message"))));
    if (error != NULL)
        cli_note(cli, "%.*s: %.*s", STR(val_get_str(error, S("at"))),
                 STR(val_get_str(error, S("message"))));
    return error != NULL || is_refused(answer) ? CLI_FAILED : CLI_OK;
}
