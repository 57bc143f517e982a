/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* modprobe -c, --show-modversions and --show-exports. */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/kmod/kmod-library.h"
#include "cli/kmod/modprobe.h"
#include "cli/kmod/tool-context.h"
#include "common/base/util.h"

static void print_entries(const char *word, struct kmod_config_iter *entries) {
        if (!entries)
                return;
        while (kmod.kmod_config_iter_next(entries)) {
                const char *value = kmod.kmod_config_iter_get_value(entries);

                (void) printf("%s %s%s%s\n", word, kmod.kmod_config_iter_get_key(entries), value ? " " : "",
                              value ?: "");
        }
        kmod.kmod_config_iter_free_iter(entries);
}

/* modprobe -c */
int modprobe_show_config(Modprobe *m) {
        int r = modprobe_open(m);

        if (r < 0)
                return r;
        print_entries("blacklist", kmod.kmod_config_get_blacklists(m->ctx));
        print_entries("install", kmod.kmod_config_get_install_commands(m->ctx));
        print_entries("remove", kmod.kmod_config_get_remove_commands(m->ctx));
        print_entries("alias", kmod.kmod_config_get_aliases(m->ctx));
        print_entries("options", kmod.kmod_config_get_options(m->ctx));
        print_entries("softdep", kmod.kmod_config_get_softdeps(m->ctx));
        print_entries("weakdep", kmod.kmod_config_get_weakdeps(m->ctx));
        (void) puts("\n# End of configuration files. Dumping indexes now:\n");
        (void) fflush(stdout);          /* libkmod writes to the descriptor */
        (void) kmod.kmod_dump_index(m->ctx, KMOD_INDEX_MODULES_ALIAS, STDOUT_FILENO);
        (void) kmod.kmod_dump_index(m->ctx, KMOD_INDEX_MODULES_SYMBOL, STDOUT_FILENO);
        return 0;
}

static int open_file(Modprobe *m, const char *file, struct kmod_module **ret) {
        int r;

        r = modprobe_open(m);
        if (r < 0)
                return r;
        r = kmod.kmod_module_new_from_path(m->ctx, file, ret);
        if (r < 0)
                modprobe_say(m, "Module %s not found.\n", file);
        return r;
}

/* A list of symbols that libkmod finds in a file. */
typedef struct SymbolList {
        const char *what;
        int (*get)(const struct kmod_module *module, struct kmod_list **ret);
        uint64_t (*get_crc)(const struct kmod_list *entry);
        const char *(*get_name)(const struct kmod_list *entry);
        void (*free)(struct kmod_list *list);
} SymbolList;

static int show_symbols(Modprobe *m, const char *file, const SymbolList *s, struct kmod_module *module) {
        struct kmod_list *list = NULL;
        int r;

        r = s->get(module, &list);
        if (r < 0) {
                modprobe_say(m, "could not get %s of %s: %s\n", s->what, file, strerror(-r));
                return r;
        }
        for (struct kmod_list *l = list; l; l = kmod.kmod_list_next(list, l))
                (void) printf("0x%08" PRIx64 "\t%s\n", s->get_crc(l), s->get_name(l));
        s->free(list);
        return 0;
}

/* Versions of the symbols that a file needs. */
int modprobe_show_versions(Modprobe *m, const char *file) {
        _cleanup_(kmod_module_unrefp) struct kmod_module *module = NULL;
        int r = open_file(m, file, &module);

        return r < 0 ? r
                     : show_symbols(m, file,
                                    &(SymbolList) { "modversions", kmod.kmod_module_get_versions,
                                                    kmod.kmod_module_version_get_crc,
                                                    kmod.kmod_module_version_get_symbol,
                                                    kmod.kmod_module_versions_free_list },
                                    module);
}

/* The symbols that a file has for others. */
int modprobe_show_exports(Modprobe *m, const char *file) {
        _cleanup_(kmod_module_unrefp) struct kmod_module *module = NULL;
        int r = open_file(m, file, &module);

        return r < 0 ? r
                     : show_symbols(m, file,
                                    &(SymbolList) { "symbols", kmod.kmod_module_get_symbols,
                                                    kmod.kmod_module_symbol_get_crc,
                                                    kmod.kmod_module_symbol_get_symbol,
                                                    kmod.kmod_module_symbols_free_list },
                                    module);
}
