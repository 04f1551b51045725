/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * cli: the command line. One file a verb; a verb is a table of commands, a command a table of
 * flags. Parsing, checking and --help come out of these tables and out of nothing else.
 *
 * Add a verb: src/cli/<verb>.c with `const struct cli_verb cli_verb_<verb>`, its declaration here,
 * a row in verbs.c, a line in meson.build.
 *
 * Owner:  the cli owns parsed values; texts point into argv and live as long as the process.
 * Bounds: LIMIT_CLI_ARGUMENTS arguments.
 */
#include "base/err.h"
#include <stdio.h>

struct cli;
struct val;
struct arena;

/* Exit codes: part of the interface, listed in docs/cli.md. */
enum cli_exit {
    CLI_OK = 0,
    CLI_FAILED = 1,    /* it was tried and did not work; the reason is on standard error */
    CLI_USAGE = 2,     /* the command line is wrong; nothing was tried */
    CLI_NOT_FOUND = 3, /* the named thing does not exist */
    CLI_DIFFERS = 4,   /* app diff: there are differences */
    CLI_TIMEOUT = 5,   /* a wait ended before what it waited for came */
};

enum cli_flag_kind {
    CLI_SWITCH,   /* --prune, --prune=false */
    CLI_TEXT,     /* --repo URL */
    CLI_NUMBER,   /* --limit 5: not negative */
    CLI_DURATION, /* --timeout 60s: a Go duration */
    CLI_CHOICE,   /* --type basic|ssh|token: `value` lists what is allowed */
    CLI_LIST,     /* as text, may be given several times */
};

struct cli_flag {
    const char *name; /* without dashes */
    enum cli_flag_kind kind;
    const char *value;  /* what stands for the value in help; NULL for a switch */
    const char *help;   /* one sentence */
    const char *preset; /* used and shown when the flag is absent; NULL = none */
    char letter;        /* -o, or 0 */
    bool required;
    const char *alias; /* a second name, or NULL */
};

/* Flags that many commands share. Bits of cli_command.uses. */
enum cli_uses {
    CLI_USES_SERVER = 1, /* --kubeconfig, --context */
    CLI_USES_OUTPUT = 2, /* -o table|json|yaml */
    CLI_USES_DEVOPS = 4, /* --devops NAME (alias --project) */
};

struct cli_command {
    const char *name; /* "sync"; "" for a verb without commands */
    const char *args; /* "NAME" as shown in help; "" = none */
    size_t args_min;
    size_t args_max;
    const char *summary; /* one line */
    const char *text;    /* more, or NULL */
    const char *example; /* at least one that works */
    unsigned uses;
    const struct cli_flag *flags;
    size_t flag_count;
    int (*run)(struct cli *cli); /* enum cli_exit */
};

struct cli_verb {
    const char *name;
    const char *summary;
    const struct cli_command *commands;
    size_t command_count;
};

/* The verbs; the table is in verbs.c. */
extern const struct cli_verb cli_verb_app;
extern const struct cli_verb cli_verb_apply;
extern const struct cli_verb cli_verb_cluster;
extern const struct cli_verb cli_verb_credential;
extern const struct cli_verb cli_verb_devops;
extern const struct cli_verb cli_verb_kustomize;
extern const struct cli_verb cli_verb_help;
extern const struct cli_verb cli_verb_render;
extern const struct cli_verb cli_verb_repo;
extern const struct cli_verb cli_verb_sandbox;
extern const struct cli_verb cli_verb_serve;
extern const struct cli_verb cli_verb_service;
extern const struct cli_verb cli_verb_status;
extern const struct cli_verb cli_verb_user;
extern const struct cli_verb cli_verb_version;
extern const struct cli_verb *const cli_verbs[];
extern const size_t cli_verb_count;

/* Parses argv, runs the command, returns the exit code. */
int cli_main(int argc, char **argv);

/* ---- for the verbs ---- */
FILE *cli_out(struct cli *cli); /* standard output, buffered */
bool cli_is_terminal(const struct cli *cli);
const struct cli_command *cli_command(const struct cli *cli);
size_t cli_arg_count(const struct cli *cli);
str cli_arg(const struct cli *cli, size_t index); /* positional; "" when absent */
/* Values by flag name; asking for a flag that the command does not have is our own mistake. */
bool cli_switch(const struct cli *cli, const char *name);
bool cli_has_flag(const struct cli *cli, const char *name);
bool cli_is_set(const struct cli *cli, const char *name); /* given on the command line */
str cli_text(const struct cli *cli, const char *name);    /* "" when absent and no preset */
int64_t cli_number(const struct cli *cli, const char *name);
int64_t cli_duration_ms(const struct cli *cli, const char *name);
size_t cli_list_count(const struct cli *cli, const char *name);
str cli_list(const struct cli *cli, const char *name, size_t index);

/* "taut: <message>" on standard error; returns the exit code that fits the error's code. */
int cli_fail(struct cli *cli, const struct err *err);
int cli_fail_usage(struct cli *cli, const char *format, ...) PRINTF_LIKE(2, 3);
/* A line of progress on standard error, on a terminal only; the next one replaces it. */
void cli_progress(struct cli *cli, const char *format, ...) PRINTF_LIKE(2, 3);
void cli_progress_end(struct cli *cli);
/* A note for the person, on standard error, so that standard output stays machine-readable. */
void cli_note(struct cli *cli, const char *format, ...) PRINTF_LIKE(2, 3);

enum cli_colour { CLI_PLAIN, CLI_RED, CLI_GREEN, CLI_YELLOW, CLI_BLUE, CLI_DIM, CLI_BOLD };
/* Escape sequence to switch the colour on, "" when colours are off (no terminal, NO_COLOR). */
const char *cli_colour(const struct cli *cli, enum cli_colour colour);

/* A whole file, or standard input for "-"; fails above `max` bytes. Free with mem_free. */
MUST_USE bool cli_read_file(str path, size_t max, char **ret_bytes, size_t *ret_len,
                            struct err *err);
