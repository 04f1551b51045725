/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Services: their end points, and node ports that answer. */
#include "sandbox/world.h"

world_fn service_reconcile;

/* The open node ports; they outlive what their keys know. */
struct service_ports;
struct service_ports *service_ports_new(void);
void service_ports_free(struct service_ports *ports);
