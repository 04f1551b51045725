/* SPDX-License-Identifier: Apache-2.0 */
/* What everybody may do about himself: language, password, ending his sessions. */
#include "web/people.h"

struct me_state {
    str language;
    str hash;
    str password; /* the new one */
};

static const struct user *me(struct web_call *call)
{
    return auth_find_user(call->web->options.auth, call->user.name);
}

static void reply_me(struct web_call *call)
{
    const struct user *user;

    if (web_find_user(call, call->user.name, &user))
        web_reply_val(call, 200, web_user_row(call, user));
}

void web_me_get(struct web_call *call)
{
    reply_me(call);
}

static bool has_language(struct web_call *call)
{
    const struct me_state *state = call->state;
    const struct user *user = me(call);

    return user == NULL || str_eq(user->language, state->language);
}

static void on_language(struct web_call *call)
{
    web_when_known(call, has_language, reply_me);
}

void web_me_edit(struct web_call *call)
{
    struct me_state *state = arena_new0(call->arena, struct me_state);
    const struct user *user;
    struct err err = {0};

    call->state = state;
    state->language = web_body_str(call, S("language"));
    if (!web_find_user(call, call->user.name, &user))
        return;
    if (!web_check_language(state->language, &err))
        web_reply_err(call, &err);
    else
        web_patch_user(call, user->name,
                       user_patch_text(call->arena, S("language"), state->language), on_language);
}

/* ---- password: the present one is checked, the other sessions end ---- */

static bool has_hash(struct web_call *call)
{
    const struct me_state *state = call->state;
    const struct user *user = me(call);

    return user == NULL || str_eq(user->password_hash, state->hash);
}

static void on_password(struct web_call *call)
{
    web_when_known(call, has_hash, reply_me);
}

static void on_hashed(void *owner, str hash, const struct err *err)
{
    struct web_call *call = owner;
    struct me_state *state = call->state;
    const struct user *user;

    call->password = NULL;
    if (err != NULL) {
        web_reply_err(call, err);
        return;
    }
    state->hash = arena_str(call->arena, hash);
    const struct hash *kept = call->ticket.is_session ? &call->ticket.hash : NULL;
    if (web_find_user(call, call->user.name, &user))
        web_patch_user(call, call->user.name, user_patch_password(call->arena, user, hash, kept),
                       on_password);
}

static void on_checked(void *owner, UNUSED const struct secret *id, const struct err *err)
{
    struct web_call *call = owner;
    const struct me_state *state = call->state;

    call->login = NULL;
    if (err != NULL && err->code == ERR_UNAUTHORIZED) /* 401 would end the page's session */
        web_fail(call, ERR_INVALID, "the present password is wrong");
    else if (err != NULL)
        web_reply_err(call, err);
    else
        call->password = auth_hash_later(call->web->options.auth, state->password, on_hashed, call);
}

void web_me_password(struct web_call *call)
{
    struct me_state *state = arena_new0(call->arena, struct me_state);
    struct err err = {0};

    call->state = state;
    state->password = web_body_str(call, S("password"));
    if (!auth_check_password(call->user.name, state->password, &err))
        web_reply_err(call, &err);
    else
        call->login = auth_check_user_password(call->web->options.auth, call->user.name,
                                               web_body_str(call, S("current")),
                                               call->request->peer, on_checked, call);
}

/* ---- log out everywhere ---- */

static bool has_no_session(struct web_call *call)
{
    const struct user *user = me(call);

    return user == NULL || user->session_count == 0;
}

static void reply_done(struct web_call *call)
{
    web_reply_val(call, 200, val_new(call->arena, val_map()));
}

static void on_logged_out(struct web_call *call)
{
    web_when_known(call, has_no_session, reply_done);
}

void web_me_log_out(struct web_call *call)
{
    const struct user *user;

    if (web_find_user(call, call->user.name, &user))
        web_patch_user(call, user->name, user_patch_no_sessions(call->arena, user), on_logged_out);
}
