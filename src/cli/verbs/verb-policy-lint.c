/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * policy lint: rules of the policy and lines of modprobe.d that do not do what they look like. They are found by
 * lint-*.c.
 */

#include "cli/offline/lint-all.h"
#include "cli/offline/lint-print.h"
#include "cli/offline/offline.h"
#include "cli/verbs/verbs.h"
#include "common/words/kernel-command-line.h"

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
        return r < 0 ? r : lint_count(&lint) > 0 || offline.broken ? STATUS_FAILED : STATUS_DONE;
}
