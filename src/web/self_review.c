/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "May I?" on a home that is a real cluster, which would answer for Taut's own credential. It is
 * asked about the caller instead, as everything is. Which rules somebody holds cannot be asked
 * about another.
 */
#include "web/self_review.h"
#include "doc/json.h"

#define PREFIX "/apis/authorization.k8s.io/v1/self"

struct self_state {
    struct val *review;
    struct auth_question question;
};

bool web_is_self_review(const struct http_request *request)
{
    return str_starts(request->path, S(PREFIX)) ||
           str_starts(request->path, S("/apis/authentication.k8s.io/v1/selfsubject"));
}

static void on_known(struct web_call *call)
{
    const struct self_state *state = call->state;
    struct val *status = val_ensure_map(call->arena, state->review, S("status"));

    val_set(call->arena, status, S("allowed"),
            val_bool(auth_may(call->web->options.auth, &call->user, &state->question)));
    web_reply_val(call, 201, state->review);
}

static struct auth_question question_of(const struct val *spec)
{
    const struct val *resource = val_get(spec, S("resourceAttributes"));
    const struct val *path = val_get(spec, S("nonResourceAttributes"));

    return (struct auth_question){
            .verb = val_get_str(resource != NULL ? resource : path, S("verb")),
            .group = val_get_str(resource, S("group")),
            .resource = val_get_str(resource, S("resource")),
            .subresource = val_get_str(resource, S("subresource")),
            .namespace_ = val_get_str(resource, S("namespace")),
            .name = val_get_str(resource, S("name")),
            .path = val_get_str(path, S("path")),
    };
}

static void answer_subject(struct web_call *call)
{
    struct val *review = val_new(call->arena, val_map());

    val_set_str(call->arena, review, S("apiVersion"), S("authentication.k8s.io/v1"));
    val_set_str(call->arena, review, S("kind"), S("SelfSubjectReview"));
    struct val *user = val_ensure_map(call->arena, val_ensure_map(call->arena, review, S("status")),
                                      S("userInfo"));
    val_set_str(call->arena, user, S("username"), call->user.name);
    struct val *groups = val_ensure_list(call->arena, user, S("groups"));
    for (size_t i = 0; i < call->user.group_count; i++)
        val_append(call->arena, groups, val_string(call->arena, call->user.groups[i]));
    web_reply_val(call, 201, review);
}

void web_self_review(struct web_call *call)
{
    struct self_state *state = arena_new0(call->arena, struct self_state);
    struct json_options options = {.file = S("body")};
    struct err err = {0};

    call->state = state;
    if (str_starts(call->request->path, S("/apis/authentication.k8s.io"))) {
        answer_subject(call);
    } else if (!str_eq(call->request->path, S(PREFIX "subjectaccessreviews"))) {
        web_fail(call, ERR_FORBIDDEN,
                 "the home cluster cannot be asked for the rules of user '%.*s'; ask for one right "
                 "(kubectl auth can-i VERB RESOURCE)",
                 STR(call->user.name));
    } else if (!json_parse(call->arena, call->request->body, &options, &state->review, &err)) {
        web_reply_err(call, &err);
    } else if (!val_is(val_get(state->review, S("spec")), VAL_MAP)) {
        web_fail(call, ERR_INVALID, "the review has no spec");
    } else {
        state->question = question_of(val_get(state->review, S("spec")));
        web_when_reviewed(call, &state->question, on_known);
    }
}
