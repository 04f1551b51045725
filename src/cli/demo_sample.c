/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/demo_sample.h"
#include "base/arena.h"
#include "cli/paths.h"
#include "io/process.h"
#include <sys/stat.h>

const struct demo_file demo_files[] = {
        {"README.md", "The sample repository of Taut's demo: one folder a continuous deployment.\n"
                      "Change it, commit, and watch: taut app list --devops demo\n"},
        {"shop/web.yaml", "apiVersion: apps/v1\n"
                          "kind: Deployment\n"
                          "metadata:\n"
                          "  name: web\n"
                          "spec:\n"
                          "  replicas: 2\n"
                          "  selector:\n"
                          "    matchLabels: {app: web}\n"
                          "  template:\n"
                          "    metadata:\n"
                          "      labels: {app: web}\n"
                          "    spec:\n"
                          "      containers:\n"
                          "      - name: web\n"
                          "        image: nginx:1.27\n"
                          "        ports:\n"
                          "        - containerPort: 80\n"
                          "---\n"
                          "apiVersion: v1\n"
                          "kind: Service\n"
                          "metadata:\n"
                          "  name: web\n"
                          "spec:\n"
                          "  type: NodePort\n"
                          "  selector: {app: web}\n"
                          "  ports:\n"
                          "  - port: 80\n"},
        {"shop/settings.yaml", "apiVersion: v1\n"
                               "kind: ConfigMap\n"
                               "metadata:\n"
                               "  name: settings\n"
                               "data:\n"
                               "  greeting: hello\n"},
        {"blog/blog.yaml", "apiVersion: apps/v1\n"
                           "kind: Deployment\n"
                           "metadata:\n"
                           "  name: blog\n"
                           "spec:\n"
                           "  selector:\n"
                           "    matchLabels: {app: blog}\n"
                           "  template:\n"
                           "    metadata:\n"
                           "      labels: {app: blog}\n"
                           "    spec:\n"
                           "      containers:\n"
                           "      - name: blog\n"
                           "        image: ghost:5\n"},
        {"worker/worker.yaml", "apiVersion: apps/v1\n"
                               "kind: Deployment\n"
                               "metadata:\n"
                               "  name: worker\n"
                               "spec:\n"
                               "  progressDeadlineSeconds: 10\n"
                               "  selector:\n"
                               "    matchLabels: {app: worker}\n"
                               "  template:\n"
                               "    metadata:\n"
                               "      labels:\n"
                               "        app: worker\n"
                               "        sandbox.taut.dev/fail: image-pull\n"
                               "    spec:\n"
                               "      containers:\n"
                               "      - name: worker\n"
                               "        image: registry.example/worker:does-not-exist\n"},
        {"typo/config.yaml", "apiVersion: v1\n"
                             "kind: ConfigMap\n"
                             "metadata:\n"
                             "  name: config\n"
                             "data:\n"
                             "  mode: fast\n"
                             " colour: blue\n"},
};
const size_t demo_file_count = COUNT(demo_files);

struct git_run {
    bool done;
    bool ok;
    struct err err;
};

static void on_git(void *owner, const struct process_result *result)
{
    struct git_run *run = owner;

    run->done = true;
    run->ok = result->ok;
    run->err = result->err;
}

static bool git(struct loop *loop, const char *dir, const char *const *argv, struct err *err)
{
    static const char *const env[] = {"PATH=/usr/local/bin:/usr/bin:/bin",
                                      "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null",
                                      "HOME=/nonexistent", NULL};
    struct git_run run = {0};
    struct process *process = NULL;
    struct process_spec spec = {.name = "git",
                                .program = "/usr/bin/git",
                                .argv = argv,
                                .env = env,
                                .dir = dir,
                                .err_max = 4096,
                                .out_max = 4096,
                                .timeout_ms = 20000};

    if (!process_start(loop, &spec, on_git, &run, &process, err))
        return false;
    if (!loop_run_until(loop, &run.done, 25000)) {
        process_cancel(process);
        return err_set(err, ERR_TIMEOUT, "git does not end");
    }
    if (!run.ok)
        *err = run.err;
    return run.ok;
}

bool demo_sample_make(struct loop *loop, str dir, struct err *err)
{
    static const char *const runs[][8] = {
            {"git", "init", "-q", "-b", "main", ".", NULL},
            {"git", "config", "user.name", "demo", NULL},
            {"git", "config", "user.email", "demo@taut.example", NULL},
            {"git", "add", "-A", NULL},
            {"git", "commit", "-q", "-m", "The first version", NULL},
    };
    auto_arena struct arena *arena = arena_new(LIMIT_MIB);
    struct stat facts;

    if (stat(arena_z(arena, arena_join(arena, dir, S("/.git"))), &facts) == 0)
        return true;
    for (size_t i = 0; i < demo_file_count; i++) {
        str path = str_from(demo_files[i].path);
        size_t slash = str_rfind_char(path, '/');
        str folder = slash == SIZE_MAX
                             ? dir
                             : arena_printf(arena, "%.*s/%.*s", STR(dir), (int)slash, path.at);
        if (!path_make_dir(folder, err) ||
            !path_write_file(arena_printf(arena, "%.*s/%.*s", STR(dir), STR(path)),
                             str_from(demo_files[i].text), 0644, err))
            return false;
    }
    for (size_t i = 0; i < COUNT(runs); i++) {
        if (!git(loop, arena_z(arena, dir), runs[i], err))
            return err_wrap(err, "making the sample repository");
    }
    return true;
}
