/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Kustomize: `kustomize build` v5.8.1, in process, over trees, to the byte.
 *
 * Runs:  in the render process: no network, no credentials. Input is hostile.
 * Owner: the result's arena owns all of it; kustomize_result_done frees.
 */
#include "doc/val.h"
#include "git/tree.h"

/* The trees that a build may read. Entry 0 is the application's own; the others are remote bases
 * that an earlier round asked for. */
struct tree_set {
    struct {
        str url;
        str revision;
        struct tree *tree;
    } * entries;
    size_t count;
};

enum kustomize_outcome { KUSTOMIZE_DONE, KUSTOMIZE_NEEDS, KUSTOMIZE_FAILED };

enum kustomize_error_class {
    KUSTOMIZE_ERROR_NONE,
    KUSTOMIZE_ERROR_CONFIG,
    KUSTOMIZE_ERROR_LOAD,
    KUSTOMIZE_ERROR_YAML,
    KUSTOMIZE_ERROR_CYCLE,
    KUSTOMIZE_ERROR_CONFLICT,
    KUSTOMIZE_ERROR_TRANSFORM,
    KUSTOMIZE_ERROR_UNSUPPORTED,
    KUSTOMIZE_ERROR_LIMIT,
};

enum kustomize_wants {
    KUSTOMIZE_WANTS_ALL,
    KUSTOMIZE_WANTS_YAML,
    KUSTOMIZE_WANTS_OBJECTS,
    KUSTOMIZE_WANTS_FILES, /* objects, and the file that each goes to with --output DIRECTORY */
};

struct kustomize_variable {
    str name, value;
};

struct kustomize_options {
    enum kustomize_wants wants;
    bool no_load_restriction;    /* LoadRestrictionsNone */
    const struct val *overrides; /* Argo CD's source.kustomize, or NULL */
    str application;             /* for messages */
    /* Argo CD's build environment, for the overrides. A value of at == NULL is refused: a render is
     * kept as long as what it read stays the same, and does not know of it. */
    const struct kustomize_variable *environment;
    size_t environment_count;
};

struct kustomize_need {
    str url;      /* a Git repository, or an http(s) file when is_file */
    str revision; /* empty: HEAD */
    bool is_file;
};

struct kustomize_result {
    struct arena *arena;
    const struct val *const *objects; /* in output order */
    size_t object_count;
    const str *file_names; /* as many, when wanted */
    str yaml;              /* exactly what the command prints */
    char *text;            /* what yaml stands in */
    struct kustomize_need *needs;
    size_t need_count;
    const str *warnings;
    size_t warning_count;
    enum kustomize_error_class error_class;
};

enum kustomize_outcome kustomize_build(const struct tree_set *trees, str path,
                                       const struct kustomize_options *options,
                                       struct kustomize_result *ret_result, struct err *err);
void kustomize_result_done(struct kustomize_result *result);
