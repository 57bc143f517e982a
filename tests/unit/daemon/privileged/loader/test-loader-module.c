/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/privileged/loader/loader-module.h"

#include "common/base/util.h"
#include "test.h"

static void test_what_a_file_is(void **state) {
        static const struct {
                const char *bytes;
                size_t n;
                Compression compression;
        } cases[] = {
                { "\x7f" "ELF\2\1", 6, COMPRESSION_NONE },
                { "\xfd" "7zXZ\0", 6, COMPRESSION_XZ },
                { "\xfd" "7zXZ\1", 6, COMPRESSION_NONE },
                { "\xfd" "7zXZ", 5, COMPRESSION_NONE },
                { "\x28\xb5\x2f\xfd\x04\x00", 6, COMPRESSION_ZSTD },
                { "\x28\xb5\x2f", 3, COMPRESSION_NONE },
                { "\x1f\x8b\x08\x00\x00\x00", 6, COMPRESSION_GZIP },
                { "\x1f", 1, COMPRESSION_NONE },
                { "", 0, COMPRESSION_NONE },
        };

        for (size_t i = 0; i < ARRAY_LEN(cases); i++)
                assert_int_equal(compression_of_bytes((const unsigned char *) cases[i].bytes, cases[i].n),
                                 cases[i].compression);
}

static void test_what_the_kernel_says(void **state) {
        static const struct {
                const char *name;
                Compression compression;
        } cases[] = {
                { "", COMPRESSION_NONE }, /* no such file: it decompresses nothing */
                { "gzip\n", COMPRESSION_GZIP },
                { "xz\n", COMPRESSION_XZ },
                { "zstd\n", COMPRESSION_ZSTD },
                { "zstd", COMPRESSION_ZSTD },
                { "zst\n", COMPRESSION_OTHER },
                { "lz4\n", COMPRESSION_OTHER },
        };

        for (size_t i = 0; i < ARRAY_LEN(cases); i++)
                assert_int_equal(compression_of_name(cases[i].name), cases[i].compression);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_what_a_file_is),
                cmocka_unit_test(test_what_the_kernel_says),
        };

        return RUN_TESTS(tests);
}
