/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include "common/text.h"
#include "common/util.h"

static void test_escape(void **state) {
        static const struct {
                const char *text, *escaped;
        } cases[] = {
                { "", "" },
                { "snd_hda", "snd_hda" },
                { "a b\"'\\", "a b\"'\\" },
                { "a\nb\t\x1b[1m\x7f", "a\\x0ab\\x09\\x1b[1m\\x7f" },
                { "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\xa7",
                  "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\xa7" },
                { "\xff\xfe", "\\xff\\xfe" },
                { "\x80x", "\\x80x" },
                { "\xc3", "\\xc3" },                            /* cut off */
                { "\xe2\x82", "\\xe2\\x82" },
                { "\xc0\xaf", "\\xc0\\xaf" },                   /* overlong */
                { "\xe0\x80\xaf", "\\xe0\\x80\\xaf" },
                { "\xed\xa0\x80", "\\xed\\xa0\\x80" },          /* surrogate */
                { "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80" }, /* behind the last */
                { "\xc2\x9b"
                  "1m",
                  "\\xc2\\x9b1m" },            /* control character of eight bits */
        };

        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                _cleanup_(freep) char *escaped = NULL;

                assert_ok(text_escape(cases[i].text, &escaped));
                assert_string_equal(escaped, cases[i].escaped);
        }
}

static void test_show_cuts(void **state) {
        char shown[TEXT_SHOWN_MAX], text[4096];

        text_show("short", shown);
        assert_string_equal(shown, "short");

        for (size_t n = 0; n < sizeof(text); n++) {
                memset(text, n % 2 ? '\n' : 'x', n);
                text[n] = '\0';
                text_show(text, shown);
                assert_true(strlen(shown) < TEXT_SHOWN_MAX);
                if (n >= TEXT_SHOWN_MAX)
                        assert_string_equal(shown + strlen(shown) - 3, "...");
        }
}

static const char *word(size_t i) {
        static const char *const words[] = { "Coldplug", "LogLevel", "SlowLoadSec", NULL };

        return words[i];
}

static void test_nearest(void **state) {
        static const struct {
                const char *text, *nearest;
        } cases[] = {
                { "Coldplgu", "Coldplug" },     { "coldplug", "Coldplug" }, { "Coldplug", "Coldplug" },
                { "LogLvl", "LogLevel" },       { "SlowLoad", "SlowLoadSec" }, { "Colour", NULL },
                { "", NULL },                   { "x", NULL },
                { "CCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCC", NULL },
        };

        for (size_t i = 0; i < ARRAY_LEN(cases); i++)
                if (!streq_ptr(text_nearest(cases[i].text, word), cases[i].nearest))
                        fail_msg("%s: %s", cases[i].text, text_nearest(cases[i].text, word) ?: "(none)");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_escape),
                cmocka_unit_test(test_show_cuts),
                cmocka_unit_test(test_nearest),
        };

        return RUN_TESTS(tests);
}
