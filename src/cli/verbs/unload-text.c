/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* UnloadText: see unload-text.h. Owns nothing. */

#include "cli/verbs/unload-text.h"

#include <assert.h>

#include "cli/print/fields.h"
#include "cli/print/format.h"
#include "cli/print/reply-text.h"
#include "cli/print/table.h"

static void print_why_it_goes(FILE *f, sd_json_variant *step) {
        const char *reason = field_string(step, "reason") ?: "", *parent = field_string(step, "parent");

        if (streq(reason, "requested"))
                (void) fputs("asked for", f);
        else if (streq(reason, "idle"))
                (void) fputs("loaded on demand, and not used", f);
        else if (streq(reason, "holder")) {
                (void) fputs("uses ", f);
                print_escaped(f, parent);
        } else {
                (void) fputs(streq(reason, "dependency") ? "only needed by " : "only wanted by ", f);
                print_escaped(f, parent);
        }
        if (field_bool(step, "command"))
                (void) fputs(", by its remove command", f);
}

static void print_why_it_stays(FILE *f, sd_json_variant *stay) {
        const char *kind = field_string(stay, "kind") ?: "";
        sd_json_variant *requester = field_object(stay, "requester"),
                        *modules = field_array(stay, "modules");

        if (field_bool(stay, "changed"))
                (void) fputs("since a moment ago ", f);
        if (streq(kind, "requested"))
                print_requester(f, requester);
        else if (streq(kind, "not_lkmds")) {
                (void) fputs("not loaded by lkmd", f);
                if (requester) {
                        (void) fputs(": ", f);
                        print_requester(f, requester);
                }
        } else if (streq(kind, "wanted")) {
                (void) fputs("wanted by ", f);
                print_strings(f, modules);
        } else if (streq(kind, "in_use")) {
                (void) fputs("used by ", f);
                if (modules && sd_json_variant_elements(modules) > 0)
                        print_strings(f, modules);
                else
                        fprintf(f, "something that is no module (%llu references)",
                                (unsigned long long) field_number(stay, "refCount"));
        } else if (streq(kind, "kept"))
                (void) fputs("kept by a rule of the policy, or needed by this machine", f);
        else if (streq(kind, "not_live"))
                (void) fputs("being loaded or removed", f);
        else
                print_escaped(f, kind);
}

static int add_row(Table *table, sd_json_variant *object, const char *what,
                   void (*print_why)(FILE *f, sd_json_variant *object)) {
        FILE *f;
        int r;

        r = table_line(table);
        for (size_t column = 0; r >= 0 && column < 3; column++) {
                f = table_cell(table);
                if (f && column == 0)
                        print_escaped(f, field_string(object, "module"));
                else if (f && column == 1)
                        (void) fputs(what, f);
                else if (f)
                        print_why(f, object);
                r = table_cell_end(table);
        }
        return r;
}

static void print_needs(const Output *out, sd_json_variant *needs) {
        ARRAY_FOREACH_INDEX(needs, i) {
                sd_json_variant *need = sd_json_variant_by_index(needs, i);

                printf("%s", output_tone(out, stdout, TONE_BAD));
                print_escaped(stdout, field_string(need, "module"));
                printf("%s  is needed: ", output_tone(out, stdout, TONE_PLAIN));
                print_escaped(stdout, field_string(need, "text"));
                putchar('\n');
        }
}

/**
 * print_unload_plan() - the reply of Unload or Sweep to a question for the plan
 *
 * Return: 0 or a negative errno.
 */
int print_unload_plan(const Output *out, sd_json_variant *reply) {
        static const Column columns[] = {
                { .title = "MODULE", .whole = true },
                { .title = "" },
                { .title = "WHY", .wrap = true },
        };
        _cleanup_(table_freep) Table *table = NULL;
        sd_json_variant *steps = field_array(reply, "steps"), *stays = field_array(reply, "stays");
        uint64_t bytes = 0;
        int r;

        assert(out);

        r = table_new(&table, out, columns, ARRAY_LEN(columns));
        if (r < 0)
                return r;
        ARRAY_FOREACH_INDEX(steps, i) {
                sd_json_variant *step = sd_json_variant_by_index(steps, i);

                bytes += field_number(step, "sizeBytes");
                r = add_row(table, step, "goes", print_why_it_goes);
                if (r < 0)
                        return r;
        }
        ARRAY_FOREACH_INDEX(stays, i) {
                r = add_row(table, sd_json_variant_by_index(stays, i), "stays", print_why_it_stays);
                if (r < 0)
                        return r;
        }
        if (field_elements(reply, "steps") > 0 || field_elements(reply, "stays") > 0) {
                r = table_print(table);
                if (r < 0)
                        return r;
        }
        print_needs(out, field_array(reply, "needed"));
        if (field_elements(reply, "steps") == 0)
                printf("Nothing goes.\n");
        else {
                printf("%zu %s, ", field_elements(reply, "steps"),
                       field_elements(reply, "steps") == 1 ? "module" : "modules");
                print_size(stdout, bytes);
                printf(" of memory. Nothing was done.\n");
        }
        return 0;
}

/* What a removal left, but for what is simply used by others. */
void print_unload_stays(const Output *out, sd_json_variant *reply) {
        sd_json_variant *stays = field_array(reply, "stays");

        assert(out);

        ARRAY_FOREACH_INDEX(stays, i) {
                sd_json_variant *stay = sd_json_variant_by_index(stays, i);
                const char *kind = field_string(stay, "kind") ?: "";

                if (streq(kind, "in_use") && !field_bool(stay, "changed"))
                        continue;
                print_escaped(stdout, field_string(stay, "module"));
                printf("  %sstays:%s ", output_tone(out, stdout, TONE_DIM),
                       output_tone(out, stdout, TONE_PLAIN));
                print_why_it_stays(stdout, stay);
                putchar('\n');
        }
}
