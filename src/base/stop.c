/* SPDX-License-Identifier: Apache-2.0 */
#include "base/stop.h"
#include "base/str.h"
#include <assert.h>
#include <signal.h>

static const char *const names[] = {
        "after-start-before-work",      /* an operation has begun, nothing was sent */
        "after-namespace-before-apply", /* the namespace exists, no object does */
        "after-apply-before-record",    /* some objects are applied, no result row is written */
        "after-intent-before-delete",   /* the row says that an object will be deleted */
        "after-delete-before-record",   /* it is deleted, the row does not say so */
        "after-prune-before-finish",    /* all work is done, the operation is still Running */
        "after-finish-before-status",   /* the operation has ended, the comparison is old */
        "in-cascade-before-finalizer",  /* all objects are gone, the finalizer stands */
};

const char *stop_point_name(size_t index)
{
    return index < COUNT(names) ? names[index] : NULL;
}

static bool stop_is_known(str name)
{
    for (size_t i = 0; i < COUNT(names); i++)
        if (str_eq(str_from(names[i]), name))
            return true;
    return false;
}

void stop_point(const char *name)
{
    static int64_t left = -1;
    str wanted = str_from(getenv("TAUT_STOP_AT"));
    size_t colon = str_find_char(wanted, ':');
    str wanted_name = colon == SIZE_MAX ? wanted : str_first(wanted, colon);

    assert(stop_is_known(str_from(name)));
    if (!str_eq(wanted_name, str_from(name)))
        return;
    if (left < 0 && (colon == SIZE_MAX || !str_to_i64(str_from_index(wanted, colon + 1), &left)))
        left = 0;
    if (left-- > 0)
        return;
    raise(SIGKILL);
}
