/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* devices: the devices that ask for a driver, what they have, and why some have none. */

#include "cli/machine/attribute.h"
#include "cli/machine/device-name.h"
#include "cli/offline/device-id.h"
#include "cli/offline/offline.h"
#include "cli/print/format.h"
#include "cli/print/table.h"
#include "cli/print/wrap.h"
#include "cli/verbs/machine-look.h"
#include "cli/verbs/verbs.h"
#include "common/base/string-list.h"
#include "common/base/text.h"
#include "common/device/device-keys.h"
#include "common/interface/interface.h"

typedef struct Listing {
        Run *run;
        const MachineLook *look;
        const DeviceNames *names;
        Table *table;                   /* NULL: as JSON */
        bool brief;                     /* without those that nothing is known of */
        size_t n_left_out;
} Listing;

/* One device with all that is shown of it. Owns its texts. */
typedef struct Row {
        const Device *device;
        char *name, *module;            /* what people call it; the module of its driver. NULL: none */
        WhyNot why;
} Row;

static void row_clear(Row *row) {
        free(row->name);
        free(row->module);
        why_not_clear(&row->why);
}

/* What ACPI describes may be the same as a device of another bus, which then has the driver. */
static bool is_described_twice(const Machine *machine, const Device *d) {
        _cleanup_(freep) char *path = NULL;

        if (!streq_ptr(d->uevent.facts.subsystem, "acpi"))
                return false;
        if (asprintf(&path, "%s%s/physical_node", machine->sys, d->path) < 0) {
                path = NULL;
                return false;
        }
        return access(path, F_OK) == 0;
}

/* A device of a class never has a driver, so it does not lack one. */
static bool lacks_driver(const Machine *machine, const Device *d) {
        return !d->uevent.facts.driver && !is_described_twice(machine, d) &&
               inquiry_can_have_driver(&(Inquiry) { .machine = machine, .device = d }) > 0;
}

static int row_make(const Listing *l, const Device *d, Row *ret) {
        _cleanup_(freep) char *syspath = NULL, *driver = NULL;
        int r;

        *ret = (Row) { .device = d };
        if (asprintf(&syspath, "/sys%s", d->path) < 0) {
                syspath = NULL;
                return -ENOMEM;
        }
        if (asprintf(&driver, "%s/driver", syspath) < 0) {
                driver = NULL;
                return -ENOMEM;
        }
        r = device_names_get(l->names, syspath, &ret->name);
        if (r < 0)
                return r;
        r = attribute_link_new(driver, "module", &ret->module);
        if (r == -ENOMEM)
                return r;
        if (!d->uevent.facts.driver && l->look->asker.brief && !lacks_driver(&l->look->asker.machine, d))
                return why_not_only_candidates(&l->look->asker, d, &ret->why);
        return why_not_of_device(&l->look->asker, d, &ret->why);
}

static const char *name_of(const Device *d) {
        return d->uevent.facts.sysname ?: d->path;
}

static void write_modules(FILE *f, const Row *row) {
        if (row->module || row->device->uevent.facts.driver) {
                print_escaped(f, row->module ?: "built in");
                return;
        }
        if (string_list_count(row->why.candidates) == 0)
                (void) fputc('-', f);
        for (char **s = row->why.candidates; s && *s; s++) {
                (void) fputs(s == row->why.candidates ? "" : ", ", f);
                print_escaped(f, *s);
        }
}

/* "nouveau: blacklisted", "no module for it": the modules that it could have, and why it has none of them */
static void write_modules_or_why(FILE *f, const Row *row) {
        const char *why = row->why.causes.n_items > 0 ? cause_kind_words(row->why.causes.items[0].kind)
                                                      : NULL;
        bool has_modules = row->module || row->device->uevent.facts.driver ||
                           string_list_count(row->why.candidates) > 0;

        if (has_modules || !why)
                write_modules(f, row);
        if (why)
                (void) fprintf(f, "%s%s", has_modules ? ": " : "", why);
}

static void write_cell(FILE *f, const Row *row, size_t column) {
        const DeviceFacts *facts = &row->device->uevent.facts;

        switch (column) {
        case 0:
                print_escaped(f, name_of(row->device));
                break;
        case 1:
                print_escaped(f, row->name ?: "-");
                break;
        case 2:
                print_escaped(f, facts->driver ?: "-");
                break;
        default:
                write_modules_or_why(f, row);
        }
}

static int add_row(Table *table, const Row *row) {
        int r = table_line(table);

        for (size_t column = 0; r >= 0 && column < 4; column++) {
                FILE *f = table_cell(table);

                if (f)
                        write_cell(f, row, column);
                r = table_cell_end(table);
        }
        return r;
}

/* NULL for NULL. */
static int escape_or_null(const char *text, char **ret) {
        return text ? text_escape(text, ret) : 0;
}

static int add_json(Run *run, const Row *row) {
        const DeviceFacts *facts = &row->device->uevent.facts;
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *object = NULL, *causes = NULL, *candidates = NULL;
        _cleanup_(freep) char *path = NULL, *name = NULL, *driver = NULL, *modalias = NULL,
                              *subsystem = NULL, *module = NULL;
        int r;

        r = text_escape(row->device->path, &path);
        if (r >= 0)
                r = escape_or_null(row->name, &name);
        if (r >= 0)
                r = escape_or_null(facts->driver, &driver);
        if (r >= 0)
                r = escape_or_null(facts->modalias, &modalias);
        if (r >= 0)
                r = escape_or_null(facts->subsystem, &subsystem);
        if (r >= 0)
                r = escape_or_null(row->module, &module);
        if (r >= 0)
                r = cause_list_to_json(&row->why.causes, &causes);
        if (r >= 0)
                r = why_not_candidates_to_json(&row->why, &candidates);
        if (r >= 0)
                r = sd_json_buildo(
                        &object, SD_JSON_BUILD_PAIR_STRING("device", path),
                        SD_JSON_BUILD_PAIR_CONDITION(name != NULL, "name", SD_JSON_BUILD_STRING(name)),
                        SD_JSON_BUILD_PAIR_CONDITION(subsystem != NULL, "subsystem", SD_JSON_BUILD_STRING(subsystem)),
                        SD_JSON_BUILD_PAIR_CONDITION(modalias != NULL, "modalias", SD_JSON_BUILD_STRING(modalias)),
                        SD_JSON_BUILD_PAIR_CONDITION(driver != NULL, "driver", SD_JSON_BUILD_STRING(driver)),
                        SD_JSON_BUILD_PAIR_CONDITION(module != NULL, "module", SD_JSON_BUILD_STRING(module)),
                        SD_JSON_BUILD_PAIR_VARIANT("candidates", candidates),
                        SD_JSON_BUILD_PAIR_VARIANT("causes", causes));
        return r < 0 ? r : output_json(&run->out, object);
}

/* Firmware describes much that no module of this kernel is for: nobody can do anything about it. */
static bool is_nameless(const Row *row) {
        return !row->name && !row->device->uevent.facts.driver &&
               string_list_count(row->why.candidates) == 0 &&
               (row->why.causes.n_items == 0 || row->why.causes.items[0].kind == CAUSE_NO_SUCH_MODULE);
}

static int on_device(const Device *d, void *userdata) {
        const char *keys[DEVICE_KEYS_MAX];
        _cleanup_(row_clear) Row row = {};
        Listing *l = userdata;
        int r;

        if (device_keys(&d->uevent.facts, keys) == 0)
                return 0;
        if (l->run->unbound && !lacks_driver(&l->look->asker.machine, d))
                return 0;
        r = row_make(l, d, &row);
        if (r < 0)
                return r;
        if (l->brief && is_nameless(&row)) {
                l->n_left_out++;
                return 0;
        }
        return l->table ? add_row(l->table, &row) : add_json(l->run, &row);
}

static int list_all(Run *run, Listing *l) {
        static const Column columns[] = {
                { "DEVICE", .wrap = true, .whole = true },
                { "NAME", .wrap = true, .shorten = 18 },
                { "DRIVER", .wrap = true },
                { "MODULES, OR WHY NOT", .wrap = true, .shorten = 19 },
        };
        _cleanup_(table_freep) Table *table = NULL;
        int r, e;

        if (run->out.json != JSON_OFF) {
                output_list_begin(&run->out);
                r = device_each(on_device, l);
                e = output_list_end(&run->out);
                return r < 0 ? r : e;
        }
        r = table_new(&table, &run->out, columns, ARRAY_LEN(columns));
        if (r < 0)
                return r;
        l->table = table;
        l->brief = wrap_width() > 0 && !run->out.full && !run->unbound;
        r = device_each(on_device, l);
        l->table = NULL;
        if (r < 0 || !output_wants_text(&run->out))
                return r;
        r = table_print(table);
        if (r >= 0 && l->n_left_out > 0)
                printf("\n%zu more have no name, no driver and no module: lkmctl devices --full\n",
                       l->n_left_out);
        return r;
}

/* ---------------------------------------------------------------------------------------------------- one in full */

static void print_fact(const Output *out, const char *label, const char *text) {
        if (!text)
                return;
        output_label(out, label);
        print_escaped(stdout, text);
        putchar('\n');
}

static int print_one(Run *run, const Listing *l, const Device *d) {
        const Output *out = &run->out;
        _cleanup_(row_clear) Row row = {};
        int r;

        r = row_make(l, d, &row);
        if (r < 0)
                return r;
        if (run->out.json != JSON_OFF)
                return add_json(run, &row);
        if (!output_wants_text(out))
                return 0;
        printf("%s", output_tone(out, stdout, TONE_STRONG));
        print_escaped(stdout, name_of(d));
        printf("%s\n", output_tone(out, stdout, TONE_PLAIN));
        print_fact(out, "Name", row.name);
        output_label(out, "Path");
        printf("/sys");
        print_escaped(stdout, d->path);
        putchar('\n');
        print_fact(out, "Subsystem", d->uevent.facts.subsystem);
        print_fact(out, "Asks for", d->uevent.facts.modalias);
        print_fact(out, "Driver", d->uevent.facts.driver ?: "none");
        if (d->uevent.facts.driver)
                print_fact(out, "Module", row.module ?: "none, the driver is part of the kernel image");
        if (string_list_count(row.why.candidates) > 0) {
                output_label(out, "Candidates");
                for (char **s = row.why.candidates; *s; s++) {
                        printf("%s", s == row.why.candidates ? "" : ", ");
                        print_escaped(stdout, *s);
                }
                putchar('\n');
        }
        putchar('\n');
        why_not_print(out, &row.why, "");
        return 0;
}

static int find_one(Run *run, const char *argument, Device **ret) {
        int r = device_find(ret, argument);

        if (r == -ENODEV || r == -ENOTUNIQ)
                return failure_print_own(&run->out, LKMD_ERROR_NO_SUCH_DEVICE, NO_SUCH_DEVICE_HINT,
                                         r == -ENODEV ? "there is no device '%s'" : "several devices are called '%s'",
                                         argument);
        if (r == -EACCES)
                return failure_print_own(&run->out, CLIENT_ERROR_LOCAL, "the same with sudo",
                                         "'%s' may not be read", argument);
        return r < 0 ? r : device_climb(ret);
}

int verb_devices(Run *run, char **args, unsigned n_args) {
        _cleanup_(device_names_freep) DeviceNames *names = NULL;
        _cleanup_(machine_look_close) MachineLook look = {};
        _cleanup_(device_freep) Device *device = NULL;
        Listing l = { .run = run, .look = &look };
        int r;

        if (n_args > 0) {
                r = find_one(run, args[0], &device);
                if (r != 0)
                        return r;
        }
        r = machine_look_open(run, &look);
        if (r == 0)
                r = device_names_new(&names, NULL);
        if (r != 0)
                return r;
        l.names = names;
        look.asker.brief = !device;
        return device ? print_one(run, &l, device) : list_all(run, &l);
}
