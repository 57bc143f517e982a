/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/base/util.h"
#include "common/index/index.h"
#include "common/module/file-facts.h"
#include "common/policy/policy.h"

/*
 * Plan: what a request leads to, before anything is done. A graph of steps (one per module), the reason of each,
 * what it waits for, and the omissions with their reasons. Owns copies of everything, so that it may outlive its
 * index.
 */

typedef enum PlanMode {
        PLAN_AUTOLOAD,                  /* a device asks: blacklist lines apply to every candidate */
        PLAN_NAMED,                     /* somebody asks for a name: they apply to candidates found by an alias */
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
        size_t step;                    /* that has to end first */
        bool required;                  /* a dependency: if it fails, this step fails; else order only */
} PlanEdge;

typedef struct PlanParameter {          /* one assignment and its place */
        char *text;                     /* "name=value" or "name" */
        char *file;                     /* NULL: it is from the request */
        unsigned line;
} PlanParameter;

/* Where parameters are from; lkmd-loader checks that itself. */
typedef enum PlanWordsKind {
        PLAN_WORDS_OF_LINE,             /* all parameters of an "options" line of modprobe.d */
        PLAN_WORDS_OF_KERNEL_LINE,      /* one parameter on the kernel command line */
        PLAN_WORDS_OF_RULE,             /* one entry of "options" of a rule */
        PLAN_WORDS_OF_ROOT,             /* one parameter of the request, of root or of no requester */
        PLAN_WORDS_ALLOWED,             /* one parameter of another requester, allowed by "parameters" of a rule */
        PLAN_WORDS_NOT_ALLOWED,         /* likewise, and not allowed: the request is to be refused */
} PlanWordsKind;

typedef struct PlanWords {
        PlanWordsKind kind;
        char *text;
        char *file;                     /* of the line or rule; NULL: none */
        char *name;                     /* in the line or request; PLAN_WORDS_ALLOWED: the pattern */
        char *alias_file;               /* of the alias @name; NULL: @name is that of the module */
} PlanWords;

/* Which rule or line decided; lkmd-policy(5). */
typedef struct PlanRuling {
        PolicySource source;            /* _POLICY_SOURCE_INVALID: the policy was not asked */
        char *file;                     /* of the line that decided; NULL: none */
        unsigned line, column;          /* 0: not known */
        char *rule;                     /* id of the rule; NULL: it has none */
        char *reason;                   /* one sentence; NULL: none */
} PlanRuling;

typedef struct PlanStep {
        char *module;                   /* by the name of its file */
        char *kernel_name;              /* what the kernel calls it, if that is another name and known; else NULL */
        char *path;                     /* absolute; NULL unless PLAN_INSERT */
        char *alias;                    /* pattern that matched the key; NULL: found by name */
        char *parameters;               /* joined as by modprobe, trimmed; "" for none */
        PlanParameter *parameter_origins;
        size_t n_parameter_origins;
        PlanWords *words;               /* the same parameters, for lkmd-loader */
        size_t n_words;
        PlanAction action;
        char *command;                  /* the install line; PLAN_COMMAND only */
        char *command_file;
        unsigned command_line;
        PlanReason reason;
        PlanRuling allowed_by;
        bool allowed_once;              /* by a grant for one request, which this request uses up */
        bool would_refuse;              /* a rule in audit mode would deny it; reported already */
        bool by_alias;                  /* requested and found by an alias: blacklist lines apply */
        bool reported;                  /* allowed, and to be reported ("verdict: audit") */
        size_t parent;                  /* index of the step that it is for; SIZE_MAX for PLAN_REQUESTED */
        bool required;                  /* a requested module fails without it */
        bool fails;                     /* its file is of no use, or that of one that it needs: see the omissions */
        int unknown;                    /* negative errno, why its file could not be looked into; 0: it was */
        PlanEdge *after;
        size_t n_after;
} PlanStep;

typedef enum PlanOmissionKind {
        PLAN_BLACKLISTED,
        PLAN_DENIED,                    /* by a rule, or by "install X /bin/false" or /bin/true */
        PLAN_NOT_PREFERRED,             /* a rule prefers another candidate; harmless */
        PLAN_SOFTDEP_MISSING,           /* a softdep that names no module; harmless */
        PLAN_SOFTDEP_LOOP,              /* a softdep of a cycle: its order is not kept */
        PLAN_FILE_MISSING,              /* modules.dep names a file that does not exist */
        PLAN_FILE_UNUSABLE,             /* lkmd-loader or the kernel will refuse the file: its step fails */
        PLAN_MODULE_MISSING,            /* an alias for a module that does not exist */
        PLAN_TURNED_OFF,                /* an alias says "off", and no module is called so */
        PLAN_IMPOSSIBLE,                /* it needs a module that was left out, whose ruling it has, or that fails */
        _PLAN_OMISSION_KIND_MAX,
        _PLAN_OMISSION_KIND_INVALID = -EINVAL,
} PlanOmissionKind;

typedef struct PlanOmission {
        PlanOmissionKind kind;
        char *module;                   /* or the key that matches nothing, or is turned off */
        char *wanted_by;                /* module; NULL: the request */
        bool required;                  /* the request cannot succeed because of it */
        PlanRuling ruling;              /* or the place of a softdep line, without the policy */
        ModuleFaultKind fault;          /* PLAN_FILE_UNUSABLE: why; @ruling has it as the reason */
} PlanOmission;

typedef struct Plan {
        char *key;                      /* as asked */
        PlanStep *steps;                /* in a valid order: each step after those that it waits for */
        size_t n_steps;
        PlanOmission *omissions;
        size_t n_omissions;
        size_t n_matches;               /* modules that the key matches, including those left out */
        bool audited;                   /* the plan is another one with as_if_enforced */
        PlanMode mode;                  /* as asked */
        uint64_t generation;            /* of policy and index, set by the daemon */
} Plan;

/* Called for each step of the trace of each verdict, in order. */
typedef void (*plan_trace_t)(const PolicySubject *subject, PolicyTraceStep how, const PolicyRuling *what,
                           void *userdata);

typedef struct LookupCache LookupCache;

typedef struct PlanRequest {
        const char *key;                /* name, alias or modalias; bytes */
        PlanMode mode;
        const char *parameters;         /* for the requested modules only; NULL: none */
        bool ignore_install;            /* as modprobe -i */
        bool compat_kmod;               /* Compat=kmod: like kmod 34 where lkmd differs (plan-rules.h) */
        bool blacklist_denies;          /* Blacklist=deny: blacklist lines apply to all modules */
        LookupCache *cache;             /* of look-ups; NULL: none */
        FileFacts *files;               /* of module files; NULL: names in the kernel are not known */
        bool finds_faults;              /* of @files; false: only whether they are there */
        bool by_modprobe;               /* which does not look for what lkmd-loader refuses */
        FileFactsEffort file_effort;    /* to find them */
        const Policy *policy;           /* NULL: no rules */
        const PolicyRequester *requester; /* NULL: not known; its key is ignored */
        uint64_t now_usec;              /* CLOCK_REALTIME, for rules that expire */
        bool as_if_enforced;            /* enforce rules in audit mode */
        plan_trace_t trace;             /* NULL: none */
        void *trace_userdata;
} PlanRequest;

Plan *plan_free(Plan *p);
DEFINE_CLEANUP(Plan, plan_free);

PolicyPart plan_part_of(PlanReason reason);
PolicyPart plan_step_part(const PlanStep *step);
int plan_omission_init(PlanOmission *ret, PlanOmissionKind kind, const char *module, const char *wanted_by);
void plan_omission_clear(PlanOmission *o);
int plan_add_omission(Plan *p, PlanOmissionKind kind, size_t step, const PlanRuling *ruling);

int plan_ruling_set(PlanRuling *c, const PolicyRuling *ruling);
int plan_ruling_copy(PlanRuling *ret, const PlanRuling *c);
void plan_ruling_clear(PlanRuling *c);
const char *plan_step_name(const PlanStep *step);
const char *plan_action_to_string(PlanAction a);
const char *plan_reason_to_string(PlanReason r);
const char *plan_omission_kind_to_string(PlanOmissionKind k);
PlanOmissionKind plan_omission_kind_from_string(const char *s);
