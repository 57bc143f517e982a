/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include "common/base/module-name.h"
#include "common/base/util.h"

static void test_normalize(void **state) {
        static const struct {
                const char *name, *normal; /* NULL: it is none */
        } cases[] = {
                { "", "" },
                { "snd-hda-intel", "snd_hda_intel" },
                { "snd_hda_intel", "snd_hda_intel" },
                { "a-[b-c]-d", "a_[b-c]_d" },
                { "a[", NULL },
                { "a]", NULL },
                { "a[b]]", NULL },
                { "long-enough-to-be-looked-at-eight-bytes-at-a-time", "long_enough_to_be_looked_at_eight_bytes_at_a_time" },
        };

        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                char normal[64];
                int r = module_name_normalize(cases[i].name, normal, sizeof(normal));

                assert_int_equal(r, cases[i].normal ? 0 : -EINVAL);
                if (r == 0)
                        assert_string_equal(normal, cases[i].normal);
        }
        assert_int_equal(module_name_normalize("four", (char[4]) {}, 4), -ENAMETOOLONG);
        assert_int_equal(module_name_normalize("four", (char[5]) {}, 5), 0);
}

static void test_equal(void **state) {
        assert_true(module_name_equal("snd-hda", "snd_hda", 7));
        assert_true(module_name_equal("snd-hda=1", "snd_hda", 7));
        assert_true(module_name_equal("", "", 0));
        assert_false(module_name_equal("snd-hda", "snd.hda", 7));
        assert_false(module_name_equal("snd", "snd_hda", 7));
        assert_false(module_name_equal("snd_hda", "snd", 7));
        assert_false(module_name_equal("snd", "snd", 4)); /* neither has a fourth byte */
}

static void test_of_path(void **state) {
        static const struct {
                const char *path, *name;
        } cases[] = {
                { "kernel/fs/nls/nls-cp437.ko.xz", "nls_cp437" },
                { "ext4.ko", "ext4" },
                { "/lib/modules/6.12/kernel/a.b/c-d", "c_d" },
                { "kernel/", "" },
                { "", "" },
                { "a-very-long-name.ko", "a_very_long_nam" },
        };

        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                char name[16];

                assert_int_equal(
                        module_name_of_path(cases[i].path, strlen(cases[i].path), name, sizeof(name)),
                        strlen(cases[i].name));
                assert_string_equal(name, cases[i].name);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_normalize),
                cmocka_unit_test(test_equal),
                cmocka_unit_test(test_of_path),
        };

        return RUN_TESTS(tests);
}
