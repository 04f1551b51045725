/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Client: the command line's way to the server: Kubernetes' API for objects, /taut/v1 for the rest,
 * one port, one kubeconfig. Calls block; a command has nothing else to do.
 */
#include "cli/cli.h"
#include "doc/val.h"
#include "kube/kube.h"

struct client;

/* By --kubeconfig and --context of the command. */
MUST_USE bool client_open(struct cli *cli, struct client **ret_client, struct err *err);
void client_free(struct client *client);
AUTO_DEFINE(client, client_free)
#define auto_client AUTO(client)

/* `path` begins with '/'. `body` may be NULL. The answer lives in `arena`; it is NULL when there is
 * none. A refusal is an error with the server's own sentence. */
MUST_USE bool client_call(struct client *client, struct arena *arena, const char *method, str path,
                          const struct val *body, struct val **ret_answer, struct err *err);
/* As client_call with PATCH and a merge patch. */
MUST_USE bool client_merge(struct client *client, struct arena *arena, str path,
                           const struct val *patch, struct val **ret_answer, struct err *err);
/* "…%2F…": one segment of a path or a query value. */
str client_escape(struct arena *arena, str text);
void client_sleep(struct client *client, int64_t ms);
/* The same server, for watches; the client's. */
MUST_USE bool client_kube(struct client *client, struct kube **ret_kube, struct err *err);
/* Runs watches until *done, or for so long. */
void client_run(struct client *client, const bool *done, int64_t ms);

/* /taut/v1/devops/{--devops}, and the namespace behind it. */
str client_devops_path(struct client *client, struct arena *arena, const char *format, ...)
        PRINTF_LIKE(3, 4);
MUST_USE bool client_devops_namespace(struct client *client, struct arena *arena,
                                      str *ret_namespace, struct err *err);
