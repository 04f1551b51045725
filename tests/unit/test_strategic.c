/* SPDX-License-Identifier: Apache-2.0 */
#include "schema/strategic.h"

#include "doc/json.h"

#include "test.h"

static struct arena *arena;

static int setup(void **state UNUSED)
{
    arena = arena_new(64 * LIMIT_MIB);
    return 0;
}

static int teardown(void **state UNUSED)
{
    arena_free(arena);
    return 0;
}

static struct val *parse(const char *text)
{
    struct val *v = NULL;
    struct err err = {0};

    assert_ok(json_parse(arena, str_from(text), NULL, &v, &err), err);
    return v;
}

/* Rows of a Pod's spec. */
static const struct {
    const char *name, *from, *patch, *expected; /* expected NULL = refused */
} rows[] = {
        {"containers merge by name",
         "{\"containers\":[{\"name\":\"a\",\"image\":\"x:1\",\"tty\":true}]}",
         "{\"containers\":[{\"name\":\"a\",\"image\":\"x:2\"}]}",
         "{\"containers\":[{\"image\":\"x:2\",\"name\":\"a\",\"tty\":true}]}"},
        {"a new container goes before what the patch does not name",
         "{\"containers\":[{\"name\":\"a\"}]}", "{\"containers\":[{\"name\":\"b\"}]}",
         "{\"containers\":[{\"name\":\"b\"},{\"name\":\"a\"}]}"},
        {"an item is deleted", "{\"containers\":[{\"name\":\"a\"},{\"name\":\"b\"}]}",
         "{\"containers\":[{\"name\":\"a\",\"$patch\":\"delete\"}]}",
         "{\"containers\":[{\"name\":\"b\"}]}"},
        {"a list is replaced", "{\"containers\":[{\"name\":\"a\"},{\"name\":\"b\"}]}",
         "{\"containers\":[{\"$patch\":\"replace\"},{\"name\":\"c\"}]}",
         "{\"containers\":[{\"name\":\"c\"}]}"},
        {"an order is kept", "{\"containers\":[{\"name\":\"a\"},{\"name\":\"b\"}]}",
         "{\"$setElementOrder/containers\":[{\"name\":\"b\"},{\"name\":\"a\"}],\"containers\":["
         "{\"name\":\"a\",\"image\":\"x\"}]}",
         "{\"containers\":[{\"name\":\"b\"},{\"image\":\"x\",\"name\":\"a\"}]}"},
        {"an order alone", "{\"containers\":[{\"name\":\"a\"},{\"name\":\"b\"}]}",
         "{\"$setElementOrder/containers\":[{\"name\":\"b\"},{\"name\":\"a\"}]}",
         "{\"containers\":[{\"name\":\"b\"},{\"name\":\"a\"}]}"},
        {"an atomic list is replaced", "{\"tolerations\":[{\"key\":\"a\"}]}",
         "{\"tolerations\":[{\"key\":\"b\"}]}", "{\"tolerations\":[{\"key\":\"b\"}]}"},
        {"null deletes", "{\"nodeName\":\"x\",\"hostname\":\"y\"}", "{\"nodeName\":null}",
         "{\"hostname\":\"y\"}"},
        {"maps merge", "{\"nodeSelector\":{\"a\":\"1\",\"b\":\"2\"}}",
         "{\"nodeSelector\":{\"b\":null,\"c\":\"3\"}}",
         "{\"nodeSelector\":{\"a\":\"1\",\"c\":\"3\"}}"},
        {"keys are retained", "{\"volumes\":[{\"name\":\"v\",\"emptyDir\":{}}]}",
         "{\"volumes\":[{\"name\":\"v\",\"$retainKeys\":[\"name\",\"hostPath\"],\"hostPath\":"
         "{\"path\":\"/x\"}}]}",
         "{\"volumes\":[{\"hostPath\":{\"path\":\"/x\"},\"name\":\"v\"}]}"},
        {"a map is replaced", "{\"securityContext\":{\"runAsUser\":1}}",
         "{\"securityContext\":{\"$patch\":\"replace\",\"fsGroup\":2}}",
         "{\"securityContext\":{\"fsGroup\":2}}"},
        {"directives do not stay where nothing was", "{}",
         "{\"containers\":[{\"name\":\"a\"},{\"name\":\"b\",\"$patch\":\"delete\"}]}",
         "{\"containers\":[{\"name\":\"a\"}]}"},
        {"a merge key is needed", "{\"containers\":[{\"name\":\"a\"}]}",
         "{\"containers\":[{\"image\":\"x\"}]}", NULL},
        {"an unknown directive", "{\"securityContext\":{\"runAsUser\":1}}",
         "{\"securityContext\":{\"$patch\":\"spam\"}}", NULL},
};

TEST(strategic_patches_do_what_the_api_server_does)
{
    const struct type *type = type_definition(S("io.k8s.api.core.v1.PodSpec"));

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct val *v = parse(rows[i].from);
        struct err err = {0};
        bool ok = strategic_apply(arena, type, v, parse(rows[i].patch), &err);
        if (ok != (rows[i].expected != NULL))
            fail_msg("%s: %s", rows[i].name, ok ? "was applied" : err.message);
        if (ok)
            assert_str(json_text(arena, v, JSON_SORT_KEYS), str_from(rows[i].expected));
    }
}

TEST(primitive_lists_unite_and_lose_items)
{
    const struct type *type = type_definition(S("io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"));
    struct val *v = parse("{\"finalizers\":[\"a\",\"b\"]}");
    struct err err = {0};

    assert_ok(
            strategic_apply(arena, type, v,
                            parse("{\"finalizers\":[\"c\"],\"$deleteFromPrimitiveList/finalizers\":"
                                  "[\"a\"]}"),
                            &err),
            err);
    assert_str(json_text(arena, v, 0), S("{\"finalizers\":[\"c\",\"b\"]}"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(strategic_patches_do_what_the_api_server_does),
            cmocka_unit_test(primitive_lists_unite_and_lose_items),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
