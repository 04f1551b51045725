/* SPDX-License-Identifier: Apache-2.0 */
#include "git/fetch_message.h"

enum answer { ANSWER_FAILURE = 1, ANSWER_RESULT = 2 };

void fetch_put_request(struct buf *out, const struct fetch_request *r)
{
    const str texts[] = {r->url,         r->program,   r->file_roots, r->username,
                         r->password,    r->bearer,    r->ssh_key,    r->passphrase,
                         r->known_hosts, r->ca_bundle, r->cache,      r->prefix};

    wire_put_u64(out, r->op);
    for (size_t i = 0; i < COUNT(texts); i++)
        wire_put_str(out, texts[i]);
    wire_put_bool(out, r->allow_link_local);
    wire_put_bool(out, r->insecure);
    wire_put_u64(out, r->want_count);
    for (size_t i = 0; i < r->want_count; i++) {
        wire_put_str(out, r->wants[i].ref);
        wire_put_str(out, r->wants[i].commit);
    }
}

bool fetch_get_request(str bytes, struct arena *arena, struct fetch_request *ret_request,
                       struct err *err)
{
    struct wire w = wire_of(bytes, arena);
    struct fetch_request r = {.op = (enum transport_op)wire_u64_most(&w, TRANSPORT_FILE)};
    str *const texts[] = {&r.url,         &r.program,   &r.file_roots, &r.username,
                          &r.password,    &r.bearer,    &r.ssh_key,    &r.passphrase,
                          &r.known_hosts, &r.ca_bundle, &r.cache,      &r.prefix};

    for (size_t i = 0; i < COUNT(texts); i++)
        *texts[i] = wire_dup(&w);
    r.allow_link_local = wire_bool(&w);
    r.insecure = wire_bool(&w);
    r.want_count = wire_count(&w, LIMIT_GIT_REFS);
    struct transport_want *wants = arena_array(arena, r.want_count + 1, struct transport_want);
    for (size_t i = 0; i < r.want_count; i++) {
        wants[i].ref = wire_dup(&w);
        wants[i].commit = wire_dup(&w);
    }
    r.wants = wants;
    if (!wire_end(&w, "a fetch request", err))
        return false;
    *ret_request = r;
    return true;
}

void fetch_put_failure(struct buf *out, const struct err *err)
{
    wire_put_u64(out, ANSWER_FAILURE);
    wire_put_u64(out, err->code);
    wire_put_str(out, err_message(err));
}

void fetch_put_result(struct buf *out, const struct transport_result *result)
{
    wire_put_u64(out, ANSWER_RESULT);
    wire_put_str(out, result->moved_to);
    wire_put_str(out, result->commit);
    wire_put_u64(out, result->packs);
    wire_put_u64(out, result->cache_bytes);
    wire_put_u64(out, (uint64_t)result->git_took_ms);
    wire_put_u64(out, result->ref_count);
    for (size_t i = 0; i < result->ref_count; i++) {
        wire_put_str(out, result->refs[i].name);
        wire_put_str(out, result->refs[i].commit);
        wire_put_str(out, result->refs[i].symref);
    }
}

static bool get_failure(struct wire *w, struct err *err)
{
    uint64_t code = wire_u64(w);
    str message = wire_text(w);

    if (w->bad || code <= ERR_NONE || code >= ERR_CODE_COUNT || str_is_empty(message))
        return err_set(err, ERR_INTERNAL, "the fetch process gave no reason for its failure");
    return err_set(err, (enum err_code)code, "%.*s", STR(message));
}

static void get_refs(struct wire *w, struct transport_result *result)
{
    size_t count = wire_count(w, LIMIT_GIT_REFS);
    struct transport_ref *refs = arena_array(w->arena, count + 1, struct transport_ref);

    for (size_t i = 0; i < count && !w->bad; i++) {
        refs[i].name = wire_dup(w);
        refs[i].commit = wire_dup(w);
        refs[i].symref = wire_dup(w);
        if (!git_id_is_full(refs[i].commit) ||
            (i > 0 && str_cmp(refs[i - 1].name, refs[i].name) >= 0))
            w->bad = true;
    }
    result->refs = refs;
    result->ref_count = count;
}

bool fetch_get_answer(str bytes, struct arena *arena, struct transport_result *ret_result,
                      struct err *err)
{
    struct wire w = wire_of(bytes, arena);
    struct transport_result result = {0};
    uint64_t answer = wire_u64(&w);

    if (answer == ANSWER_FAILURE)
        return get_failure(&w, err);
    if (answer != ANSWER_RESULT)
        w.bad = true;
    result.moved_to = wire_dup(&w);
    result.commit = wire_dup(&w);
    result.packs = (size_t)wire_u64(&w);
    result.cache_bytes = (size_t)wire_u64(&w);
    result.git_took_ms = (int64_t)wire_u64_most(&w, LIMIT_FETCH_MS * 4);
    get_refs(&w, &result);
    if (!str_is_empty(result.commit) && !git_id_is_full(result.commit))
        w.bad = true;
    if (!wire_end(&w, "the answer of the fetch process", err))
        return false;
    *ret_result = result;
    return true;
}
