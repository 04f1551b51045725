/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Listening sockets from texts such as 127.0.0.1:9443, [::1]:0, localhost:80 or :9443 (all). */
#include "base/arena.h"

/* ERR_INVALID: no such address; ERR_EXISTS: the port is in use; ERR_FORBIDDEN: needs a right. The
 * descriptor is non-blocking, close-on-exec and the caller's. */
MUST_USE bool listen_open(str address, int *ret_fd, uint16_t *ret_port, struct err *err);
/* Splits host and port; the host is without brackets. */
MUST_USE bool listen_split(str address, str *ret_host, uint16_t *ret_port, struct err *err);
bool listen_is_loopback(str host);
/* https://HOST:PORT of an address that was listened on; 127.0.0.1 where it names every address. */
str listen_url(struct arena *arena, str address, uint16_t port);
