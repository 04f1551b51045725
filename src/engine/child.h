/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Child: a ReplicaSet, Pod or Job that another object made, or a Warning about any object, each
 * reduced to what a tree and a cause line need (ENGINE section 3).
 *
 * Owner:  one allocation with its texts.
 */
#include "engine/health.h"

enum child_kind { CHILD_REPLICA_SET, CHILD_JOB, CHILD_POD };
#define CHILD_KINDS 3

struct child {
    enum child_kind kind;
    str namespace_;
    str name;
    str uid;
    str owner;    /* uid of its controller; empty: a Pod that is one of the application's objects */
    str created;  /* RFC 3339 */
    str reason;   /* of a Pod: as kubectl's STATUS ("CrashLoopBackOff"); of a Job: of its failure */
    str message;  /* of its health */
    str trouble;  /* of a Pod: what keeps it from being ready, for people ("web: image cannot be
                     pulled"), or empty */
    str info;     /* info.h: "1/2" */
    str images;   /* separated by spaces */
    str node;     /* of a Pod */
    str revision; /* of a Deployment's ReplicaSet */
    int64_t restarts;
    enum health_status health;
    bool deleting;
    bool ended; /* a Pod that will not run again */
};

/* NULL: nobody's child, and not an object of ours either. */
struct child *child_new(enum child_kind kind, const struct val *object);
void child_free(struct child *child);
struct gvk child_gvk(enum child_kind kind);
struct gvr child_gvr(enum child_kind kind);

struct warning {
    str about; /* uid of the object */
    str reason;
    str message;
    str last; /* RFC 3339: the newest of several wins */
};
struct warning *warning_new(const struct val *event); /* NULL: it says nothing about an object */
void warning_free(struct warning *warning);
/* "volume cannot be mounted: …" */
str warning_words(const struct warning *warning, struct arena *arena);
