/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"
#include "engine/engine_state.h"

/* Who hears that what memory knows of an application changed. */

void engine_listen(struct engine *engine, engine_listener_fn *fn, void *owner)
{
    struct engine_listener *listener = new0(struct engine_listener);

    *listener = (struct engine_listener){engine->listeners, fn, owner};
    engine->listeners = listener;
}

void engine_unlisten(struct engine *engine, void *owner)
{
    struct engine_listener **at = &engine->listeners;

    while (*at != NULL) {
        struct engine_listener *listener = *at;

        if (listener->owner != owner) {
            at = &listener->next;
            continue;
        }
        *at = listener->next;
        mem_free(listener);
    }
}

void engine_tell(const struct engine *engine, const struct app *app)
{
    struct engine_listener *listener = engine->listeners;

    while (listener != NULL) {
        struct engine_listener *next = listener->next;

        listener->fn(listener->owner, app->spec.namespace_, app->spec.name);
        listener = next;
    }
}
