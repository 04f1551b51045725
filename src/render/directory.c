/* SPDX-License-Identifier: Apache-2.0 */
#include "render/directory.h"

#include "doc/glob.h"
#include "doc/json.h"
#include "doc/yaml.h"
#include "schema/gvk.h"

#include <stdlib.h>

static const str skip_marker = S_INIT("+argocd:skip-file-rendering");

struct directory {
    struct tree *tree;
    struct render_result *result;
    size_t max_objects;
    size_t object_room;
    size_t files;
    size_t bytes;
    str root; /* of the application */
    bool recurse;
    bool any_extension;
    str include;
    str exclude;
};

enum file_form { FORM_OTHER, FORM_YAML, FORM_JSON, FORM_JSONNET };

static enum file_form form_of(str name)
{
    if (str_ends(name, S(".yaml")) || str_ends(name, S(".yml")))
        return FORM_YAML;
    if (str_ends(name, S(".json")))
        return FORM_JSON;
    return str_ends(name, S(".jsonnet")) ? FORM_JSONNET : FORM_OTHER;
}

static bool warn(struct directory *d, str warning)
{
    struct render_result *r = d->result;

    if (r->warnings == NULL)
        r->warnings = arena_array(r->arena, LIMIT_RENDER_WARNINGS, str);
    if (r->warning_count < LIMIT_RENDER_WARNINGS)
        r->warnings[r->warning_count++] = warning;
    return true;
}

/* ---- objects ---- */

bool directory_check_object(const struct val *object, str file, struct err *err)
{
    unsigned line = val_line(object);
    str kind = val_get_str(object, S("kind"));
    const struct val *metadata = val_get(object, S("metadata"));

    if (!val_is(object, VAL_MAP))
        return err_set(err, ERR_INVALID, "%.*s:%u: a manifest must be a map, this is a %s",
                       STR(file), line, val_kind_name(val_kind(object)));
    if (str_is_empty(kind))
        return err_set(err, ERR_INVALID, "%.*s:%u: an object without kind", STR(file), line);
    if (str_is_empty(val_get_str(object, S("apiVersion"))))
        return err_set(err, ERR_INVALID, "%.*s:%u: a %.*s without apiVersion", STR(file), line,
                       STR(kind));
    if (!val_is(metadata, VAL_MAP))
        return err_set(err, ERR_INVALID, "%.*s:%u: a %.*s without metadata", STR(file), line,
                       STR(kind));
    const struct val *name = val_get(metadata, S("name"));
    if (name != NULL && !val_is(name, VAL_STRING) && !val_is(name, VAL_NULL))
        return err_set(err, ERR_INVALID,
                       "%.*s:%u: metadata.name of a %.*s is a %s: put it in quotes", STR(file),
                       line, STR(kind), val_kind_name(val_kind(name)));
    if (str_is_empty(val_get_str(metadata, S("name"))) &&
        str_is_empty(val_get_str(metadata, S("generateName"))))
        return err_set(err, ERR_INVALID, "%.*s:%u: a %.*s without metadata.name", STR(file), line,
                       STR(kind));
    return true;
}

static bool add_object(struct directory *d, const struct val *object, str file, struct err *err)
{
    struct render_result *r = d->result;

    if (!directory_check_object(object, file, err))
        return false;
    if (r->object_count == d->max_objects)
        return err_set(err, ERR_LIMIT, "the path '%.*s' has more than %zu objects", STR(d->root),
                       d->max_objects);
    r->objects = arena_grow(r->arena, r->objects, r->object_count + 1, &d->object_room,
                            sizeof(*r->objects));
    r->objects[r->object_count++] =
            (struct render_object){.object = object, .file = file, .line = val_line(object)};
    return arena_check(r->arena, "the manifests of one path", err);
}

/* A List (ConfigMapList …) stands for its items; lists in lists are opened too. */
static bool add_document(struct directory *d, const struct val *document, str file, int depth,
                         struct err *err)
{
    const struct val *items = val_get(document, S("items"));

    if (!val_is(items, VAL_LIST) || !str_ends(val_get_str(document, S("kind")), S("List")))
        return add_object(d, document, file, err);
    if (depth > 8)
        return err_set(err, ERR_LIMIT, "%.*s:%u: lists in lists", STR(file), val_line(document));
    for (struct val_iter it = val_iter(items); val_next(&it);) {
        if (!add_document(d, it.value, file, depth + 1, err))
            return false;
    }
    return true;
}

/* ---- files ---- */

static bool looks_meant(str text)
{
    return str_contains(text, S("apiVersion:")) && str_contains(text, S("kind:")) &&
           str_contains(text, S("metadata:"));
}

static bool yaml_documents(struct directory *d, str file, str text, struct err *err)
{
    struct yaml_options options = {.dialect = YAML_11, .file = file};
    struct val **documents = NULL;
    size_t count = 0;

    if (!yaml_parse_all(d->result->arena, text, &options, &documents, &count, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!val_is(documents[i], VAL_NULL) && !add_document(d, documents[i], file, 0, err))
            return false;
    }
    return true;
}

static bool add_yaml(struct directory *d, str file, str text, struct err *err)
{
    size_t before = d->result->object_count;
    struct err own;

    if (yaml_documents(d, file, text, &own))
        return true;
    if (own.code != ERR_INVALID || looks_meant(text))
        return err_set(err, own.code, "%s", own.message);
    d->result->object_count = before; /* all of a file or nothing */
    return warn(d, arena_printf(d->result->arena,
                                "'%.*s' is not a Kubernetes manifest and was left out", STR(file)));
}

static bool add_json(struct directory *d, str file, str text, struct err *err)
{
    struct json_options options = {.file = file, .places = true};
    struct val *document;

    return json_parse(d->result->arena, text, &options, &document, err) &&
           add_document(d, document, file, 0, err);
}

static bool is_wanted(const struct directory *d, str file)
{
    str relative = file;

    if (!str_is_empty(d->root))
        relative = str_from_index(file, d->root.len + 1);
    if (!str_is_empty(d->exclude) && glob_match(d->exclude, relative, '\0'))
        return false;
    return str_is_empty(d->include) || glob_match(d->include, relative, '\0');
}

static bool add_file(struct directory *d, str file, struct err *err)
{
    enum file_form form = form_of(file);
    str text;

    if ((form == FORM_OTHER && !d->any_extension) || !is_wanted(d, file))
        return true;
    if (form == FORM_JSONNET)
        return err_set(err, ERR_UNSUPPORTED, "not supported yet: the Jsonnet file '%.*s'",
                       STR(file));
    if (!tree_read(d->tree, file, &text, err))
        return false;
    d->bytes += text.len;
    if (d->bytes > LIMIT_DIRECTORY_BYTES)
        return err_set(err, ERR_LIMIT, "the manifests of '%.*s' are more than %zu MiB together",
                       STR(d->root), LIMIT_DIRECTORY_BYTES / LIMIT_MIB);
    if (str_contains(text, skip_marker))
        return true;
    return form == FORM_JSON ? add_json(d, file, text, err) : add_yaml(d, file, text, err);
}

static bool add_directory(struct directory *d, str dir, int depth, struct err *err)
{
    const struct tree_entry *entries;
    size_t count;

    if (depth > LIMIT_TREE_DEPTH)
        return err_set(err, ERR_LIMIT, "'%.*s' is nested more than %d directories deep", STR(dir),
                       LIMIT_TREE_DEPTH);
    if (!tree_list(d->tree, dir, &entries, &count, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        str path;
        if (++d->files > LIMIT_DIRECTORY_FILES)
            return err_set(err, ERR_LIMIT,
                           "the path '%.*s' has more than %d files: choose a narrower path",
                           STR(d->root), LIMIT_DIRECTORY_FILES);
        if (!tree_path_join(d->tree->arena, dir, entries[i].name, &path, err))
            return false;
        enum tree_kind kind = entries[i].kind;
        /* A link to a file counts as that file; links to directories are not entered. */
        if (kind == TREE_LINK && form_of(path) != FORM_OTHER && is_wanted(d, path))
            kind = tree_kind(d->tree, path, NULL) == TREE_DIR ? TREE_MISSING : TREE_FILE;
        if (kind == TREE_FILE && !add_file(d, path, err))
            return false;
        if (kind == TREE_DIR && d->recurse && !add_directory(d, path, depth + 1, err))
            return false;
    }
    return true;
}

bool directory_render(struct tree *tree, const struct render_request *request,
                      struct render_result *result, struct err *err)
{
    const struct val *settings = val_get(request->source, S("directory"));
    struct directory d = {
            .tree = tree,
            .result = result,
            .max_objects = request->max_objects == 0 ? LIMIT_RENDER_OBJECTS : request->max_objects,
            .root = request->path,
            .recurse = val_get_bool(settings, S("recurse"), false),
            .any_extension = val_get_bool(settings, S("disableExtensionFilter"), false),
            .include = val_get_str(settings, S("include")),
            .exclude = val_get_str(settings, S("exclude")),
    };

    if ((!str_is_empty(d.include) && !glob_check(d.include, err)) ||
        (!str_is_empty(d.exclude) && !glob_check(d.exclude, err)))
        return err_wrap(err, "source.directory");
    return add_directory(&d, request->path, 0, err);
}
