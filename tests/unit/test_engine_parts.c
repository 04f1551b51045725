/* SPDX-License-Identifier: Apache-2.0 */
/* The engine's pure parts: reading, permission, form, marks, order, words. */
#include "test.h"

#include "doc/json.h"
#include "doc/yaml.h"
#include "engine/adopt.h"
#include "engine/app_spec.h"
#include "engine/apply.h"
#include "engine/desired.h"
#include "engine/engine.h"
#include "engine/fields.h"
#include "engine/health.h"
#include "engine/ignore.h"
#include "engine/info.h"
#include "engine/live.h"
#include "engine/mask.h"
#include "engine/project.h"
#include "engine/sync_task.h"

bool source_url_normalize(struct arena *arena, str url, str *ret_url, UNUSED struct err *err)
{
    str_chop(&url, S(".git"));
    *ret_url = arena_str(arena, url);
    return true;
}

static struct arena *arena;

static int setup(UNUSED void **state)
{
    arena = arena_new(LIMIT_DOC_BYTES);
    return 0;
}

static int teardown(UNUSED void **state)
{
    arena_free(arena);
    return 0;
}

static struct val *yaml(const char *text)
{
    struct yaml_options options = {.dialect = YAML_11};
    struct val *value;
    struct err err;

    assert_ok(yaml_parse(arena, str_from(text), &options, &value, &err), err);
    return value;
}

static str text(const struct val *v)
{
    return json_text(arena, v, JSON_COMPACT);
}

/* ---- app_spec ---- */

static struct val *application(const char *spec)
{
    return yaml(arena_z(arena, arena_printf(arena,
                                            "metadata: {name: one, namespace: argocd}\nspec: {"
                                            "destination: {name: here, namespace: demo}, %s}",
                                            spec)));
}

TEST(what_is_not_built_refuses_and_names_the_field)
{
    static const struct {
        const char *spec;
        const char *named;
    } rows[] = {
            {"sources: [{repoURL: a}]", "spec.sources"},
            {"source: {repoURL: a, chart: nginx}", "spec.source.chart"},
            {"source: {repoURL: a, plugin: {name: x}}", "spec.source.plugin"},
            {"source: {repoURL: a, helm: {releaseName: x}}", "spec.source.helm"},
            {"source: {repoURL: a, directory: {jsonnet: {libs: [x]}}}", "jsonnet.libs"},
            {"source: {repoURL: a}, ignoreDifferences: [{kind: A, jqPathExpressions: [.x]}]",
             "ignoreDifferences[0].jqPathExpressions"},
            {"source: {repoURL: a}, ignoreDifferences: [{kind: A, managedFieldsManagers: [x]}]",
             "managedFieldsManagers"},
            {"source: {repoURL: 'oci://x/y'}", "OCI"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct app_spec spec;
        struct err err;

        assert_fails(app_spec_parse(application(rows[i].spec), &spec, &err), err, ERR_UNSUPPORTED);
        assert_true(str_contains(err_message(&err), S("not supported yet")));
        assert_true(str_contains(err_message(&err), str_from(rows[i].named)));
    }
}

TEST(an_application_is_read_with_its_policy_and_options)
{
    struct app_spec spec;
    struct err err;

    assert_ok(app_spec_parse(application("source: {repoURL: r, path: p, targetRevision: v1}, "
                                         "syncPolicy: {automated: {prune: true}, syncOptions: "
                                         "[CreateNamespace=true, Validate=false, "
                                         "PrunePropagationPolicy=background]}"),
                             &spec, &err),
              err);
    assert_str(spec.project, S("default"));
    assert_str(spec.revision, S("v1"));
    assert_true(spec.automated && spec.prune && !spec.self_heal);
    assert_true(spec.options.create_namespace && spec.options.skip_validation);
    assert_int_equal(spec.options.propagation, SYNC_BACKGROUND);
    assert_int_equal(spec.history_limit, 10);

    assert_ok(app_spec_parse(application("source: {repoURL: r}, syncPolicy: {automated: {enabled: "
                                         "false}}"),
                             &spec, &err),
              err);
    assert_false(spec.automated);
}

TEST(a_destination_names_one_cluster)
{
    struct app_spec spec;
    struct err err;

    assert_fails(app_spec_parse(yaml("spec: {source: {repoURL: r}, destination: {name: a, server: "
                                     "b}}"),
                                &spec, &err),
                 err, ERR_INVALID);
    assert_fails(app_spec_parse(yaml("spec: {source: {repoURL: r}, destination: {namespace: a}}"),
                                &spec, &err),
                 err, ERR_INVALID);
}

/* ---- project ---- */

TEST(empty_lists_of_a_project_permit_nothing_and_a_star_permits_all)
{
    struct project_target target = {S("https://s"), S("c"), S("ns"), NULL};
    const struct val *nothing = yaml("metadata: {name: p}\nspec: {}");
    const struct val *all = yaml("spec: {sourceRepos: ['*'], destinations: [{server: '*', "
                                 "namespace: '*'}], clusterResourceWhitelist: [{group: '*', kind: "
                                 "'*'}]}");
    struct err err;

    assert_fails(project_permits_source(nothing, S("https://h/a"), &err), err, ERR_FORBIDDEN);
    assert_fails(project_permits_destination(nothing, &target, &err), err, ERR_FORBIDDEN);
    assert_fails(project_permits_kind(nothing, S(""), S("Namespace"), S("x"), false, &err), err,
                 ERR_FORBIDDEN);
    assert_ok(project_permits_kind(nothing, S("apps"), S("Deployment"), S("x"), true, &err), err);
    assert_ok(project_permits_source(all, S("https://h/a"), &err), err);
    assert_ok(project_permits_destination(all, &target, &err), err);
    assert_ok(project_permits_kind(all, S(""), S("Namespace"), S("x"), false, &err), err);
}

static bool is_shop(UNUSED void *owner, str namespace_)
{
    return str_eq(namespace_, S("shop"));
}

TEST(the_homes_own_namespaces_are_denied_whatever_a_project_says)
{
    static const struct {
        const char *namespace_;
        bool permitted;
    } cases[] = {{"kube-system", false}, {"taut-system", false}, {"argocd", false},
                 {"shop", false},        {"web", true},          {"kubernetes", true}};
    const struct val *all = yaml("spec: {destinations: [{server: '*', namespace: '*'}]}");
    struct project_home home = {S("argocd"), is_shop, NULL};
    struct err err;

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct project_target target = {S("https://s"), S("c"), str_from(cases[i].namespace_),
                                        &home};
        if (project_permits_destination(all, &target, &err) != cases[i].permitted)
            fail_msg("%s", cases[i].namespace_);
        target.home = NULL; /* another cluster, or from the control namespace */
        assert_ok(project_permits_destination(all, &target, &err), err);
    }
}

TEST(a_denial_of_a_project_wins)
{
    const struct val *project =
            yaml("metadata: {name: p}\nspec: {sourceRepos: ['*', '!https://h/secret/*'], "
                 "destinations: [{server: '*', namespace: '*'}, {server: '*', namespace: "
                 "'!kube-*'}], namespaceResourceBlacklist: [{group: '', kind: ResourceQuota}]}");
    struct project_target fine = {S("https://s"), S("c"), S("demo"), NULL};
    struct project_target denied = {S("https://s"), S("c"), S("kube-system"), NULL};
    struct err err;

    assert_ok(project_permits_source(project, S("https://h/open/a.git"), &err), err);
    assert_fails(project_permits_source(project, S("https://h/secret/a.git"), &err), err,
                 ERR_FORBIDDEN);
    assert_ok(project_permits_destination(project, &fine, &err), err);
    assert_fails(project_permits_destination(project, &denied, &err), err, ERR_FORBIDDEN);
    assert_fails(project_permits_kind(project, S(""), S("ResourceQuota"), S("q"), true, &err), err,
                 ERR_FORBIDDEN);
}

TEST(source_namespaces_decide_where_applications_may_live)
{
    const struct val *project = yaml("metadata: {name: p}\nspec: {sourceNamespaces: ['team-*']}");
    struct err err;

    assert_ok(project_permits_namespace(project, S("argocd"), S("argocd"), &err), err);
    assert_ok(project_permits_namespace(project, S("argocd"), S("team-a"), &err), err);
    assert_fails(project_permits_namespace(project, S("argocd"), S("other"), &err), err,
                 ERR_FORBIDDEN);
}

TEST(a_project_with_sync_windows_refuses)
{
    struct err err;

    assert_fails(project_check(yaml("spec: {syncWindows: [{kind: deny}]}"), &err), err,
                 ERR_UNSUPPORTED);
}

/* ---- the form of a wanted object ---- */

TEST(what_only_a_server_says_is_taken_out)
{
    struct val *object =
            yaml("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a, uid: x, "
                 "resourceVersion: '1', generation: 2, creationTimestamp: null, managedFields: "
                 "[]}\nspec: {template: {metadata: {creationTimestamp: null, labels: {a: b}}}}\n"
                 "status: {replicas: 1}");

    desired_normalise(arena, object);
    assert_str(text(object),
               S("{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\",\"metadata\":{\"name\":"
                 "\"a\"},\"spec\":{\"template\":{\"metadata\":{\"labels\":{\"a\":\"b\"}}}}}"));
}

TEST(string_data_of_a_secret_becomes_data)
{
    struct val *object = yaml("apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ndata: {k: "
                              "b2xk, o: b3RoZXI=}\nstringData: {k: new}");

    desired_normalise(arena, object);
    assert_null(val_get(object, S("stringData")));
    assert_str(VAL_STR(object, "data", "k"), S("bmV3"));
    assert_str(VAL_STR(object, "data", "o"), S("b3RoZXI="));
}

TEST(rules_of_an_aggregated_role_are_the_clusters)
{
    struct val *object = yaml("apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\n"
                              "aggregationRule: {}\nrules: []");

    desired_normalise(arena, object);
    assert_null(val_get(object, S("rules")));
}

/* ---- marks ---- */

TEST(a_mark_says_whose_an_object_is)
{
    struct gvk gvk = {S("apps"), S("v1"), S("Deployment")};
    struct mark mark;
    str instance;
    str id;

    mark_init(&mark, arena, S("inst"), S("argocd"), S("team"), S("web"));
    assert_int_equal(mark.label.len, MARK_LABEL_LENGTH);
    id = mark_tracking(&mark, arena, gvk, S("demo"), S("a"));
    assert_str(id, S("team_web:apps/Deployment:demo/a"));
    assert_int_equal(mark_owner(&mark, id, S("inst"), gvk, S("demo"), S("a"), &instance),
                     MARK_OURS);
    assert_int_equal(mark_owner(&mark, id, S("inst"), gvk, S("demo"), S("copy"), &instance),
                     MARK_NOBODY);
    assert_int_equal(mark_owner(&mark, id, S("other"), gvk, S("demo"), S("a"), &instance),
                     MARK_FOREIGN);
    assert_int_equal(mark_owner(&mark, S("x:apps/Deployment:demo/a"), S("inst"), gvk, S("demo"),
                                S("a"), &instance),
                     MARK_SIBLING);
    assert_str(instance, S("x"));
    assert_int_equal(mark_owner(&mark, S("garbage"), S("inst"), gvk, S("demo"), S("a"), &instance),
                     MARK_NOBODY);
}

/* ---- skip schema validation ---- */

TEST(undeclared_fields_are_taken_out_of_a_copy)
{
    struct val *body = yaml("spec: {replicaz: 3, template: {spec: {containers: [{name: a, imagee: "
                            "x}, {name: b, image: new}]}}}");
    auto_buf struct buf removed;

    buf_init(&removed, 4096);
    assert_true(apply_strip(arena, body,
                            S("failed to create typed patch object (demo/web; apps/v1, "
                              "Kind=Deployment): errors:\n  .spec.template.spec.containers[name="
                              "\"a\"].imagee: field not declared in schema\n  .spec.replicaz: "
                              "field not declared in schema"),
                            &removed));
    assert_str(text(body), S("{\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"name\":\"a\"},"
                             "{\"name\":\"b\",\"image\":\"new\"}]}}}}"));
    assert_true(str_contains(buf_str(&removed), S(".spec.replicaz")));
}

TEST(of_duplicate_keys_the_last_entry_stays)
{
    struct val *body =
            yaml("spec: {ports: [{port: 80, name: a}, {port: 80, name: b}, {port: 81}]}");
    auto_buf struct buf removed;

    buf_init(&removed, 4096);
    assert_true(apply_strip(arena, body,
                            S("failed to create typed patch object: .spec.ports: duplicate entries "
                              "for key [port=80,protocol=\"TCP\"]"),
                            &removed));
    assert_str(text(body),
               S("{\"spec\":{\"ports\":[{\"port\":80,\"name\":\"b\"},{\"port\":81}]}}"));
}

TEST(a_sentence_that_lies_takes_nothing_out)
{
    struct val *body = yaml("spec: {a: 1}");
    auto_buf struct buf removed;

    buf_init(&removed, 4096);
    assert_false(apply_strip(arena, body, S(".spec.b: field not declared in schema"), &removed));
    assert_false(apply_strip(arena, body, S("[[[: field not declared in schema"), &removed));
    assert_false(apply_strip(arena, body, S(": field not declared in schema"), &removed));
    assert_false(apply_strip(arena, body, S(".spec: duplicate entries for key ["), &removed));
    assert_str(text(body), S("{\"spec\":{\"a\":1}}"));
}

/* ---- owned differences ---- */

TEST(only_a_difference_at_an_owned_path_counts)
{
    const struct val *fields = yaml("{\"f:data\": {\"f:v\": {}}, \"f:metadata\": {\"f:labels\": "
                                    "{\"f:a\": {}}}}");
    const struct val *wanted = yaml("data: {v: git}\nmetadata: {labels: {a: b}}");
    str path = STR_EMPTY;

    assert_false(fields_differ(arena, fields, wanted,
                               yaml("data: {v: git, other: hand}\nmetadata: {labels: {a: b}}"),
                               &path));
    assert_true(fields_differ(arena, fields, wanted,
                              yaml("data: {v: hand}\nmetadata: {labels: {a: b}}"), &path));
    assert_str(path, S(".data.v"));
    assert_true(fields_differ(arena, fields, wanted, yaml("data: {v: git}"), &path));
    assert_false(fields_differ(arena, NULL, wanted, yaml("data: {v: hand}"), &path));
}

TEST(items_of_lists_are_found_by_their_keys)
{
    const struct val *fields =
            yaml("{\"f:spec\": {\"f:containers\": {'k:{\"name\":\"b\"}': {\".\": {}, \"f:image\": "
                 "{}}}}}");
    const struct val *wanted = yaml("spec: {containers: [{name: a}, {name: b, image: new}]}");
    str path;

    assert_true(fields_differ(arena, fields, wanted,
                              yaml("spec: {containers: [{name: b, image: old}]}"), &path));
    assert_false(fields_differ(arena, fields, wanted,
                               yaml("spec: {containers: [{name: c}, {name: b, image: new}]}"),
                               &path));
}

static void count_difference(void *owner, UNUSED str path, UNUSED const struct val *live,
                             UNUSED const struct val *wanted)
{
    ++*(size_t *)owner;
}

TEST(differences_are_listed_up_to_a_bound)
{
    size_t count = 0;

    assert_true(fields_each_difference(arena, yaml("{a: 1, b: [{name: x, v: 1}]}"),
                                       yaml("{a: 2, b: [{name: x, v: 2}, {name: z}]}"), 10,
                                       count_difference, &count));
    assert_int_equal(count, 3);
    count = 0;
    assert_false(fields_each_difference(arena, yaml("{a: 1, b: 1}"), yaml("{a: 2, b: 2}"), 1,
                                        count_difference, &count));
    assert_int_equal(count, 1);
}

TEST(the_manager_who_set_a_field_last_is_named)
{
    const struct val *managed = yaml(
            "[{manager: taut, operation: Apply, time: '2026-01-03T00:00:00Z', fieldsV1: "
            "{'f:spec': {'f:replicas': {}, 'f:ports': {'k:{\"port\":80}': {'f:port': {}}}}}}, "
            "{manager: hand, operation: Update, time: '2026-01-01T00:00:00Z', fieldsV1: "
            "{'f:spec': {'f:replicas': {}}}}, "
            "{manager: scaler, operation: Update, time: '2026-01-02T00:00:00Z', fieldsV1: "
            "{'f:spec': {'f:replicas': {}, 'f:ports': {'k:{\"port\":80}': {'f:port': {}}}}}}]");
    const struct val *last = fields_manager(arena, managed, S(".spec.replicas"), /*not_us=*/false);

    assert_str(val_get_str(last, S("manager")), S("taut"));
    last = fields_manager(arena, managed, S(".spec.replicas"), /*not_us=*/true);
    assert_str(val_get_str(last, S("manager")), S("scaler"));
    last = fields_manager(arena, managed, S(".spec.ports[{\"port\":80}].port"), /*not_us=*/true);
    assert_str(val_get_str(last, S("manager")), S("scaler"));
    assert_null(fields_manager(arena, managed, S(".spec.other"), /*not_us=*/false));
}

TEST(a_field_that_left_our_set_and_stays_is_found)
{
    const struct val *was = yaml("'f:data': {'.': {}, 'f:a': {}, 'f:b': {}}");
    const struct val *is = yaml("'f:data': {'.': {}, 'f:a': {}}");
    str path;

    assert_true(fields_left(arena, was, is, yaml("data: {a: x, b: y}"), &path));
    assert_str(path, S(".data.b"));
    assert_false(fields_left(arena, was, is, yaml("data: {a: x}"), &path));
    assert_false(fields_left(arena, is, was, yaml("data: {a: x, b: y}"), &path));
    assert_false(fields_left(arena, NULL, is, yaml("data: {a: x}"), &path));
}

/* ---- ignore, mask ---- */

TEST(ignored_pointers_leave_both_views_and_live_values_stay)
{
    const struct val *rules = yaml("[{group: apps, kind: Deployment, jsonPointers: "
                                   "[/spec/replicas]}]");
    struct ignore_target target = {{S("apps"), S("v1"), S("Deployment")}, S("demo"), S("web")};
    struct ignore_target other = {{S(""), S("v1"), S("Service")}, S("demo"), S("web")};
    struct val *view = yaml("spec: {replicas: 3, x: 1}");
    struct val *wanted = yaml("spec: {replicas: 1}");

    assert_true(ignore_matches(rules, &target));
    assert_false(ignore_matches(rules, &other));
    ignore_keep_live(arena, rules, &target, wanted, view);
    assert_str(text(wanted), S("{\"spec\":{\"replicas\":3}}"));
    ignore_remove(rules, &target, view);
    assert_str(text(view), S("{\"spec\":{\"x\":1}}"));
}

TEST(values_of_secrets_never_leave)
{
    struct val *live = yaml("apiVersion: v1\nkind: Secret\nmetadata: {annotations: "
                            "{kubectl.kubernetes.io/last-applied-configuration: c2VjcmV0}}\ndata: "
                            "{a: c2VjcmV0, b: c2FtZQ==}");
    struct val *wanted = yaml("apiVersion: v1\nkind: Secret\ndata: {a: bmV3, b: c2FtZQ==}");

    mask_pair(arena, live, wanted);
    assert_false(str_contains(text(live), S("c2VjcmV0")));
    assert_false(str_contains(text(wanted), S("bmV3")));
    assert_str(VAL_STR(live, "data", "b"), S("••• (same)"));
    assert_str(VAL_STR(wanted, "data", "a"), S("••• (changed)"));
}

/* ---- adoption ---- */

TEST(entries_of_client_side_apply_become_ours)
{
    const struct val *live =
            yaml("metadata: {resourceVersion: '7', managedFields: ["
                 "{manager: kubectl-client-side-apply, operation: Update, apiVersion: v1, "
                 "fieldsType: FieldsV1, fieldsV1: {'f:data': {'f:a': {}}}}, "
                 "{manager: kube-controller-manager, operation: Update, apiVersion: v1, "
                 "subresource: status, fieldsType: FieldsV1, fieldsV1: {'f:status': {}}}]}");
    const struct val *patch = adopt_patch(arena, live);
    const struct val *entries = VAL_AT(val_item(patch, 0), "value");
    const struct val *ours = val_item(entries, 1);

    assert_int_equal(val_count(entries), 2);
    assert_str(val_get_str(val_item(entries, 0), S("manager")), S("kube-controller-manager"));
    assert_str(val_get_str(ours, S("manager")), S("taut"));
    assert_str(val_get_str(ours, S("operation")), S("Apply"));
    assert_non_null(VAL_AT(ours, "fieldsV1", "f:data", "f:a"));
    assert_str(VAL_STR(val_item(patch, 1), "value"), S("7"));
    assert_null(adopt_patch(arena, yaml("metadata: {managedFields: [{manager: taut, operation: "
                                        "Apply, fieldsV1: {}}]}")));
}

/* ---- order ---- */

TEST(kinds_are_created_in_kubernetes_order)
{
    static const char *const order[] = {"Namespace", "ConfigMap",  "CustomResourceDefinition",
                                        "Service",   "Deployment", "Ingress",
                                        "Widget"};

    for (size_t i = 1; i < COUNT(order); i++)
        assert_true(task_kind_order(str_from(order[i - 1])) < task_kind_order(str_from(order[i])));
}

/* ---- health ---- */

TEST(health_of_built_in_kinds_follows_argo_cd)
{
    static const struct {
        const char *object;
        enum health_status status;
    } rows[] = {
            {"{apiVersion: apps/v1, kind: Deployment, metadata: {generation: 2}, status: "
             "{observedGeneration: 1}}",
             HEALTH_PROGRESSING},
            {"{apiVersion: apps/v1, kind: Deployment, spec: {paused: true}}", HEALTH_SUSPENDED},
            {"{apiVersion: apps/v1, kind: Deployment, spec: {replicas: 2}, status: {replicas: 2, "
             "updatedReplicas: 2, availableReplicas: 2}}",
             HEALTH_HEALTHY},
            {"{apiVersion: apps/v1, kind: Deployment, spec: {replicas: 2}, status: {replicas: 2, "
             "updatedReplicas: 2, availableReplicas: 1}}",
             HEALTH_PROGRESSING},
            {"{apiVersion: apps/v1, kind: Deployment, status: {conditions: [{type: Progressing, "
             "reason: ProgressDeadlineExceeded}]}}",
             HEALTH_DEGRADED},
            {"{apiVersion: v1, kind: Pod, spec: {restartPolicy: Always}, status: {phase: Pending, "
             "containerStatuses: [{state: {waiting: {reason: ImagePullBackOff}}}]}}",
             HEALTH_DEGRADED},
            {"{apiVersion: v1, kind: Pod, spec: {restartPolicy: Never}, status: {phase: "
             "Succeeded}}",
             HEALTH_HEALTHY},
            {"{apiVersion: batch/v1, kind: Job, status: {conditions: [{type: Complete, status: "
             "'True'}]}}",
             HEALTH_HEALTHY},
            {"{apiVersion: batch/v1, kind: Job}", HEALTH_PROGRESSING},
            {"{apiVersion: v1, kind: Service, spec: {type: LoadBalancer}}", HEALTH_PROGRESSING},
            {"{apiVersion: v1, kind: Service}", HEALTH_HEALTHY},
            {"{apiVersion: v1, kind: PersistentVolumeClaim, status: {phase: Lost}}",
             HEALTH_DEGRADED},
            {"{apiVersion: v1, kind: ConfigMap}", HEALTH_NONE},
            {"{apiVersion: v1, kind: ConfigMap, metadata: {deletionTimestamp: x}}",
             HEALTH_PROGRESSING},
            {"{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, status: {conditions: "
             "[{type: AbleToScale, status: 'True', reason: ReadyForNewScale}]}}",
             HEALTH_HEALTHY},
            {"{apiVersion: batch/v1, kind: CronJob, status: {lastScheduleTime: "
             "'2026-01-02T00:00:00Z', lastSuccessfulTime: '2026-01-01T00:00:00Z'}}",
             HEALTH_DEGRADED},
    };

    for (size_t i = 0; i < COUNT(rows); i++)
        if (health_of(yaml(rows[i].object), arena).status != rows[i].status)
            fail_msg("%s is %s", rows[i].object,
                     health_name(health_of(yaml(rows[i].object), arena).status));
}

/* ---- definitions ---- */

TEST(the_definitions_default_the_status_of_a_new_application)
{
    const struct val *crds = engine_crds(arena);
    const struct val *version = val_item(VAL_AT(val_item(crds, 0), "spec", "versions"), 0);
    const struct val *status = VAL_AT(version, "schema", "openAPIV3Schema", "properties", "status");

    assert_int_equal(val_count(crds), 2);
    assert_str(object_name(val_item(crds, 0)), S("applications.argoproj.io"));
    assert_str(VAL_STR(status, "default", "health", "status"), S("Progressing"));
    assert_str(VAL_STR(status, "default", "sync", "status"), S("Unknown"));
    assert_int_equal(val_count(val_get(version, S("additionalPrinterColumns"))), 4);
}

/* The schema below the root at a dotted path; "[]" is the items of a list. */
static const struct val *schema_at(size_t crd, const char *path)
{
    const struct val *version =
            val_item(VAL_AT(val_item(engine_crds(arena), crd), "spec", "versions"), 0);
    const struct val *at = VAL_AT(version, "schema", "openAPIV3Schema");
    str rest = str_from(path);
    str part;

    while (rest.len > 0 && str_split(&rest, '.', &part))
        at = str_eq(part, S("[]")) ? val_get(at, S("items"))
                                   : val_get(val_get(at, S("properties")), part);
    return at;
}

static str required_of(const struct val *schema)
{
    struct val_iter it = val_iter(val_get(schema, S("required")));
    str text = STR_EMPTY;

    while (val_next(&it))
        text = arena_printf(arena, "%.*s%s%.*s", STR(text), it.index > 0 ? "," : "",
                            STR(val_str(it.value)));
    return text;
}

/* What Argo CD's definitions demand: ours may demand neither more nor less. */
TEST(the_definitions_demand_what_argo_cd_demands)
{
    static const struct {
        size_t crd;
        const char *path;
        const char *required;
    } rows[] = {
            {0, "", "metadata,spec"},
            {0, "spec", "destination,project"},
            {0, "spec.destination", ""},
            {0, "spec.source", "repoURL"},
            {0, "spec.sources.[]", "repoURL"},
            {0, "spec.ignoreDifferences.[]", "kind"},
            {0, "spec.info.[]", "name,value"},
            {0, "spec.source.kustomize.replicas.[]", "count,name"},
            {0, "spec.source.plugin.env.[]", "name,value"},
            {0, "spec.source.directory.jsonnet.tlas.[]", "name,value"},
            {0, "spec.sourceHydrator", "drySource,syncSource"},
            {0, "spec.sourceHydrator.drySource", "path,repoURL,targetRevision"},
            {0, "spec.sourceHydrator.syncSource", "path,targetBranch"},
            {0, "spec.sourceHydrator.hydrateTo", "targetBranch"},
            {0, "operation.sync", ""},
            {0, "operation.sync.resources.[]", "kind,name"},
            {0, "status.history.[]", "deployedAt,id"},
            {0, "status.operationState", "operation,phase,startedAt"},
            {0, "status.operationState.syncResult", "revision"},
            {0, "status.operationState.syncResult.resources.[]",
             "group,kind,name,namespace,version"},
            {0, "status.sync", "status"},
            {0, "status.sync.comparedTo", "destination"},
            {0, "status.conditions.[]", "message,type"},
            {1, "", "metadata,spec"},
            {1, "spec.roles.[]", "name"},
            {1, "spec.clusterResourceWhitelist.[]", "group,kind"},
            {1, "spec.namespaceResourceBlacklist.[]", "group,kind"},
            {1, "spec.destinations.[]", ""},
            {1, "spec.destinationServiceAccounts.[]", "defaultServiceAccount,server"},
            {1, "spec.signatureKeys.[]", "keyID"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct val *schema = schema_at(rows[i].crd, rows[i].path);

        if (schema == NULL || !str_eq(required_of(schema), str_from(rows[i].required)))
            fail_msg("%s requires \"%.*s\"", rows[i].path, STR(required_of(schema)));
    }
    assert_true(val_is_true(val_get(schema_at(0, "spec.source.helm.valuesObject"),
                                    S("x-kubernetes-preserve-unknown-fields"))));
    assert_int_equal(val_i64_or(val_get(schema_at(1, "spec.description"), S("maxLength")), 0), 255);
}

TEST(an_object_has_one_line_for_lists_and_odd_ones_have_none)
{
    static const struct {
        const char *object;
        const char *line;
    } rows[] = {
            {"{apiVersion: apps/v1, kind: Deployment, spec: {replicas: 3}, status: {readyReplicas: "
             "2}}",
             "2/3"},
            {"{apiVersion: apps/v1, kind: Deployment, spec: 7, status: []}", "0/1"},
            {"{apiVersion: v1, kind: Pod, spec: {containers: [{}, {}]}, status: "
             "{containerStatuses: [{ready: true}, {ready: false}, 5]}}",
             "1/2"},
            {"{apiVersion: v1, kind: Service, spec: {type: NodePort, ports: [{port: 80, nodePort: "
             "30001}]}}",
             "NodePort 80:30001/TCP"},
            {"{apiVersion: v1, kind: Service, spec: {ports: {}}}", "ClusterIP"},
            {"{apiVersion: networking.k8s.io/v1, kind: Ingress, spec: {rules: [{host: "
             "a.example}]}}",
             "a.example"},
            {"{apiVersion: batch/v1, kind: CronJob, spec: {schedule: '* * * * *'}}", "* * * * *"},
            {"{apiVersion: v1, kind: ConfigMap}", ""},
            {"{apiVersion: example.org/v1, kind: Service}", ""},
    };

    for (size_t i = 0; i < COUNT(rows); i++)
        assert_true(str_eq(info_of(yaml(rows[i].object), arena), str_from(rows[i].line)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(the_definitions_demand_what_argo_cd_demands),
            cmocka_unit_test(what_is_not_built_refuses_and_names_the_field),
            cmocka_unit_test(an_application_is_read_with_its_policy_and_options),
            cmocka_unit_test(a_destination_names_one_cluster),
            cmocka_unit_test(empty_lists_of_a_project_permit_nothing_and_a_star_permits_all),
            cmocka_unit_test(the_homes_own_namespaces_are_denied_whatever_a_project_says),
            cmocka_unit_test(a_denial_of_a_project_wins),
            cmocka_unit_test(source_namespaces_decide_where_applications_may_live),
            cmocka_unit_test(a_project_with_sync_windows_refuses),
            cmocka_unit_test(what_only_a_server_says_is_taken_out),
            cmocka_unit_test(string_data_of_a_secret_becomes_data),
            cmocka_unit_test(rules_of_an_aggregated_role_are_the_clusters),
            cmocka_unit_test(a_mark_says_whose_an_object_is),
            cmocka_unit_test(undeclared_fields_are_taken_out_of_a_copy),
            cmocka_unit_test(of_duplicate_keys_the_last_entry_stays),
            cmocka_unit_test(a_sentence_that_lies_takes_nothing_out),
            cmocka_unit_test(only_a_difference_at_an_owned_path_counts),
            cmocka_unit_test(items_of_lists_are_found_by_their_keys),
            cmocka_unit_test(differences_are_listed_up_to_a_bound),
            cmocka_unit_test(the_manager_who_set_a_field_last_is_named),
            cmocka_unit_test(a_field_that_left_our_set_and_stays_is_found),
            cmocka_unit_test(ignored_pointers_leave_both_views_and_live_values_stay),
            cmocka_unit_test(values_of_secrets_never_leave),
            cmocka_unit_test(entries_of_client_side_apply_become_ours),
            cmocka_unit_test(kinds_are_created_in_kubernetes_order),
            cmocka_unit_test(health_of_built_in_kinds_follows_argo_cd),
            cmocka_unit_test(an_object_has_one_line_for_lists_and_odd_ones_have_none),
            cmocka_unit_test(the_definitions_default_the_status_of_a_new_application),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
