/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * failure: what git, ssh and curl print when they fail, as one sentence for the person who must
 * act. The table is in failure.c; what it does not know is shown in git's own words.
 */
#include "git/url.h"

struct failure {
    const struct git_url *url;
    str words;    /* standard error of git */
    str ref;      /* what was fetched, may be empty */
    bool has_key; /* an SSH key was given */
    bool has_passphrase;
    bool has_auth; /* a password or token was given */
};

/* Returns false, like err_set. */
bool failure_set(struct arena *arena, const struct failure *failure, struct err *err);

/* The server answered with a redirect, which git was told not to follow. */
bool failure_is_redirect(str words);
/* The server does not give out this commit by its id. */
bool failure_is_not_our_ref(str words);
