/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/mask.h"
#include "engine/preview.h"

/* Rows and words of a preview's answer. Reasons and warnings are codes, so that the console can say
 * them in the reader's language; messages are sentences of servers and manifests, as they came. */

static const char *const reason_names[] = {
        [REASON_NONE] = "equal",
        [REASON_MISSING] = "missing",
        [REASON_KIND_ABSENT] = "kind-absent",
        [REASON_UNMANAGED] = "unmanaged",
        [REASON_SHARED] = "shared",
        [REASON_DIFFERS] = "differs",
        [REASON_REFUSED] = "refused",
        [REASON_DELETING] = "deleting",
        [REASON_EXTRANEOUS] = "extraneous",
        [REASON_NOT_ASKED] = "differs",
        [REASON_FORBIDDEN] = "forbidden",
        [REASON_TROUBLE] = "trouble",
};

static const char *apply_effect(const struct task *task)
{
    const struct row *row = task->row;

    switch (row->reason) {
    case REASON_FORBIDDEN:
        return "forbidden";
    case REASON_KIND_ABSENT:
    case REASON_REFUSED:
    case REASON_SHARED:
        return "refused";
    case REASON_TROUBLE:
        return "unknown";
    case REASON_NONE:
    case REASON_MISSING:
    case REASON_UNMANAGED:
    case REASON_DIFFERS:
    case REASON_DELETING:
    case REASON_EXTRANEOUS:
    case REASON_NOT_ASKED:
        break;
    }
    if (row->live != ROW_LIVE_PRESENT)
        return "create";
    if (task->replace)
        return "replace";
    return row->status == ROW_SYNCED ? "none" : "update";
}

static const char *task_effect(const struct task *task)
{
    if (task->row->want != NULL)
        return apply_effect(task);
    return task->result == RESULT_PRUNE_SKIPPED ? "keep" : "delete";
}

static const char *task_reason(const struct task *task)
{
    struct sync_options own = {0};

    if (task->row->want != NULL || task->result != RESULT_PRUNE_SKIPPED)
        return reason_names[task->row->reason];
    sync_options_add_csv(&own, task->row->live_options);
    if (own.keep_on_prune || !task->row->requires_pruning)
        return "prune-option";
    return "prune-off";
}

void preview_tasks(struct engine_preview *preview)
{
    size_t count;
    struct task *tasks = task_build(preview->arena, preview->compare, &preview->options, &count);

    preview->rows = arena_array(preview->arena, count + 1, struct preview_row);
    for (size_t i = 0; i < count; i++)
        preview->rows[preview->row_count++] = (struct preview_row){
                .preview = preview,
                .row = tasks[i].row,
                .effect = task_effect(&tasks[i]),
                .reason = task_reason(&tasks[i]),
                .message = tasks[i].confirm && tasks[i].result == RESULT_NONE
                                   ? S("waits until a person confirms it")
                                   : tasks[i].row->note,
                .held = STR_EMPTY,
                .objects = -1,
        };
}

/* ---- the answer ---- */

static struct val row_val(struct arena *arena, const struct preview_row *row)
{
    const struct row *at = row->row;
    struct val out = val_map();

    val_set_str(arena, &out, S("group"), at->gvk.group);
    val_set_str(arena, &out, S("version"), at->gvk.version);
    val_set_str(arena, &out, S("kind"), at->gvk.kind);
    val_set_str(arena, &out, S("namespace"), at->namespace_);
    val_set_str(arena, &out, S("name"), at->name);
    val_set_str(arena, &out, S("effect"), str_from(row->effect));
    val_set_str(arena, &out, S("reason"), str_from(row->reason));
    if (!str_is_empty(row->message))
        val_set_str(arena, &out, S("message"), row->message);
    if (at->want != NULL && !str_is_empty(at->want->file))
        val_set_str(arena, &out, S("file"),
                    arena_printf(arena, "%.*s:%u", STR(at->want->file), at->want->line));
    if (row->objects >= 0)
        val_set(arena, &out, S("objects"), val_int(arena, row->objects));
    if (row->objects_are_more)
        val_set(arena, &out, S("objectsAreMore"), val_bool(true));
    if (!str_is_empty(row->held))
        val_set_str(arena, &out, S("held"), row->held);
    return out;
}

static void add_warning(struct arena *arena, struct val *list, const char *code, str message)
{
    struct val *row = val_append(arena, list, val_map());

    val_set_str(arena, row, S("code"), str_from(code));
    val_set_str(arena, row, S("message"), message);
}

static bool set_has_namespace(const struct engine_preview *preview)
{
    str key = object_key(preview->arena, S(""), S("Namespace"), S(""),
                         preview->spec.destination.namespace_);
    return preview->desired != NULL && desired_find(preview->desired, key) != NULL;
}

static bool set_uses_namespace(const struct engine_preview *preview)
{
    for (size_t i = 0; i < preview->row_count; i++)
        if (preview->rows[i].row->want != NULL &&
            str_eq(preview->rows[i].row->namespace_, preview->spec.destination.namespace_))
            return true;
    return false;
}

/* The sync makes it first; it is no object of the set. */
static void add_namespace(struct engine_preview *preview, struct val *rows)
{
    struct arena *arena = preview->arena;
    struct val row = val_map();

    val_set_str(arena, &row, S("group"), STR_EMPTY);
    val_set_str(arena, &row, S("version"), S("v1"));
    val_set_str(arena, &row, S("kind"), S("Namespace"));
    val_set_str(arena, &row, S("namespace"), STR_EMPTY);
    val_set_str(arena, &row, S("name"), preview->spec.destination.namespace_);
    val_set_str(arena, &row, S("effect"), S("create"));
    val_set_str(arena, &row, S("reason"), S("auto-create"));
    val_append(arena, rows, row);
}

static void add_warnings(struct engine_preview *preview, struct val *rows, struct val *list)
{
    struct arena *arena = preview->arena;
    const struct desired *desired = preview->desired;

    for (size_t i = 0; desired != NULL && i < desired->repeated_count; i++)
        add_warning(arena, list, "repeated", desired->repeated[i]);
    for (size_t i = 0; desired != NULL && i < desired->excluded_count; i++)
        add_warning(arena, list, "excluded", desired->excluded[i]);
    if (preview->compare != NULL && preview->stage == PREVIEW_TOLD &&
        !compare_is_complete(preview->compare))
        add_warning(arena, list, "incomplete", err_message(compare_trouble(preview->compare)));
    if (!preview->namespace_absent || set_has_namespace(preview))
        return;
    if (preview->spec.options.create_namespace && val_count(preview->options.resources) == 0)
        add_namespace(preview, rows);
    else if (set_uses_namespace(preview))
        add_warning(arena, list, "project-missing", preview->spec.destination.namespace_);
}

static void add_error(struct engine_preview *preview, struct val *answer)
{
    struct val *error = val_ensure_map(preview->arena, answer, S("error"));

    val_set_str(preview->arena, error, S("at"), str_from(preview->failed_at));
    val_set_str(preview->arena, error, S("code"), str_from(err_facts(preview->err.code)->reason));
    val_set_str(preview->arena, error, S("message"), err_message(&preview->err));
}

struct val *preview_answer(struct engine_preview *preview)
{
    struct arena *arena = preview->arena;
    struct val *answer = val_new(arena, val_map());
    struct val *rows;
    struct val *warnings;

    val_set_str(arena, answer, S("revision"), preview->revision);
    if (preview->desired != NULL) {
        val_set_str(arena, answer, S("commit"), arena_str(arena, preview->desired->commit));
        val_set_str(arena, answer, S("type"), str_from(render_tool_name(preview->desired->tool)));
    }
    if (preview->cluster != NULL)
        val_set_str(arena, answer, S("cluster"), cluster_name(preview->cluster));
    if (preview->failed_at != NULL)
        add_error(preview, answer);
    rows = val_set(arena, answer, S("resources"), val_list());
    warnings = val_new(arena, val_list());
    if (!preview->is_deletion || preview->failed_at == NULL)
        add_warnings(preview, rows, warnings);
    for (size_t i = 0; i < preview->row_count; i++)
        val_append(arena, rows, row_val(arena, &preview->rows[i]));
    val_set(arena, answer, S("warnings"), *warnings);
    return answer;
}
