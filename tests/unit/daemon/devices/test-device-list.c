/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/devices/device-list.h"

#include "scratch.h"
#include "test.h"

#define _list_ _cleanup_(device_list_clear)
#define _scratch_ _cleanup_(scratch_close)

static void assert_paths(const Scratch *s, const DeviceList *l, const char *const *expected, size_t n) {
        assert_int_equal(l->n_paths, n);
        for (size_t i = 0; i < n; i++)
                assert_string_equal(l->paths[i], scratch_path(s, expected[i]));
}

static void test_each_once_and_parents_first(void **state) {
        static const char *const expected[] = {
                "devices/pci0000:00/0000:00:03.0",
                "devices/pci0000:00/0000:00:03.0/net/eth0",
                "devices/platform/pcspkr",
                "devices/virtual/tty/tty0",
        };
        _scratch_ Scratch s;
        _list_ DeviceList l;

        scratch_open(&s);
        scratch_link(&s, "bus/pci/devices/0000:00:03.0", "../../../devices/pci0000:00/0000:00:03.0");
        scratch_link(&s, "bus/platform/devices/pcspkr", "../../../devices/platform/pcspkr");
        scratch_mkdir(&s, "bus/pci/drivers");
        scratch_link(&s, "class/net/eth0", "../../devices/pci0000:00/0000:00:03.0/net/eth0");
        scratch_link(&s, "class/tty/tty0", "../../devices/virtual/tty/tty0");
        scratch_link(&s, "class/both/eth0", "../../devices/pci0000:00/0000:00:03.0/net/eth0");
        assert_ok(device_list_read(&l, s.dir));
        assert_paths(&s, &l, expected, ARRAY_LEN(expected));
}

static void test_what_is_no_device(void **state) {
        static const char *const expected[] = { "devices/virtual/net/lo" };
        _scratch_ Scratch s;
        _list_ DeviceList l;

        scratch_open(&s);
        scratch_mkdir(&s, "bus");
        scratch_link(&s, "class/net/lo", "../../devices/virtual/net/lo");
        scratch_write(&s, "class/net/bonding_masters", "");
        scratch_write(&s, "class/version", "a file among the classes");
        scratch_mkdir(&s, "class/empty");
        scratch_link(&s, "class/odd/elsewhere", "../../module/loop");
        scratch_link(&s, "class/odd/absolute", "/etc");
        assert_ok(device_list_read(&l, s.dir));
        assert_paths(&s, &l, expected, ARRAY_LEN(expected));
}

/* What can be read is listed all the same. */
static void test_without_half_of_sys(void **state) {
        static const char *const expected[] = { "devices/virtual/net/lo" };
        _scratch_ Scratch s;
        _list_ DeviceList l, nothing;

        scratch_open(&s);
        scratch_link(&s, "class/net/lo", "../../devices/virtual/net/lo");
        assert_int_equal(device_list_read(&l, s.dir), -ENOENT);
        assert_paths(&s, &l, expected, ARRAY_LEN(expected));
        assert_int_equal(device_list_read(&nothing, scratch_path(&s, "nowhere")), -ENOENT);
        assert_int_equal(nothing.n_paths, 0);
        device_list_clear(&nothing);
}

static void test_many(void **state) {
        _scratch_ Scratch s;
        _list_ DeviceList l;
        char name[64], target[64];

        scratch_open(&s);
        scratch_mkdir(&s, "bus");
        for (unsigned i = 0; i < 2000; i++) {
                (void) snprintf(name, sizeof(name), "class/c%u/device%u", i % 7, i);
                (void) snprintf(target, sizeof(target), "../../devices/d/%u", i);
                scratch_link(&s, name, target);
        }
        assert_ok(device_list_read(&l, s.dir));
        assert_int_equal(l.n_paths, 2000);
        for (size_t i = 1; i < l.n_paths; i++)
                assert_true(strcmp(l.paths[i - 1], l.paths[i]) < 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_each_once_and_parents_first),
                cmocka_unit_test(test_what_is_no_device),
                cmocka_unit_test(test_without_half_of_sys),
                cmocka_unit_test(test_many),
        };

        return RUN_TESTS(tests);
}
