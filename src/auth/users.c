/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/users.h"
#include "auth/auth.h"
#include "base/clock.h"
#include "base/mem.h"
#include "schema/gvk.h"
#include <sodium.h>

static str data_text(struct arena *arena, const struct val *secret, str key)
{
    str text = STR_EMPTY;
    str coded = val_get_str(val_get(secret, S("data")), key);

    if (coded.len > 0 && !base64_decode(arena, coded, &text))
        return STR_EMPTY;
    return text;
}

static void read_groups(struct user *user, str text)
{
    str part;

    while (str_split(&text, ',', &part) && user->group_count < USER_GROUPS_MAX) {
        part = str_trim(part);
        if (part.len > 0)
            user->groups[user->group_count++] = part;
    }
}

static bool read_hash(struct arena *arena, str hex, struct hash *ret)
{
    str bytes;

    if (!hex_decode(arena, str_trim(hex), &bytes) || bytes.len != HASH_SIZE)
        return false;
    memcpy(ret->bytes, bytes.at, HASH_SIZE);
    return true;
}

static int64_t read_seconds(str *rest)
{
    str part;
    int64_t seconds = 0;

    if (!str_split(rest, ' ', &part) || !str_to_i64(str_trim(part), &seconds) || seconds < 0 ||
        seconds > INT64_MAX / 1000)
        return 0;
    return seconds * 1000;
}

/* "<sha-256 in hex> <made> <end>", in seconds since 1970; the hash alone never ends. */
static void read_token(struct user *user, const struct val *secret, str key)
{
    str rest = data_text(user->arena, secret, key);
    struct user_token token = {.name = arena_str(user->arena, str_from_index(key, 6))};
    str hex;

    if (user->token_count == USER_TOKENS_MAX || !str_split(&rest, ' ', &hex) ||
        !read_hash(user->arena, hex, &token.hash))
        return;
    token.made_ms = read_seconds(&rest);
    token.ends_ms = read_seconds(&rest);
    user->tokens[user->token_count++] = token;
}

/* "<sha-256 in hex> <end, in seconds since 1970>" */
static void read_session(struct user *user, const struct val *secret, str key)
{
    str text = data_text(user->arena, secret, key);
    str hex;
    str bytes;
    int64_t ends = 0;

    if (user->session_count == USER_SESSIONS_MAX || !str_split(&text, ' ', &hex) ||
        !str_to_i64(str_trim(text), &ends) || ends < 0 || ends > INT64_MAX / 1000 ||
        !hex_decode(user->arena, hex, &bytes) || bytes.len != HASH_SIZE)
        return;
    struct user_session *session = &user->sessions[user->session_count++];
    session->key = arena_str(user->arena, key);
    memcpy(session->hash.bytes, bytes.at, HASH_SIZE);
    session->ends_ms = ends * 1000;
}

struct user *user_of_secret(const struct val *secret)
{
    str name = object_label(secret, S("taut.dev/user"));
    str object = object_name(secret);

    /* The name decides, the label only selects: a label alone makes nobody a user. */
    if (!str_skip(&object, S("user-")) || !str_eq(object, name) || name.len == 0)
        return NULL;
    struct user *user = new0(struct user);
    user->arena = arena_new(LIMIT_MIB);
    user->name = arena_str(user->arena, name);
    user->language = data_text(user->arena, secret, S("language"));
    user->created = arena_str(user->arena, VAL_STR(secret, "metadata", "creationTimestamp"));
    user->disabled = str_eq(data_text(user->arena, secret, S("disabled")), S("true"));
    user->password_hash = data_text(user->arena, secret, S("passwordHash"));
    read_groups(user, data_text(user->arena, secret, S("groups")));
    struct val_iter it = val_iter(val_get(secret, S("data")));
    while (val_next(&it)) {
        if (str_starts(it.key, S("token.")))
            read_token(user, secret, it.key);
        else if (str_starts(it.key, S("session.")))
            read_session(user, secret, it.key);
    }
    return user;
}

void user_free(struct user *user)
{
    if (user == NULL)
        return;
    arena_free(user->arena);
    mem_free(user);
}

bool user_has_token(const struct user *user, const struct hash *hash)
{
    bool found = false;
    int64_t now = clock_wall_ms();

    for (size_t i = 0; i < user->token_count; i++) {
        const struct user_token *token = &user->tokens[i];
        bool same = sodium_memcmp(token->hash.bytes, hash->bytes, HASH_SIZE) == 0;
        found |= same && (token->ends_ms == 0 || token->ends_ms > now);
    }
    return found;
}

const struct user_session *user_find_session(const struct user *user, const struct hash *hash)
{
    const struct user_session *found = NULL;

    for (size_t i = 0; i < user->session_count; i++) {
        if (sodium_memcmp(user->sessions[i].hash.bytes, hash->bytes, HASH_SIZE) == 0)
            found = &user->sessions[i];
    }
    return found != NULL && found->ends_ms > clock_wall_ms() ? found : NULL;
}

struct val *user_secret(struct arena *arena, str name, str groups, str password_hash)
{
    struct val *secret = val_new(arena, val_map());
    val_set_str(arena, secret, S("apiVersion"), S("v1"));
    val_set_str(arena, secret, S("kind"), S("Secret"));
    struct val *meta = val_ensure_map(arena, secret, S("metadata"));
    val_set_str(arena, meta, S("name"), arena_join(arena, S("user-"), name));
    val_set_str(arena, meta, S("namespace"), S(AUTH_SYSTEM_NAMESPACE));
    val_set_str(arena, val_ensure_map(arena, meta, S("labels")), S("taut.dev/user"), name);
    val_set_str(arena, secret, S("type"), S("taut.dev/user"));
    struct val *data = val_ensure_map(arena, secret, S("data"));
    val_set_str(arena, data, S("passwordHash"), base64_encode(arena, password_hash));
    val_set_str(arena, data, S("groups"), base64_encode(arena, groups));
    return secret;
}
