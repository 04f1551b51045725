/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/fake_store.h"

#include "base/clock.h"
#include "base/map.h"
#include "base/mem.h"

#include <assert.h>

/* Everything that a test puts in lives in one arena until the end. */
#define STORE_BYTES (512 * LIMIT_MIB)

static const struct builtin {
    const char *api_version;
    const char *kind;
    const char *resource;
    bool namespaced;
} builtins[] = {
        {"v1", "Namespace", "namespaces", false},
        {"v1", "ConfigMap", "configmaps", true},
        {"v1", "Secret", "secrets", true},
        {"v1", "Service", "services", true},
        {"v1", "ServiceAccount", "serviceaccounts", true},
        {"v1", "Pod", "pods", true},
        {"v1", "Event", "events", true},
        {"v1", "Node", "nodes", false},
        {"v1", "PersistentVolume", "persistentvolumes", false},
        {"v1", "PersistentVolumeClaim", "persistentvolumeclaims", true},
        {"apps/v1", "Deployment", "deployments", true},
        {"apps/v1", "ReplicaSet", "replicasets", true},
        {"apps/v1", "StatefulSet", "statefulsets", true},
        {"apps/v1", "DaemonSet", "daemonsets", true},
        {"batch/v1", "Job", "jobs", true},
        {"batch/v1", "CronJob", "cronjobs", true},
        {"autoscaling/v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers", true},
        {"autoscaling/v1", "HorizontalPodAutoscaler", "horizontalpodautoscalers", true},
        {"networking.k8s.io/v1", "Ingress", "ingresses", true},
        {"networking.k8s.io/v1", "NetworkPolicy", "networkpolicies", true},
        {"policy/v1", "PodDisruptionBudget", "poddisruptionbudgets", true},
        {"rbac.authorization.k8s.io/v1", "ClusterRole", "clusterroles", false},
        {"rbac.authorization.k8s.io/v1", "ClusterRoleBinding", "clusterrolebindings", false},
        {"rbac.authorization.k8s.io/v1", "Role", "roles", true},
        {"rbac.authorization.k8s.io/v1", "RoleBinding", "rolebindings", true},
        {"coordination.k8s.io/v1", "Lease", "leases", true},
        {"apiextensions.k8s.io/v1", "CustomResourceDefinition", "customresourcedefinitions", false},
        {"admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration",
         "validatingwebhookconfigurations", false},
        {"admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration",
         "mutatingwebhookconfigurations", false},
        {"argoproj.io/v1alpha1", "Application", "applications", true},
        {"argoproj.io/v1alpha1", "AppProject", "appprojects", true},
        {"argoproj.io/v1alpha1", "ApplicationSet", "applicationsets", true},
};

static const char *const first_namespaces[] = {"default", "kube-system"};

struct fake_store *fake_store_new(bool with_kinds, fake_changed_fn *changed, void *owner)
{
    struct fake_store *store = new0(struct fake_store);

    store->arena = arena_new(STORE_BYTES);
    store->objects = map_new();
    for (size_t i = 0; i < COUNT(builtins) && with_kinds; i++)
        fake_store_add_kind(store, str_from(builtins[i].api_version), str_from(builtins[i].kind),
                            str_from(builtins[i].resource), builtins[i].namespaced);
    for (size_t i = 0; i < COUNT(first_namespaces) && with_kinds; i++) {
        struct val *object = val_new(store->arena, val_map());

        val_set_str(store->arena, object, S("apiVersion"), S("v1"));
        val_set_str(store->arena, object, S("kind"), S("Namespace"));
        val_set_str(store->arena, val_ensure_map(store->arena, object, S("metadata")), S("name"),
                    str_from(first_namespaces[i]));
        fake_store_put(store, object);
    }
    store->changed = changed;
    store->owner = owner;
    return store;
}

void fake_store_free(struct fake_store *store)
{
    map_free(store->objects);
    mem_free(store->kinds);
    mem_free(store->changes);
    arena_free(store->arena);
    mem_free(store);
}

/* ---- kinds ---- */

void fake_store_add_kind(struct fake_store *store, str api_version, str kind, str resource,
                         bool namespaced)
{
    struct gvk gvk = gvk_parse(api_version, kind);

    if (fake_store_kind_of(store, gvk) != NULL)
        return;
    store->kinds = mem_grow(store->kinds, store->kind_count + 1, sizeof(struct fake_kind));
    store->kinds[store->kind_count++] = (struct fake_kind){
            .gvk = {arena_str(store->arena, gvk.group), arena_str(store->arena, gvk.version),
                    arena_str(store->arena, gvk.kind)},
            .resource = arena_str(store->arena, resource),
            .namespaced = namespaced,
    };
}

static void forget_kinds(struct fake_store *store, str group, str resource)
{
    size_t kept = 0;

    for (size_t i = 0; i < store->kind_count; i++) {
        const struct fake_kind *kind = &store->kinds[i];

        if (!str_eq(kind->gvk.group, group) || !str_eq(kind->resource, resource))
            store->kinds[kept++] = *kind;
    }
    store->kind_count = kept;
}

const struct fake_kind *fake_store_kind(const struct fake_store *store, struct gvr gvr)
{
    for (size_t i = 0; i < store->kind_count; i++) {
        const struct fake_kind *kind = &store->kinds[i];

        if (str_eq(kind->gvk.group, gvr.group) && str_eq(kind->gvk.version, gvr.version) &&
            str_eq(kind->resource, gvr.resource))
            return kind;
    }
    return NULL;
}

const struct fake_kind *fake_store_kind_of(const struct fake_store *store, struct gvk gvk)
{
    for (size_t i = 0; i < store->kind_count; i++) {
        if (gvk_eq(store->kinds[i].gvk, gvk))
            return &store->kinds[i];
    }
    return NULL;
}

struct gvr fake_kind_gvr(const struct fake_kind *kind)
{
    return (struct gvr){kind->gvk.group, kind->gvk.version, kind->resource};
}

/* A CustomResourceDefinition that comes or goes brings or takes its kinds. */
static void follow_crd(struct fake_store *store, const struct val *was, const struct val *is)
{
    const struct val *crd = is != NULL ? is : was;
    str group = VAL_STR(crd, "spec", "group");
    str plural = VAL_STR(crd, "spec", "names", "plural");
    struct val_iter it = val_iter(VAL_AT(is, "spec", "versions"));

    forget_kinds(store, group, plural);
    while (val_next(&it)) {
        auto_arena struct arena *arena = arena_new(16 * LIMIT_KIB);
        str api_version = gvk_api_version(arena, group, val_get_str(it.value, S("name")));

        if (val_get_bool(it.value, S("served"), false))
            fake_store_add_kind(store, api_version, VAL_STR(crd, "spec", "names", "kind"), plural,
                                str_eq(VAL_STR(crd, "spec", "scope"), S("Namespaced")));
    }
}

/* ---- objects and history ---- */

static str key_of(struct arena *arena, struct gvr gvr, str namespace_, str name)
{
    return arena_printf(arena, "%.*s/%.*s/%.*s/%.*s", STR(gvr.group), STR(gvr.resource),
                        STR(namespace_), STR(name));
}

struct fake_object *fake_store_get(const struct fake_store *store, struct gvr gvr, str namespace_,
                                   str name)
{
    return map_get(store->objects, key_of(store->arena, gvr, namespace_, name));
}

static void set_version(struct fake_store *store, struct val *object)
{
    val_set_str(store->arena, val_ensure_map(store->arena, object, S("metadata")),
                S("resourceVersion"),
                arena_printf(store->arena, "%llu", (unsigned long long)store->version));
}

/* The one way in which the world changes. `is` lives in the store's arena. */
void fake_store_commit(struct fake_store *store, struct gvr gvr, struct val *was, struct val *is)
{
    const struct val *named = is != NULL ? is : was;
    str key = key_of(store->arena, gvr, object_namespace(named), object_name(named));
    struct fake_change *entry = arena_new0(store->arena, struct fake_change);

    store->version++;
    if (is != NULL) {
        struct fake_object *object = map_get(store->objects, key);

        set_version(store, is);
        if (object == NULL) {
            object = arena_new0(store->arena, struct fake_object);
            map_set(store->objects, key, object);
        }
        object->gvr = gvr;
        object->v = is;
    } else {
        map_del(store->objects, key);
        was = val_dup(store->arena, was);
        set_version(store, was);
    }
    *entry = (struct fake_change){store->version, gvr, was, is};
    if (store->change_count == store->change_size) {
        store->change_size = MAX((size_t)64, store->change_size * 2);
        store->changes = mem_grow(store->changes, store->change_size, sizeof(struct fake_change *));
    }
    store->changes[store->change_count++] = entry;
    if (str_eq(gvr.resource, S("customresourcedefinitions")))
        follow_crd(store, was, is);
    if (store->changed != NULL)
        store->changed(store->owner);
}

uint64_t fake_store_version(const struct fake_store *store)
{
    return store->version;
}

void fake_store_expire(struct fake_store *store)
{
    store->version++;
    store->expired = store->version;
}

bool fake_store_is_expired(const struct fake_store *store, uint64_t version)
{
    return version < store->expired;
}

size_t fake_store_change_count(const struct fake_store *store)
{
    return store->change_count;
}

const struct fake_change *fake_store_change(const struct fake_store *store, size_t index)
{
    return store->changes[index];
}

bool fake_resource_matches(str wanted, struct gvr gvr)
{
    size_t dot = str_find_char(wanted, '.');

    if (!str_eq(str_first(wanted, dot), gvr.resource))
        return false;
    return dot == SIZE_MAX || str_eq(str_from_index(wanted, dot + 1), gvr.group);
}

void fake_store_each(const struct fake_store *store, fake_each_fn *fn, void *owner)
{
    struct map_iter it = map_iter(store->objects);

    while (map_next(&it)) {
        struct fake_object *object = it.value;

        fn(owner, object->gvr, object->v);
    }
}

static struct fake_object *find_any(const struct fake_store *store, str resource, str namespace_,
                                    str name)
{
    struct map_iter it = map_iter(store->objects);

    while (map_next(&it)) {
        struct fake_object *object = it.value;

        if (fake_resource_matches(resource, object->gvr) &&
            str_eq(object_namespace(object->v), namespace_) && str_eq(object_name(object->v), name))
            return object;
    }
    return NULL;
}

const struct val *fake_store_find(const struct fake_store *store, str resource, str namespace_,
                                  str name)
{
    struct fake_object *object = find_any(store, resource, namespace_, name);

    return object == NULL ? NULL : object->v;
}

size_t fake_store_count(const struct fake_store *store, str resource)
{
    struct map_iter it = map_iter(store->objects);
    size_t count = 0;

    while (map_next(&it)) {
        struct fake_object *object = it.value;

        count += fake_resource_matches(resource, object->gvr);
    }
    return count;
}

void fake_store_set_birth(struct fake_store *store, struct val *object)
{
    struct arena *arena = store->arena;
    struct val *metadata = val_ensure_map(arena, object, S("metadata"));
    char now[CLOCK_RFC3339_SIZE];

    clock_format(clock_wall_ms(), now);
    if (str_is_empty(val_get_str(metadata, S("uid"))))
        val_set_str(arena, metadata, S("uid"),
                    arena_printf(arena, "00000000-0000-4000-8000-%012llu",
                                 (unsigned long long)++store->uids));
    if (str_is_empty(val_get_str(metadata, S("creationTimestamp"))))
        val_set_str(arena, metadata, S("creationTimestamp"), str_from(now));
    val_set(arena, metadata, S("generation"), val_int(arena, 1));
}

const struct val *fake_store_put(struct fake_store *store, const struct val *object)
{
    const struct fake_kind *kind = fake_store_kind_of(store, gvk_of(object));
    struct val *is = val_dup(store->arena, object);

    assert(kind != NULL); /* kube_fake_add_kind first */
    struct fake_object *known = fake_store_get(store, fake_kind_gvr(kind), object_namespace(object),
                                               object_name(object));
    struct val *was = known == NULL ? NULL : known->v;
    if (was == NULL) {
        fake_store_set_birth(store, is);
    } else {
        struct val *metadata = val_ensure_map(store->arena, is, S("metadata"));
        static const char *const kept[] = {"uid", "creationTimestamp", "managedFields"};

        for (size_t i = 0; i < COUNT(kept); i++) {
            const struct val *old = val_get(val_get(was, S("metadata")), str_from(kept[i]));

            if (old != NULL && val_get(metadata, str_from(kept[i])) == NULL)
                val_set(store->arena, metadata, str_from(kept[i]),
                        val_dup_value(store->arena, old));
        }
    }
    fake_store_commit(store, fake_kind_gvr(kind), was, is);
    return is;
}

/* ---- deletion ---- */

static bool is_owned_by(const struct val *object, str uid)
{
    struct val_iter it = val_iter(VAL_AT(object, "metadata", "ownerReferences"));

    while (val_next(&it)) {
        if (str_eq(val_get_str(it.value, S("uid")), uid))
            return true;
    }
    return false;
}

/* Everything that belongs to what went: dependents, and a namespace's content. */
static void remove_dependents(struct fake_store *store, str uid, str namespace_)
{
    for (bool again = true; again;) {
        struct map_iter it = map_iter(store->objects);

        again = false;
        while (map_next(&it)) {
            struct fake_object *object = it.value;
            bool goes = is_owned_by(object->v, uid) ||
                        (namespace_.len > 0 && str_eq(object_namespace(object->v), namespace_));

            if (goes) {
                fake_store_drop(store, object->gvr, object->v, /*orphan=*/false);
                again = true;
                break;
            }
        }
    }
}

void fake_store_drop(struct fake_store *store, struct gvr gvr, struct val *v, bool orphan)
{
    bool is_namespace = str_eq(gvr.resource, S("namespaces")) && gvr.group.len == 0;

    fake_store_commit(store, gvr, v, NULL);
    if (!orphan)
        remove_dependents(store, object_uid(v), is_namespace ? object_name(v) : STR_EMPTY);
}

bool fake_store_remove(struct fake_store *store, str resource, str namespace_, str name)
{
    struct fake_object *object = find_any(store, resource, namespace_, name);

    if (object == NULL)
        return false;
    fake_store_drop(store, object->gvr, object->v, /*orphan=*/false);
    return true;
}
