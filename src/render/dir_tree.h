/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * dir_tree: the directory back end of git/tree.h, for the command line.
 *
 * Every open goes through openat2 beneath the root, without following links, so that neither a path
 * nor a link nor a race can leave it. ".git" at the root is not shown, as a Git tree holds none.
 * Devices, sockets and pipes count as missing.
 */
#include "git/tree.h"

/* root: a directory, with or without links in its own path. */
MUST_USE bool dir_tree_open(const char *root, struct tree **ret_tree, struct err *err);
