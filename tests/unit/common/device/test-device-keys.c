/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include "common/base/limits.h"
#include "common/base/util.h"
#include "common/device/device-keys.h"

/* Expectations follow 80-drivers.rules of systemd 257, line by line. */
static const struct {
        const char *title;
        DeviceFacts facts;
        const char *keys[DEVICE_KEYS_MAX + 1];
} cases[] = {
        { "a modalias",
          { .action = "add", .subsystem = "pci", .sysname = "0000:00:02.0", .modalias = "pci:v00008086d" },
          { "pci:v00008086d" } },
        { "a device that went",
          { .action = "remove", .subsystem = "pci", .modalias = "pci:v00008086d" },
          {} },
        { "a device that changed",
          { .action = "change", .subsystem = "pci", .modalias = "pci:v00008086d" },
          {} },
        { "a driver that was bound",
          { .action = "bind", .subsystem = "pci", .modalias = "pci:v00008086d" },
          {} },
        { "no action", { .subsystem = "pci", .modalias = "pci:v00008086d" }, {} },
        { "nothing at all", {}, {} },
        { "no modalias", { .action = "add", .subsystem = "pci" }, {} },
        { "an empty modalias", { .action = "add", .subsystem = "pci", .modalias = "" }, {} },
        { "a modalias of one byte", { .action = "add", .modalias = "\xff" }, { "\xff" } },
        { "bytes as they are",
          { .action = "add", .modalias = "acpi:\"$(reboot)\" \n\t\x80':" },
          { "acpi:\"$(reboot)\" \n\t\x80':" } },
        { "tifm SD", { .action = "add", .subsystem = "tifm", .tifm_card_type = "SD" }, { "tifm_sd" } },
        { "tifm MS", { .action = "add", .subsystem = "tifm", .tifm_card_type = "MS" }, { "tifm_ms" } },
        { "tifm xD", { .action = "add", .subsystem = "tifm", .tifm_card_type = "xD" }, {} },
        { "tifm of no type", { .action = "add", .subsystem = "tifm" }, {} },
        { "tifm removed", { .action = "remove", .subsystem = "tifm", .tifm_card_type = "SD" }, {} },
        { "a card type elsewhere", { .action = "add", .subsystem = "pci", .tifm_card_type = "SD" }, {} },
        { "tifm with a modalias",
          { .action = "add", .subsystem = "tifm", .modalias = "tifm:x", .tifm_card_type = "MS" },
          { "tifm:x", "tifm_ms" } },
        { "memstick", { .action = "add", .subsystem = "memstick" }, { "ms_block", "mspro_block" } },
        { "i2o", { .action = "add", .subsystem = "i2o" }, { "i2o_block" } },
        { "module parport_pc",
          { .action = "add", .subsystem = "module", .sysname = "parport_pc" },
          { "ppdev" } },
        { "another module", { .action = "add", .subsystem = "module", .sysname = "parport" }, {} },
        { "parport_pc, no module",
          { .action = "add", .subsystem = "platform", .sysname = "parport_pc" },
          {} },
        { "smart media",
          { .action = "add", .subsystem = "mtd", .sysname = "mtd0ro", .mtd_ftl = "smartmedia" },
          { "sm_ftl" } },
        { "smart media, any subsystem",
          { .action = "add", .sysname = "mtdro", .mtd_ftl = "smartmedia" },
          { "sm_ftl" } },
        { "smart media, writable node",
          { .action = "add", .sysname = "mtd0", .mtd_ftl = "smartmedia" },
          {} },
        { "other translation layer", { .action = "add", .sysname = "mtd0ro", .mtd_ftl = "ftl" }, {} },
        { "no translation layer", { .action = "add", .sysname = "mtd0ro" }, {} },
        { "all at once",
          { .action = "add",
            .subsystem = "memstick",
            .sysname = "mtd1ro",
            .modalias = "x",
            .tifm_card_type = "SD",
            .mtd_ftl = "smartmedia" },
          { "x", "ms_block", "mspro_block", "sm_ftl" } },
};

static void test_same_as_udev(void **state) {
        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                const char *keys[DEVICE_KEYS_MAX];
                size_t n, expected = 0;

                while (cases[i].keys[expected])
                        expected++;

                n = device_keys(&cases[i].facts, keys);
                if (n != expected)
                        fail_msg("%s: %zu keys, not %zu", cases[i].title, n, expected);
                for (size_t k = 0; k < n; k++)
                        if (!streq(keys[k], cases[i].keys[k]))
                                fail_msg("%s: key %zu is '%s'", cases[i].title, k, keys[k]);
        }
}

static void test_long_modalias(void **state) {
        char modalias[REQUEST_KEY_MAX + 1];
        const char *keys[DEVICE_KEYS_MAX];

        memset(modalias, '*', sizeof(modalias) - 1);
        modalias[sizeof(modalias) - 1] = '\0';

        assert_int_equal(device_keys(&(DeviceFacts) { .action = "add", .modalias = modalias }, keys), 1);
        assert_ptr_equal(keys[0], modalias);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_same_as_udev),
                cmocka_unit_test(test_long_modalias),
        };

        return RUN_TESTS(tests);
}
