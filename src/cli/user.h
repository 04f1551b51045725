/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the files of the verb `user` share. */
#include "base/secret.h"
#include "cli/cli.h"

/* A new password in the database of a stopped server; user_direct.c. */
MUST_USE bool user_reset_direct(str dir, str user, struct arena *arena,
                                const struct secret *password, struct err *err);

/* user_token.c */
int user_token_create(struct cli *cli);
int user_token_list(struct cli *cli);
int user_token_revoke(struct cli *cli);
extern const struct cli_flag user_token_flags[];
#define USER_TOKEN_FLAGS 2 /* --user, --days; list and revoke take the first alone */
