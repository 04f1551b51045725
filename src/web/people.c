/* SPDX-License-Identifier: Apache-2.0 */
#include "web/people.h"
#include "base/clock.h"

#define KNOWN_POLL_MS 10
#define KNOWN_POLLS 300
#define CONFLICTS_MAX 8

/* What is done next, beside the handler's own state. */
struct web_work {
    web_step_fn *then;
    web_known_fn *known;
    int polls;
    str user;
    const struct binding_edit *edits;
    size_t count;
    size_t at;
    int conflicts;
};

static struct web_work *work_of(struct web_call *call)
{
    if (call->work == NULL)
        call->work = arena_new0(call->arena, struct web_work);
    return call->work;
}

/* ---- the user's Secret ---- */

static void on_patched(struct web_call *call, struct kube_response *response)
{
    if (!response->ok)
        web_reply_kube(call, response, "writing the user");
    else
        work_of(call)->then(call);
}

void web_patch_user(struct web_call *call, str name, const struct val *patch, web_step_fn *then)
{
    work_of(call)->then = then;
    web_kube(call,
             &(struct kube_request){.verb = KUBE_PATCH_MERGE,
                                    .gvr = web_gvr_secrets,
                                    .namespace_ = S(AUTH_SYSTEM_NAMESPACE),
                                    .name = arena_join(call->arena, S("user-"), name),
                                    .body = patch},
             on_patched);
}

/* ---- until it is known ---- */

static void on_poll(void *owner)
{
    struct web_call *call = owner;
    struct web_work *work = call->work;

    if (!work->known(call) && work->polls++ < KNOWN_POLLS) {
        loop_timer_start(call->timer, KNOWN_POLL_MS);
        return;
    }
    loop_timer_free(TAKE(call->timer));
    work->then(call);
}

void web_when_known(struct web_call *call, web_known_fn *known, web_step_fn *then)
{
    struct web_work *work = work_of(call);

    work->known = known;
    work->then = then;
    work->polls = 0;
    call->timer = loop_timer_new(call->web->options.loop, "known", on_poll, call);
    loop_timer_start(call->timer, 0);
}

/* ---- bindings ---- */

static void next_edit(struct web_call *call);

static struct gvr binding_gvr(const struct binding_edit *edit)
{
    return (struct gvr){S("rbac.authorization.k8s.io"), S("v1"),
                        edit->namespace_.len > 0 ? S("rolebindings") : S("clusterrolebindings")};
}

static bool is_subject(const struct val *subject, str user)
{
    return str_eq(val_get_str(subject, S("kind")), S("User")) &&
           str_eq(val_get_str(subject, S("name")), user);
}

/* Whether the list is another than before. */
static bool edit_subjects(struct arena *arena, struct val *binding, str user, bool add)
{
    struct val *subjects = val_ensure_list(arena, binding, S("subjects"));
    bool changed = false;
    bool found = false;

    for (size_t i = 0; i < val_count(subjects);) {
        if (!is_subject(val_item(subjects, i), user)) {
            i++;
        } else if (add) {
            found = true;
            i++;
        } else {
            changed |= val_remove(subjects, i);
        }
    }
    if (!add || found)
        return changed;
    struct val *subject = val_append(arena, subjects, val_map());
    val_set_str(arena, subject, S("apiGroup"), S("rbac.authorization.k8s.io"));
    val_set_str(arena, subject, S("kind"), S("User"));
    val_set_str(arena, subject, S("name"), user);
    return true;
}

static void on_written(struct web_call *call, struct kube_response *response)
{
    struct web_work *work = call->work;
    bool again = response->err.code == ERR_CONFLICT || response->err.code == ERR_EXISTS ||
                 response->err.code == ERR_NOT_FOUND;

    if (response->ok) {
        work->at++;
        work->conflicts = 0;
    } else if (!again || work->conflicts++ >= CONFLICTS_MAX) {
        web_reply_kube(call, response, "writing a role binding");
        return;
    }
    next_edit(call);
}

static void write_binding(struct web_call *call, const struct binding_edit *edit,
                          struct val *binding, enum kube_verb verb)
{
    bool empty = val_count(val_get(binding, S("subjects"))) == 0;
    struct kube_request request = {.verb = verb,
                                   .gvr = binding_gvr(edit),
                                   .namespace_ = edit->namespace_,
                                   .name = edit->name,
                                   .body = binding};

    if (empty && edit->namespace_.len > 0) {
        request.verb = KUBE_DELETE;
        request.precondition_resource_version = object_resource_version(binding);
        request.body = NULL;
    }
    web_kube(call, &request, on_written);
}

static void on_read(struct web_call *call, struct kube_response *response)
{
    struct web_work *work = call->work;
    const struct binding_edit *edit = &work->edits[work->at];
    bool missing = response->err.code == ERR_NOT_FOUND;

    if (!response->ok && !missing) {
        web_reply_kube(call, response, "reading a role binding");
        return;
    }
    struct val *binding =
            response->ok ? val_dup(call->arena, response->object)
                         : auth_binding(call->arena, edit->namespace_, edit->name, edit->role);
    if (edit_subjects(call->arena, binding, work->user, edit->add)) {
        write_binding(call, edit, binding, response->ok ? KUBE_UPDATE : KUBE_CREATE);
    } else {
        work->at++;
        next_edit(call);
    }
}

static void next_edit(struct web_call *call)
{
    struct web_work *work = call->work;

    if (work->at == work->count) {
        work->then(call);
        return;
    }
    const struct binding_edit *edit = &work->edits[work->at];
    web_kube(call,
             &(struct kube_request){.verb = KUBE_GET,
                                    .gvr = binding_gvr(edit),
                                    .namespace_ = edit->namespace_,
                                    .name = edit->name},
             on_read);
}

void web_edit_bindings(struct web_call *call, str user, const struct binding_edit *edits,
                       size_t count, web_step_fn *then)
{
    struct web_work *work = work_of(call);

    work->user = user;
    work->edits = edits;
    work->count = count;
    work->at = 0;
    work->conflicts = 0;
    work->then = then;
    next_edit(call);
}

size_t web_platform_edits(struct web_call *call, enum auth_platform_role role,
                          struct binding_edit **ret_edits)
{
    struct binding_edit *edits = arena_array(call->arena, AUTH_PLATFORM_ROLES, struct binding_edit);
    size_t count = 0;

    for (int pass = 0; pass < 2; pass++) {
        for (int i = 0; i < AUTH_PLATFORM_ROLES; i++) {
            enum auth_platform_role one = (enum auth_platform_role)i;
            const struct val *made = auth_platform_binding(call->arena, one);
            if ((one == role) == (pass == 0))
                edits[count++] = (struct binding_edit){
                        .name = auth_platform_role_name(one),
                        .role = VAL_STR(made, "roleRef", "name"),
                        .add = one == role,
                };
        }
    }
    *ret_edits = edits;
    return count;
}

/* ---- rows ---- */

struct membership {
    struct web_call *call;
    struct val *list;
    str user;
};

static void add_membership(void *owner, const struct auth_member *member)
{
    struct membership *m = owner;
    struct arena *arena = m->call->arena;

    if (!str_eq(member->kind, S("User")) || !str_eq(member->name, m->user))
        return;
    bool is_control = str_eq(member->namespace_, m->call->web->options.control_namespace);
    struct val *row = val_append(arena, m->list, val_map());
    val_set_str(arena, row, S("devops"), is_control ? S("default") : member->namespace_);
    val_set_str(arena, row, S("role"), auth_project_role_name(member->role));
}

struct val *web_user_row(struct web_call *call, const struct user *user)
{
    struct arena *arena = call->arena;
    struct auth *auth = call->web->options.auth;
    struct val *row = val_new(arena, val_map());

    val_set_str(arena, row, S("name"), user->name);
    val_set_str(arena, row, S("role"), auth_platform_role_name(auth_platform_role_of(auth, user)));
    val_set_str(arena, row, S("language"), user->language);
    val_set(arena, row, S("disabled"), val_bool(user->disabled));
    val_set(arena, row, S("sessions"), val_int(arena, (int64_t)user_live_sessions(user)));
    val_set(arena, row, S("tokens"), val_int(arena, (int64_t)user->token_count));
    val_set_str(arena, row, S("created"), user->created);
    struct membership m = {call, val_ensure_list(arena, row, S("memberships")), user->name};
    auth_each_member(auth, STR_EMPTY, add_membership, &m);
    return row;
}

bool web_find_user(struct web_call *call, str name, const struct user **ret_user)
{
    *ret_user = auth_find_user(call->web->options.auth, name);
    if (*ret_user != NULL)
        return true;
    web_fail(call, ERR_NOT_FOUND, "there is no user '%.*s'", STR(name));
    return false;
}
