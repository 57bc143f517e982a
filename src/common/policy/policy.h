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
 * Policy: the rules in force, in their one order, and the one function that judges by them. Immutable: to
 * follow the disk, make another and swap.
 */
typedef struct Policy Policy;

typedef struct PolicyRuling {           /* what decided, and how. Strings live as long as policy and subject */
        PolicySource source;
        PolicyVerdict verdict;          /* POLICY_ALLOW, POLICY_DENY or POLICY_REPORT */
        const char *file;               /* NULL: nothing was written anywhere */
        unsigned line, column;
        const char *id, *reason;        /* may be NULL */
        const PolicyRule *rule;         /* NULL unless one decided */
} PolicyRuling;

typedef struct PolicyDecision {
        PolicyRuling actual;
        PolicyRuling would;             /* if what is in audit mode were enforced; equals @actual if nothing is */
} PolicyDecision;

/* Something that was met on the way, in order, for those who want to know why. */
typedef enum PolicyTraceStep {
        POLICY_DECIDES,
        POLICY_WOULD_DECIDE,            /* in audit mode */
        POLICY_ADDS,                    /* options or a preference, judging goes on */
        POLICY_TOO_LATE,                /* it matches, but something before it has decided */
        POLICY_IS_OFF,                  /* it would match, but its mode is off */
        POLICY_IS_OVER,                 /* it has expired */
        POLICY_SKIPS_DEPENDENCIES,         /* denies by who asked, and this only comes along (PolicyPart) */
        _POLICY_TRACE_STEP_MAX,
        _POLICY_TRACE_STEP_INVALID = -EINVAL,
} PolicyTraceStep;

typedef void (*policy_trace_t)(PolicyTraceStep how, const PolicyRuling *what, void *userdata);

typedef struct PolicyOptions {
        PolicyMode mode;                /* Mode= of lkmd.conf: no rule has more force than this */
        policy_facts_t facts;           /* NULL: nothing is known of files */
        void *facts_userdata;
} PolicyOptions;

/*
 * Takes the files (an array of its own) with all rules, in the order of precedence; lists stand behind the
 * file that includes them. On failure nothing is taken.
 */
int policy_new(Policy **ret, PolicyFile **files, size_t n_files, const PolicyOptions *options);
Policy *policy_free(Policy *p);
DEFINE_CLEANUP(Policy, policy_free);

/* Makes @p one with the same rules and other grants, which are taken on success; NULL: none. */
int policy_replace_grants(Policy **p, PolicyFile *grants);

void policy_set_mode(Policy *p, PolicyMode mode);
bool policy_is_empty(const Policy *p);          /* no rule, no default: nothing to ask it */
/* It is what can be read of files of which some are broken, and those may say "default: deny". */
void policy_set_incomplete(Policy *p);
bool policy_is_incomplete(const Policy *p);
void policy_forget_texts(Policy *p);            /* of its files */
bool policy_has_dates(const Policy *p);         /* some rule expires: what it says changes by itself */
size_t policy_count_rules(const Policy *p);
const PolicyRule *policy_get_rule(const Policy *p, size_t i); /* in order */
size_t policy_count_files(const Policy *p);
const PolicyFile *policy_get_file(const Policy *p, size_t i);
PolicyRuling policy_get_default(const Policy *p, PolicyMode *ret_mode);
PolicyRuling policy_ruling_of(const PolicyRule *rule);
PolicyMode policy_get_rule_mode(const Policy *p, const PolicyRule *rule); /* with Mode= taken into account */

/* @p may be NULL: no rules. @now_usec: CLOCK_REALTIME. @trace may be NULL. Allocates nothing. */
void policy_judge(const Policy *p, const PolicySubject *subject, uint64_t now_usec, PolicyDecision *ret,
                  policy_trace_t trace, void *userdata);

/* The rules whose options hold for a module, and the one that says which candidate is preferred. */
typedef int (*policy_options_t)(const PolicyRule *rule, void *userdata);
int policy_each_options(const Policy *p, const PolicySubject *subject, uint64_t now_usec,
                        policy_options_t on_rule, void *userdata);
const PolicyRule *policy_find_preference(const Policy *p, const PolicyRequester *requester, uint64_t now_usec);
/* The same, if what is in audit mode were enforced. */
const PolicyRule *policy_would_prefer(const Policy *p, const PolicyRequester *requester, uint64_t now_usec);

const char *policy_trace_step_to_string(PolicyTraceStep m);
