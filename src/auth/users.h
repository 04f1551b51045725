/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Users as their Secrets hold them. What is found is borrowed until the loop's next turn. */
#include "auth/auth.h"
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

struct user_token {
    str name; /* "token.NAME" in the Secret's data */
    struct hash hash;
    int64_t made_ms; /* wall time; 0 = not known */
    int64_t ends_ms; /* 0 = never */
};

struct user {
    struct arena *arena;
    str name;
    str language; /* "", "en", "zh-CN" */
    str created;  /* RFC 3339 */
    bool disabled;
    str groups[USER_GROUPS_MAX];
    size_t group_count;
    struct user_token tokens[USER_TOKENS_MAX];
    size_t token_count;
    str password_hash;
    struct user_session sessions[USER_SESSIONS_MAX];
    size_t session_count;
};

/* NULL when the Secret is no user's. Free with user_free. */
struct user *user_of_secret(const struct val *secret);
void user_free(struct user *user);
/* Compares all tokens in constant time; one that has expired is none. */
bool user_has_token(const struct user *user, const struct hash *hash);

/* The live session of that hash, or NULL. */
const struct user_session *user_find_session(const struct user *user, const struct hash *hash);

/* The Secret of a new user. */
struct val *user_secret(struct arena *arena, str name, str groups, str password_hash);

const struct user *auth_find_user(const struct auth *auth, str name); /* NULL: there is none */
typedef void auth_each_user_fn(void *owner, const struct user *user);
void auth_each_user(const struct auth *auth, auth_each_user_fn *fn, void *owner);
enum auth_platform_role auth_platform_role_of(const struct auth *auth, const struct user *user);
/* Users that are platform admins and not disabled. */
size_t auth_count_admins(const struct auth *auth);
size_t user_live_sessions(const struct user *user);

/* ---- merge patches of a user's Secret ---- */
/* The new hash, and no session but `kept` (NULL: none). */
struct val *user_patch_password(struct arena *arena, const struct user *user, str hash,
                                const struct hash *kept);
struct val *user_patch_no_sessions(struct arena *arena, const struct user *user);
/* Disabling ends the sessions too. */
struct val *user_patch_disabled(struct arena *arena, const struct user *user, bool disabled);
struct val *user_patch_text(struct arena *arena, str key, str text); /* "" takes the key away */
/* `ends_ms` 0: never. */
struct val *user_patch_token(struct arena *arena, str name, const struct secret *token,
                             int64_t ends_ms);
struct val *user_patch_no_token(struct arena *arena, str name);
