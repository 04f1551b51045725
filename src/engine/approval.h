/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Approval: objects with Prune=confirm or Delete=confirm go only after a person said so, by the
 * annotation argocd.argoproj.io/deletion-approved on the application: a time not before the
 * operation, or the deletion, began (spec/argocd.md 1.2.1).
 */
#include "engine/compare.h"

#define APPROVAL S("argocd.argoproj.io/deletion-approved")

/* `since` is RFC 3339; a time that cannot be read approves nothing. */
bool approval_is_given(const struct val *application, str since);
/* For status.resources: is either asked for, by the live object or by the wanted one? */
bool approval_is_needed(const struct row *row);
/* "waiting for pruning confirmation of apps/Deployment/web and 2 more resources" */
str approval_sentence(struct arena *arena, const char *what, const struct row *first, size_t count);
