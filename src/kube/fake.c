/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/fake.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/ring.h"
#include "doc/json.h"
#include "doc/yaml.h"
#include "kube/fake_store.h"

#include <assert.h>

#define LONGEST_DELAY_MS 3
#define LOG_BYTES (16 * LIMIT_MIB)
/* Events that a watch gets at a time. */
#define EVENTS_AT_ONCE 3

struct failure {
    struct ring ring;
    enum kube_verb verb;
    char *resource; /* NULL = any */
    char *name;     /* NULL = any */
    char *reason;
    char *message;
    int status;
    int times; /* < 0: all */
    bool hold;
};

struct fake {
    struct kube kube;
    struct fake_store *store;
    struct ring calls;
    struct ring failures;
    struct buf log;
    uint64_t random;
    bool in_order;
};

enum fake_state {
    FAKE_TRAVELS, /* to the server */
    FAKE_HELD,    /* there, without an answer */
    FAKE_RETURNS, /* the answer travels */
    FAKE_WATCHES,
    FAKE_IS_BROKEN, /* the watch was cut */
};

struct fake_call {
    struct kube_call call;
    struct ring ring;
    enum fake_state state;
    struct loop_timer *timer;
    struct arena *arena; /* of the request, and of the answer until it is delivered */
    struct kube_request request;
    struct fake_answer answer;
    struct err err; /* when the answer's status is 0 */
    size_t next_change;
    const struct val **first; /* of a watch without version: what is there */
    size_t first_count;
    size_t first_at;
    bool is_expired;
    bool wants_bookmark;
    bool in_callback;
    bool is_over;
    kube_event_fn *event;
    kube_done_fn *done;
    void *owner;
};

static struct fake *fake_of(struct kube *kube)
{
    return CONTAINER_OF(kube, struct fake, kube);
}

/* xorshift64*: the same delays for the same seed. */
static int64_t next_delay(struct fake *fake)
{
    if (fake->in_order)
        return 0;
    fake->random ^= fake->random >> 12;
    fake->random ^= fake->random << 25;
    fake->random ^= fake->random >> 27;
    return (int64_t)((fake->random * 2685821657736338717ULL) >> 33) % (LONGEST_DELAY_MS + 1);
}

/* ---- calls ---- */

static void call_free(struct fake_call *call)
{
    ring_unlink(&call->ring);
    loop_timer_free(call->timer);
    if (call->arena != NULL)
        arena_free(call->arena);
    mem_free(call);
}

static void tell_done(struct fake_call *call)
{
    struct kube_response response = {.err = call->err, .object = call->answer.object};

    if (call->answer.status != 0) {
        response.err = (struct err){.code = ERR_NONE};
        kube_response_read(&response, call->answer.status);
    }
    if (call->state == FAKE_IS_BROKEN)
        response.status = 200; /* it had begun well */
    response.arena = TAKE(call->arena);
    call->is_over = true;
    ring_unlink(&call->ring);
    call->done(call->owner, &response);
    if (response.arena != NULL)
        arena_free(response.arena);
    call_free(call);
}

static bool names(const char *pattern, const struct kube_request *request)
{
    str rest = str_from(pattern == NULL ? "" : pattern);
    size_t slash = str_find_char(rest, '/');

    if (pattern == NULL)
        return true;
    if (slash == SIZE_MAX)
        return str_eq(rest, request->name);
    return str_eq(str_first(rest, slash), request->namespace_) &&
           str_eq(str_from_index(rest, slash + 1), request->name);
}

static bool matches(const struct failure *failure, const struct kube_request *request)
{
    if (failure->verb != request->verb || failure->times == 0 || !names(failure->name, request))
        return false;
    if (failure->resource == NULL)
        return true;
    if (request->verb == KUBE_RAW_GET)
        return str_eq(str_from(failure->resource), request->path);
    return fake_resource_matches(str_from(failure->resource), request->gvr);
}

static struct failure *find_failure(struct fake *fake, const struct kube_request *request)
{
    for (struct ring *at = fake->failures.next; at != &fake->failures; at = at->next) {
        struct failure *failure = RING_ELEMENT(at, struct failure, ring);

        if (matches(failure, request))
            return failure;
    }
    return NULL;
}

static void return_later(struct fake_call *call)
{
    call->state = FAKE_RETURNS;
    loop_timer_start(call->timer, next_delay(fake_of(call->call.kube)));
}

/* ---- watches ---- */

static void remember_first(void *owner, struct gvr gvr, const struct val *object)
{
    struct fake_call *call = owner;

    if (fake_selects(&call->request, gvr, object))
        call->first[call->first_count++] = object;
}

static void watch_begin(struct fake_call *call)
{
    struct fake_store *store = fake_of(call->call.kube)->store;
    uint64_t version = 0;
    bool from_now = call->request.resource_version.len == 0 ||
                    str_eq(call->request.resource_version, S("0"));

    call->state = FAKE_WATCHES;
    call->next_change = fake_store_change_count(store);
    if (from_now) {
        call->first =
                arena_alloc_array(call->arena, map_count(store->objects) + 1, sizeof(struct val *));
        fake_store_each(store, remember_first, call);
    } else if (!str_to_u64(call->request.resource_version, &version) ||
               fake_store_is_expired(store, version)) {
        call->is_expired = true;
    } else {
        while (call->next_change > 0 &&
               fake_store_change(store, call->next_change - 1)->version > version)
            call->next_change--;
    }
    loop_timer_start(call->timer, next_delay(fake_of(call->call.kube)));
}

static void tell_event(struct fake_call *call, enum kube_event_type type, const struct val *object)
{
    struct kube_event event = {type, object};

    call->in_callback = true;
    call->event(call->owner, &event);
    call->in_callback = false;
}

/* What a change is to this watch: seen through its selectors. */
static bool event_of(const struct fake_call *call, const struct fake_change *change,
                     enum kube_event_type *ret_type, const struct val **ret_object)
{
    bool was = fake_selects(&call->request, change->gvr, change->was);
    bool is = fake_selects(&call->request, change->gvr, change->is);

    if (!was && !is)
        return false;
    *ret_type = was && is ? KUBE_MODIFIED : is ? KUBE_ADDED : KUBE_DELETED;
    *ret_object = change->is != NULL ? change->is : change->was;
    return true;
}

static void tell_bookmark(struct fake_call *call)
{
    auto_arena struct arena *arena = arena_new(LIMIT_MIB);
    struct val *object = val_new(arena, val_map());
    uint64_t version = fake_store_version(fake_of(call->call.kube)->store);

    call->wants_bookmark = false;
    val_set_str(arena, val_ensure_map(arena, object, S("metadata")), S("resourceVersion"),
                arena_printf(arena, "%llu", (unsigned long long)version));
    tell_event(call, KUBE_BOOKMARK, object);
}

static void tell_expired(struct fake_call *call)
{
    struct fake_answer gone =
            fake_status(call->arena, 410, S("Expired"), S("too old resource version"));

    tell_event(call, KUBE_EVENT_ERROR, gone.object);
    if (call->is_over) {
        call_free(call);
        return;
    }
    call->answer = (struct fake_answer){200, NULL};
    tell_done(call);
}

static void watch_turn(struct fake_call *call)
{
    struct fake *fake = fake_of(call->call.kube);
    int told = 0;

    if (call->is_expired) {
        tell_expired(call);
        return;
    }
    while (!call->is_over && told < EVENTS_AT_ONCE && call->first_at < call->first_count) {
        tell_event(call, KUBE_ADDED, call->first[call->first_at++]);
        told++;
    }
    while (!call->is_over && told < EVENTS_AT_ONCE &&
           call->next_change < fake_store_change_count(fake->store)) {
        const struct fake_change *change = fake_store_change(fake->store, call->next_change++);
        enum kube_event_type type;
        const struct val *object;

        if (!event_of(call, change, &type, &object))
            continue;
        tell_event(call, type, object);
        told++;
    }
    bool is_behind = !call->is_over && (call->first_at < call->first_count ||
                                        call->next_change < fake_store_change_count(fake->store));
    if (!call->is_over && !is_behind && call->wants_bookmark)
        tell_bookmark(call);
    if (call->is_over)
        call_free(call);
    else if (is_behind || call->is_expired)
        loop_timer_start(call->timer, next_delay(fake));
}

static void on_store_changed(void *owner)
{
    struct fake *fake = owner;

    for (struct ring *at = fake->calls.next; at != &fake->calls; at = at->next) {
        struct fake_call *call = RING_ELEMENT(at, struct fake_call, ring);

        if (call->state == FAKE_WATCHES && !loop_timer_is_running(call->timer))
            loop_timer_start(call->timer, next_delay(fake));
    }
}

/* ---- the server's side of a call ---- */

static void arrive(struct fake_call *call)
{
    struct fake *fake = fake_of(call->call.kube);
    struct failure *failure = find_failure(fake, &call->request);

    if (failure != NULL && failure->hold) {
        call->state = FAKE_HELD;
        return;
    }
    if (failure != NULL) {
        if (failure->times > 0)
            failure->times--;
        if (failure->status == 0)
            err_set(&call->err, ERR_UNAVAILABLE, "%s: %s", fake->kube.name, failure->message);
        else
            call->answer = fake_status(call->arena, failure->status, str_from(failure->reason),
                                       str_from(failure->message));
        return_later(call);
        return;
    }
    if (call->request.verb == KUBE_WATCH &&
        fake_store_kind(fake->store, call->request.gvr) != NULL) {
        watch_begin(call);
        return;
    }
    if (call->request.verb == KUBE_WATCH)
        call->answer = fake_status(call->arena, 404, S("NotFound"),
                                   S("the server could not find the requested resource"));
    else
        call->answer = fake_store_serve(fake->store, &call->request, call->arena);
    return_later(call);
}

static void on_timer(void *owner)
{
    struct fake_call *call = owner;

    switch (call->state) {
    case FAKE_TRAVELS:
        arrive(call);
        break;
    case FAKE_RETURNS:
    case FAKE_IS_BROKEN:
        tell_done(call);
        break;
    case FAKE_WATCHES:
        watch_turn(call);
        break;
    case FAKE_HELD:
        break;
    }
}

static void log_request(struct fake *fake, const struct kube_request *request)
{
    static const char *const words[] = {
            [KUBE_GET] = "get",
            [KUBE_LIST] = "list",
            [KUBE_CREATE] = "create",
            [KUBE_UPDATE] = "update",
            [KUBE_PATCH_JSON] = "patch",
            [KUBE_PATCH_MERGE] = "patch",
            [KUBE_PATCH_STRATEGIC] = "patch",
            [KUBE_APPLY] = "apply",
            [KUBE_DELETE] = "delete",
            [KUBE_DELETE_COLLECTION] = "deletecollection",
            [KUBE_WATCH] = "watch",
            [KUBE_RAW_GET] = "get",
    };
    str name = request->name.len > 0 || request->body == NULL ? request->name
                                                              : object_name(request->body);

    buf_addf(&fake->log, "%s ", words[request->verb]);
    if (request->verb == KUBE_RAW_GET)
        buf_add(&fake->log, request->path);
    buf_add(&fake->log, request->gvr.resource);
    if (request->subresource.len > 0)
        buf_addf(&fake->log, "/%.*s", STR(request->subresource));
    if (request->namespace_.len > 0 || name.len > 0)
        buf_addc(&fake->log, ' ');
    if (request->namespace_.len > 0)
        buf_addf(&fake->log, "%.*s/", STR(request->namespace_));
    buf_add(&fake->log, name);
    if (request->dry_run)
        buf_add(&fake->log, S(" dry-run"));
    buf_addc(&fake->log, '\n');
}

static struct kube_request copy_request(struct arena *arena, const struct kube_request *request)
{
    struct kube_request copy = *request;
    str *const texts[] = {&copy.gvr.group,
                          &copy.gvr.version,
                          &copy.gvr.resource,
                          &copy.namespace_,
                          &copy.name,
                          &copy.subresource,
                          &copy.path,
                          &copy.accept,
                          &copy.label_selector,
                          &copy.field_selector,
                          &copy.continue_,
                          &copy.resource_version,
                          &copy.field_manager,
                          &copy.field_validation,
                          &copy.propagation,
                          &copy.precondition_uid,
                          &copy.precondition_resource_version};

    for (size_t i = 0; i < COUNT(texts); i++)
        *texts[i] = arena_str(arena, *texts[i]);
    copy.body = request->body == NULL ? NULL : val_dup(arena, request->body);
    return copy;
}

static struct kube_call *fake_start(struct kube *kube, const struct kube_request *request,
                                    kube_event_fn *event, kube_done_fn *done, void *owner)
{
    struct fake *fake = fake_of(kube);
    struct fake_call *call = new0(struct fake_call);

    call->call.kube = kube;
    call->arena = arena_new(LIMIT_RESPONSE_BYTES);
    call->request = copy_request(call->arena, request);
    call->event = event;
    call->done = done;
    call->owner = owner;
    call->timer = loop_timer_new(kube->loop, "fake", on_timer, call);
    ring_append(&fake->calls, &call->ring);
    log_request(fake, request);
    loop_timer_start(call->timer, next_delay(fake));
    return &call->call;
}

static void fake_cancel(struct kube_call *at)
{
    struct fake_call *call = CONTAINER_OF(at, struct fake_call, call);

    if (call->is_over)
        return;
    call->is_over = true;
    if (call->in_callback) {
        ring_unlink(&call->ring);
        return; /* freed when the owner returns */
    }
    call_free(call);
}

static void failures_free(struct fake *fake)
{
    while (!ring_is_empty(&fake->failures)) {
        struct failure *failure = RING_FIRST(&fake->failures, struct failure, ring);

        ring_unlink(&failure->ring);
        mem_free(failure->resource);
        mem_free(failure->name);
        mem_free(failure->reason);
        mem_free(failure->message);
        mem_free(failure);
    }
}

static void fake_free(struct kube *kube)
{
    struct fake *fake = fake_of(kube);

    while (!ring_is_empty(&fake->calls))
        fake_cancel(&RING_FIRST(&fake->calls, struct fake_call, ring)->call);
    failures_free(fake);
    buf_done(&fake->log);
    fake_store_free(fake->store);
    mem_free(fake);
}

static const struct kube_ops fake_ops = {fake_start, fake_cancel, fake_free, NULL};

struct kube *kube_fake_new(struct loop *loop, const struct kube_fake_options *options)
{
    static const struct kube_fake_options usual;
    struct fake *fake = new0(struct fake);

    if (options == NULL)
        options = &usual;
    fake->kube = (struct kube){.ops = &fake_ops, .loop = loop, .name = "the fake cluster"};
    fake->random = options->seed == 0 ? 0x9e3779b97f4a7c15ULL : options->seed;
    fake->in_order = options->in_order;
    ring_init(&fake->calls);
    ring_init(&fake->failures);
    buf_init(&fake->log, LOG_BYTES);
    fake->store = fake_store_new(!options->no_kinds, on_store_changed, fake);
    return &fake->kube;
}

/* ---- the world ---- */

void kube_fake_add_kind(struct kube *kube, const char *api_version, const char *kind,
                        const char *resource, bool namespaced)
{
    fake_store_add_kind(fake_of(kube)->store, str_from(api_version), str_from(kind),
                        str_from(resource), namespaced);
}

const struct val *kube_fake_put(struct kube *kube, const struct val *object)
{
    return fake_store_put(fake_of(kube)->store, object);
}

const struct val *kube_fake_put_yaml(struct kube *kube, const char *text)
{
    auto_arena struct arena *arena = arena_new(16 * LIMIT_MIB);
    struct yaml_options options = {.dialect = YAML_11};
    struct val *object;
    struct err err;
    bool ok = yaml_parse(arena, str_from(text), &options, &object, &err);

    assert(ok);
    return kube_fake_put(kube, object);
}

const struct val *kube_fake_get(struct kube *kube, const char *resource, const char *namespace_,
                                const char *name)
{
    return fake_store_find(fake_of(kube)->store, str_from(resource), str_from(namespace_),
                           str_from(name));
}

bool kube_fake_remove(struct kube *kube, const char *resource, const char *namespace_,
                      const char *name)
{
    return fake_store_remove(fake_of(kube)->store, str_from(resource), str_from(namespace_),
                             str_from(name));
}

size_t kube_fake_count(struct kube *kube, const char *resource)
{
    return fake_store_count(fake_of(kube)->store, str_from(resource));
}

/* ---- trouble ---- */

static char *dup_or_null(const char *text)
{
    return text == NULL ? NULL : mem_dup_z(str_from(text));
}

static void add_failure(struct fake *fake, struct failure failure)
{
    struct failure *added = new0(struct failure);

    *added = failure;
    ring_append(&fake->failures, &added->ring);
}

void kube_fake_fail(struct kube *kube, enum kube_verb verb, const char *resource, const char *name,
                    int status, const char *reason, const char *message, int times)
{
    add_failure(fake_of(kube), (struct failure){.verb = verb,
                                                .resource = dup_or_null(resource),
                                                .name = dup_or_null(name),
                                                .status = status,
                                                .reason = mem_dup_z(str_from(reason)),
                                                .message = mem_dup_z(str_from(message)),
                                                .times = times});
}

void kube_fake_hold(struct kube *kube, enum kube_verb verb, const char *resource)
{
    add_failure(fake_of(kube), (struct failure){.verb = verb,
                                                .resource = dup_or_null(resource),
                                                .times = -1,
                                                .hold = true});
}

void kube_fake_heal(struct kube *kube)
{
    struct fake *fake = fake_of(kube);

    failures_free(fake);
    for (struct ring *at = fake->calls.next; at != &fake->calls; at = at->next) {
        struct fake_call *call = RING_ELEMENT(at, struct fake_call, ring);

        if (call->state != FAKE_HELD)
            continue;
        call->state = FAKE_TRAVELS;
        loop_timer_start(call->timer, next_delay(fake));
    }
}

/* What a test does to every running watch. */
static void each_watch(struct fake *fake, void (*fn)(struct fake_call *call))
{
    for (struct ring *at = fake->calls.next; at != &fake->calls; at = at->next) {
        struct fake_call *call = RING_ELEMENT(at, struct fake_call, ring);

        if (call->state != FAKE_WATCHES || call->is_over)
            continue;
        fn(call);
        loop_timer_start(call->timer, next_delay(fake));
    }
}

static void break_one(struct fake_call *call)
{
    call->state = FAKE_IS_BROKEN;
    err_set(&call->err, ERR_UNAVAILABLE, "%s: the connection broke off", call->call.kube->name);
}

static void expire_one(struct fake_call *call)
{
    call->is_expired = true;
}

static void bookmark_one(struct fake_call *call)
{
    call->wants_bookmark = call->request.allow_bookmarks;
}

void kube_fake_break_watches(struct kube *kube)
{
    each_watch(fake_of(kube), break_one);
}

void kube_fake_expire(struct kube *kube)
{
    fake_store_expire(fake_of(kube)->store);
    each_watch(fake_of(kube), expire_one);
}

void kube_fake_bookmark(struct kube *kube)
{
    each_watch(fake_of(kube), bookmark_one);
}

/* ---- what was asked ---- */

str kube_fake_log(const struct kube *kube)
{
    return buf_str(&CONTAINER_OF(kube, struct fake, kube)->log);
}

void kube_fake_log_reset(struct kube *kube)
{
    buf_reset(&fake_of(kube)->log);
}

size_t kube_fake_log_count(const struct kube *kube, const char *start)
{
    str rest = kube_fake_log(kube);
    str line;
    size_t count = 0;

    while (str_split(&rest, '\n', &line))
        count += str_starts(line, str_from(start));
    return count;
}
