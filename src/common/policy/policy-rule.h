/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/policy/policy-subject.h"

/*
 * PolicyRule: one rule as it was written, with its place. policy-schema.c (YAML) and policy-command-line.c make
 * it, policy.c judges by it; lkmd-policy(5) describes what everything means. The PolicyFile that it is from owns
 * everything in it.
 */

typedef enum PolicyMode {               /* of several that apply to a rule, the smallest holds */
        POLICY_OFF,                     /* the rule is ignored */
        POLICY_AUDIT,                   /* what the rule would do is logged, and not done */
        POLICY_ENFORCE,
        _POLICY_MODE_MAX,
        _POLICY_MODE_INVALID = -EINVAL, /* a file or rule without "mode:" */
} PolicyMode;

typedef enum PolicyVerdict {
        POLICY_NO_VERDICT,              /* the rule has options or a preference only; judging goes on */
        POLICY_ALLOW,
        POLICY_DENY,
        POLICY_REPORT,                  /* "audit": allow, and report it */
        _POLICY_VERDICT_MAX,
        _POLICY_VERDICT_INVALID = -EINVAL,
} PolicyVerdict;

/* What can decide, in the order of precedence: the first that has a rule or line about the module does. */
typedef enum PolicySource {
        POLICY_BY_KERNEL,               /* module_blacklist=: the kernel itself refuses the module */
        POLICY_BY_COMMAND_LINE,         /* lkmd.deny=, lkmd.allow=, modprobe.blacklist= */
        POLICY_BY_GRANT,                /* "lkmctl policy allow" and "deny" */
        POLICY_BY_RULE,
        POLICY_BY_LIST,                 /* a rule of an included list; comes right after the rules of the file */
        POLICY_BY_INSTALL,              /* modprobe.d: install X /bin/false */
        POLICY_BY_BLACKLIST,            /* modprobe.d: blacklist X, where that holds */
        POLICY_BY_DEFAULT,              /* "default:", or allow where there is none */
        _POLICY_SOURCE_MAX,
        _POLICY_SOURCE_INVALID = -EINVAL,
} PolicySource;

/* idle-unload: of a rule */
#define POLICY_IDLE_NO UINT64_C(0)
#define POLICY_IDLE_YES UINT64_MAX      /* after IdleUnloadSec= */

/* What a rule with a verdict is about. All rules decide about loads. */
typedef enum PolicyScope {
        POLICY_SCOPE_LOAD,
        POLICY_SCOPE_USE,               /* about sockets as well, whose module may be there already or be built in */
        _POLICY_SCOPE_MAX,
        _POLICY_SCOPE_INVALID = -EINVAL,
} PolicyScope;

typedef struct PolicyPattern {
        const char *glob;               /* as in fnmatch(3), of names and aliases normalised; NULL for numbers */
        uint32_t min, max;              /* POLICY_VALUE_NUMBER: both included */
        bool negated;                   /* written with '!' */
} PolicyPattern;

/*
 * The patterns of one key. It matches if no negated pattern does and, where there are others, one of these does. A
 * value that is not known (for instance the uid of a device's request) matches no pattern, not even a negated one.
 * Booleans are the globs "yes" and "no".
 */
typedef struct PolicyPatterns {
        PolicyPattern *items;
        size_t n_items;                 /* 0: the key is not given */
} PolicyPatterns;

typedef struct PolicyRule {
        PolicySource source;
        const char *id;                 /* NULL: it has none */
        const char *file;
        unsigned line, column;          /* from 1; 0 for the kernel command line */
        PolicyVerdict verdict;
        PolicyMode mode;                /* its own, else that of its (or the including) file, else enforce */
        bool has_own_mode;
        PolicyScope scope;
        uint32_t given;                 /* POLICY_KEY_BIT() of each key in @match that has patterns */
        PolicyPatterns match[_POLICY_KEY_MAX];
        const char **prefer;            /* normalised module names, best first */
        size_t n_prefer;
        const char **options;           /* "name=value" or "name" */
        size_t n_options;
        const char **parameters;        /* globs of parameters that members of lkmd-admin may give with a load */
        size_t n_parameters;
        bool has_idle_unload;
        uint64_t idle_unload_usec;      /* POLICY_IDLE_NO, POLICY_IDLE_YES, or for how long nobody has used it */
        const char *reason;             /* NULL: none */
        uint64_t expires_usec;          /* CLOCK_REALTIME; UINT64_MAX: never */
        /* POLICY_BY_GRANT only: */
        bool once;                      /* for one request */
        uint64_t ends_boot_usec;        /* CLOCK_BOOTTIME, beside expires_usec; UINT64_MAX: never */
        uint64_t given_usec;            /* CLOCK_REALTIME; 0: not known */
        bool has_giver;
        uint32_t giver;                 /* user ID */
} PolicyRule;

const char *policy_mode_to_string(PolicyMode mode);
PolicyMode policy_mode_from_string(const char *s);
const char *policy_verdict_to_string(PolicyVerdict verdict);    /* "allow", "deny", "audit", "none" */
PolicyVerdict policy_verdict_from_string(const char *s);
const char *policy_source_to_string(PolicySource source);
const char *policy_scope_to_string(PolicyScope scope);
PolicyScope policy_scope_from_string(const char *s);
