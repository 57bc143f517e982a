/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

#include "cli/reasons/cause-device.h"
#include "cli/reasons/cause-outcome.h"
#include "cli/reasons/why-not.h"
#include "elf-module.h"
#include "fake-modules.h"

#define SYSNAME "1-1:1.0"
#define DEVPATH "/devices/usb1/1-1/" SYSNAME
#define FILES_MAX 4U

/* A machine of one module "drv", with "helper" and "driven"; "drv" is for usb:v1 and names firmware. */
typedef struct Bench {
        Scratch scratch;
        const Index *index;
        OfflinePolicy policy;
        Device device;
        WhyNotAsker asker;
        KernelLines lines;
        char sys[128], proc[128], boot[128], modules[128], firmware[128], kernel_log[128];
} Bench;

static const char *path_of(const Bench *b, const char *name, char ret[static 128]) {
        (void) snprintf(ret, 128, "%s/%s", b->scratch.dir, name);
        return ret;
}

static void write_module(const Bench *b, const char *name, const ElfModule *m) {
        scratch_write_bytes(&b->scratch, name, m, sizeof(*m));
}

/* Later than the modules, by the clock of files, which goes in steps. */
static void write_as_depmod(const Bench *b) {
        const struct timespec later[2] = { { .tv_sec = time(NULL) + 60 }, { .tv_sec = time(NULL) + 60 } };

        assert_ok(utimensat(AT_FDCWD, scratch_path(&b->scratch, FAKE_DIR "/modules.dep.bin"), later, 0));
}

static void bench_open(Bench *b) {
        static const FakeModule modules[] = { { "drv", NULL }, { "plain", NULL }, {} };
        static const WriterEntry aliases[] = { { "usb:v1*", "drv", 0 }, { "acpi:X", "plain", 0 }, {} };
        static const char *const builtin[] = { "inside", NULL };
        const ElfModule drv = ELF_MODULE("name=drv\0firmware=drv/a.bin\0firmware=drv/b.bin\0");
        const ElfModule plain = ELF_MODULE("name=plain\0");

        *b = (Bench) {};
        scratch_open_below(&b->scratch, "/var/lib");
        fake_tree_write(&b->scratch,
                        &(FakeTree) { .modules = modules, .aliases = aliases, .builtin = builtin });
        write_module(b, FAKE_DIR "/kernel/drv.ko", &drv);
        write_module(b, FAKE_DIR "/kernel/plain.ko", &plain);
        write_as_depmod(b);
        scratch_mkdir(&b->scratch, "sys" DEVPATH);
        scratch_link(&b->scratch, "sys" DEVPATH "/subsystem", "../../../../bus/usb");
        assert_ok(file_facts_new(&b->policy.facts));
        b->device.path = (char *) DEVPATH;
        b->device.uevent.facts = (DeviceFacts) {
                .subsystem = "usb", .sysname = SYSNAME, .modalias = "usb:v1p2", .action = "add"
        };
}

static void bench_look(Bench *b) {
        static const char *const no_config[] = { NULL };
        _cleanup_(problem_list_clear) ProblemList problems = {};

        assert_ok(index_new(&b->index,
                            &(IndexSources) { .root = b->scratch.dir,
                                              .release = FAKE_RELEASE,
                                              .config_paths = no_config,
                                              .command_line = "" },
                            &problems));
        b->asker = (WhyNotAsker) {
                .machine = { .sys = path_of(b, "sys", b->sys),
                             .proc = path_of(b, "proc", b->proc),
                             .boot = path_of(b, "boot", b->boot),
                             .modules = path_of(b, "lib/modules", b->modules),
                             .firmware = path_of(b, "firmware", b->firmware),
                             .kernel_log = path_of(b, "kmsg", b->kernel_log),
                             .release = FAKE_RELEASE },
                .index = b->index,
                .policy = &b->policy,
        };
        if (kernel_lines_read(&b->asker.machine, &b->lines) >= 0)
                b->asker.kernel_lines = &b->lines;
}

static void bench_close(Bench *b) {
        kernel_lines_clear(&b->lines);
        file_facts_free(b->policy.facts);
        index_unref(b->index);
        scratch_close(&b->scratch);
}

typedef struct Case {
        const char *title;
        const char *key;                /* NULL: the device */
        struct {
                const char *name, *text; /* a text that begins with "-> " makes a link */
        } files[FILES_MAX];
        const char *driver, *modalias;  /* of the device; NULL: none, as it is */
        CauseKind kind;                 /* _CAUSE_KIND_INVALID: nothing is in the way */
        const char *sentence, *command; /* parts */
} Case;

#define LIVE { "sys/module/drv/initstate", "live\n" }
#define FIRMWARE { "firmware/drv/a.bin.zst", "x" }
#define KMSG(text) { "kmsg", "6,1,1000000,-;" text "\n" }

static const Case cases[] = {
        /* names */
        { "unknown", "nothing", {}, .kind = CAUSE_NO_SUCH_MODULE, .sentence = "'nothing'", .command = "depmod -a" },
        { "nearly known", "plainn", {}, .kind = CAUSE_NO_SUCH_MODULE, .sentence = "did you mean 'plain'?" },
        { "no UTF-8", "\xff\x1b[31m", {}, .kind = CAUSE_NO_SUCH_MODULE, .sentence = "'\\xff\\x1b[31m'" },
        { "nobody's alias", "pci:v1", {}, .kind = CAUSE_NO_SUCH_MODULE, .sentence = "is for pci:v1" },
        { "not built",
          "i-foo",
          { { "boot/config-" FAKE_RELEASE, "CONFIG_FOO=y\n# CONFIG_X_I_FOO is not set\n" } },
          .kind = CAUSE_NOT_BUILT,
          .sentence = "CONFIG_X_I_FOO is not set" },
        { "the exact option counts",
          "foo",
          { { "boot/config-" FAKE_RELEASE, "CONFIG_X_FOO=m\n# CONFIG_FOO is not set\n" } },
          .kind = CAUSE_NOT_BUILT,
          .sentence = "CONFIG_FOO is not set" },
        { "a part of an option",
          "foo",
          { { "boot/config-" FAKE_RELEASE, "CONFIG_XFOO=m\nCONFIG_FOO_X=m\nCONFIG_FOO" } },
          .kind = CAUSE_NO_SUCH_MODULE },
        { "not installed",
          "foo",
          { { "boot/config-" FAKE_RELEASE, "CONFIG_FOO=m\n" } },
          .kind = CAUSE_NOT_INSTALLED,
          .sentence = "CONFIG_FOO=m" },
        { "built in under another name",
          "foo",
          { { "boot/config-" FAKE_RELEASE, "CONFIG_FOO=y\n" } },
          .kind = CAUSE_NO_SUCH_MODULE,
          .sentence = "probably a part of the kernel" },
        { "depmod has not run",
          "new_one",
          { { FAKE_DIR "/extra/new-one.ko.xz", "x" } },
          .kind = CAUSE_INDEX_STALE,
          .sentence = "extra/new-one.ko.xz",
          .command = "depmod -a" },
        /* modules */
        { "nothing in the way", "plain", {}, .kind = CAUSE_NOT_RUNNING, .command = "systemctl start lkmd" },
        { "built in", "inside", {}, .kind = _CAUSE_KIND_INVALID, .sentence = "part of the kernel image" },
        { "loaded", "drv", { LIVE }, .kind = _CAUSE_KIND_INVALID, .sentence = "drv is in the kernel" },
        { "an alias", "acpi:X", {}, .kind = CAUSE_NOT_RUNNING },
        { "its file is empty",
          "plain",
          { { FAKE_DIR "/kernel/plain.ko", "" } },
          .kind = CAUSE_FILE_UNUSABLE,
          .sentence = "empty" },
        { "its file is no module",
          "plain",
          { { FAKE_DIR "/kernel/plain.ko", "text" } },
          .kind = CAUSE_FILE_UNUSABLE },
        { "no more modules",
          "plain",
          { { "proc/sys/kernel/modules_disabled", "1\n" } },
          .kind = CAUSE_MODULES_DISABLED,
          .command = "reboot" },
        { "more modules",
          "plain",
          { { "proc/sys/kernel/modules_disabled", "0\n" } },
          .kind = CAUSE_NOT_RUNNING },
        { "module_blacklist",
          "plain",
          { { "proc/cmdline", "quiet module_blacklist=a,plain\n" } },
          .kind = CAUSE_KERNEL_BLACKLIST,
          .sentence = "module_blacklist=" },
        { "module_blacklist of others",
          "plain",
          { { "proc/cmdline", "module_blacklist=plain2\n" } },
          .kind = CAUSE_NOT_RUNNING },
        { "unsigned",
          "plain",
          { { "sys/module/module/parameters/sig_enforce", "Y\n" } },
          .kind = CAUSE_UNSIGNED,
          .sentence = "no signature" },
        { "unsigned may pass",
          "plain",
          { { "sys/module/module/parameters/sig_enforce", "N\n" },
            { "sys/kernel/security/lockdown", "[none] integrity confidentiality\n" } },
          .kind = CAUSE_NOT_RUNNING },
        { "lockdown",
          "plain",
          { { "sys/kernel/security/lockdown", "none [integrity] confidentiality\n" } },
          .kind = CAUSE_LOCKDOWN,
          .sentence = "locked down" },
        { "another build",
          "drv",
          { LIVE, { "sys/module/drv/srcversion", "A\n" } },
          .kind = _CAUSE_KIND_INVALID },
        /* devices */
        { "no modalias", NULL, {}, .modalias = "", .kind = CAUSE_NO_MODALIAS, .sentence = "no modalias" },
        { "not for any module", NULL, {}, .modalias = "usb:v2", .kind = CAUSE_NO_SUCH_MODULE },
        { "bytes of a device", NULL, {}, .modalias = "usb:v2\xff", .kind = CAUSE_NO_SUCH_MODULE, .sentence = "\\xff" },
        { "not authorized", NULL, { { "sys" DEVPATH "/authorized", "0\n" } }, .kind = CAUSE_NOT_AUTHORIZED, .command = SYSNAME "/authorized" },
        { "the device above it is not", NULL, { { "sys/devices/usb1/1-1/authorized", "0\n" } }, .kind = CAUSE_NOT_AUTHORIZED },
        { "authorized", NULL, { { "sys" DEVPATH "/authorized", "1\n" } }, .kind = CAUSE_NOT_RUNNING },
        { "driver_override", NULL, { { "sys" DEVPATH "/driver_override", "vfio\xff\n" } }, .kind = CAUSE_DRIVER_OVERRIDE, .sentence = "vfio\\xff" },
        { "no driver_override", NULL, { { "sys" DEVPATH "/driver_override", "(null)\n" } }, .kind = CAUSE_NOT_RUNNING },
        { "firmware, named", NULL, { LIVE }, .kind = CAUSE_FIRMWARE_MISSING, .sentence = "drv/a.bin" },
        { "a part of the firmware is there",
          NULL,
          { LIVE, { "firmware/updates/" FAKE_RELEASE "/drv/b.bin.xz", "x" } },
          .kind = CAUSE_NOT_PROBED,
          .command = "drivers_probe" },
        { "firmware, logged",
          NULL,
          { LIVE, FIRMWARE,
            KMSG("drv " SYSNAME ": Direct firmware load for drv/c.bin failed with error -2") },
          .kind = CAUSE_FIRMWARE_MISSING,
          .sentence = "drv/c.bin" },
        { "firmware, logged, and there by now",
          NULL,
          { LIVE, FIRMWARE,
            KMSG("drv " SYSNAME ": Direct firmware load for drv/a.bin failed with error -2") },
          .kind = CAUSE_NOT_PROBED },
        { "firmware of another device",
          NULL,
          { LIVE, FIRMWARE, KMSG("drv 2-1: Direct firmware load for drv/c.bin failed with error -2") },
          .kind = CAUSE_NOT_PROBED },
        { "probe failed",
          NULL,
          { LIVE, FIRMWARE, KMSG("drv " SYSNAME ": probe with driver drv failed with error -5") },
          .kind = CAUSE_PROBE_FAILED,
          .sentence = "Input/output error" },
        { "probe failed, before 6.9",
          NULL,
          { LIVE, FIRMWARE, KMSG("drv: probe of " SYSNAME " failed with error -12") },
          .kind = CAUSE_PROBE_FAILED,
          .sentence = "Cannot allocate memory" },
        { "deferred",
          NULL,
          { LIVE, FIRMWARE, { "sys/kernel/debug/devices_deferred", "x\ty\n" SYSNAME "\tno clock\n" } },
          .kind = CAUSE_DEFERRED,
          .sentence = "no clock" },
        { "deferred for no reason",
          NULL,
          { LIVE, FIRMWARE, { "sys/kernel/debug/devices_deferred", SYSNAME "\n" } },
          .kind = CAUSE_DEFERRED },
        { "another one is deferred",
          NULL,
          { LIVE, FIRMWARE, { "sys/kernel/debug/devices_deferred", "x" SYSNAME "\tno\n" } },
          .kind = CAUSE_NOT_PROBED },
        { "waits for a supplier of firmware's",
          NULL,
          { LIVE, FIRMWARE, { "sys" DEVPATH "/waiting_for_supplier", "1\n" } },
          .kind = CAUSE_DEFERRED,
          .sentence = "supplier" },
        { "waits for a supplier",
          NULL,
          { LIVE,
            FIRMWARE,
            { "sys" DEVPATH "/supplier:platform:clk/status", "dormant\n" },
            { "sys" DEVPATH "/supplier:platform:clk/supplier", "-> ../../../platform/clk" } },
          .kind = CAUSE_DEFERRED,
          .sentence = "the device clk",
          .command = "lkmctl why-not clk" },
        { "has its supplier",
          NULL,
          { LIVE,
            FIRMWARE,
            { "sys" DEVPATH "/supplier:platform:clk/status", "available\n" },
            { "sys" DEVPATH "/supplier:platform:clk/supplier", "-> ../../../platform/clk" } },
          .kind = CAUSE_NOT_PROBED },
        { "the bus does not probe",
          NULL,
          { LIVE, FIRMWARE, { "sys/bus/usb/drivers_autoprobe", "0\n" } },
          .kind = CAUSE_NOT_PROBED,
          .sentence = "drivers_autoprobe" },
        { "another driver",
          NULL,
          { { "sys" DEVPATH "/driver/module", "-> ../../../module/plain" } },
          .driver = "usbfs",
          .kind = CAUSE_OTHER_DRIVER,
          .sentence = "of the module plain",
          .command = "unbind" },
        { "its driver",
          NULL,
          { { "sys" DEVPATH "/driver/module", "-> ../../../module/drv" } },
          .driver = "drv",
          .kind = _CAUSE_KIND_INVALID,
          .sentence = "has the driver drv, of the module drv" },
        { "a driver of the kernel's",
          NULL,
          { { "sys" DEVPATH "/driver/uevent", "" } },
          .driver = "hub",
          .kind = _CAUSE_KIND_INVALID,
          .sentence = "part of the kernel image" },
};

/* Return: is it as it should be? All cases are tried, and those that are not are printed. */
static bool check(const Case *c, const WhyNot *w) {
        const Cause *said = w->causes.n_items > 0 ? w->causes.items : &w->fine;
        bool good = w->causes.n_items == (c->kind >= 0) && (c->kind < 0 || said->kind == c->kind) &&
                    said->sentence && (!c->sentence || strstr(said->sentence, c->sentence)) &&
                    (!c->command || (said->command && strstr(said->command, c->command)));

        if (!good)
                print_error("%s: %zu causes, %s: %s; try: %s\n", c->title, w->causes.n_items,
                            w->causes.n_items > 0 ? cause_kind_to_string(said->kind) : "fine",
                            said->sentence ?: "nothing", said->command ?: "nothing");
        return good;
}

static void test_causes(void **state) {
        unsigned n_wrong = 0;

        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                _cleanup_(why_not_clear) WhyNot w = {};
                _cleanup_(bench_close) Bench b;
                const Case *c = cases + i;

                bench_open(&b);
                for (size_t k = 0; k < FILES_MAX && c->files[k].name; k++)
                        if (startswith(c->files[k].text, "-> "))
                                scratch_link(&b.scratch, c->files[k].name, c->files[k].text + strlen("-> "));
                        else
                                scratch_write(&b.scratch, c->files[k].name, c->files[k].text);
                bench_look(&b);
                b.device.uevent.facts.driver = c->driver;
                if (c->modalias)
                        b.device.uevent.facts.modalias = *c->modalias ? c->modalias : NULL;
                if (c->key)
                        assert_ok(why_not_of_key(&b.asker, c->key, &w));
                else
                        assert_ok(why_not_of_device(&b.asker, &b.device, &w));
                n_wrong += !check(c, &w);
        }
        assert_int_equal(n_wrong, 0);
}

static void test_no_modules(void **state) {
        _cleanup_(why_not_clear) WhyNot w = {};
        _cleanup_(bench_close) Bench b;

        bench_open(&b);
        scratch_remove(&b.scratch, FAKE_DIR "/modules.dep.bin");
        bench_look(&b);
        assert_ok(why_not_of_key(&b.asker, "plain", &w));
        assert_int_equal(w.causes.n_items, 1);
        assert_int_equal(w.causes.items[0].kind, CAUSE_NO_INDEX);
        assert_true(w.unknown);
}

static void test_another_kernel(void **state) {
        static const WriterEntry other[] = { { "only_there", "kernel/only_there.ko:", 0 }, {} };
        _cleanup_(why_not_clear) WhyNot w = {};
        _cleanup_(freep) uint8_t *data = NULL;
        _cleanup_(bench_close) Bench b;
        size_t size;

        bench_open(&b);
        data = index_write(other, 1, &size);
        scratch_write_bytes(&b.scratch, "lib/modules/7.0/modules.dep.bin", data, size);
        scratch_mkdir(&b.scratch, "lib/modules/garbage");
        bench_look(&b);
        assert_ok(why_not_of_key(&b.asker, "only-there", &w));
        assert_int_equal(w.causes.n_items, 1);
        assert_int_equal(w.causes.items[0].kind, CAUSE_OTHER_KERNEL);
        assert_non_null(strstr(w.causes.items[0].sentence, "the kernel 7.0 has one"));
}

/* ------------------------------------------------------------------------------------------------- what lkmd says */

static const struct {
        const char *described, *log;
        CauseKind kind;                 /* _CAUSE_KIND_INVALID: none */
        const char *sentence, *earlier;
} records[] = {
        { "{}", "", _CAUSE_KIND_INVALID, NULL, NULL },
        { "{\"module\": 1, \"history\": [7]}", "", _CAUSE_KIND_INVALID, NULL, NULL },
        { "{\"module\": {\"state\": \"coming\"}, \"history\": []}", "", CAUSE_UNDER_WAY, "its init is running", NULL },
        { "{\"module\": {\"state\": \"queued\"}}", "", CAUSE_UNDER_WAY, "waits for its turn", NULL },
        { "{\"history\": [{\"outcome\": \"failed\", \"reason\": \"requested\", \"timeUSec\": 9000000000000000, \"message\": \"no \\u001b device\", \"hint\": \"h\"}]}",
          "", CAUSE_LOAD_FAILED, "no \\x1b device (tried ", "no \x1b device" },
        { "{\"history\": [{\"outcome\": \"failed\", \"reason\": \"requested\", \"timeUSec\": 9000000000000000, \"message\": \"m\"}]}",
          "6,1,5,-;plain: Unknown parameter `x'\n", CAUSE_PARAMETER_REFUSED, "m (tried ", "m" },
        { "{\"history\": [{\"outcome\": \"failed\", \"reason\": \"requested\", \"timeUSec\": 9000000000000000, \"beganUSec\": 9000000, \"message\": \"m\"}]}",
          "6,1,5,-;plain: Unknown parameter `x'\n", CAUSE_LOAD_FAILED, "m (tried ",
          "m" }, /* of an earlier attempt */
        { "{\"history\": [{\"outcome\": \"failed\", \"reason\": \"requested\", \"timeUSec\": 9000000000000000, \"parameters\": \"a=1\", \"message\": \"m\"}]}",
          "", _CAUSE_KIND_INVALID, NULL, "with a=1: m" },
        { "{\"history\": [{\"outcome\": \"failed\", \"reason\": \"requested\", \"timeUSec\": 1, \"message\": \"m\"}]}",
          "", _CAUSE_KIND_INVALID, NULL, ": m" }, /* the file is newer */
        { "{\"history\": [{\"outcome\": \"loaded\", \"reason\": \"requested\"}, {\"outcome\": \"failed\", \"reason\": \"requested\"}]}",
          "", _CAUSE_KIND_INVALID, NULL, NULL },
        { "{\"history\": [{\"outcome\": \"failed\", \"message\": \"of a removal\"}]}", "",
          _CAUSE_KIND_INVALID, NULL, NULL },
};

static void test_records(void **state) {
        for (size_t i = 0; i < ARRAY_LEN(records); i++) {
                _cleanup_(sd_json_variant_unrefp) sd_json_variant *described = NULL;
                _cleanup_(bench_close) Bench b;
                _cleanup_(cause_clear) Cause c = {};
                _cleanup_(freep) char *earlier = NULL;
                Inquiry q;

                bench_open(&b);
                scratch_write(&b.scratch, "kmsg", records[i].log);
                bench_look(&b);
                assert_ok(sd_json_parse(records[i].described, 0, &described, NULL, NULL));
                q = (Inquiry) { .machine = &b.asker.machine,
                                .index = b.index,
                                .policy = &b.policy,
                                .kernel_lines = &b.lines,
                                .key = "plain",
                                .module = index_find_module(b.index, "plain"),
                                .name = "plain",
                                .described = described };
                assert_int_equal(cause_of_outcome(&q, &c), records[i].kind >= 0);
                if (records[i].kind >= 0) {
                        assert_int_equal(c.kind, records[i].kind);
                        assert_non_null(strstr(c.sentence, records[i].sentence));
                }
                assert_ok(outcome_of_earlier(&q, &earlier));
                assert_true(!earlier == !records[i].earlier);
                if (earlier)
                        assert_non_null(strstr(earlier, records[i].earlier));
        }
}

static void test_waits_for_a_device(void **state) {
        static const struct {
                const char *waiting, *says; /* NULL: it is no cause */
                unsigned line;
        } lists[] = {
                { "[]", NULL, 0 },
                { "[{\"name\": \"other\", \"module\": \"other\", \"file\": \"/l\", \"line\": 3, \"sinceUSec\": 1}]", NULL, 0 },
                { "[7, {}]", NULL, 0 },
                { "[{\"name\": \"plain\", \"module\": \"plain\", \"file\": \"/l\", \"line\": 3, \"sinceUSec\": 1}]",
                  "plain is listed for the boot, and has found no device (", 3 },
                { "[{\"name\": \"pci:x\", \"module\": \"plain\", \"file\": \"/l\", \"sinceUSec\": 1}]", "plain is listed", 0 },
                { "[{\"name\": \"plain\", \"module\": \"bus\", \"file\": \"/l\", \"line\": 1, \"sinceUSec\": 1}]",
                  "plain is listed for the boot, and bus found no device (", 1 },
        };

        for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
                _cleanup_(sd_json_variant_unrefp) sd_json_variant *status = NULL;
                _cleanup_(freep) char *text = NULL;
                _cleanup_(cause_clear) Cause c = {};
                const IndexModule module = { .name = "plain" };
                const Inquiry q = { .module = &module, .name = "plain" };
                Inquiry asked = q;

                assert_true(asprintf(&text, "{\"waitingForDevice\": %s}", lists[i].waiting) > 0);
                assert_ok(sd_json_parse(text, 0, &status, NULL, NULL));
                asked.status = status;
                assert_int_equal(cause_of_outcome(&asked, &c), lists[i].says != NULL);
                if (!lists[i].says)
                        continue;
                assert_int_equal(c.kind, CAUSE_WAITS_FOR_DEVICE);
                assert_non_null(strstr(c.sentence, lists[i].says));
                assert_string_equal(c.file, "/l");
                assert_int_equal(c.line, lists[i].line);
        }
}

static const struct {
        const char *status;
        bool device;
        CauseKind kind;
        const char *file;
} charges[] = {
        { NULL, false, CAUSE_NOT_RUNNING, NULL },
        { "{\"inCharge\": \"lkmd\"}", true, _CAUSE_KIND_INVALID, NULL },
        { "{\"inCharge\": \"udev\", \"steppedBack\": \"x\"}", true, CAUSE_NOT_IN_CHARGE, NULL },
        { "{\"inCharge\": \"udev\", \"steppedBack\": \"x\"}", false, _CAUSE_KIND_INVALID, NULL },
        { "{\"inCharge\": 5, \"afterUdev\": [7]}", true, _CAUSE_KIND_INVALID, NULL },
        { "{\"inCharge\": \"lkmd\", \"waitingForUdev\": 1, \"afterUdev\": [{\"file\": \"/r\", \"line\": 3, \"reason\": \"sets x\"}]}", true, CAUSE_WAITS_FOR_UDEV, "/r" },
        { "{\"inCharge\": \"lkmd\", \"waitingForUdev\": 0, \"afterUdev\": [{\"file\": \"/r\", \"line\": 3, \"reason\": \"sets x\"}]}", true, _CAUSE_KIND_INVALID, NULL },
};

static void test_charge(void **state) {
        const Device device = { .path = (char *) DEVPATH };

        for (size_t i = 0; i < ARRAY_LEN(charges); i++) {
                _cleanup_(sd_json_variant_unrefp) sd_json_variant *status = NULL;
                _cleanup_(cause_clear) Cause c = {};

                if (charges[i].status)
                        assert_ok(sd_json_parse(charges[i].status, 0, &status, NULL, NULL));
                assert_int_equal(cause_of_charge(&(Inquiry) { .status = status,
                                                              .device = charges[i].device ? &device : NULL },
                                                 &c),
                                 charges[i].kind >= 0);
                if (charges[i].kind >= 0)
                        assert_int_equal(c.kind, charges[i].kind);
                assert_true(streq_ptr(c.file, charges[i].file));
        }
}

/* Each kind has a name of its own, and words for a table. */
static void test_kinds(void **state) {
        for (CauseKind k = 0; k < _CAUSE_KIND_MAX; k++) {
                assert_non_null(cause_kind_to_string(k));
                assert_non_null(cause_kind_words(k));
                for (CauseKind other = 0; other < k; other++)
                        assert_string_not_equal(cause_kind_to_string(k), cause_kind_to_string(other));
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_causes),      cmocka_unit_test(test_no_modules),
                cmocka_unit_test(test_another_kernel), cmocka_unit_test(test_records),
                cmocka_unit_test(test_charge),      cmocka_unit_test(test_waits_for_a_device),
                cmocka_unit_test(test_kinds),
        };

        return RUN_TESTS(tests);
}
