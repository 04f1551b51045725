/* SPDX-License-Identifier: Apache-2.0 */
#include "doc/quantity.h"

typedef __int128 wide;
typedef unsigned __int128 uwide;

/* Digits that are kept exactly; with the largest binary suffix they still fit into 128 bits. */
enum { DIGITS_MAX = 19, NANO_DIGITS = 9 };

static const struct suffix {
    str text;
    int exponent; /* of ten, or of 1024 */
    enum quantity_format format;
} suffixes[] = {
        {S_INIT("n"), -9, QUANTITY_DECIMAL}, {S_INIT("u"), -6, QUANTITY_DECIMAL},
        {S_INIT("m"), -3, QUANTITY_DECIMAL}, {S_INIT(""), 0, QUANTITY_DECIMAL},
        {S_INIT("k"), 3, QUANTITY_DECIMAL},  {S_INIT("M"), 6, QUANTITY_DECIMAL},
        {S_INIT("G"), 9, QUANTITY_DECIMAL},  {S_INIT("T"), 12, QUANTITY_DECIMAL},
        {S_INIT("P"), 15, QUANTITY_DECIMAL}, {S_INIT("E"), 18, QUANTITY_DECIMAL},
        {S_INIT("Ki"), 1, QUANTITY_BINARY},  {S_INIT("Mi"), 2, QUANTITY_BINARY},
        {S_INIT("Gi"), 3, QUANTITY_BINARY},  {S_INIT("Ti"), 4, QUANTITY_BINARY},
        {S_INIT("Pi"), 5, QUANTITY_BINARY},  {S_INIT("Ei"), 6, QUANTITY_BINARY},
};

static const wide nano_one = 1000000000;
/* The API server's cap: the largest int64. */
static const wide nano_max = (wide)INT64_MAX * 1000000000;

struct digits {
    uwide value;
    int scale; /* value × 10^scale */
    bool lost; /* digits other than zero were dropped */
};

static bool parse_digits(str *rest, struct digits *ret)
{
    bool in_fraction = false;
    size_t seen = 0;
    size_t kept = 0;
    size_t i = 0;

    for (; i < rest->len; i++) {
        char c = rest->at[i];
        if (c == '.' && !in_fraction) {
            in_fraction = true;
            continue;
        }
        if (c < '0' || c > '9')
            break;
        seen++;
        if (kept < DIGITS_MAX) {
            ret->value = ret->value * 10 + (unsigned)(c - '0');
            kept += ret->value > 0 ? 1 : 0;
            ret->scale -= in_fraction ? 1 : 0;
        } else {
            ret->lost = ret->lost || c != '0';
            ret->scale += in_fraction ? 0 : 1;
        }
        if (seen > 1000)
            return false;
    }
    *rest = str_from_index(*rest, i);
    return seen > 0;
}

static bool parse_suffix(str rest, int *ret_exponent, enum quantity_format *ret_format)
{
    int64_t exponent = 0;

    for (size_t i = 0; i < COUNT(suffixes); i++) {
        if (!str_eq(rest, suffixes[i].text))
            continue;
        *ret_exponent = suffixes[i].exponent;
        *ret_format = suffixes[i].format;
        return true;
    }
    if (rest.len < 2 || (rest.at[0] != 'e' && rest.at[0] != 'E'))
        return false;
    str number = str_from_index(rest, 1);
    (void)(str_starts(number, S("+-")) || str_skip(&number, S("+")));
    if (!str_to_i64(number, &exponent) || exponent < -1000 || exponent > 1000)
        return false;
    *ret_exponent = (int)exponent;
    *ret_format = QUANTITY_EXPONENT;
    return true;
}

bool quantity_parse(str text, struct quantity *ret_quantity)
{
    struct digits digits = {0};
    enum quantity_format format = QUANTITY_DECIMAL;
    int exponent = 0;
    str rest = text;
    bool negative = str_skip(&rest, S("-"));

    if (!negative)
        (void)str_skip(&rest, S("+"));
    if (!parse_digits(&rest, &digits) || !parse_suffix(rest, &exponent, &format))
        return false;
    if (format == QUANTITY_BINARY)
        digits.value <<= 10 * exponent;
    else
        digits.scale += exponent;

    uwide nano = digits.value;
    int scale = digits.scale + NANO_DIGITS;
    for (; scale > 0 && nano > 0 && nano <= (uwide)nano_max; scale--)
        nano *= 10;
    for (; scale < 0 && nano > 0; scale++) {
        digits.lost = digits.lost || nano % 10 != 0;
        nano /= 10;
    }
    if (digits.lost)
        nano++;
    if (nano > (uwide)nano_max)
        nano = (uwide)nano_max;
    ret_quantity->nano = negative ? -(wide)nano : (wide)nano;
    ret_quantity->format = format;
    return true;
}

int quantity_cmp(const struct quantity *a, const struct quantity *b)
{
    return a->nano < b->nano ? -1 : a->nano > b->nano ? 1 : 0;
}

int64_t quantity_ceil(const struct quantity *quantity)
{
    wide whole = quantity->nano / nano_one;

    if (quantity->nano > whole * nano_one)
        whole++;
    return (int64_t)whole;
}

static str suffix_of(enum quantity_format format, int exponent)
{
    for (size_t i = 0; i < COUNT(suffixes); i++)
        if (suffixes[i].format == format && suffixes[i].exponent == exponent)
            return suffixes[i].text;
    return STR_EMPTY;
}

/* printf has no 128-bit numbers. */
static str format_wide(struct arena *arena, wide number)
{
    char text[48];
    size_t at = sizeof(text);
    uwide left = number < 0 ? -(uwide)number : (uwide)number;

    do {
        text[--at] = (char)('0' + (int)(left % 10));
        left /= 10;
    } while (left > 0);
    if (number < 0)
        text[--at] = '-';
    return arena_str(arena, str_of(text + at, sizeof(text) - at));
}

static str format_decimal(struct arena *arena, wide nano, bool as_exponent)
{
    wide number = nano;
    int exponent = -NANO_DIGITS;

    while (number % 1000 == 0 && exponent < 18) {
        number /= 1000;
        exponent += 3;
    }
    if (!as_exponent)
        return arena_join(arena, format_wide(arena, number), suffix_of(QUANTITY_DECIMAL, exponent));
    if (exponent == 0)
        return format_wide(arena, number);
    return arena_printf(arena, "%.*se%d", STR(format_wide(arena, number)), exponent);
}

str quantity_format(struct arena *arena, const struct quantity *quantity)
{
    wide nano = quantity->nano;
    wide small = 1024 * nano_one;
    int exponent = 0;

    if (nano == 0)
        return S("0");
    if (quantity->format != QUANTITY_BINARY || (nano > -small && nano < small))
        return format_decimal(arena, nano, quantity->format == QUANTITY_EXPONENT);
    wide whole = nano / nano_one;
    if (whole * nano_one != nano)
        whole += nano > 0 ? 1 : -1;
    while (whole % 1024 == 0 && exponent < 6) {
        whole /= 1024;
        exponent++;
    }
    str suffix = exponent == 0 ? STR_EMPTY : suffix_of(QUANTITY_BINARY, exponent);
    return arena_printf(arena, "%lld%.*s", (long long)whole, STR(suffix));
}

str quantity_canonical(struct arena *arena, str text)
{
    struct quantity quantity = {0};

    return quantity_parse(text, &quantity) ? quantity_format(arena, &quantity) : text;
}
