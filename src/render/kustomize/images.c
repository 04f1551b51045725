/* SPDX-License-Identifier: Apache-2.0 */
/* The image transformer: by field specs, and by a walk to every list of containers. */
#include "render/kustomize/transform.h"

struct image_context {
    const struct image *image;
    struct regex *pattern;
};

struct image_parts {
    str name, tag, digest;
};

static struct image_parts split_image(str image)
{
    struct image_parts p = {.name = image, .tag = STR_EMPTY, .digest = STR_EMPTY};
    size_t slash = str_find_char(image, '/');
    size_t from = slash == SIZE_MAX ? 0 : slash;
    size_t at = str_find_char(str_from_index(image, from), '@');
    size_t colon = str_find_char(str_from_index(image, from), ':');

    if (at == SIZE_MAX && colon == SIZE_MAX)
        return p;
    if (at != SIZE_MAX && (at < colon || colon == SIZE_MAX)) {
        p.name = str_first(image, from + at);
        p.digest = str_from_index(image, from + at + 1);
        return p;
    }
    p.name = str_first(image, from + colon);
    p.tag = str_from_index(image, from + colon + 1);
    if (at != SIZE_MAX) {
        p.tag = str_of(image.at + from + colon + 1, at - colon - 1);
        p.digest = str_from_index(image, from + at + 1);
    }
    return p;
}

static bool set_image(struct build *b, struct node *n, void *context)
{
    const struct image_context *c = context;
    const struct image *i = c->image;
    bool is_match = false;

    if (!node_is_null(n) && n->kind != NODE_SCALAR)
        return build_fail(b, KUSTOMIZE_ERROR_TRANSFORM,
                          "wrong node kind: an image must be a scalar");
    if (n->kind == NODE_ZERO)
        return true;
    str value = node_spelling(n);
    if (!regex_match(c->pattern, value, &is_match, b->err)) {
        b->error_class = KUSTOMIZE_ERROR_LIMIT;
        return false;
    }
    if (!is_match)
        return true;
    struct image_parts p = split_image(value);
    if (i->new_name.len > 0)
        p.name = i->new_name;
    if (i->new_tag.len > 0) {
        p.tag = i->new_tag;
        p.digest = i->digest;
    } else if (i->digest.len > 0) {
        p.tag = STR_EMPTY;
        p.digest = i->digest;
    } else if (i->tag_suffix.len > 0) {
        p.tag = arena_join(b->arena, p.tag, i->tag_suffix);
        p.digest = STR_EMPTY;
    }
    str text = arena_printf(b->arena, "%.*s%s%.*s%s%.*s", STR(p.name), p.tag.len > 0 ? ":" : "",
                            STR(p.tag), p.digest.len > 0 ? "@" : "", STR(p.digest));
    (void)node_set_scalar(n, TAG_NONE, text);
    return true;
}

static bool set_in_containers(struct build *b, const struct node *list, struct image_context *c)
{
    for (uint32_t i = 0; i < list->count; i++) {
        const struct node *item = list->items[i];
        if (node_is_null(item))
            continue;
        if (item->kind != NODE_MAP)
            return build_fail(b, KUSTOMIZE_ERROR_TRANSFORM,
                              "wrong node kind: a container must be a map");
        struct node *image = node_get(item, S("image"));
        if (image != NULL && !set_image(b, image, c))
            return false;
    }
    return true;
}

static bool walk(struct build *b, const struct node *n, struct image_context *c, unsigned depth)
{
    if (n == NULL || (n->kind != NODE_MAP && n->kind != NODE_LIST) || n->tag == TAG_NULL)
        return true;
    if (depth > 4 * LIMIT_DOC_DEPTH)
        return build_fail(b, KUSTOMIZE_ERROR_LIMIT, "a resource is nested too deeply");
    for (uint32_t i = 0; i < n->count; i++) {
        const struct node *child = n->kind == NODE_MAP ? n->members[i].value : n->items[i];
        if (!walk(b, child, c, depth + 1))
            return false;
        if (n->kind != NODE_MAP || child->kind != NODE_LIST)
            continue;
        str key = n->members[i].key;
        if ((str_eq(key, S("containers")) || str_eq(key, S("initContainers"))) &&
            !set_in_containers(b, child, c))
            return false;
    }
    return true;
}

bool transform_image(struct build *b, struct resmap *m, const struct image *image,
                     const struct fields *specs)
{
    struct image_context c = {.image = image};
    str pattern = arena_printf(b->arena, "^%.*s(:[a-zA-Z0-9_.{}-]*)?(@sha256:[a-zA-Z0-9_.{}-]*)?$",
                               STR(image->name));

    if (!build_regex(b, pattern, &c.pattern))
        return false;
    for (size_t i = 0; i < m->count; i++) {
        struct resource *r = m->at[i];
        if (str_eq(resource_kind(r), S("CustomResourceDefinition")))
            continue;
        if (!walk(b, r->node, &c, 0))
            return false;
    }
    for (size_t i = 0; i < m->count; i++) {
        struct resource *r = m->at[i];
        if (str_eq(resource_kind(r), S("CustomResourceDefinition")))
            continue;
        for (size_t f = 0; f < specs->count; f++) {
            struct field_visit visit = {.spec = &specs->at[f], .set = set_image, .context = &c};
            if (!field_visit(b, r->node, &visit))
                return false;
        }
    }
    return true;
}
