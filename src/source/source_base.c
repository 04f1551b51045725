/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The further sources of a render: remote bases, which are repositories, and remote files, which
 * are kept as repositories with the one ref HEAD. Both follow the rules of the application's own
 * commit: a ref is listed once per interval for everybody, a full commit is never fetched again,
 * and a result is carried over while what it read has not changed.
 *
 * A repository watches the bases of its deployments: they go on being listed, and a change is told
 * to the subscribers of the repository, who ask again.
 */
#include "base/mem.h"
#include "source/inside.h"

/* ---- watching ---- */

static void on_base_changed(void *owner, struct source_repo *base);

static void base_remove(struct source_repo *own, size_t i)
{
    struct source_repo *base = own->bases[i].repo;

    own->bases[i] = own->bases[--own->base_count];
    source_repo_unsubscribe(base, own);
    base->base_of--;
    source_repo_unref(base);
}

void source_repo_drop_bases(struct source_repo *repo)
{
    while (repo->base_count > 0)
        base_remove(repo, repo->base_count - 1);
    mem_free(repo->bases);
    repo->bases = NULL;
}

/* A base that nobody has used since it was last told to have changed is not told again. */
static void on_base_changed(void *owner, struct source_repo *base)
{
    struct source_repo *own = owner;

    for (size_t i = 0; i < own->base_count; i++) {
        if (own->bases[i].repo != base)
            continue;
        if (!own->bases[i].is_used) {
            base_remove(own, i);
            return;
        }
        own->bases[i].is_used = false;
    }
    source_repo_tell(own);
}

static void watch(struct source_repo *own, struct source_repo *base)
{
    if (own == base)
        return;
    for (size_t i = 0; i < own->base_count; i++) {
        if (own->bases[i].repo == base) {
            own->bases[i].is_used = true;
            return;
        }
    }
    if (own->base_count == LIMIT_SOURCE_BASES)
        return;
    own->bases = mem_grow(own->bases, own->base_count + 1, sizeof(*own->bases));
    own->bases[own->base_count++] = (struct base){.repo = source_repo_hold(base), .is_used = true};
    base->base_of++;
    source_repo_subscribe(base, on_base_changed, own);
}

/* ---- one base ---- */

/* On the application's own host it is read with the application's credential; on any other host
 * with none. */
static struct source_repo *remote_repo(struct source_wait *wait, const struct render_need *need,
                                       struct err *err)
{
    struct source_repo *own = wait->repo;
    struct git_url parsed;
    struct source_credential credential = {.username = own->credential.username,
                                           .password = own->password,
                                           .bearer = own->bearer,
                                           .ssh_key = own->ssh_key,
                                           .passphrase = own->passphrase,
                                           .known_hosts = own->credential.known_hosts,
                                           .ca_bundle = own->credential.ca_bundle,
                                           .insecure = own->credential.insecure};

    if (!git_url_parse(wait->arena, need->url, &parsed, err))
        return NULL;
    if (parsed.scheme == GIT_FILE && own->url.scheme != GIT_FILE) {
        err_set(err, ERR_FORBIDDEN, "a repository of the network may not name one of this disk");
        return NULL;
    }
    bool same = str_eq(parsed.host, own->url.host) && parsed.scheme == own->url.scheme &&
                str_eq(git_url_port(&parsed), git_url_port(&own->url));
    if (!same) {
        credential.username = STR_EMPTY;
        credential.password = credential.bearer = NULL;
        credential.ssh_key = credential.passphrase = NULL;
        credential.insecure = false;
        credential.ca_bundle = STR_EMPTY;
    }
    return need->is_file ? source_file_get(own->source, need->url, &credential, err)
                         : source_repo_get(own->source, need->url, &credential, err);
}

static const char *word_of(bool is_file)
{
    return is_file ? "file" : "base";
}

static struct remote *remote_find(struct source_wait *wait, const struct render_need *need)
{
    for (size_t i = 0; i < wait->remote_count; i++) {
        struct remote *r = &wait->remotes[i];
        if (r->is_file == need->is_file && str_eq(r->url, need->url) &&
            str_eq(r->revision, need->revision))
            return r;
    }
    return NULL;
}

static struct remote *remote_add(struct source_wait *wait, const struct render_need *need,
                                 struct err *err)
{
    if (wait->request.allows == NULL || !wait->request.allows(wait->owner, need->url)) {
        err_set(err, ERR_FORBIDDEN, "the project does not allow the repository '%.*s'",
                STR(need->url));
        return NULL;
    }
    if (wait->remote_count + 1 >= LIMIT_RENDER_SOURCES) {
        err_set(err, ERR_LIMIT, "a render needs more than %d repositories", LIMIT_RENDER_SOURCES);
        return NULL;
    }

    struct source_repo *repo = remote_repo(wait, need, err);
    if (repo == NULL) {
        err_wrap(err, "the remote %s '%.*s'", word_of(need->is_file), STR(need->url));
        return NULL;
    }
    if (!git_id_is_full(need->revision))
        watch(wait->repo, repo);
    if (wait->remotes == NULL)
        wait->remotes = arena_array(wait->arena, LIMIT_RENDER_SOURCES, struct remote);
    struct remote *remote = &wait->remotes[wait->remote_count++];
    *remote = (struct remote){.repo = repo,
                              .parent = wait,
                              .url = arena_str(wait->arena, need->url),
                              .revision = arena_str(wait->arena, need->revision),
                              .is_file = need->is_file,
                              .commit = STR_EMPTY};
    return remote;
}

void source_bases_drop(struct source_wait *wait)
{
    for (size_t i = 0; i < wait->remote_count; i++) {
        struct remote *r = &wait->remotes[i];
        source_cancel(r->wait);
        r->wait = NULL;
        if (r->generation != 0)
            source_repo_read_end(r->repo, r->generation);
        source_repo_unref(r->repo);
    }
    wait->remote_count = 0;
    wait->remote_open = 0;
}

/* ---- asking ---- */

static bool remote_holds(const struct remote *remote, const struct snapshot *snapshot)
{
    const struct source_wait *parent = remote->parent;
    size_t source = (size_t)(remote - parent->remotes) + 1;

    if (snapshot->is_same)
        return true;
    return parent->candidate != NULL && snapshot->changes != NULL &&
           render_reads_hold(parent->candidate, source, snapshot->changes);
}

static void on_snapshot(void *owner, const struct snapshot *snapshot, const struct err *err)
{
    struct remote *remote = owner;
    struct source_wait *parent = remote->parent;

    remote->wait = NULL;
    parent->remote_open--;
    if (snapshot == NULL) {
        struct err told = *err;
        err_wrap(&told, "the remote %s %.*s", word_of(remote->is_file), STR(remote->url));
        source_wait_fail(parent, &told);
        return;
    }
    remote->commit = arena_str(parent->arena, snapshot->commit);
    remote->holds = remote_holds(remote, snapshot);
    if (snapshot->generation != 0) {
        remote->cache = arena_str(parent->arena, snapshot->cache);
        remote->generation = snapshot->generation;
        source_repo_read_begin(remote->repo, remote->generation);
    }
    if (parent->remote_open == 0)
        loop_task_post(parent->task);
}

static void remote_ask(struct remote *remote, str since)
{
    struct source_wait *parent = remote->parent;
    struct snapshot_request request = {
            .revision = remote->revision, .needs_ms = parent->needs_ms, .since = since};

    parent->remote_open++;
    remote->wait = source_snapshot_start(remote->repo, &request, on_snapshot, remote);
}

bool source_bases_check(struct source_wait *wait, struct err *err)
{
    const struct render_result *result = wait->candidate;

    for (size_t i = 0; i < result->base_count; i++) {
        const struct render_base *base = &result->bases[i];
        struct render_need need = {base->url, base->revision, base->is_file};
        struct remote *remote = remote_add(wait, &need, err);
        if (remote == NULL)
            return false;
        remote_ask(remote, base->commit);
    }
    return true;
}

bool source_bases_hold(const struct source_wait *wait)
{
    for (size_t i = 0; i < wait->remote_count; i++) {
        if (!wait->remotes[i].holds)
            return false;
    }
    return true;
}

bool source_bases_need(struct source_wait *wait, const struct render_result *result,
                       struct err *err)
{
    for (size_t i = 0; i < result->need_count; i++) {
        if (remote_find(wait, &result->needs[i]) != NULL)
            continue; /* the number of rounds bounds a render that asks for ever */
        struct remote *remote = remote_add(wait, &result->needs[i], err);
        if (remote == NULL)
            return false;
        remote_ask(remote, STR_EMPTY);
    }
    return true;
}

void source_bases_note(struct source_wait *wait, struct render_result *result)
{
    struct render_base *bases =
            arena_array(result->arena, wait->remote_count + 1, struct render_base);

    for (size_t i = 0; i < wait->remote_count; i++)
        bases[i] = (struct render_base){arena_str(result->arena, wait->remotes[i].url),
                                        arena_str(result->arena, wait->remotes[i].revision),
                                        arena_str(result->arena, wait->remotes[i].commit),
                                        wait->remotes[i].is_file};
    result->bases = bases;
    result->base_count = wait->remote_count;
}
