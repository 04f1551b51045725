/* SPDX-License-Identifier: Apache-2.0 */
#include "schema/managed.h"

#include "doc/json.h"

#include "test.h"

static struct arena *arena;

static int setup(void **state UNUSED)
{
    arena = arena_new(256 * LIMIT_MIB);
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

static str text_of(const struct val *v)
{
    return json_text(arena, v, JSON_SORT_KEYS);
}

#define DEPLOYMENT(spec)                                                                           \
    "{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\",\"metadata\":{\"name\":\"web\","          \
    "\"namespace\":\"shop\"},\"spec\":" spec "}"
#define CONTAINERS(list) DEPLOYMENT("{\"template\":{\"spec\":{\"containers\":[" list "]}}}")

static struct managed_request request_for(const char *manager, bool force)
{
    return (struct managed_request){
            .type = type_builtin((struct gvk){S("apps"), S("v1"), S("Deployment")}),
            .gvk = {S("apps"), S("v1"), S("Deployment")},
            .manager = str_from(manager),
            .force = force,
            .now_ms = 1700000000000,
    };
}

static struct val *apply(const struct val *live, const char *manager, bool force, const char *patch)
{
    struct managed_request request = request_for(manager, force);
    struct managed_result result = {0};
    struct err err = {0};

    assert_ok(managed_apply(arena, &request, live, parse(patch), &result, &err), err);
    return result.object;
}

static str apply_error(const struct val *live, const char *manager, const char *patch,
                       enum err_code code)
{
    struct managed_request request = request_for(manager, false);
    struct managed_result result = {0};
    struct err err = {0};

    assert_fails(managed_apply(arena, &request, live, parse(patch), &result, &err), err, code);
    return arena_str(arena, err_message(&err));
}

static str fields_of(const struct val *object, const char *manager, const char *operation)
{
    const struct val *entry =
            managed_find(object, str_from(manager), str_from(operation), STR_EMPTY);

    return entry == NULL ? S("none") : text_of(val_get(entry, S("fieldsV1")));
}

TEST(the_types_of_built_in_kinds_know_their_lists)
{
    const struct type *deployment = type_builtin((struct gvk){S("apps"), S("v1"), S("Deployment")});
    assert_non_null(deployment);
    const struct type *pod = type_definition(S("io.k8s.api.core.v1.PodSpec"));
    const struct type *containers = type_member(pod, S("containers"));
    const struct type *ports = type_member(containers->element, S("ports"));

    assert_int_equal(containers->list, TYPE_LIST_MAP);
    assert_str(containers->keys[0], S("name"));
    assert_int_equal(ports->key_count, 2);
    assert_str(val_str(type_field(ports->element, S("protocol"))->default_value), S("TCP"));
    assert_str(type_field(pod, S("containers"))->merge_key, S("name"));
    assert_true(type_member(pod, S("nodeSelector"))->atomic);
    assert_int_equal(type_member(pod, S("tolerations"))->list, TYPE_LIST_ATOMIC);
    assert_null(type_builtin((struct gvk){S("apps"), S("v1"), S("Nothing")}));
}

TEST(fields_v1_goes_in_and_out_unchanged)
{
    const char *const text =
            "{\"f:metadata\":{\"f:labels\":{\".\":{},\"f:a\":{}}},\"f:spec\":{\"f:containers\":"
            "{\"k:{\\\"name\\\":\\\"app\\\"}\":{\".\":{},\"f:ports\":{\"k:{\\\"containerPort\\\":"
            "80,"
            "\\\"protocol\\\":\\\"TCP\\\"}\":{}}}},\"f:finalizers\":{\"v:\\\"x\\\"\":{}},"
            "\"f:list\":{\"i:2\":{}}}}";
    struct fieldset *set = NULL;
    struct err err = {0};

    assert_ok(fieldset_parse(arena, parse(text), &set, &err), err);
    struct val back = fieldset_format(arena, set);
    assert_str(text_of(&back), text_of(parse(text)));
    assert_int_equal(fieldset_count(set), 6);
    assert_fails(fieldset_parse(arena, parse("{\"x:a\":{}}"), &set, &err), err, ERR_INVALID);
    assert_fails(fieldset_parse(arena, parse("{\"k:[]\":{}}"), &set, &err), err, ERR_INVALID);
}

TEST(sets_unite_intersect_and_differ)
{
    struct fieldset *a = NULL;
    struct fieldset *b = NULL;

    assert_true(fieldset_parse(
            arena, parse("{\"f:a\":{\".\":{},\"f:b\":{},\"f:c\":{}},\"f:x\":{}}"), &a, NULL));
    assert_true(
            fieldset_parse(arena, parse("{\"f:a\":{\"f:c\":{}},\"f:x\":{},\"f:y\":{}}"), &b, NULL));
    struct val out = fieldset_format(arena, fieldset_union(arena, a, b));
    assert_str(text_of(&out),
               S("{\"f:a\":{\".\":{},\"f:b\":{},\"f:c\":{}},\"f:x\":{},\"f:y\":{}}"));
    out = fieldset_format(arena, fieldset_intersection(arena, a, b));
    assert_str(text_of(&out), S("{\"f:a\":{\"f:c\":{}},\"f:x\":{}}"));
    out = fieldset_format(arena, fieldset_difference(arena, a, b));
    assert_str(text_of(&out), S("{\"f:a\":{\".\":{},\"f:b\":{}}}"));
    out = fieldset_format(arena, fieldset_recursive_difference(arena, b, a));
    assert_str(text_of(&out), S("{\"f:y\":{}}"));
}

TEST(applying_owns_what_it_sets)
{
    struct val *object =
            apply(NULL, "taut", false,
                  DEPLOYMENT("{\"replicas\":2,\"selector\":{\"matchLabels\":{\"a\":\"b\"}},"
                             "\"template\":{\"metadata\":{\"labels\":{\"a\":\"b\"}},\"spec\":"
                             "{\"containers\":[{\"name\":\"app\",\"image\":\"x:1\",\"ports\":"
                             "[{\"containerPort\":80}]}]}}}"));

    assert_str(fields_of(object, "taut", "Apply"),
               S("{\"f:spec\":{\"f:replicas\":{},\"f:selector\":{},\"f:template\":{\"f:metadata\":"
                 "{\"f:labels\":{\"f:a\":{}}},\"f:spec\":{\"f:containers\":{\"k:{\\\"name\\\":"
                 "\\\"app\\\"}\":{\".\":{},\"f:image\":{},\"f:name\":{},\"f:ports\":{\"k:{"
                 "\\\"containerPort\\\":80,\\\"protocol\\\":\\\"TCP\\\"}\":{\".\":{},"
                 "\"f:containerPort\":{}}}}}}}}}"));
    assert_str(VAL_STR(val_item(VAL_AT(object, "metadata", "managedFields"), 0), "time"),
               S("2023-11-14T22:13:20Z"));
}

TEST(a_container_that_is_no_longer_applied_goes)
{
    struct val *object = apply(NULL, "taut", false,
                               CONTAINERS("{\"name\":\"app\",\"image\":\"x:1\"},"
                                          "{\"name\":\"side\",\"image\":\"y:1\"}"));

    object = apply(object, "taut", false, CONTAINERS("{\"name\":\"app\",\"image\":\"x:2\"}"));
    assert_str(
            text_of(VAL_AT(object, "spec")),
            S("{\"template\":{\"spec\":{\"containers\":[{\"image\":\"x:2\",\"name\":\"app\"}]}}}"));
}

TEST(what_another_manager_owns_as_well_stays)
{
    struct val *object = apply(NULL, "taut", false, DEPLOYMENT("{\"replicas\":2,\"paused\":true}"));

    object = apply(object, "other", false, DEPLOYMENT("{\"replicas\":2}"));
    object = apply(object, "taut", false, DEPLOYMENT("{\"minReadySeconds\":5}"));
    assert_str(text_of(VAL_AT(object, "spec")), S("{\"minReadySeconds\":5,\"replicas\":2}"));
    assert_str(fields_of(object, "other", "Apply"), S("{\"f:spec\":{\"f:replicas\":{}}}"));
}

TEST(a_conflict_names_manager_and_field)
{
    struct val *object = apply(NULL, "kubectl", false, DEPLOYMENT("{\"replicas\":2}"));
    struct managed_request request = request_for("taut", false);
    struct managed_result result = {0};
    struct err err = {0};

    assert_fails(managed_apply(arena, &request, object, parse(DEPLOYMENT("{\"replicas\":3}")),
                               &result, &err),
                 err, ERR_CONFLICT);
    assert_string_equal(err.message,
                        "Apply failed with 1 conflict: conflict with \"kubectl\": .spec.replicas");
    assert_str(text_of(result.causes),
               S("[{\"field\":\".spec.replicas\",\"message\":\"conflict with \\\"kubectl\\\"\","
                 "\"reason\":\"FieldManagerConflict\"}]"));

    object = apply(object, "taut", true, DEPLOYMENT("{\"replicas\":3}"));
    assert_str(fields_of(object, "kubectl", "Apply"), S("none"));
    assert_int_equal(val_i64_or(VAL_AT(object, "spec", "replicas"), 0), 3);
}

TEST(an_update_owns_what_it_changed_and_takes_it_from_others)
{
    struct val *live = apply(NULL, "taut", false, DEPLOYMENT("{\"replicas\":2,\"paused\":true}"));
    struct val *object = val_dup(arena, live);
    struct managed_request request = request_for("kubectl", false);

    val_set(arena, val_get(object, S("spec")), S("replicas"), val_int(arena, 5));
    val_set_str(arena, val_ensure_map(arena, val_get(object, S("metadata")), S("labels")), S("a"),
                S("b"));
    managed_update(arena, &request, live, object);
    assert_str(fields_of(object, "taut", "Apply"), S("{\"f:spec\":{\"f:paused\":{}}}"));
    assert_str(fields_of(object, "kubectl", "Update"),
               S("{\"f:metadata\":{\"f:labels\":{\".\":{},\"f:a\":{}}},\"f:spec\":"
                 "{\"f:replicas\":{}}}"));
    assert_str(apply_error(object, "taut", DEPLOYMENT("{\"replicas\":2,\"paused\":true}"),
                           ERR_CONFLICT),
               S("Apply failed with 1 conflict: conflict with \"kubectl\" using apps/v1: "
                 ".spec.replicas"));
}

TEST(several_conflicts_are_listed_by_manager)
{
    struct val *live = apply(NULL, "b", false, DEPLOYMENT("{\"replicas\":2,\"paused\":true}"));
    live = apply(live, "a", false, DEPLOYMENT("{\"minReadySeconds\":2}"));
    assert_str(apply_error(live, "taut",
                           DEPLOYMENT("{\"replicas\":1,\"paused\":false,\"minReadySeconds\":1}"),
                           ERR_CONFLICT),
               S("Apply failed with 3 conflicts: conflicts with \"a\":\n- .spec.minReadySeconds\n"
                 "conflicts with \"b\":\n- .spec.paused\n- .spec.replicas"));
}

TEST(applying_the_same_again_changes_nothing)
{
    const char *const patch = CONTAINERS("{\"name\":\"app\",\"image\":\"x:1\"}");
    struct val *object = apply(NULL, "taut", false, patch);
    struct managed_request request = request_for("taut", true);
    struct managed_result result = {0};
    struct err err = {0};

    request.now_ms += 60000;
    assert_ok(managed_apply(arena, &request, object, parse(patch), &result, &err), err);
    assert_false(result.changed);
    assert_true(val_eq(result.object, object));
}

TEST(wrong_patches_are_told_in_the_servers_words)
{
    assert_str(apply_error(NULL, "taut", DEPLOYMENT("{\"replica\":2}"), ERR_INTERNAL),
               S("failed to create typed patch object (shop/web; apps/v1, Kind=Deployment): "
                 ".spec.replica: field not declared in schema"));
    assert_str(apply_error(NULL, "taut", DEPLOYMENT("{\"replicas\":\"2\"}"), ERR_INTERNAL),
               S("failed to create typed patch object (shop/web; apps/v1, Kind=Deployment): "
                 ".spec.replicas: expected numeric (int or float), got string"));
    assert_str(apply_error(NULL, "taut",
                           CONTAINERS("{\"name\":\"app\",\"env\":[{\"name\":\"X\",\"value\":\"1\"},"
                                      "{\"name\":\"X\",\"value\":\"2\"}]}"),
                           ERR_INTERNAL),
               S("failed to create typed patch object (shop/web; apps/v1, Kind=Deployment): "
                 ".spec.template.spec.containers[name=\"app\"].env: duplicate entries for key "
                 "[name=\"X\"]"));
    assert_str(apply_error(NULL, "taut",
                           "{\"apiVersion\":\"apps/v2\",\"kind\":\"Deployment\",\"metadata\":"
                           "{\"name\":\"x\"}}",
                           ERR_INVALID),
               S("Incorrect version specified in apply patch. Specified patch version: apps/v2, "
                 "expected: apps/v1"));
    assert_str(apply_error(NULL, "taut",
                           "{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\",\"metadata\":"
                           "{\"name\":\"x\",\"labels\":{\"a\":1},\"managedFields\":[]}}",
                           ERR_INTERNAL),
               S("failed to create typed patch object (/x; apps/v1, Kind=Deployment): "
                 ".metadata.labels.a: expected string, got &value.valueUnstructured{Value:1}"));
}

TEST(the_items_of_a_list_keep_the_order_of_the_one_who_applies)
{
    struct val *live = apply(NULL, "other", false,
                             CONTAINERS("{\"name\":\"a\",\"image\":\"1\"},{\"name\":\"x\","
                                        "\"image\":\"1\"},{\"name\":\"b\",\"image\":\"1\"}"));
    struct val *object = apply(live, "taut", false,
                               CONTAINERS("{\"name\":\"b\"},{\"name\":\"n\"},{\"name\":\"a\"}"));
    struct val_iter it = val_iter(VAL_AT(object, "spec", "template", "spec", "containers"));
    auto_buf struct buf names;

    buf_init(&names, 100);
    while (val_next(&it))
        buf_add(&names, val_get_str(it.value, S("name")));
    assert_str(buf_str(&names), S("xbna"));
}

TEST(an_untracked_object_gets_an_owner_before_the_first_apply)
{
    struct val *live = parse(DEPLOYMENT("{\"replicas\":2}"));
    struct val *object = apply(live, "taut", false, DEPLOYMENT("{\"paused\":true}"));

    assert_str(fields_of(object, "before-first-apply", "Update"),
               S("{\"f:spec\":{\".\":{},\"f:replicas\":{}}}"));
}

TEST(taking_over_joins_what_the_others_owned)
{
    struct managed_request request = request_for("kubectl-client-side-apply", false);
    struct val *object = parse(CONTAINERS("{\"name\":\"a\"},{\"name\":\"b\"}"));
    str names[] = {S("kubectl-client-side-apply")};

    managed_update(arena, &request, NULL, object);
    assert_true(managed_take_over(arena, object, names, 1, S("taut")));
    assert_false(managed_take_over(arena, object, names, 1, S("taut")));
    object = apply(object, "taut", true, CONTAINERS("{\"name\":\"a\"}"));
    assert_int_equal(val_count(VAL_AT(object, "spec", "template", "spec", "containers")), 1);
}

TEST(a_path_has_an_owner)
{
    struct val *object = apply(NULL, "taut", false,
                               DEPLOYMENT("{\"selector\":{\"matchLabels\":{\"a\":\"b\"}}}"));
    struct path_element path[] = {{.kind = PATH_FIELD, .name = S("spec")},
                                  {.kind = PATH_FIELD, .name = S("selector")},
                                  {.kind = PATH_FIELD, .name = S("matchLabels")}};
    const struct val *entry = managed_owner_of(arena, object, (struct path){path, 3});

    assert_str(val_get_str(entry, S("manager")), S("taut"));
    assert_null(managed_owner_of(arena, object, (struct path){path, 1}));
}

TEST(an_ignored_subtree_is_neither_owned_nor_compared)
{
    struct managed_request request = request_for("taut", false);
    struct managed_result result = {0};
    struct err err = {0};
    struct fieldset *ignore = NULL;

    assert_true(fieldset_parse(arena, parse("{\"f:status\":{}}"), &ignore, NULL));
    request.ignore = ignore;
    assert_ok(
            managed_apply(arena, &request, NULL,
                          parse("{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\",\"metadata\":"
                                "{\"name\":\"x\"},\"spec\":{\"replicas\":1},\"status\":"
                                "{\"replicas\":3}}"),
                          &result, &err),
            err);
    assert_str(fields_of(result.object, "taut", "Apply"), S("{\"f:spec\":{\"f:replicas\":{}}}"));
}

TEST(the_type_of_a_custom_kind_comes_from_its_schema)
{
    auto_type_set struct type_set *set = type_set_new(parse(
            "{\"type\":\"object\",\"properties\":{\"spec\":{\"type\":\"object\",\"properties\":"
            "{\"items\":{\"type\":\"array\",\"x-kubernetes-list-type\":\"map\","
            "\"x-kubernetes-list-map-keys\":[\"id\"],\"items\":{\"type\":\"object\",\"properties\":"
            "{\"id\":{\"type\":\"string\"},\"n\":{\"type\":\"integer\"}}}},\"free\":{\"type\":"
            "\"object\",\"x-kubernetes-preserve-unknown-fields\":true}}}}}"));
    struct managed_request request = {.type = type_set_root(set),
                                      .gvk = {S("x.io"), S("v1"), S("T")},
                                      .manager = S("taut"),
                                      .now_ms = 1};
    struct managed_result result = {0};
    struct err err = {0};

    assert_ok(managed_apply(
                      arena, &request, NULL,
                      parse("{\"apiVersion\":\"x.io/v1\",\"kind\":\"T\",\"metadata\":{\"name\":"
                            "\"t\",\"labels\":{\"l\":\"1\"}},\"spec\":{\"items\":[{\"id\":\"a\","
                            "\"n\":1}],\"free\":{\"deep\":{\"list\":[1,{\"x\":2}]}}}}"),
                      &result, &err),
              err);
    assert_str(fields_of(result.object, "taut", "Apply"),
               S("{\"f:metadata\":{\"f:labels\":{\"f:l\":{}}},\"f:spec\":{\"f:free\":{\"f:deep\":"
                 "{\".\":{},\"f:list\":{}}},\"f:items\":{\"k:{\\\"id\\\":\\\"a\\\"}\":{\".\":{},"
                 "\"f:id\":{},\"f:n\":{}}}}}"));
    assert_fails(
            managed_apply(arena, &request, NULL,
                          parse("{\"apiVersion\":\"x.io/v1\",\"kind\":\"T\",\"spec\":{\"no\":1}}"),
                          &result, &err),
            err, ERR_INTERNAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(the_types_of_built_in_kinds_know_their_lists),
            cmocka_unit_test(fields_v1_goes_in_and_out_unchanged),
            cmocka_unit_test(sets_unite_intersect_and_differ),
            cmocka_unit_test(applying_owns_what_it_sets),
            cmocka_unit_test(a_container_that_is_no_longer_applied_goes),
            cmocka_unit_test(what_another_manager_owns_as_well_stays),
            cmocka_unit_test(a_conflict_names_manager_and_field),
            cmocka_unit_test(an_update_owns_what_it_changed_and_takes_it_from_others),
            cmocka_unit_test(several_conflicts_are_listed_by_manager),
            cmocka_unit_test(applying_the_same_again_changes_nothing),
            cmocka_unit_test(wrong_patches_are_told_in_the_servers_words),
            cmocka_unit_test(the_items_of_a_list_keep_the_order_of_the_one_who_applies),
            cmocka_unit_test(an_untracked_object_gets_an_owner_before_the_first_apply),
            cmocka_unit_test(taking_over_joins_what_the_others_owned),
            cmocka_unit_test(a_path_has_an_owner),
            cmocka_unit_test(an_ignored_subtree_is_neither_owned_nor_compared),
            cmocka_unit_test(the_type_of_a_custom_kind_comes_from_its_schema),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
