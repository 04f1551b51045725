/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/sync_task.h"

static const char *const kinds[] = {
        "Namespace",
        "NetworkPolicy",
        "ResourceQuota",
        "LimitRange",
        "PodSecurityPolicy",
        "PodDisruptionBudget",
        "ServiceAccount",
        "Secret",
        "SecretList",
        "ConfigMap",
        "StorageClass",
        "PersistentVolume",
        "PersistentVolumeClaim",
        "CustomResourceDefinition",
        "ClusterRole",
        "ClusterRoleList",
        "ClusterRoleBinding",
        "ClusterRoleBindingList",
        "Role",
        "RoleList",
        "RoleBinding",
        "RoleBindingList",
        "Service",
        "DaemonSet",
        "Pod",
        "ReplicationController",
        "ReplicaSet",
        "Deployment",
        "HorizontalPodAutoscaler",
        "StatefulSet",
        "Job",
        "CronJob",
        "IngressClass",
        "Ingress",
        "APIService",
};

static const struct {
    const char *name;  /* status of the row */
    const char *phase; /* hookPhase of the row */
} results[] = {
        [RESULT_NONE] = {"", "Running"},
        [RESULT_SYNCED] = {"Synced", "Running"},
        [RESULT_FAILED] = {"SyncFailed", "Failed"},
        [RESULT_PRUNED] = {"Pruned", "Succeeded"},
        [RESULT_PRUNE_SKIPPED] = {"PruneSkipped", "Succeeded"},
};

const char *task_result_name(enum task_result result)
{
    return results[result].name;
}

int task_kind_order(str kind)
{
    for (size_t i = 0; i < COUNT(kinds); i++)
        if (str_eq(kind, str_from(kinds[i])))
            return (int)i;
    return (int)COUNT(kinds);
}

str task_label(struct arena *arena, const struct row *row)
{
    char *kind = arena_bytes(arena, row->gvk.kind.len + 1);

    for (size_t i = 0; i < row->gvk.kind.len; i++) {
        char c = row->gvk.kind.at[i];

        kind[i] = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
    }
    return arena_printf(arena, "%.*s%s%.*s/%.*s", STR(str_of(kind, row->gvk.kind.len)),
                        str_is_empty(row->gvk.group) ? "" : ".", STR(row->gvk.group),
                        STR(row->name));
}

bool task_is_pending(const struct task *task, enum task_kind kind)
{
    return task->kind == kind && task->state == TASK_PENDING;
}

void task_finish(struct task *task, enum task_result result, str message)
{
    task->state = TASK_DONE;
    task->result = result;
    task->message = message;
}

static bool filter_has(const struct val *resources, const struct row *row)
{
    struct val_iter it = val_iter(resources);

    if (val_count(resources) == 0)
        return true;
    while (val_next(&it)) {
        str namespace_ = val_get_str(it.value, S("namespace"));

        if (str_eq(val_get_str(it.value, S("group")), row->gvk.group) &&
            str_eq(val_get_str(it.value, S("kind")), row->gvk.kind) &&
            str_eq(val_get_str(it.value, S("name")), row->name) &&
            (str_is_empty(namespace_) || str_eq(namespace_, row->namespace_)))
            return true;
    }
    return false;
}

static void task_skip(struct task *task, enum task_result result, str message)
{
    task->kind = TASK_NOTHING;
    task_finish(task, result, message);
}

static void task_apply(struct arena *arena, struct task *task, const struct task_options *options)
{
    const struct row *row = task->row;
    struct sync_options own = row->want->options;

    /* Replace and Force are honoured from the live object too. */
    sync_options_add_csv(&own, row->live_options);
    task->kind = TASK_APPLY;
    task->replace = own.replace;
    task->force = own.force || options->force;
    if (row->reason == REASON_SHARED) {
        task_skip(task, RESULT_FAILED, row->note);
    } else if (row->status == ROW_SYNCED && row->is_known && !task->replace) {
        task_skip(task, RESULT_SYNCED,
                  arena_printf(arena, "%.*s unchanged%s", STR(task_label(arena, row)),
                               options->dry_run ? " (dry run)" : ""));
        task->hide = own.out_of_sync_only || options->options.out_of_sync_only;
    }
}

static void task_prune(struct task *task, const struct task_options *options)
{
    const struct row *row = task->row;
    struct sync_options own = options->options;

    sync_options_add_csv(&own, row->live_options);
    task->kind = TASK_PRUNE;
    task->last = own.prune_last;
    task->confirm = own.confirm_prune;
    task->propagation = options->options.propagation;
    task->uid = row->uid;
    if (!row->requires_pruning)
        task_skip(task, RESULT_PRUNE_SKIPPED, S("ignored (extraneous)"));
    else if (own.keep_on_prune)
        task_skip(task, RESULT_PRUNE_SKIPPED, S("ignored (no prune)"));
    else if (!options->prune)
        task_skip(task, RESULT_PRUNE_SKIPPED, S("ignored (requires pruning)"));
    else if (row->deleting)
        task_skip(task, RESULT_PRUNED, S("pruned"));
}

static int task_compare(const void *a, const void *b)
{
    const struct task *x = a;
    const struct task *y = b;
    int order;

    if (x->order != y->order)
        return x->order < y->order ? -1 : 1;
    order = str_cmp(x->row->name, y->row->name);
    return order == 0 ? str_cmp(x->row->key, y->row->key) : order;
}

struct task *task_build(struct arena *arena, const struct compare *compare,
                        const struct task_options *options, size_t *ret_count)
{
    size_t rows = compare_count(compare);
    struct task *tasks = arena_array(arena, rows + 1, struct task);
    size_t count = 0;

    for (size_t i = 0; i < rows; i++) {
        const struct row *row = compare_row(compare, i);
        struct task *task = &tasks[count];

        if (!filter_has(options->resources, row))
            continue;
        *task = (struct task){.row = row,
                              .order = task_kind_order(row->gvk.kind),
                              .message = STR_EMPTY,
                              .uid = STR_EMPTY,
                              .resource_version = STR_EMPTY};
        if (row->want != NULL)
            task_apply(arena, task, options);
        else
            task_prune(task, options);
        count++;
    }
    qsort(tasks, count, sizeof(*tasks), task_compare);
    *ret_count = count;
    return tasks;
}

struct val task_val(struct arena *arena, const struct task *task)
{
    const struct row *row = task->row;
    struct val out = val_map();

    val_set_str(arena, &out, S("group"), row->gvk.group);
    val_set_str(arena, &out, S("version"), row->gvk.version);
    val_set_str(arena, &out, S("kind"), row->gvk.kind);
    val_set_str(arena, &out, S("namespace"), row->namespace_);
    val_set_str(arena, &out, S("name"), row->name);
    if (task->result != RESULT_NONE)
        val_set_str(arena, &out, S("status"), str_from(task_result_name(task->result)));
    if (!str_is_empty(task->message))
        val_set_str(arena, &out, S("message"), task->message);
    if (task->intended && task->state != TASK_DONE)
        val_set_str(arena, &out, S("uid"), task->uid);
    val_set_str(arena, &out, S("hookPhase"), str_from(results[task->result].phase));
    val_set_str(arena, &out, S("syncPhase"), S("Sync"));
    return out;
}
