/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* docs/cli.md, made from the verb tables: `taut help --markdown`. */
#include "base/buf.h"

void reference_write(struct buf *out);
