/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* sweep: remove what was loaded on demand and is not used. */

#include "cli/call/interrupt.h"
#include "cli/print/fields.h"
#include "cli/print/format.h"
#include "cli/print/reply-text.h"
#include "cli/verbs/action.h"
#include "cli/verbs/unload-text.h"
#include "cli/verbs/verbs.h"

static int print_sweep(const Output *out, sd_json_variant *reply) {
        sd_json_variant *records = field_array(reply, "records");
        size_t n = 0;

        ARRAY_FOREACH_INDEX(records, i) {
                sd_json_variant *record = sd_json_variant_by_index(records, i);

                n += !record_is_failure(record);
                print_escaped(stdout, field_string(record, "module"));
                printf("  ");
                print_outcome(stdout, record);
                putchar('\n');
        }
        print_unload_stays(out, reply);
        if (n == 0) {
                printf("Nothing that was loaded on demand is without use.\n");
                return output_flush();
        }
        printf("%zu %s removed, ", n, n == 1 ? "module" : "modules");
        print_size(stdout, field_number(reply, "sizeBytes"));
        printf(" of memory freed.\n");
        return output_flush();
}

int verb_sweep(Run *run, char **args, unsigned n_args) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *parameters = NULL, *reply = NULL;
        int r;

        r = parameters_set_flag(&parameters, "plan", run->plan_only);
        if (r >= 0)
                r = interrupt_says(
                        "\nlkmctl: stopped waiting; lkmd goes on, and \"lkmctl status\" shows how it ends\n");
        if (r < 0)
                return r;
        r = client_call(run->client, "Sweep", parameters, NULL, &reply);
        if (r != 0)
                return r;
        if (run->out.json != JSON_OFF)
                return output_json(&run->out, reply);
        if (!output_wants_text(&run->out))
                return 0;
        if (!run->plan_only)
                return print_sweep(&run->out, reply);
        r = print_unload_plan(&run->out, reply);
        return r < 0 ? r : output_flush();
}
