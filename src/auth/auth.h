/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * auth: who is asking, and may they?
 *
 * Users:  a user is a Secret `user-NAME` in the system namespace of the home cluster with the label
 *         taut.dev/user=NAME: `passwordHash` (Argon2id), `groups` (comma list), `disabled`, and one
 *         key `token.<NAME>` a token, its SHA-256 in hex. Tokens are 256 random bits, so that a
 *         plain hash is enough; no token and no password is ever stored.
 * Live:   a reflector keeps them in memory: what is changed by kubectl counts at once.
 * Rights: auth_may is the one decision point, for console, CLI and kubectl; no route can be
 *         registered without naming what it asks. Roles and bindings of the home decide (rbac.h);
 *         the group system:masters may everything.
 */
#include "auth/password.h"
#include "base/secret.h"
#include "doc/hash.h"
#include "kube/kube.h"

#define AUTH_SYSTEM_NAMESPACE "taut-system"
#define AUTH_ADMIN_GROUP "system:masters"
#define AUTH_PASSWORD_MIN 8

struct auth;

/* Roles on the platform, each a ClusterRoleBinding of that name; and in a DevOps Project, each a
 * ClusterRole `taut:…` that RoleBindings of its namespace name. */
enum auth_platform_role {
    AUTH_PLATFORM_REGULAR, /* nothing of its own; also who stands in no binding */
    AUTH_PLATFORM_SELF_PROVISIONER,
    AUTH_PLATFORM_ADMIN,
    AUTH_PLATFORM_ROLES,
};
enum auth_project_role { AUTH_VIEWER, AUTH_OPERATOR, AUTH_ADMIN, AUTH_PROJECT_ROLES };

str auth_platform_role_name(enum auth_platform_role role); /* "platform-admin" */
MUST_USE bool auth_platform_role_parse(str name, enum auth_platform_role *ret_role);
str auth_project_role_name(enum auth_project_role role);   /* "viewer" */
str auth_project_role_object(enum auth_project_role role); /* "taut:viewer" */
MUST_USE bool auth_project_role_parse(str name, enum auth_project_role *ret_role);
/* A binding without subjects to a ClusterRole; no namespace: a ClusterRoleBinding. */
struct val *auth_binding(struct arena *arena, str namespace_, str name, str role);
struct val *auth_platform_binding(struct arena *arena, enum auth_platform_role role);

struct auth_user {
    str name;
    const str *groups;
    size_t group_count;
};

/* As in Kubernetes' SubjectAccessReview; empty texts where there is nothing to say. */
struct auth_question {
    str verb;
    str group;
    str resource;
    str subresource;
    str namespace_;
    str name;
    str path; /* of requests that are about no resource */
};

/* Borrows loop and home; free it before them. */
struct auth *auth_new(struct loop *loop, struct kube *home);
void auth_free(struct auth *auth); /* NULL is fine */
AUTO_DEFINE(auth, auth_free)
#define auto_auth AUTO(auth)

/* What the first start made, to be shown once; both NULL at later starts. Borrowed. */
struct auth_first {
    const struct secret *password;
};
typedef void auth_started_fn(void *owner, const struct auth_first *first, const struct err *err);
/* Makes the system namespace and the admin account when they are missing, then loads the users. */
void auth_start(struct auth *auth, auth_started_fn *done, void *owner);

/* The user of a token; texts live until the loop's next turn. ERR_UNAUTHORIZED: unknown. */
MUST_USE bool auth_check_token(const struct auth *auth, str token, struct auth_user *ret_user,
                               struct err *err);
/* Where the home is a real cluster, its answer to auth_review when that is fresh, and else what the
 * roles and bindings say, which may lack what other authorisers of that cluster add. */
bool auth_may(const struct auth *auth, const struct auth_user *user,
              const struct auth_question *question);

/* From now on the home is asked by SubjectAccessReview. */
void auth_use_reviews(struct auth *auth);
/* Whether auth_may has the home's own answer; if not, ask auth_review first. */
bool auth_knows(const struct auth *auth, const struct auth_user *user,
                const struct auth_question *question);
/* `done` runs once in a later turn; without an err, auth_may then knows for some seconds. */
struct auth_review;
typedef void auth_review_fn(void *owner, const struct err *err);
struct auth_review *auth_review(struct auth *auth, const struct auth_user *user,
                                const struct auth_question *question, auth_review_fn *done,
                                void *owner);
void auth_review_cancel(struct auth_review *review); /* NULL is fine */

/* Each rule (as of a Role) that the user holds cluster-wide and in the namespace, "" = none;
 * borrowed during the call. */
typedef void auth_rule_fn(void *owner, const struct val *rule);
void auth_rules_each(const struct auth *auth, const struct auth_user *user, str namespace_,
                     auth_rule_fn *fn, void *owner);

/* What a request came in with, for whoever keeps an answer open (a stream, a watch): a token or a
 * session may end while the answer goes on. */
struct auth_ticket {
    struct hash hash;
    bool is_session;
};
struct auth_ticket auth_ticket_of(str text, bool is_session);
/* The user as he is now; false: the session or token has ended, or he is disabled. */
bool auth_ticket_holds(const struct auth *auth, const struct auth_ticket *ticket,
                       struct auth_user *ret_user);

/* Runs, once a turn, after anything changed that may change who may what: a user, a session, a
 * token, a role, a binding. Ask auth_ticket_holds and auth_may again then. */
struct auth_listener;
typedef void auth_changed_fn(void *owner);
struct auth_listener *auth_listen(struct auth *auth, auth_changed_fn *changed, void *owner);
void auth_unlisten(struct auth_listener *listener); /* NULL is fine */
/* Grows with each such change: what was computed under an older one is asked again. */
uint64_t auth_generation(const struct auth *auth);

/* A subject that a project role is bound to. */
struct auth_member {
    str namespace_;
    str binding; /* the RoleBinding's name */
    str kind;    /* User, Group, ServiceAccount */
    str name;
    enum auth_project_role role;
};
typedef void auth_member_fn(void *owner, const struct auth_member *member);
/* Of one namespace, or with an empty one of all. */
void auth_each_member(const struct auth *auth, str namespace_, auth_member_fn *fn, void *owner);

/* Whether the user belongs to the DevOps Project of that namespace (or may everything). */
bool auth_is_member(const struct auth *auth, const struct auth_user *user, str namespace_);

/* Makes a token for the user and stores its hash under `label`, in place of an earlier one of that
 * label. `token` is borrowed and told this once. */
typedef void auth_token_fn(void *owner, const struct secret *token, const struct err *err);
void auth_make_token(struct auth *auth, str user, str label, auth_token_fn *done, void *owner);

/* Makes the user or gives it this password; `groups` is a comma list. Hashing takes tens of
 * milliseconds on the loop: for the start of a server, not for requests. */
typedef void auth_user_fn(void *owner, const struct err *err);
void auth_put_user(struct auth *auth, str name, str groups, const struct secret *password,
                   auth_user_fn *done, void *owner);
struct secret *auth_new_password(void); /* 20 random characters, for people */
struct secret *auth_new_token(void);    /* 256 random bits as text */
/* The rule for passwords that people choose. */
MUST_USE bool auth_check_password(str user, str password, struct err *err);
/* The Argon2id hash in libsodium's text form. Takes tens of milliseconds and 64 MiB. */
str auth_hash_password(struct arena *arena, const struct secret *password);
/* A user's Secret as it is stored. */
struct val *auth_user_secret(struct arena *arena, str name, str groups, str password_hash);

/* ---- sessions of people in browsers: session.c ---- */

/* Ends after 7 days, or 12 hours unused (counted anew after a restart of the server). */
#define AUTH_SESSION_DAYS 7
#define AUTH_SESSION_IDLE_HOURS 12

struct auth_login;
/* `id` is the secret that the browser keeps, borrowed. ERR_UNAUTHORIZED: wrong name or password. */
typedef void auth_login_fn(void *owner, const struct secret *id, const struct err *err);
/* Checks name and password and makes a session; only its hash is stored, in the user's Secret.
 * Wrong passwords slow the next tries for that name, and many of them those from that address
 * (`peer`), down, and never lock either. */
struct auth_login *auth_log_in(struct auth *auth, str name, str password, str peer,
                               auth_login_fn *done, void *owner);
/* Only checks: `done` gets no id. As slow after wrong ones. */
struct auth_login *auth_check_user_password(struct auth *auth, str name, str password, str peer,
                                            auth_login_fn *done, void *owner);
/* The hash of a new password, made in a process of its own; password.h. */
struct password_check *auth_hash_later(struct auth *auth, str password, password_hashed_fn *done,
                                       void *owner);
void auth_login_cancel(struct auth_login *login); /* done does not run; NULL is fine */
/* The user of a session; texts live until the loop's next turn. */
MUST_USE bool auth_check_session(struct auth *auth, str id, struct auth_user *ret_user,
                                 struct err *err);
void auth_log_out(struct auth *auth, str id);
