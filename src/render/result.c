/* SPDX-License-Identifier: Apache-2.0 */
/* The result of a render: counted, and how its read set is judged against a later commit. */
#include "base/mem.h"
#include "git/tree.h"
#include "render/render.h"

#include <assert.h>

static const char *const tool_names[] = {
        [RENDER_DIRECTORY] = "Directory",
        [RENDER_KUSTOMIZE] = "Kustomize",
        [RENDER_HELM] = "Helm",
        [RENDER_PLUGIN] = "Plugin",
};

const char *render_tool_name(enum render_tool tool)
{
    return tool_names[tool];
}

struct render_result *render_result_new(void)
{
    struct render_result *result = new0(struct render_result);

    result->references = 1;
    result->arena = arena_new(LIMIT_RENDER_ARENA);
    return result;
}

struct render_result *render_result_ref(struct render_result *result)
{
    result->references++;
    return result;
}

void render_result_unref(struct render_result *result)
{
    if (result == NULL)
        return;
    assert(result->references > 0);
    if (--result->references > 0)
        return;
    arena_free(result->arena);
    render_result_unref(result->base);
    mem_free(result);
}

struct render_result *render_result_rebased(struct render_result *result, str commit,
                                            const str *commits)
{
    struct render_result *other = new0(struct render_result);

    *other = *result;
    other->references = 1;
    other->arena = arena_new(LIMIT_MIB);
    other->base = render_result_ref(result->base == NULL ? result : result->base);
    other->commit = arena_str(other->arena, commit);
    if (result->base_count == 0)
        return other;

    struct render_base *bases = arena_array(other->arena, result->base_count, struct render_base);
    for (size_t i = 0; i < result->base_count; i++)
        bases[i] =
                (struct render_base){arena_str(other->arena, result->bases[i].url),
                                     arena_str(other->arena, result->bases[i].revision),
                                     arena_str(other->arena, commits[i]), result->bases[i].is_file};
    other->bases = bases;
    return other;
}

struct render_result *render_result_at(struct render_result *result, str commit)
{
    str commits[LIMIT_RENDER_SOURCES];

    if (str_eq(result->commit, commit))
        return render_result_ref(result);
    for (size_t i = 0; i < result->base_count; i++)
        commits[i] = result->bases[i].commit;
    return render_result_rebased(result, commit, commits);
}

/* The change at exactly this path, or NULL. */
static const struct render_change *change_at(const struct render_changes *changes, str path)
{
    size_t low = 0;
    size_t high = changes->count;

    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = str_cmp(path, changes->items[middle].path);
        if (order == 0)
            return &changes->items[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

/* Something directly in this directory came, went or became another kind. */
static bool listing_changed(const struct render_changes *changes, str dir)
{
    size_t low = 0;
    size_t high = changes->count;
    size_t lead = dir.len == 0 ? 0 : dir.len + 1;

    while (low < high) { /* the first path that may lie beneath */
        size_t middle = (low + high) / 2;
        if (str_cmp(changes->items[middle].path, dir) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < changes->count; low++) {
        str path = changes->items[low].path;
        if (!str_starts(path, dir))
            break;
        if (path.len > lead && (lead == 0 || path.at[dir.len] == '/') &&
            str_find_char(str_from_index(path, lead), '/') == SIZE_MAX &&
            changes->items[low].is_entry)
            return true;
    }
    return false;
}

static bool read_holds(const struct render_read *read, const struct render_changes *changes)
{
    const struct render_change *own = change_at(changes, read->path);

    /* A directory above that came or went took everything with it. */
    for (str up = tree_path_dir(read->path); !str_is_empty(up); up = tree_path_dir(up)) {
        const struct render_change *change = change_at(changes, up);
        if (change != NULL && change->is_entry)
            return false;
    }
    if (own != NULL && (own->is_entry || !str_eq(read->identity, S("dir"))))
        return false;
    return !str_eq(read->identity, S("list")) || !listing_changed(changes, read->path);
}

bool render_reads_hold(const struct render_result *result, size_t source,
                       const struct render_changes *changes)
{
    if (changes->count == 0)
        return true;
    for (size_t i = 0; i < result->read_count; i++) {
        if (result->reads[i].source == source && !read_holds(&result->reads[i], changes))
            return false;
    }
    return true;
}
