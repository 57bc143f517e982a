/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Times as people type them. */

#include "common/base/clock.h"
#include "test.h"

#include <errno.h>
#include <time.h>

#include "cli/print/format.h"
#include "cli/time-argument.h"
#include "cli/usage/usage.h"
#include "common/base/util.h"

#define NOW (UINT64_C(1700000000) * USEC_PER_SEC)      /* 2023-11-14 22:13:20 UTC */

static void test_seconds(void **state) {
        static const char *const bad[] = { "",   ".",     "-1",  "+1",  " 1",      "1 ",
                                           "1s", "1.2.3", "1e3", "0x1", "infinity" };
        uint64_t usec = 7;

        for (size_t i = 0; i < ARRAY_LEN(bad); i++)
                assert_int_equal(parse_seconds(bad[i], &usec), -EINVAL);
        assert_int_equal(parse_seconds("99999999999999999999", &usec), -ERANGE);
        assert_int_equal(usec, 7);

        assert_ok(parse_seconds("0", &usec));
        assert_int_equal(usec, 0);
        assert_ok(parse_seconds("30", &usec));
        assert_int_equal(usec, 30 * USEC_PER_SEC);
        assert_ok(parse_seconds("0.25", &usec));
        assert_int_equal(usec, 250000);
        assert_ok(parse_seconds(".0000019999", &usec));
        assert_int_equal(usec, 1);
        assert_ok(parse_seconds("90.", &usec));
        assert_int_equal(usec, 90 * USEC_PER_SEC);
        assert_ok(parse_seconds("900000000000", &usec));
        assert_true(usec <= INT64_MAX);
}

static void test_spans(void **state) {
        static const struct {
                const char *text;
                int error;
                uint64_t sec;
        } cases[] = {
                { "90", 0, 90 },
                { "10min", 0, 600 },
                { "10 min", 0, 600 },
                { "2h", 0, 7200 },
                { "1h 30min", 0, 5400 },
                { "1h30min", 0, 5400 },
                { "7d", 0, 7 * 86400 },
                { " 2 weeks ", 0, 14 * 86400 },
                { "0", 0, 0 },
                { "", -EINVAL },
                { " ", -EINVAL },
                { "min", -EINVAL },
                { "10 parsecs", -EINVAL },
                { "-5min", -EINVAL },
                { "1.5h", -EINVAL },
                { "1h 30", -EINVAL },
                { "10min!", -EINVAL },
                { "99999d", -ERANGE },
                { "99999999999", -ERANGE },
                { "9999999999w", -ERANGE },
        };

        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                uint64_t usec = 42;
                int r = parse_time_span(cases[i].text, &usec);

                if (r != cases[i].error || (r == 0 && usec != cases[i].sec * USEC_PER_SEC))
                        fail_msg("'%s': %d, %llu", cases[i].text, r, (unsigned long long) usec);
                if (r < 0)
                        assert_int_equal(usec, 42);
        }
}

static void test_points_in_time(void **state) {
        static const struct {
                const char *text;
                int error;
                uint64_t sec;
        } cases[] = {
                { "2h", 0, 1700000000 - 7200 },
                { "2023-11-14", 0, 1699920000 },
                { "2023-11-14 22:13", 0, 1699999980 },
                { "2023-11-14 22:13:20", 0, 1700000000 },
                { "2023-11-14T22:13:20", 0, 1700000000 },
                { "2023-02-31", -EINVAL },
                { "2023-13-01", -EINVAL },
                { "yesterday", -EINVAL },
                { "", -EINVAL },
                { "90y", -EINVAL },
                { "60 weeks", 0, 1700000000 - 60 * 7 * 86400 },
                { "20000d", -ERANGE },
        };

        uint64_t boot = 42;

        assert_ok(parse_since("boot", NOW, &boot));
        assert_int_equal(boot, SINCE_BOOT);
        (void) setenv("TZ", "UTC", 1);
        tzset();
        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                uint64_t usec = 42;
                int r = parse_since(cases[i].text, NOW, &usec);

                if (r != cases[i].error || (r == 0 && usec != cases[i].sec * USEC_PER_SEC))
                        fail_msg("'%s': %d, %llu", cases[i].text, r, (unsigned long long) usec);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_seconds),
                cmocka_unit_test(test_spans),
                cmocka_unit_test(test_points_in_time),
        };

        return RUN_TESTS(tests);
}
