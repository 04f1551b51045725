/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Time and memory of Kustomize builds in process, from tree to bytes: the median of 20 after one
 * warm-up, for every folder given. One line each: folder, milliseconds, processor milliseconds,
 * bytes out, bytes read, peak growth of the process in KiB: of a build in a child of its own, above
 * that child after a build of three lines, so that the pages of libraries do not count. "a//b"
 * builds b of a tree whose root is a, as a repository's root is.
 *
 *   kustomize_bench FOLDER...
 */
#include "../fuzz/memory_tree.h"

#include "render/dir_tree.h"
#include "render/kustomize/kustomize.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { RUNS = 20 };

struct one {
    double ms;
    double cpu_ms;
    size_t bytes;
    size_t read;
    bool ok;
};

static double now_ms(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

struct reading {
    struct tree *tree;
    size_t bytes;
};

static void add_read(void *owner, str path, enum tree_read_how how, str identity)
{
    struct reading *reading = owner;
    struct err err = {0};
    str bytes = STR_EMPTY;

    (void)identity;
    if ((how & TREE_READ_CONTENT) != 0 && tree_read(reading->tree, path, &bytes, &err))
        reading->bytes += bytes.len;
}

static struct one build(const char *folder, bool counts)
{
    const char *cut = strstr(folder, "//");
    char root[4096] = "/";
    const char *path = cut == NULL ? folder + 1 : cut + 2;
    struct kustomize_options options = {.wants = KUSTOMIZE_WANTS_YAML, .no_load_restriction = true};
    struct kustomize_result result = {0};
    struct tree *tree = NULL;
    struct err err = {0};
    struct one one = {0};

    if (cut != NULL)
        (void)snprintf(root, sizeof(root), "%.*s", (int)(cut - folder), folder);
    double start = now_ms(CLOCK_MONOTONIC);
    double cpu = now_ms(CLOCK_PROCESS_CPUTIME_ID);
    if (!dir_tree_open(root, &tree, &err)) {
        fprintf(stderr, "%s\n", err.message);
        return one;
    }
    struct tree_set trees = {0};
    __typeof__(*trees.entries) entry = {.tree = tree};
    trees.entries = &entry;
    trees.count = 1;
    one.ok = kustomize_build(&trees, str_from(path), &options, &result, &err) == KUSTOMIZE_DONE;
    one.bytes = result.yaml.len;
    one.ms = now_ms(CLOCK_MONOTONIC) - start;
    one.cpu_ms = now_ms(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    if (!one.ok)
        fprintf(stderr, "%s: %s\n", folder, err.message);
    struct reading reading = {.tree = tree};
    if (counts)
        tree_reads_each(tree, add_read, &reading);
    one.read = reading.bytes;
    kustomize_result_done(&result);
    tree_free(tree);
    return one;
}

/* A build of everything that brings libraries into memory. */
static void warm_up(void)
{
    struct memory_tree *files = memory_tree_new();
    struct kustomize_options options = {.wants = KUSTOMIZE_WANTS_YAML};
    struct kustomize_result result = {0};
    struct tree_set trees = {0};
    __typeof__(*trees.entries) entry = {.tree = &files->tree};
    struct err err = {0};

    memory_tree_add(files, S("kustomization.yaml"),
                    S("configMapGenerator: [{name: c, literals: [a=b]}]\nnamePrefix: p-\n"
                      "patches: [{target: {name: c.*}, patch: '[{\"op\": \"add\", \"path\": "
                      "\"/x\", \"value\": 1}]'}]\n"));
    trees.entries = &entry;
    trees.count = 1;
    if (kustomize_build(&trees, STR_EMPTY, &options, &result, &err) != KUSTOMIZE_DONE)
        fprintf(stderr, "%s\n", err.message);
    kustomize_result_done(&result);
    tree_free(&files->tree);
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;

    return x < y ? -1 : x > y;
}

/* A line of /proc/self/status, in KiB. */
static long status_of(const char *name)
{
    FILE *f = fopen("/proc/self/status", "r");
    char line[256];
    long value = -1;

    while (f != NULL && fgets(line, sizeof(line), f) != NULL)
        if (strncmp(line, name, strlen(name)) == 0)
            (void)sscanf(line + strlen(name), ": %ld", &value);
    if (f != NULL)
        fclose(f);
    return value;
}

/* Sets the peak back to what is used now. */
static void forget_peak(void)
{
    FILE *f = fopen("/proc/self/clear_refs", "w");

    if (f == NULL)
        return;
    fputs("5", f);
    fclose(f);
}

/* Growth of the peak over an idle process, in KiB. */
static long peak_of(const char *folder)
{
    int status = 0;
    int channel[2];
    long grown = 0;

    if (pipe(channel) != 0)
        return -1;
    pid_t child = fork();
    if (child == 0) {
        warm_up();
        forget_peak();
        long idle = status_of("VmRSS");
        (void)build(folder, /*counts=*/false);
        grown = status_of("VmHWM") - idle;
        _exit(write(channel[1], &grown, sizeof(grown)) == sizeof(grown) ? 0 : 1);
    }
    waitpid(child, &status, 0);
    if (read(channel[0], &grown, sizeof(grown)) != sizeof(grown))
        grown = -1;
    close(channel[0]);
    close(channel[1]);
    return grown;
}

static double median(double *times)
{
    qsort(times, RUNS, sizeof(times[0]), compare);
    return times[RUNS / 2];
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        double times[RUNS];
        double cpu[RUNS];
        long peak = peak_of(argv[i]);
        struct one one = build(argv[i], /*counts=*/true);
        for (size_t r = 0; r < RUNS; r++) {
            struct one again = build(argv[i], /*counts=*/false);
            times[r] = again.ms;
            cpu[r] = again.cpu_ms;
        }
        printf("%s %.3f %.3f %zu %zu %ld\n", argv[i], median(times), median(cpu), one.bytes,
               one.read, peak);
        fflush(stdout);
    }
    return 0;
}
