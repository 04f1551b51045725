/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A home that is a real cluster decides for itself: what is asked goes there as a
 * SubjectAccessReview, so that its webhook, ABAC or any other authoriser counts as well as RBAC.
 * Answers are kept for REVIEW_MS, and forgotten when a user, role or binding changes.
 */
#include "auth/state.h"
#include "base/clock.h"
#include "base/mem.h"

#define REVIEW_MS 5000

struct auth_review {
    struct auth *auth;
    struct auth_review *next;
    struct kube_call *call;
    str key;
    auth_review_fn *done;
    void *owner;
};

/* What the cluster said. */
struct verdict {
    bool allowed;
    int64_t at_ms;
};

void auth_use_reviews(struct auth *auth)
{
    auth->verdicts = map_new();
}

void auth_forget_reviews(struct auth *auth)
{
    struct map_iter it;

    if (auth->verdicts == NULL)
        return;
    it = map_iter(auth->verdicts);
    while (map_next(&it))
        mem_free(it.value);
    map_clear(auth->verdicts);
}

/* Fields with what cannot stand in them between. */
static str key_of(struct arena *arena, const struct auth_user *user, const struct auth_question *q)
{
    const str parts[] = {user->name,     q->verb,       q->group, q->resource,
                         q->subresource, q->namespace_, q->name,  q->path};
    str key = STR_EMPTY;

    for (size_t i = 0; i < user->group_count; i++)
        key = arena_printf(arena, "%.*s%.*s\x02", STR(key), STR(user->groups[i]));
    for (size_t i = 0; i < COUNT(parts); i++)
        key = arena_printf(arena, "%.*s\x01%.*s", STR(key), STR(parts[i]));
    return key;
}

bool auth_reviewed(const struct auth *auth, const struct auth_user *user,
                   const struct auth_question *question, bool *ret_allowed)
{
    auto_arena struct arena *arena = arena_new(LIMIT_MIB);
    const struct verdict *verdict;

    if (auth->verdicts == NULL)
        return false;
    verdict = map_get(auth->verdicts, key_of(arena, user, question));
    if (verdict == NULL || clock_mono_ms() - verdict->at_ms > REVIEW_MS)
        return false;
    *ret_allowed = verdict->allowed;
    return true;
}

bool auth_knows(const struct auth *auth, const struct auth_user *user,
                const struct auth_question *question)
{
    bool allowed;

    return auth->verdicts == NULL || auth_is_master(user) ||
           auth_reviewed(auth, user, question, &allowed);
}

static void drop(struct auth_review *review)
{
    struct auth_review **at = &review->auth->reviews;

    while (*at != review)
        at = &(*at)->next;
    *at = review->next;
    kube_cancel(review->call);
    str_own_free(&review->key);
    mem_free(review);
}

void auth_review_cancel(struct auth_review *review)
{
    if (review != NULL)
        drop(review);
}

static void remember(struct auth *auth, str key, bool allowed)
{
    struct verdict *verdict = map_get(auth->verdicts, key);

    if (verdict == NULL) {
        if (map_count(auth->verdicts) >= LIMIT_AUTH_REVIEWS)
            auth_forget_reviews(auth);
        verdict = new0(struct verdict);
        map_set(auth->verdicts, key, verdict);
    }
    *verdict = (struct verdict){allowed, clock_mono_ms()};
}

static void on_answer(void *owner, struct kube_response *response)
{
    struct auth_review *review = owner;
    auth_review_fn *done = review->done;
    void *done_owner = review->owner;
    struct err err = response->err;
    bool ok = response->ok;

    review->call = NULL;
    if (ok)
        remember(review->auth, review->key,
                 val_get_bool(val_get(response->object, S("status")), S("allowed"), false) &&
                         !val_get_bool(val_get(response->object, S("status")), S("denied"), false));
    else
        err_wrap(&err, "asking the home cluster for the right (Taut's own account must be allowed "
                       "to create subjectaccessreviews.authorization.k8s.io)");
    drop(review);
    done(done_owner, ok ? NULL : &err);
}

static void set(struct arena *arena, struct val *map, const char *key, str text)
{
    if (text.len > 0)
        val_set_str(arena, map, str_from(key), text);
}

static struct val *review_object(struct arena *arena, const struct auth_user *user,
                                 const struct auth_question *q)
{
    struct val *review = val_new(arena, val_map());

    val_set_str(arena, review, S("apiVersion"), S("authorization.k8s.io/v1"));
    val_set_str(arena, review, S("kind"), S("SubjectAccessReview"));
    struct val *spec = val_ensure_map(arena, review, S("spec"));
    val_set_str(arena, spec, S("user"), user->name);
    struct val *groups = val_ensure_list(arena, spec, S("groups"));
    for (size_t i = 0; i < user->group_count; i++)
        val_append(arena, groups, val_string(arena, user->groups[i]));
    val_append(arena, groups, val_string(arena, S("system:authenticated")));
    if (q->path.len > 0) {
        struct val *path = val_ensure_map(arena, spec, S("nonResourceAttributes"));
        set(arena, path, "verb", q->verb);
        set(arena, path, "path", q->path);
        return review;
    }
    struct val *resource = val_ensure_map(arena, spec, S("resourceAttributes"));
    set(arena, resource, "verb", q->verb);
    set(arena, resource, "group", q->group);
    set(arena, resource, "resource", q->resource);
    set(arena, resource, "subresource", q->subresource);
    set(arena, resource, "namespace", q->namespace_);
    set(arena, resource, "name", q->name);
    return review;
}

struct auth_review *auth_review(struct auth *auth, const struct auth_user *user,
                                const struct auth_question *question, auth_review_fn *done,
                                void *owner)
{
    auto_arena struct arena *arena = arena_new(LIMIT_MIB);
    struct auth_review *review = new0(struct auth_review);

    *review =
            (struct auth_review){.auth = auth, .next = auth->reviews, .done = done, .owner = owner};
    auth->reviews = review;
    review->key = str_own(key_of(arena, user, question));
    struct kube_request request = {
            .verb = KUBE_CREATE,
            .gvr = {S("authorization.k8s.io"), S("v1"), S("subjectaccessreviews")},
            .body = review_object(arena, user, question),
    };
    review->call = kube_start(auth->home, &request, on_answer, review);
    return review;
}

void auth_reviews_free(struct auth *auth)
{
    while (auth->reviews != NULL)
        drop(auth->reviews);
    auth_forget_reviews(auth);
    map_free(auth->verdicts);
}
