/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Editing a code repository: only what the body names changes. A new URL is written into the
 * deployments that read the old one, first, so that an edit that was interrupted can be repeated;
 * then into the repository.
 */
#include "doc/hash.h"
#include "source/source.h"
#include "web/repo.h"
#include "web/repo_state.h"

struct repo_edit {
    struct web_host_accept host; /* first */
    str url;                     /* as the body says; empty: stays */
    str old_url;                 /* normalised */
    struct val *patch;           /* of the Secret */
    const struct val *users;     /* Applications */
    size_t next;
    struct val *rewritten; /* their names */
};

static void on_saved(struct web_call *call, struct kube_response *response)
{
    struct repo_edit *edit = call->state;

    if (!response->ok) {
        web_reply_kube(call, response, "saving the code repository");
        return;
    }
    if (edit->url.len > 0)
        web_repo_state_drop(call, call->params[1]);
    struct val *row = web_repo_row(call, response->object);
    val_set(call->arena, row, S("rewritten"), *edit->rewritten);
    web_reply_val(call, 200, row);
}

static void save(struct web_call *call)
{
    struct repo_edit *edit = call->state;

    web_kube(call,
             &(struct kube_request){.verb = KUBE_PATCH_MERGE,
                                    .gvr = web_gvr_secrets,
                                    .namespace_ = call->namespace_,
                                    .name = arena_join(call->arena, S("repo-"), call->params[1]),
                                    .body = edit->patch},
             on_saved);
}

/* ---- the deployments that read it ---- */

static void rewrite_next(struct web_call *call);

static void on_rewritten(struct web_call *call, struct kube_response *response)
{
    struct repo_edit *edit = call->state;
    str name = object_name(val_item(edit->users, edit->next));

    if (!response->ok && response->status != 404) {
        struct err err = response->err;
        err_wrap(&err,
                 "the continuous deployment '%.*s' keeps the old URL, and so does the code "
                 "repository",
                 STR(name));
        web_reply_err(call, &err);
        return;
    }
    if (response->ok)
        val_append(call->arena, edit->rewritten, val_string(call->arena, name));
    edit->next++;
    rewrite_next(call);
}

static bool is_old(struct web_call *call, const struct val *source)
{
    struct repo_edit *edit = call->state;
    str normal;

    return source_url_normalize(call->arena, val_get_str(source, S("repoURL")), &normal, NULL) &&
           str_eq(normal, edit->old_url);
}

static struct val *rewrite_patch(struct web_call *call, const struct val *application)
{
    struct repo_edit *edit = call->state;
    struct arena *arena = call->arena;
    struct val *patch = val_new(arena, val_map());
    struct val *spec = val_ensure_map(arena, patch, S("spec"));
    const struct val *sources = VAL_AT(application, "spec", "sources");

    val_set_str(arena, val_ensure_map(arena, patch, S("metadata")), S("resourceVersion"),
                object_resource_version(application));
    if (is_old(call, VAL_AT(application, "spec", "source")))
        val_set_str(arena, val_ensure_map(arena, spec, S("source")), S("repoURL"), edit->url);
    if (val_count(sources) > 0) {
        struct val *copy = val_set(arena, spec, S("sources"), val_dup_value(arena, sources));
        for (size_t i = 0; i < val_count(copy); i++)
            if (is_old(call, val_item(copy, i)))
                val_set_str(arena, val_item(copy, i), S("repoURL"), edit->url);
    }
    return patch;
}

static void rewrite_next(struct web_call *call)
{
    struct repo_edit *edit = call->state;

    while (edit->next < val_count(edit->users) &&
           !web_uses_url(call, val_item(edit->users, edit->next), edit->old_url))
        edit->next++;
    if (edit->next == val_count(edit->users)) {
        save(call);
        return;
    }
    const struct val *application = val_item(edit->users, edit->next);
    web_kube(call,
             &(struct kube_request){.verb = KUBE_PATCH_MERGE,
                                    .gvr = web_gvr_applications,
                                    .namespace_ = object_namespace(application),
                                    .name = object_name(application),
                                    .body = rewrite_patch(call, application)},
             on_rewritten);
}

static void on_users(struct web_call *call, struct kube_response *response)
{
    struct repo_edit *edit = call->state;

    if (!response->ok) {
        web_reply_kube(call, response, "looking for deployments that use the repository");
        return;
    }
    edit->users = val_dup(call->arena, val_get(response->object, S("items")));
    rewrite_next(call);
}

static bool may_rewrite(struct web_call *call)
{
    struct auth_question question = {.verb = S("update"),
                                     .group = S("argoproj.io"),
                                     .resource = S("applications"),
                                     .namespace_ = call->namespace_};

    return auth_may(call->web->options.auth, &call->user, &question);
}

static void after_host(struct web_call *call)
{
    struct repo_edit *edit = call->state;
    bool is_platform = str_eq(call->namespace_, call->web->options.control_namespace);

    if (edit->url.len == 0)
        save(call);
    else if (!may_rewrite(call))
        web_fail(call, ERR_FORBIDDEN,
                 "a new URL changes the deployments that use it; you may not update applications "
                 "in '%.*s'",
                 STR(call->params[0]));
    else
        web_kube(call,
                 &(struct kube_request){.verb = KUBE_LIST,
                                        .gvr = web_gvr_applications,
                                        .namespace_ = is_platform ? STR_EMPTY : call->namespace_},
                 on_users);
}

/* ---- what is to be saved ---- */

static void annotate(struct web_call *call, struct val *annotations, const char *key, str field)
{
    const struct val *value = val_get(call->body, field);

    if (value == NULL)
        return;
    if (val_str(value).len == 0)
        val_set(call->arena, annotations, str_from(key), val_null());
    else
        val_set_str(call->arena, annotations, str_from(key), val_str(value));
}

static void build_patch(struct web_call *call, const struct val *secret)
{
    static const struct {
        const char *key;
        const char *field;
    } notes[] = {
            {"kubesphere.io/alias-name", "alias"}, {"kubesphere.io/description", "description"},
            {"taut.dev/provider", "provider"},     {"taut.dev/server", "server"},
            {"taut.dev/owner", "owner"},           {"taut.dev/repo", "repo"},
            {"taut.dev/credential", "credential"}};
    struct repo_edit *edit = call->state;
    struct arena *arena = call->arena;
    str version = web_body_str(call, S("resourceVersion"));

    edit->patch = val_new(arena, val_map());
    struct val *meta = val_ensure_map(arena, edit->patch, S("metadata"));
    val_set_str(arena, meta, S("resourceVersion"),
                version.len > 0 ? version : object_resource_version(secret));
    struct val *annotations = val_ensure_map(arena, meta, S("annotations"));
    for (size_t i = 0; i < COUNT(notes); i++)
        annotate(call, annotations, notes[i].key, str_from(notes[i].field));
    if (edit->url.len > 0)
        val_set_str(arena, val_ensure_map(arena, edit->patch, S("data")), S("url"),
                    base64_encode(arena, edit->url));
}

static bool check_url(struct web_call *call, const struct val *secrets, const struct val *secret,
                      struct err *err)
{
    struct repo_edit *edit = call->state;
    str url = web_body_str(call, S("url"));
    str old = web_secret_text(call->arena, secret, S("url"));
    str normal;

    if (url.len == 0 || str_eq(url, old))
        return true;
    if (web_url_has_password(url))
        return err_set(err, ERR_INVALID,
                       "a URL may not hold a password; make a credential and name it");
    if (!source_url_normalize(call->arena, url, &normal, err))
        return false;
    const struct val *same = web_find_repo_url(call, secrets, normal);
    if (same != NULL && !str_eq(object_name(same), object_name(secret)))
        return err_set(err, ERR_EXISTS,
                       "this URL is imported already, as the code repository '%.*s'",
                       STR(web_repo_name(same)));
    if (!source_url_normalize(call->arena, old, &edit->old_url, NULL))
        edit->old_url = old;
    edit->url = url;
    return true;
}

static void on_secrets(struct web_call *call, struct kube_response *response)
{
    const struct val *items = val_get(response->object, S("items"));
    str name = arena_join(call->arena, S("repo-"), call->params[1]);
    str credential = web_body_str(call, S("credential"));
    const struct val *secret = NULL;
    struct err err = {0};

    if (!response->ok) {
        web_reply_kube(call, response, "reading the code repository");
        return;
    }
    struct val_iter it = val_iter(items);
    while (val_next(&it)) {
        if (str_eq(object_name(it.value), name) && web_is_repo(it.value))
            secret = it.value;
    }
    if (secret == NULL)
        web_fail(call, ERR_NOT_FOUND, "there is no code repository '%.*s'", STR(call->params[1]));
    else if (credential.len > 0 && !web_is_known_credential(items, credential))
        web_fail(call, ERR_NOT_FOUND, "there is no credential '%.*s' in this DevOps Project",
                 STR(credential));
    else if (!check_url(call, items, secret, &err))
        web_reply_err(call, &err);
    else {
        build_patch(call, secret);
        web_accept_host_key(call, after_host);
    }
}

void web_repo_edit(struct web_call *call)
{
    struct repo_edit *edit = arena_new0(call->arena, struct repo_edit);
    struct err err = {0};

    edit->rewritten = val_new(call->arena, val_list());
    call->state = edit;
    if (!web_check_words(call, &err))
        web_reply_err(call, &err);
    else
        web_kube(call,
                 &(struct kube_request){
                         .verb = KUBE_LIST, .gvr = web_gvr_secrets, .namespace_ = call->namespace_},
                 on_secrets);
}
