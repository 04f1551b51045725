/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The embedded API server: enough of the Kubernetes API that kubectl, client-go and Argo CD's own
 * manifests work against it unchanged. One instance is the default home, another the sandbox.
 *
 * State:  one SQLite file an instance. All writes of one turn of the loop are one transaction, and
 *         nothing of a turn (no reply, no watch event, no `done`) leaves before its COMMIT.
 * Faces:  apiserver/embedded.h is a struct kube in this process, apiserver/http.h serves parsed
 *         HTTP requests. Both end in the same functions.
 * Runs:   in control, on the loop. Input is hostile: bodies are bounded by LIMIT_REQUEST_BYTES.
 */
#include "doc/val.h"
#include "io/loop.h"
#include "io/sqlite.h"

struct apiserver;

/* Which built-in kinds an instance serves. */
enum apiserver_kinds {
    APISERVER_HOME,    /* namespaces, configuration, RBAC, leases, events, CRDs: nothing that needs
                          controllers to be of use */
    APISERVER_SANDBOX, /* all of them; src/sandbox/ brings the controllers to life */
};

struct apiserver_user {
    str name;
    const str *groups;
    size_t group_count;
};

/* Who may do what. `verb` is Kubernetes' word; empty texts where there is nothing to say. */
struct apiserver_question {
    struct apiserver_user user;
    str verb;
    str group;
    str version;
    str resource;
    str subresource;
    str namespace_;
    str name;
    str path; /* of requests that are about no resource */
};
typedef bool apiserver_may_fn(void *owner, const struct apiserver_question *question);

/* Tells every rule (as of a Role) that a user holds in the namespace, "" = cluster-wide only;
 * borrowed during the call. */
typedef void apiserver_rule_fn(void *owner, const struct val *rule);
typedef void apiserver_rules_fn(void *owner, const struct apiserver_user *user, str namespace_,
                                apiserver_rule_fn *fn, void *fn_owner);

/* Whether an object may be as it is to be written; `live` NULL = it is new. A refusal is one
 * sentence in `err`. system:masters is not asked about. */
typedef bool apiserver_admit_fn(void *owner, const struct apiserver_question *question,
                                const struct val *object, const struct val *live, struct err *err);

struct apiserver_options {
    const char *name; /* for messages: "home", "sandbox" */
    const char *path; /* the database file */
    enum sqlite_sync sync;
    enum apiserver_kinds kinds;
    apiserver_may_fn *may; /* NULL: whoever reaches this server may do everything */
    void *may_owner;
};

MUST_USE bool apiserver_new(struct loop *loop, const struct apiserver_options *options,
                            struct apiserver **ret_server, struct err *err);
/* Endpoints from apiserver_kube and HTTP requests in flight must be gone before. */
void apiserver_free(struct apiserver *server);
AUTO_DEFINE(apiserver, apiserver_free)
#define auto_apiserver AUTO(apiserver)

const char *apiserver_name(const struct apiserver *server);
void apiserver_set_may(struct apiserver *server, apiserver_may_fn *may, void *owner);
/* Without it roles and bindings may grant anything, and nobody's rules can be listed. */
void apiserver_set_rules(struct apiserver *server, apiserver_rules_fn *rules, void *owner);
void apiserver_set_admit(struct apiserver *server, apiserver_admit_fn *admit, void *owner);
/* The last COMMIT's time in microseconds, for `taut status` and metrics. */
int64_t apiserver_commit_us(const struct apiserver *server);
