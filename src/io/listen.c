/* SPDX-License-Identifier: Apache-2.0 */
#include "io/listen.h"
#include "base/fd.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

union address {
    struct sockaddr any;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
};

bool listen_split(str address, str *ret_host, uint16_t *ret_port, struct err *err)
{
    size_t colon = str_rfind_char(address, ':');
    uint64_t port = 0;

    if (colon == SIZE_MAX || !str_to_u64(str_from_index(address, colon + 1), &port) ||
        port > UINT16_MAX)
        return err_set(err, ERR_INVALID, "'%.*s' is not ADDRESS:PORT", STR(address));
    str host = str_first(address, colon);
    if (str_starts(host, S("[")) && str_ends(host, S("]")))
        host = str_first(str_from_index(host, 1), host.len - 2);
    *ret_host = host;
    *ret_port = (uint16_t)port;
    return true;
}

bool listen_is_loopback(str host)
{
    return str_eq(host, S("localhost")) || str_eq(host, S("::1")) || str_starts(host, S("127."));
}

static bool parse(str text, union address *ret, socklen_t *ret_len, struct err *err)
{
    str host;
    uint16_t port;
    char host_z[INET6_ADDRSTRLEN];

    if (!listen_split(text, &host, &port, err))
        return false;
    if (str_eq(host, S("localhost")))
        host = S("127.0.0.1");
    if (host.len == 0)
        host = S("::");
    snprintf(host_z, sizeof(host_z), "%.*s", STR(host));
    *ret = (union address){0};
    if (host.len < sizeof(host_z) && inet_pton(AF_INET, host_z, &ret->in.sin_addr) == 1) {
        ret->in.sin_family = AF_INET;
        ret->in.sin_port = htons(port);
        *ret_len = sizeof(ret->in);
        return true;
    }
    if (host.len < sizeof(host_z) && inet_pton(AF_INET6, host_z, &ret->in6.sin6_addr) == 1) {
        ret->in6.sin6_family = AF_INET6;
        ret->in6.sin6_port = htons(port);
        *ret_len = sizeof(ret->in6);
        return true;
    }
    return err_set(err, ERR_INVALID, "'%.*s' is no IP address to listen on", STR(host));
}

static bool fail(str text, struct err *err)
{
    enum err_code code = errno == EADDRINUSE ? ERR_EXISTS
                         : errno == EACCES   ? ERR_FORBIDDEN
                                             : ERR_IO;
    return err_set(err, code, "cannot listen on %.*s: %s", STR(text), strerror(errno));
}

bool listen_open(str text, int *ret_fd, uint16_t *ret_port, struct err *err)
{
    union address address;
    socklen_t len = 0;
    int on = 1;
    int off = 0;

    if (!parse(text, &address, &len, err))
        return false;
    auto_fd int fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return fail(text, err);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (address.any.sa_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
    if (bind(fd, &address.any, len) < 0 || listen(fd, 512) < 0 ||
        getsockname(fd, &address.any, &len) < 0)
        return fail(text, err);

    *ret_port =
            ntohs(address.any.sa_family == AF_INET6 ? address.in6.sin6_port : address.in.sin_port);
    *ret_fd = fd_take(&fd);
    return true;
}

str listen_url(struct arena *arena, str address, uint16_t port)
{
    str host;
    uint16_t asked = 0;

    if (!listen_split(address, &host, &asked, NULL) || host.len == 0 ||
        str_eq(host, S("0.0.0.0")) || str_eq(host, S("::")))
        host = S("127.0.0.1");
    bool bracket = str_find_char(host, ':') != SIZE_MAX;
    return arena_printf(arena, "https://%s%.*s%s:%u", bracket ? "[" : "", STR(host),
                        bracket ? "]" : "", port);
}
