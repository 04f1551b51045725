/* SPDX-License-Identifier: Apache-2.0 */
/* validate_metadata of schema/validate.h. */
#include "schema/names.h"
#include "schema/validate.h"

enum { ANNOTATIONS_MAX = 256 * 1024 }; /* as the API server */

static const char label_value_rule[] =
        "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or "
        "'.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or "
        "'my_value',  or '12345', regex used for validation is "
        "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
static const char key_rule[] =
        "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and "
        "end "
        "with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used "
        "for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";

static void check_name(struct arena *arena, const struct val *object, bool label_name,
                       struct val *problems)
{
    str name = object_name(object);
    str group = gvk_of(object).group;

    if (name.len == 0) {
        if (VAL_STR(object, "metadata", "generateName").len == 0)
            validate_problem(arena, problems, "FieldValueRequired", S("metadata.name"),
                             "Required value: name or generateName is required");
        return;
    }
    if (str_eq(group, S("rbac.authorization.k8s.io"))) {
        if (!names_is_path_segment(name))
            validate_problem(arena, problems, "FieldValueInvalid", S("metadata.name"),
                             "Invalid value: \"%.*s\": may not contain '/' or '%%'", STR(name));
        return;
    }
    if (label_name ? names_is_label(name) : names_is_subdomain(name))
        return;
    if (name.len > (label_name ? 63u : 253u))
        validate_problem(arena, problems, "FieldValueInvalid", S("metadata.name"),
                         "Invalid value: \"%.*s\": must be no more than %d bytes", STR(name),
                         label_name ? 63 : 253);
    else
        validate_problem(arena, problems, "FieldValueInvalid", S("metadata.name"),
                         "Invalid value: \"%.*s\": %s", STR(name),
                         label_name ? names_label_rule : names_subdomain_rule);
}

static void check_labels(struct arena *arena, const struct val *labels, struct val *problems)
{
    struct val_iter it = val_iter(labels);

    while (val_next(&it)) {
        str value = val_str(it.value);
        if (!names_is_label_key(it.key))
            validate_problem(arena, problems, "FieldValueInvalid", S("metadata.labels"),
                             "Invalid value: \"%.*s\": %s", STR(it.key), key_rule);
        if (names_is_label_value(value))
            continue;
        if (value.len > 63)
            validate_problem(arena, problems, "FieldValueTooLong", S("metadata.labels"),
                             "Invalid value: \"%.*s\": must be no more than 63 bytes", STR(value));
        else
            validate_problem(arena, problems, "FieldValueInvalid", S("metadata.labels"),
                             "Invalid value: \"%.*s\": %s", STR(value), label_value_rule);
    }
}

static void check_annotations(struct arena *arena, const struct val *annotations,
                              struct val *problems)
{
    struct val_iter it = val_iter(annotations);
    size_t total = 0;

    while (val_next(&it)) {
        char lower[320];
        size_t len = MIN(it.key.len, sizeof(lower));
        for (size_t i = 0; i < len; i++)
            lower[i] = it.key.at[i] >= 'A' && it.key.at[i] <= 'Z' ? (char)(it.key.at[i] + 32)
                                                                  : it.key.at[i];
        if (it.key.len > sizeof(lower) || !names_is_label_key(str_of(lower, len)))
            validate_problem(arena, problems, "FieldValueInvalid", S("metadata.annotations"),
                             "Invalid value: \"%.*s\": %s", STR(it.key), key_rule);
        total += it.key.len + val_str(it.value).len;
    }
    if (total > ANNOTATIONS_MAX)
        validate_problem(arena, problems, "FieldValueTooLong", S("metadata.annotations"),
                         "Too long: may not be more than %d bytes", ANNOTATIONS_MAX);
}

static void check_owners(struct arena *arena, const struct val *owners, struct val *problems)
{
    static const char *const names[] = {"apiVersion", "kind", "name", "uid"};
    struct val_iter it = val_iter(owners);
    size_t controllers = 0;

    while (val_next(&it)) {
        for (size_t i = 0; i < COUNT(names); i++)
            if (val_get_str(it.value, str_from(names[i])).len == 0)
                validate_problem(arena, problems, "FieldValueInvalid",
                                 arena_printf(arena, "metadata.ownerReferences.%s", names[i]),
                                 "Invalid value: \"\": must not be empty");
        controllers += val_get_bool(it.value, S("controller"), false) ? 1 : 0;
    }
    if (controllers > 1)
        validate_problem(arena, problems, "FieldValueInvalid", S("metadata.ownerReferences"),
                         "Invalid value: only one reference can have Controller set to true");
}

void validate_metadata(struct arena *arena, const struct val *object, bool namespaced,
                       bool label_name, struct val *problems)
{
    const struct val *metadata = val_get(object, S("metadata"));
    str space = object_namespace(object);
    struct val_iter it = val_iter(val_get(metadata, S("finalizers")));

    check_name(arena, object, label_name, problems);
    if (namespaced && space.len == 0)
        validate_problem(arena, problems, "FieldValueRequired", S("metadata.namespace"),
                         "Required value");
    else if (!namespaced && space.len > 0)
        validate_problem(arena, problems, "FieldValueForbidden", S("metadata.namespace"),
                         "Forbidden: not allowed on this type");
    else if (namespaced && !names_is_label(space))
        validate_problem(arena, problems, "FieldValueInvalid", S("metadata.namespace"),
                         "Invalid value: \"%.*s\": %s", STR(space), names_label_rule);
    check_labels(arena, val_get(metadata, S("labels")), problems);
    check_annotations(arena, val_get(metadata, S("annotations")), problems);
    check_owners(arena, val_get(metadata, S("ownerReferences")), problems);
    while (val_next(&it))
        if (!names_is_label_key(val_str(it.value)))
            validate_problem(arena, problems, "FieldValueInvalid", S("metadata.finalizers"),
                             "Invalid value: \"%.*s\": %s", STR(val_str(it.value)), key_rule);
}
