/* SPDX-License-Identifier: Apache-2.0 */
/* The topics of the stream: one row each. A topic of one's own is a row here and a stream_touch
 * where the thing changes; the value is what the route answers. */
#include "web/stream.h"

#define DEVOPS "/taut/v1/devops/{devops}"

const struct stream_kind stream_kinds[] = {
        {.word = "apps", .event = "rows", .route = DEVOPS "/apps", .has_rows = true},
        {.word = "app", .event = "app", .route = DEVOPS "/apps/{name}"},
        {.word = "facts", .event = "facts", .route = DEVOPS "/apps/{name}/facts", .every_ms = 2000},
        {.word = "tree",
         .event = "tree",
         .route = DEVOPS "/apps/{name}/tree",
         .items = "items",
         .key = "id",
         .every_ms = 3000},
        {.word = "repos",
         .event = "repo",
         .route = DEVOPS "/repos",
         .items = "items",
         .key = "name",
         .every_ms = 5000},
        {.word = "credentials",
         .event = "credential",
         .route = DEVOPS "/credentials",
         .items = "items",
         .key = "name",
         .every_ms = 10000},
        {.word = "services", .event = "services", .route = DEVOPS "/services", .every_ms = 5000},
        {.word = "devops",
         .event = "devops",
         .route = "/taut/v1/devops",
         .items = "items",
         .key = "name",
         .every_ms = 5000},
        {.word = "clusters",
         .event = "cluster",
         .route = "/taut/v1/clusters",
         .items = "items",
         .key = "name",
         .every_ms = 5000},
};
const size_t stream_kind_count = COUNT(stream_kinds);
