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
    size_t children; /* nodes of what others made */
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

static void set_images(struct arena *arena, struct val *node, str images)
{
    struct val *list;
    str image;

    if (str_is_empty(images))
        return;
    list = val_set(arena, node, S("images"), val_list());
    while (str_split(&images, ' ', &image))
        val_append(arena, list, val_string(arena, image));
}

static void node_live(struct tree *tree, struct val *node, const struct live *live)
{
    set_text(tree->arena, node, S("created"), live->created);
    set_text(tree->arena, node, S("info"), live->info);
    set_text(tree->arena, node, S("node"), live->node);
    if (live->deleting)
        val_set(tree->arena, node, S("deleting"), val_bool(true));
    set_images(tree->arena, node, live->images);
}

/* ---- what others made ---- */

/* A revision that a Deployment keeps to be able to go back: nothing runs. */
static bool is_old_set(const struct children *children, const struct child *child)
{
    return child->kind == CHILD_REPLICA_SET && str_eq(child->info, S("0/0")) &&
           children_of(children, child->uid).count == 0;
}

static str child_reason(struct tree *tree, const struct children *children,
                        const struct child *child)
{
    const struct warning *warning = children_warning(children, child->uid);

    if (!str_is_empty(child->trouble))
        return child->trouble;
    if (!str_is_empty(child->message))
        return child->message;
    if (!str_is_empty(child->reason) && child->health != HEALTH_HEALTHY)
        return child->reason;
    return warning == NULL || child->health == HEALTH_HEALTHY ? STR_EMPTY
                                                              : warning_words(warning, tree->arena);
}

static str node_child(struct tree *tree, const struct children *children, const struct child *child,
                      str parent)
{
    struct arena *arena = tree->arena;
    struct val *node = node_new(tree, child_gvk(child->kind), child->namespace_, child->name);

    val_set_str(arena, node, S("parent"), parent);
    set_text(arena, node, S("health"), str_from(health_name(child->health)));
    set_text(arena, node, S("reason"), child_reason(tree, children, child));
    set_text(arena, node, S("created"), child->created);
    set_text(arena, node, S("info"), child->info);
    set_text(arena, node, S("node"), child->node);
    set_text(arena, node, S("state"), child->reason);
    if (child->restarts > 0)
        val_set(arena, node, S("restarts"), val_int(arena, child->restarts));
    if (child->deleting)
        val_set(arena, node, S("deleting"), val_bool(true));
    set_images(arena, node, child->images);
    return val_get_str(node, S("id"));
}

static void add_children(struct tree *tree, const struct children *children, str uid, str parent,
                         size_t depth)
{
    struct index_set set = children_of(children, uid);

    for (size_t i = 0; i < set.count && depth < LIMIT_OWNER_DEPTH; i++) {
        const struct child *child = set.at[i];
        str id;

        if (is_old_set(children, child))
            continue;
        if (tree->children == LIMIT_APP_CHILDREN)
            return;
        tree->children++;
        id = node_child(tree, children, child, parent);
        add_children(tree, children, child->uid, id, depth + 1);
    }
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
    if (row->cluster != NULL)
        add_children(tree, cluster_children(row->cluster), row->uid, val_get_str(node, S("id")), 0);
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

/* ---- one object ---- */

struct search {
    str id;
    struct arena *arena;
    size_t seen;
    const struct child *found;
};

static void search_children(struct search *search, const struct children *children, str uid,
                            size_t depth)
{
    struct index_set set = children_of(children, uid);

    for (size_t i = 0; i < set.count && depth < LIMIT_OWNER_DEPTH; i++) {
        const struct child *child = set.at[i];
        struct gvk gvk = child_gvk(child->kind);

        if (search->found != NULL || ++search->seen > LIMIT_APP_CHILDREN)
            return;
        if (str_eq(search->id,
                   object_key(search->arena, gvk.group, gvk.kind, child->namespace_, child->name)))
            search->found = child;
        else
            search_children(search, children, child->uid, depth + 1);
    }
}

static void take_row(const struct row *row, struct engine_object *ret)
{
    *ret = (struct engine_object){.kube = cluster_kube(row->cluster),
                                  .gvk = row->gvk,
                                  .gvr = row->gvr,
                                  .namespace_ = row->namespace_,
                                  .name = row->name,
                                  .is_managed = true,
                                  .wanted = row->want == NULL ? NULL : row->want->object};
}

bool engine_app_object(const struct engine *engine, str namespace_, str name, str id,
                       struct arena *arena, struct engine_object *ret)
{
    const struct app *app = engine_app(engine, namespace_, name);
    struct search search = {.id = id, .arena = arena};

    if (app == NULL || app->last == NULL)
        return false;
    for (size_t i = 0; i < compare_count(app->last); i++) {
        const struct row *row = compare_row(app->last, i);

        if (row->cluster == NULL)
            continue;
        if (str_eq(row->key, id) && !str_is_empty(row->gvr.resource)) {
            take_row(row, ret);
            return true;
        }
        search_children(&search, cluster_children(row->cluster), row->uid, 0);
        if (search.found == NULL)
            continue;
        *ret = (struct engine_object){.kube = cluster_kube(row->cluster),
                                      .gvk = child_gvk(search.found->kind),
                                      .gvr = child_gvr(search.found->kind),
                                      .namespace_ = search.found->namespace_,
                                      .name = search.found->name};
        return true;
    }
    return false;
}
