/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Watching one continuous deployment: its states as they come, without asking again and again. */
#include "cli/app.h"

struct app_watch;

enum app_news {
    APP_NEWS,   /* *ret_app is the newest state, until the next call */
    APP_LATE,   /* the time is over; *ret_app is the last state */
    APP_GONE,   /* there is none of this name (any more) */
    APP_FAILED, /* err */
};

/* Bounds: one object. A server that goes away for a while is waited for, until the deadline. */
MUST_USE bool app_watch_open(struct app_call *call, str name, struct app_watch **ret,
                             struct err *err);
void app_watch_close(struct app_watch *watch); /* NULL is fine */
AUTO_DEFINE(app_watch, app_watch_close)
#define auto_app_watch AUTO(app_watch)

enum app_news app_watch_next(struct app_watch *watch, int64_t deadline_mono_ms,
                             const struct val **ret_app, struct err *err);
