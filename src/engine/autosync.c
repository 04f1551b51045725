/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/autosync.h"

/* First heal at once, then 2 s, times 3 each, at most 300 s. */
#define HEAL_FIRST_MS 2000
#define HEAL_FACTOR 3
#define HEAL_MAX_MS 300000
/* After this long without a heal the count starts anew. */
#define HEAL_FORGET_MS 600000
#define AUTOSYNC_RETRY_LIMIT 5

static bool is_wanted(const struct row *row)
{
    /* Of another owner, or on its way out: an operation could do nothing about it. */
    return row->status == ROW_OUT_OF_SYNC && row->reason != REASON_SHARED &&
           row->reason != REASON_DELETING;
}

struct counts {
    size_t all;
    size_t wanted;  /* out of sync, and an operation could help */
    size_t pruning; /* of those: only by pruning */
    size_t left;    /* rows that stay when everything is pruned */
};

static struct counts count_rows(const struct compare *compare)
{
    struct counts counts = {0};

    for (size_t i = 0; i < compare_count(compare); i++) {
        const struct row *row = compare_row(compare, i);

        if (row->want == NULL && row->ignore_extraneous)
            continue;
        counts.all++;
        counts.wanted += is_wanted(row);
        counts.pruning += is_wanted(row) && row->requires_pruning;
        counts.left += row->want != NULL;
    }
    return counts;
}

bool autosync_is_attempted(const struct autosync_input *input)
{
    const struct val *state = input->operation_state;
    const struct val *result = val_get(state, S("syncResult"));
    str revision = val_get_str(result, S("revision"));

    if (state == NULL)
        return false;
    if (str_is_empty(revision))
        revision = VAL_STR(state, "operation", "sync", "revision");
    return str_eq(revision, input->revision) &&
           val_eq(val_get(result, S("source")), input->spec->source) &&
           !val_get_bool(VAL_AT(state, "operation", "sync"), S("dryRun"), false);
}

static struct autosync_output decide_heal(const struct autosync_input *input)
{
    const struct val *sync = VAL_AT(input->operation_state, "operation", "sync");
    int64_t attempts = val_i64_or(val_get(sync, S("autoHealAttemptsCount")), 0);
    int64_t delay = 0;

    if (input->since_last_ms > HEAL_FORGET_MS)
        attempts = 0;
    for (int64_t i = 0; i < attempts && delay < HEAL_MAX_MS; i++)
        delay = delay == 0 ? HEAL_FIRST_MS : delay * HEAL_FACTOR;
    delay = MIN(delay, (int64_t)HEAL_MAX_MS);
    if (input->since_last_ms >= 0 && input->since_last_ms < delay)
        return (struct autosync_output){.answer = AUTOSYNC_WAIT,
                                        .wait_ms = delay - input->since_last_ms};
    return (struct autosync_output){.answer = AUTOSYNC_HEAL, .attempt = attempts + 1};
}

struct autosync_output autosync_decide(const struct autosync_input *input, struct arena *arena)
{
    const struct app_spec *spec = input->spec;
    const struct val *state = input->operation_state;
    str phase = val_get_str(state, S("phase"));
    struct counts counts = count_rows(input->compare);
    struct autosync_output nothing = {.answer = AUTOSYNC_NOTHING};
    bool completed = str_is_empty(phase) || str_eq(phase, S("Succeeded")) ||
                     str_eq(phase, S("Failed")) || str_eq(phase, S("Error"));

    if (!spec->automated || spec->deleting || input->operation != NULL || !completed ||
        counts.wanted == 0)
        return nothing;
    if (counts.wanted == counts.pruning && !spec->prune)
        return nothing;
    if (autosync_is_attempted(input)) {
        if (!str_eq(phase, S("Succeeded")))
            return (struct autosync_output){
                    .answer = AUTOSYNC_ERROR,
                    .message = arena_printf(arena,
                                            "the automated sync of %.*s failed and is not repeated "
                                            "before something changes: %.*s",
                                            STR(str_first(input->revision, 7)),
                                            STR(val_get_str(state, S("message"))))};
        if (!spec->self_heal)
            return nothing;
    }
    if (spec->prune && !spec->allow_empty && counts.left == 0 && counts.all > 0)
        return (struct autosync_output){
                .answer = AUTOSYNC_ERROR,
                .message =
                        S("auto-sync will wipe out all resources: nothing is left in Git at this "
                          "revision; sync by hand, or set allowEmpty")};
    if (autosync_is_attempted(input))
        return decide_heal(input);
    return (struct autosync_output){.answer = AUTOSYNC_SYNC};
}

static void operation_add_resources(struct val *sync, const struct compare *compare,
                                    struct arena *arena)
{
    struct val *list = val_set(arena, sync, S("resources"), val_list());

    for (size_t i = 0; i < compare_count(compare); i++) {
        const struct row *row = compare_row(compare, i);
        struct val item = val_map();

        if (!is_wanted(row))
            continue;
        if (!str_is_empty(row->gvk.group))
            val_set_str(arena, &item, S("group"), row->gvk.group);
        val_set_str(arena, &item, S("kind"), row->gvk.kind);
        val_set_str(arena, &item, S("name"), row->name);
        if (!str_is_empty(row->namespace_))
            val_set_str(arena, &item, S("namespace"), row->namespace_);
        val_append(arena, list, item);
    }
}

struct val autosync_operation(const struct autosync_input *input,
                              const struct autosync_output *output, struct arena *arena)
{
    const struct app_spec *spec = input->spec;
    struct val operation = val_map();
    struct val *by = val_set(arena, &operation, S("initiatedBy"), val_map());
    struct val *sync;

    val_set(arena, by, S("automated"), val_bool(true));
    if (spec->retry != NULL) {
        val_set(arena, &operation, S("retry"), val_dup_value(arena, spec->retry));
    } else {
        struct val *retry = val_set(arena, &operation, S("retry"), val_map());

        val_set(arena, retry, S("limit"), val_int(arena, AUTOSYNC_RETRY_LIMIT));
    }
    sync = val_set(arena, &operation, S("sync"), val_map());
    val_set_str(arena, sync, S("revision"), input->revision);
    if (spec->prune)
        val_set(arena, sync, S("prune"), val_bool(true));
    if (val_count(spec->option_list) > 0)
        val_set(arena, sync, S("syncOptions"), val_dup_value(arena, spec->option_list));
    if (output->answer == AUTOSYNC_HEAL) {
        val_set(arena, sync, S("autoHealAttemptsCount"), val_int(arena, output->attempt));
        operation_add_resources(sync, input->compare, arena);
    }
    return operation;
}
