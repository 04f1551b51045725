/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Preview: what a sync or a deletion would do, for the wizard's Review, the Sync, Delete and Edit
 * dialogs and `taut app create --dry-run`. The body names an existing deployment, brings a whole
 * one that is not saved, or both: the existing one with another spec.
 */
#include "engine/engine.h"
#include "web/call.h"

static void on_preview(void *owner, const struct val *answer, const struct err *err)
{
    struct web_call *call = owner;

    call->preview = NULL;
    if (err != NULL)
        web_reply_err(call, err);
    else
        web_reply_val(call, 200, answer);
}

/* Nobody looks through another project's eyes: its repositories and locations are not theirs. */
static bool check_project(struct web_call *call, const struct val *application, struct err *err)
{
    str project = VAL_STR(application, "spec", "project");

    if (str_eq(project, call->params[0]) || val_get_bool(call->body, S("deletion"), false))
        return true;
    return err_set(err, ERR_FORBIDDEN,
                   "spec.project is '%.*s': a continuous deployment here belongs to '%.*s'",
                   STR(project), STR(call->params[0]));
}

static void start(struct web_call *call, struct val *application)
{
    struct engine_preview_request request = {
            .application = application,
            .sync = val_get(call->body, S("sync")),
            .deletion = val_get_bool(call->body, S("deletion"), false),
    };
    struct err err;

    if (val_get(call->body, S("spec")) != NULL)
        val_set(call->arena, application, S("spec"),
                val_dup_value(call->arena, val_get(call->body, S("spec"))));
    if (call->web->options.engine == NULL) {
        web_fail(call, ERR_UNAVAILABLE, "the server is still starting");
        return;
    }
    if (check_project(call, application, &err))
        call->preview = engine_preview(call->web->options.engine, &request, on_preview, call, &err);
    if (call->preview == NULL)
        web_reply_err(call, &err);
}

static void on_application(struct web_call *call, struct kube_response *response)
{
    if (response->ok)
        start(call, val_dup(call->arena, response->object));
    else
        web_reply_kube(call, response, "reading the continuous deployment");
}

void web_preview(struct web_call *call)
{
    str name = web_body_str(call, S("name"));
    const struct val *given = val_get(call->body, S("application"));
    struct err err;

    if (!str_is_empty(name)) {
        web_kube(call,
                 &(struct kube_request){.verb = KUBE_GET,
                                        .gvr = web_gvr_applications,
                                        .namespace_ = call->namespace_,
                                        .name = name},
                 on_application);
        return;
    }
    if (!val_is(given, VAL_MAP)) {
        web_fail(call, ERR_INVALID,
                 "the body must have 'name' of an existing continuous deployment, or a whole one "
                 "as 'application'");
        return;
    }
    if (!web_check_name(S("continuous deployment"), VAL_STR(given, "metadata", "name"), &err)) {
        web_reply_err(call, &err);
        return;
    }
    struct val *application = val_dup(call->arena, given);
    struct val *meta = val_ensure_map(call->arena, application, S("metadata"));
    val_set_str(call->arena, meta, S("namespace"), call->namespace_);
    val_del(application, S("status"));
    start(call, application);
}
