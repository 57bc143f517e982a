/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Any bytes as lkmd.conf: read without a crash, and whatever holds afterwards is within its limits. */

#include <stdlib.h>
#include <syslog.h>

#include "common/base/limits.h"
#include "common/base/paths.h"
#include "common/settings/settings.h"
#include "support.h"

static char root[] = "/tmp/fuzz-settings-XXXXXX";
static FuzzFile file = { .fd = -EBADF };

static void remove_root(void) {
        char path[sizeof(root) + sizeof("/" LKMD_CONF_NAME)];

        snprintf(path, sizeof(path), "%s/" LKMD_CONF_NAME, root);
        (void) unlink(path);
        (void) rmdir(root);
}

/* One directory whose lkmd.conf is memory of this process. */
static void make_root(void) {
        char path[sizeof(root) + sizeof("/" LKMD_CONF_NAME)];

        fuzz_file_open(&file, "lkmd.conf");
        must(mkdtemp(root) && atexit(remove_root) == 0);
        snprintf(path, sizeof(path), "%s/" LKMD_CONF_NAME, root);
        must(symlink(file.path, path) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        const char *roots[] = { root, NULL };
        ProblemList problems = {};
        Settings s;

        if (file.fd < 0)
                make_root();
        fuzz_file_write(&file, data, size);

        must(settings_load(&s, roots, &problems) == 0);
        must(s.log_level >= LOG_EMERG && s.log_level <= LOG_DEBUG);
        must(s.loader_threads >= 1 && s.loader_threads <= LOADS_MAX);
        must(s.slow_load_usec > 0);
        must(s.receive_buffer_bytes >= 64U << 10 && s.receive_buffer_bytes <= 1U << 30);
        must(s.ledger_entries >= 16 && s.ledger_entries <= 1U << 20);
        must(s.unknown_parameters >= 0 && s.unknown_parameters < _UNKNOWN_PARAMETERS_MAX);
        must(s.loaded_parameters >= 0 && s.loaded_parameters < _LOADED_PARAMETERS_MAX);
        for (size_t i = 0; i < problems.n_items; i++)
                fuzz_must_be_printable(problems.items[i].message);

        problem_list_clear(&problems);
        return 0;
}
