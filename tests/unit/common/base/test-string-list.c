/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include "common/base/string-list.h"

static void test_append(void **state) {
        _cleanup_(string_list_freep) char **list = NULL;

        assert_int_equal(string_list_count(list), 0);
        assert_false(string_list_contains(list, ""));
        assert_ok(string_list_append(&list, "one,two", 3));
        assert_ok(string_list_append(&list, "", 0));
        assert_ok(string_list_append(&list, "two", 3));
        assert_int_equal(string_list_count(list), 3);
        assert_string_equal(list[0], "one");
        assert_string_equal(list[1], "");
        assert_string_equal(list[2], "two");
        assert_null(list[3]);
        assert_true(string_list_contains(list, "two"));
        assert_true(string_list_contains(list, ""));
        assert_false(string_list_contains(list, "one,two"));
}

static void test_empty(void **state) {
        _cleanup_(string_list_freep) char **list = NULL;

        assert_ok(string_list_new(&list));
        assert_non_null(list);
        assert_int_equal(string_list_count(list), 0);
        assert_ok(string_list_append(&list, "x", 1));
        assert_int_equal(string_list_count(list), 1);
        assert_null(string_list_free(NULL));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_append),
                cmocka_unit_test(test_empty),
        };

        return RUN_TESTS(tests);
}
