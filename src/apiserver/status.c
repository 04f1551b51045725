/* SPDX-License-Identifier: Apache-2.0 */
/* Answers and refusals: Status objects in the form that kube-apiserver gives them. */
#include "apiserver/api.h"

#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>

/* What Status.details names beside the reason. */
enum details { DETAILS_NONE, DETAILS_PLURAL, DETAILS_KIND };

static const struct {
    const char *reason;
    enum details details;
} reason_details[] = {
        {"NotFound", DETAILS_PLURAL}, {"AlreadyExists", DETAILS_PLURAL},
        {"Conflict", DETAILS_PLURAL}, {"Forbidden", DETAILS_PLURAL},
        {"Invalid", DETAILS_KIND},
};

static enum details details_of(const char *reason)
{
    for (size_t i = 0; i < COUNT(reason_details); i++)
        if (strcmp(reason, reason_details[i].reason) == 0)
            return reason_details[i].details;
    return DETAILS_NONE;
}

str kind_qualified(struct arena *arena, const struct kind *kind)
{
    if (str_is_empty(kind->group))
        return kind->plural;
    return arena_printf(arena, "%.*s.%.*s", STR(kind->plural), STR(kind->group));
}

str kind_group_kind(struct arena *arena, const struct kind *kind)
{
    if (str_is_empty(kind->group))
        return kind->name;
    return arena_printf(arena, "%.*s.%.*s", STR(kind->name), STR(kind->group));
}

str api_qualified(const struct api *api)
{
    return kind_qualified(api->arena, api->kind);
}

static void add_details(struct api *api, struct val *status, const char *reason,
                        const struct val *causes)
{
    struct arena *arena = api->arena;
    enum details which = api->kind == NULL ? DETAILS_NONE : details_of(reason);

    if (which == DETAILS_NONE && causes == NULL)
        return;
    struct val *details = val_ensure_map(arena, status, S("details"));
    if (which != DETAILS_NONE) {
        if (!str_is_empty(api->q.name))
            val_set_str(arena, details, S("name"), api->q.name);
        if (!str_is_empty(api->kind->group))
            val_set_str(arena, details, S("group"), api->kind->group);
        val_set_str(arena, details, S("kind"),
                    which == DETAILS_KIND ? api->kind->name : api->kind->plural);
    }
    /* a generic refusal has details that say nothing */
    if (val_count(causes) > 0)
        val_set(arena, details, S("causes"), *val_dup(arena, causes));
}

static bool fail(struct api *api, int code, const char *reason, const struct val *causes,
                 str message)
{
    struct arena *arena = api->arena;
    struct val *status = val_new(arena, val_map());

    val_set_str(arena, status, S("kind"), S("Status"));
    val_set_str(arena, status, S("apiVersion"), S("v1"));
    val_ensure_map(arena, status, S("metadata"));
    val_set_str(arena, status, S("status"), S("Failure"));
    val_set_str(arena, status, S("message"), message);
    if (reason[0] != '\0')
        val_set_str(arena, status, S("reason"), str_from(reason));
    add_details(api, status, reason, causes);
    val_set(arena, status, S("code"), val_int(arena, code));
    api->status = code;
    api->object = status;
    api->text = STR_EMPTY;
    return false;
}

PRINTF_LIKE(2, 0)
static str format_message(struct arena *arena, const char *format, va_list args)
{
    va_list again;

    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (len < 0)
        return STR_EMPTY;
    char *text = arena_bytes(arena, (size_t)len + 1);
    vsnprintf(text, (size_t)len + 1, format, args);
    return str_of(text, (size_t)len);
}

bool api_fail(struct api *api, int code, const char *reason, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    str message = format_message(api->arena, format, args);
    va_end(args);
    return fail(api, code, reason, NULL, message);
}

bool api_fail_causes(struct api *api, int code, const char *reason, const struct val *causes,
                     const char *format, ...)
{
    va_list args;

    va_start(args, format);
    str message = format_message(api->arena, format, args);
    va_end(args);
    return fail(api, code, reason, causes, message);
}

bool api_fail_err(struct api *api, const struct err *err)
{
    const struct err_facts *facts = err_facts(err->code);

    return fail(api, facts->http_status, facts->reason, NULL,
                arena_str(api->arena, err_message(err)));
}

static const char *options_kind(const struct api *api)
{
    switch (api->q.verb) {
    case KUBE_CREATE:
        return "CreateOptions";
    case KUBE_UPDATE:
        return "UpdateOptions";
    case KUBE_DELETE:
    case KUBE_DELETE_COLLECTION:
        return "DeleteOptions";
    case KUBE_PATCH_JSON:
    case KUBE_PATCH_MERGE:
    case KUBE_PATCH_STRATEGIC:
    case KUBE_APPLY:
        return "PatchOptions";
    case KUBE_GET:
    case KUBE_LIST:
    case KUBE_WATCH:
    case KUBE_RAW_GET:
        break;
    }
    return "ListOptions";
}

bool api_fail_options(struct api *api, const char *reason, const char *field, const char *format,
                      ...)
{
    struct arena *arena = api->arena;
    struct val *causes = val_new(arena, val_list());
    struct val *cause = val_append(arena, causes, val_map());
    const struct kind *kind = api->kind;
    va_list args;

    va_start(args, format);
    str message = format_message(arena, format, args);
    va_end(args);
    val_set_str(arena, cause, S("reason"), str_from(reason));
    val_set_str(arena, cause, S("message"), message);
    val_set_str(arena, cause, S("field"), str_from(field));
    api->kind = NULL;
    fail(api, 422, "Invalid", causes,
         arena_printf(arena, "%s.meta.k8s.io \"\" is invalid: %s: %.*s", options_kind(api), field,
                      STR(message)));
    api->kind = kind;
    struct val *details = val_get(api->object, S("details"));
    val_set_str(arena, details, S("group"), S("meta.k8s.io"));
    val_set_str(arena, details, S("kind"), str_from(options_kind(api)));
    return false;
}

bool api_fail_not_found(struct api *api, str name)
{
    return api_fail(api, 404, "NotFound", "%.*s \"%.*s\" not found", STR(api_qualified(api)),
                    STR(name));
}

/* "a: m", or "[a: m, b: n]": Go's aggregated errors; equal ones are told once. */
bool api_fail_invalid(struct api *api, str name, const struct val *problems)
{
    struct arena *arena = api->arena;
    auto_buf struct buf text = {0};
    size_t count = 0;

    buf_init(&text, LIMIT_MIB);
    struct val_iter it = val_iter(problems);
    while (val_next(&it)) {
        str line = arena_printf(arena, "%.*s: %.*s", STR(val_get_str(it.value, S("field"))),
                                STR(val_get_str(it.value, S("message"))));

        if (count > 0 && str_contains(buf_str(&text), line))
            continue;
        if (count++ > 0)
            buf_add(&text, S(", "));
        buf_add(&text, line);
    }
    str joined = arena_str(arena, buf_str(&text));
    if (count > 1)
        joined = arena_printf(arena, "[%.*s]", STR(joined));
    str kept = api->q.name;
    api->q.name = name;
    api_fail_causes(api, 422, "Invalid", problems, "%.*s \"%.*s\" is invalid: %.*s",
                    STR(kind_group_kind(arena, api->kind)), STR(name), STR(joined));
    api->q.name = kept;
    return false;
}

void api_answer(struct api *api, int status, const struct val *object)
{
    api->status = status;
    api->object = object;
    api->text = STR_EMPTY;
}

void api_warn(struct api *api, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    str message = format_message(api->arena, format, args);
    va_end(args);
    if (api->warnings == NULL)
        api->warnings = val_new(api->arena, val_list());
    val_append(api->arena, api->warnings, val_string(api->arena, message));
}
