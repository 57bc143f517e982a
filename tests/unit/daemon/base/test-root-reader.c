/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What only root may read, read by a process of another user. */

#include "daemon/base/root-reader.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "common/base/file-access.h"
#include "common/base/problem-list.h"
#include "common/device/udev-rule.h"
#include "common/device/udev-rules.h"
#include "common/modprobe/modprobe-config.h"
#include "common/module/module-info.h"
#include "common/policy-files/policy-sources.h"
#include "common/settings/settings.h"
#include "daemon-bench.h"
#include "daemon/base/file-watch.h"
#include "elf-module.h"
#include "must.h"
#include "reader-bench.h"
#include "scratch.h"
#include "test.h"

static Scratch scratch;
/* ------------------------------------------------------------------------------------------------- reading */

static void read_config(void *event) {
        _cleanup_(modprobe_config_freep) ModprobeConfig *config = NULL;
        _cleanup_(problem_list_clear) ProblemList problems = {};
        const ConfigEntry *found, *options;
        size_t n, n_here = 0;

        MUST(open("/etc/modprobe.d/a.conf", O_RDONLY | O_CLOEXEC) < 0 && errno == EACCES);
        MUST(modprobe_config_new(&config, &(ModprobeConfigSources) {}, &problems) == 0);
        MUST(problems.n_items == 0);
        MUST((found = modprobe_config_find_command(config, CONFIG_INSTALL, "usb_storage")));
        MUST(streq(found->value, "/bin/true") && streq(found->file, "/etc/modprobe.d/a.conf") &&
             found->line == 2);
        options = modprobe_config_entries(config, CONFIG_OPTIONS, &n);
        for (size_t i = 0; i < n; i++)
                n_here += streq(options[i].file, "/etc/modprobe.d/a.conf");
        MUST(n_here == 1);
}

static void read_nothing(void *event) {
        _cleanup_(modprobe_config_freep) ModprobeConfig *config = NULL;
        _cleanup_(problem_list_clear) ProblemList problems = {};

        MUST(modprobe_config_new(&config, &(ModprobeConfigSources) {}, &problems) == 0);
        MUST(problems.n_items == 1 && streq(problems.items[0].file, "/etc/modprobe.d/a.conf"));
        MUST(problem_list_find_unread(&problems) == problems.items);
}

/* The modes of the cases, in a directory of any mode. */
static void test_modprobe_d(void **state) {
        static const unsigned modes[][2] = {
                { 0755, 0600 }, { 0755, 0640 }, { 0700, 0600 }, { 0700, 0644 }, { 0711, 0600 }
        };

        for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
                reader_bench_file("/etc/modprobe.d/a.conf",
                                  "options usb-storage delay_use=3\ninstall usb-storage /bin/true\n",
                                  modes[i][1]);
                MUST(chmod("/etc/modprobe.d", modes[i][0]) == 0);
                reader_bench_run(read_config, scratch_path(&scratch, "reader"));
                MUST(chmod("/etc/modprobe.d", 0755) == 0);
        }
}

/* What even the reader does not open is not "not there". */
static void test_refused(void **state) {
        MUST(unlink("/etc/modprobe.d/a.conf") == 0);
        reader_bench_file(READER_ELSEWHERE "/a.conf", "install usb-storage /bin/true\n", 0600);
        reader_bench_link("/etc/modprobe.d/a.conf", READER_ELSEWHERE "/a.conf");
        reader_bench_run(read_nothing, scratch_path(&scratch, "reader"));
        MUST(unlink("/etc/modprobe.d/a.conf") == 0);
}

static void read_policy(void *event) {
        _cleanup_(problem_list_clear) ProblemList problems = {};
        _cleanup_(policy_freep) Policy *policy = NULL;
        Settings settings;
        bool broken;

        MUST(policy_sources_read(
                     &policy,
                     &(PolicySources) { .grants_file = "", .command_line = "", .trusted_only = true },
                     &(PolicyOptions) {}, &broken, &problems) == 0);
        MUST(!broken && problems.n_items == 0 && policy_count_rules(policy) == 1);
        MUST(settings_load(&settings, NULL, &problems) == 0);
        MUST(problems.n_items == 0 && settings.ledger_entries == 77);
}

static void test_policy_and_settings(void **state) {
        reader_bench_directory("/etc/lkmd/policy.d", 0700);
        reader_bench_file("/etc/lkmd/policy.d/a.yaml",
                          "version: 1\nrules:\n  - match: {module: floppy}\n    verdict: deny\n", 0600);
        reader_bench_directory("/etc/lkmd/lkmd.conf.d", 0700);
        reader_bench_file("/etc/lkmd/lkmd.conf.d/a.conf", "[Manager]\nLedgerEntries=77\n", 0600);
        MUST(chmod("/etc/lkmd", 0700) == 0);
        reader_bench_run(read_policy, scratch_path(&scratch, "reader"));
        MUST(chmod("/etc/lkmd", 0755) == 0);
}

#define MODULE_FILE "/lib/modules/6.12/a.ko"

static void read_module(void *event) {
        _cleanup_(module_facts_clear) ModuleFacts facts = {};

        MUST(access(MODULE_FILE, R_OK) < 0);
        must_ok(module_info_facts(MODULE_FILE, &facts));
        MUST(streq(facts.name, "real_name"));
}

static void read_large_module(void *event) {
        ModuleFacts facts;

        MUST(module_info_facts(MODULE_FILE, &facts) == -EFBIG);
}

/* libkmod reads a copy of a file that only root may read, which is bounded. */
static void test_module(void **state) {
        const ElfModule m = ELF_MODULE("name=real_name\0license=GPL");
        int fd;

        reader_bench_directory("/lib/modules/6.12", 0700);
        reader_bench_file(MODULE_FILE, "", 0600);
        fd = open(MODULE_FILE, O_WRONLY | O_CLOEXEC);
        MUST(write(fd, &m, sizeof(m)) == (ssize_t) sizeof(m));
        reader_bench_run(read_module, scratch_path(&scratch, "reader"));
        must_ok(ftruncate(fd, (off_t) MODULE_UNPACKED_MAX));
        reader_bench_run(read_module, scratch_path(&scratch, "reader"));
        must_ok(ftruncate(fd, (off_t) MODULE_UNPACKED_MAX + 1));
        reader_bench_run(read_large_module, scratch_path(&scratch, "reader"));
        (void) close(fd);
}

static void read_udev_rules(void *event) {
        _cleanup_(udev_rules_clear) UdevRules rules = {};
        unsigned n_here = 0;

        must_ok(udev_rules_read(&rules, ""));
        for (size_t i = 0; i < rules.n_items; i++) {
                MUST(!streq(rules.items[i].deed, "cannot be read"));
                n_here += startswith(rules.items[i].file, "/etc/udev/");
        }
        MUST(n_here == 2 && udev_rules_find(&rules, "usb"));
        MUST(streq(udev_rules_find(&rules, "pci")->file, "/etc/udev/rules.d/61-x.rules"));
        MUST(streq(udev_rule_find_own("") ?: "", "/etc/udev/rules.d/80-drivers.rules"));
}

/* One rule is about one subsystem, and not taken for one about all because it cannot be read. */
static void test_udev_rules(void **state) {
        static const unsigned modes[][2] = { { 0755, 0600 }, { 0700, 0644 }, { 0700, 0600 } };

        reader_bench_directory("/etc/udev/rules.d", 0755);
        reader_bench_directory("/etc/udev/hwdb.d", 0755);
        for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
                reader_bench_file("/etc/udev/rules.d/61-x.rules",
                                  "SUBSYSTEM==\"pci\", ATTR{driver_override}=\"vfio-pci\"\n", modes[i][1]);
                reader_bench_file("/etc/udev/rules.d/80-drivers.rules", "# mine\n", modes[i][1]);
                reader_bench_file("/etc/udev/hwdb.d/x.hwdb", "usb:*\n MODALIAS=x\n", modes[i][1]);
                MUST(chmod("/etc/udev/rules.d", modes[i][0]) == 0 &&
                     chmod("/etc/udev/hwdb.d", modes[i][0]) == 0);
                reader_bench_run(read_udev_rules, scratch_path(&scratch, "reader"));
        }
}

/* ------------------------------------------------------------------------------------------------ watching */

static unsigned n_changes;

static void on_changed(void *userdata) {
        n_changes++;
}

static const char *const changes[] = {
        "echo 'blacklist b' >>/etc/modprobe.d/a.conf",
        "echo 'blacklist c' >/etc/modprobe.d/b.tmp && mv /etc/modprobe.d/b.tmp /etc/modprobe.d/a.conf",
        "chmod 0644 /etc/modprobe.d/a.conf",
        "chmod 0600 /etc/modprobe.d/a.conf",
        "rm /etc/modprobe.d/a.conf",
        "ln -s " READER_ELSEWHERE "/one/x.conf /etc/modprobe.d/a.conf",
        "echo '# edited' >>" READER_ELSEWHERE "/one/x.conf",
        "ln -sfn two " READER_ELSEWHERE "/current && ln -sf " READER_ELSEWHERE "/current/x.conf /etc/modprobe.d/a.conf",
        "ln -sfn one " READER_ELSEWHERE "/current",
        "chmod 0755 /etc/modprobe.d",
        "chmod 0700 /etc/modprobe.d",
        "mkdir /etc/new.d && chmod 0700 /etc/new.d && mount --bind /etc/new.d /etc/modprobe.d",
        "echo 'blacklist d' >/etc/modprobe.d/d.conf",
        "umount -l /etc/modprobe.d; rm -r /etc/new.d", /* lkmd-reader may be about to close it */
};

static void watch_changes(void *userdata) {
        _cleanup_(file_watch_freep) FileWatch *w = NULL;
        sd_event *event = userdata;

        must_ok(file_watch_new(&w, event, on_changed, NULL));
        must_ok(file_watch_add(w, "/etc/modprobe.d", "", ".conf"));
        file_watch_refresh(w);
        MUST(file_watch_get_problems(w)->n_items == 0);
        event_settle(event);
        MUST(n_changes == 0);
        for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
                reader_bench_do(changes[i]);
                event_settle(event);
                file_watch_look(w);
                if (n_changes == 0)
                        fprintf(stderr, "not noticed: %s\n", changes[i]);
                MUST(n_changes > 0);
                n_changes = 0;
                file_watch_refresh(w);
                MUST(file_watch_get_problems(w)->n_items == 0);
                event_settle(event);
                MUST(n_changes == 0);
        }
}

/* Each change of what only root may read is noticed by somebody else, at once. */
static void test_watches(void **state) {
        reader_bench_directory(READER_ELSEWHERE "/one", 0755);
        reader_bench_file(READER_ELSEWHERE "/one/x.conf", "blacklist x\n", 0644);
        reader_bench_directory(READER_ELSEWHERE "/two", 0755);
        reader_bench_file(READER_ELSEWHERE "/two/x.conf", "blacklist y\n", 0644);
        reader_bench_file("/etc/modprobe.d/a.conf", "blacklist a\n", 0600);
        MUST(chmod("/etc/modprobe.d", 0700) == 0);
        reader_bench_run(watch_changes, scratch_path(&scratch, "reader"));
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
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_modprobe_d),
                cmocka_unit_test(test_refused),
                cmocka_unit_test(test_policy_and_settings),
                cmocka_unit_test(test_module),
                cmocka_unit_test(test_udev_rules),
                cmocka_unit_test(test_watches),
        };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, open_all, close_all);
}
