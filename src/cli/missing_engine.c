/* SPDX-License-Identifier: Apache-2.0 */
/* Linked only while src/engine/engine.c is not there: nothing is compared or synced. */
#include "base/log.h"
#include "base/mem.h"
#include "engine/engine.h"

struct engine {
    struct loop_task *task;
    engine_started_fn *done;
    void *owner;
};

static void on_started(void *owner)
{
    struct engine *engine = owner;
    log_warn("engine", "this build has no engine: nothing is synced");
    engine->done(engine->owner, NULL);
}
struct engine *engine_new(const struct engine_options *options)
{
    struct engine *engine = new0(struct engine);
    engine->task = loop_task_new(options->loop, "no engine", on_started, engine);
    return engine;
}
void engine_free(struct engine *engine)
{
    if (engine == NULL)
        return;
    loop_task_free(engine->task);
    mem_free(engine);
}
void engine_start(struct engine *engine, engine_started_fn *done, void *owner)
{
    engine->done = done;
    engine->owner = owner;
    loop_task_post(engine->task);
}
struct val *engine_app_facts(UNUSED const struct engine *engine, UNUSED str namespace_,
                             UNUSED str name, UNUSED struct arena *arena)
{
    return NULL;
}
bool engine_app_refresh(UNUSED struct engine *engine, UNUSED str namespace_, UNUSED str name,
                        UNUSED bool hard)
{
    return false;
}
size_t engine_app_count(UNUSED const struct engine *engine)
{
    return 0;
}
struct val *engine_clusters(UNUSED const struct engine *engine, struct arena *arena)
{
    return val_new(arena, val_list());
}
static struct engine_ask *refuse(engine_answer_fn *done, void *owner)
{
    struct err err = {0};
    err_set(&err, ERR_UNSUPPORTED, "not supported yet: this build has no engine");
    done(owner, NULL, &err);
    return NULL;
}
struct engine_ask *engine_app_diff(UNUSED struct engine *engine, UNUSED str namespace_,
                                   UNUSED str name, engine_answer_fn *done, void *owner)
{
    return refuse(done, owner);
}
struct engine_ask *engine_app_manifests(UNUSED struct engine *engine, UNUSED str namespace_,
                                        UNUSED str name, UNUSED str revision,
                                        engine_answer_fn *done, void *owner)
{
    return refuse(done, owner);
}
struct engine_ask *engine_cluster_check(UNUSED struct engine *engine, UNUSED str cluster,
                                        engine_answer_fn *done, void *owner)
{
    return refuse(done, owner);
}
void engine_ask_cancel(UNUSED struct engine_ask *ask)
{
}
