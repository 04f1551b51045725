/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Cron: a CronJob's schedule, as Kubernetes reads it: five fields (minute, hour, day of month,
 * month, day of week) of numbers, names, ranges, lists and steps, or @hourly and its kin. In UTC.
 *
 * Bounds: looks at most five years ahead or back; a schedule that never comes (30 February) is 0.
 */
#include "base/err.h"

struct cron {
    uint64_t minutes; /* bit n: it is in the field */
    uint32_t hours;
    uint32_t days; /* 1 to 31 */
    uint32_t months;
    uint32_t weekdays; /* Sunday is 0 */
    bool any_day;      /* the field is "*" */
    bool any_weekday;
};

MUST_USE bool cron_parse(str text, struct cron *ret, struct err *err);
/* The first time after `seconds` (since 1970), and the last one at or before; 0 = none. */
int64_t cron_next(const struct cron *cron, int64_t seconds);
int64_t cron_last(const struct cron *cron, int64_t seconds);
