/* SPDX-License-Identifier: Apache-2.0 */
/* The whole way through the render process: request, fork, confinement, answer. */
#include "base/clock.h"
#include "doc/json.h"
#include "git_fixture.h"
#include "io/loop.h"
#include "render/render.h"

#include <signal.h>

struct answer {
    bool done;
    struct render_result *result;
    struct err err;
};

static void on_done(void *owner, struct render_result *result, const struct err *err)
{
    struct answer *a = owner;

    a->done = true;
    if (result != NULL)
        a->result = render_result_ref(result);
    else
        a->err = *err;
}

struct setting {
    struct fixture f;
    struct loop *loop;
    struct render_pool *pool;
    struct arena *arena;
    struct answer last;
};

static void setting_init(struct setting *s)
{
    struct err err;

    memset(s, 0, sizeof(*s));
    fixture_init(&s->f);
    s->loop = loop_new();
    s->arena = arena_new(LIMIT_MIB);
    s->pool = render_pool_new(s->loop, NULL, &err);
    if (s->pool == NULL)
        fail_msg("%s", err.message);
}

static void setting_done(struct setting *s)
{
    render_result_unref(s->last.result);
    render_pool_free(s->pool);
    loop_free(s->loop);
    arena_free(s->arena);
    fixture_done(&s->f);
}

static struct render_request request_of(struct setting *s, const char *path, const char *source)
{
    struct render_source *own = arena_new0(s->arena, struct render_source);
    struct val *settings = NULL;
    struct err err;

    own->cache = arena_printf(s->arena, "%s/.git", s->f.work);
    own->commit = arena_str(s->arena, str_from(s->f.commit));
    if (source != NULL)
        assert_ok(json_parse(s->arena, str_from(source), NULL, &settings, &err), err);
    return (struct render_request){.sources = own,
                                   .source_count = 1,
                                   .path = str_from(path),
                                   .source = settings,
                                   .application = S("shop"),
                                   .namespace_ = S("default"),
                                   .kube_version = S("1.34.0")};
}

/* Renders the last commit; the answer is in s->last. */
static struct answer *render(struct setting *s, const char *path, const char *source)
{
    struct render_request request = request_of(s, path, source);

    render_result_unref(s->last.result);
    s->last = (struct answer){0};
    render_start(s->pool, &request, on_done, &s->last);
    assert_true(loop_run_until(s->loop, &s->last.done, 20000));
    return &s->last;
}

#define assert_rendered(got, count)                                                                \
    do {                                                                                           \
        struct answer *a_ = (got);                                                                 \
        if (a_->result == NULL)                                                                    \
            fail_msg("%s", a_->err.message);                                                       \
        assert_int_equal(a_->result->object_count, (count));                                       \
    } while (0)
#define assert_refused(got, wanted, part)                                                          \
    do {                                                                                           \
        struct answer *a_ = (got);                                                                 \
        assert_null(a_->result);                                                                   \
        if (!str_contains(err_message(&a_->err), S(part)))                                         \
            fail_msg("the message is: %s", a_->err.message);                                       \
        assert_int_equal(a_->err.code, (wanted));                                                  \
    } while (0)

#define CONFIG_MAP(name) "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: " name "\n"

TEST(a_directory_is_rendered_in_order_with_file_and_line)
{
    struct setting s;

    setting_init(&s);
    fixture_write(&s.f, "app/b.yaml", "---\n" CONFIG_MAP("two") "---\n" CONFIG_MAP("three"));
    fixture_write(&s.f, "app/a.json",
                  "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"one\"},"
                  "\"data\":{\"n\":1.50}}");
    fixture_write(&s.f, "app/deep/c.yaml", CONFIG_MAP("deep"));
    fixture_write(&s.f, "app/note.txt", "not looked at");
    fixture_commit(&s.f);

    struct answer *a = render(&s, "app", NULL);
    assert_rendered(a, 3);
    struct render_result *r = a->result;
    assert_str(VAL_STR(r->objects[0].object, "metadata", "name"), S("one"));
    assert_str(val_text(VAL_AT(r->objects[0].object, "data", "n")), S("1.50"));
    assert_str(VAL_STR(r->objects[1].object, "metadata", "name"), S("two"));
    assert_str(r->objects[2].file, S("app/b.yaml"));
    assert_int_equal(r->objects[2].line, 7);
    assert_int_equal(r->tool, RENDER_DIRECTORY);
    assert_str(r->commit, str_from(s.f.commit));
    assert_int_equal(r->digest.len, 64);

    a = render(&s, "./app/", "{\"directory\":{\"recurse\":true,\"exclude\":\"{b,x}.yaml\"}}");
    assert_rendered(a, 2);
    assert_str(a->result->objects[1].file, S("app/deep/c.yaml"));
    a = render(&s, "", "{\"directory\":{\"recurse\":true,\"include\":\"*c.yaml\"}}");
    assert_rendered(a, 1);
    setting_done(&s);
}

TEST(lists_are_opened_and_what_is_no_manifest_is_left_out)
{
    struct setting s;

    setting_init(&s);
    fixture_write(
            &s.f, "list.yaml",
            "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Secret\n  "
            "metadata: {name: s}\n- apiVersion: v1\n  kind: Service\n  metadata: {name: t}\n");
    fixture_write(&s.f, "values.yaml", "replicas: 3\n");
    fixture_write(&s.f, "broken.yaml", "a: [\n");
    fixture_write(&s.f, "skipped.yaml", "# +argocd:skip-file-rendering\n" CONFIG_MAP("no"));
    fixture_commit(&s.f);

    struct answer *a = render(&s, ".", NULL);
    assert_rendered(a, 2);
    assert_int_equal(a->result->objects[1].line, 7);
    assert_int_equal(a->result->warning_count, 2);
    setting_done(&s);
}

TEST(a_mistake_is_told_with_file_and_line)
{
    struct setting s;

    setting_init(&s);
    fixture_write(&s.f, "bad/x.yaml", CONFIG_MAP("a") "data: {a: b\n");
    fixture_write(&s.f, "nameless/x.yaml",
                  CONFIG_MAP("a") "---\napiVersion: v1\nkind: Secret\nmetadata: {}\n");
    fixture_write(&s.f, "yes/x.yaml", CONFIG_MAP("y"));
    fixture_write(&s.f, "json/x.json", "{\"kind\":\n\"A\",}");
    fixture_commit(&s.f);

    assert_refused(render(&s, "bad", NULL), ERR_INVALID, "bad/x.yaml:");
    assert_refused(render(&s, "nameless", NULL), ERR_INVALID,
                   "nameless/x.yaml:6: a Secret without metadata.name");
    assert_refused(render(&s, "json", NULL), ERR_INVALID, "json/x.json:2:");
    assert_refused(render(&s, "yes", NULL), ERR_INVALID,
                   "yes/x.yaml:1: metadata.name of a ConfigMap is a bool: put it in quotes");
    assert_refused(render(&s, "nowhere", NULL), ERR_NOT_FOUND, "'nowhere' does not exist");
    assert_refused(render(&s, "bad/x.yaml", NULL), ERR_INVALID, "is a file");
    setting_done(&s);
}

TEST(what_is_not_built_is_refused_by_name)
{
    struct setting s;

    setting_init(&s);
    fixture_write(&s.f, "helm/Chart.yaml", "name: x\n");
    fixture_write(&s.f, "jsonnet/x.jsonnet", "{}");
    fixture_write(&s.f, "plain/x.yaml", CONFIG_MAP("x"));
    fixture_write(&s.f, "over/x.yaml", CONFIG_MAP("x"));
    fixture_write(&s.f, "over/.argocd-source-shop.yaml", "kustomize: {}\n");
    fixture_commit(&s.f);

    assert_refused(render(&s, "helm", NULL), ERR_UNSUPPORTED, "not supported yet: Helm");
    assert_refused(render(&s, "jsonnet", NULL), ERR_UNSUPPORTED, "'jsonnet/x.jsonnet'");
    assert_refused(render(&s, "over", NULL), ERR_UNSUPPORTED, "'over/.argocd-source-shop.yaml'");
    assert_refused(render(&s, "plain", "{\"plugin\":{\"name\":\"x\"}}"), ERR_UNSUPPORTED,
                   "source.plugin");
    assert_refused(render(&s, "plain",
                          "{\"helm\":{\"releaseName\":\"x\"},\"directory\":{"
                          "\"recurse\":true}}"),
                   ERR_INVALID, "both set");
    assert_rendered(render(&s, "plain", "{\"helm\":{\"parameters\":[]},\"kustomize\":{}}"), 1);
    setting_done(&s);
}

TEST(a_poisoned_repository_is_a_clear_error_and_others_go_on)
{
    struct setting s;

    setting_init(&s);
    fixture_write(&s.f, "good/x.yaml", CONFIG_MAP("x"));
    fixture_write(&s.f, "bomb/x.yaml",
                  "a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\n"
                  "c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\n"
                  "e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e,*e]\n"
                  "g: &g [*f,*f,*f,*f,*f,*f,*f,*f,*f,*f]\nh: [*g,*g,*g,*g,*g,*g,*g,*g,*g,*g]\n");
    fixture_run(&s.f, "mkdir big out many deep && truncate -s 50M big/x.yaml && "
                      "ln -s ../../../etc/passwd out/x.yaml && "
                      "for i in $(seq 21000); do : >many/f$i; done");
    fixture_run(&s.f, "python3 -c \"print('{\\\"a\\\":' * 100000)\" >deep/x.json");
    fixture_commit(&s.f);

    assert_refused(render(&s, "bomb", NULL), ERR_LIMIT, "bomb/x.yaml");
    assert_refused(render(&s, "big", NULL), ERR_LIMIT, "'big/x.yaml' has more than 16 MiB");
    assert_refused(render(&s, "out", NULL), ERR_FORBIDDEN, "'out/x.yaml' points outside");
    assert_refused(render(&s, "many", NULL), ERR_LIMIT, "has more than 20000 files");
    assert_refused(render(&s, "../etc", NULL), ERR_FORBIDDEN, "leaves the repository");
    assert_refused(render(&s, "/etc", NULL), ERR_FORBIDDEN, "absolute path");
    assert_refused(render(&s, "deep", NULL), ERR_LIMIT, "deep/x.json");
    assert_rendered(render(&s, "good", NULL), 1);
    setting_done(&s);
}

struct change_answer {
    bool done;
    bool holds;
    struct render_result *before;
};

static void on_changes(void *owner, const struct render_changes *changes, const struct err *err)
{
    struct change_answer *a = owner;

    a->done = true;
    if (changes == NULL)
        fail_msg("%s", err->message);
    a->holds = render_reads_hold(a->before, 0, changes);
}

static bool holds_after(struct setting *s, struct render_result *before, const char *change)
{
    struct change_answer a = {.before = before};
    char cache[128];
    char old[41];

    memcpy(old, s->f.commit, sizeof(old));
    fixture_run(&s->f, "%s", change);
    fixture_commit(&s->f);
    snprintf(cache, sizeof(cache), "%s/.git", s->f.work);
    render_changes_start(s->pool, str_from(cache), str_from(old), str_from(s->f.commit), on_changes,
                         &a);
    assert_true(loop_run_until(s->loop, &a.done, 20000));
    fixture_run(&s->f, "git reset -q --hard %s", old);
    memcpy(s->f.commit, old, sizeof(old));
    return a.holds;
}

TEST(a_commit_that_changes_nothing_that_was_read_needs_no_render)
{
    struct setting s;

    setting_init(&s);
    fixture_write(&s.f, "apps/a/x.yaml", CONFIG_MAP("x"));
    fixture_write(&s.f, "apps/a/sub/y.yaml", CONFIG_MAP("why"));
    fixture_write(&s.f, "apps/b/x.yaml", CONFIG_MAP("x"));
    fixture_run(&s.f, "ln -s ../b/x.yaml apps/a/link.yaml");
    fixture_commit(&s.f);
    struct answer *a = render(&s, "apps/a", NULL);
    assert_rendered(a, 2);
    struct render_result *r = a->result;

    assert_true(holds_after(&s, r, "echo hi >README && echo >apps/b/y.yaml"));
    assert_true(holds_after(&s, r, "echo '#' >>apps/a/sub/y.yaml"));
    assert_false(holds_after(&s, r, "echo '#' >>apps/a/x.yaml"));
    assert_false(holds_after(&s, r, "echo '#' >>apps/b/x.yaml")); /* through the link */
    assert_false(holds_after(&s, r, "echo '#' >apps/a/new.yaml"));
    assert_false(holds_after(&s, r, "rm apps/a/x.yaml"));
    assert_false(holds_after(&s, r, "git rm -rq apps"));
    assert_false(holds_after(&s, r, "echo 'resources: []' >apps/a/kustomization.yaml"));
    setting_done(&s);
}

TEST(a_cancelled_render_is_silent_and_the_pool_goes_on)
{
    struct setting s;
    struct answer silent = {0};

    setting_init(&s);
    fixture_write(&s.f, "x.yaml", CONFIG_MAP("x"));
    fixture_commit(&s.f);
    struct render_request request = request_of(&s, "", NULL);
    for (int i = 0; i < 8; i++) {
        struct render_job *job = render_start(s.pool, &request, on_done, &silent);
        if (i % 2 == 0)
            loop_run_until(s.loop, &silent.done, i);
        if (!silent.done)
            render_cancel(job);
        render_result_unref(silent.result);
        silent = (struct answer){0};
    }
    assert_rendered(render(&s, "", NULL), 1);
    setting_done(&s);
}

/* The only child of this process, or of that one; 0 = none. */
static pid_t child_of(pid_t parent)
{
    char path[64];
    int pid = 0;

    snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)parent, (int)parent);
    FILE *file = fopen(path, "r");
    if (file != NULL) {
        if (fscanf(file, "%d", &pid) != 1)
            pid = 0;
        fclose(file);
    }
    return pid;
}

static void write_slow(struct setting *s)
{
    fixture_run(&s->f,
                "mkdir slow && i=0 && while [ $i -lt 9000 ]; do printf 'apiVersion: v1\\nkind: "
                "ConfigMap\\nmetadata: {name: x%%d}\\ndata: {a: [1,2,3]}\\n' $i >slow/$i.yaml; "
                "i=$((i+1)); done");
    fixture_commit(&s->f);
}

TEST(a_render_that_dies_or_takes_too_long_is_a_clear_error)
{
    struct setting s;
    struct answer a = {0};

    setting_init(&s);
    fixture_write(&s.f, "good/x.yaml", CONFIG_MAP("x"));
    write_slow(&s);
    struct render_request request = request_of(&s, "slow", NULL);
    render_start(s.pool, &request, on_done, &a);
    pid_t zygote = child_of(getpid());
    assert_true(zygote > 0);
    while (child_of(zygote) == 0)
        assert_false(loop_run_until(s.loop, &a.done, 1));
    kill(child_of(zygote), SIGILL); /* sanitizers keep SIGSEGV for themselves */
    assert_true(loop_run_until(s.loop, &a.done, 20000));
    assert_refused(&a, ERR_INTERNAL, "the render process crashed (signal 4)");

    a = (struct answer){0};
    request.timeout_ms = 5;
    render_start(s.pool, &request, on_done, &a);
    assert_true(loop_run_until(s.loop, &a.done, 20000));
    assert_refused(&a, ERR_TIMEOUT, "rendering took longer than 5 ms");
    assert_rendered(render(&s, "good", NULL), 1);
    setting_done(&s);
}

TEST(a_zygote_that_was_killed_is_started_anew)
{
    struct setting s;
    struct answer a = {0};

    setting_init(&s);
    fixture_write(&s.f, "good/x.yaml", CONFIG_MAP("x"));
    fixture_commit(&s.f);
    assert_rendered(render(&s, "good", NULL), 1);
    pid_t zygote = child_of(getpid());
    kill(zygote, SIGKILL);
    loop_run_until(s.loop, &a.done, 200);
    assert_rendered(render(&s, "good", NULL), 1);
    assert_int_not_equal(child_of(getpid()), zygote);
    setting_done(&s);
}

TEST(a_small_render_takes_few_milliseconds)
{
    struct setting s;

    setting_init(&s);
    fixture_write(&s.f, "x.yaml", CONFIG_MAP("x"));
    fixture_commit(&s.f);
    render(&s, "", NULL);
    int64_t began = clock_mono_us();
    for (int i = 0; i < 50; i++)
        assert_rendered(render(&s, "", NULL), 1);
    print_message("# one render: %lld us\n", (long long)(clock_mono_us() - began) / 50);
    setting_done(&s);
}

int main(int argc, char **argv)
{
    const char *role = getenv("TAUT_ROLE");

    const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_directory_is_rendered_in_order_with_file_and_line),
            cmocka_unit_test(lists_are_opened_and_what_is_no_manifest_is_left_out),
            cmocka_unit_test(a_mistake_is_told_with_file_and_line),
            cmocka_unit_test(what_is_not_built_is_refused_by_name),
            cmocka_unit_test(a_poisoned_repository_is_a_clear_error_and_others_go_on),
            cmocka_unit_test(a_commit_that_changes_nothing_that_was_read_needs_no_render),
            cmocka_unit_test(a_cancelled_render_is_silent_and_the_pool_goes_on),
            cmocka_unit_test(a_render_that_dies_or_takes_too_long_is_a_clear_error),
            cmocka_unit_test(a_zygote_that_was_killed_is_started_anew),
            cmocka_unit_test(a_small_render_takes_few_milliseconds),
    };

    if (role != NULL && str_eq(str_from(role), S("render")))
        return render_zygote_main(argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
