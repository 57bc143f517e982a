/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * policy lint: rules of the policy and lines of modprobe.d that do not do what they look like. They are found by
 * lint-*.c.
 */

#include "cli/offline/lint-config.h"
#include "cli/offline/lint-rules.h"
#include "cli/offline/lint-text.h"
#include "cli/offline/offline.h"
#include "cli/verbs/verbs.h"

int verb_policy_lint(Run *run, char **args, unsigned n_args) {
        _cleanup_(offline_policy_done) OfflinePolicy offline = {};
        _cleanup_(index_unrefp) const Index *index = NULL;
        Lint lint = { .run = run, .offline = &offline };
        int r;

        r = offline_index(run, true, &index);
        if (r != 0)
                return r;
        r = offline_policy(run, &offline);
        if (r != 0)
                return r;
        lint.index = index;

        output_list_begin(&run->out);
        r = lint_rules(&lint);
        if (r >= 0)
                r = lint_config(&lint);
        if (r >= 0)
                r = lint_text(&lint);
        if (r >= 0)
                r = output_list_end(&run->out);
        if (r < 0)
                return r;
        if (output_wants_text(&run->out) && lint.n_findings == 0)
                printf("Nothing found, with the modules in %s.\n", index_get_module_dir(index));
        r = output_flush();
        return r < 0 ? r : lint.n_findings > 0 || offline.broken ? STATUS_FAILED : STATUS_DONE;
}
