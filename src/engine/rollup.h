/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Roll-up: rows of a comparison into the words of an application: health, sync status, and the
 * lists of its status.
 */
#include "engine/compare.h"

/* The worst over live, managed objects (spec/argocd.md 1.3.2); the message names up to three. */
struct health rollup_health(const struct compare *compare, struct arena *arena);
/* Unknown when something could not be found out, else OutOfSync when a counted row is. */
enum row_status rollup_sync(const struct compare *compare);
/* status.resources, sorted by group, kind, namespace, name. */
struct val rollup_resources(const struct compare *compare, struct arena *arena);
/* status.summary.images: of the live objects, sorted, each once. */
struct val rollup_images(const struct compare *compare, struct arena *arena);
