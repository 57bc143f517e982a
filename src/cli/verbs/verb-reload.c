/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* reload: has lkmd read its files again, and shows the problems. */

#include "cli/print/fields.h"
#include "cli/print/reply-text.h"
#include "cli/verbs/verbs.h"

int verb_reload(Run *run, char **args, unsigned n_args) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *reply = NULL;
        sd_json_variant *problems;
        int r;

        r = client_call(run->client, "Reload", NULL, NULL, &reply);
        if (r != 0)
                return r;
        if (run->out.json != JSON_OFF)
                return output_json(&run->out, reply);

        problems = field_array(reply, "problems");
        if (output_wants_text(&run->out))
                printf("Read anew%s\n", field_elements(reply, "problems") > 0 ? ", with problems:" : ".");
        ARRAY_FOREACH_INDEX(problems, i) {              /* also with --quiet, as errors are */
                FILE *f = run->out.quiet ? stderr : stdout;

                (void) fputs("  ", f);
                print_problem(f, sd_json_variant_by_index(problems, i));
                (void) fputc('\n', f);
        }
        if (output_wants_text(&run->out))
                print_looked_at(stdout, reply);
        return STATUS_DONE;
}
