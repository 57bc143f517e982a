/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * GateRules: see gate-rules.h. Owns its arrays, borrows the rules. A refusal in the kernel is final, while all
 * else is decided by policy_judge() later: so a rule that may allow ends the search like one that does, and one
 * that may deny counts for nothing.
 */

#include "common/policy/gate-rules.h"

#include <assert.h>

#define UID_LAST (UINT32_MAX - 1)       /* UINT32_MAX means "no user" to the kernel */

/*
 * What the rule matches apart from aliases and users. Of a rule that expires nobody knows when the gate will be
 * asked, and a grant for one request is used up by lkmd alone.
 */
static GateReach reach_apart(const Policy *policy, const PolicyRule *rule, uint64_t now_usec) {
        GateReach reach;

        if (rule->verdict == POLICY_NO_VERDICT || rule->expires_usec <= now_usec ||
            policy_get_rule_mode(policy, rule) != POLICY_ENFORCE)
                return GATE_REACH_NONE;
        reach = gate_rule_reach_rest(rule);
        if (rule->expires_usec != UINT64_MAX || rule->once)
                reach = gate_reach_least(reach, GATE_REACH_SOME);
        return reach;
}

static size_t count_patterns(const PolicyRule *rule) {
        return rule->match[POLICY_KEY_ALIAS].n_items + rule->match[POLICY_KEY_MODALIAS].n_items;
}

/* Does it decide everything that is left, so that no rule behind it matters? */
static bool is_last(const PolicyRule *rule, GateReach reach) {
        return count_patterns(rule) == 0 && rule->match[POLICY_KEY_UID].n_items == 0 &&
               (reach == GATE_REACH_ALL || rule->verdict != POLICY_DENY);
}

/* Whatever comes behind GATE_PATTERNS_MAX may allow anything. */
static void collect(GateRules *r, const Policy *policy, PolicyScope scope, uint64_t now_usec) {
        size_t n_all = 0;

        for (size_t i = 0; i < policy_count_rules(policy); i++) {
                const PolicyRule *rule = policy_get_rule(policy, i);
                GateReach reach = reach_apart(policy, rule, now_usec);

                if (reach == GATE_REACH_NONE || (scope == POLICY_SCOPE_USE && rule->scope != scope) ||
                    (rule->verdict == POLICY_DENY && reach != GATE_REACH_ALL))
                        continue;
                n_all += 1 + count_patterns(rule) + rule->match[POLICY_KEY_UID].n_items;
                if (n_all > GATE_PATTERNS_MAX) {
                        r->refuses_rest = false;
                        break;
                }
                r->items[r->n_items++] = (GateRule) { .rule = rule, .sure = reach == GATE_REACH_ALL };
                r->n_patterns += count_patterns(rule);
                if (is_last(rule, reach))
                        break;
        }
}

/**
 * gate_rules_init() - pick what matters of a policy
 * @policy: NULL: no rules; else borrowed
 * @scope:  POLICY_SCOPE_LOAD: what may be loaded, by all rules and the default; POLICY_SCOPE_USE: which sockets there
 *          may be, by the rules with this scope alone
 *
 * gate_rules_classify() has to follow.
 *
 * Return: 0; -ENOMEM.
 */
int gate_rules_init(GateRules *r, const Policy *policy, PolicyScope scope, uint64_t now_usec) {
        PolicyMode mode;

        assert(r);

        *r = (GateRules) {};
        if (scope == POLICY_SCOPE_LOAD)
                r->refuses_rest = policy_get_default(policy, &mode).verdict == POLICY_DENY &&
                                  mode == POLICY_ENFORCE;
        r->items = calloc(MIN(policy_count_rules(policy), (size_t) GATE_PATTERNS_MAX) + 1,
                          sizeof(*r->items));
        if (!r->items)
                return -ENOMEM;
        collect(r, policy, scope, now_usec);
        return 0;
}

void gate_rules_clear(GateRules *r) {
        assert(r);

        free(r->items);
        *r = (GateRules) {};
}

/* --------------------------------------------------------------------------------------------- classes */

static int compare_uids(const void *a, const void *b) {
        uint32_t x = *(const uint32_t *) a, y = *(const uint32_t *) b;

        return (x > y) - (x < y);
}

static size_t add_starts(uint32_t *starts, const GateRules *rules) {
        size_t n = 0;

        for (size_t i = 0; i < rules->n_items; i++) {
                const PolicyPatterns *patterns = rules->items[i].rule->match + POLICY_KEY_UID;

                for (size_t k = 0; k < patterns->n_items; k++) {
                        starts[n++] = patterns->items[k].min;
                        if (patterns->items[k].max < UID_LAST)
                                starts[n++] = patterns->items[k].max + 1;
                }
        }
        return n;
}

/**
 * gate_classes_init() - which users no rule tells apart
 * @rules: of @n_rules policies or parts of one
 *
 * Each class begins where a pattern begins or has ended. What would be more than GATE_CLASSES_MAX is the last one.
 *
 * Return: 0; -ENOMEM.
 */
int gate_classes_init(GateClasses *c, const GateRules *rules, size_t n_rules) {
        _cleanup_(freep) uint32_t *starts = NULL;
        size_t n = 1;                   /* 0 is the first */

        assert(c && rules);

        *c = (GateClasses) {};
        starts = calloc(2 * (size_t) GATE_PATTERNS_MAX * n_rules + 1, sizeof(*starts));
        if (!starts)
                return -ENOMEM;
        for (size_t i = 0; i < n_rules; i++)
                n += add_starts(starts + n, rules + i);
        qsort(starts, n, sizeof(*starts), compare_uids);

        for (size_t i = 0; i < n && c->n < GATE_CLASSES_MAX; i++)
                if (i == 0 || starts[i] != starts[i - 1])
                        c->uid_starts[c->n++] = starts[i];
        return 0;
}

static GateRange class_range(const GateClasses *c, size_t class) {
        return (GateRange) {
                .first = c->uid_starts[class],
                .last = class + 1 < c->n ? c->uid_starts[class + 1] - 1 : UID_LAST,
        };
}

/* Finds the classes that each rule matches; called once. */
void gate_rules_classify(GateRules *r, const GateClasses *classes) {
        assert(r && classes);

        r->all = UINT32_MAX >> (GATE_CLASSES_MAX - classes->n);
        for (size_t i = 0; i < r->n_items; i++) {
                GateRule *rule = r->items + i;
                bool sure = rule->sure;

                rule->sure = 0;
                for (size_t k = 0; k < classes->n; k++) {
                        GateReach reach = gate_rule_reach_uids(rule->rule, class_range(classes, k));

                        rule->sure |= sure && reach == GATE_REACH_ALL ? UINT32_C(1) << k : 0;
                        rule->may |= reach != GATE_REACH_NONE ? UINT32_C(1) << k : 0;
                }
        }
}

/* --------------------------------------------------------------------------------------------- deciding */

/**
 * gate_rules_decide() - which classes of users are refused something
 * @reach: asked of each rule in order, until every class is decided
 */
GateDecision gate_rules_decide(const GateRules *r, gate_reach_t reach, const void *what) {
        const PolicyRule *first[GATE_CLASSES_MAX] = {};
        GateDecision d = {};
        uint32_t left;

        assert(r && reach);

        left = r->all;
        for (size_t i = 0; i < r->n_items && left != 0; i++) {
                const GateRule *rule = r->items + i;
                GateReach found = reach(rule->rule, what);
                uint32_t sure = left & (found == GATE_REACH_ALL ? rule->sure : 0);

                if (found == GATE_REACH_NONE)
                        continue;
                if (rule->rule->verdict != POLICY_DENY) {
                        left &= ~rule->may;
                        continue;
                }
                for (uint32_t bits = sure; bits != 0; bits &= bits - 1)
                        first[__builtin_ctz(bits)] = rule->rule;
                d.refused |= sure;
                left &= ~sure;
        }
        if (r->refuses_rest)
                d.refused |= left;
        d.rule = d.refused != 0 ? first[__builtin_ctz(d.refused)] : NULL;
        return d;
}
