/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Users as their Secrets hold them; private to auth/. */
#include "doc/hash.h"
#include "doc/val.h"

#define USER_TOKENS_MAX 64
#define USER_GROUPS_MAX 16
#define USER_SESSIONS_MAX 32

struct user_session {
    str key; /* in the Secret's data: "session.…" */
    struct hash hash;
    int64_t ends_ms; /* wall time */
};

struct user {
    struct arena *arena;
    str name;
    bool disabled;
    str groups[USER_GROUPS_MAX];
    size_t group_count;
    struct hash tokens[USER_TOKENS_MAX];
    size_t token_count;
    str password_hash;
    struct user_session sessions[USER_SESSIONS_MAX];
    size_t session_count;
};

/* NULL when the Secret is no user's. Free with user_free. */
struct user *user_of_secret(const struct val *secret);
void user_free(struct user *user);
/* Compares all tokens in constant time. */
bool user_has_token(const struct user *user, const struct hash *hash);

/* The live session of that hash, or NULL. */
const struct user_session *user_find_session(const struct user *user, const struct hash *hash);

/* The Secret of a new user. */
struct val *user_secret(struct arena *arena, str name, str groups, str password_hash);
