/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Sync options: the texts of spec.syncPolicy.syncOptions, of an operation, and of the annotation
 * argocd.argoproj.io/sync-options on one object, which wins over both.
 */
#include "doc/val.h"

enum sync_propagation { SYNC_FOREGROUND, SYNC_BACKGROUND, SYNC_ORPHAN };

struct sync_options {
    bool skip_validation;  /* Validate=false */
    bool create_namespace; /* CreateNamespace=true */
    bool prune_last;
    bool out_of_sync_only;
    bool replace;
    bool force;
    bool respect_ignore; /* RespectIgnoreDifferences=true */
    bool fail_on_shared;
    bool take_ownership;
    bool skip_dry_run_missing; /* SkipDryRunOnMissingResource=true */
    bool keep_on_prune;        /* Prune=false */
    bool keep_on_delete;       /* Delete=false */
    bool confirm_prune;        /* Prune=confirm */
    bool confirm_delete;       /* Delete=confirm */
    enum sync_propagation propagation;
};

/* Reads one "Name=value" into *options; unknown names are left alone (Argo CD ignores them). */
void sync_options_add(struct sync_options *options, str text);
void sync_options_add_list(struct sync_options *options, const struct val *list);
/* A comma-separated annotation. */
void sync_options_add_csv(struct sync_options *options, str csv);
const char *sync_propagation_name(enum sync_propagation propagation); /* Foreground, … */
