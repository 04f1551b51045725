/* SPDX-License-Identifier: Apache-2.0 */
/* DIR/admin.kubeconfig: contexts `home` and, with a sandbox, `sandbox`; mode 0600. */
#include "base/buf.h"
#include "base/mem.h"
#include "cli/paths.h"
#include "cli/server.h"
#include "doc/hash.h"
#include <fcntl.h>
#include <unistd.h>

static void add_cluster(struct buf *out, const char *name, str url, const char *path, str ca)
{
    buf_addf(out, "- name: taut-%s\n  cluster:\n    server: %.*s%s\n", name, STR(url), path);
    if (ca.len > 0)
        buf_addf(out, "    certificate-authority-data: %.*s\n", STR(ca));
}

bool kubeconfig_file_write(const struct server *server, str token, struct err *err)
{
    auto_arena struct arena *arena = arena_new(LIMIT_MIB);
    auto_buf struct buf out;
    str url = server_url(server, arena);
    bool sandbox = server->sandbox_server != NULL;
    /* With a certificate of one's own, the machine's authorities vouch for it. */
    str ca = server->options.tls_cert.len > 0 ? STR_EMPTY
                                              : base64_encode(arena, str_from(server->pki.ca_pem));

    buf_init(&out, LIMIT_MIB);
    buf_add(&out, S("apiVersion: v1\nkind: Config\nclusters:\n"));
    add_cluster(&out, "home", url, "", ca);
    if (sandbox)
        add_cluster(&out, "sandbox", url, "/clusters/sandbox", ca);
    buf_addf(&out, "users:\n- name: taut-admin\n  user:\n    token: %.*s\n", STR(token));
    buf_add(&out, S("contexts:\n- name: home\n  context:\n    cluster: taut-home\n"
                    "    user: taut-admin\n"));
    if (sandbox)
        buf_add(&out, S("- name: sandbox\n  context:\n    cluster: taut-sandbox\n"
                        "    user: taut-admin\n"));
    buf_add(&out, S("current-context: home\n"));
    bool ok = path_write_file(server_kubeconfig_path(server), buf_str(&out), 0600, err);
    secret_wipe(out.at, out.len);
    return ok;
}

struct secret *kubeconfig_file_token(const struct server *server)
{
    char *path = mem_dup_z(server_kubeconfig_path(server));
    char text[16384];
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
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
    mem_free(path);
    return token;
}
