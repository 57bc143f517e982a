/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Commands: the verbs and options of commands.inc as arrays, and looking them up. */

#include "cli/usage/usage.h"

extern const Verb verbs[];              /* both end with an empty row */
extern const Option options[];

enum {
        N_OPTIONS = 0
#define OPTION(...) +1
#include "cli/usage/commands.inc"
};

const Verb *verb_find(const char *word, const char *next, unsigned *ret_n_words);
const char *verb_find_nearest(const char *name);
const char *option_find_nearest(const char *argument);
