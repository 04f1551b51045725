/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * message: what control and a render process say to each other: one request, one answer.
 *
 * Runs:   on both sides. The answer is read as if an attacker had written it: framing, sizes,
 *         texts, the identity of each object; the digest is computed by the reader.
 * Bounds: LIMIT_RENDER_REQUEST, LIMIT_RENDER_ANSWER, LIMIT_RENDER_ARENA, LIMIT_RENDER_OBJECTS,
 *         LIMIT_RENDER_READS.
 */
#include "io/wire.h"
#include "render/render.h"

enum message_job { MESSAGE_RENDER, MESSAGE_CHANGES, MESSAGE_PATHS, MESSAGE_JOB_COUNT };

struct message_request {
    enum message_job job;
    struct render_request render; /* MESSAGE_RENDER; the caches travel as descriptors */
    str from_commit; /* MESSAGE_CHANGES, MESSAGE_PATHS: in the only descriptor's cache */
    str to_commit;
};

void message_put_request(struct buf *out, const struct message_request *request);
MUST_USE bool message_get_request(str bytes, struct arena *arena,
                                  struct message_request *ret_request, struct err *err);

void message_put_failure(struct buf *out, const struct err *err);
void message_put_result(struct buf *out, const struct render_result *result);
void message_put_changes(struct buf *out, const struct render_changes *changes);
void message_put_paths(struct buf *out, const struct render_paths *paths);

/* The answer to a render; on false err is the worker's own, or says that it cannot be understood.
 */
MUST_USE bool message_get_result(str bytes, const struct render_request *request,
                                 struct render_result **ret_result, struct err *err);
MUST_USE bool message_get_changes(str bytes, struct arena *arena,
                                  struct render_changes *ret_changes, struct err *err);
MUST_USE bool message_get_paths(str bytes, struct arena *arena, struct render_paths *ret_paths,
                                struct err *err);
