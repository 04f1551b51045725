/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/roles.h"
#include "auth/password.h"
#include "base/str.h"

static const struct role roles[] = {
        {"hash", password_role}, {NULL, NULL}, /* fetch and ssh come with the Git transport */
};

bool role_run(int argc, char **argv, int *ret_exit)
{
    const char *name = getenv("TAUT_ROLE");

    if (name == NULL || name[0] == '\0')
        return false;
    for (size_t i = 0; i < COUNT(roles); i++) {
        if (roles[i].name != NULL && str_eq(str_from(name), str_from(roles[i].name))) {
            *ret_exit = roles[i].main(argc, argv);
            return true;
        }
    }
    fprintf(stderr, "taut: TAUT_ROLE names the unknown role '%s'\n", name);
    *ret_exit = 2;
    return true;
}
