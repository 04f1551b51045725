/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "auth/rule.h"
#include "doc/json.h"

static const struct val *parse(struct arena *arena, const char *text)
{
    struct val *v = NULL;
    struct err err = {0};

    assert_ok(json_parse(arena, str_from(text), NULL, &v, &err), err);
    return v;
}

/* One row a question; the rules are those of a made-up role. */
static const char rules[] =
        "[{\"verbs\":[\"get\",\"list\"],\"apiGroups\":[\"\"],\"resources\":[\"pods\",\"pods/"
        "log\"]},"
        "{\"verbs\":[\"update\"],\"apiGroups\":[\"\"],\"resources\":[\"configmaps\"],"
        "\"resourceNames\":[\"mine\"]},"
        "{\"verbs\":[\"get\"],\"apiGroups\":[\"*\"],\"resources\":[\"*/status\"]},"
        "{\"verbs\":[\"*\"],\"apiGroups\":[\"apps\"],\"resources\":[\"*\"]},"
        "{\"verbs\":[\"get\"],\"nonResourceURLs\":[\"/healthz\",\"/apis/*\"]}]";

static const struct {
    const char *verb, *group, *resource, *subresource, *name, *path;
    bool allowed;
} cases[] = {
        {"get", "", "pods", "", "", "", true},
        {"get", "", "pods", "log", "", "", true},
        {"get", "", "pods", "exec", "", "", false},
        {"delete", "", "pods", "", "", "", false},
        {"get", "apps", "pods", "", "", "", true},
        {"get", "batch", "jobs", "", "", "", false},
        {"get", "batch", "jobs", "status", "", "", true},
        {"update", "", "configmaps", "", "mine", "", true},
        {"update", "", "configmaps", "", "yours", "", false},
        {"update", "", "configmaps", "", "", "", false},
        {"delete", "apps", "deployments", "scale", "x", "", true},
        {"get", "", "secrets", "", "", "", false},
        {"get", "", "", "", "", "/healthz", true},
        {"get", "", "", "", "", "/apis/apps/v1", true},
        {"get", "", "", "", "", "/api", false},
        {"post", "", "", "", "", "/healthz", false},
};

TEST(a_role_allows_what_its_rules_say_and_nothing_else)
{
    auto_arena struct arena *arena = arena_new(LIMIT_MIB);
    const struct val *role = parse(arena, rules);

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct auth_question q = {.verb = str_from(cases[i].verb),
                                  .group = str_from(cases[i].group),
                                  .resource = str_from(cases[i].resource),
                                  .subresource = str_from(cases[i].subresource),
                                  .name = str_from(cases[i].name),
                                  .path = str_from(cases[i].path)};
        if (rule_any_allows(role, &q) != cases[i].allowed)
            fail_msg("row %zu", i);
    }
}

TEST(a_binding_names_users_groups_and_service_accounts)
{
    auto_arena struct arena *arena = arena_new(LIMIT_MIB);
    const struct val *subjects = parse(
            arena, "[{\"kind\":\"User\",\"name\":\"ada\"},{\"kind\":\"Group\",\"name\":\"ops\"},"
                   "{\"kind\":\"ServiceAccount\",\"name\":\"bot\"}]");
    const str groups[] = {S("dev"), S("ops")};
    const struct {
        struct auth_user user;
        bool found;
    } rows[] = {
            {{S("ada"), NULL, 0}, true},
            {{S("eve"), NULL, 0}, false},
            {{S("eve"), groups, 1}, false},
            {{S("eve"), groups, 2}, true},
            {{S("bot"), NULL, 0}, false},
            {{S("system:serviceaccount:demo:bot"), NULL, 0}, true},
            {{S("system:serviceaccount:other:bot"), NULL, 0}, false},
    };

    for (size_t i = 0; i < COUNT(rows); i++)
        assert_int_equal(rule_has_subject(subjects, &rows[i].user, S("demo")), rows[i].found);
}

TEST(everybody_who_is_known_is_authenticated)
{
    auto_arena struct arena *arena = arena_new(LIMIT_MIB);
    const struct val *subjects =
            parse(arena, "[{\"kind\":\"Group\",\"name\":\"system:authenticated\"}]");

    assert_true(rule_has_subject(subjects, &(struct auth_user){S("eve"), NULL, 0}, S("x")));
}

TEST(an_empty_role_allows_nothing)
{
    struct auth_question q = {.verb = S("get"), .resource = S("pods")};

    assert_false(rule_any_allows(NULL, &q));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_role_allows_what_its_rules_say_and_nothing_else),
            cmocka_unit_test(a_binding_names_users_groups_and_service_accounts),
            cmocka_unit_test(everybody_who_is_known_is_authenticated),
            cmocka_unit_test(an_empty_role_allows_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
