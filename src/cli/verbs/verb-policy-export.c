/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* policy export: what the policy denies by name, for machines and images without lkmd. */

#include "cli/offline/denied-lines.h"
#include "cli/offline/offline.h"
#include "cli/verbs/verbs.h"
#include "common/interface/interface.h"
#include "common/plan/denied-names.h"

/* That of --policy, else what is in force here also after a restart. */
static int read_policy(Run *run, OfflinePolicy *ret) {
        _cleanup_(problem_list_clear) ProblemList problems = {};
        int r;

        if (run->policy.n_paths > 0)
                return offline_policy(run, ret, NULL);
        r = offline_policy_read_lasting(ret, &problems);
        if (r >= 0)
                offline_print_problems(run, &problems);
        return r;
}

static int print_json(Run *run, const OfflinePolicy *policy, const Index *index) {
        _cleanup_(freep) char *names = NULL;
        int r, e;

        r = denied_names_list(policy->policy, index, policy->now_usec, &names);
        if (r < 0)
                return r;
        output_list_begin(&run->out);
        for (char *rest = names, *name; r >= 0 && (name = strsep(&rest, "\n"));) {
                _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL;

                if (!*name)
                        continue;
                r = sd_json_buildo(&v, SD_JSON_BUILD_PAIR_STRING("module", name),
                                   SD_JSON_BUILD_PAIR_STRING("verdict", "deny"));
                if (r >= 0)
                        r = output_json(&run->out, v);
        }
        e = output_list_end(&run->out);
        return r < 0 ? r : e;
}

int verb_policy_export(Run *run, char **args, unsigned n_args) {
        _cleanup_(offline_policy_done) OfflinePolicy policy = {};
        _cleanup_(index_unrefp) const Index *index = NULL;
        _cleanup_(freep) char *text = NULL;
        int r;

        r = offline_index(run, true, &index);
        if (r != 0)
                return r;
        r = read_policy(run, &policy);
        if (r != 0)
                return r;
        if (policy.broken)
                return failure_print_own(
                        &run->out, CLIENT_ERROR_LOCAL, "lkmctl policy check",
                        "nothing is exported: a file of the policy is broken, and what it denies is not known");
        if (run->out.json != JSON_OFF)
                return print_json(run, &policy, index);
        r = denied_lines_new(&policy, index, &text);
        if (r >= 0 && output_wants_text(&run->out)) {
                printf("%s", text);
                r = output_flush();
        }
        return r < 0 ? r : (int) STATUS_DONE;
}
