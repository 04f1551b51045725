/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The demo's three sign-ins: admin, project-regular (operator of the DevOps Project demo) and
 * project-viewer. Their random passwords are kept in DIR/demo-sign-ins (0600), because the demo
 * shows them at each start; any other data folder shows the admin's once and never stores it.
 */
#include "cli/server.h"

struct demo_users;

typedef void demo_users_fn(void *owner, const struct err *err);
/* Reads the file; makes the users, the bindings and the file when there is none. */
struct demo_users *demo_users_start(struct server *server, demo_users_fn *done, void *owner);
void demo_users_free(struct demo_users *users); /* NULL is fine */
/* "  admin            password\n…", once done. Borrowed. */
str demo_users_text(const struct demo_users *users);
