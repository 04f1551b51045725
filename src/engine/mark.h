/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Marks: how a live object says whose it is (ENGINE section 1).
 *
 * The tracking annotation decides ownership, the label only selects what is watched, the
 * installation id tells two installations on one cluster apart. Nothing commit-specific is marked.
 */
#include "schema/gvk.h"

#define MARK_LABEL S("taut.dev/app")
#define MARK_TRACKING S("argocd.argoproj.io/tracking-id")
#define MARK_INSTALLATION S("argocd.argoproj.io/installation-id")
#define MARK_LABEL_LENGTH 26

struct mark {
    str label;        /* value of MARK_LABEL: MARK_LABEL_LENGTH characters */
    str instance;     /* NAME in the control namespace, else NAMESPACE_NAME */
    str installation; /* the installation id */
};

/* Texts go to the arena. */
void mark_init(struct mark *mark, struct arena *arena, str installation, str control_namespace,
               str namespace_, str name);
/* <instance>:<group>/<kind>:<namespace>/<name> */
str mark_tracking(const struct mark *mark, struct arena *arena, struct gvk gvk, str namespace_,
                  str name);
/* Sets label and annotations on an object that is about to be applied. */
void mark_apply(const struct mark *mark, struct arena *arena, struct val *object);

struct mark_tracked {
    str instance;
    str group;
    str kind;
    str namespace_;
    str name;
};
/* Takes a tracking id apart; false when it is none. */
bool mark_parse(str tracking, struct mark_tracked *ret);

enum mark_owner {
    MARK_NOBODY,  /* no mark, a copied mark (it names another object), or one without our id */
    MARK_OURS,    /* this application's */
    MARK_SIBLING, /* another application of this installation: ret_instance names it */
    MARK_FOREIGN, /* another installation's */
};
/* Whose is a live object with these two annotations? Cluster-scoped: namespace_ is empty. */
enum mark_owner mark_owner(const struct mark *mark, str tracking, str installation, struct gvk gvk,
                           str namespace_, str name, str *ret_instance);
