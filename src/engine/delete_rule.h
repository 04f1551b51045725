/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Delete rule: what happens to one live object when its application is deleted with its resources
 * (PRODUCT section 4). Pure: the deletion and its preview ask the same function.
 */
#include "engine/compare.h"

/* "Kind/name,Kind/name": definitions and namespaces that a person ticked to go as well. */
#define DELETE_ALSO S("taut.dev/delete-also")

enum delete_rule {
    DELETE_GOES,
    DELETE_GOES_WHEN_EMPTY,  /* a Namespace: unless it holds what is not going */
    DELETE_GOES_AT_THE_END,  /* a Namespace that was ticked */
    DELETE_KEEPS_OPTION,     /* Delete=false */
    DELETE_KEEPS_DEFINITION, /* a CustomResourceDefinition that was not ticked */
    DELETE_KEEPS_SYSTEM,     /* kube-*, default, the control namespace */
    DELETE_KEEPS_ITSELF,     /* the application's own object */
};
const char *delete_rule_name(enum delete_rule rule); /* for the API */
bool delete_rule_keeps(enum delete_rule rule);

struct delete_facts {
    str name; /* of the application */
    str namespace_;
    str control_namespace;
    str also; /* value of DELETE_ALSO */
};
struct delete_facts delete_facts(const struct val *application, str control_namespace);
enum delete_rule delete_rule(const struct delete_facts *facts, const struct row *row);
