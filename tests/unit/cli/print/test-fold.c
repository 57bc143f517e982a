/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include <locale.h>

#include "cli/print/fold.h"
#include "common/base/util.h"

#define DIM(text) "\x1b[2m" text "\x1b[0m"

static void test_lines(void **state) {
        static const struct {
                const char *line;
                size_t width;
                const char *shown;
        } cases[] = {
                { "", 20, "\n" },
                { "as long as it may be", 20, "as long as it may be\n" },
                { "a bit longer than that", 20, "a bit longer than\n    that\n" },
                { "a bit longer than that", 0, "a bit longer than that\n" },                  /* for a program */
                { "  deeper at its beginning", 20, "  deeper at its\n      beginning\n" },
                { "two  blanks at the end of it", 20, "two  blanks at the\n    end of it\n" },
                { "try it: /lib/modules", 16, "try it:\n    /lib/modules\n" },
                { "try: /lib/modules/6.12/kernel", 20, "try: /lib/modules/6.12/kernel\n" },       /* would not fit below */
                { "/lib/modules/6.12/kernel", 20, "/lib/modules/6.12/kernel\n" },
                { "/lib/modules/6.12/kernel is it", 20, "/lib/modules/6.12/kernel\n    is it\n" },
                { "       Index: of the modules in it", 30, "       Index: of the modules\n              in it\n" },
                { DIM("       Index:") " of the modules in it", 30,
                  DIM("       Index:") " of the modules\n              in it\n" },
                { "12:00:00  a:x b:y c:z d:w e", 24, "12:00:00  a:x b:y c:z\n    d:w e\n" },     /* no label */
                { DIM("colours") " take no room " DIM("of it"), 20,
                  DIM("colours") " take no room\n    " DIM("of it") "\n" },
                { "\x1b[1 is no sequence for it", 20, "\x1b[1 is no sequence\n    for it\n" },
                { "\xe4\xb8\xad\xe6\x96\x87 \xe4\xb8\xad\xe6\x96\x87 \xe4\xb8\xad\xe6\x96\x87", 10,
                  "\xe4\xb8\xad\xe6\x96\x87 \xe4\xb8\xad\xe6\x96\x87\n    \xe4\xb8\xad\xe6\x96\x87\n" }, /* two columns each */
                { "e\xcc\x81 e\xcc\x81 e\xcc\x81 e\xcc\x81 e\xcc\x81 e", 10,            /* marks above it take none */
                  "e\xcc\x81 e\xcc\x81 e\xcc\x81 e\xcc\x81 e\xcc\x81\n    e\n" },
                { "too narrow to go on", 8, "too narrow to go on\n" },
        };

        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                _cleanup_(freep) char *shown = NULL;
                size_t size;
                FILE *f = open_memstream(&shown, &size);

                assert_non_null(f);
                fold_line(f, cases[i].line, cases[i].width);
                assert_int_equal(fclose(f), 0);
                assert_string_equal(shown, cases[i].shown);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_lines),
        };

        (void) setlocale(LC_CTYPE, "C.UTF-8");
        return RUN_TESTS(tests);
}
