/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Any bytes as lkmd.conf: read without a crash, and whatever holds afterwards is within its limits. */

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <syslog.h>
#include <unistd.h>

#include "common/names.h"
#include "common/settings.h"
#include "common/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char root[] = "/tmp/fuzz-settings-XXXXXX";
static int file = -1;

static void remove_root(void) {
        char path[sizeof(root) + sizeof("/" LKMD_CONF_NAME)];

        snprintf(path, sizeof(path), "%s/" LKMD_CONF_NAME, root);
        (void) unlink(path);
        (void) rmdir(root);
}

/* One directory whose lkmd.conf is memory of this process. */
static void make_root(void) {
        char path[sizeof(root) + sizeof("/" LKMD_CONF_NAME)], target[64];

        file = memfd_create("lkmd.conf", MFD_CLOEXEC);
        if (file < 0 || !mkdtemp(root) || atexit(remove_root) != 0)
                abort();
        snprintf(path, sizeof(path), "%s/" LKMD_CONF_NAME, root);
        snprintf(target, sizeof(target), "/proc/self/fd/%d", file);
        if (symlink(target, path) < 0)
                abort();
}

static void check(int holds) {
        if (!holds)
                abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        const char *roots[] = { root, NULL };
        ProblemList problems = {};
        Settings s;

        if (file < 0)
                make_root();
        if (ftruncate(file, 0) < 0 || pwrite(file, data, size, 0) != (ssize_t) size)
                abort();

        check(settings_load(&s, roots, &problems) == 0);
        check(s.log_level >= LOG_EMERG && s.log_level <= LOG_DEBUG);
        check(s.loader_threads >= 1 && s.loader_threads <= LOADS_MAX);
        check(s.slow_load_usec > 0);
        check(s.receive_buffer_bytes >= 64U << 10 && s.receive_buffer_bytes <= 1U << 30);
        check(s.ledger_entries >= 16 && s.ledger_entries <= 1U << 20);
        check(s.unknown_parameters >= 0 && s.unknown_parameters < _UNKNOWN_PARAMETERS_MAX);
        for (size_t i = 0; i < problems.n_items; i++) {
                char *escaped;

                /* Messages are fit for the journal and JSON: there is nothing left to escape. */
                check(text_escape(problems.items[i].message, &escaped) == 0);
                check(streq(escaped, problems.items[i].message));
                free(escaped);
        }

        problem_list_clear(&problems);
        return 0;
}
