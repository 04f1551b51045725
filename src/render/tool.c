/* SPDX-License-Identifier: Apache-2.0 */
#include "render/tool.h"

static const struct {
    const char *block;
    enum render_tool tool;
} blocks[] = {
        {"helm", RENDER_HELM},
        {"kustomize", RENDER_KUSTOMIZE},
        {"directory", RENDER_DIRECTORY},
        {"plugin", RENDER_PLUGIN},
};

/* The first that exists decides. */
static const struct {
    const char *file;
    enum render_tool tool;
} marks[] = {
        {"kustomization.yaml", RENDER_KUSTOMIZE},
        {"kustomization.yml", RENDER_KUSTOMIZE},
        {"Kustomization", RENDER_KUSTOMIZE},
        {"Chart.yaml", RENDER_HELM},
};

/* A block whose fields are all zero says nothing, as in Argo CD: "directory: {recurse: false}". */
static bool is_set(const struct val *v)
{
    switch (val_kind(v)) {
    case VAL_NULL:
        return false;
    case VAL_BOOL:
        return val_is_true(v);
    case VAL_NUMBER:
        return val_i64_or(v, 1) != 0;
    case VAL_STRING:
        return !str_is_empty(val_str(v));
    case VAL_LIST:
        return val_count(v) > 0;
    case VAL_MAP:
        break;
    }
    for (struct val_iter it = val_iter(v); val_next(&it);) {
        if (is_set(it.value))
            return true;
    }
    return false;
}

bool tool_detect(struct tree *tree, const struct render_request *request,
                 enum render_tool *ret_tool, struct err *err)
{
    const char *chosen = NULL;

    for (size_t i = 0; i < COUNT(blocks); i++) {
        if (!is_set(val_get(request->source, str_from(blocks[i].block))))
            continue;
        if (chosen != NULL)
            return err_set(err, ERR_INVALID,
                           "source.%s and source.%s are both set: a source has one tool", chosen,
                           blocks[i].block);
        chosen = blocks[i].block;
        *ret_tool = blocks[i].tool;
    }
    if (chosen != NULL)
        return true;

    for (size_t i = 0; i < COUNT(marks); i++) {
        str path;
        if (!tree_path_join(tree->arena, request->path, str_from(marks[i].file), &path, err))
            return false;
        if (tree_kind(tree, path, NULL) == TREE_FILE) {
            *ret_tool = marks[i].tool;
            return true;
        }
    }
    *ret_tool = RENDER_DIRECTORY;
    return true;
}
