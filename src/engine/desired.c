/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/desired.h"
#include "base/mem.h"

/* Kinds that no manifest may bring: the cluster writes them by itself (Argo CD's defaults). */
static const struct {
    str group;
    str kind; /* empty: the whole group */
} excluded_kinds[] = {
        {S_INIT(""), S_INIT("Event")},
        {S_INIT("events.k8s.io"), S_INIT("")},
        {S_INIT("metrics.k8s.io"), S_INIT("")},
        {S_INIT("coordination.k8s.io"), S_INIT("Lease")},
        {S_INIT(""), S_INIT("Endpoints")},
        {S_INIT("discovery.k8s.io"), S_INIT("EndpointSlice")},
        {S_INIT("authentication.k8s.io"), S_INIT("")},
        {S_INIT("authorization.k8s.io"), S_INIT("")},
        {S_INIT("certificates.k8s.io"), S_INIT("CertificateSigningRequest")},
        {S_INIT("cert-manager.io"), S_INIT("CertificateRequest")},
};

/* Annotations that ask for what is not built. */
static const char *const hook_annotations[] = {"argocd.argoproj.io/hook", "helm.sh/hook"};

struct desired *desired_ref(struct desired *desired)
{
    desired->references++;
    return desired;
}

void desired_unref(struct desired *desired)
{
    if (desired == NULL || --desired->references > 0)
        return;
    map_free(desired->by_key);
    arena_free(desired->arena);
    mem_free(desired);
}

struct desired_object *desired_find(const struct desired *desired, str key)
{
    return map_get(desired->by_key, key);
}

static bool kind_is_excluded(struct gvk gvk)
{
    for (size_t i = 0; i < COUNT(excluded_kinds); i++)
        if (str_eq(gvk.group, excluded_kinds[i].group) &&
            (str_is_empty(excluded_kinds[i].kind) || str_eq(gvk.kind, excluded_kinds[i].kind)))
            return true;
    return false;
}

static bool annotations_are_built(const struct desired_object *d, struct arena *arena,
                                  bool *ret_skip, struct err *err)
{
    str wave = object_annotation(d->object, S("argocd.argoproj.io/sync-wave"));

    *ret_skip = false;
    for (size_t i = 0; i < COUNT(hook_annotations); i++) {
        str hook = object_annotation(d->object, str_from(hook_annotations[i]));

        if (str_is_empty(hook))
            continue;
        if (i == 0 && str_eq(str_trim(hook), S("Skip")))
            *ret_skip = true;
        else
            return err_set(err, ERR_UNSUPPORTED,
                           "not supported yet: the annotation %s: %.*s on %.*s",
                           hook_annotations[i], STR(hook), STR(desired_label(arena, d)));
    }
    if (!str_is_empty(wave) && !str_eq(str_trim(wave), S("0")))
        return err_set(err, ERR_UNSUPPORTED, "not supported yet: sync wave %.*s on %.*s", STR(wave),
                       STR(desired_label(arena, d)));
    return true;
}

/* The CRD of this set that brings group and kind, or NULL. */
static const struct val *set_crd(const struct render_result *rendered, struct gvk gvk)
{
    for (size_t i = 0; i < rendered->object_count; i++) {
        const struct val *o = rendered->objects[i].object;

        if (str_eq(val_get_str(o, S("kind")), S("CustomResourceDefinition")) &&
            str_eq(VAL_STR(o, "spec", "group"), gvk.group) &&
            str_eq(VAL_STR(o, "spec", "names", "kind"), gvk.kind))
            return o;
    }
    return NULL;
}

static void kind_take(struct desired_object *d, struct arena *arena,
                      const struct discovery_kind *kind)
{
    d->kind_known = true;
    d->kind_absent = false;
    d->from_crd = false;
    d->namespaced = kind->namespaced;
    d->gvr = (struct gvr){arena_str(arena, d->gvk.group), arena_str(arena, d->gvk.version),
                          arena_str(arena, kind->resource)};
}

static void kind_resolve(struct desired_object *d, struct arena *arena,
                         const struct discovery *discovery, const struct render_result *rendered)
{
    struct discovery_kind kind;
    enum discovery_answer answer = discovery_find(discovery, d->gvk, &kind);
    const struct val *crd;

    if (answer == DISCOVERY_FOUND) {
        kind_take(d, arena, &kind);
        return;
    }
    d->kind_absent = answer == DISCOVERY_ABSENT;
    crd = rendered == NULL ? NULL : set_crd(rendered, d->gvk);
    if (crd == NULL)
        return;
    d->kind_known = true;
    d->from_crd = true;
    d->namespaced = str_eq(VAL_STR(crd, "spec", "scope"), S("Namespaced"));
    d->gvr = (struct gvr){arena_str(arena, d->gvk.group), arena_str(arena, d->gvk.version),
                          arena_str(arena, VAL_STR(crd, "spec", "names", "plural"))};
}

void desired_resolve(struct desired *desired, const struct discovery *discovery)
{
    if (desired->discovery_generation == discovery_generation(discovery))
        return;
    desired->discovery_generation = discovery_generation(discovery);
    for (size_t i = 0; i < desired->count; i++)
        if (!desired->objects[i].kind_known || desired->objects[i].from_crd)
            kind_resolve(&desired->objects[i], desired->arena, discovery, NULL);
}

/* Values of the label argocd.argoproj.io/secret-type. */
static const str home_secrets[] = {S_INIT("repository"), S_INIT("repo-creds"),
                                   S_INIT("repository-write"), S_INIT("repo-write-creds"),
                                   S_INIT("cluster")};

static bool goes_home(struct gvk gvk, const struct val *object)
{
    str type = object_label(object, S("argocd.argoproj.io/secret-type"));

    if (str_eq(gvk.group, S("argoproj.io")))
        return true;
    for (size_t i = 0; i < COUNT(home_secrets); i++)
        if (str_is_empty(gvk.group) && str_eq(gvk.kind, S("Secret")) &&
            str_eq(type, home_secrets[i]))
            return true;
    return false;
}

/* What goes home needs its Namespace there. */
static void namespaces_go_home(struct desired *set)
{
    for (size_t i = 0; i < set->count; i++) {
        const struct desired_object *d = &set->objects[i];
        struct desired_object *namespace_;

        if (!d->goes_home || str_is_empty(d->namespace_))
            continue;
        namespace_ = map_get(set->by_key,
                             object_key(set->arena, S(""), S("Namespace"), S(""), d->namespace_));
        if (namespace_ != NULL)
            namespace_->goes_home = true;
    }
}

uint64_t desired_generation(const struct desired_options *options)
{
    uint64_t generation = discovery_generation(options->discovery);

    if (options->home != NULL && options->home != options->discovery)
        generation += discovery_generation(options->home);
    return generation;
}

static bool kind_still_holds(const struct desired_object *d, const struct desired_options *options)
{
    struct discovery_kind kind;

    return d->kind_known && !d->from_crd &&
           discovery_find(d->goes_home ? options->home : options->discovery, d->gvk, &kind) ==
                   DISCOVERY_FOUND &&
           kind.namespaced == d->namespaced && str_eq(kind.resource, d->gvr.resource);
}

bool desired_still_holds(struct desired *desired, const struct desired_options *options)
{
    uint64_t generation = desired_generation(options);

    for (size_t i = 0; desired->discovery_generation != generation && i < desired->count; i++)
        if (!kind_still_holds(&desired->objects[i], options))
            return false;
    desired->discovery_generation = generation;
    return true;
}

static bool object_check(const struct desired_object *d, const struct render_object *from,
                         struct err *err)
{
    const char *missing = NULL;

    if (!val_is(from->object, VAL_MAP) || str_is_empty(d->gvk.kind) ||
        str_is_empty(val_get_str(from->object, S("apiVersion"))))
        missing = "apiVersion or kind";
    else if (str_is_empty(d->name))
        missing = "metadata.name";
    if (missing == NULL)
        return true;
    return err_set(err, ERR_INVALID, "%.*s:%u: %.*s has no %s", STR(from->file), from->line,
                   STR(str_is_empty(d->gvk.kind) ? S("an object") : d->gvk.kind), missing);
}

/* Fills *d; ret_use is false for what is left out (Skip, excluded kinds). */
static bool object_build(struct desired *set, const struct desired_options *options,
                         const struct render_result *rendered, const struct render_object *from,
                         struct desired_object *d, bool *ret_use, struct err *err)
{
    struct arena *arena = set->arena;
    struct val *object = val_dup(arena, from->object);
    struct val *metadata = val_get(object, S("metadata"));
    bool skip;

    *d = (struct desired_object){.gvk = gvk_of(object),
                                 .name = object_name(object),
                                 .object = object,
                                 .file = arena_str(arena, from->file),
                                 .line = from->line,
                                 .options = options->spec->options};
    *ret_use = false;
    if (!object_check(d, from, err) || !annotations_are_built(d, arena, &skip, err))
        return false;
    if (skip)
        return true;
    if (kind_is_excluded(d->gvk)) {
        set->excluded[set->excluded_count++] =
                arena_printf(arena, "%.*s is not deployed: the cluster writes this kind by itself",
                             STR(desired_label(arena, d)));
        return true;
    }

    d->goes_home = options->home != NULL && goes_home(d->gvk, object);
    kind_resolve(d, arena, d->goes_home ? options->home : options->discovery, rendered);
    d->ignore_health = str_eq(object_annotation(object, S("argocd.argoproj.io/ignore-healthcheck")),
                              S("true"));
    sync_options_add_csv(&d->options,
                         object_annotation(object, S("argocd.argoproj.io/sync-options")));
    desired_normalise(arena, object);
    if (d->kind_known && !d->namespaced)
        val_del(metadata, S("namespace"));
    else if (str_is_empty(object_namespace(object)))
        val_set_str(arena, metadata, S("namespace"), options->spec->destination.namespace_);
    d->namespace_ = object_namespace(object);
    if (d->kind_known && d->namespaced && str_is_empty(d->namespace_))
        return err_set(err, ERR_INVALID,
                       "%.*s has no namespace and spec.destination.namespace is empty",
                       STR(desired_label(arena, d)));
    mark_apply(options->mark, arena, object);
    d->key = object_key(arena, d->gvk.group, d->gvk.kind, d->namespace_, d->name);
    d->hash = hash_val(object);
    *ret_use = true;
    return true;
}

static void set_add(struct desired *set, const struct desired_object *d)
{
    struct desired_object *earlier = map_get(set->by_key, d->key);

    if (earlier == NULL) {
        earlier = &set->objects[set->count++];
        map_set(set->by_key, d->key, earlier);
    } else {
        set->repeated[set->repeated_count++] =
                arena_printf(set->arena, "%.*s is declared again in %.*s:%u; the last one counts",
                             STR(desired_label(set->arena, earlier)), STR(d->file), d->line);
    }
    *earlier = *d;
}

bool desired_build(const struct render_result *rendered, const struct desired_options *options,
                   struct desired **ret, struct err *err)
{
    auto_desired struct desired *set = new0(struct desired);
    size_t count = rendered->object_count;

    set->references = 1;
    set->arena = arena_new(LIMIT_RENDER_ARENA);
    set->by_key = map_new();
    set->objects = arena_array(set->arena, count + 1, struct desired_object);
    set->repeated = arena_array(set->arena, count + 1, str);
    set->excluded = arena_array(set->arena, count + 1, str);
    set->commit = arena_str(set->arena, rendered->commit);
    set->digest = arena_str(set->arena, rendered->digest);
    set->tool = rendered->tool;
    set->discovery_generation = desired_generation(options);

    for (size_t i = 0; i < count; i++) {
        struct desired_object d;
        bool use;

        if (!object_build(set, options, rendered, &rendered->objects[i], &d, &use, err) ||
            !arena_check(set->arena, "the rendered objects", err))
            return false;
        if (use)
            set_add(set, &d);
    }
    namespaces_go_home(set);
    *ret = TAKE(set);
    return true;
}
