/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Questions to Git about a code repository: does it answer (also one that is not imported yet),
 * which branches and tags has it, which folders. Each with the repository's own credential; the
 * test asks now, the others take a listing that is young.
 */
#include "doc/hash.h"
#include "engine/repos_credential.h"
#include "web/host_key.h"
#include "web/repo.h"
#include "web/repo_state.h"

#define REFS_MAX_AGE_MS 10000
/* Names that a test shows; the pickers ask for all. */
#define TEST_REFS_SHOWN 12

enum question { ASK_TEST, ASK_REFS, ASK_TREE };

struct test_state {
    const struct val *repo;
    const struct val *credential;
    enum question question;
    str name;      /* of an imported repository: its state is remembered */
    str host_line; /* a host key that is accepted for this test alone */
    str known_hosts;
};

/* ---- answers ---- */

static str fingerprint_of(str message)
{
    size_t at = str_find(message, S("SHA256:"));
    size_t end = 0;

    if (at == SIZE_MAX)
        return STR_EMPTY;
    str rest = str_from_index(message, at);
    while (end < rest.len && rest.at[end] != ' ' && rest.at[end] != ';' && rest.at[end] != ',' &&
           rest.at[end] != ')')
        end++;
    return str_first(rest, end);
}

static void reply_failure(struct web_call *call, const struct err *err)
{
    struct test_state *state = call->state;
    struct arena *arena = call->arena;
    str fingerprint = fingerprint_of(err_message(err));

    if (state->name.len > 0 && state->question != ASK_TREE)
        web_repo_state_put(call, state->name, err);
    if (state->question != ASK_TEST) {
        web_reply_err(call, err);
        return;
    }
    struct val *answer = val_new(arena, val_map());
    val_set_str(arena, answer, S("state"), S("failed"));
    val_set_str(arena, answer, S("message"), err_message(err));
    /* An unknown host's key: its fingerprint is what a person compares and accepts. */
    if (fingerprint.len > 0)
        val_set_str(arena, answer, S("fingerprint"), fingerprint);
    web_reply_val(call, 200, answer);
}

static void reply_refs(struct web_call *call, const struct source_ref *refs, size_t count)
{
    struct arena *arena = call->arena;
    struct val *rows;
    struct val *list = web_items(arena, &rows);

    for (size_t i = 0; i < count && i < LIMIT_REFS_SHOWN; i++) {
        struct val *row = val_append(arena, rows, val_map());
        val_set_str(arena, row, S("name"), refs[i].name);
        val_set_str(arena, row, S("commit"), refs[i].commit);
        if (refs[i].symref.len > 0)
            val_set_str(arena, row, S("symref"), refs[i].symref);
    }
    val_set(arena, list, S("total"), val_int(arena, (int64_t)count));
    web_reply_val(call, 200, list);
}

/* The first names below a place, without it, and how many there are. */
static void add_names(struct arena *arena, struct val *answer, const char *key,
                      const struct source_ref *refs, size_t count)
{
    str place = str_eq(str_from(key), S("branches")) ? S("refs/heads/") : S("refs/tags/");
    struct val *names = val_ensure_list(arena, answer, str_from(key));
    size_t found = 0;

    for (size_t i = 0; i < count; i++) {
        str name = refs[i].name;
        if (str_skip(&name, place) && found++ < TEST_REFS_SHOWN)
            val_append(arena, names, val_string(arena, name));
    }
    val_set(arena, answer, arena_printf(arena, "%sTotal", key), val_int(arena, (int64_t)found));
}

static void reply_test(struct web_call *call, const struct source_ref *refs, size_t count)
{
    struct arena *arena = call->arena;
    struct val *answer = val_new(arena, val_map());

    val_set_str(arena, answer, S("state"), S("ok"));
    val_set(arena, answer, S("refs"), val_int(arena, (int64_t)count));
    for (size_t i = 0; i < count; i++) {
        if (str_eq(refs[i].name, S("HEAD")) && refs[i].symref.len > 0)
            val_set_str(arena, answer, S("head"), refs[i].symref);
    }
    add_names(arena, answer, "branches", refs, count);
    add_names(arena, answer, "tags", refs, count);
    if (source_repo_moved_to(call->repo).len > 0)
        val_set_str(arena, answer, S("movedTo"), source_repo_moved_to(call->repo));
    web_reply_val(call, 200, answer);
}

static void on_refs(void *owner, const struct source_ref *refs, size_t count, const struct err *err)
{
    struct web_call *call = owner;
    struct test_state *state = call->state;

    call->wait = NULL;
    if (err == NULL && state->name.len > 0)
        web_repo_state_put(call, state->name, NULL);
    if (err != NULL)
        reply_failure(call, err);
    else if (state->question == ASK_REFS)
        reply_refs(call, refs, count);
    else
        reply_test(call, refs, count);
}

static void add_path(struct arena *arena, struct val *row, const struct render_path *path)
{
    val_set_str(arena, row, S("name"), path->name);
    if (path->has_manifests)
        val_set_str(arena, row, S("type"), str_from(render_tool_name(path->tool)));
    val_set(arena, row, S("folders"), val_bool(path->has_folders));
}

static void on_paths(void *owner, const struct render_paths *paths, str commit,
                     const struct err *err)
{
    struct web_call *call = owner;
    struct arena *arena = call->arena;
    struct val *rows;
    struct val *list = web_items(arena, &rows);

    call->wait = NULL;
    if (err != NULL) {
        reply_failure(call, err);
        return;
    }
    val_set_str(arena, list, S("commit"), commit);
    add_path(arena, val_ensure_map(arena, list, S("self")), &paths->self);
    for (size_t i = 0; i < paths->count; i++)
        add_path(arena, val_append(arena, rows, val_map()), &paths->items[i]);
    val_set(arena, list, S("more"), val_bool(paths->more));
    web_reply_val(call, 200, list);
}

/* ---- asking ---- */

static bool open_repo(struct web_call *call, struct credential *credential, struct err *err)
{
    struct test_state *state = call->state;
    struct source_credential fields = {0};
    str url = web_secret_text(call->arena, state->repo, S("url"));

    if (!credential_add_repository(credential, state->repo, err) ||
        (state->credential != NULL && !credential_add_secret(credential, state->credential, err)))
        return false;
    credential_fill(credential, url, &fields);
    fields.known_hosts = state->known_hosts;
    if (state->host_line.len > 0)
        fields.known_hosts = arena_printf(call->arena, "%.*s\n%.*s\n", STR(state->known_hosts),
                                          STR(state->host_line));
    call->repo = source_repo_get(call->web->options.source, url, &fields, err);
    return call->repo != NULL;
}

static void ask_git(struct web_call *call)
{
    struct test_state *state = call->state;
    struct credential *credential = credential_new();
    struct err err = {0};
    str revision = STR_EMPTY;
    str path = STR_EMPTY;

    bool ok = open_repo(call, credential, &err);
    credential_free(credential);
    (void)http_param(call->request, S("rev"), &revision);
    (void)http_param(call->request, S("path"), &path);
    if (!ok)
        reply_failure(call, &err);
    else if (state->question == ASK_TREE)
        call->wait = source_list_paths(call->repo, revision, path, REFS_MAX_AGE_MS, on_paths, call);
    else
        call->wait = source_list_refs(call->repo, state->question == ASK_TEST ? 0 : REFS_MAX_AGE_MS,
                                      on_refs, call);
}

static void on_host_key(void *owner, str line, const struct err *err)
{
    struct web_call *call = owner;
    struct test_state *state = call->state;

    call->scan = NULL;
    if (err != NULL) {
        reply_failure(call, err);
        return;
    }
    state->host_line = arena_str(call->arena, line);
    ask_git(call);
}

static void on_known_hosts(struct web_call *call, struct kube_response *response)
{
    struct test_state *state = call->state;
    str accepted = web_body_str(call, S("acceptHostKey"));
    struct err err = {0};

    if (response->ok)
        state->known_hosts =
                arena_str(call->arena, VAL_STR(response->object, "data", "ssh_known_hosts"));
    if (accepted.len == 0)
        ask_git(call);
    else if (!host_key_scan(call->web->options.loop,
                            web_secret_text(call->arena, state->repo, S("url")), accepted,
                            on_host_key, call, &call->scan, &err))
        reply_failure(call, &err);
}

static const struct val *find_secret(const struct val *secrets, str name)
{
    struct val_iter it = val_iter(secrets);

    while (val_next(&it)) {
        if (str_eq(object_name(it.value), name))
            return it.value;
    }
    return NULL;
}

/* `wanted`: the credential's name, or empty. */
static void with_credential(struct web_call *call, const struct val *secrets, str wanted)
{
    struct test_state *state = call->state;
    const struct val *credential = wanted.len > 0 ? find_secret(secrets, wanted) : NULL;

    if (wanted.len > 0 && credential == NULL) {
        web_fail(call, ERR_NOT_FOUND, "the repository's credential '%.*s' does not exist",
                 STR(wanted));
        return;
    }
    state->credential = credential == NULL ? NULL : val_dup(call->arena, credential);
    web_kube(call,
             &(struct kube_request){.verb = KUBE_GET,
                                    .gvr = web_gvr_configmaps,
                                    .namespace_ = call->web->options.control_namespace,
                                    .name = S(WEB_KNOWN_HOSTS)},
             on_known_hosts);
}

static void on_secrets(struct web_call *call, struct kube_response *response)
{
    struct test_state *state = call->state;
    const struct val *items = val_get(response->object, S("items"));
    const struct val *repo =
            find_secret(items, arena_join(call->arena, S("repo-"), call->params[1]));

    if (!response->ok) {
        web_reply_kube(call, response, "reading the code repository");
        return;
    }
    if (repo == NULL || !web_is_repo(repo)) {
        web_fail(call, ERR_NOT_FOUND, "there is no code repository '%.*s'", STR(call->params[1]));
        return;
    }
    state->repo = val_dup(call->arena, repo);
    with_credential(call, items, object_annotation(repo, S("taut.dev/credential")));
}

static void list_secrets(struct web_call *call, web_next_fn *then)
{
    web_kube(call,
             &(struct kube_request){
                     .verb = KUBE_LIST, .gvr = web_gvr_secrets, .namespace_ = call->namespace_},
             then);
}

static void start(struct web_call *call, enum question question)
{
    struct test_state *state = arena_new0(call->arena, struct test_state);

    state->question = question;
    state->name = call->params[1];
    call->state = state;
    list_secrets(call, on_secrets);
}

void web_repo_test(struct web_call *call)
{
    start(call, ASK_TEST);
}

void web_repo_refs(struct web_call *call)
{
    start(call, ASK_REFS);
}

void web_repo_tree(struct web_call *call)
{
    start(call, ASK_TREE);
}

/* ---- a repository that is not imported yet, or one with a new URL or credential ---- */

static void on_try_secrets(struct web_call *call, struct kube_response *response)
{
    struct test_state *state = call->state;
    struct arena *arena = call->arena;
    const struct val *items = val_get(response->object, S("items"));
    str name = web_body_str(call, S("name"));
    str credential = web_body_str(call, S("credential"));

    if (!response->ok) {
        web_reply_kube(call, response, "reading the credentials");
        return;
    }
    /* Inline fields of the repository of that name count as long as no credential is named. */
    const struct val *known =
            name.len == 0 ? NULL : find_secret(items, arena_join(arena, S("repo-"), name));
    struct val *repo = known != NULL && web_is_repo(known) && credential.len == 0
                               ? val_dup(arena, known)
                               : val_new(arena, val_map());
    val_set_str(arena, val_ensure_map(arena, repo, S("data")), S("url"),
                base64_encode(arena, web_body_str(call, S("url"))));
    state->repo = repo;
    with_credential(call, items, credential);
}

void web_repo_try(struct web_call *call)
{
    struct test_state *state = arena_new0(call->arena, struct test_state);

    call->state = state;
    if (web_body_str(call, S("url")).len == 0)
        web_fail(call, ERR_INVALID, "the body must have the 'url' that is to be tested");
    else if (web_url_has_password(web_body_str(call, S("url"))))
        web_fail(call, ERR_INVALID, "a URL may not hold a password; make a credential and name it");
    else
        list_secrets(call, on_try_secrets);
}
