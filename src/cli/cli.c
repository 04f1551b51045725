/* SPDX-License-Identifier: Apache-2.0 */
/* Dispatch, help and messages. Parsing of flags is in flags.c. */
#include "cli/cli.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/mem.h"
#include "cli/flags.h"
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <unistd.h>

static const char *const colours[] = {
        [CLI_PLAIN] = "\033[0m",   [CLI_RED] = "\033[31m",  [CLI_GREEN] = "\033[32m",
        [CLI_YELLOW] = "\033[33m", [CLI_BLUE] = "\033[34m", [CLI_DIM] = "\033[2m",
        [CLI_BOLD] = "\033[1m",
};

FILE *cli_out(UNUSED struct cli *cli)
{
    return stdout;
}

bool cli_is_terminal(const struct cli *cli)
{
    return cli->is_terminal;
}

const struct cli_command *cli_command(const struct cli *cli)
{
    return cli->command;
}

const char *cli_colour(const struct cli *cli, enum cli_colour colour)
{
    return cli->has_colour ? colours[colour] : "";
}

int cli_fail(struct cli *cli, const struct err *err)
{
    cli_progress_end(cli);
    fflush(stdout);
    fprintf(stderr, "taut: %s\n", err->message);
    return err->code == ERR_NOT_FOUND ? CLI_NOT_FOUND
           : err->code == ERR_TIMEOUT ? CLI_TIMEOUT
                                      : CLI_FAILED;
}

int cli_fail_usage(struct cli *cli, const char *format, ...)
{
    va_list args;

    cli_progress_end(cli);
    fflush(stdout);
    fputs("taut: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    if (cli->verb == NULL)
        fputs("\nTry: taut --help\n", stderr);
    else
        fprintf(stderr, "\nTry: taut %s%s%s --help\n", cli->verb->name,
                cli->command != NULL && cli->command->name[0] != '\0' ? " " : "",
                cli->command != NULL ? cli->command->name : "");
    return CLI_USAGE;
}

void cli_progress(struct cli *cli, const char *format, ...)
{
    va_list args;

    if (!cli->is_err_terminal)
        return;
    fputs("\r\033[K", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fflush(stderr);
    cli->has_progress = true;
}

void cli_progress_end(struct cli *cli)
{
    if (cli->has_progress)
        fputs("\r\033[K", stderr);
    cli->has_progress = false;
}

void cli_note(struct cli *cli, const char *format, ...)
{
    va_list args;

    cli_progress_end(cli);
    fflush(stdout);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
}

bool cli_read_file(str path, size_t max, char **ret_bytes, size_t *ret_len, struct err *err)
{
    bool is_stdin = str_eq(path, S("-"));
    char *path_z = mem_dup_z(path);
    int fd = is_stdin ? STDIN_FILENO : open(path_z, O_RDONLY | O_CLOEXEC);
    auto_buf struct buf bytes = {0};
    bool ok = fd >= 0;

    buf_init(&bytes, max);
    while (ok) {
        char part[16384];
        ssize_t got = read(fd, part, sizeof(part));

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            ok = got == 0;
            break;
        }
        buf_add(&bytes, str_of(part, (size_t)got));
        if (buf_is_over(&bytes))
            break;
    }
    int saved = errno;
    if (fd >= 0 && !is_stdin)
        close(fd);
    mem_free(path_z);
    if (!ok)
        return err_set(err, saved == ENOENT ? ERR_NOT_FOUND : ERR_IO, "cannot read '%.*s': %s",
                       STR(path), strerror(saved));
    if (buf_is_over(&bytes))
        return err_set(err, ERR_LIMIT, "'%.*s' is larger than the limit of %zu bytes", STR(path),
                       max);
    buf_add(&bytes, STR_EMPTY);
    *ret_bytes = buf_take(&bytes, ret_len);
    return true;
}

/* ---- help ---- */

static void print_flag(const struct cli *cli, const struct cli_flag *flag)
{
    char left[128];
    int width = snprintf(left, sizeof(left), "  %c%c%s--%s%s%s", flag->letter != 0 ? '-' : ' ',
                         flag->letter != 0 ? flag->letter : ' ', flag->letter != 0 ? ", " : "  ",
                         flag->name, flag->value != NULL ? " " : "",
                         flag->value != NULL ? flag->value : "");

    printf("%s%s%s", cli_colour(cli, CLI_BOLD), left, cli_colour(cli, CLI_PLAIN));
    if (width > 34)
        printf("\n%36s", "");
    else
        printf("%*s", 36 - width, "");
    fputs(flag->help, stdout);
    fputs(str_ends(str_from(flag->help), S(".")) ? "" : ".", stdout);
    if (flag->kind == CLI_LIST)
        fputs(" May be given several times.", stdout);
    if (flag->preset != NULL)
        printf(" Default: %s.", flag->preset);
    if (flag->required)
        fputs(" Required.", stdout);
    if (flag->alias != NULL)
        printf(" Also --%s.", flag->alias);
    putchar('\n');
}

static void help_command(const struct cli *cli)
{
    const struct cli_command *command = cli->command;
    struct cli_flag_set set = cli_flags_of(command);

    printf("%s.\n\n", command->summary);
    printf("Usage: taut %s%s%s%s%s%s\n", cli->verb->name, command->name[0] != '\0' ? " " : "",
           command->name, command->args[0] != '\0' ? " " : "", command->args,
           set.count > 0 ? " [flags]" : "");
    if (command->text != NULL)
        printf("\n%s\n", command->text);
    printf("\nFlags:\n");
    for (size_t i = 0; i < set.count; i++)
        print_flag(cli, set.flags[i]);
    printf("\nExample:\n  %s\n", command->example);
}

static void help_verb(const struct cli *cli)
{
    const struct cli_verb *verb = cli->verb;

    printf("%s.\n\nUsage: taut %s COMMAND [flags]\n\nCommands:\n", verb->summary, verb->name);
    for (size_t i = 0; i < verb->command_count; i++)
        printf("  %s%-14s%s %s\n", cli_colour(cli, CLI_BOLD), verb->commands[i].name,
               cli_colour(cli, CLI_PLAIN), verb->commands[i].summary);
    printf("\nMore: taut %s COMMAND --help\n", verb->name);
}

void cli_help_all(const struct cli *cli)
{
    printf("Taut keeps Kubernetes clusters taut to Git.\n\nUsage: taut VERB [COMMAND] [flags]\n\n"
           "Verbs:\n");
    for (size_t i = 0; i < cli_verb_count; i++)
        printf("  %s%-12s%s %s\n", cli_colour(cli, CLI_BOLD), cli_verbs[i]->name,
               cli_colour(cli, CLI_PLAIN), cli_verbs[i]->summary);
    printf("\nFirst minute: taut serve --demo\n"
           "A verb talks to the server named by --kubeconfig FILE, else TAUT_KUBECONFIG, else\n"
           "admin.kubeconfig in the data folder. More: taut VERB --help\n"
           "Exit codes: 0 done, 1 failed, 2 wrong command line, 3 not found, 4 differences,\n"
           "5 timed out.\n");
}

/* ---- dispatch ---- */

static bool is_help(const char *arg)
{
    str s = str_from(arg);
    return str_eq(s, S("--help")) || str_eq(s, S("-h"));
}

static const struct cli_verb *find_verb(str name)
{
    for (size_t i = 0; i < cli_verb_count; i++) {
        if (str_eq(name, str_from(cli_verbs[i]->name)))
            return cli_verbs[i];
    }
    return NULL;
}

static const char *nearest_verb(str name)
{
    const char *best = NULL;
    size_t least = 3;

    for (size_t i = 0; i < cli_verb_count; i++) {
        size_t distance = cli_distance(name, str_from(cli_verbs[i]->name));
        if (distance < least) {
            least = distance;
            best = cli_verbs[i]->name;
        }
    }
    return best;
}

/* How many arguments a command's name ("get", "member add") takes up; 0: it is another one. */
static int count_words(const char *name, int argc, char **argv)
{
    str rest = str_from(name);
    str word;
    int count = 0;

    while (str_split(&rest, ' ', &word)) {
        if (count >= argc || !str_eq(str_from(argv[count]), word))
            return 0;
        count++;
    }
    return count;
}

/* Finds the command of the verb; *at moves past its name. */
static const struct cli_command *find_command(const struct cli_verb *verb, int argc, char **argv,
                                              int *at)
{
    if (verb->command_count == 1 && verb->commands[0].name[0] == '\0')
        return &verb->commands[0];
    if (*at >= argc)
        return NULL;
    for (size_t i = 0; i < verb->command_count; i++) {
        int words = count_words(verb->commands[i].name, argc - *at, argv + *at);
        if (words > 0) {
            *at += words;
            return &verb->commands[i];
        }
    }
    return NULL;
}

static int run_command(struct cli *cli, int argc, char **argv)
{
    struct err err = {0};
    bool wants_help = false;

    if (!cli_flags_parse(cli, argc, argv, &wants_help, &err))
        return cli_fail_usage(cli, "%s", err.message);
    if (wants_help) {
        help_command(cli);
        return CLI_OK;
    }
    if (!cli_flags_check(cli, &err))
        return cli_fail_usage(cli, "%s", err.message);
    return cli->command->run(cli);
}

/* `taut --kubeconfig FILE app list` is `taut app list --kubeconfig FILE`: flags that stand before
 * the verb are moved behind it. */
static int leading_flags(int argc, char **argv)
{
    int at = 1;

    while (at < argc && str_starts(str_from(argv[at]), S("--kubeconfig")))
        at += str_eq(str_from(argv[at]), S("--kubeconfig")) ? 2 : 1;
    return MIN(at, argc);
}

static int dispatch(struct cli *cli, int argc, char **argv)
{
    int at = leading_flags(argc, argv);
    cli->lead = argv + 1;
    cli->lead_count = at - 1;

    if (at >= argc || is_help(argv[at])) {
        cli_help_all(cli);
        return CLI_OK;
    }
    if (str_eq(str_from(argv[at]), S("--version"))) {
        printf("taut %s\n", TAUT_VERSION);
        return CLI_OK;
    }
    cli->verb = find_verb(str_from(argv[at]));
    if (cli->verb == NULL) {
        const char *near = nearest_verb(str_from(argv[at]));
        return cli_fail_usage(cli, "there is no verb '%s'%s%s%s", argv[at],
                              near != NULL ? "; did you mean '" : "", near != NULL ? near : "",
                              near != NULL ? "'?" : "");
    }
    at++;
    cli->command = find_command(cli->verb, argc, argv, &at);
    if (cli->command == NULL) {
        if (at >= argc || is_help(argv[at])) {
            help_verb(cli);
            return at >= argc ? CLI_USAGE : CLI_OK;
        }
        return cli_fail_usage(cli, "'taut %s' has no command '%s'", cli->verb->name, argv[at]);
    }
    return run_command(cli, argc - at, argv + at);
}

int cli_main(int argc, char **argv)
{
    struct cli cli = {0};
    const char *no_colour = getenv("NO_COLOR");

    cli.is_terminal = isatty(STDOUT_FILENO) == 1;
    cli.is_err_terminal = isatty(STDERR_FILENO) == 1;
    cli.has_colour = cli.is_terminal && (no_colour == NULL || no_colour[0] == '\0');
    int code = dispatch(&cli, argc, argv);
    cli_flags_done(&cli);
    if (fflush(stdout) != 0 && code == CLI_OK) {
        fprintf(stderr, "taut: cannot write to standard output: %s\n", strerror(errno));
        code = CLI_FAILED;
    }
    return code;
}
