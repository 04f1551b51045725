/* SPDX-License-Identifier: Apache-2.0 */
/* Patches: two JSON texts, a document and a patch, with a NUL between them. A made merge patch
 * leads from the one to the other. */
#include "fuzz.h"

#include "doc/json.h"
#include "doc/json_patch.h"
#include "doc/merge_patch.h"
#include "doc/pointer.h"
#include "schema/strategic.h"

#include <assert.h>

static bool has_null(const struct val *v)
{
    struct val_iter it = val_iter(v);

    while (val_next(&it))
        if (val_is(it.value, VAL_NULL) || has_null(it.value))
            return true;
    return val_is(v, VAL_NULL);
}

void fuzz_one(str input)
{
    auto_arena struct arena *arena = arena_new(64 * LIMIT_MIB);
    struct val *document = NULL;
    struct val *patch = NULL;
    struct err err = {0};
    size_t middle = str_find_char(input, '\0');

    if (middle == SIZE_MAX || !json_parse(arena, str_first(input, middle), NULL, &document, NULL) ||
        !json_parse(arena, str_from_index(input, middle + 1), NULL, &patch, NULL))
        return;
    struct val *work = val_dup(arena, document);
    if (!json_patch_apply(arena, work, patch, &err))
        assert(err.message[0] != '\0');
    (void)json_text(arena, work, 0);

    work = val_dup(arena, document);
    merge_patch_apply(arena, work, patch);
    (void)json_text(arena, work, 0);
    if (!has_null(document) && !has_null(patch)) {
        struct val made = merge_patch_make(arena, document, patch);
        work = val_dup(arena, document);
        merge_patch_apply(arena, work, &made);
        assert(val_eq(work, patch));
    }
    work = val_dup(arena, document);
    if (!strategic_apply(arena, type_definition(S("io.k8s.api.core.v1.PodSpec")), work, patch,
                         &err))
        assert(err.message[0] != '\0');
    (void)json_text(arena, work, 0);
    struct val_iter it = val_iter(patch);
    while (val_next(&it)) {
        str pointer = val_str(it.value);
        if (pointer_get(document, pointer) != NULL)
            assert(pointer_is_valid(pointer));
    }
}
