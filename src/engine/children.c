/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/children.h"
#include "base/mem.h"

/* One kind. */
struct branch {
    struct children *children;
    enum child_kind kind;
    struct scope *scope;
};

struct children {
    const struct children_events *events;
    void *owner;
    struct branch branches[CHILD_KINDS];
    struct scope *warnings;
    size_t warning_count;
    struct map *by_uid;     /* → struct child */
    struct index *by_owner; /* uid of the controller → struct child */
    struct index *by_about; /* uid of the object → struct warning */
};

/* The topmost object that is known above this one. */
static str root_of(const struct children *children, str uid)
{
    for (size_t i = 0; i < LIMIT_OWNER_DEPTH; i++) {
        const struct child *child = map_get(children->by_uid, uid);

        if (child == NULL || str_is_empty(child->owner))
            break;
        uid = child->owner;
    }
    return uid;
}

/* ---- objects ---- */

static void *branch_keep(void *owner, const struct val *object)
{
    const struct branch *branch = owner;

    return child_new(branch->kind, object);
}

static void branch_drop(UNUSED void *owner, void *kept)
{
    child_free(kept);
}

static bool cause_differs(const struct child *was, const struct child *is)
{
    return was == NULL || is == NULL || was->health != is->health || was->ended != is->ended ||
           was->deleting != is->deleting || !str_eq(was->trouble, is->trouble) ||
           !str_eq(was->reason, is->reason);
}

static void branch_changed(void *owner, UNUSED str namespace_, UNUSED str name, const void *was,
                           const void *is)
{
    struct branch *branch = owner;
    struct children *children = branch->children;
    const struct child *before = was;
    const struct child *after = is;
    const struct child *any = after != NULL ? after : before;

    if (before != NULL) {
        index_del(children->by_owner, before->owner, before);
        map_del(children->by_uid, before->uid);
    }
    if (after != NULL) {
        index_add(children->by_owner, after->owner, (void *)(uintptr_t)is);
        map_set(children->by_uid, after->uid, (void *)(uintptr_t)is);
    }
    children->events->changed(children->owner,
                              root_of(children, str_is_empty(any->owner) ? any->uid : any->owner),
                              cause_differs(before, after));
}

static void nothing_told(UNUSED void *owner)
{
}

static void nothing_troubles(UNUSED void *owner, UNUSED const struct err *err)
{
}

static const struct reflector_events branch_events = {
        .keep = branch_keep,
        .drop = branch_drop,
        .changed = branch_changed,
        .complete = nothing_told,
        .trouble = nothing_troubles,
};

/* ---- warnings ---- */

static void *warning_keep(void *owner, const struct val *object)
{
    struct children *children = owner;
    struct warning *warning = NULL;

    if (children->warning_count < LIMIT_CLUSTER_WARNINGS)
        warning = warning_new(object);
    children->warning_count += warning != NULL;
    return warning;
}

static void warning_drop(void *owner, void *kept)
{
    struct children *children = owner;

    children->warning_count--;
    warning_free(kept);
}

static void warning_changed(void *owner, UNUSED str namespace_, UNUSED str name, const void *was,
                            const void *is)
{
    struct children *children = owner;
    const struct warning *before = was;
    const struct warning *after = is;

    if (before != NULL)
        index_del(children->by_about, before->about, before);
    if (after != NULL)
        index_add(children->by_about, after->about, (void *)(uintptr_t)is);
    if (after != NULL && (before == NULL || !str_eq(before->message, after->message)))
        children->events->changed(children->owner, root_of(children, after->about),
                                  /*cause=*/true);
}

static const struct reflector_events warning_events = {
        .keep = warning_keep,
        .drop = warning_drop,
        .changed = warning_changed,
        .complete = nothing_told,
        .trouble = nothing_troubles,
};

/* ---- life ---- */

struct children *children_new(struct kube *kube, const struct scope_limits *limits,
                              const struct children_events *events, void *owner)
{
    struct children *children = new0(struct children);
    struct kube_selector warnings = {.gvr = {S(""), S("v1"), S("events")},
                                     .field_selector = S("type=Warning")};

    children->events = events;
    children->owner = owner;
    children->by_uid = map_new();
    children->by_owner = index_new();
    children->by_about = index_new();
    for (size_t i = 0; i < CHILD_KINDS; i++) {
        struct branch *branch = &children->branches[i];
        struct kube_selector what = {.gvr = child_gvr((enum child_kind)i)};

        branch->children = children;
        branch->kind = (enum child_kind)i;
        branch->scope = scope_new(kube, &what, limits, &branch_events, branch);
    }
    children->warnings = scope_new(kube, &warnings, limits, &warning_events, children);
    return children;
}

void children_free(struct children *children)
{
    if (children == NULL)
        return;
    for (size_t i = 0; i < CHILD_KINDS; i++)
        scope_free(children->branches[i].scope);
    scope_free(children->warnings);
    index_free(children->by_about);
    index_free(children->by_owner);
    map_free(children->by_uid);
    mem_free(children);
}

void children_watch(struct children *children, str namespace_)
{
    for (size_t i = 0; i < CHILD_KINDS; i++)
        scope_watch(children->branches[i].scope, namespace_, NULL);
    scope_watch(children->warnings, namespace_, NULL);
}

const struct err *children_trouble(const struct children *children)
{
    for (size_t i = 0; i < CHILD_KINDS; i++)
        if (scope_trouble(children->branches[i].scope) != NULL)
            return scope_trouble(children->branches[i].scope);
    return scope_trouble(children->warnings);
}

struct index_set children_of(const struct children *children, str uid)
{
    return children == NULL || str_is_empty(uid) ? (struct index_set){0}
                                                 : index_get(children->by_owner, uid);
}

const struct child *children_find(const struct children *children, str uid)
{
    return children == NULL ? NULL : map_get(children->by_uid, uid);
}

const struct warning *children_warning(const struct children *children, str uid)
{
    struct index_set set =
            children == NULL ? (struct index_set){0} : index_get(children->by_about, uid);
    const struct warning *newest = NULL;

    for (size_t i = 0; i < set.count; i++) {
        const struct warning *warning = set.at[i];

        /* RFC 3339 in UTC sorts as text. */
        if (newest == NULL || str_cmp(newest->last, warning->last) < 0)
            newest = warning;
    }
    return newest;
}
