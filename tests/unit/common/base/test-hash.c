/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include "common/base/hash.h"
#include "common/base/util.h"

/* The test vectors of the FNV draft. */
static void test_vectors(void **state) {
        static const struct {
                const char *text;
                uint32_t short_hash;
                uint64_t long_hash;
        } cases[] = {
                { "", 0x811c9dc5, 0xcbf29ce484222325 },
                { "a", 0xe40c292c, 0xaf63dc4c8601ec8c },
                { "foobar", 0xbf9cf968, 0x85944171f73967e8 },
        };

        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                assert_int_equal(hash_string(cases[i].text), cases[i].short_hash);
                assert_int_equal(hash_bytes(HASH_START, cases[i].text, strlen(cases[i].text)),
                                 cases[i].long_hash);
        }
        assert_int_equal(hash_bytes(hash_bytes(HASH_START, "foo", 3), "bar", 3), 0x85944171f73967e8);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_vectors),
        };

        return RUN_TESTS(tests);
}
