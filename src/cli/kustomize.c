/* SPDX-License-Identifier: Apache-2.0 */
/*
 * taut kustomize build: what `kustomize build` v5.8.1 prints, from this process.
 *
 * Runs no programs and fetches nothing: flags that ask for either are refused by name.
 */
#include "render/kustomize/kustomize.h"
#include "base/buf.h"
#include "cli/cli.h"
#include "doc/yaml_emit.h"
#include "render/dir_tree.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

/* Flags of the original that would run programs, or read the caller's environment. */
static const char *const refused[] = {
        "env",
        "mount",
        "network",
        "network-name",
        "enable-helm",
        "helm-command",
        "helm-api-versions",
        "helm-kube-version",
        "helm-debug",
        "enable-exec",
        "enable-alpha-plugins",
        "enable-star",
        "as-current-user",
};

static bool is_directory(str path)
{
    struct stat info;

    return path.len > 0 && stat(path.at, &info) == 0 && S_ISDIR(info.st_mode);
}

static bool write_file(const char *path, str text, struct err *err)
{
    FILE *f = fopen(path, "wb");

    if (f == NULL)
        return err_set(err, ERR_IO, "cannot write '%s': %s", path, strerror(errno));
    bool ok = fwrite(text.at, 1, text.len, f) == text.len;
    ok = fclose(f) == 0 && ok;
    return ok || err_set(err, ERR_IO, "cannot write '%s': %s", path, strerror(errno));
}

/* One file an object, named as the original names it. Names come from manifests: one with a '/'
 * would leave the directory. */
static bool write_files(str directory, const struct kustomize_result *result, struct err *err)
{
    auto_arena struct arena *arena = arena_new(LIMIT_RENDER_BYTES);
    auto_buf struct buf text = {0};

    buf_init(&text, LIMIT_RENDER_BYTES);
    for (size_t i = 0; i < result->object_count; i++) {
        str name = result->file_names[i];
        if (str_find_char(name, '/') != SIZE_MAX || str_find_char(name, '\0') != SIZE_MAX)
            return err_set(err, ERR_INVALID,
                           "cannot write '%.*s' into a directory: the name of this object is not "
                           "one of a file; write all to one file instead",
                           STR(name));
        str path = arena_printf(arena, "%.*s/%.*s", STR(directory), STR(name));
        buf_reset(&text);
        if (!arena_check(arena, "the names of the files", err) ||
            !yaml_emit(result->objects[i], &text, err) || !write_file(path.at, buf_str(&text), err))
            return false;
    }
    return true;
}

static int print(struct cli *cli, const struct kustomize_result *result)
{
    struct err err = {0};
    str output = cli_text(cli, "output");

    for (size_t i = 0; i < result->warning_count; i++)
        fprintf(stderr, "%.*s\n", STR(result->warnings[i]));
    if (output.len == 0) {
        fwrite(result->yaml.at, 1, result->yaml.len, cli_out(cli));
        return CLI_OK;
    }
    bool ok = result->file_names != NULL ? write_files(output, result, &err)
                                         : write_file(output.at, result->yaml, &err);
    return ok ? CLI_OK : cli_fail(cli, &err);
}

static int build_at(struct cli *cli, const char *directory)
{
    struct kustomize_options options = {
            .wants = is_directory(cli_text(cli, "output")) ? KUSTOMIZE_WANTS_FILES
                                                           : KUSTOMIZE_WANTS_YAML,
            .no_load_restriction =
                    str_eq(cli_text(cli, "load-restrictor"), S("LoadRestrictionsNone"))};
    struct kustomize_result result = {0};
    struct tree *tree = NULL;
    struct err err = {0};
    int code = CLI_FAILED;

    if (!dir_tree_open("/", &tree, &err))
        return cli_fail(cli, &err);
    struct tree_set trees = {0};
    __typeof__(*trees.entries) entry = {.tree = tree};
    trees.entries = &entry;
    trees.count = 1;
    switch (kustomize_build(&trees, str_from(directory + 1), &options, &result, &err)) {
    case KUSTOMIZE_DONE:
        code = print(cli, &result);
        break;
    case KUSTOMIZE_NEEDS:
        err_set(&err, ERR_UNSUPPORTED,
                "not supported yet: the command line fetches nothing, and this build needs %.*s",
                STR(result.needs[0].url));
        code = cli_fail(cli, &err);
        break;
    case KUSTOMIZE_FAILED:
        code = cli_fail(cli, &err);
        break;
    }
    kustomize_result_done(&result);
    tree_free(tree);
    return code;
}

static int run_build(struct cli *cli)
{
    str wanted = cli_arg_count(cli) > 0 ? cli_arg(cli, 0) : S(".");
    struct err err = {0};

    for (size_t i = 0; i < COUNT(refused); i++)
        if (cli_has_flag(cli, refused[i]) && cli_is_set(cli, refused[i]))
            return cli_fail_usage(cli,
                                  "--%s is refused: a build runs no programs and sees nothing "
                                  "but its files",
                                  refused[i]);
    char *directory = realpath(wanted.at, NULL);
    if (directory == NULL) {
        err_set(&err, ERR_NOT_FOUND, "'%.*s' is not there", STR(wanted));
        return cli_fail(cli, &err);
    }
    int code = build_at(cli, directory);
    free(directory);
    return code;
}

static const struct cli_flag flags[] = {
        {.name = "load-restrictor",
         .kind = CLI_CHOICE,
         .value = "LoadRestrictionsRootOnly|LoadRestrictionsNone",
         .preset = "LoadRestrictionsRootOnly",
         .help = "Whether files outside of the kustomization's directory may be read"},
        {.name = "output",
         .letter = 'o',
         .kind = CLI_TEXT,
         .value = "PATH",
         .help = "Write to this file instead of standard output; into a directory one file an "
                 "object"},
        {.name = "stack-trace",
         .kind = CLI_SWITCH,
         .help = "Taken for compatibility; an error is one sentence either way"},
        {.name = "env", .letter = 'e', .kind = CLI_LIST, .value = "NAME=VALUE", .help = "Refused"},
        {.name = "mount", .kind = CLI_LIST, .value = "MOUNT", .help = "Refused"},
        {.name = "network", .kind = CLI_SWITCH, .help = "Refused"},
        {.name = "network-name", .kind = CLI_TEXT, .value = "NAME", .help = "Refused"},
        {.name = "as-current-user", .kind = CLI_SWITCH, .help = "Refused"},
        {.name = "enable-alpha-plugins", .kind = CLI_SWITCH, .help = "Refused"},
        {.name = "enable-exec", .kind = CLI_SWITCH, .help = "Refused"},
        {.name = "enable-star", .kind = CLI_SWITCH, .help = "Refused"},
        {.name = "enable-helm", .kind = CLI_SWITCH, .help = "Refused"},
        {.name = "helm-command", .kind = CLI_TEXT, .value = "PATH", .help = "Refused"},
        {.name = "helm-api-versions", .kind = CLI_LIST, .value = "VERSION", .help = "Refused"},
        {.name = "helm-kube-version", .kind = CLI_TEXT, .value = "VERSION", .help = "Refused"},
        {.name = "helm-debug", .kind = CLI_SWITCH, .help = "Refused"},
};

static const struct cli_command commands[] = {{
        .name = "build",
        .args = "[DIR]",
        .args_max = 1,
        .summary = "Print what kustomize build prints",
        .text = "Renders the kustomization in DIR (preset: the working directory) byte for byte as "
                "kustomize v5.8.1, without running any program.",
        .example = "taut kustomize build config/default",
        .flags = flags,
        .flag_count = COUNT(flags),
        .run = run_build,
}};

const struct cli_verb cli_verb_kustomize = {
        .name = "kustomize",
        .summary = "Render kustomizations",
        .commands = commands,
        .command_count = COUNT(commands),
};
