/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/base/clock.h"
#include "test.h"

#include <errno.h>
#include <inttypes.h>

#include "cli/print/format.h"
#include "common/base/util.h"

#define assert_prints(expected, call)                                                                   \
        do {                                                                                            \
                char *_text = NULL;                                                                     \
                size_t _size;                                                                           \
                FILE *f = open_memstream(&_text, &_size);                                               \
                assert_non_null(f);                                                                     \
                call;                                                                                   \
                assert_int_equal(fclose(f), 0);                                                         \
                assert_string_equal(_text, expected);                                                   \
                free(_text);                                                                            \
        } while (0)

static void test_escaped(void **state) {
        assert_prints("plain", print_escaped(f, "plain"));
        assert_prints("?", print_escaped(f, NULL));
        assert_prints("a\\x1b[31m\\x0ab", print_escaped(f, "a\x1b[31m\nb"));
        assert_prints("\\xff\\xc3", print_escaped(f, "\xff\xc3"));
        assert_prints("gr\xc3\xbcn", print_escaped(f, "gr\xc3\xbcn"));
        assert_prints("\\x00", print_escaped(f, "\\x00"));
}

static void test_duration(void **state) {
        static const struct {
                uint64_t usec;
                const char *text;
        } cases[] = {
                { 0, "0.00 ms" },
                { 420, "0.42 ms" },
                { 12345, "12.3 ms" },
                { 999900, "999.9 ms" },
                { 1500000, "1.5 s" },
                { 59 * USEC_PER_SEC, "59.0 s" },
                { 125 * USEC_PER_SEC, "2 min 5 s" },
                { 11520 * USEC_PER_SEC, "3 h 12 min" },
                { 356400 * USEC_PER_SEC, "4 d 3 h" },
                { UINT64_MAX, "213503982 d 8 h" },
        };

        for (size_t i = 0; i < ARRAY_LEN(cases); i++)
                assert_prints(cases[i].text, print_duration(f, cases[i].usec));
}

static void test_age(void **state) {
        assert_prints("just now", print_age(f, 999999));
        assert_prints("7 s ago", print_age(f, 7900000));
        assert_prints("59 s ago", print_age(f, 59 * USEC_PER_SEC));
        assert_prints("1 min ago", print_age(f, 60 * USEC_PER_SEC));
        assert_prints("2 min ago", print_age(f, 125 * USEC_PER_SEC));
        assert_prints("59 min ago", print_age(f, 3599 * USEC_PER_SEC));
        assert_prints("3 h 12 min ago", print_age(f, 11520 * USEC_PER_SEC));
        assert_prints("4 d 3 h ago", print_age(f, 356400 * USEC_PER_SEC));
        assert_prints("14 d ago", print_age(f, 15 * 86400 * USEC_PER_SEC - 1));
}

static void test_size(void **state) {
        assert_prints("0B", print_size(f, 0));
        assert_prints("1023B", print_size(f, 1023));
        assert_prints("1.0K", print_size(f, 1024));
        assert_prints("364K", print_size(f, 372736));
        assert_prints("1.0M", print_size(f, 1048575));
        assert_prints("1.2M", print_size(f, 1258291));
        assert_prints("16E", print_size(f, UINT64_MAX));
}

static void test_date(void **state) {
        assert_int_equal(setenv("TZ", "UTC0", 1), 0);
        assert_prints("1970-01-01 00:00:01", print_date(f, 1234567));
        assert_prints("00:00:01.234", print_time(f, 1234567));

        char moment[64];
        uint64_t now = clock_usec(CLOCK_REALTIME);

        assert_prints("2100-01-01 00:00:00",
                      print_moment(f, 4102444800U * USEC_PER_SEC));   /* the clock was put back */
        (void) snprintf(moment, sizeof(moment), "1970-01-01 00:00:01 (%" PRIu64 " d ago)",
                        (now - 1234567) / USEC_PER_SEC / 86400);
        assert_prints(moment, print_moment(f, 1234567));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_escaped),
                cmocka_unit_test(test_duration),
                cmocka_unit_test(test_age),
                cmocka_unit_test(test_size),
                cmocka_unit_test(test_date),
        };

        return RUN_TESTS(tests);
}
