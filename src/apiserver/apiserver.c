/* SPDX-License-Identifier: Apache-2.0 */
#include "apiserver/apiserver.h"

#include "apiserver/api.h"
#include "apiserver/crd.h"
#include "apiserver/expire.h"
#include "apiserver/gc.h"
#include "apiserver/turn.h"
#include "base/clock.h"
#include "base/mem.h"

/* Namespaces that every cluster has. */
static const char *const first_namespaces[] = {"default", "kube-system", "kube-public",
                                               "kube-node-lease"};

static bool make_namespace(struct apiserver *server, const char *name, struct err *err)
{
    auto_arena struct arena *arena = arena_new(LIMIT_OBJECT_ARENA);
    struct api api = api_internal(server, arena);
    struct val *body = val_new(arena, val_map());

    val_set_str(arena, val_ensure_map(arena, body, S("metadata")), S("name"), str_from(name));
    api.q.verb = KUBE_CREATE;
    api.q.gvr = (struct gvr){STR_EMPTY, S("v1"), S("namespaces")};
    api.q.body = body;
    api_serve(&api);
    if (api.status != 201 && api.status != 409)
        return err_set(err, ERR_INTERNAL, "namespace %s: %.*s", name,
                       STR(val_get_str(api.object, S("message"))));
    return true;
}

static bool bootstrap(struct apiserver *server, struct err *err)
{
    for (size_t i = 0; i < COUNT(first_namespaces); i++)
        if (!make_namespace(server, first_namespaces[i], err))
            return false;
    return turn_commit_now(server->turn, err);
}

static str new_boot(void)
{
    char text[32];
    int len = snprintf(text, sizeof(text), "%llx", (unsigned long long)clock_wall_ms());

    return str_own(str_of(text, (size_t)len));
}

bool apiserver_new(struct loop *loop, const struct apiserver_options *options,
                   struct apiserver **ret_server, struct err *err)
{
    auto_apiserver struct apiserver *server = new0(struct apiserver);

    server->loop = loop;
    server->name = mem_dup_z(str_from(options->name));
    server->kinds = options->kinds;
    server->boot = new_boot();
    server->may = options->may;
    server->may_owner = options->may_owner;
    if (!sqlite_new(options->path, options->sync, &server->db, err) ||
        !store_new(server->db, &server->store, err))
        return err_wrap(err, "store of %s", options->name);
    server->hub = watch_hub_new(store_rv(server->store));
    server->registry = registry_new(options->kinds);
    server->collector = collector_new(server);
    server->turn = turn_new(server);
    server->expire = expire_new(server);
    if (!crd_load_all(server, err) || !collector_start(server->collector, err) ||
        !bootstrap(server, err))
        return err_wrap(err, "store of %s", options->name);

    *ret_server = TAKE(server);
    return true;
}

void apiserver_free(struct apiserver *server)
{
    struct err err = {0};

    if (server == NULL)
        return;
    if (server->turn != NULL)
        (void)!turn_commit_now(server->turn, &err);
    turn_free(server->turn);
    expire_free(server->expire);
    collector_free(server->collector);
    registry_free(server->registry);
    watch_hub_free(server->hub);
    store_free(server->store);
    sqlite_free(server->db);
    str_own_free(&server->boot);
    mem_free(server->name);
    mem_free(server);
}

const char *apiserver_name(const struct apiserver *server)
{
    return server->name;
}

void apiserver_set_may(struct apiserver *server, apiserver_may_fn *may, void *owner)
{
    server->may = may;
    server->may_owner = owner;
}

void apiserver_set_admit(struct apiserver *server, apiserver_admit_fn *admit, void *owner)
{
    server->admit = admit;
    server->admit_owner = owner;
}

int64_t apiserver_commit_us(const struct apiserver *server)
{
    return sqlite_commit_us(server->db);
}

void apiserver_set_rules(struct apiserver *server, apiserver_rules_fn *rules, void *owner)
{
    server->rules = rules;
    server->rules_owner = owner;
}
