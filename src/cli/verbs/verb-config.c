/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* config: the lines of modprobe.d and of the kernel command line that are in force, each with its place. */

#include <fnmatch.h>

#include "cli/offline/offline.h"
#include "cli/offline/suggestion.h"
#include "cli/print/format.h"
#include "cli/print/table.h"
#include "cli/verbs/verbs.h"
#include "common/base/limits.h"
#include "common/base/module-name.h"
#include "common/base/text.h"

/* Does this line apply to that module? */
static bool entry_concerns(const ConfigEntry *e, const char *module) {
        switch (e->kind) {
        case CONFIG_ALIAS:
                return streq_ptr(e->value, module) || fnmatch(e->name, module, 0) == 0;
        case CONFIG_INSTALL:
        case CONFIG_REMOVE:
        case CONFIG_SOFTDEP:
        case CONFIG_WEAKDEP:
                return fnmatch(e->name, module, 0) == 0;
        default:
                return streq(e->name, module);
        }
}

static int print_json(Run *run, const ConfigEntry *e) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL;
        _cleanup_(freep) char *name = NULL, *value = NULL;
        int r;

        r = text_escape(e->name, &name);
        if (r < 0)
                return r;
        r = text_escape(e->value ?: "", &value);
        if (r < 0)
                return r;
        r = sd_json_buildo(&v,
                           SD_JSON_BUILD_PAIR_STRING("kind", config_kind_to_string(e->kind)),
                           SD_JSON_BUILD_PAIR_STRING("name", name),
                           SD_JSON_BUILD_PAIR_CONDITION(e->value != NULL, "value", SD_JSON_BUILD_STRING(value)),
                           SD_JSON_BUILD_PAIR_STRING("file", e->file),
                           SD_JSON_BUILD_PAIR_CONDITION(e->line > 0, "line", SD_JSON_BUILD_UNSIGNED(e->line)));
        if (r < 0)
                return r;
        return output_json(&run->out, v);
}

static void write_kind(FILE *f, const ConfigEntry *e) {
        (void) fputs(config_kind_to_string(e->kind), f);
}

static void write_name(FILE *f, const ConfigEntry *e) {
        print_escaped(f, e->name);
}

static void write_value(FILE *f, const ConfigEntry *e) {
        print_escaped(f, e->value ?: "");
}

static void write_place(FILE *f, const ConfigEntry *e) {
        print_escaped(f, e->file);
        if (e->line > 0)
                fprintf(f, ":%u", e->line);
}

static int add_row(Table *table, const ConfigEntry *e) {
        static void (*const writers[])(FILE *f, const ConfigEntry *e) = {
                write_kind, write_name, write_value, write_place,
        };
        int r;

        r = table_line(table);
        for (size_t i = 0; r >= 0 && i < ARRAY_LEN(writers); i++) {
                FILE *f = table_cell(table);

                if (f)
                        writers[i](f, e);
                r = table_cell_end(table);
        }
        return r;
}

/* Return: how many lines were shown, or negative errno. */
static int show_entries(Run *run, Table *table, const ModprobeConfig *config, const char *module) {
        int n_shown = 0, r;

        for (ConfigKind kind = 0; kind < _CONFIG_KIND_MAX; kind++) {
                const ConfigEntry *entries;
                size_t n;

                entries = modprobe_config_entries(config, kind, &n);
                for (size_t i = 0; i < n; i++) {
                        if (module && !entry_concerns(entries + i, module))
                                continue;
                        r = run->out.json != JSON_OFF ? print_json(run, entries + i) : add_row(table, entries + i);
                        if (r < 0)
                                return r;
                        n_shown++;
                }
        }
        return n_shown;
}

int verb_config(Run *run, char **args, unsigned n_args) {
        static const Column columns[] = {
                { "KIND" }, { "NAME" }, { "VALUE", .wrap = true }, { "WHERE", .wrap = true, .whole = true },
        };
        _cleanup_(index_unrefp) const Index *index = NULL;
        _cleanup_(table_freep) Table *table = NULL;
        char name[MODULE_NAME_MAX + 1];
        int r, n_shown;

        r = offline_index(run, false, &index);
        if (r != 0)
                return r;
        if (n_args > 0 &&
            (suggestion_from_file(args[0], name) || module_name_normalize(args[0], name, sizeof(name)) < 0))
                return report_no_such_module(run, index, args[0]);
        r = table_new(&table, &run->out, columns, ARRAY_LEN(columns));
        if (r < 0)
                return r;

        output_list_begin(&run->out);
        n_shown = show_entries(run, table, index_get_config(index), n_args > 0 ? name : NULL);
        if (n_shown < 0)
                return n_shown;
        if (run->out.json != JSON_OFF)
                return output_list_end(&run->out);
        if (!output_wants_text(&run->out))
                return STATUS_DONE;
        if (n_shown == 0) {
                printf("No line of modprobe.d or of the kernel command line applies to ");
                print_escaped(stdout, n_args > 0 ? name : "anything");
                printf(".\n");
        } else {
                r = table_print(table);
                if (r < 0)
                        return r;
        }
        return output_flush();
}
