/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "cli/notice/desktop.h"

#include "test.h"

static void test_escape(void **state) {
        static const struct {
                const char *text, *markup;
        } cases[] = {
                { "", "" },
                { "usb_storage", "usb_storage" },
                { "<b>&amp;</b>", "&lt;b&gt;&amp;amp;&lt;/b&gt;" },
                { "a 'quote' \"and\" \xc3\xa4\n", "a 'quote' \"and\" \xc3\xa4\n" },
        };

        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                _cleanup_(freep) char *markup = NULL;

                assert_ok(desktop_escape(cases[i].text, &markup));
                assert_string_equal(markup, cases[i].markup);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_escape),
        };

        return RUN_TESTS(tests);
}
