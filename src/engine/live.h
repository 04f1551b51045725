/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Live: what the engine keeps of one object of a cluster (ENGINE section 3): who it is, whose it
 * is, how it does, and the two hashes that verdicts are cached by. The body is read when needed.
 *
 * Owner:  one allocation with its texts; live_free.
 */
#include "base/buf.h"
#include "doc/hash.h"
#include "engine/health.h"
#include "engine/sync_options.h"

struct live {
    struct gvk gvk;
    str namespace_;
    str name;
    str uid;
    str resource_version;
    str label;        /* MARK_LABEL */
    str tracking;     /* MARK_TRACKING */
    str installation; /* MARK_INSTALLATION */
    str options;      /* argocd.argoproj.io/sync-options */
    str health_message;
    str images;             /* of its pod template, separated by spaces */
    str created;            /* metadata.creationTimestamp */
    str info;               /* info.h */
    str node;               /* of a Pod */
    struct hash spec_hash;  /* the spec view */
    struct hash owner_hash; /* managedFields without times and without status entries */
    enum health_status health;
    bool deleting;
    bool has_owner;         /* an ownerReference: made by another object, not from Git */
    bool ignore_extraneous; /* compare-options IgnoreExtraneous */
    bool ignore_health;
};

struct live *live_new(const struct val *object);
void live_free(struct live *live);
AUTO_DEFINE(live, live_free)
#define auto_live AUTO(live)

/* The spec view in itself: a copy without status and what only the server says. */
struct val *live_spec_view(struct arena *arena, const struct val *object);
struct hash live_spec_hash(const struct val *object);
struct hash live_owner_hash(const struct val *object);
/* Images of its pod template, separated by spaces; inits *out. */
void live_images(struct buf *out, const struct val *object);
/* Our Apply entry's fieldsV1, or NULL. */
const struct val *live_our_fields(const struct val *object);
#define FIELD_MANAGER S("taut")
