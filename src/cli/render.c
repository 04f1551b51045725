/* SPDX-License-Identifier: Apache-2.0 */
/*
 * taut render: what a path of a code repository renders to, by the same fetch and render processes
 * as the server's, without a server. Objects go to standard output, what was noticed to standard
 * error.
 */
#include "base/fd.h"
#include "base/mem.h"
#include "base/secret.h"
#include "cli/cli.h"
#include "doc/json.h"
#include "doc/yaml_emit.h"
#include "git/cache.h"
#include "source/source.h"

#include <stdlib.h>

struct render {
    struct cli *cli;
    struct loop *loop;
    struct arena *arena;
    struct secret *password;
    struct secret *ssh_key;
    struct secret *passphrase;
    bool done;
    int code;
};

static bool print_yaml(struct cli *cli, const struct render_result *result, struct err *err)
{
    auto_buf struct buf out = {0};

    buf_init(&out, LIMIT_RENDER_ANSWER);
    for (size_t i = 0; i < result->object_count; i++) {
        if (i > 0)
            buf_add(&out, S("---\n"));
        if (!yaml_emit(result->objects[i].object, &out, err))
            return false;
    }
    if (!buf_check(&out, "the rendered objects", err))
        return false;
    fwrite(out.at == NULL ? "" : out.at, 1, out.len, cli_out(cli));
    return true;
}

static bool print_json(struct cli *cli, struct arena *arena, const struct render_result *result,
                       struct err *err)
{
    struct val items = val_list();
    struct val list = val_map();
    auto_buf struct buf out = {0};

    for (size_t i = 0; i < result->object_count; i++)
        val_append(arena, &items, val_dup_value(arena, result->objects[i].object));
    val_set_str(arena, &list, S("apiVersion"), S("v1"));
    val_set_str(arena, &list, S("kind"), S("List"));
    val_set(arena, &list, S("items"), items);
    buf_init(&out, LIMIT_RENDER_ANSWER * 2);
    json_format(&out, &list, JSON_PRETTY);
    buf_addc(&out, '\n');
    if (!buf_check(&out, "the rendered objects", err))
        return false;
    fwrite(out.at, 1, out.len, cli_out(cli));
    return true;
}

static void on_desired(void *owner, const struct source_desired *desired, const struct err *err)
{
    struct render *r = owner;
    struct err own;

    r->done = true;
    if (desired == NULL) {
        r->code = cli_fail(r->cli, err);
        return;
    }
    for (size_t i = 0; i < desired->result->warning_count; i++)
        cli_note(r->cli, "%.*s", STR(desired->result->warnings[i]));
    cli_note(r->cli, "%s, %zu objects at %.*s", render_tool_name(desired->result->tool),
             desired->result->object_count, STR(desired->commit));
    bool ok = str_eq(cli_text(r->cli, "output"), S("json"))
                      ? print_json(r->cli, r->arena, desired->result, &own)
                      : print_yaml(r->cli, desired->result, &own);
    r->code = ok ? CLI_OK : cli_fail(r->cli, &own);
}

/* The project's say is the server's; here it is the person's own machine. */
static bool allows(void *owner, str url)
{
    (void)owner;
    (void)url;
    return true;
}

static struct val *settings(const struct render *r)
{
    struct val *source = val_new(r->arena, val_map());

    val_set_str(r->arena, source, S("path"), cli_text(r->cli, "path"));
    if (cli_switch(r->cli, "recurse")) {
        struct val *directory = val_ensure_map(r->arena, source, S("directory"));
        val_set(r->arena, directory, S("recurse"), val_bool(true));
    }
    return source;
}

/* "" when the flag was not given. */
static bool read_text(struct render *r, const char *flag, str *ret_text, struct err *err)
{
    char *bytes;
    size_t len;

    *ret_text = STR_EMPTY;
    if (!cli_is_set(r->cli, flag))
        return true;
    if (!cli_read_file(cli_text(r->cli, flag), LIMIT_MIB, &bytes, &len, err))
        return false;
    *ret_text = arena_str(r->arena, str_of(bytes, len));
    secret_wipe(bytes, len);
    mem_free(bytes);
    return true;
}

static bool read_credential(struct render *r, struct source_credential *ret, struct err *err)
{
    str password;
    str key;
    str passphrase;

    if (!read_text(r, "secret-file", &password, err) || !read_text(r, "ssh-key-file", &key, err) ||
        !read_text(r, "ssh-passphrase-file", &passphrase, err) ||
        !read_text(r, "known-hosts", &ret->known_hosts, err))
        return false;
    r->password = secret_new(str_trim(password));
    r->ssh_key = secret_new(key);
    r->passphrase = secret_new(str_trim(passphrase));
    ret->username = cli_text(r->cli, "username");
    ret->password = r->password;
    ret->ssh_key = r->ssh_key;
    ret->passphrase = r->passphrase;
    return true;
}

/* A repository on this disk that the person names is allowed by naming it. */
static const char *own_roots(const struct render *r, str url)
{
    str_skip(&url, S("file://"));
    return str_starts(url, S("/")) ? arena_z(r->arena, url) : NULL;
}

static bool ask(struct render *r, struct render_pool *pool, const char *data_dir, struct err *err)
{
    struct source_credential credential = {0};
    str url = cli_text(r->cli, "repo");
    struct source_options options = {
            .data_dir = data_dir, .file_roots = own_roots(r, url), .allow_link_local = true};
    struct source_request request = {
            .revision = cli_text(r->cli, "revision"),
            .source = settings(r),
            .application = cli_text(r->cli, "name"),
            .namespace_ = cli_text(r->cli, "namespace"),
            .allows = allows,
    };

    if (!read_credential(r, &credential, err))
        return false;
    struct source *source = source_new(r->loop, pool, &options, err);
    if (source == NULL)
        return false;
    struct source_repo *repo = source_repo_get(source, url, &credential, err);
    if (repo != NULL) {
        source_desire(repo, &request, on_desired, r);
        while (!r->done)
            loop_run_until(r->loop, &r->done, 60000);
        if (!str_is_empty(source_repo_moved_to(repo)))
            cli_note(r->cli, "the repository has moved to %.*s", STR(source_repo_moved_to(repo)));
    }
    source_repo_unref(repo);
    source_free(source);
    return repo != NULL;
}

static int run(struct cli *cli)
{
    struct render r = {.cli = cli, .code = CLI_FAILED};
    const char *tmp = getenv("TMPDIR");
    char dir[4096];
    struct err err;

    r.loop = loop_new();
    struct render_pool *pool = render_pool_new(r.loop, NULL, &err);
    if (pool == NULL) {
        loop_free(r.loop);
        return cli_fail(cli, &err);
    }
    r.arena = arena_new(LIMIT_RENDER_ARENA);
    snprintf(dir, sizeof(dir), "%s/taut-render-XXXXXX",
             tmp == NULL || tmp[0] != '/' ? "/tmp" : tmp);
    if (mkdtemp(dir) == NULL) {
        err_set(&err, ERR_IO, "no temporary directory can be made in '%s'",
                tmp == NULL ? "/tmp" : tmp);
        r.code = cli_fail(cli, &err);
    } else {
        if (!ask(&r, pool, dir, &err))
            r.code = cli_fail(cli, &err);
        cache_remove(dir);
    }
    render_pool_free(pool);
    loop_free(r.loop);
    arena_free(r.arena);
    secret_free(r.password);
    secret_free(r.ssh_key);
    secret_free(r.passphrase);
    return r.code;
}

static const struct cli_flag flags[] = {
        {.name = "repo",
         .kind = CLI_TEXT,
         .value = "URL",
         .help = "The code repository: https, http, ssh, git, or a path of this machine",
         .required = true},
        {.name = "revision",
         .kind = CLI_TEXT,
         .value = "REVISION",
         .preset = "HEAD",
         .help = "Branch, tag or commit"},
        {.name = "path",
         .kind = CLI_TEXT,
         .value = "PATH",
         .preset = ".",
         .help = "The path of the manifests in the repository"},
        {.name = "recurse", .kind = CLI_SWITCH, .help = "Read sub-directories of plain manifests"},
        {.name = "name",
         .kind = CLI_TEXT,
         .value = "NAME",
         .preset = "render",
         .help = "The continuous deployment's name, for tools that use it"},
        {.name = "namespace",
         .kind = CLI_TEXT,
         .value = "NAMESPACE",
         .preset = "default",
         .help = "The project deployed to, for tools that use it"},
        {.name = "username", .kind = CLI_TEXT, .value = "NAME", .help = "Of a private repository"},
        {.name = "secret-file",
         .kind = CLI_TEXT,
         .value = "FILE",
         .help = "Its password or access token; - reads standard input"},
        {.name = "ssh-key-file",
         .kind = CLI_TEXT,
         .value = "FILE",
         .help = "Its private SSH key; - reads standard input"},
        {.name = "ssh-passphrase-file",
         .kind = CLI_TEXT,
         .value = "FILE",
         .help = "The passphrase of that key; - reads standard input"},
        {.name = "known-hosts",
         .kind = CLI_TEXT,
         .value = "FILE",
         .help = "Host keys of ssh servers, in OpenSSH's format"},
        {.name = "output",
         .letter = 'o',
         .kind = CLI_CHOICE,
         .value = "yaml|json",
         .preset = "yaml",
         .help = "How the objects are printed"},
};

static const struct cli_command commands[] = {{
        .name = "",
        .args = "",
        .summary = "Print what a path of a code repository renders to",
        .text = "The repository is fetched and rendered as the server would, and nothing is kept.",
        .example = "taut render --repo https://github.com/kubesphere-sigs/open-podcasts --path "
                   "config/default",
        .flags = flags,
        .flag_count = COUNT(flags),
        .run = run,
}};

const struct cli_verb cli_verb_render = {
        .name = "render",
        .summary = "Print what a path of a code repository renders to",
        .commands = commands,
        .command_count = COUNT(commands),
};
