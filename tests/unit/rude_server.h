/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A server of raw bytes in a thread: the path of a request says how it misbehaves. One thread a
 * connection, HTTP/1.1. */
#include "test.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>

struct server {
    int listener;
    int port;
    pthread_t thread;
    atomic_int requests;
    atomic_int broken; /* connections that /break-twice still has to cut */
};

static void say(int fd, const char *text)
{
    size_t len = strlen(text);

    while (len > 0) {
        ssize_t wrote = send(fd, text, len, MSG_NOSIGNAL);

        if (wrote <= 0)
            return;
        text += wrote;
        len -= (size_t)wrote;
    }
}

static void answer(int fd, const char *status, const char *headers, const char *body)
{
    char head[512];

    snprintf(head, sizeof(head), "HTTP/1.1 %s\r\nContent-Length: %zu\r\n%s\r\n", status,
             strlen(body), headers);
    say(fd, head);
    say(fd, body);
}

static void answer_gzip(int fd, size_t size)
{
    static unsigned char packed[1 << 20];
    static unsigned char zeros[1 << 16];
    char head[256];
    z_stream stream = {0};

    deflateInit2(&stream, 9, Z_DEFLATED, 31, 9, Z_DEFAULT_STRATEGY);
    stream.next_out = packed;
    stream.avail_out = sizeof(packed);
    for (size_t done = 0; done < size; done += sizeof(zeros)) {
        stream.next_in = zeros;
        stream.avail_in = sizeof(zeros);
        deflate(&stream, done + sizeof(zeros) >= size ? Z_FINISH : Z_NO_FLUSH);
    }
    snprintf(head, sizeof(head),
             "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %lu\r\n\r\n",
             stream.total_out);
    say(fd, head);
    send(fd, packed, stream.total_out, MSG_NOSIGNAL);
    deflateEnd(&stream);
}

static void answer_stream(int fd, int pieces, bool cut)
{
    say(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < pieces; i++) {
        say(fd, "7\r\nevent\n.\r\n");
        usleep(1000);
    }
    if (!cut)
        say(fd, "0\r\n\r\n");
}

/* Returns false when the connection is to be closed. */
static bool serve_one(struct server *server, int fd, const char *request)
{
    char seen[4200];

    atomic_fetch_add(&server->requests, 1);
    if (strstr(request, " /hello ") != NULL) {
        answer(fd, "200 OK", "Content-Type: text/plain\r\n", "hello");
    } else if (strstr(request, " /echo ") != NULL) {
        snprintf(seen, sizeof(seen), "%s", request);
        answer(fd, "200 OK", "", seen);
    } else if (strstr(request, " /busy ") != NULL) {
        answer(fd, "429 Too Many Requests", "Retry-After: 7\r\n", "later");
    } else if (strstr(request, " /silent ") != NULL) {
        return false;
    } else if (strstr(request, " /break-twice ") != NULL) {
        if (atomic_fetch_sub(&server->broken, 1) > 0)
            return false;
        answer(fd, "200 OK", "", "at last");
    } else if (strstr(request, " /never ") != NULL) {
        char c;

        while (recv(fd, &c, 1, 0) > 0)
            ;
        return false;
    } else if (strstr(request, " /bomb ") != NULL) {
        answer_gzip(fd, 64u << 20);
    } else if (strstr(request, " /stream ") != NULL) {
        answer_stream(fd, 5, /*cut=*/false);
    } else if (strstr(request, " /cut ") != NULL) {
        answer_stream(fd, 3, /*cut=*/true);
        return false;
    } else if (strstr(request, " /garbage ") != NULL) {
        say(fd, "SSH-2.0-OpenSSH\r\n");
        return false;
    } else {
        answer(fd, "404 Not Found", "", "nothing here");
    }
    return true;
}

struct connection {
    struct server *server;
    int fd;
};

static void *serve(void *owner)
{
    struct connection connection = *(struct connection *)owner;
    char request[4096];

    free(owner);
    for (;;) {
        size_t len = 0;

        request[0] = '\0';
        while (strstr(request, "\r\n\r\n") == NULL && len < sizeof(request) - 1) {
            ssize_t got = recv(connection.fd, request + len, sizeof(request) - 1 - len, 0);

            if (got <= 0) {
                close(connection.fd);
                return NULL;
            }
            len += (size_t)got;
            request[len] = '\0';
        }
        if (!serve_one(connection.server, connection.fd, request))
            break;
    }
    close(connection.fd);
    return NULL;
}

static void *accept_all(void *owner)
{
    struct server *server = owner;

    for (;;) {
        int fd = accept(server->listener, NULL, NULL);
        pthread_t thread;

        if (fd < 0)
            return NULL;
        struct connection *connection = malloc(sizeof(*connection));
        *connection = (struct connection){server, fd};
        pthread_create(&thread, NULL, serve, connection);
        pthread_detach(thread);
    }
}

static int server_start(void **state)
{
    struct server *server = calloc(1, sizeof(*server));
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);

    signal(SIGPIPE, SIG_IGN);
    server->listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(server->listener, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(server->listener, 100), 0);
    assert_int_equal(getsockname(server->listener, (struct sockaddr *)&address, &size), 0);
    server->port = ntohs(address.sin_port);
    pthread_create(&server->thread, NULL, accept_all, server);
    *state = server;
    return 0;
}

static int server_stop(void **state)
{
    struct server *server = *state;

    shutdown(server->listener, SHUT_RDWR);
    pthread_join(server->thread, NULL);
    close(server->listener);
    usleep(50000); /* its connections end with their clients */
    free(server);
    return 0;
}
