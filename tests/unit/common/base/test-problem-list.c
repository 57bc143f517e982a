/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include "common/base/problem-list.h"

static void test_keeps_places(void **state) {
        ProblemList list = {};

        assert_ok(problem_list_add(&list, "/etc/a.conf", 3, "no such key '%s'", "x"));
        assert_ok(problem_list_add(&list, "/etc/b.conf", 0, "cannot be read"));

        assert_int_equal(list.n_items, 2);
        assert_string_equal(list.items[0].file, "/etc/a.conf");
        assert_int_equal(list.items[0].line, 3);
        assert_string_equal(list.items[0].message, "no such key 'x'");
        assert_int_equal(list.items[1].line, 0);

        problem_list_clear(&list);
        assert_int_equal(list.n_items, 0);
}

static void test_is_bounded(void **state) {
        ProblemList list = {};

        for (unsigned i = 0; i < 10000; i++)
                assert_ok(problem_list_add(&list, "/etc/a.conf", i, "bad"));

        assert_true(list.n_items < 1000);
        assert_int_equal(list.n_items + list.n_dropped, 10000);
        problem_list_clear(&list);
}

static void test_nobody_looks(void **state) {
        assert_ok(problem_list_add(NULL, "/etc/a.conf", 1, "bad"));
}

/* What is not known is not dropped for what is wrong besides, and remains so in a copy. */
static void test_unread(void **state) {
        ProblemList list = {}, copy = {};
        const Problem *found;

        assert_null(problem_list_find_unread(&list));
        for (unsigned i = 0; i < 1000; i++)
                assert_ok(problem_list_add(&list, "/etc/a.conf", i, "bad"));
        assert_null(problem_list_find_unread(&list));
        assert_ok(problem_list_add_unread(&list, "/etc/b.conf", "cannot be read: %s", "it burns"));
        assert_ok(problem_list_copy(&copy, &list));
        problem_list_clear(&list);
        found = problem_list_find_unread(&copy);
        assert_non_null(found);
        assert_string_equal(found->file, "/etc/b.conf");
        assert_string_equal(found->message, "cannot be read: it burns");
        problem_list_clear(&copy);
        assert_ok(problem_list_add_unread(NULL, "/etc/b.conf", "cannot be read"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_unread),
                cmocka_unit_test(test_keeps_places),
                cmocka_unit_test(test_is_bounded),
                cmocka_unit_test(test_nobody_looks),
        };

        return RUN_TESTS(tests);
}
