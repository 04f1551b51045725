/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bare loop of server-side applies through our own client: what delivery is measured against.
 *
 *   apply_bench KUBECONFIG NAMESPACE APPLICATIONS [IN_FLIGHT [dry]]
 *
 * Applies the four objects (ConfigMap, Secret, Service, Deployment) of so many applications into an
 * existing namespace, IN_FLIGHT requests at a time (default 32), and prints one line.
 */
#include "base/arena.h"
#include "base/clock.h"
#include "doc/yaml.h"
#include "kube/remote.h"

#include <stdio.h>
#include <sys/resource.h>

#define OBJECTS 4

struct bench {
    struct loop *loop;
    struct kube *kube;
    str namespace_;
    size_t total;
    size_t started;
    size_t over;
    size_t failed;
    bool dry;
    bool done;
    bool told;
};

static const struct part {
    const char *version;
    const char *group;
    const char *resource;
    const char *text;
} parts[OBJECTS] = {
        {"v1", "", "configmaps",
         "{apiVersion: v1, kind: ConfigMap, metadata: {name: app-%zu}, data: {a: b}}"},
        {"v1", "", "secrets",
         "{apiVersion: v1, kind: Secret, metadata: {name: app-%zu}, data: {a: Yg==}}"},
        {"v1", "", "services",
         "{apiVersion: v1, kind: Service, metadata: {name: app-%zu}, spec: {selector: {app: "
         "app-%zu}, ports: [{port: 80}]}}"},
        {"v1", "apps", "deployments",
         "{apiVersion: apps/v1, kind: Deployment, metadata: {name: app-%zu}, spec: {replicas: 0, "
         "selector: {matchLabels: {app: app-%zu}}, template: {metadata: {labels: {app: app-%zu}}, "
         "spec: {containers: [{name: main, image: 'example.com/app:1'}]}}}}"},
};

static void start_one(struct bench *bench);

static void on_done(void *owner, struct kube_response *response)
{
    struct bench *bench = owner;

    if (!response->ok) {
        bench->failed++;
        if (!bench->told)
            fprintf(stderr, "%s\n", response->err.message);
        bench->told = true;
    }
    bench->over++;
    bench->done = bench->over == bench->total;
    if (bench->started < bench->total)
        start_one(bench);
}

static void start_one(struct bench *bench)
{
    auto_arena struct arena *arena = arena_new(LIMIT_MIB);
    size_t index = bench->started++;
    size_t app = index / OBJECTS;
    const struct part *part = &parts[index % OBJECTS];
    struct yaml_options options = {.dialect = YAML_11};
    struct val *body = NULL;
    struct err err;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-extra-args"
    str text = arena_printf(arena, part->text, app, app, app);
#pragma GCC diagnostic pop
    if (!yaml_parse(arena, text, &options, &body, &err)) {
        fprintf(stderr, "%s\n", err.message);
        return;
    }
    struct kube_request request = {
            .verb = KUBE_APPLY,
            .gvr = {str_from(part->group), str_from(part->version), str_from(part->resource)},
            .namespace_ = bench->namespace_,
            .name = arena_printf(arena, "app-%zu", app),
            .body = body,
            .field_manager = S("bare"),
            .force = true,
            .dry_run = bench->dry,
    };
    kube_start(bench->kube, &request, on_done, bench);
}

int main(int argc, char **argv)
{
    auto_loop struct loop *loop = loop_new();
    auto_kubeconfig struct kubeconfig *config = NULL;
    auto_kube struct kube *kube = NULL;
    struct bench bench = {.loop = loop};
    struct rusage usage;
    uint64_t apps = 0;
    uint64_t in_flight = 32;
    struct err err;

    if (argc < 4 || !str_to_u64(str_from(argv[3]), &apps) || apps == 0 ||
        (argc > 4 && !str_to_u64(str_from(argv[4]), &in_flight))) {
        fprintf(stderr, "usage: apply_bench KUBECONFIG NAMESPACE APPLICATIONS [IN_FLIGHT [dry]]\n");
        return 2;
    }
    if (!kubeconfig_load(argv[1], STR_EMPTY, &config, &err) ||
        !kube_remote_new(loop, S("the cluster"), config, &kube, &err)) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    bench.kube = kube;
    bench.namespace_ = str_from(argv[2]);
    bench.total = (size_t)apps * OBJECTS;
    bench.dry = argc > 5;
    int64_t began = clock_mono_us();
    while (bench.started < bench.total && bench.started < in_flight)
        start_one(&bench);
    if (!loop_run_until(loop, &bench.done, 600000))
        fprintf(stderr, "gave up after 10 minutes\n");
    double seconds = (double)(clock_mono_us() - began) / 1e6;
    getrusage(RUSAGE_SELF, &usage);
    double cpu = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                 (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
    printf("{\"applies\": %zu, \"failed\": %zu, \"in_flight\": %d, \"seconds\": %.3f, "
           "\"per_second\": %.0f, \"cpu_seconds\": %.3f, \"peak_rss_kib\": %ld}\n",
           bench.over, bench.failed, (int)in_flight, seconds, (double)bench.over / seconds, cpu,
           usage.ru_maxrss);
    return bench.failed == 0 ? 0 : 1;
}
