/* SPDX-License-Identifier: Apache-2.0 */
#include "render/worker.h"

#include "base/fd.h"
#include "doc/hash.h"
#include "git/git_tree.h"
#include "io/confine.h"
#include "render/dir_tree.h"
#include "render/directory.h"
#include "render/kustomize/kustomize.h"
#include "render/message.h"
#include "render/paths.h"
#include "render/tool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

/* ---- one render ---- */

static bool settings_are_built(const struct render_request *request, struct tree *tree,
                               struct err *err)
{
    struct arena *arena = tree->arena;
    const str names[] = {S(".argocd-source.yaml"), arena_printf(arena, ".argocd-source-%.*s.yaml",
                                                                STR(request->application))};
    str path;

    for (size_t i = 0; i < COUNT(names); i++) {
        if (!tree_path_join(arena, request->path, names[i], &path, err))
            return false;
        if (tree_kind(tree, path, NULL) != TREE_MISSING)
            return err_set(err, ERR_UNSUPPORTED, "not supported yet: the file '%.*s'", STR(path));
    }
    return true;
}

/* A path that names nothing is the most frequent mistake of all: say it in the person's words. */
static bool path_is_there(struct tree *tree, str path, struct err *err)
{
    switch (tree_kind(tree, path, NULL)) {
    case TREE_DIR:
        return true;
    case TREE_FILE:
        return err_set(err, ERR_INVALID, "the path '%.*s' is a file, not a directory", STR(path));
    case TREE_SUBMODULE:
        return err_set(err, ERR_UNSUPPORTED, "not supported yet: the path '%.*s' is a submodule",
                       STR(path));
    case TREE_MISSING:
        return err_set(err, ERR_NOT_FOUND, "the path '%.*s' does not exist in this revision",
                       STR(path));
    case TREE_LINK:
        break;
    }
    const struct tree_entry *entries;
    size_t count;
    return tree_list(tree, path, &entries, &count, err);
}

static bool render_kustomize(const struct tree_set *trees, const struct render_request *request,
                             struct render_result *result, struct err *err)
{
    /* What a kept render is not told apart by (source_wait.c) is refused: it would go stale. */
    const struct kustomize_variable environment[] = {
            {S("ARGOCD_APP_NAME"), request->application},
            {S("ARGOCD_APP_NAMESPACE"), request->namespace_},
            {S("ARGOCD_APP_SOURCE_PATH"), val_get_str(request->source, S("path"))},
            {S("ARGOCD_APP_SOURCE_REPO_URL"), (str){0}},
            {S("ARGOCD_APP_SOURCE_TARGET_REVISION"), (str){0}},
            {S("ARGOCD_APP_PROJECT_NAME"), (str){0}},
            {S("ARGOCD_APP_REVISION"), (str){0}},
            {S("ARGOCD_APP_REVISION_SHORT"), (str){0}},
            {S("ARGOCD_APP_REVISION_SHORT_8"), (str){0}},
            {S("KUBE_VERSION"), (str){0}},
            {S("KUBE_API_VERSIONS"), (str){0}},
    };
    struct kustomize_options options = {.wants = KUSTOMIZE_WANTS_OBJECTS,
                                        .overrides = val_get(request->source, S("kustomize")),
                                        .application = request->application,
                                        .environment = environment,
                                        .environment_count = COUNT(environment)};
    struct kustomize_result built = {0};
    size_t max = request->max_objects == 0 ? LIMIT_RENDER_OBJECTS : request->max_objects;

    enum kustomize_outcome outcome = kustomize_build(trees, request->path, &options, &built, err);
    if (outcome == KUSTOMIZE_FAILED)
        return false; /* the process ends: nothing to free */
    if (outcome == KUSTOMIZE_NEEDS && built.need_count == 0)
        return err_set(err, ERR_INTERNAL, "a Kustomize build needs more, and does not say what");
    if (built.object_count > max)
        return err_set(err, ERR_LIMIT, "the Kustomize build has more than %zu objects", max);

    result->objects = arena_array(result->arena, built.object_count + 1, struct render_object);
    for (size_t i = 0; i < built.object_count; i++) {
        struct render_object *o = &result->objects[i];
        o->object = built.objects[i];
        o->file = val_file(built.objects[i]);
        o->line = val_line(built.objects[i]);
        if (!directory_check_object(o->object, o->file, err))
            return false;
    }
    result->object_count = built.object_count;
    result->needs = arena_array(result->arena, built.need_count + 1, struct render_need);
    for (size_t i = 0; i < built.need_count; i++)
        result->needs[i] = (struct render_need){built.needs[i].url, built.needs[i].revision,
                                                built.needs[i].is_file};
    result->need_count = built.need_count;
    result->warnings = arena_array(result->arena, built.warning_count + 1, str);
    for (size_t i = 0; i < built.warning_count; i++)
        result->warnings[i] = built.warnings[i];
    result->warning_count = MIN(built.warning_count, (size_t)LIMIT_RENDER_WARNINGS);
    return true;
}

static bool render_with(const struct tree_set *trees, const struct render_request *request,
                        struct render_result *result, struct err *err)
{
    switch (result->tool) {
    case RENDER_DIRECTORY:
        return directory_render(trees->entries[0].tree, request, result, err);
    case RENDER_KUSTOMIZE:
        return render_kustomize(trees, request, result, err);
    case RENDER_HELM:
        return err_set(err, ERR_UNSUPPORTED, "not supported yet: Helm charts ('%.*s%sChart.yaml')",
                       STR(request->path), str_is_empty(request->path) ? "" : "/");
    case RENDER_PLUGIN:
        break;
    }
    return err_set(err, ERR_UNSUPPORTED, "not supported yet: source.plugin");
}

struct reads {
    struct render_result *result;
    size_t source;
    size_t room;
};

static void add_read(void *owner, str path, enum tree_read_how how, str identity)
{
    struct reads *r = owner;
    struct render_result *result = r->result;

    (void)how;
    result->reads = arena_grow(result->arena, result->reads, result->read_count + 1, &r->room,
                               sizeof(*result->reads));
    result->reads[result->read_count++] = (struct render_read){r->source, path, identity};
}

bool worker_render(const struct tree_set *trees, const struct render_request *request,
                   struct render_result **ret_result, struct err *err)
{
    struct tree *own = trees->entries[0].tree;
    struct render_request normal = *request;

    if (!tree_path_join(own->arena, STR_EMPTY, request->path, &normal.path, err) ||
        !path_is_there(own, normal.path, err) || !settings_are_built(&normal, own, err))
        return err_wrap(err, "source.path");

    struct render_result *result = render_result_new();
    if (!tool_detect(own, &normal, &result->tool, err) ||
        !render_with(trees, &normal, result, err)) {
        render_result_unref(result);
        return false;
    }

    struct reads reads = {.result = result};
    for (size_t i = 0; i < trees->count; i++) {
        reads.source = i;
        tree_reads_each(trees->entries[i].tree, add_read, &reads);
    }
    if (result->read_count > LIMIT_RENDER_READS) {
        render_result_unref(result);
        return err_set(err, ERR_LIMIT, "a render looked at more than %d paths", LIMIT_RENDER_READS);
    }
    *ret_result = result;
    return true;
}

/* ---- the process ---- */

static bool read_request(int socket, struct arena *arena, struct message_request *ret_request,
                         struct err *err)
{
    static struct buf in;
    str body;
    bool bad = false;

    buf_init(&in, LIMIT_RENDER_REQUEST + WIRE_HEAD);
    while (!wire_frame(buf_str(&in), LIMIT_RENDER_REQUEST, &body, &bad)) {
        char *at = buf_reserve(&in, 64 * LIMIT_KIB);
        ssize_t got = bad || at == NULL ? -1 : read(socket, at, 64 * LIMIT_KIB);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return err_set(err, ERR_INTERNAL, "a render process got no request");
        in.len += (size_t)got;
    }
    return message_get_request(body, arena, ret_request, err);
}

static bool confine(int socket, const int *caches, size_t count, const struct render_request *r,
                    struct err *err)
{
    struct confine_rule rules[LIMIT_RENDER_SOURCES];
    int64_t timeout_ms = r->timeout_ms == 0 ? LIMIT_RENDER_MS : r->timeout_ms;
    struct confine_limits limits = {
            .memory = LIMIT_RENDER_MEMORY, .cpu_s = timeout_ms / 1000 + 1, .descriptors = 256};

    (void)socket;
    for (size_t i = 0; i < count; i++)
        rules[i] = (struct confine_rule){.fd = caches[i], .rights = CONFINE_READ};
    return confine_limits(&limits, err) && confine_files(rules, count, /*allow_tcp=*/false, err) &&
           confine_calls(err);
}

static bool open_trees(const struct render_request *r, const int *caches, struct tree_set *ret_set,
                       struct arena *arena, struct err *err)
{
    ret_set->entries = arena_alloc_array(arena, r->source_count, sizeof(*ret_set->entries));
    for (size_t i = 0; i < r->source_count; i++) {
        const struct render_source *s = &r->sources[i];
        char path[64];
        snprintf(path, sizeof(path), "/proc/self/fd/%d", caches[i]);
        if (s->is_dir ? !dir_tree_open(path, &ret_set->entries[i].tree, err)
                      : !git_tree_open(path, s->commit, &ret_set->entries[i].tree, err))
            return false;
        ret_set->entries[i].url = s->url;
        ret_set->entries[i].revision = s->revision;
        ret_set->count = i + 1;
    }
    return true;
}

static bool do_render(const struct render_request *r, const int *caches, struct arena *arena,
                      struct buf *out, struct err *err)
{
    struct tree_set trees = {0};
    struct render_result *result = NULL;

    if (!open_trees(r, caches, &trees, arena, err) || !worker_render(&trees, r, &result, err))
        return false;
    message_put_result(out, result);
    return true;
}

struct change_list {
    struct arena *arena;
    struct render_change *items;
    size_t count;
    size_t room;
};

static void add_change(void *owner, str path, enum git_change change)
{
    struct change_list *list = owner;

    list->items = arena_grow(list->arena, list->items, list->count + 1, &list->room,
                             sizeof(*list->items));
    list->items[list->count++] = (struct render_change){.path = arena_str(list->arena, path),
                                                        .is_entry = change == GIT_CHANGE_ENTRY};
}

static int by_path(const void *a, const void *b)
{
    return str_cmp(((const struct render_change *)a)->path,
                   ((const struct render_change *)b)->path);
}

static bool do_changes(const struct message_request *request, int cache, struct arena *arena,
                       struct buf *out, struct err *err)
{
    struct change_list list = {.arena = arena};
    char path[64];

    snprintf(path, sizeof(path), "/proc/self/fd/%d", cache);
    if (!git_tree_changes(path, request->from_commit, request->to_commit, add_change, &list, err))
        return false;
    if (list.count > 0)
        qsort(list.items, list.count, sizeof(*list.items), by_path);

    struct render_changes changes = {list.items, list.count};
    message_put_changes(out, &changes);
    return true;
}

static bool do_paths(const struct message_request *request, int cache, struct arena *arena,
                     struct buf *out, struct err *err)
{
    struct render_paths paths;
    struct tree *tree = NULL;
    char path[64];

    snprintf(path, sizeof(path), "/proc/self/fd/%d", cache);
    if (!git_tree_open(path, request->from_commit, &tree, err) ||
        !paths_list(tree, request->render.path, arena, &paths, err))
        return false;
    message_put_paths(out, &paths);
    return true;
}

static bool answer(int socket, str body)
{
    auto_buf struct buf head = {0};

    buf_init(&head, WIRE_HEAD);
    wire_put_frame(&head, str_of("", 0));
    for (size_t i = 0; i < WIRE_HEAD; i++)
        head.at[i] = (char)(((uint64_t)body.len >> (8 * i)) & 0xff);

    str parts[2] = {buf_str(&head), body};
    return fd_write_all(socket, parts[0]) && fd_write_all(socket, parts[1]);
}

void worker_prepare(void)
{
    git_tree_init();
    hash_bytes(STR_EMPTY);
}

int worker_main(int socket, const int *caches, size_t count)
{
    struct arena *arena = arena_new(LIMIT_RENDER_ARENA);
    struct message_request request;
    static struct buf out;
    struct err err;

    buf_init(&out, LIMIT_RENDER_ANSWER);
    bool ok = read_request(socket, arena, &request, &err);
    if (ok && count != (request.job == MESSAGE_RENDER ? request.render.source_count : 1))
        ok = err_set(&err, ERR_INTERNAL, "a render request and its caches do not match");
    ok = ok && confine(socket, caches, count, &request.render, &err);
    if (ok && request.job == MESSAGE_CHANGES)
        ok = do_changes(&request, caches[0], arena, &out, &err);
    else if (ok && request.job == MESSAGE_PATHS)
        ok = do_paths(&request, caches[0], arena, &out, &err);
    else if (ok)
        ok = do_render(&request.render, caches, arena, &out, &err);
    if (ok)
        ok = buf_check(&out, "the rendered objects", &err);
    if (!ok) {
        buf_reset(&out);
        out.over = false;
        message_put_failure(&out, &err);
    }
    /* no clean-up: the process is the arena */
    return answer(socket, buf_str(&out)) ? 0 : 1;
}
