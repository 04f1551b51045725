/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ssh role: git's GIT_SSH. Git gives it ssh's arguments; it puts ours before them and becomes
 * ssh. No shell, no configuration of the machine or the user, no agent, no prompt: the one key and
 * the known hosts of the repository, strictly.
 *
 * The askpass role: what ssh asks for the passphrase of that key. It reads it from a descriptor of
 * the fetch process, and answers nothing else.
 */
#include "base/fd.h"
#include "git/transport.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum { ARGS_MAX = 64, ENV_MAX = 12 };

static const char *const always[] = {
        "-v", /* tells the host key's fingerprint when it is refused */
        "-F", "none",
        "-o", "NumberOfPasswordPrompts=1",
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
    const char *env[ENV_MAX + 1]; /* ends with NULL */
    size_t env_count;
    struct arena *arena;
};

static void add(struct command *c, const char *text)
{
    if (c->count + 1 < ARGS_MAX)
        c->args[c->count++] = text;
}

static void add_env(struct command *c, const char *name, const char *value)
{
    if (c->env_count < ENV_MAX)
        c->env[c->env_count++] = arena_printf(c->arena, "%s=%s", name, value).at;
}

static void add_option(struct command *c, const char *name, const char *value)
{
    if (value == NULL || value[0] == '\0')
        return;
    add(c, "-o");
    add(c, arena_printf(c->arena, "%s=%s", name, value).at);
}

/* In the environment stands where the passphrase is, not what. */
static void add_askpass(struct command *c, const char *passphrase)
{
    const char *program = getenv("GIT_SSH");

    if (passphrase == NULL || passphrase[0] == '\0' || program == NULL) {
        add_option(c, "BatchMode", "yes");
        return;
    }
    add_env(c, "TAUT_ROLE", "askpass");
    add_env(c, "TAUT_SSH_PASSPHRASE", passphrase);
    add_env(c, "SSH_ASKPASS", program);
    add_env(c, "SSH_ASKPASS_REQUIRE", "force");
    add_env(c, "DISPLAY", "none"); /* OpenSSH before 8.4 asks no program without one */
}

int transport_ssh_main(int argc, char **argv)
{
    struct command c = {.arena = arena_new(LIMIT_MIB)};
    const char *key = getenv("TAUT_SSH_KEY");
    const char *protocol = getenv("GIT_PROTOCOL");

    add_env(&c, "PATH", "/usr/bin:/bin");
    add_env(&c, "LC_ALL", "C");
    add_env(&c, "HOME", "/nonexistent");

    add(&c, "ssh");
    for (size_t i = 0; i < COUNT(always); i++)
        add(&c, always[i]);
    add_askpass(&c, getenv("TAUT_SSH_PASSPHRASE"));
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
        add_env(&c, "GIT_PROTOCOL", protocol);
    execve("/usr/bin/ssh", (char *const *)(uintptr_t)c.args, (char *const *)(uintptr_t)c.env);
    fprintf(stderr, "fatal: /usr/bin/ssh cannot be started: %s\n", strerror(errno));
    return 255;
}

int transport_askpass_main(int argc, char **argv)
{
    const char *path = getenv("TAUT_SSH_PASSPHRASE");
    char bytes[4096];
    auto_fd int fd = -1;

    if (argc != 2 || !str_starts(str_from(argv[1]), S("Enter passphrase for")) || path == NULL)
        return 1;
    fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t len = fd < 0 ? -1 : pread(fd, bytes, sizeof(bytes) - 1, 0);
    if (len < 0)
        return 1;
    bytes[len] = '\n';
    bool ok = write(STDOUT_FILENO, bytes, (size_t)len + 1) == len + 1;
    secret_wipe(bytes, sizeof(bytes));
    return ok ? 0 : 1;
}
