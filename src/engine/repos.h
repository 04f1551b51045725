/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Repos: from a URL that an application names to the code repository and the credential that it may
 * use (PRODUCT section 1): repository Secrets of its own namespace first, then platform ones in the
 * control namespace whose project is empty or its own; never another team's.
 *
 * Secrets: values are read when they are needed and handed to source, which keeps them; nothing
 *          here keeps a credential's value.
 */
#include "engine/settings.h"
#include "source/source.h"

struct repos;
struct repos_wait;

/* One resolved repository, counted: it stays usable after repos forgot it. */
struct repo {
    int references;
    struct source_repo *source;
};
struct repo *repo_ref(struct repo *repo);
void repo_unref(struct repo *repo); /* NULL is fine */

typedef void repos_changed_fn(void *owner);

struct repos *repos_new(struct kube *home, struct source *source, const struct settings *settings,
                        str control_namespace, repos_changed_fn *changed, void *owner);
void repos_free(struct repos *repos); /* no wait may be left */
bool repos_is_complete(const struct repos *repos);

struct repos_request {
    str namespace_; /* of the application */
    str project;
    str url;
};
/* `repo` is borrowed: ref it to keep it. Exactly one of repo and err is set. */
typedef void repos_done_fn(void *owner, struct repo *repo, const struct err *err);
struct repos_wait *repos_resolve(struct repos *repos, const struct repos_request *request,
                                 repos_done_fn *done, void *owner);
void repos_cancel(struct repos_wait *wait); /* NULL is fine */
/* The credential may have changed (a fetch was refused): read it again next time. */
void repos_forget(struct repos *repos, const struct repos_request *request);
