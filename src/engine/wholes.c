/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/wholes.h"
#include "base/mem.h"

#define WHOLE_KINDS 6

static const struct {
    struct gvr gvr;
    bool is_crd;
    bool is_scaler; /* in namespaces; the others are in none */
} kinds[WHOLE_KINDS] = {
        {{S_INIT("apiextensions.k8s.io"), S_INIT("v1"), S_INIT("customresourcedefinitions")},
         .is_crd = true},
        {{S_INIT("admissionregistration.k8s.io"), S_INIT("v1"),
          S_INIT("mutatingwebhookconfigurations")},
         .is_crd = false},
        {{S_INIT("admissionregistration.k8s.io"), S_INIT("v1"),
          S_INIT("validatingwebhookconfigurations")},
         .is_crd = false},
        {{S_INIT("admissionregistration.k8s.io"), S_INIT("v1"),
          S_INIT("validatingadmissionpolicies")},
         .is_crd = false},
        {{S_INIT("admissionregistration.k8s.io"), S_INIT("v1"),
          S_INIT("validatingadmissionpolicybindings")},
         .is_crd = false},
        {{S_INIT("autoscaling"), S_INIT("v2"), S_INIT("horizontalpodautoscalers")},
         .is_scaler = true},
};

struct whole {
    struct wholes *wholes;
    size_t row;
    struct scope *scope; /* NULL: the cluster does not serve it, or it may not be read */
};

struct wholes {
    struct kube *kube;
    const struct scope_limits *limits;
    const struct wholes_events *events;
    void *owner;
    struct whole at[WHOLE_KINDS];
    uint64_t generation;
};

/* "<what it is about> <uid> <generation>", or "<kind>/<name>" of what is scaled: owned text. */
static void *whole_keep(void *owner, const struct val *object)
{
    const struct whole *whole = owner;
    auto_arena struct arena *arena = arena_new(LIMIT_CHILD_ARENA);
    str about = STR_EMPTY;

    if (kinds[whole->row].is_scaler) {
        const struct val *target = VAL_AT(object, "spec", "scaleTargetRef");

        return mem_dup_z(arena_printf(arena, "%.*s/%.*s", STR(val_get_str(target, S("kind"))),
                                      STR(val_get_str(target, S("name")))));
    }
    if (kinds[whole->row].is_crd)
        about = arena_printf(arena, "%.*s/%.*s", STR(VAL_STR(object, "spec", "group")),
                             STR(VAL_STR(object, "spec", "names", "kind")));
    return mem_dup_z(
            arena_printf(arena, "%.*s %.*s %lld", STR(about), STR(object_uid(object)),
                         (long long)val_i64_or(VAL_AT(object, "metadata", "generation"), 0)));
}

static void whole_drop(UNUSED void *owner, void *kept)
{
    mem_free(kept);
}

static void whole_changed(void *owner, UNUSED str namespace_, UNUSED str name,
                          UNUSED const void *was, UNUSED const void *is)
{
    const struct whole *whole = owner;

    whole->wholes->generation++;
    if (kinds[whole->row].is_crd && scope_is_settled(whole->scope))
        whole->wholes->events->definition_changed(whole->wholes->owner);
}

static void whole_told(void *owner)
{
    const struct whole *whole = owner;

    whole->wholes->events->told(whole->wholes->owner);
}

static void whole_trouble(void *owner, UNUSED const struct err *err)
{
    whole_told(owner);
}

static const struct reflector_events whole_events = {
        .keep = whole_keep,
        .drop = whole_drop,
        .changed = whole_changed,
        .complete = whole_told,
        .trouble = whole_trouble,
};

void wholes_open(struct wholes *wholes, const struct discovery *discovery)
{
    for (size_t i = 0; i < WHOLE_KINDS; i++) {
        struct whole *whole = &wholes->at[i];
        struct kube_selector what = {.gvr = kinds[i].gvr};
        struct discovery_kind kind;

        if (whole->scope != NULL ||
            discovery_find_resource(discovery, what.gvr, &kind) != DISCOVERY_FOUND ||
            (!kinds[i].is_scaler &&
             !scope_permits(wholes->limits, what.gvr.resource, STR_EMPTY, NULL)))
            continue;
        whole->scope = scope_new(wholes->kube, &what, wholes->limits, &whole_events, whole);
        if (!kinds[i].is_scaler || !wholes->limits->limited)
            scope_watch(whole->scope, STR_EMPTY, NULL);
    }
}

bool wholes_are_settled(const struct wholes *wholes)
{
    for (size_t i = 0; i < WHOLE_KINDS; i++)
        if (wholes->at[i].scope != NULL && !scope_is_settled(wholes->at[i].scope))
            return false;
    return true;
}

bool wholes_know(struct wholes *wholes, str namespace_)
{
    for (size_t i = 0; i < WHOLE_KINDS; i++)
        if (kinds[i].is_scaler && wholes->at[i].scope != NULL && !str_is_empty(namespace_) &&
            scope_watch(wholes->at[i].scope, namespace_, NULL) == WATCH_LOADING)
            return false;
    return true;
}

uint64_t wholes_generation(const struct wholes *wholes)
{
    return wholes->generation;
}

/* ---- verdicts ---- */

/* In any order. */
static void hash_mix(struct hash *sum, str line)
{
    struct hash hash = hash_bytes(line);

    for (size_t i = 0; i < HASH_SIZE; i++)
        sum->bytes[i] ^= hash.bytes[i];
}

struct kind_hash {
    struct hash *sum;
    str prefix; /* of the lines that count; empty: all */
};

static void kind_hash_line(void *owner, UNUSED str namespace_, UNUSED str name, void *kept)
{
    struct kind_hash *kind = owner;
    str line = str_from(kept);

    if (str_is_empty(kind->prefix) || str_starts(line, kind->prefix))
        hash_mix(kind->sum, line);
}

void wholes_add_hash(const struct wholes *wholes, struct gvk gvk, struct hash *sum)
{
    auto_arena struct arena *arena = arena_new(LIMIT_KEY_ARENA);
    struct kind_hash kind = {.sum = sum};

    for (size_t i = 0; i < WHOLE_KINDS; i++) {
        if (wholes->at[i].scope == NULL || kinds[i].is_scaler)
            continue;
        kind.prefix = kinds[i].is_crd
                              ? arena_printf(arena, "%.*s/%.*s ", STR(gvk.group), STR(gvk.kind))
                              : STR_EMPTY;
        scope_each(wholes->at[i].scope, kind_hash_line, &kind);
    }
}

struct scaled {
    str wanted; /* "Kind/name" */
    str namespace_;
    bool found;
};

static void scaled_line(void *owner, str namespace_, UNUSED str name, void *kept)
{
    struct scaled *scaled = owner;

    if (str_eq(namespace_, scaled->namespace_) && str_eq(str_from(kept), scaled->wanted))
        scaled->found = true;
}

bool wholes_is_scaled(const struct wholes *wholes, struct gvk target, str namespace_, str name)
{
    auto_arena struct arena *arena = arena_new(LIMIT_KEY_ARENA);
    struct scaled scaled = {.namespace_ = namespace_};

    scaled.wanted = arena_printf(arena, "%.*s/%.*s", STR(target.kind), STR(name));
    for (size_t i = 0; i < WHOLE_KINDS; i++)
        if (kinds[i].is_scaler && wholes->at[i].scope != NULL)
            scope_each(wholes->at[i].scope, scaled_line, &scaled);
    return scaled.found;
}

/* ---- life ---- */

struct wholes *wholes_new(struct kube *kube, const struct scope_limits *limits,
                          const struct wholes_events *events, void *owner)
{
    struct wholes *wholes = new0(struct wholes);

    wholes->kube = kube;
    wholes->limits = limits;
    wholes->events = events;
    wholes->owner = owner;
    for (size_t i = 0; i < WHOLE_KINDS; i++)
        wholes->at[i] = (struct whole){.wholes = wholes, .row = i};
    return wholes;
}

void wholes_close(struct wholes *wholes)
{
    for (size_t i = 0; i < WHOLE_KINDS; i++)
        scope_free(TAKE(wholes->at[i].scope));
}

void wholes_free(struct wholes *wholes)
{
    if (wholes == NULL)
        return;
    wholes_close(wholes);
    mem_free(wholes);
}
