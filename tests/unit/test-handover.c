/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/handover.h"

#include <limits.h>
#include <sys/stat.h>

#include "common/names.h"
#include "scratch.h"
#include "test.h"

#define MASK (&(UDEV_RUN_RULES_DIR "/" UDEV_AUTOLOAD_RULE)[1]) /* without the slash at its beginning */

static void assert_links_to(const Scratch *s, const char *expected) {
        char target[PATH_MAX] = "";

        assert_true(readlink(scratch_path(s, MASK), target, sizeof(target) - 1) >= 0);
        assert_string_equal(target, expected);
}

static void assert_nothing_there(const Scratch *s) {
        struct stat st;

        assert_int_equal(lstat(scratch_path(s, MASK), &st), -1);
}

static void test_there_and_back(void **state) {
        _cleanup_(scratch_close) Scratch s;

        scratch_open(&s);
        scratch_mkdir(&s, "run");
        assert_int_equal(handover_unmask(s.dir), 0);
        assert_int_equal(handover_mask(s.dir), 1);
        assert_links_to(&s, "/dev/null");
        assert_int_equal(handover_mask(s.dir), 0); /* as after SIGKILL */
        assert_links_to(&s, "/dev/null");
        assert_int_equal(handover_unmask(s.dir), 1);
        assert_nothing_there(&s);
        assert_int_equal(handover_unmask(s.dir), 0);
}

static void test_other_rules_stay(void **state) {
        _cleanup_(scratch_close) Scratch s;
        struct stat st;

        scratch_open(&s);
        scratch_write(&s, "run/udev/rules.d/99-other.rules", "x");
        scratch_write(&s, "usr/lib/udev/rules.d/" UDEV_AUTOLOAD_RULE, "x");
        assert_int_equal(handover_mask(s.dir), 1);
        assert_int_equal(handover_unmask(s.dir), 1);
        assert_int_equal(stat(scratch_path(&s, "run/udev/rules.d/99-other.rules"), &st), 0);
        assert_int_equal(stat(scratch_path(&s, "usr/lib/udev/rules.d/" UDEV_AUTOLOAD_RULE), &st), 0);
}

static void test_somebody_elses_file(void **state) {
        _cleanup_(scratch_close) Scratch s;
        struct stat st;

        scratch_open(&s);
        scratch_write(&s, MASK, "# my own");
        assert_int_equal(handover_mask(s.dir), -EEXIST);
        assert_int_equal(handover_unmask(s.dir), 0);
        assert_int_equal(lstat(scratch_path(&s, MASK), &st), 0);
        assert_true(S_ISREG(st.st_mode));
        assert_int_equal(st.st_size, strlen("# my own"));
}

static void test_somebody_elses_link(void **state) {
        static const char *const targets[] = { "/dev/nul", "/dev/nullx", "/dev/null/", "null", "/" };

        for (size_t i = 0; i < ARRAY_LEN(targets); i++) {
                _cleanup_(scratch_close) Scratch s;

                scratch_open(&s);
                scratch_link(&s, MASK, targets[i]);
                assert_int_equal(handover_mask(s.dir), -EEXIST);
                assert_int_equal(handover_unmask(s.dir), 0);
                assert_links_to(&s, targets[i]);
        }
}

static void test_directory_at_its_place(void **state) {
        _cleanup_(scratch_close) Scratch s;
        struct stat st;

        scratch_open(&s);
        scratch_mkdir(&s, MASK);
        assert_int_equal(handover_mask(s.dir), -EEXIST);
        assert_int_equal(handover_unmask(s.dir), 0);
        assert_int_equal(lstat(scratch_path(&s, MASK), &st), 0);
}

static void test_no_run(void **state) {
        _cleanup_(scratch_close) Scratch s;

        scratch_open(&s);
        assert_int_equal(handover_mask(s.dir), -ENOENT);
        assert_int_equal(handover_unmask(s.dir), 0);
        scratch_write(&s, "run", "a file");
        assert_int_equal(handover_mask(s.dir), -ENOTDIR);
        assert_int_equal(handover_unmask(s.dir), -ENOTDIR);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_there_and_back),
                cmocka_unit_test(test_other_rules_stay),
                cmocka_unit_test(test_somebody_elses_file),
                cmocka_unit_test(test_somebody_elses_link),
                cmocka_unit_test(test_directory_at_its_place),
                cmocka_unit_test(test_no_run),
        };

        return RUN_TESTS(tests);
}
