/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/rbac.h"

#include "auth/rule.h"
#include "base/mem.h"
#include "kube/reflector.h"

enum { ROLES, CLUSTER_ROLES, BINDINGS, CLUSTER_BINDINGS, KINDS };

static const char *const resources[KINDS] = {
        [ROLES] = "roles",
        [CLUSTER_ROLES] = "clusterroles",
        [BINDINGS] = "rolebindings",
        [CLUSTER_BINDINGS] = "clusterrolebindings",
};

struct rbac {
    struct reflector *reflectors[KINDS];
    rbac_changed_fn *changed;
    void *owner;
};

/* What is kept of an object: the object itself, reduced to what decides. */
static void *keep(UNUSED void *owner, const struct val *object)
{
    struct arena *arena = arena_new(LIMIT_MIB);
    struct kept *kept = arena_new0(arena, struct kept);

    kept->arena = arena;
    kept->rules = val_dup(arena, val_get(object, S("rules")));
    kept->subjects = val_dup(arena, val_get(object, S("subjects")));
    kept->role_ref = val_dup(arena, val_get(object, S("roleRef")));
    return kept;
}

static void drop(UNUSED void *owner, void *item)
{
    struct kept *kept = item;
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

struct search {
    const struct rbac *rbac;
    const struct auth_user *user;
    const struct auth_question *question; /* NULL: any right will do */
    str namespace_;                       /* of the RoleBindings that count */
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

    if (search->found || !str_eq(namespace_, search->namespace_) ||
        !rule_has_subject(binding->subjects, search->user, namespace_))
        return;
    const struct kept *role = role_of(search->rbac, binding, namespace_);
    search->found = role != NULL &&
                    (search->question == NULL || rule_any_allows(role->rules, search->question));
}

bool rbac_allows(const struct rbac *rbac, const struct auth_user *user,
                 const struct auth_question *question)
{
    struct search search = {.rbac = rbac, .user = user, .question = question};

    if (!rbac_is_complete(rbac))
        return false;
    reflector_each(rbac->reflectors[CLUSTER_BINDINGS], look, &search);
    if (!search.found && question->namespace_.len > 0) {
        search.namespace_ = question->namespace_;
        reflector_each(rbac->reflectors[BINDINGS], look, &search);
    }
    return search.found;
}

bool rbac_is_member(const struct rbac *rbac, const struct auth_user *user, str namespace_)
{
    struct search search = {.rbac = rbac, .user = user, .namespace_ = namespace_};

    if (rbac_is_complete(rbac) && namespace_.len > 0)
        reflector_each(rbac->reflectors[BINDINGS], look, &search);
    return search.found;
}
