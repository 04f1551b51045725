/* SPDX-License-Identifier: Apache-2.0 */
/* taut apply: a directory of plain manifests, straight to a cluster. */
#include "cli/apply.h"

#include "cli/cli.h"
#include "cli/output.h"

static const char *const reasons[] = {
        [REASON_NONE] = "",
        [REASON_MISSING] = "is not in the cluster",
        [REASON_KIND_ABSENT] = "the cluster does not serve this kind",
        [REASON_UNMANAGED] = "exists, not managed by Taut",
        [REASON_SHARED] = "belongs to another application",
        [REASON_DIFFERS] = "differs",
        [REASON_REFUSED] = "the server refuses it",
        [REASON_DELETING] = "is being deleted",
        [REASON_EXTRANEOUS] = "is no longer in the folder; taut apply never prunes",
        [REASON_NOT_ASKED] = "changed",
        [REASON_FORBIDDEN] = "is not permitted",
        [REASON_TROUBLE] = "could not be found out",
};

static str note_of(const struct row *row)
{
    bool is_ours = row->reason == REASON_EXTRANEOUS; /* the engine's note speaks of Git */

    return row->note.len > 0 && !is_ours ? row->note : str_from(reasons[row->reason]);
}

static void print_rows(struct cli *cli, const struct compare *compare, struct arena *arena)
{
    static const char *const headers[] = {"KIND", "NAMESPACE", "NAME", "STATUS", "NOTE"};
    struct cli_table *table = cli_table_new(arena, headers, COUNT(headers));

    for (size_t i = 0; i < compare_count(compare); i++) {
        const struct row *row = compare_row(compare, i);
        str cells[] = {row->gvk.kind, row->namespace_, row->name,
                       str_from(row_status_name(row->status)), note_of(row)};

        cli_table_row(table, cells);
    }
    cli_table_print(cli, table);
}

static void add_result(const struct apply_run *run, const struct row *row, struct val *item,
                       struct arena *arena)
{
    size_t count;
    const struct task *tasks = apply_run_tasks(run, &count);

    for (size_t i = 0; i < count; i++) {
        if (tasks[i].row != row || tasks[i].state != TASK_DONE || tasks[i].kind != TASK_APPLY)
            continue;
        val_set_str(arena, item, S("result"), str_from(task_result_name(tasks[i].result)));
        val_set_str(arena, item, S("resultMessage"), tasks[i].message);
    }
}

static struct val *rows_val(const struct apply_run *run, struct arena *arena)
{
    const struct compare *compare = apply_run_rows(run);
    struct val *list = val_new(arena, val_list());

    for (size_t i = 0; i < compare_count(compare); i++) {
        const struct row *row = compare_row(compare, i);
        struct val *item = val_append(arena, list, val_map());

        val_set_str(arena, item, S("group"), row->gvk.group);
        val_set_str(arena, item, S("kind"), row->gvk.kind);
        val_set_str(arena, item, S("namespace"), row->namespace_);
        val_set_str(arena, item, S("name"), row->name);
        val_set_str(arena, item, S("status"), str_from(row_status_name(row->status)));
        val_set_str(arena, item, S("message"), note_of(row));
        add_result(run, row, item, arena);
    }
    return list;
}

static int print_results(struct cli *cli, const struct apply_run *run)
{
    size_t count;
    const struct task *tasks = apply_run_tasks(run, &count);
    size_t failed = 0;

    for (size_t i = 0; i < count; i++) {
        const struct task *task = &tasks[i];

        if (task->state != TASK_DONE || task->kind != TASK_APPLY)
            continue;
        failed += task->result == RESULT_FAILED;
        if (task->result == RESULT_FAILED) {
            cli_note(cli, "%.*s/%.*s: %.*s", STR(task->row->gvk.kind), STR(task->row->name),
                     STR(task->message));
        } else if (cli_format(cli) == CLI_TABLE) {
            cli_print_text(cli, task->message);
            fputc('\n', cli_out(cli));
        }
    }
    return failed == 0 ? CLI_OK : CLI_FAILED;
}

static int run(struct cli *cli)
{
    auto_arena struct arena *arena = arena_new(LIMIT_RENDER_ARENA);
    auto_apply_run struct apply_run *apply = NULL;
    struct apply_run_options options = {
            .dir = arena_z(arena, cli_arg(cli, 0)),
            .kubeconfig = cli_text(cli, "kubeconfig"),
            .context = cli_text(cli, "context"),
            .name = cli_text(cli, "name"),
            .namespace_ = cli_text(cli, "namespace"),
            .recurse = cli_switch(cli, "recurse"),
            .dry_run = cli_switch(cli, "dry-run"),
    };
    struct err err;

    if (!apply_run_new(&options, &apply, &err))
        return cli_fail(cli, &err);
    const struct render_result *rendered = apply_run_rendered(apply);
    for (size_t i = 0; i < rendered->warning_count; i++)
        cli_note(cli, "%.*s", STR(rendered->warnings[i]));
    cli_progress(cli, "comparing %zu objects", rendered->object_count);
    bool compared = apply_run_compare(apply, &err);
    cli_progress_end(cli);
    if (!compared)
        return cli_fail(cli, &err);
    if (cli_format(cli) == CLI_TABLE)
        print_rows(cli, apply_run_rows(apply), arena);
    if (!options.dry_run) {
        cli_progress(cli, "applying");
        bool applied = apply_run_apply(apply, &err);
        cli_progress_end(cli);
        if (!applied)
            return cli_fail(cli, &err);
    }
    int code = print_results(cli, apply);
    if (cli_format(cli) != CLI_TABLE)
        cli_print_val(cli, rows_val(apply, arena));
    return code;
}

static const struct cli_flag flags[] = {
        {.name = "name",
         .kind = CLI_TEXT,
         .value = "NAME",
         .required = true,
         .help = "The application that the objects are marked as, in the namespace cli"},
        {.name = "namespace",
         .kind = CLI_TEXT,
         .value = "PROJECT",
         .required = true,
         .help = "Where objects go that name no namespace themselves"},
        {.name = "kubeconfig",
         .kind = CLI_TEXT,
         .value = "FILE",
         .required = true,
         .help = "The cluster"},
        {.name = "context",
         .kind = CLI_TEXT,
         .value = "CONTEXT",
         .help = "A context of that file, instead of its current one"},
        {.name = "recurse", .kind = CLI_SWITCH, .help = "Read the folders in it as well"},
        {.name = "dry-run",
         .kind = CLI_SWITCH,
         .help = "Only show what would change; nothing is written"},
};

static const struct cli_command commands[] = {{
        .name = "",
        .args = "DIR",
        .args_min = 1,
        .args_max = 1,
        .summary = "Apply a folder of plain manifests to a cluster, without a server",
        .text = "Compares each object of the folder with the cluster, shows the verdicts, and "
                "applies what is out of sync by server-side apply. It never prunes. The first "
                "apply makes the namespace argocd with the ConfigMap argocd-cm, which holds the "
                "id of this installation.",
        .example = "taut apply ./manifests --name web --namespace demo --kubeconfig ~/.kube/config "
                   "--dry-run",
        .uses = CLI_USES_OUTPUT,
        .flags = flags,
        .flag_count = COUNT(flags),
        .run = run,
}};

const struct cli_verb cli_verb_apply = {
        .name = "apply",
        .summary = "Apply a folder of manifests to a cluster, without a server",
        .commands = commands,
        .command_count = COUNT(commands),
};
