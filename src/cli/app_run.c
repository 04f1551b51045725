/* SPDX-License-Identifier: Apache-2.0 */
/* taut app sync, terminate, wait: operations. */
#include "base/clock.h"
#include "cli/app_watch.h"
#include "schema/gvk.h"

/* GROUP:KIND:NAMESPACE/NAME; the group may be empty, the namespace left out. */
static bool add_resource(struct arena *arena, struct val *list, str text, struct err *err)
{
    str rest = text;
    str group;
    str kind;
    str name;

    if (!str_split(&rest, ':', &group) || !str_split(&rest, ':', &kind) || rest.len == 0 ||
        kind.len == 0)
        return err_set(
                err, ERR_INVALID,
                "--resource takes GROUP:KIND:NAMESPACE/NAME, such as apps:Deployment:web/ui, "
                "not '%.*s'",
                STR(text));
    size_t slash = str_find_char(rest, '/');
    name = slash == SIZE_MAX ? rest : str_from_index(rest, slash + 1);
    struct val *row = val_append(arena, list, val_map());
    val_set_str(arena, row, S("group"), group);
    val_set_str(arena, row, S("kind"), kind);
    if (slash != SIZE_MAX)
        val_set_str(arena, row, S("namespace"), str_first(rest, slash));
    val_set_str(arena, row, S("name"), name);
    return true;
}

static bool build_sync(struct cli *cli, struct arena *arena, struct val *sync, struct err *err)
{
    bool force = cli_switch(cli, "force");

    if (cli_is_set(cli, "revision"))
        val_set_str(arena, sync, S("revision"), cli_text(cli, "revision"));
    if (cli_switch(cli, "prune"))
        val_set(arena, sync, S("prune"), val_bool(true));
    if (cli_switch(cli, "dry-run"))
        val_set(arena, sync, S("dryRun"), val_bool(true));
    if (force || cli_switch(cli, "apply-only")) {
        struct val *strategy = val_ensure_map(arena, sync, S("syncStrategy"));
        struct val *how = val_ensure_map(arena, strategy,
                                         cli_switch(cli, "apply-only") ? S("apply") : S("hook"));
        if (force)
            val_set(arena, how, S("force"), val_bool(true));
    }
    for (size_t i = 0; i < cli_list_count(cli, "resource"); i++) {
        if (!add_resource(arena, val_ensure_list(arena, sync, S("resources")),
                          cli_list(cli, "resource", i), err))
            return false;
    }
    for (size_t i = 0; i < cli_list_count(cli, "sync-option"); i++)
        val_append(arena, val_ensure_list(arena, sync, S("syncOptions")),
                   val_string(arena, cli_list(cli, "sync-option", i)));
    return true;
}

static int tell_end(struct cli *cli, const struct val *app)
{
    auto_arena struct arena *arena = arena_new(LIMIT_RESPONSE_BYTES);
    str phase = VAL_STR(app, "status", "operationState", "phase");

    cli_progress_end(cli);
    if (cli_format(cli) != CLI_TABLE)
        cli_print_val(cli, val_get(val_get(app, S("status")), S("operationState")));
    else
        app_print_results(cli, arena, app);
    cli_note(cli, "%.*s: %.*s", STR(phase),
             STR(VAL_STR(app, "status", "operationState", "message")));
    return str_eq(phase, S("Succeeded")) ? CLI_OK : CLI_FAILED;
}

static int fail_gone(struct cli *cli)
{
    struct err err = {0};

    err_set(&err, ERR_NOT_FOUND, "there is no continuous deployment '%.*s'", STR(cli_arg(cli, 0)));
    return cli_fail(cli, &err);
}

/* Watches until the operation is over; the last state is printed and decides the exit code. */
static int follow(struct cli *cli, struct app_call *call)
{
    auto_app_watch struct app_watch *watch = NULL;
    int64_t deadline = clock_mono_ms() + cli_duration_ms(cli, "timeout");
    const struct val *app = NULL;
    struct err err = {0};

    if (!app_watch_open(call, cli_arg(cli, 0), &watch, &err))
        return cli_fail(cli, &err);
    for (;;) {
        switch (app_watch_next(watch, deadline, &app, &err)) {
        case APP_NEWS:
            break;
        case APP_LATE:
            err_set(&err, ERR_TIMEOUT, "the operation is still running: %.*s",
                    STR(VAL_STR(app, "status", "operationState", "message")));
            return cli_fail(cli, &err);
        case APP_GONE:
            return fail_gone(cli);
        case APP_FAILED:
            return cli_fail(cli, &err);
        }
        if (!app_is_busy(app))
            return tell_end(cli, app);
        cli_progress(cli, "%.*s: %.*s", STR(VAL_STR(app, "status", "operationState", "phase")),
                     STR(VAL_STR(app, "status", "operationState", "message")));
    }
}

int app_run_sync(struct cli *cli)
{
    auto_app_call struct app_call call = {0};
    struct val *app = NULL;
    struct err err = {0};

    if (!app_open(cli, &call, &err))
        return cli_fail(cli, &err);
    struct val *sync = val_new(call.arena, val_map());
    if (!build_sync(cli, call.arena, sync, &err))
        return cli_fail_usage(cli, "%s", err.message);
    if (!client_call(call.client, call.arena, "POST", app_taut_path(cli, &call, "sync"), sync, &app,
                     &err))
        return cli_fail(cli, &err);
    if (!cli_switch(cli, "wait")) {
        fprintf(cli_out(cli), "sync of %.*s started\n", STR(cli_arg(cli, 0)));
        return CLI_OK;
    }
    return follow(cli, &call);
}

int app_run_terminate(struct cli *cli)
{
    auto_app_call struct app_call call = {0};
    struct err err = {0};

    if (!app_open(cli, &call, &err) ||
        !client_call(call.client, call.arena, "POST", app_taut_path(cli, &call, "terminate"), NULL,
                     NULL, &err))
        return cli_fail(cli, &err);
    fprintf(cli_out(cli), "the operation of %.*s is being ended\n", STR(cli_arg(cli, 0)));
    return CLI_OK;
}

int app_run_confirm(struct cli *cli)
{
    auto_app_call struct app_call call = {0};
    char now[CLOCK_RFC3339_SIZE];
    struct val *patch;
    struct err err = {0};

    if (!app_open(cli, &call, &err))
        return cli_fail(cli, &err);
    clock_format(clock_wall_ms(), now);
    patch = val_new(call.arena, val_map());
    val_set_str(call.arena,
                val_ensure_map(call.arena, val_ensure_map(call.arena, patch, S("metadata")),
                               S("annotations")),
                S("argocd.argoproj.io/deletion-approved"), str_from(now));
    if (!client_merge(call.client, call.arena, app_path(&call, cli_arg(cli, 0)), patch, NULL, &err))
        return cli_fail(cli, &err);
    fprintf(cli_out(cli), "what %.*s waits to delete is approved\n", STR(cli_arg(cli, 0)));
    return CLI_OK;
}

/* ---- wait ---- */

struct wanted {
    bool synced;
    bool healthy;
    bool idle; /* no operation: always, but it may be all that is asked */
};

#define REFRESH "argocd.argoproj.io/refresh"

/* Asks for a look at Git now: what was just committed counts. The engine takes the annotation away
 * when it has looked. Without the right to ask, the wait sees what the interval brings. */
static bool refresh(struct cli *cli, struct app_call *call, struct err *err)
{
    struct arena *arena = call->arena;
    struct val *patch = val_new(arena, val_map());
    struct val *meta = val_ensure_map(arena, patch, S("metadata"));

    val_set_str(arena, val_ensure_map(arena, meta, S("annotations")), S(REFRESH), S("normal"));
    return client_merge(call->client, arena, app_path(call, cli_arg(cli, 0)), patch, NULL, err) ||
           err->code == ERR_FORBIDDEN;
}

static bool is_met(const struct wanted *wanted, const struct val *app)
{
    return !app_is_busy(app) && object_annotation(app, S(REFRESH)).len == 0 &&
           (!wanted->synced || str_eq(app_sync_status(app), S("Synced"))) &&
           (!wanted->healthy || str_eq(app_health(app), S("Healthy")));
}

static int fail_wait(struct cli *cli, const struct val *app)
{
    struct err err = {0};

    app_tell_trouble(cli, app);
    err_set(&err, ERR_TIMEOUT, "'%.*s' is %.*s and %.*s%s after %.*s", STR(cli_arg(cli, 0)),
            STR(app_sync_status(app)), STR(app_health(app)),
            app_is_busy(app) ? ", with an operation running," : "", STR(cli_text(cli, "timeout")));
    return cli_fail(cli, &err);
}

static int wait_for(struct cli *cli, struct app_call *call, const struct wanted *wanted)
{
    auto_app_watch struct app_watch *watch = NULL;
    int64_t deadline = clock_mono_ms() + cli_duration_ms(cli, "timeout");
    const struct val *app = NULL;
    struct err err = {0};

    if (!app_watch_open(call, cli_arg(cli, 0), &watch, &err))
        return cli_fail(cli, &err);
    for (;;) {
        switch (app_watch_next(watch, deadline, &app, &err)) {
        case APP_NEWS:
            break;
        case APP_LATE:
            return fail_wait(cli, app);
        case APP_GONE:
            return fail_gone(cli);
        case APP_FAILED:
            return cli_fail(cli, &err);
        }
        if (is_met(wanted, app)) {
            cli_progress_end(cli);
            if (cli_format(cli) != CLI_TABLE)
                return cli_print_val(cli, app);
            fprintf(cli_out(cli), "%.*s is %.*s and %.*s\n", STR(cli_arg(cli, 0)),
                    STR(app_sync_status(app)), STR(app_health(app)));
            return CLI_OK;
        }
        cli_progress(cli, "%.*s, %.*s…", STR(app_sync_status(app)), STR(app_health(app)));
    }
}

int app_run_wait(struct cli *cli)
{
    auto_app_call struct app_call call = {0};
    struct wanted wanted = {cli_switch(cli, "synced"), cli_switch(cli, "healthy"),
                            cli_switch(cli, "operation")};
    struct err err = {0};

    if (!wanted.synced && !wanted.healthy && !wanted.idle)
        wanted = (struct wanted){true, true, true};
    if (!app_open(cli, &call, &err) || (cli_switch(cli, "refresh") && !refresh(cli, &call, &err)))
        return cli_fail(cli, &err);
    return wait_for(cli, &call, &wanted);
}
