/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Members of a DevOps Project: subjects of RoleBindings in its namespace to taut:viewer,
 * taut:operator or taut:admin. A binding of ours is named "ROLE-USER"; those of others count and
 * are edited just the same.
 */
#include "web/people.h"

struct member_state {
    str user;
    enum auth_project_role role;
    bool was_member;
};

/* ---- list ---- */

struct listing {
    struct web_call *call;
    struct val *rows;
};

static struct val *find_row(const struct val *rows, const struct auth_member *member)
{
    struct val_iter it = val_iter(rows);

    while (val_next(&it)) {
        if (str_eq(val_get_str(it.value, S("name")), member->name) &&
            str_eq(val_get_str(it.value, S("kind")), member->kind))
            return it.value;
    }
    return NULL;
}

/* The highest role counts where somebody stands in several. */
static void list_member(void *owner, const struct auth_member *member)
{
    struct listing *listing = owner;
    struct arena *arena = listing->call->arena;
    struct val *row = find_row(listing->rows, member);
    enum auth_project_role has;

    if (row != NULL && auth_project_role_parse(val_get_str(row, S("role")), &has) &&
        has >= member->role)
        return;
    if (row == NULL)
        row = val_append(arena, listing->rows, val_map());
    val_set_str(arena, row, S("name"), member->name);
    val_set_str(arena, row, S("kind"), member->kind);
    val_set_str(arena, row, S("role"), auth_project_role_name(member->role));
    const struct user *user =
            str_eq(member->kind, S("User"))
                    ? auth_find_user(listing->call->web->options.auth, member->name)
                    : NULL;
    if (user != NULL)
        val_set(arena, row, S("disabled"), val_bool(user->disabled));
}

void web_member_list(struct web_call *call)
{
    struct listing listing = {.call = call};
    struct val *list = web_items(call->arena, &listing.rows);

    auth_each_member(call->web->options.auth, call->namespace_, list_member, &listing);
    web_reply_val(call, 200, list);
}

/* ---- who can be invited ---- */

#define CANDIDATES_MAX 50

struct candidates {
    struct web_call *call;
    struct val *rows;
    str search;
};

struct in_project {
    str user;
    enum auth_project_role role;
    bool found;
};

static void look_for(void *owner, const struct auth_member *member)
{
    struct in_project *in = owner;

    if (!str_eq(member->kind, S("User")) || !str_eq(member->name, in->user))
        return;
    if (!in->found || member->role > in->role)
        in->role = member->role;
    in->found = true;
}

static struct in_project in_project(struct web_call *call, str user)
{
    struct in_project in = {.user = user};

    auth_each_member(call->web->options.auth, call->namespace_, look_for, &in);
    return in;
}

static void add_candidate(void *owner, const struct user *user)
{
    struct candidates *c = owner;

    if (val_count(c->rows) >= CANDIDATES_MAX || user->disabled ||
        !str_contains(user->name, c->search) || in_project(c->call, user->name).found)
        return;
    struct val *row = val_append(c->call->arena, c->rows, val_map());
    val_set_str(c->call->arena, row, S("name"), user->name);
}

void web_member_candidates(struct web_call *call)
{
    struct candidates c = {.call = call};
    struct val *list = web_items(call->arena, &c.rows);

    (void)http_param(call->request, S("search"), &c.search);
    auth_each_user(call->web->options.auth, add_candidate, &c);
    web_reply_val(call, 200, list);
}

/* ---- invite, change, remove ---- */

struct gathering {
    struct web_call *call;
    struct binding_edit *edits;
    size_t count;
    const struct member_state *state;
    str kept; /* the binding that he is put into */
};

static void gather(void *owner, const struct auth_member *member)
{
    struct gathering *g = owner;

    if (!str_eq(member->kind, S("User")) || !str_eq(member->name, g->state->user) ||
        str_eq(member->binding, g->kept))
        return;
    if (g->edits != NULL)
        g->edits[g->count] = (struct binding_edit){
                .namespace_ = g->call->namespace_,
                .name = arena_str(g->call->arena, member->binding),
        };
    g->count++;
}

/* The new binding first, so that there is no moment without a right. */
static size_t edits_of(struct web_call *call, bool add, struct binding_edit **ret_edits)
{
    const struct member_state *state = call->state;
    struct auth *auth = call->web->options.auth;
    struct gathering g = {.call = call, .state = state};
    size_t first = add ? 1 : 0;

    if (add)
        g.kept = arena_printf(call->arena, "%.*s-%.*s", STR(auth_project_role_name(state->role)),
                              STR(state->user));
    auth_each_member(auth, call->namespace_, gather, &g);
    *ret_edits = arena_array(call->arena, g.count + 1, struct binding_edit);
    if (add)
        (*ret_edits)[0] = (struct binding_edit){
                .namespace_ = call->namespace_,
                .name = g.kept,
                .role = auth_project_role_object(state->role),
                .add = true,
        };
    g.edits = *ret_edits + first;
    g.count = 0;
    auth_each_member(auth, call->namespace_, gather, &g);
    return g.count + first;
}

static struct member_state *new_state(struct web_call *call, str user)
{
    struct member_state *state = arena_new0(call->arena, struct member_state);

    call->state = state;
    state->user = user;
    state->was_member = in_project(call, user).found;
    return state;
}

static bool has_role(struct web_call *call)
{
    const struct member_state *state = call->state;
    struct in_project in = in_project(call, state->user);

    return in.found && in.role == state->role;
}

static void reply_member(struct web_call *call)
{
    const struct member_state *state = call->state;
    struct val *row = val_new(call->arena, val_map());

    val_set_str(call->arena, row, S("name"), state->user);
    val_set_str(call->arena, row, S("kind"), S("User"));
    val_set_str(call->arena, row, S("role"), auth_project_role_name(state->role));
    web_reply_val(call, state->was_member ? 200 : 201, row);
}

static void on_bound(struct web_call *call)
{
    web_when_known(call, has_role, reply_member);
}

static void put_member(struct web_call *call)
{
    struct member_state *state = call->state;
    str role = web_body_str(call, S("role"));
    struct binding_edit *edits;

    if (!auth_project_role_parse(role, &state->role)) {
        web_fail(call, ERR_INVALID, "the role '%.*s' is none of viewer, operator and admin",
                 STR(role));
        return;
    }
    size_t count = edits_of(call, true, &edits);
    web_edit_bindings(call, state->user, edits, count, on_bound);
}

void web_member_create(struct web_call *call)
{
    const struct member_state *state = new_state(call, web_body_str(call, S("name")));
    const struct user *user;

    if (state->user.len == 0)
        web_fail(call, ERR_INVALID, "an invitation names a user");
    else if (!web_find_user(call, state->user, &user))
        return;
    else if (state->was_member)
        web_fail(call, ERR_EXISTS, "'%.*s' is a member of this DevOps Project already",
                 STR(state->user));
    else
        put_member(call);
}

static bool find_member(struct web_call *call)
{
    const struct member_state *state = new_state(call, call->params[1]);

    if (state->was_member)
        return true;
    web_fail(call, ERR_NOT_FOUND, "'%.*s' is no member of this DevOps Project", STR(state->user));
    return false;
}

void web_member_put(struct web_call *call)
{
    if (find_member(call))
        put_member(call);
}

static bool is_gone(struct web_call *call)
{
    return !in_project(call, ((struct member_state *)call->state)->user).found;
}

static void reply_gone(struct web_call *call)
{
    const struct member_state *state = call->state;
    struct val *done = val_new(call->arena, val_map());

    val_set_str(call->arena, done, S("name"), state->user);
    web_reply_val(call, 200, done);
}

static void on_unbound(struct web_call *call)
{
    web_when_known(call, is_gone, reply_gone);
}

void web_member_delete(struct web_call *call)
{
    struct binding_edit *edits;

    if (!find_member(call))
        return;
    size_t count = edits_of(call, false, &edits);
    web_edit_bindings(call, ((struct member_state *)call->state)->user, edits, count, on_unbound);
}
