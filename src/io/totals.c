/* SPDX-License-Identifier: Apache-2.0 */
#include "io/totals.h"

#include "base/fd.h"
#include "base/limits.h"
#include "base/str.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TEXT_SIZE = 1024, DEPTH_MAX = 32 };

/* One of the kernel's files about a process, "" when it is gone. */
static str read_proc(int proc, const char *pid, const char *file, char text[TEXT_SIZE])
{
    char path[300];

    snprintf(path, sizeof(path), "%s/%s", pid, file);
    auto_fd int fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, text, TEXT_SIZE);
    return str_of(text, got < 0 ? 0 : (size_t)got);
}

static uint64_t word_at(str text, size_t index)
{
    str word = STR_EMPTY;
    uint64_t number = 0;

    for (size_t i = 0; i <= index; i++) {
        if (!str_split(&text, ' ', &word))
            return 0;
    }
    return str_to_u64(str_trim(word), &number) ? number : 0;
}

/* Behind the name in brackets, which may hold anything: state, parent, group. */
static bool is_of_group(str stat, pid_t group)
{
    size_t close = str_rfind_char(stat, ')');

    return close != SIZE_MAX && close + 2 < stat.len &&
           word_at(str_from_index(stat, close + 2), 2) == (uint64_t)group;
}

int64_t totals_group_memory(pid_t group)
{
    char text[TEXT_SIZE];
    uint64_t pages = 0;
    DIR *stream = opendir("/proc");

    for (struct dirent *e = stream == NULL ? NULL : readdir(stream); e != NULL;
         e = readdir(stream)) {
        if (e->d_name[0] < '1' || e->d_name[0] > '9' ||
            !is_of_group(read_proc(dirfd(stream), e->d_name, "stat", text), group))
            continue;
        str statm = read_proc(dirfd(stream), e->d_name, "statm", text);
        uint64_t resident = word_at(statm, 1);
        uint64_t shared = word_at(statm, 2);
        pages += resident > shared ? resident - shared : 0;
    }
    if (stream != NULL)
        closedir(stream);
    return (int64_t)pages * sysconf(_SC_PAGESIZE);
}

static int64_t folder_at(int dir, const char *name, int depth, size_t *left)
{
    int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *stream = fd < 0 ? NULL : fdopendir(fd);
    int64_t bytes = 0;

    if (stream == NULL) {
        fd_close(&fd);
        return 0;
    }
    for (struct dirent *e = readdir(stream); e != NULL && *left > 0; e = readdir(stream)) {
        struct stat st;
        if (str_eq(str_from(e->d_name), S(".")) || str_eq(str_from(e->d_name), S("..")) ||
            fstatat(fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
            continue;
        --*left;
        bytes += (int64_t)st.st_blocks * 512;
        if (S_ISDIR(st.st_mode) && depth < DEPTH_MAX)
            bytes += folder_at(fd, e->d_name, depth + 1, left);
    }
    closedir(stream);
    return bytes;
}

int64_t totals_folder(const char *path)
{
    size_t left = LIMIT_TOTALS_ENTRIES;

    return folder_at(AT_FDCWD, path, 0, &left);
}
