/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Totals: what all processes of a job take together, and a folder on the disk: rlimits count one
 * process, or one file. A sample, not an account: it is taken now and then.
 */
#include "base/macros.h"

#include <sys/types.h>

/* Memory that belongs to the processes of a group alone (not what they map of files), in bytes. */
int64_t totals_group_memory(pid_t group);
/* Bytes on the disk of everything beneath, links not followed; 0 = there is no such folder. */
int64_t totals_folder(const char *path);
