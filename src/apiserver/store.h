/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Store: the objects of one instance as JSON texts in SQLite, and the resource version counter.
 *
 * Order:  every change takes the next resource version. Reads see the changes of the turn that is
 *         not committed yet; therefore answers wait for the commit (apiserver.c).
 * Owner:  rows handed to store_each_fn are borrowed for the callback; store_get copies into the
 *         arena. A callback may not read the store again.
 * Key:    resource is "group/plural" ("/configmaps" for the core group), whatever the version.
 */
#include "base/arena.h"
#include "io/sqlite.h"

struct store;

struct store_key {
    str resource;
    str namespace_; /* empty: cluster-scoped */
    str name;
};

struct store_row {
    struct store_key key;
    str uid;
    int64_t rv;
    str json;
};

enum store_answer { STORE_FOUND, STORE_ABSENT, STORE_FAILED };

/* `db` is borrowed. */
MUST_USE bool store_new(struct sqlite *db, struct store **ret_store, struct err *err);
void store_free(struct store *store);
AUTO_DEFINE(store, store_free)
#define auto_store AUTO(store)

int64_t store_rv(const struct store *store); /* the newest that was given away */
int64_t store_next_rv(struct store *store);

enum store_answer store_get(struct store *store, const struct store_key *key, struct arena *arena,
                            struct store_row *ret_row, struct err *err);
/* A write that fails breaks the transaction: store_commit will refuse and undo all of it.
 * Adds or replaces; `owners` are the uids of metadata.ownerReferences. */
MUST_USE bool store_put(struct store *store, const struct store_row *row, const str *owners,
                        size_t owner_count, struct err *err);
MUST_USE bool store_delete(struct store *store, const struct store_key *key, struct err *err);

typedef bool store_each_fn(void *owner, const struct store_row *row); /* false: stop */
struct store_range {
    str resource;
    str namespace_;      /* empty: all */
    str after_namespace; /* only what sorts behind this object; empty: from the start */
    str after_name;
};
/* In order of namespace and name. */
MUST_USE bool store_each(struct store *store, const struct store_range *range, store_each_fn *fn,
                         void *owner, struct err *err);
MUST_USE bool store_count(struct store *store, const struct store_range *range, int64_t *ret_count,
                          struct err *err);
/* Objects whose ownerReferences name the uid. */
MUST_USE bool store_each_dependent(struct store *store, str owner_uid, store_each_fn *fn,
                                   void *owner, struct err *err);
/* The resources ("group/plural") that hold an object of the namespace. */
typedef void store_resource_fn(void *owner, str resource);
MUST_USE bool store_each_resource(struct store *store, str namespace_, store_resource_fn *fn,
                                  void *owner, struct err *err);
enum store_answer store_find_uid(struct store *store, str uid, struct arena *arena,
                                 struct store_row *ret_row, struct err *err);

/* Writes of the transaction under way, and its bytes. */
size_t store_pending_writes(const struct store *store);
size_t store_pending_bytes(const struct store *store);
/* Ends the turn's transaction. On failure everything since the last commit is undone, the counter
 * included. */
MUST_USE bool store_commit(struct store *store, struct err *err);
