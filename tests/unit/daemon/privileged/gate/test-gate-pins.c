/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/privileged/gate/gate-pins.h"

#include <sys/stat.h>

#include "scratch.h"
#include "test.h"

static bool is_there(const Scratch *s, const char *name) {
        return access(scratch_path(s, name), F_OK) >= 0;
}

static void fill(const Scratch *s) {
        assert_ok(gate_pins_make_dir(scratch_path(s, "lkmd")));
        scratch_write(s, "lkmd/" GATE_LAYOUT_DIR "/link-request", "");
        scratch_write(s, "lkmd/" GATE_LAYOUT_DIR "/map-active", "");
        scratch_write(s, "lkmd/v0/link-request", "");
}

static void test_dir(void **state) {
        _cleanup_(scratch_close) Scratch s;
        struct stat st;

        scratch_open(&s);
        assert_false(gate_pins_exist(scratch_path(&s, "lkmd")));
        assert_ok(gate_pins_make_dir(scratch_path(&s, "lkmd")));
        assert_ok(gate_pins_make_dir(scratch_path(&s, "lkmd")));
        assert_false(gate_pins_exist(scratch_path(&s, "lkmd")));
        assert_int_equal(stat(scratch_path(&s, "lkmd/" GATE_LAYOUT_DIR), &st), 0);
        assert_int_equal(st.st_mode, S_IFDIR | 0700);
        assert_int_equal(stat(scratch_path(&s, "lkmd"), &st), 0);
        assert_int_equal(st.st_mode, S_IFDIR | 0700);
        assert_int_equal(gate_pins_make_dir(scratch_path(&s, "nowhere/lkmd")), -ENOENT);
}

/* What somebody else could have put things into is not used. */
static void test_not_private(void **state) {
        _cleanup_(scratch_close) Scratch s;

        scratch_open(&s);
        scratch_mkdir(&s, "lkmd");
        assert_int_equal(chmod(scratch_path(&s, "lkmd"), 0755), 0);
        assert_int_equal(gate_pins_make_dir(scratch_path(&s, "lkmd")), -EPERM);
        scratch_write(&s, "file", "");
        assert_int_equal(gate_pins_make_dir(scratch_path(&s, "file")), -EPERM);
        scratch_link(&s, "link", "lkmd");
        assert_int_equal(gate_pins_make_dir(scratch_path(&s, "link")), -EPERM);
}

static void test_remove(void **state) {
        static const struct {
                GatePins which;
                bool own, others;       /* left afterwards */
        } cases[] = {
                { GATE_PINS_ALL, false, false },
                { GATE_PINS_OWN, false, true },
                { GATE_PINS_OTHERS, true, false },
        };

        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                _cleanup_(scratch_close) Scratch s;

                scratch_open(&s);
                assert_ok(gate_pins_remove(scratch_path(&s, "lkmd"), cases[i].which));
                fill(&s);
                assert_true(gate_pins_exist(scratch_path(&s, "lkmd")));
                assert_ok(gate_pins_remove(scratch_path(&s, "lkmd"), cases[i].which));
                assert_int_equal(gate_pins_exist(scratch_path(&s, "lkmd")), cases[i].own);
                assert_int_equal(is_there(&s, "lkmd/" GATE_LAYOUT_DIR), cases[i].own);
                assert_int_equal(is_there(&s, "lkmd/v0"), cases[i].others);
                assert_int_equal(is_there(&s, "lkmd"), cases[i].own || cases[i].others);
        }
}

/* A directory that is not of the gate's making is left, and said to be there. */
static void test_remove_not_ours(void **state) {
        _cleanup_(scratch_close) Scratch s;

        scratch_open(&s);
        fill(&s);
        scratch_mkdir(&s, "lkmd/v0/directory");
        assert_true(gate_pins_remove(scratch_path(&s, "lkmd"), GATE_PINS_ALL) < 0);
        assert_true(is_there(&s, "lkmd/v0/directory"));
        assert_false(is_there(&s, "lkmd/" GATE_LAYOUT_DIR));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_dir),
                cmocka_unit_test(test_not_private),
                cmocka_unit_test(test_remove),
                cmocka_unit_test(test_remove_not_ours),
        };

        return RUN_TESTS(tests);
}
