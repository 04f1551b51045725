/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the commands of `taut app` share. Private to cli/app*.c. */
#include "cli/client.h"
#include "cli/output.h"

#define APP_FINALIZER "resources-finalizer.argocd.argoproj.io"

int app_run_list(struct cli *cli);
int app_run_get(struct cli *cli);
int app_run_create(struct cli *cli);
int app_run_set(struct cli *cli);
int app_run_delete(struct cli *cli);
int app_run_sync(struct cli *cli);
int app_run_terminate(struct cli *cli);
int app_run_confirm(struct cli *cli);
int app_run_wait(struct cli *cli);
int app_run_diff(struct cli *cli);
int app_run_manifests(struct cli *cli);
int app_run_history(struct cli *cli);

/* A command's usual surroundings, freed together. */
struct app_call {
    struct client *client;
    struct arena *arena;
    str namespace_; /* of the DevOps Project */
};
MUST_USE bool app_open(struct cli *cli, struct app_call *call, struct err *err);
void app_close(struct app_call *call);
#define auto_app_call __attribute__((cleanup(app_close)))

/* …/namespaces/NS/applications[/NAME] on the Kubernetes API. */
str app_path(struct app_call *call, str name);
/* The Application; the arena may be another one than the call's, for loops. */
MUST_USE bool app_get(struct app_call *call, struct arena *arena, str name, struct val **ret,
                      struct err *err);
/* Prints what the first sync of this Application would do; an exit code. */
int app_preview(struct cli *cli, struct app_call *call, const struct val *application);
/* /taut/v1/devops/D/apps/NAME/<what> */
str app_taut_path(struct cli *cli, struct app_call *call, const char *what);
/* cluster/namespace */
str app_location(struct arena *arena, const struct val *app);
bool app_is_busy(const struct val *app); /* an operation is asked for or running */
/* "Healthy", with Unknown for what is missing. */
str app_health(const struct val *app);
str app_sync_status(const struct val *app);
/* All conditions and the operation's message, one line each, on standard error. */
void app_tell_trouble(struct cli *cli, const struct val *app);
/* The rows of the last syncResult. */
void app_print_results(struct cli *cli, struct arena *arena, const struct val *app);
