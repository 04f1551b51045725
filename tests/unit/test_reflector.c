/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "base/buf.h"
#include "base/mem.h"
#include "kube/fake.h"
#include "kube/reflector.h"

#include <stdio.h>

/* What the reflector tells, as lines; what it keeps is the object's version as a text. */
struct scene {
    struct loop *loop;
    struct kube *fake;
    struct reflector *reflector;
    struct buf told;
    int completes;
    int kept; /* alive: must be 0 at the end */
    bool troubled;
    bool skip_some;
    bool done;   /* any callback */
    int free_at; /* the n-th callback frees the reflector; 0 = never */
    int callbacks;
};

static void count_callback(struct scene *scene)
{
    scene->done = true;
    scene->callbacks++;
    if (scene->callbacks == scene->free_at)
        reflector_free(TAKE(scene->reflector));
}

static void *keep(void *owner, const struct val *object)
{
    struct scene *scene = owner;

    if (scene->skip_some && str_starts(object_name(object), S("skip")))
        return NULL;
    scene->kept++;
    return mem_dup_z(VAL_STR(object, "data", "v"));
}

static void drop(void *owner, void *kept)
{
    struct scene *scene = owner;

    scene->kept--;
    mem_free(kept);
}

static void changed(void *owner, str namespace_, str name, const void *was, const void *is)
{
    struct scene *scene = owner;

    buf_addf(&scene->told, "%.*s/%.*s %s>%s\n", STR(namespace_), STR(name),
             was == NULL ? "-" : (const char *)was, is == NULL ? "-" : (const char *)is);
    count_callback(scene);
}

static void complete(void *owner)
{
    struct scene *scene = owner;

    scene->completes++;
    buf_add(&scene->told, S("complete\n"));
    count_callback(scene);
}

static void trouble(void *owner, const struct err *err)
{
    struct scene *scene = owner;

    scene->troubled = err != NULL;
    buf_addf(&scene->told, "trouble %s\n", err == NULL ? "over" : err->message);
    count_callback(scene);
}

static const struct reflector_events events = {keep, drop, changed, complete, trouble};

static void put(struct scene *scene, const char *name, const char *value)
{
    auto_arena struct arena *arena = arena_new(LIMIT_MIB);

    kube_fake_put_yaml(scene->fake,
                       arena_printf(arena,
                                    "{apiVersion: v1, kind: ConfigMap, metadata: {name: %s, "
                                    "namespace: default, labels: {app: x}}, data: {v: '%s'}}",
                                    name, value)
                               .at);
}

static void scene_init(struct scene *scene, uint64_t seed)
{
    *scene = (struct scene){.loop = loop_new()};
    scene->fake = kube_fake_new(scene->loop, &(struct kube_fake_options){.seed = seed});
    buf_init(&scene->told, LIMIT_MIB);
}

static void scene_start(struct scene *scene)
{
    struct kube_selector what = {
            .gvr = {S(""), S("v1"), S("configmaps")},
            .label_selector = S("app"),
    };

    scene->reflector = reflector_new(scene->fake, &what, &events, scene);
}

static void scene_done(struct scene *scene)
{
    reflector_free(scene->reflector);
    assert_int_equal(scene->kept, 0);
    kube_free(scene->fake);
    buf_done(&scene->told);
    loop_free(scene->loop);
}

/* Until so many relists are done. */
static void wait_complete(struct scene *scene, int completes)
{
    while (scene->completes < completes) {
        scene->done = false;
        assert_true(loop_run_until(scene->loop, &scene->done, 20000));
    }
}

static void wait_told(struct scene *scene, const char *text)
{
    while (!str_contains(buf_str(&scene->told), str_from(text))) {
        scene->done = false;
        if (!loop_run_until(scene->loop, &scene->done, 20000))
            fail_msg("never told \"%s\", only:\n%.*s", text, STR(buf_str(&scene->told)));
    }
}

static void pass_ms(struct scene *scene, int ms)
{
    bool never = false;

    loop_run_until(scene->loop, &never, ms);
}

TEST(the_first_list_comes_whole_and_then_changes_follow)
{
    struct scene scene;

    scene_init(&scene, 1);
    put(&scene, "a", "1");
    scene_start(&scene);
    assert_false(reflector_is_complete(scene.reflector));
    wait_complete(&scene, 1);
    assert_str(buf_str(&scene.told), S("default/a ->1\ncomplete\n"));
    assert_true(reflector_is_complete(scene.reflector));
    put(&scene, "b", "1");
    put(&scene, "a", "2");
    kube_fake_remove(scene.fake, "configmaps", "default", "b");
    wait_told(&scene, "default/b 1>-\n");
    assert_str(buf_str(&scene.told), S("default/a ->1\ncomplete\ndefault/b ->1\ndefault/a 1>2\n"
                                       "default/b 1>-\n"));
    assert_int_equal(reflector_count(scene.reflector), 1);
    assert_string_equal(reflector_get(scene.reflector, S("default"), S("a")), "2");
    scene_done(&scene);
}

TEST(a_list_of_many_pages_is_taken_whole)
{
    struct scene scene;

    scene_init(&scene, 2);
    for (int i = 0; i < 1203; i++) {
        char name[16];

        snprintf(name, sizeof(name), "c%d", i);
        put(&scene, name, "1");
    }
    scene_start(&scene);
    wait_complete(&scene, 1);
    assert_int_equal(reflector_count(scene.reflector), 1203);
    assert_int_equal(kube_fake_log_count(scene.fake, "list configmaps"), 3);
    scene_done(&scene);
}

TEST(a_page_that_fails_leaves_nothing_half_known)
{
    struct scene scene;

    scene_init(&scene, 3);
    for (int i = 0; i < 700; i++) {
        char name[16];

        snprintf(name, sizeof(name), "c%d", i);
        put(&scene, name, "1");
    }
    scene_start(&scene);
    while (kube_fake_log_count(scene.fake, "list configmaps") < 2)
        pass_ms(&scene, 1);
    kube_fake_fail(scene.fake, KUBE_LIST, "configmaps", NULL, 500, "InternalError", "etcd", 1);
    wait_told(&scene, "trouble etcd\n");
    assert_int_equal(reflector_count(scene.reflector), 0);
    assert_false(reflector_is_complete(scene.reflector));
    assert_int_equal(scene.completes, 0);
    wait_complete(&scene, 1);
    assert_null(reflector_trouble(scene.reflector));
    assert_int_equal(reflector_count(scene.reflector), 700);
    scene_done(&scene);
}

TEST(a_page_that_is_too_large_is_asked_for_in_smaller_ones)
{
    struct scene scene;

    scene_init(&scene, 12);
    for (int i = 0; i < 250; i++) {
        char name[16];

        snprintf(name, sizeof(name), "c%d", i);
        put(&scene, name, "1");
    }
    kube_fake_fail(scene.fake, KUBE_LIST, "configmaps", NULL, 413, "", "too large", 1);
    scene_start(&scene);
    wait_complete(&scene, 1);
    assert_int_equal(reflector_count(scene.reflector), 250);
    assert_int_equal(kube_fake_log_count(scene.fake, "list configmaps"), 4); /* 500, 3 of 100 */
    assert_false(str_contains(buf_str(&scene.told), S("trouble")));
    scene_done(&scene);
}

TEST(versions_that_are_gone_are_met_by_a_new_list_that_tells_the_difference)
{
    struct scene scene;

    scene_init(&scene, 4);
    put(&scene, "same", "1");
    put(&scene, "changes", "1");
    put(&scene, "goes", "1");
    scene_start(&scene);
    wait_complete(&scene, 1);
    pass_ms(&scene, 20);
    buf_reset(&scene.told);
    kube_fake_expire(scene.fake);
    put(&scene, "changes", "2");
    put(&scene, "comes", "1");
    kube_fake_remove(scene.fake, "configmaps", "default", "goes");
    wait_complete(&scene, 2);
    str told = buf_str(&scene.told);
    assert_true(str_contains(told, S("default/changes 1>2\n")));
    assert_true(str_contains(told, S("default/comes ->1\n")));
    assert_true(str_contains(told, S("default/goes 1>-\n")));
    assert_false(str_contains(told, S("same")));
    assert_false(str_contains(told, S("trouble")));
    scene_done(&scene);
}

TEST(a_watch_that_breaks_off_goes_on_where_it_was)
{
    struct scene scene;

    scene_init(&scene, 5);
    put(&scene, "a", "1");
    scene_start(&scene);
    wait_complete(&scene, 1);
    pass_ms(&scene, 20);
    kube_fake_break_watches(scene.fake);
    put(&scene, "b", "1");
    wait_told(&scene, "default/b ->1\n");
    assert_int_equal(kube_fake_log_count(scene.fake, "list configmaps"), 1);
    assert_false(str_contains(buf_str(&scene.told), S("trouble")));
    scene_done(&scene);
}

TEST(a_server_that_stays_away_is_trouble_until_a_list_succeeds)
{
    struct scene scene;

    scene_init(&scene, 6);
    put(&scene, "a", "1");
    scene_start(&scene);
    wait_complete(&scene, 1);
    pass_ms(&scene, 20);
    kube_fake_fail(scene.fake, KUBE_WATCH, NULL, NULL, 0, NULL, "no route", 1);
    kube_fake_fail(scene.fake, KUBE_LIST, NULL, NULL, 0, NULL, "no route", 2);
    kube_fake_break_watches(scene.fake);
    wait_told(&scene, "trouble the fake cluster: no route\n");
    assert_false(reflector_is_complete(scene.reflector));
    assert_int_equal(reflector_count(scene.reflector), 1); /* what was known is still there */
    wait_complete(&scene, 2);
    assert_true(str_ends(buf_str(&scene.told), S("trouble over\ncomplete\n")));
    assert_true(reflector_is_complete(scene.reflector));
    scene_done(&scene);
}

TEST(a_forbidden_list_is_trouble_with_the_servers_sentence)
{
    struct scene scene;

    scene_init(&scene, 7);
    kube_fake_fail(scene.fake, KUBE_LIST, "configmaps", NULL, 403, "Forbidden",
                   "configmaps is forbidden", -1);
    scene_start(&scene);
    wait_told(&scene, "trouble configmaps is forbidden\n");
    pass_ms(&scene, 700);
    assert_int_equal(scene.callbacks, 1); /* told once, tried more often */
    assert_true(kube_fake_log_count(scene.fake, "list") >= 2);
    kube_fake_heal(scene.fake);
    wait_complete(&scene, 1);
    scene_done(&scene);
}

TEST(bookmarks_move_the_version_on)
{
    struct scene scene;

    scene_init(&scene, 8);
    scene_start(&scene);
    wait_complete(&scene, 1);
    pass_ms(&scene, 20);
    kube_fake_put_yaml(scene.fake, "{apiVersion: v1, kind: Namespace, metadata: {name: other}}");
    str before = str_own(reflector_resource_version(scene.reflector));
    kube_fake_bookmark(scene.fake);
    for (int i = 0; i < 100 && str_eq(before, reflector_resource_version(scene.reflector)); i++)
        pass_ms(&scene, 5);
    assert_false(str_eq(before, reflector_resource_version(scene.reflector)));
    str_own_free(&before);
    scene_done(&scene);
}

TEST(what_is_not_kept_is_not_there)
{
    struct scene scene;

    scene_init(&scene, 9);
    scene.skip_some = true;
    put(&scene, "skip-1", "1");
    put(&scene, "a", "1");
    scene_start(&scene);
    wait_complete(&scene, 1);
    put(&scene, "skip-2", "1");
    kube_fake_remove(scene.fake, "configmaps", "default", "skip-1");
    put(&scene, "a", "2");
    wait_told(&scene, "default/a 1>2\n");
    assert_false(str_contains(buf_str(&scene.told), S("skip")));
    assert_int_equal(reflector_count(scene.reflector), 1);
    scene_done(&scene);
}

TEST(the_reflector_can_be_freed_by_any_of_its_callbacks)
{
    struct scene scene;

    for (int at = 1; at <= 9; at++) {
        scene_init(&scene, (uint64_t)at);
        scene.free_at = at;
        put(&scene, "a", "1");
        put(&scene, "b", "1");
        scene_start(&scene);
        for (int i = 0; i < 8000 && scene.reflector != NULL; i++) {
            pass_ms(&scene, 1);
            if (i == 30) {
                put(&scene, "a", "2");
                kube_fake_remove(scene.fake, "configmaps", "default", "b");
            }
            if (i == 60) {
                kube_fake_fail(scene.fake, KUBE_LIST, NULL, NULL, 500, "", "x", 1);
                put(&scene, "c", "1");
                kube_fake_expire(scene.fake);
            }
        }
        assert_null(scene.reflector);
        assert_int_equal(scene.kept, 0);
        pass_ms(&scene, 10);
        assert_int_equal(scene.callbacks, at);
        scene_done(&scene);
    }
}

TEST(the_reflector_can_be_freed_at_any_moment)
{
    struct scene scene;

    for (int ms = 0; ms < 25; ms++) {
        scene_init(&scene, (uint64_t)ms + 1);
        put(&scene, "a", "1");
        scene_start(&scene);
        if (ms % 3 == 0)
            kube_fake_fail(scene.fake, KUBE_LIST, NULL, NULL, 503, "", "x", 1);
        pass_ms(&scene, ms);
        reflector_free(TAKE(scene.reflector));
        int callbacks = scene.callbacks;
        put(&scene, "b", "1");
        pass_ms(&scene, 5);
        assert_int_equal(scene.callbacks, callbacks);
        scene_done(&scene);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(the_first_list_comes_whole_and_then_changes_follow),
            cmocka_unit_test(a_list_of_many_pages_is_taken_whole),
            cmocka_unit_test(a_page_that_fails_leaves_nothing_half_known),
            cmocka_unit_test(a_page_that_is_too_large_is_asked_for_in_smaller_ones),
            cmocka_unit_test(
                    versions_that_are_gone_are_met_by_a_new_list_that_tells_the_difference),
            cmocka_unit_test(a_watch_that_breaks_off_goes_on_where_it_was),
            cmocka_unit_test(a_server_that_stays_away_is_trouble_until_a_list_succeeds),
            cmocka_unit_test(a_forbidden_list_is_trouble_with_the_servers_sentence),
            cmocka_unit_test(bookmarks_move_the_version_on),
            cmocka_unit_test(what_is_not_kept_is_not_there),
            cmocka_unit_test(the_reflector_can_be_freed_by_any_of_its_callbacks),
            cmocka_unit_test(the_reflector_can_be_freed_at_any_moment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
