/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/tree.h"
#include "engine/engine_state.h"

/*
 * The tree of an application: what it manages and what that owns, as flat nodes. All of it is what
 * memory has; nothing is asked.
 */

/* Why a row is not Synced, in one word for programs. */
static const char *const reason_words[] = {
        [REASON_NONE] = "",
        [REASON_MISSING] = "missing",
        [REASON_KIND_ABSENT] = "kindAbsent",
        [REASON_UNMANAGED] = "unmanaged",
        [REASON_SHARED] = "shared",
        [REASON_DIFFERS] = "field",
        [REASON_REFUSED] = "refused",
        [REASON_DELETING] = "deleting",
        [REASON_EXTRANEOUS] = "prune",
        [REASON_NOT_ASKED] = "notAsked",
        [REASON_FORBIDDEN] = "forbidden",
        [REASON_TROUBLE] = "trouble",
};

const char *tree_reason_word(enum row_reason reason)
{
    return reason_words[reason];
}

struct tree {
    const struct app *app;
    struct arena *arena;
    struct val *nodes;
};

static struct val *node_new(struct tree *tree, struct gvk gvk, str namespace_, str name)
{
    struct arena *arena = tree->arena;
    struct val *node = val_append(arena, tree->nodes, val_map());

    val_set_str(arena, node, S("id"), object_key(arena, gvk.group, gvk.kind, namespace_, name));
    val_set_str(arena, node, S("group"), gvk.group);
    val_set_str(arena, node, S("version"), gvk.version);
    val_set_str(arena, node, S("kind"), gvk.kind);
    val_set_str(arena, node, S("namespace"), namespace_);
    val_set_str(arena, node, S("name"), name);
    return node;
}

static void set_text(struct arena *arena, struct val *node, str key, str text)
{
    if (!str_is_empty(text))
        val_set_str(arena, node, key, text);
}

static void node_live(struct tree *tree, struct val *node, const struct live *live)
{
    struct val *images;
    str rest = live->images;
    str image;

    set_text(tree->arena, node, S("created"), live->created);
    set_text(tree->arena, node, S("info"), live->info);
    set_text(tree->arena, node, S("node"), live->node);
    if (live->deleting)
        val_set(tree->arena, node, S("deleting"), val_bool(true));
    if (str_is_empty(rest))
        return;
    images = val_set(tree->arena, node, S("images"), val_list());
    while (str_split(&rest, ' ', &image))
        val_append(tree->arena, images, val_string(tree->arena, image));
}

static void node_managed(struct tree *tree, const struct row *row)
{
    struct arena *arena = tree->arena;
    struct val *node = node_new(tree, row->gvk, row->namespace_, row->name);
    const struct live *live =
            row->cluster == NULL ? NULL
                                 : cluster_live(row->cluster, row->gvr, row->namespace_, row->name);

    val_set(arena, node, S("managed"), val_bool(true));
    val_set_str(arena, node, S("status"), str_from(row_status_name(row->status)));
    set_text(arena, node, S("health"), str_from(health_name(row->health.status)));
    set_text(arena, node, S("reason"),
             str_is_empty(row->health.message) ? row->note : row->health.message);
    set_text(arena, node, S("difference"), str_from(tree_reason_word(row->reason)));
    if (row->requires_pruning)
        val_set(arena, node, S("requiresPruning"), val_bool(true));
    if (live != NULL)
        node_live(tree, node, live);
    if (row->want != NULL && !str_is_empty(row->want->file))
        val_set_str(arena, node, S("file"),
                    arena_printf(arena, "%.*s:%u", STR(row->want->file), row->want->line));
}

struct val *engine_app_tree(const struct engine *engine, str namespace_, str name,
                            struct arena *arena)
{
    const struct app *app = engine_app(engine, namespace_, name);
    struct tree tree = {.app = app, .arena = arena};
    struct val *answer;

    if (app == NULL)
        return NULL;
    answer = val_new(arena, val_map());
    tree.nodes = val_set(arena, answer, S("items"), val_list());
    val_set(arena, answer, S("compared"), val_bool(app->last != NULL));
    for (size_t i = 0; app->last != NULL && i < compare_count(app->last); i++)
        node_managed(&tree, compare_row(app->last, i));
    return answer;
}
