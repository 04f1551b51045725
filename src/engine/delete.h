/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Delete: what happens between an Application's deletionTimestamp and its end (PRODUCT section 4).
 *
 * With a cascade finalizer its live objects go first: each delete is written down before it is
 * sent and carries the uid; CustomResourceDefinitions, Namespaces that hold what is not going, and
 * objects with Delete=false are kept. The finalizer goes when nothing is left, judged from a
 * complete comparison alone.
 * Owner:  the app.
 */
#include "engine/app.h"

void deletion_start(struct app *app);
void deletion_free(struct deletion *deletion); /* NULL is fine */
void deletion_poke(struct deletion *deletion);
/* "Deleting, 12 of 27", or empty. */
str deletion_progress(const struct deletion *deletion, struct arena *arena);
