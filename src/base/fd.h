/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Scoped file descriptors: `auto_fd int fd = -1;` closes at the end of the scope. */
#include "base/str.h"

#include <errno.h>
#include <unistd.h>

static inline void fd_close(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}
#define auto_fd __attribute__((cleanup(fd_close)))

/* Moves the descriptor out of an auto_fd variable. */
static inline int fd_take(int *fd)
{
    int taken = *fd;
    *fd = -1;
    return taken;
}

/* False: errno says why. Interrupted and short writes go on. */
static inline bool fd_write_all(int fd, str bytes)
{
    while (bytes.len > 0) {
        ssize_t written = write(fd, bytes.at, bytes.len);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return false;
        bytes = str_from_index(bytes, (size_t)written);
    }
    return true;
}
