/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* lkmd.conf whose rights change, watched by a process that is not root's. */

#include "daemon/config/settings-watch.h"

#include <sys/stat.h>

#include "common/settings/settings.h"
#include "daemon-bench.h"
#include "must.h"
#include "reader-bench.h"
#include "scratch.h"
#include "test.h"

#define FILE_A "/etc/lkmd/lkmd.conf.d/a.conf"

static Scratch scratch;

typedef struct Reader {
        SettingsWatch *watch;
        unsigned n_readable;
        size_t ledger_entries;          /* in force */
        bool lacks;
} Reader;

/* As the manager does. */
static void read_settings(Reader *r) {
        _cleanup_(problem_list_clear) ProblemList problems = {};
        Settings settings;

        settings_watch_reading(r->watch);
        must_ok(settings_load(&settings, NULL, &problems));
        settings_watch_read(r->watch, &problems);
        r->lacks = problem_list_find_unread(&problems);
        if (problems.n_items == 0)
                r->ledger_entries = settings.ledger_entries;
}

static void on_readable(void *userdata) {
        Reader *r = userdata;

        r->n_readable++;
        read_settings(r);
}

static const struct {
        const char *command;
        bool readable;                  /* it is read by itself */
        size_t ledger_entries;
        const char *problem;            /* a part of it; NULL: none */
} steps[] = {
        /* somebody else's file is not for lkmd-reader to open */
        { "chown root " FILE_A, true, 71, NULL },
        { "chown 1234 " FILE_A, false, 71, "cannot be read: Permission denied; what it said before stays in force" },
        { "touch " FILE_A, false, 71, "what it said before stays in force" },
        { "chmod 0644 " FILE_A, true, 71, NULL },
        { "chmod 0600 " FILE_A "; sed -i s/71/72/ " FILE_A " && chown 1234 " FILE_A, false, 71, "cannot be read" },
        { "rm " FILE_A, true, 4096, NULL },
        { "printf '[Manager]\\nLedgerEntries=73\\n' >" FILE_A, false, 4096, "is not in force yet" },
        { "chown 1234 " FILE_A "; chmod 0600 " FILE_A, false, 4096, "cannot be read" },
        { "chmod 0644 " FILE_A, true, 73, NULL },
        { "chown 1234 /etc/lkmd/lkmd.conf.d; chmod 0700 /etc/lkmd/lkmd.conf.d; chown root " FILE_A, false, 73, "cannot be read" },
        { "chown root /etc/lkmd/lkmd.conf.d", true, 73, NULL },
};

static void check_step(Reader *r, sd_event *event, size_t i) {
        const ProblemList *problems;
        unsigned n_before = r->n_readable;

        reader_bench_do(steps[i].command);
        event_settle(event);
        problems = settings_watch_get_problems(r->watch);
        if ((r->n_readable > n_before) != steps[i].readable ||
            r->ledger_entries != steps[i].ledger_entries || r->lacks ||
            (problems->n_items > 0) != !!steps[i].problem ||
            (steps[i].problem && !strstr(problems->items[0].message, steps[i].problem))) {
                fprintf(stderr, "%s: read %u times, %zu entries, %s\n", steps[i].command,
                        r->n_readable - n_before, r->ledger_entries,
                        problems->n_items > 0 ? problems->items[0].message : "no problem");
                abort();
        }
}

static void watch_rights(void *event) {
        Reader r = {};

        must_ok(settings_watch_new(&r.watch, event, on_readable, &r));
        read_settings(&r);
        MUST(r.lacks && r.ledger_entries == 0);
        for (size_t i = 0; i < ARRAY_LEN(steps); i++)
                check_step(&r, event, i);
        settings_watch_free(r.watch);
}

/* What could not be read is read as soon as it can be; what is changed waits for a reload. */
static void test_rights(void **state) {
        reader_bench_directory("/etc/lkmd/lkmd.conf.d", 0755);
        reader_bench_file(FILE_A, "[Manager]\nLedgerEntries=71\n", 0600);
        MUST(chown(FILE_A, 1234, 0) == 0);
        reader_bench_run(watch_rights, scratch_path(&scratch, "reader"));
}

static int open_all(void **state) {
        scratch_open(&scratch);
        MUST(chmod(scratch.dir, 0755) == 0);
        reader_bench_mount();
        return 0;
}

static int close_all(void **state) {
        scratch_close(&scratch);
        return 0;
}

int main(void) {
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_rights) };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, open_all, close_all);
}
