/* SPDX-License-Identifier: Apache-2.0 */
#include "web/repo_state.h"
#include "base/clock.h"
#include "base/map.h"
#include "base/mem.h"

struct repo_state_kept {
    bool ok;
    int64_t wall_ms;
    str message;
};

static void kept_free(struct repo_state_kept *kept)
{
    if (kept == NULL)
        return;
    str_own_free(&kept->message);
    mem_free(kept);
}

void web_repo_states_free(struct web *web)
{
    struct map_iter it;

    if (web->repo_states == NULL)
        return;
    it = map_iter(web->repo_states);
    while (map_next(&it))
        kept_free(it.value);
    map_free(web->repo_states);
    web->repo_states = NULL;
}

static str key_of(struct web_call *call, str name)
{
    return arena_printf(call->arena, "%.*s/%.*s", STR(call->namespace_), STR(name));
}

void web_repo_state_drop(struct web_call *call, str name)
{
    if (call->web->repo_states != NULL)
        kept_free(map_del(call->web->repo_states, key_of(call, name)));
}

void web_repo_state_put(struct web_call *call, str name, const struct err *err)
{
    struct repo_state_kept *kept = new0(struct repo_state_kept);

    web_repo_state_drop(call, name);
    if (call->web->repo_states != NULL && map_count(call->web->repo_states) >= LIMIT_REPO_STATES)
        web_repo_states_free(call->web);
    if (call->web->repo_states == NULL)
        call->web->repo_states = map_new();
    kept->ok = err == NULL;
    kept->wall_ms = clock_wall_ms();
    kept->message = str_own(err == NULL ? STR_EMPTY : err_message(err));
    map_set(call->web->repo_states, key_of(call, name), kept);
}

void web_repo_state_add(struct web_call *call, struct val *row, str name)
{
    struct arena *arena = call->arena;
    const struct repo_state_kept *kept =
            call->web->repo_states == NULL ? NULL
                                           : map_get(call->web->repo_states, key_of(call, name));
    char time[CLOCK_RFC3339_SIZE];

    if (kept == NULL)
        return;
    struct val *connection = val_ensure_map(arena, row, S("connection"));
    clock_format(kept->wall_ms, time);
    val_set_str(arena, connection, S("state"), kept->ok ? S("ok") : S("failed"));
    if (kept->message.len > 0)
        val_set_str(arena, connection, S("message"), arena_str(arena, kept->message));
    val_set_str(arena, connection, S("checkedAt"), arena_str(arena, str_from(time)));
}
