/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Argument: words of the command line as parameters of a call. Owns nothing. */

#include "cli/call/argument.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "common/interface/interface.h"

/*
 * JSON is UTF-8. DEL is legal in it, but sd-json writes it unescaped and refuses to read it so, and lkmd would
 * close the connection.
 */
static bool is_sendable(const char *argument, int error) {
        return error != -EUCLEAN && error != -EINVAL && error != -EILSEQ && !strchr(argument, 0x7f);
}

/**
 * argument_to_name() - put a name or alias into the parameters of a call
 *
 * The name of every module can be sent, so an argument that cannot be means none.
 *
 * Return: 0; an ExitStatus, after reporting why; negative errno.
 */
int argument_to_name(Run *run, const char *argument, sd_json_variant **parameters, const char *field) {
        int r;

        r = sd_json_variant_set_field_string(parameters, field, argument);
        if (!is_sendable(argument, r))
                return failure_print_own(&run->out, LKMD_ERROR_NO_SUCH_MODULE, NULL,
                                         "no module or alias can be called '%s': it is not text", argument);
        return r < 0 ? r : 0;
}

/**
 * arguments_to_parameters() - put NAME=VALUE of the command line into the parameters of a call
 *
 * Return: 0; an ExitStatus, after reporting why; negative errno.
 */
int arguments_to_parameters(Run *run, char **args, unsigned n_args, sd_json_variant **parameters) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *list = NULL;
        int r;

        for (unsigned i = 0; i < n_args; i++) {
                _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL;

                r = sd_json_variant_new_string(&v, args[i]);
                if (!is_sendable(args[i], r))
                        return failure_print_own(&run->out, CLIENT_ERROR_USAGE, NULL,
                                                 "the parameter '%s' cannot be sent: it is not text",
                                                 args[i]);
                if (r < 0)
                        return r;
                if (args[i][0] == '\0' || args[i][0] == '=')
                        return failure_print_own(&run->out, CLIENT_ERROR_USAGE, "lkmctl help load",
                                                 "'%s' is not a parameter, which would be NAME=VALUE",
                                                 args[i]);
                r = sd_json_variant_append_array(&list, v);
                if (r < 0)
                        return r;
        }
        r = list ? sd_json_variant_set_field(parameters, "parameters", list) : 0;
        return r < 0 ? r : 0;           /* 1: it was set, which is no exit status */
}

/**
 * arguments_run_each() - do the same with each argument, in one answer
 *
 * All are tried, unless lkmd cannot be reached.
 *
 * Return: the worst ExitStatus; negative errno.
 */
int arguments_run_each(Run *run, char **args, unsigned n_args, argument_run_t each) {
        ExitStatus worst = STATUS_DONE;
        int r;

        assert(run && args && each);

        if (n_args > 1)
                output_list_begin(&run->out);
        for (unsigned i = 0; i < n_args && worst != STATUS_NOT_REACHABLE; i++) {
                r = each(run, args + i);
                if (r < 0)
                        return r;
                worst = failure_worse(worst, (ExitStatus) r);
        }
        if (n_args > 1) {
                r = output_list_end(&run->out);
                if (r < 0)
                        return r;
        }
        return worst;
}
