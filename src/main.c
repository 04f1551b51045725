/* SPDX-License-Identifier: Apache-2.0 */
/* One binary in several roles: the roles first, else the command line. */
#include "cli/cli.h"
#include "cli/roles.h"

int main(int argc, char **argv)
{
    int code = 0;

    if (role_run(argc, argv, &code))
        return code;
    return cli_main(argc, argv);
}
