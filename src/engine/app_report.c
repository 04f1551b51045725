/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "base/mem.h"
#include "engine/app.h"
#include "engine/rollup.h"

/* From what a pass found to the parts of status that tell it. */

/* Conditions that a pass owns: it replaces them all. */
static const char *const owned_types[] = {
        "InvalidSpecError",        "UnknownError",
        "ComparisonError",         "SyncError",
        "SharedResourceWarning",   "RepeatedResourceWarning",
        "ExcludedResourceWarning", "OrphanedResourceWarning",
        "DeletionError",
};

static bool type_is_owned(str type)
{
    for (size_t i = 0; i < COUNT(owned_types); i++)
        if (str_eq(type, str_from(owned_types[i])))
            return true;
    return false;
}

static int condition_order(const struct val *a, const struct val *b)
{
    int order = str_cmp(val_get_str(a, S("type")), val_get_str(b, S("type")));

    return order == 0 ? str_cmp(val_get_str(a, S("message")), val_get_str(b, S("message"))) : order;
}

/* Starts the report of a pass: conditions of others are kept. */
static struct val *report_begin(struct app *app)
{
    struct val *report;
    struct val *conditions;
    struct val_iter it = val_iter(VAL_AT(app->object, "status", "conditions"));

    if (app->report_arena != NULL)
        arena_free(app->report_arena);
    app->report_arena = arena_new(LIMIT_STATUS_ARENA);
    report = val_new(app->report_arena, val_map());
    app->report = report;
    conditions = val_set(app->report_arena, report, S("conditions"), val_list());
    while (val_next(&it))
        if (!type_is_owned(val_get_str(it.value, S("type"))))
            val_append(app->report_arena, conditions, val_dup_value(app->report_arena, it.value));
    val_set_str(app->report_arena, report, S("controllerNamespace"),
                app->context->control_namespace);
    app->report_answers_refresh = app->saw_refresh;
    return report;
}

void app_report_condition(struct app *app, const char *type, str message)
{
    struct val *conditions = val_ensure_list(app->report_arena, app->report, S("conditions"));
    struct val condition = val_map();

    val_set_str(app->report_arena, &condition, S("type"), str_from(type));
    val_set_str(app->report_arena, &condition, S("message"), message);
    val_append(app->report_arena, conditions, condition);
    val_sort_list(app->report_arena, conditions, condition_order);
}

static void report_health(struct app *app, struct val *report, struct health health)
{
    struct val *out = val_set(app->report_arena, report, S("health"), val_map());

    val_set_str(app->report_arena, out, S("status"), str_from(health_name(health.status)));
    if (!str_is_empty(health.message))
        val_set_str(app->report_arena, out, S("message"),
                    str_first(health.message, str_utf8_clip(health.message, 1024)));
}

static void report_compared_to(struct app *app, struct val *sync)
{
    const struct val *spec = val_get(app->object, S("spec"));
    struct val *to = val_set(app->report_arena, sync, S("comparedTo"), val_map());

    val_set(app->report_arena, to, S("source"),
            val_dup_value(app->report_arena, val_get(spec, S("source"))));
    val_set(app->report_arena, to, S("destination"),
            val_dup_value(app->report_arena, val_get(spec, S("destination"))));
    if (val_count(val_get(spec, S("ignoreDifferences"))) > 0)
        val_set(app->report_arena, to, S("ignoreDifferences"),
                val_dup_value(app->report_arena, val_get(spec, S("ignoreDifferences"))));
}

/* The comparison failed: sync Unknown; health is Unknown too until something was compared. */
void app_report_error(struct app *app, const char *type, const struct err *err)
{
    struct val *report = report_begin(app);
    struct val *sync = val_set(app->report_arena, report, S("sync"), val_map());
    str revision = VAL_STR(app->object, "status", "sync", "revision");
    bool is_spec = str_eq(str_from(type), S("InvalidSpecError"));

    app_report_condition(app, type, err_message(err));
    val_set_str(app->report_arena, sync, S("status"), S("Unknown"));
    if (!str_is_empty(revision))
        val_set_str(app->report_arena, sync, S("revision"), revision);
    if (val_is(val_get(val_get(app->object, S("spec")), S("source")), VAL_MAP))
        report_compared_to(app, sync);
    if (app->last == NULL || is_spec)
        report_health(app, report, health_make(HEALTH_UNKNOWN, STR_EMPTY));
    app->checked_wall_ms = clock_wall_ms();
}

static void claim_told(void *owner, str sentence)
{
    app_report_condition(owner, "SharedResourceWarning", sentence);
}

/* What others hold of ours, and what we hold of theirs. */
static void report_shared(struct app *app)
{
    const struct app_context *context = app->context;

    context->claims_begin(context->owner, app->mark.instance);
    for (size_t i = 0; i < compare_count(app->last); i++) {
        const struct row *row = compare_row(app->last, i);
        str object =
                arena_printf(app->report_arena, "%.*s/%.*s", STR(row->gvk.kind), STR(row->name));

        if (row->reason != REASON_SHARED)
            continue;
        app_report_condition(app, "SharedResourceWarning",
                             arena_printf(app->report_arena, "%.*s is not applied: %.*s",
                                          STR(object), STR(row->note)));
        if (row->owner == MARK_SIBLING)
            context->claim(context->owner, row->holder, app->mark.instance, object);
    }
    context->claims_end(context->owner, app->mark.instance);
    context->claims_each(context->owner, app->mark.instance, claim_told, app);
}

static void report_rows(struct app *app)
{
    const struct desired *desired = compare_desired(app->last);

    for (size_t i = 0; i < desired->repeated_count; i++)
        app_report_condition(app, "RepeatedResourceWarning", desired->repeated[i]);
    for (size_t i = 0; i < desired->excluded_count; i++)
        app_report_condition(app, "ExcludedResourceWarning", desired->excluded[i]);
    if (!compare_is_complete(app->last))
        app_report_condition(app, "ComparisonError", err_message(compare_trouble(app->last)));
    for (size_t i = 0; i < compare_count(app->last); i++) {
        const struct row *row = compare_row(app->last, i);

        if (row->reason == REASON_FORBIDDEN)
            app_report_condition(app, "InvalidSpecError", row->note);
        else if (row->reason == REASON_TROUBLE && compare_is_complete(app->last))
            app_report_condition(app, "ComparisonError",
                                 arena_printf(app->report_arena, "%.*s '%.*s': %.*s",
                                              STR(row->gvk.kind), STR(row->name), STR(row->note)));
    }
}

void app_report_compare(struct app *app)
{
    const struct desired *desired = compare_desired(app->last);
    struct val *report = report_begin(app);
    struct arena *arena = app->report_arena;
    struct val *sync = val_set(arena, report, S("sync"), val_map());
    struct val *summary = val_set(arena, report, S("summary"), val_map());
    struct val images = rollup_images(app->last, arena);
    enum row_status status = rollup_sync(app->last);

    if (!compare_is_complete(app->last))
        status = ROW_UNKNOWN;
    val_set_str(arena, sync, S("status"), str_from(row_status_name(status)));
    val_set_str(arena, sync, S("revision"), desired->commit);
    report_compared_to(app, sync);
    report_health(app, report, rollup_health(app->last, arena));
    val_set(arena, report, S("resources"), rollup_resources(app->last, arena));
    if (val_count(val_get(report, S("resources"))) == 0)
        val_set(arena, report, S("resources"), val_null());
    val_set_str(arena, report, S("sourceType"), str_from(render_tool_name(desired->tool)));
    if (val_count(&images) > 0)
        val_set(arena, summary, S("images"), images);
    report_rows(app);
    report_shared(app);
    if (val_count(val_get(report, S("conditions"))) == 0)
        val_set(arena, report, S("conditions"), val_null());
    app->checked_wall_ms = clock_wall_ms();
}
