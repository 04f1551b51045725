/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A source over a repository of its own; the test program is its own fetch role. */
#include "git_fixture.h"
#include "source/source.h"

struct answer {
    bool done;
    struct render_result *result;
    char commit[64];
    bool carried_over;
    struct err err;
    const char *allowed; /* a URL, or NULL */
};

struct setting {
    struct fixture f;
    struct loop *loop;
    struct render_pool *pool;
    struct source *source;
    struct source_repo *repo;
    struct arena *arena;
    struct answer last;
    int changes;
    str listed;          /* what source_list_paths told, as a text */
    int64_t interval_ms; /* 0 = 200 */
};

UNUSED static void open_source(struct setting *s)
{
    char data[96];
    struct err err;

    snprintf(data, sizeof(data), "%s/data", s->f.dir);
    struct source_options options = {.data_dir = data,
                                     .file_roots = s->f.dir,
                                     .interval_ms = s->interval_ms == 0 ? 200 : s->interval_ms};
    s->source = source_new(s->loop, s->pool, &options, &err);
    if (s->source == NULL)
        fail_msg("%s", err.message);
    s->repo = source_repo_get(s->source, str_from(s->f.work), NULL, &err);
    if (s->repo == NULL)
        fail_msg("%s", err.message);
}

UNUSED static void close_source(struct setting *s)
{
    source_repo_unref(s->repo);
    source_free(s->source);
}

#define CONFIG_MAP(name) "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: " name "\n"

UNUSED static void setting_init(struct setting *s)
{
    struct err err;

    memset(s, 0, sizeof(*s));
    fixture_init(&s->f);
    fixture_write(&s->f, "a/x.yaml", CONFIG_MAP("x"));
    fixture_write(&s->f, "b/y.yaml", CONFIG_MAP("why"));
    fixture_commit(&s->f);
    s->loop = loop_new();
    s->arena = arena_new(LIMIT_MIB);
    s->pool = render_pool_new(s->loop, NULL, &err);
    if (s->pool == NULL)
        fail_msg("%s", err.message);
    open_source(s);
}

UNUSED static void setting_done(struct setting *s)
{
    render_result_unref(s->last.result);
    close_source(s);
    render_pool_free(s->pool);
    loop_free(s->loop);
    arena_free(s->arena);
    fixture_done(&s->f);
}

UNUSED static void on_desired(void *owner, const struct source_desired *desired,
                              const struct err *err)
{
    struct answer *a = owner;

    a->done = true;
    if (desired == NULL) {
        a->err = *err;
        return;
    }
    a->result = render_result_ref(desired->result);
    a->carried_over = desired->carried_over;
    snprintf(a->commit, sizeof(a->commit), "%.*s", STR(desired->commit));
}

UNUSED static bool allows(void *owner, str url)
{
    struct answer *a = owner;

    return a->allowed != NULL && str_eq(url, str_from(a->allowed));
}

UNUSED static struct source_request request_of(struct setting *s, const char *revision,
                                               const char *path)
{
    struct val *source = val_new(s->arena, val_map());

    val_set_str(s->arena, source, S("path"), str_from(path));
    return (struct source_request){.revision = str_from(revision),
                                   .source = source,
                                   .application = str_from(path),
                                   .namespace_ = S("default"),
                                   .kube_version = S("1.34"),
                                   .allows = allows};
}

UNUSED static struct answer *desire(struct setting *s, const char *revision, const char *path)
{
    struct source_request request = request_of(s, revision, path);

    render_result_unref(s->last.result);
    s->last = (struct answer){.allowed = s->last.allowed};
    source_desire(s->repo, &request, on_desired, &s->last);
    assert_true(loop_run_until(s->loop, &s->last.done, 30000));
    return &s->last;
}

UNUSED static void on_change(void *owner, struct source_repo *repo)
{
    struct setting *s = owner;

    (void)repo;
    s->changes++;
    s->last.done = true;
}

#define assert_desired(got, count)                                                                 \
    do {                                                                                           \
        struct answer *a_ = (got);                                                                 \
        if (a_->result == NULL)                                                                    \
            fail_msg("%s", a_->err.message);                                                       \
        assert_int_equal(a_->result->object_count, (count));                                       \
    } while (0)
#define assert_message(got, part)                                                                  \
    do {                                                                                           \
        struct answer *a_ = (got);                                                                 \
        assert_null(a_->result);                                                                   \
        if (!str_contains(err_message(&a_->err), S(part)))                                         \
            fail_msg("the message is: %s", a_->err.message);                                       \
    } while (0)
