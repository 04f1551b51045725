/* SPDX-License-Identifier: Apache-2.0 */
#include "apiserver/crd.h"

#include "apiserver/gc.h"
#include "base/clock.h"
#include "doc/json.h"
#include "schema/validate.h"

/* ---- kinds ---- */

/* Kubernetes' order: v2 before v1 before v1beta2 before v1alpha1, other words behind. */
struct rank {
    int stability; /* 3 = stable, 2 = beta, 1 = alpha, 0 = a word */
    int64_t major;
    int64_t minor;
};

static bool take_digits(str *rest, int64_t *ret_number)
{
    size_t len = 0;

    while (len < rest->len && rest->at[len] >= '0' && rest->at[len] <= '9')
        len++;
    if (len == 0 || !str_to_i64(str_first(*rest, len), ret_number))
        return false;
    *rest = str_from_index(*rest, len);
    return true;
}

static struct rank rank_of(str version)
{
    struct rank rank = {0};

    if (!str_skip(&version, S("v")) || !take_digits(&version, &rank.major))
        return (struct rank){0};
    if (str_is_empty(version))
        rank.stability = 3;
    else if (str_skip(&version, S("beta")) && take_digits(&version, &rank.minor))
        rank.stability = 2;
    else if (str_skip(&version, S("alpha")) && take_digits(&version, &rank.minor))
        rank.stability = 1;
    else
        return (struct rank){0};
    return rank;
}

static bool comes_before(str a, str b)
{
    struct rank left = rank_of(a), right = rank_of(b);

    if (left.stability != right.stability)
        return left.stability > right.stability;
    if (left.major != right.major)
        return left.major > right.major;
    if (left.minor != right.minor)
        return left.minor > right.minor;
    return left.stability == 0 && str_cmp(a, b) < 0;
}

static void fill_version(struct kind *kind, struct kind_version *version, const struct val *spec)
{
    const struct val *schema = VAL_AT(spec, "schema", "openAPIV3Schema");

    version->name = val_get_str(spec, S("name"));
    version->served = val_get_bool(spec, S("served"), false);
    version->storage = val_get_bool(spec, S("storage"), false);
    version->has_status = VAL_AT(spec, "subresources", "status") != NULL;
    version->scale = VAL_AT(spec, "subresources", "scale");
    version->columns = val_get(spec, S("additionalPrinterColumns"));
    version->schema = schema;
    version->types = type_set_new(schema);
    version->type = type_set_root(version->types);
    if (val_get_bool(spec, S("deprecated"), false)) {
        str text = val_get_str(spec, S("deprecationWarning"));

        version->deprecation =
                !str_is_empty(text)
                        ? text
                        : arena_printf(kind->arena, "%.*s/%.*s %.*s is deprecated",
                                       STR(kind->group), STR(version->name), STR(kind->name));
    }
}

static const str *texts_of(struct arena *arena, const struct val *list, size_t *ret_count)
{
    str *texts = arena_array(arena, val_count(list) + 1, str);
    struct val_iter it = val_iter(list);

    *ret_count = val_count(list);
    while (val_next(&it))
        texts[it.index] = val_str(it.value);
    return texts;
}

static void sort_versions(struct kind *kind)
{
    for (size_t i = 1; i < kind->version_count; i++)
        for (size_t j = i;
             j > 0 && comes_before(kind->versions[j].name, kind->versions[j - 1].name); j--) {
            struct kind_version swap = kind->versions[j];

            kind->versions[j] = kind->versions[j - 1];
            kind->versions[j - 1] = swap;
        }
}

static struct kind *kind_of(const struct val *definition)
{
    struct arena *arena = arena_new(LIMIT_OBJECT_ARENA);
    const struct val *crd = val_dup(arena, definition);
    const struct val *names = VAL_AT(crd, "spec", "names");
    const struct val *versions = VAL_AT(crd, "spec", "versions");
    struct kind *kind = arena_new0(arena, struct kind);

    kind->arena = arena;
    kind->is_crd = true;
    kind->group = VAL_STR(crd, "spec", "group");
    kind->plural = val_get_str(names, S("plural"));
    kind->key = arena_printf(arena, "%.*s/%.*s", STR(kind->group), STR(kind->plural));
    kind->singular = val_get_str(names, S("singular"));
    kind->name = val_get_str(names, S("kind"));
    kind->list = val_get_str(names, S("listKind"));
    kind->namespaced = str_eq(VAL_STR(crd, "spec", "scope"), S("Namespaced"));
    kind->verbs = VERB_GET | VERB_LIST | VERB_WATCH | VERB_CREATE | VERB_UPDATE | VERB_PATCH |
                  VERB_DELETE | VERB_DELETECOLLECTION;
    kind->short_names = texts_of(arena, val_get(names, S("shortNames")), &kind->short_name_count);
    kind->categories = texts_of(arena, val_get(names, S("categories")), &kind->category_count);
    kind->versions = arena_array(arena, val_count(versions) + 1, struct kind_version);
    struct val_iter it = val_iter(versions);
    while (val_next(&it))
        fill_version(kind, &kind->versions[kind->version_count++], it.value);
    sort_versions(kind);
    return kind;
}

static bool has_condition(const struct val *crd, const char *type)
{
    struct val_iter it = val_iter(VAL_AT(crd, "status", "conditions"));

    while (val_next(&it))
        if (str_eq(val_get_str(it.value, S("type")), str_from(type)))
            return str_eq(val_get_str(it.value, S("status")), S("True"));
    return false;
}

void crd_saved(struct apiserver *server, const struct val *crd)
{
    if (has_condition(crd, "Established") && val_count(VAL_AT(crd, "spec", "versions")) > 0)
        registry_set_crd(server->registry, kind_of(crd));
}

void crd_erased(struct apiserver *server, const struct val *crd)
{
    char key[600];
    int len = snprintf(key, sizeof(key), "%.*s/%.*s", STR(VAL_STR(crd, "spec", "group")),
                       STR(VAL_STR(crd, "spec", "names", "plural")));

    if (len < 0 || (size_t)len >= sizeof(key))
        return;
    registry_remove_crd(server->registry, str_of(key, (size_t)len));
    watch_end_resource(server->hub, str_of(key, (size_t)len));
}

static bool load_row(void *owner, const struct store_row *row)
{
    struct apiserver *server = owner;
    auto_arena struct arena *arena = arena_new(LIMIT_OBJECT_ARENA);
    struct val *crd = NULL;

    if (json_parse(arena, row->json, NULL, &crd, NULL))
        crd_saved(server, crd);
    return true;
}

bool crd_load_all(struct apiserver *server, struct err *err)
{
    struct store_range range = {.resource = CRD_KEY};

    return store_each(server->store, &range, load_row, server, err);
}

/* ---- defaults and status ---- */

static str lower(struct arena *arena, str s)
{
    char *text = arena_bytes(arena, s.len + 1);

    for (size_t i = 0; i < s.len; i++)
        text[i] = s.at[i] >= 'A' && s.at[i] <= 'Z' ? (char)(s.at[i] + 32) : s.at[i];
    return str_of(text, s.len);
}

void crd_default(struct arena *arena, struct val *crd)
{
    struct val *spec = val_get(crd, S("spec"));
    struct val *names = val_get(spec, S("names"));
    str kind = val_get_str(names, S("kind"));

    if (!val_is(spec, VAL_MAP))
        return;
    if (names != NULL && str_is_empty(val_get_str(names, S("singular"))))
        val_set_str(arena, names, S("singular"), lower(arena, kind));
    if (names != NULL && str_is_empty(val_get_str(names, S("listKind"))))
        val_set_str(arena, names, S("listKind"), arena_join(arena, kind, S("List")));
    struct val *conversion = val_ensure_map(arena, spec, S("conversion"));
    if (str_is_empty(val_get_str(conversion, S("strategy"))))
        val_set_str(arena, conversion, S("strategy"), S("None"));
}

static void set_condition(struct arena *arena, struct val *crd, const char *type,
                          const char *status, const char *reason, const char *message)
{
    struct val *conditions =
            val_ensure_list(arena, val_ensure_map(arena, crd, S("status")), S("conditions"));
    struct val *condition = NULL;
    char now[CLOCK_RFC3339_SIZE];

    struct val_iter it = val_iter(conditions);
    while (val_next(&it))
        if (str_eq(val_get_str(it.value, S("type")), str_from(type)))
            condition = it.value;
    if (condition != NULL && str_eq(val_get_str(condition, S("status")), str_from(status)))
        return;
    if (condition == NULL)
        condition = val_append(arena, conditions, val_map());
    clock_format(clock_wall_ms(), now);
    val_set_str(arena, condition, S("lastTransitionTime"), str_from(now));
    val_set_str(arena, condition, S("message"), str_from(message));
    val_set_str(arena, condition, S("reason"), str_from(reason));
    val_set_str(arena, condition, S("status"), str_from(status));
    val_set_str(arena, condition, S("type"), str_from(type));
}

static void store_versions(struct arena *arena, struct val *crd)
{
    struct val *stored =
            val_ensure_list(arena, val_ensure_map(arena, crd, S("status")), S("storedVersions"));
    struct val_iter it = val_iter(VAL_AT(crd, "spec", "versions"));

    while (val_next(&it)) {
        str name = val_get_str(it.value, S("name"));
        bool has = false;

        if (!val_get_bool(it.value, S("storage"), false))
            continue;
        struct val_iter at = val_iter(stored);
        while (val_next(&at))
            has |= str_eq(val_str(at.value), name);
        if (!has)
            val_append(arena, stored, val_string(arena, name));
    }
}

void crd_set_status(struct apiserver *server, struct arena *arena, struct val *crd)
{
    const struct val *names = VAL_AT(crd, "spec", "names");
    const struct kind *other = registry_find_kind(server->registry, VAL_STR(crd, "spec", "group"),
                                                  val_get_str(names, S("kind")));
    struct val *status = val_ensure_map(arena, crd, S("status"));

    if (other != NULL && !str_eq(other->plural, val_get_str(names, S("plural")))) {
        set_condition(arena, crd, "NamesAccepted", "False", "KindConflict",
                      arena_z(arena,
                              arena_printf(arena, "\"%.*s\" is already in use", STR(other->name))));
        set_condition(arena, crd, "Established", "False", "NotAccepted",
                      "not all names are accepted");
        val_ensure_map(arena, status, S("acceptedNames"));
    } else {
        if (names != NULL)
            val_set(arena, status, S("acceptedNames"), val_dup_value(arena, names));
        set_condition(arena, crd, "NamesAccepted", "True", "NoConflicts", "no conflicts found");
        set_condition(arena, crd, "Established", "True", "InitialNamesAccepted",
                      "the initial names have been accepted");
    }
    if (object_is_deleting(crd))
        set_condition(arena, crd, "Terminating", "True", "InstanceDeletionInProgress",
                      "CustomResource deletion is in progress");
    store_versions(arena, crd);
}

/* ---- rules ---- */

static void check_name(struct arena *arena, const struct val *crd, struct val *problems)
{
    str group = VAL_STR(crd, "spec", "group");
    str plural = VAL_STR(crd, "spec", "names", "plural");
    str wanted = arena_printf(arena, "%.*s.%.*s", STR(plural), STR(group));

    if (str_is_empty(group))
        validate_problem(arena, problems, "FieldValueRequired", S("spec.group"), "Required value");
    else if (str_find_char(group, '.') == SIZE_MAX)
        validate_problem(arena, problems, "FieldValueInvalid", S("spec.group"),
                         "Invalid value: \"%.*s\": should be a domain with at least one dot",
                         STR(group));
    if (str_is_empty(plural))
        validate_problem(arena, problems, "FieldValueRequired", S("spec.names.plural"),
                         "Required value");
    if (str_is_empty(VAL_STR(crd, "spec", "names", "kind")))
        validate_problem(arena, problems, "FieldValueRequired", S("spec.names.kind"),
                         "Required value");
    if (!str_eq(object_name(crd), wanted))
        validate_problem(arena, problems, "FieldValueInvalid", S("metadata.name"),
                         "Invalid value: \"%.*s\": must be spec.names.plural+\".\"+spec.group",
                         STR(object_name(crd)));
}

static void check_scope(struct arena *arena, const struct val *crd, struct val *problems)
{
    str scope = VAL_STR(crd, "spec", "scope");

    if (str_is_empty(scope))
        validate_problem(arena, problems, "FieldValueRequired", S("spec.scope"), "Required value");
    else if (!str_eq(scope, S("Cluster")) && !str_eq(scope, S("Namespaced")))
        validate_problem(arena, problems, "FieldValueNotSupported", S("spec.scope"),
                         "Unsupported value: \"%.*s\": supported values: \"Cluster\", "
                         "\"Namespaced\"",
                         STR(scope));
}

static void check_versions(struct arena *arena, const struct val *crd, struct val *problems)
{
    const struct val *versions = VAL_AT(crd, "spec", "versions");
    size_t stored = 0, served = 0;

    struct val_iter it = val_iter(versions);
    while (val_next(&it)) {
        const struct val *schema = VAL_AT(it.value, "schema", "openAPIV3Schema");
        str field = arena_printf(arena, "spec.versions[%zu].schema.openAPIV3Schema", it.index);

        stored += val_get_bool(it.value, S("storage"), false) ? 1 : 0;
        served += val_get_bool(it.value, S("served"), false) ? 1 : 0;
        if (schema == NULL)
            validate_problem(arena, problems, "FieldValueRequired", field,
                             "Required value: schemas are required");
        else if (str_is_empty(val_get_str(schema, S("type"))))
            validate_problem(arena, problems, "FieldValueRequired",
                             arena_join(arena, field, S(".type")),
                             "Required value: must not be empty at the root");
        else if (!str_eq(val_get_str(schema, S("type")), S("object")))
            validate_problem(arena, problems, "FieldValueInvalid",
                             arena_join(arena, field, S(".type")),
                             "Invalid value: \"%.*s\": must be object at the root",
                             STR(val_get_str(schema, S("type"))));
    }
    if (val_count(versions) == 0)
        validate_problem(arena, problems, "FieldValueRequired", S("spec.versions"),
                         "Required value: must have at least one version");
    else if (stored != 1)
        validate_problem(arena, problems, "FieldValueInvalid", S("spec.versions"),
                         "Invalid value: %.*s: must have exactly one version marked as storage "
                         "version",
                         STR(json_text(arena, versions, JSON_COMPACT)));
    if (served > 1 && str_eq(VAL_STR(crd, "spec", "conversion", "strategy"), S("Webhook")))
        validate_problem(arena, problems, "FieldValueNotSupported", S("spec.conversion.strategy"),
                         "Unsupported value: \"Webhook\": supported values: \"None\" (this server "
                         "calls no conversion webhooks)");
}

static void check_immutable(struct arena *arena, const struct val *crd, const struct val *old,
                            struct val *problems)
{
    static const char *const fields[][3] = {
            {"spec", "scope", NULL},
            {"spec", "group", NULL},
            {"spec", "names", "kind"},
            {"spec", "names", "plural"},
    };

    for (size_t i = 0; i < COUNT(fields); i++) {
        size_t depth = fields[i][2] == NULL ? 2 : 3;
        const struct val *is = val_walk(crd, fields[i], depth);
        const struct val *was = val_walk(old, fields[i], depth);
        str field = depth == 2 ? arena_printf(arena, "%s.%s", fields[i][0], fields[i][1])
                               : arena_printf(arena, "%s.%s.%s", fields[i][0], fields[i][1],
                                              fields[i][2]);

        if (!val_eq(is, was))
            validate_problem(arena, problems, "FieldValueInvalid", field,
                             "Invalid value: \"%.*s\": field is immutable", STR(val_str(is)));
    }
}

void crd_validate(struct arena *arena, const struct val *crd, const struct val *old,
                  struct val *problems)
{
    check_name(arena, crd, problems);
    check_scope(arena, crd, problems);
    check_versions(arena, crd, problems);
    if (old != NULL)
        check_immutable(arena, crd, old, problems);
}
