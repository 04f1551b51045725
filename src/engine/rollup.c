/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/rollup.h"
#include "base/mem.h"
#include "engine/approval.h"

#define ROLLUP_CAUSES 3

static bool row_counts_for_health(const struct row *row)
{
    bool is_app =
            str_eq(row->gvk.group, S("argoproj.io")) && str_eq(row->gvk.kind, S("Application"));

    if (row->live != ROW_LIVE_PRESENT || row->reason == REASON_SHARED || row->ignore_health ||
        (row->want != NULL && row->want->ignore_health) || row->health.status == HEALTH_NONE)
        return false;
    return !(is_app &&
             (row->health.status == HEALTH_MISSING || row->health.status == HEALTH_UNKNOWN));
}

static str row_label(struct arena *arena, const struct row *row)
{
    str text = arena_printf(arena, "%.*s/%.*s", STR(row->gvk.kind), STR(row->name));

    if (!str_is_empty(row->health.message))
        text = arena_printf(arena, "%.*s: %.*s", STR(text), STR(row->health.message));
    return text;
}

struct health rollup_health(const struct compare *compare, struct arena *arena)
{
    struct health worst = health_make(HEALTH_HEALTHY, STR_EMPTY);
    bool any_live = false;
    size_t causes = 0;

    for (size_t i = 0; i < compare_count(compare); i++) {
        const struct row *row = compare_row(compare, i);

        any_live = any_live || (row->live == ROW_LIVE_PRESENT && row->reason != REASON_SHARED);
        if (row_counts_for_health(row) && row->health.status > worst.status)
            worst.status = row->health.status;
    }
    if (!any_live && compare_count(compare) > 0)
        return health_make(HEALTH_MISSING, STR_EMPTY);
    for (size_t i = 0; i < compare_count(compare) && worst.status != HEALTH_HEALTHY; i++) {
        const struct row *row = compare_row(compare, i);

        if (!row_counts_for_health(row) || row->health.status != worst.status ||
            causes++ >= ROLLUP_CAUSES)
            continue;
        worst.message = causes == 1 ? row_label(arena, row)
                                    : arena_printf(arena, "%.*s; %.*s", STR(worst.message),
                                                   STR(row_label(arena, row)));
    }
    return worst;
}

enum row_status rollup_sync(const struct compare *compare)
{
    enum row_status status = ROW_SYNCED;

    for (size_t i = 0; i < compare_count(compare); i++) {
        const struct row *row = compare_row(compare, i);

        if (row->status == ROW_UNKNOWN)
            return ROW_UNKNOWN;
        if (row->status == ROW_OUT_OF_SYNC && !(row->want == NULL && row->ignore_extraneous))
            status = ROW_OUT_OF_SYNC;
    }
    return status;
}

static int row_order(const void *a, const void *b)
{
    const struct row *x = *(const struct row *const *)a;
    const struct row *y = *(const struct row *const *)b;
    int order = str_cmp(x->gvk.group, y->gvk.group);

    if (order == 0)
        order = str_cmp(x->gvk.kind, y->gvk.kind);
    if (order == 0)
        order = str_cmp(x->namespace_, y->namespace_);
    return order == 0 ? str_cmp(x->name, y->name) : order;
}

static struct val row_val(const struct row *row, struct arena *arena)
{
    struct val out = val_map();

    if (!str_is_empty(row->gvk.group))
        val_set_str(arena, &out, S("group"), row->gvk.group);
    val_set_str(arena, &out, S("version"), row->gvk.version);
    val_set_str(arena, &out, S("kind"), row->gvk.kind);
    if (!str_is_empty(row->namespace_))
        val_set_str(arena, &out, S("namespace"), row->namespace_);
    val_set_str(arena, &out, S("name"), row->name);
    val_set_str(arena, &out, S("status"), str_from(row_status_name(row->status)));
    if (row->health.status != HEALTH_NONE) {
        struct val *health = val_set(arena, &out, S("health"), val_map());

        val_set_str(arena, health, S("status"), str_from(health_name(row->health.status)));
        if (!str_is_empty(row->health.message))
            val_set_str(arena, health, S("message"), row->health.message);
    }
    if (row->requires_pruning)
        val_set(arena, &out, S("requiresPruning"), val_bool(true));
    if (approval_is_needed(row))
        val_set(arena, &out, S("requiresDeletionConfirmation"), val_bool(true));
    return out;
}

struct val rollup_resources(const struct compare *compare, struct arena *arena)
{
    size_t count = compare_count(compare);
    struct row **rows = arena_array(arena, count + 1, struct row *);
    struct val list = val_list();

    for (size_t i = 0; i < count; i++)
        rows[i] = compare_row(compare, i);
    qsort(rows, count, sizeof(*rows), row_order);
    for (size_t i = 0; i < count; i++)
        val_append(arena, &list, row_val(rows[i], arena));
    return list;
}

static int image_order(const struct val *a, const struct val *b)
{
    return str_cmp(val_str(a), val_str(b));
}

struct val rollup_images(const struct compare *compare, struct arena *arena)
{
    struct val list = val_list();
    struct map *seen = map_new();

    for (size_t i = 0; i < compare_count(compare); i++) {
        const struct row *row = compare_row(compare, i);
        str rest = row->images;
        str image;

        while (!str_is_empty(row->images) && rest.at != NULL && str_split(&rest, ' ', &image))
            if (map_set(seen, image, seen) == NULL)
                val_append(arena, &list, val_string(arena, image));
    }
    map_free(seen);
    val_sort_list(arena, &list, image_order);
    return list;
}
