/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Any bytes as a file of modprobe.d and, behind the last NUL, as a kernel command line: read without a
 * crash, and every entry is one that kmod could have.
 */

#include <fcntl.h>
#include <stdint.h>
#include <sys/mman.h>

#include "common/deny-command.h"
#include "common/modprobe-config.h"
#include "common/softdep-table.h"
#include "common/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int holds) {
        if (!holds)
                abort();
}

static void check_entry(const ModprobeConfig *c, const ConfigEntry *e, ConfigKind kind) {
        const ConfigEntry *found = NULL;

        check(e->kind == kind);
        check(e->name && e->file);
        check((e->value == NULL) == (kind == CONFIG_BLACKLIST));
        check((e->line == 0) == streq(e->file, "/proc/cmdline"));
        if (e->line > 0)
                check(*e->name && !strpbrk(e->name, " \t\n"));

        switch (kind) {
        case CONFIG_BLACKLIST:
                check(modprobe_config_is_blacklisted(c, e->name, &found));
                check(streq(found->name, e->name) && found <= e);
                break;
        case CONFIG_INSTALL:
        case CONFIG_REMOVE:
                (void) command_is_denial(e->value);
                found = modprobe_config_find_command(c, kind, e->name);
                check(!found || found->kind == kind); /* a pattern need not match itself */
                break;
        case CONFIG_OPTIONS:
                check(!strchr(e->value, '\t'));
                break;
        default:
                break;
        }
}

static void check_softdeps(const ModprobeConfig *c) {
        _cleanup_(softdep_table_freep) SoftdepTable *t = NULL;
        const ConfigEntry *e;
        size_t n;

        check(softdep_table_new(&t, c) == 0);
        e = modprobe_config_entries(c, CONFIG_SOFTDEP, &n);
        for (size_t i = 0; i < n && i < 64; i++) {
                const IndexSoftdep *deps;
                size_t n_deps;

                softdep_table_find(t, e[i].name, &deps, &n_deps);
                for (size_t k = 0; k < n_deps; k++)
                        check(*deps[k].key && !strpbrk(deps[k].key, " \t\n\v\f\r"));
        }
}

static void check_problems(const ProblemList *problems) {
        for (size_t i = 0; i < problems->n_items; i++) {
                _cleanup_(freep) char *escaped = NULL;

                check(text_escape(problems->items[i].message, &escaped) == 0);
                check(streq(escaped, problems->items[i].message));
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(modprobe_config_freep) ModprobeConfig *c = NULL;
        _cleanup_(freep) char *command_line = NULL;
        static char path[64];
        static int file = -1;
        const uint8_t *nul = size > 0 ? memrchr(data, '\0', size) : NULL;
        size_t n_config = nul ? (size_t) (nul - data) : size;
        ProblemList problems = {};

        if (file < 0) {
                file = memfd_create("modprobe.conf", MFD_CLOEXEC);
                snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
        }
        if (ftruncate(file, 0) < 0 || pwrite(file, data, n_config, 0) != (ssize_t) n_config)
                abort();
        command_line = nul ? strndup((const char *) nul + 1, size - n_config - 1) : NULL;

        check(modprobe_config_new(&c, &(ModprobeConfigSources) {
                .paths = (const char *const[]) { path, NULL },
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
        check_problems(&problems);

        problem_list_clear(&problems);
        return 0;
}
