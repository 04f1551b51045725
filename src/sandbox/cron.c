/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/cron.h"

enum { DAY_S = 86400, DAYS_MAX = 5 * 366 };

static const char *const month_names[] = {"jan", "feb", "mar", "apr", "may", "jun", "jul",
                                          "aug", "sep", "oct", "nov", "dec", NULL};
static const char *const day_names[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat", NULL};

static const struct field {
    const char *name;
    uint64_t first, last;
    const char *const *names; /* of `first` and what follows it */
} fields[] = {
        {"minute", 0, 59, NULL},          {"hour", 0, 23, NULL},
        {"day of month", 1, 31, NULL},    {"month", 1, 12, month_names},
        {"day of week", 0, 7, day_names},
};

static const struct {
    str word, text;
} macros[] = {
        {S_INIT("@yearly"), S_INIT("0 0 1 1 *")},  {S_INIT("@annually"), S_INIT("0 0 1 1 *")},
        {S_INIT("@monthly"), S_INIT("0 0 1 * *")}, {S_INIT("@weekly"), S_INIT("0 0 * * 0")},
        {S_INIT("@daily"), S_INIT("0 0 * * *")},   {S_INIT("@midnight"), S_INIT("0 0 * * *")},
        {S_INIT("@hourly"), S_INIT("0 * * * *")},
};

/* ---- reading ---- */

static bool value_of(const struct field *field, str text, uint64_t *ret)
{
    for (uint64_t i = 0; field->names != NULL && field->names[i] != NULL; i++) {
        if (str_eq_nocase(text, str_from(field->names[i]))) {
            *ret = field->first + i;
            return true;
        }
    }
    return str_to_u64(text, ret) && *ret >= field->first && *ret <= field->last;
}

static bool is_star(str text)
{
    return str_eq(text, S("*")) || str_eq(text, S("?"));
}

/* "*", "5", "1-5", each with "/2" */
static bool range_of(const struct field *field, str text, uint64_t *ret_bits)
{
    size_t slash = str_find_char(text, '/');
    str range = slash == SIZE_MAX ? text : str_first(text, slash);
    size_t dash = str_find_char(range, '-');
    uint64_t low = field->first;
    uint64_t high = field->last;
    uint64_t step = 1;

    if (slash != SIZE_MAX && (!str_to_u64(str_from_index(text, slash + 1), &step) || step == 0))
        return false;
    if (!is_star(range)) {
        if (!value_of(field, dash == SIZE_MAX ? range : str_first(range, dash), &low))
            return false;
        high = slash == SIZE_MAX ? low : field->last;
        if (dash != SIZE_MAX && !value_of(field, str_from_index(range, dash + 1), &high))
            return false;
    }
    if (low > high)
        return false;
    for (uint64_t at = low; at <= high; at += MIN(step, (uint64_t)64))
        *ret_bits |= (uint64_t)1 << at;
    return true;
}

static bool field_of(const struct field *field, str text, uint64_t *ret_bits, struct err *err)
{
    str rest = text;
    str part;

    *ret_bits = 0;
    while (str_split(&rest, ',', &part)) {
        if (!range_of(field, part, ret_bits))
            return err_set(err, ERR_INVALID, "the %s '%.*s' of the schedule cannot be understood",
                           field->name, STR(text));
    }
    return true;
}

bool cron_parse(str text, struct cron *ret, struct err *err)
{
    uint64_t bits[COUNT(fields)] = {0};
    bool star[COUNT(fields)] = {false};
    size_t count = 0;
    str word;

    text = str_trim(text);
    for (size_t i = 0; i < COUNT(macros); i++) {
        if (str_eq(text, macros[i].word))
            text = macros[i].text;
    }
    for (str rest = text; str_split(&rest, ' ', &word);) {
        if (str_is_empty(word))
            continue;
        if (count < COUNT(fields)) {
            star[count] = is_star(word);
            if (!field_of(&fields[count], word, &bits[count], err))
                return false;
        }
        count++;
    }
    if (count != COUNT(fields))
        return err_set(err, ERR_INVALID, "the schedule '%.*s' has not five fields", STR(text));
    *ret = (struct cron){
            .minutes = bits[0],
            .hours = (uint32_t)bits[1],
            .days = (uint32_t)bits[2],
            .months = (uint32_t)bits[3],
            .weekdays = (uint32_t)(bits[4] | bits[4] >> 7), /* 7 is Sunday too */
            .any_day = star[2],
            .any_weekday = star[4],
    };
    return true;
}

/* ---- the calendar ---- */

/* https://howardhinnant.github.io/date_algorithms.html#civil_from_days */
static void civil(int64_t days, unsigned *ret_month, unsigned *ret_day)
{
    int64_t shifted = days + 719468;
    int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
    int64_t of_era = shifted - era * 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * of_year + 2) / 153;

    *ret_day = (unsigned)(of_year - (153 * month + 2) / 5 + 1);
    *ret_month = (unsigned)(month < 10 ? month + 3 : month - 9);
}

/* Of two restricted day fields, either will do. */
static bool has_day(const struct cron *cron, int64_t days)
{
    unsigned month;
    unsigned day;

    civil(days, &month, &day);
    bool by_day = (cron->days >> day & 1) != 0;
    bool by_weekday = (cron->weekdays >> ((days + 4) % 7) & 1) != 0; /* 1970 began on a Thursday */
    if ((cron->months >> month & 1) == 0)
        return false;
    return cron->any_day || cron->any_weekday ? by_day && by_weekday : by_day || by_weekday;
}

static bool has_minute(const struct cron *cron, int64_t minute)
{
    return (cron->hours >> (minute / 60) & 1) != 0 && (cron->minutes >> (minute % 60) & 1) != 0;
}

int64_t cron_next(const struct cron *cron, int64_t seconds)
{
    int64_t day = seconds / DAY_S;
    int64_t minute = seconds % DAY_S / 60 + 1;

    for (int64_t last = day + DAYS_MAX; day <= last; day++, minute = 0) {
        for (; has_day(cron, day) && minute < 24 * 60; minute++) {
            if (has_minute(cron, minute))
                return day * DAY_S + minute * 60;
        }
    }
    return 0;
}

int64_t cron_last(const struct cron *cron, int64_t seconds)
{
    int64_t day = seconds / DAY_S;
    int64_t minute = seconds % DAY_S / 60;

    for (int64_t first = MAX(day - DAYS_MAX, (int64_t)0); day >= first;
         day--, minute = 24 * 60 - 1) {
        for (; has_day(cron, day) && minute >= 0; minute--) {
            if (has_minute(cron, minute))
                return day * DAY_S + minute * 60;
        }
    }
    return 0;
}
