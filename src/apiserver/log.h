/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Log: what `pods/NAME/log` answers where no kubelet runs the Pod: lines made from the Pod's
 * status, the first of which says so. They grow with time as a real log does.
 */
#include "apiserver/api.h"

/* Answers a raw GET of "/api/v1/namespaces/NS/pods/NAME/log?…" (container, tailLines, sinceTime,
 * sinceSeconds, previous, timestamps); false: the path is another one. */
bool log_serve(struct api *api);
