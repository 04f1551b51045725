/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Passwords: checked against an Argon2id hash in a process of their own, the role `hash`, because
 * one check takes tens of milliseconds and 64 MiB on purpose.
 *
 * Owner:  the pool owns its checks; `done` runs exactly once in a later turn, not after
 *         password_cancel. The password is copied, and wiped as soon as the child has it.
 * Bounds: LIMIT_PASSWORD_CHECKS at once and LIMIT_PASSWORD_WAITING waiting, more is ERR_TOO_MANY;
 *         LIMIT_PASSWORD_BYTES a password.
 */
#include "base/secret.h"
#include "io/loop.h"

struct password_pool;
struct password_check;

/* err NULL: `right` says whether it is the password. Else the check could not be made. */
typedef void password_done_fn(void *owner, bool right, const struct err *err);

struct password_pool *password_pool_new(struct loop *loop);
void password_pool_free(struct password_pool *pool); /* NULL is fine */
AUTO_DEFINE(password_pool, password_pool_free)
#define auto_password_pool AUTO(password_pool)

/* Checks `password` against `hash` (libsodium's text form, "$argon2id$…"). */
struct password_check *password_check(struct password_pool *pool, str password, str hash,
                                      password_done_fn *done, void *owner);
/* Makes the hash of a new password, in the same process and under the same bounds. */
typedef void password_hashed_fn(void *owner, str hash, const struct err *err);
struct password_check *password_hash(struct password_pool *pool, str password,
                                     password_hashed_fn *done, void *owner);
void password_cancel(struct password_check *check); /* NULL is fine */

/* The role: standard input is the hash, a newline, the password. Exit 0 right, 1 wrong. With an
 * empty hash it prints the password's. */
int password_role(int argc, char **argv);
