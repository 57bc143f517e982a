/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * DeniedNames: the modules that the policy denies by name, for every requester, device and alias. A line of
 * modprobe.d can say the same, so that these denials also hold for modprobe and udev. A rule that has other keys,
 * of the request or of the module's file, denies no module by name; if such a rule allows and comes before the one
 * that denies, the module is not denied in every case.
 *
 * Lines of modprobe.d and of the kernel command line are not included: modprobe and udev read them as well.
 */

#include "common/plan/denied-names.h"

#include <assert.h>

#include "common/policy/policy-match.h"

/* The rules with keys other than "module" that allow: each may be an exception from a rule after it. */
typedef struct Exceptions {
        const PolicyRule **rules;       /* in order */
        size_t *places;                 /* the index of each among all rules */
        size_t n_rules;
} Exceptions;

static void exceptions_clear(Exceptions *e) {
        free(e->rules);
        free(e->places);
}

static bool is_exception(const Policy *p, const PolicyRule *rule, uint64_t now_usec) {
        return (rule->verdict == POLICY_ALLOW || rule->verdict == POLICY_REPORT) &&
               rule->expires_usec > now_usec && policy_get_rule_mode(p, rule) == POLICY_ENFORCE &&
               (rule->given & ~POLICY_KEY_BIT(POLICY_KEY_MODULE));
}

static int exceptions_collect(const Policy *p, uint64_t now_usec, Exceptions *ret) {
        size_t n = policy_count_rules(p);

        ret->rules = calloc(n + 1, sizeof(*ret->rules));
        ret->places = calloc(n + 1, sizeof(*ret->places));
        if (!ret->rules || !ret->places)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++) {
                if (!is_exception(p, policy_get_rule(p, i), now_usec))
                        continue;
                ret->rules[ret->n_rules] = policy_get_rule(p, i);
                ret->places[ret->n_rules++] = i;
        }
        return 0;
}

/* Whether the patterns of the rule for the name match, without its other keys. */
static bool may_be_about(const PolicyRule *rule, const PolicySubject *subject) {
        PolicyQuestion q;

        policy_question_init(&q, subject, NULL, NULL);
        return policy_rule_matches(rule, &q, POLICY_KEY_BIT(POLICY_KEY_MODULE));
}

/* @end: the rule that decides; NULL: the default, which comes after all rules. */
static bool may_be_allowed_before(const Policy *p, const Exceptions *e, const PolicyRule *end,
                                  const PolicySubject *subject) {
        for (size_t k = 0; k < e->n_rules; k++) {
                if (!may_be_about(e->rules[k], subject))
                        continue;
                for (size_t i = 0; end && i < e->places[k]; i++)
                        if (policy_get_rule(p, i) == end)
                                return false;
                return true;
        }
        return false;
}

/* Return: the source of what denies the module in every case; negative: nothing. */
static PolicySource find_denial(const Policy *p, const Exceptions *e, const char *module, uint64_t now_usec) {
        const PolicySubject subject = { .part = POLICY_REQUESTED, .module = module };
        PolicyDecision decision;

        policy_judge(p, &subject, now_usec, &decision, NULL, NULL);
        if (decision.actual.verdict != POLICY_DENY || may_be_allowed_before(p, e, decision.actual.rule, &subject))
                return _POLICY_SOURCE_INVALID;
        return decision.actual.source;
}

/* The modules of an index are one array. */
static size_t index_of(const Index *index, const IndexModule *module) {
        return (size_t) (module - index_get_module(index, 0));
}

/* The default does not apply to dependencies of an allowed module. */
static void spare_dependencies(const Index *index, PolicySource *denials) {
        for (size_t i = 0; i < index_count_modules(index); i++) {
                const IndexModule *module = index_get_module(index, i);

                /* Dependencies are transitive: one pass is enough. */
                for (size_t k = 0; denials[i] < 0 && k < module->n_dependencies; k++) {
                        size_t place = index_of(index, module->dependencies[k]);

                        if (denials[place] == POLICY_BY_DEFAULT)
                                denials[place] = _POLICY_SOURCE_INVALID;
                }
        }
}

static int write_names(const Index *index, const PolicySource *denials, char **ret) {
        size_t size;
        FILE *f = open_memstream(ret, &size);

        if (!f)
                return -ENOMEM;
        for (size_t i = 0; i < index_count_modules(index); i++)
                if (denials[i] >= 0 && index_get_module(index, i)->path)
                        (void) fprintf(f, "%s\n", index_get_module(index, i)->name);
        if (fclose(f) == 0)
                return 0;
        free(*ret);
        *ret = NULL;
        return -ENOMEM;
}

/**
 * denied_names_list() - list all modules of this kernel that are denied by name, one per line
 * @p:        NULL: no policy
 * @now_usec: CLOCK_REALTIME
 *
 * Return: 0; -ENOMEM.
 */
int denied_names_list(const Policy *p, const Index *index, uint64_t now_usec, char **ret) {
        _cleanup_(exceptions_clear) Exceptions exceptions = {};
        _cleanup_(freep) PolicySource *denials = NULL;
        size_t n;
        int r;

        assert(index && ret);

        if (!p || policy_is_empty(p)) {
                *ret = strdup("");
                return *ret ? 0 : -ENOMEM;
        }
        r = exceptions_collect(p, now_usec, &exceptions);
        if (r < 0)
                return r;
        n = index_count_modules(index);
        denials = calloc(n + 1, sizeof(*denials));
        if (!denials)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++)
                denials[i] = find_denial(p, &exceptions, index_get_module(index, i)->name, now_usec);
        spare_dependencies(index, denials);
        return write_names(index, denials, ret);
}
