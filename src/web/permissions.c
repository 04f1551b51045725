/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What somebody may, in one answer: every right that a route asks, on the platform and in each
 * DevOps Project. Projects with the same rights share one list.
 */
#include "web/permissions.h"
#include <assert.h>

#define RIGHTS_MAX 64

/* Asked by the Kubernetes paths, which have no row of their own. */
static const struct web_right further[] = {
        {"create", "argoproj.io", "applications", ""},
        {"update", "argoproj.io", "applications", ""},
        {"patch", "argoproj.io", "applications", ""},
        {"delete", "argoproj.io", "applications", ""},
        {"rollback", "argoproj.io", "applications", ""},
        {"override", "argoproj.io", "applications", ""},
        {"get", "argoproj.io", "applications", "logs"},
};

struct permissions {
    struct web_call *call;
    const struct web_right *rights[RIGHTS_MAX];
    size_t count;
    uint64_t everywhere; /* on the platform, and so in each project */
    struct val *sets;
    uint64_t masks[RIGHTS_MAX]; /* of the sets */
    size_t set_count;
};

static bool is_same(const struct web_right *a, const struct web_right *b)
{
    return strcmp(a->verb, b->verb) == 0 && strcmp(a->group, b->group) == 0 &&
           strcmp(a->resource, b->resource) == 0 && strcmp(a->subresource, b->subresource) == 0;
}

static void add_right(struct permissions *p, const struct web_right *right)
{
    for (size_t i = 0; i < p->count; i++) {
        if (is_same(p->rights[i], right))
            return;
    }
    assert(p->count < RIGHTS_MAX);
    p->rights[p->count++] = right;
}

static bool may(const struct permissions *p, size_t index, str namespace_)
{
    const struct web_right *right = p->rights[index];
    struct auth_question question = {
            .verb = str_from(right->verb),
            .group = str_from(right->group),
            .resource = str_from(right->resource),
            .subresource = str_from(right->subresource),
            .namespace_ = namespace_,
    };

    return auth_may(p->call->web->options.auth, &p->call->user, &question);
}

/* "sync applications", "get applications/logs" */
static struct val *list_of(const struct permissions *p, uint64_t mask)
{
    struct arena *arena = p->call->arena;
    struct val *list = val_new(arena, val_list());

    for (size_t i = 0; i < p->count; i++) {
        const struct web_right *right = p->rights[i];
        if (mask & ((uint64_t)1 << i))
            val_append(
                    arena, list,
                    val_string(arena, arena_printf(arena, "%s %s%s%s", right->verb, right->resource,
                                                   right->subresource[0] != '\0' ? "/" : "",
                                                   right->subresource)));
    }
    return list;
}

struct permissions *permissions_new(struct web_call *call, struct val *answer)
{
    struct permissions *p = arena_new0(call->arena, struct permissions);

    p->call = call;
    for (size_t i = 0; i < web_route_count; i++) {
        const struct web_right *right = &web_routes[i].may;
        if (right->verb != NULL && strcmp(right->verb, "*") != 0)
            add_right(p, right);
    }
    for (size_t i = 0; i < COUNT(further); i++)
        add_right(p, &further[i]);
    for (size_t i = 0; i < p->count; i++) {
        if (may(p, i, STR_EMPTY))
            p->everywhere |= (uint64_t)1 << i;
    }
    val_set(call->arena, answer, S("rights"), *list_of(p, p->everywhere));
    p->sets = val_ensure_list(call->arena, answer, S("rightSets"));
    return p;
}

int64_t permissions_in(struct permissions *p, str namespace_)
{
    uint64_t mask = p->everywhere;

    for (size_t i = 0; i < p->count; i++) {
        uint64_t bit = (uint64_t)1 << i;
        if (!(mask & bit) && may(p, i, namespace_))
            mask |= bit;
    }
    for (size_t i = 0; i < p->set_count; i++) {
        if (p->masks[i] == mask)
            return (int64_t)i;
    }
    /* Beyond so many different sets a project has one of its own, which is only longer. */
    if (p->set_count < RIGHTS_MAX)
        p->masks[p->set_count++] = mask;
    val_append(p->call->arena, p->sets, *list_of(p, mask));
    return (int64_t)val_count(p->sets) - 1;
}
