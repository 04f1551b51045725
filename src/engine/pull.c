/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/pull.h"
#include "base/mem.h"
#include "engine/project.h"

struct pull {
    struct pull_request request;
    str revision;
    struct repos_wait *repos_wait;
    struct source_wait *source_wait;
    struct loop_task *fail;
    struct repo *repo;
    struct err err;
    pull_done_fn *done;
    void *owner;
};

static void pull_free(struct pull *pull)
{
    repos_cancel(pull->repos_wait);
    source_cancel(pull->source_wait);
    loop_task_free(pull->fail);
    repo_unref(pull->repo);
    cluster_keep(&pull->request.cluster, NULL);
    str_own_free(&pull->revision);
    mem_free(pull);
}

static void pull_end(struct pull *pull, const struct pull_result *result, const struct err *err)
{
    pull->done(pull->owner, result, err);
    pull_free(pull);
}

static void pull_fail(void *owner)
{
    struct pull *pull = owner;
    struct pull_result result = {.repo = pull->repo};

    pull_end(pull, &result, &pull->err);
}

static struct desired_options build_options(const struct app_context *context,
                                            const struct cluster *cluster)
{
    return (struct desired_options){.discovery = cluster_discovery(cluster),
                                    .home = cluster_discovery(context->home_cluster)};
}

uint64_t pull_generation(const struct app_context *context, const struct cluster *cluster)
{
    const struct desired_options options = build_options(context, cluster);

    return desired_generation(&options);
}

bool pull_still_holds(const struct app_context *context, const struct cluster *cluster,
                      struct desired *desired)
{
    const struct desired_options options = build_options(context, cluster);

    return desired_still_holds(desired, &options);
}

static bool pull_build(const struct pull_request *request, struct render_result *rendered,
                       struct desired **ret, struct err *err)
{
    struct desired_options options = build_options(request->context, request->cluster);

    options.spec = request->spec;
    options.mark = request->mark;
    return desired_build(rendered, &options, ret, err);
}

static bool pull_allows(void *owner, str url)
{
    struct pull *pull = owner;
    const struct app_context *context = pull->request.context;
    const struct val *project = context->project(context->owner, pull->request.spec->project, NULL);

    return project != NULL && project_permits_source(project, url, NULL);
}

static void pull_desired(void *owner, const struct source_desired *answer, const struct err *err)
{
    struct pull *pull = owner;
    struct pull_result result = {.repo = pull->repo};
    auto_desired struct desired *desired = NULL;

    pull->source_wait = NULL;
    if (err != NULL) {
        const struct app_spec *spec = pull->request.spec;
        struct repos_request forget = {spec->namespace_, spec->project, spec->repo_url};

        if (err->code == ERR_UNAUTHORIZED || err->code == ERR_FORBIDDEN)
            repos_forget(pull->request.context->repos, &forget);
        pull_end(pull, &result, err);
        return;
    }
    if (!pull_build(&pull->request, answer->result, &desired, &pull->err)) {
        pull_end(pull, &result, &pull->err);
        return;
    }
    result.desired = desired;
    pull_end(pull, &result, NULL);
}

static void pull_got_repo(void *owner, struct repo *repo, const struct err *err)
{
    struct pull *pull = owner;
    const struct app_spec *spec = pull->request.spec;
    struct source_request request = {
            .revision = pull->revision,
            .source = spec->source,
            .application = spec->name,
            .namespace_ = spec->destination.namespace_,
            .kube_version = discovery_server_version(cluster_discovery(pull->request.cluster)),
            .max_age_ms = pull->request.max_age_ms,
            .no_cache = pull->request.no_cache,
            .allows = pull_allows,
    };

    pull->repos_wait = NULL;
    if (err != NULL) {
        pull->err = *err;
        pull_fail(pull);
        return;
    }
    pull->repo = repo_ref(repo);
    pull->source_wait = source_desire(repo->source, &request, pull_desired, pull);
}

struct pull *pull_start(const struct pull_request *request, pull_done_fn *done, void *owner)
{
    struct pull *pull = new0(struct pull);
    const struct app_context *context = request->context;
    const struct app_spec *spec = request->spec;
    struct repos_request repos = {spec->namespace_, spec->project, spec->repo_url};
    const struct val *project;

    pull->request = *request;
    pull->request.cluster = NULL;
    cluster_keep(&pull->request.cluster, request->cluster);
    pull->revision = str_own(request->revision);
    pull->done = done;
    pull->owner = owner;
    pull->fail = loop_task_new(context->loop, "pull", pull_fail, pull);
    project = context->project(context->owner, spec->project, &pull->err);
    if (project == NULL || !project_permits_source(project, spec->repo_url, &pull->err))
        loop_task_post(pull->fail);
    else
        pull->repos_wait = repos_resolve(context->repos, &repos, pull_got_repo, pull);
    return pull;
}

void pull_cancel(struct pull *pull)
{
    if (pull != NULL)
        pull_free(pull);
}
