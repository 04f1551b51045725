/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/live.h"
#include "base/mem.h"
#include "engine/info.h"
#include "engine/mark.h"

/* What the spec view leaves out (ENGINE section 4). */
static const str view_skips[] = {
        S_INIT("/status"),
        S_INIT("/metadata/managedFields"),
        S_INIT("/metadata/resourceVersion"),
        S_INIT("/metadata/generation"),
        S_INIT("/metadata/uid"),
        S_INIT("/metadata/creationTimestamp"),
        S_INIT("/metadata/selfLink"),
        /* The Deployment controller's counter: no manifest decides it. */
        S_INIT("/metadata/annotations/deployment.kubernetes.io~1revision"),
};

struct hash live_spec_hash(const struct val *object)
{
    return hash_val_without(object, view_skips, COUNT(view_skips));
}

struct val *live_spec_view(struct arena *arena, const struct val *object)
{
    struct val *view = val_dup(arena, object);
    struct val *metadata = val_get(view, S("metadata"));

    val_del(view, S("status"));
    for (size_t i = 1; i < COUNT(view_skips) - 1; i++)
        val_del(metadata, str_from_index(view_skips[i], sizeof("/metadata/") - 1));
    val_del(val_get(metadata, S("annotations")), S("deployment.kubernetes.io/revision"));
    return view;
}

struct hash live_owner_hash(const struct val *object)
{
    static const str skips[] = {S_INIT("/time")};
    struct hasher *hasher = hash_begin();
    struct val_iter it = val_iter(VAL_AT(object, "metadata", "managedFields"));

    while (val_next(&it)) {
        struct hash entry;

        if (str_eq(val_get_str(it.value, S("subresource")), S("status")))
            continue;
        entry = hash_val_without(it.value, skips, COUNT(skips));
        hash_add(hasher, str_of((const char *)entry.bytes, HASH_SIZE));
    }
    return hash_end(hasher);
}

const struct val *live_our_fields(const struct val *object)
{
    struct val_iter it = val_iter(VAL_AT(object, "metadata", "managedFields"));

    while (val_next(&it))
        if (str_eq(val_get_str(it.value, S("manager")), FIELD_MANAGER) &&
            str_eq(val_get_str(it.value, S("operation")), S("Apply")) &&
            str_is_empty(val_get_str(it.value, S("subresource"))))
            return val_get(it.value, S("fieldsV1"));
    return NULL;
}

static void images_add(struct buf *out, const struct val *pod)
{
    static const char *const lists[] = {"initContainers", "containers"};

    for (size_t i = 0; i < COUNT(lists); i++) {
        struct val_iter it = val_iter(val_get(pod, str_from(lists[i])));

        while (val_next(&it)) {
            str image = val_get_str(it.value, S("image"));

            if (str_is_empty(image))
                continue;
            buf_add(out, out->len > 0 ? S(" ") : STR_EMPTY);
            buf_add(out, image);
        }
    }
}

void live_images(struct buf *out, const struct val *object)
{
    buf_init(out, LIMIT_LIVE_IMAGES);
    if (str_eq(val_get_str(object, S("kind")), S("Pod")))
        images_add(out, val_get(object, S("spec")));
    else if (VAL_AT(object, "spec", "jobTemplate") != NULL)
        images_add(out, VAL_AT(object, "spec", "jobTemplate", "spec", "template", "spec"));
    else
        images_add(out, VAL_AT(object, "spec", "template", "spec"));
}

struct live *live_new(const struct val *object)
{
    auto_arena struct arena *arena = arena_new(LIMIT_LIVE_ARENA);
    auto_buf struct buf images = {0};
    struct live *live;
    struct gvk gvk = gvk_of(object);
    struct health health = health_of(object, arena);
    str compare = object_annotation(object, S("argocd.argoproj.io/compare-options"));

    live_images(&images, object);
    const str texts[] = {
            gvk.group,
            gvk.version,
            gvk.kind,
            object_namespace(object),
            object_name(object),
            object_uid(object),
            object_resource_version(object),
            object_label(object, MARK_LABEL),
            object_annotation(object, MARK_TRACKING),
            object_annotation(object, MARK_INSTALLATION),
            object_annotation(object, S("argocd.argoproj.io/sync-options")),
            str_first(health.message, str_utf8_clip(health.message, LIMIT_HEALTH_BYTES)),
            buf_str(&images),
            VAL_STR(object, "metadata", "creationTimestamp"),
            info_of(object, arena),
            VAL_STR(object, "spec", "nodeName")};
    size_t size = sizeof(*live);
    char *at;

    for (size_t i = 0; i < COUNT(texts); i++)
        size += texts[i].len;
    live = mem_new(1, size);
    str *places[] = {&live->gvk.group,
                     &live->gvk.version,
                     &live->gvk.kind,
                     &live->namespace_,
                     &live->name,
                     &live->uid,
                     &live->resource_version,
                     &live->label,
                     &live->tracking,
                     &live->installation,
                     &live->options,
                     &live->health_message,
                     &live->images,
                     &live->created,
                     &live->info,
                     &live->node};
    at = (char *)(live + 1);
    for (size_t i = 0; i < COUNT(texts); i++) {
        if (texts[i].len > 0)
            memcpy(at, texts[i].at, texts[i].len);
        *places[i] = str_of(at, texts[i].len);
        at += texts[i].len;
    }
    live->health = health.status;
    live->spec_hash = live_spec_hash(object);
    live->owner_hash = live_owner_hash(object);
    live->deleting = VAL_AT(object, "metadata", "deletionTimestamp") != NULL;
    live->has_owner = val_count(VAL_AT(object, "metadata", "ownerReferences")) > 0;
    live->ignore_extraneous = str_contains(compare, S("IgnoreExtraneous"));
    live->ignore_health = str_eq(
            object_annotation(object, S("argocd.argoproj.io/ignore-healthcheck")), S("true"));
    return live;
}

void live_free(struct live *live)
{
    mem_free(live);
}
