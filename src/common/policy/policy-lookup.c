/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * PolicyLookup: most rules name modules. These are found by the name (literals[]) or by its first byte
 * (initials[]); only the others are visited for every module. The three lists hold indexes of rules in ascending
 * order, and PolicyWalk merges them, so that the rules keep the order of the files.
 */

#include "common/policy/policy-lookup.h"

#include <assert.h>

#define BYTES 256U

struct PolicyLiteral {
        const char *name;
        uint32_t rule;
};

struct PolicyLookup {
        const PolicyRule *const *rules; /* in order */
        size_t n_rules;
        PolicyLiteral *literals;        /* sorted by name, then by rule */
        size_t n_literals;
        uint32_t *initials;             /* rules, sorted by the first byte of their globs .. */
        size_t first_initial[BYTES + 1];/* .. and the index of the first one of each byte */
        uint32_t *others;               /* rules without a name, or with a glob that begins with a wildcard */
        size_t n_others;
};

typedef enum RuleAccess {
        BY_NAME,
        BY_INITIAL,
        BY_ALL,
} RuleAccess;

/* Determined by the least specific pattern of the rule; negated ones do not count. */
static RuleAccess rule_access(const PolicyRule *rule) {
        const PolicyPatterns *names = rule->match + POLICY_KEY_MODULE;
        RuleAccess access = BY_NAME;
        bool any = false;

        for (size_t i = 0; i < names->n_items; i++) {
                const char *glob = names->items[i].glob;

                if (names->items[i].negated)
                        continue;
                any = true;
                if (*glob == '\0' || strchr("*?[\\", *glob))
                        return BY_ALL;
                if (strpbrk(glob, "*?[\\"))
                        access = BY_INITIAL;
        }
        return any ? access : BY_ALL;
}

static int compare_literals(const void *a, const void *b) {
        const PolicyLiteral *x = a, *y = b;
        int c = strcmp(x->name, y->name);

        return c != 0 ? c : (x->rule > y->rule) - (x->rule < y->rule);
}

static bool is_in_initials(const PolicyLookup *l, unsigned byte, size_t n, uint32_t rule) {
        return n > l->first_initial[byte] && l->initials[n - 1] == rule;
}

static void fill_initials(PolicyLookup *l, const RuleAccess *access) {
        size_t n = 0;

        for (unsigned byte = 0; byte < BYTES; byte++) {
                l->first_initial[byte] = n;
                for (uint32_t i = 0; i < l->n_rules; i++) {
                        const PolicyPatterns *names = l->rules[i]->match + POLICY_KEY_MODULE;

                        if (access[i] != BY_INITIAL)
                                continue;
                        for (size_t k = 0; k < names->n_items; k++)
                                if (!names->items[k].negated && (unsigned char) names->items[k].glob[0] == byte &&
                                    !is_in_initials(l, byte, n, i))
                                        l->initials[n++] = i;
                }
        }
        l->first_initial[BYTES] = n;
}

static int build_access(PolicyLookup *l) {
        _cleanup_(freep) RuleAccess *access = NULL;
        size_t n_names = 0, n_initials = 0, n_others = 0;

        access = calloc(l->n_rules + 1, sizeof(*access));
        if (!access)
                return -ENOMEM;
        for (size_t i = 0; i < l->n_rules; i++) {
                size_t n = l->rules[i]->match[POLICY_KEY_MODULE].n_items;

                access[i] = rule_access(l->rules[i]);
                n_names += access[i] == BY_NAME ? n : 0;
                n_initials += access[i] == BY_INITIAL ? n : 0;
                n_others += access[i] == BY_ALL;
        }

        l->literals = calloc(n_names + 1, sizeof(*l->literals));
        l->initials = calloc(n_initials + 1, sizeof(*l->initials));
        l->others = calloc(n_others + 1, sizeof(*l->others));
        if (!l->literals || !l->initials || !l->others)
                return -ENOMEM;

        for (uint32_t i = 0; i < l->n_rules; i++) {
                const PolicyPatterns *names = l->rules[i]->match + POLICY_KEY_MODULE;

                if (access[i] == BY_ALL)
                        l->others[l->n_others++] = i;
                for (size_t k = 0; access[i] == BY_NAME && k < names->n_items; k++)
                        if (!names->items[k].negated)
                                l->literals[l->n_literals++] = (PolicyLiteral) { names->items[k].glob, i };
        }
        qsort(l->literals, l->n_literals, sizeof(*l->literals), compare_literals);
        fill_initials(l, access);
        return 0;
}

int policy_lookup_new(PolicyLookup **ret, const PolicyRule *const *rules, size_t n_rules) {
        _cleanup_(policy_lookup_freep) PolicyLookup *l = NULL;
        int r;

        assert(ret && rules);

        l = calloc(1, sizeof(*l));
        if (!l)
                return -ENOMEM;
        l->rules = rules;
        l->n_rules = n_rules;
        r = build_access(l);
        if (r < 0)
                return r;

        *ret = STEAL_PTR(l);
        return 0;
}

/* Return: NULL. */
PolicyLookup *policy_lookup_free(PolicyLookup *l) {
        if (!l)
                return NULL;

        free(l->literals);
        free(l->initials);
        free(l->others);
        free(l);
        return NULL;
}

/* ------------------------------------------------------------------------------------------------- walking */

void policy_walk_begin(PolicyWalk *ret, const PolicyLookup *l, const char *module) {
        size_t low = 0, high, end;
        unsigned byte;

        assert(ret && l && module);

        high = l->n_literals;
        byte = (unsigned char) module[0];
        while (low < high) {
                size_t middle = low + (high - low) / 2;

                if (strcmp(l->literals[middle].name, module) < 0)
                        low = middle + 1;
                else
                        high = middle;
        }
        for (end = low; end < l->n_literals && streq(l->literals[end].name, module);)
                end++;
        *ret = (PolicyWalk) {
                .lookup = l,
                .literal = l->literals + low,
                .literals_end = l->literals + end,
                .initial = l->initials + l->first_initial[byte],
                .initials_end = l->initials + l->first_initial[byte + 1],
                .other = l->others,
                .others_end = l->others + l->n_others,
        };
}

const PolicyRule *policy_walk_next(PolicyWalk *w) {
        uint32_t least = UINT32_MAX;

        assert(w);

        if (w->literal < w->literals_end)
                least = w->literal->rule;
        if (w->initial < w->initials_end)
                least = MIN(least, *w->initial);
        if (w->other < w->others_end)
                least = MIN(least, *w->other);
        if (least == UINT32_MAX)
                return NULL;

        while (w->literal < w->literals_end && w->literal->rule == least)
                w->literal++;           /* a rule may name the same module several times */
        if (w->initial < w->initials_end && *w->initial == least)
                w->initial++;
        if (w->other < w->others_end && *w->other == least)
                w->other++;
        return w->lookup->rules[least];
}
