/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "base/mem.h"
#include "io/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* The tests' own children are small shell scripts; the product never starts a shell. */
struct run {
    struct loop *loop;
    struct process *process;
    bool done;
    int dones;
    struct process_result result;
    char out[4096];
    char err_out[4096];
};

static void on_done(void *owner, const struct process_result *result)
{
    struct run *run = owner;

    run->result = *result;
    memcpy(run->out, result->out.at, MIN(result->out.len, sizeof(run->out)));
    memcpy(run->err_out, result->err_out.at, MIN(result->err_out.len, sizeof(run->err_out)));
    run->result.out.at = run->out;
    run->result.err_out.at = run->err_out;
    run->done = true;
    run->dones++;
}

static void start(struct run *run, struct process_spec spec, const char *script)
{
    const char *const argv[] = {"sh", "-c", script, NULL};
    struct err err;

    spec.name = "script";
    spec.program = "/bin/sh";
    spec.argv = argv;
    assert_ok(process_start(run->loop, &spec, on_done, run, &run->process, &err), err);
}

static void run_script(struct run *run, struct process_spec spec, const char *script)
{
    start(run, spec, script);
    assert_int_equal(run->dones, 0);
    assert_true(loop_run_until(run->loop, &run->done, 20000));
    assert_int_equal(process_count(), 0);
}

TEST(output_and_errors_come_back_and_the_environment_is_empty)
{
    auto_loop struct loop *loop = loop_new();
    struct run run = {.loop = loop};
    struct process_spec spec = {.out_max = 4096, .err_max = 4096};

    run_script(&run, spec, "echo out; echo wrong >&2; env | grep -v -e PWD -e SHLVL -e '^_='");
    assert_str(run.result.out, S("out\n"));
    assert_str(run.result.err_out, S("wrong\n"));
    assert_int_equal(run.result.status, 1); /* grep found nothing */
    assert_false(run.result.ok);
    assert_string_equal(run.result.err.message, "script ended with status 1: wrong");
}

TEST(input_larger_than_a_pipe_arrives_whole)
{
    auto_loop struct loop *loop = loop_new();
    struct run run = {.loop = loop};
    size_t size = 3 * 1024 * 1024;
    char *bytes = mem_new(size, 1);

    memset(bytes, 'x', size);
    run_script(&run, (struct process_spec){.input = str_of(bytes, size), .out_max = 100},
               "/usr/bin/wc -c");
    assert_true(run.result.ok);
    assert_str(str_trim(run.result.out), S("3145728"));
    mem_free(bytes);
}

TEST(a_child_that_ignores_its_input_does_not_hurt)
{
    auto_loop struct loop *loop = loop_new();
    struct run run = {.loop = loop};
    char bytes[200000] = {0};

    run_script(&run, (struct process_spec){.input = str_of(bytes, sizeof(bytes))},
               "exec 0<&-; exit 3");
    assert_int_equal(run.result.status, 3);
}

TEST(descriptors_have_their_fixed_numbers_and_no_others_are_open)
{
    auto_loop struct loop *loop = loop_new();
    struct run run = {.loop = loop};
    int ends[2];

    assert_int_equal(pipe(ends), 0); /* deliberately without O_CLOEXEC */
    assert_int_equal(write(ends[1], "hello\n", 6), 6);
    struct process_fd fds[] = {{ends[0], 5}, {ends[1], 3}};
    run_script(&run, (struct process_spec){.out_max = 4096, .fds = fds, .fd_count = 2},
               "read x <&5; echo $x; for f in /proc/self/fd/*; do echo ${f##*/}; done");
    /* The glob's own descriptor on the folder may be seen as 4. */
    assert_true(str_starts(run.result.out, S("hello\n0\n1\n2\n3\n")));
    assert_true(run.result.out.len <= strlen("hello\n0\n1\n2\n3\n4\n5\n"));
    close(ends[0]);
    close(ends[1]);
}

TEST(descriptors_that_trade_places_are_not_lost)
{
    auto_loop struct loop *loop = loop_new();
    struct run run = {.loop = loop};
    int first[2];
    int second[2];

    assert_int_equal(pipe2(first, O_CLOEXEC), 0);
    assert_int_equal(pipe2(second, O_CLOEXEC), 0);
    assert_int_equal(write(first[1], "first\n", 6), 6);
    assert_int_equal(write(second[1], "second\n", 7), 7);
    assert_int_equal(dup2(first[0], 7), 7);
    assert_int_equal(dup2(second[0], 8), 8);
    struct process_fd fds[] = {{7, 8}, {8, 7}};
    run_script(&run, (struct process_spec){.out_max = 4096, .fds = fds, .fd_count = 2},
               "read x <&7; read y <&8; echo $x $y");
    assert_str(run.result.out, S("second first\n"));
    for (int i = 0; i < 2; i++) {
        close(first[i]);
        close(second[i]);
    }
    close(7);
    close(8);
}

TEST(too_much_output_ends_the_child_with_the_limit_named)
{
    auto_loop struct loop *loop = loop_new();
    struct run run = {.loop = loop};

    run_script(&run, (struct process_spec){.out_max = 1000}, "while :; do echo yyyyyyyyyyyy; done");
    assert_false(run.result.ok);
    assert_int_equal(run.result.err.code, ERR_LIMIT);
    assert_string_equal(run.result.err.message, "script wrote more than 1000 bytes and was ended");
}

TEST(endless_errors_are_cut_and_the_child_goes_on)
{
    auto_loop struct loop *loop = loop_new();
    struct run run = {.loop = loop};

    run_script(&run, (struct process_spec){.err_max = 100},
               "i=0; while [ $i -lt 9999 ]; do echo error >&2; i=$((i+1)); done");
    assert_true(run.result.ok);
    assert_int_equal(run.result.err_out.len, 100);
}

TEST(a_deadline_ends_the_whole_group)
{
    auto_loop struct loop *loop = loop_new();
    struct run run = {.loop = loop};

    run_script(&run, (struct process_spec){.timeout_ms = 50, .out_max = 100},
               "sleep 1000 & echo $!; wait");
    assert_int_equal(run.result.err.code, ERR_TIMEOUT);
    int64_t grandchild;
    assert_true(str_to_i64(str_trim(run.result.out), &grandchild));
    bool never = false;
    while (kill((pid_t)grandchild, 0) == 0) {
        char path[64];
        char stat[256] = {0};

        /* Where nobody reaps it, a zombie is as dead as it gets. */
        snprintf(path, sizeof(path), "/proc/%d/stat", (int)grandchild);
        int fd = open(path, O_RDONLY);
        if (fd < 0 || read(fd, stat, sizeof(stat) - 1) < 0 || strstr(stat, ") Z ") != NULL) {
            close(fd);
            break;
        }
        close(fd);
        loop_run_until(loop, &never, 5);
    }
}

TEST(a_child_that_ignores_sigterm_is_killed)
{
    auto_loop struct loop *loop = loop_new();
    struct run run = {.loop = loop};

    run_script(&run, (struct process_spec){.timeout_ms = 20},
               "trap '' TERM; while :; do sleep 0.1; done");
    assert_int_equal(run.result.err.code, ERR_TIMEOUT);
    assert_int_equal(run.result.signal, SIGKILL);
    assert_true(run.result.took_ms >= 1900);
}

TEST(a_cancelled_child_is_ended_and_says_nothing)
{
    auto_loop struct loop *loop = loop_new();
    struct run run = {.loop = loop};
    bool never = false;

    start(&run, (struct process_spec){.out_max = 100}, "sleep 1000");
    process_cancel(run.process);
    process_cancel(run.process); /* legal again while it dies */
    for (int i = 0; i < 1000 && process_count() > 0; i++)
        loop_run_until(loop, &never, 5);
    assert_int_equal(process_count(), 0);
    assert_int_equal(run.dones, 0);
    process_cancel(NULL);
}

TEST(limits_hold)
{
    auto_loop struct loop *loop = loop_new();
    struct run run = {.loop = loop};

    run_script(&run,
               (struct process_spec){.out_max = 4096,
                                     .limits = {.cpu_s = 7, .open_files = 11, .file_bytes = -1}},
               "ulimit -t; ulimit -n; ulimit -c; ulimit -f");
    assert_str(run.result.out, S("7\n11\n0\n0\n"));
}

TEST(a_program_that_does_not_exist_is_an_error_at_once)
{
    auto_loop struct loop *loop = loop_new();
    struct run run = {.loop = loop};
    const char *const argv[] = {"x", NULL};
    struct process_spec spec = {.name = "nothing", .program = "/no/such", .argv = argv};
    struct err err;

    assert_fails(process_start(loop, &spec, on_done, &run, &run.process, &err), err, ERR_IO);
    assert_string_equal(
            err.message,
            "nothing could not be started: cannot execute it: No such file or directory");
    assert_int_equal(process_count(), 0);
}

TEST(this_binary_can_start_itself_in_a_role)
{
    auto_loop struct loop *loop = loop_new();
    struct run run = {.loop = loop};
    const char *const argv[] = {"taut", "role", NULL};
    struct process_spec spec = {.name = "role", .argv = argv, .out_max = 100};
    struct err err;

    assert_ok(process_start(loop, &spec, on_done, &run, &run.process, &err), err);
    assert_true(loop_run_until(loop, &run.done, 20000));
    assert_str(run.result.out, S("in the role\n"));
}

static bool take_two_pieces(void *owner, str bytes)
{
    struct run *run = owner;

    memcpy(run->err_out, bytes.at, MIN(bytes.len, sizeof(run->err_out)));
    return false;
}

TEST(output_can_be_taken_in_pieces_and_refused)
{
    auto_loop struct loop *loop = loop_new();
    struct run run = {.loop = loop};

    run_script(&run, (struct process_spec){.out = take_two_pieces},
               "echo first; while :; do echo more; sleep 0.01; done");
    assert_int_equal(run.result.err.code, ERR_LIMIT);
}

TEST(orphans_are_adopted_and_reaped)
{
    auto_loop struct loop *loop = loop_new();
    struct loop_watch *orphans = process_adopt_orphans(loop);
    struct run run = {.loop = loop};
    bool never = false;
    int64_t pid;

    /* A descendant in a session of its own outlives the group. */
    run_script(&run, (struct process_spec){.out_max = 100}, "setsid sleep 0.2 & echo $!");
    assert_true(str_to_i64(str_trim(run.result.out), &pid));
    for (int i = 0; i < 2000 && kill((pid_t)pid, 0) == 0; i++)
        loop_run_until(loop, &never, 5);
    assert_int_equal(kill((pid_t)pid, 0), -1);
    assert_int_equal(errno, ESRCH);
    loop_watch_free(orphans);
}

TEST(a_group_that_takes_too_much_memory_together_is_killed)
{
    auto_loop struct loop *loop = loop_new();
    struct run run = {.loop = loop};
    struct process_spec spec = {.totals = {.memory = 64 * LIMIT_MIB}};

    /* each of the two stays below it, and tail would wait for ever */
    run_script(&run, spec,
               "hog() { head -c 50000000 /dev/zero | tail -c 50000000 | sleep 600; }; hog & hog");
    assert_int_equal(run.result.err.code, ERR_LIMIT);
    assert_string_equal(run.result.err.message,
                        "script needed more than 64 MiB of memory and was ended");
}

TEST(a_job_whose_folder_grows_too_large_is_killed)
{
    auto_loop struct loop *loop = loop_new();
    struct run run = {.loop = loop};
    char folder[] = "/tmp/taut-process-XXXXXX";
    char file[64];

    assert_non_null(mkdtemp(folder));
    struct process_spec spec = {.dir = folder,
                                .totals = {.folder = folder, .folder_bytes = 8 * LIMIT_MIB}};
    run_script(&run, spec, "mkdir in; head -c 10000000 /dev/zero >in/hog; sleep 600");
    assert_int_equal(run.result.err.code, ERR_LIMIT);
    assert_string_equal(run.result.err.message,
                        "script was ended because its folder grew beyond 8 MiB on the disk");
    snprintf(file, sizeof(file), "%s/in/hog", folder);
    unlink(file);
    snprintf(file, sizeof(file), "%s/in", folder);
    rmdir(file);
    rmdir(folder);
}

TEST(a_job_within_its_totals_is_left_alone)
{
    auto_loop struct loop *loop = loop_new();
    struct run run = {.loop = loop};
    struct process_spec spec = {.totals = {.memory = 512 * LIMIT_MIB}};

    run_script(&run, spec, "sleep 1.3");
    assert_true(run.result.ok);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(output_and_errors_come_back_and_the_environment_is_empty),
            cmocka_unit_test(input_larger_than_a_pipe_arrives_whole),
            cmocka_unit_test(a_child_that_ignores_its_input_does_not_hurt),
            cmocka_unit_test(descriptors_have_their_fixed_numbers_and_no_others_are_open),
            cmocka_unit_test(descriptors_that_trade_places_are_not_lost),
            cmocka_unit_test(too_much_output_ends_the_child_with_the_limit_named),
            cmocka_unit_test(endless_errors_are_cut_and_the_child_goes_on),
            cmocka_unit_test(a_deadline_ends_the_whole_group),
            cmocka_unit_test(a_child_that_ignores_sigterm_is_killed),
            cmocka_unit_test(a_cancelled_child_is_ended_and_says_nothing),
            cmocka_unit_test(limits_hold),
            cmocka_unit_test(a_program_that_does_not_exist_is_an_error_at_once),
            cmocka_unit_test(this_binary_can_start_itself_in_a_role),
            cmocka_unit_test(output_can_be_taken_in_pieces_and_refused),
            cmocka_unit_test(orphans_are_adopted_and_reaped),
            cmocka_unit_test(a_group_that_takes_too_much_memory_together_is_killed),
            cmocka_unit_test(a_job_whose_folder_grows_too_large_is_killed),
            cmocka_unit_test(a_job_within_its_totals_is_left_alone),
    };
    if (argc > 1 && strcmp(argv[1], "role") == 0) {
        puts("in the role");
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
