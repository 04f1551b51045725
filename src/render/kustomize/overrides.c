/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Argo CD's source.kustomize, applied as `kustomize edit set` and `edit add` would edit the root's
 * file: prefix, suffix, images, replicas, labels, annotations, namespace, then patches and
 * components are appended. The file itself is not touched: the decoded struct is.
 */
#include "base/buf.h"
#include "render/kustomize/target.h"

#include <stdlib.h>

struct editor {
    struct target *t;
    struct build *b;
    const struct val *overrides;
};

static bool refuse(struct editor *e, const char *what, str value)
{
    return build_fail(e->b, KUSTOMIZE_ERROR_CONFIG, "source.kustomize: %s: '%.*s'", what,
                      STR(value));
}

/* ---- the build environment ---- */

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* What stands for a variable; nothing for one that is not there, "$" for "$$". */
static bool value_of(struct editor *e, str name, str *ret)
{
    const struct kustomize_options *options = e->b->options;

    *ret = str_eq(name, S("$")) ? name : STR_EMPTY;
    for (size_t i = 0; i < options->environment_count; i++) {
        if (!str_eq(options->environment[i].name, name))
            continue;
        *ret = options->environment[i].value;
        if (ret->at == NULL)
            return build_fail(e->b, KUSTOMIZE_ERROR_UNSUPPORTED,
                              "not supported yet: $%.*s in source.kustomize", STR(name));
    }
    return true;
}

/* The name behind a '$' and how much stands there, as Go's os.Expand reads it. */
static str name_behind(str rest, size_t *ret_taken)
{
    size_t len = 0;

    if (rest.len > 0 && rest.at[0] == '{') {
        size_t close = str_find_char(rest, '}');
        *ret_taken = close == SIZE_MAX ? 1 : close + 1; /* a bad one is eaten */
        return close == SIZE_MAX ? STR_EMPTY : str_of(rest.at + 1, close - 1);
    }
    while (len < rest.len && is_name_char(rest.at[len]))
        len++;
    bool is_special = rest.len > 0 && str_find_char(S("*#$@!?-0123456789"), rest.at[0]) != SIZE_MAX;
    *ret_taken = is_special ? 1 : len;
    return str_first(rest, *ret_taken);
}

/* "$NAME" and "${NAME}" become what Argo CD's build environment says. */
static bool expand(struct editor *e, str text, str *ret)
{
    auto_buf struct buf out = {0};

    *ret = text;
    if (str_find_char(text, '$') == SIZE_MAX)
        return true;
    buf_init(&out, LIMIT_FILE_BYTES);
    for (size_t i = 0; i < text.len; i++) {
        size_t taken = 0;
        str value = STR_EMPTY;
        if (text.at[i] != '$' || i + 1 == text.len) {
            buf_addc(&out, text.at[i]);
            continue;
        }
        str name = name_behind(str_from_index(text, i + 1), &taken);
        if (taken == 0)
            buf_addc(&out, '$');
        else if (!value_of(e, name, &value))
            return false;
        buf_add(&out, value);
        i += taken;
    }
    *ret = arena_str(e->b->arena, buf_str(&out));
    return true;
}

/* ---- images ---- */

/* [old=]name[:tag][@digest] */
static bool parse_image(struct editor *e, str text, struct image *ret)
{
    size_t equals = str_find_char(text, '=');
    str rest = equals == SIZE_MAX ? text : str_from_index(text, equals + 1);
    size_t slash = str_find_char(rest, '/');
    size_t from = slash == SIZE_MAX || slash == 0 ? 0 : slash;
    size_t at = str_find_char(str_from_index(rest, from), '@');
    str head = at == SIZE_MAX ? rest : str_first(rest, from + at);
    size_t colon = str_find_char(str_from_index(head, from), ':');

    *ret = (struct image){.name = STR_EMPTY,
                          .new_name = STR_EMPTY,
                          .new_tag = STR_EMPTY,
                          .digest = STR_EMPTY,
                          .tag_suffix = STR_EMPTY};
    str name = colon == SIZE_MAX ? head : str_first(head, from + colon);
    if (colon != SIZE_MAX)
        ret->new_tag = str_from_index(head, from + colon + 1);
    if (at != SIZE_MAX)
        ret->digest = str_from_index(rest, from + at + 1);
    if (equals == SIZE_MAX && name.len == text.len)
        return refuse(e, "an image needs a new name, tag or digest", text);
    ret->name = equals == SIZE_MAX ? name : str_first(text, equals);
    if (equals != SIZE_MAX)
        ret->new_name = name;
    return true;
}

static void keep(str *value, str before)
{
    if (str_eq(*value, S("*")))
        *value = before.at == NULL ? STR_EMPTY : before;
}

static int compare_images(const void *a, const void *b)
{
    return str_cmp(((const struct image *)a)->name, ((const struct image *)b)->name);
}

static struct image *find_image(struct image *list, size_t count, str name)
{
    for (size_t i = 0; i < count; i++)
        if (str_eq(list[i].name, name))
            return &list[i];
    return NULL;
}

static bool set_images(struct editor *e)
{
    const struct val *list = val_get(e->overrides, S("images"));
    struct kustomization *k = &e->t->k;
    size_t count = 0;

    if (val_count(list) == 0)
        return true;
    struct image *images =
            arena_array(e->b->arena, val_count(list) + k->images.count, struct image);
    struct val_iter it = val_iter(list);
    while (val_next(&it)) {
        struct image image = {0};
        str text = STR_EMPTY;
        if (!expand(e, val_str(it.value), &text) || !parse_image(e, text, &image))
            return false;
        struct image *same = find_image(images, count, image.name);
        if (same == NULL)
            same = &images[count++];
        *same = image;
    }
    size_t set = count;
    for (size_t i = 0; i < k->images.count; i++) {
        const struct image *old = &k->images.at[i];
        struct image *same = find_image(images, count, old->name);
        if (same == NULL) {
            images[count++] = *old;
        } else if (same < images + set) {
            keep(&same->new_name, old->new_name);
            keep(&same->new_tag, old->new_tag);
            keep(&same->digest, old->digest);
        }
    }
    for (size_t i = 0; i < count; i++) {
        keep(&images[i].new_name, STR_EMPTY);
        keep(&images[i].new_tag, STR_EMPTY);
        keep(&images[i].digest, STR_EMPTY);
    }
    qsort(images, count, sizeof(*images), compare_images);
    k->images.at = images;
    k->images.count = count;
    return true;
}

/* ---- replicas ---- */

static int compare_replicas(const void *a, const void *b)
{
    return str_cmp(((const struct replica *)a)->name, ((const struct replica *)b)->name);
}

static bool set_replicas(struct editor *e)
{
    const struct val *list = val_get(e->overrides, S("replicas"));
    struct kustomization *k = &e->t->k;
    size_t count = 0;

    if (val_count(list) == 0)
        return true;
    struct replica *replicas =
            arena_array(e->b->arena, val_count(list) + k->replicas.count, struct replica);
    struct val_iter it = val_iter(list);
    while (val_next(&it)) {
        struct replica *r = &replicas[count++];
        r->name = val_get_str(it.value, S("name"));
        str number = val_text(val_get(it.value, S("count")));
        if (r->name.len == 0 || !str_to_i64(number, &r->count) || r->count < 0)
            return refuse(e, "replicas need a name and a count", number);
    }
    size_t set = count;
    for (size_t i = 0; i < k->replicas.count; i++) {
        bool overridden = false;
        for (size_t s = 0; s < set; s++)
            overridden = overridden || str_eq(replicas[s].name, k->replicas.at[i].name);
        if (!overridden)
            replicas[count++] = k->replicas.at[i];
    }
    qsort(replicas, count, sizeof(*replicas), compare_replicas);
    k->replicas.at = replicas;
    k->replicas.count = count;
    return true;
}

/* ---- labels and annotations ---- */

static bool add_pair(struct editor *e, struct pairs *pairs, const char *what, str key, str value,
                     bool force)
{
    bool found = false;

    (void)pairs_get(pairs, key, &found);
    if (found && !force)
        return refuse(e, what, key);
    pairs_put(e->b, pairs, key, value);
    pairs->set = true;
    return true;
}

/* The label entry without selectors that `edit add label` would write to. */
static struct label *label_entry(struct editor *e, bool templates)
{
    struct kustomization *k = &e->t->k;

    for (size_t i = 0; i < k->labels.count; i++)
        if (!k->labels.at[i].include_selectors && k->labels.at[i].include_templates == templates)
            return &k->labels.at[i];
    struct label *labels = arena_array(e->b->arena, k->labels.count + 1, struct label);
    if (k->labels.count > 0)
        memcpy(labels, k->labels.at, k->labels.count * sizeof(*labels));
    k->labels.at = labels;
    k->labels.set = true;
    labels[k->labels.count].include_templates = templates;
    return &labels[k->labels.count++];
}

static bool add_labels(struct editor *e)
{
    const struct val *labels = val_get(e->overrides, S("commonLabels"));
    bool plain = val_get_bool(e->overrides, S("labelWithoutSelector"), false);
    bool templates = val_get_bool(e->overrides, S("labelIncludeTemplates"), false);
    bool force = val_get_bool(e->overrides, S("forceCommonLabels"), false);

    if (val_count(labels) == 0)
        return true;
    if (templates && !plain)
        return refuse(e, "labelIncludeTemplates needs", S("labelWithoutSelector"));
    struct pairs *pairs = plain ? &label_entry(e, templates)->pairs : &e->t->k.common_labels;
    struct val_iter it = val_iter(labels);
    while (val_next(&it)) {
        str value = STR_EMPTY;
        if (!expand(e, val_text(it.value), &value) ||
            !add_pair(e, pairs, "the label is already in the kustomization (set forceCommonLabels)",
                      it.key, value, force))
            return false;
    }
    return true;
}

static bool add_annotations(struct editor *e)
{
    bool force = val_get_bool(e->overrides, S("forceCommonAnnotations"), false);
    bool variables = val_get_bool(e->overrides, S("commonAnnotationsEnvsubst"), false);
    struct val_iter it = val_iter(val_get(e->overrides, S("commonAnnotations")));

    while (val_next(&it)) {
        str value = val_text(it.value);
        if (variables && !expand(e, value, &value))
            return false;
        if (!add_pair(e, &e->t->k.common_annotations,
                      "the annotation is already in the kustomization (set forceCommonAnnotations)",
                      it.key, value, force))
            return false;
    }
    return true;
}

/* ---- patches and components ---- */

static void add_patch(struct editor *e, const struct val *v, struct patch *ret)
{
    const struct val *target = val_get(v, S("target"));
    const struct val *options = val_get(v, S("options"));

    ret->path = val_get_str(v, S("path"));
    ret->patch = val_get_str(v, S("patch"));
    if (val_is(target, VAL_MAP)) {
        ret->target = arena_new0(e->b->arena, struct selector);
        *ret->target = (struct selector){
                .group = val_get_str(target, S("group")),
                .version = val_get_str(target, S("version")),
                .kind = val_get_str(target, S("kind")),
                .name = val_get_str(target, S("name")),
                .namespace_ = val_get_str(target, S("namespace")),
                .label_selector = val_get_str(target, S("labelSelector")),
                .annotation_selector = val_get_str(target, S("annotationSelector")),
        };
    }
    if (val_is(options, VAL_MAP)) {
        ret->options = arena_new0(e->b->arena, struct patch_options);
        ret->options->allow_name_change = val_get_bool(options, S("allowNameChange"), false);
        ret->options->allow_kind_change = val_get_bool(options, S("allowKindChange"), false);
    }
}

static void add_patches(struct editor *e)
{
    const struct val *list = val_get(e->overrides, S("patches"));
    struct kustomization *k = &e->t->k;

    if (val_count(list) == 0)
        return;
    struct patch *patches =
            arena_array(e->b->arena, k->patches.count + val_count(list), struct patch);
    if (k->patches.count > 0)
        memcpy(patches, k->patches.at, k->patches.count * sizeof(*patches));
    struct val_iter it = val_iter(list);
    while (val_next(&it))
        add_patch(e, it.value, &patches[k->patches.count++]);
    k->patches.at = patches;
    k->patches.set = true;
}

static bool is_there(struct editor *e, str component)
{
    struct loader *child = NULL;
    struct err ignored = {0};
    struct err *err = e->b->err;

    e->b->err = &ignored;
    bool found = loader_child(e->b, e->t->loader, component, &child) != LOAD_FAILED;
    e->b->err = err;
    return found;
}

static void add_components(struct editor *e)
{
    bool ignore_missing = val_get_bool(e->overrides, S("ignoreMissingComponents"), false);
    struct val_iter it = val_iter(val_get(e->overrides, S("components")));

    while (val_next(&it)) {
        str component = val_str(it.value);
        if (strs_has(&e->t->k.components, component) || (ignore_missing && !is_there(e, component)))
            continue;
        strs_add(e->b, &e->t->k.components, component);
    }
}

bool overrides_apply(struct target *t, const struct val *overrides)
{
    struct editor e = {.t = t, .b = t->b, .overrides = overrides};

    if (overrides == NULL || val_count(overrides) == 0)
        return true;
    str prefix = val_get_str(overrides, S("namePrefix"));
    str suffix = val_get_str(overrides, S("nameSuffix"));
    str namespace_ = val_get_str(overrides, S("namespace"));
    if (prefix.len > 0)
        t->k.name_prefix = prefix;
    if (suffix.len > 0)
        t->k.name_suffix = suffix;
    if (!set_images(&e) || !set_replicas(&e) || !add_labels(&e) || !add_annotations(&e))
        return false;
    if (namespace_.len > 0)
        t->k.namespace_ = namespace_;
    add_patches(&e);
    add_components(&e);
    return true;
}
