/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include "base/clock.h"
#include "base/limits.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

static enum log_level least_level = LOG_INFO;

static const char *const names[] = {
        [LOG_DEBUG] = "debug",
        [LOG_INFO] = "info",
        [LOG_WARN] = "warn",
        [LOG_ERROR] = "error",
};

void log_set_level(enum log_level least)
{
    least_level = least;
}

/* A log line must stay one line, whatever a repository or a server put into the message. */
static void escape_controls(char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
            text[i] = ' ';
    }
}

void log_line(enum log_level level, const char *area, const char *format, ...)
{
    char line[LIMIT_LOG_LINE];
    char time[CLOCK_RFC3339_SIZE];
    va_list args;

    if (level < least_level)
        return;
    clock_format(clock_wall_ms(), time);
    int head = snprintf(line, sizeof(line), "%s %s %s: ", time, names[level], area);
    size_t used = MIN((size_t)MAX(head, 0), sizeof(line) - 2);
    va_start(args, format);
    int body = vsnprintf(line + used, sizeof(line) - used - 1, format, args);
    va_end(args);
    used += MIN((size_t)MAX(body, 0), sizeof(line) - used - 2);
    escape_controls(line, used);
    line[used++] = '\n';
    /* Nothing can be done where standard error itself fails. */
    ssize_t written = write(STDERR_FILENO, line, used);
    (void)written;
}
