/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Argo CD's source.kustomize, applied as `kustomize edit set` and `add` would edit the root's file:
 * prefix, suffix, images, replicas, labels, annotations, namespace, then patches and components.
 */
#include "render/kustomize/target.h"

bool overrides_apply(struct target *t, const struct val *overrides)
{
    if (overrides == NULL || val_count(overrides) == 0)
        return true;
    return build_fail(t->b, KUSTOMIZE_ERROR_UNSUPPORTED, "not supported yet: source.kustomize");
}
