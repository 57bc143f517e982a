/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <syslog.h>

#include "common/base/limits.h"
#include "common/base/util.h"
#include "common/settings/settings.h"

/* Three roots in a directory of the test's own: etc is the highest. */
typedef struct Fixture {
        char dir[32];
        char *roots[4];
        Settings settings;
        ProblemList problems;
} Fixture;

static int set_up(void **state) {
        static const char *const names[] = { "etc", "run", "lib" };
        Fixture *f = calloc(1, sizeof(*f));

        assert_non_null(f);
        strcpy(f->dir, "/tmp/test-settings-XXXXXX");
        assert_non_null(mkdtemp(f->dir));
        for (size_t i = 0; i < ARRAY_LEN(names); i++) {
                char path[PATH_MAX];

                assert_true(asprintf(&f->roots[i], "%s/%s", f->dir, names[i]) > 0);
                assert_int_equal(mkdir(f->roots[i], 0755), 0);
                snprintf(path, sizeof(path), "%s/lkmd.conf.d", f->roots[i]);
                assert_int_equal(mkdir(path, 0755), 0);
        }
        *state = f;
        return 0;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw) {
        return remove(path);
}

static int tear_down(void **state) {
        Fixture *f = *state;

        nftw(f->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
        for (size_t i = 0; i < ARRAY_LEN(f->roots); i++)
                free(f->roots[i]);
        problem_list_clear(&f->problems);
        free(f);
        return 0;
}

static void write_bytes(Fixture *f, const char *name, const char *bytes, size_t n) {
        char path[PATH_MAX];
        int fd;

        snprintf(path, sizeof(path), "%s/%s", f->dir, name);
        fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        assert_true(fd >= 0);
        assert_int_equal(write(fd, bytes, n), n);
        close(fd);
}

static void write_text(Fixture *f, const char *name, const char *text) {
        write_bytes(f, name, text, strlen(text));
}

static void load(Fixture *f) {
        problem_list_clear(&f->problems);
        assert_ok(settings_load(&f->settings, (const char *const *) f->roots, &f->problems));
}

static void assert_problem(Fixture *f, size_t i, const char *file, unsigned line, const char *message) {
        const Problem *p = f->problems.items + i;

        assert_true(i < f->problems.n_items);
        assert_string_equal(p->file + strlen(f->dir) + 1, file);
        if (p->line != line || !streq(p->message, message))
                fail_msg("%s:%u: %s\ninstead of line %u: %s", p->file, p->line, p->message, line, message);
}

static void assert_same(const Settings *a, const Settings *b) {
        assert_int_equal(a->log_level, b->log_level);
        assert_int_equal(a->coldplug, b->coldplug);
        assert_int_equal(a->loader_threads, b->loader_threads);
        assert_int_equal(a->slow_load_usec, b->slow_load_usec);
        assert_int_equal(a->loader_timeout_usec, b->loader_timeout_usec);
        assert_int_equal(a->receive_buffer_bytes, b->receive_buffer_bytes);
        assert_int_equal(a->ledger_entries, b->ledger_entries);
        assert_int_equal(a->mode, b->mode);
        assert_int_equal(a->blacklist, b->blacklist);
        assert_int_equal(a->compat, b->compat);
        assert_int_equal(a->on_stop, b->on_stop);
        assert_int_equal(a->in_initramfs, b->in_initramfs);
        assert_int_equal(a->gate, b->gate);
        assert_int_equal(a->unknown_parameters, b->unknown_parameters);
        assert_int_equal(a->loaded_parameters, b->loaded_parameters);
        assert_string_equal(a->serial_modules, b->serial_modules);
        assert_string_equal(a->async_probe_modules, b->async_probe_modules);
}

static void assert_defaults(const Settings *s) {
        Settings defaults;

        settings_default(&defaults);
        assert_same(s, &defaults);
}

/* There is nothing that changes anything, nor anything wrong. */
static void load_defaults(Fixture *f) {
        load(f);
        assert_defaults(&f->settings);
        assert_int_equal(f->problems.n_items, 0);
}

/* -------------------------------------------------------------------------------------------- values */

static void test_defaults(void **state) {
        Fixture *f = *state;

        load_defaults(f);

        assert_int_equal(f->settings.log_level, LOG_INFO);
        assert_true(f->settings.coldplug);
        assert_true(f->settings.loader_threads >= 5 && f->settings.loader_threads <= LOADS_MAX);
        assert_int_equal(f->settings.slow_load_usec, 10000000);
        assert_int_equal(f->settings.loader_timeout_usec, 1000000);
        assert_int_equal(f->settings.receive_buffer_bytes, 128 << 20);
        assert_int_equal(f->settings.ledger_entries, 4096);
        assert_int_equal(f->settings.mode, POLICY_ENFORCE);
        assert_int_equal(f->settings.blacklist, BLACKLIST_KMOD);
        assert_int_equal(f->settings.compat, COMPAT_LKMD);
        assert_int_equal(f->settings.on_stop, ON_STOP_HOLD);
        assert_int_equal(f->settings.in_initramfs, IN_INITRAMFS_DENIALS);
        assert_int_equal(f->settings.gate, GATE_MODE_REQUESTS);
        assert_int_equal(f->settings.unknown_parameters, UNKNOWN_PARAMETERS_REFUSE);
        assert_int_equal(f->settings.loaded_parameters, LOADED_PARAMETERS_FAIL);
}

#define FIELD(field) offsetof(Settings, field), sizeof(((Settings *) NULL)->field)

static void put_number(char *place, size_t size, uint64_t value) {
        const char *bytes = (const char *) &value;

        if (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__)
                bytes += sizeof(value) - size;
        memcpy(place, bytes, size);
}

static void test_values(void **state) {
        static const struct {
                const char *line;
                size_t offset, size;
                uint64_t value;
        } cases[] = {
                { "LogLevel=emerg", FIELD(log_level), LOG_EMERG },
                { "LogLevel=debug", FIELD(log_level), LOG_DEBUG },
                { "LogLevel=warning", FIELD(log_level), LOG_WARNING },
                { "LogLevel=3", FIELD(log_level), LOG_ERR },
                { "Coldplug=no", FIELD(coldplug), false },
                { "Coldplug=FALSE", FIELD(coldplug), false },
                { "Coldplug=0", FIELD(coldplug), false },
                { "Coldplug=on", FIELD(coldplug), true },
                { "LoaderThreads=1", FIELD(loader_threads), 1 },
                { "LoaderThreads=16", FIELD(loader_threads), 16 },
                { "SlowLoadSec=3", FIELD(slow_load_usec), 3000000 },
                { "SlowLoadSec=1.5", FIELD(slow_load_usec), 1500000 },
                { "SlowLoadSec=250ms", FIELD(slow_load_usec), 250000 },
                { "SlowLoadSec=.5s", 0, 0, 0 },
                { "SlowLoadSec=1min 30s", FIELD(slow_load_usec), 90000000 },
                { "SlowLoadSec=1h2m3s4ms5us", FIELD(slow_load_usec), 3723004005 },
                { "SlowLoadSec=2 hours", FIELD(slow_load_usec), 7200000000 },
                { "SlowLoadSec=0.0000019s", FIELD(slow_load_usec), 1 },
                { "SlowLoadSec=infinity", FIELD(slow_load_usec), UINT64_MAX },
                { "SlowLoadSec=0", 0, 0, 0 },
                { "SlowLoadSec=1.s", 0, 0, 0 },
                { "SlowLoadSec=10 parsecs", 0, 0, 0 },
                { "SlowLoadSec=-1", 0, 0, 0 },
                { "SlowLoadSec=99999999999999999999", 0, 0, 0 },
                { "SlowLoadSec=18446744073709551h", 0, 0, 0 },
                { "LoaderTimeoutSec=500ms", FIELD(loader_timeout_usec), 500000 },
                { "LoaderTimeoutSec=infinity", FIELD(loader_timeout_usec), UINT64_MAX },
                { "LoaderTimeoutSec=0", 0, 0, 0 },
                { "InInitramfs=no", FIELD(in_initramfs), IN_INITRAMFS_NO },
                { "InInitramfs=denials", FIELD(in_initramfs), IN_INITRAMFS_DENIALS },
                { "InInitramfs=lkmctl", FIELD(in_initramfs), IN_INITRAMFS_LKMCTL },
                { "InInitramfs=lkmd", FIELD(in_initramfs), IN_INITRAMFS_LKMD },
                { "InInitramfs=yes", 0, 0, 0 },
                { "OnStop=hold", FIELD(on_stop), ON_STOP_HOLD },
                { "OnStop=forget", FIELD(on_stop), ON_STOP_FORGET },
                { "Gate=off", FIELD(gate), GATE_MODE_OFF },
                { "Gate=requests", FIELD(gate), GATE_MODE_REQUESTS },
                { "Gate=files", FIELD(gate), GATE_MODE_FILES },
                { "OnStop=keep", 0, 0, 0 },
                { "OnFailure=open", FIELD(on_failure), ON_FAILURE_OPEN },
                { "OnFailure=closed", FIELD(on_failure), ON_FAILURE_CLOSED },
                { "OnFailure=shut", 0, 0, 0 },
                { "OnDenied=error", FIELD(on_denied), ON_DENIED_ERROR },
                { "OnDenied=success", FIELD(on_denied), ON_DENIED_SUCCESS },
                { "OnDenied=yes", 0, 0, 0 },
                { "ReceiveBuffer=65536", FIELD(receive_buffer_bytes), 65536 },
                { "ReceiveBuffer=512K", FIELD(receive_buffer_bytes), 512 << 10 },
                { "ReceiveBuffer=64M", FIELD(receive_buffer_bytes), 64 << 20 },
                { "ReceiveBuffer=1G", FIELD(receive_buffer_bytes), 1 << 30 },
                { "ReceiveBuffer=65536B", FIELD(receive_buffer_bytes), 65536 },
                { "ReceiveBuffer=1", 0, 0, 0 },
                { "ReceiveBuffer=2G", 0, 0, 0 },
                { "ReceiveBuffer=18014398509481984K", 0, 0, 0 },
                { "ReceiveBuffer=1MB", 0, 0, 0 },
                { "ReceiveBuffer=M", 0, 0, 0 },
                { "LedgerEntries=16", FIELD(ledger_entries), 16 },
                { "LedgerEntries=1048576", FIELD(ledger_entries), 1048576 },
                { "LedgerEntries=15", 0, 0, 0 },
                { "LedgerEntries=4096 ", FIELD(ledger_entries), 4096 },
                { "Mode=off", FIELD(mode), POLICY_OFF },
                { "Mode=audit", FIELD(mode), POLICY_AUDIT },
                { "Mode=enforce", FIELD(mode), POLICY_ENFORCE },
                { "Mode=enforced", 0, 0, 0 },
                { "Mode=no", 0, 0, 0 },
                { "Blacklist=deny", FIELD(blacklist), BLACKLIST_DENY },
                { "Blacklist=kmod", FIELD(blacklist), BLACKLIST_KMOD },
                { "Blacklist=yes", 0, 0, 0 },
                { "Compat=kmod", FIELD(compat), COMPAT_KMOD },
                { "Compat=lkmd", FIELD(compat), COMPAT_LKMD },
                { "Compat=modprobe", 0, 0, 0 },
                { "UnknownParameters=warn", FIELD(unknown_parameters), UNKNOWN_PARAMETERS_WARN },
                { "UnknownParameters=refuse", FIELD(unknown_parameters), UNKNOWN_PARAMETERS_REFUSE },
                { "UnknownParameters=Warn", 0, 0, 0 },
                { "LoadedParameters=ignore", FIELD(loaded_parameters), LOADED_PARAMETERS_IGNORE },
                { "LoadedParameters=fail", FIELD(loaded_parameters), LOADED_PARAMETERS_FAIL },
                { "LoadedParameters=no", 0, 0, 0 },
                { "LogLevel=verbose", 0, 0, 0 },
                { "LogLevel=8", 0, 0, 0 },
                { "LogLevel=77", 0, 0, 0 },
                { "Coldplug=maybe", 0, 0, 0 },
                { "LoaderThreads=0", 0, 0, 0 },
                { "LoaderThreads=17", 0, 0, 0 },
                { "LoaderThreads=4 4", 0, 0, 0 },
                { "LoaderThreads=0x4", 0, 0, 0 },
        };
        Fixture *f = *state;

        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                Settings expected;
                char text[256];

                snprintf(text, sizeof(text), "[Manager]\n%s\n", cases[i].line);
                write_text(f, "etc/lkmd.conf", text);
                load(f);

                settings_default(&expected);
                put_number((char *) &expected + cases[i].offset, cases[i].size, cases[i].value);
                if (f->problems.n_items != (cases[i].size == 0 ? 1 : 0))
                        fail_msg("%s: %zu problems", cases[i].line, f->problems.n_items);
                assert_same(&f->settings, &expected);
        }
}

static void test_empty_resets(void **state) {
        Fixture *f = *state;

        write_text(
                f, "etc/lkmd.conf",
                "[Manager]\nLogLevel=debug\nColdplug=no\nLoaderThreads=2\nSlowLoadSec=1\nReceiveBuffer=1M\n"
                "LedgerEntries=20\nMode=off\nBlacklist=deny\nCompat=kmod\n"
                "UnknownParameters=warn\nLoadedParameters=ignore\nSerialModules=a\nAsyncProbeModules=b\n");
        load(f);
        assert_int_equal(f->settings.log_level, LOG_DEBUG);
        assert_int_equal(f->settings.loader_threads, 2);

        write_text(f, "run/lkmd.conf.d/90-reset.conf",
                   "[Manager]\nLogLevel=\nColdplug=\nLoaderThreads= \nSlowLoadSec=\n"
                   "ReceiveBuffer=\nLedgerEntries=\nMode=\nBlacklist=\nCompat=\n"
                   "UnknownParameters=\nLoadedParameters=\nSerialModules=\nAsyncProbeModules=\n");
        load_defaults(f);
}

/* Each line adds to a list, an empty one begins it anew, one that is no name or does not fit is left out. */
static void test_lists(void **state) {
        static const struct {
                const char *lines, *expected;
                size_t n_problems;
        } cases[] = {
                { "SerialModules=a\nSerialModules=b-* c\n", "a b-* c", 0 },
                { "SerialModules=a\nSerialModules=\nSerialModules=b\n", "b", 0 },
                { "SerialModules=a\nSerialModules=snd[\nSerialModules=b\n", "a b", 1 },
                { "SerialModules=/lib/modules/a.ko\n", "", 1 },
        };
        char text[2 * SETTING_LIST_MAX] = "[Manager]\n";
        Fixture *f = *state;

        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                snprintf(text, sizeof(text), "[Manager]\n%s", cases[i].lines);
                write_text(f, "etc/lkmd.conf", text);
                load(f);
                assert_string_equal(f->settings.serial_modules, cases[i].expected);
                assert_int_equal(f->problems.n_items, cases[i].n_problems);
        }

        (void) stpcpy(text, "[Manager]\n");
        for (unsigned i = 0; i < 8; i++)        /* 7 of them fit, with the blanks between them */
                (void) snprintf(text + strlen(text), sizeof(text) - strlen(text), "AsyncProbeModules=%0140u\n", i);
        write_text(f, "etc/lkmd.conf", text);
        load(f);
        assert_int_equal(strlen(f->settings.async_probe_modules), 7 * 141 - 1);
        assert_int_equal(f->problems.n_items, 1);
        assert_int_equal(f->problems.items[0].line, 9);
}

/* ---------------------------------------------------------------------------------------- bad files */

static void test_every_bad_line_is_named(void **state) {
        Fixture *f = *state;

        write_text(f, "etc/lkmd.conf",
                   "LogLevel=debug\n"           /* 1 */
                   "[Manager]\n"
                   "Coldplgu=no\n"              /* 3 */
                   "# comment = none\n"
                   "; nor = this\n"
                   "rubbish\n"                  /* 6 */
                   "Frobnicate=1\n"             /* 7 */
                   "LedgerEntries=20\n"
                   "LoaderThreads=many\n"       /* 9 */
                   "\n"
                   "[Mangaer]\n"                /* 11 */
                   "LedgerEntries=30\n"
                   "[Manager\n"                 /* 13 */
                   "LedgerEntries=40\n"
                   "[Manager]\n"
                   "Coldplug: no ; comment\n"
                   "more rubbish");             /* 17 */
        load(f);

        assert_problem(f, 0, "etc/lkmd.conf", 1,
                       "'LogLevel' stands before any section, [Manager] is missing");
        assert_problem(f, 1, "etc/lkmd.conf", 3, "no such setting 'Coldplgu', did you mean Coldplug?");
        assert_problem(f, 2, "etc/lkmd.conf", 6, "neither KEY=VALUE nor [SECTION]");
        assert_problem(f, 3, "etc/lkmd.conf", 7, "no such setting 'Frobnicate'");
        assert_problem(f, 4, "etc/lkmd.conf", 9,
                       "LoaderThreads=many is not valid, expected a number from 1 to 16");
        assert_problem(f, 5, "etc/lkmd.conf", 11, "no such section [Mangaer], only [Manager]");
        assert_problem(f, 6, "etc/lkmd.conf", 13,
                       "'[Manager' begins like a section, but does not end with ]");
        assert_problem(f, 7, "etc/lkmd.conf", 17, "neither KEY=VALUE nor [SECTION]");
        assert_int_equal(f->problems.n_items, 8);

        assert_int_equal(f->settings.log_level, LOG_INFO);
        assert_int_equal(f->settings.ledger_entries, 20);
        assert_false(f->settings.coldplug);
}

static void test_long_line(void **state) {
        char text[1024] = "[Manager]\nLogLevel=";
        Fixture *f = *state;

        memset(text + strlen(text), 'x', 400);
        strcat(text, "\n#");
        memset(text + strlen(text), 'x', 400);
        strcat(text, "\nLedgerEntries=20\n");
        write_text(f, "etc/lkmd.conf", text);
        load(f);

        assert_problem(f, 0, "etc/lkmd.conf", 2, "the line has 409 bytes, more than 198, it is ignored");
        assert_int_equal(f->problems.n_items, 1);
        assert_int_equal(f->settings.ledger_entries, 20);
}

static void test_blanks_and_line_ends(void **state) {
        Fixture *f = *state;

        write_text(f, "etc/lkmd.conf",
                   "\xef\xbb\xbf  [Manager]\r\n\tLogLevel = debug\r\n   LedgerEntries=\t20\r\n\r\n "
                   "LoaderThreads=3");
        load(f);

        assert_int_equal(f->problems.n_items, 0);
        assert_int_equal(f->settings.log_level, LOG_DEBUG);
        assert_int_equal(f->settings.ledger_entries, 20);
        assert_int_equal(f->settings.loader_threads, 3);
}

static void test_bytes(void **state) {
        static const char text[] = "[Manager]\nLogLevel=de\0bug\nColdplug=\xff\x1b[31m\nLedgerEntries=20\n";
        Fixture *f = *state;

        write_bytes(f, "etc/lkmd.conf", text, sizeof(text) - 1);
        load(f);

        assert_problem(f, 0, "etc/lkmd.conf", 2, "the line holds a NUL byte, it is ignored");
        assert_problem(f, 1, "etc/lkmd.conf", 3, "Coldplug=\\xff\\x1b[31m is not valid, expected yes or no");
        assert_int_equal(f->problems.n_items, 2);
        assert_int_equal(f->settings.ledger_entries, 20);
}

static void test_problems_are_bounded(void **state) {
        Fixture *f = *state;
        char *text = malloc(1000000);

        assert_non_null(text);
        for (size_t i = 0; i < 1000000; i++)
                text[i] = i % 2 ? '\n' : 'x';
        write_bytes(f, "etc/lkmd.conf", text, 1000000);
        free(text);
        load(f);

        assert_defaults(&f->settings);
        assert_int_equal(f->problems.n_items + f->problems.n_dropped, 500000);
}

static void test_no_good_file(void **state) {
        char path[PATH_MAX];
        Fixture *f = *state;

        snprintf(path, sizeof(path), "%s/etc/lkmd.conf", f->dir);
        assert_int_equal(mkdir(path, 0755), 0);
        snprintf(path, sizeof(path), "%s/run/lkmd.conf.d/1.conf", f->dir);
        assert_int_equal(mkfifo(path, 0644), 0);
        snprintf(path, sizeof(path), "%s/run/lkmd.conf.d/2.conf", f->dir);
        assert_int_equal(symlink("/nowhere", path), 0);
        snprintf(path, sizeof(path), "%s/run/lkmd.conf.d/3.conf", f->dir);
        assert_int_equal(symlink("3.conf", path), 0);
        snprintf(path, sizeof(path), "%s/run/lkmd.conf.d/4.conf", f->dir);
        assert_int_equal(symlink("/dev/zero", path), 0);
        write_text(f, "lib/lkmd.conf", "[Manager]\nLedgerEntries=20\n");
        load(f);

        assert_problem(f, 0, "etc/lkmd.conf", 0, "it cannot be read: Is a directory");
        assert_problem(f, 1, "run/lkmd.conf.d/1.conf", 0, "it is no regular file, nothing of it is used");
        assert_problem(f, 2, "run/lkmd.conf.d/2.conf", 0, "it is a link to a file that is not there");
        assert_problem(f, 3, "run/lkmd.conf.d/3.conf", 0,
                       "it cannot be read: Too many levels of symbolic links");
        assert_problem(f, 4, "run/lkmd.conf.d/4.conf", 0, "it is no regular file, nothing of it is used");
        assert_int_equal(f->problems.n_items, 5);
        assert_defaults(&f->settings);
}

static void test_too_large(void **state) {
        char path[PATH_MAX];
        Fixture *f = *state;

        write_text(f, "etc/lkmd.conf", "[Manager]\nLedgerEntries=20\n");
        snprintf(path, sizeof(path), "%s/etc/lkmd.conf", f->dir);
        assert_int_equal(truncate(path, 100 << 20), 0);
        load(f);

        assert_problem(f, 0, "etc/lkmd.conf", 0, "it cannot be read: File too large");
        assert_defaults(&f->settings);
}

/* -------------------------------------------------------------------------------------------- layers */

static void test_highest_main_file_counts(void **state) {
        char path[PATH_MAX];
        Fixture *f = *state;

        write_text(f, "lib/lkmd.conf", "[Manager]\nLedgerEntries=20\nLogLevel=err\n");
        load(f);
        assert_int_equal(f->settings.ledger_entries, 20);

        write_text(f, "run/lkmd.conf", "[Manager]\nLedgerEntries=30\n");
        load(f);
        assert_int_equal(f->settings.ledger_entries, 30);
        assert_int_equal(f->settings.log_level, LOG_INFO);

        snprintf(path, sizeof(path), "%s/etc/lkmd.conf", f->dir);
        assert_int_equal(symlink("/dev/null", path), 0);
        load_defaults(f);
}

static void test_drop_ins_by_name(void **state) {
        Fixture *f = *state;

        write_text(f, "etc/lkmd.conf", "[Manager]\nLedgerEntries=16\n");
        write_text(f, "lib/lkmd.conf.d/20-b.conf", "[Manager]\nLedgerEntries=20\nLoaderThreads=2\n");
        write_text(f, "etc/lkmd.conf.d/10-a.conf", "[Manager]\nLedgerEntries=30\nLogLevel=err\n");
        load(f);
        assert_int_equal(f->settings.ledger_entries, 20);
        assert_int_equal(f->settings.loader_threads, 2);
        assert_int_equal(f->settings.log_level, LOG_ERR);

        write_text(f, "run/lkmd.conf.d/20-b.conf", "[Manager]\nLedgerEntries=40\n"); /* hides that of lib */
        load(f);
        assert_int_equal(f->settings.ledger_entries, 40);
        assert_int_not_equal(f->settings.loader_threads, 2);
}

static void test_drop_in_masked(void **state) {
        char path[PATH_MAX];
        Fixture *f = *state;

        write_text(f, "lib/lkmd.conf.d/20-b.conf", "[Manager]\nLedgerEntries=20\n");
        snprintf(path, sizeof(path), "%s/etc/lkmd.conf.d/20-b.conf", f->dir);
        assert_int_equal(symlink("/dev/null", path), 0);
        load_defaults(f);
}

static void test_other_names_are_no_drop_ins(void **state) {
        Fixture *f = *state;

        write_text(f, "etc/lkmd.conf.d/.conf", "[Manager]\nLedgerEntries=20\n");
        write_text(f, "etc/lkmd.conf.d/.a.conf", "[Manager]\nLedgerEntries=20\n");
        write_text(f, "etc/lkmd.conf.d/a.conf~", "[Manager]\nLedgerEntries=20\n");
        write_text(f, "etc/lkmd.conf.d/a.conf.dpkg-new", "[Manager]\nLedgerEntries=20\n");
        load_defaults(f);
}

static void test_no_roots(void **state) {
        static const char *const nowhere[] = { "/nonexistent/a", "/dev/null/b", NULL };
        ProblemList problems = {};
        Settings s;

        assert_ok(settings_load(&s, nowhere, &problems));
        assert_int_equal(problems.n_items, 0);
        assert_ok(settings_load(&s, NULL, NULL));
        assert_ok(settings_load(&s, (const char *const[]) { NULL }, NULL));
        assert_defaults(&s);
}

/* The file that is installed shows every key with what holds without it. */
static void test_shipped_file(void **state) {
        Fixture *f = *state;
        char path[PATH_MAX], line[256];
        size_t n = 0;
        FILE *in, *out;

        snprintf(path, sizeof(path), "%s/conf/lkmd.conf", getenv("LKMD_SOURCE_DIR") ?: "../..");
        in = fopen(path, "re");
        assert_non_null(in);
        snprintf(path, sizeof(path), "%s/etc/lkmd.conf", f->dir);
        out = fopen(path, "we");
        assert_non_null(out);
        while (fgets(line, sizeof(line), in)) {
                bool is_example = line[0] == '#' && strchr(line, '=') && !strchr(line, ' ');

                fputs(line + (is_example ? 1 : 0), out);
                if (is_example) {
                        *strchr(line, '=') = '\0';
                        assert_non_null(settings_key(n));
                        assert_string_equal(line + 1, settings_key(n++));
                }
        }
        fclose(in);
        fclose(out);
        assert_null(settings_key(n));

        load(f);
        assert_int_equal(f->problems.n_items, 0);
        assert_defaults(&f->settings);
}

/* The manual page speaks of every key, in the same order, and of no other. */
static void test_manual_page(void **state) {
        char path[PATH_MAX], line[512];
        size_t n = 0;
        FILE *f;

        snprintf(path, sizeof(path), "%s/man/lkmd.conf.5.scd", getenv("LKMD_SOURCE_DIR") ?: "../..");
        f = fopen(path, "re");
        assert_non_null(f);
        while (fgets(line, sizeof(line), f)) {
                char *end = strstr(line, "=*\n");

                if (line[0] != '*' || !end)
                        continue;
                *end = '\0';
                assert_non_null(settings_key(n));
                assert_string_equal(line + 1, settings_key(n++));
        }
        fclose(f);
        assert_null(settings_key(n));
}

int main(void) {
#define FIXTURE_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
        const struct CMUnitTest tests[] = {
                FIXTURE_TEST(test_defaults),
                FIXTURE_TEST(test_values),
                FIXTURE_TEST(test_empty_resets),
                FIXTURE_TEST(test_lists),
                FIXTURE_TEST(test_every_bad_line_is_named),
                FIXTURE_TEST(test_long_line),
                FIXTURE_TEST(test_blanks_and_line_ends),
                FIXTURE_TEST(test_bytes),
                FIXTURE_TEST(test_problems_are_bounded),
                FIXTURE_TEST(test_no_good_file),
                FIXTURE_TEST(test_too_large),
                FIXTURE_TEST(test_highest_main_file_counts),
                FIXTURE_TEST(test_drop_ins_by_name),
                FIXTURE_TEST(test_drop_in_masked),
                FIXTURE_TEST(test_other_names_are_no_drop_ins),
                cmocka_unit_test(test_no_roots),
                FIXTURE_TEST(test_shipped_file),
                cmocka_unit_test(test_manual_page),
        };

        return RUN_TESTS(tests);
}
