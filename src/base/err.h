/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Errors: a code for machines, one sentence for the person who must act, and where it arose.
 *
 * A function that can fail returns bool and takes `struct err *err` last. On false its outputs are
 * untouched and err is filled. err may be NULL when the caller needs no reason. The message lives
 * in the struct: nothing to free. Both functions return false, so that they end a function.
 *
 * Bounds: LIMIT_ERR_MESSAGE bytes; a longer message is clipped at a character and ends in "…".
 */
#include "base/limits.h"
#include "base/str.h"

enum err_code {
    ERR_NONE,
    ERR_INVALID,      /* the input is wrong; the message names file, line, field or object */
    ERR_NOT_FOUND,    /* what was asked for does not exist */
    ERR_EXISTS,       /* it exists already */
    ERR_CONFLICT,     /* somebody else changed it, or owns it */
    ERR_FORBIDDEN,    /* known, but may not */
    ERR_UNAUTHORIZED, /* not known: no or wrong credential */
    ERR_LIMIT,        /* a limit of limits.h; the message names it */
    ERR_UNSUPPORTED,  /* "not supported yet: …" */
    ERR_GONE,         /* a resource version or continue token is too old */
    ERR_TIMEOUT,      /* a deadline passed */
    ERR_CANCELLED,    /* somebody asked to stop */
    ERR_UNAVAILABLE,  /* the other side cannot be reached or has trouble: try again */
    ERR_TOO_MANY,     /* the other side asks to slow down */
    ERR_IO,           /* the operating system failed us */
    ERR_INTERNAL,     /* our own mistake */
    ERR_CODE_COUNT
};

enum err_retry {
    ERR_RETRY_NEVER, /* the same request fails again until something changes */
    ERR_RETRY_LATER, /* with back-off */
};

struct err {
    enum err_code code;
    int line;
    const char *file;
    char message[LIMIT_ERR_MESSAGE];
};

/* One row a code: HTTP status, Kubernetes reason, retry class, metric label. */
struct err_facts {
    int http_status;
    const char *reason;
    enum err_retry retry;
    const char *label;
};

const struct err_facts *err_facts(enum err_code code);
enum err_code err_code_from_http(int status);

bool err_set_at(struct err *err, enum err_code code, const char *file, int line, const char *format,
                ...) PRINTF_LIKE(5, 6);
/* Puts "<text>: " before the message; code and origin stay. */
bool err_wrap(struct err *err, const char *format, ...) PRINTF_LIKE(2, 3);

#define err_set(err, code, ...) err_set_at((err), (code), __FILE__, __LINE__, __VA_ARGS__)

static inline str err_message(const struct err *err)
{
    return str_from(err->message);
}
