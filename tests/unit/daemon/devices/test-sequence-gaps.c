/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/devices/sequence-gaps.h"

#include "common/base/util.h"
#include "test.h"

typedef struct GapCase {
        const char *what;
        uint64_t numbers[40];           /* one a microsecond, the first one at 1; 0: the end */
        uint64_t missing;               /* at the end */
        uint64_t oldest_usec;           /* UINT64_MAX: no gap */
} GapCase;

static const GapCase cases[] = {
        { "nothing", {}, 0, UINT64_MAX },
        { "the first one says where it begins", { 1000 }, 0, UINT64_MAX },
        { "in order", { 7, 8, 9, 10 }, 0, UINT64_MAX },
        { "one missing", { 7, 9 }, 1, 2 },
        { "many missing", { 7, 8, 5000, 5001 }, 4991, 3 },
        { "two gaps", { 1, 3, 6 }, 3, 2 },
        { "two change places", { 7, 9, 8, 10 }, 0, UINT64_MAX },
        { "far behind", { 7, 11, 8, 9, 10, 12 }, 0, UINT64_MAX },
        { "backwards", { 1, 6, 5, 4, 3, 2 }, 0, UINT64_MAX },
        { "from the middle", { 1, 9, 5 }, 6, 2 },
        { "from the middle, then the rest", { 1, 9, 5, 4, 6, 3, 7, 8, 2 }, 0, UINT64_MAX },
        { "the first gap is filled, the second stays", { 1, 3, 5, 2 }, 1, 3 },
        { "twice the same", { 1, 2, 2, 3, 3 }, 0, UINT64_MAX },
        { "from before the first one", { 10, 3, 11 }, 0, UINT64_MAX },
        { "more gaps than there is room for: the last swallows what follows",
          { 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30, 32, 34, 36, 38 }, 20, 2 },
        { "no room to split: the gap stays as a whole",
          { 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30, 32, 40, 36 }, 22, 2 },
};

static void test_cases(void **state) {
        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                SequenceGaps g = {};
                uint64_t n;

                for (size_t k = 0; cases[i].numbers[k] != 0; k++)
                        sequence_gaps_note(&g, cases[i].numbers[k], k + 1);
                if (sequence_gaps_oldest_usec(&g) != cases[i].oldest_usec)
                        fail_msg("%s: the oldest gap is of %llu", cases[i].what,
                                 (unsigned long long) sequence_gaps_oldest_usec(&g));
                n = sequence_gaps_take(&g, UINT64_MAX);
                if (n != cases[i].missing)
                        fail_msg("%s: %llu numbers are missing", cases[i].what, (unsigned long long) n);
                assert_int_equal(sequence_gaps_take(&g, UINT64_MAX), 0);
        }
}

/* What is younger than the moment that is asked for may still come. */
static void test_only_old_ones_are_lost(void **state) {
        SequenceGaps g = {};

        sequence_gaps_note(&g, 1, 100);
        sequence_gaps_note(&g, 3, 200);
        sequence_gaps_note(&g, 5, 300);
        assert_int_equal(sequence_gaps_take(&g, 199), 0);
        assert_int_equal(sequence_gaps_take(&g, 200), 1);
        assert_int_equal(sequence_gaps_oldest_usec(&g), 300);
        sequence_gaps_note(&g, 4, 301);
        assert_int_equal(sequence_gaps_take(&g, UINT64_MAX), 0);
        sequence_gaps_note(&g, 2, 302); /* too late: it counts as lost already */
        assert_int_equal(sequence_gaps_take(&g, UINT64_MAX), 0);
}

static void test_no_number(void **state) {
        SequenceGaps g = {};

        sequence_gaps_note(&g, 4, 1);
        sequence_gaps_note(&g, 0, 2);
        sequence_gaps_note(&g, 5, 3);
        assert_int_equal(sequence_gaps_take(&g, UINT64_MAX), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_cases),
                cmocka_unit_test(test_only_old_ones_are_lost),
                cmocka_unit_test(test_no_number),
        };

        return RUN_TESTS(tests);
}
