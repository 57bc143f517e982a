/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "common/base/message-depth.h"

#include "common/base/util.h"
#include "test.h"

static void test_depth(void **state) {
        static const struct {
                const char *text;
                size_t depth;
        } cases[] = {
                { "", 0 },
                { "1", 0 },
                { "\"[[[[\"", 0 },
                { "[]", 1 },
                { "{}", 1 },
                { "[[]]", 2 },
                { "[],[],[]", 1 },
                { "{\"a\":[{\"b\":[1,2,{}]}],\"c\":{}}", 5 },
                { "{\"[\":\"{{{\"}", 1 },
                { "\"\\\"[[\"", 0 },           /* an escaped quote does not end a string */
                { "\"\\\\\"[[", 2 },           /* an escaped backslash does not hide the quote behind it */
                { "\"\\\\\\\"[[", 0 },
                { "\"[[", 0 },                 /* it never ends */
                { "\"\\", 0 },
                { "]]]]", 0 },
                { "]]]][", 1 },
                { "[[[", 3 },
                { "[{[{", 4 },
        };

        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                _cleanup_(freep) char *exact = malloc(strlen(cases[i].text)); /* for AddressSanitizer */

                memcpy(exact, cases[i].text, strlen(cases[i].text));
                if (message_depth(exact, strlen(cases[i].text)) != cases[i].depth)
                        fail_msg("%s: %zu", cases[i].text, message_depth(cases[i].text, strlen(cases[i].text)));
        }
        assert_int_equal(message_depth(NULL, 0), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_depth),
        };

        return RUN_TESTS(tests);
}
