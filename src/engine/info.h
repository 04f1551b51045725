/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Info: one short line about a live object for lists of objects, in no language: "2/3" for what
 * runs Pods, "NodePort 80:30001/TCP" for a Service, a schedule, a size, the hosts of an Ingress.
 *
 * Input is a live object of any cluster: every field may be absent or of the wrong type. Bounds:
 * LIMIT_INFO_BYTES bytes.
 */
#include "doc/val.h"

/* Empty for kinds without a line. The text is the arena's. */
str info_of(const struct val *object, struct arena *arena);
