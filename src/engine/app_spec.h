/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Application spec: an Application read into what the engine works with, and refused where it asks
 * for what is not built. A refusal is a sentence for the condition InvalidSpecError that names the
 * field.
 *
 * Owner:  everything borrows the Application's tree.
 */
#include "engine/sync_options.h"
#include "schema/gvk.h"

struct app_destination {
    str server;
    str name;
    str namespace_;
};

struct app_spec {
    str name;
    str namespace_;
    str uid;
    str project;
    struct app_destination destination;
    const struct val *source; /* spec.source */
    str repo_url;
    str path;
    str revision;
    bool automated;
    bool prune;
    bool self_heal;
    bool allow_empty;
    struct sync_options options;
    const struct val *option_list;
    const struct val *retry;
    const struct val *ignore;             /* spec.ignoreDifferences */
    const struct val *namespace_metadata; /* syncPolicy.managedNamespaceMetadata */
    int64_t history_limit;
    bool deleting;
};

/* Names, finalizers and deletion are always read; false when the spec cannot be worked with. */
MUST_USE bool app_spec_parse(const struct val *application, struct app_spec *ret, struct err *err);
/* What an operation asks for that is not built; also a source of its own in it. */
MUST_USE bool app_spec_check_source(const struct val *source, struct err *err);

/* resources-finalizer.argocd.argoproj.io, with or without /foreground or /background. */
bool app_has_cascade(const struct val *application, enum sync_propagation *ret_propagation);
bool app_finalizer_is_cascade(str finalizer);
