/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ssh role: git's GIT_SSH. Git gives it ssh's arguments; it puts ours before them and becomes
 * ssh. No shell, no configuration of the machine or the user, no agent, no prompt: the one key and
 * the known hosts of the repository, strictly.
 */
#include "git/transport.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

enum { ARGS_MAX = 64 };

static const char *const always[] = {
        "-v", /* tells the host key's fingerprint when it is refused */
        "-F", "none",
        "-o", "BatchMode=yes",
        "-o", "IdentitiesOnly=yes",
        "-o", "IdentityAgent=none",
        "-o", "StrictHostKeyChecking=yes",
        "-o", "GlobalKnownHostsFile=/dev/null",
        "-o", "UpdateHostKeys=no",
        "-o", "CheckHostIP=no",
        "-o", "ForwardAgent=no",
        "-o", "ForwardX11=no",
        "-o", "ClearAllForwardings=yes",
        "-o", "PermitLocalCommand=no",
        "-o", "ControlMaster=no",
        "-o", "ControlPath=none",
        "-o", "PasswordAuthentication=no",
        "-o", "KbdInteractiveAuthentication=no",
        "-o", "GSSAPIAuthentication=no",
        "-o", "HostbasedAuthentication=no",
        "-o", "ConnectTimeout=15",
        "-o", "ServerAliveInterval=15",
        "-o", "ServerAliveCountMax=2",
};

struct command {
    const char *args[ARGS_MAX];
    size_t count;
    struct arena *arena;
};

static void add(struct command *c, const char *text)
{
    if (c->count + 1 < ARGS_MAX)
        c->args[c->count++] = text;
}

static void add_option(struct command *c, const char *name, const char *value)
{
    if (value == NULL || value[0] == '\0')
        return;
    add(c, "-o");
    add(c, arena_printf(c->arena, "%s=%s", name, value).at);
}

int transport_ssh_main(int argc, char **argv)
{
    struct command c = {.arena = arena_new(LIMIT_MIB)};
    const char *key = getenv("TAUT_SSH_KEY");
    const char *protocol = getenv("GIT_PROTOCOL");
    const char *env[] = {"PATH=/usr/bin:/bin", "LC_ALL=C", "HOME=/nonexistent", NULL, NULL};

    add(&c, "ssh");
    for (size_t i = 0; i < COUNT(always); i++)
        add(&c, always[i]);
    add_option(&c, "UserKnownHostsFile", getenv("TAUT_SSH_HOSTS"));
    add_option(&c, "HostKeyAlias", getenv("TAUT_SSH_ALIAS"));
    add_option(&c, "Hostname", getenv("TAUT_SSH_ADDRESS"));
    if (key != NULL && key[0] != '\0') {
        add(&c, "-i");
        add(&c, key);
    } else {
        add_option(&c, "IdentityFile", "none");
    }
    for (int i = 1; i < argc; i++)
        add(&c, argv[i]);
    if (c.count + 1 >= ARGS_MAX) {
        fputs("fatal: too many arguments for ssh\n", stderr);
        return 255;
    }
    if (protocol != NULL)
        env[3] = arena_printf(c.arena, "GIT_PROTOCOL=%s", protocol).at;
    execve("/usr/bin/ssh", (char *const *)(uintptr_t)c.args, (char *const *)(uintptr_t)env);
    fprintf(stderr, "fatal: /usr/bin/ssh cannot be started: %s\n", strerror(errno));
    return 255;
}
