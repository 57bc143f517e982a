/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "common/module/parameter-value.h"

#include "common/base/util.h"
#include "test.h"

static void test_compare(void **state) {
        static const struct {
                const char *type, *assignment, *live;
                ParameterMatch match;
        } cases[] = {
                { "bool", "a=1", "Y\n", PARAMETER_EQUAL },
                { "bool", "a=yes", "Y\n", PARAMETER_EQUAL },
                { "bool", "a=on", "Y\n", PARAMETER_EQUAL },
                { "bool", "a=off", "N\n", PARAMETER_EQUAL },
                { "bool", "a=0", "N\n", PARAMETER_EQUAL },
                { "bool", "a", "Y\n", PARAMETER_EQUAL },
                { "bool", "a=0", "Y\n", PARAMETER_DIFFERENT },
                { "invbool", "a=n", "N\n", PARAMETER_EQUAL },
                { "bint", "a=Y", "1\n", PARAMETER_EQUAL },
                { "bint", "a=1", "0\n", PARAMETER_DIFFERENT },
                { "int", "a=0x10", "16\n", PARAMETER_EQUAL },
                { "int", "a=020", "16\n", PARAMETER_EQUAL },
                { "int", "a=+16", "16", PARAMETER_EQUAL },
                { "int", "a=-1", "-1\n", PARAMETER_EQUAL },
                { "int", "a=1", "-1\n", PARAMETER_DIFFERENT },
                { "int", "a=5", "1\n", PARAMETER_DIFFERENT },
                { "hexint", "a=255", "0x000000ff\n", PARAMETER_EQUAL },
                { "ullong", "a=18446744073709551615", "18446744073709551615\n", PARAMETER_EQUAL },
                { "int", "a=many", "1\n", PARAMETER_DIFFERENT },
                { "charp", "a=word", "word\n", PARAMETER_EQUAL },
                { "charp", "a=\"two words\"", "two words\n", PARAMETER_EQUAL },
                { "charp", "a=", "\n", PARAMETER_EQUAL },
                { "charp", "a=x", "(null)\n", PARAMETER_DIFFERENT },
                { "charp", "a=1", "Y\n", PARAMETER_DIFFERENT },
                { "string", "a=x", "x\n", PARAMETER_EQUAL },
                { "array of int", "a=1,0x2", "1,2\n", PARAMETER_EQUAL },
                { "array of int", "a=1", "1,-1,-1\n", PARAMETER_EQUAL },
                { "array of int", "a=1,2", "1\n", PARAMETER_DIFFERENT },
                { "array of int", "a=1,2", "1,3\n", PARAMETER_DIFFERENT },
                { "array of bool", "a=1,0", "Y,N,Y\n", PARAMETER_EQUAL },
                { "array of charp", "a=x,y", "x,y,(null)\n", PARAMETER_EQUAL },
                { NULL, "a=x", "x\n", PARAMETER_EQUAL },
                { NULL, "a=x", "y\n", PARAMETER_INCOMPARABLE },
                { "mode", "a=on", "1\n", PARAMETER_INCOMPARABLE },
        };

        for (size_t i = 0; i < ARRAY_LEN(cases); i++)
                if (parameter_compare(cases[i].type, cases[i].assignment, cases[i].live) != cases[i].match)
                        fail_msg("case %zu: %s as %s is %s", i, cases[i].assignment, cases[i].type,
                                 cases[i].live);
}

static void test_names(void **state) {
        char *types[] = { (char *) "delay_use:uint", (char *) "delay:int", (char *) "index:array of int",
                          NULL };

        assert_string_equal(parameter_type_of(types, "delay-use=3"), "uint");
        assert_string_equal(parameter_type_of(types, "delay=3"), "int");
        assert_string_equal(parameter_type_of(types, "index"), "array of int");
        assert_null(parameter_type_of(types, "del=3"));
        assert_null(parameter_type_of(NULL, "delay=3"));
        assert_true(parameter_name_equal("delay-use=3", "delay_use"));
        assert_true(parameter_name_equal("delay_use", "delay_use=7"));
        assert_true(parameter_name_equal("\"name=a b\"", "name"));
        assert_false(parameter_name_equal("delay=3", "delay_use"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_compare),
                cmocka_unit_test(test_names),
        };

        return RUN_TESTS(tests);
}
