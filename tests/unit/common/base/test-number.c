/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include "common/base/number.h"
#include "common/base/util.h"

static void test_take(void **state) {
        static const struct {
                const char *text;
                uint64_t max;
                int error;
                uint64_t number;
                size_t n_taken;
        } cases[] = {
                { "0", 100, 0, 0, 1 },
                { "42", 100, 0, 42, 2 },
                { "42s", 100, 0, 42, 2 },
                { "007 ", 100, 0, 7, 3 },
                { "100", 100, 0, 100, 3 },
                { "101", 100, -ERANGE },
                { "5", 4, -ERANGE },
                { "10", 4, -ERANGE },
                { "18446744073709551615", UINT64_MAX, 0, UINT64_MAX, 20 },
                { "18446744073709551616", UINT64_MAX, -ERANGE },
                { "99999999999999999999", UINT64_MAX, -ERANGE },
                { "", 100, -EINVAL },
                { " 1", 100, -EINVAL },
                { "-1", 100, -EINVAL },
                { "+1", 100, -EINVAL },
        };

        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                const char *p = cases[i].text;
                uint64_t number = 0;

                assert_int_equal(number_take(&p, cases[i].max, &number), cases[i].error);
                assert_int_equal(number, cases[i].number);
                assert_ptr_equal(p, cases[i].text + cases[i].n_taken);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_take),
        };

        return RUN_TESTS(tests);
}
