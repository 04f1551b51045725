/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Clocks. Durations, deadlines and back-off use the monotonic clock; wall time is only written and
 * shown, never subtracted (ENGINE rule on clocks).
 */
#include "base/str.h"

#define CLOCK_RFC3339_SIZE 32

int64_t clock_mono_ms(void);
int64_t clock_mono_us(void);
int64_t clock_wall_ms(void); /* since 1970-01-01T00:00:00Z */

/* RFC 3339 in UTC with whole seconds, as Kubernetes' metav1.Time: 2006-01-02T15:04:05Z. */
void clock_format(int64_t wall_ms, char ret_text[CLOCK_RFC3339_SIZE]);
/* With microseconds, as metav1.MicroTime. */
void clock_format_micro(int64_t wall_us, char ret_text[CLOCK_RFC3339_SIZE]);
/* Any RFC 3339 time, fractions cut to milliseconds; false when it is none. */
MUST_USE bool clock_parse(str text, int64_t *ret_wall_ms);
/* A Go duration such as 1m30s, 500ms, or bare seconds; false when it is none or overflows. */
MUST_USE bool clock_parse_duration(str text, int64_t *ret_ms);
