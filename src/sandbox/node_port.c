/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/node_port.h"

#include "base/fd.h"
#include "base/mem.h"
#include "io/listen.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>

enum { CONNECTION_MS = 5000 };

struct connection {
    struct node_port *port;
    struct connection *next;
    int fd;
    struct loop_watch *watch;
    struct loop_timer *timer;
    char tail[4]; /* the last bytes read: does the head of the request end? */
    size_t read;
    struct buf answer;
    size_t sent;
};

struct node_port {
    struct loop *loop;
    uint16_t number;
    int fd;
    struct loop_watch *watch;
    node_port_fn *page;
    void *owner;
    struct connection *connections;
    size_t count;
};

static void connection_free(struct connection *c)
{
    struct connection **at = &c->port->connections;

    while (*at != c)
        at = &(*at)->next;
    *at = c->next;
    c->port->count--;
    loop_watch_free(c->watch);
    loop_timer_free(c->timer);
    fd_close(&c->fd);
    buf_done(&c->answer);
    mem_free(c);
}

static void timed_out(void *owner)
{
    connection_free(owner);
}

static void send_some(struct connection *c)
{
    while (c->sent < c->answer.len) {
        ssize_t n = send(c->fd, c->answer.at + c->sent, c->answer.len - c->sent, MSG_NOSIGNAL);
        if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
            loop_watch_set(c->watch, EPOLLOUT);
            return;
        }
        if (n <= 0)
            break;
        c->sent += (size_t)n;
    }
    shutdown(c->fd, SHUT_WR);
    connection_free(c);
}

static void answer(struct connection *c)
{
    auto_buf struct buf page = {0};

    buf_init(&page, 64 * LIMIT_KIB);
    if (!c->port->page(c->port->owner, &page)) {
        connection_free(c);
        return;
    }
    buf_addf(&c->answer,
             "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: %zu\r\n"
             "Cache-Control: no-store\r\nConnection: close\r\n\r\n",
             page.len);
    buf_add(&c->answer, buf_str(&page));
    send_some(c);
}

/* True once the empty line has come; what is behind it is nobody's concern. */
static bool take(struct connection *c, const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        memmove(c->tail, c->tail + 1, sizeof(c->tail) - 1);
        c->tail[sizeof(c->tail) - 1] = bytes[i];
        if (memcmp(c->tail, "\r\n\r\n", 4) == 0 || memcmp(c->tail + 2, "\n\n", 2) == 0)
            return true;
    }
    c->read += len;
    return false;
}

static void connection_ready(void *owner, UNUSED uint32_t events)
{
    struct connection *c = owner;
    char bytes[2048];

    if (c->answer.len > 0) {
        send_some(c);
        return;
    }
    ssize_t n = recv(c->fd, bytes, sizeof(bytes), 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0 || c->read > LIMIT_SANDBOX_REQUEST)
        connection_free(c);
    else if (take(c, bytes, (size_t)n))
        answer(c);
}

static void accept_ready(void *owner, UNUSED uint32_t events)
{
    struct node_port *port = owner;
    auto_buf struct buf page = {0};
    auto_fd int fd = accept4(port->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

    buf_init(&page, 64 * LIMIT_KIB);
    if (fd < 0 || port->count >= LIMIT_SANDBOX_CONNECTIONS || !port->page(port->owner, &page))
        return;
    struct connection *c = new0(struct connection);
    c->port = port;
    c->fd = fd_take(&fd);
    c->next = port->connections;
    port->connections = c;
    port->count++;
    buf_init(&c->answer, 128 * LIMIT_KIB);
    c->watch = loop_watch_new(port->loop, "node port", c->fd, EPOLLIN, connection_ready, c);
    c->timer = loop_timer_new(port->loop, "node port", timed_out, c);
    loop_timer_start(c->timer, CONNECTION_MS);
}

bool node_port_new(struct loop *loop, uint16_t number, node_port_fn *page, void *owner,
                   struct node_port **ret_port, struct err *err)
{
    auto_arena struct arena *arena = arena_new(LIMIT_MIB);
    auto_fd int fd = -1;
    uint16_t bound = 0;

    if (!listen_open(arena_printf(arena, "127.0.0.1:%u", number), &fd, &bound, err))
        return false;
    struct node_port *port = new0(struct node_port);
    port->loop = loop;
    port->number = bound;
    port->fd = fd_take(&fd);
    port->page = page;
    port->owner = owner;
    port->watch = loop_watch_new(loop, "node port", port->fd, EPOLLIN, accept_ready, port);
    *ret_port = port;
    return true;
}

void node_port_free(struct node_port *port)
{
    if (port == NULL)
        return;
    while (port->connections != NULL)
        connection_free(port->connections);
    loop_watch_free(port->watch);
    fd_close(&port->fd);
    mem_free(port);
}

uint16_t node_port_number(const struct node_port *port)
{
    return port->number;
}
