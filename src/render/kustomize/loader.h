/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * loader: reads files for one kustomization, and finds the directories that it builds on.
 *
 * A file must lie at or below the kustomization's directory after links are followed, unless the
 * build lifts that; a directory may be anywhere in the tree, but never one that is being built.
 * Remote bases and http(s) files come from the trees that the caller gave; one that is not there
 * becomes a need of the result.
 */
#include "render/kustomize/build.h"

struct loader {
    const struct loader *referrer;
    struct tree *tree;
    str root;       /* in the tree, without links */
    str repository; /* the URL of a remote base as written, or at == NULL */
    bool restricted;
    bool is_remote; /* in a remote base's tree: always restricted */
};

enum load_outcome { LOAD_OK, LOAD_FAILED, LOAD_NEEDED };

MUST_USE bool loader_new(struct build *b, struct tree *tree, str path, struct loader *ret);
MUST_USE bool loader_read(struct build *b, const struct loader *l, str path, str *ret_bytes);
/* Is there such a file? Records the look. */
bool loader_has(struct build *b, const struct loader *l, str path);
/* The directory or repository that a resource names. LOAD_NEEDED: asked for, go on without. */
enum load_outcome loader_child(struct build *b, const struct loader *l, str path,
                               struct loader **ret);
bool is_remote_file(str path);

struct repo_spec {
    str host, repo_path, directory, ref;
};
/* Kustomize's grammar of Git URLs; false when it is none. */
bool repo_spec_parse(struct arena *arena, str url, struct repo_spec *ret);
str loader_file_name(struct build *b, const struct loader *l, str path); /* for messages */
