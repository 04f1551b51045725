/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "base/clock.h"
#include "sandbox/cron.h"

static int64_t seconds(const char *text)
{
    int64_t ms = 0;

    assert_true(clock_parse(str_from(text), &ms));
    return ms / 1000;
}

TEST(schedules_come_when_kubernetes_lets_them_come)
{
    static const struct {
        const char *schedule;
        const char *after;
        const char *next;
        const char *last; /* at or before `after` */
    } rows[] = {
            {"* * * * *", "2026-11-24T23:59:30Z", "2026-11-25T00:00:00Z", "2026-11-24T23:59:00Z"},
            {"*/15 * * * *", "2026-01-01T00:15:00Z", "2026-01-01T00:30:00Z",
             "2026-01-01T00:15:00Z"},
            {"30 2 * * *", "2026-03-01T02:30:59Z", "2026-03-02T02:30:00Z", "2026-03-01T02:30:00Z"},
            {"0 9-17/4 * * mon-fri", "2026-11-20T17:30:00Z", "2026-11-23T09:00:00Z",
             "2026-11-20T17:00:00Z"},
            {"0 0 29 2 *", "2026-01-01T00:00:00Z", "2028-02-29T00:00:00Z", "2024-02-29T00:00:00Z"},
            {"0 0 13 * 5", "2026-11-24T00:00:00Z", "2026-11-27T00:00:00Z", "2026-11-20T00:00:00Z"},
            {"0 12 * JAN,Jul 7", "2026-11-24T00:00:00Z", "2027-01-03T12:00:00Z",
             "2026-07-26T12:00:00Z"},
            {"@hourly", "2026-12-31T23:00:00Z", "2027-01-01T00:00:00Z", "2026-12-31T23:00:00Z"},
            {"@weekly", "2026-11-24T00:00:00Z", "2026-11-29T00:00:00Z", "2026-11-22T00:00:00Z"},
            {"5/20 0 1 1 ?", "2026-01-01T00:06:00Z", "2026-01-01T00:25:00Z",
             "2026-01-01T00:05:00Z"},
    };
    struct cron cron;
    struct err err;

    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_ok(cron_parse(str_from(rows[i].schedule), &cron, &err), err);
        if (cron_next(&cron, seconds(rows[i].after)) != seconds(rows[i].next) ||
            cron_last(&cron, seconds(rows[i].after)) != seconds(rows[i].last))
            fail_msg("'%s' after %s", rows[i].schedule, rows[i].after);
    }
}

TEST(a_schedule_that_never_comes_is_found_out)
{
    struct cron cron;
    struct err err;

    assert_ok(cron_parse(S("0 0 30 2 *"), &cron, &err), err);
    assert_int_equal(cron_next(&cron, seconds("2026-11-24T00:00:00Z")), 0);
    assert_int_equal(cron_last(&cron, seconds("2026-11-24T00:00:00Z")), 0);
}

TEST(what_is_no_schedule_is_refused)
{
    static const char *const wrong[] = {
            "",          "* * * *",    "* * * * * *",  "60 * * * *",  "* 24 * * *",
            "* * 0 * *", "* * * 13 *", "* * * * 8",    "5-1 * * * *", "*/0 * * * *",
            "a * * * *", "@reboot",    "1,,2 * * * *", "*/x * * * *"};
    struct cron cron;
    struct err err;

    for (size_t i = 0; i < COUNT(wrong); i++) {
        if (cron_parse(str_from(wrong[i]), &cron, &err))
            fail_msg("'%s' is taken for a schedule", wrong[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(schedules_come_when_kubernetes_lets_them_come),
            cmocka_unit_test(a_schedule_that_never_comes_is_found_out),
            cmocka_unit_test(what_is_no_schedule_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
