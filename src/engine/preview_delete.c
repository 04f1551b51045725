/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"
#include "engine/preview.h"

/*
 * What goes when the application is deleted with its resources, by the rules of the deletion
 * itself; for each definition the objects that would follow it, for each namespace what else lives
 * in it.
 */

/* Objects of a definition that are counted; beyond, the server's own count is taken. */
#define COUNT_PAGE 500

static void counted(void *owner, struct kube_response *response)
{
    struct preview_row *row = owner;
    const struct val *meta = val_get(response->object, S("metadata"));

    row->ask = NULL;
    if (response->ok) {
        row->objects = (int64_t)val_count(val_get(response->object, S("items"))) +
                       val_i64_or(val_get(meta, S("remainingItemCount")), 0);
        row->objects_are_more = !str_is_empty(val_get_str(meta, S("continue"))) &&
                                val_get(meta, S("remainingItemCount")) == NULL;
    } else if (response->status == 404) {
        row->objects = 0;
    }
    preview_end_question(row->preview);
}

/* The kind that the definition brings: its name is "plural.group". */
static void count_objects(struct preview_row *row)
{
    struct discovery *discovery = cluster_discovery(row->row->cluster);
    struct ask_options options = {ASK_READ, ASK_PAGE};
    str group = row->row->name;
    str plural;

    row->objects = -1;
    if (!str_split(&group, '.', &plural))
        return;
    for (size_t i = 0; i < discovery_count(discovery); i++) {
        const struct discovery_kind *kind = discovery_at(discovery, i);
        struct kube_request request = {.verb = KUBE_LIST,
                                       .gvr = {kind->gvk.group, kind->gvk.version, kind->resource},
                                       .limit = COUNT_PAGE};

        if (!str_eq(kind->gvk.group, group) || !str_eq(kind->resource, plural))
            continue;
        row->preview->busy++;
        row->ask = ask_start(cluster_queue(row->row->cluster), &request, &options, counted, row);
        return;
    }
}

static void looked(void *owner, str held)
{
    struct preview_row *row = owner;

    row->look = NULL;
    row->held = arena_str(row->preview->arena, held);
    if (!str_is_empty(held) && str_eq(str_from(row->reason), S("when-empty")))
        row->effect = "keep";
    preview_end_question(row->preview);
}

static void row_fill(struct preview_row *row, const struct delete_facts *facts)
{
    enum delete_rule rule = delete_rule(facts, row->row);

    row->reason = delete_rule_name(rule);
    row->effect = delete_rule_keeps(rule) ? "keep" : "delete";
    row->held = row->message = STR_EMPTY;
    row->objects = -1;
    if (str_eq(row->row->gvk.group, S("apiextensions.k8s.io"))) {
        count_objects(row);
    } else if (rule == DELETE_GOES_WHEN_EMPTY || rule == DELETE_GOES_AT_THE_END) {
        row->preview->busy++;
        row->look = namespace_look_start(row->row->cluster, row->row->name,
                                         row->preview->mark.label, looked, row);
    }
}

static void delete_compared(void *owner, struct compare *compare)
{
    struct engine_preview *preview = owner;
    struct delete_facts facts =
            delete_facts(preview->application, preview->engine->control_namespace);

    preview->rows = arena_array(preview->arena, compare_count(compare) + 1, struct preview_row);
    preview->stage = PREVIEW_ASKING;
    preview->busy = 1;
    for (size_t i = 0; i < compare_count(compare); i++) {
        const struct row *at = compare_row(compare, i);
        struct preview_row *row = &preview->rows[preview->row_count];

        if (at->live == ROW_LIVE_ABSENT)
            continue;
        preview->row_count++;
        *row = (struct preview_row){.preview = preview, .row = at};
        row_fill(row, &facts);
    }
    preview_end_question(preview);
}

void preview_delete(struct engine_preview *preview)
{
    struct compare_options options = preview_compare_options(preview);

    preview->stage = PREVIEW_COMPARING;
    preview->compare = compare_start(&options, delete_compared, preview);
}
