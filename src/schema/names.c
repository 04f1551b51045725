/* SPDX-License-Identifier: Apache-2.0 */
#include "schema/names.h"

const char names_label_rule[] =
        "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and "
        "must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex "
        "used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const char names_subdomain_rule[] =
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "
        "'.', and must start and end with an alphanumeric character (e.g. 'example.com', regex "
        "used for validation is "
        "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

static bool is_lower(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_alnum(char c)
{
    return is_lower(c) || (c >= 'A' && c <= 'Z');
}

static bool is_part(str s)
{
    if (s.len == 0 || !is_lower(s.at[0]) || !is_lower(s.at[s.len - 1]))
        return false;
    for (size_t i = 0; i < s.len; i++)
        if (!is_lower(s.at[i]) && s.at[i] != '-')
            return false;
    return true;
}

bool names_is_label(str s)
{
    return s.len <= 63 && is_part(s);
}

bool names_is_subdomain(str s)
{
    str part = STR_EMPTY;

    if (s.len == 0 || s.len > 253)
        return false;
    while (str_split(&s, '.', &part))
        if (!is_part(part))
            return false;
    return true;
}

static bool is_qualified(str s)
{
    if (s.len == 0 || s.len > 63 || !is_alnum(s.at[0]) || !is_alnum(s.at[s.len - 1]))
        return false;
    for (size_t i = 0; i < s.len; i++)
        if (!is_alnum(s.at[i]) && s.at[i] != '-' && s.at[i] != '_' && s.at[i] != '.')
            return false;
    return true;
}

bool names_is_label_key(str s)
{
    size_t slash = str_find_char(s, '/');

    if (slash == SIZE_MAX)
        return is_qualified(s);
    return names_is_subdomain(str_first(s, slash)) && is_qualified(str_from_index(s, slash + 1));
}

bool names_is_label_value(str s)
{
    return s.len == 0 || is_qualified(s);
}

bool names_is_config_key(str s)
{
    if (s.len == 0 || s.len > 253 || str_eq(s, S(".")) || str_starts(s, S("..")))
        return false;
    for (size_t i = 0; i < s.len; i++)
        if (!is_alnum(s.at[i]) && s.at[i] != '-' && s.at[i] != '_' && s.at[i] != '.')
            return false;
    return true;
}

bool names_is_path_segment(str s)
{
    return s.len > 0 && !str_eq(s, S(".")) && !str_eq(s, S("..")) &&
           str_find_char(s, '/') == SIZE_MAX && str_find_char(s, '%') == SIZE_MAX;
}
