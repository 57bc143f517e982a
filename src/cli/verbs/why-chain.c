/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * WhyChain: see why-chain.h. Each row is below the one that led to it: the processes of a request of the kernel's, the
 * outermost first, then the modules. Owns nothing.
 */

#include "cli/verbs/why-chain.h"

#include <assert.h>

#include "cli/print/fields.h"
#include "cli/print/format.h"
#include "cli/print/reply-text.h"
#include "cli/print/table.h"

typedef struct Chain {
        Table *table;
        const DeviceNames *names;
        size_t n_rows;
} Chain;

/* The next row, below the one before, with its first cell open. */
static FILE *chain_begin(Chain *c) {
        int r = c->n_rows == 0 ? table_line(c->table) : table_line_below(c->table, c->n_rows - 1);

        c->n_rows++;
        return r < 0 ? NULL : table_cell(c->table);
}

/* The second cell. */
static FILE *chain_next(Chain *c) {
        return table_cell_end(c->table) < 0 ? NULL : table_cell(c->table);
}

/**
 * why_device_name() - what people call a device
 * @names:  NULL: nothing is known
 * @device: path below /sys, as records have it
 *
 * Return: owned by the caller; NULL: it has no name, or is gone.
 */
char *why_device_name(const DeviceNames *names, const char *device) {
        _cleanup_(freep) char *path = NULL;
        char *name = NULL;

        if (!names || !device || asprintf(&path, "/sys%s", device) < 0) {
                path = NULL;
                return NULL;
        }
        return device_names_get(names, path, &name) < 0 ? NULL : name;
}

static int add_device(Chain *c, sd_json_variant *requester) {
        const char *device = field_string(requester, "device"),
                   *slash = device ? strrchr(device, '/') : NULL;
        _cleanup_(freep) char *name = why_device_name(c->names, device);
        FILE *f = chain_begin(c);

        if (!f)
                return -ENOMEM;
        (void) fputs("device ", f);
        print_escaped(f, slash ? slash + 1 : device);
        f = chain_next(c);
        if (!f)
                return -ENOMEM;
        if (name) {
                print_escaped(f, name);
                (void) fputs(", ", f);
        }
        (void) fputs("/sys", f);
        print_escaped(f, device);
        return table_cell_end(c->table);
}

/* @did: what the process did, in words */
static int add_process(Chain *c, sd_json_variant *process, const char *did) {
        FILE *f = chain_begin(c);

        if (!f)
                return -ENOMEM;
        print_escaped(f, field_string(process, "command") ?: "a process");
        f = chain_next(c);
        if (!f)
                return -ENOMEM;
        (void) fprintf(f, "%s: ", did);
        print_requester_process(f, process);
        if (field_bool(process, "inferred"))
                (void) fputs(", it seems", f);
        return table_cell_end(c->table);
}

static int add_processes(Chain *c, sd_json_variant *requester) {
        sd_json_variant *chain = field_array(requester, "chain");
        size_t n = chain ? sd_json_variant_elements(chain) : 0;
        int r = 0;

        for (size_t i = n; r >= 0 && i > 0; i--)
                r = add_process(c, sd_json_variant_by_index(chain, i - 1),
                                "a module was loaded for it, and the kernel asked for more");
        return r < 0 ? r : add_process(c, requester, "the kernel asked on its behalf");
}

static int add_words(Chain *c, const char *what, const char *why) {
        FILE *f = chain_begin(c);

        if (!f)
                return -ENOMEM;
        print_escaped(f, what);
        f = chain_next(c);
        if (!f)
                return -ENOMEM;
        (void) fputs(why, f);
        return table_cell_end(c->table);
}

static int add_list(Chain *c, sd_json_variant *requester) {
        FILE *f = chain_begin(c);

        if (!f)
                return -ENOMEM;
        (void) fputs("boot", f);
        f = chain_next(c);
        if (!f)
                return -ENOMEM;
        print_list_place(f, requester);
        if (!field_string(requester, "file"))
                (void) fputs(", see modules-load.d(5)", f);
        return table_cell_end(c->table);
}

static int add_requester(Chain *c, sd_json_variant *record) {
        sd_json_variant *requester = field_object(record, "requester");
        const char *origin = field_string(requester, "origin") ?: "?";

        if (streq(origin, "device"))
                return add_device(c, requester);
        if (streq(origin, "kernel"))
                return add_processes(c, requester);
        if (streq(origin, "client"))
                return add_process(c, requester, "it asked lkmd");
        if (streq(origin, "container"))
                return add_process(c, requester, "it asked lkmd from its container");
        if (streq(origin, "foreign"))
                return add_process(c, requester, "it loaded without lkmd");
        if (streq(origin, "initramfs"))
                return add_words(c, "initramfs", "it was there before lkmd and udev had started");
        if (streq(origin, "boot"))
                return record_is_foreign(record)
                               ? add_words(
                                         c, "boot",
                                         "it was there before lkmd started, and who loaded it is not known")
                               : add_list(c, requester);
        return add_words(c, origin, "");
}

/* ", allowed by rule usb, /etc/lkmd/policy.d/10-usb.yaml:4:5" */
static void print_allowed_by(FILE *f, sd_json_variant *ruling) {
        const char *rule = field_string(ruling, "rule");

        if (!ruling)
                return;
        (void) fputs(", allowed by ", f);
        print_escaped(f, field_string(ruling, "source"));
        if (rule) {
                (void) fputc(' ', f);
                print_escaped(f, rule);
        }
        if (field_string(ruling, "file")) {
                (void) fputs(", ", f);
                print_place(f, ruling);
        }
}

static void print_asked_for(FILE *f, sd_json_variant *record) {
        const char *key = field_string(field_object(record, "requester"), "key");

        if (!key || is_same_module(key, field_string(record, "module")))
                (void) fputs("by its name", f);
        else {
                (void) fputs("as ", f);
                print_escaped(f, key);
        }
}

static void print_reason(FILE *f, const AncestryStep *step) {
        static const struct {
                const char *reason, *words, *source;
        } table[] = {
                { "dependency",   "needed by ",     " (modules.dep)" },
                { "softdep_pre",  "wanted before ", " (softdep)"     },
                { "softdep_post", "wanted after ",  " (softdep)"     },
        };
        const char *reason = field_string(step->record, "reason"),
                   *parent = field_string(step->record, "parent");

        if (!step->record) {
                (void) fputs("its record is not kept any more", f);
                return;
        }
        if (!parent)
                print_asked_for(f, step->record);
        for (size_t i = 0; parent && i < ARRAY_LEN(table); i++) {
                if (!streq_ptr(reason, table[i].reason))
                        continue;
                (void) fputs(table[i].words, f);
                print_escaped(f, parent);
                (void) fputs(table[i].source, f);
        }
        if (field_bool(step->record, "alsoRequested"))
                (void) fputs(", and asked for itself meanwhile", f);
        print_allowed_by(f, field_object(step->record, "allowedBy"));
}

static int add_module(Chain *c, const AncestryStep *step) {
        FILE *f = chain_begin(c);

        if (!f)
                return -ENOMEM;
        print_escaped(f, step->module);
        f = chain_next(c);
        if (!f)
                return -ENOMEM;
        print_reason(f, step);
        return table_cell_end(c->table);
}

/* Return: 0; -ENOMEM. */
int why_chain_print(const Output *out, const Ancestry *cause, const DeviceNames *names) {
        static const Column columns[] = {
                { .title = "CAME BY", .tree = true },
                { .title = "WHY", .wrap = true },
        };
        _cleanup_(table_freep) Table *table = NULL;
        sd_json_variant *record = NULL;
        Chain chain;
        int r;

        assert(out && cause && cause->n_steps > 0);

        for (size_t i = 0; i < cause->n_steps; i++)
                record = cause->steps[i].record ?: record;
        r = table_new(&table, out, columns, ARRAY_LEN(columns));
        if (r < 0)
                return r;
        chain = (Chain) { .table = table, .names = names };
        r = add_requester(&chain, record);
        for (size_t i = cause->n_steps; r >= 0 && i > 0; i--)
                r = add_module(&chain, cause->steps + i - 1);
        return r < 0 ? r : table_print(table);
}
