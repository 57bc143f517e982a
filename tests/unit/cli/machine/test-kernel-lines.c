/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include "cli/machine/kernel-lines.h"
#include "scratch.h"

static const char log_text[] = "6,1,1000,-;first\n SUBSYSTEM=pci\n DEVICE=+pci:0000:00:03.0\n"
                               "not a record\n"
                               "3,2,2000000,-,caller=T1;e1000e 0000:00:03.0: second; with more\n"
                               ";no numbers\n"
                               "6,3,99999999999999999999999,-;a time that is too large\n"
                               "6,4,3000000,-;no \xff UTF-8\n"
                               "6,5,4000000,-;without an end";

static void test_lines(void **state) {
        static const char *const all[] = { "first", "e1000e 0000:00:03.0: second; with more",
                                           "a time that is too large", "no \xff UTF-8" };
        _cleanup_(kernel_lines_clear) KernelLines lines = {};
        _cleanup_(scratch_close) Scratch s;
        size_t at = 0;

        scratch_open(&s);
        scratch_write(&s, "kmsg", log_text);
        assert_ok(kernel_lines_read(&(Machine) { .kernel_log = scratch_path(&s, "kmsg") }, &lines));
        for (size_t i = 0; i < ARRAY_LEN(all); i++)
                assert_string_equal(kernel_lines_next(&lines, 0, &at), all[i]);
        assert_null(kernel_lines_next(&lines, 0, &at));

        at = 0;
        assert_string_equal(kernel_lines_next(&lines, 2050000, &at),
                            all[1]); /* the clocks may differ that much */
        at = 0;
        assert_string_equal(kernel_lines_next(&lines, 2900000, &at), all[3]);
        assert_null(kernel_lines_next(NULL, 0, &at));
}

/* Longer than any record: it is skipped, and does not keep the rest away. */
static void test_long(void **state) {
        _cleanup_(kernel_lines_clear) KernelLines lines = {};
        _cleanup_(freep) char *text = malloc(100001 + sizeof("\n6,1,1,-;end\n"));
        _cleanup_(scratch_close) Scratch s;
        size_t at = 0;

        assert_non_null(text);
        memset(text, 'x', 100000);
        strcpy(text + 100000, "\n6,1,1,-;end\n");
        scratch_open(&s);
        scratch_write(&s, "kmsg", text);
        assert_ok(kernel_lines_read(&(Machine) { .kernel_log = scratch_path(&s, "kmsg") }, &lines));
        assert_string_equal(kernel_lines_next(&lines, 0, &at), "end");
}

static void test_missing(void **state) {
        KernelLines lines = {};

        assert_int_equal(kernel_lines_read(&(Machine) { .kernel_log = "/none" }, &lines), -ENOENT);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_lines),
                cmocka_unit_test(test_long),
                cmocka_unit_test(test_missing),
        };

        return RUN_TESTS(tests);
}
