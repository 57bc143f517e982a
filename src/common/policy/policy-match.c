/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * PolicyMatch: whether a rule matches a module and its request. Allocates nothing, and reads the module's file
 * only if everything else matches.
 */

#include "common/policy/policy-match.h"

#include <assert.h>

#include "common/base/glob.h"

static bool number_matches(const PolicyPatterns *patterns, uint32_t value) {
        bool only_negated = true, found = false;

        for (size_t i = 0; i < patterns->n_items; i++) {
                const PolicyPattern *p = patterns->items + i;
                bool is = value >= p->min && value <= p->max;

                if (p->negated && is)
                        return false;
                only_negated &= p->negated;
                found |= !p->negated && is;
        }
        return only_negated || found;
}

/* See PolicyPatterns, policy-rule.h. */
static bool text_matches(const PolicyPatterns *patterns, const char *value) {
        bool only_negated = true, found = false;

        if (!value)
                return false;
        for (size_t i = 0; i < patterns->n_items; i++) {
                const PolicyPattern *p = patterns->items + i;

                if (p->negated) {
                        if (glob_match(p->glob, value))
                                return false;
                        continue;
                }
                only_negated = false;
                found = found || glob_match(p->glob, value);
        }
        return only_negated || found;
}

static bool key_matches(PolicyKey key, const PolicyPatterns *patterns, PolicyQuestion *q) {
        const PolicyKeyInfo *info = policy_keys + key;
        uint32_t number;

        if (info->get_number)
                return info->get_number(q, &number) && number_matches(patterns, number);
        return text_matches(patterns, info->get_text(q));
}

bool policy_rule_matches(const PolicyRule *rule, PolicyQuestion *q, uint32_t keys) {
        assert(rule && q);

        for (PolicyKeyCost cost = 0; cost < _POLICY_KEY_COST_MAX; cost++)
                for (uint32_t left = rule->given & keys & q->keys_of_cost[cost]; left != 0;
                     left &= left - 1) {
                        PolicyKey key = (PolicyKey) __builtin_ctz(left);

                        if (!key_matches(key, rule->match + key, q))
                                return false;
                }
        return true;
}

bool policy_rule_is_of_module(const PolicyRule *rule) {
        assert(rule);

        return rule->given & policy_keys_of(POLICY_KEY_OF_MODULE);
}
