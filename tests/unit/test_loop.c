/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "io/loop.h"

#include <signal.h>
#include <sys/epoll.h>
#include <unistd.h>

struct scene {
    struct loop *loop;
    struct loop_timer *timers[3];
    struct loop_task *task;
    struct loop_task *other;
    struct loop_watch *watches[2];
    struct loop_hook *hook;
    char log[64];
    size_t len;
    bool done;
};

static void note(struct scene *scene, char c)
{
    assert_true(scene->len < sizeof(scene->log));
    scene->log[scene->len++] = c;
}

static str noted(const struct scene *scene)
{
    return str_of(scene->log, scene->len);
}

static void note_a(void *owner)
{
    note(owner, 'a');
}

static void note_b(void *owner)
{
    note(owner, 'b');
}

static void finish(void *owner)
{
    struct scene *scene = owner;

    note(scene, '.');
    scene->done = true;
}

TEST(timers_fire_in_the_order_of_their_time_then_of_their_start)
{
    auto_loop struct loop *loop = loop_new();
    struct scene scene = {.loop = loop};
    struct loop_timer *last = loop_timer_new(loop, "last", finish, &scene);
    struct loop_timer *a = loop_timer_new(loop, "a", note_a, &scene);
    struct loop_timer *b = loop_timer_new(loop, "b", note_b, &scene);

    loop_timer_start(last, 30);
    loop_timer_start(b, 5);
    loop_timer_start(a, 1000);
    loop_timer_start(a, 1); /* restarting replaces */
    assert_true(loop_timer_is_running(a));
    assert_true(loop_run_until(loop, &scene.done, 5000));
    assert_str(noted(&scene), S("ab."));
    assert_false(loop_timer_is_running(a));
    loop_timer_free(a);
    loop_timer_free(b);
    loop_timer_free(last);
}

TEST(many_timers_keep_their_order_when_some_are_stopped)
{
    auto_loop struct loop *loop = loop_new();
    struct scene scene = {.loop = loop};
    struct loop_timer *timers[200];
    struct loop_timer *end = loop_timer_new(loop, "end", finish, &scene);

    for (int i = 0; i < 200; i++) {
        timers[i] = loop_timer_new(loop, "x", i % 50 == 0 ? note_a : note_b, &scene);
        loop_timer_start(timers[i], (i * 37) % 19);
    }
    for (int i = 0; i < 200; i++) {
        if (i % 50 != 0)
            loop_timer_stop(timers[i]);
    }
    loop_timer_start(end, 25);
    assert_true(loop_run_until(loop, &scene.done, 5000));
    assert_str(noted(&scene), S("aaaa."));
    for (int i = 0; i < 200; i++)
        loop_timer_free(timers[i]);
    loop_timer_free(end);
}

static void free_own_timer(void *owner)
{
    struct scene *scene = owner;

    loop_timer_free(scene->timers[0]);
    loop_timer_free(scene->timers[1]); /* due in the same turn */
    scene->timers[0] = scene->timers[1] = NULL;
    finish(scene);
}

TEST(a_timer_may_free_itself_and_its_neighbour)
{
    auto_loop struct loop *loop = loop_new();
    struct scene scene = {.loop = loop};

    scene.timers[0] = loop_timer_new(loop, "own", free_own_timer, &scene);
    scene.timers[1] = loop_timer_new(loop, "neighbour", note_a, &scene);
    loop_timer_start(scene.timers[0], 0);
    loop_timer_start(scene.timers[1], 0);
    assert_true(loop_run_until(loop, &scene.done, 5000));
    assert_str(noted(&scene), S("."));
}

static void post_again(void *owner)
{
    struct scene *scene = owner;

    note(scene, 't');
    if (scene->len < 4) {
        loop_task_post(scene->task);
        loop_task_post(scene->task);
    } else {
        scene->done = true;
    }
}

static void end_of_turn(void *owner)
{
    note(owner, '|');
}

TEST(what_a_task_posts_runs_after_the_hooks_of_its_turn)
{
    auto_loop struct loop *loop = loop_new();
    struct scene scene = {.loop = loop};

    scene.task = loop_task_new(loop, "task", post_again, &scene);
    scene.hook = loop_hook_new(loop, end_of_turn, &scene);
    loop_task_post(scene.task);
    assert_int_equal(scene.len, 0);
    assert_true(loop_run_until(loop, &scene.done, 5000));
    assert_str(noted(&scene), S("t|t|t|"));
    loop_task_free(scene.task);
    loop_hook_free(scene.hook);
}

static void free_the_other(void *owner)
{
    struct scene *scene = owner;

    loop_task_free(scene->other);
    scene->other = NULL;
    loop_task_free(scene->task);
    scene->task = NULL;
    finish(scene);
}

TEST(a_task_may_free_itself_and_one_that_is_queued_behind_it)
{
    auto_loop struct loop *loop = loop_new();
    struct scene scene = {.loop = loop};

    scene.task = loop_task_new(loop, "own", free_the_other, &scene);
    scene.other = loop_task_new(loop, "other", note_a, &scene);
    loop_task_post(scene.task);
    loop_task_post(scene.other);
    assert_true(loop_run_until(loop, &scene.done, 5000));
    assert_str(noted(&scene), S("."));
}

static void free_both_watches(void *owner, UNUSED uint32_t events)
{
    struct scene *scene = owner;

    loop_watch_free(scene->watches[0]);
    loop_watch_free(scene->watches[1]);
    finish(scene);
}

TEST(a_watch_may_free_one_whose_event_is_already_fetched)
{
    auto_loop struct loop *loop = loop_new();
    struct scene scene = {.loop = loop};
    int pipes[2][2];

    for (int i = 0; i < 2; i++) {
        assert_int_equal(pipe(pipes[i]), 0);
        assert_int_equal(write(pipes[i][1], "x", 1), 1);
        scene.watches[i] =
                loop_watch_new(loop, "w", pipes[i][0], EPOLLIN, free_both_watches, &scene);
    }
    assert_true(loop_run_until(loop, &scene.done, 5000));
    assert_str(noted(&scene), S("."));
    for (int i = 0; i < 2; i++) {
        close(pipes[i][0]);
        close(pipes[i][1]);
    }
}

static void free_own_hook(void *owner)
{
    struct scene *scene = owner;

    note(scene, 'h');
    loop_hook_free(scene->hook);
}

TEST(a_hook_may_free_itself)
{
    auto_loop struct loop *loop = loop_new();
    struct scene scene = {.loop = loop};
    struct loop_timer *timer = loop_timer_new(loop, "t", finish, &scene);

    scene.hook = loop_hook_new(loop, free_own_hook, &scene);
    loop_timer_start(timer, 0);
    assert_true(loop_run_until(loop, &scene.done, 5000));
    scene.done = false;
    loop_timer_start(timer, 0);
    assert_true(loop_run_until(loop, &scene.done, 5000));
    assert_str(noted(&scene), S(".h."));
    loop_timer_free(timer);
}

TEST(a_signal_arrives_in_the_loop)
{
    auto_loop struct loop *loop = loop_new();
    struct scene scene = {.loop = loop};
    struct loop_watch *watch = loop_signal_new(loop, SIGUSR1, finish, &scene);

    raise(SIGUSR1);
    assert_int_equal(scene.len, 0);
    assert_true(loop_run_until(loop, &scene.done, 5000));
    loop_watch_free(watch);
}

TEST(waiting_ends_at_the_deadline)
{
    auto_loop struct loop *loop = loop_new();
    bool never = false;

    assert_false(loop_run_until(loop, &never, 5));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(timers_fire_in_the_order_of_their_time_then_of_their_start),
            cmocka_unit_test(many_timers_keep_their_order_when_some_are_stopped),
            cmocka_unit_test(a_timer_may_free_itself_and_its_neighbour),
            cmocka_unit_test(what_a_task_posts_runs_after_the_hooks_of_its_turn),
            cmocka_unit_test(a_task_may_free_itself_and_one_that_is_queued_behind_it),
            cmocka_unit_test(a_watch_may_free_one_whose_event_is_already_fetched),
            cmocka_unit_test(a_hook_may_free_itself),
            cmocka_unit_test(a_signal_arrives_in_the_loop),
            cmocka_unit_test(waiting_ends_at_the_deadline),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
