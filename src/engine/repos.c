/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/repos.h"
#include "base/map.h"
#include "base/mem.h"
#include "doc/hash.h"
#include "engine/repos_credential.h"

/* One repository or repo-creds Secret, reduced. */
struct repo_secret {
    struct arena *arena;
    str namespace_;
    str name;
    str url; /* normalised; a prefix for a template */
    str project;
    bool is_template; /* repo-creds: gives credentials to URLs that begin with its own */
    str resource_version;
};

struct repos {
    struct kube *home;
    struct source *source;
    const struct settings *settings;
    str control_namespace;
    struct reflector *reflector;
    struct map *known; /* "namespace project url" → struct repo */
    repos_changed_fn *changed;
    void *owner;
};

struct repos_wait {
    struct repos *repos;
    struct arena *arena;
    struct repos_request request;
    struct kube_call *call;
    struct loop_task *task; /* an answer that is there at once still comes in a later turn */
    struct credential *credential;
    bool failed;
    struct err err;
    repos_done_fn *done;
    void *owner;
};

/* ---- the Secrets ---- */

static str secret_text(struct arena *arena, const struct val *secret, str key)
{
    str text = VAL_STR(secret, "data", key.at);
    str bytes;

    return base64_decode(arena, text, &bytes) ? bytes : STR_EMPTY;
}

static void *repos_keep(UNUSED void *owner, const struct val *object)
{
    struct arena *arena = arena_new(LIMIT_SETTINGS_ARENA);
    struct repo_secret *kept = arena_new0(arena, struct repo_secret);
    str type = object_label(object, S("argocd.argoproj.io/secret-type"));
    str url = secret_text(arena, object, S("url"));

    kept->arena = arena;
    kept->namespace_ = arena_str(arena, object_namespace(object));
    kept->name = arena_str(arena, object_name(object));
    kept->project = secret_text(arena, object, S("project"));
    kept->is_template = str_eq(type, S("repo-creds"));
    kept->resource_version = arena_str(arena, object_resource_version(object));
    if (kept->is_template || !source_url_normalize(arena, url, &kept->url, NULL))
        kept->url = url;
    return kept;
}

static void repos_drop(UNUSED void *owner, void *kept)
{
    struct repo_secret *secret = kept;

    arena_free(secret->arena);
}

struct repo *repo_ref(struct repo *repo)
{
    repo->references++;
    return repo;
}

void repo_unref(struct repo *repo)
{
    if (repo == NULL || --repo->references > 0)
        return;
    source_repo_unref(repo->source);
    mem_free(repo);
}

static void repos_forget_all(struct repos *repos)
{
    struct map_iter it = map_iter(repos->known);

    while (map_next(&it))
        repo_unref(it.value);
    map_clear(repos->known);
}

static void repos_told(void *owner)
{
    struct repos *repos = owner;

    repos_forget_all(repos);
    repos->changed(repos->owner);
}

static void repos_secret_changed(void *owner, UNUSED str namespace_, UNUSED str name,
                                 UNUSED const void *was, UNUSED const void *is)
{
    struct repos *repos = owner;

    if (reflector_is_complete(repos->reflector))
        repos_told(owner);
}

static void repos_trouble(UNUSED void *owner, UNUSED const struct err *err)
{
}

static const struct reflector_events events = {
        .keep = repos_keep,
        .drop = repos_drop,
        .changed = repos_secret_changed,
        .complete = repos_told,
        .trouble = repos_trouble,
};

struct repos *repos_new(struct kube *home, struct source *source, const struct settings *settings,
                        str control_namespace, repos_changed_fn *changed, void *owner)
{
    struct repos *repos = new0(struct repos);
    struct kube_selector what = {
            .gvr = {S(""), S("v1"), S("secrets")},
            .label_selector = S("argocd.argoproj.io/secret-type in (repository,repo-creds)"),
    };

    repos->home = home;
    repos->source = source;
    repos->settings = settings;
    repos->control_namespace = str_own(control_namespace);
    repos->known = map_new();
    repos->changed = changed;
    repos->owner = owner;
    repos->reflector = reflector_new(home, &what, &events, repos);
    return repos;
}

void repos_free(struct repos *repos)
{
    if (repos == NULL)
        return;
    reflector_free(repos->reflector);
    repos_forget_all(repos);
    map_free(repos->known);
    str_own_free(&repos->control_namespace);
    mem_free(repos);
}

bool repos_is_complete(const struct repos *repos)
{
    return reflector_is_complete(repos->reflector);
}

/* ---- which Secret ---- */

struct choice {
    const struct repos *repos;
    const struct repos_request *request;
    str url; /* normalised */
    const struct repo_secret *best;
    int rank;
};

/* 0 = may not be used. Own namespace before platform, a project's before a common one, a repository
 * before a template, a longer prefix before a shorter one. */
static int secret_rank(const struct choice *choice, const struct repo_secret *secret)
{
    bool own = str_eq(secret->namespace_, choice->request->namespace_);
    bool platform = str_eq(secret->namespace_, choice->repos->control_namespace);
    bool for_project = str_eq(secret->project, choice->request->project);
    int rank = 1;

    if (!own && !(platform && (for_project || str_is_empty(secret->project))))
        return 0;
    if (secret->is_template ? !str_starts(choice->url, secret->url) || secret->url.len == 0
                            : !str_eq(choice->url, secret->url))
        return 0;
    rank += own ? 40000 : 0;
    rank += for_project ? 20000 : 0;
    rank += secret->is_template ? (int)MIN(secret->url.len, (size_t)9999) : 10000;
    return rank;
}

static void choose(void *owner, UNUSED str namespace_, UNUSED str name, void *kept)
{
    struct choice *choice = owner;
    const struct repo_secret *secret = kept;
    int rank = secret_rank(choice, secret);

    if (rank > choice->rank) {
        choice->rank = rank;
        choice->best = secret;
    }
}

/* ---- resolving ---- */

static str known_key(struct arena *arena, const struct repos_request *request)
{
    return arena_printf(arena, "%.*s %.*s %.*s", STR(request->namespace_), STR(request->project),
                        STR(request->url));
}

static void wait_free(struct repos_wait *wait)
{
    kube_cancel(wait->call);
    loop_task_free(wait->task);
    credential_free(wait->credential);
    arena_free(wait->arena);
    mem_free(wait);
}

static void wait_fail(struct repos_wait *wait, const struct err *err)
{
    wait->failed = true;
    wait->err = *err;
    loop_task_post(wait->task);
}

static struct repo *wait_open(struct repos_wait *wait, struct err *err)
{
    struct repos *repos = wait->repos;
    struct source_credential credential = {0};
    struct source_repo *source;
    struct repo *repo;

    credential_fill(wait->credential, wait->request.url, &credential);
    credential.known_hosts =
            settings_get(repos->settings, SETTINGS_KNOWN_HOSTS, S("ssh_known_hosts"));
    credential.ca_bundle = settings_get(repos->settings, SETTINGS_CERTIFICATES,
                                        credential_host(wait->request.url));
    source = source_repo_get(repos->source, wait->request.url, &credential, err);
    if (source == NULL)
        return NULL;
    repo = new0(struct repo);
    repo->references = 1;
    repo->source = source;
    repo_unref(map_set(repos->known, known_key(wait->arena, &wait->request), repo));
    return repo;
}

static void wait_done(void *owner)
{
    struct repos_wait *wait = owner;
    struct repo *repo = NULL;

    if (!wait->failed)
        repo = map_get(wait->repos->known, known_key(wait->arena, &wait->request));
    if (!wait->failed && repo == NULL)
        repo = wait_open(wait, &wait->err);
    wait->done(wait->owner, repo, repo == NULL ? &wait->err : NULL);
    wait_free(wait);
}

static void got_credential(void *owner, struct kube_response *response)
{
    struct repos_wait *wait = owner;
    struct err err = response->err;

    wait->call = NULL;
    if (response->ok && credential_add_secret(wait->credential, response->object, &err)) {
        loop_task_post(wait->task);
        return;
    }
    err_wrap(&err, "the credential of code repository %.*s", STR(wait->request.url));
    wait_fail(wait, &err);
}

static void got_repository(void *owner, struct kube_response *response)
{
    struct repos_wait *wait = owner;
    str name = object_annotation(response->object, S("taut.dev/credential"));
    str namespace_ = object_namespace(response->object);
    struct kube_request request = {.verb = KUBE_GET,
                                   .gvr = {S(""), S("v1"), S("secrets")},
                                   .namespace_ = namespace_,
                                   .name = name};
    struct err err = response->err;

    wait->call = NULL;
    if (!response->ok || !credential_add_repository(wait->credential, response->object, &err)) {
        err_wrap(&err, "code repository %.*s", STR(wait->request.url));
        wait_fail(wait, &err);
        return;
    }
    if (str_is_empty(name))
        loop_task_post(wait->task);
    else
        wait->call = kube_start(wait->repos->home, &request, got_credential, wait);
}

struct repos_wait *repos_resolve(struct repos *repos, const struct repos_request *request,
                                 repos_done_fn *done, void *owner)
{
    struct repos_wait *wait = new0(struct repos_wait);
    struct choice choice = {.repos = repos, .request = request};
    struct err err;

    wait->repos = repos;
    wait->arena = arena_new(LIMIT_SETTINGS_ARENA);
    wait->request = (struct repos_request){arena_str(wait->arena, request->namespace_),
                                           arena_str(wait->arena, request->project),
                                           arena_str(wait->arena, request->url)};
    wait->task = loop_task_new(repos->home->loop, "repository", wait_done, wait);
    wait->credential = credential_new();
    wait->done = done;
    wait->owner = owner;
    if (!source_url_normalize(wait->arena, request->url, &choice.url, &err)) {
        wait_fail(wait, &err);
        return wait;
    }
    reflector_each(repos->reflector, choose, &choice);
    if (choice.best == NULL || map_has(repos->known, known_key(wait->arena, request))) {
        loop_task_post(wait->task);
    } else {
        struct kube_request get = {.verb = KUBE_GET,
                                   .gvr = {S(""), S("v1"), S("secrets")},
                                   .namespace_ = choice.best->namespace_,
                                   .name = choice.best->name};

        wait->call = kube_start(repos->home, &get, got_repository, wait);
    }
    return wait;
}

void repos_cancel(struct repos_wait *wait)
{
    if (wait != NULL)
        wait_free(wait);
}

void repos_forget(struct repos *repos, const struct repos_request *request)
{
    auto_arena struct arena *arena = arena_new(LIMIT_SETTINGS_ARENA);

    repo_unref(map_del(repos->known, known_key(arena, request)));
}
