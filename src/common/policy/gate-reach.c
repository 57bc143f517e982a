/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * GateReach: see gate-reach.h. Where it says NONE or ALL, policy_judge() finds the same of each single request;
 * SOME is the answer to everything else, also where a closer look would tell. Owns and allocates nothing.
 */

#include "common/policy/gate-reach.h"

#include <assert.h>

#include "common/base/glob.h"
#include "common/base/util.h"

/* What the patterns of one key come to; see PolicyPatterns. */
typedef struct Sum {
        bool has_wanted;
        GateReach wanted, unwanted;     /* the most of any pattern that is not negated, and that is */
} Sum;

static void sum_add(Sum *s, const PolicyPattern *p, GateReach reach) {
        GateReach *to = p->negated ? &s->unwanted : &s->wanted;

        s->has_wanted |= !p->negated;
        *to = reach > *to ? reach : *to;
}

static GateReach sum_get(const Sum *s) {
        GateReach reach = s->has_wanted ? s->wanted : GATE_REACH_ALL;

        if (s->unwanted == GATE_REACH_ALL)
                return GATE_REACH_NONE;
        return s->unwanted == GATE_REACH_SOME ? gate_reach_least(reach, GATE_REACH_SOME) : reach;
}

size_t gate_glob_literal(const char *glob, bool *ret_whole) {
        size_t n;

        assert(glob && ret_whole);

        n = strcspn(glob, "*?[]\\");
        *ret_whole = glob[n] == '\0';
        return n;
}

/* Does the glob match everything that begins with something that it matches? */
static bool is_open(const char *glob) {
        size_t n = strlen(glob), escapes = 0;

        if (n == 0 || glob[n - 1] != '*')
                return false;
        while (escapes + 1 < n && glob[n - 2 - escapes] == '\\')
                escapes++;
        return escapes % 2 == 0;
}

GateReach gate_glob_reach(const char *glob, const GateRegion *region) {
        size_t n, length;
        bool whole;

        assert(glob && region);

        if (region->whole)
                return glob_match(glob, region->text) ? GATE_REACH_ALL : GATE_REACH_NONE;
        if (is_open(glob) && glob_match(glob, region->text))
                return GATE_REACH_ALL;

        n = gate_glob_literal(glob, &whole);
        length = strlen(region->text);
        if (strncmp(glob, region->text, MIN(n, length)) != 0)
                return GATE_REACH_NONE;
        if (whole && n < length)
                return GATE_REACH_NONE;
        if (region->has_entries && (whole || n > length))
                return GATE_REACH_NONE;
        return GATE_REACH_SOME;
}

static GateReach reach_of_globs(const PolicyPatterns *patterns, const GateRegion *names, size_t n_names) {
        Sum sum = {};

        for (size_t i = 0; i < patterns->n_items; i++)
                for (size_t k = 0; k < n_names; k++)
                        sum_add(&sum, patterns->items + i,
                                gate_glob_reach(patterns->items[i].glob, names + k));
        return sum_get(&sum);
}

/* Only what has a colon is a modalias. */
static GateReach reach_of_modalias(const PolicyPatterns *patterns, const GateRegion *region) {
        GateReach reach = reach_of_globs(patterns, region, 1);

        if (strchr(region->text, ':'))
                return reach;
        return region->whole ? GATE_REACH_NONE : gate_reach_least(reach, GATE_REACH_SOME);
}

GateReach gate_rule_reach_alias(const PolicyRule *rule, const GateRegion *region) {
        GateReach reach = GATE_REACH_ALL;

        assert(rule && region);

        if (rule->given & POLICY_KEY_BIT(POLICY_KEY_ALIAS))
                reach = reach_of_globs(rule->match + POLICY_KEY_ALIAS, region, 1);
        if (rule->given & POLICY_KEY_BIT(POLICY_KEY_MODALIAS))
                reach = gate_reach_least(reach,
                                         reach_of_modalias(rule->match + POLICY_KEY_MODALIAS, region));
        return reach;
}

GateReach gate_rule_reach_names(const PolicyRule *rule, const GateRegion *names, size_t n_names) {
        assert(rule && names && n_names > 0);

        return rule->given & POLICY_KEY_BIT(POLICY_KEY_ALIAS)
                       ? reach_of_globs(rule->match + POLICY_KEY_ALIAS, names, n_names)
                       : GATE_REACH_ALL;
}

GateReach gate_rule_reach_uids(const PolicyRule *rule, GateRange uids) {
        const PolicyPatterns *patterns;
        Sum sum = {};

        assert(rule && uids.first <= uids.last);

        patterns = rule->match + POLICY_KEY_UID;
        if (patterns->n_items == 0)
                return GATE_REACH_ALL;
        for (size_t i = 0; i < patterns->n_items; i++) {
                const PolicyPattern *p = patterns->items + i;

                sum_add(&sum, p,
                        p->min <= uids.first && p->max >= uids.last ? GATE_REACH_ALL
                        : p->min > uids.last || p->max < uids.first ? GATE_REACH_NONE
                                                                    : GATE_REACH_SOME);
        }
        return sum_get(&sum);
}

static GateReach reach_of_key(const PolicyRule *rule, PolicyKey key) {
        static const GateRegion any_module = { .text = "" }, kernel = { .text = "kernel", .whole = true };

        switch (key) {
        case POLICY_KEY_ALIAS:
        case POLICY_KEY_MODALIAS:
        case POLICY_KEY_UID:
                return GATE_REACH_ALL;  /* looked at by the functions above */
        case POLICY_KEY_ORIGIN:
                return reach_of_globs(rule->match + key, &kernel, 1);
        case POLICY_KEY_MODULE:
                return reach_of_globs(rule->match + key, &any_module, 1);
        default:
                return policy_key_is_known(key, ORIGIN_KERNEL) ? GATE_REACH_SOME : GATE_REACH_NONE;
        }
}

GateReach gate_rule_reach_rest(const PolicyRule *rule) {
        GateReach reach = GATE_REACH_ALL;

        assert(rule);

        for (uint32_t left = rule->given; left != 0; left &= left - 1)
                reach = gate_reach_least(reach, reach_of_key(rule, (PolicyKey) __builtin_ctz(left)));
        return reach;
}
