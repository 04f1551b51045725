/* SPDX-License-Identifier: Apache-2.0 */
/* The simulated controllers on the embedded API server. */
#include "sandbox/sandbox.h"

#include "apiserver/embedded.h"
#include "base/clock.h"
#include "doc/json.h"

#include "test.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

struct world_under_test {
    struct loop *loop;
    struct apiserver *server;
    struct kube *kube;
    struct sandbox *sandbox;
    struct arena *arena;
    char path[64];
};

static int begin(void **state)
{
    struct world_under_test *t = calloc(1, sizeof(*t));
    struct err err = {0};

    (void)snprintf(t->path, sizeof(t->path), "/tmp/taut-sandbox-%d.db", (int)getpid());
    unlink(t->path);
    struct apiserver_options options = {
            .name = "sandbox", .path = t->path, .sync = SYNC_NORMAL, .kinds = APISERVER_SANDBOX};
    struct sandbox_options quick = {.speed = 20};
    t->arena = arena_new(512 * LIMIT_MIB);
    t->loop = loop_new();
    assert_ok(apiserver_new(t->loop, &options, &t->server, &err), err);
    t->kube = apiserver_kube(t->server);
    t->sandbox = sandbox_new(t->kube, &quick);
    *state = t;
    return 0;
}

static int end(void **state)
{
    struct world_under_test *t = *state;
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    char path[80];

    sandbox_free(t->sandbox);
    kube_free(t->kube);
    apiserver_free(t->server);
    loop_free(t->loop);
    arena_free(t->arena);
    for (size_t i = 0; i < COUNT(suffixes); i++) {
        (void)snprintf(path, sizeof(path), "%s%s", t->path, suffixes[i]);
        unlink(path);
    }
    free(t);
    return 0;
}

/* ---- calls that wait ---- */

struct answer {
    struct world_under_test *t;
    const struct val *object;
    bool ok;
    bool done;
    char message[LIMIT_ERR_MESSAGE];
};

static void answered(void *owner, struct kube_response *response)
{
    struct answer *a = owner;

    a->done = true;
    a->ok = response->ok;
    a->object = response->object == NULL ? NULL : val_dup(a->t->arena, response->object);
    (void)snprintf(a->message, sizeof(a->message), "%s", response->err.message);
}

static struct answer call(struct world_under_test *t, struct kube_request request)
{
    struct answer a = {.t = t};

    kube_start(t->kube, &request, answered, &a);
    assert_true(loop_run_until(t->loop, &a.done, 10000));
    return a;
}

static struct gvr gvr_of(const char *resource)
{
    bool apps = strstr(resource, "sets") != NULL || strcmp(resource, "deployments") == 0;

    if (strcmp(resource, "horizontalpodautoscalers") == 0)
        return (struct gvr){S("autoscaling"), S("v2"), str_from(resource)};
    if (strcmp(resource, "ingresses") == 0)
        return (struct gvr){S("networking.k8s.io"), S("v1"), str_from(resource)};
    str group = apps                                      ? S("apps")
                : strstr(resource, "jobs") != NULL        ? S("batch")
                : strcmp(resource, "endpointslices") == 0 ? S("discovery.k8s.io")
                                                          : STR_EMPTY;

    return (struct gvr){group, S("v1"), str_from(resource)};
}

static void create(struct world_under_test *t, const char *resource, const char *text)
{
    struct val *body = NULL;
    struct err err = {0};

    assert_ok(json_parse(t->arena, str_from(text), NULL, &body, &err), err);
    struct answer a = call(t, (struct kube_request){.verb = KUBE_CREATE,
                                                    .gvr = gvr_of(resource),
                                                    .namespace_ = S("default"),
                                                    .body = body});
    if (!a.ok)
        fail_msg("create %s: %s", resource, a.message);
}

static void patch(struct world_under_test *t, const char *resource, const char *name,
                  const char *text)
{
    struct val *body = NULL;
    struct err err = {0};

    assert_ok(json_parse(t->arena, str_from(text), NULL, &body, &err), err);
    struct answer a = call(t, (struct kube_request){.verb = KUBE_PATCH_MERGE,
                                                    .gvr = gvr_of(resource),
                                                    .namespace_ = S("default"),
                                                    .name = str_from(name),
                                                    .body = body});
    if (!a.ok)
        fail_msg("patch %s: %s", resource, a.message);
}

static const struct val *get(struct world_under_test *t, const char *resource, const char *name)
{
    struct answer a = call(t, (struct kube_request){.verb = KUBE_GET,
                                                    .gvr = gvr_of(resource),
                                                    .namespace_ = S("default"),
                                                    .name = str_from(name)});

    return a.ok ? a.object : NULL;
}

static const struct val *list(struct world_under_test *t, const char *resource)
{
    bool everywhere = strcmp(resource, "nodes") == 0;
    struct answer a =
            call(t, (struct kube_request){.verb = KUBE_LIST,
                                          .gvr = gvr_of(resource),
                                          .namespace_ = everywhere ? STR_EMPTY : S("default")});

    assert_true(a.ok);
    return val_get(a.object, S("items"));
}

typedef bool check_fn(struct world_under_test *t);

/* Until it holds, at most ten seconds. */
static void eventually(struct world_under_test *t, check_fn *check, const char *what)
{
    int64_t deadline = clock_mono_ms() + 10000;
    bool never = false;

    while (!check(t)) {
        if (clock_mono_ms() > deadline)
            fail_msg("never: %s\n%.*s", what, STR(json_text(t->arena, list(t, "pods"), 0)));
        (void)loop_run_until(t->loop, &never, 20);
    }
}

#define DEPLOYMENT(replicas, annotations)                                                          \
    "{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\",\"metadata\":{\"name\":\"web\"},"         \
    "\"spec\":{\"replicas\":" #replicas ",\"progressDeadlineSeconds\":10,\"selector\":{"           \
    "\"matchLabels\":{\"app\":\"web\"}},\"template\":{\"metadata\":{\"labels\":{\"app\":\"web\"}," \
    "\"annotations\":{" annotations "}},\"spec\":{\"containers\":[{\"name\":\"web\",\"image\":"    \
    "\"nginx:1\"}]}}}}"

static int64_t status_of(struct world_under_test *t, const char *resource, const char *name,
                         const char *field)
{
    return val_i64_or(VAL_AT(get(t, resource, name), "status", field), 0);
}

static bool three_available(struct world_under_test *t)
{
    return status_of(t, "deployments", "web", "availableReplicas") == 3 &&
           val_count(list(t, "pods")) == 3;
}

static bool second_image_runs(struct world_under_test *t)
{
    const struct val *pods = list(t, "pods");
    struct val_iter it = val_iter(pods);

    while (val_next(&it))
        if (!str_eq(val_get_str(val_item(VAL_AT(it.value, "spec", "containers"), 0), S("image")),
                    S("nginx:2")))
            return false;
    return val_count(pods) == 3 && status_of(t, "deployments", "web", "updatedReplicas") == 3 &&
           status_of(t, "deployments", "web", "availableReplicas") == 3;
}

static bool one_pod(struct world_under_test *t)
{
    return val_count(list(t, "pods")) == 1;
}

TEST(a_deployment_rolls_out_scales_and_keeps_its_revisions)
{
    struct world_under_test *t = *state;

    create(t, "deployments", DEPLOYMENT(3, ""));
    eventually(t, three_available, "three available");
    patch(t, "deployments", "web",
          "{\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"name\":\"web\",\"image\":"
          "\"nginx:2\"}]}}}}");
    eventually(t, second_image_runs, "the second image");
    const struct val *object = get(t, "deployments", "web");
    assert_str(object_annotation(object, S("deployment.kubernetes.io/revision")), S("2"));
    assert_int_equal(val_count(list(t, "replicasets")), 2);
    patch(t, "deployments", "web", "{\"spec\":{\"replicas\":1}}");
    eventually(t, one_pod, "one Pod");
}

static str waiting_reason(struct world_under_test *t)
{
    const struct val *pod = val_item(list(t, "pods"), 0);

    return VAL_STR(val_item(VAL_AT(pod, "status", "containerStatuses"), 0), "state", "waiting",
                   "reason");
}

static bool is_backing_off_pulls(struct world_under_test *t)
{
    return str_eq(waiting_reason(t), S("ImagePullBackOff"));
}

static bool is_crash_looping(struct world_under_test *t)
{
    return str_eq(waiting_reason(t), S("CrashLoopBackOff"));
}

static bool deadline_passed(struct world_under_test *t)
{
    struct val_iter it = val_iter(VAL_AT(get(t, "deployments", "web"), "status", "conditions"));

    while (val_next(&it))
        if (str_eq(val_get_str(it.value, S("reason")), S("ProgressDeadlineExceeded")))
            return true;
    return false;
}

static bool has_event(struct world_under_test *t, const char *reason)
{
    struct val_iter it = val_iter(list(t, "events"));

    while (val_next(&it))
        if (str_eq(val_get_str(it.value, S("reason")), str_from(reason)) &&
            str_eq(val_get_str(it.value, S("type")), S("Warning")))
            return true;
    return false;
}

TEST(an_image_that_cannot_be_pulled_looks_as_on_a_real_cluster)
{
    struct world_under_test *t = *state;

    create(t, "deployments", DEPLOYMENT(1, "\"sandbox.taut.dev/fail\":\"image-pull\""));
    eventually(t, is_backing_off_pulls, "ImagePullBackOff");
    assert_true(has_event(t, "Failed"));
    eventually(t, deadline_passed, "the progress deadline");
}

TEST(a_crashing_container_is_restarted_with_back_off)
{
    struct world_under_test *t = *state;

    create(t, "deployments", DEPLOYMENT(1, "\"sandbox.taut.dev/fail\":\"crash-loop\""));
    eventually(t, is_crash_looping, "CrashLoopBackOff");
    const struct val *pod = val_item(list(t, "pods"), 0);
    const struct val *status = val_item(VAL_AT(pod, "status", "containerStatuses"), 0);
    assert_true(val_i64_or(val_get(status, S("restartCount")), 0) >= 1);
    assert_str(VAL_STR(status, "lastState", "terminated", "reason"), S("Error"));
    assert_true(has_event(t, "BackOff"));
}

static bool is_unschedulable(struct world_under_test *t)
{
    const struct val *pod = val_item(list(t, "pods"), 0);
    const struct val *condition = val_item(VAL_AT(pod, "status", "conditions"), 0);

    return str_eq(val_get_str(condition, S("reason")), S("Unschedulable"));
}

TEST(a_pod_that_fits_nowhere_says_so)
{
    struct world_under_test *t = *state;

    create(t, "deployments", DEPLOYMENT(1, "\"sandbox.taut.dev/fail\":\"unschedulable\""));
    eventually(t, is_unschedulable, "Unschedulable");
    assert_true(has_event(t, "FailedScheduling"));
}

static bool stateful_ready(struct world_under_test *t)
{
    return status_of(t, "statefulsets", "db", "readyReplicas") == 2;
}

TEST(a_stateful_set_makes_numbered_pods_and_claims_in_order)
{
    struct world_under_test *t = *state;

    create(t, "statefulsets",
           "{\"apiVersion\":\"apps/v1\",\"kind\":\"StatefulSet\",\"metadata\":{\"name\":\"db\"},"
           "\"spec\":{\"replicas\":2,\"serviceName\":\"db\",\"selector\":{\"matchLabels\":{\"app\":"
           "\"db\"}},\"template\":{\"metadata\":{\"labels\":{\"app\":\"db\"}},\"spec\":{"
           "\"containers\":[{\"name\":\"db\",\"image\":\"pg:1\",\"volumeMounts\":[{\"name\":"
           "\"data\",\"mountPath\":\"/d\"}]}]}},\"volumeClaimTemplates\":[{\"metadata\":{\"name\":"
           "\"data\"},\"spec\":{\"accessModes\":[\"ReadWriteOnce\"],\"resources\":{\"requests\":{"
           "\"storage\":\"1Gi\"}}}}]}}");
    eventually(t, stateful_ready, "two ready");
    assert_non_null(get(t, "pods", "db-0"));
    assert_non_null(get(t, "pods", "db-1"));
    assert_str(VAL_STR(get(t, "persistentvolumeclaims", "data-db-1"), "status", "phase"),
               S("Bound"));
}

static bool job_complete(struct world_under_test *t)
{
    return status_of(t, "jobs", "once", "succeeded") == 1 &&
           VAL_AT(get(t, "jobs", "once"), "status", "completionTime") != NULL;
}

TEST(a_job_completes)
{
    struct world_under_test *t = *state;

    create(t, "jobs",
           "{\"apiVersion\":\"batch/"
           "v1\",\"kind\":\"Job\",\"metadata\":{\"name\":\"once\"},\"spec\":{"
           "\"template\":{\"spec\":{\"restartPolicy\":\"Never\",\"containers\":[{\"name\":\"c\","
           "\"image\":\"x\"}]}}}}");
    eventually(t, job_complete, "a complete Job");
}

static bool daemon_ready(struct world_under_test *t)
{
    return status_of(t, "daemonsets", "agent", "numberReady") == 1;
}

TEST(a_daemon_set_runs_on_the_node)
{
    struct world_under_test *t = *state;

    create(t, "daemonsets",
           "{\"apiVersion\":\"apps/v1\",\"kind\":\"DaemonSet\",\"metadata\":{\"name\":\"agent\"},"
           "\"spec\":{\"selector\":{\"matchLabels\":{\"app\":\"agent\"}},\"template\":{"
           "\"metadata\":{"
           "\"labels\":{\"app\":\"agent\"}},\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":"
           "\"x\"}]}}}}");
    eventually(t, daemon_ready, "one ready");
    assert_int_equal(val_count(list(t, "nodes")), 1);
}

/* The client works beside the loop: first it connects and asks, then the loop answers. */
static str ask(struct world_under_test *t, int64_t port)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char *text = arena_bytes(t->arena, 8192);
    size_t len = 0;
    bool never = false;

    assert_true(fd >= 0);
    if (connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0) {
        close(fd);
        return S("refused");
    }
    (void)!write(fd, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", 27);
    (void)loop_run_until(t->loop, &never, 100);
    for (ssize_t n = 1; n > 0 && len<8000; len += n> 0 ? (size_t)n : 0)
        n = recv(fd, text + len, 8000 - len, MSG_DONTWAIT);
    close(fd);
    return str_of(text, len);
}

static bool service_answers(struct world_under_test *t)
{
    const struct val *service = get(t, "services", "web");
    int64_t port = val_i64_or(VAL_AT(val_item(VAL_AT(service, "spec", "ports"), 0), "nodePort"), 0);
    str text = ask(t, port);

    return str_contains(text, S("200 OK")) && str_contains(text, S("sandbox")) &&
           str_contains(text, S("Ready Pods: 3"));
}

static bool service_is_silent(struct world_under_test *t)
{
    const struct val *service = get(t, "services", "web");
    int64_t port = val_i64_or(VAL_AT(val_item(VAL_AT(service, "spec", "ports"), 0), "nodePort"), 0);

    return str_is_empty(ask(t, port));
}

TEST(a_node_port_answers_while_a_pod_is_ready)
{
    struct world_under_test *t = *state;

    create(t, "deployments", DEPLOYMENT(3, ""));
    create(t, "services",
           "{\"apiVersion\":\"v1\",\"kind\":\"Service\",\"metadata\":{\"name\":\"web\"},\"spec\":{"
           "\"type\":\"NodePort\",\"selector\":{\"app\":\"web\"},\"ports\":[{\"port\":80}]}}");
    eventually(t, service_answers, "an answer");
    assert_int_equal(val_count(list(t, "endpointslices")), 1);
    assert_int_equal(val_count(val_get(val_item(list(t, "endpointslices"), 0), S("endpoints"))), 3);
    patch(t, "deployments", "web", "{\"spec\":{\"replicas\":0}}");
    eventually(t, service_is_silent, "a closed connection");
}

static bool has_account(struct world_under_test *t)
{
    return get(t, "serviceaccounts", "default") != NULL &&
           get(t, "configmaps", "kube-root-ca.crt") != NULL;
}

TEST(a_namespace_has_its_account_and_roots)
{
    struct world_under_test *t = *state;

    eventually(t, has_account, "the account");
}

static const struct val *first_job(struct world_under_test *t)
{
    return val_item(list(t, "jobs"), 0);
}

static bool cron_job_has_run(struct world_under_test *t)
{
    const struct val *status = val_get(get(t, "cronjobs", "nightly"), S("status"));

    return val_get(status, S("lastSuccessfulTime")) != NULL &&
           val_count(val_get(status, S("active"))) == 0;
}

TEST(a_cron_job_makes_the_job_that_is_due_and_tells_its_end)
{
    struct world_under_test *t = *state;

    create(t, "cronjobs",
           "{\"apiVersion\":\"batch/v1\",\"kind\":\"CronJob\",\"metadata\":{\"name\":\"nightly\"},"
           "\"spec\":{\"schedule\":\"* * * * *\",\"jobTemplate\":{\"metadata\":{\"labels\":{\"a\":"
           "\"b\"}},\"spec\":{\"template\":{\"spec\":{\"restartPolicy\":\"Never\",\"containers\":[{"
           "\"name\":\"work\",\"image\":\"job:1\"}]}}}}}}");
    /* as if it had last run long ago: the one that is due runs now, once */
    struct val *body = NULL;
    struct err err = {0};
    assert_ok(json_parse(t->arena,
                         S("{\"status\":{\"lastScheduleTime\":\"2020-01-01T00:00:00Z\"}}"), NULL,
                         &body, &err),
              err);
    assert_true(call(t, (struct kube_request){.verb = KUBE_PATCH_MERGE,
                                              .gvr = gvr_of("cronjobs"),
                                              .namespace_ = S("default"),
                                              .name = S("nightly"),
                                              .subresource = S("status"),
                                              .body = body})
                        .ok);
    eventually(t, cron_job_has_run, "the run");
    const struct val *job = first_job(t);
    assert_true(str_starts(object_name(job), S("nightly-")));
    assert_str(object_label(job, S("a")), S("b"));
    assert_str(val_get_str(val_item(VAL_AT(job, "metadata", "ownerReferences"), 0), S("kind")),
               S("CronJob"));
}

static bool ingress_has_address(struct world_under_test *t)
{
    const struct val *list_ =
            VAL_AT(get(t, "ingresses", "web"), "status", "loadBalancer", "ingress");

    return str_eq(val_get_str(val_item(list_, 0), S("ip")), S("127.0.0.1"));
}

TEST(an_ingress_is_given_an_address)
{
    struct world_under_test *t = *state;

    create(t, "ingresses",
           "{\"apiVersion\":\"networking.k8s.io/v1\",\"kind\":\"Ingress\",\"metadata\":{\"name\":"
           "\"web\"},\"spec\":{\"defaultBackend\":{\"service\":{\"name\":\"web\",\"port\":{"
           "\"number\":80}}}}}");
    eventually(t, ingress_has_address, "an address");
}

static bool scaler_is_settled(struct world_under_test *t)
{
    return val_i64_or(VAL_AT(get(t, "deployments", "web"), "spec", "replicas"), 0) == 2 &&
           status_of(t, "horizontalpodautoscalers", "web", "currentReplicas") == 2 &&
           status_of(t, "horizontalpodautoscalers", "web", "desiredReplicas") == 2;
}

TEST(an_autoscaler_keeps_to_its_bounds)
{
    struct world_under_test *t = *state;

    create(t, "deployments", DEPLOYMENT(1, ""));
    create(t, "horizontalpodautoscalers",
           "{\"apiVersion\":\"autoscaling/v2\",\"kind\":\"HorizontalPodAutoscaler\",\"metadata\":{"
           "\"name\":\"web\"},\"spec\":{\"minReplicas\":2,\"maxReplicas\":4,\"scaleTargetRef\":{"
           "\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\",\"name\":\"web\"}}}");
    eventually(t, scaler_is_settled, "two replicas");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test_setup_teardown(a_deployment_rolls_out_scales_and_keeps_its_revisions,
                                            begin, end),
            cmocka_unit_test_setup_teardown(
                    an_image_that_cannot_be_pulled_looks_as_on_a_real_cluster, begin, end),
            cmocka_unit_test_setup_teardown(a_crashing_container_is_restarted_with_back_off, begin,
                                            end),
            cmocka_unit_test_setup_teardown(a_pod_that_fits_nowhere_says_so, begin, end),
            cmocka_unit_test_setup_teardown(a_stateful_set_makes_numbered_pods_and_claims_in_order,
                                            begin, end),
            cmocka_unit_test_setup_teardown(a_job_completes, begin, end),
            cmocka_unit_test_setup_teardown(a_cron_job_makes_the_job_that_is_due_and_tells_its_end,
                                            begin, end),
            cmocka_unit_test_setup_teardown(an_ingress_is_given_an_address, begin, end),
            cmocka_unit_test_setup_teardown(an_autoscaler_keeps_to_its_bounds, begin, end),
            cmocka_unit_test_setup_teardown(a_daemon_set_runs_on_the_node, begin, end),
            cmocka_unit_test_setup_teardown(a_node_port_answers_while_a_pod_is_ready, begin, end),
            cmocka_unit_test_setup_teardown(a_namespace_has_its_account_and_roots, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
