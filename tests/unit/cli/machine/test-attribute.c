/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include "cli/machine/attribute.h"
#include "scratch.h"

static const struct {
        const char *name, *text, *value;
        int number_error;
        uint64_t number;
} cases[] = {
        { "plain", "x\n", "x", -EINVAL, 0 },
        { "blanks", " \t QEMU  HARDDISK   \n", "QEMU  HARDDISK", -EINVAL, 0 },
        { "empty", "", "", -EINVAL, 0 },
        { "only-blanks", " \n\n", "", -EINVAL, 0 },
        { "no-utf8", "\xff\xfe\n", "\xff\xfe", -EINVAL, 0 },
        { "number", "4096\n", "4096", 0, 4096 },
        { "largest", "18446744073709551615\n", "18446744073709551615", 0, UINT64_MAX },
        { "too-large", "18446744073709551616\n", "18446744073709551616", -EINVAL, 0 },
        { "negative", "-1\n", "-1", -EINVAL, 0 },
        { "more", "1 2\n", "1 2", -EINVAL, 0 },
};

static void test_values(void **state) {
        _cleanup_(scratch_close) Scratch s;

        scratch_open(&s);
        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                _cleanup_(freep) char *text = NULL;
                uint64_t number = 7;

                scratch_write(&s, cases[i].name, cases[i].text);
                assert_ok(attribute_new(s.dir, cases[i].name, &text));
                assert_string_equal(text, cases[i].value);
                assert_int_equal(attribute_unsigned(s.dir, cases[i].name, &number), cases[i].number_error);
                if (cases[i].number_error == 0)
                        assert_true(number == cases[i].number);
        }
}

static void test_missing(void **state) {
        _cleanup_(scratch_close) Scratch s;
        char *text = NULL;

        scratch_open(&s);
        scratch_mkdir(&s, "d");
        assert_int_equal(attribute_new(s.dir, "none", &text), -ENOENT);
        assert_int_equal(attribute_new(s.dir, "d", &text), -EISDIR);
        assert_int_equal(attribute_link_new(s.dir, "none", &text), -ENOENT);
        assert_null(text);
}

static void test_link(void **state) {
        _cleanup_(scratch_close) Scratch s;
        _cleanup_(freep) char *far = NULL, *near = NULL;

        scratch_open(&s);
        scratch_link(&s, "driver", "../../../bus/pci/drivers/e1000e");
        scratch_link(&s, "plain", "x");
        assert_ok(attribute_link_new(s.dir, "driver", &far));
        assert_string_equal(far, "e1000e");
        assert_ok(attribute_link_new(s.dir, "plain", &near));
        assert_string_equal(near, "x");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_values),
                cmocka_unit_test(test_missing),
                cmocka_unit_test(test_link),
        };

        return RUN_TESTS(tests);
}
