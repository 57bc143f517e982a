/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/device/udev-line.h"

#include "common/base/util.h"
#include "test.h"

/* As parse_line() and udev_rule_parse_value() of systemd 257 have it. */
static const struct {
        const char *text;
        const char *expected;           /* each rule: "LINE:NAME{ATTRIBUTE}==VALUE;"; '~' before the value: any case */
} cases[] = {
        { "", "" },
        { "\n\n# SUBSYSTEM==\"a\"\n   # B=\"c\"\n", "" },
        { "A==\"b\"\n", "1:A==b;" },
        { "A==\"b\"", "1:A==b;" },
        { "\n  A==\"b\" , C!=\"d\",E{f}=\"g\" H+=\"i\",J-=\"k\", L:=\"m\"\n", "2:A==b;C!=d;E{f}=g;H=i;J=k;L=m;" },
        { "A {b}==\"c\"\n", "" },
        { "A{b} == \"c\"\n", "1:A{b}==c;" },
        { "A{b/c:d}= \"e\"\n", "1:A{b/c:d}=e;" },
        { "A==\"b\"\r\nC==\"d\"\r\n", "1:A==b;2:C==d;" },
        { "A==\"b\",,, C==\"d\",\n", "1:A==b;C==d;" },
        { "A==\"\"\n", "1:A==;" },
        /* continued lines, also through comments; the end of the file ignores the rule */
        { "A==\"b\", \\\n  C==\"d\"\nE==\"f\"\n", "1:A==b;C==d;3:E==f;" },
        { "A==\"b\", \\\n# what\n  C==\"d\"\n", "1:A==b;C==d;" },
        { "# A==\"b\", \\\nC==\"d\"\n", "2:C==d;" },
        { "A==\"b\\\nc\"\n", "1:A==bc;" },
        { "A==\"b\", \\\n\nC==\"d\"\n", "1:A==b;3:C==d;" },
        { "A==\"b\", \\\n", "" },
        /* values */
        { "A=\"b\\\"c\\n\"\n", "1:A=b\"c\\n;" },
        { "A=\"b\\\\\"\n", "" },        /* the quote is escaped, the value has no end */
        { "A=e\"b\\\"c\\x2d\\\\\"\n", "1:A=b\"c-\\;" },
        { "A=e\"b\\q\"\n", "" },
        { "A==i\"b\"\n", "1:A==~b;" },
        { "A==ie\"b\\x41\"\n", "1:A==~bA;" },
        { "A==ii\"b\"\n", "" },
        { "A=\"b, c = d # e\"\n", "1:A=b, c = d # e;" },
        /* malformed: only that rule is ignored */
        { "A\nB==\"c\"\n", "2:B==c;" },
        { "A==b\nB==\"c\"\n", "2:B==c;" },
        { "A==\"b\nB==\"c\"\n", "2:B==c;" },
        { "A{b==\"c\"\nB==\"c\"\n", "2:B==c;" },
        { "A=\"b\", C\nB==\"c\"\n", "2:B==c;" },
        { "A+\"b\"\nB==\"c\"\n", "2:B==c;" },
        { "==\"b\"\nB==\"c\"\n", "2:B==c;" },
};

static void print_rule(FILE *f, const UdevLines *l) {
        fprintf(f, "%u:", l->number);
        for (size_t i = 0; i < l->n_keys; i++) {
                const UdevKey *key = l->keys + i;

                fputs(key->name, f);
                if (key->attribute)
                        fprintf(f, "{%s}", key->attribute);
                fprintf(f, "%s%s%s;",
                        !key->matches  ? "="
                        : key->negated ? "!="
                                       : "==",
                        key->ignores_case ? "~" : "", key->value);
        }
}

static void test_grammar(void **state) {
        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                _cleanup_(udev_lines_clear) UdevLines lines = { .next = cases[i].text };
                _cleanup_(freep) char *text = NULL;
                size_t size = 0;
                FILE *f = open_memstream(&text, &size);

                assert_non_null(f);
                while (udev_lines_next(&lines) > 0)
                        print_rule(f, &lines);
                assert_int_equal(fclose(f), 0);
                assert_string_equal(text, cases[i].expected);
        }
}

/* A rule of 16 KiB is ignored, one of nearly as much is not; the next one is read. */
static void test_long_rules(void **state) {
        static const size_t lengths[] = { 16000, 17000, 100000 };

        for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
                _cleanup_(udev_lines_clear) UdevLines lines = {};
                _cleanup_(freep) char *text = NULL, *value = malloc(lengths[i] + 1);

                assert_non_null(value);
                memset(value, 'x', lengths[i]);
                value[lengths[i]] = '\0';
                assert_true(asprintf(&text, "A==\"b\", \\\nC==\"%s\"\nD==\"e\"\n", value) > 0);
                lines.next = text;
                assert_int_equal(udev_lines_next(&lines), 1);
                if (lengths[i] < 16384) {
                        assert_int_equal(lines.n_keys, 2);
                        assert_int_equal(udev_lines_next(&lines), 1);
                }
                assert_string_equal(lines.keys[0].name, "D");
                assert_int_equal(lines.number, 3);
                assert_int_equal(udev_lines_next(&lines), 0);
        }
}

static void test_what_is_assigned(void **state) {
        _cleanup_(udev_lines_clear) UdevLines lines = { .next = "LABEL==\"a\", GOTO=\"b\", LABEL=\"c\"\n" };

        assert_int_equal(udev_lines_next(&lines), 1);
        assert_string_equal(udev_lines_get(&lines, "GOTO"), "b");
        assert_string_equal(udev_lines_get(&lines, "LABEL"), "c");
        assert_null(udev_lines_get(&lines, "RUN"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_grammar),
                cmocka_unit_test(test_long_rules),
                cmocka_unit_test(test_what_is_assigned),
        };

        return RUN_TESTS(tests);
}
