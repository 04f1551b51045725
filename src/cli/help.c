/* SPDX-License-Identifier: Apache-2.0 */
/* taut help: the overview; and the machine's own papers, from which docs/ and data/ are made. */
#include "cli/cli.h"
#include "cli/flags.h"
#include "cli/reference.h"
#include "doc/json.h"
#include "doc/yaml_emit.h"
#include "engine/engine.h"
#include "web/openapi.h"

static int run(struct cli *cli)
{
    auto_arena struct arena *arena = arena_new(16 * LIMIT_MIB);
    auto_buf struct buf out = {0};
    struct err err = {0};

    buf_init(&out, 16 * LIMIT_MIB);
    if (cli_switch(cli, "markdown")) {
        reference_write(&out);
    } else if (cli_switch(cli, "openapi")) {
        json_format(&out, web_openapi_document(arena), JSON_PRETTY);
        buf_addc(&out, '\n');
    } else if (cli_switch(cli, "crds")) {
        struct val_iter it = val_iter(engine_crds(arena));
        while (val_next(&it)) {
            buf_add(&out, S("---\n"));
            if (!yaml_emit(it.value, &out, &err))
                return cli_fail(cli, &err);
        }
    } else {
        cli_help_all(cli);
        return CLI_OK;
    }
    fwrite(out.at, 1, out.len, cli_out(cli));
    return CLI_OK;
}

static const struct cli_flag flags[] = {
        {"markdown", CLI_SWITCH, NULL, "Print the reference of the command line.", "false", 0,
         false, NULL},
        {"crds", CLI_SWITCH, NULL,
         "Print the definitions that Taut's home cluster must serve, for kubectl apply.", "false",
         0, false, NULL},
        {"openapi", CLI_SWITCH, NULL, "Print the OpenAPI description of the server.", "false", 0,
         false, NULL},
};

static const struct cli_command commands[] = {{
        .name = "",
        .args = "",
        .summary = "Show the verbs, or print a reference",
        .example = "taut help --markdown > docs/cli.md",
        .flags = flags,
        .flag_count = COUNT(flags),
        .run = run,
}};

const struct cli_verb cli_verb_help = {
        .name = "help",
        .summary = "Show the verbs, or print a reference",
        .commands = commands,
        .command_count = COUNT(commands),
};
