/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include "cli/picture/time-scale.h"
#include "common/base/util.h"

static void test_marks(void **state) {
        static const struct {
                uint64_t first, last;
                uint64_t begin, end, step;
        } cases[] = {
                { 0, 10, 0, 10, 1 },
                { 0, 0, 0, 1, 1 },
                { 1234567, 1234567, 1234567, 1234568, 1 },
                { 1234567, 7654321, 1000000, 8000000, 1000000 },
                { 72905822, 128149000, 70000000, 130000000, 10000000 },
                { 999, 1001, 999, 1001, 1 },
                { 0, UINT64_C(1) << 53, 0, UINT64_C(10000000000000000), UINT64_C(1000000000000000) },
        };

        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                TimeScale s = time_scale_make(cases[i].first, cases[i].last, 0, 100, 12);

                assert_int_equal(s.begin_usec, cases[i].begin);
                assert_int_equal(s.end_usec, cases[i].end);
                assert_int_equal(s.step_usec, cases[i].step);
        }
}

/* Marks are never too many, nor is anything outside of the scale. */
static void test_any_span(void **state) {
        uint64_t seed = 42;

        for (int i = 0; i < 20000; i++) {
                uint64_t first, last;
                TimeScale s;

                seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
                first = (seed >> 11) >> (seed % 50);
                last = first + ((seed >> 13) >> (seed % 47));
                s = time_scale_make(first, last, 10, 100, 3 + (unsigned) (seed % 10));

                assert_true(s.begin_usec <= first && last <= s.end_usec && s.begin_usec < s.end_usec);
                assert_int_equal(s.begin_usec % s.step_usec, 0);
                assert_true((s.end_usec - s.begin_usec) / s.step_usec <= 3 + seed % 10);
                assert_true(time_scale_x(&s, first) >= 10 && time_scale_x(&s, last) <= 110);
        }
}

static void test_places(void **state) {
        TimeScale s = time_scale_make(0, 10, 100, 1000, 12);

        assert_float_equal(time_scale_x(&s, 0), 100, 0.001);
        assert_float_equal(time_scale_x(&s, 5), 600, 0.001);
        assert_float_equal(time_scale_x(&s, 10), 1100, 0.001);
        assert_float_equal(time_scale_x(&s, UINT64_MAX), 1100, 0.001);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_marks),
                cmocka_unit_test(test_any_span),
                cmocka_unit_test(test_places),
        };

        return RUN_TESTS(tests);
}
