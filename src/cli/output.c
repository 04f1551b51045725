/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/output.h"
#include "base/buf.h"
#include "base/clock.h"
#include "doc/json.h"
#include "doc/yaml_emit.h"
#include <assert.h>

struct row {
    struct row *next;
    str cells[CLI_COLUMNS_MAX];
};

struct cli_table {
    struct arena *arena;
    const char *const *headers;
    size_t count;
    struct row *first;
    struct row **last;
    size_t rows;
};

enum cli_format cli_format(const struct cli *cli)
{
    str text = cli_text(cli, "output");

    if (str_eq(text, S("json")))
        return CLI_JSON;
    return str_eq(text, S("yaml")) ? CLI_YAML : CLI_TABLE;
}

int cli_print_val(struct cli *cli, const struct val *value)
{
    auto_buf struct buf out = {0};
    struct err err = {0};

    buf_init(&out, 4 * LIMIT_RESPONSE_BYTES);
    if (cli_format(cli) == CLI_JSON) {
        json_format(&out, value, JSON_PRETTY);
        buf_addc(&out, '\n');
    } else if (!yaml_emit(value, &out, &err)) {
        return cli_fail(cli, &err);
    }
    if (!buf_check(&out, "the output", &err))
        return cli_fail(cli, &err);
    fwrite(out.at, 1, out.len, cli_out(cli));
    return CLI_OK;
}

/* ---- texts ---- */

void cli_print_text(struct cli *cli, str text)
{
    FILE *out = cli_out(cli);

    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.at[i];
        fputc((c < ' ' && c != '\n' && c != '\t') || c == 0x7f ? '?' : c, out);
    }
}

void cli_print_field(struct cli *cli, const char *name, str value)
{
    if (value.len == 0)
        return;
    fprintf(cli_out(cli), "%s%-18s%s", cli_colour(cli, CLI_DIM), name, cli_colour(cli, CLI_PLAIN));
    fputs(cli_colour(cli, cli_status_colour(value)), cli_out(cli));
    cli_print_text(cli, value);
    fputs(cli_status_colour(value) == CLI_PLAIN ? "" : cli_colour(cli, CLI_PLAIN), cli_out(cli));
    fputc('\n', cli_out(cli));
}

static const struct {
    str word;
    enum cli_colour colour;
} statuses[] = {
        {S_INIT("Healthy"), CLI_GREEN},    {S_INIT("Synced"), CLI_GREEN},
        {S_INIT("Succeeded"), CLI_GREEN},  {S_INIT("Ready"), CLI_GREEN},
        {S_INIT("OutOfSync"), CLI_YELLOW}, {S_INIT("Progressing"), CLI_BLUE},
        {S_INIT("Running"), CLI_BLUE},     {S_INIT("Missing"), CLI_YELLOW},
        {S_INIT("Suspended"), CLI_YELLOW}, {S_INIT("Degraded"), CLI_RED},
        {S_INIT("Failed"), CLI_RED},       {S_INIT("Error"), CLI_RED},
        {S_INIT("SyncFailed"), CLI_RED},   {S_INIT("Unreachable"), CLI_RED},
        {S_INIT("Unknown"), CLI_DIM},      {S_INIT("Pruned"), CLI_YELLOW},
        {S_INIT("PruneSkipped"), CLI_DIM},
};

enum cli_colour cli_status_colour(str word)
{
    for (size_t i = 0; i < COUNT(statuses); i++) {
        if (str_eq(word, statuses[i].word))
            return statuses[i].colour;
    }
    return CLI_PLAIN;
}

str cli_age(struct arena *arena, str time)
{
    int64_t then = 0;

    if (time.len == 0 || !clock_parse(time, &then))
        return time;
    int64_t seconds = MAX((clock_wall_ms() - then) / 1000, (int64_t)0);
    if (seconds < 120)
        return arena_printf(arena, "%llds", (long long)seconds);
    if (seconds < 7200)
        return arena_printf(arena, "%lldm", (long long)(seconds / 60));
    if (seconds < 172800)
        return arena_printf(arena, "%lldh", (long long)(seconds / 3600));
    return arena_printf(arena, "%lldd", (long long)(seconds / 86400));
}

/* ---- tables ---- */

struct cli_table *cli_table_new(struct arena *arena, const char *const *headers, size_t count)
{
    struct cli_table *table = arena_new0(arena, struct cli_table);

    assert(count <= CLI_COLUMNS_MAX);
    table->arena = arena;
    table->headers = headers;
    table->count = count;
    table->last = &table->first;
    return table;
}

void cli_table_row(struct cli_table *table, const str *cells)
{
    struct row *row = arena_new0(table->arena, struct row);

    for (size_t i = 0; i < table->count; i++)
        row->cells[i] = cells[i].len == 0 ? S("-") : arena_str(table->arena, cells[i]);
    *table->last = row;
    table->last = &row->next;
    table->rows++;
}

size_t cli_table_rows(const struct cli_table *table)
{
    return table->rows;
}

/* Characters, good enough for alignment. */
static size_t width_of(str text)
{
    size_t width = 0;

    for (size_t i = 0; i < text.len; i++)
        width += ((unsigned char)text.at[i] & 0xc0) != 0x80;
    return width;
}

static void print_cell(struct cli *cli, str text, size_t width, bool is_last)
{
    enum cli_colour colour = cli_status_colour(text);

    if (colour != CLI_PLAIN)
        fputs(cli_colour(cli, colour), cli_out(cli));
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.at[i];
        fputc(c < ' ' || c == 0x7f ? ' ' : c, cli_out(cli));
    }
    if (colour != CLI_PLAIN)
        fputs(cli_colour(cli, CLI_PLAIN), cli_out(cli));
    if (!is_last)
        fprintf(cli_out(cli), "%*s", (int)(width - width_of(text) + 2), "");
}

void cli_table_print(struct cli *cli, const struct cli_table *table)
{
    size_t widths[CLI_COLUMNS_MAX] = {0};

    for (size_t i = 0; i < table->count; i++)
        widths[i] = strlen(table->headers[i]);
    for (const struct row *row = table->first; row != NULL; row = row->next) {
        for (size_t i = 0; i < table->count; i++)
            widths[i] = MAX(widths[i], width_of(row->cells[i]));
    }
    fputs(cli_colour(cli, CLI_BOLD), cli_out(cli));
    for (size_t i = 0; i < table->count; i++)
        print_cell(cli, str_from(table->headers[i]), widths[i], i + 1 == table->count);
    fprintf(cli_out(cli), "%s\n", cli_colour(cli, CLI_PLAIN));
    for (const struct row *row = table->first; row != NULL; row = row->next) {
        for (size_t i = 0; i < table->count; i++)
            print_cell(cli, row->cells[i], widths[i], i + 1 == table->count);
        fputc('\n', cli_out(cli));
    }
}
