/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* UdevLines: the rules of a text as udev(7) reads them, one after the other. */

typedef struct UdevKey {
        const char *name, *attribute;   /* NAME{ATTRIBUTE}; NULL: it has none */
        const char *value;
        bool matches;                   /* "==" or "!=": a condition; else an assignment */
        bool negated;                   /* "!=" */
        bool ignores_case;              /* i"VALUE" */
} UdevKey;

typedef struct UdevLines {
        const char *next;               /* borrowed: what was not read yet */
        unsigned n_read;                /* physical lines */
        char *text;                     /* of the rule; the keys point into it */
        UdevKey *keys;
        size_t n_keys, n_allocated;
        unsigned number;                /* its first physical line, 1-based */
} UdevLines;

int udev_lines_next(UdevLines *l);
const char *udev_lines_get(const UdevLines *l, const char *name);
void udev_lines_clear(UdevLines *l);
