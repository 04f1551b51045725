/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/bootstrap.h"
#include "base/clock.h"
#include "base/mem.h"
#include "doc/hash.h"
#include "engine/engine.h"
#include <sys/random.h>

#define BOOTSTRAP_POLL_MS 200
#define INSTALLATION_BYTES 16

enum bootstrap_state {
    BOOT_LOOK_FOR_ARGOCD,
    BOOT_CRDS,
    BOOT_SERVED, /* until Applications and AppProjects can be listed */
    BOOT_NAMESPACE,
    BOOT_PROJECT,
    BOOT_MAKE_PROJECT,
    BOOT_SETTINGS,
    BOOT_WRITE_SETTINGS,
    BOOT_DONE,
};

struct bootstrap {
    struct kube *home;
    struct arena *arena;
    str control_namespace;
    enum bootstrap_state state;
    size_t crd;
    const struct val *crds;
    int64_t deadline_ms;
    struct kube_call *call;
    struct loop_timer *timer;
    str installation;
    bootstrap_done_fn *done;
    void *owner;
};

static const struct gvr configmaps = {S_INIT(""), S_INIT("v1"), S_INIT("configmaps")};
static const struct gvr namespaces = {S_INIT(""), S_INIT("v1"), S_INIT("namespaces")};
static const struct gvr crds = {S_INIT("apiextensions.k8s.io"), S_INIT("v1"),
                                S_INIT("customresourcedefinitions")};
static const struct gvr projects = {S_INIT("argoproj.io"), S_INIT("v1alpha1"),
                                    S_INIT("appprojects")};
static const struct gvr applications = {S_INIT("argoproj.io"), S_INIT("v1alpha1"),
                                        S_INIT("applications")};
static const struct gvr stateful_sets = {S_INIT("apps"), S_INIT("v1"), S_INIT("statefulsets")};

static void boot_answered(void *owner, struct kube_response *response);

static void boot_send(struct bootstrap *boot, const struct kube_request *request)
{
    boot->call = kube_start(boot->home, request, boot_answered, boot);
}

/* ---- the objects ---- */

static struct val *object_make(struct bootstrap *boot, const char *api_version, const char *kind,
                               str name)
{
    struct val *object = val_new(boot->arena, val_map());
    struct val *metadata;

    val_set_str(boot->arena, object, S("apiVersion"), str_from(api_version));
    val_set_str(boot->arena, object, S("kind"), str_from(kind));
    metadata = val_ensure_map(boot->arena, object, S("metadata"));
    val_set_str(boot->arena, metadata, S("name"), name);
    return object;
}

/* The project that permits everything, as Argo CD's. */
static const struct val *default_project(struct bootstrap *boot)
{
    struct arena *arena = boot->arena;
    struct val *project = object_make(boot, "argoproj.io/v1alpha1", "AppProject", S("default"));
    struct val *spec = val_ensure_map(arena, project, S("spec"));
    struct val destination = val_map();
    struct val kind = val_map();

    val_set_str(arena, val_get(project, S("metadata")), S("namespace"), boot->control_namespace);
    val_append(arena, val_ensure_list(arena, spec, S("sourceRepos")), val_string_borrow(S("*")));
    val_set_str(arena, &destination, S("server"), S("*"));
    val_set_str(arena, &destination, S("namespace"), S("*"));
    val_append(arena, val_ensure_list(arena, spec, S("destinations")), destination);
    val_set_str(arena, &kind, S("group"), S("*"));
    val_set_str(arena, &kind, S("kind"), S("*"));
    val_append(arena, val_ensure_list(arena, spec, S("clusterResourceWhitelist")), kind);
    return project;
}

static str random_id(struct arena *arena)
{
    char bytes[INSTALLATION_BYTES] = {0};

    /* Never fails for so few bytes once the kernel's pool is ready; it blocks until then. */
    if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
        abort();
    return hex_encode(arena, str_of(bytes, sizeof(bytes)));
}

/* ---- the requests of each state ---- */

static void boot_ask(struct bootstrap *boot)
{
    struct kube_request request = {.verb = KUBE_GET, .field_manager = S("taut")};
    struct val *body;

    switch (boot->state) {
    case BOOT_LOOK_FOR_ARGOCD:
        request.gvr = stateful_sets;
        request.namespace_ = boot->control_namespace;
        request.name = S("argocd-application-controller");
        break;
    case BOOT_CRDS:
        request.verb = KUBE_APPLY;
        request.gvr = crds;
        request.body = val_item(boot->crds, boot->crd);
        request.name = object_name(request.body);
        request.force = true;
        break;
    case BOOT_SERVED:
        request.verb = KUBE_LIST;
        request.gvr = boot->crd == 0 ? applications : projects;
        request.namespace_ = boot->control_namespace;
        request.limit = 1;
        break;
    case BOOT_NAMESPACE:
        request.verb = KUBE_APPLY;
        request.gvr = namespaces;
        request.name = boot->control_namespace;
        request.body = object_make(boot, "v1", "Namespace", boot->control_namespace);
        request.force = true;
        break;
    case BOOT_PROJECT:
        request.gvr = projects;
        request.namespace_ = boot->control_namespace;
        request.name = S("default");
        break;
    case BOOT_MAKE_PROJECT:
        request.verb = KUBE_CREATE;
        request.gvr = projects;
        request.namespace_ = boot->control_namespace;
        request.body = default_project(boot);
        break;
    case BOOT_SETTINGS:
        request.gvr = configmaps;
        request.namespace_ = boot->control_namespace;
        request.name = S("argocd-cm");
        break;
    case BOOT_WRITE_SETTINGS:
        request.verb = KUBE_APPLY;
        request.gvr = configmaps;
        request.namespace_ = boot->control_namespace;
        request.name = S("argocd-cm");
        body = object_make(boot, "v1", "ConfigMap", request.name);
        val_set_str(boot->arena, val_get(body, S("metadata")), S("namespace"),
                    boot->control_namespace);
        val_set_str(boot->arena,
                    val_ensure_map(boot->arena, val_get(body, S("metadata")), S("labels")),
                    S("app.kubernetes.io/part-of"), S("argocd"));
        val_set_str(boot->arena, val_ensure_map(boot->arena, body, S("data")), S("installationID"),
                    boot->installation);
        request.body = body;
        break;
    case BOOT_DONE:
        return;
    }
    boot_send(boot, &request);
}

/* ---- answers ---- */

static void boot_free(struct bootstrap *boot)
{
    kube_cancel(boot->call);
    loop_timer_free(boot->timer);
    arena_free(boot->arena);
    mem_free(boot);
}

static void boot_end(struct bootstrap *boot, const struct err *err)
{
    boot->done(boot->owner, boot->installation, err);
    boot_free(boot);
}

static void boot_fail(struct bootstrap *boot, const struct err *cause)
{
    struct err err = *cause;

    switch (boot->state) {
    case BOOT_CRDS:
    case BOOT_SERVED:
        err_wrap(&err, "the home cluster does not take Taut's CustomResourceDefinitions; a cluster "
                       "administrator can run: taut serve --print-crds | kubectl apply "
                       "--server-side -f -");
        break;
    case BOOT_LOOK_FOR_ARGOCD:
    case BOOT_NAMESPACE:
    case BOOT_PROJECT:
    case BOOT_MAKE_PROJECT:
    case BOOT_SETTINGS:
    case BOOT_WRITE_SETTINGS:
    case BOOT_DONE:
        err_wrap(&err, "preparing the control namespace '%.*s'", STR(boot->control_namespace));
        break;
    }
    boot_end(boot, &err);
}

static bool boot_is_beside_argocd(const struct bootstrap *boot,
                                  const struct kube_response *response)
{
    return boot->state == BOOT_LOOK_FOR_ARGOCD && response->ok &&
           val_i64_or(VAL_AT(response->object, "spec", "replicas"), 1) > 0;
}

static void boot_next(struct bootstrap *boot, const struct kube_response *response)
{
    switch (boot->state) {
    case BOOT_LOOK_FOR_ARGOCD:
        boot->state = BOOT_CRDS;
        break;
    case BOOT_CRDS:
        if (++boot->crd < val_count(boot->crds))
            break;
        boot->crd = 0;
        boot->state = BOOT_SERVED;
        boot->deadline_ms = clock_mono_ms() + LIMIT_BOOTSTRAP_SERVE_MS;
        break;
    case BOOT_SERVED:
        if (++boot->crd == 2)
            boot->state = BOOT_NAMESPACE;
        break;
    case BOOT_NAMESPACE:
        boot->state = BOOT_PROJECT;
        break;
    case BOOT_PROJECT:
        boot->state = response->ok ? BOOT_SETTINGS : BOOT_MAKE_PROJECT;
        break;
    case BOOT_MAKE_PROJECT:
        boot->state = BOOT_SETTINGS;
        break;
    case BOOT_SETTINGS:
        boot->installation =
                arena_str(boot->arena, VAL_STR(response->object, "data", "installationID"));
        boot->state = BOOT_DONE;
        if (response->ok && !str_is_empty(boot->installation))
            break;
        boot->installation = random_id(boot->arena);
        boot->state = BOOT_WRITE_SETTINGS;
        break;
    case BOOT_WRITE_SETTINGS:
        boot->state = BOOT_DONE;
        break;
    case BOOT_DONE:
        break;
    }
}

/* Absence is a good answer where something is looked for. */
static bool answer_is_fine(const struct bootstrap *boot, const struct kube_response *response)
{
    bool looks = boot->state == BOOT_LOOK_FOR_ARGOCD || boot->state == BOOT_PROJECT ||
                 boot->state == BOOT_SETTINGS;

    return response->ok || (looks && response->status == 404) ||
           (boot->state == BOOT_LOOK_FOR_ARGOCD && response->status == 403) ||
           (boot->state == BOOT_MAKE_PROJECT && response->status == 409);
}

static void boot_answered(void *owner, struct kube_response *response)
{
    struct bootstrap *boot = owner;
    struct err err;

    boot->call = NULL;
    if (boot_is_beside_argocd(boot, response)) {
        err_set(&err, ERR_CONFLICT,
                "an Argo CD controller runs in namespace '%.*s' of the home cluster: scale the "
                "StatefulSet argocd-application-controller to 0, or use another "
                "--control-namespace",
                STR(boot->control_namespace));
        boot_end(boot, &err);
        return;
    }
    if (!answer_is_fine(boot, response)) {
        if (boot->state == BOOT_SERVED && clock_mono_ms() < boot->deadline_ms)
            loop_timer_start(boot->timer, BOOTSTRAP_POLL_MS);
        else
            boot_fail(boot, &response->err);
        return;
    }
    boot_next(boot, response);
    if (boot->state == BOOT_DONE)
        boot_end(boot, NULL);
    else
        boot_ask(boot);
}

static void boot_tick(void *owner)
{
    boot_ask(owner);
}

struct bootstrap *bootstrap_start(struct kube *home, str control_namespace, bootstrap_done_fn *done,
                                  void *owner)
{
    struct bootstrap *boot = new0(struct bootstrap);

    boot->home = home;
    boot->arena = arena_new(LIMIT_BOOTSTRAP_ARENA);
    boot->control_namespace = arena_str(boot->arena, control_namespace);
    boot->crds = engine_crds(boot->arena);
    boot->timer = loop_timer_new(home->loop, "bootstrap", boot_tick, boot);
    boot->installation = STR_EMPTY;
    boot->done = done;
    boot->owner = owner;
    boot_ask(boot);
    return boot;
}

void bootstrap_cancel(struct bootstrap *boot)
{
    if (boot != NULL)
        boot_free(boot);
}
