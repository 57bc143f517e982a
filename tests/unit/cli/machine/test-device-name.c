/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include "cli/machine/device-name.h"
#include "scratch.h"

#define HWDB "/usr/lib/udev/hwdb.bin"

typedef struct File {
        const char *name, *text;
} File;

typedef struct Case {
        const char *path, *subsystem;   /* NULL: it has none */
        File files[4];
        const char *name;               /* NULL: none */
        bool of_database;
} Case;

static const Case cases[] = {
        { "0000:00:03.0",
          "pci",
          { { "uevent",
              "PCI_ID=8086:10D3\nMODALIAS=pci:v00008086d000010D3sv00001AF4sd00000000bc02sc00i00\n" },
            { "vendor", "0x8086\n" } },
          "Intel 82574L Gigabit Network Connection",
          true },
        { "0000:00:04.0",
          "pci",
          { { "uevent", "MODALIAS=pci:v00001022d00007901sv00001022sd00007901bc01sc06i01\n" } },
          "AMD FCH SATA Controller [AHCI mode]",
          true },
        { "0000:00:05.0",
          "pci",
          { { "uevent", "MODALIAS=pci:v0000FFF1d0000FFFFsv00000000sd00000000bc03sc00i00\n" } },
          "VGA compatible controller",
          true },
        { "serio0", "serio", { { "uevent", "MODALIAS=serio:ty06pr00id00ex00\n" } }, NULL, false },
        { "1-1",
          "usb",
          { { "uevent", "MODALIAS=nothing\n" }, { "product", "USB Receiver\n" }, { "manufacturer", "Maker\n" } },
          "USB Receiver",
          false },
        { "1-1/1-1:1.0", "usb", { { "uevent", "MODALIAS=usb:v1\n" } }, "USB Receiver", false },
        { "1-2", "usb", { { "uevent", "MODALIAS=nothing\n" }, { "product", "\xff\xfe\n" } }, "\xff\xfe", false },
        { "2:0:0:0", "scsi", { { "vendor", "QEMU    \n" }, { "model", "QEMU HARDDISK   \n" } }, "QEMU HARDDISK", false },
        { "2:0:0:1", "scsi", { { "vendor", "ATA     \n" }, { "model", "Disk\n" } }, "ATA Disk", false },
        { "0003:0627:0001.0001",
          "hid",
          { { "uevent", "HID_ID=0003:00000627:00000001\nHID_NAME=QEMU QEMU USB Tablet\nMODALIAS=hid:b0003\n" } },
          "QEMU QEMU USB Tablet",
          false },
        { "input4", "input", { { "name", "Power Button\n" } }, "Power Button", false },
        { "eth0", "net", { { "uevent", "INTERFACE=eth0\n" } }, "eth0", false },
        { "cciss!c0d0", "block", { { "uevent", "" } }, "cciss/c0d0", false },
        { "plain", NULL, { { "uevent", "X\n=\nHID_NAME=\nMODALIAS=\n" }, { "name", " \n" } }, NULL, false },
        { "gone", NULL, {}, NULL, false },
};

static void make(const Scratch *s, const Case *c) {
        char name[256], target[256];

        for (size_t i = 0; i < ARRAY_LEN(c->files) && c->files[i].name; i++) {
                (void) snprintf(name, sizeof(name), "%s/%s", c->path, c->files[i].name);
                scratch_write(s, name, c->files[i].text);
        }
        if (!c->subsystem)
                return;
        (void) snprintf(name, sizeof(name), "%s/subsystem", c->path);
        (void) snprintf(target, sizeof(target), "../../bus/%s", c->subsystem);
        scratch_link(s, name, target);
}

static void test_names(void **state) {
        _cleanup_(device_names_freep) DeviceNames *names = NULL, *without = NULL;
        _cleanup_(scratch_close) Scratch s;

        scratch_open(&s);
        assert_ok(device_names_new(&names, HWDB));
        assert_ok(device_names_new(&without, scratch_path(&s, "no-hwdb.bin")));
        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                _cleanup_(freep) char *name = NULL, *own = NULL;

                make(&s, cases + i);
                assert_ok(device_names_get(names, scratch_path(&s, cases[i].path), &name));
                assert_ok(device_names_get(without, scratch_path(&s, cases[i].path), &own));
                if (!streq_ptr(name, cases[i].name))
                        fail_msg("%s: \"%s\"", cases[i].path, name ?: "no name");
                if (!streq_ptr(own, cases[i].of_database ? NULL : cases[i].name))
                        fail_msg("%s: \"%s\" without the database", cases[i].path, own ?: "no name");
        }
}

static void test_one(void **state) {
        _cleanup_(freep) char *name = NULL;

        assert_ok(device_name_new("/sys/devices/none", &name));
        assert_null(name);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_names),
                cmocka_unit_test(test_one),
        };

        return RUN_TESTS(tests);
}
