/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include "cli/doctor/image-copy.h"

static int parse(const char *text, size_t size, ImageCopy *ret) {
        _cleanup_(freep) char *copy = malloc(size + 1); /* so that a sanitizer sees each byte beyond it */

        assert_non_null(copy);
        memcpy(copy, text, size);
        copy[size] = '\0';
        return image_copy_parse(copy, size, ret);
}

static void test_files(void **state) {
        static const char text[] =
                "maker dracut\nfile 3 etc/a\nx\ny\nlink 4 etc/b\n/c/d\nlost 0 etc/c d\n\nfile 2 e\n\0z\nend\n";
        _cleanup_(image_copy_clear) ImageCopy c = {};
        const ImageCopyFile *f;

        assert_ok(parse(text, sizeof(text) - 1, &c));
        assert_string_equal(c.maker, "dracut");
        assert_int_equal(c.n_items, 4);
        f = image_copy_find(&c, "/etc/a");
        assert_non_null(f);
        assert_int_equal(f->kind, IMAGE_COPY_FILE);
        assert_string_equal(f->content, "x\ny");
        f = image_copy_find(&c, "/etc/b");
        assert_non_null(f);
        assert_int_equal(f->kind, IMAGE_COPY_LINK);
        assert_string_equal(f->content, "/c/d");
        f = image_copy_find(&c, "/etc/c d");
        assert_non_null(f);
        assert_int_equal(f->kind, IMAGE_COPY_LOST);
        f = image_copy_find(&c, "/e");
        assert_non_null(f);
        assert_int_equal(f->size, 2);
        assert_memory_equal(f->content, "\0z", 3);
        assert_null(image_copy_find(&c, "e"));
}

/* What is cut off anywhere is not taken for whole. */
static void test_truncated(void **state) {
        static const char text[] = "maker x\nfile 3 etc/a\nx\ny\nlink 4 etc/b\n/c/d\nend\n";

        for (size_t n = 0; n < sizeof(text) - 1; n++) {
                _cleanup_(image_copy_clear) ImageCopy c = {};

                assert_int_equal(parse(text, n, &c), -EBADMSG);
        }
}

static void test_nonsense(void **state) {
        static const char *const cases[] = {
                "end\n",
                "maker\nend\n",
                "maker x\nfile\nend\n",
                "maker x\nfile 1\nx\nend\n",
                "maker x\nfile x a\nx\nend\n",
                "maker x\nfile 1x a\nx\nend\n",
                "maker x\nfile -1 a\nx\nend\n",
                "maker x\nfile 18446744073709551615 a\nx\nend\n",
                "maker x\nfile 18446744073709551616 a\nx\nend\n",
                "maker x\nfile 2 a\nx\nend\n",
                "maker x\nfile 0 a\nx\nend\n",
                "maker x\ndirectory 0 a\n\nend\n",
                "maker x\nfile 6 a\nx\nend\n",
                "maker x\nfile 7 a\nx\nend\n",
        };

        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                _cleanup_(image_copy_clear) ImageCopy c = {};

                assert_int_equal(parse(cases[i], strlen(cases[i]), &c), -EBADMSG);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_files),
                cmocka_unit_test(test_truncated),
                cmocka_unit_test(test_nonsense),
        };

        return RUN_TESTS(tests);
}
