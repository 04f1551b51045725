/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Code repositories: Secret `repo-NAME` in the DevOps Project's namespace, in Argo CD's form
 * (PRODUCT section 1). One normalised URL is imported once per DevOps Project.
 */
#include "doc/hash.h"
#include "source/source.h"
#include "web/host_key.h"
#include "web/repo.h"

#define SECRETS(call, verb_)                                                                       \
    .verb = (verb_), .gvr = web_gvr_secrets, .namespace_ = (call)->namespace_

struct repo_state {
    struct val *object;
    str url;
    str host_line; /* accepted, for the known hosts */
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
    return row;
}

/* ---- list, get ---- */

static void on_listed(struct web_call *call, struct kube_response *response)
{
    struct val *rows;
    struct val *list = web_items(call->arena, &rows);

    if (!response->ok) {
        web_reply_kube(call, response, "listing code repositories");
        return;
    }
    struct val_iter it = val_iter(val_get(response->object, S("items")));
    while (val_next(&it)) {
        if (web_is_repo(it.value))
            val_append(call->arena, rows, *web_repo_row(call, it.value));
    }
    web_reply_val(call, 200, list);
}

void web_repo_list(struct web_call *call)
{
    web_kube(call,
             &(struct kube_request){SECRETS(call, KUBE_LIST),
                                    .label_selector = S(WEB_SECRET_TYPE_LABEL "=repository")},
             on_listed);
}

static void on_got(struct web_call *call, struct kube_response *response)
{
    if (!response->ok && response->err.code != ERR_NOT_FOUND)
        web_reply_kube(call, response, "reading the code repository");
    else if (!response->ok || !web_is_repo(response->object))
        web_fail(call, ERR_NOT_FOUND, "there is no code repository '%.*s'", STR(call->params[1]));
    else
        web_reply_val(call, 200, web_repo_row(call, response->object));
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

static bool is_known_credential(const struct val *secrets, str name)
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
static const struct val *find_same_url(struct web_call *call, const struct val *secrets, str url)
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

/* ---- accepting a host's key: scan, compare, add a line to the known hosts, then create ---- */

static void on_hosts_written(struct web_call *call, struct kube_response *response)
{
    if (!response->ok)
        web_reply_kube(call, response, "storing the host key");
    else
        create_secret(call);
}

static void on_hosts_read(struct web_call *call, struct kube_response *response)
{
    struct repo_state *state = call->state;
    struct arena *arena = call->arena;
    str control = call->web->options.control_namespace;
    str known = VAL_STR(response->object, "data", "ssh_known_hosts");
    bool is_new = !response->ok && response->err.code == ERR_NOT_FOUND;

    if (!response->ok && !is_new) {
        web_reply_kube(call, response, "reading the known hosts");
        return;
    }
    if (str_contains(known, state->host_line)) {
        create_secret(call);
        return;
    }
    const char *between = known.len == 0 || str_ends(known, S("\n")) ? "" : "\n";
    struct val *object = is_new ? web_object(arena, "v1", "ConfigMap", S(WEB_KNOWN_HOSTS), control)
                                : val_new(arena, val_map());
    if (!is_new) /* nobody else's line may be lost */
        val_set_str(arena, val_ensure_map(arena, object, S("metadata")), S("resourceVersion"),
                    object_resource_version(response->object));
    else
        val_set_str(arena, val_ensure_map(arena, val_get(object, S("metadata")), S("labels")),
                    S("app.kubernetes.io/part-of"), S("argocd"));
    val_set_str(arena, val_ensure_map(arena, object, S("data")), S("ssh_known_hosts"),
                arena_printf(arena, "%.*s%s%.*s\n", STR(known), between, STR(state->host_line)));
    web_kube(call,
             &(struct kube_request){.verb = is_new ? KUBE_CREATE : KUBE_PATCH_MERGE,
                                    .gvr = web_gvr_configmaps,
                                    .namespace_ = control,
                                    .name = is_new ? STR_EMPTY : S(WEB_KNOWN_HOSTS),
                                    .body = object},
             on_hosts_written);
}

static void on_host_key(void *owner, str line, const struct err *err)
{
    struct web_call *call = owner;
    struct repo_state *state = call->state;

    call->scan = NULL;
    if (err != NULL) {
        web_reply_err(call, err);
        return;
    }
    state->host_line = arena_str(call->arena, line);
    web_kube(call,
             &(struct kube_request){.verb = KUBE_GET,
                                    .gvr = web_gvr_configmaps,
                                    .namespace_ = call->web->options.control_namespace,
                                    .name = S(WEB_KNOWN_HOSTS)},
             on_hosts_read);
}

static void accept_host_key(struct web_call *call)
{
    struct err err = {0};

    if (!host_key_scan(call->web->options.loop, web_body_str(call, S("url")),
                       web_body_str(call, S("acceptHostKey")), on_host_key, call, &call->scan,
                       &err))
        web_reply_err(call, &err);
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
    const struct val *same = find_same_url(call, items, state->url);
    if (same != NULL)
        web_fail(call, ERR_EXISTS, "this URL is imported already, as the code repository '%.*s'",
                 STR(web_repo_name(same)));
    else if (credential.len > 0 && !is_known_credential(items, credential))
        web_fail(call, ERR_NOT_FOUND, "there is no credential '%.*s' in this DevOps Project",
                 STR(credential));
    else if (web_body_str(call, S("acceptHostKey")).len > 0)
        accept_host_key(call);
    else
        create_secret(call);
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
    struct val *done = val_new(call->arena, val_map());
    val_set_str(call->arena, done, S("name"), call->params[1]);
    web_reply_val(call, 200, done);
}

static bool uses_url(struct web_call *call, const struct val *application, str url)
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
    const struct val *first = NULL;
    size_t count = 0;

    if (!response->ok) {
        web_reply_kube(call, response, "looking for deployments that use the repository");
        return;
    }
    struct val_iter it = val_iter(val_get(response->object, S("items")));
    while (val_next(&it)) {
        if (uses_url(call, it.value, state->url)) {
            first = first == NULL ? it.value : first;
            count++;
        }
    }
    if (count > 0)
        web_fail(call, ERR_CONFLICT,
                 "the code repository is used by %zu continuous deployment%s ('%.*s'%s)", count,
                 count == 1 ? "" : "s", STR(object_name(first)), count > 1 ? ", …" : "");
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
    /* A repository of the control namespace serves every DevOps Project. */
    bool is_platform = str_eq(call->namespace_, call->web->options.control_namespace);
    web_kube(call,
             &(struct kube_request){.verb = KUBE_LIST,
                                    .gvr = web_gvr_applications,
                                    .namespace_ = is_platform ? STR_EMPTY : call->namespace_},
             on_users);
}

void web_repo_delete(struct web_call *call)
{
    call->state = arena_new0(call->arena, struct repo_state);
    web_kube(call,
             &(struct kube_request){SECRETS(call, KUBE_GET),
                                    .name = arena_join(call->arena, S("repo-"), call->params[1])},
             on_deleting);
}
