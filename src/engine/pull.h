/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Pull: from an application and a revision to its desired set: project checks, repository and
 * credential, fetch, render, form. One unit of work; it tells once.
 *
 * Owner:  whoever started it; pull_cancel is legal until `done` ran.
 */
#include "engine/app_context.h"
#include "engine/desired.h"

struct pull;

struct pull_request {
    const struct app_context *context;
    const struct app_spec *spec; /* must live until done */
    const struct mark *mark;     /* likewise */
    struct cluster *cluster;
    str revision;       /* copied */
    int64_t max_age_ms; /* of the listing of refs; 0 = ask now */
    bool no_cache;
};

struct pull_result {
    struct desired *desired; /* borrowed: ref it to keep it */
    struct repo *repo;       /* likewise; also set when the render failed */
};

typedef void pull_done_fn(void *owner, const struct pull_result *result, const struct err *err);
struct pull *pull_start(const struct pull_request *request, pull_done_fn *done, void *owner);
/* What a set would be built with now (desired_generation). */
uint64_t pull_generation(const struct app_context *context, const struct cluster *cluster);
void pull_cancel(struct pull *pull); /* NULL is fine */
/* Is the set what a pull would build now from the same rendered one? */
bool pull_still_holds(const struct app_context *context, const struct cluster *cluster,
                      struct desired *desired);
