/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Node ports: listening sockets on 127.0.0.1 that answer any HTTP request with one page.
 *
 * Owner:  the holder of a port; it may be freed at any time.
 * Bounds: LIMIT_SANDBOX_CONNECTIONS a port, LIMIT_SANDBOX_REQUEST a request, 5 s a connection.
 * Input:  hostile: the request is only read up to its empty line and thrown away.
 */
#include "base/arena.h"
#include "base/buf.h"
#include "io/loop.h"

struct node_port;

/* `page` writes the HTML; false = no Pod is ready, the connection is closed without a word. */
typedef bool node_port_fn(void *owner, struct buf *page);

MUST_USE bool node_port_new(struct loop *loop, uint16_t port, node_port_fn *page, void *owner,
                            struct node_port **ret_port, struct err *err);
void node_port_free(struct node_port *port);
uint16_t node_port_number(const struct node_port *port);
