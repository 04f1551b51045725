/* SPDX-License-Identifier: Apache-2.0 */
#include "doc/yaml_char.h"
#include "doc/yaml_emit.h"

struct unicode_range {
    uint32_t first;
    uint32_t last;
};

#include "doc/yaml_unicode.inc"

static bool in_ranges(uint32_t c, const struct unicode_range *ranges, size_t count)
{
    size_t low = 0;

    while (count > 0) {
        size_t half = count / 2;
        const struct unicode_range *r = &ranges[low + half];
        if (c < r->first) {
            count = half;
        } else if (c > r->last) {
            low += half + 1;
            count -= half + 1;
        } else {
            return true;
        }
    }
    return false;
}

static bool is_letter(uint32_t c)
{
    if (c < 0x80)
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    return in_ranges(c, unicode_letters, COUNT(unicode_letters));
}

static bool is_digit(uint32_t c)
{
    if (c < 0x80)
        return c >= '0' && c <= '9';
    return in_ranges(c, unicode_digits, COUNT(unicode_digits));
}

static uint64_t digit_run(str s, size_t *at, uint64_t start)
{
    uint64_t value = start;

    while (*at < s.len) {
        size_t len = 1;
        uint32_t c = yaml_char_at(s.at + *at, s.len - *at, &len);
        if (!is_digit(c))
            break;
        value = value * 10 + (uint64_t)(int64_t)((int32_t)c - '0');
        *at += len;
    }
    return value;
}

static size_t chars_in(str s, size_t from, size_t to)
{
    size_t count = 0;

    for (size_t i = from; i < to; i++)
        count += ((unsigned char)s.at[i] & 0xc0) != 0x80;
    return count;
}

/* A zero behind other digits counts: 10 against 1x. */
static bool has_digit_before(str s, size_t at)
{
    while (at > 0) {
        do
            at--;
        while (at > 0 && ((unsigned char)s.at[at] & 0xc0) == 0x80);
        size_t len = 1;
        uint32_t c = yaml_char_at(s.at + at, s.len - at, &len);
        if (!is_digit(c))
            return false;
        if (c != '0')
            return true;
    }
    return false;
}

int yaml_key_cmp(str a, str b)
{
    size_t same = 0;
    size_t shorter = MIN(a.len, b.len);

    while (same < shorter && a.at[same] == b.at[same])
        same++;
    while (same > 0 && same < shorter && ((unsigned char)a.at[same] & 0xc0) == 0x80)
        same--; /* back to the first byte of the character */
    if (same == a.len || same == b.len)
        return a.len < b.len ? -1 : a.len > b.len;

    size_t unused = 0;
    uint32_t x = yaml_char_at(a.at + same, a.len - same, &unused);
    uint32_t y = yaml_char_at(b.at + same, b.len - same, &unused);
    bool x_letter = is_letter(x);
    bool y_letter = is_letter(y);
    if (x_letter && y_letter)
        return x < y ? -1 : 1;
    if (x_letter || y_letter)
        return y_letter ? -1 : 1;
    uint64_t start = (x == '0' || y == '0') && has_digit_before(a, same) ? 1 : 0;
    size_t x_end = same;
    size_t y_end = same;
    int64_t x_number = (int64_t)digit_run(a, &x_end, start);
    int64_t y_number = (int64_t)digit_run(b, &y_end, start);
    if (x_number != y_number)
        return x_number < y_number ? -1 : 1;
    size_t x_count = chars_in(a, same, x_end);
    size_t y_count = chars_in(b, same, y_end);
    if (x_count != y_count)
        return x_count < y_count ? -1 : 1;
    return x < y ? -1 : x > y;
}
