/* SPDX-License-Identifier: Apache-2.0 */
/* Users as others ask for them: by name, with their role, and the patches that change them. */
#include "auth/state.h"
#include "base/clock.h"
#include <inttypes.h>

struct each {
    auth_each_user_fn *fn;
    void *owner;
};

static void look(void *owner, UNUSED str namespace_, UNUSED str name, void *kept)
{
    const struct each *each = owner;

    if (kept != NULL)
        each->fn(each->owner, kept);
}

void auth_each_user(const struct auth *auth, auth_each_user_fn *fn, void *owner)
{
    struct each each = {fn, owner};

    if (auth->users != NULL)
        reflector_each(auth->users, look, &each);
}

const struct user *auth_find_user(const struct auth *auth, str name)
{
    char object[LIMIT_USER_OBJECT];
    int len = snprintf(object, sizeof(object), "user-%.*s", STR(name));

    if (auth->users == NULL || len < 0 || (size_t)len >= sizeof(object))
        return NULL;
    return reflector_get(auth->users, S(AUTH_SYSTEM_NAMESPACE), str_of(object, (size_t)len));
}

static bool has_masters(const struct user *user)
{
    for (size_t i = 0; i < user->group_count; i++) {
        if (str_eq(user->groups[i], S(AUTH_ADMIN_GROUP)))
            return true;
    }
    return false;
}

enum auth_platform_role auth_platform_role_of(const struct auth *auth, const struct user *user)
{
    if (has_masters(user))
        return AUTH_PLATFORM_ADMIN;
    for (int role = AUTH_PLATFORM_ADMIN; auth->rbac != NULL && role > 0; role--) {
        str binding = auth_platform_role_name((enum auth_platform_role)role);
        if (rbac_names_user(auth->rbac, binding, user->name))
            return (enum auth_platform_role)role;
    }
    return AUTH_PLATFORM_REGULAR;
}

struct count {
    const struct auth *auth;
    size_t admins;
};

static void count_admin(void *owner, const struct user *user)
{
    struct count *count = owner;

    count->admins +=
            !user->disabled && auth_platform_role_of(count->auth, user) == AUTH_PLATFORM_ADMIN;
}

size_t auth_count_admins(const struct auth *auth)
{
    struct count count = {auth, 0};

    auth_each_user(auth, count_admin, &count);
    return count.admins;
}

void auth_each_member(const struct auth *auth, str namespace_, auth_member_fn *fn, void *owner)
{
    if (auth->rbac != NULL)
        rbac_each_member(auth->rbac, namespace_, fn, owner);
}

size_t user_live_sessions(const struct user *user)
{
    size_t live = 0;
    int64_t now = clock_wall_ms();

    for (size_t i = 0; i < user->session_count; i++)
        live += user->sessions[i].ends_ms > now;
    return live;
}

/* ---- patches ---- */

static struct val *patch_data(struct arena *arena, struct val **ret_data)
{
    struct val *patch = val_new(arena, val_map());

    *ret_data = val_ensure_map(arena, patch, S("data"));
    return patch;
}

static void end_sessions(struct arena *arena, struct val *data, const struct user *user,
                         const struct hash *kept)
{
    for (size_t i = 0; i < user->session_count; i++) {
        const struct user_session *session = &user->sessions[i];
        if (kept == NULL || !hash_eq(&session->hash, kept))
            val_set(arena, data, session->key, val_null());
    }
}

struct val *user_patch_password(struct arena *arena, const struct user *user, str hash,
                                const struct hash *kept)
{
    struct val *data;
    struct val *patch = patch_data(arena, &data);

    end_sessions(arena, data, user, kept);
    val_set_str(arena, data, S("passwordHash"), base64_encode(arena, hash));
    return patch;
}

struct val *user_patch_no_sessions(struct arena *arena, const struct user *user)
{
    struct val *data;
    struct val *patch = patch_data(arena, &data);

    end_sessions(arena, data, user, NULL);
    return patch;
}

struct val *user_patch_text(struct arena *arena, str key, str text)
{
    struct val *data;
    struct val *patch = patch_data(arena, &data);

    if (text.len == 0)
        val_set(arena, data, key, val_null());
    else
        val_set_str(arena, data, key, base64_encode(arena, text));
    return patch;
}

struct val *user_patch_disabled(struct arena *arena, const struct user *user, bool disabled)
{
    struct val *patch = user_patch_text(arena, S("disabled"), disabled ? S("true") : STR_EMPTY);

    if (disabled)
        end_sessions(arena, val_get(patch, S("data")), user, NULL);
    return patch;
}

struct val *user_patch_token(struct arena *arena, str name, const struct secret *token,
                             int64_t ends_ms)
{
    char hex[HASH_HEX_SIZE];
    struct hash hash = hash_bytes(secret_reveal(token));

    hash_hex(&hash, hex);
    return user_patch_text(arena, arena_join(arena, S("token."), name),
                           arena_printf(arena, "%s %" PRId64 " %" PRId64, hex,
                                        clock_wall_ms() / 1000, ends_ms / 1000));
}

struct val *user_patch_no_token(struct arena *arena, str name)
{
    return user_patch_text(arena, arena_join(arena, S("token."), name), STR_EMPTY);
}
