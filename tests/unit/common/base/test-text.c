/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include "common/base/text.h"
#include "common/base/util.h"

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
                { "a\xe2\x80\xae"
                  "b", "a\\xe2\\x80\\xae"
                  "b" },                          /* what follows is shown from right to left */
                { "\xf3\xa0\x81\xa1", "\\xf3\\xa0\\x81\\xa1" },
                { "\xe2\x9a\xa0\xef\xb8\x8f", "\xe2\x9a\xa0\xef\xb8\x8f" }, /* a sign and how it is to look */
        };

        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                _cleanup_(freep) char *escaped = NULL;

                assert_ok(text_escape(cases[i].text, &escaped));
                assert_string_equal(escaped, cases[i].escaped);
        }
}

static int _printf_(2, 3) escape_format(char **ret, const char *format, ...) {
        va_list arguments;
        int r;

        va_start(arguments, format);
        r = text_escape_format(ret, format, arguments);
        va_end(arguments);
        return r;
}

static void test_escape_format(void **state) {
        _cleanup_(freep) char *escaped = NULL;

        assert_ok(escape_format(&escaped, "%s is in %s:%u", "a\nb", "/etc/x", 7));
        assert_string_equal(escaped, "a\\x0ab is in /etc/x:7");
}

static size_t encode(uint32_t c, char ret[static 5]) {
        size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
        static const unsigned char leads[] = { 0, 0, 0xc0, 0xe0, 0xf0 };

        for (size_t i = n; i > 1; i--, c >>= 6)
                ret[i - 1] = (char) (0x80 | (c & 0x3f));
        ret[0] = (char) (leads[n] | c);
        ret[n] = '\0';
        return n;
}

/* All of Unicode: what is refused is exactly what is in the table, and each of it is told by its number. */
static void test_hidden(void **state) {
        static const uint32_t ranges[][2] = {
                { 0, 0x1f },          { 0x7f, 0x9f },       { 0xad, 0xad },       { 0x34f, 0x34f },
                { 0x61c, 0x61c },     { 0x115f, 0x1160 },   { 0x17b4, 0x17b5 },   { 0x180e, 0x180e },
                { 0x200b, 0x200f },   { 0x2028, 0x202e },   { 0x2060, 0x206f },   { 0x3164, 0x3164 },
                { 0xd800, 0xdfff },   { 0xfeff, 0xfeff },   { 0xffa0, 0xffa0 },   { 0xfff9, 0xfffb },
                { 0x1bca0, 0x1bca3 }, { 0x1d173, 0x1d17a }, { 0xe0000, 0xe0fff },
        };

        for (uint32_t c = 0; c <= 0x10ffff; c++) {
                bool refused = false, surrogate = c >= 0xd800 && c <= 0xdfff;
                char text[5];
                size_t n = encode(c, text);

                for (size_t i = 0; i < ARRAY_LEN(ranges); i++)
                        refused |= c >= ranges[i][0] && c <= ranges[i][1];
                if (text_printable_length(text) != (refused ? 0 : n))
                        fail_msg("U+%04X has %zu bytes", (unsigned) c, text_printable_length(text));
                if (text_hidden_code_point(text) != (refused && !surrogate && c >= 0x80 ? c : 0))
                        fail_msg("U+%04X is told as U+%04X", (unsigned) c, (unsigned) text_hidden_code_point(text));
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

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_escape),
                cmocka_unit_test(test_escape_format),
                cmocka_unit_test(test_hidden),
                cmocka_unit_test(test_show_cuts),
        };

        return RUN_TESTS(tests);
}
