/* SPDX-License-Identifier: Apache-2.0 */
/* How many MB a second of processor time JSON and YAML are read at, on Kubernetes objects as a list
 * and as documents. */
#include "base/arena.h"
#include "base/buf.h"
#include "doc/json.h"
#include "doc/yaml.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { OBJECTS = 4000, ROUNDS = 5, MIB = 1024 * 1024 };

static void add_json(struct buf *out, int n)
{
    buf_addf(out,
             "%s{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\",\"metadata\":{\"name\":"
             "\"web-%d\",\"namespace\":\"shop\",\"uid\":\"0b1c%08d\",\"resourceVersion\":\"%d\","
             "\"labels\":{\"app\":\"web\",\"tier\":\"front\"},\"annotations\":{\"note\":"
             "\"a \\\"quoted\\\" word and a line\\nbreak\"}},\"spec\":{\"replicas\":%d,"
             "\"selector\":{\"matchLabels\":{\"app\":\"web\"}},\"template\":{\"metadata\":"
             "{\"labels\":{\"app\":\"web\"}},\"spec\":{\"containers\":[{\"name\":\"web\","
             "\"image\":\"registry.example/web:%d\",\"ports\":[{\"containerPort\":8080}],"
             "\"resources\":{\"limits\":{\"cpu\":\"500m\",\"memory\":\"128Mi\"}},\"env\":"
             "[{\"name\":\"LEVEL\",\"value\":\"info\"},{\"name\":\"ADDRESS\",\"value\":"
             "\"http://backend.shop.svc:8080/api\"}]}]}}}}",
             n > 0 ? "," : "", n, n, n, n % 7, n);
}

static void add_yaml(struct buf *out, int n)
{
    buf_addf(out,
             "---\napiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web-%d\n"
             "  namespace: shop\n  labels:\n    app: web\n    tier: front\n  annotations:\n"
             "    note: \"a \\\"quoted\\\" word\"\nspec:\n  replicas: %d\n  selector:\n"
             "    matchLabels:\n      app: web\n  template:\n    metadata:\n      labels:\n"
             "        app: web\n    spec:\n      containers:\n      - name: web\n"
             "        image: registry.example/web:%d\n        ports:\n"
             "        - containerPort: 8080\n        resources:\n          limits:\n"
             "            cpu: 500m\n            memory: 128Mi\n        env:\n"
             "        - name: LEVEL\n          value: info\n        - name: ADDRESS\n"
             "          value: http://backend.shop.svc:8080/api\n",
             n, n % 7, n);
}

static void die(const struct err *err)
{
    fprintf(stderr, "bench_doc: %s\n", err->message);
    exit(1);
}

static void parse_json(struct arena *arena, str text)
{
    struct err err = {0};
    struct val *value = NULL;

    if (!json_parse(arena, text, NULL, &value, &err))
        die(&err);
}

static void parse_yaml(struct arena *arena, str text)
{
    struct err err = {0};
    struct val **docs = NULL;
    size_t count = 0;
    const struct yaml_options options = {.dialect = YAML_11};

    if (!yaml_parse_all(arena, text, &options, &docs, &count, &err))
        die(&err);
    assert(count == OBJECTS);
}

/* Processor time, so that a busy machine measures the same. */
static int64_t cpu_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void measure(const char *name, str text, void (*parse)(struct arena *, str))
{
    int64_t best = INT64_MAX;
    size_t used = 0;

    for (int round = 0; round < ROUNDS; round++) {
        auto_arena struct arena *arena = arena_new((size_t)1024 * MIB);
        int64_t began = cpu_us();

        parse(arena, text);
        int64_t took = cpu_us() - began;
        best = took < best ? took : best;
        used = arena_used(arena);
    }
    printf("%s: %.1f MB/s\n", name, (double)text.len / (double)best);
    printf("%s, memory of the tree by the input: %.1f times\n", name,
           (double)used / (double)text.len);
}

int main(void)
{
    auto_buf struct buf json;
    auto_buf struct buf yaml;

    buf_init(&json, (size_t)64 * MIB);
    buf_init(&yaml, (size_t)64 * MIB);
    buf_add(&json, S("{\"items\":["));
    for (int n = 0; n < OBJECTS; n++) {
        add_json(&json, n);
        add_yaml(&yaml, n);
    }
    buf_add(&json, S("]}"));
    measure("JSON parse", buf_str(&json), parse_json);
    measure("YAML parse", buf_str(&yaml), parse_yaml);
    return 0;
}
