/* SPDX-License-Identifier: Apache-2.0 */
/* Objects that other field managers have a hand in: who is named, and where. */
#include "engine_scene.h"

static const char both[] = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"
                           "data: {v: one, w: one}\n";
static const char less[] = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"
                           "data: {v: one}\n";

struct answer {
    struct kube_call *call;
    bool done;
};

static void applied(void *owner, struct kube_response *response)
{
    struct answer *answer = owner;

    if (!response->ok)
        fail_msg("%s", response->err.message);
    answer->done = true;
}

static void apply_as(struct scene *scene, const char *manager, const char *text)
{
    auto_arena struct arena *arena = arena_new(LIMIT_DOC_BYTES);
    struct yaml_options options = {.dialect = YAML_11};
    struct answer answer = {0};
    struct val *body;
    struct err err;
    struct kube_request request = {.verb = KUBE_APPLY,
                                   .gvr = {S(""), S("v1"), S("configmaps")},
                                   .namespace_ = S("demo"),
                                   .name = S("a"),
                                   .field_manager = str_from(manager),
                                   .force = true};

    assert_ok(yaml_parse(arena, str_from(text), &options, &body, &err), err);
    request.body = body;
    answer.call = kube_start(scene->kube, &request, applied, &answer);
    assert_true(loop_run_until(scene->loop, &answer.done, DEADLINE_MS));
}

static str note(struct scene *scene, struct arena *arena)
{
    const struct val *facts = engine_app_facts(scene->engine, S("argocd"), S("one"), arena);

    return val_get_str(val_item(val_get(facts, S("resources")), 0), S("note"));
}

static void sync_by_hand(struct scene *scene)
{
    commit(C1, both);
    put_app(scene, "");
    wait_app(scene, "OutOfSync", "Missing", NULL);
    patch_app(scene, "{operation: {sync: {}}}");
    wait_app(scene, "Synced", "Healthy", "Succeeded");
}

TEST(a_difference_names_who_set_the_field_last)
{
    struct scene *scene = *state;
    auto_arena struct arena *arena = arena_new(LIMIT_DOC_BYTES);

    sync_by_hand(scene);
    apply_as(scene, "hand",
             "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {w: two}\n");
    wait_app(scene, "OutOfSync", NULL, NULL);
    WAIT_FOR(scene, str_eq(note(scene, arena), S(".data.w differs, last set by hand")));
}

TEST(a_field_that_left_git_and_is_held_by_another_is_synced_and_told)
{
    struct scene *scene = *state;
    auto_arena struct arena *arena = arena_new(LIMIT_DOC_BYTES);

    sync_by_hand(scene);
    apply_as(scene, "hand",
             "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {w: one}\n");
    commit(C2, less);
    WAIT_FOR(scene, str_eq(VAL_STR(scene_app(scene), "status", "sync", "revision"), S(C2)));
    wait_app(scene, "Synced", NULL, NULL);
    assert_str(note(scene, arena), S(".data.w left Git and is kept by hand"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test_setup_teardown(a_difference_names_who_set_the_field_last, scene_setup,
                                            scene_teardown),
            cmocka_unit_test_setup_teardown(
                    a_field_that_left_git_and_is_held_by_another_is_synced_and_told, scene_setup,
                    scene_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
