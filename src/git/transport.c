/* SPDX-License-Identifier: Apache-2.0 */
/* Control's side: starts the fetch role, hands it its request, reads its answer. */
#include "git/transport.h"

#include "base/mem.h"
#include "git/fetch_message.h"
#include "io/process.h"

struct transport_job {
    struct process *process;
    transport_done_fn *done;
    void *owner;
    enum transport_op op;
};

static void on_done(void *owner, const struct process_result *process)
{
    struct transport_job *job = owner;
    auto_arena struct arena *arena = arena_new(4 * (size_t)FETCH_ANSWER_MAX);
    struct transport_result result = {0};
    bool bad = false;
    struct err err;
    str body;

    bool ok = process->ok;
    if (!ok)
        err = process->err;
    else if (!wire_frame(process->out, FETCH_ANSWER_MAX, &body, &bad) || bad)
        ok = err_set(&err, ERR_INTERNAL, "the fetch process ended without an answer");
    else
        ok = fetch_get_answer(body, arena, &result, &err);
    result.took_ms = process->took_ms;

    if (ok)
        job->done(job->owner, &result, NULL);
    else
        job->done(job->owner, NULL, &err);
    mem_free(job);
}

static str secret_text(const struct secret *secret)
{
    return secret_is_empty(secret) ? STR_EMPTY : secret_reveal(secret);
}

static void put_request(struct buf *out, const struct transport_options *options,
                        const struct transport_request *request)
{
    static const struct transport_credential none = {0};
    const struct transport_credential *c =
            request->credential == NULL ? &none : request->credential;
    struct fetch_request r = {
            .op = request->op,
            .url = request->url->remote,
            .program = str_from(options->program),
            .file_roots = str_from(options->file_roots),
            .allow_link_local = options->allow_link_local,
            .username = c->username,
            .password = secret_text(c->password),
            .bearer = secret_text(c->bearer),
            .ssh_key = secret_text(c->ssh_key),
            .passphrase = secret_text(c->passphrase),
            .known_hosts = c->known_hosts,
            .ca_bundle = c->ca_bundle,
            .insecure = c->insecure,
            .cache = request->cache,
            .wants = request->wants,
            .want_count = request->want_count,
            .prefix = request->prefix,
    };

    fetch_put_request(out, &r);
}

bool transport_start(struct loop *loop, const struct transport_options *options,
                     const struct transport_request *request, transport_done_fn *done, void *owner,
                     struct transport_job **ret_job, struct err *err)
{
    static const char *const argv[] = {"taut-fetch", NULL};
    static const char *const env[] = {"TAUT_ROLE=fetch", "PATH=/usr/bin:/bin", "LC_ALL=C", NULL};
    static const char *const names[] = {[TRANSPORT_LIST] = "listing of refs",
                                        [TRANSPORT_FETCH] = "fetch",
                                        [TRANSPORT_FIND] = "fetch",
                                        [TRANSPORT_FILE] = "download"};
    bool is_short = request->op == TRANSPORT_LIST || request->op == TRANSPORT_FILE;
    int64_t limit_ms = is_short ? LIMIT_LIST_MS : LIMIT_FETCH_MS;
    struct process_spec spec = {
            .name = names[request->op],
            .program = options->program,
            .argv = argv,
            .env = env,
            .out_max = FETCH_ANSWER_MAX + WIRE_HEAD,
            .err_max = LIMIT_GIT_WORDS,
            .timeout_ms = limit_ms + 10000, /* git's own deadline comes first */
    };
    struct transport_job *job = new0(struct transport_job);
    auto_buf struct buf input = {0};

    buf_init(&input, FETCH_REQUEST_MAX);
    put_request(&input, options, request);
    spec.input = buf_str(&input);
    job->done = done;
    job->owner = owner;
    job->op = request->op;
    bool ok = buf_check(&input, "a fetch request", err) &&
              process_start(loop, &spec, on_done, job, &job->process, err);
    if (input.at != NULL)
        secret_wipe(input.at, input.size);
    if (!ok) {
        mem_free(job);
        return false;
    }
    *ret_job = job;
    return true;
}

void transport_cancel(struct transport_job *job)
{
    if (job == NULL)
        return;
    process_cancel(job->process);
    mem_free(job);
}
