/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include <locale.h>

#include "cli/picture/svg.h"
#include "common/base/util.h"

static char *written(const char *text, size_t columns) {
        char *out = NULL;
        size_t size;
        FILE *f = open_memstream(&out, &size);

        assert_non_null(f);
        svg_escaped_short(f, text, columns);
        assert_int_equal(fclose(f), 0);
        return out;
}

static void test_escapes(void **state) {
        static const struct {
                const char *text;
                size_t columns;
                const char *svg;
        } cases[] = {
                { "e1000e", 20, "e1000e" },
                { NULL, 20, "?" },
                { "<a & \"b\">", 20, "&lt;a &amp; &quot;b&quot;&gt;" },
                { "]]></title><script>", 30, "]]&gt;&lt;/title&gt;&lt;script&gt;" },
                { "a\x01\x1b[31m\n", 30, "a\\x01\\x1b[31m\\x0a" },
                { "\xff\xfe", 20, "\\xff\\xfe" },
                { "\xc3\xbc\xe4\xb8\xad", 20, "\xc3\xbc\xe4\xb8\xad" },
                { "a\xed\xa0\x80", 20, "a\\xed\\xa0\\x80" },     /* a surrogate */
                { "abcdef", 6, "abcdef" },
                { "abcdefg", 6, "abcde\xe2\x80\xa6" },
                { "&&&&&&&", 3, "&amp;&amp;\xe2\x80\xa6" },      /* an entity is one column */
                { "\xe4\xb8\xad\xe4\xb8\xad\xe4\xb8\xad", 5, "\xe4\xb8\xad\xe4\xb8\xad\xe2\x80\xa6" },
                { "", 5, "" },
        };

        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                _cleanup_(freep) char *svg = written(cases[i].text, cases[i].columns);

                assert_string_equal(svg, cases[i].svg);
        }
}

/* No characters of XML 1.0: they never come out as they are, whether they count as printable or not. */
static void test_not_in_xml(void **state) {
        static const char *const texts[] = { "a\xef\xbf\xbe"
                                             "b",
                                             "a\xef\xbf\xbf"
                                             "b" };

        for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
                _cleanup_(freep) char *svg = written(texts[i], 40);

                assert_null(strstr(svg, "\xef\xbf\xbe"));
                assert_null(strstr(svg, "\xef\xbf\xbf"));
        }
}

static char *frame(SvgTheme theme) {
        static const SvgColour colours[] = { { ".own", "fill", "#123456", "#654321" } };
        char *out = NULL;
        size_t size;
        FILE *f = open_memstream(&out, &size);

        assert_non_null(f);
        svg_begin(f, 10, 20, theme, colours, ARRAY_LEN(colours));
        svg_end(f);
        assert_int_equal(fclose(f), 0);
        return out;
}

static void test_themes(void **state) {
        _cleanup_(freep) char *automatic = frame(SVG_AUTO), *light = frame(SVG_LIGHT),
                              *dark = frame(SVG_DARK);

        assert_non_null(strstr(automatic, "#123456"));
        assert_non_null(strstr(strstr(automatic, "prefers-color-scheme:dark"), "#654321"));
        assert_non_null(strstr(light, "#123456"));
        assert_null(strstr(light, "#654321"));
        assert_non_null(strstr(dark, "#654321"));
        assert_null(strstr(dark, "#123456"));
        assert_null(strstr(light, "prefers-color-scheme"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_escapes),
                cmocka_unit_test(test_not_in_xml),
                cmocka_unit_test(test_themes),
        };

        (void) setlocale(LC_CTYPE, "C.UTF-8");
        return RUN_TESTS(tests);
}
