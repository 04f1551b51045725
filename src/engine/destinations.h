/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Destinations: which clusters there are, by name and by server: the home cluster, the sandbox, and
 * the cluster Secrets of the control namespace (PRODUCT section 1).
 */
#include "engine/app_spec.h"
#include "engine/cluster.h"

struct destinations;

struct destinations_options {
    struct kube *home;
    struct kube *sandbox; /* or NULL */
    bool home_is_cluster;
    str control_namespace;
};
struct destinations *destinations_new(const struct destinations_options *options,
                                      const struct cluster_events *events, void *owner);
void destinations_free(struct destinations *destinations);
bool destinations_is_complete(const struct destinations *destinations);

struct cluster *destinations_home(const struct destinations *destinations);
/* ERR_NOT_FOUND: no such cluster; ERR_FORBIDDEN: it is another project's. */
struct cluster *destinations_find(const struct destinations *destinations,
                                  const struct app_destination *destination, str project,
                                  struct err *err);
/* A retired cluster has no user any more: it is freed in a later turn. */
void destinations_sweep(struct destinations *destinations);
/* [{name, server, version, reachable, message}] */
struct val *destinations_list(const struct destinations *destinations, struct arena *arena);
