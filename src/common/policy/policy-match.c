/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Whether a rule is about a module and the request that it is wanted for. Allocates nothing, and asks for
 * what is in the module's file only when everything else matches.
 */

#include "common/policy/policy-match.h"

#include <assert.h>

#include "common/base/glob.h"
#include "common/base/limits.h"
#include "common/base/module-name.h"

/*
 * The alias as rules know it. A key that no normalisation takes (an open bracket) is left as it is: rules are
 * for what was asked, however odd.
 */
static void set_alias(PolicyQuestion *q, const char *key) {
        size_t n = strlen(key);

        if (n > REQUEST_KEY_MAX)
                return;                 /* nobody may ask that: plan_new() refuses it */
        memcpy(q->alias_buffer, key, n + 1);
        if (!module_name_normalize_in_place(q->alias_buffer))
                memcpy(q->alias_buffer, key, n + 1);
        if (q->subject->part == POLICY_REQUESTED && streq(q->alias_buffer, q->subject->module))
                return;                 /* asked for by its name */
        q->alias = q->alias_buffer;
}

void policy_question_init(PolicyQuestion *q, const PolicySubject *subject, policy_facts_t find_facts,
                          void *facts_userdata) {
        assert(q && subject);

        q->subject = subject;
        q->find_facts = find_facts;
        q->facts_userdata = facts_userdata;
        q->alias = NULL;
        q->facts_asked = false;
        q->facts = NULL;
        if (subject->requester && subject->requester->key)
                set_alias(q, subject->requester->key);
}

static const ModuleFacts *get_facts(PolicyQuestion *q) {
        if (!q->facts_asked && q->subject->path && q->find_facts)
                q->facts = q->find_facts(q->subject->path, q->facts_userdata);
        q->facts_asked = true;
        return q->facts;
}

/* What a key is about, in this question; NULL if that is not known. */
static const char *get_value(PolicyKey key, PolicyQuestion *q) {
        static const PolicyRequester nobody = { .origin = _ORIGIN_INVALID };
        const PolicyRequester *requester = q->subject->requester ?: &nobody;
        const ModuleFacts *facts;

        switch (key) {
        case POLICY_KEY_MODULE:
                return q->subject->module;
        case POLICY_KEY_LICENSE:
                facts = get_facts(q);
                return facts ? facts->license ?: "" : NULL;
        case POLICY_KEY_SIGNED:
                facts = get_facts(q);
                return !facts ? NULL : facts->is_signed ? "yes" : "no";
        case POLICY_KEY_INTREE:
                facts = get_facts(q);
                return !facts ? NULL : facts->in_tree ? "yes" : "no";
        case POLICY_KEY_ALIAS:
                return q->alias;
        case POLICY_KEY_MODALIAS:
                return q->alias && strchr(q->alias, ':') ? q->alias : NULL;
        case POLICY_KEY_ORIGIN:
                return request_origin_to_string(requester->origin);
        case POLICY_KEY_SUBSYSTEM:
                return requester->subsystem;
        case POLICY_KEY_DRIVER:
                return requester->driver;
        case POLICY_KEY_UNIT:
                return requester->unit;
        default:
                return NULL;
        }
}

static bool uid_matches(const PolicyPatterns *patterns, const PolicyRequester *requester) {
        bool wanted = true, found = false;

        if (!requester || !requester->has_uid)
                return false;
        for (size_t i = 0; i < patterns->n_items; i++) {
                const PolicyPattern *p = patterns->items + i;
                bool is = requester->uid >= p->min && requester->uid <= p->max;

                if (p->negated && is)
                        return false;
                wanted &= p->negated;
                found |= !p->negated && is;
        }
        return wanted || found;
}

/* PolicyPatterns, policy-rule.h, says what this means. */
static bool value_matches(const PolicyPatterns *patterns, const char *value) {
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

/* The keys that have to open a file come last: most rules are decided by then. */
static const PolicyKey keys_in_order[] = {
        POLICY_KEY_ORIGIN, POLICY_KEY_MODULE,  POLICY_KEY_SUBSYSTEM, POLICY_KEY_UID,    POLICY_KEY_DRIVER,
        POLICY_KEY_UNIT,   POLICY_KEY_ALIAS,   POLICY_KEY_MODALIAS,  POLICY_KEY_LICENSE, POLICY_KEY_SIGNED,
        POLICY_KEY_INTREE,
};
_Static_assert(ARRAY_LEN(keys_in_order) == _POLICY_KEY_MAX, "every key has its place");

bool policy_rule_matches(const PolicyRule *rule, PolicyQuestion *q, bool request_only) {
        assert(rule && q);

        for (size_t i = 0; i < ARRAY_LEN(keys_in_order); i++) {
                PolicyKey key = keys_in_order[i];
                const PolicyPatterns *patterns = rule->match + key;

                if (patterns->n_items == 0 || (request_only && POLICY_KEY_IS_OF_MODULE(key)))
                        continue;
                if (key == POLICY_KEY_UID ? !uid_matches(patterns, q->subject->requester)
                                          : !value_matches(patterns, get_value(key, q)))
                        return false;
        }
        return true;
}

bool policy_rule_is_of_module(const PolicyRule *rule) {
        assert(rule);

        for (PolicyKey key = 0; key < _POLICY_KEY_MAX; key++)
                if (POLICY_KEY_IS_OF_MODULE(key) && rule->match[key].n_items > 0)
                        return true;
        return false;
}
