/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Secret: a password, token or key. It is wiped when freed, compared in constant time, and has no
 * printer and no encoder, so that it cannot reach a log, an error or a diff by accident.
 * secret_reveal is the one way out: grep for it to see every place where a value leaves.
 */
#include "base/str.h"

struct secret;

struct secret *secret_new(str value); /* a copy; the caller wipes its own */
void secret_free(struct secret *secret);
AUTO_DEFINE(secret, secret_free)
#define auto_secret AUTO(secret)

struct secret *secret_dup(const struct secret *secret);
bool secret_equals(const struct secret *secret, str value); /* constant time for equal lengths */
bool secret_is_empty(const struct secret *secret);          /* also for NULL */
str secret_reveal(const struct secret *secret);             /* lives as long as the secret */
void secret_wipe(void *at, size_t len);
