/* SPDX-License-Identifier: Apache-2.0 */
#include "render/paths.h"
#include "render/tool.h"

static bool is_manifest(str name)
{
    return str_ends(name, S(".yaml")) || str_ends(name, S(".yml")) || str_ends(name, S(".json"));
}

/* What stands in the folder itself decides; a folder of folders holds nothing to render. */
static void look_into(struct tree *tree, str path, struct render_path *out)
{
    const struct render_request request = {.path = path};
    const struct tree_entry *entries;
    size_t count = 0;

    if (!tree_list(tree, path, &entries, &count, NULL))
        return;
    for (size_t i = 0; i < count; i++) {
        out->has_folders |= entries[i].kind == TREE_DIR;
        out->has_manifests |= entries[i].kind != TREE_DIR && is_manifest(entries[i].name);
    }
    if (!tool_detect(tree, &request, &out->tool, NULL))
        out->tool = RENDER_DIRECTORY;
    out->has_manifests |= out->tool != RENDER_DIRECTORY;
}

bool paths_list(struct tree *tree, str path, struct arena *arena, struct render_paths *ret_paths,
                struct err *err)
{
    const struct tree_entry *entries;
    struct render_path *items;
    size_t count = 0;
    size_t kept = 0;
    str at;

    if (!tree_path_join(arena, STR_EMPTY, path, &at, err))
        return false;
    if (tree_kind(tree, at, NULL) != TREE_DIR)
        return err_set(err, ERR_NOT_FOUND, "the revision has no folder '%.*s'", STR(at));
    if (!tree_list(tree, at, &entries, &count, err))
        return false;
    *ret_paths = (struct render_paths){.self = {.name = at}};
    look_into(tree, at, &ret_paths->self);
    items = arena_array(arena, MIN(count, (size_t)LIMIT_TREE_FOLDERS) + 1, struct render_path);
    for (size_t i = 0; i < count; i++) {
        str inner;

        if (entries[i].kind != TREE_DIR)
            continue;
        if (kept == LIMIT_TREE_FOLDERS) {
            ret_paths->more = true;
            break;
        }
        if (!tree_path_join(arena, at, entries[i].name, &inner, err))
            return false;
        items[kept] = (struct render_path){.name = entries[i].name};
        look_into(tree, inner, &items[kept++]);
    }
    ret_paths->items = items;
    ret_paths->count = kept;
    return true;
}
