/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Credential: what a repository Secret and a credential Secret say about reaching Git, gathered for
 * one source_repo_get. Values live in `struct secret`s and go with it.
 */
#include "source/source.h"

struct credential;

struct credential *credential_new(void);
void credential_free(struct credential *credential); /* NULL is fine */
/* Argo CD's inline fields of a repository Secret. */
MUST_USE bool credential_add_repository(struct credential *credential, const struct val *secret,
                                        struct err *err);
/* A Secret of KubeSphere's or Kubernetes' credential types. */
MUST_USE bool credential_add_secret(struct credential *credential, const struct val *secret,
                                    struct err *err);
/* Fills what was gathered; texts and secrets are borrowed. The host decides who a token is. */
void credential_fill(const struct credential *credential, str url, struct source_credential *ret);
/* The host part of a URL (also git@host:path). */
str credential_host(str url);
