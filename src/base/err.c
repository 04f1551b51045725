/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"

#include <assert.h>
#include <stdarg.h>

static const struct err_facts facts[ERR_CODE_COUNT] = {
        [ERR_NONE] = {200, "", ERR_RETRY_NEVER, "none"},
        [ERR_INVALID] = {422, "Invalid", ERR_RETRY_NEVER, "invalid"},
        [ERR_NOT_FOUND] = {404, "NotFound", ERR_RETRY_NEVER, "not_found"},
        [ERR_EXISTS] = {409, "AlreadyExists", ERR_RETRY_NEVER, "exists"},
        [ERR_CONFLICT] = {409, "Conflict", ERR_RETRY_LATER, "conflict"},
        [ERR_FORBIDDEN] = {403, "Forbidden", ERR_RETRY_NEVER, "forbidden"},
        [ERR_UNAUTHORIZED] = {401, "Unauthorized", ERR_RETRY_NEVER, "unauthorized"},
        [ERR_LIMIT] = {413, "RequestEntityTooLarge", ERR_RETRY_NEVER, "limit"},
        [ERR_UNSUPPORTED] = {501, "NotImplemented", ERR_RETRY_NEVER, "unsupported"},
        [ERR_GONE] = {410, "Expired", ERR_RETRY_LATER, "gone"},
        [ERR_TIMEOUT] = {504, "Timeout", ERR_RETRY_LATER, "timeout"},
        [ERR_CANCELLED] = {499, "Cancelled", ERR_RETRY_NEVER, "cancelled"},
        [ERR_UNAVAILABLE] = {503, "ServiceUnavailable", ERR_RETRY_LATER, "unavailable"},
        [ERR_TOO_MANY] = {429, "TooManyRequests", ERR_RETRY_LATER, "too_many"},
        [ERR_IO] = {500, "InternalError", ERR_RETRY_LATER, "io"},
        [ERR_INTERNAL] = {500, "InternalError", ERR_RETRY_NEVER, "internal"},
};

const struct err_facts *err_facts(enum err_code code)
{
    assert(code < ERR_CODE_COUNT);
    return &facts[code];
}

enum err_code err_code_from_http(int status)
{
    switch (status) {
    case 400:
        return ERR_INVALID;
    case 409:
        return ERR_CONFLICT;
    case 408:
        return ERR_TIMEOUT;
    default:
        break;
    }
    for (size_t i = 1; i < COUNT(facts); i++) {
        if (facts[i].http_status == status)
            return (enum err_code)i;
    }
    if (status >= 500)
        return ERR_UNAVAILABLE;
    return status >= 400 ? ERR_INVALID : ERR_NONE;
}

/* Ends a message that did not fit with "…", at the start of a character. */
static void clip(char *message, size_t wanted)
{
    static const char ellipsis[] = "\xe2\x80\xa6";

    if (wanted < LIMIT_ERR_MESSAGE)
        return;
    size_t end = str_utf8_clip(str_of(message, LIMIT_ERR_MESSAGE - 1),
                               LIMIT_ERR_MESSAGE - sizeof(ellipsis));
    memcpy(message + end, ellipsis, sizeof(ellipsis));
}

bool err_set_at(struct err *err, enum err_code code, const char *file, int line, const char *format,
                ...)
{
    va_list args;

    if (err == NULL)
        return false;
    err->code = code;
    err->file = file;
    err->line = line;
    va_start(args, format);
    int wanted = vsnprintf(err->message, sizeof(err->message), format, args);
    va_end(args);
    clip(err->message, wanted < 0 ? 0 : (size_t)wanted);
    return false;
}

bool err_wrap(struct err *err, const char *format, ...)
{
    char inner[LIMIT_ERR_MESSAGE];
    va_list args;

    if (err == NULL)
        return false;
    memcpy(inner, err->message, sizeof(inner));
    va_start(args, format);
    int head = vsnprintf(err->message, sizeof(err->message), format, args);
    va_end(args);
    size_t used = head < 0 ? 0 : MIN((size_t)head, sizeof(err->message) - 1);
    int tail = snprintf(err->message + used, sizeof(err->message) - used, ": %s", inner);
    clip(err->message, (size_t)MAX(head, 0) + (size_t)MAX(tail, 0));
    return false;
}
