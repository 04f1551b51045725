/* SPDX-License-Identifier: Apache-2.0 */
/* One binary in several roles: the roles first, else the command line. */
#include "cli/cli.h"
#include "cli/roles.h"

#ifdef __SANITIZE_ADDRESS__
/* Leaks are looked for in unit tests alone: here an ending process frees nothing on purpose, and
 * its roles run with an empty environment. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "detect_leaks=0";
}
#endif

int main(int argc, char **argv)
{
    int code = 0;

    if (role_run(argc, argv, &code))
        return code;
    return cli_main(argc, argv);
}
