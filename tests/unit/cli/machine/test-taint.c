/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include "cli/machine/taint.h"
#include "common/base/string-list.h"
#include "scratch.h"

static const struct {
        const char *number, *letters;   /* NULL: it cannot be told */
} cases[] = {
        { "0\n", "" },      { "1\n", "P" },     { "12288\n", "OE" }, { "4097\n", "PO" }, { "8388608\n", "" },
        { "garbage\n", NULL }, { "", NULL },
};

static void test_kernel(void **state) {
        _cleanup_(scratch_close) Scratch s;
        Machine machine = {};

        scratch_open(&s);
        machine.proc = s.dir;
        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                _cleanup_(freep) char *letters = NULL;

                scratch_write(&s, "sys/kernel/tainted", cases[i].number);
                assert_int_equal(taint_of_kernel(&machine, &letters), cases[i].letters ? 0 : -EINVAL);
                assert_true(streq_ptr(letters, cases[i].letters));
        }
}

static void test_modules(void **state) {
        _cleanup_(string_list_freep) char **modules = NULL, **none = NULL;
        _cleanup_(freep) char *letters = NULL;
        _cleanup_(scratch_close) Scratch s;
        Machine machine = {};

        scratch_open(&s);
        machine.sys = s.dir;
        scratch_write(&s, "module/a/taint", "OE\n");
        scratch_write(&s, "module/b/taint", "\n");
        scratch_mkdir(&s, "module/built_in");
        assert_ok(taint_of_module(&machine, "a", &letters));
        assert_string_equal(letters, "OE");
        assert_int_equal(taint_of_module(&machine, "built_in", &letters), -ENOENT);
        assert_ok(taint_bringers(&machine, 'E', &modules));
        assert_int_equal(string_list_count(modules), 1);
        assert_string_equal(modules[0], "a");
        assert_ok(taint_bringers(&machine, 'P', &none));
        assert_int_equal(string_list_count(none), 0);
        assert_non_null(taint_words('O'));
        assert_null(taint_words('?'));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_kernel),
                cmocka_unit_test(test_modules),
        };

        return RUN_TESTS(tests);
}
