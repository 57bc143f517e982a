/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* stale: modules in the kernel that are not those of their files. */

#include "cli/offline/offline.h"
#include "cli/print/format.h"
#include "cli/print/table.h"
#include "cli/reasons/stale-modules.h"
#include "cli/verbs/machine-look.h"
#include "cli/verbs/verbs.h"

#define ID_SHOWN 12                     /* digits of a build ID: enough to see that two differ */

static void write_build(FILE *f, const ModuleBuild *b) {
        if (b->version) {
                print_escaped(f, b->version);
                (void) fputc(' ', f);
        }
        if (b->build_id)
                (void) fprintf(f, "%.*s", ID_SHOWN, b->build_id);
        else
                print_escaped(f, b->srcversion ?: "-");
}

static int add_row(Table *table, const StaleModule *m) {
        _cleanup_(freep) char *command = NULL;
        int r;

        r = stale_module_command(m, &command);
        if (r >= 0)
                r = table_line(table);
        for (size_t column = 0; r >= 0 && column < 5; column++) {
                FILE *f = table_cell(table);

                if (f && column == 0)
                        print_escaped(f, m->module);
                else if (f && column == 1)
                        (void) fputs(stale_module_words(m->kind), f);
                else if (f && column == 2)
                        write_build(f, &m->loaded);
                else if (f && column == 3)
                        write_build(f, &m->on_disk);
                else if (f)
                        print_escaped(f, command);
                r = table_cell_end(table);
        }
        return r;
}

static int print_all(const Output *out, const StaleModules *s) {
        static const Column columns[] = {
                { "MODULE" },
                { "WHY", .wrap = true },
                { "IN THE KERNEL", .wrap = true },
                { "ON DISK", .wrap = true },
                { "COMMAND", .wrap = true },
        };
        _cleanup_(table_freep) Table *table = NULL;
        int r;

        if (s->n_items == 0)
                printf("%zu modules in the kernel, none of which is older than its file\n",
                       s->n_modules - s->n_unknown);
        else {
                r = table_new(&table, out, columns, ARRAY_LEN(columns));
                for (size_t i = 0; r >= 0 && i < s->n_items; i++)
                        r = add_row(table, s->items + i);
                if (r >= 0)
                        r = table_print(table);
                if (r < 0)
                        return r;
        }
        if (s->n_unknown > 0)
                printf("%zu module%s could not be compared: nothing tells the builds apart, or the file may not be read\n",
                       s->n_unknown, s->n_unknown == 1 ? "" : "s");
        return 0;
}

static int show(Run *run, const StaleModules *s) {
        int r = 0, e;

        if (run->out.json == JSON_OFF)
                return output_wants_text(&run->out) ? print_all(&run->out, s) : 0;
        output_list_begin(&run->out);
        for (size_t i = 0; r >= 0 && i < s->n_items; i++) {
                _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL;

                r = stale_module_to_json(s->items + i, &v);
                if (r >= 0)
                        r = output_json(&run->out, v);
        }
        e = output_list_end(&run->out);
        return r < 0 ? r : e;
}

int verb_stale(Run *run, char **args, unsigned n_args) {
        _cleanup_(machine_look_close) MachineLook look = {};
        _cleanup_(stale_modules_clear) StaleModules stale = {};
        int r;

        r = machine_look_open(run, &look);
        if (r == 0)
                r = stale_modules_find(&look.asker.machine, look.index, look.policy.facts, &stale);
        if (r == 0)
                r = show(run, &stale);
        return r != 0 ? r : stale.n_items > 0 ? STATUS_FAILED : STATUS_DONE;
}
