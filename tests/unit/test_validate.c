/* SPDX-License-Identifier: Apache-2.0 */
#include "schema/validate.h"

#include "doc/json.h"

#include "test.h"

static struct arena *arena;

static const struct gvk deployment = {S_INIT("apps"), S_INIT("v1"), S_INIT("Deployment")};
static const struct gvk service = {S_INIT(""), S_INIT("v1"), S_INIT("Service")};

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

#define WEB                                                                                        \
    "{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\",\"metadata\":{\"name\":\"web\","          \
    "\"namespace\":\"shop\"},\"spec\":{\"selector\":{\"matchLabels\":{\"app\":\"web\"}},"          \
    "\"template\":{\"metadata\":{\"labels\":{\"app\":\"web\"}},\"spec\":{\"containers\":[{"        \
    "\"name\":\"web\",\"image\":\"nginx:1.27\",\"ports\":[{\"containerPort\":80}],"                \
    "\"resources\":{\"requests\":{\"cpu\":\"0.1\",\"memory\":\"128Mi\"}}}]}}}}"

TEST(unknown_fields_are_told_with_their_path_and_can_be_removed)
{
    struct val *object = parse(WEB);
    struct val paths = val_list();

    val_set(arena, val_get(object, S("spec")), S("replica"), val_int(arena, 1));
    struct val *container = val_item(VAL_AT(object, "spec", "template", "spec", "containers"), 0);
    val_set(arena, container, S("imagePullPolcy"), val_null());
    validate_unknown(arena, type_builtin(deployment), object, /*prune=*/false, &paths);
    assert_str(text_of(&paths),
               S("[\"spec.template.spec.containers[0].imagePullPolcy\",\"spec.replica\"]"));
    validate_unknown(arena, type_builtin(deployment), object, /*prune=*/true, &paths);
    assert_null(val_get(container, S("imagePullPolcy")));
    assert_true(val_eq(object, parse(WEB)));
}

TEST(what_go_cannot_decode_is_told_in_its_words)
{
    struct val *object = parse(WEB);
    struct err err = {0};

    assert_ok(validate_decode(arena, type_builtin(deployment), object, &err), err);
    val_set_str(arena, val_get(object, S("spec")), S("replicas"), S("2"));
    assert_fails(validate_decode(arena, type_builtin(deployment), object, &err), err, ERR_INVALID);
    assert_string_equal(err.message,
                        "Deployment in version \"v1\" cannot be handled as a Deployment: json: "
                        "cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas "
                        "of type int32");
    object = parse("{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"data\":{\"a\":\"no base64\"}}");
    assert_fails(validate_decode(arena, type_builtin((struct gvk){STR_EMPTY, S("v1"), S("Secret")}),
                                 object, &err),
                 err, ERR_INVALID);
}

TEST(a_deployment_gets_the_servers_defaults)
{
    struct val *object = parse(WEB);

    validate_default_builtin(arena, deployment, object);
    validate_normalise_builtin(arena, type_builtin(deployment), object);
    struct val *spec = val_get(object, S("spec"));
    assert_str(text_of(val_get(spec, S("strategy"))),
               S("{\"rollingUpdate\":{\"maxSurge\":\"25%\",\"maxUnavailable\":\"25%\"},\"type\":"
                 "\"RollingUpdate\"}"));
    assert_int_equal(val_i64_or(val_get(spec, S("replicas")), 0), 1);
    assert_str(text_of(VAL_AT(spec, "template", "spec")),
               S("{\"containers\":[{\"image\":\"nginx:1.27\",\"imagePullPolicy\":\"IfNotPresent\","
                 "\"name\":\"web\",\"ports\":[{\"containerPort\":80,\"protocol\":\"TCP\"}],"
                 "\"resources\":{\"requests\":{\"cpu\":\"100m\",\"memory\":\"128Mi\"}},"
                 "\"terminationMessagePath\":\"/dev/termination-log\","
                 "\"terminationMessagePolicy\":\"File\"}],\"dnsPolicy\":\"ClusterFirst\","
                 "\"restartPolicy\":\"Always\",\"schedulerName\":\"default-scheduler\","
                 "\"securityContext\":{},\"terminationGracePeriodSeconds\":30}"));
    struct val *again = val_dup(arena, object);
    validate_default_builtin(arena, deployment, again);
    assert_true(val_eq(again, object));
}

TEST(a_service_gets_defaults_by_its_type)
{
    struct val *object = parse("{\"apiVersion\":\"v1\",\"kind\":\"Service\",\"spec\":{\"type\":"
                               "\"NodePort\",\"ports\":[{\"port\":80}],\"selector\":{}}}");

    validate_default_builtin(arena, service, object);
    validate_normalise_builtin(arena, type_builtin(service), object);
    assert_str(text_of(val_get(object, S("spec"))),
               S("{\"externalTrafficPolicy\":\"Cluster\",\"internalTrafficPolicy\":\"Cluster\","
                 "\"ports\":[{\"port\":80,\"protocol\":\"TCP\",\"targetPort\":80}],"
                 "\"sessionAffinity\":\"None\",\"type\":\"NodePort\"}"));
    assert_str(text_of(val_get(object, S("status"))), S("{\"loadBalancer\":{}}"));
}

static str builtin_summary(struct gvk gvk, const struct val *object, const struct val *old)
{
    struct val problems = val_list();

    validate_builtin(arena, gvk, object, old, &problems);
    return validate_summary(arena, &problems);
}

TEST(usual_mistakes_in_built_in_kinds_are_refused)
{
    struct val *object = parse(WEB);

    assert_str(builtin_summary(deployment, object, object), S(""));
    val_set_str(arena, VAL_AT(object, "spec", "selector", "matchLabels"), S("app"), S("x"));
    assert_str(builtin_summary(deployment, object, NULL),
               S("spec.template.metadata.labels: Invalid value: {\"app\":\"web\"}: `selector` does "
                 "not match template `labels`"));
    object = parse(WEB);
    struct val *old = parse(WEB);
    val_set_str(arena, VAL_AT(object, "spec", "selector", "matchLabels"), S("app"), S("y"));
    val_set_str(arena, VAL_AT(object, "spec", "template", "metadata", "labels"), S("app"), S("y"));
    assert_str(builtin_summary(deployment, object, old),
               S("spec.selector: Invalid value: {\"matchLabels\":{\"app\":\"y\"}}: field is "
                 "immutable"));
    object = parse("{\"kind\":\"Service\",\"spec\":{\"type\":\"Nope\",\"ports\":[{\"port\":80},"
                   "{\"port\":70000,\"name\":\"b\"}]}}");
    assert_str(builtin_summary(service, object, NULL),
               S("[spec.type: Unsupported value: \"Nope\": supported values: \"ClusterIP\", "
                 "\"ExternalName\", \"LoadBalancer\", \"NodePort\", spec.ports[0].name: Required "
                 "value, spec.ports[1].port: Invalid value: 70000: must be between 1 and 65535, "
                 "inclusive]"));
}

TEST(metadata_is_checked)
{
    struct val problems = val_list();
    struct val *object =
            parse("{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":"
                  "\"Bad\",\"labels\":{\"a b\":\"c\"},\"annotations\":{\"x/Y\":\"z\"},"
                  "\"finalizers\":[\"x.io/f\"]}}");

    validate_metadata(arena, object, /*namespaced=*/true, /*label_name=*/false, &problems);
    assert_int_equal(val_count(&problems), 3);
    assert_str(val_get_str(val_item(&problems, 0), S("field")), S("metadata.name"));
    assert_str(val_get_str(val_item(&problems, 1), S("message")), S("Required value"));
    assert_str(val_get_str(val_item(&problems, 2), S("field")), S("metadata.labels"));
}

static const char crd_schema[] =
        "{\"type\":\"object\",\"required\":[\"spec\"],\"properties\":{\"spec\":{\"type\":"
        "\"object\","
        "\"required\":[\"name\"],\"properties\":{\"name\":{\"type\":\"string\",\"pattern\":\"^[a-z]"
        "+$\","
        "\"maxLength\":5},\"mode\":{\"type\":\"string\",\"enum\":[\"a\",\"b\"],\"default\":\"a\"},"
        "\"n\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":3},\"port\":{"
        "\"x-kubernetes-int-or-string\":true,\"anyOf\":[{\"type\":\"integer\"},{\"type\":"
        "\"string\"}]},"
        "\"set\":{\"type\":\"array\",\"x-kubernetes-list-type\":\"set\",\"items\":{\"type\":"
        "\"string\"}},\"one\":{\"type\":\"object\",\"oneOf\":[{\"required\":[\"x\"]},{\"required\":"
        "[\"y\"]}],\"properties\":{\"x\":{\"type\":\"integer\"},\"y\":{\"type\":\"integer\"}}},"
        "\"sub\":{\"type\":\"object\",\"properties\":{\"d\":{\"type\":\"boolean\",\"default\":true}"
        "}},"
        "\"free\":{\"type\":\"object\",\"x-kubernetes-preserve-unknown-fields\":true},"
        "\"closed\":{\"type\":\"object\"}}}}}";

static str crd_summary(const char *spec)
{
    auto_type_set struct type_set *set = type_set_new(parse(crd_schema));
    struct val problems = val_list();
    str object = arena_printf(arena, "{\"apiVersion\":\"x/v1\",\"kind\":\"X\",\"spec\":%s}", spec);

    validate_structural(arena, type_set_root(set), parse(object.at), &problems);
    return validate_summary(arena, &problems);
}

TEST(the_rules_of_a_crd_hold)
{
    assert_str(crd_summary("{\"name\":\"abc\",\"mode\":\"b\",\"n\":3,\"port\":\"http\",\"set\":"
                           "[\"a\",\"b\"],\"one\":{\"x\":1}}"),
               S(""));
    assert_str(crd_summary("{}"), S("spec.name: Required value"));
    assert_str(crd_summary("{\"name\":1}"),
               S("spec.name: Invalid value: \"integer\": spec.name in body must be of type string: "
                 "\"integer\""));
    assert_str(crd_summary("{\"name\":\"A\"}"),
               S("spec.name: Invalid value: \"A\": spec.name in body should match '^[a-z]+$'"));
    assert_str(crd_summary("{\"name\":\"abcdef\"}"),
               S("spec.name: Too long: may not be more than 5 bytes"));
    assert_str(crd_summary("{\"name\":\"a\",\"mode\":\"c\"}"),
               S("spec.mode: Unsupported value: \"c\": supported values: \"a\", \"b\""));
    assert_str(crd_summary("{\"name\":\"a\",\"n\":0}"),
               S("spec.n: Invalid value: 0: spec.n in body should be greater than or equal to 1"));
    assert_str(crd_summary("{\"name\":\"a\",\"set\":[\"x\",\"x\"]}"),
               S("spec.set[1]: Duplicate value: \"x\""));
    assert_str(crd_summary("{\"name\":\"a\",\"one\":{}}"),
               S("spec.one: Invalid value: \"object\": spec.one in body must validate one and only "
                 "one schema (oneOf). Found none valid"));
    assert_str(crd_summary("{\"name\":\"a\",\"port\":true}"),
               S("spec.port: Invalid value: \"boolean\": spec.port in body must be of type "
                 "integer,string: \"boolean\""));
}

TEST(custom_objects_are_pruned_and_get_their_defaults)
{
    auto_type_set struct type_set *set = type_set_new(parse(crd_schema));
    struct val *object =
            parse("{\"apiVersion\":\"x/v1\",\"kind\":\"X\",\"metadata\":{\"name\":\"n\","
                  "\"what\":1},\"spec\":{\"name\":\"a\",\"gone\":{},\"sub\":{},\"free\":{"
                  "\"kept\":1},\"closed\":{\"gone\":1}},\"top\":1}");
    struct val paths = val_list();

    validate_unknown(arena, type_set_root(set), object, /*prune=*/true, &paths);
    validate_default(arena, type_set_root(set), object);
    assert_str(text_of(&paths),
               S("[\"metadata.what\",\"spec.gone\",\"spec.closed.gone\",\"top\"]"));
    assert_str(
            text_of(val_get(object, S("spec"))),
            S("{\"closed\":{},\"free\":{\"kept\":1},\"mode\":\"a\",\"name\":\"a\",\"sub\":{\"d\":"
              "true}}"));
    assert_str(text_of(val_get(object, S("metadata"))), S("{\"name\":\"n\"}"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(unknown_fields_are_told_with_their_path_and_can_be_removed),
            cmocka_unit_test(what_go_cannot_decode_is_told_in_its_words),
            cmocka_unit_test(a_deployment_gets_the_servers_defaults),
            cmocka_unit_test(a_service_gets_defaults_by_its_type),
            cmocka_unit_test(usual_mistakes_in_built_in_kinds_are_refused),
            cmocka_unit_test(metadata_is_checked),
            cmocka_unit_test(the_rules_of_a_crd_hold),
            cmocka_unit_test(custom_objects_are_pruned_and_get_their_defaults),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
