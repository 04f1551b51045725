/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the files of the verb `devops` share. */
#include "cli/cli.h"

int devops_member_add(struct cli *cli); /* devops_member.c */
int devops_member_list(struct cli *cli);
int devops_member_remove(struct cli *cli);
