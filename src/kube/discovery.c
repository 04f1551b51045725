/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/discovery.h"

#include "base/map.h"
#include "base/mem.h"

#include <assert.h>

/* KEP-3352: one document for all of /api and one for all of /apis. */
#define AGGREGATED                                                                                 \
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,"                        \
    "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json"

struct version {
    str group;
    str version;
    bool is_known; /* its resources were listed */
};

/* What one run found out; replaced as a whole. */
struct table {
    struct arena *arena;
    struct version *versions; /* in order of preference within a group */
    size_t version_count;
    struct discovery_kind *kinds;
    size_t kind_count;
    size_t kind_size;
    struct map *by_kind;     /* "group/version/Kind" → struct discovery_kind index + 1 */
    struct map *by_resource; /* "group/version/resource" → the same */
    str server_version;
};

struct waiter {
    struct waiter *next;
    discovery_done_fn *done;
    void *owner;
};

struct run;

/* One request of a run. */
struct part {
    struct run *run;
    struct kube_call *call;
    str group;
    str version;
    size_t index; /* of the version it asks for; SIZE_MAX: a root */
};

struct run {
    struct discovery *discovery;
    struct table *table;
    struct part **parts;
    size_t part_count;
    size_t part_size;
    size_t open; /* without an answer */
    bool failed; /* a root did not answer: nothing can be said */
    struct err err;
};

struct discovery {
    struct kube *kube;
    struct table *table; /* NULL: not loaded */
    struct run *run;
    struct waiter *waiting; /* for the running run */
    struct waiter *later;   /* came while it ran: for the next one */
    struct loop_task *start;
    uint64_t generation;
    uint64_t hash;
    bool telling;
    bool is_dead;
};

/* ---- tables ---- */

static struct table *table_new(void)
{
    struct table *table = new0(struct table);

    table->arena = arena_new(LIMIT_RESPONSE_BYTES);
    table->by_kind = map_new();
    table->by_resource = map_new();
    return table;
}

static void table_free(struct table *table)
{
    if (table == NULL)
        return;
    arena_free(table->arena);
    mem_free(table->versions);
    mem_free(table->kinds);
    map_free(table->by_kind);
    map_free(table->by_resource);
    mem_free(table);
}

static str key_of(struct arena *arena, str group, str version, str name)
{
    return arena_printf(arena, "%.*s/%.*s/%.*s", STR(group), STR(version), STR(name));
}

/* Index of the group's version, added when new. */
static size_t table_add_version(struct table *table, str group, str version, bool is_known)
{
    for (size_t i = 0; i < table->version_count; i++) {
        if (str_eq(table->versions[i].group, group) && str_eq(table->versions[i].version, version))
            return i;
    }
    table->versions = mem_grow(table->versions, table->version_count + 1, sizeof(struct version));
    table->versions[table->version_count] = (struct version){
            .group = arena_str(table->arena, group),
            .version = arena_str(table->arena, version),
            .is_known = is_known,
    };
    return table->version_count++;
}

static bool has_verb(const struct val *verbs, str verb)
{
    struct val_iter it = val_iter(verbs);

    while (val_next(&it)) {
        if (str_eq(val_str(it.value), verb))
            return true;
    }
    return false;
}

static void table_add_kind(struct table *table, struct gvk gvk, str resource, bool namespaced,
                           const struct val *verbs)
{
    struct arena *arena = table->arena;

    if (resource.len == 0 || gvk.kind.len == 0 || table->kind_count >= LIMIT_DISCOVERY_KINDS)
        return;
    if (table->kind_count == table->kind_size) {
        table->kind_size = MAX((size_t)128, table->kind_size * 2);
        table->kinds = mem_grow(table->kinds, table->kind_size, sizeof(struct discovery_kind));
    }
    table->kinds[table->kind_count++] = (struct discovery_kind){
            .gvk = {arena_str(arena, gvk.group), arena_str(arena, gvk.version),
                    arena_str(arena, gvk.kind)},
            .resource = arena_str(arena, resource),
            .namespaced = namespaced,
            .can_list_watch = has_verb(verbs, S("list")) && has_verb(verbs, S("watch")),
            .can_patch = has_verb(verbs, S("patch")),
            .can_delete = has_verb(verbs, S("delete")),
    };
    void *index = (void *)(uintptr_t)table->kind_count;
    str kind_key = key_of(arena, gvk.group, gvk.version, gvk.kind);
    if (!map_has(table->by_kind, kind_key))
        map_set(table->by_kind, kind_key, index);
    map_set(table->by_resource, key_of(arena, gvk.group, gvk.version, resource), index);
}

static const struct discovery_kind *table_get(const struct table *table, const struct map *map,
                                              str group, str version, str name)
{
    auto_arena struct arena *arena = arena_new(LIMIT_KEY_ARENA);
    uintptr_t index = (uintptr_t)map_get(map, key_of(arena, group, version, name));

    return index == 0 ? NULL : &table->kinds[index - 1];
}

static uint64_t mix(uint64_t hash, uint64_t more)
{
    return (hash ^ more) * 0x9e3779b97f4a7c15ULL;
}

/* The order in which answers came does not matter, the order of a group's versions does. */
static uint64_t table_hash(const struct table *table)
{
    uint64_t sum = str_hash(table->server_version);

    for (size_t i = 0; i < table->version_count; i++) {
        const struct version *version = &table->versions[i];
        uint64_t before = 0;

        for (size_t k = 0; k < i; k++)
            before += str_eq(table->versions[k].group, version->group);
        sum += mix(mix(str_hash(version->group), str_hash(version->version)),
                   before * 2 + version->is_known);
    }
    for (size_t i = 0; i < table->kind_count; i++) {
        const struct discovery_kind *kind = &table->kinds[i];
        uint64_t facts = (uint64_t)kind->namespaced + 2 * (uint64_t)kind->can_list_watch +
                         4 * (uint64_t)kind->can_patch + 8 * (uint64_t)kind->can_delete;
        uint64_t name = mix(str_hash(kind->gvk.group), str_hash(kind->gvk.version));

        sum += mix(mix(mix(name, str_hash(kind->gvk.kind)), str_hash(kind->resource)), facts);
    }
    return sum;
}

/* ---- reading answers ---- */

/* apidiscovery.k8s.io APIGroupDiscoveryList. A version that the aggregator could not refresh is
 * "Stale": what it lists counts, what it does not list is unknown. */
static void read_aggregated(struct table *table, const struct val *list)
{
    struct val_iter groups = val_iter(val_get(list, S("items")));

    while (val_next(&groups)) {
        str group = object_name(groups.value);
        struct val_iter versions = val_iter(val_get(groups.value, S("versions")));

        while (val_next(&versions)) {
            str version = val_get_str(versions.value, S("version"));
            bool is_stale = str_eq(val_get_str(versions.value, S("freshness")), S("Stale"));
            struct val_iter it = val_iter(val_get(versions.value, S("resources")));

            table_add_version(table, group, version, !is_stale);
            while (val_next(&it)) {
                struct gvk gvk = {group, version, VAL_STR(it.value, "responseKind", "kind")};

                table_add_kind(table, gvk, val_get_str(it.value, S("resource")),
                               str_eq(val_get_str(it.value, S("scope")), S("Namespaced")),
                               val_get(it.value, S("verbs")));
            }
        }
    }
}

/* APIResourceList of one group and version. */
static void read_resources(struct table *table, const struct part *part, const struct val *list)
{
    struct val_iter it = val_iter(val_get(list, S("resources")));

    while (val_next(&it)) {
        str name = val_get_str(it.value, S("name"));
        struct gvk gvk = {part->group, part->version, val_get_str(it.value, S("kind"))};

        if (str_find_char(name, '/') != SIZE_MAX)
            continue; /* a sub-resource */
        table_add_kind(table, gvk, name, val_get_bool(it.value, S("namespaced"), false),
                       val_get(it.value, S("verbs")));
    }
    table->versions[part->index].is_known = true;
}

/* ---- a run ---- */

static void run_ask(struct run *run, str path, str accept, str group, str version, size_t index,
                    kube_done_fn *done)
{
    struct part *part = new0(struct part);
    struct kube_request request = {.verb = KUBE_RAW_GET, .path = path, .accept = accept};

    part->run = run;
    part->group = arena_str(run->table->arena, group);
    part->version = arena_str(run->table->arena, version);
    part->index = index;
    if (run->part_count == run->part_size) {
        run->part_size = MAX((size_t)8, run->part_size * 2);
        run->parts = mem_grow(run->parts, run->part_size, sizeof(struct part *));
    }
    run->parts[run->part_count++] = part;
    run->open++;
    part->call = kube_start(run->discovery->kube, &request, done, part);
}

static void run_free(struct run *run)
{
    if (run == NULL)
        return;
    for (size_t i = 0; i < run->part_count; i++) {
        kube_cancel(run->parts[i]->call);
        mem_free(run->parts[i]);
    }
    mem_free(run->parts);
    table_free(run->table);
    mem_free(run);
}

static void tell(struct discovery *discovery, struct waiter *waiters, const struct err *err)
{
    discovery->telling = true;
    discovery->waiting = waiters;
    while (discovery->waiting != NULL) {
        struct waiter *waiter = discovery->waiting;

        discovery->waiting = waiter->next;
        waiter->done(waiter->owner, err);
        mem_free(waiter);
    }
    discovery->telling = false;
}

static void discovery_destroy(struct discovery *discovery)
{
    loop_task_free(discovery->start);
    table_free(discovery->table);
    mem_free(discovery);
}

static void run_end(struct run *run)
{
    struct discovery *discovery = run->discovery;
    struct err err = run->err;
    bool failed = run->failed;

    discovery->run = NULL;
    if (!failed) {
        uint64_t hash = table_hash(run->table);

        if (discovery->table == NULL || hash != discovery->hash)
            discovery->generation++;
        discovery->hash = hash;
        table_free(discovery->table);
        discovery->table = TAKE(run->table);
    }
    run_free(run);
    tell(discovery, TAKE(discovery->waiting), failed ? &err : NULL);
    if (discovery->is_dead)
        discovery_destroy(discovery);
    else if (discovery->later != NULL)
        loop_task_post(discovery->start);
}

/* True when that was the last answer; the run is gone then. */
static void part_over(struct part *part)
{
    struct run *run = part->run;

    part->call = NULL;
    if (--run->open == 0)
        run_end(run);
}

static void on_resources(void *owner, struct kube_response *response)
{
    struct part *part = owner;

    /* A group that does not answer stays unknown; the others count. */
    if (response->ok)
        read_resources(part->run->table, part, response->object);
    part_over(part);
}

static void ask_resources(struct run *run, str group, str version)
{
    struct table *table = run->table;
    size_t index = table_add_version(table, group, version, /*is_known=*/false);
    str path = group.len == 0
                       ? arena_printf(table->arena, "/api/%.*s", STR(version))
                       : arena_printf(table->arena, "/apis/%.*s/%.*s", STR(group), STR(version));

    if (table->version_count <= LIMIT_DISCOVERY_VERSIONS)
        run_ask(run, path, STR_EMPTY, group, version, index, on_resources);
}

/* The old way: the root names groups and versions, each of which is asked by itself. */
static void read_old_root(struct run *run, const struct val *root)
{
    struct val_iter versions = val_iter(val_get(root, S("versions")));
    struct val_iter groups = val_iter(val_get(root, S("groups")));

    while (val_next(&versions))
        ask_resources(run, STR_EMPTY, val_str(versions.value));
    while (val_next(&groups)) {
        str group = val_get_str(groups.value, S("name"));
        str preferred = VAL_STR(groups.value, "preferredVersion", "version");
        struct val_iter it = val_iter(val_get(groups.value, S("versions")));

        if (preferred.len > 0)
            ask_resources(run, group, preferred);
        while (val_next(&it)) {
            str version = val_get_str(it.value, S("version"));

            if (!str_eq(version, preferred))
                ask_resources(run, group, version);
        }
    }
}

static void on_root(void *owner, struct kube_response *response)
{
    struct part *part = owner;
    struct run *run = part->run;

    if (!response->ok) {
        run->failed = true;
        run->err = response->err;
        err_wrap(&run->err, "which kinds it serves is not known");
    } else if (str_eq(val_get_str(response->object, S("kind")), S("APIGroupDiscoveryList"))) {
        read_aggregated(run->table, response->object);
    } else {
        read_old_root(run, response->object);
    }
    part_over(part);
}

static void on_version(void *owner, struct kube_response *response)
{
    struct part *part = owner;
    struct table *table = part->run->table;

    if (response->ok)
        table->server_version =
                arena_str(table->arena, val_get_str(response->object, S("gitVersion")));
    part_over(part);
}

static void run_begin(void *owner)
{
    struct discovery *discovery = owner;

    if (discovery->run != NULL)
        return;
    discovery->waiting = TAKE(discovery->later);
    struct run *run = new0(struct run);
    run->discovery = discovery;
    run->table = table_new();
    discovery->run = run;
    run_ask(run, S("/api"), S(AGGREGATED), STR_EMPTY, STR_EMPTY, SIZE_MAX, on_root);
    run_ask(run, S("/apis"), S(AGGREGATED), STR_EMPTY, STR_EMPTY, SIZE_MAX, on_root);
    run_ask(run, S("/version"), STR_EMPTY, STR_EMPTY, STR_EMPTY, SIZE_MAX, on_version);
}

/* ---- the face ---- */

struct discovery *discovery_new(struct kube *kube)
{
    struct discovery *discovery = new0(struct discovery);

    discovery->kube = kube;
    discovery->start = loop_task_new(kube->loop, "discovery", run_begin, discovery);
    return discovery;
}

static void waiters_free(struct waiter *waiters)
{
    while (waiters != NULL) {
        struct waiter *next = waiters->next;

        mem_free(waiters);
        waiters = next;
    }
}

void discovery_free(struct discovery *discovery)
{
    if (discovery == NULL)
        return;
    assert(!discovery->is_dead);
    run_free(TAKE(discovery->run));
    waiters_free(TAKE(discovery->waiting));
    waiters_free(TAKE(discovery->later));
    loop_task_cancel(discovery->start);
    discovery->is_dead = true;
    if (!discovery->telling)
        discovery_destroy(discovery);
}

void discovery_refresh(struct discovery *discovery, discovery_done_fn *done, void *owner)
{
    struct waiter **at = &discovery->later;
    struct waiter *waiter = new0(struct waiter);

    waiter->done = done;
    waiter->owner = owner;
    while (*at != NULL)
        at = &(*at)->next;
    *at = waiter;
    if (discovery->run == NULL)
        loop_task_post(discovery->start);
}

static void forget_in(struct waiter **at, const void *owner)
{
    while (*at != NULL) {
        struct waiter *waiter = *at;

        if (waiter->owner == owner) {
            *at = waiter->next;
            mem_free(waiter);
        } else {
            at = &waiter->next;
        }
    }
}

void discovery_forget(struct discovery *discovery, void *owner)
{
    forget_in(&discovery->waiting, owner);
    forget_in(&discovery->later, owner);
}

bool discovery_is_loaded(const struct discovery *discovery)
{
    return discovery->table != NULL;
}

/* Nothing was found: may it be said that there is nothing? */
static enum discovery_answer absence(const struct table *table, str group, str version)
{
    for (size_t i = 0; i < table->version_count; i++) {
        const struct version *at = &table->versions[i];

        if (str_eq(at->group, group) && (version.len == 0 || str_eq(at->version, version)) &&
            !at->is_known)
            return DISCOVERY_UNKNOWN;
    }
    return DISCOVERY_ABSENT;
}

static enum discovery_answer found(const struct discovery_kind *kind,
                                   struct discovery_kind *ret_kind)
{
    if (ret_kind != NULL)
        *ret_kind = *kind;
    return DISCOVERY_FOUND;
}

enum discovery_answer discovery_find(const struct discovery *discovery, struct gvk gvk,
                                     struct discovery_kind *ret_kind)
{
    const struct table *table = discovery->table;

    if (table == NULL)
        return DISCOVERY_UNKNOWN;
    const struct discovery_kind *kind =
            table_get(table, table->by_kind, gvk.group, gvk.version, gvk.kind);
    return kind == NULL ? absence(table, gvk.group, gvk.version) : found(kind, ret_kind);
}

enum discovery_answer discovery_find_kind(const struct discovery *discovery, str group, str kind,
                                          struct discovery_kind *ret_kind)
{
    const struct table *table = discovery->table;

    if (table == NULL)
        return DISCOVERY_UNKNOWN;
    for (size_t i = 0; i < table->version_count; i++) {
        const struct version *at = &table->versions[i];

        if (!str_eq(at->group, group))
            continue;
        const struct discovery_kind *row =
                table_get(table, table->by_kind, group, at->version, kind);
        if (row != NULL)
            return found(row, ret_kind);
    }
    return absence(table, group, STR_EMPTY);
}

enum discovery_answer discovery_find_resource(const struct discovery *discovery, struct gvr gvr,
                                              struct discovery_kind *ret_kind)
{
    const struct table *table = discovery->table;

    if (table == NULL)
        return DISCOVERY_UNKNOWN;
    const struct discovery_kind *kind =
            table_get(table, table->by_resource, gvr.group, gvr.version, gvr.resource);
    return kind == NULL ? absence(table, gvr.group, gvr.version) : found(kind, ret_kind);
}

size_t discovery_count(const struct discovery *discovery)
{
    return discovery->table == NULL ? 0 : discovery->table->kind_count;
}

const struct discovery_kind *discovery_at(const struct discovery *discovery, size_t index)
{
    assert(index < discovery_count(discovery));
    return &discovery->table->kinds[index];
}

str discovery_server_version(const struct discovery *discovery)
{
    return discovery->table == NULL ? STR_EMPTY : discovery->table->server_version;
}

bool discovery_each(const struct discovery *discovery, discovery_each_fn *fn, void *owner)
{
    const struct table *table = discovery->table;
    bool whole = table != NULL;

    for (size_t i = 0; table != NULL && i < table->version_count; i++)
        whole = whole && table->versions[i].is_known;
    for (size_t i = 0; table != NULL && i < table->kind_count; i++)
        fn(owner, &table->kinds[i]);
    return whole;
}

uint64_t discovery_generation(const struct discovery *discovery)
{
    return discovery->generation;
}
