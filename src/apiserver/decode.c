/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies: from what was sent to what the kind's Go type would have taken. */
#include "apiserver/write.h"

#include "apiserver/strategy.h"
#include "base/buf.h"
#include "doc/json.h"
#include "schema/validate.h"

/* Custom kinds have handlers of their own, which say it otherwise. */
static bool check_custom_kind(struct api *api, const struct val *object, str api_version)
{
    str has_version = val_get_str(object, S("apiVersion"));
    str has_kind = val_get_str(object, S("kind"));
    struct val *problems = val_new(api->arena, val_list());

    if (!str_eq(has_version, api_version))
        return api_fail(api, 400, "BadRequest",
                        "the API version in the data (%.*s) does not match the expected API "
                        "version (%.*s)",
                        STR(has_version), STR(api_version));
    if (str_eq(has_kind, api->kind->name))
        return true;
    validate_problem(api->arena, problems, "FieldValueInvalid", S("kind"),
                     "Invalid value: \"%.*s\": must be %.*s", STR(has_kind), STR(api->kind->name));
    return api_fail_causes(api, 422, "Invalid", problems,
                           "%.*s.%.*s \"%.*s\" is invalid: kind: Invalid value: \"%.*s\": must "
                           "be %.*s",
                           STR(has_kind), STR(api->kind->group), STR(object_name(object)),
                           STR(has_kind), STR(api->kind->name));
}

static bool check_kind(struct api *api, struct val *object)
{
    str api_version = api_version_of(api->arena, api->kind, api->version);
    str has_version = val_get_str(object, S("apiVersion"));
    str has_kind = val_get_str(object, S("kind"));

    if (!val_is(object, VAL_MAP))
        return api_fail(api, 400, "BadRequest",
                        "couldn't get version/kind; json parse error: json: cannot unmarshal %s "
                        "into Go value of type struct { APIVersion string; Kind string }",
                        val_kind_name(val_kind(object)));
    if (api->kind->is_crd && (str_is_empty(has_kind) || str_is_empty(has_version)))
        return api_fail(api, 400, "BadRequest", "Object '%s' is missing in '%.*s'",
                        str_is_empty(has_kind) ? "Kind" : "apiVersion",
                        STR(json_text(api->arena, object, JSON_COMPACT)));
    if (api->kind->is_crd)
        return check_custom_kind(api, object, api_version);
    if (!str_is_empty(has_kind) && !str_eq(has_kind, api->kind->name))
        return api_fail(api, 400, "BadRequest",
                        "%.*s in version \"%.*s\" cannot be handled as a %.*s: the object is a "
                        "%.*s",
                        STR(has_kind), STR(gvk_of(object).version), STR(api->kind->name),
                        STR(has_kind));
    if (!str_is_empty(has_version) && !str_eq(has_version, api_version))
        return api_fail(api, 400, "BadRequest",
                        "%.*s in version \"%.*s\" cannot be handled as a %.*s: no kind \"%.*s\" is "
                        "registered for version \"%.*s\" in scheme \"pkg/runtime/scheme.go:110\"",
                        STR(api->kind->name), STR(gvk_of(object).version), STR(api->kind->name),
                        STR(api->kind->name), STR(has_version));
    val_set_str(api->arena, object, S("kind"), api->kind->name);
    val_set_str(api->arena, object, S("apiVersion"), api_version);
    return true;
}

/* Of a patched object the refusal shows the whole of it, as Go prints a text. */
static bool fail_patched(struct api *api, const struct val *object, str problems)
{
    struct arena *arena = api->arena;
    auto_buf struct buf quoted = {0};
    struct val *causes = val_new(arena, val_list());
    const struct kind *kind = api->kind;

    buf_init(&quoted, LIMIT_DOC_BYTES);
    json_format_string(&quoted, json_text(arena, object, JSON_COMPACT | JSON_SORT_KEYS),
                       JSON_COMPACT);
    str message = arena_printf(arena, "Invalid value: %.*s: strict decoding error: %.*s",
                               STR(buf_str(&quoted)), STR(problems));
    validate_problem(arena, causes, "FieldValueInvalid", S("patch"), "%.*s", STR(message));
    api->kind = NULL;
    api_fail_causes(api, 422, "Invalid", causes, " \"\" is invalid: patch: %.*s", STR(message));
    api->kind = kind;
    return false;
}

/* Unknown and repeated fields: refused, told or passed over, as fieldValidation says. */
static bool check_fields(struct api *api, struct val *object, bool is_patch)
{
    struct arena *arena = api->arena;
    struct val *unknown = val_new(arena, val_list());
    str strictness = api->q.field_validation;
    str all = STR_EMPTY;

    validate_unknown(arena, api->version->type, object, /*prune=*/true, unknown);
    if (str_eq(strictness, S("Ignore")))
        return true;
    for (int part = 0; part < 2; part++) {
        struct val_iter it = val_iter(part == 0 ? unknown : api->duplicates);

        while (val_next(&it)) {
            str line = arena_printf(arena, "%s field \"%.*s\"", part == 0 ? "unknown" : "duplicate",
                                    STR(val_str(it.value)));

            if (!str_eq(strictness, S("Strict")))
                api_warn(api, "%.*s", STR(line));
            all = str_is_empty(all) ? line : arena_printf(arena, "%.*s, %.*s", STR(all), STR(line));
        }
    }
    if (str_is_empty(all) || !str_eq(strictness, S("Strict")))
        return true;
    if (is_patch)
        return fail_patched(api, object, all);
    return api_fail(api, 400, "BadRequest",
                    "%.*s in version \"%.*s\" cannot be handled as a %.*s: strict decoding error: "
                    "%.*s",
                    STR(api->kind->name), STR(api->version->name), STR(api->kind->name), STR(all));
}

bool write_names(struct api *api, struct val *object)
{
    struct val *metadata = val_ensure_map(api->arena, object, S("metadata"));
    str name = val_get_str(metadata, S("name"));
    str namespace_ = val_get_str(metadata, S("namespace"));

    if (!str_is_empty(api->q.name) && !str_is_empty(name) && !str_eq(name, api->q.name))
        return api_fail(api, 400, "BadRequest",
                        "the name of the object (%.*s) does not match the name on the URL (%.*s)",
                        STR(name), STR(api->q.name));
    if (!str_is_empty(api->q.name))
        val_set_str(api->arena, metadata, S("name"), api->q.name);
    if (!api->kind->namespaced) {
        if (str_is_empty(namespace_))
            val_del(metadata, S("namespace"));
        return true;
    }
    if (!str_is_empty(namespace_) && !str_eq(namespace_, api->q.namespace_))
        return api_fail(api, 400, "BadRequest",
                        "the namespace of the provided object does not match the namespace sent "
                        "on the request");
    val_set_str(api->arena, metadata, S("namespace"), api->q.namespace_);
    return true;
}

/* The body as the kind's Go type would have taken it. */
bool write_decode(struct api *api, struct val *object, bool is_patch)
{
    struct err err = {0};

    if (!check_kind(api, object) || !check_fields(api, object, is_patch))
        return false;
    if (!api->kind->is_crd) {
        if (!validate_decode(api->arena, api->version->type, object, &err))
            return api_fail(api, 400, "BadRequest", "%s", err.message);
        validate_normalise_builtin(api->arena, api->version->type, object);
    }
    strategy_decode(api, object);
    return write_names(api, object);
}
