/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/device/udev-rules.h"

#include <sys/stat.h>

#include "common/base/paths.h"
#include "common/base/string-list.h"
#include "common/base/util.h"
#include "scratch.h"
#include "test.h"

#define PCI_OVERRIDE \
        "ACTION==\"add\", SUBSYSTEM==\"pci\", ATTR{device}==\"0x10d3\", ATTR{driver_override}=\"vfio-pci\"\n"

/* Rules of administrators and of packages. @waits: "LINE deed", because of which devices of the subsystem wait; "": they do not. */
static const struct {
        const char *text;
        bool package;                   /* in /usr/lib */
        const char *subsystem, *waits;
} cases[] = {
        /* what administrators write about vfio, USB and the like */
        { PCI_OVERRIDE, false, "pci", "1 sets driver_override" },
        { PCI_OVERRIDE, false, "usb", "" },
        { PCI_OVERRIDE, true, "pci", "1 sets driver_override" },
        { "SUBSYSTEM==\"pci\", KERNEL==\"0000:01:00.[01]\", ATTR{driver_override}:=\"vfio-pci\"\n", false,
          "pci", "1 sets driver_override" },
        { "KERNEL==\"0000:01:00.0\", ATTR{driver_override}=\"vfio-pci\"\n", false, "scsi",
          "1 sets driver_override" },
        { "KERNEL==\"0000:01:00.0\", ATTR{driver_override}=\"vfio-pci\"\n", false, "scsi", "1 sets driver_override" },
        { "SUBSYSTEMS==\"pci\", ATTR{driver_override}=\"vfio-pci\"\n", false, "virtio", "1 sets driver_override" },
        { "SUBSYSTEM==\"pci\", ATTR{driver_override}==\"vfio-pci\", ENV{x}=\"y\"\n", false, "pci", "" },
        { "SUBSYSTEM==\"pci\", ATTR{[pci/0000:01:00.0]driver_override}=\"x\"\n", false, "pci", "1 sets driver_override" },
        { "ENV{SUBSYSTEM}==\"pci\", ATTR{driver_override}=\"x\"\n", false, "usb", "" },
        { "SUBSYSTEM==i\"PCI\", ATTR{driver_override}=\"x\"\n", false, "pci", "1 sets driver_override" },
        { "SUBSYSTEM==\"usb\", ATTR{authorized}=\"0\"\n", false, "usb", "1 sets authorized" },
        { "ACTION==\"add\", SUBSYSTEM==\"usb\", KERNEL==\"usb[0-9]*\", ATTR{authorized_default}=\"0\"\n",
          false, "usb", "1 sets authorized_default" },
        { "SUBSYSTEM==\"usb|thunderbolt\", ATTR{authorized}=\"1\"\n", false, "thunderbolt",
          "1 sets authorized" },
        { "SUBSYSTEM==\"usb*\", ATTR{authorized}=\"1\"\n", false, "usbmisc", "1 sets authorized" },
        { "SUBSYSTEM!=\"usb\", ATTR{authorized}=\"1\"\n", false, "usb", "" },
        /* a backslash is one, but for patterns with a wildcard */
        { "SUBSYSTEM==\"us\\b\", ATTR{authorized}=\"1\"\n", false, "usb", "" },
        { "SUBSYSTEM==\"us\\b*\", ATTR{authorized}=\"1\"\n", false, "usb", "1 sets authorized" },
        { "ACTION!=\"a\\dd\", ATTR{authorized}=\"1\"\n", false, "usb", "1 sets authorized" },
        { "DEVPATH==\"/de\\vices/*\", ATTR{authorized}=\"1\"\n", false, "usb", "1 sets authorized" },
        { "SUBSYSTEM!=\"usb\", ATTR{authorized}=\"1\"\n", false, "hid", "1 sets authorized" },
        { "ACTION==\"add\", SUBSYSTEM==\"pci\", ATTR{vendor}==\"0x10de\", ATTR{class}==\"0x0c0330\", "
          "ATTR{power/control}=\"auto\", ATTR{remove}=\"1\"\n",
          false, "pci", "1 removes the device" },
        { "ACTION!=\"add\", GOTO=\"end\"\nSUBSYSTEM!=\"usb\", GOTO=\"end\"\nENV{DEVTYPE}!=\"usb_device\", GOTO=\"end\"\n"
          "ATTR{idVendor}==\"0bda\", ATTR{bConfigurationValue}!=\"1\", ATTR{bConfigurationValue}=\"1\"\nLABEL=\"end\"\n",
          false, "usb", "4 sets bConfigurationValue" },
        { "SUBSYSTEM==\"pci\", ENV{MODALIAS}=\"pci:x\"\n", false, "pci", "1 sets MODALIAS" },
        { "SUBSYSTEM==\"pci\", ENV{MODALIAS}==\"pci:x\", ENV{y}=\"z\"\n", false, "pci", "" },
        { "SUBSYSTEM==\"pci\", ATTR{power/control}=\"auto\"\n", false, "pci", "" },
        { "SUBSYSTEM==\"net\", NAME=\"lan0\"\n", false, "net", "" },
        /* events that are not about a new device without a driver */
        { "ACTION==\"remove\", SUBSYSTEM==\"pci\", RUN+=\"/usr/local/bin/x\"\n", false, "pci", "" },
        { "ACTION==\"change|bind\", SUBSYSTEM==\"pci\", ATTR{driver_override}=\"x\"\n", false, "pci", "" },
        { "ACTION!=\"remove\", SUBSYSTEM==\"pci\", ATTR{driver_override}=\"x\"\n", false, "pci", "1 sets driver_override" },
        { "ACTION==\"a*|bind\", SUBSYSTEM==\"pci\", ATTR{driver_override}=\"x\"\n", false, "pci", "1 sets driver_override" },
        { "DRIVER==\"nvidia\", ATTR{driver_override}=\"x\"\n", false, "pci", "" },
        { "DRIVER!=\"?*\", ATTR{driver_override}=\"x\"\n", false, "pci", "1 sets driver_override" },
        { "DEVPATH==\"/module/nvidia\", RUN+=\"/usr/bin/nvidia-modprobe -c0 -u\"\n", false, "pci", "" },
        { "DEVPATH==\"/bus/pci/drivers/nvidia\", RUN+=\"/usr/local/bin/x\"\n", false, "pci", "" },
        { "DEVPATH==\"*/usb1/*\", ATTR{authorized}=\"0\"\n", false, "usb", "1 sets authorized" },
        { "DEVPATH==\"/devices/pci0000:00/*\", ATTR{driver_override}=\"x\"\n", false, "pci", "1 sets driver_override" },
        /* programs, kmod */
        { "SUBSYSTEM==\"pci\", RUN+=\"/usr/local/sbin/bind-vfio %k\"\n", false, "pci", "1 runs a program" },
        { "SUBSYSTEM==\"pci\", RUN+=\"/usr/lib/foo/helper %k\"\n", true, "pci", "" },
        { "SUBSYSTEM==\"pci\", RUN+=\"/bin/sh -c 'echo vfio-pci > /sys%p/driver_override'\"\n", true, "pci",
          "1 runs a program that decides about drivers" },
        { "SUBSYSTEM==\"pci\", PROGRAM==\"/usr/local/bin/x\", ENV{y}=\"z\"\n", false, "pci", "1 runs a program" },
        { "SUBSYSTEM==\"pci\", IMPORT{program}=\"/usr/local/bin/x\"\n", false, "pci", "1 runs a program" },
        { "SUBSYSTEM==\"pci\", IMPORT{builtin}=\"hwdb\"\n", false, "pci", "" },
        { "SUBSYSTEM==\"pci\", IMPORT{builtin}=\"kmod load vfio-pci\"\n", false, "pci", "1 calls kmod" },
        { "SUBSYSTEM==\"pci\", RUN{builtin}+=\"kmod load vfio-pci\"\n", false, "pci", "1 calls kmod" },
        { "SUBSYSTEM==\"pci\", RUN{builtin}+=\"kmod load vfio-pci\"\n", true, "pci", "1 calls kmod" },
        { "SUBSYSTEM==\"usb\", RUN{builtin}+=\"kmod load '$env{MODALIAS}'\"\n", true, "usb", "1 calls kmod" },
        { "SUBSYSTEM==\"usb\", RUN{builtin}+=\"kmod load\"\n", true, "usb", "1 calls kmod" },
        { "SUBSYSTEM==\"pci\", RUN{builtin}+=\"uaccess\"\n", false, "pci", "" },
        { "SUBSYSTEM==\"usb\", ATTR{idVendor}==\"1234\", RUN+=\"/sbin/modprobe -q foo\"\n", true, "usb", "1 calls modprobe" },
        { "ACTION==\"add\", SUBSYSTEM==\"pci\", TEST==\"/etc/driverctl.d/$env{SUBSYSTEM}-$kernel\", "
          "PROGRAM=\"/usr/sbin/driverctl load-override %k\"\n",
          true, "pci", "1 runs a program that decides about drivers" },
        { "TAG==\"snap_x\", SUBSYSTEM!=\"module\", RUN+=\"/usr/lib/snapd/snap-device-helper $env{ACTION} snap_x\"\n",
          false, "usb", "" },
        { "SUBSYSTEM==\"usb\", RUN+=\"/usr/bin/systemctl start --no-block x.service\"\n", false, "usb", "" },
        /* stock Debian 13 */
        { "ACTION!=\"remove\", SUBSYSTEM==\"scsi\", ENV{DEVTYPE}==\"scsi_device\", TEST!=\"[module/sg]\", "
          "RUN{builtin}+=\"kmod load sg\"\n",
          true, "scsi", "" },
        { "KERNEL==\"mtd*ro\", IMPORT{program}=\"mtd_probe $devnode\"\n", true, "mtd", "" },
        { "SUBSYSTEM==\"input\", ATTR{name}==\"Wiebetech LLC Wiebetech\", RUN+=\"/usr/bin/loginctl lock-sessions\"\n",
          true, "input", "" },
        { "ACTION==\"add|bind\", ATTR{vendor}==\"0x10de\", DRIVER==\"nvidia\", RUN+=\"/usr/bin/nvidia-modprobe\"\n",
          true, "pci", "" },
        /* who gets as far as that */
        { "SUBSYSTEM!=\"pci\", GOTO=\"end\"\nATTR{driver_override}=\"x\"\nLABEL=\"end\"\n", false, "pci",
          "2 sets driver_override" },
        { "SUBSYSTEM!=\"pci\", GOTO=\"end\"\nATTR{driver_override}=\"x\"\nLABEL=\"end\"\n", false, "usb", "" },
        { "SUBSYSTEM!=\"pci\", GOTO=\"end\"\nLABEL=\"end\"\nATTR{driver_override}=\"x\"\n", false, "usb",
          "3 sets driver_override" },
        { "SUBSYSTEM==\"pci\", GOTO=\"end\"\nATTR{driver_override}=\"x\"\nLABEL=\"end\"\n", false, "pci", "" },
        { "SUBSYSTEM==\"pci\", GOTO=\"end\"\nATTR{driver_override}=\"x\"\nLABEL=\"end\"\n", false, "usb",
          "2 sets driver_override" },
        { "SUBSYSTEM!=\"pci\", KERNEL==\"x\", GOTO=\"end\"\nATTR{driver_override}=\"x\"\nLABEL=\"end\"\n",
          false, "usb", "2 sets driver_override" },
        { "ACTION==\"add\", GOTO=\"end\"\nATTR{driver_override}=\"x\"\nLABEL=\"end\"\n", false, "pci", "" },
        { "GOTO=\"end\"\nATTR{driver_override}=\"x\"\nLABEL=\"end\"\nATTR{authorized}=\"1\"\n", false, "pci", "4 sets authorized" },
        { "ACTION==\"remove\", GOTO=\"end\"\nATTR{driver_override}=\"x\"\nLABEL=\"end\"\n", false, "pci",
          "2 sets driver_override" },
        { "SUBSYSTEM!=\"pci\", GOTO=\"nowhere\"\nATTR{driver_override}=\"x\"\n", false, "usb",
          "2 sets driver_override" },
        { "LABEL=\"before\"\nSUBSYSTEM!=\"pci\", GOTO=\"before\"\nATTR{driver_override}=\"x\"\n", false,
          "usb", "3 sets driver_override" },
        /* somebody who has jumped over a condition arrives nevertheless */
        { "KERNEL==\"x\", GOTO=\"in\"\nSUBSYSTEM!=\"pci\", GOTO=\"end\"\nLABEL=\"in\"\nATTR{driver_override}=\"x\"\nLABEL=\"end\"\n",
          false, "usb", "4 sets driver_override" },
        { "SUBSYSTEM!=\"pci\", GOTO=\"b\"\nGOTO=\"c\"\nLABEL=\"b\"\nATTR{driver_override}=\"x\"\nLABEL=\"c\"\n",
          false, "usb", "4 sets driver_override" },
        { "SUBSYSTEM==\"usb\", GOTO=\"usb\"\nGOTO=\"end\"\nLABEL=\"usb\", SUBSYSTEM==\"usb\", ATTR{authorized}=\"0\"\nLABEL=\"end\"\n",
          false, "usb", "3 sets authorized" },
        { "GOTO=\"nowhere\", ATTR{driver_override}=\"x\"\n", false, "pci", "" },
        /* the first rule that is about the device is told */
        { "SUBSYSTEM==\"usb\", ATTR{authorized}=\"0\"\nSUBSYSTEM==\"pci\", \\\nATTR{driver_override}=\"x\"\n",
          false, "pci", "2 sets driver_override" },
        { "# nothing\n", false, "pci", "" },
};

static void say(const UdevWord *word, char ret[static 256]) {
        ret[0] = '\0';
        if (word)
                (void) snprintf(ret, 256, "%u %s", word->line, word->deed);
}

static void test_rules(void **state) {
        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                _cleanup_(udev_rules_clear) UdevRules rules = {};
                char said[256];

                assert_ok(udev_rules_parse(&rules, "x.rules", !cases[i].package, cases[i].text));
                say(udev_rules_find(&rules, cases[i].subsystem), said);
                if (!streq(said, cases[i].waits))
                        fail_msg("%s%s: '%s' rather than '%s'", cases[i].text, cases[i].subsystem, said,
                                 cases[i].waits);
        }
}

/* Each file by its name, hidden by one of the same name in a directory before; none behind udev's rule for drivers. */
static void test_files(void **state) {
        static const struct {
                const char *name;       /* below the root */
                const char *text;       /* NULL: a link to /dev/null */
                const char *waits;      /* pci, with the files so far: FILE, or "" */
        } steps[] = {
                { "usr/lib/udev/rules.d/80-drivers.rules", "ENV{MODALIAS}==\"?*\", RUN{builtin}+=\"kmod load\"\n", "" },
                { "usr/lib/udev/rules.d/90-late.rules", PCI_OVERRIDE, "" },
                { "etc/udev/rules.d/80-drivers.rules", PCI_OVERRIDE, "" },
                { "etc/udev/rules.d/61-x.rules.off", PCI_OVERRIDE, "" },
                { "etc/udev/rules.d/.61-x.rules", PCI_OVERRIDE, "" },
                { "usr/lib/udev/rules.d/70-x.rules", PCI_OVERRIDE, "/usr/lib/udev/rules.d/70-x.rules" },
                { "etc/udev/rules.d/70-x.rules", NULL, "" },
                { "usr/local/lib/udev/rules.d/61-x.rules", PCI_OVERRIDE, "/usr/local/lib/udev/rules.d/61-x.rules" },
                { "run/udev/rules.d/61-x.rules", "# nothing\n", "" },
                { "etc/udev/rules.d/61-x.rules", PCI_OVERRIDE, "/etc/udev/rules.d/61-x.rules" },
                { "run/udev/rules.d/60-x.rules", PCI_OVERRIDE, "/run/udev/rules.d/60-x.rules" },
        };
        _cleanup_(scratch_close) Scratch s;

        scratch_open(&s);
        for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
                _cleanup_(udev_rules_clear) UdevRules rules = {};
                const UdevWord *word;

                if (steps[i].text)
                        scratch_write(&s, steps[i].name, steps[i].text);
                else
                        scratch_link(&s, steps[i].name, "/dev/null");
                assert_ok(udev_rules_read(&rules, s.dir));
                word = udev_rules_find(&rules, "pci");
                assert_string_equal(word ? word->file : "", steps[i].waits);
        }
}

/* What cannot be read may say anything, of any device. */
static void test_unreadable(void **state) {
        _cleanup_(scratch_close) Scratch s;
        _cleanup_(udev_rules_clear) UdevRules rules = {};
        char said[256];

        scratch_open(&s);
        scratch_mkdir(&s, "etc/udev/rules.d/");
        assert_ok(mkfifo(scratch_path(&s, "etc/udev/rules.d/60-x.rules"), 0644));
        assert_ok(udev_rules_read(&rules, s.dir));
        say(udev_rules_find(&rules, "anything"), said);
        assert_string_equal(said, "0 cannot be read");
        udev_rules_clear(&rules);
        assert_ok(unlink(scratch_path(&s, "etc/udev/rules.d/60-x.rules")));
        scratch_write_bytes(&s, "etc/udev/rules.d/61-x.rules", "A==\"b\"\n\0\n", 9);
        assert_ok(udev_rules_read(&rules, s.dir));
        assert_non_null(udev_rules_find(&rules, "anything"));
}

/* udev passes over what says nothing to it either. */
static void test_nothing_said(void **state) {
        _cleanup_(udev_rules_clear) UdevRules rules = {};
        _cleanup_(scratch_close) Scratch s;

        scratch_open(&s);
        scratch_mkdir(&s, "etc/udev/rules.d/61-directory.rules");
        scratch_mkdir(&s, "etc/udev/hwdb.d/61-directory.hwdb");
        scratch_link(&s, "etc/udev/rules.d/62-nowhere.rules", "nowhere");
        scratch_link(&s, "etc/udev/rules.d/63-loop.rules", "63-loop.rules");
        scratch_link(&s, "etc/udev/rules.d/64-through.rules", "65-empty.rules/x");
        scratch_write(&s, "etc/udev/rules.d/65-empty.rules", "");
        scratch_link(&s, "etc/udev/hwdb.d/63-loop.hwdb", "63-loop.hwdb");
        assert_ok(udev_rules_read(&rules, s.dir));
        assert_int_equal(rules.n_items, 0);
}

/* The administrator's files of the hardware database, hwdb(7). */
static void test_hwdb(void **state) {
        static const struct {
                const char *name, *text, *said;
        } some[] = {
                { "etc/udev/hwdb.d/x.hwdb", "# MODALIAS=x\npci:v00008086*\n ID_X=1\n", "" },
                { "etc/udev/hwdb.d/x.hwdb", "pci:v00008086*\n MODALIAS_X=1\nMODALIAS=2\n", "" },
                { "etc/udev/hwdb.d/x.hwdb", "pci:v00008086*\n ID_X=1\n MODALIAS=pci:x\n", "3 sets MODALIAS" },
                { "etc/udev/hwdb.d/x.hwdb.off", "pci:v00008086*\n MODALIAS=pci:x\n", "" },
                { "usr/lib/udev/hwdb.d/x.hwdb", "pci:v00008086*\n MODALIAS=pci:x\n", "" },
        };

        for (size_t i = 0; i < ARRAY_LEN(some); i++) {
                _cleanup_(scratch_close) Scratch s;
                _cleanup_(udev_rules_clear) UdevRules rules = {};
                char said[256];

                scratch_open(&s);
                scratch_write(&s, some[i].name, some[i].text);
                assert_ok(udev_rules_read(&rules, s.dir));
                say(udev_rules_find(&rules, "pci"), said);
                assert_string_equal(said, some[i].said);
        }
}

static void test_subsystems(void **state) {
        static const struct {
                const char *text;
                const char *subsystems; /* NULL: all */
                const char *said;       /* of the first rule */
        } some[] = {
                { "", "", NULL },
                { PCI_OVERRIDE, "pci ", "pci devices" },
                { PCI_OVERRIDE "SUBSYSTEM==\"usb|hid\", ATTR{authorized}=\"0\"\n", "pci usb hid ", "pci devices" },
                { "SUBSYSTEM==\"usb|hid\", ATTR{authorized}=\"0\"\n", "usb hid ", "usb and hid devices" },
                { PCI_OVERRIDE "ATTR{authorized}=\"0\"\n", NULL, "pci devices" },
                { "SUBSYSTEM==\"usb*\", ATTR{authorized}=\"0\"\n", NULL, "usb* devices" },
                { "SUBSYSTEM!=\"usb\", ATTR{authorized}=\"0\"\n", NULL, "all devices except for some" },
                { "SUBSYSTEM==\"us\\b\", ATTR{authorized}=\"0\"\n", "us\\b ", "us\\b devices" },
                { "ATTR{authorized}=\"0\"\n", NULL, "all devices" },
        };

        for (size_t i = 0; i < ARRAY_LEN(some); i++) {
                _cleanup_(udev_rules_clear) UdevRules rules = {};
                _cleanup_(string_list_freep) char **list = NULL;
                _cleanup_(freep) char *said = NULL;
                char text[256] = "";

                assert_ok(udev_rules_parse(&rules, "x.rules", true, some[i].text));
                assert_ok(udev_rules_get_subsystems(&rules, &list));
                assert_int_equal(list == NULL, some[i].subsystems == NULL);
                for (char **name = list; name && *name; name++)
                        (void) snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s ", *name);
                assert_string_equal(text, some[i].subsystems ?: "");
                if (some[i].said) {
                        assert_ok(udev_word_describe(rules.items, &said));
                        assert_string_equal(said, some[i].said);
                }
        }
}

/* Rules without end do not become words without end: from some number on all devices wait. */
static void test_many(void **state) {
        _cleanup_(udev_rules_clear) UdevRules rules = {}, same = {};
        _cleanup_(freep) char *text = NULL;
        size_t size = 0;
        FILE *f = open_memstream(&text, &size);

        assert_non_null(f);
        for (unsigned i = 0; i < 2000; i++)
                fprintf(f, "SUBSYSTEM==\"s%u\", GOTO=\"end\"\nSUBSYSTEM==\"t%u\", ATTR{authorized}=\"0\"\n",
                        i, i);
        fputs("LABEL=\"end\"\n", f);
        assert_int_equal(fclose(f), 0);
        assert_ok(udev_rules_parse(&rules, "x.rules", true, text));
        assert_true(rules.n_items < 300);
        assert_non_null(udev_rules_find(&rules, "anything"));
        assert_ok(udev_rules_parse(&same, "x.rules", true, text));
        assert_true(udev_rules_equal(&rules, &same));
        udev_rules_clear(&same);
        assert_false(udev_rules_equal(&rules, &same));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_rules),      cmocka_unit_test(test_files),
                cmocka_unit_test(test_unreadable), cmocka_unit_test(test_nothing_said),
                cmocka_unit_test(test_hwdb),       cmocka_unit_test(test_subsystems),
                cmocka_unit_test(test_many),
        };

        return RUN_TESTS(tests);
}
