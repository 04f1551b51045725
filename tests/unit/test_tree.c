/* SPDX-License-Identifier: Apache-2.0 */
/* Both back ends of struct tree are held to the same behaviour. */
#include "base/buf.h"
#include "git/git_tree.h"
#include "git_fixture.h"
#include "render/dir_tree.h"

struct both {
    struct fixture f;
    struct tree *trees[2];
};

static void both_open(struct both *b)
{
    struct err err;
    char cache[128];

    fixture_commit(&b->f);
    snprintf(cache, sizeof(cache), "%s/.git", b->f.work);
    assert_ok(git_tree_open(cache, str_from(b->f.commit), &b->trees[0], &err), err);
    assert_ok(dir_tree_open(b->f.work, &b->trees[1], &err), err);
}

static void both_done(struct both *b)
{
    tree_free(b->trees[0]);
    tree_free(b->trees[1]);
    fixture_done(&b->f);
}

TEST(a_path_is_normalised)
{
    auto_arena struct arena *arena = arena_new(LIMIT_MIB);
    struct err err;
    str path;

    assert_ok(tree_path_join(arena, S("a/b"), S("../c//./d/"), &path, &err), err);
    assert_str(path, S("a/c/d"));
    assert_ok(tree_path_join(arena, S(""), S("."), &path, &err), err);
    assert_str(path, S(""));
    assert_ok(tree_path_join(arena, S("a"), S(".."), &path, &err), err);
    assert_str(path, S(""));
    assert_str(tree_path_dir(S("a/b/c")), S("a/b"));
    assert_str(tree_path_base(S("a/b/c")), S("c"));
}

TEST(a_path_that_leaves_the_tree_is_refused)
{
    auto_arena struct arena *arena = arena_new(LIMIT_MIB);
    struct err err;
    str path;

    assert_fails(tree_path_join(arena, S("a"), S("../../b"), &path, &err), err, ERR_FORBIDDEN);
    assert_fails(tree_path_join(arena, S("a"), S("/etc/passwd"), &path, &err), err, ERR_FORBIDDEN);
    assert_fails(tree_path_join(arena, S("a"), str_of("b\0c", 3), &path, &err), err, ERR_INVALID);
}

TEST(files_and_directories_are_read)
{
    struct both b;
    struct err err;

    fixture_init(&b.f);
    fixture_write(&b.f, "z.yaml", "zed");
    fixture_write(&b.f, "a/b/c.yaml", "sea");
    fixture_write(&b.f, "a.b/x", "");
    both_open(&b);
    for (int i = 0; i < 2; i++) {
        const struct tree_entry *entries;
        size_t count;
        str bytes;

        assert_ok(tree_read(b.trees[i], S("a/b/c.yaml"), &bytes, &err), err);
        assert_str(bytes, S("sea"));
        assert_ok(tree_read(b.trees[i], S("./a//b/../b/c.yaml"), &bytes, &err), err);
        assert_ok(tree_list(b.trees[i], S(""), &entries, &count, &err), err);
        assert_int_equal(count, 3);
        assert_str(entries[0].name, S("a"));
        assert_str(entries[1].name, S("a.b"));
        assert_str(entries[2].name, S("z.yaml"));
        assert_int_equal(entries[2].kind, TREE_FILE);
        assert_int_equal(tree_kind(b.trees[i], S("a/b"), NULL), TREE_DIR);
        assert_int_equal(tree_kind(b.trees[i], S("a/x"), NULL), TREE_MISSING);
        assert_int_equal(tree_kind(b.trees[i], S("z.yaml/x"), NULL), TREE_MISSING);
        assert_fails(tree_read(b.trees[i], S("nope/x"), &bytes, &err), err, ERR_NOT_FOUND);
        assert_fails(tree_read(b.trees[i], S("a"), &bytes, &err), err, ERR_INVALID);
        assert_fails(tree_list(b.trees[i], S("z.yaml"), &entries, &count, &err), err, ERR_INVALID);
        assert_fails(tree_read(b.trees[i], S("../x"), &bytes, &err), err, ERR_FORBIDDEN);
        assert_fails(tree_read(b.trees[i], S("/etc/hostname"), &bytes, &err), err, ERR_FORBIDDEN);
    }
    both_done(&b);
}

TEST(links_are_followed_inside_the_tree_only)
{
    struct both b;
    struct err err;
    str bytes;
    str real;

    fixture_init(&b.f);
    fixture_write(&b.f, "real/deep/f.yaml", "ok");
    fixture_run(&b.f, "ln -s real/deep short && ln -s ../short/f.yaml real/up && "
                      "ln -s /etc/hostname abs && ln -s ../../etc/hostname out && "
                      "ln -s gone dangling && ln -s b a && ln -s a b && ln -s . self && "
                      "ln -s real/../../etc sly");
    both_open(&b);
    for (int i = 0; i < 2; i++) {
        struct tree *t = b.trees[i];

        assert_ok(tree_read(t, S("short/f.yaml"), &bytes, &err), err);
        assert_int_equal(tree_kind(t, S("real/up"), &real), TREE_FILE);
        assert_str(real, S("real/deep/f.yaml"));
        assert_int_equal(tree_kind(t, S("self/self/short"), &real), TREE_DIR);
        assert_str(real, S("real/deep"));
        /* ".." after a link is the parent of what the link names */
        assert_int_equal(tree_kind(t, S("short/../up"), &real), TREE_FILE);
        assert_fails(tree_read(t, S("abs"), &bytes, &err), err, ERR_FORBIDDEN);
        assert_fails(tree_read(t, S("out"), &bytes, &err), err, ERR_FORBIDDEN);
        assert_fails(tree_read(t, S("sly/hostname"), &bytes, &err), err, ERR_FORBIDDEN);
        assert_true(str_contains(err_message(&err), S("'sly'")));
        assert_fails(tree_read(t, S("dangling"), &bytes, &err), err, ERR_NOT_FOUND);
        assert_fails(tree_read(t, S("a"), &bytes, &err), err, ERR_INVALID);
        assert_int_equal(tree_kind(t, S("abs"), NULL), TREE_LINK);
        assert_int_equal(tree_kind(t, S("dangling"), NULL), TREE_LINK);
        assert_int_equal(tree_kind(t, S("a"), NULL), TREE_LINK);
    }
    both_done(&b);
}

TEST(a_swapped_component_cannot_leave_the_directory)
{
    struct fixture f;
    struct err err;
    struct tree *t;
    str bytes;

    fixture_init(&f);
    fixture_run(&f, "ln -s /etc d && mkfifo pipe");
    assert_ok(dir_tree_open(f.work, &t, &err), err);
    /* straight to the back end, as after a race between kind and read */
    assert_fails(t->ops->read(t, S("d/hostname"), &bytes, &err), err, ERR_IO);
    assert_fails(t->ops->read(t, S("d"), &bytes, &err), err, ERR_IO);
    assert_int_equal(tree_kind(t, S("pipe"), NULL), TREE_MISSING);
    assert_int_equal(tree_kind(t, S(".git/config"), NULL), TREE_MISSING);
    tree_free(t);
    fixture_done(&f);
}

static void add_read(void *owner, str path, enum tree_read_how how, str identity)
{
    (void)how;
    buf_addf(owner, "%.*s=%.*s;", STR(path), STR(str_first(identity, 7)));
}

TEST(everything_looked_at_is_in_the_read_set_also_what_is_missing)
{
    struct both b;
    struct err err;

    fixture_init(&b.f);
    fixture_write(&b.f, "app/f.yaml", "x\n");
    fixture_run(&b.f, "ln -s app link");
    both_open(&b);
    for (int i = 0; i < 2; i++) {
        const struct tree_entry *entries;
        size_t count;
        auto_buf struct buf out;
        str bytes;

        buf_init(&out, LIMIT_MIB);
        assert_int_equal(tree_kind(b.trees[i], S("app/none/deep"), NULL), TREE_MISSING);
        assert_ok(tree_read(b.trees[i], S("link/f.yaml"), &bytes, &err), err);
        assert_int_equal(tree_kind(b.trees[i], S("app"), NULL), TREE_DIR);
        tree_reads_each(b.trees[i], add_read, &out);
        assert_str(buf_str(&out), S("app/none=missing;link=7a0b7f0;app/f.yaml=587be6b;app=dir;"));

        buf_reset(&out);
        assert_ok(tree_list(b.trees[i], S("app"), &entries, &count, &err), err);
        tree_reads_each(b.trees[i], add_read, &out);
        assert_true(str_ends(buf_str(&out), S("app=list;")));
    }
    both_done(&b);
}

TEST(a_large_file_is_refused_before_it_is_read)
{
    struct both b;
    struct err err;
    str bytes;

    fixture_init(&b.f);
    fixture_run(&b.f, "truncate -s 17M big.yaml");
    both_open(&b);
    for (int i = 0; i < 2; i++) {
        assert_fails(tree_read(b.trees[i], S("big.yaml"), &bytes, &err), err, ERR_LIMIT);
        assert_true(str_contains(err_message(&err), S("'big.yaml' has more than 16 MiB")));
        assert_true(arena_used(b.trees[i]->arena) < LIMIT_MIB);
    }
    both_done(&b);
}

TEST(a_submodule_is_named_and_not_entered)
{
    struct fixture f;
    struct err err;
    struct tree *t;
    char cache[128];
    str bytes;

    fixture_init(&f);
    fixture_run(&f, "git commit -q --allow-empty -m one && git update-index --add --cacheinfo "
                    "160000,$(git rev-parse HEAD),sub && git commit -q -m sub");
    fixture_commit(&f);
    snprintf(cache, sizeof(cache), "%s/.git", f.work);
    /* the work tree holds no directory for it, so the last commit removed it */
    fixture_run(&f, "git update-index --add --cacheinfo 160000,$(git rev-parse HEAD),sub && "
                    "git commit -q -m sub && git rev-parse HEAD");
    char log[96];
    snprintf(log, sizeof(log), "%s/log", f.dir);
    FILE *file = fopen(log, "r");
    assert_int_equal(fread(f.commit, 1, 40, file), 40);
    fclose(file);

    assert_ok(git_tree_open(cache, str_from(f.commit), &t, &err), err);
    assert_int_equal(tree_kind(t, S("sub"), NULL), TREE_SUBMODULE);
    assert_fails(tree_read(t, S("sub/x"), &bytes, &err), err, ERR_UNSUPPORTED);
    tree_free(t);
    fixture_done(&f);
}

static void add_change(void *owner, str path, enum git_change change)
{
    buf_addf(owner, "%s%.*s;", change == GIT_CHANGE_ENTRY ? "!" : "", STR(path));
}

TEST(two_commits_are_compared_by_path)
{
    struct fixture f;
    struct err err;
    char cache[128];
    char old[41];
    auto_buf struct buf out;

    fixture_init(&f);
    fixture_write(&f, "a/same", "1");
    fixture_write(&f, "a/other", "1");
    fixture_write(&f, "gone/x/y", "1");
    fixture_write(&f, "kind", "1");
    fixture_commit(&f);
    memcpy(old, f.commit, sizeof(old));
    fixture_run(&f, "rm -r gone kind");
    fixture_write(&f, "a/other", "2");
    fixture_write(&f, "a/new/deep", "2");
    fixture_run(&f, "ln -s a kind");
    fixture_commit(&f);

    buf_init(&out, LIMIT_MIB);
    snprintf(cache, sizeof(cache), "%s/.git", f.work);
    assert_ok(git_tree_changes(cache, str_from(old), str_from(f.commit), add_change, &out, &err),
              err);
    assert_str(buf_str(&out), S("a/other;!a/new;!gone;!kind;"));
    assert_fails(git_tree_changes(cache, S("0000000000000000000000000000000000000000"),
                                  str_from(f.commit), add_change, &out, &err),
                 err, ERR_IO);
    fixture_done(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_path_is_normalised),
            cmocka_unit_test(a_path_that_leaves_the_tree_is_refused),
            cmocka_unit_test(files_and_directories_are_read),
            cmocka_unit_test(links_are_followed_inside_the_tree_only),
            cmocka_unit_test(a_swapped_component_cannot_leave_the_directory),
            cmocka_unit_test(everything_looked_at_is_in_the_read_set_also_what_is_missing),
            cmocka_unit_test(a_large_file_is_refused_before_it_is_read),
            cmocka_unit_test(a_submodule_is_named_and_not_entered),
            cmocka_unit_test(two_commits_are_compared_by_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
