/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/demo_users.h"

#include "base/buf.h"
#include "base/fd.h"
#include "base/mem.h"
#include "cli/paths.h"

#include <fcntl.h>

static const struct {
    const char *name, *groups, *role, *about;
} people[] = {
        {"admin", AUTH_ADMIN_GROUP, NULL, "everything"},
        {"project-regular", "", "taut:operator", "operator of the DevOps Project demo"},
        {"project-viewer", "", "taut:viewer", "may look at it"},
};

struct demo_users {
    struct server *server;
    str path;
    struct buf text;
    size_t step;
    bool is_bound;
    struct kube_call *call;
    struct loop_task *task;
    demo_users_fn *done;
    void *owner;
};

static void finish(struct demo_users *users, const struct err *err)
{
    demo_users_fn *done = TAKE(users->done);

    if (done != NULL)
        done(users->owner, err);
}

static bool read_file(struct demo_users *users)
{
    auto_fd int fd = open(users->path.at, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    char *room = buf_reserve(&users->text, 4096);
    ssize_t len = fd < 0 ? -1 : read(fd, room, 4096);

    if (len <= 0)
        return false;
    users->text.len = (size_t)len;
    return true;
}

static void next(struct demo_users *users);

static void on_bound(void *owner, struct kube_response *response)
{
    struct demo_users *users = owner;

    users->call = NULL;
    if (!response->ok) {
        err_wrap(&response->err, "binding the demo's user '%s'", people[users->step].name);
        finish(users, &response->err);
        return;
    }
    users->step++;
    next(users);
}

static void bind_role(struct demo_users *users)
{
    auto_arena struct arena *arena = arena_new(LIMIT_MIB);
    const char *group = "rbac.authorization.k8s.io";
    struct val *binding = val_new(arena, val_map());

    val_set_str(arena, binding, S("apiVersion"), S("rbac.authorization.k8s.io/v1"));
    val_set_str(arena, binding, S("kind"), S("RoleBinding"));
    struct val *meta = val_ensure_map(arena, binding, S("metadata"));
    val_set_str(arena, meta, S("name"), str_from(people[users->step].name));
    val_set_str(arena, meta, S("namespace"), S("demo"));
    struct val *role = val_ensure_map(arena, binding, S("roleRef"));
    val_set_str(arena, role, S("apiGroup"), str_from(group));
    val_set_str(arena, role, S("kind"), S("ClusterRole"));
    val_set_str(arena, role, S("name"), str_from(people[users->step].role));
    struct val *subject =
            val_append(arena, val_ensure_list(arena, binding, S("subjects")), val_map());
    val_set_str(arena, subject, S("apiGroup"), str_from(group));
    val_set_str(arena, subject, S("kind"), S("User"));
    val_set_str(arena, subject, S("name"), str_from(people[users->step].name));
    struct kube_request request = {
            .verb = KUBE_APPLY,
            .gvr = {S("rbac.authorization.k8s.io"), S("v1"), S("rolebindings")},
            .namespace_ = S("demo"),
            .name = str_from(people[users->step].name),
            .field_manager = S("taut-demo"),
            .force = true,
            .body = binding};
    users->call = kube_start(users->server->home, &request, on_bound, users);
}

static void on_made(void *owner, const struct err *err)
{
    struct demo_users *users = owner;

    if (err != NULL) {
        finish(users, err);
    } else if (people[users->step].role != NULL) {
        bind_role(users);
    } else {
        users->step++;
        next(users);
    }
}

static void next(struct demo_users *users)
{
    struct err err = {0};

    if (users->step == COUNT(people)) {
        bool ok = path_write_file(users->path, buf_str(&users->text), 0600, &err);
        finish(users, ok ? NULL : &err);
        return;
    }
    const char *name = people[users->step].name;
    auto_secret struct secret *password = auth_new_password();
    buf_addf(&users->text, "  %-16s %.*s   %s\n", name, STR(secret_reveal(password)),
             people[users->step].about);
    auth_put_user(users->server->auth, str_from(name), str_from(people[users->step].groups),
                  password, on_made, users);
}

static void begin(void *owner)
{
    struct demo_users *users = owner;

    if (read_file(users))
        finish(users, NULL);
    else
        next(users);
}

struct demo_users *demo_users_start(struct server *server, demo_users_fn *done, void *owner)
{
    struct demo_users *users = new0(struct demo_users);

    *users = (struct demo_users){.server = server, .done = done, .owner = owner};
    users->path = arena_printf(server->arena, "%s/demo-sign-ins", server->dir);
    buf_init(&users->text, 8192);
    users->task = loop_task_new(server->loop, "demo users", begin, users);
    loop_task_post(users->task);
    return users;
}

void demo_users_free(struct demo_users *users)
{
    if (users == NULL)
        return;
    kube_cancel(users->call);
    loop_task_free(users->task);
    if (users->text.at != NULL)
        secret_wipe(users->text.at, users->text.len);
    buf_done(&users->text);
    mem_free(users);
}

str demo_users_text(const struct demo_users *users)
{
    return buf_str(&users->text);
}
