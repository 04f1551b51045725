/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include <stdio.h>
#include <time.h>

static int64_t read_us(clockid_t id)
{
    struct timespec now = {0};

    clock_gettime(id, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t clock_mono_us(void)
{
    return read_us(CLOCK_MONOTONIC);
}

int64_t clock_mono_ms(void)
{
    return read_us(CLOCK_MONOTONIC) / 1000;
}

int64_t clock_wall_ms(void)
{
    return read_us(CLOCK_REALTIME) / 1000;
}

void clock_format(int64_t wall_ms, char ret_text[CLOCK_RFC3339_SIZE])
{
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm tm = {0};

    gmtime_r(&seconds, &tm);
    (void)strftime(ret_text, CLOCK_RFC3339_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

void clock_format_micro(int64_t wall_us, char ret_text[CLOCK_RFC3339_SIZE])
{
    time_t seconds = (time_t)(wall_us / 1000000);
    struct tm tm = {0};
    char whole[CLOCK_RFC3339_SIZE];

    gmtime_r(&seconds, &tm);
    (void)strftime(whole, sizeof(whole), "%Y-%m-%dT%H:%M:%S", &tm);
    (void)snprintf(ret_text, CLOCK_RFC3339_SIZE, "%.20s.%06dZ", whole, (int)(wall_us % 1000000));
}

static bool take_number(str *s, size_t digits, int *ret_number)
{
    int number = 0;

    if (s->len < digits)
        return false;
    for (size_t i = 0; i < digits; i++) {
        if (s->at[i] < '0' || s->at[i] > '9')
            return false;
        number = number * 10 + (s->at[i] - '0');
    }
    *s = str_from_index(*s, digits);
    *ret_number = number;
    return true;
}

static bool take_offset(str *s, int *ret_minutes)
{
    int hours = 0;
    int minutes = 0;

    *ret_minutes = 0;
    if (str_skip(s, S("Z")) || str_skip(s, S("z")))
        return true;
    bool negative = str_skip(s, S("-"));
    if (!negative && !str_skip(s, S("+")))
        return false;
    if (!take_number(s, 2, &hours) || !str_skip(s, S(":")) || !take_number(s, 2, &minutes))
        return false;
    if (hours > 23 || minutes > 59)
        return false;
    *ret_minutes = (negative ? -1 : 1) * (hours * 60 + minutes);
    return true;
}

static void take_fraction(str *s, int *ret_ms)
{
    int scale = 100;

    *ret_ms = 0;
    if (!str_skip(s, S(".")))
        return;
    while (s->len > 0 && s->at[0] >= '0' && s->at[0] <= '9') {
        *ret_ms += (s->at[0] - '0') * scale;
        scale /= 10;
        *s = str_from_index(*s, 1);
    }
}

bool clock_parse(str text, int64_t *ret_wall_ms)
{
    struct tm tm = {0};
    int ms = 0;
    int offset = 0;

    bool date = take_number(&text, 4, &tm.tm_year) && str_skip(&text, S("-")) &&
                take_number(&text, 2, &tm.tm_mon) && str_skip(&text, S("-")) &&
                take_number(&text, 2, &tm.tm_mday);
    if (!date || !(str_skip(&text, S("T")) || str_skip(&text, S("t"))))
        return false;
    bool time = take_number(&text, 2, &tm.tm_hour) && str_skip(&text, S(":")) &&
                take_number(&text, 2, &tm.tm_min) && str_skip(&text, S(":")) &&
                take_number(&text, 2, &tm.tm_sec);
    if (!time)
        return false;
    take_fraction(&text, &ms);
    if (!take_offset(&text, &offset) || text.len != 0)
        return false;
    if (tm.tm_mon < 1 || tm.tm_mon > 12 || tm.tm_mday < 1 || tm.tm_mday > 31 || tm.tm_hour > 23 ||
        tm.tm_min > 59 || tm.tm_sec > 60)
        return false;
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    *ret_wall_ms = ((int64_t)timegm(&tm) - (int64_t)offset * 60) * 1000 + ms;
    return true;
}

static const struct {
    str unit;
    int64_t us;
} units[] = {
        {S_INIT("ns"), 0},         {S_INIT("us"), 1},      {S_INIT("µs"), 1},
        {S_INIT("ms"), 1000},      {S_INIT("s"), 1000000}, {S_INIT("m"), 60000000},
        {S_INIT("h"), 3600000000},
};

static bool take_unit(str *s, int64_t *ret_us)
{
    size_t len = 0;

    while (len < s->len && s->at[len] != '.' && (s->at[len] < '0' || s->at[len] > '9'))
        len++;
    for (size_t i = 0; i < COUNT(units); i++) {
        if (str_eq(str_first(*s, len), units[i].unit)) {
            *s = str_from_index(*s, len);
            *ret_us = units[i].us;
            return true;
        }
    }
    return false;
}

bool clock_parse_duration(str text, int64_t *ret_ms)
{
    bool negative = str_skip(&text, S("-"));
    double total_us = 0;
    int64_t seconds = 0;

    if (str_to_i64(text, &seconds) && seconds >= 0 && seconds <= INT64_MAX / 1000) {
        *ret_ms = (negative ? -1 : 1) * seconds * 1000;
        return true;
    }
    if (text.len == 0)
        return false;
    while (text.len > 0) {
        double number = 0;
        double scale = 0;
        size_t used = 0;
        int64_t unit_us = 0;

        for (; used < text.len; used++) {
            char c = text.at[used];
            if (c == '.' && scale == 0)
                scale = 1;
            else if (c >= '0' && c <= '9' && scale == 0)
                number = number * 10 + (c - '0');
            else if (c >= '0' && c <= '9')
                number += (c - '0') * (scale /= 10);
            else
                break;
        }
        text = str_from_index(text, used);
        if (used == 0 || !take_unit(&text, &unit_us))
            return false;
        total_us += number * (double)unit_us;
        if (total_us > 9e15)
            return false;
    }
    *ret_ms = (int64_t)(total_us / 1000) * (negative ? -1 : 1);
    return true;
}
