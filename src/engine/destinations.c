/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/destinations.h"
#include "base/map.h"
#include "base/mem.h"
#include "doc/hash.h"
#include "kube/kubeconfig.h"
#include "kube/remote.h"

#define IN_CLUSTER_SERVER S("https://kubernetes.default.svc")

/* One cluster Secret. New settings make a new cluster; the old one is retired, and freed when no
 * work in flight points at it any more. */
struct destination {
    struct arena *arena;
    str name;
    str server;
    str project;
    const struct val *secret;
    struct hash settings;    /* what the cluster is made from */
    struct cluster *cluster; /* NULL: the Secret is no good */
    struct err err;
};

struct destinations {
    struct destinations_options options;
    str control_namespace;
    const struct cluster_events *events;
    void *owner;
    struct cluster *home;
    struct cluster *sandbox;
    struct reflector *reflector;
    struct cluster **retired;
    size_t retired_count;
    struct loop_task *sweep;
};

static str server_normal(str server)
{
    str_chop(&server, S("/"));
    return server;
}

static str secret_text(struct arena *arena, const struct val *secret, const char *key)
{
    str bytes;

    return base64_decode(arena, val_get_str(val_get(secret, S("data")), str_from(key)), &bytes)
                   ? bytes
                   : STR_EMPTY;
}

/* Who may use the cluster, and its labels, are no settings of the connection. */
static struct hash secret_settings(const struct val *secret)
{
    static const char *const keys[] = {"name", "server", "config", "namespaces",
                                       "clusterResources"};
    struct hasher *hasher = hash_begin();

    hash_add(hasher, object_name(secret));
    for (size_t i = 0; i < COUNT(keys); i++) {
        hash_add(hasher, val_get_str(val_get(secret, S("data")), str_from(keys[i])));
        hash_add(hasher, S(" "));
    }
    return hash_end(hasher);
}

static void destination_connect(struct destinations *all, struct destination *destination)
{
    auto_kubeconfig struct kubeconfig *config = NULL;
    struct kube *kube;
    struct cluster_options options = {
            .name = destination->name, .server = destination->server, .owns_kube = true};

    if (!kubeconfig_from_cluster_secret(destination->secret, &config, &destination->err) ||
        !kube_remote_new(all->options.home->loop, destination->name, config, &kube,
                         &destination->err))
        return;
    options.kube = kube;
    options.limited = config->has_namespaces;
    options.namespaces = config->namespaces;
    options.cluster_resources = config->cluster_resources;
    destination->cluster = cluster_new(&options, all->events, all->owner);
}

static void *destination_keep(UNUSED void *owner, const struct val *object)
{
    struct arena *arena = arena_new(LIMIT_SECRET_ARENA);
    struct destination *destination = arena_new0(arena, struct destination);

    destination->arena = arena;
    destination->name = secret_text(arena, object, "name");
    if (str_is_empty(destination->name))
        destination->name = arena_str(arena, object_name(object));
    destination->server = server_normal(secret_text(arena, object, "server"));
    destination->project = secret_text(arena, object, "project");
    destination->secret = val_dup(arena, object);
    destination->settings = secret_settings(object);
    return destination;
}

/* Its cluster has moved on, or was retired, when its Secret changed. */
static void destination_drop(UNUSED void *owner, void *kept)
{
    struct destination *destination = kept;

    arena_free(destination->arena);
}

static void destinations_told(void *owner)
{
    struct destinations *all = owner;

    all->events->changed(all->owner, all->home);
}

static void destinations_swept(void *owner)
{
    struct destinations *all = owner;
    size_t kept = 0;

    for (size_t i = 0; i < all->retired_count; i++)
        if (cluster_is_used(all->retired[i]))
            all->retired[kept++] = all->retired[i];
        else
            cluster_free(all->retired[i]);
    all->retired_count = kept;
}

void destinations_sweep(struct destinations *all)
{
    loop_task_post(all->sweep);
}

static void destination_retire(struct destinations *all, struct cluster *cluster)
{
    if (cluster == NULL)
        return;
    cluster_retire(cluster);
    all->retired = mem_grow(all->retired, all->retired_count + 1, sizeof(struct cluster *));
    all->retired[all->retired_count++] = cluster;
    all->events->changed(all->owner, cluster);
    destinations_sweep(all);
}

/* Only here, not when it is kept: a relist keeps every Secret once more for nothing. */
static void destination_changed(void *owner, UNUSED str namespace_, UNUSED str name,
                                const void *was, const void *is)
{
    struct destinations *all = owner;
    struct destination *before = (struct destination *)(uintptr_t)was;
    struct destination *after = (struct destination *)(uintptr_t)is;
    struct cluster *cluster = before == NULL ? NULL : TAKE(before->cluster);

    if (cluster != NULL && after != NULL && hash_eq(&before->settings, &after->settings)) {
        after->cluster = cluster;
    } else {
        destination_retire(all, cluster);
        if (after != NULL)
            destination_connect(all, after);
    }
    destinations_told(all);
}

static void destination_trouble(UNUSED void *owner, UNUSED const struct err *err)
{
}

static const struct reflector_events secret_events = {
        .keep = destination_keep,
        .drop = destination_drop,
        .changed = destination_changed,
        .complete = destinations_told,
        .trouble = destination_trouble,
};

struct destinations *destinations_new(const struct destinations_options *options,
                                      const struct cluster_events *events, void *owner)
{
    struct destinations *all = new0(struct destinations);
    struct cluster_options home = {.kube = options->home,
                                   .name = options->home_is_cluster ? S("in-cluster") : S("home"),
                                   .server = options->home_is_cluster ? IN_CLUSTER_SERVER
                                                                      : S("https://home")};
    struct cluster_options sandbox = {.kube = options->sandbox,
                                      .name = S("sandbox"),
                                      .server = options->home_is_cluster ? S("https://sandbox")
                                                                         : IN_CLUSTER_SERVER};
    struct kube_selector what = {.gvr = {S(""), S("v1"), S("secrets")},
                                 .label_selector = S("argocd.argoproj.io/secret-type=cluster")};

    all->options = *options;
    all->control_namespace = str_own(options->control_namespace);
    all->events = events;
    all->owner = owner;
    all->sweep = loop_task_new(options->home->loop, "unused clusters", destinations_swept, all);
    all->home = cluster_new(&home, events, owner);
    if (options->sandbox != NULL)
        all->sandbox = cluster_new(&sandbox, events, owner);
    what.namespace_ = all->control_namespace;
    all->reflector = reflector_new(options->home, &what, &secret_events, all);
    return all;
}

static void destination_end(UNUSED void *owner, UNUSED str namespace_, UNUSED str name, void *kept)
{
    struct destination *destination = kept;

    cluster_free(TAKE(destination->cluster));
}

void destinations_free(struct destinations *all)
{
    if (all == NULL)
        return;
    reflector_each(all->reflector, destination_end, all);
    reflector_free(all->reflector);
    for (size_t i = 0; i < all->retired_count; i++)
        cluster_free(all->retired[i]);
    mem_free(all->retired);
    loop_task_free(all->sweep);
    cluster_free(all->sandbox);
    cluster_free(all->home);
    str_own_free(&all->control_namespace);
    mem_free(all);
}

bool destinations_is_complete(const struct destinations *all)
{
    return reflector_is_complete(all->reflector);
}

struct cluster *destinations_home(const struct destinations *all)
{
    return all->home;
}

/* ---- finding ---- */

struct search {
    const struct app_destination *wanted;
    struct destination *found;
};

static void search_one(void *owner, UNUSED str namespace_, UNUSED str name, void *kept)
{
    struct search *search = owner;
    struct destination *destination = kept;
    bool hit = str_is_empty(search->wanted->server)
                       ? str_eq(destination->name, search->wanted->name)
                       : str_eq(destination->server, server_normal(search->wanted->server));

    if (hit)
        search->found = destination;
}

static bool is_in_cluster(const struct app_destination *wanted)
{
    return str_eq(wanted->name, S("in-cluster")) ||
           str_eq(server_normal(wanted->server), IN_CLUSTER_SERVER);
}

/* The clusters that need no Secret. */
static struct cluster *find_built_in(const struct destinations *all,
                                     const struct app_destination *wanted)
{
    struct cluster *in_cluster = all->options.home_is_cluster ? all->home : all->sandbox;

    if (is_in_cluster(wanted))
        return in_cluster;
    if (all->sandbox != NULL &&
        (str_eq(wanted->name, S("sandbox")) ||
         str_eq(server_normal(wanted->server), cluster_server(all->sandbox))))
        return all->sandbox;
    if (str_eq(wanted->name, S("home")) ||
        (wanted->server.len > 0 &&
         str_eq(server_normal(wanted->server), cluster_server(all->home))))
        return all->home;
    return NULL;
}

struct cluster *destinations_find(const struct destinations *all,
                                  const struct app_destination *wanted, str project,
                                  struct err *err)
{
    struct search search = {.wanted = wanted};
    struct cluster *cluster;

    reflector_each(all->reflector, search_one, &search);
    if (search.found == NULL) {
        cluster = find_built_in(all, wanted);
        if (cluster == NULL && is_in_cluster(wanted))
            err_set(err, ERR_NOT_FOUND, "no cluster in-cluster: add one or start with --sandbox");
        else if (cluster == NULL)
            err_set(err, ERR_NOT_FOUND, "spec.destination: there is no cluster %.*s",
                    STR(str_is_empty(wanted->server) ? wanted->name : wanted->server));
        return cluster;
    }
    if (!str_is_empty(search.found->project) && !str_is_empty(project) &&
        !str_eq(search.found->project, project)) {
        err_set(err, ERR_FORBIDDEN, "the cluster '%.*s' belongs to project '%.*s'",
                STR(search.found->name), STR(search.found->project));
        return NULL;
    }
    if (search.found->cluster == NULL)
        *err = search.found->err;
    return search.found->cluster;
}

/* ---- listing ---- */

struct listing {
    struct arena *arena;
    struct val *list;
};

static void list_add(struct listing *listing, str name, str server, const struct cluster *cluster,
                     const struct err *err)
{
    struct val row = val_map();
    bool ready = cluster != NULL && cluster_is_ready(cluster);

    val_set_str(listing->arena, &row, S("name"), name);
    val_set_str(listing->arena, &row, S("server"), server);
    val_set(listing->arena, &row, S("reachable"), val_bool(ready));
    /* Of a cluster that does not answer now: what was known last. */
    if (cluster != NULL && !str_is_empty(discovery_server_version(cluster_discovery(cluster))))
        val_set_str(listing->arena, &row, S("version"),
                    discovery_server_version(cluster_discovery(cluster)));
    if (err != NULL)
        val_set_str(listing->arena, &row, S("message"), err_message(err));
    val_append(listing->arena, listing->list, row);
}

static void list_secret(void *owner, UNUSED str namespace_, UNUSED str name, void *kept)
{
    const struct destination *destination = kept;
    struct listing *listing = owner;
    str environment = object_label(destination->secret, S("taut.dev/environment"));

    list_add(owner, destination->name, destination->server, destination->cluster,
             destination->cluster == NULL ? &destination->err
                                          : cluster_trouble(destination->cluster));
    if (!str_is_empty(environment))
        val_set_str(listing->arena, val_item(listing->list, val_count(listing->list) - 1),
                    S("environment"), environment);
}

struct val *destinations_list(const struct destinations *all, struct arena *arena)
{
    struct listing listing = {arena, val_new(arena, val_list())};

    if (all->options.home_is_cluster)
        list_add(&listing, cluster_name(all->home), cluster_server(all->home), all->home,
                 cluster_trouble(all->home));
    if (all->sandbox != NULL)
        list_add(&listing, cluster_name(all->sandbox), cluster_server(all->sandbox), all->sandbox,
                 cluster_trouble(all->sandbox));
    reflector_each(all->reflector, list_secret, &listing);
    return listing.list;
}
