/* SPDX-License-Identifier: Apache-2.0 */
/* Remote bases and remote files of a Kustomization, over repositories of this disk and a server on
 * loopback; this program is its own fetch role. */
#include "base/clock.h"
#include "git/transport.h"
#include "source_fixture.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#define AS "git -c user.name=t -c user.email=t@t "

struct web {
    pid_t pid;
    char port[16];
};

static void read_text(const char *path, char *out, size_t size)
{
    FILE *file = fopen(path, "r");
    size_t len = file == NULL ? 0 : fread(out, 1, size - 1, file);

    out[len] = '\0';
    if (file != NULL)
        fclose(file);
}

static void web_start(struct web *web, struct setting *s)
{
    char script[512];
    char root[96];
    char port_file[96];

    fixture_run(&s->f, "mkdir -p ../root/files && git clone -q --bare . ../root/x.git");
    snprintf(script, sizeof(script), "%s/tests/unit/git_http.py", getenv("TAUT_SOURCE"));
    snprintf(root, sizeof(root), "%s/root", s->f.dir);
    snprintf(port_file, sizeof(port_file), "%s/port", s->f.dir);
    *web = (struct web){.pid = fork()};
    if (web->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        int nothing = open("/dev/null", O_RDWR);
        dup2(nothing, STDERR_FILENO);
        execlp("python3", "python3", script, root, port_file, NULL);
        _exit(127);
    }
    for (int i = 0; i < 1200 && web->port[0] == '\0'; i++) {
        nanosleep(&(struct timespec){0, 25000000}, NULL);
        read_text(port_file, web->port, sizeof(web->port));
    }
    assert_true(web->port[0] != '\0');
}

static void web_stop(struct web *web)
{
    kill(web->pid, SIGTERM);
    waitpid(web->pid, NULL, 0);
}

/* How often the server was asked for a path that begins so. */
static int asked(struct web *web, struct setting *s, const char *path)
{
    char file[96];
    char text[64];

    fixture_run(&s->f,
                "python3 -c 'import urllib.request as u; print(u.urlopen(\"http://127.0.0.1:%s/"
                "asked\").read().decode())' >../asked && grep -c '^%s' ../asked >../count || true",
                web->port, path);
    snprintf(file, sizeof(file), "%s/count", s->f.dir);
    read_text(file, text, sizeof(text));
    return text[0] == '\0' ? -1 : text[0] - '0';
}

static void write_base(struct setting *s, const char *name)
{
    fixture_run(&s->f,
                "cd .. && mkdir -p base/b && cd base && { test -e .git || git init -q -b main .; }"
                " && printf 'resources: [x.yaml]\\n' >b/kustomization.yaml && printf 'apiVersion: "
                "v1\\nkind: ConfigMap\\nmetadata:\\n  name: %s\\n' >b/x.yaml && git add -A && " AS
                "commit -q --allow-empty -m %s",
                name, name);
}

static void name_base(struct setting *s, const char *url, const char *revision)
{
    char text[512];

    snprintf(text, sizeof(text), "resources:\n- %s//b?ref=%s\n- near.yaml\n", url, revision);
    fixture_write(&s->f, "k/kustomization.yaml", text);
    fixture_write(&s->f, "k/near.yaml", CONFIG_MAP("near"));
    fixture_commit(&s->f);
}

static str first_name(struct setting *s)
{
    return VAL_STR(s->last.result->objects[0].object, "metadata", "name");
}

TEST(a_remote_base_is_fetched_where_the_project_allows_it)
{
    struct setting s;
    char url[128];

    setting_init(&s);
    write_base(&s, "far");
    snprintf(url, sizeof(url), "file://%s/base", s.f.dir);
    name_base(&s, url, "main");

    assert_message(desire(&s, "main", "k"), "the project does not allow the repository");
    s.last.allowed = url;
    assert_desired(desire(&s, "main", "k"), 2);
    assert_str(first_name(&s), S("far"));

    /* the base moves on: so does the result, though the own commit is the same */
    write_base(&s, "farther");
    assert_desired(desire(&s, "main", "k"), 2);
    assert_str(first_name(&s), S("farther"));

    /* what is kept is not given out to a project that may not have it */
    s.last.allowed = NULL;
    assert_message(desire(&s, "main", "k"), "the project does not allow the repository");
    s.last.allowed = url;
    fixture_run(&s.f, "rm -rf ../base");
    assert_message(desire(&s, "main", "k"), "the remote base file://");
    setting_done(&s);
}

TEST(a_base_that_changes_nothing_that_was_read_costs_no_render)
{
    struct setting s;
    char url[128];
    struct render_result *kept;

    setting_init(&s);
    write_base(&s, "far");
    snprintf(url, sizeof(url), "file://%s/base", s.f.dir);
    name_base(&s, url, "main");
    s.last.allowed = url;
    assert_desired(desire(&s, "main", "k"), 2);
    kept = render_result_ref(s.last.result);

    /* nothing at all has happened */
    assert_desired(desire(&s, "main", "k"), 2);
    assert_ptr_equal(s.last.result, kept);

    /* the base has another commit, elsewhere in it: the same objects */
    fixture_run(&s.f, "cd ../base && echo x >other && git add -A && " AS "commit -q -m other");
    assert_desired(desire(&s, "main", "k"), 2);
    assert_ptr_equal(s.last.result->objects, kept->objects);

    /* so has the application's own repository, and it is told as that commit's */
    fixture_write(&s.f, "other", "x");
    fixture_commit(&s.f);
    assert_desired(desire(&s, "main", "k"), 2);
    assert_true(s.last.carried_over);
    assert_string_equal(s.last.commit, s.f.commit);
    assert_ptr_equal(s.last.result->objects, kept->objects);

    /* a hard refresh renders */
    struct source_request request = request_of(&s, "main", "k");
    request.no_cache = true;
    render_result_unref(s.last.result);
    s.last = (struct answer){.allowed = url};
    source_desire(s.repo, &request, on_desired, &s.last);
    assert_true(loop_run_until(s.loop, &s.last.done, 60000));
    assert_desired(&s.last, 2);
    assert_ptr_not_equal(s.last.result->objects, kept->objects);
    render_result_unref(kept);
    setting_done(&s);
}

TEST(a_base_at_a_full_commit_is_never_fetched_again)
{
    struct setting s;
    char url[128];
    char path[96];
    char commit[64];

    setting_init(&s);
    write_base(&s, "far");
    fixture_run(&s.f, "git -C ../base rev-parse HEAD >../base-commit");
    snprintf(path, sizeof(path), "%s/base-commit", s.f.dir);
    read_text(path, commit, sizeof(commit));
    commit[40] = '\0';
    snprintf(url, sizeof(url), "file://%s/base", s.f.dir);
    name_base(&s, url, commit);
    s.last.allowed = url;
    assert_desired(desire(&s, "main", "k"), 2);

    fixture_run(&s.f, "rm -rf ../base");
    assert_desired(desire(&s, "main", "k"), 2);
    close_source(&s);
    open_source(&s);
    assert_desired(desire(&s, "main", "k"), 2); /* nor after a restart */
    fixture_write(&s.f, "k/near.yaml", CONFIG_MAP("nearer"));
    fixture_commit(&s.f);
    assert_desired(desire(&s, "main", "k"), 2); /* nor for a render */
    assert_str(first_name(&s), S("far"));
    setting_done(&s);
}

TEST(a_push_to_a_base_is_told_to_who_subscribed_to_the_repository)
{
    struct setting s;
    char url[128];

    setting_init(&s);
    write_base(&s, "far");
    snprintf(url, sizeof(url), "file://%s/base", s.f.dir);
    name_base(&s, url, "main");
    s.last.allowed = url;
    assert_desired(desire(&s, "main", "k"), 2);
    source_repo_subscribe(s.repo, on_change, &s);
    s.last.done = false;
    write_base(&s, "farther");
    assert_true(loop_run_until(s.loop, &s.last.done, 30000));
    assert_int_equal(s.changes, 1);
    source_repo_unsubscribe(s.repo, &s);
    setting_done(&s);
}

TEST(two_repositories_that_build_on_each_other_go_together)
{
    struct setting s;
    char url[128];
    struct err err;

    setting_init(&s);
    snprintf(url, sizeof(url), "file://%s/work", s.f.dir);
    write_base(&s, "far");
    fixture_run(&s.f,
                "cd ../base && mkdir k && printf 'resources: [\"%s//k2?ref=main\"]\\n' "
                ">k/kustomization.yaml && git add -A && " AS "commit -q -m k",
                url);
    fixture_write(&s.f, "k2/kustomization.yaml", "resources: [near.yaml]\n");
    fixture_write(&s.f, "k2/near.yaml", CONFIG_MAP("near"));
    char base[128];
    snprintf(base, sizeof(base), "file://%s/base", s.f.dir);
    name_base(&s, base, "main");
    s.last.allowed = base;
    assert_desired(desire(&s, "main", "k"), 2);

    struct source_repo *own = s.repo;
    s.repo = source_repo_get(s.source, str_from(base), NULL, &err);
    assert_non_null(s.repo);
    s.last.allowed = url;
    assert_desired(desire(&s, "main", "k"), 1);
    source_repo_unref(own);
    s.last.allowed = url;
    assert_desired(desire(&s, "main", "k"), 1);
    setting_done(&s); /* the leak checker looks */
}

static void name_file(struct setting *s, const char *url)
{
    char text[512];

    snprintf(text, sizeof(text), "resources:\n- %s\n- near.yaml\n", url);
    fixture_write(&s->f, "k/kustomization.yaml", text);
    fixture_write(&s->f, "k/near.yaml", CONFIG_MAP("near"));
    fixture_commit(&s->f);
}

static struct answer *desire_young(struct setting *s)
{
    struct source_request request = request_of(s, "main", "k");

    request.max_age_ms = 600000;
    render_result_unref(s->last.result);
    s->last = (struct answer){.allowed = s->last.allowed};
    source_desire(s->repo, &request, on_desired, &s->last);
    assert_true(loop_run_until(s->loop, &s->last.done, 60000));
    return &s->last;
}

TEST(a_remote_file_is_fetched_once_and_again_when_asked)
{
    struct setting s;
    struct web web;
    char url[128];

    setting_init(&s);
    web_start(&web, &s);
    fixture_write(&s.f, "../root/files/x.yaml", CONFIG_MAP("far"));
    snprintf(url, sizeof(url), "http://127.0.0.1:%s/files/x.yaml", web.port);
    name_file(&s, url);
    close_source(&s);
    s.interval_ms = 600000;
    open_source(&s);

    assert_message(desire(&s, "main", "k"), "the project does not allow the repository");
    s.last.allowed = url;
    assert_desired(desire_young(&s), 2);
    assert_str(first_name(&s), S("far"));
    fixture_write(&s.f, "k/near.yaml", CONFIG_MAP("nearer"));
    fixture_commit(&s.f);
    assert_desired(desire_young(&s), 2);
    assert_int_equal(asked(&web, &s, "/files/x.yaml"), 1);

    fixture_write(&s.f, "../root/files/x.yaml", CONFIG_MAP("farther"));
    assert_desired(desire(&s, "main", "k"), 2);
    assert_str(first_name(&s), S("farther"));
    fixture_run(&s.f, "rm ../root/files/x.yaml");
    assert_message(desire(&s, "main", "k"), "has no file 'http://127.0.0.1");
    web_stop(&web);
    setting_done(&s);
}

TEST(a_shorter_interval_counts_at_once)
{
    struct setting s;
    struct web web;
    char url[128];
    struct err err;

    setting_init(&s);
    web_start(&web, &s);
    close_source(&s);
    s.interval_ms = 3600000;
    open_source(&s);
    snprintf(url, sizeof(url), "http://127.0.0.1:%s/x.git", web.port);
    source_repo_unref(s.repo);
    s.repo = source_repo_get(s.source, str_from(url), NULL, &err);
    assert_non_null(s.repo);
    assert_desired(desire(&s, "main", "a"), 1);
    source_repo_subscribe(s.repo, on_change, &s);
    fixture_write(&s.f, "a/x.yaml", CONFIG_MAP("other"));
    fixture_commit(&s.f);
    fixture_run(&s.f, "git push -q ../root/x.git main");
    s.last.done = false;
    assert_false(loop_run_until(s.loop, &s.last.done, 300));
    source_set_interval(s.source, 100);
    assert_true(loop_run_until(s.loop, &s.last.done, 60000));
    source_repo_unsubscribe(s.repo, &s);
    web_stop(&web);
    setting_done(&s);
}

TEST(a_remote_file_that_is_too_large_or_leads_to_another_scheme_is_refused)
{
    static const struct {
        const char *path;
        const char *message;
    } cases[] = {
            {"files/big.yaml", "has more than 16 MiB, the limit of one file"},
            {"tls/files/x.yaml", "redirects from http to https"},
            {"loop/files/x.yaml", "redirects more than"},
            {"files/none.yaml", "the remote file http://127.0.0.1"},
    };
    struct setting s;
    struct web web;
    char url[128];

    setting_init(&s);
    web_start(&web, &s);
    fixture_run(&s.f, "head -c 17000000 /dev/zero >../root/files/big.yaml");
    for (size_t i = 0; i < COUNT(cases); i++) {
        snprintf(url, sizeof(url), "http://127.0.0.1:%s/%s", web.port, cases[i].path);
        name_file(&s, url);
        s.last.allowed = url;
        assert_message(desire(&s, "main", "k"), cases[i].message);
    }
    snprintf(url, sizeof(url), "http://169.254.169.254/x.yaml");
    name_file(&s, url);
    s.last.allowed = url;
    assert_message(desire(&s, "main", "k"), "a link-local or metadata address");
    web_stop(&web);
    setting_done(&s);
}

TEST(the_credential_goes_to_files_of_the_same_host_only)
{
    struct setting s;
    struct web web;
    char own[128];
    char url[128];
    struct err err;
    struct secret *password = secret_new(S("s3cret-word"));
    struct source_credential credential = {.username = S("me"), .password = password};

    setting_init(&s);
    web_start(&web, &s);
    fixture_write(&s.f, "../root/files/x.yaml", CONFIG_MAP("far"));
    snprintf(own, sizeof(own), "http://127.0.0.1:%s/private/x.git", web.port);
    source_repo_unref(s.repo);
    s.repo = source_repo_get(s.source, str_from(own), &credential, &err);
    assert_non_null(s.repo);

    snprintf(url, sizeof(url), "http://127.0.0.1:%s/private/files/x.yaml", web.port);
    name_file(&s, url);
    fixture_run(&s.f, "git push -q ../root/x.git main");
    s.last.allowed = url;
    assert_desired(desire(&s, "main", "k"), 2);

    /* a redirect, or a name, of another host: without it */
    snprintf(url, sizeof(url), "http://127.0.0.1:%s/away/files/x.yaml", web.port);
    name_file(&s, url);
    fixture_run(&s.f, "git push -q ../root/x.git main");
    s.last.allowed = url;
    assert_desired(desire(&s, "main", "k"), 2);
    snprintf(url, sizeof(url), "http://localhost:%s/private/files/x.yaml", web.port);
    name_file(&s, url);
    fixture_run(&s.f, "git push -q ../root/x.git main");
    s.last.allowed = url;
    assert_message(desire(&s, "main", "k"), "localhost asks for a credential");
    fixture_run(&s.f,
                "python3 -c 'import urllib.request as u; print(u.urlopen(\"http://127.0.0.1:%s/"
                "seen\").read().decode())' >../seen && ! grep localhost ../seen && "
                "grep -q 127.0.0.1 ../seen",
                web.port);
    secret_free(password);
    web_stop(&web);
    setting_done(&s);
}

int main(int argc, char **argv)
{
    const char *role = getenv("TAUT_ROLE");
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_remote_base_is_fetched_where_the_project_allows_it),
            cmocka_unit_test(a_base_that_changes_nothing_that_was_read_costs_no_render),
            cmocka_unit_test(a_base_at_a_full_commit_is_never_fetched_again),
            cmocka_unit_test(a_push_to_a_base_is_told_to_who_subscribed_to_the_repository),
            cmocka_unit_test(two_repositories_that_build_on_each_other_go_together),
            cmocka_unit_test(a_remote_file_is_fetched_once_and_again_when_asked),
            cmocka_unit_test(a_shorter_interval_counts_at_once),
            cmocka_unit_test(a_remote_file_that_is_too_large_or_leads_to_another_scheme_is_refused),
            cmocka_unit_test(the_credential_goes_to_files_of_the_same_host_only),
    };

    if (role != NULL && str_eq(str_from(role), S("fetch")))
        return transport_fetch_main(argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
