/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/scope.h"
#include "base/map.h"
#include "base/mem.h"

struct branch {
    struct scope *scope;
    str namespace_; /* owned; empty: all */
    struct reflector *reflector;
};

struct scope {
    struct kube *kube;
    struct kube_selector what; /* texts owned */
    const struct scope_limits *limits;
    const struct reflector_events *events;
    void *owner;
    struct branch *all;       /* NULL: not open */
    struct map *namespaces;   /* name → struct branch; empty while `all` may be read */
    struct map *wanted;       /* the namespaces that were asked for */
    bool all_is_forbidden;    /* namespace by namespace, until `all` is whole once more */
    struct loop_timer *again; /* the list over all namespaces is tried anew */
};

bool scope_permits(const struct scope_limits *limits, str resource, str namespace_, struct err *err)
{
    str rest = limits->namespaces;
    str part;

    if (!limits->limited)
        return true;
    if (str_is_empty(namespace_))
        return limits->cluster_resources ||
               err_set(err, ERR_FORBIDDEN,
                       "%.*s are in no namespace, and cluster '%.*s' is limited to namespaces: its "
                       "Secret needs clusterResources \"true\"",
                       STR(resource), STR(limits->cluster));
    while (rest.at != NULL && str_split(&rest, ',', &part))
        if (str_eq(str_trim(part), namespace_))
            return true;
    return err_set(err, ERR_FORBIDDEN,
                   "%.*s in namespace '%.*s' cannot be watched: the namespaces of cluster '%.*s' "
                   "do not list it",
                   STR(resource), STR(namespace_), STR(limits->cluster));
}

/* ---- branches ---- */

static void branch_free(struct branch *branch)
{
    if (branch == NULL)
        return;
    reflector_free(branch->reflector);
    str_own_free(&branch->namespace_);
    mem_free(branch);
}

static void one_gone(void *owner, str namespace_, str name, void *kept)
{
    struct scope *scope = owner;

    scope->events->changed(scope->owner, namespace_, name, kept, NULL);
}

/* The whole shows what they showed. */
static void namespaces_close(struct scope *scope)
{
    struct map_iter it = map_iter(scope->namespaces);

    scope->all_is_forbidden = false;
    while (map_next(&it)) {
        struct branch *branch = it.value;

        map_del(scope->namespaces, it.key);
        reflector_each(branch->reflector, one_gone, scope);
        branch_free(branch);
    }
}

static void *branch_keep(void *owner, const struct val *object)
{
    struct branch *branch = owner;

    return branch->scope->events->keep(branch->scope->owner, object);
}

static void branch_drop(void *owner, void *kept)
{
    struct branch *branch = owner;

    branch->scope->events->drop(branch->scope->owner, kept);
}

static void branch_changed(void *owner, str namespace_, str name, const void *was, const void *is)
{
    struct branch *branch = owner;
    struct scope *scope = branch->scope;

    if (branch == scope->all && scope->all_is_forbidden)
        namespaces_close(scope);
    scope->events->changed(scope->owner, namespace_, name, was, is);
}

static void branch_complete(void *owner)
{
    struct branch *branch = owner;
    struct scope *scope = branch->scope;

    if (branch == scope->all && scope->all_is_forbidden)
        namespaces_close(scope);
    scope->events->complete(scope->owner);
}

static void all_forbid(struct scope *scope);

static void branch_trouble(void *owner, const struct err *err)
{
    struct branch *branch = owner;
    struct scope *scope = branch->scope;

    if (branch == scope->all && map_count(scope->wanted) > 0 && err != NULL &&
        err->code == ERR_FORBIDDEN)
        all_forbid(scope);
    scope->events->trouble(scope->owner, err);
}

static const struct reflector_events branch_events = {
        .keep = branch_keep,
        .drop = branch_drop,
        .changed = branch_changed,
        .complete = branch_complete,
        .trouble = branch_trouble,
};

static struct branch *branch_open(struct scope *scope, str namespace_)
{
    struct branch *branch = new0(struct branch);
    struct kube_selector what = scope->what;

    branch->scope = scope;
    branch->namespace_ = str_own(namespace_);
    what.namespace_ = branch->namespace_;
    branch->reflector = reflector_new(scope->kube, &what, &branch_events, branch);
    return branch;
}

/* ---- which branch shows a namespace ---- */

void scope_retry(struct scope *scope)
{
    if (scope->all_is_forbidden && scope->all == NULL)
        scope->all = branch_open(scope, STR_EMPTY);
}

static void all_again(void *owner)
{
    scope_retry(owner);
}

static void namespace_open(struct scope *scope, str namespace_)
{
    if (!map_has(scope->namespaces, namespace_))
        map_set(scope->namespaces, namespace_, branch_open(scope, namespace_));
}

/* It would ask for ever what it may not have; now and then is enough. */
static void all_forbid(struct scope *scope)
{
    struct map_iter it = map_iter(scope->wanted);
    struct branch *all = TAKE(scope->all);

    reflector_each(all->reflector, one_gone, scope);
    branch_free(all);
    scope->all_is_forbidden = true;
    loop_timer_start(scope->again, LIMIT_FORBIDDEN_AGAIN_MS);
    while (map_next(&it))
        namespace_open(scope, it.key);
}

static struct branch *branch_for(struct scope *scope, str namespace_)
{
    bool is_whole = str_is_empty(namespace_) || !scope->limits->limited;
    const struct err *trouble;

    if (!str_is_empty(namespace_))
        map_set(scope->wanted, namespace_, scope);
    if (is_whole && scope->all == NULL && !scope->all_is_forbidden)
        scope->all = branch_open(scope, STR_EMPTY);
    trouble = scope->all == NULL ? NULL : reflector_trouble(scope->all->reflector);
    if (trouble != NULL && trouble->code == ERR_FORBIDDEN && !str_is_empty(namespace_))
        all_forbid(scope);
    if (is_whole && !scope->all_is_forbidden)
        return scope->all;
    namespace_open(scope, namespace_);
    return map_get(scope->namespaces, namespace_);
}

static bool say_trouble(const struct scope *scope, str namespace_, const struct err *trouble,
                        struct err *err)
{
    str resource = scope->what.gvr.resource;

    if (trouble->code != ERR_FORBIDDEN)
        return err_set(err, trouble->code, "cannot watch %.*s: %s", STR(resource),
                       trouble->message);
    if (str_is_empty(namespace_))
        return err_set(err, ERR_FORBIDDEN,
                       "cannot watch %.*s: the right to list and watch them is missing: %s",
                       STR(resource), trouble->message);
    return err_set(err, ERR_FORBIDDEN,
                   "cannot watch %.*s in namespace '%.*s': the right to list and watch them there "
                   "is missing: %s",
                   STR(resource), STR(namespace_), trouble->message);
}

enum watch_state scope_watch(struct scope *scope, str namespace_, struct err *err)
{
    const struct branch *branch;
    const struct err *trouble;

    if (!scope_permits(scope->limits, scope->what.gvr.resource, namespace_, err))
        return WATCH_BROKEN;
    branch = branch_for(scope, namespace_);
    trouble = reflector_trouble(branch->reflector);
    if (trouble != NULL) {
        say_trouble(scope, namespace_, trouble, err);
        return WATCH_BROKEN;
    }
    return reflector_is_complete(branch->reflector) ? WATCH_WHOLE : WATCH_LOADING;
}

/* ---- reading ---- */

void *scope_get(const struct scope *scope, str namespace_, str name)
{
    const struct branch *branch = map_get(scope->namespaces, namespace_);
    void *kept = branch == NULL ? NULL : reflector_get(branch->reflector, namespace_, name);

    return kept != NULL || scope->all == NULL
                   ? kept
                   : reflector_get(scope->all->reflector, namespace_, name);
}

void scope_each(const struct scope *scope, reflector_each_fn *fn, void *owner)
{
    struct map_iter it = map_iter(scope->namespaces);

    if (scope->all != NULL)
        reflector_each(scope->all->reflector, fn, owner);
    while (map_next(&it))
        reflector_each(((struct branch *)it.value)->reflector, fn, owner);
}

const struct err *scope_trouble(const struct scope *scope)
{
    struct map_iter it = map_iter(scope->namespaces);

    if (scope->all != NULL && !scope->all_is_forbidden &&
        reflector_trouble(scope->all->reflector) != NULL)
        return reflector_trouble(scope->all->reflector);
    while (map_next(&it)) {
        const struct branch *branch = it.value;

        if (reflector_trouble(branch->reflector) != NULL)
            return reflector_trouble(branch->reflector);
    }
    return NULL;
}

bool scope_is_settled(const struct scope *scope)
{
    return scope->all == NULL || scope->all_is_forbidden ||
           reflector_is_complete(scope->all->reflector) ||
           reflector_trouble(scope->all->reflector) != NULL;
}

/* ---- life ---- */

struct scope *scope_new(struct kube *kube, const struct kube_selector *what,
                        const struct scope_limits *limits, const struct reflector_events *events,
                        void *owner)
{
    struct scope *scope = new0(struct scope);

    scope->kube = kube;
    scope->what =
            (struct kube_selector){.gvr = {str_own(what->gvr.group), str_own(what->gvr.version),
                                           str_own(what->gvr.resource)},
                                   .label_selector = str_own(what->label_selector),
                                   .field_selector = str_own(what->field_selector)};
    scope->limits = limits;
    scope->events = events;
    scope->owner = owner;
    scope->namespaces = map_new();
    scope->wanted = map_new();
    scope->again = loop_timer_new(kube->loop, "watch all namespaces", all_again, scope);
    return scope;
}

void scope_free(struct scope *scope)
{
    struct map_iter it;

    if (scope == NULL)
        return;
    it = map_iter(scope->namespaces);
    while (map_next(&it))
        branch_free(it.value);
    map_free(scope->namespaces);
    map_free(scope->wanted);
    branch_free(scope->all);
    loop_timer_free(scope->again);
    str_own_free(&scope->what.gvr.group);
    str_own_free(&scope->what.gvr.version);
    str_own_free(&scope->what.gvr.resource);
    str_own_free(&scope->what.label_selector);
    str_own_free(&scope->what.field_selector);
    mem_free(scope);
}
