/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * LintKernelLine: see lint-kernel-line.h. LintRules and LintConfig look at the names of modules in it, LintOptions
 * at parameters of modules.
 */

#include "cli/offline/lint-kernel-line.h"

#include <assert.h>

#include "common/words/kernel-command-line.h"

#define WORD "module_blacklist"

static Finding finding_of(FindingKind kind, const char *instead, const char *subject) {
        return (Finding) { kind, KERNEL_COMMAND_LINE_FILE, 0, 0, instead, subject };
}

/* A parameter that is a string has the value that was given last (lib/cmdline.c, kernel/params.c). */
static int lint_repeated(Lint *l) {
        Finding finding = finding_of(FINDING_ONLY_LAST_COUNTS,
                                     "one " WORD "=, with commas between the names", NULL);
        _cleanup_(freep) char *last = NULL;
        size_t n = 0;
        int r;

        r = kernel_command_line_count(l->command_line, WORD, &n);
        if (r >= 0 && n > 1)
                r = kernel_command_line_find(l->command_line, WORD, &last);
        if (r < 0 || n < 2)
                return r;
        return lint_report(l, &finding, WORD "= is given %zu times, and only the last counts: %s", n,
                           last ?: "");
}

/* lkmd reads '-' as '_' everywhere; the kernel compares bytes, and modprobe does so with this word. */
static int lint_dashes(Lint *l, const ShownNames *kernels) {
        Finding finding = finding_of(FINDING_DASH_ON_COMMAND_LINE, "the names with '_' in place of '-'",
                                     NULL);
        const ConfigEntry *entries;
        ShownNames modprobes = {};
        char names[2][256];
        size_t n;

        entries = modprobe_config_entries(index_get_config(l->index), CONFIG_BLACKLIST, &n);
        for (size_t i = 0; i < n; i++)
                if (entries[i].dashed)
                        shown_names_add(&modprobes, entries[i].name);
        if (kernels->n == 0 && modprobes.n == 0)
                return 0;
        finding.subject = modprobes.n > 0 ? modprobes.names[0] : kernels->names[0];
        shown_names_print(kernels, names[0], sizeof(names[0]));
        shown_names_print(&modprobes, names[1], sizeof(names[1]));
        return lint_report(l, &finding, "written with '-', these names are not seen: %s%s%s%s%s; lkmd %s",
                           names[0], kernels->n > 0 ? " in " WORD "= by the kernel" : "",
                           kernels->n > 0 && modprobes.n > 0 ? ", " : "", names[1],
                           modprobes.n > 0 ? " in modprobe.blacklist= by modprobe" : "",
                           l->offline->compat_kmod ? "does not see the latter either, with Compat=kmod"
                                                   : "does see them");
}

int lint_kernel_line(Lint *l) {
        _cleanup_(freep) char *value = NULL;
        ShownNames dashed = {};
        char *rest, *name;
        int r;

        assert(l);

        if (!l->command_line)
                return 0;
        r = lint_repeated(l);
        if (r >= 0)
                r = kernel_command_line_find(l->command_line, WORD, &value);
        for (rest = value; r >= 0 && rest && (name = strsep(&rest, ","));)
                if (strchr(name, '-'))
                        shown_names_add(&dashed, name);
        return r < 0 ? r : lint_dashes(l, &dashed);
}
