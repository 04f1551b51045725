/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/demo.h"
#include "base/log.h"
#include "cli/demo_sample.h"
#include "cli/demo_users.h"
#include "doc/hash.h"
#include "doc/json.h"
#include "io/listen.h"

struct demo {
    struct server server;
    struct arena *arena;
    str sample; /* folder of the sample repository */
    size_t step;
    bool was_there;
    struct demo_users *users;
};

/* What the first start applies, in this order. %s: the sample repository's URL, or the control
 * namespace. JSON, because the parser is at hand. */
static const struct {
    const char *group, *resource, *namespace_, *name, *text;
} objects[] = {
        {"", "namespaces", "", "demo",
         "{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"metadata\":{\"name\":\"demo\","
         "\"labels\":{\"kubesphere.io/devopsproject\":\"demo\"},"
         "\"annotations\":{\"kubesphere.io/description\":\"The samples of the demo\","
         "\"kubesphere.io/creator\":\"admin\"}}}"},
        {"argoproj.io", "appprojects", "CONTROL", "demo",
         "{\"apiVersion\":\"argoproj.io/v1alpha1\",\"kind\":\"AppProject\","
         "\"metadata\":{\"name\":\"demo\"},\"spec\":{\"sourceRepos\":[\"*\"],"
         "\"sourceNamespaces\":[\"demo\"],"
         "\"destinations\":[{\"name\":\"sandbox\",\"namespace\":\"*\"}],"
         "\"clusterResourceWhitelist\":[{\"group\":\"*\",\"kind\":\"*\"}]}}"},
        {"", "secrets", "demo", "repo-sample", NULL},
        {"argoproj.io", "applications", "demo", "shop", "auto"},
        {"argoproj.io", "applications", "demo", "blog", "manual"},
        {"argoproj.io", "applications", "demo", "worker", "auto"},
        {"argoproj.io", "applications", "demo", "typo", "manual"},
};

static str sample_url(struct demo *demo)
{
    return arena_join(demo->arena, S("file://"), demo->sample);
}

static struct val *repository(struct demo *demo)
{
    struct arena *arena = demo->arena;
    struct val *secret = val_new(arena, val_map());
    struct val *meta = val_ensure_map(arena, secret, S("metadata"));
    struct val *data = val_ensure_map(arena, secret, S("data"));

    val_set_str(arena, secret, S("apiVersion"), S("v1"));
    val_set_str(arena, secret, S("kind"), S("Secret"));
    val_set_str(arena, meta, S("name"), S("repo-sample"));
    val_set_str(arena, val_ensure_map(arena, meta, S("labels")),
                S("argocd.argoproj.io/secret-type"), S("repository"));
    val_set_str(arena, val_ensure_map(arena, meta, S("annotations")), S("taut.dev/provider"),
                S("git"));
    val_set_str(arena, data, S("type"), base64_encode(arena, S("git")));
    val_set_str(arena, data, S("name"), base64_encode(arena, S("sample")));
    val_set_str(arena, data, S("project"), base64_encode(arena, S("demo")));
    val_set_str(arena, data, S("url"), base64_encode(arena, sample_url(demo)));
    return secret;
}

static struct val *application(struct demo *demo, const char *name, bool is_auto)
{
    struct arena *arena = demo->arena;
    struct val *app = val_new(arena, val_map());
    struct val *meta = val_ensure_map(arena, app, S("metadata"));
    struct val *spec = val_ensure_map(arena, app, S("spec"));
    struct val *source = val_ensure_map(arena, spec, S("source"));
    struct val *to = val_ensure_map(arena, spec, S("destination"));
    struct val *policy = val_ensure_map(arena, spec, S("syncPolicy"));
    struct val *options = val_ensure_list(arena, policy, S("syncOptions"));

    val_set_str(arena, app, S("apiVersion"), S("argoproj.io/v1alpha1"));
    val_set_str(arena, app, S("kind"), S("Application"));
    val_set_str(arena, meta, S("name"), str_from(name));
    val_append(arena, val_ensure_list(arena, meta, S("finalizers")),
               val_string(arena, S("resources-finalizer.argocd.argoproj.io")));
    val_set_str(arena, spec, S("project"), S("demo"));
    val_set_str(arena, source, S("repoURL"), sample_url(demo));
    val_set_str(arena, source, S("path"), str_from(name));
    val_set_str(arena, source, S("targetRevision"), S("HEAD"));
    val_set_str(arena, to, S("name"), S("sandbox"));
    val_set_str(arena, to, S("namespace"), str_from(name));
    val_append(arena, options, val_string(arena, S("CreateNamespace=true")));
    val_append(arena, options, val_string(arena, S("PrunePropagationPolicy=foreground")));
    if (is_auto) {
        struct val *automated = val_ensure_map(arena, policy, S("automated"));
        val_set(arena, automated, S("prune"), val_bool(true));
        val_set(arena, automated, S("selfHeal"), val_bool(true));
    }
    return app;
}

static void tell(struct demo *demo)
{
    struct server *server = &demo->server;
    str url = server_url(server, demo->arena);
    const char *dir = server->dir;

    server_stage(server, demo->was_there ? "samples are there" : "samples");
    printf("\nTaut %s, the demo. Ctrl-C ends it; the data folder is %s\n\n", TAUT_VERSION, dir);
    if (server->plain != NULL)
        printf("  in a browser   http://127.0.0.1:%u/\n", http_server_port(server->plain));
    printf("                 user, password:\n%.*s\n", STR(demo_users_text(demo->users)));
    printf("  for kubectl    %.*s (contexts home, sandbox)\n", STR(server_kubeconfig_path(server)));
    printf("  its server     %.*s\n", STR(url));
    printf("  samples        %.*s\n\n", STR(demo->sample));
    printf("See them:  taut app list --devops demo\n\nThree things to try:\n");
    printf("  commit a new image tag\n    sed -i s/nginx:1.27/nginx:1.28/ %.*s/shop/web.yaml && "
           "git -C %.*s commit -qam 'New image'\n",
           STR(demo->sample), STR(demo->sample));
    printf("  scale by hand, and see it undone\n    kubectl --kubeconfig %.*s --context sandbox -n "
           "shop scale deployment web --replicas 5\n",
           STR(server_kubeconfig_path(server)));
    printf("  break it\n    sed -i 's/labels: {app: web}/labels: {app: web, "
           "sandbox.taut.dev\\/fail: crash-loop}/' %.*s/shop/web.yaml && git -C %.*s commit -qam "
           "'Break it'\n\n",
           STR(demo->sample), STR(demo->sample));
    fflush(stdout);
}

static void on_users(void *owner, const struct err *err)
{
    struct demo *demo = owner;

    if (err != NULL)
        server_fail(&demo->server, err);
    else
        tell(demo);
}

static void make_users(struct demo *demo)
{
    demo->users = demo_users_start(&demo->server, on_users, demo);
}

static void next_object(struct demo *demo);

static void on_applied(void *owner, struct kube_response *response)
{
    struct demo *demo = owner;

    demo->server.call = NULL;
    if (!response->ok) {
        err_wrap(&response->err, "making the demo's sample '%s'", objects[demo->step].name);
        server_fail(&demo->server, &response->err);
        return;
    }
    demo->step++;
    next_object(demo);
}

static const struct val *object_of(struct demo *demo, size_t i, struct err *err)
{
    struct val *parsed = NULL;

    if (objects[i].text == NULL)
        return repository(demo);
    if (objects[i].text[0] != '{')
        return application(demo, objects[i].name, str_eq(str_from(objects[i].text), S("auto")));
    return json_parse(demo->arena, str_from(objects[i].text), NULL, &parsed, err) ? parsed : NULL;
}

static void next_object(struct demo *demo)
{
    struct err err = {0};

    if (demo->step == COUNT(objects)) {
        make_users(demo);
        return;
    }
    str namespace_ = str_from(objects[demo->step].namespace_);
    if (str_eq(namespace_, S("CONTROL")))
        namespace_ = demo->server.options.control_namespace;
    str group = str_from(objects[demo->step].group);
    struct kube_request request = {
            .verb = KUBE_APPLY,
            .gvr = {group, group.len > 0 ? S("v1alpha1") : S("v1"),
                    str_from(objects[demo->step].resource)},
            .namespace_ = namespace_,
            .name = str_from(objects[demo->step].name),
            .field_manager = S("taut-demo"),
            .force = true,
            .body = object_of(demo, demo->step, &err),
    };
    if (request.body == NULL) {
        server_fail(&demo->server, &err);
        return;
    }
    demo->server.call = kube_start(demo->server.home, &request, on_applied, demo);
}

/* Samples that a person has deleted stay deleted. */
static void on_looked(void *owner, struct kube_response *response)
{
    struct demo *demo = owner;

    demo->server.call = NULL;
    demo->was_there = response->ok;
    if (response->ok)
        make_users(demo);
    else
        next_object(demo);
}

static void on_ready(struct server *server, void *owner)
{
    struct demo *demo = owner;
    struct kube_request request = {
            .verb = KUBE_GET, .gvr = {S(""), S("v1"), S("namespaces")}, .name = S("demo")};

    server->call = kube_start(server->home, &request, on_looked, demo);
}

int demo_run(struct cli *cli, struct server_options *options)
{
    auto_arena struct arena *arena = arena_new(4 * LIMIT_MIB);
    struct demo demo = {.arena = arena};
    struct err err = {0};

    options->next_port = true;
    options->show_stages = true;
    options->keeps_sign_ins = true;
    if (options->http.len == 0)
        options->http = S("127.0.0.1:9080");
    if (options->file_repos.len == 0)
        options->file_repos = options->data_dir;
    demo.sample = arena_join(arena, options->data_dir, S("/sample"));
    bool ok = server_open(&demo.server, options, &err);
    demo.server.ready = on_ready;
    demo.server.ready_owner = &demo;
    ok = ok && demo_sample_make(demo.server.loop, demo.sample, &err);
    if (ok)
        server_stage(&demo.server, "sample repository");
    ok = ok && server_run(&demo.server, &err);
    demo_users_free(demo.users);
    server_close(&demo.server);
    return ok ? CLI_OK : cli_fail(cli, &err);
}
