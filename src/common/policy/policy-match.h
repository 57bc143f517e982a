/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>

#include "common/base/limits.h"
#include "common/policy/policy-rule.h"
#include "common/policy/policy-subject.h"

/*
 * PolicyQuestion: a subject on its way through the rules, with what of it had to be worked out first. Lives
 * for one judgement.
 */
typedef struct PolicyQuestion {
        const PolicySubject *subject;
        policy_facts_t find_facts;      /* NULL: nothing is known of files */
        void *facts_userdata;
        const char *alias;              /* the key as asked, normalised; NULL: the module's own name, or nothing */
        char alias_buffer[REQUEST_KEY_MAX + 1];
        bool facts_asked;
        const ModuleFacts *facts;
} PolicyQuestion;

void policy_question_init(PolicyQuestion *q, const PolicySubject *subject, policy_facts_t find_facts,
                          void *facts_userdata);

/* Do all keys that a rule has match? @request_only: those about the module itself are not looked at. */
bool policy_rule_matches(const PolicyRule *rule, PolicyQuestion *q, bool request_only);

/* Does the rule say anything of the module itself? */
bool policy_rule_is_of_module(const PolicyRule *rule);
