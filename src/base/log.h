/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Log: lines on standard error, "time level area: message". Only cli, web and the top of engine
 * log; lower layers return errors. Control characters are escaped, a line ends at LIMIT_LOG_LINE.
 */
#include "base/str.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

void log_set_level(enum log_level least);
void log_line(enum log_level level, const char *area, const char *format, ...) PRINTF_LIKE(3, 4);

#define log_debug(area, ...) log_line(LOG_DEBUG, (area), __VA_ARGS__)
#define log_info(area, ...) log_line(LOG_INFO, (area), __VA_ARGS__)
#define log_warn(area, ...) log_line(LOG_WARN, (area), __VA_ARGS__)
#define log_error(area, ...) log_line(LOG_ERROR, (area), __VA_ARGS__)
