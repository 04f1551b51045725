/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Group, version, kind and resource: how Kubernetes names its types. All texts are borrowed.
 * The core group is the empty text.
 */
#include "doc/val.h"

struct gvk {
    str group;
    str version;
    str kind;
};

struct gvr {
    str group;
    str version;
    str resource; /* plural, lower case */
};

bool gvk_eq(struct gvk a, struct gvk b);
bool gvr_eq(struct gvr a, struct gvr b);
struct gvk gvk_of(const struct val *object);     /* from apiVersion and kind */
struct gvk gvk_parse(str api_version, str kind); /* "apps/v1" + kind; "v1" = core */
str gvk_api_version(struct arena *arena, str group, str version);
str object_name(const struct val *object); /* metadata.name */
str object_namespace(const struct val *object);
str object_uid(const struct val *object);
str object_resource_version(const struct val *object);
str object_annotation(const struct val *object, str key);
str object_label(const struct val *object, str key);
