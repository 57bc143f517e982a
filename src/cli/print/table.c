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

#include "cli/print/screen.h"
#include "cli/print/wrap.h"
#include "common/base/array.h"

#define WIDTH_MIN 12U                   /* of a column that was made narrower, if need be within words */
#define PIECE_MAX 24U                   /* longer words need not be whole */
#define BELOW_INDENT 4                  /* of cells on a line of their own */
#define TREE_STEP 2U                    /* columns for each level of a tree */

typedef struct Row {
        char **cells;                   /* of all columns; NULL: empty */
        size_t parent;                  /* SIZE_MAX: none */
        size_t depth;
} Row;

struct Table {
        const Output *out;
        Column *columns;
        bool *below;                    /* columns whose cells have lines of their own, since they do not fit */
        bool *left_out;                 /* those that are not shown at all */
        size_t *widths;                 /* of the others, once there is a layout */
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
 * On a terminal a row may have several lines; elsewhere it is one line, as long as it is. What is to stay whole has a
 * line of its own where it does not fit beside the rest.
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
        t->below = calloc(n_columns, sizeof(*t->below));
        t->left_out = calloc(n_columns, sizeof(*t->left_out));
        t->widths = calloc(n_columns, sizeof(*t->widths));
        if (!t->below || !t->left_out || !t->widths)
                return -ENOMEM;
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
        free(t->below);
        free(t->left_out);
        free(t->widths);
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

static bool may_shorten(const Table *t, size_t column) {
        return t->columns[column].shorten > 0 && !t->out->full;
}

/* The width below which words would have to be broken, or what is to stay whole. */
static size_t word_width(const Table *t, size_t column) {
        size_t width = WIDTH_MIN;

        if (t->columns[column].whole)
                return natural_width(t, column);
        if (may_shorten(t, column))
                return t->columns[column].shorten;
        for (size_t i = 0; i < t->n_rows; i++)
                if (t->rows[i].cells[column])
                        width = MAX(width, wrap_longest_piece(t->rows[i].cells[column]));
        return MIN(width, (size_t) PIECE_MAX);
}

/* The least width of a column, without regard to words if @minimum is less. */
static size_t least_width(const Table *t, size_t column, size_t minimum) {
        return t->columns[column].wrap
                       ? MIN(MAX(minimum, wrap_columns(t->columns[column].title)), t->widths[column])
                       : t->widths[column];
}

/* Has the column a place beside the others? */
static bool is_beside(const Table *t, size_t column) {
        return !t->below[column] && !t->left_out[column];
}

/* The blanks between columns count. */
static size_t sum_of(const Table *t, const size_t *widths) {
        size_t sum = 0;

        for (size_t k = 0; k < t->n_columns; k++)
                sum += is_beside(t, k) ? widths[k] + 1 : 0;
        return sum > 0 ? sum - 1 : 0;
}

/* The widest that may be made narrower; n_columns: there is none. */
static size_t find_widest(const Table *t, const size_t *minima) {
        size_t found = t->n_columns;

        for (size_t k = 0; k < t->n_columns; k++)
                if (t->columns[k].wrap && is_beside(t, k) && t->widths[k] > minima[k] &&
                    (found == t->n_columns || t->widths[k] > t->widths[found]))
                        found = k;
        return found;
}

/* Makes the widest columns narrower, one by one, until all fit or none can be. */
static void fit(const Table *t, const size_t *minima, size_t available) {
        for (size_t sum = sum_of(t, t->widths); sum > available; sum--) {
                size_t widest = find_widest(t, minima);

                if (widest == t->n_columns)
                        return;
                t->widths[widest]--;
        }
}

/* Gives what is to stay whole lines of its own, the longest first, until there is room for the rest. */
static void move_below(const Table *t, const size_t *minima, size_t available) {
        while (sum_of(t, minima) > available) {
                size_t longest = t->n_columns;

                for (size_t k = 0; k < t->n_columns; k++)
                        if (t->columns[k].whole && !t->below[k] &&
                            (longest == t->n_columns || t->widths[k] > t->widths[longest]))
                                longest = k;
                if (longest == t->n_columns)
                        return;
                t->below[longest] = true;
        }
}

/* As many lines as it takes, or as much as there is room for on one. */
static int fit_cells(const Table *t, size_t column) {
        size_t width = t->widths[column];

        for (size_t i = 0; i < t->n_rows; i++) {
                char **cell = t->rows[i].cells + column, *fitting;
                int r;

                if (!*cell || wrap_columns(*cell) <= width)
                        continue;
                r = may_shorten(t, column) ? wrap_shorten(*cell, width, t->out->utf8, &fitting)
                                           : wrap_text(*cell, width, &fitting);
                if (r < 0)
                        return r;
                free(*cell);
                *cell = fitting;
        }
        return 0;
}

static int layout(const Table *t, size_t available) {
        _cleanup_(freep) size_t *minima = calloc(t->n_columns, sizeof(*minima));
        int r = 0;

        if (!minima)
                return -ENOMEM;
        for (size_t k = 0; k < t->n_columns; k++)
                t->widths[k] = natural_width(t, k);
        for (size_t k = 0; k < t->n_columns; k++)
                minima[k] = least_width(t, k, word_width(t, k));
        for (size_t k = 0; k < t->n_columns; k++)
                t->left_out[k] = t->columns[k].spare > available && !t->out->full;
        if (sum_of(t, t->widths) > available)
                move_below(t, minima, available);
        fit(t, minima, available);
        for (size_t k = 0; k < t->n_columns; k++)
                if (!t->columns[k].whole)
                        minima[k] = least_width(t, k, WIDTH_MIN);
        fit(t, minima, available);
        for (size_t k = 0; r >= 0 && k < t->n_columns; k++)
                if (t->columns[k].wrap && !t->columns[k].whole)
                        r = fit_cells(t, k);
        return r;
}

/* ---------------------------------------------------------------------------------------------- printing */

static void unref_scols(struct libscols_table **table) {
        scols_unref_table(*table);
}

static int add_columns(const Table *t, struct libscols_table *scols) {
        for (size_t k = 0; k < t->n_columns; k++) {
                const Column *c = t->columns + k;

                if (!is_beside(t, k))
                        continue;
                int flags = (c->right ? SCOLS_FL_RIGHT : 0) | (c->wrap ? SCOLS_FL_WRAP : 0) |
                            (c->tree ? SCOLS_FL_TREE : 0);
                struct libscols_column *column = scols_table_new_column(scols, c->title, 0, flags);

                if (!column || (c->wrap && scols_column_set_wrapfunc(column, scols_wrapnl_chunksize,
                                                                     scols_wrapnl_nextchunk, NULL) < 0))
                        return -ENOMEM;
                if (t->out->stdout_colour)
                        (void) scols_cell_set_color(scols_column_get_header(column),
                                                    output_tone(t->out, stdout, TONE_STRONG));
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
                for (size_t k = 0, shown = 0; k < t->n_columns; k++) {
                        if (!is_beside(t, k))
                                continue;
                        if (row->cells[k] && scols_line_set_data(line, shown, row->cells[k]) < 0)
                                return -ENOMEM;
                        shown++;
                }
        }
        return 0;
}

static bool has_below(const Table *t) {
        for (size_t k = 0; k < t->n_columns; k++)
                if (t->below[k])
                        return true;
        return false;
}

static void put_blanks(size_t *owed) {
        printf("%*s", (int) *owed, "");
        *owed = 0;
}

/* One line of a cell; blanks are owed until something follows them. */
static void put_cell(const Column *c, const char *text, size_t length, size_t width, size_t *owed) {
        _cleanup_(freep) char *line = strndup(text, length);
        size_t used = line ? wrap_columns(line) : 0, rest = width - MIN(width, used);

        *owed += c->right ? rest : 0;
        if (used > 0) {
                put_blanks(owed);
                (void) fputs(line, stdout);
        }
        *owed += (c->right ? 0 : rest) + 1;
}

/* @cells: of a row, wrapped already */
static void put_row(const Table *t, const char *const *cells) {
        bool more = true;

        for (size_t n = 0; more; n++) {
                size_t owed = 0;

                more = false;
                for (size_t k = 0; k < t->n_columns; k++) {
                        const char *p = cells[k] ?: "";

                        if (!is_beside(t, k))
                                continue;
                        for (size_t skip = n; skip > 0 && *p; skip--)
                                p += strcspn(p, "\n") + (strchr(p, '\n') != NULL);
                        more |= strchr(p, '\n') != NULL;
                        put_cell(t->columns + k, p, strcspn(p, "\n"), t->widths[k], &owed);
                }
                putchar('\n');
        }
}

/* The cells of a row that are below it, on one line if they fit. */
static void put_below(const Table *t, const Row *row, size_t available) {
        size_t used = 0;

        for (size_t k = 0; k < t->n_columns; k++) {
                const char *cell = t->below[k] ? row->cells[k] : NULL;

                if (!cell)
                        continue;
                if (used > 0 && used + 2 + wrap_columns(cell) > available) {
                        putchar('\n');
                        used = 0;
                }
                printf("%*s%s%s%s", used > 0 ? 2 : BELOW_INDENT, "", output_tone(t->out, stdout, TONE_DIM),
                       cell, output_tone(t->out, stdout, TONE_PLAIN));
                used += (used > 0 ? 2 : BELOW_INDENT) + wrap_columns(cell);
        }
        if (used > 0)
                putchar('\n');
}

/* libsmartcols has no cells that span columns. */
static int print_with_lines_below(const Table *t, size_t available) {
        _cleanup_(freep) const char **titles = calloc(t->n_columns, sizeof(*titles));

        if (!titles)
                return -ENOMEM;
        for (size_t k = 0; k < t->n_columns; k++)
                titles[k] = t->columns[k].title;
        (void) fputs(output_tone(t->out, stdout, TONE_STRONG), stdout);
        put_row(t, titles);
        (void) fputs(output_tone(t->out, stdout, TONE_PLAIN), stdout);
        for (size_t i = 0; i < t->n_rows; i++) {
                put_row(t, (const char *const *) t->rows[i].cells);
                put_below(t, t->rows + i, available);
        }
        return 0;
}

/* A tree cannot be interrupted, so these lines come after it, with the first cell of their row. */
static void print_lines_of_tree(const Table *t) {
        for (size_t i = 0; i < t->n_rows; i++)
                for (size_t k = 0; k < t->n_columns; k++)
                        if (t->below[k] && t->rows[i].cells[k])
                                printf("  %s: %s\n", t->rows[i].cells[0] ?: "", t->rows[i].cells[k]);
}

static bool is_tree(const Table *t) {
        for (size_t k = 0; k < t->n_columns; k++)
                if (t->columns[k].tree)
                        return true;
        return false;
}

static int print(Table *t) {
        _cleanup_(unref_scols) struct libscols_table *scols = scols_new_table();
        int r;

        if (!scols)
                return -ENOMEM;
        (void) scols_table_enable_colors(scols, t->out->stdout_colour);
        (void) scols_table_enable_noencoding(scols, 1); /* cells are escaped already */
        r = isatty(STDOUT_FILENO) ? layout(t, scols_table_get_termwidth(scols)) : 0;
        if (r >= 0 && has_below(t) && !is_tree(t))
                return print_with_lines_below(t, scols_table_get_termwidth(scols));
        if (r >= 0)
                r = add_columns(t, scols);
        if (r >= 0)
                r = add_lines(t, scols);
        if (r >= 0)
                r = scols_print_table(scols);
        if (r >= 0)
                print_lines_of_tree(t);
        return r;
}

int table_print(Table *t) {
        int r;

        assert(t);

        screen_fold(t->out->screen, false);
        r = print(t);
        screen_fold(t->out->screen, true);
        return r;
}
