/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include "common/base/name-table.h"
#include "common/base/string-arena.h"

static void test_few(void **state) {
        _cleanup_(name_table_freep) NameTable *t = NULL;
        size_t value = 99;

        assert_ok(name_table_new(&t));
        assert_false(name_table_find(t, "", &value));
        assert_ok(name_table_add(t, "a", 1));
        assert_ok(name_table_add(t, "", UINT32_MAX));
        assert_int_equal(name_table_add(t, "a", 2), -EEXIST);
        assert_false(name_table_find(t, "b", &value));
        assert_false(name_table_find(t, "a longer one than any that is there", &value));
        assert_int_equal(value, 99);
        assert_true(name_table_find(t, "a", &value));
        assert_int_equal(value, 1);
        assert_true(name_table_find(t, "", &value));
        assert_int_equal(value, UINT32_MAX);
}

static void test_many(void **state) {
        enum { N = 20000 };
        _cleanup_(name_table_freep) NameTable *t = NULL;
        StringArena names = {};
        char name[32];
        size_t value;

        assert_ok(name_table_new(&t));
        for (size_t i = 0; i < N; i++) {
                const char *kept = string_arena_add(&names, name,
                                                    (size_t) snprintf(name, sizeof(name), "m%zu", i));

                assert_non_null(kept);
                assert_ok(name_table_add(t, kept, i));
        }
        for (size_t i = 0; i < N; i++) {
                snprintf(name, sizeof(name), "m%zu", i);
                assert_true(name_table_find(t, name, &value));
                assert_int_equal(value, i);
                snprintf(name, sizeof(name), "n%zu", i);
                assert_false(name_table_find(t, name, &value));
        }
        string_arena_clear(&names);
}

static void test_arena(void **state) {
        char large[100000];
        StringArena a = {};
        const char *first, *second, *third;

        memset(large, 'x', sizeof(large));
        first = string_arena_join(&a, "abc", 2, "def", 3);
        second = string_arena_add(&a, large, sizeof(large)); /* more than a chunk */
        third = string_arena_add(&a, "", 0);
        assert_string_equal(first, "abdef");
        assert_int_equal(strlen(second), sizeof(large));
        assert_string_equal(third, "");
        string_arena_clear(&a);
        string_arena_clear(&a);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_few),
                cmocka_unit_test(test_many),
                cmocka_unit_test(test_arena),
        };

        return RUN_TESTS(tests);
}
