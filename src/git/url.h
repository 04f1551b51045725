/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * url: addresses of Git repositories. Parsed once, before anything else sees them, because git
 * itself gives some of them the power to run programs ("ext::", a host that begins with '-').
 *
 * Forms: https://, http://, ssh://, git://, file:///path or /path, and user@host:path (scp's form,
 *        which is ssh). A password in a URL is refused: it would end up in logs and files.
 * Owner: texts live in the arena.
 */
#include "base/arena.h"

enum git_scheme { GIT_HTTPS, GIT_HTTP, GIT_SSH, GIT_GIT, GIT_FILE };

struct git_url {
    enum git_scheme scheme;
    str user;   /* "" = none */
    str host;   /* lower case; an IPv6 address without brackets; "" for file */
    str port;   /* "" = the scheme's own */
    str path;   /* as it stood, from the first '/' (scp's form: without it) */
    str remote; /* what git is given */
    str key;    /* normal form: equal for every spelling of one repository */
};

MUST_USE bool git_url_parse(struct arena *arena, str text, struct git_url *ret_url,
                            struct err *err);
const char *git_scheme_name(enum git_scheme scheme);
str git_url_port(const struct git_url *url); /* also when it is the scheme's own */

/* Is the file URL beneath one of the colon-separated roots, links resolved? roots may be NULL. */
MUST_USE bool git_url_check_file(const struct git_url *url, const char *roots, struct err *err);

/* An address that Taut does not talk to unless allowed: link-local and the clouds' metadata
 * services. `address`: a text as getnameinfo gives it. */
bool git_address_is_local_link(str address);

/* 40 hexadecimal digits in lower case: the full id of a commit. */
bool git_id_is_full(str id);
