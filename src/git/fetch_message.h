/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * fetch_message: what control says to a fetch process, and what that answers. Private to the
 * transport. Control reads the answer as hostile: names, ids and counts are checked.
 */
#include "git/transport.h"
#include "io/wire.h"

enum { FETCH_REQUEST_MAX = 16 * 1024 * 1024, FETCH_ANSWER_MAX = 96 * 1024 * 1024 };

struct fetch_request {
    enum transport_op op;
    str url;
    str program;
    str file_roots;
    bool allow_link_local;
    str username;
    str password;
    str bearer;
    str ssh_key;
    str passphrase;
    str known_hosts;
    str ca_bundle;
    bool insecure;
    str cache;
    const struct transport_want *wants;
    size_t want_count;
    str prefix;
};

/* `out` holds secrets afterwards: wipe it. */
void fetch_put_request(struct buf *out, const struct fetch_request *request);
MUST_USE bool fetch_get_request(str bytes, struct arena *arena, struct fetch_request *ret_request,
                                struct err *err);
void fetch_put_result(struct buf *out, const struct transport_result *result);
void fetch_put_failure(struct buf *out, const struct err *err);
MUST_USE bool fetch_get_answer(str bytes, struct arena *arena, struct transport_result *ret_result,
                               struct err *err);
