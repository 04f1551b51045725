/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Registry: the kinds that an instance serves, built-in ones and those of CRDs.
 *
 * Owner:  the registry owns its kinds. A CRD's kind goes when the CRD changes, so nobody keeps a
 *         pointer over a turn; built-in kinds live as long as the registry.
 */
#include "apiserver/apiserver.h"
#include "schema/resource.h"
#include "schema/type.h"

enum kind_verb {
    VERB_GET = 1,
    VERB_LIST = 2,
    VERB_WATCH = 4,
    VERB_CREATE = 8,
    VERB_UPDATE = 16,
    VERB_PATCH = 32,
    VERB_DELETE = 64,
    VERB_DELETECOLLECTION = 128,
};

struct kind_version {
    str name;
    bool served;
    bool storage;
    bool has_status;
    const struct type *type;
    const struct resource *row; /* built-in: its discovery row; CRD: NULL */
    struct type_set *types;     /* CRD: owns `type` */
    const struct val *schema;   /* CRD: openAPIV3Schema, or NULL */
    const struct val *scale;    /* CRD: the scale sub-resource's paths, or NULL */
    const struct val *columns;  /* CRD: additionalPrinterColumns, or NULL */
    str deprecation;            /* CRD: the warning of a deprecated version, or empty */
};

struct kind {
    str group;
    str plural;
    str key; /* "group/plural", of the store */
    str singular;
    str name; /* "Deployment" */
    str list; /* "DeploymentList" */
    bool namespaced;
    bool is_crd;
    bool is_review; /* created, answered and forgotten */
    unsigned verbs; /* enum kind_verb */
    const str *short_names;
    size_t short_name_count;
    const str *categories;
    size_t category_count;
    struct kind_version *versions; /* in order of preference */
    size_t version_count;
    struct arena *arena; /* of a CRD's kind: all the above */
};

struct registry;

struct registry *registry_new(enum apiserver_kinds kinds);
void registry_free(struct registry *registry);
AUTO_DEFINE(registry, registry_free)
#define auto_registry AUTO(registry)

const struct kind *registry_find(const struct registry *registry, str group, str plural);
const struct kind *registry_find_key(const struct registry *registry, str key);
const struct kind *registry_find_kind(const struct registry *registry, str group, str kind);
/* NULL: this version is not served. */
const struct kind_version *kind_version_find(const struct kind *kind, str version);
const struct kind_version *kind_storage_version(const struct kind *kind);
bool kind_has_subresource(const struct kind *kind, const struct kind_version *version, str name);
bool kind_has_verb(const struct kind *kind, enum kind_verb verb);

/* Takes the kind of a CRD (its arena moves in), in place of an older one of the same key. */
void registry_set_crd(struct registry *registry, struct kind *kind);
void registry_remove_crd(struct registry *registry, str key);
void registry_clear_crds(struct registry *registry);
void kind_free(struct kind *kind); /* a CRD's that no registry took */

typedef void registry_each_fn(void *owner, const struct kind *kind);
void registry_each(const struct registry *registry, registry_each_fn *fn, void *owner);
uint64_t registry_generation(const struct registry *registry); /* grows with each change */
