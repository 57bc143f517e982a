/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Any bytes as the file of grants: none is believed that lkmd would not have given, what is written of them is read
 * as the same grants, and as a policy none of them says more than as a grant.
 */

#include "daemon/config/grants.h"
#include "support.h"

#define NOW_USEC (1000ULL * 1000U * 1000U)

static const BootMoment now = { "11111111-2222-3333-4444-555555555555", NOW_USEC };

static void check_grant(const Grant *g) {
        must(g->id && *g->id);
        must(!grant_check_module(g->module));
        must(!grant_check_reason(g->reason));
        must(g->verdict == POLICY_ALLOW || g->verdict == POLICY_DENY);
        must(g->ends_boot_usec > NOW_USEC || g->verdict == POLICY_DENY);
        fuzz_must_be_printable(g->id);
        fuzz_must_be_printable(g->module);
        fuzz_must_be_printable(g->reason);
}

static void check_problems(ProblemList *problems) {
        for (size_t i = 0; i < problems->n_items; i++)
                fuzz_must_be_printable(problems->items[i].message);
        problem_list_clear(problems);
}

static bool grants_equal(const Grant *a, const Grant *b) {
        return streq(a->id, b->id) && streq(a->module, b->module) && streq(a->reason, b->reason) &&
               a->verdict == b->verdict && a->expires_usec == b->expires_usec &&
               a->ends_boot_usec == b->ends_boot_usec && a->once == b->once && a->has_uid == b->has_uid &&
               a->uid == b->uid && a->created_usec == b->created_usec;
}

static void check_again(const Grants *g, const Grants *again) {
        must(grants_count(g) == grants_count(again));
        for (size_t i = 0; i < grants_count(g); i++)
                must(grants_equal(grants_get(g, i), grants_get(again, i)));
}

static void check_rules(const Grants *g) {
        _cleanup_(policy_file_freep) PolicyFile *f = NULL;

        must(grants_to_file(g, &f) == 0);
        must((f ? f->n_rules : 0) == grants_count(g));
        for (size_t i = 0; f && i < f->n_rules; i++) {
                const Grant *grant = grants_get(g, i);
                const PolicyRule *rule = f->rules + i;

                must(rule->verdict == grant->verdict && rule->once == grant->once);
                must(rule->expires_usec == grant->expires_usec && rule->ends_boot_usec == grant->ends_boot_usec);
                must(rule->mode == POLICY_ENFORCE && rule->n_options == 0 && rule->n_prefer == 0);
                for (PolicyKey key = 0; key < _POLICY_KEY_MAX; key++)
                        must(rule->match[key].n_items == (key == POLICY_KEY_MODULE));
                must(streq(rule->match[POLICY_KEY_MODULE].items[0].glob, grant->module));
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(grants_freep) Grants *g = NULL, *again = NULL;
        _cleanup_(freep) char *text = NULL, *text_again = NULL;
        size_t n = 0, n_again = 0;
        ProblemList problems = {};

        must(grants_parse(&g, "FILE", (const char *) data, size, &now, &problems) == 0);
        check_problems(&problems);
        for (size_t i = 0; i < grants_count(g); i++)
                check_grant(grants_get(g, i));
        check_rules(g);

        must(grants_print(g, &text, &n) == 0);
        must(grants_parse(&again, "FILE", text, n, &now, &problems) == 0);
        must(problems.n_items == 0);
        check_again(g, again);
        must(grants_print(again, &text_again, &n_again) == 0);
        must(streq(text, text_again));
        return 0;
}
