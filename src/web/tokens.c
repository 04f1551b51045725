/* SPDX-License-Identifier: Apache-2.0 */
/* API tokens: of oneself below /me, of somebody else below /users/{name}. Shown once, kept hashed.
 */
#include "base/clock.h"
#include "web/people.h"

#define DAYS_MAX 3650
/* Room is left below what is read of a Secret for the server's own. */
#define TOKENS_MAX (USER_TOKENS_MAX - 8)

struct token_state {
    str user;
    str name;
    struct hash hash;
    int64_t ends_ms;
};

/* ".../users/{name}/tokens/…" or ".../me/tokens/…" */
static bool is_me(const struct web_call *call)
{
    return str_contains(str_from(call->route->pattern), S("/me/"));
}

static struct token_state *new_state(struct web_call *call, str name)
{
    struct token_state *state = arena_new0(call->arena, struct token_state);

    state->user = is_me(call) ? call->user.name : call->params[0];
    state->name = name;
    call->state = state;
    return state;
}

static struct val *token_row(struct web_call *call, const struct user_token *token)
{
    struct val *row = val_new(call->arena, val_map());
    char text[CLOCK_RFC3339_SIZE];

    val_set_str(call->arena, row, S("name"), token->name);
    if (token->made_ms > 0) {
        clock_format(token->made_ms, text);
        val_set_str(call->arena, row, S("created"), str_from(text));
    }
    if (token->ends_ms > 0) {
        clock_format(token->ends_ms, text);
        val_set_str(call->arena, row, S("expires"), str_from(text));
        val_set(call->arena, row, S("expired"), val_bool(token->ends_ms <= clock_wall_ms()));
    }
    return row;
}

void web_token_list(struct web_call *call)
{
    const struct token_state *state = new_state(call, STR_EMPTY);
    const struct user *user;
    struct val *rows;
    struct val *list = web_items(call->arena, &rows);

    if (!web_find_user(call, state->user, &user))
        return;
    for (size_t i = 0; i < user->token_count; i++)
        val_append(call->arena, rows, *token_row(call, &user->tokens[i]));
    web_reply_val(call, 200, list);
}

static const struct user_token *find_token(const struct web_call *call)
{
    const struct token_state *state = call->state;
    const struct user *user = auth_find_user(call->web->options.auth, state->user);

    for (size_t i = 0; user != NULL && i < user->token_count; i++) {
        if (str_eq(user->tokens[i].name, state->name))
            return &user->tokens[i];
    }
    return NULL;
}

/* ---- create ---- */

static bool is_known(struct web_call *call)
{
    const struct token_state *state = call->state;
    const struct user_token *token = find_token(call);

    return token != NULL && hash_eq(&token->hash, &state->hash);
}

static void reply_token(struct web_call *call)
{
    const struct token_state *state = call->state;
    const struct user_token made = {
            .name = state->name, .made_ms = clock_wall_ms(), .ends_ms = state->ends_ms};
    struct val *row = token_row(call, &made);

    val_set_str(call->arena, row, S("token"), secret_reveal(call->secret));
    web_reply_val(call, 201, row);
}

static void on_stored(struct web_call *call)
{
    web_when_known(call, is_known, reply_token);
}

static bool read_days(const struct web_call *call, int64_t *ret_ms, struct err *err)
{
    const struct val *wanted = val_get(call->body, S("expiresInDays"));
    int64_t days = 0;

    *ret_ms = 0;
    if (wanted == NULL || val_is(wanted, VAL_NULL))
        return true;
    if (!str_to_i64(val_text(wanted), &days) || days < 0 || days > DAYS_MAX)
        return err_set(err, ERR_INVALID, "expiresInDays is 1 to %d days, or 0 for no end",
                       DAYS_MAX);
    if (days > 0)
        *ret_ms = clock_wall_ms() + days * 86400 * 1000;
    return true;
}

void web_token_create(struct web_call *call)
{
    struct token_state *state = new_state(call, web_body_str(call, S("name")));
    const struct user *user;
    struct err err = {0};

    if (!web_find_user(call, state->user, &user))
        return;
    if (!web_check_name(S("a token"), state->name, &err) ||
        !read_days(call, &state->ends_ms, &err)) {
        web_reply_err(call, &err);
    } else if (find_token(call) != NULL) {
        web_fail(call, ERR_EXISTS, "the user '%.*s' has a token '%.*s' already: revoke it first",
                 STR(state->user), STR(state->name));
    } else if (user->token_count >= TOKENS_MAX) {
        web_fail(call, ERR_CONFLICT, "the user '%.*s' has %d tokens: revoke one first",
                 STR(state->user), TOKENS_MAX);
    } else {
        call->secret = auth_new_token();
        state->hash = hash_bytes(secret_reveal(call->secret));
        web_patch_user(call, state->user,
                       user_patch_token(call->arena, state->name, call->secret, state->ends_ms),
                       on_stored);
    }
}

/* ---- revoke ---- */

static bool is_gone(struct web_call *call)
{
    return find_token(call) == NULL;
}

static void reply_gone(struct web_call *call)
{
    const struct token_state *state = call->state;
    struct val *done = val_new(call->arena, val_map());

    val_set_str(call->arena, done, S("name"), state->name);
    web_reply_val(call, 200, done);
}

static void on_removed(struct web_call *call)
{
    web_when_known(call, is_gone, reply_gone);
}

void web_token_delete(struct web_call *call)
{
    struct token_state *state;
    const struct user *user;

    state = new_state(call, call->params[is_me(call) ? 0 : 1]);
    if (!web_find_user(call, state->user, &user))
        return;
    if (find_token(call) == NULL)
        web_fail(call, ERR_NOT_FOUND, "the user '%.*s' has no token '%.*s'", STR(state->user),
                 STR(state->name));
    else
        web_patch_user(call, state->user, user_patch_no_token(call->arena, state->name),
                       on_removed);
}
