/* SPDX-License-Identifier: Apache-2.0 */
#include "io/confine.h"

#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#if defined(__SANITIZE_ADDRESS__)
#define HAS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_SANITIZER 1
#endif
#endif
#ifndef HAS_SANITIZER
#define HAS_SANITIZER 0
#endif

/* Debian 12's headers end at ABI 2; these are from the kernel's Landlock page. */
enum { ABI_REFER = 2, ABI_TRUNCATE = 3, ABI_NET = 4, ABI_IOCTL = 5 };
#define FS_TRUNCATE (1ULL << 14)
#define FS_IOCTL_DEV (1ULL << 15)
#define NET_BIND_TCP (1ULL << 0)
#define NET_CONNECT_TCP (1ULL << 1)

struct ruleset_attr {
    uint64_t fs;
    uint64_t net;
};

static int landlock_abi(void)
{
    return (int)syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
}

static bool seccomp_works(void)
{
    return prctl(PR_GET_SECCOMP) >= 0;
}

unsigned confine_missing(void)
{
    static int known = -1;

    if (known < 0)
        known = (landlock_abi() > 0 ? 0 : CONFINE_NO_LANDLOCK) |
                (seccomp_works() ? 0 : CONFINE_NO_SECCOMP);
    return (unsigned)known;
}

const char *confine_missing_text(void)
{
    switch (confine_missing()) {
    case 0:
        return "";
    case CONFINE_NO_LANDLOCK:
        return "this kernel has no Landlock: render and fetch processes are not held to their "
               "own files";
    case CONFINE_NO_SECCOMP:
        return "this kernel has no seccomp: render processes are not held to harmless system calls";
    default:
        return "this kernel has neither Landlock nor seccomp: render and fetch processes have all "
               "rights of their user";
    }
}

static bool limit_set(__rlimit_resource_t resource, uint64_t value, const char *name,
                      struct err *err)
{
    struct rlimit limit = {.rlim_cur = value, .rlim_max = value};

    if (setrlimit(resource, &limit) != 0)
        return err_set(err, ERR_IO, "the limit %s cannot be set: %s", name, strerror(errno));
    return true;
}

bool confine_limits(const struct confine_limits *limits, struct err *err)
{
    if (limits->memory > 0 && !HAS_SANITIZER &&
        !limit_set(RLIMIT_AS, limits->memory, "RLIMIT_AS", err))
        return false;
    if (limits->cpu_s > 0 && !limit_set(RLIMIT_CPU, (uint64_t)limits->cpu_s, "RLIMIT_CPU", err))
        return false;
    if (limits->descriptors > 0 &&
        !limit_set(RLIMIT_NOFILE, limits->descriptors, "RLIMIT_NOFILE", err))
        return false;
    return limit_set(RLIMIT_FSIZE, limits->file_bytes, "RLIMIT_FSIZE", err) &&
           limit_set(RLIMIT_CORE, 0, "RLIMIT_CORE", err);
}

static uint64_t rights_read(void)
{
    return LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
}

static uint64_t rights_write(int abi)
{
    uint64_t rights = LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |
                      LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR |
                      LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SYM |
                      LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO;

    if (abi >= ABI_REFER)
        rights |= LANDLOCK_ACCESS_FS_REFER;
    if (abi >= ABI_TRUNCATE)
        rights |= FS_TRUNCATE;
    return rights;
}

static uint64_t rights_all(int abi)
{
    uint64_t rights = rights_read() | rights_write(abi) | LANDLOCK_ACCESS_FS_EXECUTE |
                      LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_BLOCK;

    if (abi >= ABI_IOCTL)
        rights |= FS_IOCTL_DEV;
    return rights;
}

static uint64_t rights_of(unsigned wanted, int abi, bool is_dir)
{
    uint64_t rights = 0;

    if (wanted & CONFINE_READ)
        rights |= rights_read();
    if (wanted & CONFINE_WRITE)
        rights |= rights_write(abi);
    if (wanted & CONFINE_EXECUTE)
        rights |= LANDLOCK_ACCESS_FS_EXECUTE;
    if (!is_dir)
        rights &= LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE |
                  LANDLOCK_ACCESS_FS_EXECUTE | (abi >= ABI_TRUNCATE ? FS_TRUNCATE : 0);
    return rights;
}

static bool rule_add(int ruleset, const struct confine_rule *rule, int abi, struct err *err)
{
    auto_fd int opened = -1;
    struct stat st;

    if (rule->fd < 0) {
        opened = open(rule->path, O_PATH | O_CLOEXEC);
        if (opened < 0)
            return true;
    }
    int fd = rule->fd < 0 ? opened : rule->fd;
    if (fstat(fd, &st) != 0)
        return err_set(err, ERR_IO, "a path of the confinement cannot be examined: %s",
                       strerror(errno));

    struct landlock_path_beneath_attr attr = {
            .allowed_access = rights_of(rule->rights, abi, S_ISDIR(st.st_mode)),
            .parent_fd = fd,
    };
    if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &attr, 0) != 0)
        return err_set(err, ERR_IO, "a path cannot be added to the confinement: %s",
                       strerror(errno));
    return true;
}

bool confine_files(const struct confine_rule *rules, size_t count, bool allow_tcp, struct err *err)
{
    int abi = landlock_abi();

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return err_set(err, ERR_IO, "new privileges cannot be given up: %s", strerror(errno));
    if (abi <= 0)
        return true;

    struct ruleset_attr attr = {.fs = rights_all(abi)};
    size_t size = sizeof(attr.fs);
    if (abi >= ABI_NET) {
        attr.net = allow_tcp ? 0 : NET_BIND_TCP | NET_CONNECT_TCP;
        size = sizeof(attr);
    }
    auto_fd int ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, size, 0);
    if (ruleset < 0)
        return err_set(err, ERR_IO, "Landlock refuses its rules: %s", strerror(errno));
    for (size_t i = 0; i < count; i++) {
        if (!rule_add(ruleset, &rules[i], abi, err))
            return false;
    }
    if (syscall(SYS_landlock_restrict_self, ruleset, 0) != 0)
        return err_set(err, ERR_IO, "Landlock cannot be switched on: %s", strerror(errno));
    return true;
}

/* What libc, libgit2 and the parsers need once everything is loaded. */
static const int calls_allowed[] = {
        SCMP_SYS(read),
        SCMP_SYS(pread64),
        SCMP_SYS(readv),
        SCMP_SYS(write),
        SCMP_SYS(writev),
        SCMP_SYS(close),
        SCMP_SYS(openat),
        SCMP_SYS(open),
        SCMP_SYS(openat2),
        SCMP_SYS(fstat),
        SCMP_SYS(stat),
        SCMP_SYS(lstat),
        SCMP_SYS(newfstatat),
        SCMP_SYS(statx),
        SCMP_SYS(lseek),
        SCMP_SYS(access),
        SCMP_SYS(faccessat),
        SCMP_SYS(faccessat2),
        SCMP_SYS(readlink),
        SCMP_SYS(readlinkat),
        SCMP_SYS(getdents64),
        SCMP_SYS(getcwd),
        SCMP_SYS(fcntl),
        SCMP_SYS(dup),
        SCMP_SYS(brk),
        SCMP_SYS(mmap),
        SCMP_SYS(munmap),
        SCMP_SYS(mremap),
        SCMP_SYS(mprotect),
        SCMP_SYS(madvise),
        SCMP_SYS(futex),
        SCMP_SYS(getrandom),
        SCMP_SYS(clock_gettime),
        SCMP_SYS(gettimeofday),
        SCMP_SYS(clock_nanosleep),
        SCMP_SYS(nanosleep),
        SCMP_SYS(poll),
        SCMP_SYS(ppoll),
        SCMP_SYS(exit),
        SCMP_SYS(exit_group),
        SCMP_SYS(rt_sigreturn),
        SCMP_SYS(rt_sigaction),
        SCMP_SYS(rt_sigprocmask),
        SCMP_SYS(sigaltstack),
        SCMP_SYS(restart_syscall),
        SCMP_SYS(getpid),
        SCMP_SYS(gettid),
        SCMP_SYS(getuid),
        SCMP_SYS(geteuid),
        SCMP_SYS(getgid),
        SCMP_SYS(getegid),
        SCMP_SYS(uname),
        SCMP_SYS(sched_yield),
        SCMP_SYS(getrusage),
        SCMP_SYS(membarrier),
        SCMP_SYS(rseq),
        SCMP_SYS(set_robust_list),
};

/* Nothing of ours ever asks for these: whoever does is not us. */
static const int calls_deadly[] = {
        SCMP_SYS(socket),   SCMP_SYS(connect), SCMP_SYS(bind),       SCMP_SYS(execve),
        SCMP_SYS(execveat), SCMP_SYS(fork),    SCMP_SYS(vfork),      SCMP_SYS(clone),
        SCMP_SYS(clone3),   SCMP_SYS(ptrace),  SCMP_SYS(kill),       SCMP_SYS(process_vm_readv),
        SCMP_SYS(bpf),      SCMP_SYS(mount),   SCMP_SYS(unshare),    SCMP_SYS(io_uring_setup),
        SCMP_SYS(keyctl),   SCMP_SYS(tkill),   SCMP_SYS(pidfd_open), SCMP_SYS(process_vm_writev),
};

static bool calls_fill(scmp_filter_ctx filter)
{
    /* A process may end itself by abort(), nobody else. */
    bool ok = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
                               SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid(), 0)) == 0;

    for (size_t i = 0; i < COUNT(calls_allowed); i++)
        ok = ok && seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls_allowed[i], 0) == 0;
    for (size_t i = 0; i < COUNT(calls_deadly); i++)
        ok = ok && seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, calls_deadly[i], 0) == 0;
    return ok && seccomp_load(filter) == 0;
}

bool confine_calls(struct err *err)
{
    if (HAS_SANITIZER || (confine_missing() & CONFINE_NO_SECCOMP) != 0)
        return true;

    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    if (filter == NULL)
        return err_set(err, ERR_IO, "a filter of system calls cannot be made");

    bool ok = calls_fill(filter);
    seccomp_release(filter);
    if (!ok)
        return err_set(err, ERR_IO, "the filter of system calls cannot be loaded");
    return true;
}
