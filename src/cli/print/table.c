/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Table: keeps the cells until it is printed, gives the columns their widths, and has libsmartcols draw it. That would
 * make columns narrower by itself, but without regard to words, and some too narrow to be read. Owns the cells.
 */

#include "cli/print/table.h"

#include <assert.h>
#include <errno.h>
#include <libsmartcols.h>
#include <stdint.h>
#include <stdlib.h>

#include "cli/print/wrap.h"
#include "common/base/array.h"

#define WIDTH_MIN 12U                   /* of a column that was made narrower, if need be within words */
#define PIECE_MAX 24U                   /* longer words need not be whole */
#define TREE_STEP 2U                    /* columns for each level of a tree */

typedef struct Row {
        char **cells;                   /* of all columns; NULL: empty */
        size_t parent;                  /* SIZE_MAX: none */
        size_t depth;
} Row;

struct Table {
        const Output *out;
        Column *columns;
        size_t n_columns;
        Row *rows;
        size_t n_rows, rows_allocated;
        size_t column;                  /* of the next cell */
        FILE *cell;                     /* writes into text */
        char *text;
        size_t text_size;
};

/**
 * table_new() - a table with headings
 * @out:     borrowed
 * @columns: borrowed for this call, but not their titles
 *
 * On a terminal a row may have several lines; elsewhere it is one line, as long as it is.
 */
int table_new(Table **ret, const Output *out, const Column columns[], size_t n_columns) {
        _cleanup_(table_freep) Table *t = NULL;

        assert(ret && out && columns);

        t = calloc(1, sizeof(*t));
        if (!t)
                return -ENOMEM;
        t->columns = calloc(n_columns, sizeof(*t->columns));
        if (!t->columns)
                return -ENOMEM;
        memcpy(t->columns, columns, n_columns * sizeof(*columns));
        t->n_columns = n_columns;
        t->out = out;

        *ret = STEAL_PTR(t);
        return 0;
}

/* Return: NULL. */
Table *table_free(Table *t) {
        if (!t)
                return NULL;

        if (t->cell)
                (void) fclose(t->cell);
        free(t->text);
        for (size_t i = 0; i < t->n_rows; i++) {
                for (size_t k = 0; k < t->n_columns; k++)
                        free(t->rows[i].cells[k]);
                free(t->rows[i].cells);
        }
        free(t->rows);
        free(t->columns);
        free(t);
        return NULL;
}

static int add_row(Table *t, size_t parent, size_t depth) {
        char **cells;
        int r;

        r = array_reserve(&t->rows, &t->rows_allocated, t->n_rows + 1, sizeof(*t->rows));
        if (r < 0)
                return r;
        cells = calloc(t->n_columns, sizeof(*cells));
        if (!cells)
                return -ENOMEM;
        t->rows[t->n_rows++] = (Row) { cells, parent, depth };
        t->column = 0;
        return 0;
}

/* Begins a row; its cells follow from left to right. */
int table_line(Table *t) {
        assert(t && !t->cell);

        return add_row(t, SIZE_MAX, 0);
}

/* As table_line(), but the row becomes a branch of row @line, counted from 0. */
int table_line_below(Table *t, size_t line) {
        assert(t && !t->cell && line < t->n_rows);

        return add_row(t, line, t->rows[line].depth + 1);
}

/*
 * Where the next cell is written to, until table_cell_end(). NULL: no memory, which table_cell_end()
 * reports.
 */
FILE *table_cell(Table *t) {
        assert(t && t->n_rows > 0 && t->column < t->n_columns && !t->cell);

        t->cell = open_memstream(&t->text, &t->text_size);
        return t->cell;
}

int table_cell_end(Table *t) {
        int r;

        assert(t);

        if (!t->cell)
                return -ENOMEM;
        r = fclose(STEAL_PTR(t->cell)) == 0 ? 0 : -errno;
        if (r == 0)
                t->rows[t->n_rows - 1].cells[t->column++] = t->text[0] ? STEAL_PTR(t->text) : NULL;
        free(t->text);
        t->text = NULL;
        return r;
}

/* ------------------------------------------------------------------------------------------------ layout */

static size_t natural_width(const Table *t, size_t column) {
        size_t width = wrap_columns(t->columns[column].title);

        for (size_t i = 0; i < t->n_rows; i++) {
                const char *cell = t->rows[i].cells[column];
                size_t more = t->columns[column].tree ? t->rows[i].depth * TREE_STEP : 0;

                width = MAX(width, (cell ? wrap_columns(cell) : 0) + more);
        }
        return width;
}

/* The width below which words would have to be broken. */
static size_t word_width(const Table *t, size_t column) {
        size_t width = WIDTH_MIN;

        for (size_t i = 0; i < t->n_rows; i++)
                if (t->rows[i].cells[column])
                        width = MAX(width, wrap_longest_piece(t->rows[i].cells[column]));
        return MIN(width, (size_t) PIECE_MAX);
}

/* The widest that may be made narrower; n_columns: there is none. */
static size_t find_widest(const Table *t, const size_t *widths, const size_t *minima) {
        size_t found = t->n_columns;

        for (size_t k = 0; k < t->n_columns; k++)
                if (t->columns[k].wrap && widths[k] > MAX(minima[k], wrap_columns(t->columns[k].title)) &&
                    (found == t->n_columns || widths[k] > widths[found]))
                        found = k;
        return found;
}

/* Makes the widest columns narrower, one by one, until all fit or none can be. */
static void fit(const Table *t, size_t *widths, const size_t *minima, size_t available) {
        size_t sum = t->n_columns - 1;  /* a blank between columns */

        for (size_t k = 0; k < t->n_columns; k++)
                sum += widths[k];
        for (; sum > available; sum--) {
                size_t widest = find_widest(t, widths, minima);

                if (widest == t->n_columns)
                        return;
                widths[widest]--;
        }
}

static int wrap_cells(const Table *t, size_t column, size_t width) {
        for (size_t i = 0; i < t->n_rows; i++) {
                char **cell = t->rows[i].cells + column, *wrapped;
                int r;

                if (!*cell || wrap_columns(*cell) <= width)
                        continue;
                r = wrap_text(*cell, width, &wrapped);
                if (r < 0)
                        return r;
                free(*cell);
                *cell = wrapped;
        }
        return 0;
}

static int layout(const Table *t, size_t available) {
        _cleanup_(freep) size_t *widths = calloc(t->n_columns, sizeof(*widths));
        _cleanup_(freep) size_t *minima = calloc(t->n_columns, sizeof(*minima));
        int r = 0;

        if (!widths || !minima)
                return -ENOMEM;
        for (size_t k = 0; k < t->n_columns; k++) {
                widths[k] = natural_width(t, k);
                minima[k] = word_width(t, k);
        }
        fit(t, widths, minima, available);
        for (size_t k = 0; k < t->n_columns; k++)
                minima[k] = WIDTH_MIN;
        fit(t, widths, minima, available);
        for (size_t k = 0; r >= 0 && k < t->n_columns; k++)
                if (t->columns[k].wrap)
                        r = wrap_cells(t, k, widths[k]);
        return r;
}

/* ---------------------------------------------------------------------------------------------- printing */

static void unref_scols(struct libscols_table **table) {
        scols_unref_table(*table);
}

static int add_columns(const Table *t, struct libscols_table *scols) {
        for (size_t k = 0; k < t->n_columns; k++) {
                const Column *c = t->columns + k;
                int flags = (c->right ? SCOLS_FL_RIGHT : 0) | (c->wrap ? SCOLS_FL_WRAP : 0) |
                            (c->tree ? SCOLS_FL_TREE : 0);
                struct libscols_column *column = scols_table_new_column(scols, c->title, 0, flags);

                if (!column || (c->wrap && scols_column_set_wrapfunc(column, scols_wrapnl_chunksize,
                                                                     scols_wrapnl_nextchunk, NULL) < 0))
                        return -ENOMEM;
        }
        return 0;
}

static int add_lines(const Table *t, struct libscols_table *scols) {
        for (size_t i = 0; i < t->n_rows; i++) {
                const Row *row = t->rows + i;
                struct libscols_line *parent = row->parent == SIZE_MAX
                                                       ? NULL
                                                       : scols_table_get_line(scols, row->parent);
                struct libscols_line *line = scols_table_new_line(scols, parent);

                if (!line)
                        return -ENOMEM;
                for (size_t k = 0; k < t->n_columns; k++)
                        if (row->cells[k] && scols_line_set_data(line, k, row->cells[k]) < 0)
                                return -ENOMEM;
        }
        return 0;
}

int table_print(Table *t) {
        _cleanup_(unref_scols) struct libscols_table *scols = scols_new_table();
        int r;

        assert(t);

        if (!scols)
                return -ENOMEM;
        (void) scols_table_enable_colors(scols, t->out->stdout_colour);
        r = isatty(STDOUT_FILENO) ? layout(t, scols_table_get_termwidth(scols)) : 0;
        if (r >= 0)
                r = add_columns(t, scols);
        if (r >= 0)
                r = add_lines(t, scols);
        return r < 0 ? r : scols_print_table(scols);
}
