/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/roles.h"
#include "auth/password.h"
#include "base/str.h"
#include "git/transport.h"
#include "render/render.h"

static const struct role roles[] = {
        {"fetch", transport_fetch_main},     {"ssh", transport_ssh_main},
        {"askpass", transport_askpass_main}, {"hash", password_role},
        {"render", render_zygote_main},
};

bool role_run(int argc, char **argv, int *ret_exit)
{
    const char *name = getenv("TAUT_ROLE");

    if (name == NULL || name[0] == '\0')
        return false;
    for (size_t i = 0; i < COUNT(roles); i++) {
        if (str_eq(str_from(name), str_from(roles[i].name))) {
            *ret_exit = roles[i].main(argc, argv);
            return true;
        }
    }
    fprintf(stderr, "taut: TAUT_ROLE names the unknown role '%s'\n", name);
    *ret_exit = 2;
    return true;
}
