/* SPDX-License-Identifier: Apache-2.0 */
#include "render/kustomize/build.h"

#include <stdarg.h>
#include <stdio.h>

bool build_fail(struct build *b, enum kustomize_error_class class_, const char *format, ...)
{
    static const enum err_code codes[] = {
            [KUSTOMIZE_ERROR_NONE] = ERR_INTERNAL,
            [KUSTOMIZE_ERROR_CONFIG] = ERR_INVALID,
            [KUSTOMIZE_ERROR_LOAD] = ERR_NOT_FOUND,
            [KUSTOMIZE_ERROR_YAML] = ERR_INVALID,
            [KUSTOMIZE_ERROR_CYCLE] = ERR_INVALID,
            [KUSTOMIZE_ERROR_CONFLICT] = ERR_CONFLICT,
            [KUSTOMIZE_ERROR_TRANSFORM] = ERR_INVALID,
            [KUSTOMIZE_ERROR_UNSUPPORTED] = ERR_UNSUPPORTED,
            [KUSTOMIZE_ERROR_LIMIT] = ERR_LIMIT,
    };
    char text[LIMIT_ERR_MESSAGE];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    b->error_class = class_;
    b->malformed_yaml = false;
    return err_set(b->err, codes[class_], "%s", text);
}

void build_warn(struct build *b, const char *format, ...)
{
    char text[LIMIT_ERR_MESSAGE];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    for (size_t i = 0; i < b->warning_count; i++)
        if (str_eq(b->warnings[i], str_from(text)))
            return;
    size_t size = b->warning_count;
    b->warnings = build_grow(b, b->warnings, b->warning_count + 1, &size, sizeof(str));
    b->warnings[b->warning_count++] = arena_str(b->arena, str_from(text));
}

void build_need(struct build *b, str url, str revision, bool is_file)
{
    for (size_t i = 0; i < b->need_count; i++)
        if (str_eq(b->needs[i].url, url) && str_eq(b->needs[i].revision, revision) &&
            b->needs[i].is_file == is_file)
            return;
    size_t size = b->need_count;
    b->needs = build_grow(b, b->needs, b->need_count + 1, &size, sizeof(*b->needs));
    b->needs[b->need_count++] = (struct kustomize_need){.url = arena_str(b->arena, url),
                                                        .revision = arena_str(b->arena, revision),
                                                        .is_file = is_file};
}

void *build_grow(struct build *b, void *at, size_t count, size_t *size, size_t one)
{
    return arena_grow(b->arena, at, count, size, one);
}

bool build_regex(struct build *b, str pattern, struct regex **ret)
{
    if (!regex_new(pattern, ret, b->err)) {
        b->error_class = KUSTOMIZE_ERROR_CONFIG;
        return false;
    }
    b->regexes = build_grow(b, b->regexes, b->regex_count + 1, &b->regex_size, sizeof(*b->regexes));
    b->regexes[b->regex_count++] = *ret;
    return true;
}

/* ---- small lists ---- */

void strs_add(struct build *b, struct strs *list, str text)
{
    size_t size = list->count;

    list->at = build_grow(b, list->at, list->count + 1, &size, sizeof(str));
    list->at[list->count++] = text;
    list->set = true;
}

bool strs_has(const struct strs *list, str text)
{
    for (size_t i = 0; i < list->count; i++)
        if (str_eq(list->at[i], text))
            return true;
    return false;
}

static size_t pairs_find(const struct pairs *pairs, str key, bool *ret_found)
{
    size_t low = 0;
    size_t high = pairs->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = str_cmp(pairs->at[middle].key, key);
        if (order == 0) {
            *ret_found = true;
            return middle;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *ret_found = false;
    return low;
}

str pairs_get(const struct pairs *pairs, str key, bool *ret_found)
{
    bool found = false;
    size_t at = pairs_find(pairs, key, &found);

    if (ret_found != NULL)
        *ret_found = found;
    return found ? pairs->at[at].value : STR_EMPTY;
}

void pairs_put(struct build *b, struct pairs *pairs, str key, str value)
{
    bool found = false;
    size_t at = pairs_find(pairs, key, &found);

    if (found) {
        pairs->at[at].value = value;
        return;
    }
    if (pairs->count >= pairs->size) {
        pairs->size = MAX(pairs->count * 2, (size_t)8);
        struct pair *grown = arena_array(b->arena, pairs->size, struct pair);
        if (pairs->count > 0)
            memcpy(grown, pairs->at, pairs->count * sizeof(*grown));
        pairs->at = grown;
    }
    memmove(&pairs->at[at + 1], &pairs->at[at], (pairs->count - at) * sizeof(*pairs->at));
    pairs->at[at] = (struct pair){.key = key, .value = value};
    pairs->count++;
}

void pairs_del(struct pairs *pairs, str key)
{
    bool found = false;
    size_t at = pairs_find(pairs, key, &found);

    if (!found)
        return;
    for (size_t i = at; i + 1 < pairs->count; i++)
        pairs->at[i] = pairs->at[i + 1];
    pairs->count--;
}
