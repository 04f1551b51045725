/* SPDX-License-Identifier: Apache-2.0 */
#include "web/repo.h"

void web_repo_test(struct web_call *call)
{
    web_fail(call, ERR_UNAVAILABLE, "not yet");
}

void web_repo_refs(struct web_call *call)
{
    web_fail(call, ERR_UNAVAILABLE, "not yet");
}
