/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* PolicyGrants: see policy-grants.h. Owns nothing. */

#include "common/policy/policy-grants.h"

#include <assert.h>

#include "common/base/limits.h"
#include "common/base/text.h"

const char *policy_grant_check_reason(const char *reason) {
        assert(reason);

        if (reason[strspn(reason, " \t")] == '\0')
                return "a reason is needed: whoever meets the grant is told";
        if (strlen(reason) > GRANT_REASON_MAX)
                return "it is too long";
        for (const char *p = reason; *p; p += text_printable_length(p))
                if (text_printable_length(p) == 0)
                        return "it has to be one line of text that can be read";
        return NULL;
}

/* Why a grant that allows is not trusted; one that denies stays in force until it ends. */
static const char *find_doubt(const PolicyFile *f, const PolicyRule *rule, const BootMoment *now) {
        if (rule->verdict == POLICY_DENY)
                return NULL;
        if (*now->id == '\0')
                return "the id of this boot cannot be read";
        if (!f->boot_id)
                return "the file does not say in which boot it was given";
        if (!streq(f->boot_id, now->id))
                return "it was given in another boot";
        if (rule->expires_usec != UINT64_MAX && rule->ends_boot_usec == UINT64_MAX)
                return "it has a time and no \"uptime\", which nobody can set back";
        return NULL;
}

/**
 * policy_grants_settle() - remove the grants that are not in force any more
 * @f: of the kind POLICY_FILE_GRANTS
 *
 * A grant for a time ends by the wall clock, which policy_judge() checks, or by the clock of the boot, whichever
 * comes first: otherwise setting the clock back would extend it. A grant that allows is removed if its end is not
 * known.
 *
 * Return: 0; -ENOMEM.
 */
int policy_grants_settle(PolicyFile *f, const BootMoment *now, ProblemList *problems) {
        bool is_of_this_boot;
        size_t kept = 0;

        assert(f && f->kind == POLICY_FILE_GRANTS && now);

        is_of_this_boot = f->boot_id && *now->id && streq(f->boot_id, now->id);
        for (size_t i = 0; i < f->n_rules; i++) {
                const PolicyRule *rule = f->rules + i;
                const char *doubt = find_doubt(f, rule, now);
                int r;

                if (doubt) {
                        r = problem_list_add_at(problems, f->path, rule->line, rule->column,
                                                "%s does not hold: %s; give it again", rule->id, doubt);
                        if (r < 0)
                                return r;
                        continue;
                }
                if (is_of_this_boot && rule->ends_boot_usec <= now->usec)
                        continue;
                f->rules[kept++] = *rule;
        }
        f->n_rules = kept;
        return 0;
}
