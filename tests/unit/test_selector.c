/* SPDX-License-Identifier: Apache-2.0 */
#include "schema/selector.h"

#include "doc/json.h"
#include "schema/resource.h"

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

TEST(label_selectors_match_as_kubectl_expects)
{
    static const struct {
        const char *selector;
        bool matches;
    } rows[] = {
            {"", true},
            {"app=web", true},
            {"app==web", true},
            {" app = web ", true},
            {"app=other", false},
            {"app!=other", true},
            {"absent!=x", true},
            {"absent=x", false},
            {"app", true},
            {"!app", false},
            {"!absent", true},
            {"app in (web, api)", true},
            {"app in (api)", false},
            {"app notin (api,x)", true},
            {"absent notin (api)", true},
            {"example.com/tier=front,app in (web),!gone", true},
            {"example.com/tier=front,app=no", false},
            {"empty=", true},
            {"taut.dev/app", false},
    };
    struct val *labels = parse("{\"app\":\"web\",\"example.com/tier\":\"front\",\"empty\":\"\"}");

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct selector *selector = NULL;
        struct err err = {0};
        if (!selector_parse(arena, str_from(rows[i].selector), &selector, &err))
            fail_msg("%s: %s", rows[i].selector, err.message);
        if (selector_matches_labels(selector, labels) != rows[i].matches)
            fail_msg("%s", rows[i].selector);
    }
}

TEST(what_is_no_selector_is_refused)
{
    static const char *const bad[] = {"a b",     "a=b c", ",a",   "a,", "a in b",
                                      "a in (b", "a ~ b", "a=/b", "=x", "!",
                                      "a in",    "a(b)",  "/a=b", "-a", "a>1"};

    for (size_t i = 0; i < COUNT(bad); i++) {
        struct selector *selector = NULL;
        struct err err = {0};
        if (selector_parse(arena, str_from(bad[i]), &selector, &err))
            fail_msg("%s was taken", bad[i]);
        assert_true(strlen(err.message) > 10);
    }
}

TEST(an_object_selector_matches_and_reads_as_text)
{
    struct val *object =
            parse("{\"matchLabels\":{\"a\":\"b\"},\"matchExpressions\":[{\"key\":\"c\","
                  "\"operator\":\"In\",\"values\":[\"d\",\"e\"]},{\"key\":\"f\","
                  "\"operator\":\"DoesNotExist\"}]}");
    struct selector *selector = NULL;
    struct err err = {0};

    assert_ok(selector_of(arena, object, &selector, &err), err);
    assert_true(selector_matches_labels(selector, parse("{\"a\":\"b\",\"c\":\"e\"}")));
    assert_false(selector_matches_labels(selector, parse("{\"a\":\"b\"}")));
    assert_str(selector_text(arena, object), S("a=b,c in (d,e),!f"));
    assert_ok(selector_of(arena, NULL, &selector, &err), err);
    assert_false(selector_matches_labels(selector, parse("{}")));
    assert_ok(selector_of(arena, parse("{}"), &selector, &err), err);
    assert_true(selector_matches_labels(selector, NULL));
    assert_fails(selector_of(arena,
                             parse("{\"matchExpressions\":[{\"key\":\"a\",\"operator\":\"Is\"}]}"),
                             &selector, &err),
                 err, ERR_INVALID);
}

TEST(field_selectors_compare_values_at_paths)
{
    struct val *pod = parse("{\"metadata\":{\"name\":\"x\"},\"spec\":{\"nodeName\":\"n\"}}");
    struct selector *selector = NULL;
    struct err err = {0};

    assert_ok(selector_parse_fields(arena, S("metadata.name=x,spec.nodeName!=m"), &selector, &err),
              err);
    assert_true(selector_matches_fields(selector, pod));
    assert_str(selector_exact(selector, S("metadata.name")), S("x"));
    assert_str(selector_key(selector, 1), S("spec.nodeName"));
    assert_ok(selector_parse_fields(arena, S("status.phase==Running"), &selector, &err), err);
    assert_false(selector_matches_fields(selector, pod));
    assert_fails(selector_parse_fields(arena, S("metadata.name"), &selector, &err), err,
                 ERR_INVALID);
}

TEST(built_in_kinds_have_discovery_rows)
{
    const struct resource *row =
            resource_by_kind((struct gvk){S("apps"), S("v1"), S("Deployment")});

    assert_non_null(row);
    assert_str(row->plural, S("deployments"));
    assert_true(row->namespaced);
    assert_str(row->short_names[0], S("deploy"));
    assert_true(resource_has_verb(row, S("watch")));
    assert_str(resource_sub(row, S("scale"))->gvk.group, S("autoscaling"));
    assert_str(resource_sub(row, S("status"))->gvk.kind, S("Deployment"));
    assert_null(resource_sub(row, S("log")));
    row = resource_by_plural((struct gvr){STR_EMPTY, S("v1"), S("namespaces")});
    assert_false(row->namespaced);
    assert_str(resource_by_group_kind(S("autoscaling"), S("HorizontalPodAutoscaler"))->gvk.version,
               S("v2"));
    assert_null(resource_by_plural((struct gvr){STR_EMPTY, S("v1"), S("nothings")}));
    assert_true(resource_count() > 60);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(label_selectors_match_as_kubectl_expects),
            cmocka_unit_test(what_is_no_selector_is_refused),
            cmocka_unit_test(an_object_selector_matches_and_reads_as_text),
            cmocka_unit_test(field_selectors_compare_values_at_paths),
            cmocka_unit_test(built_in_kinds_have_discovery_rows),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
