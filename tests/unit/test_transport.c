/* SPDX-License-Identifier: Apache-2.0 */
/* Real Git servers on loopback: file, http, git and ssh. This program is its own fetch and ssh
 * role. */
#include "base/clock.h"
#include "git/cache.h"
#include "git/git_tree.h"
#include "git/transport.h"
#include "git_fixture.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

struct servers {
    struct fixture f;
    struct loop *loop;
    struct arena *arena;
    pid_t http;
    pid_t daemon;
    pid_t sshd;
    char http_port[16];
    int git_port;
    int ssh_port;
    bool done;
    bool ok;
    struct err err;
    char moved_to[256];
    char commit[64];
    size_t refs;
    char first_ref[128];
    char symref[128];
    int64_t took_ms;
    int64_t git_took_ms;
};

static void read_file(const char *path, char *out, size_t size)
{
    FILE *file = fopen(path, "r");

    out[0] = '\0';
    if (file == NULL)
        return;
    size_t len = fread(out, 1, size - 1, file);
    out[len] = '\0';
    fclose(file);
}

static pid_t start(const char *const *argv)
{
    pid_t pid = fork();

    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        int nothing = open("/dev/null", O_RDWR);
        dup2(nothing, 1);
        if (getenv("TAUT_TEST_VERBOSE") == NULL)
            dup2(nothing, 2);
        execvp(argv[0], (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    return pid;
}

static void stop(pid_t pid)
{
    if (pid > 0) {
        kill(pid, SIGTERM);
        waitpid(pid, NULL, 0);
    }
}

static void wait_for_port(int port)
{
    char command[128];

    snprintf(command, sizeof(command),
             "for i in $(seq 200); do (exec 3<>/dev/tcp/127.0.0.1/%d) 2>/dev/null && exit 0; "
             "sleep 0.05; done; exit 1",
             port);
    pid_t pid = fork();
    if (pid == 0) {
        execlp("bash", "bash", "-c", command, NULL);
        _exit(127);
    }
    int status;
    waitpid(pid, &status, 0);
    assert_int_equal(status, 0);
}

static void servers_init(struct servers *s)
{
    char root[96];
    char port_file[96];
    char script[512];

    memset(s, 0, sizeof(*s));
    fixture_init(&s->f);
    fixture_write(&s->f, "a/x.yaml", "x: 1\n");
    fixture_commit(&s->f);
    fixture_run(&s->f, "git tag -a v1 -m one && git branch other && git tag light");
    fixture_run(&s->f, "git clone -q --bare . ../root/x.git && git -C ../root/x.git config "
                       "uploadpack.allowFilter true");
    snprintf(root, sizeof(root), "%s/root", s->f.dir);
    snprintf(port_file, sizeof(port_file), "%s/port", s->f.dir);
    snprintf(script, sizeof(script), "%s/tests/unit/git_http.py", getenv("TAUT_SOURCE"));
    s->http = start((const char *const[]){"python3", script, root, port_file, NULL});
    for (int i = 0; i < 400 && s->http_port[0] == '\0'; i++) {
        nanosleep(&(struct timespec){0, 25000000}, NULL);
        read_file(port_file, s->http_port, sizeof(s->http_port));
    }
    assert_true(s->http_port[0] != '\0');
    s->loop = loop_new();
    s->arena = arena_new(16 * LIMIT_MIB);
}

static void servers_done(struct servers *s)
{
    stop(s->http);
    stop(s->daemon);
    stop(s->sshd);
    loop_free(s->loop);
    arena_free(s->arena);
    fixture_done(&s->f);
}

static void on_done(void *owner, const struct transport_result *result, const struct err *err)
{
    struct servers *s = owner;

    s->done = true;
    s->ok = result != NULL;
    if (result == NULL) {
        s->err = *err;
        return;
    }
    snprintf(s->moved_to, sizeof(s->moved_to), "%.*s", STR(result->moved_to));
    snprintf(s->commit, sizeof(s->commit), "%.*s", STR(result->commit));
    s->refs = result->ref_count;
    s->took_ms = result->took_ms;
    s->git_took_ms = result->git_took_ms;
    if (result->ref_count > 0) {
        snprintf(s->first_ref, sizeof(s->first_ref), "%.*s", STR(result->refs[0].name));
        snprintf(s->symref, sizeof(s->symref), "%.*s", STR(result->refs[0].symref));
    }
    for (size_t i = 0; i < result->ref_count; i++)
        assert_str(result->refs[i].commit, str_from(s->f.commit));
}

static bool ask(struct servers *s, struct transport_request *request, const char *format, ...)
        PRINTF_LIKE(3, 4);
static bool ask(struct servers *s, struct transport_request *request, const char *format, ...)
{
    char roots[96];
    char text[512];
    struct git_url url;
    struct transport_job *job;
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    snprintf(roots, sizeof(roots), "%s/root", s->f.dir);
    struct transport_options options = {.file_roots = roots};
    assert_ok(git_url_parse(s->arena, str_from(text), &url, &s->err), s->err);
    request->url = &url;
    s->done = false;
    if (!transport_start(s->loop, &options, request, on_done, s, &job, &s->err))
        return false;
    assert_true(loop_run_until(s->loop, &s->done, 60000));
    return s->ok;
}

static bool list(struct servers *s, const struct transport_credential *credential,
                 const char *format, ...) PRINTF_LIKE(3, 4);
static bool list(struct servers *s, const struct transport_credential *credential,
                 const char *format, ...)
{
    struct transport_request request = {.op = TRANSPORT_LIST, .credential = credential};
    char text[512];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    return ask(s, &request, "%s", text);
}

#define assert_message(s, part)                                                                    \
    do {                                                                                           \
        if (!str_contains(err_message(&(s)->err), S(part)))                                        \
            fail_msg("the message is: %s", (s)->err.message);                                      \
    } while (0)

static void assert_fetches(struct servers *s, const struct transport_credential *credential,
                           const char *url, const char *commit)
{
    struct transport_want want = {.ref = S("refs/heads/main"), .commit = str_from(commit)};
    struct transport_request request = {
            .op = TRANSPORT_FETCH, .credential = credential, .wants = &want, .want_count = 1};
    str cache = arena_printf(s->arena, "%s/cache", s->f.dir);
    struct tree *tree;
    struct err err;
    str bytes;

    cache_remove(cache.at);
    assert_ok(cache_make_dir(cache.at, &err), err);
    request.cache = cache;
    assert_ok(ask(s, &request, "%s", url), s->err);
    assert_true(cache_has(cache.at, want.commit));
    assert_ok(git_tree_open(cache.at, want.commit, &tree, &err), err);
    assert_ok(tree_read(tree, S("a/x.yaml"), &bytes, &err), err);
    assert_str(bytes, S("x: 1\n"));
    tree_free(tree);
}

TEST(refs_are_listed_and_commits_fetched_over_http)
{
    struct servers s;

    servers_init(&s);
    assert_ok(list(&s, NULL, "http://127.0.0.1:%s/x.git", s.http_port), s.err);
    assert_int_equal(s.refs, 5); /* HEAD, main, other, light and v1 (its commit) */
    assert_string_equal(s.first_ref, "HEAD");
    assert_string_equal(s.symref, "refs/heads/main");
    print_message("# list over http: %lld ms, %lld in git\n", (long long)s.took_ms,
                  (long long)s.git_took_ms);
    assert_fetches(&s, NULL, arena_printf(s.arena, "http://127.0.0.1:%s/x.git", s.http_port).at,
                   s.f.commit);
    print_message("# fetch over http: %lld ms, %lld in git\n", (long long)s.took_ms,
                  (long long)s.git_took_ms);
    assert_false(list(&s, NULL, "http://127.0.0.1:%s/nothing.git", s.http_port));
    assert_message(&s, "the repository does not exist on 127.0.0.1");
    assert_int_equal(s.err.code, ERR_NOT_FOUND);
    assert_false(list(&s, NULL, "http://127.0.0.1:1/x.git"));
    assert_int_equal(s.err.code, ERR_UNAVAILABLE);
    servers_done(&s);
}

TEST(a_password_or_a_token_opens_a_private_repository)
{
    struct servers s;
    struct secret *right = secret_new(S("s3cret-word"));
    struct secret *wrong = secret_new(S("wr0ng-word"));
    struct secret *token = secret_new(S("t0ken-word"));
    struct transport_credential c = {.username = S("me"), .password = right};

    servers_init(&s);
    str url = arena_printf(s.arena, "http://127.0.0.1:%s/private/x.git", s.http_port);
    assert_false(list(&s, NULL, "%s", url.at));
    assert_message(&s, "authentication failed: 127.0.0.1:");
    assert_message(&s, "asks for a credential");
    assert_int_equal(s.err.code, ERR_UNAUTHORIZED);
    assert_ok(list(&s, &c, "%s", url.at), s.err);
    assert_fetches(&s, &c, url.at, s.f.commit);
    c.password = wrong;
    assert_false(list(&s, &c, "%s", url.at));
    assert_message(&s, "refused the credential");
    assert_false(str_contains(err_message(&s.err), S("wr0ng-word")));
    c = (struct transport_credential){.bearer = token};
    assert_ok(list(&s, &c, "http://127.0.0.1:%s/bearer/x.git", s.http_port), s.err);

    /* nothing of the secret on disk */
    fixture_run(&s.f, "! grep -rqa -e s3cret-word -e %s ../cache", "bWU6czNjcmV0LXdvcmQ");
    secret_free(right);
    secret_free(wrong);
    secret_free(token);
    servers_done(&s);
}

TEST(a_redirect_is_followed_and_takes_no_credential_to_another_host)
{
    struct servers s;
    struct secret *right = secret_new(S("s3cret-word"));
    struct transport_credential c = {.username = S("me"), .password = right};
    char seen[8192];
    char path[128];

    servers_init(&s);
    assert_ok(list(&s, NULL, "http://127.0.0.1:%s/moved/x.git", s.http_port), s.err);
    assert_string_equal(s.moved_to,
                        arena_printf(s.arena, "http://127.0.0.1:%s/x.git", s.http_port).at);
    assert_ok(list(&s, &c, "http://127.0.0.1:%s/moved/private/x.git", s.http_port), s.err);
    assert_false(list(&s, &c, "http://127.0.0.1:%s/away/x.git", s.http_port));
    assert_int_equal(s.err.code, ERR_UNAUTHORIZED);
    assert_false(list(&s, NULL, "http://127.0.0.1:%s/loop/x.git", s.http_port));
    assert_message(&s, "redirects more than");
    assert_false(list(&s, NULL, "http://127.0.0.1:%s/tls/x.git", s.http_port));
    assert_message(&s, "redirects from http to https");

    fixture_run(&s.f, "curl -s http://127.0.0.1:%s/seen >../seen", s.http_port);
    snprintf(path, sizeof(path), "%s/seen", s.f.dir);
    read_file(path, seen, sizeof(seen));
    assert_true(str_contains(str_from(seen), S("/away/x.git")));
    assert_false(str_contains(str_from(seen), S("localhost")));
    secret_free(right);
    servers_done(&s);
}

TEST(a_file_repository_is_read_only_beneath_an_allowed_root)
{
    struct servers s;

    servers_init(&s);
    assert_ok(list(&s, NULL, "file://%s/root/x.git", s.f.dir), s.err);
    assert_int_equal(s.refs, 5);
    assert_fetches(&s, NULL, arena_printf(s.arena, "%s/root/x.git", s.f.dir).at, s.f.commit);
    assert_false(list(&s, NULL, "file://%s/work", s.f.dir));
    assert_message(&s, "--file-repos");
    servers_done(&s);
}

TEST(a_link_local_address_is_refused)
{
    struct servers s;

    servers_init(&s);
    assert_false(list(&s, NULL, "http://169.254.169.254/x.git"));
    assert_int_equal(s.err.code, ERR_FORBIDDEN);
    assert_false(list(&s, NULL, "http://[fe80::1]/x.git"));
    assert_int_equal(s.err.code, ERR_FORBIDDEN);
    servers_done(&s);
}

TEST(a_moved_branch_and_an_unknown_commit_are_told)
{
    struct servers s;

    servers_init(&s);
    str cache = arena_printf(s.arena, "%s/cache", s.f.dir);
    struct transport_want want = {.ref = STR_EMPTY,
                                  .commit = S("1234567890123456789012345678901234567890")};
    struct transport_request request = {
            .op = TRANSPORT_FETCH, .cache = cache, .wants = &want, .want_count = 1};
    struct err err;

    assert_ok(cache_make_dir(cache.at, &err), err);
    assert_false(ask(&s, &request, "http://127.0.0.1:%s/x.git", s.http_port));
    assert_message(&s, "the commit 1234567890123456789012345678901234567890 does not exist");
    want.ref = S("refs/heads/main");
    assert_false(ask(&s, &request, "http://127.0.0.1:%s/x.git", s.http_port));
    assert_int_equal(s.err.code, ERR_GONE);
    assert_message(&s, "has moved on");
    servers_done(&s);
}

TEST(a_short_commit_id_is_found)
{
    struct servers s;
    struct err err;

    servers_init(&s);
    str cache = arena_printf(s.arena, "%s/scratch", s.f.dir);
    struct transport_request request = {
            .op = TRANSPORT_FIND, .cache = cache, .prefix = str_of(s.f.commit, 8)};

    assert_ok(cache_make_dir(cache.at, &err), err);
    assert_ok(ask(&s, &request, "http://127.0.0.1:%s/x.git", s.http_port), s.err);
    assert_string_equal(s.commit, s.f.commit);
    request.prefix = S("0123abc");
    assert_false(ask(&s, &request, "http://127.0.0.1:%s/x.git", s.http_port));
    assert_message(&s, "give the full id");

    fixture_run(&s.f, "git -C ../root/x.git config uploadpack.allowFilter false");
    cache_remove(cache.at);
    assert_ok(cache_make_dir(cache.at, &err), err);
    request.prefix = str_of(s.f.commit, 8);
    assert_false(ask(&s, &request, "http://127.0.0.1:%s/x.git", s.http_port));
    assert_message(&s, "the server cannot look up the short commit id");
    servers_done(&s);
}

TEST(the_git_protocol_works)
{
    struct servers s;
    char base[128];
    char port[32];

    servers_init(&s);
    s.git_port = 20000 + getpid() % 20000;
    snprintf(base, sizeof(base), "--base-path=%s/root", s.f.dir);
    snprintf(port, sizeof(port), "--port=%d", s.git_port);
    s.daemon = start((const char *const[]){"git", "daemon", "--reuseaddr", "--listen=127.0.0.1",
                                           "--export-all", base, port, NULL});
    wait_for_port(s.git_port);
    assert_ok(list(&s, NULL, "git://127.0.0.1:%d/x.git", s.git_port), s.err);
    assert_fetches(&s, NULL, arena_printf(s.arena, "git://127.0.0.1:%d/x.git", s.git_port).at,
                   s.f.commit);
    servers_done(&s);
}

/* The same key behind a passphrase that a shell would trip over. */
static void assert_passphrase(struct servers *s, str url, str hosts)
{
    char key[8192];
    char path[128];
    struct secret *right = secret_new(S("it's $HOME \"and\" more"));
    struct secret *wrong = secret_new(S("wrong-canary"));

    fixture_run(&s->f, "cd .. && cp me locked && chmod 600 locked && ssh-keygen -q -p -P '' -N "
                       "'it'\\''s $HOME \"and\" more' -f locked");
    snprintf(path, sizeof(path), "%s/locked", s->f.dir);
    read_file(path, key, sizeof(key));
    struct secret *secret = secret_new(str_from(key));
    struct transport_credential c = {.ssh_key = secret, .passphrase = right, .known_hosts = hosts};
    assert_ok(list(s, &c, "%s", url.at), s->err);
    c.passphrase = wrong;
    assert_false(list(s, &c, "%s", url.at));
    assert_message(s, "the passphrase of the credential is not that of its SSH key");
    assert_false(str_contains(err_message(&s->err), S("wrong-canary")));
    c.passphrase = NULL;
    assert_false(list(s, &c, "%s", url.at));
    assert_message(s, "the SSH key is protected by a passphrase");
    secret_free(secret);
    secret_free(right);
    secret_free(wrong);
}

TEST(an_ssh_key_with_strict_known_hosts_opens_a_repository)
{
    struct servers s;
    char key[8192];
    char hosts[8192];
    char path[128];
    char config[128];
    const char *user = geteuid() == 0 ? "root" : getenv("USER");

    servers_init(&s);
    s.ssh_port = 20000 + (getpid() + 7) % 20000;
    fixture_run(&s.f,
                "cd .. && ssh-keygen -q -t ed25519 -N '' -f host && ssh-keygen -q -t ed25519 -N '' "
                "-f me && cp me.pub authorized && chmod 600 authorized && "
                "printf 'Port %d\\nListenAddress 127.0.0.1\\nHostKey %s/host\\nPidFile "
                "%s/pid\\nAuthorizedKeysFile %s/authorized\\nStrictModes no\\nUsePAM no\\n"
                "PermitRootLogin yes\\n' >sshd_config && "
                "echo \"[localhost]:%d $(cut -d' ' -f1,2 host.pub)\" >hosts && mkdir -p /run/sshd",
                s.ssh_port, s.f.dir, s.f.dir, s.f.dir, s.ssh_port);
    snprintf(config, sizeof(config), "%s/sshd_config", s.f.dir);
    s.sshd = start((const char *const[]){"/usr/sbin/sshd", "-D", "-e", "-f", config, NULL});
    wait_for_port(s.ssh_port);
    snprintf(path, sizeof(path), "%s/me", s.f.dir);
    read_file(path, key, sizeof(key));
    snprintf(path, sizeof(path), "%s/hosts", s.f.dir);
    read_file(path, hosts, sizeof(hosts));

    str url =
            arena_printf(s.arena, "ssh://%s@localhost:%d%s/root/x.git", user, s.ssh_port, s.f.dir);
    struct secret *secret = secret_new(str_from(key));
    struct transport_credential c = {.ssh_key = secret, .known_hosts = str_from(hosts)};
    assert_ok(list(&s, &c, "%s", url.at), s.err);
    assert_fetches(&s, &c, url.at, s.f.commit);

    c.known_hosts = STR_EMPTY;
    assert_false(list(&s, &c, "%s", url.at));
    assert_message(&s, "the host key of localhost:");
    assert_message(&s, "is not known: ssh-ed25519 SHA256:");
    c.known_hosts = arena_printf(s.arena,
                                 "[localhost]:%d ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJhFx8cHc9Pb"
                                 "TeSAVf0uLpP1J7DkZ9fPqJmC5cQmO4mF",
                                 s.ssh_port);
    assert_false(list(&s, &c, "%s", url.at));
    assert_message(&s, "is not the known one");
    c = (struct transport_credential){.known_hosts = str_from(hosts)};
    assert_false(list(&s, &c, "%s", url.at));
    assert_message(&s, "asks for an SSH key");
    fixture_run(&s.f, "! grep -rqa 'PRIVATE KEY' ../cache");
    assert_passphrase(&s, url, str_from(hosts));
    secret_free(secret);
    servers_done(&s);
}

TEST(a_cancelled_job_is_silent)
{
    struct servers s;
    struct transport_job *job;
    struct git_url url;

    servers_init(&s);
    assert_ok(git_url_parse(s.arena,
                            arena_printf(s.arena, "http://127.0.0.1:%s/x.git", s.http_port), &url,
                            &s.err),
              s.err);
    struct transport_options options = {0};
    struct transport_request request = {.op = TRANSPORT_LIST, .url = &url};
    assert_ok(transport_start(s.loop, &options, &request, on_done, &s, &job, &s.err), s.err);
    loop_run_until(s.loop, &s.done, 5);
    if (!s.done)
        transport_cancel(job);
    s.done = false;
    loop_run_until(s.loop, &s.done, 300);
    assert_false(s.done);
    servers_done(&s);
}

int main(int argc, char **argv)
{
    const char *role = getenv("TAUT_ROLE");
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(refs_are_listed_and_commits_fetched_over_http),
            cmocka_unit_test(a_password_or_a_token_opens_a_private_repository),
            cmocka_unit_test(a_redirect_is_followed_and_takes_no_credential_to_another_host),
            cmocka_unit_test(a_file_repository_is_read_only_beneath_an_allowed_root),
            cmocka_unit_test(a_link_local_address_is_refused),
            cmocka_unit_test(a_moved_branch_and_an_unknown_commit_are_told),
            cmocka_unit_test(a_short_commit_id_is_found),
            cmocka_unit_test(the_git_protocol_works),
            cmocka_unit_test(an_ssh_key_with_strict_known_hosts_opens_a_repository),
            cmocka_unit_test(a_cancelled_job_is_silent),
    };

    if (role != NULL && str_eq(str_from(role), S("fetch")))
        return transport_fetch_main(argc, argv);
    if (role != NULL && str_eq(str_from(role), S("ssh")))
        return transport_ssh_main(argc, argv);
    if (role != NULL && str_eq(str_from(role), S("askpass")))
        return transport_askpass_main(argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
