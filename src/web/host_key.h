/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Host key: what an SSH server shows of itself, asked by ssh-keyscan, and the one key of it that a
 * person accepted by its fingerprint.
 *
 * Trust: the scan itself proves nothing; only the comparison with the person's fingerprint does.
 */
#include "base/arena.h"
#include "io/loop.h"
#include "io/process.h"

struct host_key_scan;

/* `line`: the known_hosts line of the accepted key. Runs once, in a later turn. */
typedef void host_key_done_fn(void *owner, str line, const struct err *err);

/* `fingerprint`: SHA256:… as ssh prints it. ERR_UNSUPPORTED: not an ssh URL. */
MUST_USE bool host_key_scan(struct loop *loop, str url, str fingerprint, host_key_done_fn *done,
                            void *owner, struct host_key_scan **ret_scan, struct err *err);
void host_key_cancel(struct host_key_scan *scan); /* done does not run; NULL is fine */

/* The line of `scanned` whose key has this fingerprint; ERR_CONFLICT names what was shown. */
MUST_USE bool host_key_choose(struct arena *arena, str scanned, str fingerprint, str *ret_line,
                              struct err *err);
