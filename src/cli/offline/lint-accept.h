/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "cli/offline/lint-kind.h"

/*
 * AcceptanceList: the findings that somebody has looked at and found to be all right, each with a reason. They are
 * written above a line of modprobe.d, or in lint.d (lkmd-lint(5)).
 */
typedef struct Acceptance {
        FindingKind kind;
        char *files;                    /* glob of paths */
        unsigned about_line;            /* the line that is accepted; 0: any */
        char *subjects;                 /* glob of names of modules; NULL: any, also none */
        char *reason;
        char *file;                     /* where it stands */
        unsigned line;
        bool used;
} Acceptance;

typedef struct AcceptanceList {
        Acceptance *items;
        size_t n_items, n_allocated;
        size_t n_waiting;               /* of these, at the end: comments whose line is still to come */
} AcceptanceList;

int acceptance_list_add(AcceptanceList *a, FindingKind kind, const char *files, const char *subjects,
                        const char *reason, const char *file, unsigned line);
int acceptance_list_place(AcceptanceList *a, const char *file, unsigned line);
const char *acceptance_list_find(AcceptanceList *a, FindingKind kind, const char *file, unsigned line,
                                 const char *subject);
void acceptance_list_clear(AcceptanceList *a);
