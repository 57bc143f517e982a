/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * metrics: the status as OpenMetrics, on standard output or in a file that a collector reads. While lkmd
 * does not answer, one metric says so: an outdated file would hide it.
 */

#include "cli/call/failure.h"
#include "cli/print/fields.h"
#include "cli/verbs/metrics.h"
#include "cli/verbs/replace-file.h"
#include "cli/verbs/verbs.h"

static void write_json(FILE *f, JsonMode mode, sd_json_variant *metrics) {
        if (mode == JSON_PRETTY)
                (void) sd_json_variant_dump(metrics, SD_JSON_FORMAT_PRETTY, f, NULL);
        else
                ARRAY_FOREACH_INDEX(metrics, i)
                        (void) sd_json_variant_dump(sd_json_variant_by_index(metrics, i),
                                                    SD_JSON_FORMAT_NEWLINE, f, NULL);
}

/* Return: 0; an ExitStatus, after reporting why; negative errno. */
static int metrics_to_file(Run *run, sd_json_variant *metrics) {
        _cleanup_(freep) char *text = NULL;
        size_t size = 0;
        FILE *f;
        int r;

        f = open_memstream(&text, &size);
        if (!f)
                return -errno;
        if (run->out.json == JSON_OFF)
                metrics_print(f, metrics);
        else
                write_json(f, run->out.json, metrics);
        if (fclose(f) != 0)
                return -errno;

        r = replace_file(run->metrics_file, text, size);
        if (r >= 0)
                return STATUS_DONE;
        return failure_print_own(
                &run->out, CLIENT_ERROR_LOCAL,
                r == -ENOENT                  ? "create the directory first"
                : r == -EACCES || r == -EPERM ? "the same with sudo"
                : r == -EREMCHG               ? "name the directory itself"
                                              : NULL,
                "cannot write %s: %s", run->metrics_file,
                r == -ENOTSUP   ? "what is there is no regular file"
                : r == -EREMCHG ? "a link on the way to it belongs to another user, who could have it "
                                  "written elsewhere"
                                : strerror(-r));
}

static int metrics_to_stdout(Run *run, sd_json_variant *metrics) {
        int r = 0;

        if (output_wants_text(&run->out))
                metrics_print(stdout, metrics);
        if (run->out.json != JSON_OFF)
                ARRAY_FOREACH_INDEX(metrics, i) {
                        r = output_json(&run->out, sd_json_variant_by_index(metrics, i));
                        if (r < 0)
                                break;
                }
        return r;
}

/* Return: 0 with the reply; an ExitStatus, after reporting why; negative errno. */
static int ask_status(Run *run, sd_json_variant **ret) {
        static const CallHooks hooks = { .answer_usec = ANSWER_SOON_USEC };
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *status = NULL;
        int r;

        r = client_call(run->client, "Status", NULL, &hooks, &status);
        if (r == 0 && !field_string(status, "version"))
                r = failure_print(&run->out, CLIENT_ERROR_BAD_REPLY, NULL);
        if (r == 0)
                *ret = STEAL_PTR(status);
        return r;
}

int verb_metrics(Run *run, char **args, unsigned n_args) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *status = NULL, *metrics = NULL;
        int asked, r;

        if (!run->metrics_file)
                output_list_begin(&run->out);
        asked = ask_status(run, &status);
        if (asked < 0)
                return asked;

        r = metrics_of_status(status, &metrics);
        if (r >= 0)
                r = run->metrics_file ? metrics_to_file(run, metrics) : metrics_to_stdout(run, metrics);
        if (r >= 0 && !run->metrics_file) {
                int q = output_list_end(&run->out);

                r = q < 0 ? q : r;
        }
        return r < 0 ? r : (int) failure_worse((ExitStatus) asked, (ExitStatus) r);
}
