/* SPDX-License-Identifier: Apache-2.0 */
/* Requests to the embedded API server: the input is a list of them, with NULs between, each a
 * verb's digit (enum kube_verb), a path, a newline and a JSON body. Whatever comes: each has an
 * answer, a refusal is a Status with the same code, and what was stored can be listed. */
#include "fuzz.h"

#include "apiserver/turn.h"
#include "apiserver/url.h"
#include "doc/json.h"

#include <assert.h>

#define REQUESTS_MAX 8

static void check_answer(const struct api *api)
{
    assert(api->status >= 200 && api->status < 600);
    assert(api->object != NULL || api->text.len > 0);
    if (api->status >= 400 && api->object != NULL) {
        assert(val_i64_or(val_get(api->object, S("code")), 0) == api->status);
        assert(val_get_str(api->object, S("status")).len > 0);
    }
}

static void serve(struct apiserver *server, str text)
{
    auto_arena struct arena *arena = arena_new(64 * LIMIT_MIB);
    struct api api = api_internal(server, arena);
    str line = text, body = STR_EMPTY;
    size_t end = str_find_char(text, '\n');
    struct val *value = NULL;
    struct err err = {0};

    if (end != SIZE_MAX) {
        line = str_first(text, end);
        body = str_from_index(text, end + 1);
    }
    if (line.len < 2 || line.at[0] < '0' || line.at[0] > '9')
        return;
    str path = str_from_index(line, 1);
    if (!url_path(path, &api.q)) {
        api.q.verb = KUBE_RAW_GET;
        api.q.path = path;
    } else {
        api.q.verb = (enum kube_verb)(line.at[0] - '0');
    }
    if (json_parse(arena, body, NULL, &value, NULL))
        api.q.body = value;
    api.q.field_manager = S("fuzz");
    api.q.force = api.q.verb == KUBE_APPLY;
    api_serve(&api);
    check_answer(&api);
    assert(turn_commit_now(server->turn, &err));
}

void fuzz_one(str input)
{
    struct apiserver_options options = {
            .name = "fuzz", .path = ":memory:", .kinds = APISERVER_SANDBOX};
    auto_loop struct loop *loop = loop_new();
    auto_apiserver struct apiserver *server = NULL;
    str rest = input, text;
    struct err err = {0};

    assert(apiserver_new(loop, &options, &server, &err));
    for (int i = 0; i < REQUESTS_MAX && str_split(&rest, '\0', &text); i++)
        serve(server, text);
    serve(server, S("1/api/v1/configmaps"));
    serve(server, S("1/apis/apps/v1/deployments"));
    bool never = false;
    loop_run_until(loop, &never, 0); /* the collector's turn */
}
