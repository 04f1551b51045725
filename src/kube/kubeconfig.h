/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Kubeconfig: what it takes to reach one cluster, wherever it was written down: a kubeconfig file,
 * the files of a Pod's service account, or an Argo CD cluster Secret.
 *
 * Owner:  kubeconfig_free; every text lives as long as it.
 * Bounds: LIMIT_KUBECONFIG_BYTES a file. Credential plug-ins (exec, auth-provider) would run
 *         programs that the file names; they are refused by name.
 */
#include "base/secret.h"
#include "schema/gvk.h"

struct kubeconfig {
    str name;   /* context or Secret, for messages */
    str server; /* URL */
    str ca_pem; /* empty = the system's authorities */
    str cert_pem;
    str username;
    str server_name; /* tls-server-name */
    str proxy_url;
    str namespace_; /* the context's default namespace, may be empty */
    str token_file; /* read again every minute: bound service account tokens expire */
    struct secret *key_pem;
    struct secret *bearer;
    struct secret *password;
    bool insecure;
    /* From a cluster Secret only. */
    bool has_namespaces; /* `namespaces` is set: nothing outside them may be watched */
    str namespaces;      /* comma-separated */
    bool cluster_resources;
    struct arena *arena;
};

/* `context` empty: current-context. Files that the text names are read relative to `dir`; an empty
 * `dir` refuses them (text that came over the network). */
MUST_USE bool kubeconfig_parse(str text, str origin, str dir, str context,
                               struct kubeconfig **ret_config, struct err *err);
MUST_USE bool kubeconfig_load(const char *path, str context, struct kubeconfig **ret_config,
                              struct err *err);
/* KUBERNETES_SERVICE_HOST and the files under `dir`; NULL = the Pod's usual place. */
MUST_USE bool kubeconfig_in_cluster(const char *dir, struct kubeconfig **ret_config,
                                    struct err *err);
bool kubeconfig_is_in_cluster(void);
/* An Argo CD cluster Secret: `name`, `server`, `config` (JSON), `namespaces`, `clusterResources`.
 */
MUST_USE bool kubeconfig_from_cluster_secret(const struct val *secret,
                                             struct kubeconfig **ret_config, struct err *err);
/* The `config` of such a Secret, into a map; for a channel that is safe and an arena that goes at
 * once. ERR_UNSUPPORTED: a token file. */
MUST_USE bool kubeconfig_cluster_config(const struct kubeconfig *from, struct arena *arena,
                                        struct val *config, struct err *err);
/* The token file as it stands now. */
MUST_USE bool kubeconfig_read_token(const struct kubeconfig *config, struct secret **ret_token,
                                    struct err *err);
void kubeconfig_free(struct kubeconfig *config);
AUTO_DEFINE(kubeconfig, kubeconfig_free)
#define auto_kubeconfig AUTO(kubeconfig)
