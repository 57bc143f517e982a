/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Table: owns its libsmartcols table and the cell being written. */

#include "cli/print/table.h"

#include <assert.h>
#include <errno.h>
#include <libsmartcols.h>
#include <stdlib.h>

struct Table {
        struct libscols_table *scols;
        struct libscols_line *line;     /* borrowed from scols */
        size_t column;                  /* of the next cell */
        FILE *cell;                     /* writes into text */
        char *text;
        size_t text_size;
};

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
