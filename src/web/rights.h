/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What right a request to a Kubernetes path needs; private to web/. */
#include "apiserver/apiserver.h"
#include "web/call.h"

/* Verb, group, resource and so on of the request, as kube-apiserver derives them. Texts are
 * borrowed. */
bool web_is_watch(const struct http_request *request);
struct auth_question web_question_of(const struct http_request *request, str path);
/* A question of the embedded API server, put to auth_may; `owner` is the struct auth. */
bool web_apiserver_may(void *owner, const struct apiserver_question *question);
/* What it may write beyond rights; `owner` is the struct web. */
bool web_admit(void *owner, const struct apiserver_question *question, const struct val *object,
               const struct val *live, struct err *err);
/* And for its lists of rules. */
void web_apiserver_rules(void *owner, const struct apiserver_user *asker, str namespace_,
                         apiserver_rule_fn *fn, void *fn_owner);
