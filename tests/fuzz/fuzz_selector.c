/* SPDX-License-Identifier: Apache-2.0 */
/* Selectors and field sets from hostile texts. */
#include "fuzz.h"

#include "doc/json.h"
#include "schema/fieldset.h"
#include "schema/selector.h"

#include <assert.h>

static void field_set(struct arena *arena, str input)
{
    struct val *v = NULL;
    struct fieldset *set = NULL;
    struct fieldset *again = NULL;

    if (!json_parse(arena, input, NULL, &v, NULL) || !fieldset_parse(arena, v, &set, NULL))
        return;
    struct val text = fieldset_format(arena, set);
    assert(fieldset_parse(arena, &text, &again, NULL));
    assert(fieldset_eq(set, again));
    assert(fieldset_is_empty(fieldset_difference(arena, set, again)));
    assert(fieldset_eq(fieldset_union(arena, set, again), set));
    assert(fieldset_eq(fieldset_intersection(arena, set, again), set));
}

void fuzz_one(str input)
{
    auto_arena struct arena *arena = arena_new(64 * LIMIT_MIB);
    struct selector *selector = NULL;
    struct val labels = val_map();
    struct val *object = NULL;
    struct err err = {0};

    val_set_str(arena, &labels, S("a"), S("b"));
    if (selector_parse(arena, input, &selector, &err))
        (void)selector_matches_labels(selector, &labels);
    else
        assert(err.message[0] != '\0');
    if (selector_parse_fields(arena, input, &selector, &err))
        (void)selector_matches_fields(selector, &labels);
    if (json_parse(arena, input, NULL, &object, NULL) &&
        selector_of(arena, object, &selector, &err))
        (void)selector_matches_labels(selector, &labels);
    field_set(arena, input);
}
