/* SPDX-License-Identifier: Apache-2.0 */
#include "doc/yaml_scalar.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Longer texts are never numbers for us; the longest exact double has some 770 digits. */
enum { NUMBER_TEXT_MAX = 1100 };

/* Words by their length: a text is compared with the few that it could be. */
static bool in_words(str text, const char *words)
{
    for (const char *at = words; *at != '\0'; at += text.len + 1)
        if (memcmp(text.at, at, text.len) == 0)
            return true;
    return false;
}

enum { WORD_MAX = 5 };

static bool is_word(str text, const char *const *words)
{
    return text.len <= WORD_MAX && words[text.len] != NULL && in_words(text, words[text.len]);
}

/* Each row holds words of one length, each ended by a NUL. */
static const char *const null_words[WORD_MAX + 1] = {[1] = "~\0", [4] = "null\0Null\0NULL\0"};
static const char *const bool_words[WORD_MAX + 1] = {
        [4] = "true\0True\0TRUE\0", [5] = "false\0False\0FALSE\0"};
static const char *const true_words[WORD_MAX + 1] = {
        [1] = "y\0Y\0", [2] = "on\0On\0ON\0", [3] = "yes\0Yes\0YES\0", [4] = "true\0True\0TRUE\0"};
static const char *const old_words[WORD_MAX + 1] = {[1] = "y\0Y\0n\0N\0",
                                                    [2] = "on\0On\0ON\0no\0No\0NO\0",
                                                    [3] = "yes\0Yes\0YES\0off\0Off\0OFF\0"};
static const char *const special_floats[WORD_MAX + 1] = {
        [4] = ".nan\0.NaN\0.NAN\0.inf\0.Inf\0.INF\0",
        [5] = "+.inf\0+.Inf\0+.INF\0-.inf\0-.Inf\0-.INF\0"};

bool yaml_word_is_true(str text)
{
    return is_word(text, true_words);
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* ---- numbers ---- */

/* Without underscores, NUL-terminated; 0 when it does not fit. */
static size_t strip(str text, char *ret)
{
    size_t len = 0;

    if (text.len >= NUMBER_TEXT_MAX)
        return 0;
    for (size_t i = 0; i < text.len; i++)
        if (text.at[i] != '_')
            ret[len++] = text.at[i];
    ret[len] = '\0';
    return len;
}

static int digit_value(char c)
{
    if (is_digit(c))
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return 99;
}

static bool parse_magnitude(const char *at, uint64_t *ret)
{
    unsigned base = 10;

    if (at[0] == '0' && at[1] != '\0') {
        char mark = (char)(at[1] | 0x20);
        base = mark == 'x' ? 16 : mark == 'b' ? 2 : 8;
        at += mark == 'x' || mark == 'b' || mark == 'o' ? 2 : 1;
    }
    if (*at == '\0')
        return false;
    uint64_t value = 0;
    for (; *at != '\0'; at++) {
        int digit = digit_value(*at);
        if (digit >= (int)base || __builtin_mul_overflow(value, (uint64_t)base, &value) ||
            __builtin_add_overflow(value, (uint64_t)digit, &value))
            return false;
    }
    *ret = value;
    return true;
}

bool yaml_format_int(str text, char ret[YAML_NUMBER_SIZE])
{
    char plain[NUMBER_TEXT_MAX];
    uint64_t magnitude = 0;

    if (strip(text, plain) == 0)
        return false;
    bool negative = plain[0] == '-';
    bool has_sign = negative || plain[0] == '+';
    if (!parse_magnitude(plain + (has_sign ? 1 : 0), &magnitude))
        return false;
    if (has_sign && magnitude > (uint64_t)INT64_MAX + (negative ? 1 : 0))
        return false;
    (void)snprintf(ret, YAML_NUMBER_SIZE, "%s%llu", negative && magnitude != 0 ? "-" : "",
                   (unsigned long long)magnitude);
    return true;
}

/* [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)? */
static bool is_float_form(const char *at)
{
    if (*at == '-' || *at == '+')
        at++;
    if (*at == '.') {
        if (!is_digit(at[1]))
            return false;
        at++;
    } else {
        if (!is_digit(*at))
            return false;
        while (is_digit(*at))
            at++;
        if (*at == '.')
            at++;
    }
    while (is_digit(*at))
        at++;
    if (*at == 'e' || *at == 'E') {
        at++;
        if (*at == '-' || *at == '+')
            at++;
        if (!is_digit(*at))
            return false;
        while (is_digit(*at))
            at++;
    }
    return *at == '\0';
}

static bool parse_float(str text, bool underscores, double *ret)
{
    char plain[NUMBER_TEXT_MAX];
    size_t len = strip(text, plain);

    if (len == 0 || (!underscores && len != text.len) || strlen(plain) != len ||
        !is_float_form(plain))
        return false;
    double number = strtod(plain, NULL);
    if (!isfinite(number))
        return false;
    *ret = number;
    return true;
}

bool yaml_to_double(str text, double *ret)
{
    if (is_word(text, special_floats)) {
        bool nan_word = text.at[1] == 'n' || text.at[1] == 'N';
        *ret = nan_word ? (double)NAN : text.at[0] == '-' ? -(double)INFINITY : (double)INFINITY;
        return true;
    }
    char whole[YAML_NUMBER_SIZE];
    if (yaml_format_int(text, whole)) {
        *ret = strtod(whole, NULL);
        return true;
    }
    return parse_float(text, /*underscores=*/text.len > 0 && text.at[0] != '.', ret);
}

/* The fewest digits that read back as the same number: d[.ddd]e±XX */
static void shortest(double number, char ret[YAML_NUMBER_SIZE])
{
    for (int digits = 0; digits <= 17; digits++) {
        (void)snprintf(ret, YAML_NUMBER_SIZE, "%.*e", digits, number);
        if (strtod(ret, NULL) == number)
            return;
    }
}

struct decimal {
    bool negative;
    char digits[24];
    int count;
    int point; /* value = 0.digits × 10^point */
};

static struct decimal decimal_of(double number)
{
    char text[YAML_NUMBER_SIZE];
    struct decimal d = {.negative = signbit(number) != 0};

    if (number == 0) {
        d.digits[0] = '0';
        d.count = d.point = 1;
        return d;
    }
    shortest(fabs(number), text);
    const char *at = text;
    for (; *at != 'e'; at++)
        if (*at != '.')
            d.digits[d.count++] = *at;
    int exponent = 0;
    for (const char *e = at + 2; *e != '\0'; e++)
        exponent = exponent * 10 + (*e - '0');
    d.point = (at[1] == '-' ? -exponent : exponent) + 1;
    while (d.count > 1 && d.digits[d.count - 1] == '0')
        d.count--;
    return d;
}

static void format_exponent(const struct decimal *d, char *ret)
{
    size_t n = 0;
    int exponent = d->point - 1;

    if (d->negative)
        ret[n++] = '-';
    ret[n++] = d->digits[0];
    if (d->count > 1) {
        ret[n++] = '.';
        memcpy(ret + n, d->digits + 1, (size_t)d->count - 1);
        n += (size_t)d->count - 1;
    }
    (void)snprintf(ret + n, YAML_NUMBER_SIZE - n, "e%c%02d", exponent < 0 ? '-' : '+',
                   abs(exponent));
}

static void format_plain(const struct decimal *d, char *ret)
{
    size_t n = 0;

    if (d->negative)
        ret[n++] = '-';
    if (d->point <= 0)
        ret[n++] = '0';
    for (int i = 0; i < d->point; i++)
        ret[n++] = i < d->count ? d->digits[i] : '0';
    if (d->count > d->point) {
        ret[n++] = '.';
        for (int i = d->point; i < 0; i++)
            ret[n++] = '0';
        for (int i = MAX(d->point, 0); i < d->count; i++)
            ret[n++] = d->digits[i];
    }
    ret[n] = '\0';
}

void yaml_format_json(double number, char ret[YAML_NUMBER_SIZE])
{
    struct decimal d = decimal_of(number);
    double size = fabs(number);

    if (size != 0 && (size < 1e-6 || size >= 1e21)) {
        format_exponent(&d, ret);
        size_t len = strlen(ret);
        if (len >= 4 && ret[len - 4] == 'e' && ret[len - 3] == '-' && ret[len - 2] == '0') {
            ret[len - 2] = ret[len - 1];
            ret[len - 1] = '\0';
        }
        return;
    }
    format_plain(&d, ret);
}

void yaml_format_g(double number, char ret[YAML_NUMBER_SIZE])
{
    struct decimal d = decimal_of(number);
    int exponent = d.point - 1;

    if (exponent < -4 || exponent >= 6)
        format_exponent(&d, ret);
    else
        format_plain(&d, ret);
}

/* ---- times ---- */

static bool take_number(str *rest, size_t least, size_t most, int *ret)
{
    size_t n = 0;
    int value = 0;

    while (n < most && n < rest->len && is_digit(rest->at[n]))
        value = value * 10 + (rest->at[n++] - '0');
    if (n < least)
        return false;
    *rest = str_from_index(*rest, n);
    *ret = value;
    return true;
}

static bool take_char(str *rest, char c)
{
    if (rest->len == 0 || rest->at[0] != c)
        return false;
    *rest = str_from_index(*rest, 1);
    return true;
}

struct moment {
    int year, month, day, hour, minute, second;
    char fraction[12];
    size_t fraction_len;
    int zone; /* minutes */
};

static bool take_date(str *rest, struct moment *m)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    if (!take_number(rest, 4, 4, &m->year) || !take_char(rest, '-') ||
        !take_number(rest, 1, 2, &m->month) || !take_char(rest, '-') ||
        !take_number(rest, 1, 2, &m->day) || m->month < 1 || m->month > 12 || m->day < 1)
        return false;
    bool leap = (m->year % 4 == 0 && m->year % 100 != 0) || m->year % 400 == 0;
    return m->day <= days[m->month - 1] + (m->month == 2 && leap ? 1 : 0);
}

static bool take_clock(str *rest, struct moment *m)
{
    if (!take_number(rest, 1, 2, &m->hour) || !take_char(rest, ':') ||
        !take_number(rest, 1, 2, &m->minute) || !take_char(rest, ':') ||
        !take_number(rest, 1, 2, &m->second) || m->hour > 23 || m->minute > 59 || m->second > 59)
        return false;
    if (rest->len >= 2 && (rest->at[0] == '.' || rest->at[0] == ',') && is_digit(rest->at[1])) {
        *rest = str_from_index(*rest, 1);
        while (rest->len > 0 && is_digit(rest->at[0])) {
            if (m->fraction_len < 9)
                m->fraction[m->fraction_len++] = rest->at[0];
            *rest = str_from_index(*rest, 1);
        }
    }
    while (m->fraction_len > 0 && m->fraction[m->fraction_len - 1] == '0')
        m->fraction_len--;
    return true;
}

static bool take_zone(str *rest, struct moment *m)
{
    int hours = 0;
    int minutes = 0;

    if (take_char(rest, 'Z'))
        return true;
    bool west = rest->len > 0 && rest->at[0] == '-';
    if (!west && (rest->len == 0 || rest->at[0] != '+'))
        return false;
    *rest = str_from_index(*rest, 1);
    if (!take_number(rest, 2, 2, &hours) || !take_char(rest, ':') ||
        !take_number(rest, 2, 2, &minutes) || hours > 23 || minutes > 59)
        return false;
    m->zone = (hours * 60 + minutes) * (west ? -1 : 1);
    return true;
}

static bool parse_time(str text, struct moment *m)
{
    str rest = text;

    if (text.len < 8 || text.at[4] != '-' || !take_date(&rest, m))
        return false;
    if (rest.len == 0)
        return true;
    if (take_char(&rest, 'T') || take_char(&rest, 't'))
        return take_clock(&rest, m) && take_zone(&rest, m) && rest.len == 0;
    if (!take_char(&rest, ' '))
        return false;
    while (take_char(&rest, ' ')) {
    }
    return take_clock(&rest, m) && rest.len == 0;
}

void yaml_format_time(str text, char ret[YAML_TIME_SIZE])
{
    struct moment m = {0};
    char zone[8] = "Z";

    ret[0] = '\0';
    if (!parse_time(text, &m))
        return;
    if (m.zone != 0)
        (void)snprintf(zone, sizeof(zone), "%c%02u:%02u", m.zone < 0 ? '-' : '+',
                       (unsigned)abs(m.zone) / 60 % 100, (unsigned)abs(m.zone) % 60);
    (void)snprintf(ret, YAML_TIME_SIZE, "%04d-%02d-%02dT%02d:%02d:%02d%s%.*s%s", m.year, m.month,
                   m.day, m.hour, m.minute, m.second, m.fraction_len > 0 ? "." : "",
                   (int)m.fraction_len, m.fraction, zone);
}

/* ---- types ---- */

enum yaml_type yaml_resolve(str text, enum yaml_dialect dialect)
{
    char number[YAML_NUMBER_SIZE];
    double unused = 0;

    if (text.len == 0)
        return YAML_NULL;
    char c = text.at[0];
    if (c == '+' || c == '-' || is_digit(c)) {
        struct moment m = {0};
        if (is_digit(c) && parse_time(text, &m))
            return YAML_TIMESTAMP;
        if (yaml_format_int(text, number))
            return YAML_INT;
        if (is_word(text, special_floats) || parse_float(text, /*underscores=*/true, &unused))
            return YAML_FLOAT;
        return YAML_STR;
    }
    if (c == '.')
        return is_word(text, special_floats) || parse_float(text, /*underscores=*/false, &unused)
                       ? YAML_FLOAT
                       : YAML_STR;
    if (text.len > 5)
        return YAML_STR;
    if (str_eq(text, S("<<")))
        return YAML_MERGE;
    if (is_word(text, null_words))
        return YAML_NULL;
    if (is_word(text, bool_words) || (dialect == YAML_11 && is_word(text, old_words)))
        return YAML_BOOL;
    return YAML_STR;
}

/* [-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)? */
bool yaml_is_base60(str text)
{
    size_t i = text.len > 0 && (text.at[0] == '-' || text.at[0] == '+') ? 1 : 0;

    if (i >= text.len || !is_digit(text.at[i]))
        return false;
    while (i < text.len && (is_digit(text.at[i]) || text.at[i] == '_'))
        i++;
    size_t groups = 0;
    while (i + 1 < text.len && text.at[i] == ':' && is_digit(text.at[i + 1])) {
        bool two = i + 2 < text.len && is_digit(text.at[i + 2]);
        if (two && text.at[i + 1] > '5')
            return false;
        i += two ? 3 : 2;
        groups++;
    }
    if (groups == 0)
        return false;
    if (i < text.len && text.at[i] == '.') {
        i++;
        while (i < text.len && (is_digit(text.at[i]) || text.at[i] == '_'))
            i++;
    }
    return i == text.len;
}

/* ---- base64 ---- */

static int base64_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (is_digit(c))
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool yaml_decode_base64(struct arena *arena, str text, str *ret_bytes)
{
    char *out = arena_bytes(arena, text.len / 4 * 3 + 4);
    size_t len = 0;
    size_t have = 0;
    size_t pads = 0;
    uint32_t bits = 0;

    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];
        if (c == '\n' || c == '\r')
            continue;
        if (c == '=') {
            pads++;
            continue;
        }
        int value = base64_value(c);
        if (value < 0 || pads > 0)
            return false;
        bits = bits << 6 | (uint32_t)value;
        if (++have == 4) {
            out[len++] = (char)(bits >> 16);
            out[len++] = (char)(bits >> 8);
            out[len++] = (char)bits;
            have = 0;
            bits = 0;
        }
    }
    if (have == 1 || (have == 0 && pads != 0) || (have > 0 && have + pads != 4))
        return false;
    if (have >= 2)
        out[len++] = (char)(bits >> (have == 2 ? 4 : 10));
    if (have == 3)
        out[len++] = (char)(bits >> 2);
    *ret_bytes = str_of(out, len);
    return true;
}
