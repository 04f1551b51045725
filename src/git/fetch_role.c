/* SPDX-License-Identifier: Apache-2.0 */
#include "git/fetch_role.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/map.h"
#include "git/cache.h"
#include "git/failure.h"
#include "io/process.h"
#include "io/totals.h"

#include <errno.h>
#include <sys/prctl.h>
#include <sys/statvfs.h>

static const char *git_program(void)
{
    static const char *const places[] = {"/usr/bin/git", "/usr/local/bin/git", "/bin/git"};

    for (size_t i = 0; i < COUNT(places); i++) {
        if (access(places[i], X_OK) == 0)
            return places[i];
    }
    return places[0];
}

/* ---- one git command ---- */

struct waiting {
    struct fetch *f;
    struct git_run *run;
    bool done;
};

static void on_git(void *owner, const struct process_result *result)
{
    struct waiting *w = owner;

    w->run->ok = result->ok;
    w->run->out = arena_str(w->f->arena, result->out);
    w->run->words = arena_str(w->f->arena, result->err_out);
    if (!result->ok)
        w->run->err = result->err;
    w->f->git_took_ms += result->took_ms;
    w->done = true;
}

void fetch_git(struct fetch *f, struct git_run *run)
{
    const char *argv[FETCH_ARGS_MAX + 2] = {"git"};
    struct waiting w = {.f = f, .run = run};
    struct process *process;

    for (size_t i = 0; i < run->count; i++)
        argv[i + 1] = run->args[i];
    struct process_spec spec = {
            .name = "git",
            .program = git_program(),
            .argv = argv,
            .env = f->env,
            .dir = str_is_empty(f->request.cache) ? "/" : f->request.cache.at,
            .input = run->input,
            .out_max = LIMIT_GIT_OUTPUT,
            .err_max = LIMIT_GIT_WORDS,
            .timeout_ms = run->timeout_ms,
            .limits = {.address_space = LIMIT_FETCH_MEMORY, .file_bytes = LIMIT_FETCH_BYTES},
            .totals = {.memory = LIMIT_FETCH_RESIDENT},
    };
    if (!str_is_empty(f->request.cache)) {
        spec.totals.folder = f->request.cache.at;
        spec.totals.folder_bytes = LIMIT_CACHE_BYTES;
    }
    run->ok = false;
    run->words = STR_EMPTY;
    if (!process_start(f->loop, &spec, on_git, &w, &process, &run->err))
        return;
    while (!w.done)
        loop_run_until(f->loop, &w.done, LIMIT_FETCH_MS * 2);
}

bool fetch_git_failed(struct fetch *f, const struct git_run *run, struct err *err)
{
    struct failure failure = {
            .url = &f->url,
            .words = run->words,
            .ref = run->ref,
            .has_key = !str_is_empty(f->request.ssh_key),
            .has_passphrase = !str_is_empty(f->request.passphrase),
            .has_auth = !f->has_left &&
                        (!str_is_empty(f->request.password) || !str_is_empty(f->request.bearer)),
    };

    if (run->err.code == ERR_TIMEOUT) {
        str who = str_is_empty(f->url.host) ? S("the repository") : f->url.host;
        return err_set(err, ERR_TIMEOUT, "%.*s did not answer within %lld s", STR(who),
                       (long long)(run->timeout_ms / 1000));
    }
    if (run->err.code == ERR_LIMIT || str_is_empty(str_trim(run->words)))
        return err_set(err, run->err.code, "%s", run->err.message);
    return failure_set(f->arena, &failure, err);
}

static void arg(struct git_run *run, const char *text)
{
    if (run->count + 1 < FETCH_ARGS_MAX)
        run->args[run->count++] = text;
}

/* A command that talks to the server, last argument but `tail` the URL; redirects are followed. */
static bool remote_git(struct fetch *f, const struct git_run *before, const char *const *tail,
                       size_t tail_count, struct git_run *ret_run, struct err *err)
{
    for (int hops = 0; hops <= LIMIT_GIT_REDIRECTS; hops++) {
        struct git_run run = *before;
        if (hops > 0 && !fetch_follow(f, err))
            return false;
        if (!fetch_address(f, err))
            return false;
        fetch_environment(f);
        arg(&run, "--");
        arg(&run, arena_z(f->arena, f->url.remote));
        for (size_t i = 0; i < tail_count; i++)
            arg(&run, tail[i]);
        fetch_git(f, &run);
        *ret_run = run;
        if (run.ok || !failure_is_redirect(run.words))
            return true;
    }
    return err_set(err, ERR_UNAVAILABLE, "the repository redirects more than %d times",
                   LIMIT_GIT_REDIRECTS);
}

/* ---- list ---- */

static int by_name(const void *a, const void *b)
{
    return str_cmp(((const struct transport_ref *)a)->name,
                   ((const struct transport_ref *)b)->name);
}

struct listing {
    struct arena *arena;
    struct transport_ref *refs;
    size_t count;
    size_t room;
    str head; /* what HEAD names */
};

static bool list_add(struct listing *l, str line, struct err *err)
{
    size_t tab = str_find_char(line, '\t');
    str id = tab == SIZE_MAX ? STR_EMPTY : str_first(line, tab);
    str name = str_from_index(line, tab == SIZE_MAX ? line.len : tab + 1);

    if (str_skip(&id, S("ref: "))) {
        if (str_eq(name, S("HEAD")))
            l->head = id;
        return true;
    }
    if (id.len == 64)
        return err_set(err, ERR_UNSUPPORTED, "not supported yet: a repository with SHA-256 ids");
    if (!git_id_is_full(id) || str_is_empty(name) || !str_is_utf8(name))
        return err_set(err, ERR_UNAVAILABLE, "the server's list of refs cannot be understood");
    if (str_chop(&name, S("^{}"))) { /* what the annotated tag before it points at */
        if (l->count > 0 && str_eq(l->refs[l->count - 1].name, name))
            l->refs[l->count - 1].commit = id;
        return true;
    }
    if (l->count == LIMIT_GIT_REFS)
        return err_set(err, ERR_LIMIT, "the repository has more than %d refs", LIMIT_GIT_REFS);
    l->refs = arena_grow(l->arena, l->refs, l->count + 1, &l->room, sizeof(*l->refs));
    l->refs[l->count++] = (struct transport_ref){name, id, STR_EMPTY};
    return true;
}

static bool do_list(struct fetch *f, struct transport_result *result, struct err *err)
{
    struct git_run before = {
            .args = {"ls-remote", "--symref", "--quiet"}, .count = 3, .timeout_ms = LIMIT_LIST_MS};
    struct listing l = {.arena = f->arena, .head = STR_EMPTY};
    struct git_run run;
    str line;

    if (!remote_git(f, &before, NULL, 0, &run, err))
        return false;
    if (!run.ok)
        return fetch_git_failed(f, &run, err);
    for (str rest = run.out; str_split(&rest, '\n', &line);) {
        if (!str_is_empty(line) && !list_add(&l, line, err))
            return false;
    }
    if (l.count > 0)
        qsort(l.refs, l.count, sizeof(*l.refs), by_name);
    for (size_t i = 0; i < l.count; i++) {
        if (str_eq(l.refs[i].name, S("HEAD")))
            l.refs[i].symref = l.head;
        if (i > 0 && str_eq(l.refs[i].name, l.refs[i - 1].name))
            return err_set(err, ERR_UNAVAILABLE, "the server's list names the ref '%.*s' twice",
                           STR(l.refs[i].name));
    }
    result->refs = l.refs;
    result->ref_count = l.count;
    return true;
}

/* ---- fetch ---- */

static bool cache_prepare(struct fetch *f, struct err *err)
{
    const char *cache = f->request.cache.at;
    struct statvfs disk;

    if (statvfs(cache, &disk) == 0 && (uint64_t)disk.f_bavail * disk.f_frsize < LIMIT_DISK_RESERVE)
        return err_set(err, ERR_IO, "the disk of the data folder has less than %zu MiB free",
                       LIMIT_DISK_RESERVE / LIMIT_MIB);
    if (cache_is_made(cache)) {
        cache_drop_locks(cache); /* we are the only writer, so they are a dead one's */
        return true;
    }

    struct git_run run = {
            .args = {"init", "--quiet", "--bare", "--template=", "--initial-branch=taut", "."},
            .count = 6,
            .timeout_ms = LIMIT_LIST_MS};
    fetch_environment(f);
    fetch_git(f, &run);
    return run.ok || fetch_git_failed(f, &run, err);
}

static struct git_run fetch_command(void)
{
    return (struct git_run){.args = {"fetch", "--quiet", "--depth=1", "--no-tags",
                                     "--no-write-fetch-head", "--recurse-submodules=no",
                                     "--no-auto-maintenance"},
                            .count = 7,
                            .timeout_ms = LIMIT_FETCH_MS};
}

/* A server that gives out no commit by its id gives out the ref; it must still point there. */
static bool fetch_by_name(struct fetch *f, const struct transport_want *want, struct err *err)
{
    struct git_run before = fetch_command();
    const char *tail[] = {arena_printf(f->arena, "+%.*s:refs/taut-by-name", STR(want->ref)).at};
    struct git_run run;

    before.ref = want->ref;
    if (!remote_git(f, &before, tail, 1, &run, err))
        return false;
    if (!run.ok)
        return fetch_git_failed(f, &run, err);

    struct git_run look = {
            .args = {"rev-parse", "--verify", "--quiet", "refs/taut-by-name^{commit}"},
            .count = 4,
            .timeout_ms = LIMIT_LIST_MS};
    fetch_git(f, &look);
    if (!look.ok || !str_eq(str_trim(look.out), want->commit))
        return err_set(err, ERR_GONE, "'%.*s' has moved on while it was fetched", STR(want->ref));

    struct git_run keep = {.args = {"update-ref",
                                    arena_printf(f->arena, "refs/taut/%.*s", STR(want->commit)).at,
                                    want->commit.at},
                           .count = 3,
                           .timeout_ms = LIMIT_LIST_MS};
    fetch_git(f, &keep);
    return keep.ok || fetch_git_failed(f, &keep, err);
}

static bool fetch_some(struct fetch *f, const struct transport_want *wants, size_t count,
                       struct err *err)
{
    const char *tail[FETCH_WANTS_A_CALL];
    struct git_run before = fetch_command();
    struct git_run run;

    for (size_t i = 0; i < count; i++)
        tail[i] = arena_printf(f->arena, "+%.*s:refs/taut/%.*s", STR(wants[i].commit),
                               STR(wants[i].commit))
                          .at;
    before.ref = wants[0].commit;
    if (!remote_git(f, &before, tail, count, &run, err))
        return false;
    if (run.ok)
        return true;
    if (!failure_is_not_our_ref(run.words))
        return fetch_git_failed(f, &run, err);
    if (count == 1 && str_is_empty(wants[0].ref))
        return fetch_git_failed(f, &run, err);
    for (size_t i = 0; i < count; i++) { /* one of them is the trouble: each for itself */
        bool ok = str_is_empty(wants[i].ref) ? fetch_some(f, &wants[i], 1, err)
                                             : fetch_by_name(f, &wants[i], err);
        if (!ok)
            return false;
    }
    return true;
}

static bool do_fetch(struct fetch *f, struct transport_result *result, struct err *err)
{
    const struct fetch_request *r = &f->request;

    for (size_t i = 0; i < r->want_count; i++) {
        if (!git_id_is_full(r->wants[i].commit))
            return err_set(err, ERR_INVALID, "'%.*s' is not a full commit id",
                           STR(r->wants[i].commit));
    }
    if (!cache_prepare(f, err))
        return false;
    for (size_t i = 0; i < r->want_count; i += FETCH_WANTS_A_CALL) {
        size_t count = MIN(r->want_count - i, (size_t)FETCH_WANTS_A_CALL);
        if (!fetch_some(f, r->wants + i, count, err))
            return false;
    }
    result->packs = cache_packs(r->cache.at);
    result->cache_bytes = (size_t)totals_folder(r->cache.at);
    return true;
}

/* ---- find ---- */

static bool find_in(struct fetch *f, str prefix, str *ret_commit, struct err *err)
{
    struct git_run ids = {
            .args = {"rev-parse", arena_printf(f->arena, "--disambiguate=%.*s", STR(prefix)).at},
            .count = 2,
            .timeout_ms = LIMIT_LIST_MS};
    struct git_run kinds = {.args = {"cat-file", "--batch-check=%(objectname) %(objecttype)"},
                            .count = 2,
                            .timeout_ms = LIMIT_LIST_MS};
    str found = STR_EMPTY;
    str line;

    fetch_git(f, &ids);
    if (!ids.ok)
        return fetch_git_failed(f, &ids, err);
    kinds.input = ids.out;
    fetch_git(f, &kinds);
    if (!kinds.ok)
        return fetch_git_failed(f, &kinds, err);
    for (str rest = kinds.out; str_split(&rest, '\n', &line);) {
        if (!str_chop(&line, S(" commit")))
            continue;
        if (!str_is_empty(found))
            return err_set(err, ERR_INVALID,
                           "'%.*s' begins more than one commit id: give the full id", STR(prefix));
        found = line;
    }
    if (!git_id_is_full(found))
        return err_set(err, ERR_NOT_FOUND,
                       "'%.*s' is no branch, no tag and begins no commit id of a branch or tag: "
                       "give the full id",
                       STR(prefix));
    *ret_commit = found;
    return true;
}

/* All commits, without a single tree or file, into a scratch cache of their own. */
static bool do_find(struct fetch *f, struct transport_result *result, struct err *err)
{
    struct git_run before = {.args = {"fetch", "--quiet", "--filter=tree:0", "--no-tags",
                                      "--no-write-fetch-head", "--recurse-submodules=no",
                                      "--no-auto-maintenance"},
                             .count = 7,
                             .timeout_ms = LIMIT_FETCH_MS};
    const char *tail[] = {"+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"};
    struct git_run run;

    if (!cache_prepare(f, err) || !remote_git(f, &before, tail, COUNT(tail), &run, err))
        return false;
    if (!run.ok)
        return fetch_git_failed(f, &run, err);
    if (str_contains(run.words, S("filtering not recognized")))
        return err_set(err, ERR_UNSUPPORTED,
                       "the server cannot look up the short commit id '%.*s': give the full id",
                       STR(f->request.prefix));
    return find_in(f, f->request.prefix, &result->commit, err);
}

/* ---- the process ---- */

static bool fetch_run(struct fetch *f, struct transport_result *result, struct err *err)
{
    if (!git_url_parse(f->arena, f->request.url, &f->url, err) || !fetch_secrets(f, err) ||
        !fetch_confine(f, err))
        return false;

    str asked = f->url.remote;
    bool ok = false;
    switch (f->request.op) {
    case TRANSPORT_LIST:
        ok = do_list(f, result, err);
        break;
    case TRANSPORT_FETCH:
        ok = do_fetch(f, result, err);
        break;
    case TRANSPORT_FIND:
        ok = do_find(f, result, err);
        break;
    case TRANSPORT_FILE:
        ok = fetch_file(f, result, err);
        break;
    }
    result->moved_to = str_eq(asked, f->url.remote) ? STR_EMPTY : f->url.remote;
    result->git_took_ms = f->git_took_ms;
    return ok;
}

static bool read_request(struct fetch *f, struct buf *in, struct err *err)
{
    buf_init(in, FETCH_REQUEST_MAX);
    for (;;) {
        char *at = buf_reserve(in, 64 * LIMIT_KIB);
        ssize_t got = at == NULL ? -1 : read(STDIN_FILENO, at, 64 * LIMIT_KIB);
        if (got < 0 && at != NULL && errno == EINTR)
            continue;
        if (got < 0)
            return err_set(err, ERR_INTERNAL, "a fetch process got no request");
        if (got == 0)
            break;
        in->len += (size_t)got;
    }
    return fetch_get_request(buf_str(in), f->arena, &f->request, err);
}

/* An answer never repeats a secret, whatever a server made git say. */
static void scrub(const struct fetch_request *r, struct err *err)
{
    const str secrets[] = {r->password, r->bearer, r->passphrase};

    for (size_t i = 0; i < COUNT(secrets); i++) {
        size_t at;
        while (secrets[i].len >= 4 && (at = str_find(err_message(err), secrets[i])) != SIZE_MAX)
            memset(err->message + at, '*', secrets[i].len);
    }
}

static const char *own_program(struct fetch *f)
{
    char path[4096];
    ssize_t len = readlink("/proc/self/exe", path, sizeof(path));

    return len <= 0 || (size_t)len == sizeof(path)
                   ? "/proc/self/exe"
                   : arena_str(f->arena, str_of(path, (size_t)len)).at;
}

int transport_fetch_main(int argc, char **argv)
{
    struct fetch f = {.arena = arena_new(4 * (size_t)FETCH_ANSWER_MAX)};
    struct transport_result result = {0};
    static struct buf in;
    static struct buf body;
    static struct buf out;
    struct err err;

    (void)argc;
    (void)argv;
    f.loop = loop_new();
    f.program = own_program(&f);
    buf_init(&body, FETCH_ANSWER_MAX);
    buf_init(&out, FETCH_ANSWER_MAX + WIRE_HEAD);
    bool ok = read_request(&f, &in, &err) && fetch_run(&f, &result, &err);
    if (ok) {
        fetch_put_result(&body, &result);
        ok = buf_check(&body, "the list of refs", &err);
    }
    if (!ok) {
        scrub(&f.request, &err);
        buf_reset(&body);
        body.over = false;
        fetch_put_failure(&body, &err);
    }
    wire_put_frame(&out, buf_str(&body));
    if (!fd_write_all(STDOUT_FILENO, buf_str(&out)))
        return 1;
    _exit(0); /* memory and secrets go with the process, unlooked at */
}
