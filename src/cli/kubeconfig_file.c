/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/kubeconfig_file.h"
#include "base/buf.h"
#include "base/mem.h"
#include "cli/paths.h"
#include "doc/hash.h"
#include <fcntl.h>
#include <unistd.h>

bool kubeconfig_file_write(const struct kubeconfig_file *file, struct err *err)
{
    auto_arena struct arena *arena = arena_new(LIMIT_MIB);
    auto_buf struct buf out = {0};
    str ca = file->ca_pem.len > 0 ? base64_encode(arena, file->ca_pem) : STR_EMPTY;

    buf_init(&out, LIMIT_MIB);
    buf_add(&out, S("apiVersion: v1\nkind: Config\nclusters:\n"));
    for (size_t i = 0; i < file->context_count; i++) {
        buf_addf(&out, "- name: taut-%s\n  cluster:\n    server: %.*s\n", file->contexts[i].name,
                 STR(file->contexts[i].server));
        if (ca.len > 0)
            buf_addf(&out, "    certificate-authority-data: %.*s\n", STR(ca));
    }
    buf_addf(&out, "users:\n- name: taut-admin\n  user:\n    token: %.*s\ncontexts:\n",
             STR(file->token));
    for (size_t i = 0; i < file->context_count; i++)
        buf_addf(&out, "- name: %s\n  context:\n    cluster: taut-%s\n    user: taut-admin\n",
                 file->contexts[i].name, file->contexts[i].name);
    buf_addf(&out, "current-context: %s\n", file->contexts[0].name);
    bool ok = path_write_file(file->path, buf_str(&out), 0600, err);
    secret_wipe(out.at, out.len);
    return ok;
}

struct secret *kubeconfig_file_token(str path)
{
    char *path_z = mem_dup_z(path);
    char text[16384];
    int fd = open(path_z, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    ssize_t len = fd < 0 ? -1 : read(fd, text, sizeof(text));
    struct secret *token = NULL;
    str rest = str_of(text, len > 0 ? (size_t)len : 0);
    str line;

    /* Our own file: the token stands on a line of its own. */
    while (token == NULL && str_split(&rest, '\n', &line)) {
        line = str_trim(line);
        if (str_skip(&line, S("token: ")))
            token = secret_new(line);
    }
    secret_wipe(text, sizeof(text));
    if (fd >= 0)
        close(fd);
    mem_free(path_z);
    return token;
}
