/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* AcceptanceList: compares findings with what is accepted. Owns its strings. */

#include "cli/offline/lint-accept.h"

#include <assert.h>

#include "common/base/array.h"
#include "common/base/glob.h"
#include "common/base/module-name.h"
#include "common/base/util.h"

void acceptance_list_clear(AcceptanceList *a) {
        assert(a);

        for (size_t i = 0; i < a->n_items; i++) {
                free(a->items[i].files);
                free(a->items[i].subjects);
                free(a->items[i].reason);
                free(a->items[i].file);
        }
        free(a->items);
        *a = (AcceptanceList) {};
}

/**
 * acceptance_list_add() - accept findings
 * @files:    glob of paths; NULL: about no line yet, so of no effect until acceptance_list_place()
 * @subjects: glob; NULL: anything
 * @file:     where the acceptance stands
 *
 * Return: 0; -ENOMEM.
 */
int acceptance_list_add(AcceptanceList *a, FindingKind kind, const char *files, const char *subjects,
                        const char *reason, const char *file, unsigned line) {
        Acceptance *item;
        int r;

        assert(a && reason && file);

        r = array_reserve(&a->items, &a->n_allocated, a->n_items + 1, sizeof(*a->items));
        if (r < 0)
                return r;
        item = a->items + a->n_items++;
        *item = (Acceptance) {
                .kind = kind,
                .files = files ? strdup(files) : NULL,
                .subjects = subjects ? strdup(subjects) : NULL,
                .reason = strdup(reason),
                .file = strdup(file),
                .line = line,
        };
        a->n_waiting += files == NULL;
        if (item->subjects)
                (void) module_name_normalize_in_place(item->subjects);
        return item->reason && item->file && !item->files == !files && !item->subjects == !subjects
                       ? 0
                       : -ENOMEM;
}

/**
 * acceptance_list_place() - those without files that are from @file are about this line of it
 *
 * Return: 0; -ENOMEM.
 */
int acceptance_list_place(AcceptanceList *a, const char *file, unsigned line) {
        assert(a && file);

        for (; a->n_waiting > 0; a->n_waiting--) {
                Acceptance *item = a->items + a->n_items - a->n_waiting;

                if (!streq(item->file, file))
                        continue;       /* it was the last line of its file */
                item->about_line = line;
                item->files = strdup(file);
                if (!item->files)
                        return -ENOMEM;
        }
        return 0;
}

static bool covers(const Acceptance *a, FindingKind kind, const char *file, unsigned line,
                   const char *subject) {
        return a->kind == kind && a->files && (a->about_line == 0 || a->about_line == line) &&
               (a->about_line > 0 ? streq(a->files, file) : glob_match(a->files, file)) &&
               (!a->subjects || (subject && glob_match(a->subjects, subject)));
}

/**
 * acceptance_list_find() - the reason why a finding is accepted
 *
 * Return: borrowed from the list; NULL: it is not.
 */
const char *acceptance_list_find(AcceptanceList *a, FindingKind kind, const char *file, unsigned line,
                                 const char *subject) {
        const char *reason = NULL;

        assert(a && file);

        for (size_t i = 0; i < a->n_items; i++) {
                if (!covers(a->items + i, kind, file, line, subject))
                        continue;
                a->items[i].used = true;
                reason = reason ?: a->items[i].reason;
        }
        return reason;
}
