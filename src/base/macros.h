/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The few words that every file uses: scoped cleanup, ownership transfer, attributes.
 *
 * AUTO_DEFINE(noun, free) derives the cleanup of `struct noun *` from its destructor; a variable is
 * then declared `auto_noun struct noun *x = NULL;` after `#define auto_noun AUTO(noun)` in the
 * noun's header. TAKE(p) moves ownership out and leaves NULL behind.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MUST_USE __attribute__((warn_unused_result))
#define PRINTF_LIKE(text, first) __attribute__((format(printf, text, first)))
#define UNUSED __attribute__((unused))

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

/* The struct that holds `member`, of which `pointer` is the address. */
#define CONTAINER_OF(pointer, type, member) ((type *)((char *)(pointer)-offsetof(type, member)))

#define AUTO(noun) __attribute__((cleanup(noun##_auto)))
#define AUTO_DEFINE(noun, destroy)                                                                 \
    static inline void noun##_auto(struct noun **at)                                               \
    {                                                                                              \
        if (*at != NULL)                                                                           \
            destroy(*at);                                                                          \
    }

#define TAKE(pointer)                                                                              \
    ({                                                                                             \
        __typeof__(pointer) taken_ = (pointer);                                                    \
        (pointer) = NULL;                                                                          \
        taken_;                                                                                    \
    })
