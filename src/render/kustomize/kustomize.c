/* SPDX-License-Identifier: Apache-2.0 */
#include "render/kustomize/kustomize.h"

enum kustomize_outcome kustomize_build(const struct tree_set *trees, str path,
                                       const struct kustomize_options *options,
                                       struct kustomize_result *ret_result, struct err *err)
{
    (void)trees;
    (void)options;
    *ret_result = (struct kustomize_result){.error_class = KUSTOMIZE_ERROR_UNSUPPORTED};
    err_set(err, ERR_UNSUPPORTED, "%.*s: Kustomize is not supported yet", STR(path));
    return KUSTOMIZE_FAILED;
}

void kustomize_result_done(struct kustomize_result *result)
{
    arena_free(result->arena);
    *result = (struct kustomize_result){0};
}
