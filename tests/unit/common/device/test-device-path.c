/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "common/device/device-path.h"

#include "common/base/util.h"
#include "test.h"

/* The processors are a device on every machine, without a driver of its own. */
#define CPU "/devices/system/cpu"

static void test_resolve(void **state) {
        static const struct {
                const char *path, *expected; /* NULL: -ENODEV */
        } cases[] = {
                { "/sys" CPU, CPU },
                { "/sys" CPU "/", CPU },
                { "/sys//devices/./system/../system/cpu", CPU },
                { CPU, CPU },
                { "sys" CPU, CPU },     /* relative */
                { "/sys" CPU "/uevent", NULL },
                { "/sys" CPU "/lkmdt", NULL },
                { "/devices/lkmdt", NULL },
                { "/devices/system/../../module", NULL },
                { "/sys", NULL },
                { "/sys/", NULL },
                { "/sys/devices", NULL },
                { "/sys/bus", NULL },
                { "/sysdevices", NULL },
                { "/etc", NULL },
                { "/", NULL },
                { "", NULL },
                { "lkmdt", NULL },
        };
        char back[4096];

        assert_non_null(getcwd(back, sizeof(back)));
        assert_int_equal(chdir("/"), 0);
        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                _cleanup_(freep) char *path = NULL;
                int r = device_path_resolve(cases[i].path, &path);

                assert_int_equal(r, cases[i].expected ? 0 : -ENODEV);
                if (cases[i].expected)
                        assert_string_equal(path, cases[i].expected);
                else
                        assert_null(path);
        }
        assert_int_equal(chdir(back), 0);
}

static void test_links(void **state) {
        char directory[] = "/tmp/lkmd-device-path-XXXXXX";
        _cleanup_(freep) char *path = NULL, *link = NULL, *loop = NULL;

        assert_non_null(mkdtemp(directory));
        assert_true(asprintf(&link, "%s/link", directory) > 0);
        assert_true(asprintf(&loop, "%s/loop", directory) > 0);
        assert_int_equal(symlink("/sys" CPU, link), 0);
        assert_int_equal(symlink(loop, loop), 0);
        /* anywhere else than in /sys nothing that is written without /sys is meant */
        assert_int_equal(device_path_resolve(link, &path), -ENODEV);
        assert_int_equal(chdir(directory), 0);
        assert_ok(device_path_resolve("link", &path));
        assert_string_equal(path, CPU);
        assert_int_equal(device_path_resolve("loop", &link), -ENODEV);

        assert_int_equal(chdir("/"), 0);
        assert_int_equal(unlink(link), 0);
        assert_int_equal(unlink(loop), 0);
        assert_int_equal(rmdir(directory), 0);
}

static void test_sound(void **state) {
        static const struct {
                const char *path;
                bool sound;
        } cases[] = {
                { "/devices/pci0000:00/0000:00:02.0", true },
                { "/sys/class/net/eth0", true },
                { "/devices/..a/b..", true },
                { "/", true },
                { "", false },
                { "devices/x", false },
                { "/..", false },
                { "/devices/../../etc", false },
                { "/devices/..", false },
                { "/.../..", false },
        };
        char *endless;

        for (size_t i = 0; i < ARRAY_LEN(cases); i++)
                assert_int_equal(device_path_is_sound(cases[i].path), cases[i].sound);

        endless = malloc(65536);
        assert_non_null(endless);
        memset(endless, '/', 65535);
        endless[65535] = '\0';
        assert_false(device_path_is_sound(endless));
        free(endless);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_resolve),
                cmocka_unit_test(test_links),
                cmocka_unit_test(test_sound),
        };

        return RUN_TESTS(tests);
}
