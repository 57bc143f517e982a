/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* wait: ends when the conditions hold. */

#include "cli/call/argument.h"
#include "cli/call/failure.h"
#include "cli/call/interrupt.h"
#include "cli/call/progress.h"
#include "cli/offline/suggestion.h"
#include "cli/verbs/verbs.h"
#include "common/base/clock.h"
#include "common/device/device-path.h"
#include "common/interface/interface.h"

typedef struct Waiting {
        Run *run;
        Progress progress;
} Waiting;

static void on_second(void *userdata) {
        Waiting *w = userdata;

        progress_draw(&w->progress);
}

static int on_error(const char *error_id, sd_json_variant **fields, void *userdata) {
        Waiting *w = userdata;

        progress_clear(&w->progress);
        return w->run->wait_module ? suggestion_add(w->run, error_id, w->run->wait_module, fields) : 0;
}

/*
 * Links are followed here, since the argument may be relative to the current directory; another machine follows its
 * own. Return: 0; an ExitStatus, after reporting why; negative errno.
 */
static int device_to_parameter(Run *run, const char *argument, sd_json_variant **parameters) {
        _cleanup_(freep) char *device = NULL;
        int r;

        if (run->out.host)
                return argument_to_name(run, argument, parameters, "device");

        r = device_path_resolve(argument, &device);
        if (r == -ENODEV)
                return failure_print_own(&run->out, LKMD_ERROR_NO_SUCH_DEVICE, NO_SUCH_DEVICE_HINT,
                                        "there is no device '%s'", argument);
        if (r == -EACCES)
                return failure_print_own(&run->out, CLIENT_ERROR_LOCAL, "the same with sudo",
                                         "'%s' may not be read", argument);
        if (r < 0)
                return r;
        return argument_to_name(run, device, parameters, "device");
}

int verb_wait(Run *run, char **args, unsigned n_args) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *parameters = NULL, *reply = NULL;
        Waiting waiting = { .run = run, .progress.since_usec = clock_usec(CLOCK_MONOTONIC) };
        CallHooks hooks = {
                .on_error = on_error,
                .on_second = run->out.stderr_terminal && !run->out.quiet ? on_second : NULL,
                .userdata = &waiting,
                .answer_usec = run->wait_usec.is_given ? run->wait_usec.value + ANSWER_SOON_USEC : 0,
        };
        int r;

        r = sd_json_variant_set_field_boolean(
                &parameters, "idle",
                run->wait_idle || (!run->wait_lists && !run->wait_module && !run->wait_device));
        if (r >= 0 && run->wait_lists)
                r = sd_json_variant_set_field_boolean(&parameters, "lists", true);
        if (r < 0)
                return r;
        if (run->wait_module) {
                r = argument_to_name(run, run->wait_module, &parameters, "module");
                if (r != 0)
                        return r;
        }
        if (run->wait_device) {
                r = device_to_parameter(run, run->wait_device, &parameters);
                if (r != 0)
                        return r;
        }
        if (run->wait_usec.is_given) {
                r = sd_json_variant_set_field_unsigned(&parameters, "timeoutUSec", run->wait_usec.value);
                if (r < 0)
                        return r;
        }

        r = interrupt_says("\n");
        if (r < 0)
                return r;
        r = client_call(run->client, "Wait", parameters, &hooks, &reply);
        progress_done(&waiting.progress);
        if (r != 0)
                return r;
        return run->out.json != JSON_OFF ? output_json(&run->out, reply) : STATUS_DONE;
}
