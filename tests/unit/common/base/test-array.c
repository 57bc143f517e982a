/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include "common/base/array.h"
#include "common/base/util.h"

static void test_grows_by_one(void **state) {
        _cleanup_(freep) uint32_t *items = NULL;

        for (size_t n = 0; n < 1000; n++) {
                assert_ok(array_grow(&items, n, sizeof(*items)));
                items[n] = (uint32_t) n;
        }
        for (size_t n = 0; n < 1000; n++)
                assert_int_equal(items[n], n);
}

static void test_reserves(void **state) {
        _cleanup_(freep) uint64_t *items = NULL;
        uint64_t *before;
        size_t allocated = 0;

        assert_ok(array_reserve(&items, &allocated, 0, sizeof(*items)));
        assert_null(items);
        assert_ok(array_reserve(&items, &allocated, 1, sizeof(*items)));
        assert_int_equal(allocated, 64);
        before = items;
        assert_ok(array_reserve(&items, &allocated, 64, sizeof(*items)));
        assert_ptr_equal(items, before);
        assert_ok(array_reserve(&items, &allocated, 65, sizeof(*items)));
        assert_int_equal(allocated, 128);
        assert_ok(array_reserve(&items, &allocated, 1000, sizeof(*items)));
        assert_int_equal(allocated, 1000);
        items[999] = 1;

        array_shrink(&items, &allocated, 10, sizeof(*items));
        assert_int_equal(allocated, 10);
        array_shrink(&items, &allocated, 0, sizeof(*items));
        assert_int_equal(allocated, 0);
        assert_ok(array_reserve(&items, &allocated, 1, sizeof(*items)));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_grows_by_one),
                cmocka_unit_test(test_reserves),
        };

        return RUN_TESTS(tests);
}
