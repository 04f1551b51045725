/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * confine: takes rights away from this process, for good, before it touches what is hostile.
 *
 * Landlock limits files, seccomp limits system calls, rlimits limit sizes. What the kernel lacks is
 * told, never hidden: confine_missing() names it for the log and `taut status`.
 * Runs:  in a child, before its first hostile byte. A failure of a protection that the kernel has
 * is an error: the caller must end. Sanitizer builds leave out RLIMIT_AS and seccomp: their runtime
 * needs what these refuse. There the ceilings of the arenas bound memory.
 */
#include "base/err.h"

enum confine_right { CONFINE_READ = 1, CONFINE_WRITE = 2, CONFINE_EXECUTE = 4 };

struct confine_rule {
    int fd;           /* a directory or file, O_PATH is enough; -1: `path` is opened */
    const char *path; /* one that does not exist is left out */
    unsigned rights;  /* enum confine_right bits, for everything beneath */
};

struct confine_limits {
    size_t memory;      /* RLIMIT_AS, bytes; 0 = unlimited */
    int64_t cpu_s;      /* 0 = unlimited */
    size_t file_bytes;  /* largest file to be written */
    size_t descriptors; /* 0 = as it is */
};

MUST_USE bool confine_limits(const struct confine_limits *limits, struct err *err);
/* Everything in the file system but the rules is refused from here on, in this process and its
 * children. TCP is refused too unless allow_tcp (kernels before 6.7 cannot refuse it this way). */
MUST_USE bool confine_files(const struct confine_rule *rules, size_t count, bool allow_tcp,
                            struct err *err);
/* System calls of a pure computation that reads files and answers on open descriptors. No sockets,
 * no new processes, no programs: those kill the process, so that it is noticed. */
MUST_USE bool confine_calls(struct err *err);

enum confine_missing { CONFINE_NO_LANDLOCK = 1, CONFINE_NO_SECCOMP = 2 };
unsigned confine_missing(void); /* bits; asked of the kernel once */
/* One sentence for log and status; "" when nothing is missing. */
const char *confine_missing_text(void);
