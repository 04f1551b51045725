/* SPDX-License-Identifier: Apache-2.0 */
#include "apiserver/select.h"

/* Which fields a kind can be selected by, beside metadata.name and metadata.namespace. */
static const struct {
    str key;
    const char *fields;
} field_labels[] = {
        {S_INIT("/pods"),
         "spec.nodeName spec.restartPolicy spec.schedulerName spec.serviceAccountName "
         "spec.hostNetwork status.phase status.podIP status.podIPs "
         "status.nominatedNodeName "},
        {S_INIT("/events"),
         "involvedObject.kind involvedObject.namespace involvedObject.name involvedObject.uid "
         "involvedObject.apiVersion involvedObject.resourceVersion involvedObject.fieldPath reason "
         "reportingComponent source type "},
        {S_INIT("/secrets"), "type "},
        {S_INIT("/namespaces"), "status.phase name "},
        {S_INIT("/nodes"), "spec.unschedulable "},
        {S_INIT("/services"), "spec.clusterIP spec.type "},
        {S_INIT("/replicationcontrollers"), "status.replicas "},
        {S_INIT("apps/replicasets"), "status.replicas "},
        {S_INIT("batch/jobs"), "status.successful "},
};

static bool has_labels(const struct kind *kind)
{
    for (size_t i = 0; i < COUNT(field_labels); i++)
        if (str_eq(field_labels[i].key, kind->key))
            return true;
    return false;
}

static bool is_known(const struct kind *kind, str field)
{
    if (str_eq(field, S("metadata.name")) || str_eq(field, S("metadata.namespace")))
        return true;
    for (size_t i = 0; i < COUNT(field_labels); i++) {
        str rest = str_from(field_labels[i].fields), word;

        if (!str_eq(field_labels[i].key, kind->key))
            continue;
        while (str_split(&rest, ' ', &word))
            if (!str_is_empty(word) && str_eq(word, field))
                return true;
    }
    return false;
}

static bool fail_field(struct api *api, str field)
{
    if (api->kind->is_crd || has_labels(api->kind))
        return api_fail(api, 400, "BadRequest", "field label not supported: %.*s", STR(field));
    return api_fail(api, 400, "BadRequest",
                    "\"%.*s\" is not a known field selector: only \"metadata.name\", "
                    "\"metadata.namespace\"",
                    STR(field));
}

bool select_open(struct api *api, struct arena *arena, struct select *ret_select)
{
    struct select select = {0};
    struct err err = {0};

    if (!selector_parse(arena, api->q.label_selector, &select.labels, &err))
        return api_fail(api, 400, "BadRequest", "%s", err.message);
    if (!selector_parse_fields(arena, api->q.field_selector, &select.fields, &err))
        return api_fail(api, 400, "BadRequest", "%s", err.message);
    for (size_t i = 0; i < selector_count(select.fields); i++) {
        str field = selector_key(select.fields, i);

        if (!is_known(api->kind, field))
            return fail_field(api, field);
    }
    select.all = selector_is_empty(select.labels) && selector_is_empty(select.fields);

    *ret_select = select;
    return true;
}

bool select_matches(const struct select *select, const struct val *object)
{
    return select->all ||
           (selector_matches_labels(select->labels, VAL_AT(object, "metadata", "labels")) &&
            selector_matches_fields(select->fields, object));
}
