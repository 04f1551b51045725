/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Parsing of flags; private to the command line's own files. */
#include "cli/cli.h"

#define CLI_FLAGS_MAX 64

struct cli_flag_set {
    const struct cli_flag *flags[CLI_FLAGS_MAX];
    size_t count;
};

struct cli_value {
    const struct cli_flag *flag;
    const char *text;
};

struct cli {
    const struct cli_verb *verb;
    const struct cli_command *command;
    bool is_terminal;
    bool is_err_terminal;
    bool has_colour;
    bool has_progress;
    char **lead; /* flags that stood before the verb */
    int lead_count;
    struct cli_flag_set set;
    const char **args;
    size_t arg_count;
    struct cli_value *values; /* in the order of the command line */
    size_t value_count;
};

/* The command's own flags and those that it shares. */
struct cli_flag_set cli_flags_of(const struct cli_command *command);
MUST_USE bool cli_flags_parse(struct cli *cli, int argc, char **argv, bool *ret_help,
                              struct err *err);
/* Required flags, number of arguments. */
MUST_USE bool cli_flags_check(const struct cli *cli, struct err *err);
void cli_flags_done(struct cli *cli);
/* Edit distance of two short words. */
size_t cli_distance(str a, str b);
/* The overview of all verbs, on standard output. */
void cli_help_all(const struct cli *cli);
