/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/base/util.h"
#include "common/index/index.h"
#include "common/policy/policy.h"

/*
 * Plan: what one request comes to, before anything is done. A graph of steps (one per module), why each is
 * in, what it waits for, and everything that was left out with its reason. It copies what it says: it may
 * outlive its index.
 */

typedef enum PlanMode {
        PLAN_AUTOLOAD,                  /* a device or the kernel asks: blacklist holds for every candidate */
        PLAN_NAMED,                     /* a person asks: blacklist holds for what an alias led to */
} PlanMode;

typedef enum PlanAction {
        PLAN_INSERT,
        PLAN_COMMAND,                   /* the module's install line is run instead */
        PLAN_BUILTIN,                   /* nothing to do */
        _PLAN_ACTION_MAX,
        _PLAN_ACTION_INVALID = -EINVAL,
} PlanAction;

typedef enum PlanReason {
        PLAN_REQUESTED,
        PLAN_DEPENDENCY,                /* of @parent */
        PLAN_SOFTDEP_PRE,
        PLAN_SOFTDEP_POST,
        _PLAN_REASON_MAX,
        _PLAN_REASON_INVALID = -EINVAL,
} PlanReason;

typedef struct PlanEdge {
        size_t step;                    /* that has to be over first */
        bool required;                  /* its failure is this step's (dependency); else order only */
} PlanEdge;

typedef struct PlanParameter {          /* one assignment and where it came from */
        char *text;                     /* "name=value" or "name" */
        char *file;                     /* NULL: the request itself */
        unsigned line;
} PlanParameter;

/* Who wrote words that go to the kernel, as lkmd-loader is to find out for itself. */
typedef enum PlanWordsKind {
        PLAN_WORDS_OF_LINE, /* all that an "options" line of modprobe.d says */
        PLAN_WORDS_OF_KERNEL_LINE, /* one parameter on the kernel command line */
        PLAN_WORDS_OF_RULE, /* one entry of "options" of a rule */
        PLAN_WORDS_OF_ROOT, /* one parameter that the request brought, which is root's or nobody's yet */
        PLAN_WORDS_ALLOWED, /* likewise, of somebody whom "parameters" of a rule allows it */
        PLAN_WORDS_NOT_ALLOWED, /* likewise, and nothing allows it: the request is to be refused */
} PlanWordsKind;

typedef struct PlanWords {
        PlanWordsKind kind;
        char *text;
        char *file; /* that has the line or the rule; NULL: none */
        char *name; /* that the line or the request names; PLAN_WORDS_ALLOWED: the pattern */
        char *alias_file; /* has the alias by which that name means the module; NULL: it is its own */
} PlanWords;

/* Why the policy allows or denies something; lkmd-policy(5). */
typedef struct PlanRuling {
        PolicySource source;            /* _POLICY_SOURCE_INVALID: it was not asked */
        char *file;                     /* of the line that decided; NULL: none */
        unsigned line, column;          /* 0: not known */
        char *rule;                     /* id of the rule; NULL: it has none */
        char *reason;                   /* one sentence; NULL: none was given */
} PlanRuling;

typedef struct PlanStep {
        char *module;
        char *path;                     /* absolute; NULL unless PLAN_INSERT */
        char *alias;                    /* pattern that led here; NULL: by name */
        char *parameters;               /* joined as modprobe does, trimmed; "" for none */
        PlanParameter *parameter_origins;
        size_t n_parameter_origins;
        PlanWords *words; /* the same once more, as it is to be proved */
        size_t n_words;
        PlanAction action;
        char *command;                  /* install line, PLAN_COMMAND only */
        char *command_file;
        unsigned command_line;
        PlanReason reason;
        PlanRuling allowed_by;           /* what the policy went by */
        bool allowed_once;              /* a grant for one request, which this request uses up */
        bool would_refuse;              /* what is in audit mode would deny it; no news when it is asked again */
        bool by_alias;                  /* requested, and an alias led here: blacklist lines hold */
        bool reported;                  /* allowed, and to be reported ("verdict: audit") */
        size_t parent;                  /* index of the step it is in for; SIZE_MAX for PLAN_REQUESTED */
        bool required;                  /* some requested module fails without it */
        PlanEdge *after;
        size_t n_after;
} PlanStep;

typedef enum PlanOmissionKind {
        PLAN_BLACKLISTED,
        PLAN_DENIED,                    /* by a rule, or by "install X /bin/false" or /bin/true */
        PLAN_NOT_PREFERRED,             /* another candidate is, by a rule; harmless */
        PLAN_SOFTDEP_MISSING,           /* a softdep that names no module; harmless */
        PLAN_SOFTDEP_LOOP,              /* a softdep that leads back: the order it asks for is not kept */
        PLAN_FILE_MISSING,              /* modules.dep names a file that is not there */
        PLAN_MODULE_MISSING,            /* an alias leads to a module that does not exist */
        PLAN_IMPOSSIBLE,                /* it needs a module that was left out; that one's line is named */
        _PLAN_OMISSION_KIND_MAX,
        _PLAN_OMISSION_KIND_INVALID = -EINVAL,
} PlanOmissionKind;

typedef struct PlanOmission {
        PlanOmissionKind kind;
        char *module;                   /* or the key that means nothing */
        char *wanted_by;                /* module; NULL: the request */
        bool required;                  /* the request cannot succeed because of it */
        PlanRuling ruling;                /* also of a softdep's line, which no policy was asked about */
} PlanOmission;

typedef struct Plan {
        char *key;                      /* as asked */
        PlanStep *steps;                /* in a valid order: every step after those it waits for */
        size_t n_steps;
        PlanOmission *omissions;
        size_t n_omissions;
        size_t n_matches;               /* modules that the key means, also those left out; 0: none */
        bool audited;                   /* it would be another one with as_if_enforced */
        PlanMode mode;                  /* as asked */
        uint64_t generation;            /* of policy and index, for who keeps them; 0 */
} Plan;

/* Told of all that the policy met on its way to a verdict about a module of the plan, in order. */
typedef void (*plan_trace_t)(const PolicySubject *subject, PolicyTraceStep how, const PolicyRuling *what,
                           void *userdata);

typedef struct LookupCache LookupCache;

typedef struct PlanRequest {
        const char *key;                /* name, alias or modalias; bytes */
        PlanMode mode;
        const char *parameters;         /* for the requested modules only; NULL: none */
        bool ignore_install;            /* as modprobe -i */
        bool compat_kmod;               /* by the rules of kmod 34 where they are others than ours (plan-rules.h) */
        bool blacklist_denies;          /* Blacklist=deny: a blacklist line holds for everything, named or needed */
        LookupCache *cache;             /* of look-ups; NULL: none */
        const Policy *policy;           /* NULL: no rules */
        const PolicyRequester *requester; /* NULL: not known; its key is ours, whatever it says */
        uint64_t now_usec;              /* CLOCK_REALTIME, for rules that expire */
        bool as_if_enforced;            /* what is in audit mode counts, to see what it would do */
        plan_trace_t trace;                 /* NULL: nobody wants to know why */
        void *trace_userdata;
} PlanRequest;

Plan *plan_free(Plan *p);
DEFINE_CLEANUP(Plan, plan_free);

PolicyPart plan_part_of(PlanReason reason); /* as what a module comes in */
PolicyPart plan_step_part(const PlanStep *step);
int plan_omission_init(PlanOmission *ret, PlanOmissionKind kind, const char *module, const char *wanted_by);
void plan_omission_clear(PlanOmission *o);
int plan_add_omission(Plan *p, PlanOmissionKind kind, size_t step, const PlanRuling *ruling);

int plan_ruling_set(PlanRuling *c, const PolicyRuling *ruling);
int plan_ruling_copy(PlanRuling *ret, const PlanRuling *c);
void plan_ruling_clear(PlanRuling *c);
const char *plan_action_to_string(PlanAction a);
const char *plan_reason_to_string(PlanReason r);
const char *plan_omission_kind_to_string(PlanOmissionKind k);
PlanOmissionKind plan_omission_kind_from_string(const char *s);
