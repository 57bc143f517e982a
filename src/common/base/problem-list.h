/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stdarg.h>
#include <stddef.h>

#include "common/base/util.h"

/*
 * What was wrong with input, and where. The reader goes on; its caller shows the problems.
 */
typedef struct Problem {
        char *file;
        unsigned line;                  /* 1-based; 0: the whole file */
        unsigned column;                /* 1-based; 0: the whole line, or not known */
        char *message;                  /* one sentence without a full stop */
        bool unread; /* the file is there, or may be, and could not be read: what it says is not known */
} Problem;

typedef struct ProblemList {
        Problem *items;
        size_t n_items;
        size_t n_dropped;               /* beyond PROBLEMS_MAX */
} ProblemList;

/* @list may be NULL: the problem is dropped. */
int problem_list_add(ProblemList *list, const char *file, unsigned line, const char *format, ...)
        _printf_(4, 5);
int problem_list_add_at(ProblemList *list, const char *file, unsigned line, unsigned column,
                        const char *format, ...) _printf_(5, 6);
int problem_list_add_unread(ProblemList *list, const char *file, const char *format, ...) _printf_(3, 4);
const Problem *problem_list_find_unread(const ProblemList *list);
bool problem_list_equal(const ProblemList *a, const ProblemList *b);
int problem_list_copy(ProblemList *to, const ProblemList *from); /* appends */
int problem_list_add_v(ProblemList *list, const char *file, unsigned line, unsigned column, const char *format,
                       va_list ap) _printf_(5, 0);
void problem_list_clear(ProblemList *list);
