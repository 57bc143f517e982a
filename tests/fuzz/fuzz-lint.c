/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Any bytes as a file of modprobe.d with its comments "# lkmd: accept", and behind the first NUL as one of lint.d: what
 * lint finds has a place and a sentence, in order; what is accepted is accepted by somebody who gave a reason; what it
 * prints can be shown, as text and as JSON. Without lint.d and comments nothing is accepted.
 */

#include "cli/offline/lint-accept-reading.h"
#include "cli/offline/lint-commands.h"
#include "cli/offline/lint-config.h"
#include "cli/offline/lint-files.h"
#include "cli/offline/lint-kernel-line.h"
#include "cli/offline/lint-names.h"
#include "cli/offline/lint-options.h"
#include "cli/offline/lint-print.h"
#include "cli/offline/offline-policy.h"
#include "common/base/paths.h"
#include "fake-modules.h"
#include "support.h"

#define CONFIG "modprobe.d/a.conf"
#define ACCEPTED "etc/lkmd/lint.d/a.conf"

static Scratch scratch;
static FILE *to_terminal;

static void at_exit(void) {
        scratch_close(&scratch);
}

int LLVMFuzzerInitialize(int *argc, char ***argv) {
        static const FakeModule modules[] = { { "loop", NULL }, { "snd_hda", "snd" }, { "snd", NULL }, {} };
        static const WriterEntry aliases[] = { { "block-major-7-*", "loop", 0 },
                                               { "pci:v*", "snd_hda", 1 },
                                               {} };
        static const WriterEntry none[] = { {} };
        static const char *const builtin[] = { "ext4", NULL };

        scratch_open(&scratch);
        must(atexit(at_exit) == 0);
        fake_tree_write(&scratch, &(FakeTree) { .modules = modules,
                                                .aliases = aliases,
                                                .builtin_aliases = none,
                                                .symbols = none,
                                                .builtin = builtin });
        must(setenv(LKMD_POLICY_ROOT_ENV, scratch.dir, /* overwrite= */ 1) == 0);
        to_terminal = stdout;
        return 0;
}

static void check_acceptances(const Lint *l) {
        for (size_t i = 0; i < l->acceptances.n_items; i++) {
                const Acceptance *a = l->acceptances.items + i;

                must(a->kind >= 0 && a->kind < _FINDING_KIND_MAX && a->reason[0] != '\0' && a->line > 0);
        }
        must(l->acceptances.n_waiting <= l->acceptances.n_items);
}

static bool somebody_accepts(const Lint *l, const KeptFinding *f) {
        for (size_t i = 0; i < l->acceptances.n_items; i++) {
                const Acceptance *a = l->acceptances.items + i;

                if (a->reason == f->accepted)
                        return a->kind == f->kind && a->used &&
                               (a->about_line == 0 || a->about_line == f->line);
        }
        return false;
}

static void check_findings(const Lint *l) {
        for (size_t i = 0; i < l->n_findings; i++) {
                const KeptFinding *f = l->findings + i;

                must(f->kind >= 0 && f->kind < _FINDING_KIND_MAX && f->file[0] != '\0' &&
                     f->message[0] != '\0');
                must(!f->accepted || somebody_accepts(l, f));
                must(f->column == 0 || f->line > 0);
                must(i == 0 || !streq(f[-1].file, f->file) || f[-1].line <= f->line);
        }
}

/* Its answer, with lines that can be shown. */
static void check_print(Lint *l, JsonMode json) {
        _cleanup_(freep) char *text = NULL;
        size_t size;
        int r;

        stdout = open_memstream(&text, &size);
        must(stdout != NULL);
        l->run->out.json = json;
        r = lint_print(l);
        must(fclose(stdout) == 0);
        stdout = to_terminal;
        must(r >= 0 && strlen(text) == size);
        for (char *line = text, *next; line; line = next) {
                next = strchr(line, '\n');
                if (next)
                        *next++ = '\0';
                fuzz_must_be_printable(line);
        }
}

static int lint_all(Lint *l) {
        static int (*const parts[])(
                Lint *l) = { acceptances_read_dirs, lint_files,    lint_config,     lint_names,
                             lint_options,          lint_commands, lint_kernel_line };
        int r = 0;

        for (size_t i = 0; r >= 0 && i < ARRAY_LEN(parts); i++)
                r = parts[i](l);
        return r;
}

static void lint(const char *config_path) {
        const char *paths[] = { config_path, NULL };
        Run run = { .root = scratch.dir, .kernel = FAKE_RELEASE, .all = true };
        _cleanup_(problem_list_clear) ProblemList problems = {};
        _cleanup_(offline_policy_done) OfflinePolicy offline = {};
        _cleanup_(index_unrefp) const Index *index = NULL;
        _cleanup_(lint_clear)
                Lint l = { .run = &run, .offline = &offline, .command_line = "quiet loop.max_loop=8" };

        run.config = (PathList) { paths, 1 };
        must(index_new(&index,
                       &(IndexSources) { .root = run.root, .release = run.kernel, .config_paths = paths },
                       &problems) == 0);
        must(offline_policy_read(NULL, /* trusted_only= */ false, &offline, &problems) == 0);
        l.index = index;
        must(lint_all(&l) >= 0);
        check_acceptances(&l);
        must(lint_complete(&l) == 0);
        check_findings(&l);
        check_print(&l, JSON_OFF);
        check_print(&l, JSON_SHORT);
        output_done(&run.out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        const uint8_t *nul = size > 0 ? memchr(data, '\0', size) : NULL;
        size_t n = nul ? (size_t) (nul - data) : size;

        scratch_write_bytes(&scratch, CONFIG, data, n);
        scratch_write_bytes(&scratch, ACCEPTED, nul ? nul + 1 : data, nul ? size - n - 1 : 0);
        lint(scratch_path(&scratch, CONFIG));
        return 0;
}
