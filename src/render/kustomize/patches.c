/* SPDX-License-Identifier: Apache-2.0 */
/* patches, patchesStrategicMerge and patchesJson6902: which resources a patch goes to, and how. */
#include "render/kustomize/transform.h"

/* ---- JSON patches ---- */

static bool json_to_one(struct build *b, struct resource *r, const struct val *patch)
{
    bool has_history = r->previous.count > 0 || r->needs_hash;

    if (!build_json_patch(b, r, patch)) {
        struct id id = id_current(b, r);
        return err_wrap(b->err, "patching %.*s", STR(id_text(b, &id)));
    }
    struct pairs annotations = resource_map(b, r, "annotations");
    if (!resource_set_map(b, r, "annotations", &annotations))
        return false;
    return !has_history || resource_mark(b, r);
}

static bool json_to_selected(struct build *b, struct resmap *m, const struct selector *target,
                             const struct val *patch, bool store_previous)
{
    struct resmap selected = {0};

    if (!resmap_select(b, m, target, &selected))
        return false;
    for (size_t i = 0; i < selected.count; i++) {
        if (store_previous && !resource_store_previous(b, selected.at[i]))
            return false;
        if (!json_to_one(b, selected.at[i], patch))
            return false;
    }
    resmap_changed(m);
    return true;
}

/* ---- strategic merge patches ---- */

/* Kustomize copies the patch for each target and passes its labels and annotations through text
 * maps on the way: null becomes "null" and no longer deletes. */
static struct resource *patch_for(struct build *b, const struct resource *patch,
                                  const struct resource *target)
{
    struct resource *copy = resource_copy(b, patch);
    struct pairs labels = resource_map(b, patch, "labels");
    struct pairs annotations = resource_map(b, patch, "annotations");

    if (!resource_set_map(b, copy, "labels", &labels) ||
        !resource_set_map(b, copy, "annotations", &annotations))
        return NULL;
    if (!resource_set_name(b, copy, resource_name(patch)) ||
        !resource_set_namespace(b, copy, resource_namespace(patch)))
        return NULL;
    node_set(b->arena, copy->node, S("apiVersion"),
             node_scalar(b->arena, TAG_NONE, resource_api_version(target)));
    node_set(b->arena, copy->node, S("kind"),
             node_scalar(b->arena, TAG_NONE, resource_kind(patch)));
    return copy;
}

/* Only a patch that may rename can make two ids equal. */
static bool check_ids(struct build *b, const struct resmap *m)
{
    struct resmap checked = {0};

    return resmap_append_all(b, &checked, m);
}

static bool merge_to_selected(struct build *b, struct resmap *m, const struct resmap *selected,
                              const struct resource *patch)
{
    for (size_t i = 0; i < selected->count; i++) {
        struct resource *copy = patch_for(b, patch, selected->at[i]);
        if (copy == NULL || !merge_patch(b, selected->at[i], copy))
            return false;
    }
    resmap_changed(m);
    resmap_drop_empty(m);
    return (!patch->allow_name_change && !patch->allow_kind_change) || check_ids(b, m);
}

static bool merge_to_target(struct build *b, struct resmap *m, const struct resource *patch)
{
    struct id id = id_original(b, patch);
    struct resmap selected = {0};
    struct resource *target = NULL;

    if (!resmap_get_by_id(b, m, &id, &target))
        return false;
    resmap_push(b, &selected, target);
    return merge_to_selected(b, m, &selected, patch);
}

/* ---- patches ---- */

static bool allow_changes(struct build *b, struct resource *patch,
                          const struct patch_options *options)
{
    if (options == NULL || (!options->allow_name_change && !options->allow_kind_change))
        return true;
    struct pairs annotations = resource_map(b, patch, "annotations");
    patch->allow_name_change = options->allow_name_change;
    patch->allow_kind_change = options->allow_kind_change;
    return resource_set_map(b, patch, "annotations", &annotations) && resource_mark(b, patch);
}

static bool apply_merges(struct build *b, struct resmap *m, const struct resmap *patches,
                         const struct patch *args, str source)
{
    struct resmap selected = {0};

    if (args->target != NULL) {
        if (patches->count > 1)
            return build_fail(
                    b, KUSTOMIZE_ERROR_CONFIG,
                    "%.*s: Multiple Strategic-Merge Patches in one `patches` entry is not "
                    "allowed to set `patches.target` field",
                    STR(source));
        return resmap_select(b, m, args->target, &selected) &&
               merge_to_selected(b, m, &selected, patches->at[0]);
    }
    for (size_t i = 0; i < patches->count; i++) {
        struct id id = id_original(b, patches->at[i]);
        struct resource *target = NULL;
        if (!resmap_get_by_id(b, m, &id, &target))
            return err_wrap(b->err, "no resource matches strategic merge patch");
        if (!merge_patch(b, target, patches->at[i]))
            return false;
    }
    resmap_changed(m);
    return true;
}

static bool patch_text(struct build *b, const struct loader *loader, const struct patch *patch,
                       str *ret_text, str *ret_source)
{
    str inline_patch = patch->patch.at == NULL ? STR_EMPTY : str_trim(patch->patch);

    if (inline_patch.len == 0 && patch->path.len == 0)
        return build_fail(b, KUSTOMIZE_ERROR_CONFIG,
                          "a patch must specify one of patch and path (in '%.*s')",
                          STR(loader->root));
    if (inline_patch.len > 0 && patch->path.len > 0)
        return build_fail(b, KUSTOMIZE_ERROR_CONFIG,
                          "patch and path can't be set at the same time (path '%.*s')",
                          STR(patch->path));
    if (inline_patch.len > 0) {
        *ret_text = inline_patch;
        *ret_source = S("inline patch");
        return true;
    }
    *ret_source = loader_file_name(b, loader, patch->path);
    if (!loader_read(b, loader, patch->path, ret_text))
        return err_wrap(b->err, "failed to get the patch file from path(%.*s)", STR(patch->path));
    return true;
}

bool transform_patch(struct build *b, struct resmap *m, const struct loader *loader,
                     const struct patch *patch)
{
    struct resmap merges = {0};
    const struct val *json = NULL;
    str text = STR_EMPTY;
    str source = STR_EMPTY;
    struct err merge_error = {0};
    struct err json_error = {0};
    struct err *err = b->err;

    if (!patch_text(b, loader, patch, &text, &source))
        return false;
    b->err = &merge_error;
    bool is_merge = resources_parse(b, text, source, &merges);
    b->err = &json_error;
    bool is_json = json_patch_parse(b, text, source, &json);
    b->err = err;
    if (is_merge && is_json && merges.count > 0 && val_count(json) > 0)
        return build_fail(b, KUSTOMIZE_ERROR_CONFIG,
                          "%.*s illegally qualifies as both an SM and JSON patch", STR(source));
    bool is_too_much = merge_error.code == ERR_LIMIT || json_error.code == ERR_LIMIT;
    if (!is_merge && !is_json)
        return build_fail(b, is_too_much ? KUSTOMIZE_ERROR_LIMIT : KUSTOMIZE_ERROR_YAML,
                          "unable to parse SM or JSON patch: %s; as a JSON patch: %s",
                          merge_error.message, json_error.message);
    if (is_merge) {
        for (size_t i = 0; i < merges.count; i++)
            if (!allow_changes(b, merges.at[i], patch->options))
                return false;
        return merges.count == 0 || apply_merges(b, m, &merges, patch, source);
    }
    if (val_is(json, VAL_NULL))
        return true;
    if (patch->target == NULL)
        return build_fail(b, KUSTOMIZE_ERROR_CONFIG, "must specify a target for JSON patch %.*s",
                          STR(source));
    return json_to_selected(b, m, patch->target, json, /*store_previous=*/true);
}

bool transform_strategic_merges(struct build *b, struct resmap *m, const struct loader *loader,
                                const struct strs *paths, str inline_patches)
{
    struct resmap patches = {0};

    for (size_t i = 0; i < paths->count; i++) {
        struct err ignored = {0};
        struct err *err = b->err;
        struct resmap inline_ones = {0};
        b->err = &ignored;
        bool is_inline = resources_parse(b, paths->at[i], S("inline patch"), &inline_ones);
        b->err = err;
        if (!is_inline) {
            str text = STR_EMPTY;
            inline_ones = (struct resmap){0};
            if (!loader_read(b, loader, paths->at[i], &text) ||
                !resources_parse(b, text, loader_file_name(b, loader, paths->at[i]), &inline_ones))
                return false;
        }
        for (size_t k = 0; k < inline_ones.count; k++)
            resmap_push(b, &patches, inline_ones.at[k]);
    }
    if (inline_patches.len > 0 && !resources_parse(b, inline_patches, S("inline patch"), &patches))
        return false;
    if (patches.count == 0)
        return build_fail(b, KUSTOMIZE_ERROR_CONFIG, "a strategic merge patch appears to be empty");
    for (size_t i = 0; i < patches.count; i++)
        if (!merge_to_target(b, m, patches.at[i]))
            return false;
    return true;
}

bool transform_json6902(struct build *b, struct resmap *m, const struct loader *loader,
                        const struct patch *patch)
{
    const struct val *json = NULL;
    str text = patch->patch;
    str source = S("inline patch");

    if (patch->target == NULL || patch->target->name.len == 0)
        return build_fail(b, KUSTOMIZE_ERROR_CONFIG,
                          "patchesJson6902: must specify the target name");
    if (patch->path.len == 0 && text.len == 0)
        return build_fail(b, KUSTOMIZE_ERROR_CONFIG,
                          "patchesJson6902: empty file path and empty patch");
    if (patch->path.len > 0 && text.len > 0)
        return build_fail(b, KUSTOMIZE_ERROR_CONFIG,
                          "patchesJson6902: must specify a file path or patch, not both");
    if (patch->path.len > 0) {
        source = loader_file_name(b, loader, patch->path);
        if (!loader_read(b, loader, patch->path, &text))
            return false;
    }
    if (!json_patch_parse(b, text, source, &json))
        return false;
    if (val_count(json) == 0)
        return build_fail(b, KUSTOMIZE_ERROR_CONFIG, "%.*s: the patch appears to be empty",
                          STR(source));
    return json_to_selected(b, m, patch->target, json, /*store_previous=*/false);
}
