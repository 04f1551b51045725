/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What auth.c and session.c share; private to auth/. */
#include "auth/auth.h"
#include "auth/password.h"
#include "auth/rbac.h"
#include "auth/users.h"
#include "base/map.h"
#include "kube/reflector.h"

struct auth {
    struct loop *loop;
    struct kube *home;
    struct reflector *users;
    struct rbac *rbac;
    size_t roles_done; /* of the start */
    struct kube_call *call;
    auth_started_fn *started;
    void *owner;
    struct secret *password; /* of the admin, between its making and the end of the start */
    /* session.c */
    struct password_pool *passwords;
    struct auth_login *logins;
    struct map *failures; /* user name → struct failure: wrong passwords of late */
    /* review.c */
    struct map *verdicts; /* NULL: the home's RBAC is evaluated here */
    struct auth_review *reviews;
    uint64_t generation;
    struct loop_task *change; /* tells the listeners */
    struct auth_listener *listeners;
    struct map *used; /* session hash in hex → when it was last used, monotonic, in a mem_new */
};

extern const struct gvr auth_gvr_secrets;
struct secret *auth_random_secret(void);
void auth_sessions_free(struct auth *auth);
void auth_reviews_free(struct auth *auth);
void auth_forget_reviews(struct auth *auth);
/* A fresh answer of the home's; false: there is none. */
bool auth_reviewed(const struct auth *auth, const struct auth_user *user,
                   const struct auth_question *question, bool *ret_allowed);
bool auth_is_master(const struct auth_user *user);
/* Something that decides has changed. */
void auth_note_change(void *auth);
void auth_tell_listeners(void *auth);
