/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "common/device/module-devices.h"

#include "common/base/string-list.h"
#include "scratch.h"
#include "test.h"

static void make_tree(Scratch *s) {
        scratch_open(s);
        scratch_mkdir(s, "devices/pci0000:00/0000:00:02.0");
        scratch_mkdir(s, "devices/pci0000:00/0000:00:03.0");
        scratch_mkdir(s, "bus/pci/drivers/e1000e");
        scratch_mkdir(s, "bus/pci_express/drivers/port");
        scratch_link(s, "bus/pci/drivers/e1000e/0000:00:02.0",
                     "../../../../devices/pci0000:00/0000:00:02.0");
        scratch_link(s, "bus/pci/drivers/e1000e/0000:00:03.0",
                     "../../../../devices/pci0000:00/0000:00:03.0");
        scratch_link(s, "bus/pci/drivers/e1000e/module", "../../../../module/e1000e");
        scratch_write(s, "bus/pci/drivers/e1000e/bind", "");
        scratch_link(s, "bus/pci_express/drivers/port/again", "../../../../devices/pci0000:00/0000:00:03.0");
        scratch_link(s, "module/e1000e/drivers/pci:e1000e", "../../../bus/pci/drivers/e1000e");
        scratch_link(s, "module/e1000e/drivers/pci_express:port", "../../../bus/pci_express/drivers/port");
        scratch_link(s, "module/e1000e/drivers/pci:gone", "../../../bus/pci/drivers/gone");
        scratch_mkdir(s, "module/dummy");
}

static void test_devices(void **state) {
        static const struct {
                const char *module;
                size_t n;
        } cases[] = {
                { "e1000e", 2 }, { "dummy", 0 }, { "nothing", 0 }, { "", 0 },
        };
        Scratch s;

        make_tree(&s);
        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                _cleanup_(string_list_freep) char **devices = NULL;

                assert_ok(module_devices_new(s.dir, cases[i].module, &devices));
                assert_non_null(devices);
                assert_int_equal(string_list_count(devices), cases[i].n);
                if (cases[i].n == 0)
                        continue;
                assert_true(string_list_contains(devices, "/devices/pci0000:00/0000:00:02.0"));
                assert_true(string_list_contains(devices, "/devices/pci0000:00/0000:00:03.0"));
        }
        scratch_close(&s);
}

static void test_long_names(void **state) {
        _cleanup_(string_list_freep) char **devices = NULL;
        char name[5000];

        memset(name, 'x', sizeof(name) - 1);
        name[sizeof(name) - 1] = '\0';
        assert_ok(module_devices_new(NULL, name, &devices));
        assert_int_equal(string_list_count(devices), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_devices),
                cmocka_unit_test(test_long_names),
        };

        return RUN_TESTS(tests);
}
