/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "policy-bench.h"

#include "common/policy-files/policy-parse.h"
#include "must.h"

Policy *policy_bench_make(PolicyMode mode, const char *rules) {
        const PolicyOptions options = { .mode = mode, .facts = policy_bench_facts };
        PolicyFile **files = calloc(1, sizeof(*files));
        _cleanup_(problem_list_clear) ProblemList problems = {};
        _cleanup_(freep) char *text = NULL;
        Policy *p = NULL;

        must(files && asprintf(&text, "version: 1\n%s", rules) >= 0, "no memory");
        must_ok(policy_file_parse(files, "FILE.yaml", POLICY_FILE_RULES, text, strlen(text), &problems));
        must(problems.n_items == 0, text);
        must_ok(policy_new(&p, files, 1, &options));
        return p;
}

const ModuleFacts *policy_bench_facts(const char *path, void *userdata) {
        static char gpl[] = "GPL", proprietary[] = "Proprietary", vendor[] = "Vendor: modules";
        static const ModuleFacts own = { gpl, vendor, true, true }, foreign = { proprietary, NULL, false, false },
                                 nameless = { NULL, NULL, true, false };
        size_t *n_calls = userdata;

        if (n_calls)
                ++*n_calls;
        return streq(path, "/own.ko")        ? &own
               : streq(path, "/foreign.ko")  ? &foreign
               : streq(path, "/nameless.ko") ? &nameless
                                             : NULL;
}
