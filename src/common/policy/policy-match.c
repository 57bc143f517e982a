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

typedef enum KeyMatch {
        KEY_DIFFERS,
        KEY_MATCHES,
        KEY_NOT_KNOWN,                  /* it has a value, which is not known */
} KeyMatch;

static KeyMatch match_key(PolicyKey key, const PolicyPatterns *patterns, PolicyQuestion *q) {
        const PolicyKeyInfo *info = policy_keys + key;
        const char *text = info->get_number ? NULL : info->get_text(q);
        uint32_t number;

        if (info->get_number && info->get_number(q, &number))
                return number_matches(patterns, number) ? KEY_MATCHES : KEY_DIFFERS;
        if (text)
                return text_matches(patterns, text) ? KEY_MATCHES : KEY_DIFFERS;
        return policy_question_lacks(q, key) ? KEY_NOT_KNOWN : KEY_DIFFERS;
}

bool policy_rule_may_match(const PolicyRule *rule, PolicyQuestion *q, uint32_t keys, uint32_t *ret_unknown) {
        uint32_t unknown = 0;

        assert(rule && q && ret_unknown);

        for (PolicyKeyCost cost = 0; cost < _POLICY_KEY_COST_MAX; cost++)
                for (uint32_t left = rule->given & keys & q->keys_of_cost[cost]; left != 0;
                     left &= left - 1) {
                        PolicyKey key = (PolicyKey) __builtin_ctz(left);
                        KeyMatch match = match_key(key, rule->match + key, q);

                        if (match == KEY_DIFFERS)
                                return false;
                        if (match == KEY_NOT_KNOWN)
                                unknown |= POLICY_KEY_BIT(key);
                }

        *ret_unknown = unknown;
        return true;
}

bool policy_rule_matches(const PolicyRule *rule, PolicyQuestion *q, uint32_t keys) {
        uint32_t unknown;

        return policy_rule_may_match(rule, q, keys, &unknown) && unknown == 0;
}

bool policy_rule_opens_containers(const PolicyRule *rule) {
        const PolicyPatterns *origins;

        assert(rule);

        if (rule->verdict != POLICY_ALLOW)
                return false;
        if (rule->given & POLICY_KEY_BIT(POLICY_KEY_CONTAINER))
                return true;
        origins = rule->match + POLICY_KEY_ORIGIN;
        for (size_t i = 0; i < origins->n_items; i++)
                if (!origins->items[i].negated &&
                    streq(origins->items[i].glob, request_origin_to_string(ORIGIN_CONTAINER)))
                        return true;
        return false;
}

bool policy_rule_is_of_module(const PolicyRule *rule) {
        assert(rule);

        return rule->given & policy_keys_of(POLICY_KEY_OF_MODULE);
}
