/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One question of the engine, from "branch main, path apps/shop" to the rendered set.
 *
 *   LIST → (FIND) → LOOK → FETCH → (CHANGES) → (BASES) → RENDER ⇄ SOURCES → OVER
 *
 * step() moves a wait on as far as it can go without waiting; whoever ends a wait's reason to wait
 * posts its task. LOOK may end it at once (the store has this commit); CHANGES may end it without a
 * render (what was read did not change). A result with remote bases passes BASES first: there each
 * base is looked at in the same way.
 */
#include "base/clock.h"
#include "base/mem.h"
#include "doc/hash.h"
#include "source/inside.h"

#include <stdio.h>

enum { TRIES_MAX = 3, WAIT_ARENA = 32 * 1024 * 1024 };

static void on_task(void *owner);

/* ---- life ---- */

static struct source_wait *wait_new(struct source_repo *repo, enum wait_kind kind, str revision,
                                    int64_t max_age_ms, void *owner)
{
    struct source_wait *wait = new0(struct source_wait);

    wait->repo = source_repo_hold(repo);
    wait->kind = kind;
    wait->owner = owner;
    wait->arena = arena_new(WAIT_ARENA);
    wait->revision = arena_str(wait->arena, str_trim(revision));
    wait->ref = wait->since = STR_EMPTY;
    wait->needs_ms = MAX(clock_mono_ms() - MAX(max_age_ms, 0), 1);
    wait->task = loop_task_new(repo->source->loop, "source", on_task, wait);
    wait->next = repo->waits;
    repo->waits = wait;
    loop_task_post(wait->task);
    return wait;
}

static void wait_free(struct source_wait *wait)
{
    struct source_repo *repo = wait->repo;
    struct source_wait **at = &repo->waits;

    while (*at != wait)
        at = &(*at)->next;
    *at = wait->next;
    render_cancel(wait->job);
    source_bases_drop(wait);
    if (wait->reading != 0)
        source_repo_read_end(repo, wait->reading);
    render_result_unref(wait->result);
    render_result_unref(wait->candidate);
    loop_task_free(wait->task);
    arena_free(wait->arena);
    mem_free(wait);
    source_repo_unref(repo);
}

void source_cancel(struct source_wait *wait)
{
    if (wait != NULL)
        wait_free(wait);
}

void source_wait_fail(struct source_wait *wait, const struct err *err)
{
    wait->has_failed = true;
    wait->err = *err;
    wait->state = STATE_OVER;
    loop_task_post(wait->task);
}

void source_repo_wake(struct source_repo *repo, enum wait_state state)
{
    for (struct source_wait *w = repo->waits; w != NULL; w = w->next) {
        if (w->state == state)
            loop_task_post(w->task);
    }
}

/* ---- from revision to commit ---- */

static bool is_short_id(str revision)
{
    for (size_t i = 0; i < revision.len; i++) {
        char c = revision.at[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
            return false;
    }
    return revision.len >= 7 && revision.len < 40;
}

static bool is_version_range(str revision)
{
    static const str marks[] = {S_INIT("*"), S_INIT("<"),  S_INIT(">"),  S_INIT("="), S_INIT("~"),
                                S_INIT("^"), S_INIT("||"), S_INIT(".x"), S_INIT(".X")};

    for (size_t i = 0; i < COUNT(marks); i++) {
        if (str_contains(revision, marks[i]))
            return true;
    }
    return false;
}

static bool is_head(str revision)
{
    return str_is_empty(revision) || str_eq(revision, S("HEAD"));
}

/* A full name, then a branch, then a tag of that name. */
static const struct transport_ref *find_ref(struct source_wait *wait)
{
    static const char *const places[] = {"", "refs/", "refs/heads/", "refs/tags/"};

    if (is_head(wait->revision))
        return source_repo_ref(wait->repo, S("HEAD"));
    for (size_t i = 0; i < COUNT(places); i++) {
        str name = arena_printf(wait->arena, "%s%.*s", places[i], STR(wait->revision));
        const struct transport_ref *ref = source_repo_ref(wait->repo, name);
        if (ref != NULL)
            return ref;
    }
    return NULL;
}

static bool no_such_ref(struct source_wait *wait, struct err *err)
{
    if (wait->repo->ref_count == 0)
        return err_set(err, ERR_NOT_FOUND, "the repository is empty: it has no branch yet");
    if (is_head(wait->revision))
        return err_set(err, ERR_NOT_FOUND,
                       "the repository has no default branch: HEAD names nothing");
    if (is_version_range(wait->revision))
        return err_set(err, ERR_UNSUPPORTED, "not supported yet: the version range '%.*s'",
                       STR(wait->revision));
    return err_set(err, ERR_NOT_FOUND, "the repository has no branch or tag '%.*s'",
                   STR(wait->revision));
}

/* true with an empty commit: a short id that must be looked up. */
static bool resolve(struct source_wait *wait, struct err *err)
{
    const struct transport_ref *ref = find_ref(wait);

    if (ref != NULL) {
        wait->ref = arena_str(wait->arena, ref->name);
        snprintf(wait->commit, sizeof(wait->commit), "%.*s", STR(ref->commit));
        source_repo_resolved(wait->repo, ref->name, ref->commit);
        return true;
    }
    if (!is_short_id(wait->revision))
        return no_such_ref(wait, err);
    const char *found = map_get(wait->repo->found, wait->revision);
    if (found != NULL)
        snprintf(wait->commit, sizeof(wait->commit), "%s", found);
    return true;
}

/* true: the state is another one. false: still waiting. */
static bool step_list(struct source_wait *wait)
{
    struct source_repo *repo = wait->repo;
    struct err err;

    if (wait->kind != WAIT_REFS && git_id_is_full(wait->revision)) {
        snprintf(wait->commit, sizeof(wait->commit), "%.*s", STR(wait->revision));
        wait->state = STATE_LOOK;
        return true;
    }
    if (source_repo_failure_holds(repo, wait->needs_ms)) {
        source_wait_fail(wait, &repo->list_err);
        return true;
    }
    if (repo->listed_ms < wait->needs_ms) {
        loop_task_post(repo->source->kick);
        return false;
    }
    if (wait->kind == WAIT_REFS) {
        wait->state = STATE_OVER;
    } else if (!resolve(wait, &err)) {
        source_wait_fail(wait, &err);
    } else {
        wait->state = wait->commit[0] == '\0' ? STATE_FIND : STATE_LOOK;
    }
    return true;
}

/* ---- the store ---- */

static str key_of(const struct source_wait *wait)
{
    static const str skip[] = {S_INIT("/targetRevision"), S_INIT("/repoURL")};
    const struct source_request *r = &wait->request;
    const str texts[] = {wait->repo->source->renderer, wait->repo->identity, r->application,
                         r->namespace_, r->kube_version};
    struct hasher *hasher = hash_begin();
    struct hash source = hash_val_without(r->source, skip, COUNT(skip));
    char hex[HASH_HEX_SIZE];

    for (size_t i = 0; i < COUNT(texts); i++) {
        hash_add(hasher, arena_printf(wait->arena, "%zu:", texts[i].len));
        hash_add(hasher, texts[i]);
    }
    hash_add(hasher, str_of((const char *)source.bytes, HASH_SIZE));
    struct hash all = hash_end(hasher);
    hash_hex(&all, hex);
    return arena_str(wait->arena, str_from(hex));
}

/* An older result whose own files have not changed: it answers, if its remote bases hold too. */
static void answer_with(struct source_wait *wait, struct render_result *result)
{
    struct err err;

    wait->carried_over = !str_eq(result->commit, str_from(wait->commit));
    if (result->base_count == 0) {
        wait->result = render_result_at(result, str_from(wait->commit));
        wait->state = STATE_OVER;
        return;
    }
    wait->candidate = render_result_ref(result);
    wait->state = STATE_BASES;
    if (!source_bases_check(wait, &err))
        source_wait_fail(wait, &err);
}

static bool step_look(struct source_wait *wait)
{
    char commit[ID_SIZE];

    wait->state = STATE_FETCH;
    if (wait->kind == WAIT_SNAPSHOT && str_eq(wait->since, str_from(wait->commit)))
        wait->state = STATE_OVER;
    if (wait->kind != WAIT_DESIRE || wait->request.no_cache)
        return true;
    struct render_result *result = source_store_get(wait->repo->source->store, wait->key, commit);
    if (result != NULL && str_eq(str_from(commit), str_from(wait->commit)))
        answer_with(wait, result);
    return true;
}

static bool step_bases(struct source_wait *wait)
{
    struct source *source = wait->repo->source;
    str commits[LIMIT_RENDER_SOURCES];

    if (wait->remote_open > 0)
        return false;
    if (!source_bases_hold(wait)) {
        wait->must_render = true;
        source_bases_drop(wait);
        wait->state = wait->reading == 0 ? STATE_FETCH : STATE_RENDER;
        return true;
    }
    bool same = true;
    for (size_t i = 0; i < wait->remote_count; i++) {
        commits[i] = wait->remotes[i].commit;
        same = same && str_eq(commits[i], wait->candidate->bases[i].commit);
    }
    wait->result = same ? render_result_at(wait->candidate, str_from(wait->commit))
                        : render_result_rebased(wait->candidate, str_from(wait->commit), commits);
    source_store_put(source->store, wait->key, str_from(wait->commit),
                     same ? wait->candidate : wait->result);
    wait->state = STATE_OVER;
    return true;
}

static void read_begin(struct source_wait *wait, unsigned generation)
{
    if (wait->reading == generation)
        return;
    if (wait->reading != 0)
        source_repo_read_end(wait->repo, wait->reading);
    wait->reading = generation;
    source_repo_read_begin(wait->repo, generation);
}

static bool step_fetch(struct source_wait *wait)
{
    unsigned generation = source_repo_holds(wait->repo, str_from(wait->commit));

    if (generation == 0) {
        loop_task_post(wait->repo->source->kick);
        return false;
    }
    read_begin(wait, generation);
    wait->state = wait->kind == WAIT_PATHS ? STATE_PATHS : STATE_CHANGES;
    return true;
}

/* What differs from the commit that the asker has a result of. */
static bool step_changes_since(struct source_wait *wait)
{
    wait->state = STATE_OVER;
    if (str_is_empty(wait->since) || wait->repo->is_file ||
        source_repo_holds(wait->repo, wait->since) != wait->reading)
        return true;
    wait->changes =
            source_repo_changes(wait->repo, wait->reading, wait->since, str_from(wait->commit));
    if (wait->changes == NULL || wait->changes->job == NULL)
        return true;
    wait->state = STATE_CHANGES;
    return false;
}

/* Was an older result made from bytes that are still the same? */
static bool step_changes(struct source_wait *wait)
{
    struct source *source = wait->repo->source;
    char commit[ID_SIZE];

    if (wait->kind == WAIT_SNAPSHOT)
        return step_changes_since(wait);
    wait->state = STATE_RENDER;
    if (wait->request.no_cache || wait->must_render)
        return true;
    struct render_result *result = source_store_get(source->store, wait->key, commit);
    if (result == NULL || source_repo_holds(wait->repo, str_from(commit)) != wait->reading)
        return true;
    struct changes *changes = source_repo_changes(wait->repo, wait->reading, str_from(commit),
                                                  str_from(wait->commit));
    if (changes != NULL && changes->job != NULL) {
        wait->state = STATE_CHANGES;
        return false;
    }
    if (changes == NULL || changes->has_failed || !render_reads_hold(result, 0, &changes->list))
        return true;
    answer_with(wait, result);
    if (wait->state == STATE_OVER && !wait->has_failed)
        source_store_put(source->store, wait->key, str_from(wait->commit), result);
    return true;
}

/* ---- rendering, and the further repositories that it asks for ---- */

static void need_more(struct source_wait *wait, const struct render_result *result)
{
    struct err err;

    if (++wait->rounds > LIMIT_RENDER_ROUNDS) {
        err_set(&err, ERR_LIMIT, "remote bases lead to remote bases more than %d times",
                LIMIT_RENDER_ROUNDS);
        source_wait_fail(wait, &err);
        return;
    }
    wait->state = STATE_SOURCES;
    if (!source_bases_need(wait, result, &err)) {
        source_wait_fail(wait, &err);
        return;
    }
    loop_task_post(wait->task);
}

/* Objects that were there are not there any more, or are damaged: a new cache, once. */
static bool cache_is_damaged(struct source_wait *wait, const struct err *err)
{
    if (err->code != ERR_IO || wait->tries >= TRIES_MAX || wait->remote_count > 0)
        return false;
    wait->tries = TRIES_MAX;
    if (wait->reading == wait->repo->current)
        source_repo_next_generation(wait->repo);
    wait->state = STATE_FETCH;
    loop_task_post(wait->task);
    return true;
}

static void on_rendered(void *owner, struct render_result *result, const struct err *err)
{
    struct source_wait *wait = owner;

    wait->job = NULL;
    if (result == NULL) {
        if (!cache_is_damaged(wait, err))
            source_wait_fail(wait, err);
        return;
    }
    if (result->need_count > 0) {
        need_more(wait, result);
        return;
    }
    source_bases_note(wait, result);
    wait->result = render_result_ref(result);
    source_store_put(wait->repo->source->store, wait->key, str_from(wait->commit), result);
    wait->state = STATE_OVER;
    loop_task_post(wait->task);
}

static bool step_render(struct source_wait *wait)
{
    struct render_source sources[LIMIT_RENDER_SOURCES];
    size_t count = 0;

    if (wait->job != NULL || wait->remote_open > 0)
        return false;
    sources[count++] = (struct render_source){
            .url = STR_EMPTY,
            .revision = wait->revision,
            .cache = source_repo_cache(wait->repo, wait->arena, wait->reading),
            .commit = str_from(wait->commit),
    };
    for (size_t i = 0; i < wait->remote_count; i++)
        sources[count++] = (struct render_source){.url = wait->remotes[i].url,
                                                  .revision = wait->remotes[i].revision,
                                                  .cache = wait->remotes[i].cache,
                                                  .commit = wait->remotes[i].commit,
                                                  .is_dir = wait->remotes[i].is_file};
    struct render_request request = {
            .sources = sources,
            .source_count = count,
            .path = val_get_str(wait->request.source, S("path")),
            .source = wait->request.source,
            .application = wait->request.application,
            .namespace_ = wait->request.namespace_,
            .kube_version = wait->request.kube_version,
    };
    wait->state = STATE_RENDER;
    wait->job = render_start(wait->repo->source->pool, &request, on_rendered, wait);
    return false;
}

/* ---- folders ---- */

static void on_paths(void *owner, const struct render_paths *paths, const struct err *err)
{
    struct source_wait *wait = owner;

    wait->job = NULL;
    if (err != NULL) {
        source_wait_fail(wait, err);
        return;
    }
    struct render_path *items = arena_array(wait->arena, paths->count + 1, struct render_path);
    for (size_t i = 0; i < paths->count; i++) {
        items[i] = paths->items[i];
        items[i].name = arena_str(wait->arena, paths->items[i].name);
    }
    wait->paths = *paths;
    wait->paths.items = items;
    wait->paths.self.name = arena_str(wait->arena, paths->self.name);
    wait->state = STATE_OVER;
    loop_task_post(wait->task);
}

static bool step_paths(struct source_wait *wait)
{
    if (wait->job == NULL)
        wait->job = render_paths_start(wait->repo->source->pool,
                                       source_repo_cache(wait->repo, wait->arena, wait->reading),
                                       str_from(wait->commit), wait->path, on_paths, wait);
    return false;
}

/* ---- the end ---- */

static void tell_refs(struct source_wait *wait, const struct err *err)
{
    const struct source_repo *repo = wait->repo;
    struct source_ref *refs = arena_array(wait->arena, repo->ref_count + 1, struct source_ref);

    if (err != NULL) {
        wait->refs_done(wait->owner, NULL, 0, err);
        return;
    }
    for (size_t i = 0; i < repo->ref_count; i++)
        refs[i] =
                (struct source_ref){repo->refs[i].name, repo->refs[i].commit, repo->refs[i].symref};
    wait->refs_done(wait->owner, refs, repo->ref_count, NULL);
}

static void tell_desired(struct source_wait *wait, const struct err *err)
{
    struct source_desired desired = {.result = wait->result,
                                     .commit = str_from(wait->commit),
                                     .carried_over = wait->carried_over};

    wait->desired_done(wait->owner, err == NULL ? &desired : NULL, err);
}

static void tell_snapshot(struct source_wait *wait, const struct err *err)
{
    struct snapshot snapshot = {.commit = str_from(wait->commit), .generation = wait->reading};

    snapshot.is_same = str_eq(wait->since, snapshot.commit);
    if (wait->changes != NULL && !wait->changes->has_failed)
        snapshot.changes = &wait->changes->list;
    if (err == NULL && !snapshot.is_same)
        snapshot.cache =
                source_repo_content(wait->repo, wait->arena, wait->reading, snapshot.commit);
    wait->snapshot_done(wait->owner, err == NULL ? &snapshot : NULL, err);
}

/* The branch moved on between listing and fetch: list again, a few times. */
static bool try_again(struct source_wait *wait)
{
    if (!wait->has_failed || wait->err.code != ERR_GONE || wait->tries >= TRIES_MAX)
        return false;
    wait->tries++;
    wait->has_failed = false;
    wait->commit[0] = '\0';
    wait->needs_ms = clock_mono_ms();
    wait->state = STATE_LIST;
    source_bases_drop(wait);
    render_result_unref(wait->candidate);
    wait->candidate = NULL;
    return true;
}

static void wait_over(struct source_wait *wait)
{
    const struct err *err = wait->has_failed ? &wait->err : NULL;

    switch (wait->kind) {
    case WAIT_REFS:
        tell_refs(wait, err);
        break;
    case WAIT_SNAPSHOT:
        tell_snapshot(wait, err);
        break;
    case WAIT_PATHS:
        wait->paths_done(wait->owner, err == NULL ? &wait->paths : NULL, str_from(wait->commit),
                         err);
        break;
    case WAIT_DESIRE:
        tell_desired(wait, err);
        break;
    }
    wait_free(wait);
}

static bool step(struct source_wait *wait)
{
    switch (wait->state) {
    case STATE_LIST:
        return step_list(wait);
    case STATE_FIND:
        if (wait->commit[0] == '\0') {
            loop_task_post(wait->repo->source->kick);
            return false;
        }
        wait->state = STATE_LOOK;
        return true;
    case STATE_LOOK:
        return step_look(wait);
    case STATE_FETCH:
        return step_fetch(wait);
    case STATE_CHANGES:
        return step_changes(wait);
    case STATE_BASES:
        return step_bases(wait);
    case STATE_RENDER:
    case STATE_SOURCES:
        return step_render(wait);
    case STATE_PATHS:
        return step_paths(wait);
    case STATE_OVER:
        break;
    }
    return false;
}

static void on_task(void *owner)
{
    struct source_wait *wait = owner;

    do {
        while (step(wait))
            continue;
    } while (wait->state == STATE_OVER && try_again(wait));
    if (wait->state == STATE_OVER)
        wait_over(wait);
}

/* ---- asking ---- */

struct source_wait *source_list_refs(struct source_repo *repo, int64_t max_age_ms,
                                     source_refs_fn *done, void *owner)
{
    struct source_wait *wait = wait_new(repo, WAIT_REFS, STR_EMPTY, max_age_ms, owner);

    wait->refs_done = done;
    return wait;
}

struct source_wait *source_snapshot_start(struct source_repo *repo,
                                          const struct snapshot_request *request, snapshot_fn *done,
                                          void *owner)
{
    struct source_wait *wait =
            wait_new(repo, WAIT_SNAPSHOT, request->revision, /*max_age_ms=*/0, owner);

    wait->needs_ms = request->needs_ms;
    wait->since = arena_str(wait->arena, request->since);
    wait->snapshot_done = done;
    return wait;
}

struct source_wait *source_list_paths(struct source_repo *repo, str revision, str path,
                                      int64_t max_age_ms, source_paths_fn *done, void *owner)
{
    struct source_wait *wait = wait_new(repo, WAIT_PATHS, revision, max_age_ms, owner);

    wait->path = arena_str(wait->arena, path);
    wait->paths_done = done;
    return wait;
}

struct source_wait *source_desire(struct source_repo *repo, const struct source_request *request,
                                  source_desired_fn *done, void *owner)
{
    struct source_wait *wait =
            wait_new(repo, WAIT_DESIRE, request->revision, request->max_age_ms, owner);
    struct source_request *copy = &wait->request;

    wait->desired_done = done;
    *copy = *request;
    copy->revision = wait->revision;
    copy->source = request->source == NULL ? NULL : val_dup(wait->arena, request->source);
    copy->application = arena_str(wait->arena, request->application);
    copy->namespace_ = arena_str(wait->arena, request->namespace_);
    copy->kube_version = arena_str(wait->arena, request->kube_version);
    wait->key = key_of(wait);
    return wait;
}
