/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* PolicyNotes: see policy-notes.h. Owns all that it has. */

#include "cli/offline/policy-notes.h"

#include <assert.h>

#include "common/base/paths.h"

/**
 * policy_notes_begin() - prepare to look at policies
 *
 * Policies are checked on other machines, too: without modules, only what a rule says itself is known.
 *
 * Return: 0; negative errno.
 */
int policy_notes_begin(PolicyNotes *n) {
        int r;

        assert(n);

        r = index_new(&n->index, &(IndexSources) { .root = secure_getenv(LKMD_ROOT_ENV) }, NULL);
        if (r < 0 || !index_is_complete(n->index))
                return r == -ENOMEM ? r : 0;
        return kernel_requests_new(&n->requests, n->index);
}

/* Adds a note for each rule of @policy that needs one. */
int policy_notes_add(PolicyNotes *n, const Policy *policy) {
        int r = 0;

        assert(n && policy);

        for (size_t i = 0; r >= 0 && i < policy_count_rules(policy); i++) {
                const PolicyRule *rule = policy_get_rule(policy, i);
                _cleanup_(freep) char *sentence = NULL;

                if (rule->source != POLICY_BY_RULE)
                        continue;
                r = kernel_requests_describe(n->requests, rule, &sentence);
                if (r >= 0 && sentence)
                        r = problem_list_add_at(&n->list, rule->file, rule->line, rule->column, "%s",
                                                sentence);
        }
        return r;
}

void policy_notes_clear(PolicyNotes *n) {
        assert(n);

        kernel_requests_free(n->requests);
        index_unref(n->index);
        problem_list_clear(&n->list);
}
