/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The rows of commands.inc. Nothing else of lkmctl is needed to read them, so that the program that makes the
 * completions can.
 */

#include <stdbool.h>
#include <stdint.h>

struct Run;

#define SINCE_BOOT UINT64_MAX           /* the value of --since=boot */

/* What a shell offers in the place of an argument or of the value of an option; several may be combined. */
typedef enum Completion {
        COMPLETE_MODULES     = 1 << 0,  /* on disk */
        COMPLETE_LOADED      = 1 << 1,  /* modules in the kernel */
        COMPLETE_PARAMETERS  = 1 << 2,  /* of the module that is the first argument */
        COMPLETE_DEVICES     = 1 << 3,  /* names, and paths in /sys and /dev */
        COMPLETE_FILES       = 1 << 4,
        COMPLETE_DIRECTORIES = 1 << 5,
        COMPLETE_KERNELS     = 1 << 6,  /* that have modules in /lib/modules */
        COMPLETE_HOSTS       = 1 << 7,
        COMPLETE_VERBS       = 1 << 8,
        COMPLETE_POLICIES    = 1 << 9,  /* files in /etc/lkmd/policy.d */
        COMPLETE_GRANTS      = 1 << 10, /* that hold */
        COMPLETE_SYSPATHS    = 1 << 11, /* devices, by their paths only */
} Completion;

typedef enum VerbGroup {                /* verbs that help shows together, in this order; titles: verb-help.c */
        GROUP_LOOK,
        GROUP_EXPLAIN,
        GROUP_ACT,
        GROUP_POLICY,
        GROUP_BOOT,
        GROUP_HELP,
        _GROUP_MAX,
} VerbGroup;

typedef struct Verb {
        const char *name;               /* one word, or two: "policy show" */
        VerbGroup group;
        const char *arguments;          /* as help shows them; NULL: none */
        unsigned min_args, max_args;
        unsigned completes[2];          /* Completion: of the first argument, and of each that follows */
        const char *summary;
        const char *text;               /* more of it, for "help VERB" */
        bool paged;                     /* prints an answer and ends: a pager may show it */
        bool verbatim;                  /* prints what is for programs, too: no line is folded */
        bool looks;                     /* at /proc and /sys of this machine, too: --host has the lkmctl there do it */
        bool offline;                   /* answers from files, without lkmd: takes other options */
        bool treeless;                  /* offline, but has no use for modules: --root and its like are not for it */
        /* Return: an ExitStatus; a negative errno, which main() reports. */
        int (*run)(struct Run *run, char **args, unsigned n_args);
} Verb;

#define ARGS_ANY ((unsigned) -1)

typedef enum OptionScope {              /* which verbs take an option */
        SCOPE_VERBS,                    /* those that are listed */
        SCOPE_ALL,
        SCOPE_ONLINE,                   /* all but the offline ones */
        SCOPE_OFFLINE,                  /* but for those without use for modules */
} OptionScope;

typedef struct Option {
        const char *name;
        char letter;                    /* 0: none */
        OptionScope scope;
        const char *verbs;              /* SCOPE_VERBS: separated by ", " */
        const char *value;              /* as help shows it; NULL: takes none */
        bool value_optional;
        const char *expects;            /* goes on behind "it is", where a value is wrong */
        bool repeatable;
        unsigned completes;             /* Completion of the value */
        const char *words;              /* values to offer, separated by blanks */
        const char *summary;
        int (*set)(void *field, const char *value); /* 0; -EINVAL: the value is wrong; -ENOMEM */
        unsigned long offset;           /* of the field in Run */
} Option;

bool verb_is_below(const Verb *v, const char *word);
bool option_is_of(const Option *o, const Verb *v);
