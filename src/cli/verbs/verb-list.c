/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* list: the modules in the kernel, and what brought them there. */

#include <inttypes.h>

#include "cli/print/fields.h"
#include "cli/print/format.h"
#include "cli/print/table.h"
#include "cli/print/reply-text.h"
#include "cli/verbs/verbs.h"
#include "common/base/clock.h"

static void write_name(FILE *f, sd_json_variant *module) {
        const char *state = field_string(module, "state");

        print_escaped(f, field_string(module, "name"));
        if (state && !streq(state, "live")) {
                (void) fputs(" (", f);
                print_escaped(f, state);
                (void) fputc(')', f);
        }
}

static void write_size(FILE *f, sd_json_variant *module) {
        uint64_t size;

        if (field_unsigned(module, "sizeBytes", &size))
                print_size(f, size);
        else
                (void) fputc('-', f);
}

/* "2 uas, usb_storage": how often, and by which modules */
static void write_used_by(FILE *f, sd_json_variant *module) {
        sd_json_variant *holders = field_array(module, "holders");
        uint64_t count;

        if (field_unsigned(module, "refCount", &count))
                (void) fprintf(f, "%" PRIu64, count);
        else
                (void) fputc('-', f);
        if (field_elements(module, "holders") > 0)
                (void) fputc(' ', f);
        print_strings(f, holders);
}

static void write_requester(FILE *f, sd_json_variant *module) {
        sd_json_variant *record = field_object(module, "loadedBy");

        if (record)
                print_record_requester_short(f, record);
        else
                (void) fputc('-', f);
}

static void write_duration(FILE *f, sd_json_variant *module) {
        uint64_t usec;

        if (field_unsigned(field_object(module, "loadedBy"), "durationUSec", &usec))
                print_duration(f, usec);
        else
                (void) fputc('-', f);
}

/* Not of what was there before lkmd, of which the record has another time. */
static void write_age(FILE *f, sd_json_variant *module) {
        sd_json_variant *record = field_object(module, "loadedBy");
        uint64_t when = field_number(record, "timeUSec"), now = clock_usec(CLOCK_REALTIME);

        if (when == 0 || when > now || record_is_foreign(record))
                (void) fputc('-', f);
        else
                print_age(f, now - when);
}

static int print_table(const Output *out, sd_json_variant *modules) {
        static const Column columns[] = {
                { "NAME" },
                { "SIZE", .right = true },
                { "USED BY", .wrap = true, .shorten = 10 },
                { "REQUESTER", .wrap = true, .shorten = 19 },
                { "TIME", .right = true, .spare = 72 },
                { "LOADED", .spare = 96 },
        };
        static void (*const writers[])(FILE *f, sd_json_variant *module) = {
                write_name, write_size, write_used_by, write_requester, write_duration, write_age,
        };
        _cleanup_(table_freep) Table *table = NULL;
        int r;

        r = table_new(&table, out, columns, ARRAY_LEN(columns));
        if (r < 0)
                return r;

        ARRAY_FOREACH_INDEX(modules, i) {
                r = table_line(table);
                if (r < 0)
                        return r;
                for (size_t k = 0; k < ARRAY_LEN(writers); k++) {
                        FILE *f = table_cell(table);

                        if (f)
                                writers[k](f, sd_json_variant_by_index(modules, i));
                        r = table_cell_end(table);
                        if (r < 0)
                                return r;
                }
        }
        return table_print(table);
}

int verb_list(Run *run, char **args, unsigned n_args) {
        static const CallHooks hooks = { .answer_usec = ANSWER_SOON_USEC };
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *reply = NULL;
        sd_json_variant *modules;
        int r;

        r = client_call(run->client, "List", NULL, &hooks, &reply);
        if (r != 0)
                return r;
        modules = field_array(reply, "modules");
        if (!modules)
                return failure_print(&run->out, CLIENT_ERROR_BAD_REPLY, NULL);

        if (run->out.json == JSON_OFF)
                return run->out.quiet ? STATUS_DONE : print_table(&run->out, modules);

        output_list_begin(&run->out);
        ARRAY_FOREACH_INDEX(modules, i) {
                r = output_json(&run->out, sd_json_variant_by_index(modules, i));
                if (r < 0)
                        return r;
        }
        return output_list_end(&run->out);
}
