/* SPDX-License-Identifier: Apache-2.0 */
/* taut version: what this binary is. */
#include "cli/cli.h"

static int run(struct cli *cli)
{
    bool json = str_eq(cli_text(cli, "output"), S("json"));
    fprintf(cli_out(cli), json ? "{\"version\":\"%s\"}\n" : "taut %s\n", TAUT_VERSION);
    return CLI_OK;
}

static const struct cli_command commands[] = {{
        .name = "",
        .args = "",
        .summary = "Print the version",
        .example = "taut version -o json",
        .uses = CLI_USES_OUTPUT,
        .run = run,
}};

const struct cli_verb cli_verb_version = {
        .name = "version",
        .summary = "Print the version",
        .commands = commands,
        .command_count = COUNT(commands),
};
