/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * ProblemList: what was wrong with files that lkmd read. Owns its strings. Its length is limited, because a
 * broken file of a megabyte must not become a megabyte of complaints.
 */

#include "common/base/problem-list.h"

#include <assert.h>
#include <stdarg.h>

#include "common/base/array.h"

#define PROBLEMS_MAX 64U
#define UNREAD_MAX \
        (2U * PROBLEMS_MAX)  /* with those that are not known, which are not dropped for the others */

/* Copies @like, with another message, unless there are @max already. */
static int _printf_(4, 0)
        add(ProblemList *list, size_t max, const Problem *like, const char *format, va_list ap) {
        _cleanup_(freep) char *copy = NULL, *message = NULL;

        if (!list)
                return 0;
        if (list->n_items >= max) {
                list->n_dropped++;
                return 0;
        }

        copy = strdup(like->file);
        if (!copy)
                return -ENOMEM;
        if (vasprintf(&message, format, ap) < 0) {
                message = NULL;
                return -ENOMEM;
        }

        if (array_grow(&list->items, list->n_items, sizeof(*list->items)) < 0)
                return -ENOMEM;
        list->items[list->n_items] = *like;
        list->items[list->n_items].file = STEAL_PTR(copy);
        list->items[list->n_items++].message = STEAL_PTR(message);
        return 0;
}

/**
 * problem_list_add_v() - as problem_list_add_at(), for callers that have a va_list
 */
int problem_list_add_v(ProblemList *list, const char *file, unsigned line, unsigned column,
                       const char *format, va_list ap) {
        return add(list, PROBLEMS_MAX, &(Problem) { .file = (char *) file, .line = line, .column = column },
                   format, ap);
}

/**
 * problem_list_add() - add one problem
 * @list:   NULL: the problem is dropped
 * @file:   copied
 * @line:   1-based, 0 for the file as a whole
 * @format: one sentence, no full stop, no line break
 *
 * Return: 0, also if the list is full and the problem was only counted; -ENOMEM.
 */
int problem_list_add(ProblemList *list, const char *file, unsigned line, const char *format, ...) {
        va_list ap;
        int r;

        assert(file && format);

        va_start(ap, format);
        r = problem_list_add_v(list, file, line, 0, format, ap);
        va_end(ap);
        return r;
}

/**
 * problem_list_add_at() - add one problem whose column is known
 * @column: 1-based
 *
 * Return: as problem_list_add().
 */
int problem_list_add_at(ProblemList *list, const char *file, unsigned line, unsigned column,
                        const char *format, ...) {
        va_list ap;
        int r;

        assert(file && format);

        va_start(ap, format);
        r = problem_list_add_v(list, file, line, column, format, ap);
        va_end(ap);
        return r;
}

/**
 * problem_list_add_unread() - add a file or directory that could not be read, so that nobody knows what it says
 *
 * A file that is not there, or is none that would be read, is another problem.
 *
 * Return: as problem_list_add().
 */
int problem_list_add_unread(ProblemList *list, const char *file, const char *format, ...) {
        va_list ap;
        int r;

        assert(file && format);

        va_start(ap, format);
        r = add(list, UNREAD_MAX, &(Problem) { .file = (char *) file, .unread = true }, format, ap);
        va_end(ap);
        return r;
}

/* Return: the first that could not be read; NULL: all could. */
const Problem *problem_list_find_unread(const ProblemList *list) {
        assert(list);

        for (size_t i = 0; i < list->n_items; i++)
                if (list->items[i].unread)
                        return list->items + i;
        return NULL;
}

/* Do both have the same problems? */
bool problem_list_equal(const ProblemList *a, const ProblemList *b) {
        assert(a && b);

        if (a->n_items != b->n_items)
                return false;
        for (size_t i = 0; i < a->n_items; i++)
                if (!streq(a->items[i].file, b->items[i].file) || a->items[i].line != b->items[i].line ||
                    a->items[i].column != b->items[i].column ||
                    !streq(a->items[i].message, b->items[i].message))
                        return false;
        return true;
}

/**
 * problem_list_copy() - add the problems of another list
 *
 * Return: as problem_list_add().
 */
int problem_list_copy(ProblemList *to, const ProblemList *from) {
        assert(to && from);

        for (size_t i = 0; i < from->n_items; i++) {
                const Problem *p = from->items + i;
                int r = p->unread ? problem_list_add_unread(to, p->file, "%s", p->message)
                                  : problem_list_add_at(to, p->file, p->line, p->column, "%s", p->message);

                if (r < 0)
                        return r;
        }
        to->n_dropped += from->n_dropped;
        return 0;
}

/**
 * problem_list_clear() - remove all problems; the list can be used again
 */
void problem_list_clear(ProblemList *list) {
        assert(list);

        for (size_t i = 0; i < list->n_items; i++) {
                free(list->items[i].file);
                free(list->items[i].message);
        }
        free(list->items);
        *list = (ProblemList) {};
}
