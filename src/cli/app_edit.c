/* SPDX-License-Identifier: Apache-2.0 */
/* taut app create, set, delete: the Application object, by the Kubernetes API. */
#include "base/clock.h"
#include "cli/app_watch.h"
#include "schema/gvk.h"
#include <unistd.h>

/* Switches that are sync options (PRODUCT section 4). `on` is written when the switch is given. */
static const struct {
    const char *flag;
    str key;
    str on;
} option_flags[] = {
        {"skip-schema-validation", S_INIT("Validate"), S_INIT("false")},
        {"auto-create-project", S_INIT("CreateNamespace"), S_INIT("true")},
        {"prune-last", S_INIT("PruneLast"), S_INIT("true")},
        {"apply-out-of-sync-only", S_INIT("ApplyOutOfSyncOnly"), S_INIT("true")},
        {"replace", S_INIT("Replace"), S_INIT("true")},
};

static str key_of(str option)
{
    return str_first(option, MIN(str_find_char(option, '='), option.len));
}

/* The option in place of an earlier one of the same key; an empty value takes it away. */
static void put_option(struct arena *arena, struct val *options, str key, str value)
{
    for (size_t i = 0; i < val_count(options);) {
        if (str_eq(key_of(val_str(val_item(options, i))), key))
            val_remove(options, i);
        else
            i++;
    }
    if (value.len > 0)
        val_append(arena, options,
                   val_string(arena, arena_printf(arena, "%.*s=%.*s", STR(key), STR(value))));
}

static bool put_options(struct cli *cli, struct arena *arena, struct val *options, struct err *err)
{
    for (size_t i = 0; i < COUNT(option_flags); i++) {
        if (cli_is_set(cli, option_flags[i].flag))
            put_option(arena, options, option_flags[i].key,
                       cli_switch(cli, option_flags[i].flag) ? option_flags[i].on : STR_EMPTY);
    }
    if (cli_is_set(cli, "prune-propagation"))
        put_option(arena, options, S("PrunePropagationPolicy"), cli_text(cli, "prune-propagation"));
    for (size_t i = 0; i < cli_list_count(cli, "sync-option"); i++) {
        str option = cli_list(cli, "sync-option", i);
        size_t equals = str_find_char(option, '=');
        if (equals == SIZE_MAX || equals == 0)
            return err_set(err, ERR_INVALID, "--sync-option takes KEY=VALUE, not '%.*s'",
                           STR(option));
        put_option(arena, options, str_first(option, equals), str_from_index(option, equals + 1));
    }
    return true;
}

/* spec.syncPolicy.automated: there = Auto Sync. A null in a merge patch takes it away. */
static bool put_automated(struct cli *cli, struct arena *arena, struct val *policy, bool was_auto,
                          struct err *err)
{
    bool is_auto = cli_is_set(cli, "auto-sync") ? cli_switch(cli, "auto-sync") : was_auto;
    bool more = (cli_is_set(cli, "prune") && cli_switch(cli, "prune")) ||
                (cli_is_set(cli, "self-heal") && cli_switch(cli, "self-heal"));

    if (!is_auto && more)
        return err_set(err, ERR_INVALID,
                       "--prune and --self-heal are settings of Auto Sync: add --auto-sync");
    if (!is_auto) {
        if (was_auto)
            val_set(arena, policy, S("automated"), val_null());
        return true;
    }
    struct val *automated = val_ensure_map(arena, policy, S("automated"));
    if (cli_is_set(cli, "prune"))
        val_set(arena, automated, S("prune"), val_bool(cli_switch(cli, "prune")));
    if (cli_is_set(cli, "self-heal"))
        val_set(arena, automated, S("selfHeal"), val_bool(cli_switch(cli, "self-heal")));
    return true;
}

static bool is_url(str repo)
{
    return str_contains(repo, S("://")) || str_contains(repo, S("@")) || str_starts(repo, S("/"));
}

/* --repo names an imported repository or is a URL itself. */
static bool repo_url(struct cli *cli, struct app_call *call, str *ret_url, struct err *err)
{
    str repo = cli_text(cli, "repo");
    struct val *row = NULL;

    if (is_url(repo)) {
        *ret_url = repo;
        return true;
    }
    str name = client_escape(call->arena, repo);
    if (!client_call(call->client, call->arena, "GET",
                     client_devops_path(call->client, call->arena, "/repos/%.*s", STR(name)), NULL,
                     &row, err))
        return false;
    *ret_url = val_get_str(row, S("url"));
    return true;
}

/* The only cluster there is, when none is named. */
static bool cluster_name(struct cli *cli, struct app_call *call, str *ret_name, struct err *err)
{
    struct val *list = NULL;

    if (cli_is_set(cli, "cluster")) {
        *ret_name = cli_text(cli, "cluster");
        return true;
    }
    if (!client_call(call->client, call->arena, "GET", S("/taut/v1/clusters"), NULL, &list, err))
        return false;
    const struct val *items = val_get(list, S("items"));
    if (val_count(items) != 1)
        return err_set(err, ERR_INVALID, "there are %zu clusters: choose one with --cluster",
                       val_count(items));
    *ret_name = val_get_str(val_item(items, 0), S("name"));
    return true;
}

static void put_words(struct cli *cli, struct arena *arena, struct val *object)
{
    static const struct {
        const char *flag;
        str key;
    } words[] = {{"alias", S_INIT("kubesphere.io/alias-name")},
                 {"description", S_INIT("kubesphere.io/description")}};

    for (size_t i = 0; i < COUNT(words); i++) {
        if (!cli_is_set(cli, words[i].flag))
            continue;
        struct val *meta = val_ensure_map(arena, object, S("metadata"));
        val_set_str(arena, val_ensure_map(arena, meta, S("annotations")), words[i].key,
                    cli_text(cli, words[i].flag));
    }
}

static bool put_source(struct cli *cli, struct app_call *call, struct val *source, struct err *err)
{
    struct arena *arena = call->arena;
    str url = STR_EMPTY;

    if (cli_is_set(cli, "repo")) {
        if (!repo_url(cli, call, &url, err))
            return false;
        val_set_str(arena, source, S("repoURL"), url);
    }
    if (cli_is_set(cli, "path"))
        val_set_str(arena, source, S("path"), cli_text(cli, "path"));
    if (cli_is_set(cli, "revision"))
        val_set_str(arena, source, S("targetRevision"), cli_text(cli, "revision"));
    if (cli_is_set(cli, "recurse"))
        val_set(arena, val_ensure_map(arena, source, S("directory")), S("recurse"),
                val_bool(cli_switch(cli, "recurse")));
    return true;
}

static bool build(struct cli *cli, struct app_call *call, struct val **ret_app, struct err *err)
{
    struct arena *arena = call->arena;
    struct val *app = val_new(arena, val_map());
    str cluster = STR_EMPTY;

    val_set_str(arena, app, S("apiVersion"), S("argoproj.io/v1alpha1"));
    val_set_str(arena, app, S("kind"), S("Application"));
    struct val *meta = val_ensure_map(arena, app, S("metadata"));
    val_set_str(arena, meta, S("name"), cli_arg(cli, 0));
    val_set_str(arena, meta, S("namespace"), call->namespace_);
    val_append(arena, val_ensure_list(arena, meta, S("finalizers")),
               val_string(arena, S(APP_FINALIZER)));
    put_words(cli, arena, app);
    struct val *spec = val_ensure_map(arena, app, S("spec"));
    val_set_str(arena, spec, S("project"), cli_text(cli, "devops"));
    if (!cluster_name(cli, call, &cluster, err))
        return false;
    struct val *to = val_ensure_map(arena, spec, S("destination"));
    val_set_str(arena, to, S("name"), cluster);
    val_set_str(arena, to, S("namespace"), cli_text(cli, "namespace"));
    struct val *source = val_ensure_map(arena, spec, S("source"));
    val_set_str(arena, source, S("path"), S("."));
    val_set_str(arena, source, S("targetRevision"), S("HEAD"));
    if (!put_source(cli, call, source, err))
        return false;
    struct val *policy = val_ensure_map(arena, spec, S("syncPolicy"));
    if (!put_automated(cli, arena, policy, /*was_auto=*/false, err))
        return false;
    struct val *options = val_ensure_list(arena, policy, S("syncOptions"));
    put_option(arena, options, S("PrunePropagationPolicy"), S("foreground"));
    *ret_app = app;
    return put_options(cli, arena, options, err);
}

int app_run_create(struct cli *cli)
{
    auto_app_call struct app_call call = {0};
    struct val *app = NULL;
    struct val *made = NULL;
    struct err err = {0};

    if (!app_open(cli, &call, &err) || !build(cli, &call, &app, &err))
        return cli_fail(cli, &err);
    if (cli_switch(cli, "dry-run"))
        return app_preview(cli, &call, app);
    if (!client_call(call.client, call.arena, "POST", app_path(&call, STR_EMPTY), app, &made, &err))
        return cli_fail(cli, &err);
    if (cli_format(cli) != CLI_TABLE)
        return cli_print_val(cli, made);
    fprintf(cli_out(cli), "continuous deployment %.*s created\n", STR(cli_arg(cli, 0)));
    if (!cli_switch(cli, "auto-sync"))
        cli_note(cli, "It syncs only when asked: taut app sync %.*s", STR(cli_arg(cli, 0)));
    return CLI_OK;
}

static bool build_patch(struct cli *cli, struct app_call *call, const struct val *app,
                        struct val *patch, struct err *err)
{
    struct arena *arena = call->arena;
    struct val *spec = val_ensure_map(arena, patch, S("spec"));
    bool was_auto = val_is(VAL_AT(app, "spec", "syncPolicy", "automated"), VAL_MAP);
    const struct val *options = VAL_AT(app, "spec", "syncPolicy", "syncOptions");

    put_words(cli, arena, patch);
    if (!put_source(cli, call, val_ensure_map(arena, spec, S("source")), err))
        return false;
    struct val *to = val_ensure_map(arena, spec, S("destination"));
    if (cli_is_set(cli, "cluster")) {
        val_set_str(arena, to, S("name"), cli_text(cli, "cluster"));
        val_set(arena, to, S("server"), val_null());
    }
    if (cli_is_set(cli, "namespace"))
        val_set_str(arena, to, S("namespace"), cli_text(cli, "namespace"));
    struct val *policy = val_ensure_map(arena, spec, S("syncPolicy"));
    if (!put_automated(cli, arena, policy, was_auto, err))
        return false;
    val_set(arena, policy, S("syncOptions"),
            options == NULL ? val_list() : val_dup_value(arena, options));
    return put_options(cli, arena, val_get(policy, S("syncOptions")), err);
}

int app_run_set(struct cli *cli)
{
    auto_app_call struct app_call call = {0};
    struct val *app = NULL;
    struct err err = {0};

    if (!app_open(cli, &call, &err) || !app_get(&call, call.arena, cli_arg(cli, 0), &app, &err))
        return cli_fail(cli, &err);
    struct val *patch = val_new(call.arena, val_map());
    if (!build_patch(cli, &call, app, patch, &err) ||
        !client_merge(call.client, call.arena, app_path(&call, cli_arg(cli, 0)), patch, &app, &err))
        return cli_fail(cli, &err);
    if (cli_format(cli) != CLI_TABLE)
        return cli_print_val(cli, app);
    fprintf(cli_out(cli), "continuous deployment %.*s changed\n", STR(cli_arg(cli, 0)));
    return CLI_OK;
}

/* ---- delete ---- */

static bool confirmed(struct cli *cli, const struct val *app)
{
    size_t count = val_count(VAL_AT(app, "status", "resources"));
    char answer[16] = "";

    if (cli_switch(cli, "yes") || isatty(STDIN_FILENO) != 1)
        return true;
    if (cli_switch(cli, "cascade"))
        fprintf(stderr, "Delete %.*s and its %zu resources? [y/N] ", STR(object_name(app)), count);
    else
        fprintf(stderr, "Delete %.*s and keep its %zu resources? [y/N] ", STR(object_name(app)),
                count);
    fflush(stderr);
    return fgets(answer, sizeof(answer), stdin) != NULL && (answer[0] == 'y' || answer[0] == 'Y');
}

/* Exactly one of the two ways stands in the object before it is deleted. */
static bool put_finalizer(struct cli *cli, struct app_call *call, const struct val *app,
                          struct err *err)
{
    struct arena *arena = call->arena;
    struct val *patch = val_new(arena, val_map());
    struct val *meta = val_ensure_map(arena, patch, S("metadata"));
    struct val *list = val_ensure_list(arena, meta, S("finalizers"));
    struct val_iter it = val_iter(VAL_AT(app, "metadata", "finalizers"));

    while (val_next(&it)) {
        if (!str_starts(val_str(it.value), S(APP_FINALIZER)))
            val_append(arena, list, val_string(arena, val_str(it.value)));
    }
    if (cli_switch(cli, "cascade"))
        val_append(arena, list, val_string(arena, S(APP_FINALIZER)));
    val_set_str(arena, meta, S("resourceVersion"), object_resource_version(app));
    return client_merge(call->client, arena, app_path(call, cli_arg(cli, 0)), patch, NULL, err);
}

static int wait_gone(struct cli *cli, struct app_call *call, int64_t timeout_ms)
{
    auto_app_watch struct app_watch *watch = NULL;
    int64_t deadline = clock_mono_ms() + timeout_ms;
    const struct val *app = NULL;
    struct err err = {0};

    if (!app_watch_open(call, cli_arg(cli, 0), &watch, &err))
        return cli_fail(cli, &err);
    for (;;) {
        switch (app_watch_next(watch, deadline, &app, &err)) {
        case APP_NEWS:
            break;
        case APP_LATE:
            err_set(&err, ERR_TIMEOUT,
                    "'%.*s' is still being deleted; it goes on without this command",
                    STR(cli_arg(cli, 0)));
            return cli_fail(cli, &err);
        case APP_GONE:
            cli_progress_end(cli);
            fprintf(cli_out(cli), "continuous deployment %.*s deleted\n", STR(cli_arg(cli, 0)));
            return CLI_OK;
        case APP_FAILED:
            return cli_fail(cli, &err);
        }
        cli_progress(cli, "deleting, %zu resources are left…",
                     val_count(VAL_AT(app, "status", "resources")));
    }
}

int app_run_delete(struct cli *cli)
{
    auto_app_call struct app_call call = {0};
    struct val *app = NULL;
    struct err err = {0};

    if (!app_open(cli, &call, &err) || !app_get(&call, call.arena, cli_arg(cli, 0), &app, &err))
        return cli_fail(cli, &err);
    if (!confirmed(cli, app)) {
        cli_note(cli, "nothing was deleted");
        return CLI_FAILED;
    }
    if (!put_finalizer(cli, &call, app, &err) ||
        !client_call(call.client, call.arena, "DELETE", app_path(&call, cli_arg(cli, 0)), NULL,
                     NULL, &err))
        return cli_fail(cli, &err);
    if (!cli_switch(cli, "wait")) {
        fprintf(cli_out(cli), "continuous deployment %.*s is being deleted\n",
                STR(cli_arg(cli, 0)));
        return CLI_OK;
    }
    return wait_gone(cli, &call, cli_duration_ms(cli, "timeout"));
}
