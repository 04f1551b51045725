/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/thing.h"

#include "base/mem.h"
#include "doc/json.h"

static const struct {
    const char *kind;
    enum world_kind to;
} owners[] = {{"ReplicaSet", WORLD_REPLICA_SET},
              {"Deployment", WORLD_DEPLOYMENT},
              {"StatefulSet", WORLD_STATEFUL_SET},
              {"DaemonSet", WORLD_DAEMON_SET},
              {"Job", WORLD_JOB},
              {"CronJob", WORLD_CRON_JOB},
              {"Service", WORLD_SERVICE}};

static void note_owner(struct thing *thing, const struct val *object)
{
    struct val_iter it = val_iter(VAL_AT(object, "metadata", "ownerReferences"));

    thing->owner_kind = WORLD_KINDS;
    while (val_next(&it)) {
        if (!val_get_bool(it.value, S("controller"), false))
            continue;
        thing->owner_uid = str_own(val_get_str(it.value, S("uid")));
        thing->owner_name = str_own(val_get_str(it.value, S("name")));
        for (size_t i = 0; i < COUNT(owners); i++)
            if (str_eq(val_get_str(it.value, S("kind")), str_from(owners[i].kind)))
                thing->owner_kind = owners[i].to;
        return;
    }
}

/* Counting Pods must not cost a parse of each. */
static void note_pod(struct thing *thing, const struct val *object)
{
    str phase = VAL_STR(object, "status", "phase");
    struct val_iter it = val_iter(VAL_AT(object, "status", "conditions"));

    thing->revision = str_own(object_label(object, S("controller-revision-hash")));
    thing->succeeded = str_eq(phase, S("Succeeded"));
    thing->finished = thing->succeeded || str_eq(phase, S("Failed"));
    while (val_next(&it))
        if (str_eq(val_get_str(it.value, S("type")), S("Ready")))
            thing->ready = str_eq(val_get_str(it.value, S("status")), S("True"));
}

static void note_selector(struct thing *thing, const struct val *object)
{
    const struct val *selector = VAL_AT(object, "spec", "selector");
    struct val_iter it = val_iter(selector);
    auto_arena struct arena *arena = arena_new(LIMIT_MIB);

    if (thing->kind != WORLD_SERVICE || val_count(selector) == 0)
        return;
    thing->needles = new0_array(val_count(selector), str);
    while (val_next(&it)) {
        struct val pair = val_map();
        val_add(arena, &pair, it.key, *it.value);
        str text = json_text(arena, &pair, 0);
        thing->needles[thing->needle_count++] = str_own(str_of(text.at + 1, text.len - 2));
    }
}

bool world_selects(const struct thing *service, const struct thing *pod)
{
    for (size_t i = 0; i < service->needle_count; i++)
        if (!str_contains(pod->json, service->needles[i]))
            return false;
    return service->needle_count > 0 && str_eq(service->namespace_, pod->namespace_);
}

/* The object without managedFields. Nothing deep is copied. */
static struct val reduced(struct arena *arena, const struct val *object)
{
    struct val copy = val_map();
    struct val metadata = val_map();
    struct val_iter it = val_iter(val_get(object, S("metadata")));

    while (val_next(&it))
        if (!str_eq(it.key, S("managedFields")))
            val_add(arena, &metadata, it.key, *it.value);
    it = val_iter(object);
    while (val_next(&it))
        val_add(arena, &copy, it.key, str_eq(it.key, S("metadata")) ? metadata : *it.value);
    return copy;
}

struct thing *thing_new(enum world_kind kind, const struct val *object)
{
    auto_arena struct arena *arena = arena_new(LIMIT_SANDBOX_ARENA);
    struct val copy = reduced(arena, object);
    struct thing *thing = new0(struct thing);

    thing->refs = 1;
    thing->kind = kind;
    thing->namespace_ = str_own(object_namespace(object));
    thing->name = str_own(object_name(object));
    thing->uid = str_own(object_uid(object));
    note_owner(thing, object);
    thing->deleting = VAL_AT(object, "metadata", "deletionTimestamp") != NULL;
    if (!str_to_u64(object_resource_version(object), &thing->version))
        thing->version = 0;
    note_pod(thing, object);
    note_selector(thing, object);
    thing->json = str_own(json_text(arena, &copy, 0));
    return thing;
}

void thing_unref(struct thing *thing)
{
    if (thing == NULL || --thing->refs > 0)
        return;
    str_own_free(&thing->namespace_);
    str_own_free(&thing->name);
    str_own_free(&thing->uid);
    str_own_free(&thing->owner_uid);
    str_own_free(&thing->owner_name);
    str_own_free(&thing->revision);
    for (size_t i = 0; i < thing->needle_count; i++)
        str_own_free(&thing->needles[i]);
    mem_free(thing->needles);
    str_own_free(&thing->json);
    mem_free(thing);
}
