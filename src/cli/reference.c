/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/reference.h"
#include "cli/flags.h"

static const char head[] =
        "# The command line\n\n"
        "Made from the program's own tables by `taut help --markdown`; a test holds the two "
        "equal.\n\n"
        "A verb talks to the server that `--kubeconfig FILE` names, else `TAUT_KUBECONFIG`, else "
        "`admin.kubeconfig` in the data folder (`TAUT_DATA`, else `~/.local/share/taut`, else the "
        "demo's). Standard output is for the answer, standard error for notes and progress; "
        "`-o json` and `-o yaml` are for scripts. Colours and progress appear on a terminal only, "
        "and `NO_COLOR` switches colours off.\n\n"
        "| exit code | means |\n|---|---|\n"
        "| 0 | done |\n"
        "| 1 | it was tried and did not work; the reason is on standard error |\n"
        "| 2 | the command line is wrong; nothing was tried |\n"
        "| 3 | the named thing does not exist |\n"
        "| 4 | `app diff`: there are differences |\n"
        "| 5 | a wait ended before what it waited for came |\n";

static void write_flag(struct buf *out, const struct cli_flag *flag)
{
    buf_add(out, S("| `"));
    if (flag->letter != 0)
        buf_addf(out, "-%c`, `", flag->letter);
    buf_addf(out, "--%s", flag->name);
    if (flag->value != NULL) {
        buf_addc(out, ' ');
        /* '|' would end the table's cell. */
        for (const char *c = flag->value; *c != '\0'; c++)
            buf_add(out, *c == '|' ? S("\\|") : str_of(c, 1));
    }
    buf_addf(out, "` | %s%s", flag->help, str_ends(str_from(flag->help), S(".")) ? "" : ".");
    if (flag->kind == CLI_LIST)
        buf_add(out, S(" May be given several times."));
    if (flag->preset != NULL)
        buf_addf(out, " Default: `%s`.", flag->preset);
    if (flag->required)
        buf_add(out, S(" Required."));
    if (flag->alias != NULL)
        buf_addf(out, " Also `--%s`.", flag->alias);
    buf_add(out, S(" |\n"));
}

static void write_command(struct buf *out, const struct cli_verb *verb,
                          const struct cli_command *command)
{
    struct cli_flag_set set = cli_flags_of(command);
    const char *space = command->name[0] != '\0' ? " " : "";

    buf_addf(out, "\n### taut %s%s%s\n\n%s.", verb->name, space, command->name, command->summary);
    if (command->text != NULL)
        buf_addf(out, " %s", command->text);
    buf_addf(out, "\n\n    taut %s%s%s%s%s\n\n", verb->name, space, command->name,
             command->args[0] != '\0' ? " " : "", command->args);
    if (set.count > 1) {
        buf_add(out, S("| flag | |\n|---|---|\n"));
        for (size_t i = 0; i + 1 < set.count; i++) /* all but --help */
            write_flag(out, set.flags[i]);
        buf_addc(out, '\n');
    }
    buf_addf(out, "For example:\n\n    %s\n", command->example);
}

void reference_write(struct buf *out)
{
    buf_add(out, S(head));
    for (size_t i = 0; i < cli_verb_count; i++) {
        buf_addf(out, "\n## %s\n\n%s.\n", cli_verbs[i]->name, cli_verbs[i]->summary);
        for (size_t j = 0; j < cli_verbs[i]->command_count; j++)
            write_command(out, cli_verbs[i], &cli_verbs[i]->commands[j]);
    }
}
