/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Stop points: named places at which a test kills this process (SIGKILL), to show that a restart
 * there ends right. Compiled in with -Dstop_points=true only; TAUT_STOP_AT=<name> arms one, and
 * TAUT_STOP_AT=<name>:<n> lets it pass n times first.
 *
 * The table in stop.c is the list; a name outside it is an assertion.
 */
#include "base/macros.h"

#ifdef TAUT_STOP_POINTS
#define STOP_POINT(name) stop_point(name)
#else
#define STOP_POINT(name) ((void)0)
#endif

void stop_point(const char *name);
/* The names, in order; NULL after the last. */
const char *stop_point_name(size_t index);
