/* SPDX-License-Identifier: Apache-2.0 */
/* taut user reset-password --data: the home's database of a stopped server, opened by itself, so
 * that a lost password never locks anybody out of their own machine. */
#include "apiserver/embedded.h"
#include "auth/auth.h"
#include "base/fd.h"
#include "cli/user.h"
#include "doc/hash.h"
#include "schema/gvk.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>

/* The new hash, and no session of the old one. */
static const struct val *password_patch(struct arena *arena, const struct val *secret,
                                        const struct secret *password)
{
    struct val *patch = val_new(arena, val_map());
    struct val *data = val_ensure_map(arena, patch, S("data"));
    struct val_iter it = val_iter(val_get(secret, S("data")));

    while (val_next(&it)) {
        if (str_starts(it.key, S("session.")))
            val_set(arena, data, it.key, val_null());
    }
    val_set_str(arena, data, S("passwordHash"),
                base64_encode(arena, auth_hash_password(arena, password)));
    return patch;
}

struct direct {
    struct arena *arena;
    struct loop *loop;
    struct apiserver *server;
    struct kube *kube;
    int lock;
    const struct val *object;
    struct err err;
    bool ok;
    bool done;
};

static void on_direct(void *owner, struct kube_response *response)
{
    struct direct *direct = owner;

    direct->ok = response->ok;
    direct->err = response->err;
    direct->object = response->ok ? val_dup(direct->arena, response->object) : NULL;
    direct->done = true;
}

static bool direct_call(struct direct *direct, struct kube_request *request, struct err *err)
{
    request->gvr = (struct gvr){S(""), S("v1"), S("secrets")};
    request->namespace_ = S(AUTH_SYSTEM_NAMESPACE);
    request->field_manager = S("taut");
    direct->done = false;
    kube_start(direct->kube, request, on_direct, direct);
    if (!loop_run_until(direct->loop, &direct->done, 10000))
        return err_set(err, ERR_TIMEOUT, "the database does not answer");
    if (!direct->ok)
        *err = direct->err;
    return direct->ok;
}

static bool direct_open(struct direct *direct, str dir, struct err *err)
{
    const char *path = arena_printf(direct->arena, "%.*s/home.db", STR(dir)).at;
    struct apiserver_options options = {
            .name = "home", .path = path, .sync = SYNC_FULL, .kinds = APISERVER_HOME};

    if (access(path, R_OK | W_OK) != 0)
        return err_set(err, ERR_NOT_FOUND, "'%.*s' is no data folder of a server: %s", STR(dir),
                       strerror(errno));
    direct->lock = open(arena_printf(direct->arena, "%.*s/lock", STR(dir)).at,
                        O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (direct->lock < 0 || flock(direct->lock, LOCK_EX | LOCK_NB) < 0)
        return err_set(err, ERR_CONFLICT, "a server runs on '%.*s': leave --data out", STR(dir));
    direct->loop = loop_new();
    if (!apiserver_new(direct->loop, &options, &direct->server, err))
        return false;
    direct->kube = apiserver_kube(direct->server);
    return true;
}

static void direct_close(struct direct *direct)
{
    if (direct->kube != NULL)
        kube_free(direct->kube);
    if (direct->server != NULL)
        apiserver_free(direct->server);
    if (direct->loop != NULL)
        loop_free(direct->loop);
    fd_close(&direct->lock);
}

bool user_reset_direct(str dir, str user, struct arena *arena, const struct secret *password,
                       struct err *err)
{
    struct direct direct = {.arena = arena, .lock = -1};
    str name = arena_join(arena, S("user-"), user);
    struct kube_request get = {.verb = KUBE_GET, .name = name};
    struct kube_request patch = {.verb = KUBE_PATCH_MERGE, .name = name};
    bool ok = direct_open(&direct, dir, err) && direct_call(&direct, &get, err);

    if (ok) {
        patch.body = password_patch(arena, direct.object, password);
        ok = direct_call(&direct, &patch, err);
    }
    direct_close(&direct);
    return ok;
}
