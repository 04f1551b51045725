/* SPDX-License-Identifier: Apache-2.0 */
/* A build with -Dconsole=disabled has no files; "/" is then a plain page. */
#include "web/assets.h"

const struct asset assets[] = {{0}};
const size_t asset_count = 0;
