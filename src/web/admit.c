/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the rights alone do not say: a deployment belongs to the project of its DevOps Project, and
 * nobody but a platform admin gives it another one, by no YAML. On a home that is a real cluster
 * the engine refuses to deploy what is otherwise.
 */
#include "apiserver/apiserver.h"
#include "web/rights.h"

static bool is_admin(const struct web *web, const struct apiserver_user *asker)
{
    struct auth_user user = {asker->name, asker->groups, asker->group_count};
    struct auth_question everything = {.verb = S("*"), .group = S("*"), .resource = S("*")};

    return auth_may(web->options.auth, &user, &everything);
}

bool web_admit(void *owner, const struct apiserver_question *question, const struct val *object,
               const struct val *live, struct err *err)
{
    const struct web *web = owner;
    str project = VAL_STR(object, "spec", "project");
    str devops = str_eq(question->namespace_, web->options.control_namespace)
                         ? S("default")
                         : question->namespace_;

    if (!str_eq(question->group, S("argoproj.io")) ||
        !str_eq(question->resource, S("applications")) || question->subresource.len > 0)
        return true;
    if (str_eq(project, live == NULL ? devops : VAL_STR(live, "spec", "project")) ||
        is_admin(web, &question->user))
        return true;
    return err_set(err, ERR_FORBIDDEN,
                   "spec.project is '%.*s', but deployments of the DevOps Project '%.*s' are of "
                   "project '%.*s'; only a platform admin may change that",
                   STR(project), STR(devops), STR(devops));
}
