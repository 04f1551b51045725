/* SPDX-License-Identifier: Apache-2.0 */
#include "git/url.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdlib.h>

static const struct {
    const char *name;
    str prefix;
    str port;
} schemes[] = {
        [GIT_HTTPS] = {"https", S_INIT("https://"), S_INIT("443")},
        [GIT_HTTP] = {"http", S_INIT("http://"), S_INIT("80")},
        [GIT_SSH] = {"ssh", S_INIT("ssh://"), S_INIT("22")},
        [GIT_GIT] = {"git", S_INIT("git://"), S_INIT("9418")},
        [GIT_FILE] = {"file", S_INIT("file://"), S_INIT("")},
};

const char *git_scheme_name(enum git_scheme scheme)
{
    return schemes[scheme].name;
}

str git_url_port(const struct git_url *url)
{
    return str_is_empty(url->port) ? schemes[url->scheme].port : url->port;
}

static str lower_case(struct arena *arena, str s)
{
    char *out = arena_bytes(arena, s.len + 1);

    for (size_t i = 0; i < s.len; i++)
        out[i] = (char)(s.at[i] >= 'A' && s.at[i] <= 'Z' ? s.at[i] + 32 : s.at[i]);
    out[s.len] = '\0';
    return str_of(out, s.len);
}

static bool text_is_sane(str text, struct err *err)
{
    if (str_is_empty(text))
        return err_set(err, ERR_INVALID, "the repository has no URL");
    if (text.len > LIMIT_URL)
        return err_set(err, ERR_LIMIT, "the URL of a repository is longer than %d bytes",
                       LIMIT_URL);
    if (!str_is_utf8(text))
        return err_set(err, ERR_INVALID, "the URL of a repository is not valid UTF-8");
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.at[i];
        if (c <= ' ' || c == 0x7f || c == '\\' || c == '"' || c == '\'' || c == '`')
            return err_set(err, ERR_INVALID,
                           "the URL of a repository holds a character that no URL may hold "
                           "(byte %zu)",
                           i + 1);
    }
    return true;
}

static bool host_is_sane(str host)
{
    if (str_is_empty(host) || host.at[0] == '-')
        return false;
    for (size_t i = 0; i < host.len; i++) {
        char c = host.at[i];
        if (!isalnum((unsigned char)c) && c != '.' && c != '-' && c != '_' && c != ':' && c != '%')
            return false;
    }
    return true;
}

static bool user_is_sane(str user)
{
    for (size_t i = 0; i < user.len; i++) {
        char c = user.at[i];
        if (!isalnum((unsigned char)c) && strchr(".-_+%~", c) == NULL)
            return false;
    }
    return user.len == 0 || user.at[0] != '-';
}

static bool parse_user(str *authority, struct git_url *url, struct err *err)
{
    size_t at = str_rfind_char(*authority, '@');

    url->user = STR_EMPTY;
    if (at == SIZE_MAX)
        return true;
    url->user = str_first(*authority, at);
    *authority = str_from_index(*authority, at + 1);
    if (str_find_char(url->user, ':') != SIZE_MAX)
        return err_set(err, ERR_INVALID,
                       "the URL holds a password: put it into a credential instead");
    if (!user_is_sane(url->user))
        return err_set(err, ERR_INVALID, "the user name in the URL is not valid");
    return true;
}

static bool parse_authority(struct arena *arena, str authority, struct git_url *url,
                            struct err *err)
{
    uint64_t port = 0;

    if (!parse_user(&authority, url, err))
        return false;
    str host = authority;
    url->port = STR_EMPTY;
    if (str_starts(authority, S("["))) {
        size_t close = str_find_char(authority, ']');
        if (close == SIZE_MAX)
            return err_set(err, ERR_INVALID, "the host '%.*s' has no closing bracket",
                           STR(authority));
        host = str_of(authority.at + 1, close - 1);
        str behind = str_from_index(authority, close + 1);
        if (str_skip(&behind, S(":")))
            url->port = behind;
        else if (!str_is_empty(behind))
            return err_set(err, ERR_INVALID, "the host '%.*s' is not valid", STR(authority));
    } else if (str_find_char(authority, ':') != SIZE_MAX) {
        size_t colon = str_find_char(authority, ':');
        host = str_first(authority, colon);
        url->port = str_from_index(authority, colon + 1);
    }
    if (!host_is_sane(host))
        return err_set(err, ERR_INVALID, "the host '%.*s' is not valid", STR(host));
    if (!str_is_empty(url->port) && (!str_to_u64(url->port, &port) || port == 0 || port > 65535))
        return err_set(err, ERR_INVALID, "the port '%.*s' is not valid", STR(url->port));
    url->host = lower_case(arena, host);
    if (str_eq(url->port, schemes[url->scheme].port))
        url->port = STR_EMPTY;
    return true;
}

/* Without slashes at the ends, doubled slashes and ".git"; the one path of all spellings. */
static str normal_path(struct arena *arena, str path)
{
    char *out = arena_bytes(arena, path.len + 1);
    size_t len = 0;

    for (size_t i = 0; i < path.len; i++) {
        if (path.at[i] == '/' && (len == 0 || out[len - 1] == '/'))
            continue;
        out[len++] = path.at[i];
    }
    str normal = str_of(out, len);
    str before;
    do {
        before = normal;
        while (str_chop(&normal, S("/")))
            continue;
        if (normal.len > 4)
            str_chop(&normal, S(".git"));
    } while (normal.len < before.len);
    return normal;
}

static bool finish(struct arena *arena, struct git_url *url, struct err *err)
{
    str path = normal_path(arena, url->path);
    bool is_ip6 = str_find_char(url->host, ':') != SIZE_MAX;
    str rest = path;
    str part;

    if (str_is_empty(path) && url->scheme != GIT_FILE)
        return err_set(err, ERR_INVALID, "the URL '%.*s' names no repository", STR(url->remote));
    if (str_starts(url->path, S("-")))
        return err_set(err, ERR_INVALID, "the path of a repository must not begin with '-'");
    while (str_split(&rest, '/', &part)) {
        if (str_eq(part, S("..")))
            return err_set(err, ERR_INVALID, "the URL of a repository must not hold '..'");
    }
    /* Over ssh the user belongs to the address; over https it is part of the credential. */
    str user = STR_EMPTY;
    if (url->scheme == GIT_SSH && !str_is_empty(url->user))
        user = arena_printf(arena, "%.*s@", STR(url->user));
    str host = url->host;
    if (is_ip6)
        host = arena_printf(arena, "[%.*s]", STR(url->host));
    url->key =
            arena_printf(arena, "%s://%.*s%.*s%s%.*s/%.*s", schemes[url->scheme].name, STR(user),
                         STR(host), str_is_empty(url->port) ? "" : ":", STR(url->port), STR(path));
    return true;
}

/* user@host:path, as scp and git read it: a colon before the first slash. */
static bool parse_scp(struct arena *arena, str text, struct git_url *url, struct err *err)
{
    size_t colon = str_find_char(text, ':');
    size_t slash = str_find_char(text, '/');

    if (colon == SIZE_MAX || slash < colon)
        return err_set(err, ERR_INVALID,
                       "'%.*s' is not the URL of a Git repository: it begins with https://, "
                       "http://, ssh://, git:// or user@host:",
                       STR(text));
    if (colon + 1 < text.len && text.at[colon + 1] == ':')
        return err_set(err, ERR_INVALID, "remote helpers ('%.*s::') are not allowed",
                       STR(str_first(text, colon)));
    url->scheme = GIT_SSH;
    url->path = str_from_index(text, colon + 1);
    return parse_authority(arena, str_first(text, colon), url, err) && finish(arena, url, err);
}

static bool parse_file(struct arena *arena, str path, struct git_url *url, struct err *err)
{
    if (!str_starts(path, S("/")))
        return err_set(err, ERR_INVALID, "a file URL must name an absolute path: file:///…");
    url->scheme = GIT_FILE;
    url->path = path;
    url->remote = arena_printf(arena, "file://%.*s", STR(path));
    return finish(arena, url, err);
}

bool git_url_parse(struct arena *arena, str text, struct git_url *ret_url, struct err *err)
{
    struct git_url url = {.user = STR_EMPTY, .host = STR_EMPTY, .port = STR_EMPTY};
    str lower;
    str rest;

    text = arena_str(arena, str_trim(text));
    if (!text_is_sane(text, err))
        return false;
    url.remote = text;
    lower = lower_case(arena, text);

    if (str_starts(text, S("/"))) {
        if (!parse_file(arena, text, &url, err))
            return false;
        *ret_url = url;
        return true;
    }
    for (size_t i = 0; i < COUNT(schemes); i++) {
        if (!str_starts(lower, schemes[i].prefix))
            continue;
        rest = str_from_index(text, schemes[i].prefix.len);
        url.scheme = (enum git_scheme)i;
        if (url.scheme == GIT_FILE) {
            if (!parse_file(arena, rest, &url, err))
                return false;
            *ret_url = url;
            return true;
        }
        size_t slash = str_find_char(rest, '/');
        str authority = slash == SIZE_MAX ? rest : str_first(rest, slash);
        url.path = slash == SIZE_MAX ? STR_EMPTY : str_from_index(rest, slash);
        if (!parse_authority(arena, authority, &url, err) || !finish(arena, &url, err))
            return false;
        url.remote = arena_printf(arena, "%.*s%.*s", STR(schemes[i].prefix), STR(rest));
        *ret_url = url;
        return true;
    }
    if (str_contains(text, S("://")))
        return err_set(err, ERR_INVALID, "'%.*s' cannot be used: https, http, ssh and git can",
                       STR(text));
    if (!parse_scp(arena, text, &url, err))
        return false;
    *ret_url = url;
    return true;
}

static bool is_beneath(str path, str root)
{
    return str_starts(path, root) &&
           (path.len == root.len || root.at[root.len - 1] == '/' || path.at[root.len] == '/');
}

bool git_url_check_file(const struct git_url *url, const char *roots, struct err *err)
{
    char path_z[PATH_MAX];
    char real[PATH_MAX];
    str rest = str_from(roots);
    str root;

    if (roots == NULL || url->path.len >= sizeof(path_z))
        return err_set(err, ERR_FORBIDDEN,
                       "repositories on this machine's disk are not allowed (see --file-repos)");
    memcpy(path_z, url->path.at, url->path.len);
    path_z[url->path.len] = '\0';
    if (realpath(path_z, real) == NULL)
        return err_set(err, ERR_NOT_FOUND, "the repository '%s' does not exist", path_z);
    while (str_split(&rest, ':', &root)) {
        char root_z[PATH_MAX];
        char root_real[PATH_MAX];
        if (str_is_empty(root) || root.len >= sizeof(root_z))
            continue;
        memcpy(root_z, root.at, root.len);
        root_z[root.len] = '\0';
        if (realpath(root_z, root_real) != NULL && is_beneath(str_from(real), str_from(root_real)))
            return true;
    }
    return err_set(err, ERR_FORBIDDEN,
                   "the repository '%s' is not beneath a directory that --file-repos allows",
                   path_z);
}

/* Metadata services outside of the link-local ranges. */
static const char *const metadata_addresses[] = {
        "100.100.100.200", /* Alibaba Cloud */
        "192.0.0.192",     /* Oracle Cloud */
        "168.63.129.16",   /* Azure */
        "fd00:ec2::254",   /* AWS */
        "fd20:ce::254",    /* Google Cloud */
};

bool git_address_is_local_link(str address)
{
    char text[INET6_ADDRSTRLEN + 1];
    struct in_addr v4;
    struct in6_addr v6;
    size_t zone = str_find_char(address, '%');

    if (zone != SIZE_MAX)
        address = str_first(address, zone);
    if (address.len >= sizeof(text))
        return false;
    memcpy(text, address.at, address.len);
    text[address.len] = '\0';
    if (inet_pton(AF_INET6, text, &v6) == 1) {
        if (IN6_IS_ADDR_LINKLOCAL(&v6))
            return true;
        if (IN6_IS_ADDR_V4MAPPED(&v6)) {
            char inner[INET_ADDRSTRLEN];
            return inet_ntop(AF_INET, &v6.s6_addr[12], inner, sizeof(inner)) != NULL &&
                   git_address_is_local_link(str_from(inner));
        }
    }
    if (inet_pton(AF_INET, text, &v4) == 1 && (ntohl(v4.s_addr) >> 16) == 0xa9fe)
        return true; /* 169.254.0.0/16 */
    for (size_t i = 0; i < COUNT(metadata_addresses); i++) {
        struct in6_addr other;
        if (inet_pton(AF_INET6, text, &v6) == 1
                    ? inet_pton(AF_INET6, metadata_addresses[i], &other) == 1 &&
                              memcmp(&other, &v6, sizeof(v6)) == 0
                    : str_eq(str_from(text), str_from(metadata_addresses[i])))
            return true;
    }
    return false;
}

bool git_id_is_full(str id)
{
    for (size_t i = 0; i < id.len; i++) {
        if (!((id.at[i] >= '0' && id.at[i] <= '9') || (id.at[i] >= 'a' && id.at[i] <= 'f')))
            return false;
    }
    return id.len == 40;
}
