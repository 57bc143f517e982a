/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Any bytes as a file of modprobe.d and, behind the last NUL, as a kernel command line: read without a
 * crash, and every entry is one that kmod could have.
 */

#include "common/index/softdep-table.h"
#include "common/modprobe/deny-command.h"
#include "common/modprobe/modprobe-config.h"
#include "common/words/root-words.h"
#include "support.h"

static void check_entry(const ModprobeConfig *c, const ConfigEntry *e, ConfigKind kind) {
        const ConfigEntry *found = NULL;

        must(e->kind == kind);
        must(e->name && e->file);
        must((e->value == NULL) == (kind == CONFIG_BLACKLIST));
        must((e->line == 0) == streq(e->file, "/proc/cmdline"));
        if (e->line > 0)
                must(*e->name && !strpbrk(e->name, " \t\n"));

        switch (kind) {
        case CONFIG_BLACKLIST:
                must(modprobe_config_is_blacklisted(c, e->name, &found));
                must(streq(found->name, e->name) && found <= e);
                break;
        case CONFIG_INSTALL:
        case CONFIG_REMOVE:
                (void) command_is_denial(e->value);
                found = modprobe_config_find_command(c, kind, e->name);
                must(!found || found->kind == kind); /* a pattern need not match itself */
                break;
        case CONFIG_OPTIONS:
                must(!strchr(e->value, '\t'));
                break;
        default:
                break;
        }
}

/* What the manager reads, lkmd-loader finds where the manager says that it stands. */
static void check_origins(const ModprobeConfig *c, const uint8_t *data, size_t size, const char *command_line) {
        const ConfigEntry *e;
        size_t n;

        e = modprobe_config_entries(c, CONFIG_OPTIONS, &n);
        for (size_t i = 0; i < n && i < 16; i++) {
                bool from_file = e[i].line > 0;
                _cleanup_(freep) char *text = from_file ? fuzz_text(data, size) : strdup(command_line);

                if (e[i].value[strspn(e[i].value, " ")] == '\0')
                        continue;
                if (from_file)
                        must(root_options_hold(text, size, e[i].name, e[i].value));
                else
                        must(root_command_line_holds(text, e[i].name, e[i].value));
        }
}

static void check_softdeps(const ModprobeConfig *c) {
        _cleanup_(softdep_table_freep) SoftdepTable *t = NULL;
        const ConfigEntry *e;
        size_t n;

        must(softdep_table_new(&t, c) == 0);
        e = modprobe_config_entries(c, CONFIG_SOFTDEP, &n);
        for (size_t i = 0; i < n && i < 64; i++) {
                _cleanup_(freep) IndexSoftdep *deps = NULL;
                size_t n_deps;

                must(softdep_table_find(t, e[i].name, &deps, &n_deps) == 0);
                for (size_t k = 0; k < n_deps; k++)
                        must(*deps[k].key && !strpbrk(deps[k].key, " \t\n\v\f\r"));
        }
}

static void check_problems(const ProblemList *problems) {
        for (size_t i = 0; i < problems->n_items; i++)
                fuzz_must_be_printable(problems->items[i].message);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(modprobe_config_freep) ModprobeConfig *c = NULL;
        _cleanup_(freep) char *command_line = NULL;
        static FuzzFile file = { .fd = -EBADF };
        const uint8_t *nul = size > 0 ? memrchr(data, '\0', size) : NULL;
        size_t n_config = nul ? (size_t) (nul - data) : size;
        ProblemList problems = {};

        if (file.fd < 0)
                fuzz_file_open(&file, "modprobe.conf");
        fuzz_file_write(&file, data, n_config);
        command_line = nul ? strndup((const char *) nul + 1, size - n_config - 1) : NULL;

        must(modprobe_config_new(&c, &(ModprobeConfigSources) {
                .paths = (const char *const[]) { file.path, NULL },
                .command_line = command_line,
        }, &problems) == 0);

        for (ConfigKind k = 0; k < _CONFIG_KIND_MAX; k++) {
                const ConfigEntry *e;
                size_t n;

                e = modprobe_config_entries(c, k, &n);
                for (size_t i = 0; i < n; i++)
                        check_entry(c, &e[i], k);
        }
        check_softdeps(c);
        check_origins(c, data, n_config, command_line);
        check_problems(&problems);

        problem_list_clear(&problems);
        return 0;
}
