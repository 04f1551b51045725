/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Users: a Secret in the system namespace and a place in one of the platform's ClusterRoleBindings.
 * The last platform admin can neither be demoted, disabled nor deleted.
 */
#include "web/people.h"

struct user_state {
    str name;
    enum auth_platform_role role;
    bool has_role; /* it is to be changed */
    str language;
    bool disabled;
    str hash;
};

static const struct user *found(struct web_call *call)
{
    const struct user_state *state = call->state;
    return auth_find_user(call->web->options.auth, state->name);
}

static enum auth_platform_role role_of(struct web_call *call, const struct user *user)
{
    return auth_platform_role_of(call->web->options.auth, user);
}

/* ---- list and get ---- */

struct listing {
    struct web_call *call;
    struct val *rows;
    str search;
    str role;
};

static void list_user(void *owner, const struct user *user)
{
    struct listing *listing = owner;
    str role = auth_platform_role_name(role_of(listing->call, user));

    if ((listing->search.len > 0 && !str_contains(user->name, listing->search)) ||
        (listing->role.len > 0 && !str_eq(listing->role, role)))
        return;
    val_append(listing->call->arena, listing->rows, *web_user_row(listing->call, user));
}

static int by_name(const struct val *a, const struct val *b)
{
    str x = val_get_str(a, S("name"));
    str y = val_get_str(b, S("name"));
    int order = memcmp(x.at, y.at, MIN(x.len, y.len));

    return order != 0 ? order : (x.len > y.len) - (x.len < y.len);
}

void web_user_list(struct web_call *call)
{
    struct listing listing = {.call = call};
    struct val *list = web_items(call->arena, &listing.rows);

    (void)http_param(call->request, S("search"), &listing.search);
    (void)http_param(call->request, S("role"), &listing.role);
    auth_each_user(call->web->options.auth, list_user, &listing);
    val_sort_list(call->arena, listing.rows, by_name);
    web_reply_val(call, 200, list);
}

static void reply_user(struct web_call *call, int status)
{
    const struct user *user;

    if (web_find_user(call, ((struct user_state *)call->state)->name, &user))
        web_reply_val(call, status, web_user_row(call, user));
}

static struct user_state *new_state(struct web_call *call, str name)
{
    struct user_state *state = arena_new0(call->arena, struct user_state);

    state->name = name;
    call->state = state;
    return state;
}

void web_user_get(struct web_call *call)
{
    new_state(call, call->params[0]);
    reply_user(call, 200);
}

/* ---- what is asked for ---- */

static bool read_role(struct web_call *call, struct user_state *state, struct err *err)
{
    str text = web_body_str(call, S("role"));

    state->has_role = text.len > 0;
    if (!state->has_role || auth_platform_role_parse(text, &state->role))
        return true;
    return err_set(err, ERR_INVALID,
                   "the role '%.*s' is none of platform-regular, platform-self-provisioner and "
                   "platform-admin",
                   STR(text));
}

bool web_check_language(str language, struct err *err)
{
    if (language.len == 0 || str_eq(language, S("en")) || str_eq(language, S("zh-CN")))
        return true;
    return err_set(err, ERR_INVALID, "the language '%.*s' is none of en and zh-CN", STR(language));
}

/* Whether somebody who may everything would be left without this user. */
static bool leaves_an_admin(struct web_call *call, const struct user *user, const char *doing,
                            struct err *err)
{
    if (user->disabled || role_of(call, user) != AUTH_PLATFORM_ADMIN ||
        auth_count_admins(call->web->options.auth) > 1)
        return true;
    return err_set(err, ERR_CONFLICT,
                   "'%.*s' is the last platform admin and cannot be %s: make another user a "
                   "platform admin first",
                   STR(user->name), doing);
}

/* ---- create: hash, Secret, role ---- */

static void reply_created(struct web_call *call)
{
    reply_user(call, 201);
}

static bool has_its_role(struct web_call *call)
{
    const struct user_state *state = call->state;
    const struct user *user = found(call);

    return user != NULL && role_of(call, user) == state->role;
}

static void on_role_bound(struct web_call *call)
{
    web_when_known(call, has_its_role, reply_created);
}

static void on_user_made(struct web_call *call, struct kube_response *response)
{
    const struct user_state *state = call->state;
    struct binding_edit *edits;

    if (!response->ok && response->err.code == ERR_EXISTS) {
        web_fail(call, ERR_EXISTS, "the user '%.*s' exists already", STR(state->name));
    } else if (!response->ok) {
        web_reply_kube(call, response, "making the user");
    } else {
        size_t count = web_platform_edits(call, state->role, &edits);
        web_edit_bindings(call, state->name, edits, count, on_role_bound);
    }
}

static void on_hashed_new(void *owner, str hash, const struct err *err)
{
    struct web_call *call = owner;
    const struct user_state *state = call->state;
    struct arena *arena = call->arena;

    call->password = NULL;
    if (err != NULL) {
        web_reply_err(call, err);
        return;
    }
    struct val *secret = auth_user_secret(arena, state->name, STR_EMPTY, hash);
    val_set_str(arena, val_ensure_map(arena, val_get(secret, S("metadata")), S("annotations")),
                S("kubesphere.io/creator"), call->user.name);
    if (state->language.len > 0)
        val_set_str(arena, val_get(secret, S("data")), S("language"),
                    base64_encode(arena, state->language));
    web_kube(call,
             &(struct kube_request){.verb = KUBE_CREATE,
                                    .gvr = web_gvr_secrets,
                                    .namespace_ = S(AUTH_SYSTEM_NAMESPACE),
                                    .body = secret},
             on_user_made);
}

void web_user_create(struct web_call *call)
{
    struct user_state *state = new_state(call, web_body_str(call, S("name")));
    str password = web_body_str(call, S("password"));
    struct err err = {0};

    state->language = web_body_str(call, S("language"));
    if (!web_check_name(S("a user"), state->name, &err) || !read_role(call, state, &err) ||
        !web_check_language(state->language, &err) ||
        !auth_check_password(state->name, password, &err)) {
        web_reply_err(call, &err);
    } else if (found(call) != NULL) {
        web_fail(call, ERR_EXISTS, "the user '%.*s' exists already", STR(state->name));
    } else {
        call->password = auth_hash_later(call->web->options.auth, password, on_hashed_new, call);
    }
}

/* ---- edit: Secret, then role ---- */

static void reply_edited(struct web_call *call)
{
    reply_user(call, 200);
}

static bool is_edited(struct web_call *call)
{
    const struct user_state *state = call->state;
    const struct user *user = found(call);

    return user == NULL ||
           (user->disabled == state->disabled && str_eq(user->language, state->language) &&
            (!state->has_role || role_of(call, user) == state->role));
}

static void on_edited(struct web_call *call)
{
    web_when_known(call, is_edited, reply_edited);
}

static void on_secret_edited(struct web_call *call)
{
    const struct user_state *state = call->state;
    struct binding_edit *edits;

    if (!state->has_role) {
        on_edited(call);
        return;
    }
    size_t count = web_platform_edits(call, state->role, &edits);
    web_edit_bindings(call, state->name, edits, count, on_edited);
}

/* The group that may everything goes with the role; other groups stay. */
static str other_groups(struct arena *arena, const struct user *user)
{
    str text = STR_EMPTY;

    for (size_t i = 0; i < user->group_count; i++) {
        if (str_eq(user->groups[i], S(AUTH_ADMIN_GROUP)))
            continue;
        text = text.len == 0 ? user->groups[i]
                             : arena_printf(arena, "%.*s,%.*s", STR(text), STR(user->groups[i]));
    }
    return text;
}

static struct val *edit_patch(struct web_call *call, const struct user *user)
{
    const struct user_state *state = call->state;
    struct arena *arena = call->arena;
    struct val *patch = user_patch_disabled(arena, user, state->disabled);
    struct val *data = val_get(patch, S("data"));

    if (state->language.len > 0)
        val_set_str(arena, data, S("language"), base64_encode(arena, state->language));
    if (state->has_role && state->role != AUTH_PLATFORM_ADMIN)
        val_set_str(arena, data, S("groups"), base64_encode(arena, other_groups(arena, user)));
    return patch;
}

void web_user_edit(struct web_call *call)
{
    struct user_state *state = new_state(call, call->params[0]);
    const struct user *user;
    struct err err = {0};

    if (!web_find_user(call, state->name, &user))
        return;
    state->disabled = val_get_bool(call->body, S("disabled"), user->disabled);
    state->language = val_get(call->body, S("language")) == NULL
                              ? arena_str(call->arena, user->language)
                              : web_body_str(call, S("language"));
    if (!read_role(call, state, &err) || !web_check_language(state->language, &err) ||
        (state->disabled && !leaves_an_admin(call, user, "disabled", &err)) ||
        (state->has_role && state->role != AUTH_PLATFORM_ADMIN &&
         !leaves_an_admin(call, user, "given another role", &err)))
        web_reply_err(call, &err);
    else
        web_patch_user(call, state->name, edit_patch(call, user), on_secret_edited);
}

/* ---- a new password ---- */

static bool has_its_hash(struct web_call *call)
{
    const struct user_state *state = call->state;
    const struct user *user = found(call);

    return user == NULL || str_eq(user->password_hash, state->hash);
}

static void on_password_set(struct web_call *call)
{
    web_when_known(call, has_its_hash, reply_edited);
}

static void on_hashed(void *owner, str hash, const struct err *err)
{
    struct web_call *call = owner;
    struct user_state *state = call->state;
    const struct user *user;

    call->password = NULL;
    if (err != NULL) {
        web_reply_err(call, err);
        return;
    }
    state->hash = arena_str(call->arena, hash);
    if (web_find_user(call, state->name, &user))
        web_patch_user(call, state->name, user_patch_password(call->arena, user, hash, NULL),
                       on_password_set);
}

void web_user_password(struct web_call *call)
{
    struct user_state *state = new_state(call, call->params[0]);
    str password = web_body_str(call, S("password"));
    const struct user *user;
    struct err err = {0};

    if (!web_find_user(call, state->name, &user))
        return;
    if (!auth_check_password(state->name, password, &err))
        web_reply_err(call, &err);
    else
        call->password = auth_hash_later(call->web->options.auth, password, on_hashed, call);
}

/* ---- delete: the Secret first, so that access ends at once; then every binding, so that a later
 * user of the same name inherits nothing ---- */

struct gathering {
    struct web_call *call;
    str user;
    struct binding_edit *edits;
    size_t count;
    size_t room;
};

static void gather(void *owner, const struct auth_member *member)
{
    struct gathering *g = owner;

    if (!str_eq(member->kind, S("User")) || !str_eq(member->name, g->user))
        return;
    if (g->edits != NULL && g->count < g->room)
        g->edits[g->count] = (struct binding_edit){
                .namespace_ = arena_str(g->call->arena, member->namespace_),
                .name = arena_str(g->call->arena, member->binding),
        };
    g->count++;
}

static bool is_gone(struct web_call *call)
{
    return found(call) == NULL;
}

static void reply_gone(struct web_call *call)
{
    struct val *done = val_new(call->arena, val_map());

    val_set_str(call->arena, done, S("name"), call->params[0]);
    web_reply_val(call, 200, done);
}

static void on_unbound(struct web_call *call)
{
    web_when_known(call, is_gone, reply_gone);
}

static void on_user_deleted(struct web_call *call, struct kube_response *response)
{
    const struct user_state *state = call->state;
    struct auth *auth = call->web->options.auth;
    struct gathering g = {.call = call, .user = state->name};
    struct binding_edit *platform;

    if (!response->ok && response->err.code != ERR_NOT_FOUND) {
        web_reply_kube(call, response, "deleting the user");
        return;
    }
    size_t count = web_platform_edits(call, AUTH_PLATFORM_REGULAR, &platform);
    auth_each_member(auth, STR_EMPTY, gather, &g);
    g.room = g.count;
    g.edits = arena_array(call->arena, g.count + count, struct binding_edit);
    g.count = 0;
    auth_each_member(auth, STR_EMPTY, gather, &g);
    for (size_t i = 0; i < count; i++) {
        platform[i].add = false;
        g.edits[g.count++] = platform[i];
    }
    web_edit_bindings(call, state->name, g.edits, g.count, on_unbound);
}

void web_user_delete(struct web_call *call)
{
    struct user_state *state = new_state(call, call->params[0]);
    const struct user *user;
    struct err err = {0};

    if (!web_find_user(call, state->name, &user))
        return;
    if (str_eq(state->name, S("admin")))
        web_fail(call, ERR_CONFLICT,
                 "the user 'admin' cannot be deleted, it would come back at the next start: "
                 "disable it instead");
    else if (!leaves_an_admin(call, user, "deleted", &err))
        web_reply_err(call, &err);
    else
        web_kube(call,
                 &(struct kube_request){.verb = KUBE_DELETE,
                                        .gvr = web_gvr_secrets,
                                        .namespace_ = S(AUTH_SYSTEM_NAMESPACE),
                                        .name = arena_join(call->arena, S("user-"), state->name)},
                 on_user_deleted);
}
