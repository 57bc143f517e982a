/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* check_policy(), check_watching(): is the policy in force what its files say? Owns nothing. */

#include <assert.h>
#include <inttypes.h>

#include "cli/doctor/checks.h"
#include "cli/offline/lint-all.h"
#include "cli/offline/offline.h"
#include "cli/print/fields.h"
#include "common/words/kernel-command-line.h"

/* What policy lint would count. Return: 0; negative errno. */
static int count_findings(const Doctor *d, size_t *ret) {
        _cleanup_(problem_list_clear) ProblemList problems = {};
        _cleanup_(freep) char *line = NULL;
        Run plain = { .out = d->run->out };
        _cleanup_(lint_clear)
                Lint lint = { .run = &plain, .index = d->asker->index, .offline = d->asker->policy };
        int r;

        plain.out.quiet = true;
        r = kernel_command_line_read(&line, NULL);
        if (r < 0)
                return r;
        lint.command_line = line;
        r = lint_all(&lint, &problems);
        if (r >= 0)
                *ret = lint_count(&lint);
        return r;
}

static int on_findings(const Doctor *d, Diagnoses *ret) {
        size_t n = 0;
        int r;

        if (!index_is_complete(d->asker->index))
                return 0;
        r = count_findings(d, &n);
        if (r < 0 || n == 0)
                return r;
        return diagnoses_add(
                ret, DIAGNOSIS_NOTE, "lkmctl policy lint",
                "%zu line%s of modprobe.d, of policies or of the kernel command line %s not do what %s like",
                n, n == 1 ? "" : "s", n == 1 ? "does" : "do", n == 1 ? "it looks" : "they look");
}

/* What lkmd has in force, or what it would have. */
static int on_standing(const Doctor *d, Diagnoses *ret) {
        sd_json_variant *policy = field_object(d->asker->status, "policy");
        const char *mode = field_string(policy, "mode");
        uint64_t rules = field_number(policy, "rules");
        size_t denied = field_elements(policy, "loadedButDenied");
        int r;

        if (field_bool(policy, "broken") || (!policy && d->asker->policy->broken))
                return diagnoses_add(ret, DIAGNOSIS_REPAIR, "lkmctl policy check",
                                     "a file of the policy is broken: %s",
                                     field_bool(policy, "lacksDefault")
                                             ? "nothing is denied by default, though it may say so"
                                     : policy ? "not all that it says is in force"
                                              : "lkmd would not take all of it");
        if (!policy)
                r = diagnoses_add(ret, DIAGNOSIS_OK, NULL, "its files can be read, and hold when lkmd runs");
        else if (rules == 0 && !streq_ptr(field_string(policy, "defaultVerdict"), "deny"))
                r = diagnoses_add(ret, DIAGNOSIS_OK, NULL, "there is none: everything is allowed");
        else
                r = diagnoses_add(ret, streq_ptr(mode, "enforce") ? DIAGNOSIS_OK : DIAGNOSIS_NOTE, NULL,
                                  "%" PRIu64 " rule%s in mode %s%s", rules, rules == 1 ? "" : "s", mode ?: "?",
                                  streq_ptr(mode, "enforce") ? "" : ": what they deny is not refused");
        if (r >= 0 && denied > 0)
                r = diagnoses_add(ret, DIAGNOSIS_NOTE, "lkmctl status",
                                  "%zu module%s in the kernel, though the policy denies %s", denied,
                                  denied == 1 ? " is" : "s are", denied == 1 ? "it" : "them");
        return r;
}

/* Files of modprobe.d and lkmd.conf. */
static int on_problems(sd_json_variant *status, Diagnoses *ret) {
        size_t n = field_elements(status, "problems");
        sd_json_variant *first = sd_json_variant_by_index(field_array(status, "problems"), 0);

        if (n == 0)
                return 0;
        return diagnoses_add(ret, DIAGNOSIS_REPAIR, "lkmctl status",
                             "%zu file%s of the configuration cannot be used as %s: %s: %s", n,
                             n == 1 ? "" : "s", n == 1 ? "it is" : "they are",
                             field_string(first, "file") ?: "?", field_string(first, "message") ?: "?");
}

int check_policy(const Doctor *d, Diagnoses *ret) {
        int r;

        assert(d && ret);

        r = on_standing(d, ret);
        if (r >= 0)
                r = on_problems(d->asker->status, ret);
        return r < 0 ? r : on_findings(d, ret);
}

int check_watching(const Doctor *d, Diagnoses *ret) {
        size_t n = field_elements(d->asker->status, "unwatched");

        assert(ret);

        if (!doctor_lkmd_runs(d))
                return 0;
        if (n > 0)
                return diagnoses_add(
                        ret, DIAGNOSIS_NOTE, "lkmctl status",
                        "%zu file%s cannot be watched: lkmd notices changes of %s some seconds later", n,
                        n == 1 ? "" : "s", n == 1 ? "it" : "them");
        return diagnoses_add(ret, DIAGNOSIS_OK, NULL, "lkmd notices every change of its files at once");
}
