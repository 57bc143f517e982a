/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/util.h"
#include "common/policy/policy-file.h"
#include "common/policy/policy-rule.h"
#include "common/policy/policy-subject.h"

/*
 * Policy: the rules in force, in the order of precedence, and the function that judges by them. It is not changed
 * by what happens on disk: whoever follows the files makes a new policy and replaces the old one.
 */
typedef struct Policy Policy;

typedef struct PolicyRuling {           /* what decided, and how. Its strings live as long as policy and subject */
        PolicySource source;
        PolicyVerdict verdict;          /* POLICY_ALLOW, POLICY_DENY or POLICY_REPORT */
        const char *file;               /* NULL: no file says so */
        unsigned line, column;
        const char *id, *reason;        /* may be NULL */
        const PolicyRule *rule;         /* NULL unless one decided */
        uint32_t unknown;               /* POLICY_DEPENDS: the keys that it depends on */
} PolicyRuling;

typedef struct PolicyDecision {
        PolicyRuling actual;
        PolicyRuling would;             /* with what is in audit mode enforced; equals @actual if nothing is */
} PolicyDecision;

/* A step of the trace: what a rule or line does that matches the subject, or may match it. */
typedef enum PolicyTraceStep {
        POLICY_DECIDES,
        POLICY_WOULD_DECIDE,            /* in audit mode */
        POLICY_ADDS,                    /* options or a preference; judging goes on */
        POLICY_TOO_LATE,                /* an earlier one has decided */
        POLICY_IS_OFF,                  /* its mode is off */
        POLICY_IS_OVER,                 /* it has expired */
        POLICY_SKIPS_DEPENDENCIES,      /* it denies by who asked, which dependencies and softdeps are exempt from */
        POLICY_SKIPS_CONTAINERS,        /* it allows, and names neither containers nor their origin */
        POLICY_DEPENDS,                 /* it would be next, if what is not known of the request matches */
        _POLICY_TRACE_STEP_MAX,
        _POLICY_TRACE_STEP_INVALID = -EINVAL,
} PolicyTraceStep;

typedef void (*policy_trace_t)(PolicyTraceStep step, const PolicyRuling *ruling, void *userdata);

typedef struct PolicyOptions {
        PolicyMode mode;                /* Mode= of lkmd.conf: the upper limit of the mode of all rules */
        policy_facts_t facts;           /* NULL: no file can be read */
        void *facts_userdata;
} PolicyOptions;

/*
 * Takes the array and the files, in the order of precedence; a list follows the file that includes it. On failure
 * it takes nothing.
 */
int policy_new(Policy **ret, PolicyFile **files, size_t n_files, const PolicyOptions *options);
Policy *policy_free(Policy *p);
DEFINE_CLEANUP(Policy, policy_free);

/* Replaces *@p by a policy with the same rules and these grants, which are taken on success; NULL: none. */
int policy_replace_grants(Policy **p, PolicyFile *grants);

void policy_set_mode(Policy *p, PolicyMode mode);
bool policy_is_empty(const Policy *p);          /* no rule and no default */
/* Some files are broken and may have said "default: deny"; the policy is what the others say. */
void policy_set_incomplete(Policy *p);
bool policy_is_incomplete(const Policy *p);
void policy_forget_texts(Policy *p);            /* of its files */
bool policy_has_dates(const Policy *p);         /* a rule expires: verdicts change without a change of files */
size_t policy_count_rules(const Policy *p);
const PolicyRule *policy_get_rule(const Policy *p, size_t i); /* in order */
size_t policy_count_files(const Policy *p);
const PolicyFile *policy_get_file(const Policy *p, size_t i);
bool policy_has_rule(const Policy *p, const PolicyRuling *ruling);
PolicyRuling policy_get_default(const Policy *p, PolicyMode *ret_mode);
PolicyRuling policy_ruling_of(const PolicyRule *rule);
PolicyMode policy_get_rule_mode(const Policy *p, const PolicyRule *rule); /* with Mode= taken into account */

/* @p: NULL: no rules. @now_usec: CLOCK_REALTIME. @trace: may be NULL. Allocates nothing. */
void policy_judge(const Policy *p, const PolicySubject *subject, uint64_t now_usec, PolicyDecision *ret,
                  policy_trace_t trace, void *userdata);

/* The rules whose options a module gets, and the rule that says which candidate is preferred. */
typedef int (*policy_options_t)(const PolicyRule *rule, void *userdata);
int policy_each_options(const Policy *p, const PolicySubject *subject, uint64_t now_usec,
                        policy_options_t on_rule, void *userdata);
const PolicyRule *policy_find_preference(const Policy *p, const PolicyRequester *requester, uint64_t now_usec);
/* The same, with what is in audit mode enforced. */
const PolicyRule *policy_would_prefer(const Policy *p, const PolicyRequester *requester, uint64_t now_usec);

/* The rule that says whether a module may go when nobody uses it; NULL: none. */
const PolicyRule *policy_find_idle(const Policy *p, const PolicySubject *subject, uint64_t now_usec);
/* The least time of those rules, UINT64_MAX if none has one; 0: there are none. */
uint64_t policy_least_idle_usec(const Policy *p);

const char *policy_trace_step_to_string(PolicyTraceStep s);
