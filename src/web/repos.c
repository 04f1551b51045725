/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Code repositories: Secret `repo-NAME` in the DevOps Project's namespace, in Argo CD's form
 * (PRODUCT section 1). One normalised URL is imported once per DevOps Project.
 */
#include "doc/hash.h"
#include "source/source.h"
#include "web/list.h"
#include "web/repo.h"
#include "web/repo_state.h"

#define SECRETS(call, verb_)                                                                       \
    .verb = (verb_), .gvr = web_gvr_secrets, .namespace_ = (call)->namespace_

/* Users that a refusal names. */
#define USERS_NAMED 5

struct repo_state {
    struct web_host_accept host; /* first */
    struct val *object;
    str url;
};

str web_secret_text(struct arena *arena, const struct val *secret, str key)
{
    str text = STR_EMPTY;

    if (!base64_decode(arena, val_get_str(val_get(secret, S("data")), key), &text))
        return STR_EMPTY;
    return text;
}

bool web_is_repo(const struct val *secret)
{
    return str_eq(object_label(secret, S(WEB_SECRET_TYPE_LABEL)), S("repository"));
}

str web_repo_name(const struct val *secret)
{
    str name = object_name(secret);

    str_skip(&name, S("repo-"));
    return name;
}

struct val *web_repo_row(struct web_call *call, const struct val *secret)
{
    static const char *const inline_keys[] = {"username", "password", "sshPrivateKey",
                                              "bearerToken"};
    static const char *const places[] = {"server", "owner", "repo"};
    struct arena *arena = call->arena;
    struct val *row = val_new(arena, val_map());
    str credential = object_annotation(secret, S("taut.dev/credential"));
    str provider = object_annotation(secret, S("taut.dev/provider"));

    web_take_words(call, row, secret);
    val_set_str(arena, row, S("name"), web_repo_name(secret));
    val_set_str(arena, row, S("url"), web_secret_text(arena, secret, S("url")));
    val_set_str(arena, row, S("provider"), provider.len > 0 ? provider : S("git"));
    for (size_t i = 0; credential.len == 0 && i < COUNT(inline_keys); i++) {
        if (val_get(val_get(secret, S("data")), str_from(inline_keys[i])) != NULL)
            val_set(arena, row, S("inline"), val_bool(true));
    }
    if (credential.len > 0)
        val_set_str(arena, row, S("credential"), credential);
    for (size_t i = 0; i < COUNT(places); i++) {
        str text = object_annotation(secret, arena_printf(arena, "taut.dev/%s", places[i]));
        if (text.len > 0)
            val_set_str(arena, row, str_from(places[i]), text);
    }
    val_set_str(arena, row, S("resourceVersion"), object_resource_version(secret));
    web_repo_state_add(call, row, web_repo_name(secret));
    return row;
}

/* ---- list, get: with the deployments that use each ---- */

static void note_user(struct web_call *call, struct map *users, str repo_url, str name)
{
    struct arena *arena = call->arena;
    str url;

    if (repo_url.len == 0 || !source_url_normalize(arena, repo_url, &url, NULL))
        return;
    struct val *names = map_get(users, url);
    if (names == NULL) {
        names = val_new(arena, val_list());
        map_set(users, url, names);
    }
    size_t count = val_count(names);
    if (count == 0 || !str_eq(val_str(val_item(names, count - 1)), name))
        val_append(arena, names, val_string(arena, name));
}

/* Normalised URL → names of the deployments that use it: each URL is looked at once, for there may
 * be hundreds of repositories and thousands of deployments. */
static void find_users(struct web_call *call, const struct val *applications, struct map *users)
{
    struct val_iter it = val_iter(applications);

    while (val_next(&it) && !arena_is_over(call->arena)) {
        str name = object_name(it.value);
        note_user(call, users, VAL_STR(it.value, "spec", "source", "repoURL"), name);
        struct val_iter sources = val_iter(VAL_AT(it.value, "spec", "sources"));
        while (val_next(&sources))
            note_user(call, users, val_get_str(sources.value, S("repoURL")), name);
    }
}

static void add_users(struct web_call *call, struct val *row, const struct map *users)
{
    const struct val *names = NULL;
    str url;

    if (source_url_normalize(call->arena, val_get_str(row, S("url")), &url, NULL))
        names = map_get(users, url);
    val_set(call->arena, row, S("usedBy"), names == NULL ? val_list() : *names);
}

static const struct list_sort repo_sorts[] = {
        {.word = "name", .member = "name"},
        {.word = "created", .member = "created"},
        {.word = "url", .member = "url"},
};
static const struct list_spec repo_list = {
        .search = (const char *const[]){"name", "alias", "description", "url", NULL},
        .sorts = repo_sorts,
        .sort_count = COUNT(repo_sorts),
};

static void on_listed_users(struct web_call *call, struct kube_response *response)
{
    struct val *rows = call->state;
    auto_map struct map *users = map_new();
    struct val_iter it = val_iter(rows);

    if (response->ok)
        find_users(call, val_get(response->object, S("items")), users);
    while (response->ok && val_next(&it))
        add_users(call, it.value, users);
    list_reply(call, &repo_list, rows);
}

/* A repository of the control namespace serves every DevOps Project. */
static void list_applications(struct web_call *call, web_next_fn *then)
{
    bool is_platform = str_eq(call->namespace_, call->web->options.control_namespace);

    web_kube(call,
             &(struct kube_request){.verb = KUBE_LIST,
                                    .gvr = web_gvr_applications,
                                    .namespace_ = is_platform ? STR_EMPTY : call->namespace_},
             then);
}

static void on_listed(struct web_call *call, struct kube_response *response)
{
    struct val *rows = val_new(call->arena, val_list());

    if (!response->ok) {
        web_reply_kube(call, response, "listing code repositories");
        return;
    }
    struct val_iter it = val_iter(val_get(response->object, S("items")));
    while (val_next(&it)) {
        if (web_is_repo(it.value))
            val_append(call->arena, rows, *web_repo_row(call, it.value));
    }
    call->state = rows;
    list_applications(call, on_listed_users);
}

void web_repo_list(struct web_call *call)
{
    web_kube(call,
             &(struct kube_request){SECRETS(call, KUBE_LIST),
                                    .label_selector = S(WEB_SECRET_TYPE_LABEL "=repository")},
             on_listed);
}

static void on_got_users(struct web_call *call, struct kube_response *response)
{
    struct val *row = call->state;
    auto_map struct map *users = map_new();

    if (response->ok) {
        find_users(call, val_get(response->object, S("items")), users);
        add_users(call, row, users);
    }
    web_reply_val(call, 200, row);
}

static void on_got(struct web_call *call, struct kube_response *response)
{
    if (!response->ok && response->err.code != ERR_NOT_FOUND) {
        web_reply_kube(call, response, "reading the code repository");
    } else if (!response->ok || !web_is_repo(response->object)) {
        web_fail(call, ERR_NOT_FOUND, "there is no code repository '%.*s'", STR(call->params[1]));
    } else {
        call->state = web_repo_row(call, response->object);
        list_applications(call, on_got_users);
    }
}

void web_repo_get(struct web_call *call)
{
    web_kube(call,
             &(struct kube_request){SECRETS(call, KUBE_GET),
                                    .name = arena_join(call->arena, S("repo-"), call->params[1])},
             on_got);
}

/* ---- create ---- */

static void on_created(struct web_call *call, struct kube_response *response)
{
    if (!response->ok)
        web_reply_kube(call, response, "importing the code repository");
    else
        web_reply_val(call, 201, web_repo_row(call, response->object));
}

bool web_is_known_credential(const struct val *secrets, str name)
{
    struct val_iter it = val_iter(secrets);

    while (val_next(&it)) {
        if (str_eq(object_name(it.value), name) &&
            str_starts(val_get_str(it.value, S("type")), S("credential.devops.kubesphere.io/")))
            return true;
    }
    return false;
}

/* The repository of the same normalised URL, or NULL. */
const struct val *web_find_repo_url(struct web_call *call, const struct val *secrets, str url)
{
    struct val_iter it = val_iter(secrets);

    while (val_next(&it)) {
        str other = web_secret_text(call->arena, it.value, S("url"));
        str normal;
        if (web_is_repo(it.value) && source_url_normalize(call->arena, other, &normal, NULL) &&
            str_eq(normal, url))
            return it.value;
    }
    return NULL;
}

static void create_secret(struct web_call *call)
{
    struct repo_state *state = call->state;

    web_kube(call, &(struct kube_request){SECRETS(call, KUBE_CREATE), .body = state->object},
             on_created);
}

static void on_checked(struct web_call *call, struct kube_response *response)
{
    struct repo_state *state = call->state;
    const struct val *items = val_get(response->object, S("items"));
    str credential = web_body_str(call, S("credential"));

    if (!response->ok) {
        web_reply_kube(call, response, "importing the code repository");
        return;
    }
    const struct val *same = web_find_repo_url(call, items, state->url);
    if (same != NULL)
        web_fail(call, ERR_EXISTS, "this URL is imported already, as the code repository '%.*s'",
                 STR(web_repo_name(same)));
    else if (credential.len > 0 && !web_is_known_credential(items, credential))
        web_fail(call, ERR_NOT_FOUND, "there is no credential '%.*s' in this DevOps Project",
                 STR(credential));
    else
        web_accept_host_key(call, create_secret);
}

bool web_url_has_password(str url)
{
    size_t scheme = str_find(url, S("://"));

    if (scheme == SIZE_MAX)
        return false;
    str rest = str_from_index(url, scheme + 3);
    str authority = str_first(rest, MIN(str_find_char(rest, '/'), rest.len));
    size_t at = str_rfind_char(authority, '@');
    return at != SIZE_MAX && str_find_char(str_first(authority, at), ':') != SIZE_MAX;
}

static bool build(struct web_call *call, struct repo_state *state, struct err *err)
{
    static const char *const words[] = {"provider", "server", "owner", "repo", "credential"};
    struct arena *arena = call->arena;
    str name = web_body_str(call, S("name"));
    str url = web_body_str(call, S("url"));

    if (!web_check_name(S("a code repository"), name, err))
        return false;
    if (name.len > 58)
        return err_set(err, ERR_INVALID, "a code repository's name has at most 58 characters");
    if (web_url_has_password(url))
        return err_set(err, ERR_INVALID,
                       "a URL may not hold a password; make a credential and name it");
    if (!source_url_normalize(arena, url, &state->url, err))
        return false;
    struct val *object = web_object(arena, "v1", "Secret", arena_join(arena, S("repo-"), name),
                                    call->namespace_);
    if (!web_add_words(call, object, err))
        return false;
    struct val *meta = val_get(object, S("metadata"));
    struct val *annotations = val_get(meta, S("annotations"));
    for (size_t i = 0; i < COUNT(words); i++) {
        str text = web_body_str(call, str_from(words[i]));
        if (text.len > 0)
            val_set_str(arena, annotations, arena_printf(arena, "taut.dev/%s", words[i]), text);
    }
    val_set_str(arena, val_ensure_map(arena, meta, S("labels")), S(WEB_SECRET_TYPE_LABEL),
                S("repository"));
    struct val *data = val_ensure_map(arena, object, S("data"));
    val_set_str(arena, data, S("type"), base64_encode(arena, S("git")));
    val_set_str(arena, data, S("url"), base64_encode(arena, url));
    val_set_str(arena, data, S("name"), base64_encode(arena, name));
    val_set_str(arena, data, S("project"),
                base64_encode(arena,
                              str_eq(call->params[0], S("default")) ? STR_EMPTY : call->params[0]));
    state->object = object;
    return true;
}

void web_repo_create(struct web_call *call)
{
    struct repo_state *state = arena_new0(call->arena, struct repo_state);
    struct err err = {0};

    call->state = state;
    if (!build(call, state, &err)) {
        web_reply_err(call, &err);
        return;
    }
    web_kube(call, &(struct kube_request){SECRETS(call, KUBE_LIST)}, on_checked);
}

/* ---- delete: refused while a deployment uses it ---- */

static void on_deleted(struct web_call *call, struct kube_response *response)
{
    if (!response->ok) {
        web_reply_kube(call, response, "deleting the code repository");
        return;
    }
    web_repo_state_drop(call, call->params[1]);
    struct val *done = val_new(call->arena, val_map());
    val_set_str(call->arena, done, S("name"), call->params[1]);
    web_reply_val(call, 200, done);
}

bool web_uses_url(struct web_call *call, const struct val *application, str url)
{
    str normal;

    if (source_url_normalize(call->arena, VAL_STR(application, "spec", "source", "repoURL"),
                             &normal, NULL) &&
        str_eq(normal, url))
        return true;
    struct val_iter it = val_iter(VAL_AT(application, "spec", "sources"));
    while (val_next(&it)) {
        if (source_url_normalize(call->arena, val_get_str(it.value, S("repoURL")), &normal, NULL) &&
            str_eq(normal, url))
            return true;
    }
    return false;
}

static void on_users(struct web_call *call, struct kube_response *response)
{
    struct repo_state *state = call->state;
    str names = STR_EMPTY;
    size_t count = 0;

    if (!response->ok) {
        web_reply_kube(call, response, "looking for deployments that use the repository");
        return;
    }
    struct val_iter it = val_iter(val_get(response->object, S("items")));
    while (val_next(&it)) {
        if (web_uses_url(call, it.value, state->url)) {
            if (count++ < USERS_NAMED)
                names = arena_printf(call->arena, "%.*s%s'%.*s'", STR(names), count > 1 ? ", " : "",
                                     STR(object_name(it.value)));
        }
    }
    if (count > 0)
        web_fail(call, ERR_CONFLICT,
                 "the code repository is used by %zu continuous deployment%s (%.*s%s)", count,
                 count == 1 ? "" : "s", STR(names), count > USERS_NAMED ? ", …" : "");
    else
        web_kube(call,
                 &(struct kube_request){
                         SECRETS(call, KUBE_DELETE),
                         .name = arena_join(call->arena, S("repo-"), call->params[1])},
                 on_deleted);
}

static void on_deleting(struct web_call *call, struct kube_response *response)
{
    struct repo_state *state = call->state;

    if (!response->ok && response->err.code != ERR_NOT_FOUND) {
        web_reply_kube(call, response, "deleting the code repository");
        return;
    }
    if (!response->ok || !web_is_repo(response->object)) {
        web_fail(call, ERR_NOT_FOUND, "there is no code repository '%.*s'", STR(call->params[1]));
        return;
    }
    str url = web_secret_text(call->arena, response->object, S("url"));
    if (!source_url_normalize(call->arena, url, &state->url, NULL))
        state->url = arena_str(call->arena, url);
    list_applications(call, on_users);
}

void web_repo_delete(struct web_call *call)
{
    call->state = arena_new0(call->arena, struct repo_state);
    web_kube(call,
             &(struct kube_request){SECRETS(call, KUBE_GET),
                                    .name = arena_join(call->arena, S("repo-"), call->params[1])},
             on_deleting);
}
