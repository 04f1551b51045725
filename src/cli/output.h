/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Output: tables for people, JSON and YAML for scripts. Colours on a terminal only.
 *
 * Owner:  a table lives in its arena; cells are copied.
 * Input:  cells may hold anything that a server says: control characters are shown as '?', so that
 *         no text can move the cursor or change the title of a terminal.
 */
#include "cli/cli.h"
#include "doc/val.h"

enum cli_format { CLI_TABLE, CLI_JSON, CLI_YAML };
enum cli_format cli_format(const struct cli *cli); /* of -o */

/* As JSON (two spaces) or YAML; CLI_TABLE prints YAML. Returns an exit code. */
int cli_print_val(struct cli *cli, const struct val *value);

#define CLI_COLUMNS_MAX 12

struct cli_table;
struct cli_table *cli_table_new(struct arena *arena, const char *const *headers, size_t count);
/* As many cells as headers; an empty one is shown as "-". */
void cli_table_row(struct cli_table *table, const str *cells);
size_t cli_table_rows(const struct cli_table *table);
void cli_table_print(struct cli *cli, const struct cli_table *table);

/* The colour of a status word such as Healthy or OutOfSync. */
enum cli_colour cli_status_colour(str word);
/* One text for a terminal, without control characters. */
void cli_print_text(struct cli *cli, str text);
/* "Name: value", aligned; left out when the value is empty. */
void cli_print_field(struct cli *cli, const char *name, str value);
/* "3m", "2d": how long ago an RFC 3339 time was; the time itself when it is none. */
str cli_age(struct arena *arena, str time);
