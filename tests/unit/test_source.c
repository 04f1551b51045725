/* SPDX-License-Identifier: Apache-2.0 */
/* From a push to the rendered set, over file repositories; this program is its own fetch role. */
#include "base/clock.h"
#include "doc/json.h"
#include "git/transport.h"
#include "source_fixture.h"

#include <dirent.h>
#include <time.h>

TEST(every_way_to_name_a_revision_leads_to_its_commit)
{
    struct setting s;
    char short_id[9];

    setting_init(&s);
    fixture_run(&s.f, "git tag -a v1 -m one && git branch feature/x && "
                      "git config uploadpack.allowFilter true");
    static const char *const names[] = {
            "", "HEAD", "main", "v1", "feature/x", "tags/v1", "refs/heads/main", "heads/feature/x"};
    for (size_t i = 0; i < COUNT(names); i++) {
        struct answer *a = desire(&s, names[i], "a");
        assert_desired(a, 1);
        assert_string_equal(a->commit, s.f.commit);
    }
    assert_desired(desire(&s, s.f.commit, "a"), 1);
    snprintf(short_id, sizeof(short_id), "%.8s", s.f.commit);
    assert_desired(desire(&s, short_id, "a"), 1);
    assert_string_equal(s.last.commit, s.f.commit);

    assert_message(desire(&s, "nope", "a"), "the repository has no branch or tag 'nope'");
    assert_message(desire(&s, "1.*", "a"), "not supported yet: the version range '1.*'");
    assert_message(desire(&s, "main", "c"), "the path 'c' does not exist");
    assert_message(desire(&s, "0123456789012345678901234567890123456789", "a"), "does not exist");
    assert_message(desire(&s, "01234567", "a"), "begins no commit id");
    setting_done(&s);
}

TEST(a_commit_is_rendered_and_one_that_changes_nothing_here_is_carried_over)
{
    struct setting s;
    char first[64];

    setting_init(&s);
    assert_desired(desire(&s, "main", "a"), 1);
    memcpy(first, s.last.commit, sizeof(first));
    assert_false(s.last.carried_over);
    assert_desired(desire(&s, "main", "b"), 1);

    fixture_write(&s.f, "b/y.yaml", CONFIG_MAP("why") "---\n" CONFIG_MAP("z"));
    fixture_commit(&s.f);
    assert_desired(desire(&s, "main", "a"), 1);
    assert_true(s.last.carried_over);
    assert_string_equal(s.last.commit, s.f.commit);
    assert_str(s.last.result->commit, str_from(s.f.commit));
    assert_string_not_equal(first, s.f.commit);
    assert_desired(desire(&s, "main", "b"), 2);
    assert_false(s.last.carried_over);
    assert_string_equal(s.last.commit, s.f.commit);
    setting_done(&s);
}

static void on_paths(void *owner, const struct render_paths *paths, str commit,
                     const struct err *err)
{
    struct setting *s = owner;

    s->last.done = true;
    if (err != NULL) {
        s->last.err = *err;
        return;
    }
    snprintf(s->last.commit, sizeof(s->last.commit), "%.*s", STR(commit));
    s->listed = arena_str(s->arena, S(""));
    for (size_t i = 0; i <= paths->count; i++) {
        const struct render_path *p = i == 0 ? &paths->self : &paths->items[i - 1];
        s->listed = arena_printf(s->arena, "%.*s%.*s=%s%s ", STR(s->listed), STR(p->name),
                                 p->has_manifests ? render_tool_name(p->tool) : "",
                                 p->has_folders ? "+" : "");
    }
}

static str paths_of(struct setting *s, const char *path)
{
    s->last = (struct answer){0};
    s->listed = STR_EMPTY;
    source_list_paths(s->repo, S("main"), str_from(path), 0, on_paths, s);
    assert_true(loop_run_until(s->loop, &s->last.done, 30000));
    return s->listed;
}

TEST(folders_are_listed_with_the_tool_that_would_render_them)
{
    struct setting s;

    setting_init(&s);
    fixture_write(&s.f, "c/base/kustomization.yaml", "resources: []\n");
    fixture_write(&s.f, "c/chart/Chart.yaml", "name: x\n");
    fixture_write(&s.f, "c/notes/readme.md", "-\n");
    fixture_commit(&s.f);
    assert_str(paths_of(&s, ""), S("=+ a=Directory b=Directory c=+ "));
    assert_string_equal(s.last.commit, s.f.commit);
    assert_str(paths_of(&s, "c"), S("c=+ base=Kustomize chart=Helm notes= "));
    assert_str(paths_of(&s, "./c/base/"), S("c/base=Kustomize "));
    assert_str(paths_of(&s, "nowhere"), S(""));
    assert_true(str_contains(err_message(&s.last.err), S("no folder 'nowhere'")));
    assert_str(paths_of(&s, "../.."), S(""));
    assert_int_equal(s.last.err.code, ERR_FORBIDDEN);
    setting_done(&s);
}

TEST(a_restart_finds_what_was_rendered)
{
    struct setting s;
    char digest[80];

    setting_init(&s);
    assert_desired(desire(&s, "main", "a"), 1);
    snprintf(digest, sizeof(digest), "%.*s", STR(s.last.result->digest));
    close_source(&s);
    open_source(&s);
    fixture_run(&s.f, "rm -rf ../data/git/*/gen-1");
    assert_desired(desire(&s, "main", "a"), 1);
    assert_str(s.last.result->digest, str_from(digest));
    assert_str(s.last.result->objects[0].file, S("a/x.yaml"));
    assert_int_equal(val_line(s.last.result->objects[0].object), 1);

    /* a damaged file is not believed */
    close_source(&s);
    fixture_run(&s.f, "for f in ../data/renders/*; do printf x | dd of=$f bs=1 seek=100 "
                      "conv=notrunc; done");
    open_source(&s);
    assert_desired(desire(&s, "main", "a"), 1);
    assert_str(s.last.result->digest, str_from(digest));
    setting_done(&s);
}

TEST(a_damaged_cache_is_fetched_anew)
{
    struct setting s;

    setting_init(&s);
    assert_desired(desire(&s, "main", "a"), 1);
    fixture_run(&s.f, "rm -f ../data/git/*/gen-1/objects/pack/*");
    assert_desired(desire(&s, "main", "b"), 1);
    setting_done(&s);
}

TEST(a_push_is_told_to_who_subscribed)
{
    struct setting s;

    setting_init(&s);
    assert_desired(desire(&s, "main", "a"), 1);
    source_repo_subscribe(s.repo, on_change, &s);
    s.last.done = false;
    assert_false(loop_run_until(s.loop, &s.last.done, 700));
    fixture_run(&s.f, "git branch unrelated");
    assert_false(loop_run_until(s.loop, &s.last.done, 700));
    fixture_commit(&s.f);
    assert_true(loop_run_until(s.loop, &s.last.done, 5000));
    assert_int_equal(s.changes, 1);

    /* and so is trouble, once, and its end */
    s.last.done = false;
    fixture_run(&s.f, "mv .git .away");
    assert_true(loop_run_until(s.loop, &s.last.done, 5000));
    s.last.done = false;
    assert_false(loop_run_until(s.loop, &s.last.done, 700));
    fixture_run(&s.f, "mv .away .git");
    assert_true(loop_run_until(s.loop, &s.last.done, 5000));
    source_repo_unsubscribe(s.repo, &s);
    setting_done(&s);
}

TEST(many_questions_share_one_listing_and_one_fetch)
{
    struct setting s;
    enum { MANY = 40 };
    static struct answer answers[MANY];
    struct source_wait *cancelled;

    setting_init(&s);
    memset(answers, 0, sizeof(answers));
    int64_t began = clock_mono_ms();
    for (int i = 0; i < MANY; i++) {
        struct source_request request = request_of(&s, "main", i % 2 ? "a" : "b");
        request.max_age_ms = 60000;
        request.application = arena_printf(s.arena, "app-%d", i);
        source_desire(s.repo, &request, on_desired, &answers[i]);
    }
    struct source_request request = request_of(&s, "main", "a");
    cancelled = source_desire(s.repo, &request, on_desired, NULL);
    source_cancel(cancelled);
    for (int i = 0; i < MANY; i++) {
        assert_true(loop_run_until(s.loop, &answers[i].done, 30000));
        assert_desired(&answers[i], 1);
        render_result_unref(answers[i].result);
    }
    print_message("# %d deployments of one repository from nothing: %lld ms\n", MANY,
                  (long long)(clock_mono_ms() - began));
    setting_done(&s);
}

TEST(a_bad_commit_does_not_hold_up_a_good_one)
{
    struct setting s;
    static struct answer bad;
    static struct answer good;

    setting_init(&s);
    struct source_request request = request_of(&s, "1234567812345678123456781234567812345678", "a");
    source_desire(s.repo, &request, on_desired, &bad);
    request = request_of(&s, s.f.commit, "a");
    source_desire(s.repo, &request, on_desired, &good);
    assert_true(loop_run_until(s.loop, &good.done, 30000));
    assert_true(loop_run_until(s.loop, &bad.done, 30000));
    assert_desired(&good, 1);
    assert_message(&bad, "does not exist");
    render_result_unref(good.result);
    setting_done(&s);
}

static size_t generations(struct setting *s)
{
    char path[160];
    size_t count = 0;

    fixture_run(&s->f, "ls -d ../data/git/*/*gen-* >../gens && wc -l <../gens >../gen-count");
    snprintf(path, sizeof(path), "%s/gen-count", s->f.dir);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%zu", &count), 1);
    fclose(file);
    return count;
}

TEST(after_many_fetches_the_cache_begins_anew)
{
    struct setting s;

    setting_init(&s);
    for (int i = 0; i < 56; i++) {
        char text[128];
        snprintf(text, sizeof(text), CONFIG_MAP("x%d"), i);
        fixture_write(&s.f, "a/x.yaml", text);
        fixture_commit(&s.f);
        assert_desired(desire(&s, "main", "a"), 1);
        assert_string_equal(s.last.commit, s.f.commit);
    }
    s.last.done = false;
    loop_run_until(s.loop, &s.last.done, 1500); /* the old one goes in slices */
    assert_int_equal(generations(&s), 1);
    fixture_run(&s.f, "grep gen-2 ../gens");
    setting_done(&s);
}

TEST(a_cache_that_was_of_no_use_for_a_month_goes)
{
    struct setting s;

    setting_init(&s);
    close_source(&s);
    fixture_run(&s.f, "mkdir -p ../data/git/old/gen-1/refs ../data/git/young && "
                      "touch -d '40 days ago' ../data/git/old");
    open_source(&s);
    s.last.done = false;
    loop_run_until(s.loop, &s.last.done, 300);
    fixture_run(&s.f, "test ! -e ../data/git/old && test -e ../data/git/young");
    setting_done(&s);
}

TEST(from_push_to_desired_takes_little_beside_git)
{
    struct setting s;
    int64_t total = 0;

    setting_init(&s);
    assert_desired(desire(&s, "main", "a"), 1);
    for (int i = 0; i < 10; i++) {
        char text[128];
        snprintf(text, sizeof(text), CONFIG_MAP("x%d"), i);
        fixture_write(&s.f, "a/x.yaml", text);
        fixture_commit(&s.f);
        int64_t began = clock_mono_us();
        assert_desired(desire(&s, "main", "a"), 1);
        total += clock_mono_us() - began;
    }
    print_message("# refresh to desired, git included: %lld us\n", (long long)total / 10);
    setting_done(&s);
}

int main(int argc, char **argv)
{
    const char *role = getenv("TAUT_ROLE");
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(every_way_to_name_a_revision_leads_to_its_commit),
            cmocka_unit_test(
                    a_commit_is_rendered_and_one_that_changes_nothing_here_is_carried_over),
            cmocka_unit_test(folders_are_listed_with_the_tool_that_would_render_them),
            cmocka_unit_test(a_restart_finds_what_was_rendered),
            cmocka_unit_test(a_damaged_cache_is_fetched_anew),
            cmocka_unit_test(a_push_is_told_to_who_subscribed),
            cmocka_unit_test(many_questions_share_one_listing_and_one_fetch),
            cmocka_unit_test(a_bad_commit_does_not_hold_up_a_good_one),
            cmocka_unit_test(after_many_fetches_the_cache_begins_anew),
            cmocka_unit_test(a_cache_that_was_of_no_use_for_a_month_goes),
            cmocka_unit_test(from_push_to_desired_takes_little_beside_git),
    };

    if (role != NULL && str_eq(str_from(role), S("fetch")))
        return transport_fetch_main(argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
