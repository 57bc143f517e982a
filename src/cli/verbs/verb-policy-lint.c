/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * policy lint: rules of the policy and lines of modprobe.d that do not do what they look like. They are found by
 * lint-*.c.
 */

#include "cli/offline/lint-accept-reading.h"
#include "cli/offline/lint-commands.h"
#include "cli/offline/lint-config.h"
#include "cli/offline/lint-files.h"
#include "cli/offline/lint-kernel-line.h"
#include "cli/offline/lint-names.h"
#include "cli/offline/lint-options.h"
#include "cli/offline/lint-print.h"
#include "cli/offline/lint-rules.h"
#include "cli/offline/offline.h"
#include "cli/verbs/verbs.h"
#include "common/words/kernel-command-line.h"

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

static int lint_all(Lint *l, const ProblemList *problems) {
        static int (*const parts[])(Lint *l) = { lint_rules,   lint_files,    lint_config,     lint_names,
                                                 lint_options, lint_commands, lint_kernel_line };
        int r;

        r = acceptances_read_dirs(l);
        for (size_t i = 0; r >= 0 && i < ARRAY_LEN(parts); i++)
                r = parts[i](l);
        if (r >= 0)
                r = lint_problems(l, problems);
        return r < 0 ? r : lint_complete(l);
}

static bool any_counts(const Lint *l) {
        for (size_t i = 0; i < l->n_findings; i++)
                if (kept_finding_counts(l->findings + i))
                        return true;
        return false;
}

int verb_policy_lint(Run *run, char **args, unsigned n_args) {
        _cleanup_(problem_list_clear) ProblemList problems = {};
        _cleanup_(offline_policy_done) OfflinePolicy offline = {};
        _cleanup_(index_unrefp) const Index *index = NULL;
        _cleanup_(freep) char *command_line = NULL;
        _cleanup_(lint_clear) Lint lint = { .run = run, .offline = &offline };
        int r;

        r = offline_index_read(run, true, &index, &problems);
        if (r != 0)
                return r;
        r = offline_policy(run, &offline, &problems);
        if (r != 0)
                return r;
        r = offline_settings_check(&problems);
        if (r >= 0)
                r = kernel_command_line_read(&command_line, NULL);
        if (r < 0)
                return r;
        lint.index = index;
        lint.command_line = command_line;

        r = lint_all(&lint, &problems);
        if (r >= 0)
                r = lint_print(&lint);
        if (r >= 0)
                r = output_flush();
        return r < 0 ? r : any_counts(&lint) || offline.broken ? STATUS_FAILED : STATUS_DONE;
}
