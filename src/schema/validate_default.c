/* SPDX-License-Identifier: Apache-2.0 */
/* Defaults and the normal form of built-in kinds: validate_default_builtin and
 * validate_normalise_builtin of schema/validate.h. */
#include "doc/hash.h"
#include "doc/json.h"
#include "doc/quantity.h"
#include "schema/data.h"
#include "schema/validate.h"

#include "base/map.h"

#include <stdlib.h>

/* Rows of data/kube/defaults.json by Go type: each value is the list of its rows. */
static struct {
    struct arena *arena;
    struct map *by_type;
} table;

static void load(void)
{
    struct val *rows = NULL;
    struct err err = {0};

    if (table.arena != NULL)
        return;
    table.arena = arena_new(4 * LIMIT_MIB);
    table.by_type = map_new();
    if (!json_parse(table.arena, str_of(data_defaults, data_defaults_size), NULL, &rows, &err)) {
        fprintf(stderr, "taut: data/kube/defaults.json: %s\n", err.message);
        abort(); /* built in: our own mistake */
    }
    struct val_iter it = val_iter(rows);
    while (val_next(&it)) {
        str name = val_get_str(it.value, S("type"));
        struct val *list = map_get(table.by_type, name);
        if (list == NULL) {
            list = val_new(table.arena, val_list());
            map_set(table.by_type, name, list);
        }
        val_append(table.arena, list, *it.value);
    }
}

static bool is_missing(const struct val *map, str key)
{
    return val_kind(val_get(map, key)) == VAL_NULL;
}

static void set_missing(struct arena *arena, struct val *map, str key, const struct val *value)
{
    if (is_missing(map, key))
        val_set(arena, map, key, val_dup_value(arena, value));
}

static void set_text(struct arena *arena, struct val *map, str key, str text)
{
    if (is_missing(map, key))
        val_set_str(arena, map, key, text);
}

static void apply_rows(struct arena *arena, str type, struct val *v)
{
    struct val_iter rows = val_iter(map_get(table.by_type, type));

    while (val_next(&rows)) {
        struct val_iter when = val_iter(val_get(rows.value, S("when")));
        bool holds = true;
        while (val_next(&when))
            holds = holds && val_eq(val_get(v, when.key), when.value);
        struct val_iter set = val_iter(val_get(rows.value, S("set")));
        while (holds && val_next(&set))
            set_missing(arena, v, set.key, set.value);
    }
}

/* ---- what depends on more than one field ---- */

typedef void special_fn(struct arena *arena, struct val *v);

/* Without a tag or with "latest" an image may change under its name. */
static void default_container(struct arena *arena, struct val *v)
{
    str image = val_get_str(v, S("image"));
    size_t slash = str_rfind_char(image, '/');
    str name = slash == SIZE_MAX ? image : str_from_index(image, slash + 1);
    size_t at = str_find_char(name, '@');
    size_t colon = str_rfind_char(str_first(name, at), ':');
    bool moves = at == SIZE_MAX &&
                 (colon == SIZE_MAX || str_eq(str_from_index(name, colon + 1), S("latest")));

    if (image.len > 0)
        set_text(arena, v, S("imagePullPolicy"), moves ? S("Always") : S("IfNotPresent"));
}

static void default_pod_spec(struct arena *arena, struct val *v)
{
    str account = val_get_str(v, S("serviceAccountName"));
    str old = val_get_str(v, S("serviceAccount"));

    if (account.len > 0)
        val_set_str(arena, v, S("serviceAccount"), account);
    else if (old.len > 0)
        val_set_str(arena, v, S("serviceAccountName"), old);
}

/* A Job's own defaults: the template of a CronJob stays as it is. */
static void default_job(struct arena *arena, struct val *job)
{
    struct val *v = val_get(job, S("spec"));
    struct val one = val_int(arena, 1);

    if (!val_is(v, VAL_MAP))
        return;
    if (is_missing(v, S("completions")) && is_missing(v, S("parallelism")))
        set_missing(arena, v, S("completions"), &one);
    set_missing(arena, v, S("parallelism"), &one);
    apply_rows(arena, S("JobSpec of Job"), v);
}

static void default_service_port(struct arena *arena, struct val *v)
{
    const struct val *port = val_get(v, S("port"));
    const struct val *target = val_get(v, S("targetPort"));
    bool is_unset = val_kind(target) == VAL_NULL || val_i64_or(target, 1) == 0 ||
                    (val_is(target, VAL_STRING) && val_str(target).len == 0);

    if (port != NULL && is_unset)
        val_set(arena, v, S("targetPort"), val_dup_value(arena, port));
}

/* A volume that names no source is an empty directory. */
static void default_volume(struct arena *arena, struct val *v)
{
    struct val_iter it = val_iter(v);

    while (val_next(&it))
        if (!str_eq(it.key, S("name")) && !val_is(it.value, VAL_NULL))
            return;
    val_set(arena, v, S("emptyDir"), val_map());
}

static void default_claim_templates(struct arena *arena, struct val *v)
{
    struct val_iter it = val_iter(val_get(v, S("volumeClaimTemplates")));

    while (val_next(&it)) {
        set_text(arena, it.value, S("kind"), S("PersistentVolumeClaim"));
        set_text(arena, it.value, S("apiVersion"), S("v1"));
    }
}

static void default_policy_types(struct arena *arena, struct val *v)
{
    struct val types = val_list();

    if (val_count(val_get(v, S("policyTypes"))) > 0)
        return;
    val_append(arena, &types, val_string(arena, S("Ingress")));
    if (val_count(val_get(v, S("egress"))) > 0)
        val_append(arena, &types, val_string(arena, S("Egress")));
    val_set(arena, v, S("policyTypes"), types);
}

static void default_rbac_subjects(struct arena *arena, struct val *v)
{
    struct val_iter it = val_iter(val_get(v, S("subjects")));

    while (val_next(&it)) {
        str kind = val_get_str(it.value, S("kind"));
        if (str_eq(kind, S("User")) || str_eq(kind, S("Group")))
            set_text(arena, it.value, S("apiGroup"), S("rbac.authorization.k8s.io"));
    }
}

static void default_pod(struct arena *arena, struct val *v)
{
    struct val *spec = val_get(v, S("spec"));
    struct val yes = val_bool(true);
    struct val_iter it = val_iter(val_get(spec, S("containers")));

    if (!val_is(spec, VAL_MAP))
        return;
    set_missing(arena, spec, S("enableServiceLinks"), &yes);
    while (val_next(&it)) {
        struct val *resources = val_get(it.value, S("resources"));
        struct val_iter limits = val_iter(val_get(resources, S("limits")));
        while (val_next(&limits))
            set_missing(arena, val_ensure_map(arena, resources, S("requests")), limits.key,
                        limits.value);
    }
}

/* Without a metric it scales by CPU. */
static void default_autoscaler(struct arena *arena, struct val *v)
{
    struct val *spec = val_get(v, S("spec"));
    struct val metric = val_map();

    if (!val_is(spec, VAL_MAP) || !str_eq(val_get_str(v, S("apiVersion")), S("autoscaling/v2")) ||
        val_count(val_get(spec, S("metrics"))) > 0)
        return;
    val_set_str(arena, &metric, S("type"), S("Resource"));
    struct val *resource = val_ensure_map(arena, &metric, S("resource"));
    val_set_str(arena, resource, S("name"), S("cpu"));
    struct val *target = val_ensure_map(arena, resource, S("target"));
    val_set_str(arena, target, S("type"), S("Utilization"));
    val_set(arena, target, S("averageUtilization"), val_int(arena, 80));
    val_append(arena, val_ensure_list(arena, spec, S("metrics")), metric);
}

static void default_crd_names(struct arena *arena, struct val *v)
{
    str kind = val_get_str(v, S("kind"));
    char lower[256];

    if (kind.len == 0 || kind.len >= sizeof(lower))
        return;
    for (size_t i = 0; i < kind.len; i++)
        lower[i] = kind.at[i] >= 'A' && kind.at[i] <= 'Z' ? (char)(kind.at[i] + 32) : kind.at[i];
    set_text(arena, v, S("singular"), str_of(lower, kind.len));
    set_text(arena, v, S("listKind"), arena_join(arena, kind, S("List")));
}

static void default_ports_of_hooks(struct arena *arena, struct val *v)
{
    struct val port = val_int(arena, 443);

    set_missing(arena, v, S("port"), &port);
}

static const struct {
    str type;
    special_fn *fn;
} specials[] = {
        {S_INIT("Container"), default_container},
        {S_INIT("EphemeralContainer"), default_container},
        {S_INIT("PodSpec"), default_pod_spec},
        {S_INIT("Volume"), default_volume},
        {S_INIT("StatefulSetSpec"), default_claim_templates},
        {S_INIT("Job"), default_job},
        {S_INIT("ServicePort"), default_service_port},
        {S_INIT("NetworkPolicySpec"), default_policy_types},
        {S_INIT("RoleBinding"), default_rbac_subjects},
        {S_INIT("ClusterRoleBinding"), default_rbac_subjects},
        {S_INIT("Pod"), default_pod},
        {S_INIT("HorizontalPodAutoscaler"), default_autoscaler},
        {S_INIT("CustomResourceDefinitionNames"), default_crd_names},
        {S_INIT("ServiceReference"), default_ports_of_hooks},
};

/* Structs that Go holds by value are written even when they are empty. */
static void add_empty_structs(struct arena *arena, const struct type *type, struct val *v)
{
    for (size_t i = 0; i < type->field_count; i++) {
        const struct type_field *field = &type->fields[i];
        bool is_struct = field->type->kind == TYPE_MAP && field->type->go_name.len > 0;
        if (is_struct && val_is(field->default_value, VAL_MAP) && is_missing(v, field->name))
            val_set(arena, v, field->name, val_map());
    }
}

static void default_in(struct arena *arena, const struct type *type, struct val *v)
{
    struct val_iter it = val_iter(v);

    if (type->kind == TYPE_LIST && val_is(v, VAL_LIST)) {
        while (val_next(&it))
            default_in(arena, type->element, it.value);
        return;
    }
    if (type->kind != TYPE_MAP || !val_is(v, VAL_MAP) || arena_is_over(arena))
        return;
    if (type->go_name.len > 0) {
        add_empty_structs(arena, type, v);
        apply_rows(arena, type->go_name, v);
        for (size_t i = 0; i < COUNT(specials); i++)
            if (str_eq(specials[i].type, type->go_name))
                specials[i].fn(arena, v);
    }
    /* Begun again: the rows may have added members. */
    it = val_iter(v);
    while (val_next(&it)) {
        const struct type *member = type_member(type, it.key);
        if (member != NULL)
            default_in(arena, member, it.value);
    }
}

void validate_default_builtin(struct arena *arena, struct gvk gvk, struct val *object)
{
    const struct type *type = type_builtin(gvk);

    load();
    if (type != NULL)
        default_in(arena, type, object);
}

/* ---- normal form ---- */

/* Whether Go leaves the member out, or writes it otherwise. */
static bool is_left_out(const struct type_field *field, const struct val *v)
{
    int64_t number = 0;

    if (val_is(v, VAL_NULL))
        return true;
    if (field == NULL || val_count(v) > 0)
        return false;
    if (field->omits_zero)
        return (val_is(v, VAL_STRING) && val_str(v).len == 0) ||
               (val_is(v, VAL_BOOL) && !val_is_true(v)) || (val_to_i64(v, &number) && number == 0);
    if (field->required)
        return false;
    if (val_is(v, VAL_LIST))
        return field->type->kind == TYPE_LIST;
    return val_is(v, VAL_MAP) && field->type->kind == TYPE_MAP && field->type->field_count == 0 &&
           field->type->go_name.len == 0;
}

static void normalise_scalar(struct arena *arena, const struct type *type, struct val *v)
{
    if (type->quantity && (val_is(v, VAL_STRING) || val_is(v, VAL_NUMBER))) {
        str text = quantity_canonical(arena, val_text(v));
        if (!val_is(v, VAL_STRING) || !str_eq(text, val_str(v)))
            *v = val_string(arena, text);
    }
}

void validate_normalise_builtin(struct arena *arena, const struct type *type, struct val *v)
{
    struct val_iter it = val_iter(v);
    struct val gone = val_list();

    if (type->kind == TYPE_LIST) {
        while (val_next(&it))
            validate_normalise_builtin(arena, type->element, it.value);
        return;
    }
    if (type->kind != TYPE_MAP || !val_is(v, VAL_MAP)) {
        normalise_scalar(arena, type, v);
        return;
    }
    while (val_next(&it) && !arena_is_over(arena)) {
        const struct type *member = type_member(type, it.key);
        const struct type_field *field = type_field(type, it.key);
        if (member == NULL)
            continue;
        validate_normalise_builtin(arena, member, it.value);
        bool is_text = field == NULL && member->kind == TYPE_STRING && val_is(it.value, VAL_NULL);
        if (is_text)
            *it.value = val_string(arena, STR_EMPTY);
        else if (type->field_count > 0 && is_left_out(field, it.value))
            val_append(arena, &gone, val_string(arena, it.key));
    }
    it = val_iter(&gone);
    while (val_next(&it))
        val_del(v, val_str(it.value));
}
