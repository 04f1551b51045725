/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/approval.h"
#include "base/clock.h"

bool approval_is_given(const struct val *application, str since)
{
    int64_t approved;
    int64_t began;

    /* Both are written by wall clocks to whole seconds. */
    return clock_parse(object_annotation(application, APPROVAL), &approved) &&
           clock_parse(since, &began) && approved / 1000 >= began / 1000;
}

bool approval_is_needed(const struct row *row)
{
    struct sync_options own = {0};

    sync_options_add_csv(&own, row->live_options);
    return own.confirm_prune || own.confirm_delete ||
           (row->want != NULL &&
            (row->want->options.confirm_prune || row->want->options.confirm_delete));
}

str approval_sentence(struct arena *arena, const char *what, const struct row *first, size_t count)
{
    str text = arena_printf(arena, "waiting for %s confirmation of %.*s/%.*s/%.*s", what,
                            STR(first->gvk.group), STR(first->gvk.kind), STR(first->name));

    return count <= 1 ? text
                      : arena_printf(arena, "%.*s and %zu more resources", STR(text), count - 1);
}
