/* SPDX-License-Identifier: Apache-2.0 */
/* validate_builtin of schema/validate.h: what the API server refuses most often. */
#include "base/buf.h"
#include "doc/json.h"
#include "doc/quantity.h"
#include "schema/names.h"
#include "schema/selector.h"
#include "schema/validate.h"

struct rules {
    struct arena *arena;
    struct val *problems;
    const struct val *object;
    const struct val *old; /* NULL on create */
};

#define PROBLEM(r, reason, field, ...)                                                             \
    validate_problem((r)->arena, (r)->problems, reason, (field), __VA_ARGS__)

static void required(struct rules *r, str field)
{
    PROBLEM(r, "FieldValueRequired", field, "Required value");
}

static str field_of(struct rules *r, str path, const char *name)
{
    return arena_printf(r->arena, "%.*s.%s", STR(path), name);
}

static void immutable(struct rules *r, str field, const struct val *value)
{
    str text = json_text(r->arena, value, JSON_SORT_KEYS);

    PROBLEM(r, "FieldValueInvalid", field, "Invalid value: %.*s: field is immutable",
            STR(str_first(text, str_utf8_clip(text, 500))));
}

static void not_negative(struct rules *r, const struct val *map, const char *name)
{
    const struct val *value = val_get(map, str_from(name));

    if (val_i64_or(value, 0) < 0)
        PROBLEM(r, "FieldValueInvalid", arena_printf(r->arena, "spec.%s", name),
                "Invalid value: %.*s: must be greater than or equal to 0", STR(val_text(value)));
}

static void check_port(struct rules *r, str field, const struct val *value)
{
    int64_t port = val_i64_or(value, 0);

    if (port < 1 || port > 65535)
        PROBLEM(r, "FieldValueInvalid", field,
                "Invalid value: %lld: must be between 1 and 65535, inclusive", (long long)port);
}

/* ---- pods ---- */

static void check_name(struct rules *r, str field, str name)
{
    if (name.len == 0)
        required(r, field);
    else if (!names_is_label(name))
        PROBLEM(r, "FieldValueInvalid", field, "Invalid value: \"%.*s\": %s", STR(name),
                names_label_rule);
}

static void check_duplicate(struct rules *r, struct val *seen, str field, str name)
{
    if (name.len > 0 && val_get(seen, name) != NULL)
        PROBLEM(r, "FieldValueDuplicate", field, "Duplicate value: \"%.*s\"", STR(name));
    else if (name.len > 0 && val_count(seen) < 1000)
        val_add(r->arena, seen, name, val_null());
}

static void check_resources(struct rules *r, str path, const struct val *resources)
{
    struct val_iter it = val_iter(val_get(resources, S("requests")));

    while (val_next(&it)) {
        const struct val *limit = val_get(val_get(resources, S("limits")), it.key);
        struct quantity asked = {0};
        struct quantity most = {0};
        if (limit == NULL || !quantity_parse(val_text(it.value), &asked) ||
            !quantity_parse(val_text(limit), &most) || quantity_cmp(&asked, &most) <= 0)
            continue;
        PROBLEM(r, "FieldValueInvalid", field_of(r, path, "requests"),
                "Invalid value: \"%.*s\": must be less than or equal to %.*s limit of %.*s",
                STR(val_text(it.value)), STR(it.key), STR(val_text(limit)));
    }
}

static void check_container(struct rules *r, str path, const struct val *container,
                            struct val *names, const struct val *volumes)
{
    str name = val_get_str(container, S("name"));
    str image = val_get_str(container, S("image"));
    struct val_iter it = val_iter(val_get(container, S("ports")));

    check_name(r, field_of(r, path, "name"), name);
    check_duplicate(r, names, field_of(r, path, "name"), name);
    if (image.len == 0)
        required(r, field_of(r, path, "image"));
    else if (str_trim(image).len != image.len)
        PROBLEM(r, "FieldValueInvalid", field_of(r, path, "image"),
                "Invalid value: \"%.*s\": must not have leading or trailing whitespace",
                STR(image));
    while (val_next(&it)) {
        const struct val *port = val_get(it.value, S("containerPort"));
        str field = arena_printf(r->arena, "%.*s.ports[%zu].containerPort", STR(path), it.index);
        if (val_i64_or(port, 0) == 0)
            required(r, field);
        else
            check_port(r, field, port);
    }
    it = val_iter(val_get(container, S("env")));
    while (val_next(&it))
        if (val_get_str(it.value, S("name")).len == 0)
            required(r, arena_printf(r->arena, "%.*s.env[%zu].name", STR(path), it.index));
    it = val_iter(val_get(container, S("volumeMounts")));
    while (val_next(&it)) {
        str mount = val_get_str(it.value, S("name"));
        str field = arena_printf(r->arena, "%.*s.volumeMounts[%zu]", STR(path), it.index);
        if (val_get_str(it.value, S("mountPath")).len == 0)
            required(r, field_of(r, field, "mountPath"));
        if (mount.len > 0 && val_get(volumes, mount) == NULL)
            PROBLEM(r, "FieldValueNotFound", field_of(r, field, "name"), "Not found: \"%.*s\"",
                    STR(mount));
    }
    check_resources(r, field_of(r, path, "resources"), val_get(container, S("resources")));
}

/* `more`: names of volumes that come from elsewhere (claim templates). */
static void check_pod_spec(struct rules *r, str path, const struct val *spec,
                           const struct val *more)
{
    struct val names = val_map();
    struct val volumes = val_map();
    struct val_iter it = val_iter(val_get(spec, S("volumes")));

    while (val_next(&it)) {
        str field = arena_printf(r->arena, "%.*s.volumes[%zu].name", STR(path), it.index);
        str name = val_get_str(it.value, S("name"));
        check_name(r, field, name);
        check_duplicate(r, &volumes, field, name);
    }
    it = val_iter(more);
    while (val_next(&it))
        val_set(r->arena, &volumes, VAL_STR(it.value, "metadata", "name"), val_null());
    if (val_count(val_get(spec, S("containers"))) == 0)
        required(r, field_of(r, path, "containers"));
    static const char *const lists[] = {"containers", "initContainers"};
    for (size_t i = 0; i < COUNT(lists); i++) {
        it = val_iter(val_get(spec, str_from(lists[i])));
        while (val_next(&it)) {
            str at = arena_printf(r->arena, "%.*s.%s[%zu]", STR(path), lists[i], it.index);
            check_container(r, at, it.value, &names, &volumes);
        }
    }
}

static void check_restart(struct rules *r, const struct val *spec, bool is_job)
{
    str policy = VAL_STR(spec, "template", "spec", "restartPolicy");
    bool is_always = str_eq(policy, S("Always"));

    if (policy.len == 0 || is_always != is_job)
        return;
    if (is_job) { /* the default of Pods: nobody chose a policy for the Job */
        PROBLEM(r, "FieldValueRequired", S("spec.template.spec.restartPolicy"),
                "Required value: valid values: \"OnFailure\", \"Never\"");
        return;
    }
    PROBLEM(r, "FieldValueNotSupported", S("spec.template.spec.restartPolicy"),
            "Unsupported value: \"%.*s\": supported values: \"Always\"", STR(policy));
}

static void check_selector(struct rules *r, const struct val *spec)
{
    const struct val *selector = val_get(spec, S("selector"));
    const struct val *labels = VAL_AT(spec, "template", "metadata", "labels");
    struct selector *parsed = NULL;
    struct err err = {0};

    if (val_count(selector) == 0) {
        required(r, S("spec.selector"));
        return;
    }
    if (!selector_of(r->arena, selector, &parsed, &err)) {
        PROBLEM(r, "FieldValueInvalid", S("spec.selector"), "Invalid value: %s", err.message);
        return;
    }
    if (!selector_matches_labels(parsed, labels))
        PROBLEM(r, "FieldValueInvalid", S("spec.template.metadata.labels"),
                "Invalid value: %.*s: `selector` does not match template `labels`",
                STR(labels == NULL ? S("null") : json_text(r->arena, labels, JSON_SORT_KEYS)));
}

static void check_same(struct rules *r, const char *name)
{
    const struct val *now = VAL_AT(r->object, "spec", name);
    const struct val *was = VAL_AT(r->old, "spec", name);

    if (r->old != NULL && !val_eq(now, was))
        immutable(r, arena_printf(r->arena, "spec.%s", name), now);
}

/* ---- kinds ---- */

static void check_workload(struct rules *r)
{
    const struct val *spec = val_get(r->object, S("spec"));

    not_negative(r, spec, "replicas");
    not_negative(r, spec, "minReadySeconds");
    not_negative(r, spec, "revisionHistoryLimit");
    check_selector(r, spec);
    check_restart(r, spec, /*is_job=*/false);
    check_pod_spec(r, S("spec.template.spec"), VAL_AT(spec, "template", "spec"),
                   val_get(spec, S("volumeClaimTemplates")));
    check_same(r, "selector");
}

static void check_stateful(struct rules *r)
{
    static const str open[] = {S_INIT("replicas"),
                               S_INIT("ordinals"),
                               S_INIT("template"),
                               S_INIT("updateStrategy"),
                               S_INIT("minReadySeconds"),
                               S_INIT("revisionHistoryLimit"),
                               S_INIT("persistentVolumeClaimRetentionPolicy")};
    const struct val *old = r->old;

    r->old = NULL;
    check_workload(r);
    r->old = old;
    if (old == NULL)
        return;
    struct val *now = val_dup(r->arena, val_get(r->object, S("spec")));
    struct val *was = val_dup(r->arena, val_get(old, S("spec")));
    for (size_t i = 0; i < COUNT(open); i++) {
        val_del(now, open[i]);
        val_del(was, open[i]);
    }
    /* A claim template's status is the server's. */
    struct val_iter it = val_iter(val_get(now, S("volumeClaimTemplates")));
    while (val_next(&it))
        val_del(it.value, S("status"));
    it = val_iter(val_get(was, S("volumeClaimTemplates")));
    while (val_next(&it))
        val_del(it.value, S("status"));
    if (!val_eq(now, was))
        PROBLEM(r, "FieldValueForbidden", S("spec"),
                "Forbidden: updates to statefulset spec for fields other than 'replicas', "
                "'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', "
                "'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden");
}

/* Of a suspended Job's Pods only where they will run may change. */
static bool same_but_placement(const struct val *now, const struct val *was)
{
    static const str open[] = {S_INIT("nodeSelector"), S_INIT("affinity"), S_INIT("tolerations"),
                               S_INIT("schedulingGates")};

    for (int turn = 0; turn < 2; turn++) {
        struct val_iter it = val_iter(turn == 0 ? now : was);

        while (val_next(&it)) {
            bool is_open = false;
            for (size_t i = 0; i < COUNT(open); i++)
                is_open = is_open || str_eq(it.key, open[i]);
            if (!is_open && !val_eq(val_get(now, it.key), val_get(was, it.key)))
                return false;
        }
    }
    return true;
}

static void check_job(struct rules *r)
{
    const struct val *spec = val_get(r->object, S("spec"));

    not_negative(r, spec, "parallelism");
    not_negative(r, spec, "completions");
    not_negative(r, spec, "backoffLimit");
    check_restart(r, spec, /*is_job=*/true);
    check_pod_spec(r, S("spec.template.spec"), VAL_AT(spec, "template", "spec"), NULL);
    check_same(r, "selector");
    check_same(r, "completionMode");
    if (r->old == NULL)
        return;
    const struct val *now = VAL_AT(r->object, "spec", "template");
    const struct val *was = VAL_AT(r->old, "spec", "template");
    bool same = val_is_true(VAL_AT(r->old, "spec", "suspend"))
                        ? same_but_placement(val_get(now, S("spec")), val_get(was, S("spec")))
                        : val_eq(now, was);
    if (!same)
        immutable(r, S("spec.template"), now);
}

static void check_cron_job(struct rules *r)
{
    const struct val *spec = val_get(r->object, S("spec"));

    if (val_get_str(spec, S("schedule")).len == 0)
        required(r, S("spec.schedule"));
    check_pod_spec(r, S("spec.jobTemplate.spec.template.spec"),
                   VAL_AT(spec, "jobTemplate", "spec", "template", "spec"), NULL);
}

static void check_pod(struct rules *r)
{
    static const str open[] = {S_INIT("activeDeadlineSeconds"),         S_INIT("tolerations"),
                               S_INIT("terminationGracePeriodSeconds"), S_INIT("nodeName"),
                               S_INIT("ephemeralContainers"),           S_INIT("schedulingGates")};

    check_pod_spec(r, S("spec"), val_get(r->object, S("spec")), NULL);
    if (r->old == NULL)
        return;
    struct val *now = val_dup(r->arena, val_get(r->object, S("spec")));
    struct val *was = val_dup(r->arena, val_get(r->old, S("spec")));
    struct val *specs[] = {now, was};
    for (size_t i = 0; i < COUNT(specs); i++) {
        for (size_t k = 0; k < COUNT(open); k++)
            val_del(specs[i], open[k]);
        struct val_iter it = val_iter(val_get(specs[i], S("containers")));
        while (val_next(&it))
            val_del(it.value, S("image"));
        it = val_iter(val_get(specs[i], S("initContainers")));
        while (val_next(&it))
            val_del(it.value, S("image"));
    }
    if (!val_eq(now, was))
        PROBLEM(r, "FieldValueForbidden", S("spec"),
                "Forbidden: pod updates may not change fields other than "
                "`spec.containers[*].image`,`spec.initContainers[*].image`,"
                "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing "
                "tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it "
                "was previously negative)");
}

static void check_service(struct rules *r)
{
    const struct val *spec = val_get(r->object, S("spec"));
    const struct val *ports = val_get(spec, S("ports"));
    bool is_headless = str_eq(val_get_str(spec, S("clusterIP")), S("None"));
    bool is_external = str_eq(val_get_str(spec, S("type")), S("ExternalName"));
    struct val_iter it = val_iter(ports);
    struct val names = val_map();
    struct val numbers = val_map();

    if (val_count(ports) == 0 && !is_headless && !is_external)
        required(r, S("spec.ports"));
    if (is_external && val_get_str(spec, S("externalName")).len == 0)
        required(r, S("spec.externalName"));
    while (val_next(&it)) {
        str path = arena_printf(r->arena, "spec.ports[%zu]", it.index);
        str name = val_get_str(it.value, S("name"));
        check_port(r, field_of(r, path, "port"), val_get(it.value, S("port")));
        if (name.len == 0 && val_count(ports) > 1)
            required(r, field_of(r, path, "name"));
        check_duplicate(r, &names, field_of(r, path, "name"), name);
        str number = arena_printf(r->arena, "%.*s/%.*s", STR(val_get_str(it.value, S("protocol"))),
                                  STR(val_text(val_get(it.value, S("port")))));
        if (val_get(&numbers, number) != NULL)
            PROBLEM(r, "FieldValueDuplicate", path, "Duplicate value: {\"port\":%.*s}",
                    STR(val_text(val_get(it.value, S("port")))));
        val_set(r->arena, &numbers, number, val_null());
    }
    str was = VAL_STR(r->old, "spec", "clusterIP");
    str now = val_get_str(spec, S("clusterIP"));
    if (was.len > 0 && now.len > 0 && !str_eq(was, now))
        PROBLEM(r, "FieldValueInvalid", S("spec.clusterIPs[0]"),
                "Invalid value: [\"%.*s\"]: may not change once set", STR(now));
}

static void check_data_keys(struct rules *r, const char *member)
{
    struct val_iter it = val_iter(val_get(r->object, str_from(member)));

    while (val_next(&it))
        if (!names_is_config_key(it.key))
            PROBLEM(r, "FieldValueInvalid", arena_printf(r->arena, "%s[%.*s]", member, STR(it.key)),
                    "Invalid value: \"%.*s\": a valid config key must consist of alphanumeric "
                    "characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', "
                    "regex used for validation is '[-._a-zA-Z0-9]+')",
                    STR(it.key));
}

static void check_config(struct rules *r)
{
    static const char *const members[] = {"data", "binaryData", "stringData"};
    const struct val *type = val_get(r->object, S("type"));
    bool is_frozen = val_get_bool(r->old, S("immutable"), false);

    for (size_t i = 0; i < COUNT(members); i++) {
        check_data_keys(r, members[i]);
        str name = str_from(members[i]);
        if (is_frozen && !val_eq(val_get(r->object, name), val_get(r->old, name)))
            PROBLEM(r, "FieldValueForbidden", name,
                    "Forbidden: field is immutable when `immutable` is set");
    }
    if (is_frozen && !val_get_bool(r->object, S("immutable"), false))
        PROBLEM(r, "FieldValueForbidden", S("immutable"),
                "Forbidden: field is immutable when `immutable` is set");
    if (r->old != NULL && !val_eq(type, val_get(r->old, S("type"))))
        immutable(r, S("type"), type);
}

static void check_claim(struct rules *r)
{
    if (val_count(VAL_AT(r->object, "spec", "accessModes")) == 0)
        PROBLEM(r, "FieldValueRequired", S("spec.accessModes"),
                "Required value: at least 1 access mode is required");
    if (VAL_AT(r->object, "spec", "resources", "requests", "storage") == NULL)
        required(r, S("spec.resources[storage]"));
    if (r->old == NULL)
        return;
    struct val *now = val_dup(r->arena, val_get(r->object, S("spec")));
    struct val *was = val_dup(r->arena, val_get(r->old, S("spec")));
    static const str open[] = {S_INIT("resources"), S_INIT("volumeName"),
                               S_INIT("volumeAttributesClassName"), S_INIT("storageClassName")};
    for (size_t i = 0; i < COUNT(open); i++) {
        val_del(now, open[i]);
        val_del(was, open[i]);
    }
    if (!val_eq(now, was))
        PROBLEM(r, "FieldValueForbidden", S("spec"),
                "Forbidden: spec is immutable after creation except resources.requests and "
                "volumeAttributesClassName for bound claims");
}

static void check_role(struct rules *r)
{
    static const struct {
        const char *name;
        const char *message;
    } needed[] = {
            {"verbs", "Required value: verbs must contain at least one value"},
            {"apiGroups", "Required value: resource rules must supply at least one api group"},
            {"resources", "Required value: resource rules must supply at least one resource"},
    };
    struct val_iter it = val_iter(val_get(r->object, S("rules")));

    while (val_next(&it)) {
        bool is_path = val_count(val_get(it.value, S("nonResourceURLs"))) > 0;
        for (size_t i = 0; i < (is_path ? 1 : COUNT(needed)); i++)
            if (val_count(val_get(it.value, str_from(needed[i].name))) == 0)
                PROBLEM(r, "FieldValueRequired",
                        arena_printf(r->arena, "rules[%zu].%s", it.index, needed[i].name), "%s",
                        needed[i].message);
    }
}

static void check_binding(struct rules *r)
{
    const struct val *role = val_get(r->object, S("roleRef"));

    if (VAL_STR(role, "name").len == 0)
        required(r, S("roleRef.name"));
    if (r->old != NULL && !val_eq(role, val_get(r->old, S("roleRef"))))
        PROBLEM(r, "FieldValueInvalid", S("roleRef"), "Invalid value: %.*s: cannot change roleRef",
                STR(json_text(r->arena, role, JSON_SORT_KEYS)));
}

static void check_autoscaler(struct rules *r)
{
    const struct val *spec = val_get(r->object, S("spec"));
    int64_t most = val_i64_or(val_get(spec, S("maxReplicas")), 0);
    int64_t least = val_i64_or(val_get(spec, S("minReplicas")), 1);

    if (most < 1)
        PROBLEM(r, "FieldValueInvalid", S("spec.maxReplicas"),
                "Invalid value: %lld: must be greater than 0", (long long)most);
    else if (most < least)
        PROBLEM(r, "FieldValueInvalid", S("spec.maxReplicas"),
                "Invalid value: %lld: must be greater than or equal to `minReplicas`",
                (long long)most);
    if (VAL_STR(spec, "scaleTargetRef", "name").len == 0)
        required(r, S("spec.scaleTargetRef.name"));
}

static void check_ingress_path(struct rules *r, str field, const struct val *path)
{
    str type = val_get_str(path, S("pathType"));
    str text = val_get_str(path, S("path"));
    bool is_exact = str_eq(type, S("Exact")) || str_eq(type, S("Prefix"));

    if (type.len == 0)
        PROBLEM(r, "FieldValueRequired", field_of(r, field, "pathType"),
                "Required value: pathType must be specified");
    if (!str_starts(text, S("/")) && (is_exact || text.len > 0))
        PROBLEM(r, "FieldValueInvalid", field_of(r, field, "path"),
                "Invalid value: \"%.*s\": must be an absolute path", STR(text));
    if (VAL_AT(path, "backend", "service") == NULL && VAL_AT(path, "backend", "resource") == NULL)
        PROBLEM(r, "FieldValueInvalid", field_of(r, field, "backend"),
                "Invalid value: \"\": resource or service backend is required");
}

static void check_ingress(struct rules *r)
{
    const struct val *spec = val_get(r->object, S("spec"));
    struct val_iter rules = val_iter(val_get(spec, S("rules")));

    if (val_count(val_get(spec, S("rules"))) == 0 && val_get(spec, S("defaultBackend")) == NULL)
        PROBLEM(r, "FieldValueInvalid", S("spec"),
                "Invalid value: null: either `defaultBackend` or `rules` must be specified");
    while (val_next(&rules)) {
        str field = arena_printf(r->arena, "spec.rules[%zu].http.paths", rules.index);
        struct val_iter paths = val_iter(VAL_AT(rules.value, "http", "paths"));
        if (val_get(rules.value, S("http")) != NULL &&
            val_count(VAL_AT(rules.value, "http", "paths")) == 0)
            required(r, field);
        while (val_next(&paths))
            check_ingress_path(r, arena_printf(r->arena, "%.*s[%zu]", STR(field), paths.index),
                               paths.value);
    }
}

static const struct {
    str group;
    str kind;
    void (*check)(struct rules *r);
} kinds[] = {
        {S_INIT("apps"), S_INIT("Deployment"), check_workload},
        {S_INIT("apps"), S_INIT("ReplicaSet"), check_workload},
        {S_INIT("apps"), S_INIT("DaemonSet"), check_workload},
        {S_INIT("apps"), S_INIT("StatefulSet"), check_stateful},
        {S_INIT("batch"), S_INIT("Job"), check_job},
        {S_INIT("batch"), S_INIT("CronJob"), check_cron_job},
        {S_INIT(""), S_INIT("Pod"), check_pod},
        {S_INIT(""), S_INIT("Service"), check_service},
        {S_INIT(""), S_INIT("ConfigMap"), check_config},
        {S_INIT(""), S_INIT("Secret"), check_config},
        {S_INIT(""), S_INIT("PersistentVolumeClaim"), check_claim},
        {S_INIT("rbac.authorization.k8s.io"), S_INIT("Role"), check_role},
        {S_INIT("rbac.authorization.k8s.io"), S_INIT("ClusterRole"), check_role},
        {S_INIT("rbac.authorization.k8s.io"), S_INIT("RoleBinding"), check_binding},
        {S_INIT("rbac.authorization.k8s.io"), S_INIT("ClusterRoleBinding"), check_binding},
        {S_INIT("autoscaling"), S_INIT("HorizontalPodAutoscaler"), check_autoscaler},
        {S_INIT("networking.k8s.io"), S_INIT("Ingress"), check_ingress},
};

/* ---- enumerations of the schema ---- */

static void check_enums(struct rules *r, const struct type *type, const struct val *v,
                        struct buf *path)
{
    const struct val *allowed = val_get(type->schema, S("enum"));
    struct val_iter it = val_iter(v);
    size_t len = path->len;

    while (val_next(&it)) {
        const struct type *below = val_is(v, VAL_MAP) ? type_member(type, it.key) : type->element;
        if (val_is(v, VAL_MAP))
            buf_addf(path, "%s%.*s", len > 0 ? "." : "", STR(it.key));
        else
            buf_addf(path, "[%zu]", it.index);
        if (below != NULL)
            check_enums(r, below, it.value, path);
        path->len = len;
    }
    if (!val_is(v, VAL_STRING) || val_count(allowed) == 0 || val_str(v).len == 0)
        return;
    auto_buf struct buf names = {0};
    buf_init(&names, LIMIT_ERR_MESSAGE);
    it = val_iter(allowed);
    while (val_next(&it)) {
        if (val_eq(it.value, v))
            return;
        buf_addf(&names, "%s\"%.*s\"", it.index > 0 ? ", " : "", STR(val_str(it.value)));
    }
    str text = val_str(v);
    PROBLEM(r, "FieldValueNotSupported", buf_str(path),
            "Unsupported value: \"%.*s\": supported values: %.*s",
            STR(str_first(text, str_utf8_clip(text, 200))), STR(buf_str(&names)));
}

void validate_builtin(struct arena *arena, struct gvk gvk, const struct val *object,
                      const struct val *old, struct val *problems)
{
    struct rules r = {arena, problems, object, old};
    const struct type *type = type_builtin(gvk);
    auto_buf struct buf path = {0};

    buf_init(&path, LIMIT_MIB);
    if (type != NULL)
        check_enums(&r, type, object, &path);
    for (size_t i = 0; i < COUNT(kinds); i++)
        if (str_eq(kinds[i].kind, gvk.kind) && str_eq(kinds[i].group, gvk.group))
            kinds[i].check(&r);
}
