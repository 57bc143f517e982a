/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Verbs and options of lkmctl: the rows of the tables from which come dispatch, argument limits and help.
 */

#include <stdbool.h>

#include "cli/call/run.h"

typedef struct Verb {
        const char *name;               /* one word, or two: "policy show" */
        const char *arguments;          /* as help shows them */
        unsigned min_args, max_args;
        int (*run)(Run *run, char **args, unsigned n_args); /* ExitStatus; negative errno: main() tells */
        const char *summary;
        const char *text;               /* more of it, for "help VERB" */
        bool offline;                   /* answers from files, without lkmd: takes other options */
        bool treeless;                  /* offline, but has no use for modules: --root and its like are not for it */
} Verb;

#define ARGS_ANY ((unsigned) -1)

typedef enum OptionScope {              /* which verbs take an option */
        SCOPE_ALL,
        SCOPE_ONLINE,                   /* all but the offline ones */
        SCOPE_OFFLINE,
        SCOPE_VERB,
        _SCOPE_MAX,
} OptionScope;

typedef struct Option {
        const char *name;
        char letter;                    /* 0: none */
        int argument;                   /* no_argument, required_argument, optional_argument */
        const char *placeholder;        /* of the argument, in help */
        OptionScope scope;
        const char *verb;               /* SCOPE_VERB: those that take it, separated by ", " */
        const char *(*set)(Run *run, const char *value); /* NULL: done; else what is wrong */
        const char *summary;
} Option;

extern const Verb verbs[];              /* both end with an empty row */
extern const Option options[];

bool option_is_of(const Option *o, const Verb *v);
const Verb *verb_find(const char *word, const char *next, unsigned *ret_n_words);
bool verb_is_below(const Verb *v, const char *word);
