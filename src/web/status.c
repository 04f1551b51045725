/* SPDX-License-Identifier: Apache-2.0 */
/* What the server is and does, in one answer; and the console's first question. */
#include "apiserver/apiserver.h"
#include "base/clock.h"
#include "doc/glob.h"
#include "engine/engine.h"
#include "web/people.h"
#include "web/permissions.h"

static void add_commit(struct web_call *call, struct val *row, const struct apiserver *server)
{
    int64_t us = apiserver_commit_us(server);

    val_set(call->arena, row, S("lastCommitMicroseconds"), val_int(call->arena, us));
    /* A disk that takes so long to write makes everything slow: worth a line of its own. */
    if (us > 100000)
        val_set_str(call->arena, row, S("warning"),
                    S("the disk is slow: a write took over 100 ms"));
}

void web_status(struct web_call *call)
{
    struct arena *arena = call->arena;
    const struct web_options *options = &call->web->options;
    struct val *status = val_new(arena, val_map());

    val_set_str(arena, status, S("version"), S(TAUT_VERSION));
    val_set(arena, status, S("ready"), val_bool(call->web->ready));
    val_set(arena, status, S("uptimeSeconds"),
            val_int(arena, (clock_mono_ms() - call->web->started_ms) / 1000));
    val_set_str(arena, status, S("controlNamespace"), options->control_namespace);
    val_set_str(arena, status, S("user"), call->user.name);
    struct val *home = val_ensure_map(arena, status, S("home"));
    val_set_str(arena, home, S("kind"),
                options->home_server != NULL ? S("embedded") : S("cluster"));
    if (options->home_server != NULL)
        add_commit(call, home, options->home_server);
    val_set(arena, status, S("sandbox"), val_bool(options->sandbox_server != NULL));
    if (options->engine != NULL) {
        val_set(arena, status, S("applications"),
                val_int(arena, (int64_t)engine_app_count(options->engine)));
        struct val *clusters = engine_clusters(options->engine, arena);
        if (clusters != NULL)
            val_set(arena, status, S("clusters"), *clusters);
    }
    web_reply_val(call, 200, status);
}

/* ---- bootstrap ---- */

struct boot {
    struct val *answer;
    const struct val *devops;
};

bool web_is_admin(const struct web_call *call)
{
    return auth_may(call->web->options.auth, &call->user,
                    &(struct auth_question){.verb = S("*"), .group = S("*"), .resource = S("*")});
}

/* Whether one of the user's DevOps Projects may deploy to that cluster. */
static bool sees_cluster(const struct boot *boot, const struct val *projects, str cluster)
{
    struct val_iter mine = val_iter(boot->devops);

    while (val_next(&mine)) {
        struct val_iter it = val_iter(projects);
        while (val_next(&it)) {
            if (!str_eq(object_name(it.value), val_get_str(mine.value, S("name"))))
                continue;
            struct val_iter to = val_iter(VAL_AT(it.value, "spec", "destinations"));
            while (val_next(&to)) {
                if (glob_match(val_get_str(to.value, S("name")), cluster, '\0'))
                    return true;
            }
        }
    }
    return false;
}

static void on_projects(struct web_call *call, struct kube_response *response)
{
    struct arena *arena = call->arena;
    struct engine *engine = call->web->options.engine;
    const struct boot *boot = call->state;
    struct val *shown = val_ensure_list(arena, boot->answer, S("clusters"));
    struct val *clusters = engine == NULL ? NULL : engine_clusters(engine, arena);
    bool all = web_is_admin(call);

    if (!response->ok) {
        web_reply_kube(call, response, "listing projects");
        return;
    }
    struct val_iter it = val_iter(clusters);
    while (val_next(&it)) {
        str name = val_get_str(it.value, S("name"));
        if (!all && !sees_cluster(boot, val_get(response->object, S("items")), name))
            continue;
        if (!all)
            val_del(it.value, S("server"));
        val_append(arena, shown, *it.value);
    }
    web_reply_val(call, 200, boot->answer);
}

static void add_devops(struct web_call *call, struct permissions *permissions, struct val *devops,
                       const struct val *namespaces)
{
    struct arena *arena = call->arena;
    const struct web_options *options = &call->web->options;
    struct val_iter it = val_iter(namespaces);

    while (val_next(&it)) {
        str name = object_name(it.value);
        bool is_control = str_eq(name, options->control_namespace);
        if ((!is_control && !str_eq(object_label(it.value, S(WEB_DEVOPS_LABEL)), name)) ||
            !auth_is_member(options->auth, &call->user, name))
            continue;
        struct val *row = val_append(arena, devops, val_map());
        web_take_words(call, row, it.value);
        val_set_str(arena, row, S("name"), is_control ? S("default") : name);
        val_set_str(arena, row, S("namespace"), name);
        val_set(arena, row, S("rights"), val_int(arena, permissions_in(permissions, name)));
    }
}

static void add_user(struct web_call *call, struct val *row)
{
    const struct user *user = auth_find_user(call->web->options.auth, call->user.name);

    if (user != NULL)
        *row = *web_user_row(call, user);
    val_set_str(call->arena, row, S("name"), call->user.name);
    val_set(call->arena, row, S("admin"), val_bool(web_is_admin(call)));
}

/* Whom somebody without a project can ask. */
static void add_admin(void *owner, const struct user *user)
{
    struct web_call *call = owner;
    const struct boot *boot = call->state;
    struct val *list = val_get(boot->answer, S("admins"));

    if (!user->disabled && val_count(list) < 5 &&
        auth_platform_role_of(call->web->options.auth, user) == AUTH_PLATFORM_ADMIN)
        val_append(call->arena, list, val_string(call->arena, user->name));
}

static void on_namespaces(struct web_call *call, struct kube_response *response)
{
    struct arena *arena = call->arena;
    const struct web_options *options = &call->web->options;
    struct boot *boot = arena_new0(arena, struct boot);

    if (!response->ok) {
        web_reply_kube(call, response, "listing DevOps Projects");
        return;
    }
    boot->answer = val_new(arena, val_map());
    add_user(call, val_ensure_map(arena, boot->answer, S("user")));
    struct permissions *permissions = permissions_new(call, boot->answer);
    val_set_str(arena, boot->answer, S("version"), S(TAUT_VERSION));
    val_set_str(arena, boot->answer, S("controlNamespace"), options->control_namespace);
    struct val *devops = val_ensure_list(arena, boot->answer, S("devops"));
    add_devops(call, permissions, devops, val_get(response->object, S("items")));
    boot->devops = devops;
    call->state = boot;
    val_ensure_list(arena, boot->answer, S("admins"));
    auth_each_user(options->auth, add_admin, call);
    web_kube(call,
             &(struct kube_request){.verb = KUBE_LIST,
                                    .gvr = web_gvr_projects,
                                    .namespace_ = options->control_namespace},
             on_projects);
}

void web_bootstrap(struct web_call *call)
{
    web_kube(call, &(struct kube_request){.verb = KUBE_LIST, .gvr = web_gvr_namespaces},
             on_namespaces);
}
