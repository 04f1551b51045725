/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/paths.h"
#include "base/fd.h"
#include "base/mem.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

static str env(const char *name)
{
    return str_from(getenv(name));
}

str path_data_dir(struct arena *arena, bool demo)
{
    str base = env("TAUT_DATA");
    const char *suffix = demo ? "-demo" : "";

    if (base.len == 0 && env("XDG_DATA_HOME").len > 0)
        base = arena_join(arena, env("XDG_DATA_HOME"), S("/taut"));
    if (base.len == 0 && env("HOME").len > 0)
        base = arena_join(arena, env("HOME"), S("/.local/share/taut"));
    if (base.len == 0)
        base = S("/var/lib/taut");
    return arena_join(arena, base, str_from(suffix));
}

str path_kubeconfig(struct arena *arena)
{
    if (env("TAUT_KUBECONFIG").len > 0)
        return env("TAUT_KUBECONFIG");
    for (int demo = 0; demo < 2; demo++) {
        str path = arena_join(arena, path_data_dir(arena, demo != 0), S("/admin.kubeconfig"));
        if (access(arena_z(arena, path), R_OK) == 0)
            return path;
    }
    return STR_EMPTY;
}

bool path_make_dir(str dir, struct err *err)
{
    char *path = mem_dup_z(dir);
    bool ok = true;

    for (size_t i = 1; ok && i <= dir.len; i++) {
        if (path[i] != '/' && path[i] != '\0')
            continue;
        char kept = path[i];
        path[i] = '\0';
        ok = mkdir(path, 0700) == 0 || errno == EEXIST;
        path[i] = kept;
    }
    if (!ok)
        err_set(err, ERR_IO, "cannot make the folder '%s': %s", path, strerror(errno));
    mem_free(path);
    return ok;
}

bool path_write_file(str path, str bytes, unsigned mode, struct err *err)
{
    auto_arena struct arena *arena = arena_new(LIMIT_MIB);
    const char *target = arena_z(arena, path);
    const char *aside = arena_printf(arena, "%s.new", target).at;

    unlink(aside);
    auto_fd int fd = open(aside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
    if (fd < 0 || !fd_write_all(fd, bytes) || fsync(fd) < 0 || rename(aside, target) < 0)
        return err_set(err, ERR_IO, "cannot write '%s': %s", target, strerror(errno));
    return true;
}
