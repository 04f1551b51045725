/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/settings.h"
#include "base/clock.h"
#include "base/mem.h"

#define SETTINGS_RECONCILE_MS 60000
#define SETTINGS_RECONCILE_LEAST_MS 1000

struct settings {
    struct reflector *reflector;
    str namespace_;
    settings_changed_fn *changed;
    void *owner;
};

struct settings_map {
    struct arena *arena;
    const struct val *data;
};

static const str read_maps[] = {
        S_INIT("argocd-cm"),
        S_INIT("argocd-ssh-known-hosts-cm"),
        S_INIT("argocd-tls-certs-cm"),
};

static void *settings_keep(UNUSED void *owner, const struct val *object)
{
    struct settings_map *map;

    for (size_t i = 0; i < COUNT(read_maps); i++) {
        if (!str_eq(object_name(object), read_maps[i]))
            continue;
        map = new0(struct settings_map);
        map->arena = arena_new(LIMIT_SETTINGS_ARENA);
        map->data = val_dup(map->arena, val_get(object, S("data")));
        return map;
    }
    return NULL;
}

static void settings_drop(UNUSED void *owner, void *kept)
{
    struct settings_map *map = kept;

    arena_free(map->arena);
    mem_free(map);
}

static void settings_told(void *owner)
{
    struct settings *settings = owner;

    settings->changed(settings->owner);
}

static void settings_changed(void *owner, UNUSED str namespace_, UNUSED str name,
                             UNUSED const void *was, UNUSED const void *is)
{
    settings_told(owner);
}

static void settings_trouble(UNUSED void *owner, UNUSED const struct err *err)
{
}

static const struct reflector_events events = {
        .keep = settings_keep,
        .drop = settings_drop,
        .changed = settings_changed,
        .complete = settings_told,
        .trouble = settings_trouble,
};

struct settings *settings_new(struct kube *home, str control_namespace,
                              settings_changed_fn *changed, void *owner)
{
    struct settings *settings = new0(struct settings);
    struct kube_selector what = {.gvr = {S(""), S("v1"), S("configmaps")}};

    settings->namespace_ = str_own(control_namespace);
    settings->changed = changed;
    settings->owner = owner;
    what.namespace_ = settings->namespace_;
    settings->reflector = reflector_new(home, &what, &events, settings);
    return settings;
}

void settings_free(struct settings *settings)
{
    if (settings == NULL)
        return;
    reflector_free(settings->reflector);
    str_own_free(&settings->namespace_);
    mem_free(settings);
}

bool settings_is_complete(const struct settings *settings)
{
    return reflector_is_complete(settings->reflector);
}

str settings_get(const struct settings *settings, str config_map, str key)
{
    struct settings_map *map = reflector_get(settings->reflector, settings->namespace_, config_map);

    return map == NULL ? STR_EMPTY : val_get_str(map->data, key);
}

int64_t settings_reconcile_ms(const struct settings *settings)
{
    str text = settings_get(settings, SETTINGS_MAIN, S("timeout.reconciliation"));
    int64_t ms;

    if (str_is_empty(text) || !clock_parse_duration(text, &ms) || ms <= 0)
        return SETTINGS_RECONCILE_MS;
    return MAX(ms, (int64_t)SETTINGS_RECONCILE_LEAST_MS);
}
