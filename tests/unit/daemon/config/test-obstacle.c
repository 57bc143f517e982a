/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/config/obstacle.h"

#include "common/base/util.h"
#include "test.h"

#define FILE_A "/etc/modprobe.d/a.conf"

/* The remedy is about this fault: depmod mends no rights, and a reader that works is not restarted. */
static void test_unread(void **state) {
        static const struct {
                const char *message;
                bool trouble;
                const char *text, *remedy;
        } cases[] = {
                { "cannot be read: Permission denied", false, FILE_A " cannot be read: Permission denied",
                  "namei -l '" FILE_A "'; chown root and chmod go-w what is not root's alone" },
                { "it cannot be read: Permission denied", true,
                  FILE_A " cannot be read: Permission denied, since lkmd-reader does not work",
                  "systemctl restart lkmd-reader.socket" },
                { "cannot be read: Input/output error", false, FILE_A " cannot be read: Input/output error",
                  "cat '" FILE_A "' >/dev/null; dmesg" },
        };

        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                Problem p = { .file = (char *) FILE_A,
                              .message = (char *) cases[i].message,
                              .unread = true };
                Obstacle o = {};

                assert_false(obstacle_exists(&o));
                obstacle_set_unread(&o, &p, cases[i].trouble);
                assert_true(obstacle_exists(&o));
                assert_string_equal(o.text, cases[i].text);
                assert_string_equal(o.remedy, cases[i].remedy);
        }
}

static void test_no_devices(void **state) {
        Obstacle hidden = {}, none = {}, again = {};

        obstacle_set_no_devices(&hidden, -EACCES);
        assert_non_null(strstr(hidden.text, "/sys"));
        assert_non_null(strstr(hidden.remedy, "chmod"));
        obstacle_set_no_devices(&none, -ENODATA);
        assert_null(strstr(none.remedy, "chmod"));
        assert_false(obstacle_equal(&hidden, &none));
        obstacle_set_no_devices(&again, -EACCES);
        assert_true(obstacle_equal(&hidden, &again));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_unread),
                cmocka_unit_test(test_no_devices),
        };

        return RUN_TESTS(tests);
}
