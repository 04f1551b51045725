/* SPDX-License-Identifier: Apache-2.0 */
/* Server-side apply: three Pods' specs with NULs between them are applied by three managers and
 * then by the first again. Whatever comes: applying the same twice changes nothing, and the sets
 * read back as they were written. */
#include "fuzz.h"

#include "doc/json.h"
#include "schema/managed.h"
#include "schema/validate.h"

#include <assert.h>

static const struct gvk pod = {S_INIT(""), S_INIT("v1"), S_INIT("Pod")};

static const struct val *applied(struct arena *arena, const struct val *live, str manager,
                                 const struct val *spec)
{
    struct managed_request request = {.type = type_builtin(pod),
                                      .gvk = pod,
                                      .manager = manager,
                                      .force = true,
                                      .now_ms = 1700000000000};
    struct managed_result result = {0};
    struct val patch = val_map();
    struct err err = {0};

    val_set_str(arena, &patch, S("apiVersion"), S("v1"));
    val_set_str(arena, &patch, S("kind"), S("Pod"));
    val_set(arena, &patch, S("spec"), *spec);
    if (!managed_apply(arena, &request, live, &patch, &result, &err)) {
        assert(err.message[0] != '\0');
        return live;
    }
    const struct val *object = result.object;
    if (arena_is_over(arena) || !managed_apply(arena, &request, object, &patch, &result, &err))
        return object;
    assert(val_eq(VAL_AT(object, "spec"), VAL_AT(result.object, "spec")) || val_count(spec) == 0);
    return object;
}

static void sets_go_round(struct arena *arena, const struct val *object)
{
    struct val_iter it = val_iter(VAL_AT(object, "metadata", "managedFields"));

    while (val_next(&it)) {
        struct fieldset *set = managed_entry_fields(arena, it.value);
        assert(set != NULL);
        struct val back = fieldset_format(arena, set);
        assert(val_eq(&back, val_get(it.value, S("fieldsV1"))));
    }
}

void fuzz_one(str input)
{
    static const str managers[] = {S_INIT("a"), S_INIT("b"), S_INIT("c"), S_INIT("a")};
    auto_arena struct arena *arena = arena_new(256 * LIMIT_MIB);
    const struct val *specs[3] = {NULL};
    const struct val *live = NULL;

    for (size_t i = 0; i < COUNT(specs); i++) {
        struct val *spec = NULL;
        size_t end = str_find_char(input, '\0');
        if (!json_parse(arena, str_first(input, end), NULL, &spec, NULL) || !val_is(spec, VAL_MAP))
            return;
        input = str_from_index(input, end == SIZE_MAX ? input.len : end + 1);
        specs[i] = spec;
    }
    for (size_t i = 0; i < COUNT(managers) && !arena_is_over(arena); i++)
        live = applied(arena, live, managers[i], specs[i % COUNT(specs)]);
    sets_go_round(arena, live);
    struct val *object = val_dup(arena, live == NULL ? specs[0] : live);
    struct val problems = val_list();
    validate_default_builtin(arena, pod, object);
    validate_normalise_builtin(arena, type_builtin(pod), object);
    validate_builtin(arena, pod, object, NULL, &problems);
    (void)validate_summary(arena, &problems);
}
