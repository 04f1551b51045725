/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs, in the order in which `taut --help` shows them. */
#include "cli/cli.h"

const struct cli_verb *const cli_verbs[] = {
        &cli_verb_serve,      &cli_verb_sandbox, &cli_verb_devops, &cli_verb_repo,
        &cli_verb_credential, &cli_verb_cluster, &cli_verb_app,    &cli_verb_apply,
        &cli_verb_render,     &cli_verb_service, &cli_verb_user,   &cli_verb_status,
        &cli_verb_kustomize,  &cli_verb_version, &cli_verb_help,
};
const size_t cli_verb_count = COUNT(cli_verbs);
