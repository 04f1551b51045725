/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * App context: what an application may use of the engine around it. The engine fills it; tests fill
 * it with fakes.
 */
#include "engine/app_spec.h"
#include "engine/cluster.h"
#include "engine/project.h"
#include "engine/repos.h"
#include "engine/verdicts.h"

struct app;

struct app_context {
    struct loop *loop;
    struct kube *home;
    struct cluster *home_cluster;
    struct repos *repos;
    struct settings *settings;
    struct verdicts *verdicts;
    str control_namespace;
    str installation;
    struct project_home project_home;

    /* Projects, clusters and repositories are known: their lists have arrived. */
    bool (*is_ready)(void *owner);
    /* The AppProject, borrowed until the loop's next turn; NULL with an error for people. */
    const struct val *(*project)(void *owner, str name, struct err *err);
    struct cluster *(*cluster)(void *owner, const struct app_destination *destination, str project,
                               struct err *err);
    bool (*instance_exists)(void *owner, str instance);
    /* What `claimer` wants of other instances' objects, told anew by each comparison: begin, one
     * claim for each object, end. */
    void (*claims_begin)(void *owner, str claimer);
    void (*claim)(void *owner, str holder, str claimer, str object);
    void (*claims_end)(void *owner, str claimer);
    /* Sentences about others that claim this instance's objects. */
    void (*claims_each)(void *owner, str holder, void (*fn)(void *to, str sentence), void *to);
    /* The application's object was `was` and is `is`. */
    void (*object_changed)(void *owner, const struct val *was, const struct val *is);
    /* What memory knows of the application changed. */
    void (*told)(void *owner, const struct app *app);
    void *owner;
};

/* What of the home cluster the application's manifests may not touch; NULL: it is one of the
 * control namespace. */
const struct project_home *app_context_home(const struct app_context *context,
                                            const struct app_spec *spec);
