/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* holders: what uses a module; with --trace, who takes and drops references of it now. */

#include <inttypes.h>
#include <time.h>

#include "cli/holders/holders.h"
#include "cli/holders/reference-trace.h"
#include "cli/print/format.h"
#include "cli/print/table.h"
#include "cli/verbs/verbs.h"
#include "common/base/text.h"
#include "common/interface/interface.h"

#define TRACEFS "/sys/kernel/tracing"

static int report_no_subject(Run *run, const char *module, int error) {
        if (error == -ENODATA)
                return failure_print_own(&run->out, LKMD_ERROR_BUILT_IN, NULL,
                                         "%s is part of the kernel image, which nothing can remove", module);
        if (error == -ENOENT)
                return failure_print_own(&run->out, LKMD_ERROR_NOT_LOADED,
                                         "lkmctl list shows the modules in the kernel", "%s is not loaded",
                                         module);
        if (error == -EINVAL || error == -ENAMETOOLONG)
                return failure_print_own(&run->out, LKMD_ERROR_NO_SUCH_MODULE, NULL,
                                         "no module can have such a name");
        return error;
}

/* ------------------------------------------------------------------------------------------------------- trace */

static int report_no_trace(Run *run, TraceStep step, int error) {
        if (error == -ENOMEM)
                return error;
        if (step == TRACE_BEGINS && error == -ENOENT)
                return failure_print_own(&run->out, CLIENT_ERROR_LOCAL, "mount -t tracefs tracefs " TRACEFS,
                                         "tracefs is not mounted at " TRACEFS);
        if (geteuid() != 0 && (error == -EACCES || error == -EPERM))
                return failure_print_own(&run->out, CLIENT_ERROR_LOCAL, "the same with sudo",
                                         "only root may trace the kernel");
        if (error == -EPERM)
                return failure_print_own(
                        &run->out, CLIENT_ERROR_LOCAL, "cat /sys/kernel/security/lockdown",
                        "this kernel does not let itself be traced, probably by its lockdown mode");
        if (step == TRACE_ARMS && error == -ENOENT)
                return failure_print_own(
                        &run->out, CLIENT_ERROR_LOCAL, NULL,
                        "this kernel has no events for references of modules (CONFIG_TRACEPOINTS)");
        return failure_print_own(&run->out, CLIENT_ERROR_LOCAL, NULL, "tracefs: %s", strerror(-error));
}

static int trace_to_json(const char *module, const ReferenceTrace *t, sd_json_variant **ret) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *list = NULL;
        int r;

        r = sd_json_variant_new_array(&list, NULL, 0);
        for (size_t i = 0; r >= 0 && i < t->n_callers; i++) {
                _cleanup_(sd_json_variant_unrefp) sd_json_variant *item = NULL;
                const TraceCaller *c = t->callers + i;
                _cleanup_(freep) char *command = NULL;

                r = text_escape(c->command, &command);
                if (r >= 0)
                        r = sd_json_buildo(&item, SD_JSON_BUILD_PAIR_UNSIGNED("pid", (uint64_t) c->pid),
                                           SD_JSON_BUILD_PAIR_STRING("command", command),
                                           SD_JSON_BUILD_PAIR_STRING("callSite", c->site),
                                           SD_JSON_BUILD_PAIR_UNSIGNED("taken", c->gets),
                                           SD_JSON_BUILD_PAIR_UNSIGNED("dropped", c->puts));
                if (r >= 0)
                        r = sd_json_variant_append_array(&list, item);
        }
        if (r < 0)
                return r;
        return sd_json_buildo(ret, SD_JSON_BUILD_PAIR_STRING("module", module),
                              SD_JSON_BUILD_PAIR_VARIANT("callers", list),
                              SD_JSON_BUILD_PAIR_BOOLEAN("complete", !t->incomplete));
}

static int print_caller(Table *table, const TraceCaller *c) {
        int r;

        r = table_line(table);
        for (unsigned i = 0; r >= 0 && i < 4; i++) {
                FILE *f = table_cell(table);

                if (f && i == 0) {
                        (void) fprintf(f, "%d ", c->pid);
                        print_escaped(f, c->command);
                } else if (f && i == 1)
                        print_escaped(f, c->site);
                else if (f)
                        (void) fprintf(f, "%" PRIu64, i == 2 ? c->gets : c->puts);
                r = table_cell_end(table);
        }
        return r;
}

static int print_trace(const Output *out, const char *module, const ReferenceTrace *t) {
        static const Column columns[] = {
                { "PROCESS", .wrap = true },
                { "IN THE KERNEL'S", .wrap = true },
                { "TAKEN", .right = true },
                { "DROPPED", .right = true },
        };
        _cleanup_(table_freep) Table *table = NULL;
        int r;

        if (t->n_callers == 0) {
                printf("Nobody took or dropped a reference of %s in this time.\n", module);
                return output_flush();
        }
        r = table_new(&table, out, columns, ARRAY_LEN(columns));
        for (size_t i = 0; r >= 0 && i < t->n_callers; i++)
                r = print_caller(table, t->callers + i);
        if (r >= 0)
                r = table_print(table);
        if (r >= 0 && t->incomplete)
                printf("\nThere was more than the kernel keeps: these are the last ones. A shorter time shows all.\n");
        return r < 0 ? r : output_flush();
}

static int trace(Run *run, const char *module) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL;
        _cleanup_(reference_trace_clear) ReferenceTrace t = {};
        TraceStep step;
        int r;

        if (run->out.stderr_terminal && !run->out.quiet)
                (void) fprintf(stderr, "Watching %s; Ctrl-C ends it early.\n", module);
        r = reference_trace_run(TRACEFS, module, run->trace_usec, &t, &step);
        if (r < 0)
                return report_no_trace(run, step, r);
        if (run->out.json == JSON_OFF)
                return output_wants_text(&run->out) ? print_trace(&run->out, module, &t) : STATUS_DONE;
        r = trace_to_json(module, &t, &v);
        return r < 0 ? r : output_json(&run->out, v);
}

int verb_holders(Run *run, char **args, unsigned n_args) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL;
        _cleanup_(subject_freep) Subject *s = NULL;
        int r;

        r = subject_new(&s, "", args[0]);
        if (r < 0)
                return report_no_subject(run, args[0], r);
        if (run->trace_usec > 0)
                return trace(run, s->module);
        r = holders_look(s);
        if (r < 0)
                return r;
        if (run->out.json == JSON_OFF)
                return output_wants_text(&run->out) ? holders_print(s, &run->out) : STATUS_DONE;
        r = holders_to_json(s, &v);
        return r < 0 ? r : output_json(&run->out, v);
}
