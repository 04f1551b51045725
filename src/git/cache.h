/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * cache: the directories that hold fetched objects. A cache is a bare repository that one writer
 * fills; it is only ever added to, and removed whole.
 */
#include "base/err.h"

bool cache_is_made(const char *cache); /* git init ended there */
size_t cache_packs(const char *cache);
/* Locks and half-written files of a writer that died. Only for the writer, before it begins. */
void cache_drop_locks(const char *cache);
/* Does refs/taut/<commit> hold this commit? */
bool cache_has(const char *cache, str commit);
/* Does a cache of files (TRANSPORT_FILE) hold this one? */
bool cache_has_file(const char *cache, str id);
MUST_USE bool cache_make_dir(const char *path, struct err *err); /* with its parents, mode 0700 */
/* Removes a directory with all that is in it, without following links. */
void cache_remove(const char *path);
/* The same in slices: at most `entries` of them; true when nothing is left. */
bool cache_remove_some(const char *path, size_t entries);
