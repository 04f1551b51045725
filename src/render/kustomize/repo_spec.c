/* SPDX-License-Identifier: Apache-2.0 */
/* How Kustomize reads a Git URL: [git::][scheme://][user@]host(/|:)repository[//directory][?ref=]
 */
#include "render/kustomize/loader.h"

static bool skip_nocase(str *s, str prefix)
{
    if (!str_eq_nocase(str_first(*s, prefix.len), prefix) || s->len < prefix.len)
        return false;
    *s = str_from_index(*s, prefix.len);
    return true;
}

static str take_scheme(str *s)
{
    static const str schemes[] = {S_INIT("ssh://"), S_INIT("https://"), S_INIT("http://"),
                                  S_INIT("file://")};

    for (size_t i = 0; i < COUNT(schemes); i++)
        if (skip_nocase(s, schemes[i]))
            return schemes[i];
    return STR_EMPTY;
}

static bool is_letter(char c)
{
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

/* "git@" */
static str take_user(str *s)
{
    size_t i = 0;

    if (s->len == 0 || !is_letter(s->at[0]))
        return STR_EMPTY;
    while (i < s->len &&
           (is_letter(s->at[i]) || (s->at[i] >= '0' && s->at[i] <= '9') || s->at[i] == '-'))
        i++;
    if (i >= s->len || s->at[i] != '@')
        return STR_EMPTY;
    str user = str_first(*s, i + 1);
    *s = str_from_index(*s, i + 1);
    return user;
}

static bool take_host(struct arena *arena, str *s, str *ret_host)
{
    skip_nocase(s, S("git::"));
    str scheme = take_scheme(s);
    str user = take_user(s);
    bool github = str_eq_nocase(str_first(*s, 11), S("github.com/")) ||
                  str_eq_nocase(str_first(*s, 11), S("github.com:"));
    bool scp = scheme.len == 0 && (user.len > 0 || github);

    if (scheme.len == 0 && !scp)
        return false;
    if (str_eq(scheme, S("file://"))) {
        *s = arena_join(arena, user, *s);
        *ret_host = scheme;
        return true;
    }
    size_t end = str_find_char(*s, '/');
    if (scp) {
        size_t colon = str_find_char(*s, ':');
        if (end == SIZE_MAX || (colon != SIZE_MAX && colon > 0 && colon < end))
            end = colon;
    }
    str host = *s;
    str rest = STR_EMPTY;
    if (end != SIZE_MAX) {
        host = str_first(*s, end + 1);
        rest = str_from_index(*s, end + 1);
    }
    if (github) {
        bool ssh = str_eq(scheme, S("ssh://")) || user.len > 0;
        scheme = ssh ? STR_EMPTY : S("https://");
        user = ssh ? user : STR_EMPTY;
        host = ssh ? S("github.com:") : S("github.com/");
    }
    if (host.len == 0)
        return false;
    *ret_host = arena_printf(arena, "%.*s%.*s%.*s", STR(scheme), STR(user), STR(host));
    *s = rest;
    return true;
}

static bool split_path(str s, bool is_file, struct repo_spec *ret)
{
    size_t at = str_find(s, S("_git/"));

    if (at != SIZE_MAX) {
        size_t slash = str_find_char(str_from_index(s, at + 5), '/');
        size_t end = slash == SIZE_MAX ? s.len : at + 5 + slash;
        ret->repo_path = str_first(s, end);
        ret->directory = str_from_index(s, end + (end < s.len ? 1 : 0));
        return true;
    }
    at = str_find(s, S("//"));
    if (at != SIZE_MAX) {
        ret->repo_path = str_first(s, at);
        ret->directory = str_from_index(s, at + 2);
        return true;
    }
    at = str_find(s, S(".git"));
    if (at != SIZE_MAX) {
        ret->repo_path = str_first(s, at + 4);
        ret->directory = str_from_index(s, at + 4);
        return true;
    }
    if (is_file) {
        ret->repo_path = s;
        ret->directory = STR_EMPTY;
        return true;
    }
    size_t slash = str_find_char(s, '/');
    if (slash == SIZE_MAX)
        return false;
    size_t second = str_find_char(str_from_index(s, slash + 1), '/');
    size_t end = second == SIZE_MAX ? s.len : slash + 1 + second;
    ret->repo_path = str_first(s, end);
    ret->directory = str_from_index(s, end + (end < s.len ? 1 : 0));
    return true;
}

/* Does the path lead out of the repository? */
static bool exits(str directory)
{
    int depth = 0;
    str rest = directory;
    str part = STR_EMPTY;

    while (rest.len > 0 && rest.at[0] == '/')
        rest = str_from_index(rest, 1);
    while (rest.at != NULL && str_split(&rest, '/', &part)) {
        if (str_eq(part, S("..")))
            depth--;
        else if (part.len > 0 && !str_eq(part, S(".")))
            depth++;
        if (depth < 0)
            return true;
    }
    return false;
}

static int hex(char c)
{
    return c >= '0' && c <= '9'                ? c - '0'
           : is_letter(c) && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10
                                               : -1;
}

static str unescape(struct arena *arena, str s)
{
    char *out = arena_bytes(arena, s.len + 1);
    size_t len = 0;

    for (size_t i = 0; i < s.len; i++) {
        if (s.at[i] == '%' && i + 2 < s.len && hex(s.at[i + 1]) >= 0 && hex(s.at[i + 2]) >= 0) {
            out[len++] = (char)(hex(s.at[i + 1]) * 16 + hex(s.at[i + 2]));
            i += 2;
        } else {
            out[len++] = s.at[i] == '+' ? ' ' : s.at[i];
        }
    }
    return str_of(out, len);
}

static str reference(struct arena *arena, str query)
{
    str ref = STR_EMPTY;
    str version = STR_EMPTY;
    str rest = query;
    str part = STR_EMPTY;

    while (rest.at != NULL && rest.len > 0 && str_split(&rest, '&', &part)) {
        if (ref.len == 0 && str_skip(&part, S("ref=")))
            ref = unescape(arena, part);
        else if (version.len == 0 && str_skip(&part, S("version=")))
            version = unescape(arena, part);
    }
    return ref.len > 0 ? ref : version;
}

bool repo_spec_parse(struct arena *arena, str url, struct repo_spec *ret)
{
    struct repo_spec spec = {.ref = STR_EMPTY};
    size_t question = str_find_char(url, '?');
    str s = question == SIZE_MAX ? url : str_first(url, question);

    if (url.len == 0 || url.at[0] == '/')
        return false;
    if (question != SIZE_MAX)
        spec.ref = reference(arena, str_from_index(url, question + 1));
    if (!take_host(arena, &s, &spec.host) ||
        !split_path(s, str_eq(spec.host, S("file://")), &spec) || spec.repo_path.len == 0 ||
        exits(spec.directory))
        return false;
    str_skip(&spec.directory, S("/"));
    *ret = spec;
    return true;
}
