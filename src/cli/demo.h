/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The demo: `taut serve --demo` (PRODUCT section 5). A data folder of its own, the sandbox, a
 * sample Git repository, four deployments; what is there already is left alone. */
#include "cli/cli.h"
#include "cli/server.h"

int demo_run(struct cli *cli, struct server_options *options);
