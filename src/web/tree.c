/* SPDX-License-Identifier: Apache-2.0 */
/* The tree of a deployment: what it manages and what that owns. */
#include "engine/engine.h"
#include "web/call.h"

void web_app_tree(struct web_call *call)
{
    struct engine *engine = web_engine(call);

    if (engine == NULL)
        return;
    struct val *tree = engine_app_tree(engine, call->namespace_, call->params[1], call->arena);
    if (tree == NULL)
        web_no_app(call);
    else
        web_reply_val(call, 200, tree);
}
