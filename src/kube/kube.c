/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/kube.h"

#include "base/buf.h"

#include <assert.h>

struct kube_call *kube_start(struct kube *kube, const struct kube_request *request,
                             kube_done_fn *done, void *owner)
{
    assert(request->verb != KUBE_WATCH);
    return kube->ops->start(kube, request, NULL, done, owner);
}

struct kube_call *kube_watch(struct kube *kube, const struct kube_request *request,
                             kube_event_fn *event, kube_done_fn *done, void *owner)
{
    assert(request->verb == KUBE_WATCH);
    return kube->ops->start(kube, request, event, done, owner);
}

void kube_cancel(struct kube_call *call)
{
    if (call != NULL)
        call->kube->ops->cancel(call);
}

struct arena *kube_response_take(struct kube_response *response)
{
    return TAKE(response->arena);
}

void kube_free(struct kube *kube)
{
    if (kube != NULL)
        kube->ops->free(kube);
}

void kube_retire(struct kube *kube)
{
    if (kube != NULL && kube->ops->retire != NULL)
        kube->ops->retire(kube);
    else
        kube_free(kube);
}

/* ---- requests in words and as HTTP ---- */

static const struct verb_facts {
    const char *word;
    const char *method;
    const char *content_type;
} verbs[] = {
        [KUBE_GET] = {"get", "GET", ""},
        [KUBE_LIST] = {"list", "GET", ""},
        [KUBE_CREATE] = {"create", "POST", "application/json"},
        [KUBE_UPDATE] = {"update", "PUT", "application/json"},
        [KUBE_PATCH_JSON] = {"patch", "PATCH", "application/json-patch+json"},
        [KUBE_PATCH_MERGE] = {"patch", "PATCH", "application/merge-patch+json"},
        [KUBE_PATCH_STRATEGIC] = {"patch", "PATCH", "application/strategic-merge-patch+json"},
        [KUBE_APPLY] = {"apply", "PATCH", "application/apply-patch+yaml"},
        [KUBE_DELETE] = {"delete", "DELETE", "application/json"},
        [KUBE_DELETE_COLLECTION] = {"delete collection of", "DELETE", "application/json"},
        [KUBE_WATCH] = {"watch", "GET", ""},
        [KUBE_RAW_GET] = {"get", "GET", ""},
};

const char *kube_verb_word(enum kube_verb verb)
{
    return verbs[verb].word;
}

str kube_request_method(const struct kube_request *request)
{
    return str_from(verbs[request->verb].method);
}

str kube_request_content_type(const struct kube_request *request)
{
    return str_from(verbs[request->verb].content_type);
}

static void add_escaped(struct buf *out, str s)
{
    static const char hex[] = "0123456789ABCDEF";

    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.at[i];
        bool is_plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
                        (c >= 'a' && c <= 'z') || c == '-' || c == '.' || c == '_' || c == '~';

        if (is_plain) {
            buf_addc(out, (char)c);
            continue;
        }
        buf_addc(out, '%');
        buf_addc(out, hex[c >> 4]);
        buf_addc(out, hex[c & 15]);
    }
}

/* As apimachinery's IsValidPathSegmentName: these would mean another path. */
static bool add_segment(struct buf *out, str segment, const char *what, struct err *err)
{
    if (str_is_empty(segment))
        return true;
    if (str_eq(segment, S(".")) || str_eq(segment, S("..")) ||
        str_find_char(segment, '/') != SIZE_MAX || str_find_char(segment, '%') != SIZE_MAX)
        return err_set(err, ERR_INVALID, "\"%.*s\" cannot be a %s", STR(segment), what);
    buf_addc(out, '/');
    add_escaped(out, segment);
    return true;
}

static void add_query(struct buf *out, const char *name, str value)
{
    if (str_is_empty(value))
        return;
    buf_addc(out, buf_str(out).len > 0 && str_find_char(buf_str(out), '?') != SIZE_MAX ? '&' : '?');
    buf_addf(out, "%s=", name);
    add_escaped(out, value);
}

static bool is_write(enum kube_verb verb)
{
    return verb == KUBE_CREATE || verb == KUBE_UPDATE || verb == KUBE_PATCH_JSON ||
           verb == KUBE_PATCH_MERGE || verb == KUBE_PATCH_STRATEGIC || verb == KUBE_APPLY;
}

static void add_queries(struct buf *out, const struct kube_request *request)
{
    enum kube_verb verb = request->verb;
    char number[24];

    if (verb == KUBE_WATCH)
        add_query(out, "watch", S("true"));
    if (verb == KUBE_WATCH && request->allow_bookmarks)
        add_query(out, "allowWatchBookmarks", S("true"));
    if (verb == KUBE_LIST && request->limit > 0) {
        snprintf(number, sizeof(number), "%lld", (long long)request->limit);
        add_query(out, "limit", str_from(number));
    }
    if (verb == KUBE_LIST || verb == KUBE_WATCH || verb == KUBE_DELETE_COLLECTION) {
        add_query(out, "continue", request->continue_);
        add_query(out, "resourceVersion", request->resource_version);
        add_query(out, "labelSelector", request->label_selector);
        add_query(out, "fieldSelector", request->field_selector);
    }
    if (is_write(verb)) {
        add_query(out, "fieldManager", request->field_manager);
        add_query(out, "fieldValidation", request->field_validation);
    }
    if (verb == KUBE_APPLY && request->force)
        add_query(out, "force", S("true"));
    if (request->dry_run && (is_write(verb) || verb == KUBE_DELETE))
        add_query(out, "dryRun", S("All"));
}

bool kube_request_path(const struct kube_request *request, struct arena *arena, str *ret_path,
                       struct err *err)
{
    auto_buf struct buf out = {0};
    const struct gvr *gvr = &request->gvr;
    bool has_name = request->verb != KUBE_LIST && request->verb != KUBE_WATCH &&
                    request->verb != KUBE_CREATE && request->verb != KUBE_DELETE_COLLECTION;

    buf_init(&out, 64 * LIMIT_KIB);
    if (request->verb == KUBE_RAW_GET) {
        *ret_path = arena_str(arena, request->path);
        return str_starts(request->path, S("/")) ||
               err_set(err, ERR_INVALID, "\"%.*s\" is no path", STR(request->path));
    }
    if (str_is_empty(gvr->version) || str_is_empty(gvr->resource))
        return err_set(err, ERR_INVALID, "a request without version or resource");
    if (has_name && str_is_empty(request->name))
        return err_set(err, ERR_INVALID, "a %s of %.*s without a name", verbs[request->verb].word,
                       STR(gvr->resource));
    buf_add(&out, str_is_empty(gvr->group) ? S("/api") : S("/apis"));
    bool ok = add_segment(&out, gvr->group, "group", err) &&
              add_segment(&out, gvr->version, "version", err);
    if (ok && !str_is_empty(request->namespace_))
        buf_add(&out, S("/namespaces"));
    ok = ok && add_segment(&out, request->namespace_, "namespace", err) &&
         add_segment(&out, gvr->resource, "resource", err) &&
         (!has_name || add_segment(&out, request->name, "name", err)) &&
         add_segment(&out, request->subresource, "sub-resource", err);
    if (!ok)
        return false;
    add_queries(&out, request);
    if (!buf_check(&out, "the request's path", err))
        return false;
    *ret_path = arena_str(arena, buf_str(&out));
    return true;
}

/* DeleteOptions: the caller's, with propagation and preconditions. */
const struct val *kube_request_body(const struct kube_request *request, struct arena *arena)
{
    bool is_delete = request->verb == KUBE_DELETE || request->verb == KUBE_DELETE_COLLECTION;

    if (!is_delete)
        return request->body;
    if (request->body == NULL && str_is_empty(request->propagation) &&
        str_is_empty(request->precondition_uid) &&
        str_is_empty(request->precondition_resource_version))
        return NULL;
    struct val *body =
            request->body == NULL ? val_new(arena, val_map()) : val_dup(arena, request->body);
    val_set_str(arena, body, S("apiVersion"), S("v1"));
    val_set_str(arena, body, S("kind"), S("DeleteOptions"));
    if (!str_is_empty(request->propagation))
        val_set_str(arena, body, S("propagationPolicy"), request->propagation);
    if (!str_is_empty(request->precondition_uid))
        val_set_str(arena, val_ensure_map(arena, body, S("preconditions")), S("uid"),
                    request->precondition_uid);
    if (!str_is_empty(request->precondition_resource_version))
        val_set_str(arena, val_ensure_map(arena, body, S("preconditions")), S("resourceVersion"),
                    request->precondition_resource_version);
    return body;
}

bool kube_request_is_idempotent(const struct kube_request *request)
{
    if (request->dry_run)
        return true;
    switch (request->verb) {
    case KUBE_GET:
    case KUBE_LIST:
    case KUBE_WATCH:
    case KUBE_RAW_GET:
    case KUBE_APPLY:
        return true;
    case KUBE_PATCH_MERGE:
    case KUBE_PATCH_STRATEGIC:
    case KUBE_UPDATE: /* with a resourceVersion the second try would be a false conflict */
        return str_is_empty(object_resource_version(request->body));
    case KUBE_DELETE:
        return !str_is_empty(request->precondition_uid);
    case KUBE_CREATE:
    case KUBE_PATCH_JSON:
    case KUBE_DELETE_COLLECTION:
        return false;
    }
    return false;
}

/* ---- answers ---- */

static const struct reason_code {
    str reason;
    enum err_code code;
} reason_codes[] = {
        {S_INIT("AlreadyExists"), ERR_EXISTS},
        {S_INIT("Conflict"), ERR_CONFLICT},
        {S_INIT("Expired"), ERR_GONE},
        {S_INIT("Gone"), ERR_GONE},
        {S_INIT("Forbidden"), ERR_FORBIDDEN},
        {S_INIT("NotFound"), ERR_NOT_FOUND},
        {S_INIT("Invalid"), ERR_INVALID},
        {S_INIT("BadRequest"), ERR_INVALID},
        {S_INIT("Timeout"), ERR_TIMEOUT},
        {S_INIT("ServerTimeout"), ERR_TIMEOUT},
        {S_INIT("TooManyRequests"), ERR_TOO_MANY},
};

bool kube_status_error(const struct val *status, int http_status, struct err *err)
{
    str message = val_get_str(status, S("message"));
    str reason = val_get_str(status, S("reason"));
    int64_t code = val_i64_or(val_get(status, S("code")), http_status);
    enum err_code kind = err_code_from_http((int)MAX((int64_t)0, MIN(code, (int64_t)999)));

    for (size_t i = 0; i < COUNT(reason_codes); i++) {
        if (str_eq(reason_codes[i].reason, reason))
            kind = reason_codes[i].code;
    }
    if (kind == ERR_NONE)
        kind = ERR_UNAVAILABLE;
    if (message.len > 0)
        return err_set(err, kind, "%.*s", STR(message));
    if (reason.len > 0)
        return err_set(err, kind, "the server answered %lld %.*s", (long long)code, STR(reason));
    return err_set(err, kind, "the server answered %lld", (long long)code);
}

void kube_response_read(struct kube_response *response, int http_status)
{
    const struct val *object = response->object;

    response->status = http_status;
    response->ok = http_status >= 200 && http_status < 300;
    response->created = http_status == 201;
    if (response->ok)
        return;
    if (str_eq(val_get_str(object, S("kind")), S("Status")))
        response->reason = val_get_str(object, S("reason"));
    kube_status_error(object, http_status, &response->err);
    int64_t seconds = val_i64_or(VAL_AT(object, "details", "retryAfterSeconds"), 0);
    if (response->retry_after_ms == 0 && seconds > 0)
        response->retry_after_ms = MIN(seconds, (int64_t)3600) * 1000;
}
