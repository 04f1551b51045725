/* SPDX-License-Identifier: Apache-2.0 */
/* taut app: continuous deployments. The tables; what runs is in app_show.c, app_edit.c, app_run.c.
 */
#include "cli/app.h"

#define SETTINGS                                                                                   \
    {"revision", CLI_TEXT, "REVISION", "Branch, tag or commit; create's default is HEAD.",         \
     NULL,       0,        false,      NULL},                                                      \
            {"path", CLI_TEXT, "PATH", "Folder of the manifests; create's default is the root.",   \
             NULL,   0,        false,  NULL},                                                      \
            {"recurse", CLI_SWITCH, NULL,  "Read plain manifests also from sub-folders.",          \
             NULL,      0,          false, NULL},                                                  \
            {"auto-sync", CLI_SWITCH, NULL,  "Sync by itself whenever Git changes.",               \
             NULL,        0,          false, NULL},                                                \
            {"prune", CLI_SWITCH, NULL,  "With Auto Sync: delete what left Git.",                  \
             NULL,    0,          false, NULL},                                                    \
            {"self-heal", CLI_SWITCH, NULL,  "With Auto Sync: undo changes made in the cluster.",  \
             NULL,        0,          false, NULL},                                                \
            {"skip-schema-validation",                                                             \
             CLI_SWITCH,                                                                           \
             NULL,                                                                                 \
             "Apply also what the cluster's schema does not know; such fields are dropped.",       \
             NULL,                                                                                 \
             0,                                                                                    \
             false,                                                                                \
             NULL},                                                                                \
            {"auto-create-project",                                                                \
             CLI_SWITCH,                                                                           \
             NULL,                                                                                 \
             "Make the project (namespace) if it is missing.",                                     \
             NULL,                                                                                 \
             0,                                                                                    \
             false,                                                                                \
             "create-namespace"},                                                                  \
            {"prune-last", CLI_SWITCH,                                                             \
             NULL,         "Delete what left Git after all else is applied and healthy.",          \
             NULL,         0,                                                                      \
             false,        NULL},                                                                  \
            {"apply-out-of-sync-only",                                                             \
             CLI_SWITCH,                                                                           \
             NULL,                                                                                 \
             "Touch only resources that differ.",                                                  \
             NULL,                                                                                 \
             0,                                                                                    \
             false,                                                                                \
             NULL},                                                                                \
            {"prune-propagation",                                                                  \
             CLI_CHOICE,                                                                           \
             "foreground|background|orphan",                                                       \
             "What happens to dependents of a deleted resource.",                                  \
             NULL,                                                                                 \
             0,                                                                                    \
             false,                                                                                \
             NULL},                                                                                \
            {"replace", CLI_SWITCH, NULL,  "Replace resources that exist instead of applying.",    \
             NULL,      0,          false, NULL},                                                  \
            {"sync-option", CLI_LIST, "KEY=VALUE", "Any sync option; an empty value removes it.",  \
             NULL,          0,        false,       NULL},                                          \
            {"alias", CLI_TEXT, "TEXT", "A name for people, up to 63 characters.",                 \
             NULL,    0,        false,  NULL},                                                     \
    {                                                                                              \
        "description", CLI_TEXT, "TEXT", "Up to 256 characters.", NULL, 0, false, NULL             \
    }

static const struct cli_flag create_flags[] = {
        {"dry-run", CLI_SWITCH, NULL, "Create nothing, say what the first sync would do.", "false",
         0, false, NULL},
        {"repo", CLI_TEXT, "NAME|URL", "An imported code repository, or a URL.", NULL, 0, true,
         NULL},
        {"cluster", CLI_TEXT, "NAME", "Where to; may be left out when there is only one.", NULL, 0,
         false, NULL},
        {"namespace", CLI_TEXT, "PROJECT", "The project (namespace) of that cluster.", NULL, 'n',
         true, NULL},
        SETTINGS,
};
static const struct cli_flag set_flags[] = {
        {"repo", CLI_TEXT, "NAME|URL", "An imported code repository, or a URL.", NULL, 0, false,
         NULL},
        {"cluster", CLI_TEXT, "NAME", "Where to.", NULL, 0, false, NULL},
        {"namespace", CLI_TEXT, "PROJECT", "The project (namespace) of that cluster.", NULL, 'n',
         false, NULL},
        SETTINGS,
};
static const struct cli_flag list_flags[] = {
        {"all", CLI_SWITCH, NULL, "Of all DevOps Projects.", "false", 'A', false, NULL},
};
static const struct cli_flag sync_flags[] = {
        {"revision", CLI_TEXT, "REVISION", "Another one than the deployment's.", NULL, 0, false,
         NULL},
        {"prune", CLI_SWITCH, NULL, "Delete what left Git.", "false", 0, false, NULL},
        {"dry-run", CLI_SWITCH, NULL, "Change nothing, say what would change.", "false", 0, false,
         NULL},
        {"force", CLI_SWITCH, NULL, "Delete and create again what the cluster refuses to change.",
         "false", 0, false, NULL},
        {"apply-only", CLI_SWITCH, NULL, "Apply without hooks.", "false", 0, false, NULL},
        {"resource", CLI_LIST, "GROUP:KIND:NAMESPACE/NAME",
         "Only this one; hooks do not run and no history entry is made.", NULL, 0, false, NULL},
        {"sync-option", CLI_LIST, "KEY=VALUE", "Instead of the deployment's own sync options.",
         NULL, 0, false, NULL},
        {"wait", CLI_SWITCH, NULL, "Wait for the end and show the results.", "true", 0, false,
         NULL},
        {"timeout", CLI_DURATION, "DURATION", "How long to wait.", "5m", 0, false, NULL},
};
static const struct cli_flag wait_flags[] = {
        {"synced", CLI_SWITCH, NULL, "Until it is Synced.", "false", 0, false, NULL},
        {"healthy", CLI_SWITCH, NULL, "Until it is Healthy.", "false", 0, false, NULL},
        {"operation", CLI_SWITCH, NULL, "Until no operation runs.", "false", 0, false, NULL},
        {"refresh", CLI_SWITCH, NULL, "Look at Git first, so that what was just pushed counts.",
         "true", 0, false, NULL},
        {"timeout", CLI_DURATION, "DURATION", "How long to wait; then exit code 5.", "5m", 0, false,
         NULL},
};
static const struct cli_flag manifests_flags[] = {
        {"revision", CLI_TEXT, "REVISION", "Without it, the one that was compared last.", NULL, 0,
         false, NULL},
};
static const struct cli_flag delete_flags[] = {
        {"cascade", CLI_SWITCH, NULL, "Delete its resources too.", "true", 0, false, NULL},
        {"yes", CLI_SWITCH, NULL, "Do not ask.", "false", 'y', false, NULL},
        {"wait", CLI_SWITCH, NULL, "Wait until it is gone.", "true", 0, false, NULL},
        {"timeout", CLI_DURATION, "DURATION", "How long to wait.", "100s", 0, false, NULL},
};

#define ONE .args = "NAME", .args_min = 1, .args_max = 1
#define FLAGS(table) .flags = (table), .flag_count = COUNT(table)
#define ALL (CLI_USES_SERVER | CLI_USES_OUTPUT | CLI_USES_DEVOPS)

static const struct cli_command commands[] = {
        {.name = "create",
         ONE,
         .summary = "Create a continuous deployment",
         .text = "Without --auto-sync it syncs only when asked.",
         .example = "taut app create web --repo podcasts --path deploy --cluster sandbox "
                    "--namespace web --auto-sync --auto-create-project",
         .uses = ALL,
         FLAGS(create_flags),
         .run = app_run_create},
        {.name = "list",
         .args = "",
         .summary = "List continuous deployments",
         .example = "taut app list --all",
         .uses = ALL,
         FLAGS(list_flags),
         .run = app_run_list},
        {.name = "get",
         ONE,
         .summary = "Show a continuous deployment and its resources",
         .example = "taut app get web",
         .uses = ALL,
         .run = app_run_get},
        {.name = "set",
         ONE,
         .summary = "Change a continuous deployment's settings",
         .text = "What is not named stays as it is; --prune=false switches off.",
         .example = "taut app set web --revision v1.2 --self-heal",
         .uses = ALL,
         FLAGS(set_flags),
         .run = app_run_set},
        {.name = "sync",
         ONE,
         .summary = "Apply what Git says, now",
         .text = "Exit code 1 when the sync fails.",
         .example = "taut app sync web --prune",
         .uses = ALL,
         FLAGS(sync_flags),
         .run = app_run_sync},
        {.name = "terminate",
         ONE,
         .summary = "End the running operation",
         .example = "taut app terminate web",
         .uses = CLI_USES_SERVER | CLI_USES_DEVOPS,
         .run = app_run_terminate},
        {.name = "confirm-deletion",
         ONE,
         .summary = "Approve the deletions that wait for a person",
         .text = "Objects with the option Prune=confirm or Delete=confirm go only after this.",
         .example = "taut app confirm-deletion web",
         .uses = CLI_USES_SERVER | CLI_USES_DEVOPS,
         .run = app_run_confirm},
        {.name = "wait",
         ONE,
         .summary = "Wait for a continuous deployment",
         .text = "Without a flag: until it is Synced and Healthy. No operation may be running.",
         .example = "taut app wait web --synced --healthy --timeout 60s",
         .uses = ALL,
         FLAGS(wait_flags),
         .run = app_run_wait},
        {.name = "diff",
         ONE,
         .summary = "Show how the cluster differs from Git",
         .text = "- is what the cluster has, + what Git wants. Exit code 4 when there are "
                 "differences.",
         .example = "taut app diff web",
         .uses = ALL,
         .run = app_run_diff},
        {.name = "manifests",
         ONE,
         .summary = "Print what the revision renders to",
         .text = "Values of Secrets are masked.",
         .example = "taut app manifests web",
         .uses = ALL,
         FLAGS(manifests_flags),
         .run = app_run_manifests},
        {.name = "history",
         ONE,
         .summary = "List finished syncs",
         .example = "taut app history web",
         .uses = ALL,
         .run = app_run_history},
        {.name = "delete",
         ONE,
         .summary = "Delete a continuous deployment",
         .text = "With --cascade=false its resources stay. CustomResourceDefinitions are kept.",
         .example = "taut app delete web --cascade=false",
         .uses = CLI_USES_SERVER | CLI_USES_DEVOPS,
         FLAGS(delete_flags),
         .run = app_run_delete},
};

const struct cli_verb cli_verb_app = {
        .name = "app",
        .summary = "Continuous deployments: from a code repository to a cluster",
        .commands = commands,
        .command_count = COUNT(commands),
};
