/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Any bytes as a file of modules-load.d and, behind the last NUL, as a kernel command line: read without a crash, and
 * every entry is one that can be requested, has a place, and is there once.
 */

#include <sys/stat.h>

#include "common/base/limits.h"
#include "common/base/module-name.h"
#include "common/modprobe/load-list.h"
#include "support.h"

#define LIST "/etc/modules-load.d/a.conf"

/* A directory with the one list, which is the file. It stays until the process ends. */
static void open_root(char *root, const FuzzFile *file) {
        static const char *const directories[] = { "/etc", "/etc/modules-load.d" };
        char path[128];

        must(mkdtemp(root) != NULL);
        for (size_t i = 0; i < ARRAY_LEN(directories); i++) {
                (void) snprintf(path, sizeof(path), "%s%s", root, directories[i]);
                must(mkdir(path, 0755) == 0);
        }
        (void) snprintf(path, sizeof(path), "%s" LIST, root);
        must(symlink(file->path, path) == 0);
}

static void check_entries(const LoadList *l, const char *root) {
        const LoadEntry *e;
        size_t n;

        e = load_list_entries(l, &n);
        must(n <= LOAD_LIST_MAX);
        for (size_t i = 0; i < n; i++) {
                size_t length = strlen(e[i].name);

                must(length > 0 && length <= REQUEST_KEY_MAX);
                must((e[i].line == 0) == streq(e[i].file, "/proc/cmdline"));
                if (e[i].line == 0) {
                        must(!strchr(e[i].name, ','));
                        continue;
                }
                must(startswith(e[i].file, root) && endswith(e[i].file, LIST));
                must(!strpbrk(e[i].name, "\n\r") && !strchr("#; \t", e[i].name[0]));
                must(!strchr(" \t", e[i].name[length - 1]));
                must(i == 0 || e[i].line > e[i - 1].line);
                for (size_t k = 0; k < i && k < 64; k++)
                        must(strlen(e[k].name) != length ||
                             !module_name_equal(e[k].name, e[i].name, length));
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static char root[] = "/tmp/fuzz-load-list-XXXXXX";
        static FuzzFile file = { .fd = -EBADF };
        const uint8_t *nul = size > 0 ? memrchr(data, '\0', size) : NULL;
        size_t n_list = nul ? (size_t) (nul - data) : size;
        _cleanup_(freep) char *command_line = NULL;
        _cleanup_(load_list_freep) LoadList *l = NULL;
        ProblemList problems = {};

        if (file.fd < 0) {
                fuzz_file_open(&file, "a.conf");
                open_root(root, &file);
        }
        fuzz_file_write(&file, data, n_list);
        command_line = nul ? strndup((const char *) nul + 1, size - n_list - 1) : NULL;
        must(load_list_new(&l,
                           &(LoadListSources) {
                                   .root = root,
                                   .command_line = command_line,
                                   .in_initramfs = n_list % 2,
                           },
                           &problems) == 0);
        check_entries(l, root);
        for (size_t i = 0; i < problems.n_items; i++)
                fuzz_must_be_printable(problems.items[i].message);
        problem_list_clear(&problems);
        return 0;
}
