/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include "common/base/util.h"
#include "common/device/device-facts.h"
#include "scratch.h"

typedef struct Case {
        const char *title;
        const char *text;
        size_t size;
        DeviceFacts facts;
} Case;

#define TEXT(t) .text = (t), .size = sizeof(t) - 1

static const Case cases[] = {
        { "nothing", TEXT(""), {} },
        { "a file",
          TEXT("DRIVER=e1000\nPCI_ID=8086:100E\nMODALIAS=pci:v00008086d0000100E\n"),
          { .driver = "e1000", .modalias = "pci:v00008086d0000100E" } },
        { "a message of the kernel",
          TEXT("add@/devices/platform/x!y\0ACTION=add\0DEVPATH=/devices/platform/x!y\0SUBSYSTEM=platform\0"
               "MODALIAS=platform:x\0SEQNUM=7\0"),
          { .action = "add", .subsystem = "platform", .sysname = "x/y", .modalias = "platform:x" } },
        { "all properties",
          TEXT("ACTION=bind\nSUBSYSTEM=tifm\nDRIVER=d\nMODALIAS=m\nTIFM_CARD_TYPE=SD\nMTD_FTL=f\n"),
          { .action = "bind",
            .subsystem = "tifm",
            .driver = "d",
            .modalias = "m",
            .tifm_card_type = "SD",
            .mtd_ftl = "f" } },
        { "no end", TEXT("MODALIAS=x"), { .modalias = "x" } },
        { "the last one counts", TEXT("MODALIAS=x\nMODALIAS=y\n"), { .modalias = "y" } },
        { "empty", TEXT("MODALIAS=\n\n\n"), { .modalias = "" } },
        { "a value with '='", TEXT("MODALIAS=of:Na=b"), { .modalias = "of:Na=b" } },
        { "other keys", TEXT("XMODALIAS=x\nMODALIASX=x\nmodalias=x\nMODALIAS\n=x\n"), {} },
        { "a path without '/'", TEXT("DEVPATH=x"), { .sysname = "x" } },
};

static void test_parse(void **state) {
        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                char text[512] = "";
                DeviceFacts facts = {};

                memcpy(text, cases[i].text, cases[i].size);
                device_facts_parse(&facts, text, cases[i].size);
                if (!device_facts_equal(&facts, &cases[i].facts))
                        fail_msg("%s", cases[i].title);
        }
}

static const char *get(const char *key, void *userdata) {
        return streq(key, "MODALIAS") ? userdata : NULL;
}

static void test_collect(void **state) {
        char modalias[] = "usb:x";
        DeviceFacts facts = { .subsystem = "usb", .modalias = "old" };

        device_facts_collect(&facts, get, modalias);
        assert_true(device_facts_equal(&facts, &(DeviceFacts) { .subsystem = "usb", .modalias = "usb:x" }));
}

static void test_copy(void **state) {
        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                _cleanup_(freep) char *memory = malloc(device_facts_size(&cases[i].facts) + 1);
                DeviceFacts copy;

                assert_non_null(memory);
                device_facts_copy(&copy, &cases[i].facts, memory);
                assert_true(device_facts_equal(&copy, &cases[i].facts));
                if (copy.modalias)
                        assert_ptr_not_equal(copy.modalias, cases[i].facts.modalias);
        }
        assert_false(
                device_facts_equal(&(DeviceFacts) { .modalias = "x" }, &(DeviceFacts) { .driver = "x" }));
        assert_false(device_facts_equal(&(DeviceFacts) { .modalias = "x" }, &(DeviceFacts) {}));
        assert_false(device_facts_equal(&(DeviceFacts) { .modalias = "" }, &(DeviceFacts) {}));
}

/* What udev would not see does not count: a modalias that only the file of that name has. */
static void test_read(void **state) {
        DeviceUevent u;
        Scratch s;

        scratch_open(&s);
        scratch_write(&s, "devices/x!1/uevent", "DRIVER=some\nACTION=remove\n");
        scratch_write(&s, "devices/x!1/modalias", "platform:x\n");
        scratch_link(&s, "devices/x!1/subsystem", "../../bus/platform");
        assert_ok(device_uevent_read(&u, scratch_path(&s, "devices/x!1")));
        assert_true(device_facts_equal(&u.facts, &(DeviceFacts) { .action = "add",
                                                                  .subsystem = "platform",
                                                                  .sysname = "x/1",
                                                                  .driver = "some" }));

        scratch_write(&s, "devices/x!1/uevent", "MODALIAS=platform:y\n");
        scratch_remove(&s, "devices/x!1/subsystem");
        assert_ok(device_uevent_read(&u, scratch_path(&s, "devices/x!1")));
        assert_true(device_facts_equal(
                &u.facts, &(DeviceFacts) { .action = "add", .sysname = "x/1", .modalias = "platform:y" }));

        assert_int_equal(device_uevent_read(&u, scratch_path(&s, "devices")), -ENODEV);
        assert_int_equal(device_uevent_read(&u, scratch_path(&s, "devices/missing")), -ENODEV);
        scratch_close(&s);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_parse),
                cmocka_unit_test(test_collect),
                cmocka_unit_test(test_copy),
                cmocka_unit_test(test_read),
        };

        return RUN_TESTS(tests);
}
