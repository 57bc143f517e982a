/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "common/module/module-list.h"

#include "common/base/limits.h"
#include "common/base/util.h"
#include "test.h"

static void test_cases(void **state) {
        static const struct {
                const char *list, *module;
                bool expected;
        } cases[] = {
                { "", "a", false },
                { "  \t ", "a", false },
                { "a", "a", true },
                { "a", "ab", false },
                { "ab", "a", false },
                { "b a", "a", true },
                { "\tb\t a ", "a", true },
                { "snd-hda-intel", "snd_hda_intel", true },
                { "snd_hda_intel", "snd_hda_intel", true },
                { "snd-*", "snd_hda_intel", true },
                { "snd-?", "snd_hda_intel", false },
                { "snd[-_]a", "snd_a", true },  /* inside of a class a dash stays one */
                { "snd[a-c]", "sndb", true },
                { "snd[", "snd[", false },      /* no pattern at all */
                { "snd[ sndb", "sndb", true },
                { "*", "anything", true },
        };
        char list[3 * SETTING_LIST_MAX];

        for (size_t i = 0; i < ARRAY_LEN(cases); i++)
                if (module_list_contains(cases[i].list, cases[i].module) != cases[i].expected)
                        fail_msg("'%s' and %s", cases[i].list, cases[i].module);

        memset(list, 'x', sizeof(list));        /* a word longer than any setting is none */
        (void) stpcpy(list + 2 * SETTING_LIST_MAX, " a");
        assert_true(module_list_contains(list, "a"));
        assert_false(module_list_contains(list, "b"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_cases),
        };

        return RUN_TESTS(tests);
}
