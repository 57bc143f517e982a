/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/call/progress.h"
#include "cli/call/run.h"

/* Action: a call that loads or removes modules, as load, unload and sweep make it. */

/* With the words of the command line that led to it. */
typedef struct Action {
        Run *run;
        const char *verb, *method;
        char **args;                    /* the name, and the parameters for it */
        unsigned n_args;
        Progress progress;
} Action;

int action_call(Action *a, sd_json_variant *parameters);
int parameters_set_flag(sd_json_variant **parameters, const char *field, bool value);
