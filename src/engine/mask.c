/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/mask.h"
#include "schema/gvk.h"

#define MASK_SAME S("••• (same)")
#define MASK_CHANGED S("••• (changed)")

static const char *const secret_maps[] = {"data", "stringData"};

static void mask_map(struct arena *arena, struct val *map, const struct val *other)
{
    struct val_iter it = val_iter(map);

    while (val_next(&it)) {
        const struct val *counterpart = val_get(other, it.key);
        bool same = counterpart != NULL && val_eq(counterpart, it.value);

        val_set_str(arena, map, it.key, same ? MASK_SAME : MASK_CHANGED);
    }
}

static void mask_one(struct arena *arena, struct val *object, const struct val *other)
{
    struct gvk gvk;

    if (object == NULL)
        return;
    gvk = gvk_of(object);
    val_del(VAL_AT(object, "metadata", "annotations"),
            S("kubectl.kubernetes.io/last-applied-configuration"));
    if (!str_is_empty(gvk.group) || !str_eq(gvk.kind, S("Secret")))
        return;
    for (size_t i = 0; i < COUNT(secret_maps); i++)
        mask_map(arena, val_get(object, str_from(secret_maps[i])),
                 val_get(other, str_from(secret_maps[i])));
}

str mask_sentence(str group, str kind, int status, str sentence)
{
    if (!str_is_empty(group) || !str_eq(kind, S("Secret")) ||
        (status != 400 && status != 422 && status < 500))
        return sentence;
    return S(
            "the server refuses the content of this Secret; its own sentence is not shown, because "
            "it may repeat a value");
}

void mask_pair(struct arena *arena, struct val *live, struct val *wanted)
{
    /* Each is judged by the other as it was. */
    const struct val *live_was = live == NULL ? NULL : val_dup(arena, live);
    const struct val *wanted_was = wanted == NULL ? NULL : val_dup(arena, wanted);

    mask_one(arena, live, wanted_was);
    mask_one(arena, wanted, live_was);
}
