/* SPDX-License-Identifier: Apache-2.0 */
#include "render/message.h"

#include "base/mem.h"
#include "doc/hash.h"
#include "schema/gvk.h"

enum answer { ANSWER_FAILURE = 1, ANSWER_RESULT = 2, ANSWER_CHANGES = 3, ANSWER_PATHS = 4 };

/* ---- the request ---- */

void message_put_request(struct buf *out, const struct message_request *request)
{
    const struct render_request *r = &request->render;

    wire_put_u64(out, request->job);
    wire_put_str(out, request->from_commit);
    wire_put_str(out, request->to_commit);
    wire_put_u64(out, r->source_count);
    for (size_t i = 0; i < r->source_count; i++) {
        wire_put_str(out, r->sources[i].url);
        wire_put_str(out, r->sources[i].revision);
        wire_put_str(out, r->sources[i].commit);
        wire_put_bool(out, r->sources[i].is_dir);
    }
    wire_put_str(out, r->path);
    wire_put_val(out, r->source);
    wire_put_str(out, r->application);
    wire_put_str(out, r->namespace_);
    wire_put_str(out, r->kube_version);
    wire_put_u64(out, r->max_objects);
    wire_put_u64(out, (uint64_t)MAX(r->timeout_ms, 0));
}

static void get_sources(struct wire *w, struct render_request *r)
{
    size_t count = wire_count(w, LIMIT_RENDER_SOURCES);
    struct render_source *sources = arena_array(w->arena, count + 1, struct render_source);

    for (size_t i = 0; i < count; i++) {
        sources[i].url = wire_dup(w);
        sources[i].revision = wire_dup(w);
        sources[i].commit = wire_dup(w);
        sources[i].is_dir = wire_bool(w);
    }
    r->sources = sources;
    r->source_count = count;
}

bool message_get_request(str bytes, struct arena *arena, struct message_request *ret_request,
                         struct err *err)
{
    struct wire w = wire_of(bytes, arena);
    struct message_request request = {0};

    request.job = (enum message_job)wire_u64_most(&w, MESSAGE_JOB_COUNT - 1);
    request.from_commit = wire_dup(&w);
    request.to_commit = wire_dup(&w);
    get_sources(&w, &request.render);
    request.render.path = wire_dup(&w);
    request.render.source = wire_val(&w);
    request.render.application = wire_dup(&w);
    request.render.namespace_ = wire_dup(&w);
    request.render.kube_version = wire_dup(&w);
    request.render.max_objects = (size_t)wire_u64(&w);
    request.render.timeout_ms = (int64_t)wire_u64(&w);
    if (!wire_end(&w, "a render request", err))
        return false;
    *ret_request = request;
    return true;
}

/* ---- the answer, written ---- */

void message_put_failure(struct buf *out, const struct err *err)
{
    wire_put_u64(out, ANSWER_FAILURE);
    wire_put_u64(out, err->code);
    wire_put_str(out, err_message(err));
}

void message_put_result(struct buf *out, const struct render_result *result)
{
    wire_put_u64(out, ANSWER_RESULT);
    wire_put_u64(out, result->tool);
    wire_put_u64(out, result->object_count);
    for (size_t i = 0; i < result->object_count; i++) {
        wire_put_str(out, result->objects[i].file);
        wire_put_u64(out, result->objects[i].line);
        wire_put_val(out, result->objects[i].object);
    }
    wire_put_u64(out, result->read_count);
    for (size_t i = 0; i < result->read_count; i++) {
        wire_put_u64(out, result->reads[i].source);
        wire_put_str(out, result->reads[i].path);
        wire_put_str(out, result->reads[i].identity);
    }
    wire_put_u64(out, result->need_count);
    for (size_t i = 0; i < result->need_count; i++) {
        wire_put_str(out, result->needs[i].url);
        wire_put_str(out, result->needs[i].revision);
        wire_put_bool(out, result->needs[i].is_file);
    }
    wire_put_u64(out, result->warning_count);
    for (size_t i = 0; i < result->warning_count; i++)
        wire_put_str(out, result->warnings[i]);
}

void message_put_changes(struct buf *out, const struct render_changes *changes)
{
    wire_put_u64(out, ANSWER_CHANGES);
    wire_put_u64(out, changes->count);
    for (size_t i = 0; i < changes->count; i++) {
        wire_put_str(out, changes->items[i].path);
        wire_put_bool(out, changes->items[i].is_entry);
    }
}

static void put_path(struct buf *out, const struct render_path *path)
{
    wire_put_str(out, path->name);
    wire_put_u64(out, path->tool);
    wire_put_bool(out, path->has_manifests);
    wire_put_bool(out, path->has_folders);
}

void message_put_paths(struct buf *out, const struct render_paths *paths)
{
    wire_put_u64(out, ANSWER_PATHS);
    put_path(out, &paths->self);
    wire_put_bool(out, paths->more);
    wire_put_u64(out, paths->count);
    for (size_t i = 0; i < paths->count; i++)
        put_path(out, &paths->items[i]);
}

/* ---- the answer, read ---- */

static bool get_failure(struct wire *w, struct err *err)
{
    uint64_t code = wire_u64(w);
    str message = wire_text(w);

    if (w->bad || code <= ERR_NONE || code >= ERR_CODE_COUNT || str_is_empty(message))
        return err_set(err, ERR_INTERNAL, "the render process gave no reason for its failure");
    return err_set(err, (enum err_code)code, "%.*s", STR(message));
}

/* What the engine takes for granted of an object, checked here once more. */
static bool object_is_sane(const struct val *object)
{
    str api_version = val_get_str(object, S("apiVersion"));
    str kind = val_get_str(object, S("kind"));
    const struct val *metadata = val_get(object, S("metadata"));

    return val_is(object, VAL_MAP) && !str_is_empty(api_version) && api_version.len < 512 &&
           !str_is_empty(kind) && kind.len < 256 && val_is(metadata, VAL_MAP) &&
           (!str_is_empty(val_get_str(metadata, S("name"))) ||
            !str_is_empty(val_get_str(metadata, S("generateName"))));
}

static void get_objects(struct wire *w, struct render_result *result, size_t max)
{
    size_t count = wire_count(w, max);

    result->objects = arena_array(w->arena, count + 1, struct render_object);
    for (size_t i = 0; i < count && !w->bad && !arena_is_over(w->arena); i++) {
        struct render_object *o = &result->objects[i];
        o->file = wire_dup(w);
        o->line = (uint32_t)wire_u64_most(w, UINT32_MAX);
        o->object = wire_val(w);
        if (!object_is_sane(o->object))
            w->bad = true;
    }
    result->object_count = count;
}

static void get_reads(struct wire *w, struct render_result *result, size_t sources)
{
    size_t count = wire_count(w, LIMIT_RENDER_READS);

    result->reads = arena_array(w->arena, count + 1, struct render_read);
    for (size_t i = 0; i < count && !w->bad; i++) {
        struct render_read *r = &result->reads[i];
        r->source = (size_t)wire_u64(w);
        r->path = arena_str(w->arena, wire_str(w));
        r->identity = wire_dup(w);
        if (r->source >= sources)
            w->bad = true;
    }
    result->read_count = count;
}

static void get_notes(struct wire *w, struct render_result *result)
{
    size_t needs = wire_count(w, LIMIT_RENDER_SOURCES);

    result->needs = arena_array(w->arena, needs + 1, struct render_need);
    for (size_t i = 0; i < needs && !w->bad; i++) {
        result->needs[i].url = wire_dup(w);
        result->needs[i].revision = wire_dup(w);
        result->needs[i].is_file = wire_bool(w);
    }
    result->need_count = needs;

    size_t warnings = wire_count(w, LIMIT_RENDER_WARNINGS);
    result->warnings = arena_array(w->arena, warnings + 1, str);
    for (size_t i = 0; i < warnings && !w->bad; i++)
        result->warnings[i] = wire_dup(w);
    result->warning_count = warnings;
}

static str digest_of(const struct render_result *result)
{
    struct hasher *hasher = hash_begin();
    char hex[HASH_HEX_SIZE];

    for (size_t i = 0; i < result->object_count; i++) {
        struct hash one = hash_val(result->objects[i].object);
        hash_add(hasher, str_of((const char *)one.bytes, HASH_SIZE));
    }
    struct hash all = hash_end(hasher);
    hash_hex(&all, hex);
    return arena_str(result->arena, str_from(hex));
}

bool message_get_result(str bytes, const struct render_request *request,
                        struct render_result **ret_result, struct err *err)
{
    struct render_result *result = render_result_new();
    struct wire w = wire_of(bytes, result->arena);
    uint64_t answer = wire_u64(&w);
    size_t max = request->max_objects == 0 ? LIMIT_RENDER_OBJECTS : request->max_objects;

    if (answer == ANSWER_FAILURE) {
        render_result_unref(result);
        return get_failure(&w, err);
    }
    if (answer != ANSWER_RESULT)
        w.bad = true;
    result->tool = (enum render_tool)wire_u64_most(&w, RENDER_PLUGIN);
    get_objects(&w, result, max);
    get_reads(&w, result, request->source_count);
    get_notes(&w, result);
    if (!wire_end(&w, "the answer of the render process", err)) {
        render_result_unref(result);
        return false;
    }
    result->commit = arena_str(result->arena, request->sources[0].commit);
    result->digest = digest_of(result);
    *ret_result = result;
    return true;
}

bool message_get_changes(str bytes, struct arena *arena, struct render_changes *ret_changes,
                         struct err *err)
{
    struct wire w = wire_of(bytes, arena);
    uint64_t answer = wire_u64(&w);

    if (answer == ANSWER_FAILURE)
        return get_failure(&w, err);
    if (answer != ANSWER_CHANGES)
        w.bad = true;

    size_t count = wire_count(&w, LIMIT_TREE_CHANGES);
    struct render_change *items = arena_array(arena, count + 1, struct render_change);
    for (size_t i = 0; i < count && !w.bad; i++) {
        items[i].path = arena_str(arena, wire_str(&w));
        items[i].is_entry = wire_bool(&w);
        if (i > 0 && str_cmp(items[i - 1].path, items[i].path) >= 0)
            w.bad = true;
    }
    if (!wire_end(&w, "the answer of the render process", err))
        return false;
    *ret_changes = (struct render_changes){items, count};
    return true;
}

static void get_path(struct wire *w, struct render_path *path)
{
    path->name = wire_dup(w);
    path->tool = (enum render_tool)wire_u64_most(w, RENDER_PLUGIN);
    path->has_manifests = wire_bool(w);
    path->has_folders = wire_bool(w);
    if (path->name.len > LIMIT_PATH)
        w->bad = true;
}

bool message_get_paths(str bytes, struct arena *arena, struct render_paths *ret_paths,
                       struct err *err)
{
    struct wire w = wire_of(bytes, arena);
    uint64_t answer = wire_u64(&w);
    struct render_paths paths = {0};

    if (answer == ANSWER_FAILURE)
        return get_failure(&w, err);
    if (answer != ANSWER_PATHS)
        w.bad = true;
    get_path(&w, &paths.self);
    paths.more = wire_bool(&w);
    paths.count = wire_count(&w, LIMIT_TREE_FOLDERS);
    struct render_path *items = arena_array(arena, paths.count + 1, struct render_path);
    for (size_t i = 0; i < paths.count && !w.bad; i++)
        get_path(&w, &items[i]);
    if (!wire_end(&w, "the answer of the render process", err))
        return false;
    paths.items = items;
    *ret_paths = paths;
    return true;
}
