/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* ReloadText: see reload-text.h. Owns nothing. */

#include "cli/verbs/reload-text.h"

#include <assert.h>

#include "cli/print/fields.h"
#include "cli/print/reply-text.h"

/* Problems are shown also with --quiet, as errors are. */
void reload_print(const Output *out, sd_json_variant *reply) {
        sd_json_variant *problems = field_array(reply, "problems");

        assert(out);

        if (output_wants_text(out))
                printf("Read anew%s\n", field_elements(reply, "problems") > 0 ? ", with problems:" : ".");
        ARRAY_FOREACH_INDEX(problems, i) {
                FILE *f = out->quiet ? stderr : stdout;

                (void) fputs("  ", f);
                print_problem(f, sd_json_variant_by_index(problems, i));
                (void) fputc('\n', f);
        }
        if (output_wants_text(out))
                print_looked_at(stdout, reply);
}
