/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "cli/print/output.h"
#include "common/base/util.h"

/* Table: rows of cells below headings, which fit a terminal. Nothing is lost where the answer is to be full. */
typedef struct Table Table;

typedef struct Column {
        const char *title;
        bool right;                     /* numbers */
        bool wrap;                      /* may take several lines where the terminal is too narrow */
        unsigned shorten;               /* prose may end in an ellipsis behind so many */
        bool whole;                     /* names and places, which people copy: they get lines of their own instead */
        unsigned spare;                 /* left out on a terminal of fewer columns */
        bool tree;                      /* shows which row is below which */
} Column;

int table_new(Table **ret, const Output *out, const Column columns[], size_t n_columns);
Table *table_free(Table *t);
DEFINE_CLEANUP(Table, table_free);
int table_line(Table *t);
int table_line_below(Table *t, size_t line);
FILE *table_cell(Table *t);
int table_cell_end(Table *t);
int table_print(Table *t);
