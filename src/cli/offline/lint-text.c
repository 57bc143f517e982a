/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* LintText: invisible characters in modprobe.d, with which a line is not what it looks like. */

#include "cli/offline/lint-text.h"

#include <assert.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>

#include "common/base/text.h"
#include "common/words/kernel-command-line.h"

#define LINES_MAX 100000U               /* of one file; a configuration has fewer */

static int report(Lint *l, const char *file, unsigned line, unsigned column, uint32_t hidden) {
        Finding finding = { "hidden_character", file, line, column, "the line without it" };

        return lint_report(l, &finding,
                           "U+%04" PRIX32 ", which people do not see: this line looks like another one",
                           hidden);
}

static int lint_line(Lint *l, const char *file, unsigned line, const char *text) {
        unsigned column = 1;

        for (const char *p = text; *p; column++) {
                uint32_t hidden = text_hidden_code_point(p);

                if (hidden > 0)
                        return report(l, file, line, column, hidden); /* one is enough */
                for (p++; ((unsigned char) *p & 0xc0) == 0x80; p++)
                        ;
        }
        return 0;
}

static int lint_file(Lint *l, const char *path) {
        _cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
        _cleanup_(fclosep) FILE *f = NULL;
        _cleanup_(freep) char *line = NULL;
        size_t size = 0;
        struct stat st;
        int r = 0;

        if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
                return 0;               /* it could be read a moment ago; what changed since is not for lint */
        f = fdopen(fd, "r");
        if (!f)
                return -ENOMEM;
        STEAL_FD(fd);
        for (unsigned n = 1; r >= 0 && n <= LINES_MAX && getline(&line, &size, f) > 0; n++)
                r = lint_line(l, path, n, line);
        return r;
}

static bool was_looked_at(const char *const *files, size_t n, const char *file) {
        for (size_t i = 0; i < n; i++)
                if (streq(files[i], file))
                        return true;
        return false;
}

/* Comments too: a line may look like a comment, and the other way round. */
int lint_text(Lint *l) {
        _cleanup_(freep) const char **files = NULL;
        size_t n_files = 0;
        int r = 0;

        assert(l);

        for (ConfigKind kind = 0; r >= 0 && kind < _CONFIG_KIND_MAX; kind++) {
                const ConfigEntry *entries;
                size_t n;

                entries = modprobe_config_entries(index_get_config(l->index), kind, &n);
                for (size_t i = 0; r >= 0 && i < n; i++) {
                        const char **more;

                        if (streq(entries[i].file, KERNEL_COMMAND_LINE_FILE) ||
                            was_looked_at(files, n_files, entries[i].file))
                                continue;
                        more = reallocarray(files, n_files + 1, sizeof(*files));
                        if (!more)
                                return -ENOMEM;
                        files = more;
                        files[n_files++] = entries[i].file;
                        r = lint_file(l, entries[i].file);
                }
        }
        return r;
}
