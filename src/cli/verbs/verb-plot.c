/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* plot: the loads of the boot as a picture. */

#include "cli/picture/boot-plot.h"
#include "cli/picture/loads-fetch.h"
#include "cli/print/fields.h"
#include "cli/verbs/verbs.h"

/* "Linux 6.12.48, lkmd 0.1.0"; it stays NULL if lkmd does not say. */
static int describe_machine(Run *run, char **ret) {
        static const CallHooks hooks = { .answer_usec = ANSWER_SOON_USEC, .silent = true };
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *status = NULL;
        const char *host = run->out.host;
        int r;

        r = client_call(run->client, "Status", NULL, &hooks, &status);
        if (r == -ENOMEM)
                return r;
        if (r != 0 || !field_string(status, "kernelRelease") || !field_string(status, "version"))
                return 0;
        if (asprintf(ret, "%s%sLinux %s, lkmd %s", host ?: "", host ? ", " : "",
                     field_string(status, "kernelRelease"), field_string(status, "version")) < 0) {
                *ret = NULL;
                return -ENOMEM;
        }
        return 0;
}

int verb_plot(Run *run, char **args, unsigned n_args) {
        _cleanup_(history_clear) History history = {};
        _cleanup_(loads_clear) Loads loads = {};
        _cleanup_(freep) char *machine = NULL;
        int r;

        if (run->out.json == JSON_OFF && isatty(STDOUT_FILENO))
                return failure_print_own(&run->out, CLIENT_ERROR_USAGE, "lkmctl plot > boot.svg",
                                         "a picture is not for a terminal, but for a file");
        r = loads_fetch(run, &history, &loads);
        if (r != 0)
                return r;
        if (run->out.json != JSON_OFF)
                return loads_print_json(run, &loads);
        if (run->out.quiet)
                return STATUS_DONE;
        r = describe_machine(run, &machine);
        if (r < 0)
                return r;
        r = boot_plot_write(stdout, &(BootPlot) { &loads, machine, (SvgTheme) run->theme });
        return r < 0 ? r : output_flush();
}
