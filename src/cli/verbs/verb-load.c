/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* load: make the request, show its progress on a terminal, and print the outcome of each module. */

#include "cli/call/argument.h"
#include "cli/verbs/action.h"
#include "cli/verbs/verbs.h"

int verb_load(Run *run, char **args, unsigned n_args) {
        Action action = { .run = run, .verb = "load", .method = "Load", .args = args, .n_args = n_args };
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *parameters = NULL;
        int r;

        r = argument_to_name(run, args[0], &parameters, "name");
        if (r != 0)
                return r;
        r = arguments_to_parameters(run, args + 1, n_args - 1, &parameters);
        if (r != 0)
                return r;
        r = parameters_set_flag(&parameters, "forceVermagic", run->force || run->force_vermagic);
        if (r < 0)
                return r;
        r = parameters_set_flag(&parameters, "forceModversion", run->force || run->force_modversion);
        if (r < 0)
                return r;
        return action_call(&action, parameters);
}
