/* SPDX-License-Identifier: Apache-2.0 */
/* What a confined process tries and must not get. Without sanitizers: their runtime needs more. */
#include "test.h"

#include "io/confine.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED true
#endif
#endif
#ifndef SANITIZED
#define SANITIZED false
#endif

static char dir[] = "/tmp/taut-unit-XXXXXX";

/* Each returns true when it got what it must not get. */
typedef bool attempt_fn(void);

static bool opens(const char *path, int flags)
{
    int fd = open(path, flags, 0600);

    return fd >= 0;
}

static bool try_passwd(void)
{
    return opens("/etc/passwd", O_RDONLY);
}

static bool try_environ_of_parent(void)
{
    char path[64];

    snprintf(path, sizeof(path), "/proc/%d/environ", (int)getppid());
    return opens(path, O_RDONLY);
}

static bool try_up(void)
{
    char path[128];

    snprintf(path, sizeof(path), "%s/in/../out", dir);
    return opens(path, O_RDONLY);
}

static bool try_write(void)
{
    char path[128];

    snprintf(path, sizeof(path), "%s/in/file", dir);
    return opens(path, O_WRONLY) || opens(path, O_RDWR | O_TRUNC);
}

static bool try_create(void)
{
    char path[128];

    snprintf(path, sizeof(path), "%s/in/new", dir);
    return opens(path, O_WRONLY | O_CREAT) || mkdir(path, 0700) == 0;
}

static bool try_link_out(void)
{
    char path[128];

    snprintf(path, sizeof(path), "%s/in/link", dir);
    return opens(path, O_RDONLY);
}

static bool try_socket(void)
{
    return socket(AF_INET, SOCK_STREAM, 0) >= 0;
}

static bool try_unix_socket(void)
{
    return socket(AF_UNIX, SOCK_STREAM, 0) >= 0;
}

static bool try_fork(void)
{
    pid_t pid = fork();

    if (pid == 0)
        _exit(0);
    return pid > 0;
}

static bool try_program(void)
{
    execl("/bin/true", "true", NULL);
    return false;
}

static bool try_kill(void)
{
    return kill(getppid(), 0) == 0;
}

static bool try_trace(void)
{
    return ptrace(PTRACE_ATTACH, getppid(), NULL, NULL) == 0;
}

static bool try_much_memory(void)
{
    volatile char *at = malloc((size_t)1 << 30);

    if (at != NULL)
        at[0] = 1;
    return at != NULL;
}

static void confine_self(void)
{
    struct confine_limits limits = {.memory = 512 * LIMIT_MIB, .cpu_s = 5, .descriptors = 64};
    char path[128];
    struct err err;

    snprintf(path, sizeof(path), "%s/in", dir);
    struct confine_rule rule = {.fd = -1, .path = path, .rights = CONFINE_READ};
    if (!confine_limits(&limits, &err) || !confine_files(&rule, 1, /*allow_tcp=*/false, &err) ||
        !confine_calls(&err)) {
        fprintf(stderr, "%s\n", err.message);
        _exit(9);
    }
}

/* 0 = refused, 1 = got it, -1 = killed. */
static int attempt(attempt_fn *fn)
{
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        confine_self();
        _exit(fn() ? 1 : 0);
    }
    waitpid(pid, &status, 0);
    if (WIFSIGNALED(status))
        return -1;
    assert_true(WEXITSTATUS(status) < 9);
    return WEXITSTATUS(status);
}

static bool can_read_its_own(void)
{
    char path[128];
    char text[8] = {0};

    snprintf(path, sizeof(path), "%s/in/file", dir);
    int fd = open(path, O_RDONLY);
    return fd >= 0 && read(fd, text, 4) == 4 && strcmp(text, "mine") == 0;
}

TEST(a_confined_process_reads_what_it_may)
{
    assert_int_equal(attempt(can_read_its_own), 1);
}

TEST(a_confined_process_gets_no_other_file)
{
    assert_int_equal(attempt(try_passwd), 0);
    assert_int_equal(attempt(try_environ_of_parent), 0);
    assert_int_equal(attempt(try_up), 0);
    assert_int_equal(attempt(try_link_out), 0);
    assert_int_equal(attempt(try_write), 0);
    assert_int_equal(attempt(try_create), 0);
}

TEST(a_confined_process_that_asks_for_the_world_is_killed)
{
    assert_int_equal(attempt(try_socket), -1);
    assert_int_equal(attempt(try_unix_socket), -1);
    assert_int_equal(attempt(try_fork), -1);
    assert_int_equal(attempt(try_program), -1);
    assert_int_equal(attempt(try_kill), -1);
    assert_int_equal(attempt(try_trace), -1);
}

TEST(a_confined_process_gets_no_more_memory_than_allowed)
{
    assert_int_equal(attempt(try_much_memory), 0);
}

TEST(what_is_missing_is_said)
{
    assert_true((confine_missing() == 0) == (confine_missing_text()[0] == '\0'));
}

int main(void)
{
    char command[512];
    struct CMUnitTest tests[8];
    size_t count = 0;

    /* A test that cannot run here is left out by name, not counted. A sanitizer's own runtime asks
     * for what the filter forbids; the plain build runs those. */
    tests[count++] = (struct CMUnitTest)cmocka_unit_test(a_confined_process_reads_what_it_may);
    tests[count++] = (struct CMUnitTest)cmocka_unit_test(what_is_missing_is_said);
    if (!(confine_missing() & CONFINE_NO_LANDLOCK))
        tests[count++] = (struct CMUnitTest)cmocka_unit_test(a_confined_process_gets_no_other_file);
    if (!SANITIZED && !(confine_missing() & CONFINE_NO_SECCOMP))
        tests[count++] = (struct CMUnitTest)cmocka_unit_test(
                a_confined_process_that_asks_for_the_world_is_killed);
    if (!SANITIZED)
        tests[count++] = (struct CMUnitTest)cmocka_unit_test(
                a_confined_process_gets_no_more_memory_than_allowed);

    if (mkdtemp(dir) == NULL)
        return 1;
    snprintf(command, sizeof(command),
             "mkdir %s/in && printf mine >%s/in/file && printf no >%s/out && ln -s ../out "
             "%s/in/link",
             dir, dir, dir, dir);
    if (system(command) != 0)
        return 1;
    int failed = _cmocka_run_group_tests("confine", tests, count, NULL, NULL);
    snprintf(command, sizeof(command), "rm -rf %s", dir);
    return system(command) != 0 ? 1 : failed;
}
