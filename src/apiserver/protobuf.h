/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Protobuf bodies: kubectl sends what it builds from Go types (create namespace, auth can-i) in
 * Kubernetes' protobuf and in no other form. They become the trees that the same JSON would.
 *
 * Bounds: the body's size; LIMIT_DOC_DEPTH levels. Input is hostile: each length is checked.
 * Source: data/kube/protobuf.json, made by tools/extract-protobuf from the Go types of 1.34.
 */
#include "doc/val.h"

bool protobuf_is(str body);
MUST_USE bool protobuf_decode(struct arena *arena, str body, struct val **ret_object,
                              struct err *err);
