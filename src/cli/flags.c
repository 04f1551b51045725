/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/flags.h"
#include "base/clock.h"
#include "base/mem.h"
#include <assert.h>

static const struct cli_flag help_flag = {"help", CLI_SWITCH, NULL,  "Show this text.",
                                          NULL,   'h',        false, NULL};
static const struct cli_flag server_flags[] = {
        {"kubeconfig", CLI_TEXT, "FILE",
         "Which server to talk to; else TAUT_KUBECONFIG, else admin.kubeconfig in the data folder.",
         NULL, 0, false, NULL},
        {"context", CLI_TEXT, "NAME", "Context of the kubeconfig.", NULL, 0, false, NULL},
};
static const struct cli_flag output_flag = {
        "output", CLI_CHOICE, "table|json|yaml", "How to print.", "table", 'o', false, NULL};
static const struct cli_flag devops_flag = {"devops",  CLI_TEXT, "NAME", "The DevOps Project.",
                                            "default", 0,        false,  "project"};

struct cli_flag_set cli_flags_of(const struct cli_command *command)
{
    struct cli_flag_set set = {0};

    assert(command->flag_count + 8 < CLI_FLAGS_MAX);
    for (size_t i = 0; i < command->flag_count; i++)
        set.flags[set.count++] = &command->flags[i];
    if (command->uses & CLI_USES_DEVOPS)
        set.flags[set.count++] = &devops_flag;
    if (command->uses & CLI_USES_OUTPUT)
        set.flags[set.count++] = &output_flag;
    if (command->uses & CLI_USES_SERVER) {
        for (size_t i = 0; i < COUNT(server_flags); i++)
            set.flags[set.count++] = &server_flags[i];
    }
    set.flags[set.count++] = &help_flag;
    return set;
}

static bool flag_is_named(const struct cli_flag *flag, str name)
{
    return str_eq(name, str_from(flag->name)) ||
           (flag->alias != NULL && str_eq(name, str_from(flag->alias)));
}

static const struct cli_flag *find_flag(const struct cli_flag_set *set, str name)
{
    for (size_t i = 0; i < set->count; i++) {
        if (flag_is_named(set->flags[i], name))
            return set->flags[i];
    }
    return NULL;
}

static const struct cli_flag *find_letter(const struct cli_flag_set *set, char letter)
{
    for (size_t i = 0; i < set->count; i++) {
        if (set->flags[i]->letter == letter)
            return set->flags[i];
    }
    return NULL;
}

static bool choice_allows(const char *choices, str text)
{
    str rest = str_from(choices);
    str part;

    while (str_split(&rest, '|', &part)) {
        if (str_eq(part, text))
            return true;
    }
    return false;
}

static bool check_value(const struct cli_flag *flag, str text, struct err *err)
{
    uint64_t number;
    int64_t ms;

    switch (flag->kind) {
    case CLI_SWITCH:
        if (str_eq(text, S("true")) || str_eq(text, S("false")))
            return true;
        return err_set(err, ERR_INVALID, "--%s takes true or false, not '%.*s'", flag->name,
                       STR(text));
    case CLI_NUMBER:
        if (str_to_u64(text, &number) && number <= INT64_MAX)
            return true;
        return err_set(err, ERR_INVALID, "--%s takes a whole number, not '%.*s'", flag->name,
                       STR(text));
    case CLI_DURATION:
        if (clock_parse_duration(text, &ms) && ms >= 0)
            return true;
        return err_set(err, ERR_INVALID, "--%s takes a duration such as 90s or 2m, not '%.*s'",
                       flag->name, STR(text));
    case CLI_CHOICE:
        if (choice_allows(flag->value, text))
            return true;
        return err_set(err, ERR_INVALID, "--%s takes one of %s, not '%.*s'", flag->name,
                       flag->value, STR(text));
    case CLI_TEXT:
    case CLI_LIST:
        return true;
    }
    return false;
}

static bool add_value(struct cli *cli, const struct cli_flag *flag, const char *text,
                      struct err *err)
{
    if (!check_value(flag, str_from(text), err))
        return false;
    cli->values[cli->value_count++] = (struct cli_value){flag, text};
    return true;
}

static bool unknown_flag(const struct cli_flag_set *set, str name, struct err *err)
{
    const char *best = NULL;
    size_t least = 3;

    for (size_t i = 0; i < set->count; i++) {
        size_t distance = cli_distance(name, str_from(set->flags[i]->name));
        if (distance < least) {
            least = distance;
            best = set->flags[i]->name;
        }
    }
    if (best == NULL)
        return err_set(err, ERR_INVALID, "there is no flag --%.*s here", STR(name));
    return err_set(err, ERR_INVALID, "there is no flag --%.*s here; did you mean --%s?", STR(name),
                   best);
}

/* One flag at argv[*at]; moves *at past it and its value. */
static bool parse_flag(struct cli *cli, int argc, char **argv, int *at, struct err *err)
{
    str arg = str_from(argv[*at]);
    const char *text = NULL;
    const struct cli_flag *flag;

    if (str_skip(&arg, S("--"))) {
        size_t equals = str_find_char(arg, '=');
        if (equals != SIZE_MAX) {
            text = arg.at + equals + 1;
            arg = str_first(arg, equals);
        }
        flag = find_flag(&cli->set, arg);
        if (flag == NULL)
            return unknown_flag(&cli->set, arg, err);
    } else {
        flag = find_letter(&cli->set, arg.at[1]);
        if (flag == NULL)
            return err_set(err, ERR_INVALID, "there is no flag '%.*s' here", STR(arg));
        if (arg.len > 2)
            text = arg.at + 2;
    }
    (*at)++;
    if (text == NULL && flag->kind == CLI_SWITCH)
        text = "true";
    if (text == NULL) {
        if (*at >= argc)
            return err_set(err, ERR_INVALID, "--%s needs a value: %s", flag->name, flag->value);
        text = argv[(*at)++];
    }
    return add_value(cli, flag, text, err);
}

/* --kubeconfig before the verb always names the server, also where the command's own --kubeconfig
 * is something else. */
static bool parse_lead(struct cli *cli, struct err *err)
{
    const struct cli_flag *flag = find_flag(&cli->set, S("server-kubeconfig"));

    if (flag == NULL)
        flag = find_flag(&cli->set, S("kubeconfig"));
    for (int at = 0; at < cli->lead_count; at++) {
        str arg = str_from(cli->lead[at]);
        const char *text = str_skip(&arg, S("--kubeconfig=")) ? arg.at
                           : at + 1 < cli->lead_count         ? cli->lead[++at]
                                                              : NULL;
        if (text == NULL)
            return err_set(err, ERR_INVALID, "--kubeconfig needs a value: FILE");
        if (flag != NULL && !add_value(cli, flag, text, err))
            return false;
    }
    return true;
}

static bool parse_all(struct cli *cli, int argc, char **argv, struct err *err)
{
    bool only_args = false;

    for (int at = 0; at < argc;) {
        str arg = str_from(argv[at]);

        if (!only_args && str_eq(arg, S("--"))) {
            only_args = true;
            at++;
        } else if (!only_args && arg.len > 1 && arg.at[0] == '-') {
            if (!parse_flag(cli, argc, argv, &at, err))
                return false;
        } else {
            cli->args[cli->arg_count++] = argv[at++];
        }
    }
    return true;
}

bool cli_flags_parse(struct cli *cli, int argc, char **argv, bool *ret_help, struct err *err)
{
    size_t room = (size_t)argc + (size_t)cli->lead_count + 1;

    if (room > LIMIT_CLI_ARGUMENTS)
        return err_set(err, ERR_LIMIT, "more than %d arguments", LIMIT_CLI_ARGUMENTS);
    cli->set = cli_flags_of(cli->command);
    cli->args = mem_new(room, sizeof(*cli->args));
    cli->values = mem_new(room, sizeof(*cli->values));
    if (!parse_lead(cli, err) || !parse_all(cli, argc, argv, err))
        return false;
    *ret_help = cli_switch(cli, "help");
    return true;
}

bool cli_flags_check(const struct cli *cli, struct err *err)
{
    const struct cli_command *command = cli->command;

    if (cli->arg_count < command->args_min)
        return err_set(err, ERR_INVALID, "missing: %s", command->args);
    if (cli->arg_count > command->args_max)
        return err_set(err, ERR_INVALID, "unexpected argument '%s'", cli->args[command->args_max]);
    for (size_t i = 0; i < cli->set.count; i++) {
        if (cli->set.flags[i]->required && !cli_is_set(cli, cli->set.flags[i]->name))
            return err_set(err, ERR_INVALID, "--%s %s is required", cli->set.flags[i]->name,
                           cli->set.flags[i]->value);
    }
    return true;
}

void cli_flags_done(struct cli *cli)
{
    mem_free(cli->args);
    mem_free(cli->values);
    cli->args = NULL;
    cli->values = NULL;
}

/* ---- values ---- */

size_t cli_arg_count(const struct cli *cli)
{
    return cli->arg_count;
}

str cli_arg(const struct cli *cli, size_t index)
{
    return index < cli->arg_count ? str_from(cli->args[index]) : STR_EMPTY;
}

static const struct cli_flag *flag_of(const struct cli *cli, const char *name)
{
    const struct cli_flag *flag = find_flag(&cli->set, str_from(name));
    assert(flag != NULL && "the command asks for a flag that it does not declare");
    return flag;
}

bool cli_has_flag(const struct cli *cli, const char *name)
{
    return find_flag(&cli->set, str_from(name)) != NULL;
}

/* The last one given wins. */
static const char *text_of(const struct cli *cli, const char *name)
{
    const struct cli_flag *flag = flag_of(cli, name);

    for (size_t i = cli->value_count; i > 0; i--) {
        if (cli->values[i - 1].flag == flag)
            return cli->values[i - 1].text;
    }
    return flag->preset;
}

bool cli_is_set(const struct cli *cli, const char *name)
{
    const struct cli_flag *flag = flag_of(cli, name);

    for (size_t i = 0; i < cli->value_count; i++) {
        if (cli->values[i].flag == flag)
            return true;
    }
    return false;
}

bool cli_switch(const struct cli *cli, const char *name)
{
    return str_eq(str_from(text_of(cli, name)), S("true"));
}

str cli_text(const struct cli *cli, const char *name)
{
    return str_from(text_of(cli, name));
}

int64_t cli_number(const struct cli *cli, const char *name)
{
    int64_t number = 0;
    const char *text = text_of(cli, name);

    if (text == NULL || !str_to_i64(str_from(text), &number))
        return 0;
    return number;
}

int64_t cli_duration_ms(const struct cli *cli, const char *name)
{
    int64_t ms = 0;
    const char *text = text_of(cli, name);

    if (text == NULL || !clock_parse_duration(str_from(text), &ms))
        return 0;
    return ms;
}

size_t cli_list_count(const struct cli *cli, const char *name)
{
    const struct cli_flag *flag = flag_of(cli, name);
    size_t count = 0;

    for (size_t i = 0; i < cli->value_count; i++)
        count += cli->values[i].flag == flag;
    return count;
}

str cli_list(const struct cli *cli, const char *name, size_t index)
{
    const struct cli_flag *flag = flag_of(cli, name);

    for (size_t i = 0; i < cli->value_count; i++) {
        if (cli->values[i].flag == flag && index-- == 0)
            return str_from(cli->values[i].text);
    }
    return STR_EMPTY;
}

size_t cli_distance(str a, str b)
{
    size_t row[40];

    if (a.len >= COUNT(row) || b.len >= COUNT(row))
        return SIZE_MAX;
    for (size_t j = 0; j <= b.len; j++)
        row[j] = j;
    for (size_t i = 1; i <= a.len; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            size_t above = row[j];
            size_t change = diagonal + (a.at[i - 1] != b.at[j - 1]);
            row[j] = MIN(MIN(above + 1, row[j - 1] + 1), change);
            diagonal = above;
        }
    }
    return row[b.len];
}
