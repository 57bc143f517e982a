/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* LintAll: has all of lint-*.c look, for whoever prints the findings or counts them. Owns nothing. */

#include "cli/offline/lint-all.h"

#include <assert.h>

#include "cli/offline/lint-accept-reading.h"
#include "cli/offline/lint-commands.h"
#include "cli/offline/lint-config.h"
#include "cli/offline/lint-files.h"
#include "cli/offline/lint-kernel-line.h"
#include "cli/offline/lint-names.h"
#include "cli/offline/lint-options.h"
#include "cli/offline/lint-rules.h"

/* Is the line, or what makes the file unreadable, among the first @n findings? */
static bool is_found(const Lint *l, size_t n, const Problem *p) {
        for (size_t i = 0; i < n; i++) {
                const KeptFinding *f = l->findings + i;

                if (streq(f->file, p->file) && (f->line == p->line || f->kind == FINDING_ENCODING ||
                                                f->kind == FINDING_HIDDEN_CHARACTER))
                        return true;
        }
        return false;
}

/* What stopped the readers of files, as far as lint has no sentence of its own for it. */
static int lint_problems(Lint *l, const ProblemList *problems) {
        size_t n = l->n_findings;
        int r = 0;

        for (size_t i = 0; r >= 0 && i < problems->n_items; i++) {
                const Problem *p = problems->items + i;
                Finding finding = { FINDING_BROKEN, p->file, p->line, p->column, NULL, NULL };

                if (!is_found(l, n, p))
                        r = lint_report(l, &finding, "%s", p->message);
        }
        return r;
}

/**
 * lint_all() - find all that there is
 * @l:        with the index, the policy and the kernel command line; to be cleared, also after a failure
 * @problems: what the readers of files reported
 *
 * Return: 0, also after findings; negative errno.
 */
int lint_all(Lint *l, const ProblemList *problems) {
        static int (*const parts[])(Lint *l) = { lint_rules,   lint_files,    lint_config,     lint_names,
                                                 lint_options, lint_commands, lint_kernel_line };
        int r;

        assert(l && problems);

        r = acceptances_read_dirs(l);
        for (size_t i = 0; r >= 0 && i < ARRAY_LEN(parts); i++)
                r = parts[i](l);
        if (r >= 0)
                r = lint_problems(l, problems);
        return r < 0 ? r : lint_complete(l);
}

/* How many findings decide the exit status? */
size_t lint_count(const Lint *l) {
        size_t n = 0;

        assert(l);

        for (size_t i = 0; i < l->n_findings; i++)
                n += kept_finding_counts(l->findings + i);
        return n;
}
