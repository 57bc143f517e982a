/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "cli/notice/notice-filter.h"

#include "common/base/limits.h"
#include "test.h"

/* Takes the kind with this number. Return: whether it is to be shown. */
static bool take(NoticeFilter *f, unsigned number, uint64_t now_usec, uint64_t *ret_n_left_out) {
        char kind[32];
        int r;

        snprintf(kind, sizeof(kind), "kind %u", number);
        *ret_n_left_out = UINT64_MAX;
        r = notice_filter_take(f, kind, now_usec, ret_n_left_out);
        assert_true(r >= 0);
        return r > 0;
}

static void test_each_kind_once(void **state) {
        _cleanup_(notice_filter_freep) NoticeFilter *f = NULL;
        uint64_t n;

        assert_ok(notice_filter_new(&f));
        assert_true(take(f, 1, 100, &n));
        assert_int_equal(n, 0);
        assert_false(take(f, 1, 100, &n));
        assert_true(take(f, 2, 100, &n));
        assert_false(take(f, 1, 1000ULL * NOTICE_REFILL_USEC, &n));
}

/* Some at once, then one from time to time, which says how many were left out. */
static void test_flood(void **state) {
        _cleanup_(notice_filter_freep) NoticeFilter *f = NULL;
        uint64_t n, now = 5;
        unsigned kind = 0;

        assert_ok(notice_filter_new(&f));
        for (; kind < NOTICE_BURST; kind++)
                assert_true(take(f, kind, now, &n));
        for (; kind < 100; kind++)
                assert_false(take(f, kind, now + NOTICE_REFILL_USEC - 1, &n));
        assert_true(take(f, kind++, now + NOTICE_REFILL_USEC, &n));
        assert_int_equal(n, 100 - NOTICE_BURST);
        assert_false(take(f, kind++, now + NOTICE_REFILL_USEC, &n));
        now += 1000ULL * NOTICE_REFILL_USEC;
        for (unsigned i = 0; i < NOTICE_BURST; i++) {
                assert_true(take(f, kind++, now, &n));
                assert_int_equal(n, i == 0 ? 1 : 0);
        }
        assert_false(take(f, kind++, now, &n));
}

/* Memory has a bound: what was told may be told once more. */
static void test_many_kinds(void **state) {
        _cleanup_(notice_filter_freep) NoticeFilter *f = NULL;
        uint64_t n, now = 5;

        assert_ok(notice_filter_new(&f));
        for (unsigned i = 0; i < NOTICE_KINDS_MAX; i++)
                assert_true(take(f, i, now += NOTICE_REFILL_USEC, &n));
        assert_false(take(f, 0, now += NOTICE_REFILL_USEC, &n));
        assert_true(take(f, NOTICE_KINDS_MAX, now += NOTICE_REFILL_USEC, &n));
        assert_true(take(f, 0, now += NOTICE_REFILL_USEC, &n));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_each_kind_once),
                cmocka_unit_test(test_flood),
                cmocka_unit_test(test_many_kinds),
        };

        return RUN_TESTS(tests);
}
