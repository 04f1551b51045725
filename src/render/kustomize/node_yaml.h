/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * A node as YAML text with the order, quotes and block styles that it was read with, as kyaml
 * writes it: for YAML documents inside of texts, and for patterns over what is written.
 */
#include "base/buf.h"
#include "render/kustomize/node.h"

void node_write_yaml(const struct node *n, struct buf *out);
/* One scalar as it stands in such a text, without indentation. */
void node_write_scalar(const struct node *n, struct buf *out);
