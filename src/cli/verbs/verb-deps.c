/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* deps: what a module needs, what it wants, which device nodes load it, and where that is written. */

#include <fnmatch.h>

#include "cli/offline/offline.h"
#include "cli/print/format.h"
#include "cli/print/table.h"
#include "cli/verbs/verbs.h"
#include "common/base/limits.h"
#include "common/base/module-name.h"
#include "common/base/text.h"

static int place_to_json(const ConfigEntry *entry, const char *name, const char *value, sd_json_variant **ret) {
        _cleanup_(freep) char *text = NULL;
        int r;

        r = text_escape(value, &text);
        if (r < 0)
                return r;
        return sd_json_buildo(ret,
                              SD_JSON_BUILD_PAIR_STRING(name, text),
                              SD_JSON_BUILD_PAIR_STRING("file", entry->file),
                              SD_JSON_BUILD_PAIR_CONDITION(entry->line > 0, "line",
                                                           SD_JSON_BUILD_UNSIGNED(entry->line)));
}

static int softdeps_to_json(const IndexSoftdep *softdeps, size_t n, bool post, sd_json_variant **ret) {
        int r;

        r = sd_json_variant_new_array(ret, NULL, 0);
        for (size_t i = 0; r >= 0 && i < n; i++) {
                _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL;

                if (softdeps[i].post != post)
                        continue;
                r = place_to_json(softdeps[i].config, "module", softdeps[i].key, &v);
                if (r >= 0)
                        r = sd_json_variant_append_array(ret, v);
        }
        return r;
}

static bool weakdep_applies(const ConfigEntry *entry, const char *module) {
        return entry->value && fnmatch(entry->name, module, 0) == 0;
}

static int weakdeps_to_json(const ModprobeConfig *config, const char *module, sd_json_variant **ret) {
        const ConfigEntry *entries;
        size_t n;
        int r;

        entries = modprobe_config_entries(config, CONFIG_WEAKDEP, &n);
        r = sd_json_variant_new_array(ret, NULL, 0);
        for (size_t i = 0; r >= 0 && i < n; i++) {
                _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL;

                if (!weakdep_applies(entries + i, module))
                        continue;
                r = place_to_json(entries + i, "modules", entries[i].value, &v);
                if (r >= 0)
                        r = sd_json_variant_append_array(ret, v);
        }
        return r;
}

/* Device nodes that load the module when they are opened. */
static int nodes_to_json(const Index *index, const char *module, sd_json_variant **ret) {
        const Devname *devnames;
        size_t n;
        int r;

        devnames = index_get_devnames(index, &n);
        r = sd_json_variant_new_array(ret, NULL, 0);
        for (size_t i = 0; r >= 0 && i < n; i++) {
                _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL;
                _cleanup_(freep) char *path = NULL, *escaped = NULL;

                if (!streq(devnames[i].module, module))
                        continue;
                if (asprintf(&path, "/dev/%s", devnames[i].node) < 0) {
                        path = NULL;
                        return -ENOMEM;
                }
                r = text_escape(path, &escaped);
                if (r >= 0)
                        r = sd_json_variant_new_string(&v, escaped);
                if (r >= 0)
                        r = sd_json_variant_append_array(ret, v);
        }
        return r;
}

static int dependencies_to_json(const IndexModule *module, sd_json_variant **ret) {
        int r;

        r = sd_json_variant_new_array(ret, NULL, 0);
        for (size_t i = 0; r >= 0 && i < module->n_dependencies; i++) {
                const IndexModule *d = module->dependencies[i];
                _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL;
                _cleanup_(freep) char *path = NULL;

                r = text_escape(d->path ?: "", &path);
                if (r < 0)
                        return r;
                r = sd_json_buildo(&v,
                                   SD_JSON_BUILD_PAIR_STRING("module", d->name),
                                   SD_JSON_BUILD_PAIR_CONDITION(d->path != NULL, "path", SD_JSON_BUILD_STRING(path)));
                if (r >= 0)
                        r = sd_json_variant_append_array(ret, v);
        }
        return r;
}

static int print_json(Run *run, const Index *index, const IndexModule *module, const IndexSoftdep *softdeps,
                      size_t n) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *dependencies = NULL, *pre = NULL, *post = NULL;
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *weak = NULL, *nodes = NULL, *object = NULL;
        _cleanup_(freep) char *path = NULL;
        int r;

        r = text_escape(module->path ?: "", &path);
        if (r < 0)
                return r;
        r = dependencies_to_json(module, &dependencies);
        if (r < 0)
                return r;
        r = softdeps_to_json(softdeps, n, false, &pre);
        if (r < 0)
                return r;
        r = softdeps_to_json(softdeps, n, true, &post);
        if (r < 0)
                return r;
        r = weakdeps_to_json(index_get_config(index), module->name, &weak);
        if (r < 0)
                return r;
        r = nodes_to_json(index, module->name, &nodes);
        if (r < 0)
                return r;
        r = sd_json_buildo(&object,
                           SD_JSON_BUILD_PAIR_STRING("module", module->name),
                           SD_JSON_BUILD_PAIR_CONDITION(module->path != NULL, "path", SD_JSON_BUILD_STRING(path)),
                           SD_JSON_BUILD_PAIR_BOOLEAN("builtin", module->path == NULL),
                           SD_JSON_BUILD_PAIR_VARIANT("dependencies", dependencies),
                           SD_JSON_BUILD_PAIR_VARIANT("softdepsPre", pre),
                           SD_JSON_BUILD_PAIR_VARIANT("softdepsPost", post),
                           SD_JSON_BUILD_PAIR_VARIANT("weakdeps", weak),
                           SD_JSON_BUILD_PAIR_VARIANT("deviceNodes", nodes));
        if (r < 0)
                return r;
        return output_json(&run->out, object);
}

static int add_row(Table *table, const char *kind, const char *what, const char *file, unsigned line) {
        FILE *f;
        int r;

        r = table_line(table);
        if (r < 0)
                return r;
        f = table_cell(table);
        if (f)
                (void) fputs(kind, f);
        r = table_cell_end(table);
        if (r < 0)
                return r;
        f = table_cell(table);
        if (f)
                print_escaped(f, what);
        r = table_cell_end(table);
        if (r < 0)
                return r;
        f = table_cell(table);
        if (f) {
                print_escaped(f, file);
                if (line > 0)
                        fprintf(f, ":%u", line);
        }
        return table_cell_end(table);
}

static int print_table(Run *run, const Index *index, const IndexModule *module, const IndexSoftdep *softdeps,
                       size_t n) {
        static const Column columns[] = { { "KIND" },
                                          { "MODULE" },
                                          { "WHERE", .wrap = true, .whole = true } };
        _cleanup_(table_freep) Table *table = NULL;
        const ConfigEntry *weak;
        const Devname *devnames;
        size_t n_weak, n_devnames, n_rows = 0;
        int r;

        r = table_new(&table, &run->out, columns, ARRAY_LEN(columns));
        if (r < 0)
                return r;
        for (size_t i = 0; i < module->n_dependencies; i++, n_rows++) {
                r = add_row(table, "dependency", module->dependencies[i]->name,
                            module->dependencies[i]->path ?: "built in", 0);
                if (r < 0)
                        return r;
        }
        for (size_t i = 0; i < n; i++, n_rows++) {
                r = add_row(table, softdeps[i].post ? "softdep post" : "softdep pre", softdeps[i].key,
                            softdeps[i].config->file, softdeps[i].config->line);
                if (r < 0)
                        return r;
        }
        weak = modprobe_config_entries(index_get_config(index), CONFIG_WEAKDEP, &n_weak);
        for (size_t i = 0; i < n_weak; i++) {
                if (!weakdep_applies(weak + i, module->name))
                        continue;
                n_rows++;
                r = add_row(table, "weakdep", weak[i].value, weak[i].file, weak[i].line);
                if (r < 0)
                        return r;
        }

        devnames = index_get_devnames(index, &n_devnames);
        for (size_t i = 0; i < n_devnames; i++) {
                if (!streq(devnames[i].module, module->name))
                        continue;
                n_rows++;
                r = add_row(table, "opened by", module->name, devnames[i].node, 0);
                if (r < 0)
                        return r;
        }

        if (n_rows > 0)
                return table_print(table);
        print_escaped(stdout, module->name);
        printf(module->path ? " needs no other module\n" : " is built into the kernel and needs nothing\n");
        return 0;
}

int verb_deps(Run *run, char **args, unsigned n_args) {
        _cleanup_(index_unrefp) const Index *index = NULL;
        char name[MODULE_NAME_MAX + 1];
        const IndexModule *module = NULL;
        _cleanup_(freep) IndexSoftdep *softdeps = NULL;
        size_t n;
        int r;

        r = offline_index(run, true, &index);
        if (r != 0)
                return r;
        if (module_name_normalize(args[0], name, sizeof(name)) >= 0)
                module = index_find_module(index, name);
        if (!module)
                return report_no_such_module(run, index, args[0]);
        r = index_softdeps(index, name, &softdeps, &n);
        if (r < 0)
                return r;

        if (run->out.json != JSON_OFF)
                return print_json(run, index, module, softdeps, n);
        if (!output_wants_text(&run->out))
                return STATUS_DONE;
        r = print_table(run, index, module, softdeps, n);
        return r < 0 ? r : output_flush();
}
