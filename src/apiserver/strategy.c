/* SPDX-License-Identifier: Apache-2.0 */
#include "apiserver/strategy.h"

#include "apiserver/crd.h"
#include "apiserver/service.h"
#include "doc/hash.h"

/* ---- decode ---- */

static void decode_secret(struct arena *arena, struct val *object)
{
    const struct val *plain = val_get(object, S("stringData"));

    if (plain == NULL)
        return;
    if (val_count(plain) > 0) {
        struct val *data = val_ensure_map(arena, object, S("data"));
        struct val_iter it = val_iter(plain);

        while (val_next(&it))
            val_set_str(arena, data, it.key, base64_encode(arena, val_str(it.value)));
    }
    val_del(object, S("stringData"));
}

static void decode_namespace(struct arena *arena, struct val *object)
{
    struct val *metadata = val_ensure_map(arena, object, S("metadata"));
    str name = object_name(object);

    if (!str_is_empty(name))
        val_set_str(arena, val_ensure_map(arena, metadata, S("labels")),
                    S("kubernetes.io/metadata.name"), name);
}

/* ---- create ---- */

static bool create_namespace(struct api *api, struct val *object)
{
    struct arena *arena = api->arena;
    struct val *spec = val_ensure_map(arena, object, S("spec"));
    struct val *finalizers = val_ensure_list(arena, spec, S("finalizers"));
    bool has = false;

    struct val_iter it = val_iter(finalizers);
    while (val_next(&it))
        has |= str_eq(val_str(it.value), S("kubernetes"));
    if (!has)
        val_append(arena, finalizers, val_string_borrow(S("kubernetes")));
    val_set_str(arena, val_ensure_map(arena, object, S("status")), S("phase"), S("Active"));
    return true;
}

/* A Job selects its Pods by its own uid, unless it brings a selector by hand. */
static bool create_job(struct api *api, struct val *object)
{
    struct arena *arena = api->arena;
    struct val *spec = val_ensure_map(arena, object, S("spec"));
    str uid = object_uid(object);
    str name = object_name(object);

    if (val_get_bool(spec, S("manualSelector"), false))
        return true;
    struct val *template = val_ensure_map(arena, spec, S("template"));
    struct val *labels =
            val_ensure_map(arena, val_ensure_map(arena, template, S("metadata")), S("labels"));
    val_set_str(arena, labels, S("controller-uid"), uid);
    val_set_str(arena, labels, S("job-name"), name);
    val_set_str(arena, labels, S("batch.kubernetes.io/controller-uid"), uid);
    val_set_str(arena, labels, S("batch.kubernetes.io/job-name"), name);
    struct val *selector = val_ensure_map(arena, spec, S("selector"));
    val_set_str(arena, val_ensure_map(arena, selector, S("matchLabels")),
                S("batch.kubernetes.io/controller-uid"), uid);
    struct val *metadata = val_ensure_map(arena, object, S("metadata"));
    if (val_count(val_get(metadata, S("labels"))) == 0)
        val_set(arena, metadata, S("labels"), val_dup_value(arena, labels));
    return true;
}

static bool has_resources(const struct val *pod, const char *which)
{
    struct val_iter it = val_iter(VAL_AT(pod, "spec", "containers"));

    while (val_next(&it))
        if (val_count(VAL_AT(it.value, "resources", which)) > 0)
            return true;
    return false;
}

/* What the admission plug-ins of a usual server add: how long a lost node is tolerated. */
static void tolerate(struct arena *arena, struct val *spec, const char *key)
{
    struct val *list = val_ensure_list(arena, spec, S("tolerations"));
    struct val_iter it = val_iter(list);

    while (val_next(&it))
        if (str_eq(val_get_str(it.value, S("key")), str_from(key)) ||
            str_is_empty(val_get_str(it.value, S("key"))))
            return;
    struct val *toleration = val_append(arena, list, val_map());
    val_set_str(arena, toleration, S("key"), str_from(key));
    val_set_str(arena, toleration, S("operator"), S("Exists"));
    val_set_str(arena, toleration, S("effect"), S("NoExecute"));
    val_set(arena, toleration, S("tolerationSeconds"), val_int(arena, 300));
}

static bool create_pod(struct api *api, struct val *object)
{
    struct arena *arena = api->arena;
    struct val *status = val_ensure_map(arena, object, S("status"));
    struct val *spec = val_ensure_map(arena, object, S("spec"));

    tolerate(arena, spec, "node.kubernetes.io/not-ready");
    tolerate(arena, spec, "node.kubernetes.io/unreachable");
    if (val_get(spec, S("priority")) == NULL)
        val_set(arena, spec, S("priority"), val_int(arena, 0));
    if (val_get(spec, S("preemptionPolicy")) == NULL)
        val_set_str(arena, spec, S("preemptionPolicy"), S("PreemptLowerPriority"));

    val_set_str(arena, status, S("phase"), S("Pending"));
    if (!has_resources(object, "requests") && !has_resources(object, "limits"))
        val_set_str(arena, status, S("qosClass"), S("BestEffort"));
    else
        val_set_str(arena, status, S("qosClass"), S("Burstable"));
    return true;
}

static void set_template_generation(struct arena *arena, struct val *object, int64_t generation)
{
    struct val *metadata = val_ensure_map(arena, object, S("metadata"));

    val_set_str(arena, val_ensure_map(arena, metadata, S("annotations")),
                S("deprecated.daemonset.template.generation"),
                arena_printf(arena, "%lld", (long long)generation));
}

static bool create_daemon_set(struct api *api, struct val *object)
{
    set_template_generation(api->arena, object, 1);
    return true;
}

static bool update_daemon_set(struct api *api, struct val *object, const struct val *live)
{
    int64_t generation = 1;

    if (!str_to_i64(object_annotation(live, S("deprecated.daemonset.template.generation")),
                    &generation))
        generation = 1;
    if (!val_eq(VAL_AT(object, "spec", "template"), VAL_AT(live, "spec", "template")))
        generation++;
    set_template_generation(api->arena, object, generation);
    return true;
}

static bool create_claim(struct api *api, struct val *object)
{
    val_set_str(api->arena, val_ensure_map(api->arena, object, S("status")), S("phase"),
                S("Pending"));
    return true;
}

static bool create_crd(struct api *api, struct val *object)
{
    crd_set_status(api->server, api->arena, object);
    return true;
}

static bool update_crd(struct api *api, struct val *object, UNUSED const struct val *live)
{
    crd_set_status(api->server, api->arena, object);
    return true;
}

/* What the selector and the generated labels were stays: the template's are immutable anyway. */
static bool update_job(struct api *api, struct val *object, const struct val *live)
{
    struct arena *arena = api->arena;
    struct val *spec = val_get(object, S("spec"));
    const struct val *selector = VAL_AT(live, "spec", "selector");

    if (spec != NULL && val_get(spec, S("selector")) == NULL && selector != NULL)
        val_set(arena, spec, S("selector"), val_dup_value(arena, selector));
    struct val_iter it = val_iter(VAL_AT(live, "spec", "template", "metadata", "labels"));
    struct val *template = val_get(spec, S("template"));
    if (template == NULL || val_get_bool(spec, S("manualSelector"), false))
        return true;
    struct val *labels =
            val_ensure_map(arena, val_ensure_map(arena, template, S("metadata")), S("labels"));
    while (val_next(&it))
        if (val_get(labels, it.key) == NULL &&
            (str_starts(it.key, S("batch.kubernetes.io/")) || str_eq(it.key, S("controller-uid")) ||
             str_eq(it.key, S("job-name"))))
            val_set(arena, labels, it.key, *it.value);
    return true;
}

/* ---- the table ---- */

enum flags {
    GENERATION = 1,  /* metadata.generation counts changes of the spec */
    ANNOTATIONS = 2, /* and of annotations */
};

static const struct rules {
    str key;
    unsigned flags;
    bool (*create)(struct api *api, struct val *object);
    bool (*update)(struct api *api, struct val *object, const struct val *live);
} rules[] = {
        {S_INIT("/namespaces"), 0, create_namespace, NULL},
        {S_INIT("/services"), 0, service_create, service_update},
        {S_INIT("/pods"), GENERATION, create_pod, NULL},
        {S_INIT("/persistentvolumeclaims"), 0, create_claim, NULL},
        {S_INIT("/replicationcontrollers"), GENERATION, NULL, NULL},
        {S_INIT("apps/deployments"), GENERATION | ANNOTATIONS, NULL, NULL},
        {S_INIT("apps/daemonsets"), GENERATION, create_daemon_set, update_daemon_set},
        {S_INIT("apps/statefulsets"), GENERATION, NULL, NULL},
        {S_INIT("apps/replicasets"), GENERATION, NULL, NULL},
        {S_INIT("batch/jobs"), GENERATION, create_job, update_job},
        {S_INIT("batch/cronjobs"), GENERATION, NULL, NULL},
        {S_INIT("networking.k8s.io/ingresses"), GENERATION, NULL, NULL},
        {S_INIT("networking.k8s.io/ingressclasses"), GENERATION, NULL, NULL},
        {S_INIT("networking.k8s.io/networkpolicies"), GENERATION, NULL, NULL},
        {S_INIT("policy/poddisruptionbudgets"), GENERATION, NULL, NULL},
        {S_INIT("admissionregistration.k8s.io/mutatingwebhookconfigurations"), GENERATION, NULL,
         NULL},
        {S_INIT("admissionregistration.k8s.io/validatingwebhookconfigurations"), GENERATION, NULL,
         NULL},
        {S_INIT("admissionregistration.k8s.io/validatingadmissionpolicies"), GENERATION, NULL,
         NULL},
        {S_INIT("admissionregistration.k8s.io/validatingadmissionpolicybindings"), GENERATION, NULL,
         NULL},
        {S_INIT("scheduling.k8s.io/priorityclasses"), GENERATION, NULL, NULL},
        {S_INIT("discovery.k8s.io/endpointslices"), GENERATION, NULL, NULL},
        {S_INIT("apiextensions.k8s.io/customresourcedefinitions"), GENERATION, create_crd,
         update_crd},
};

static const struct rules custom = {S_INIT(""), GENERATION, NULL, NULL};
static const struct rules plain = {S_INIT(""), 0, NULL, NULL};

static const struct rules *rules_of(const struct kind *kind)
{
    if (kind->is_crd)
        return &custom;
    for (size_t i = 0; i < COUNT(rules); i++)
        if (str_eq(rules[i].key, kind->key))
            return &rules[i];
    return &plain;
}

void strategy_decode(struct api *api, struct val *object)
{
    if (str_eq(api->kind->key, S("/secrets")))
        decode_secret(api->arena, object);
    else if (str_eq(api->kind->key, S("/namespaces")))
        decode_namespace(api->arena, object);
    else if (str_eq(api->kind->key, CRD_KEY))
        crd_default(api->arena, object);
}

/* Go writes the counters of a new object's status, although they are zero. */
static void zero_status(struct api *api, struct val *object)
{
    const struct type_field *field = type_field(api->version->type, S("status"));
    struct arena *arena = api->arena;

    if (field == NULL || !api->version->has_status)
        return;
    for (size_t i = 0; i < field->type->field_count; i++) {
        const struct type_field *counter = &field->type->fields[i];

        if (counter->required && counter->type->kind == TYPE_INTEGER)
            val_set(arena, val_ensure_map(arena, object, S("status")), counter->name,
                    val_int(arena, 0));
    }
    if (str_eq(api->kind->key, S("apps/statefulsets")))
        val_set(arena, val_ensure_map(arena, object, S("status")), S("availableReplicas"),
                val_int(arena, 0));
}

/* Kinds that are stored for those who look at them, and that nothing here acts on: whoever writes
 * one is told. */
static const struct {
    str key;
    const char *warning;
} unheeded[] = {
        {S_INIT("admissionregistration.k8s.io/mutatingwebhookconfigurations"),
         "this server stores admission webhooks and calls none"},
        {S_INIT("admissionregistration.k8s.io/validatingwebhookconfigurations"),
         "this server stores admission webhooks and calls none"},
        {S_INIT("admissionregistration.k8s.io/validatingadmissionpolicies"),
         "this server stores admission policies and evaluates none"},
        {S_INIT("/resourcequotas"), "this server stores resource quotas and enforces none"},
        {S_INIT("/limitranges"), "this server stores limit ranges and enforces none"},
};

static bool has_key(const struct val *v, str key)
{
    struct val_iter it = val_iter(v);

    while (val_next(&it))
        if ((val_is(v, VAL_MAP) && str_eq(it.key, key)) || has_key(it.value, key))
            return true;
    return false;
}

static void warn_unheeded(struct api *api, const struct val *object)
{
    for (size_t i = 0; i < COUNT(unheeded); i++)
        if (str_eq(unheeded[i].key, api->kind->key))
            api_warn(api, "%s", unheeded[i].warning);
    if (str_eq(api->kind->key, CRD_KEY) &&
        has_key(VAL_AT(object, "spec", "versions"), S("x-kubernetes-validations")))
        api_warn(api, "this server does not evaluate x-kubernetes-validations rules");
}

bool strategy_create(struct api *api, struct val *object)
{
    const struct rules *of = rules_of(api->kind);
    struct val *metadata = val_ensure_map(api->arena, object, S("metadata"));

    warn_unheeded(api, object);
    val_del(metadata, S("generation"));
    if ((of->flags & GENERATION) != 0)
        val_set(api->arena, metadata, S("generation"), val_int(api->arena, 1));
    if (!api->kind->is_crd)
        zero_status(api, object);
    return of->create == NULL || of->create(api, object);
}

/* Whether anything but metadata (and status, where that is a sub-resource) differs. */
static bool spec_differs(const struct val *a, const struct val *b, bool with_status)
{
    struct val_iter it = val_iter(a);

    while (val_next(&it)) {
        if (str_eq(it.key, S("metadata")) || (!with_status && str_eq(it.key, S("status"))) ||
            str_eq(it.key, S("apiVersion")) || str_eq(it.key, S("kind")))
            continue;
        if (!val_eq(it.value, val_get(b, it.key)))
            return true;
    }
    return false;
}

bool strategy_update(struct api *api, struct val *object, const struct val *live)
{
    const struct rules *of = rules_of(api->kind);
    struct val *metadata = val_ensure_map(api->arena, object, S("metadata"));
    bool with_status = !api->version->has_status;

    if (of->update != NULL && !of->update(api, object, live))
        return false;
    if ((of->flags & GENERATION) == 0) {
        val_del(metadata, S("generation"));
        return true;
    }
    int64_t generation = val_i64_or(VAL_AT(live, "metadata", "generation"), 1);
    if (spec_differs(object, live, with_status) || spec_differs(live, object, with_status) ||
        ((of->flags & ANNOTATIONS) != 0 && !str_eq(api->q.subresource, S("status")) &&
         !val_eq(VAL_AT(object, "metadata", "annotations"),
                 VAL_AT(live, "metadata", "annotations"))))
        generation++;
    val_set(api->arena, metadata, S("generation"), val_int(api->arena, generation));
    return true;
}
