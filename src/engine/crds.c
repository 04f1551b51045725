/* SPDX-License-Identifier: Apache-2.0 */
#include "doc/json.h"
#include "engine/engine.h"

/* The definitions of data/crds, put into the binary by the build. */
extern const char crd_application[];
extern const size_t crd_application_size;
extern const char crd_appproject[];
extern const size_t crd_appproject_size;

const struct val *engine_crds(struct arena *arena)
{
    const str texts[] = {{crd_application, crd_application_size},
                         {crd_appproject, crd_appproject_size}};
    struct val *list = val_new(arena, val_list());

    for (size_t i = 0; i < COUNT(texts); i++) {
        struct val *crd;
        struct err err;

        if (json_parse(arena, texts[i], NULL, &crd, &err))
            val_append(arena, list, *crd);
    }
    return list;
}
