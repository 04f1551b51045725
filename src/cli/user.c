/* SPDX-License-Identifier: Apache-2.0 */
/*
 * taut user: the people who sign in. A password is made here or read from a file, hashed here, and
 * only the hash is sent. With --data the home's database of a stopped server is opened itself, so
 * that a lost password never locks anybody out of their own machine.
 */
#include "apiserver/embedded.h"
#include "auth/auth.h"
#include "base/fd.h"
#include "base/mem.h"
#include "cli/client.h"
#include "cli/output.h"
#include "doc/hash.h"
#include "schema/gvk.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>

#define SECRETS "/api/v1/namespaces/" AUTH_SYSTEM_NAMESPACE "/secrets"

static str secret_path(struct arena *arena, str name)
{
    str escaped = client_escape(arena, name);
    return arena_printf(arena, SECRETS "/user-%.*s", STR(escaped));
}

static str data_text(struct arena *arena, const struct val *secret, str key)
{
    str text;
    return base64_decode(arena, val_get_str(val_get(secret, S("data")), key), &text) ? text
                                                                                     : STR_EMPTY;
}

static size_t count_keys(const struct val *secret, str prefix)
{
    struct val_iter it = val_iter(val_get(secret, S("data")));
    size_t count = 0;

    while (val_next(&it))
        count += str_starts(it.key, prefix);
    return count;
}

/* Never a hash: what is shown is made anew. */
static struct val *user_row(struct arena *arena, const struct val *secret)
{
    struct val *row = val_new(arena, val_map());

    val_set_str(arena, row, S("name"), object_label(secret, S("taut.dev/user")));
    val_set_str(arena, row, S("groups"), data_text(arena, secret, S("groups")));
    val_set(arena, row, S("disabled"),
            val_bool(str_eq(data_text(arena, secret, S("disabled")), S("true"))));
    val_set(arena, row, S("sessions"), val_int(arena, (int64_t)count_keys(secret, S("session."))));
    val_set(arena, row, S("tokens"), val_int(arena, (int64_t)count_keys(secret, S("token."))));
    val_set_str(arena, row, S("created"), VAL_STR(secret, "metadata", "creationTimestamp"));
    return row;
}

static int run_list(struct cli *cli)
{
    static const char *const headers[] = {"NAME",     "GROUPS", "DISABLED",
                                          "SESSIONS", "TOKENS", "CREATED"};
    auto_client struct client *client = NULL;
    auto_arena struct arena *arena = arena_new(LIMIT_RESPONSE_BYTES);
    struct val *list = NULL;
    struct val *shown = val_new(arena, val_map());
    struct val *rows = val_ensure_list(arena, shown, S("items"));
    struct err err = {0};

    if (!client_open(cli, &client, &err) ||
        !client_call(client, arena, "GET", S(SECRETS "?labelSelector=taut.dev%2Fuser"), NULL, &list,
                     &err))
        return cli_fail(cli, &err);
    struct val_iter it = val_iter(val_get(list, S("items")));
    while (val_next(&it))
        val_append(arena, rows, *user_row(arena, it.value));
    if (cli_format(cli) != CLI_TABLE)
        return cli_print_val(cli, shown);
    struct cli_table *table = cli_table_new(arena, headers, COUNT(headers));
    it = val_iter(rows);
    while (val_next(&it)) {
        str cells[] = {val_get_str(it.value, S("name")),
                       val_get_str(it.value, S("groups")),
                       val_get_bool(it.value, S("disabled"), false) ? S("yes") : S("no"),
                       val_text(val_get(it.value, S("sessions"))),
                       val_text(val_get(it.value, S("tokens"))),
                       cli_age(arena, val_get_str(it.value, S("created")))};
        cli_table_row(table, cells);
    }
    cli_table_print(cli, table);
    return CLI_OK;
}

/* ---- passwords ---- */

/* From --password-file, else a random one, which is then shown once. */
static struct secret *take_password(struct cli *cli, struct err *err)
{
    char *bytes = NULL;
    size_t len = 0;

    if (!cli_is_set(cli, "password-file"))
        return auth_new_password();
    if (!cli_read_file(cli_text(cli, "password-file"), LIMIT_PASSWORD_BYTES, &bytes, &len, err))
        return NULL;
    str text = str_of(bytes, len);
    while (str_chop(&text, S("\n")) || str_chop(&text, S("\r"))) {
    }
    struct secret *password = text.len >= 8 ? secret_new(text) : NULL;
    if (password == NULL)
        err_set(err, ERR_INVALID, "a password has at least 8 characters");
    secret_wipe(bytes, len);
    mem_free(bytes);
    return password;
}

static void show_password(struct cli *cli, const struct secret *password)
{
    if (cli_is_set(cli, "password-file"))
        return;
    str text = secret_reveal(password);
    fprintf(cli_out(cli), "password, shown this once: %.*s\n", STR(text));
}

static int run_create(struct cli *cli)
{
    auto_client struct client *client = NULL;
    auto_arena struct arena *arena = arena_new(LIMIT_RESPONSE_BYTES);
    struct err err = {0};
    auto_secret struct secret *password = take_password(cli, &err);

    if (password == NULL || !client_open(cli, &client, &err))
        return cli_fail(cli, &err);
    const struct val *secret = auth_user_secret(
            arena, cli_arg(cli, 0), cli_switch(cli, "admin") ? S(AUTH_ADMIN_GROUP) : STR_EMPTY,
            auth_hash_password(arena, password));
    if (!client_call(client, arena, "POST", S(SECRETS), secret, NULL, &err))
        return cli_fail(cli, &err);
    fprintf(cli_out(cli), "user %.*s created\n", STR(cli_arg(cli, 0)));
    show_password(cli, password);
    return CLI_OK;
}

/* The new hash, and no session of the old one. */
static const struct val *password_patch(struct arena *arena, const struct val *secret,
                                        const struct secret *password)
{
    struct val *patch = val_new(arena, val_map());
    struct val *data = val_ensure_map(arena, patch, S("data"));
    struct val_iter it = val_iter(val_get(secret, S("data")));

    while (val_next(&it)) {
        if (str_starts(it.key, S("session.")))
            val_set(arena, data, it.key, val_null());
    }
    val_set_str(arena, data, S("passwordHash"),
                base64_encode(arena, auth_hash_password(arena, password)));
    return patch;
}

/* ---- a stopped server's own database ---- */

struct direct {
    struct arena *arena;
    struct loop *loop;
    struct apiserver *server;
    struct kube *kube;
    int lock;
    const struct val *object;
    struct err err;
    bool ok;
    bool done;
};

static void on_direct(void *owner, struct kube_response *response)
{
    struct direct *direct = owner;

    direct->ok = response->ok;
    direct->err = response->err;
    direct->object = response->ok ? val_dup(direct->arena, response->object) : NULL;
    direct->done = true;
}

static bool direct_call(struct direct *direct, struct kube_request *request, struct err *err)
{
    request->gvr = (struct gvr){S(""), S("v1"), S("secrets")};
    request->namespace_ = S(AUTH_SYSTEM_NAMESPACE);
    request->field_manager = S("taut");
    direct->done = false;
    kube_start(direct->kube, request, on_direct, direct);
    if (!loop_run_until(direct->loop, &direct->done, 10000))
        return err_set(err, ERR_TIMEOUT, "the database does not answer");
    if (!direct->ok)
        *err = direct->err;
    return direct->ok;
}

static bool direct_open(struct direct *direct, str dir, struct err *err)
{
    const char *path = arena_printf(direct->arena, "%.*s/home.db", STR(dir)).at;
    struct apiserver_options options = {
            .name = "home", .path = path, .sync = SQLITE_SYNC_FULL, .kinds = APISERVER_HOME};

    if (access(path, R_OK | W_OK) != 0)
        return err_set(err, ERR_NOT_FOUND, "'%.*s' is no data folder of a server: %s", STR(dir),
                       strerror(errno));
    direct->lock = open(arena_printf(direct->arena, "%.*s/lock", STR(dir)).at,
                        O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (direct->lock < 0 || flock(direct->lock, LOCK_EX | LOCK_NB) < 0)
        return err_set(err, ERR_CONFLICT, "a server runs on '%.*s': leave --data out", STR(dir));
    direct->loop = loop_new();
    if (!apiserver_new(direct->loop, &options, &direct->server, err))
        return false;
    direct->kube = apiserver_kube(direct->server);
    return true;
}

static void direct_close(struct direct *direct)
{
    if (direct->kube != NULL)
        kube_free(direct->kube);
    if (direct->server != NULL)
        apiserver_free(direct->server);
    if (direct->loop != NULL)
        loop_free(direct->loop);
    fd_close(&direct->lock);
}

static bool reset_direct(struct cli *cli, struct arena *arena, const struct secret *password,
                         struct err *err)
{
    struct direct direct = {.arena = arena, .lock = -1};
    str name = arena_join(arena, S("user-"), cli_arg(cli, 0));
    struct kube_request get = {.verb = KUBE_GET, .name = name};
    struct kube_request patch = {.verb = KUBE_PATCH_MERGE, .name = name};
    bool ok = direct_open(&direct, cli_text(cli, "data"), err) && direct_call(&direct, &get, err);

    if (ok) {
        patch.body = password_patch(arena, direct.object, password);
        ok = direct_call(&direct, &patch, err);
    }
    direct_close(&direct);
    return ok;
}

static bool reset_served(struct cli *cli, struct arena *arena, const struct secret *password,
                         struct err *err)
{
    auto_client struct client *client = NULL;
    str path = secret_path(arena, cli_arg(cli, 0));
    struct val *secret = NULL;

    return client_open(cli, &client, err) &&
           client_call(client, arena, "GET", path, NULL, &secret, err) &&
           client_merge(client, arena, path, password_patch(arena, secret, password), NULL, err);
}

static int run_reset(struct cli *cli)
{
    auto_arena struct arena *arena = arena_new(LIMIT_RESPONSE_BYTES);
    struct err err = {0};
    auto_secret struct secret *password = take_password(cli, &err);
    bool ok = password != NULL &&
              (cli_is_set(cli, "data") ? reset_direct(cli, arena, password, &err)
                                       : reset_served(cli, arena, password, &err));

    if (!ok)
        return cli_fail(cli, &err);
    fprintf(cli_out(cli), "user %.*s has a new password; open sessions are ended\n",
            STR(cli_arg(cli, 0)));
    show_password(cli, password);
    return CLI_OK;
}

static int run_delete(struct cli *cli)
{
    auto_client struct client *client = NULL;
    auto_arena struct arena *arena = arena_new(LIMIT_RESPONSE_BYTES);
    struct err err = {0};

    if (str_eq(cli_arg(cli, 0), S("admin")))
        return cli_fail_usage(cli, "the user admin cannot be deleted: it would come back");
    if (!client_open(cli, &client, &err) ||
        !client_call(client, arena, "DELETE", secret_path(arena, cli_arg(cli, 0)), NULL, NULL,
                     &err))
        return cli_fail(cli, &err);
    fprintf(cli_out(cli), "user %.*s deleted\n", STR(cli_arg(cli, 0)));
    return CLI_OK;
}

#define PASSWORD_FILE                                                                              \
    {                                                                                              \
        "password-file", CLI_TEXT, "FILE",                                                         \
                "Read it from here, - is standard input; else a random one is shown.", NULL, 0,    \
                false, NULL                                                                        \
    }

static const struct cli_flag create_flags[] = {
        PASSWORD_FILE,
        {"admin", CLI_SWITCH, NULL, "May everything.", "false", 0, false, NULL},
};
static const struct cli_flag reset_flags[] = {
        PASSWORD_FILE,
        {"data", CLI_TEXT, "DIR", "The data folder of a stopped server.", NULL, 0, false, NULL},
};

static const struct cli_command commands[] = {
        {.name = "create",
         .args = "NAME",
         .args_min = 1,
         .args_max = 1,
         .summary = "Create a user",
         .text = "Without --admin the user may nothing until a RoleBinding says otherwise, such as "
                 "to taut:operator in a DevOps Project's namespace.",
         .example = "taut user create ann",
         .uses = CLI_USES_SERVER,
         .flags = create_flags,
         .flag_count = COUNT(create_flags),
         .run = run_create},
        {.name = "list",
         .args = "",
         .summary = "List users",
         .example = "taut user list",
         .uses = CLI_USES_SERVER | CLI_USES_OUTPUT,
         .run = run_list},
        {.name = "reset-password",
         .args = "NAME",
         .args_min = 1,
         .args_max = 1,
         .summary = "Give a user a new password",
         .example = "taut user reset-password admin --data /var/lib/taut",
         .uses = CLI_USES_SERVER,
         .flags = reset_flags,
         .flag_count = COUNT(reset_flags),
         .run = run_reset},
        {.name = "delete",
         .args = "NAME",
         .args_min = 1,
         .args_max = 1,
         .summary = "Delete a user",
         .example = "taut user delete ann",
         .uses = CLI_USES_SERVER,
         .run = run_delete},
};

const struct cli_verb cli_verb_user = {
        .name = "user",
        .summary = "People who sign in",
        .commands = commands,
        .command_count = COUNT(commands),
};
