/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "common/policy-files/policy-pattern.h"

#include <stdlib.h>

#include "common/base/glob.h"
#include "common/module/name-glob.h"
#include "test.h"

static void test_dashes(void **state) {
        static const struct {
                const char *pattern, *name;
                bool matches;
        } cases[] = {
                { "usb-storage", "usb_storage", true },
                { "usb_storage", "usb_storage", true },
                { "usb\\-storage", "usb_storage", true },
                { "usb[-]storage", "usb_storage", true },
                { "usb[_]storage", "usb_storage", true },
                { "usb[-_]storage", "usb_storage", true },
                { "usb[-x]storage", "usb_storage", true },
                { "usb[x-]storage", "usb_storage", true },
                { "usb[x\\-]storage", "usb_storage", true },
                { "usb[+--]storage", "usb_storage", true },   /* ranges that have it at their end, .. */
                { "usb[--9]storage", "usb_storage", true },   /* .. at their beginning, .. */
                { "usb[--9]storage", "usb5storage", true },
                { "usb[!-9]storage", "usb_storage", false },
                { "usb[#-9]storage", "usb_storage", true },   /* .. and within */
                { "usb[0-9]storage", "usb_storage", false },
                { "usb[a-z]storage", "usb_storage", false },
                { "usb[A-z]storage", "usb_storage", true },   /* as it was: '_' is between 'Z' and 'a' */
                { "usb[]-]storage", "usb_storage", true },
                { "usb[]-]storage", "usb]storage", true },
                { "usb[]-a]storage", "usb_storage", true },   /* a range from ']' */
                { "usb[]-a]storage", "usb^storage", true },
                { "usb[!-]storage", "usb_storage", false },
                { "usb[^_]storage", "usb_storage", false },
                { "usb[!-]storage", "usbxstorage", true },
                { "usb[![:alnum:]]storage", "usb_storage", true },
                { "usb[[:punct:]]storage", "usb_storage", true },
                { "usb[[:digit:]-]storage", "usb_storage", true },
                { "usb[[.-.]]storage", "usb_storage", true },
                { "usb[[=-=]]storage", "usb_storage", true },
                { "usb-storage[", NULL, false },
                { "usb]storage", NULL, false },
                { "USB-storage", "usb_storage", false },      /* the kernel has names such as 8250_pci and BusLogic */
                { "Bus[K-M]ogic", "BusLogic", true },
                { "*-[!-]*", "a_b", true },
                { "*-[!-]*", "a__", false },
        };

        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                StringArena strings = {};
                PolicyPattern pattern;
                const char *problem = NULL;
                int r = policy_pattern_parse(&pattern, POLICY_KEY_MODULE, cases[i].pattern, &strings, &problem);

                if (r != (cases[i].name ? 0 : -EINVAL))
                        fail_msg("%s: %d", cases[i].pattern, r);
                if (cases[i].name && glob_match(pattern.glob, cases[i].name) != cases[i].matches)
                        fail_msg("%s, which is %s: %s", cases[i].pattern, pattern.glob, cases[i].name);
                string_arena_clear(&strings);
        }
}

/* What is written by us for a pattern is read by us as the same. */
static void expect_stable(const char *normal) {
        char again[64];

        assert_null(name_glob_check(normal));
        assert_true(name_glob_normalize(normal, again));
        if (!streq(normal, again))
                fail_msg("%s becomes %s", normal, again);
}

/* Of any bracket: a name's '_' matches it if '-' or '_' did, any other byte as before. */
static void test_any_bracket(void **state) {
        static const char bytes[] = "-_!^]\\a[+z0";

        srandom(1);
        for (unsigned i = 0; i < 200000; i++) {
                char text[16], normal[2 * sizeof(text)];
                size_t n = 0;
                bool negated;

                text[n++] = '[';
                for (unsigned k = 1 + (unsigned) random() % 7; k > 0; k--)
                        text[n++] = bytes[(size_t) random() % (sizeof(bytes) - 1)];
                text[n++] = ']';
                text[n] = '\0';
                if (name_glob_check(text) || !name_glob_normalize(text, normal) || text[n - 2] == '\\')
                        continue;
                if (strcspn(text, "\\") < n || strcspn(text + 1, "]") != n - 2)
                        continue;       /* one bracket, and nothing else */

                negated = text[1] == '!' || text[1] == '^';
                for (unsigned byte = ' '; byte < 0x7f; byte++) {
                        const char name[] = { (char) byte, '\0' };
                        bool expected = glob_match(text, name);

                        if (byte == '-')
                                continue; /* no name has it */
                        if (byte == '_')
                                expected = negated ? expected && glob_match(text, "-")
                                                   : expected || glob_match(text, "-");
                        if (glob_match(normal, name) != expected)
                                fail_msg("%s, which is %s: '%c'", text, normal, (char) byte);
                }
                expect_stable(normal);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_dashes),
                cmocka_unit_test(test_any_bracket),
        };

        return RUN_TESTS(tests);
}
