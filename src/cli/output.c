/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Output: one place that knows of JSON modes, terminals, colours and tables. Output owns the JSON objects
 * collected for one array; Table owns its libsmartcols table and the cell being written. Text itself is
 * printed by the verbs with stdio; output_flush() says at the end whether it arrived.
 */

#include "cli/output.h"

#include <assert.h>
#include <langinfo.h>
#include <libsmartcols.h>
#include <locale.h>
#include <poll.h>

#include "cli/format.h"

struct Table {
        struct libscols_table *scols;
        struct libscols_line *line;     /* borrowed from scols */
        size_t column;                  /* of the next cell */
        FILE *cell;                     /* writes into text */
        char *text;
        size_t text_size;
};

static const char *const tone_code[_TONE_MAX] = {
        [TONE_PLAIN] = "\x1b[0m",
        [TONE_GOOD] = "\x1b[32m",
        [TONE_WARN] = "\x1b[33m",
        [TONE_BAD] = "\x1b[1;31m",
        [TONE_DIM] = "\x1b[2m",
        [TONE_STRONG] = "\x1b[1m",
};

static bool colour_wanted(int fd) {
        const char *no_colour = getenv("NO_COLOR"), *term = getenv("TERM");

        return isatty(fd) && !(no_colour && *no_colour) && term && !streq(term, "dumb");
}

/* Call it after setlocale(). NO_COLOR: https://no-color.org */
void output_init(Output *out) {
        assert(out);

        *out = (Output) {
                .stdout_colour = colour_wanted(STDOUT_FILENO),
                .stderr_colour = colour_wanted(STDERR_FILENO),
                .stderr_terminal = isatty(STDERR_FILENO),
                .utf8 = streq(nl_langinfo(CODESET), "UTF-8"),
        };
}

void output_done(Output *out) {
        assert(out);

        out->items = sd_json_variant_unref(out->items);
}

/**
 * output_json() - one object of the answer
 * @v: borrowed
 *
 * Within a list it is one item: a line of its own (short) or an element of the array to come (pretty). Each
 * line is flushed, since somebody may be waiting for it at the other end of a pipe.
 */
int output_json(Output *out, sd_json_variant *v) {
        int r;

        assert(out && out->json != JSON_OFF);

        if (out->collecting && out->json == JSON_PRETTY)
                return sd_json_variant_append_array(&out->items, v);

        r = sd_json_variant_dump(v, out->json == JSON_PRETTY ?
                                 SD_JSON_FORMAT_PRETTY | (out->stdout_colour ? SD_JSON_FORMAT_COLOR : 0) :
                                 SD_JSON_FORMAT_NEWLINE, stdout, NULL);
        if (r < 0)
                return r;
        return output_flush();
}

void output_list_begin(Output *out) {
        assert(out && !out->collecting);

        out->collecting = true;
}

int output_list_end(Output *out) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *items = NULL;
        int r;

        assert(out && out->collecting);

        out->collecting = false;
        items = STEAL_PTR(out->items);
        if (out->json != JSON_PRETTY)
                return 0;
        if (!items) {
                r = sd_json_variant_new_array(&items, NULL, 0);
                if (r < 0)
                        return r;
        }
        return output_json(out, items);
}

/* What switches @f, standard output or error, to a colour; nothing where there are none. */
const char *output_tone(const Output *out, FILE *f, Tone tone) {
        assert(out && tone < _TONE_MAX);

        return (f == stderr ? out->stderr_colour : out->stdout_colour) ? tone_code[tone] : "";
}

/* The left part of "    Kernel: 6.12.48"; the caller goes on with the right one. */
void output_label(const Output *out, const char *label) {
        printf("%s%12s:%s ", output_tone(out, stdout, TONE_DIM), label, output_tone(out, stdout, TONE_PLAIN));
}

/* How to call us again: "lkmctl", with the host if there is one. */
void output_command(const Output *out, FILE *f) {
        (void) fputs("lkmctl ", f);
        if (out->host) {
                (void) fputs("-H ", f);
                print_escaped(f, out->host);
                (void) fputc(' ', f);
        }
}

/**
 * output_flush() - see to it that what was printed arrives
 *
 * Return: 0; -EPIPE: nobody reads any more; another negative errno: it is lost, and the caller should know.
 */
int output_flush(void) {
        struct pollfd reader = { .fd = STDOUT_FILENO };

        errno = 0;
        if (fflush(stdout) == 0 && !ferror(stdout))
                return 0;
        if (errno > 0)
                return -errno;
        /* it failed at some time before, and stdio does not say why */
        return poll(&reader, 1, 0) > 0 && (reader.revents & POLLERR) ? -EPIPE : -EIO;
}

/**
 * table_new() - a table with headings
 * @columns: borrowed for this call
 *
 * On a terminal columns that may be cut are; elsewhere every cell is complete, one line per row.
 */
int table_new(Table **ret, const Output *out, const Column columns[], size_t n_columns) {
        _cleanup_(table_freep) Table *t = NULL;

        assert(ret && out && columns);

        t = calloc(1, sizeof(*t));
        if (!t)
                return -ENOMEM;
        t->scols = scols_new_table();
        if (!t->scols)
                return -ENOMEM;
        (void) scols_table_enable_colors(t->scols, out->stdout_colour);

        for (size_t i = 0; i < n_columns; i++) {
                int flags = (columns[i].right ? SCOLS_FL_RIGHT : 0) | (columns[i].cut ? SCOLS_FL_TRUNC : 0) |
                        (columns[i].tree ? SCOLS_FL_TREE : 0);

                if (!scols_table_new_column(t->scols, columns[i].title, columns[i].width_hint, flags))
                        return -ENOMEM;
        }

        *ret = STEAL_PTR(t);
        return 0;
}

Table *table_free(Table *t) {
        if (!t)
                return NULL;

        if (t->cell)
                (void) fclose(t->cell);
        free(t->text);
        scols_unref_table(t->scols);
        free(t);
        return NULL;
}

/* Begins a row; its cells follow from left to right. */
int table_line(Table *t) {
        assert(t && !t->cell);

        t->line = scols_table_new_line(t->scols, NULL);
        t->column = 0;
        return t->line ? 0 : -ENOMEM;
}

/*
 * As table_line(), below the row that was begun as number @line, counted from 0: it becomes a branch of that
 * one.
 */
int table_line_below(Table *t, size_t line) {
        struct libscols_line *parent;

        assert(t && !t->cell);

        parent = scols_table_get_line(t->scols, line);
        assert(parent);
        t->line = scols_table_new_line(t->scols, parent);
        t->column = 0;
        return t->line ? 0 : -ENOMEM;
}

/*
 * Where the next cell is written to, until table_cell_end(). NULL: no memory, which table_cell_end()
 * reports.
 */
FILE *table_cell(Table *t) {
        assert(t && t->line && !t->cell);

        t->cell = open_memstream(&t->text, &t->text_size);
        return t->cell;
}

int table_cell_end(Table *t) {
        int r;

        assert(t && t->line);

        if (!t->cell)
                return -ENOMEM;
        r = fclose(STEAL_PTR(t->cell)) == 0 ? 0 : -errno;
        if (r == 0)
                r = scols_line_refer_data(t->line, t->column++, t->text[0] ? STEAL_PTR(t->text) : NULL);
        free(t->text);
        t->text = NULL;
        return r;
}

int table_print(Table *t) {
        assert(t);

        return scols_print_table(t->scols);
}
