/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/app_watch.h"
#include "base/clock.h"
#include "base/mem.h"
#include "kube/reflector.h"

struct app_watch {
    struct client *client;
    struct reflector *reflector;
    struct arena *arena; /* of the newest state */
    const struct val *app;
    bool is_known; /* the first list has come */
    bool has_news;
    bool has_failed;
    struct err err;
};

static void *watch_keep(void *owner, const struct val *object)
{
    struct app_watch *watch = owner;

    if (watch->arena != NULL)
        arena_free(watch->arena);
    watch->arena = arena_new(LIMIT_RESPONSE_BYTES);
    watch->app = val_dup(watch->arena, object);
    watch->has_news = watch->is_known;
    return mem_dup_z(object_resource_version(object));
}

static void watch_drop(UNUSED void *owner, void *kept)
{
    mem_free(kept);
}

static void watch_changed(void *owner, UNUSED str namespace_, UNUSED str name,
                          UNUSED const void *was, const void *is)
{
    struct app_watch *watch = owner;

    if (is == NULL)
        watch->app = NULL;
    watch->has_news = true;
}

static void watch_complete(void *owner)
{
    struct app_watch *watch = owner;

    watch->is_known = true;
    watch->has_news = true;
}

/* Once it ran, a server that is away comes back; a right that is missing does not. */
static void watch_trouble(void *owner, const struct err *err)
{
    struct app_watch *watch = owner;

    if (err == NULL ||
        (watch->is_known && err->code != ERR_FORBIDDEN && err->code != ERR_UNAUTHORIZED))
        return;
    watch->has_failed = true;
    watch->has_news = true;
    watch->err = *err;
}

static const struct reflector_events events = {
        .keep = watch_keep,
        .drop = watch_drop,
        .changed = watch_changed,
        .complete = watch_complete,
        .trouble = watch_trouble,
};

bool app_watch_open(struct app_call *call, str name, struct app_watch **ret, struct err *err)
{
    struct kube_selector what = {.gvr = {S("argoproj.io"), S("v1alpha1"), S("applications")},
                                 .namespace_ = call->namespace_};
    struct app_watch *watch;
    struct kube *kube;

    if (!client_kube(call->client, &kube, err))
        return false;
    watch = new0(struct app_watch);
    watch->client = call->client;
    what.field_selector = arena_printf(call->arena, "metadata.name=%.*s", STR(name));
    watch->reflector = reflector_new(kube, &what, &events, watch);
    *ret = watch;
    return true;
}

void app_watch_close(struct app_watch *watch)
{
    if (watch == NULL)
        return;
    reflector_free(watch->reflector);
    if (watch->arena != NULL)
        arena_free(watch->arena);
    mem_free(watch);
}

enum app_news app_watch_next(struct app_watch *watch, int64_t deadline, const struct val **ret_app,
                             struct err *err)
{
    int64_t left = deadline - clock_mono_ms();

    if (!watch->has_news)
        client_run(watch->client, &watch->has_news, MAX(left, (int64_t)0));
    *ret_app = watch->app;
    if (watch->has_failed) {
        *err = watch->err;
        return APP_FAILED;
    }
    if (!watch->is_known) {
        err_set(err, ERR_TIMEOUT, "the server does not answer");
        return APP_FAILED;
    }
    if (watch->app == NULL)
        return APP_GONE;
    if (!watch->has_news)
        return APP_LATE;
    watch->has_news = false;
    return APP_NEWS;
}
