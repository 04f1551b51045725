/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Kubeconfig files that we write: one user with a token, some contexts; mode 0600. */
#include "base/arena.h"
#include "base/secret.h"

struct kubeconfig_context {
    const char *name;
    str server; /* URL */
};

struct kubeconfig_file {
    str path;
    str ca_pem; /* empty: the machine's authorities */
    str token;
    const struct kubeconfig_context *contexts; /* the first one is current */
    size_t context_count;
};

MUST_USE bool kubeconfig_file_write(const struct kubeconfig_file *file, struct err *err);
/* The token of a file written by us; NULL when there is none. */
struct secret *kubeconfig_file_token(str path);
