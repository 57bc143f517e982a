/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include <locale.h>

#include "cli/print/wrap.h"
#include "common/base/util.h"

static void test_lines(void **state) {
        static const struct {
                const char *text;
                size_t width;
                const char *lines;
        } cases[] = {
                { "", 10, "" },
                { "one two", 10, "one two" },
                { "one two", 7, "one two" },
                { "one two", 6, "one\ntwo" },
                { "one   two", 4, "one\ntwo" },                /* blanks belong to no line */
                { "one two three", 8, "one two\nthree" },
                { "  deeper text", 9, "  deeper\ntext" },
                { "/lib/modules/6.12", 10, "/lib/\nmodules/\n6.12" },
                { "see /lib/modules", 10, "see\n/lib/\nmodules" },
                { "see /lib", 6, "see\n/lib" },                /* rather at a blank than within a path */
                { "a,b,c,d", 4, "a,b,\nc,d" },
                { "module=abc", 8, "module=\nabc" },
                { "abcdefgh", 3, "abc\ndef\ngh" },
                { "abcdefgh", 1, "a\nb\nc\nd\ne\nf\ng\nh" },
                { "\xc3\xbc\xc3\xbc\xc3\xbc", 2, "\xc3\xbc\xc3\xbc\n\xc3\xbc" },       /* of two bytes and one column */
                { "\xe4\xb8\xad\xe6\x96\x87", 3, "\xe4\xb8\xad\n\xe6\x96\x87" },       /* of three and two */
                { "\xff\xff\xff", 2, "\xff\xff\n\xff" },
        };

        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                _cleanup_(freep) char *lines = NULL;

                assert_ok(wrap_text(cases[i].text, cases[i].width, &lines));
                assert_string_equal(lines, cases[i].lines);
        }
}

static void test_shortened(void **state) {
        static const struct {
                const char *text;
                size_t width;
                const char *shortened, *ascii;
        } cases[] = {
                { "", 5, "", "" },
                { "exact", 5, "exact", "exact" },
                { "longer", 5, "long…", "lo..." },
                { "no device of this machine", 20, "no device of this…", "no device of this..." },
                { "no module for this machine", 13, "no module…", "no module..." },
                { "device drm_ttm_helper", 12, "device drm_…", "device..." },  /* rather a part of a word than little */
                { "ab drm_ttm_helper", 12, "ab drm_ttm_…", "ab drm_tt..." },
                { "3 uas, usb_storage, sd_mod", 14, "3 uas…", "3 uas..." },     /* whole names */
                { "longer", 1, "…", "." },
                { "longer", 2, "l…", ".." },
                { "\xc3\xbc\xc3\xbc\xc3\xbc", 2, "\xc3\xbc…", ".." },                                /* two bytes each */
                { "\xe4\xb8\xad\xe6\x96\x87\xe4\xb8\xad", 5, "\xe4\xb8\xad\xe6\x96\x87…", "\xe4\xb8\xad..." }, /* two columns */
                { "\xe4\xb8\xad\xe6\x96\x87\xe4\xb8\xad", 4, "\xe4\xb8\xad…", "..." },         /* none is cut in half */
                { "ae\xcc\x81xyz", 3, "ae\xcc\x81…", "..." },                                     /* with its accent */
                { "\xff\xff\xff", 2, "\xff…", ".." },
        };

        for (size_t i = 0; i < ARRAY_LEN(cases); i++)
                for (int utf8 = 0; utf8 < 2; utf8++) {
                        _cleanup_(freep) char *shortened = NULL;

                        assert_ok(wrap_shorten(cases[i].text, cases[i].width, utf8, &shortened));
                        assert_string_equal(shortened, utf8 ? cases[i].shortened : cases[i].ascii);
                        assert_true(wrap_columns(shortened) <= cases[i].width);
                }
}

static void test_columns(void **state) {
        assert_int_equal(wrap_columns(""), 0);
        assert_int_equal(wrap_columns("abc"), 3);
        assert_int_equal(wrap_columns("\xc3\xbc"), 1);
        assert_int_equal(wrap_columns("\xe4\xb8\xad"), 2);
        assert_int_equal(wrap_columns("\xff"), 1);

        assert_int_equal(wrap_longest_piece("one three two"), 6);       /* with the blank before it */
        assert_int_equal(wrap_longest_piece("/lib/modules/x"), 8);
        assert_int_equal(wrap_longest_piece(""), 0);
}

static void expect_printed(const char *text, size_t indent, size_t width, const char *expected) {
        _cleanup_(freep) char *printed = NULL;
        size_t size;
        FILE *f = open_memstream(&printed, &size);

        assert_non_null(f);
        wrap_print(f, text, indent, width);
        assert_int_equal(fclose(f), 0);
        assert_string_equal(printed, expected);
}

static void test_print(void **state) {
        expect_printed("", 2, 10, "\n");
        expect_printed("one two three", 2, 10, "one two\n  three\n");
        expect_printed("one\ntwo three", 2, 10, "one\n  two\n  three\n");
        expect_printed("one\n", 2, 10, "one\n");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_lines),
                cmocka_unit_test(test_shortened),
                cmocka_unit_test(test_columns),
                cmocka_unit_test(test_print),
        };

        (void) setlocale(LC_CTYPE, "C.UTF-8");
        return RUN_TESTS(tests);
}
