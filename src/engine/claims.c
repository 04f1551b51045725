/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/claims.h"
#include "base/mem.h"

struct claim {
    str holder;
    str claimer;
    str object;
    bool stale;
};

struct claims {
    struct claim *at;
    size_t count;
    size_t size;
    claims_changed_fn *changed;
    void *owner;
};

struct claims *claims_new(claims_changed_fn *changed, void *owner)
{
    struct claims *claims = new0(struct claims);

    claims->changed = changed;
    claims->owner = owner;
    return claims;
}

static void claim_done(struct claim *claim)
{
    str_own_free(&claim->holder);
    str_own_free(&claim->claimer);
    str_own_free(&claim->object);
}

void claims_free(struct claims *claims)
{
    if (claims == NULL)
        return;
    for (size_t i = 0; i < claims->count; i++)
        claim_done(&claims->at[i]);
    mem_free(claims->at);
    mem_free(claims);
}

void claims_begin(struct claims *claims, str claimer)
{
    for (size_t i = 0; i < claims->count; i++)
        if (str_eq(claims->at[i].claimer, claimer))
            claims->at[i].stale = true;
}

void claims_add(struct claims *claims, str holder, str claimer, str object)
{
    for (size_t i = 0; i < claims->count; i++) {
        struct claim *claim = &claims->at[i];

        if (str_eq(claim->holder, holder) && str_eq(claim->claimer, claimer) &&
            str_eq(claim->object, object)) {
            claim->stale = false;
            return;
        }
    }
    if (claims->count == claims->size) {
        claims->size = MAX(claims->size * 2, 8u);
        claims->at = mem_grow(claims->at, claims->size, sizeof(*claims->at));
    }
    claims->at[claims->count++] =
            (struct claim){str_own(holder), str_own(claimer), str_own(object), .stale = false};
    claims->changed(claims->owner, holder);
}

void claims_end(struct claims *claims, str claimer)
{
    for (size_t i = claims->count; i > 0; i--) {
        struct claim gone = claims->at[i - 1];

        if (!gone.stale || !str_eq(gone.claimer, claimer))
            continue;
        claims->at[i - 1] = claims->at[--claims->count];
        claims->changed(claims->owner, gone.holder);
        claim_done(&gone);
    }
}

void claims_each(const struct claims *claims, str holder, void (*fn)(void *to, str sentence),
                 void *to)
{
    for (size_t i = 0; i < claims->count; i++) {
        const struct claim *claim = &claims->at[i];
        auto_arena struct arena *arena = NULL;

        if (!str_eq(claim->holder, holder))
            continue;
        arena = arena_new(LIMIT_KEY_ARENA);
        fn(to, arena_printf(arena, "application %.*s wants %.*s too; it stays with this one",
                            STR(claim->claimer), STR(claim->object)));
    }
}
