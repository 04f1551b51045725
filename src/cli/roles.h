/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Roles: what this binary becomes when it starts itself (DESIGN section 4). A role is chosen by the
 * environment variable TAUT_ROLE, because git starts its GIT_SSH with arguments of its own. Roles
 * are dispatched before anything else: no flag parsing, no configuration, no log set-up.
 *
 * Add a role: its main function in the layer that starts it, a row in roles.c.
 */
#include "base/macros.h"

struct role {
    const char *name;
    int (*main)(int argc, char **argv);
};

/* Runs the role named by the environment; false when there is none. An unknown role ends the
 * process with a message, for it must not become a command line. */
bool role_run(int argc, char **argv, int *ret_exit);
