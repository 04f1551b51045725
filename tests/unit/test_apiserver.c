/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "apiserver/embedded.h"
#include "apiserver/expire.h"
#include "base/clock.h"
#include "doc/json.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- one instance and its answers ---- */

struct fixture {
    char path[64];
    struct loop *loop;
    struct apiserver *server;
    struct kube *kube;
    struct arena *arena;
};

struct answer {
    bool done;
    int status;
    const struct val *object;
    struct arena *arena;
    str reason;
    str message;
};

static void open_server(struct fixture *f)
{
    struct err err = {0};
    struct apiserver_options options = {
            .name = "test", .path = f->path, .sync = SYNC_FULL, .kinds = APISERVER_SANDBOX};

    f->loop = loop_new();
    assert_ok(apiserver_new(f->loop, &options, &f->server, &err), err);
    f->kube = apiserver_kube(f->server);
}

static void close_server(struct fixture *f)
{
    kube_free(f->kube);
    apiserver_free(f->server);
    loop_free(f->loop);
}

static void remove_files(const char *path)
{
    static const char *const ends[] = {"", "-wal", "-shm"};
    char name[80];

    for (size_t i = 0; i < COUNT(ends); i++) {
        snprintf(name, sizeof(name), "%s%s", path, ends[i]);
        unlink(name);
    }
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    snprintf(f->path, sizeof(f->path), "/tmp/taut-apiserver-XXXXXX");
    close(mkstemp(f->path));
    f->arena = arena_new(64 * LIMIT_MIB);
    open_server(f);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    close_server(f);
    remove_files(f->path);
    arena_free(f->arena);
    free(f);
    return 0;
}

static void on_done(void *owner, struct kube_response *response)
{
    struct answer *answer = owner;

    answer->done = true;
    answer->status = response->status;
    answer->object = response->object;
    answer->arena = kube_response_take(response);
    answer->reason = response->reason;
    answer->message = val_get_str(response->object, S("message"));
}

/* Waits for the answer; its trees live in the fixture's arena. */
static struct answer ask(struct fixture *f, const struct kube_request *request)
{
    struct answer answer = {0};

    kube_start(f->kube, request, on_done, &answer);
    assert_false(answer.done); /* never inside kube_start */
    assert_true(loop_run_until(f->loop, &answer.done, 5000));
    answer.object = answer.object == NULL ? NULL : val_dup(f->arena, answer.object);
    answer.reason = arena_str(f->arena, answer.reason);
    answer.message = arena_str(f->arena, answer.message);
    arena_free(answer.arena);
    return answer;
}

static const struct val *json(struct fixture *f, const char *text)
{
    struct val *value = NULL;
    struct err err = {0};

    assert_ok(json_parse(f->arena, str_from(text), NULL, &value, &err), err);
    return value;
}

static struct gvr core(const char *resource)
{
    return (struct gvr){STR_EMPTY, S("v1"), str_from(resource)};
}

static struct gvr apps(const char *resource)
{
    return (struct gvr){S("apps"), S("v1"), str_from(resource)};
}

static struct answer create(struct fixture *f, struct gvr gvr, const char *text)
{
    return ask(f, &(struct kube_request){.verb = KUBE_CREATE,
                                         .gvr = gvr,
                                         .namespace_ = S("default"),
                                         .body = json(f, text)});
}

static struct answer get(struct fixture *f, struct gvr gvr, const char *name)
{
    return ask(f, &(struct kube_request){.verb = KUBE_GET,
                                         .gvr = gvr,
                                         .namespace_ = S("default"),
                                         .name = str_from(name)});
}

static struct answer apply(struct fixture *f, struct gvr gvr, const char *name, const char *manager,
                           const char *text)
{
    return ask(f, &(struct kube_request){.verb = KUBE_APPLY,
                                         .gvr = gvr,
                                         .namespace_ = S("default"),
                                         .name = str_from(name),
                                         .field_manager = str_from(manager),
                                         .body = json(f, text)});
}

static struct answer delete_object(struct fixture *f, struct gvr gvr, const char *name,
                                   const char *propagation)
{
    return ask(f, &(struct kube_request){.verb = KUBE_DELETE,
                                         .gvr = gvr,
                                         .namespace_ = S("default"),
                                         .name = str_from(name),
                                         .propagation = str_from(propagation)});
}

static void turn_over(struct fixture *f, int count)
{
    bool never = false;

    loop_run_until(f->loop, &never, count);
}

#define CONFIG(name) "{\"metadata\":{\"name\":\"" name "\"},\"data\":{\"a\":\"b\"}}"

/* ---- objects ---- */

TEST(an_object_is_created_once_and_read_back)
{
    struct fixture *f = *state;
    struct answer made = create(f, core("configmaps"), CONFIG("one"));

    assert_int_equal(made.status, 201);
    assert_int_equal(object_uid(made.object).len, 36);
    assert_str(val_get_str(made.object, S("kind")), S("ConfigMap"));
    struct answer read = get(f, core("configmaps"), "one");
    assert_true(val_eq(read.object, made.object));
    struct answer again = create(f, core("configmaps"), CONFIG("one"));
    assert_int_equal(again.status, 409);
    assert_str(again.reason, S("AlreadyExists"));
    assert_str(again.message, S("configmaps \"one\" already exists"));
}

TEST(what_is_not_there_is_404_with_its_name)
{
    struct fixture *f = *state;
    struct answer answer = get(f, apps("deployments"), "nope");

    assert_int_equal(answer.status, 404);
    assert_str(answer.message, S("deployments.apps \"nope\" not found"));
    assert_str(VAL_STR(answer.object, "details", "kind"), S("deployments"));
    assert_str(VAL_STR(answer.object, "details", "group"), S("apps"));
}

TEST(an_update_with_an_old_version_is_a_conflict)
{
    struct fixture *f = *state;
    struct answer made = create(f, core("configmaps"), CONFIG("one"));
    struct val *body = val_dup(f->arena, made.object);
    struct kube_request request = {.verb = KUBE_UPDATE,
                                   .gvr = core("configmaps"),
                                   .namespace_ = S("default"),
                                   .name = S("one"),
                                   .body = body};

    val_set_str(f->arena, val_get(body, S("data")), S("a"), S("c"));
    assert_int_equal(ask(f, &request).status, 200);
    struct answer late = ask(f, &request);
    assert_int_equal(late.status, 409);
    assert_str(late.reason, S("Conflict"));
}

TEST(a_write_that_changes_nothing_keeps_the_version)
{
    struct fixture *f = *state;
    struct answer made = create(f, core("configmaps"), CONFIG("one"));
    struct answer same =
            ask(f, &(struct kube_request){.verb = KUBE_PATCH_MERGE,
                                          .gvr = core("configmaps"),
                                          .namespace_ = S("default"),
                                          .name = S("one"),
                                          .body = json(f, "{\"data\":{\"a\":\"b\"}}")});

    assert_str(object_resource_version(same.object), object_resource_version(made.object));
}

TEST(a_dry_run_changes_nothing_and_shows_the_live_version)
{
    struct fixture *f = *state;
    struct answer made = create(f, core("configmaps"), CONFIG("one"));
    struct answer dry = ask(f, &(struct kube_request){.verb = KUBE_PATCH_MERGE,
                                                      .gvr = core("configmaps"),
                                                      .namespace_ = S("default"),
                                                      .name = S("one"),
                                                      .dry_run = true,
                                                      .body = json(f, "{\"data\":{\"a\":\"x\"}}")});

    assert_str(VAL_STR(dry.object, "data", "a"), S("x"));
    assert_str(object_resource_version(dry.object), object_resource_version(made.object));
    assert_str(VAL_STR(get(f, core("configmaps"), "one").object, "data", "a"), S("b"));
}

TEST(a_list_goes_on_where_its_token_says)
{
    struct fixture *f = *state;
    struct kube_request request = {
            .verb = KUBE_LIST, .gvr = core("configmaps"), .namespace_ = S("default"), .limit = 2};

    create(f, core("configmaps"), CONFIG("a"));
    create(f, core("configmaps"), CONFIG("b"));
    create(f, core("configmaps"), CONFIG("c"));
    struct answer first = ask(f, &request);
    assert_int_equal(val_count(val_get(first.object, S("items"))), 2);
    assert_int_equal(val_i64_or(VAL_AT(first.object, "metadata", "remainingItemCount"), 0), 1);
    request.continue_ = VAL_STR(first.object, "metadata", "continue");
    struct answer second = ask(f, &request);
    assert_int_equal(val_count(val_get(second.object, S("items"))), 1);
    assert_str(object_name(val_item(val_get(second.object, S("items")), 0)), S("c"));
    assert_str(VAL_STR(second.object, "metadata", "resourceVersion"),
               VAL_STR(first.object, "metadata", "resourceVersion"));
    assert_null(VAL_AT(second.object, "metadata", "continue"));
}

TEST(nothing_is_created_in_a_namespace_that_is_not_there)
{
    struct fixture *f = *state;
    struct answer answer = ask(f, &(struct kube_request){.verb = KUBE_CREATE,
                                                         .gvr = core("configmaps"),
                                                         .namespace_ = S("nowhere"),
                                                         .body = json(f, CONFIG("one"))});

    assert_int_equal(answer.status, 404);
    assert_str(answer.message, S("namespaces \"nowhere\" not found"));
}

/* ---- server-side apply ---- */

#define APPLIED(a)                                                                                 \
    "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"one\"},\"data\":{" a   \
    "}}"

TEST(an_applied_field_that_leaves_the_patch_leaves_the_object)
{
    struct fixture *f = *state;
    struct answer made =
            apply(f, core("configmaps"), "one", "taut", APPLIED("\"a\":\"1\",\"b\":\"2\""));

    assert_int_equal(made.status, 201);
    struct answer next = apply(f, core("configmaps"), "one", "taut", APPLIED("\"a\":\"1\""));
    assert_int_equal(next.status, 200);
    assert_null(VAL_AT(next.object, "data", "b"));
    struct answer same = apply(f, core("configmaps"), "one", "taut", APPLIED("\"a\":\"1\""));
    assert_str(object_resource_version(same.object), object_resource_version(next.object));
}

TEST(another_managers_field_is_a_conflict_unless_forced)
{
    struct fixture *f = *state;
    struct kube_request request = {.verb = KUBE_APPLY,
                                   .gvr = core("configmaps"),
                                   .namespace_ = S("default"),
                                   .name = S("one"),
                                   .field_manager = S("other"),
                                   .body = json(f, APPLIED("\"a\":\"2\""))};

    apply(f, core("configmaps"), "one", "taut", APPLIED("\"a\":\"1\""));
    struct answer refused = ask(f, &request);
    assert_int_equal(refused.status, 409);
    assert_str(refused.message, S("Apply failed with 1 conflict: conflict with \"taut\": .data.a"));
    request.force = true;
    assert_str(VAL_STR(ask(f, &request).object, "data", "a"), S("2"));
}

/* ---- watches ---- */

struct seen {
    enum kube_event_type types[16];
    char names[16][64];
    size_t count;
    bool enough;
    size_t wanted;
};

static void on_event(void *owner, const struct kube_event *event)
{
    struct seen *seen = owner;

    if (seen->count < 16) {
        seen->types[seen->count] = event->type;
        snprintf(seen->names[seen->count], sizeof(seen->names[0]), "%.*s",
                 STR(object_name(event->object)));
        seen->count++;
    }
    seen->enough = seen->count >= seen->wanted;
}

static void on_watch_end(UNUSED void *owner, UNUSED struct kube_response *response)
{
}

TEST(a_watch_tells_what_happens_after_its_version)
{
    struct fixture *f = *state;
    struct seen seen = {.wanted = 2};
    struct answer made = create(f, core("configmaps"), CONFIG("one"));

    create(f, core("configmaps"), CONFIG("two"));
    struct kube_call *watch = kube_watch(
            f->kube,
            &(struct kube_request){.verb = KUBE_WATCH,
                                   .gvr = core("configmaps"),
                                   .namespace_ = S("default"),
                                   .resource_version = object_resource_version(made.object)},
            on_event, on_watch_end, &seen);
    delete_object(f, core("configmaps"), "one", "");
    assert_true(loop_run_until(f->loop, &seen.enough, 5000));
    assert_int_equal(seen.types[0], KUBE_ADDED);
    assert_string_equal(seen.names[0], "two");
    assert_int_equal(seen.types[1], KUBE_DELETED);
    assert_string_equal(seen.names[1], "one");
    kube_cancel(watch);
}

TEST(an_object_that_leaves_the_selector_is_deleted_to_its_watch)
{
    struct fixture *f = *state;
    struct seen seen = {.wanted = 2};
    struct kube_call *watch = kube_watch(f->kube,
                                         &(struct kube_request){.verb = KUBE_WATCH,
                                                                .gvr = core("configmaps"),
                                                                .namespace_ = S("default"),
                                                                .label_selector = S("mark")},
                                         on_event, on_watch_end, &seen);

    create(f, core("configmaps"), "{\"metadata\":{\"name\":\"one\",\"labels\":{\"mark\":\"x\"}}}");
    ask(f, &(struct kube_request){.verb = KUBE_PATCH_MERGE,
                                  .gvr = core("configmaps"),
                                  .namespace_ = S("default"),
                                  .name = S("one"),
                                  .body = json(f, "{\"metadata\":{\"labels\":null}}")});
    assert_true(loop_run_until(f->loop, &seen.enough, 5000));
    assert_int_equal(seen.types[0], KUBE_ADDED);
    assert_int_equal(seen.types[1], KUBE_DELETED);
    assert_int_equal(get(f, core("configmaps"), "one").status, 200);
    kube_cancel(watch);
}

TEST(a_watch_from_before_the_history_is_told_410)
{
    struct fixture *f = *state;
    struct seen seen = {.wanted = 1};

    create(f, core("configmaps"), CONFIG("one"));
    create(f, core("configmaps"), CONFIG("two"));
    close_server(f);
    open_server(f);
    kube_watch(f->kube,
               &(struct kube_request){.verb = KUBE_WATCH,
                                      .gvr = core("configmaps"),
                                      .namespace_ = S("default"),
                                      .resource_version = S("2")},
               on_event, on_watch_end, &seen);
    assert_true(loop_run_until(f->loop, &seen.enough, 5000));
    assert_int_equal(seen.types[0], KUBE_EVENT_ERROR);
}

/* ---- deletion ---- */

static void make_owner_and_dependent(struct fixture *f)
{
    struct answer owner = create(f, core("configmaps"), CONFIG("owner"));

    create(f, core("configmaps"),
           arena_z(f->arena,
                   arena_printf(f->arena,
                                "{\"metadata\":{\"name\":\"child\",\"ownerReferences\":[{"
                                "\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"name\":\"owner\","
                                "\"uid\":\"%.*s\",\"blockOwnerDeletion\":true}]}}",
                                STR(object_uid(owner.object)))));
}

TEST(dependents_go_with_their_owner)
{
    struct fixture *f = *state;

    make_owner_and_dependent(f);
    assert_int_equal(delete_object(f, core("configmaps"), "owner", "Background").status, 200);
    assert_int_equal(get(f, core("configmaps"), "owner").status, 404);
    turn_over(f, 50);
    assert_int_equal(get(f, core("configmaps"), "child").status, 404);
}

TEST(a_foreground_deletion_takes_the_dependents_first)
{
    struct fixture *f = *state;

    make_owner_and_dependent(f);
    struct answer answer = delete_object(f, core("configmaps"), "owner", "Foreground");
    assert_str(val_get_str(answer.object, S("kind")), S("ConfigMap"));
    turn_over(f, 50);
    assert_int_equal(get(f, core("configmaps"), "child").status, 404);
    assert_int_equal(get(f, core("configmaps"), "owner").status, 404);
}

TEST(orphans_stay_without_their_owner)
{
    struct fixture *f = *state;

    make_owner_and_dependent(f);
    delete_object(f, core("configmaps"), "owner", "Orphan");
    turn_over(f, 50);
    assert_int_equal(get(f, core("configmaps"), "owner").status, 404);
    struct answer child = get(f, core("configmaps"), "child");
    assert_int_equal(child.status, 200);
    assert_null(VAL_AT(child.object, "metadata", "ownerReferences"));
}

TEST(a_finalizer_holds_an_object_until_it_is_taken_away)
{
    struct fixture *f = *state;

    create(f, core("configmaps"),
           "{\"metadata\":{\"name\":\"one\",\"finalizers\":[\"x.example/y\"]}}");
    delete_object(f, core("configmaps"), "one", "");
    struct answer held = get(f, core("configmaps"), "one");
    assert_int_equal(held.status, 200);
    assert_true(val_is(VAL_AT(held.object, "metadata", "deletionTimestamp"), VAL_STRING));
    ask(f, &(struct kube_request){.verb = KUBE_PATCH_MERGE,
                                  .gvr = core("configmaps"),
                                  .namespace_ = S("default"),
                                  .name = S("one"),
                                  .body = json(f, "{\"metadata\":{\"finalizers\":null}}")});
    assert_int_equal(get(f, core("configmaps"), "one").status, 404);
}

TEST(a_namespace_goes_with_all_that_is_in_it)
{
    struct fixture *f = *state;
    struct kube_request in = {.verb = KUBE_CREATE,
                              .gvr = core("configmaps"),
                              .namespace_ = S("team"),
                              .body = json(f, CONFIG("one"))};

    ask(f, &(struct kube_request){.verb = KUBE_CREATE,
                                  .gvr = core("namespaces"),
                                  .body = json(f, "{\"metadata\":{\"name\":\"team\"}}")});
    assert_int_equal(ask(f, &in).status, 201);
    struct answer going =
            ask(f, &(struct kube_request){
                           .verb = KUBE_DELETE, .gvr = core("namespaces"), .name = S("team")});
    assert_str(VAL_STR(going.object, "status", "phase"), S("Terminating"));
    turn_over(f, 50);
    in.verb = KUBE_GET;
    in.name = S("one");
    assert_int_equal(ask(f, &in).status, 404);
    assert_int_equal(ask(f, &(struct kube_request){.verb = KUBE_GET,
                                                   .gvr = core("namespaces"),
                                                   .name = S("team")})
                             .status,
                     404);
}

TEST(a_delete_of_another_uid_is_refused)
{
    struct fixture *f = *state;

    create(f, core("configmaps"), CONFIG("one"));
    struct answer answer = ask(f, &(struct kube_request){.verb = KUBE_DELETE,
                                                         .gvr = core("configmaps"),
                                                         .namespace_ = S("default"),
                                                         .name = S("one"),
                                                         .precondition_uid = S("not-this")});
    assert_int_equal(answer.status, 409);
    assert_int_equal(get(f, core("configmaps"), "one").status, 200);
}

/* ---- custom kinds ---- */

#define CRD                                                                                        \
    "{\"metadata\":{\"name\":\"foos.example.com\"},\"spec\":{\"group\":\"example.com\","           \
    "\"scope\":\"Namespaced\",\"names\":{\"plural\":\"foos\",\"kind\":\"Foo\"},\"versions\":[{"    \
    "\"name\":\"v1\",\"served\":true,\"storage\":true,\"subresources\":{\"status\":{}},"           \
    "\"schema\":{\"openAPIV3Schema\":{\"type\":\"object\",\"properties\":{\"spec\":{\"type\":"     \
    "\"object\",\"properties\":{\"size\":{\"type\":\"integer\",\"minimum\":1,\"default\":3}}},"    \
    "\"status\":{\"type\":\"object\",\"x-kubernetes-preserve-unknown-fields\":true}}}}}]}}"

static struct answer create_crd(struct fixture *f)
{
    return ask(f, &(struct kube_request){.verb = KUBE_CREATE,
                                         .gvr = {S("apiextensions.k8s.io"), S("v1"),
                                                 S("customresourcedefinitions")},
                                         .body = json(f, CRD)});
}

static const struct gvr foos = {S_INIT("example.com"), S_INIT("v1"), S_INIT("foos")};

TEST(a_definition_serves_its_kind_at_once_and_after_a_restart)
{
    struct fixture *f = *state;

    assert_int_equal(create_crd(f).status, 201);
    struct answer made = create(f, foos,
                                "{\"apiVersion\":\"example.com/v1\",\"kind\":\"Foo\",\"metadata\":"
                                "{\"name\":\"one\"},\"spec\":{\"bogus\":1},\"status\":{\"a\":1}}");
    assert_int_equal(made.status, 201);
    assert_int_equal(val_i64_or(VAL_AT(made.object, "spec", "size"), 0), 3); /* defaulted */
    assert_null(VAL_AT(made.object, "spec", "bogus"));                       /* pruned */
    assert_null(val_get(made.object, S("status"))); /* not by this endpoint */
    close_server(f);
    open_server(f);
    assert_int_equal(get(f, foos, "one").status, 200);
}

TEST(a_definition_takes_its_objects_along)
{
    struct fixture *f = *state;

    create_crd(f);
    create(f, foos,
           "{\"apiVersion\":\"example.com/v1\",\"kind\":\"Foo\",\"metadata\":{\"name\":\"one\"}}");
    ask(f, &(struct kube_request){
                   .verb = KUBE_DELETE,
                   .gvr = {S("apiextensions.k8s.io"), S("v1"), S("customresourcedefinitions")},
                   .name = S("foos.example.com")});
    turn_over(f, 50);
    assert_int_equal(get(f, foos, "one").status, 404);
    create_crd(f);
    assert_int_equal(get(f, foos, "one").status, 404);
}

/* ---- expiry ---- */

#define EVENT(name, time)                                                                          \
    "{\"metadata\":{\"name\":\"" name "\"},\"involvedObject\":{\"kind\":\"Pod\",\"namespace\":"    \
    "\"default\",\"name\":\"p\"},\"lastTimestamp\":\"" time "\"}"

TEST(events_go_an_hour_after_they_were_last_seen)
{
    struct fixture *f = *state;
    int64_t now_ms;

    assert_int_equal(create(f, core("events"), EVENT("old", "2026-01-01T10:00:00Z")).status, 201);
    assert_int_equal(create(f, core("events"), EVENT("new", "2026-01-01T10:30:00Z")).status, 201);
    assert_true(clock_parse(S("2026-01-01T11:10:00Z"), &now_ms));
    assert_false(expire_run(f->server, now_ms));
    assert_int_equal(get(f, core("events"), "old").status, 404);
    assert_int_equal(get(f, core("events"), "new").status, 200);
}

/* ---- crashes ---- */

TEST(what_was_acknowledged_survives_a_kill)
{
    struct fixture *f = *state;
    int out[2];
    size_t acknowledged = 0;
    char byte;

    close_server(f);
    assert_int_equal(pipe(out), 0);
    pid_t pid = fork();
    if (pid == 0) {
        open_server(f);
        for (int i = 0; i < 10000; i++) {
            char text[80];

            snprintf(text, sizeof(text), "{\"metadata\":{\"name\":\"c%d\"}}", i);
            if (create(f, core("configmaps"), text).status != 201 || write(out[1], ".", 1) != 1)
                _exit(1);
        }
        _exit(0);
    }
    close(out[1]);
    while (acknowledged < 200 && read(out[0], &byte, 1) == 1)
        acknowledged++;
    kill(pid, SIGKILL);
    while (read(out[0], &byte, 1) == 1)
        acknowledged++;
    close(out[0]);
    waitpid(pid, NULL, 0);

    open_server(f);
    for (size_t i = 0; i < acknowledged; i++) {
        char name[32];

        snprintf(name, sizeof(name), "c%zu", i);
        assert_int_equal(get(f, core("configmaps"), name).status, 200);
    }
}

/* The disk is full, as far as this process can tell. */
static void allow_writes(bool allowed)
{
    struct rlimit limit;

    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = allowed ? limit.rlim_max : 4096;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

TEST(a_commit_that_fails_fails_its_answers_and_ends_the_watches)
{
    struct fixture *f = *state;
    struct seen seen = {.wanted = 1};

    create_crd(f);
    struct answer made = create(f, core("configmaps"), CONFIG("before"));
    kube_watch(f->kube,
               &(struct kube_request){.verb = KUBE_WATCH,
                                      .gvr = core("configmaps"),
                                      .namespace_ = S("default"),
                                      .resource_version = object_resource_version(made.object)},
               on_event, on_watch_end, &seen);
    turn_over(f, 10);
    signal(SIGXFSZ, SIG_IGN);
    allow_writes(false);
    struct answer lost = create(f, core("configmaps"), CONFIG("lost"));
    allow_writes(true);
    assert_int_equal(lost.status, 500);
    assert_true(loop_run_until(f->loop, &seen.enough, 5000));
    assert_int_equal(seen.count, 1);
    assert_int_equal(seen.types[0], KUBE_EVENT_ERROR);

    assert_int_equal(get(f, core("configmaps"), "lost").status, 404);
    assert_int_equal(get(f, core("configmaps"), "before").status, 200);
    assert_int_equal(create(f, core("configmaps"), CONFIG("lost")).status, 201);
    assert_int_equal(create(f, foos,
                            "{\"apiVersion\":\"example.com/v1\",\"kind\":\"Foo\",\"metadata\":"
                            "{\"name\":\"one\"}}")
                             .status,
                     201);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
            CASE(an_object_is_created_once_and_read_back),
            CASE(what_is_not_there_is_404_with_its_name),
            CASE(an_update_with_an_old_version_is_a_conflict),
            CASE(a_write_that_changes_nothing_keeps_the_version),
            CASE(a_dry_run_changes_nothing_and_shows_the_live_version),
            CASE(a_list_goes_on_where_its_token_says),
            CASE(nothing_is_created_in_a_namespace_that_is_not_there),
            CASE(an_applied_field_that_leaves_the_patch_leaves_the_object),
            CASE(another_managers_field_is_a_conflict_unless_forced),
            CASE(a_watch_tells_what_happens_after_its_version),
            CASE(an_object_that_leaves_the_selector_is_deleted_to_its_watch),
            CASE(a_watch_from_before_the_history_is_told_410),
            CASE(dependents_go_with_their_owner),
            CASE(a_foreground_deletion_takes_the_dependents_first),
            CASE(orphans_stay_without_their_owner),
            CASE(a_finalizer_holds_an_object_until_it_is_taken_away),
            CASE(a_namespace_goes_with_all_that_is_in_it),
            CASE(a_delete_of_another_uid_is_refused),
            CASE(a_definition_serves_its_kind_at_once_and_after_a_restart),
            CASE(a_definition_takes_its_objects_along),
            CASE(events_go_an_hour_after_they_were_last_seen),
            CASE(what_was_acknowledged_survives_a_kill),
            CASE(a_commit_that_fails_fails_its_answers_and_ends_the_watches),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
