/* SPDX-License-Identifier: Apache-2.0 */
/* The connection test lists the repository's refs with its own credential, now; the refs page the
 * same, from memory when the listing is young. */
#include "engine/repos_credential.h"
#include "web/repo.h"

#define REFS_MAX_AGE_MS 10000
#define REFS_SHOWN_MAX 2000

struct test_state {
    const struct val *repo;
    const struct val *credential;
    int64_t max_age_ms;
    bool is_test; /* else the refs are wanted */
};

/* ---- answers ---- */

static void reply_failure(struct web_call *call, const struct err *err)
{
    struct test_state *state = call->state;
    struct arena *arena = call->arena;
    str message = err_message(err);
    size_t at = str_find(message, S("SHA256:"));

    if (!state->is_test) {
        web_reply_err(call, err);
        return;
    }
    struct val *answer = val_new(arena, val_map());
    val_set_str(arena, answer, S("state"), S("failed"));
    val_set_str(arena, answer, S("message"), message);
    /* An unknown host's key: its fingerprint is what a person compares and accepts. */
    if (at != SIZE_MAX) {
        str rest = str_from_index(message, at);
        size_t end = 0;
        while (end < rest.len && rest.at[end] != ' ' && rest.at[end] != ';' &&
               rest.at[end] != ',' && rest.at[end] != ')')
            end++;
        val_set_str(arena, answer, S("fingerprint"), str_first(rest, end));
    }
    web_reply_val(call, 200, answer);
}

static void reply_refs(struct web_call *call, const struct source_ref *refs, size_t count)
{
    struct arena *arena = call->arena;
    struct val *rows;
    struct val *list = web_items(arena, &rows);

    for (size_t i = 0; i < count && i < REFS_SHOWN_MAX; i++) {
        struct val *row = val_append(arena, rows, val_map());
        val_set_str(arena, row, S("name"), refs[i].name);
        val_set_str(arena, row, S("commit"), refs[i].commit);
        if (refs[i].symref.len > 0)
            val_set_str(arena, row, S("symref"), refs[i].symref);
    }
    val_set(arena, list, S("total"), val_int(arena, (int64_t)count));
    web_reply_val(call, 200, list);
}

static void on_refs(void *owner, const struct source_ref *refs, size_t count, const struct err *err)
{
    struct web_call *call = owner;
    struct test_state *state = call->state;

    call->wait = NULL;
    if (err != NULL) {
        reply_failure(call, err);
        return;
    }
    if (!state->is_test) {
        reply_refs(call, refs, count);
        return;
    }
    struct val *answer = val_new(call->arena, val_map());
    val_set_str(call->arena, answer, S("state"), S("ok"));
    val_set(call->arena, answer, S("refs"), val_int(call->arena, (int64_t)count));
    for (size_t i = 0; i < count; i++) {
        if (str_eq(refs[i].name, S("HEAD")) && refs[i].symref.len > 0)
            val_set_str(call->arena, answer, S("head"), refs[i].symref);
    }
    web_reply_val(call, 200, answer);
}

/* ---- asking ---- */

static bool open_repo(struct web_call *call, struct credential *credential,
                      const struct val *known_hosts, struct err *err)
{
    struct test_state *state = call->state;
    struct source_credential fields = {0};
    str url = web_secret_text(call->arena, state->repo, S("url"));

    if (!credential_add_repository(credential, state->repo, err) ||
        (state->credential != NULL && !credential_add_secret(credential, state->credential, err)))
        return false;
    credential_fill(credential, url, &fields);
    fields.known_hosts = VAL_STR(known_hosts, "data", "ssh_known_hosts");
    call->repo = source_repo_get(call->web->options.source, url, &fields, err);
    return call->repo != NULL;
}

static void on_known_hosts(struct web_call *call, struct kube_response *response)
{
    struct test_state *state = call->state;
    struct credential *credential = credential_new();
    struct err err = {0};

    bool ok = open_repo(call, credential, response->ok ? response->object : NULL, &err);
    credential_free(credential);
    if (!ok)
        reply_failure(call, &err);
    else
        call->wait = source_list_refs(call->repo, state->max_age_ms, on_refs, call);
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
    str wanted = object_annotation(repo, S("taut.dev/credential"));
    const struct val *credential = wanted.len > 0 ? find_secret(items, wanted) : NULL;
    if (wanted.len > 0 && credential == NULL) {
        web_fail(call, ERR_NOT_FOUND, "the repository's credential '%.*s' does not exist",
                 STR(wanted));
        return;
    }
    state->repo = val_dup(call->arena, repo);
    state->credential = credential == NULL ? NULL : val_dup(call->arena, credential);
    web_kube(call,
             &(struct kube_request){.verb = KUBE_GET,
                                    .gvr = web_gvr_configmaps,
                                    .namespace_ = call->web->options.control_namespace,
                                    .name = S(WEB_KNOWN_HOSTS)},
             on_known_hosts);
}

static void start(struct web_call *call, bool is_test, int64_t max_age_ms)
{
    struct test_state *state = arena_new0(call->arena, struct test_state);

    state->is_test = is_test;
    state->max_age_ms = max_age_ms;
    call->state = state;
    web_kube(call,
             &(struct kube_request){
                     .verb = KUBE_LIST, .gvr = web_gvr_secrets, .namespace_ = call->namespace_},
             on_secrets);
}

void web_repo_test(struct web_call *call)
{
    start(call, /*is_test=*/true, 0);
}

void web_repo_refs(struct web_call *call)
{
    start(call, /*is_test=*/false, REFS_MAX_AGE_MS);
}
