/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/delete_rule.h"

static const char *const names[] = {
        [DELETE_GOES] = "goes",
        [DELETE_GOES_WHEN_EMPTY] = "when-empty",
        [DELETE_GOES_AT_THE_END] = "ticked",
        [DELETE_KEEPS_OPTION] = "delete-option",
        [DELETE_KEEPS_DEFINITION] = "definition",
        [DELETE_KEEPS_SYSTEM] = "system-namespace",
        [DELETE_KEEPS_ITSELF] = "itself",
};

const char *delete_rule_name(enum delete_rule rule)
{
    return names[rule];
}

bool delete_rule_keeps(enum delete_rule rule)
{
    return rule >= DELETE_KEEPS_OPTION;
}

struct delete_facts delete_facts(const struct val *application, str control_namespace)
{
    return (struct delete_facts){
            .name = object_name(application),
            .namespace_ = object_namespace(application),
            .control_namespace = control_namespace,
            .also = object_annotation(application, DELETE_ALSO),
    };
}

static bool is_ticked(str also, const struct row *row)
{
    str entry;
    str kind;

    while (str_split(&also, ',', &entry)) {
        entry = str_trim(entry);
        if (str_split(&entry, '/', &kind) && str_eq(kind, row->gvk.kind) &&
            str_eq(entry, row->name))
            return true;
    }
    return false;
}

static enum delete_rule namespace_rule(const struct delete_facts *facts, const struct row *row)
{
    if (str_starts(row->name, S("kube-")) || str_eq(row->name, S("default")) ||
        str_eq(row->name, facts->control_namespace))
        return DELETE_KEEPS_SYSTEM;
    return is_ticked(facts->also, row) ? DELETE_GOES_AT_THE_END : DELETE_GOES_WHEN_EMPTY;
}

enum delete_rule delete_rule(const struct delete_facts *facts, const struct row *row)
{
    struct sync_options own = {0};

    sync_options_add_csv(&own, row->live_options);
    if (own.keep_on_delete)
        return DELETE_KEEPS_OPTION;
    if (str_eq(row->gvk.group, S("apiextensions.k8s.io")))
        return is_ticked(facts->also, row) ? DELETE_GOES : DELETE_KEEPS_DEFINITION;
    if (str_is_empty(row->gvk.group) && str_eq(row->gvk.kind, S("Namespace")))
        return namespace_rule(facts, row);
    if (str_eq(row->gvk.group, S("argoproj.io")) && str_eq(row->gvk.kind, S("Application")) &&
        str_eq(row->name, facts->name) && str_eq(row->namespace_, facts->namespace_))
        return DELETE_KEEPS_ITSELF;
    return DELETE_GOES;
}
