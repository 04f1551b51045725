/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/rbac.h"

#include "auth/rule.h"
#include "base/map.h"
#include "base/mem.h"
#include "kube/reflector.h"

enum { ROLES, CLUSTER_ROLES, BINDINGS, CLUSTER_BINDINGS, KINDS };

static const char *const resources[KINDS] = {
        [ROLES] = "roles",
        [CLUSTER_ROLES] = "clusterroles",
        [BINDINGS] = "rolebindings",
        [CLUSTER_BINDINGS] = "clusterrolebindings",
};

/* The RoleBindings of one namespace. */
struct bucket {
    const struct kept **bindings;
    str *names;
    size_t count;
    size_t room;
};

struct rbac {
    struct reflector *reflectors[KINDS];
    struct map *buckets; /* namespace → struct bucket; NULL: to be made again */
    rbac_changed_fn *changed;
    void *owner;
};

static void forget_buckets(struct rbac *rbac)
{
    struct map *buckets = TAKE(rbac->buckets);

    if (buckets == NULL)
        return;
    struct map_iter it = map_iter(buckets);
    while (map_next(&it)) {
        struct bucket *bucket = it.value;
        mem_free(bucket->bindings);
        mem_free(bucket->names);
        mem_free(bucket);
    }
    map_free(buckets);
}

/* What is kept of an object: the object itself, reduced to what decides. */
static void *keep(void *owner, const struct val *object)
{
    forget_buckets(owner);
    struct arena *arena = arena_new(LIMIT_MIB);
    struct kept *kept = arena_new0(arena, struct kept);

    kept->arena = arena;
    kept->rules = val_dup(arena, val_get(object, S("rules")));
    kept->subjects = val_dup(arena, val_get(object, S("subjects")));
    kept->role_ref = val_dup(arena, val_get(object, S("roleRef")));
    return kept;
}

static void drop(void *owner, void *item)
{
    struct kept *kept = item;
    forget_buckets(owner);
    arena_free(kept->arena);
}

static void on_changed(void *owner, UNUSED str namespace_, UNUSED str name, UNUSED const void *was,
                       UNUSED const void *is)
{
    struct rbac *rbac = owner;
    rbac->changed(rbac->owner);
}

struct rbac *rbac_new(struct kube *home, rbac_changed_fn *changed, void *owner)
{
    static const struct reflector_events events = {
            .keep = keep, .drop = drop, .changed = on_changed};
    struct rbac *rbac = new0(struct rbac);

    rbac->changed = changed;
    rbac->owner = owner;

    for (size_t i = 0; i < KINDS; i++) {
        struct kube_selector what = {
                .gvr = {S("rbac.authorization.k8s.io"), S("v1"), str_from(resources[i])}};
        rbac->reflectors[i] = reflector_new(home, &what, &events, rbac);
    }
    return rbac;
}

void rbac_free(struct rbac *rbac)
{
    if (rbac == NULL)
        return;
    for (size_t i = 0; i < KINDS; i++)
        reflector_free(rbac->reflectors[i]);
    forget_buckets(rbac);
    mem_free(rbac);
}

bool rbac_is_complete(const struct rbac *rbac)
{
    for (size_t i = 0; i < KINDS; i++) {
        if (!reflector_is_complete(rbac->reflectors[i]))
            return false;
    }
    return true;
}

static void put_in_bucket(void *owner, str namespace_, str name, void *item)
{
    struct rbac *rbac = owner;
    struct bucket *bucket = map_get(rbac->buckets, namespace_);

    if (bucket == NULL) {
        bucket = new0(struct bucket);
        map_set(rbac->buckets, namespace_, bucket);
    }
    if (bucket->count == bucket->room) {
        bucket->room = MAX(bucket->room * 2, (size_t)4);
        bucket->bindings = mem_grow(bucket->bindings, bucket->room, sizeof(*bucket->bindings));
        bucket->names = mem_grow(bucket->names, bucket->room, sizeof(*bucket->names));
    }
    bucket->bindings[bucket->count] = item;
    bucket->names[bucket->count++] = name;
}

/* Made when it is asked for first after a change; a cache, so a const rbac has it too. */
static const struct map *buckets_of(const struct rbac *rbac)
{
    struct rbac *own = (struct rbac *)rbac;

    if (own->buckets == NULL) {
        own->buckets = map_new();
        reflector_each(own->reflectors[BINDINGS], put_in_bucket, own);
    }
    return own->buckets;
}

struct search {
    const struct rbac *rbac;
    const struct auth_user *user;
    const struct auth_question *question; /* NULL: any right will do */
    bool found;
};

static const struct kept *role_of(const struct rbac *rbac, const struct kept *binding,
                                  str namespace_)
{
    bool is_cluster = str_eq(val_get_str(binding->role_ref, S("kind")), S("ClusterRole"));
    str name = val_get_str(binding->role_ref, S("name"));

    return reflector_get(rbac->reflectors[is_cluster ? CLUSTER_ROLES : ROLES],
                         is_cluster ? STR_EMPTY : namespace_, name);
}

static void look(void *owner, str namespace_, UNUSED str name, void *item)
{
    struct search *search = owner;
    const struct kept *binding = item;

    if (search->found || !rule_has_subject(binding->subjects, search->user, namespace_))
        return;
    const struct kept *role = role_of(search->rbac, binding, namespace_);
    search->found = role != NULL &&
                    (search->question == NULL || rule_any_allows(role->rules, search->question));
}

static void look_in(struct search *search, str namespace_)
{
    const struct bucket *bucket = map_get(buckets_of(search->rbac), namespace_);

    for (size_t i = 0; bucket != NULL && i < bucket->count && !search->found; i++)
        look(search, namespace_, bucket->names[i], (void *)(uintptr_t)bucket->bindings[i]);
}

bool rbac_allows(const struct rbac *rbac, const struct auth_user *user,
                 const struct auth_question *question)
{
    struct search search = {.rbac = rbac, .user = user, .question = question};

    if (!rbac_is_complete(rbac))
        return false;
    reflector_each(rbac->reflectors[CLUSTER_BINDINGS], look, &search);
    if (!search.found && question->namespace_.len > 0)
        look_in(&search, question->namespace_);
    return search.found;
}

bool rbac_is_member(const struct rbac *rbac, const struct auth_user *user, str namespace_)
{
    struct search search = {.rbac = rbac, .user = user};

    if (rbac_is_complete(rbac) && namespace_.len > 0)
        look_in(&search, namespace_);
    return search.found;
}

bool rbac_names_user(const struct rbac *rbac, str cluster_binding, str user)
{
    const struct kept *binding =
            reflector_get(rbac->reflectors[CLUSTER_BINDINGS], STR_EMPTY, cluster_binding);
    struct val_iter it = val_iter(binding == NULL ? NULL : binding->subjects);

    while (val_next(&it)) {
        if (str_eq(val_get_str(it.value, S("kind")), S("User")) &&
            str_eq(val_get_str(it.value, S("name")), user))
            return true;
    }
    return false;
}

/* ---- members ---- */

static void tell_subjects(const struct kept *binding, struct auth_member *member,
                          auth_member_fn *fn, void *owner)
{
    struct val_iter it = val_iter(binding->subjects);
    size_t seen = 0;

    if (!str_eq(val_get_str(binding->role_ref, S("kind")), S("ClusterRole")) ||
        !str_starts(val_get_str(binding->role_ref, S("name")), S("taut:")) ||
        !auth_project_role_parse(val_get_str(binding->role_ref, S("name")), &member->role))
        return;
    while (val_next(&it) && seen++ < LIMIT_RBAC_SUBJECTS) {
        member->kind = val_get_str(it.value, S("kind"));
        member->name = val_get_str(it.value, S("name"));
        fn(owner, member);
    }
}

void rbac_each_member(const struct rbac *rbac, str namespace_, auth_member_fn *fn, void *owner)
{
    struct map_iter it = map_iter(buckets_of(rbac));

    while (map_next(&it)) {
        const struct bucket *bucket = it.value;
        if (namespace_.len > 0 && !str_eq(it.key, namespace_))
            continue;
        for (size_t i = 0; i < bucket->count; i++) {
            struct auth_member member = {.namespace_ = it.key, .binding = bucket->names[i]};
            tell_subjects(bucket->bindings[i], &member, fn, owner);
        }
    }
}

struct tell {
    const struct rbac *rbac;
    const struct auth_user *user;
    str namespace_; /* of the bindings that count */
    auth_rule_fn *fn;
    void *owner;
};

static void tell_rules(void *owner, str namespace_, UNUSED str name, void *item)
{
    struct tell *tell = owner;
    const struct kept *binding = item;

    if (!str_eq(namespace_, tell->namespace_) ||
        !rule_has_subject(binding->subjects, tell->user, namespace_))
        return;
    const struct kept *role = role_of(tell->rbac, binding, namespace_);
    struct val_iter it = val_iter(role == NULL ? NULL : role->rules);
    for (size_t seen = 0; val_next(&it) && seen < LIMIT_RBAC_RULES; seen++)
        tell->fn(tell->owner, it.value);
}

void rbac_rules_each(const struct rbac *rbac, const struct auth_user *user, str namespace_,
                     auth_rule_fn *fn, void *owner)
{
    struct tell tell = {rbac, user, STR_EMPTY, fn, owner};

    if (!rbac_is_complete(rbac))
        return;
    reflector_each(rbac->reflectors[CLUSTER_BINDINGS], tell_rules, &tell);
    tell.namespace_ = namespace_;
    if (namespace_.len > 0)
        reflector_each(rbac->reflectors[BINDINGS], tell_rules, &tell);
}
