/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/privileged/handover/handover-kernel.h"

#include <sys/stat.h>

#include "common/base/paths.h"
#include "scratch.h"
#include "test.h"

#define KERNEL (&(KERNEL_MODPROBE)[1])  /* without the slash at its beginning */
#define BEFORE (&(LKMD_MODPROBE_FILE)[1])
#define PROGRAM (&(LKMD_REQUEST_PROGRAM)[1])
#define SHUT (&(LKMD_SHUT_FILE)[1])

static void assert_line(const Scratch *s, const char *name, const char *expected) {
        FILE *f = fopen(scratch_path(s, name), "re");
        char line[300] = "";

        if (!expected) {
                assert_null(f);
                return;
        }
        assert_non_null(f);
        if (!fgets(line, sizeof(line), f))
                line[0] = '\0';
        (void) fclose(f);
        line[strcspn(line, "\n")] = '\0';
        assert_string_equal(line, expected);
}

static void put_program(const Scratch *s, const char *name) {
        scratch_write(s, name, "#!/bin/sh\n");
        assert_int_equal(chmod(scratch_path(s, name), 0755), 0);
}

static void open_machine(Scratch *s, const char *kernel) {
        scratch_open(s);
        scratch_mkdir(s, "run/lkmd");
        put_program(s, PROGRAM);
        if (kernel)
                scratch_write(s, KERNEL, kernel);
}

static void test_take_and_give_back(void **state) {
        static const char *const modprobes[] = { MODPROBE_PROGRAMS };

        for (size_t i = 0; i < ARRAY_LEN(modprobes); i++) {
                _cleanup_(scratch_close) Scratch s;
                char line[64];

                snprintf(line, sizeof(line), "%s\n", modprobes[i]);
                open_machine(&s, line);
                assert_int_equal(handover_take_kernel(s.dir), 1);
                assert_line(&s, KERNEL, LKMD_REQUEST_PROGRAM);
                assert_line(&s, BEFORE, modprobes[i]);
                assert_int_equal(handover_take_kernel(s.dir), 0); /* an lkmd that was killed has left it */
                assert_int_equal(handover_check_kernel(s.dir), 0);
                assert_line(&s, BEFORE, modprobes[i]);
                assert_int_equal(handover_give_back_kernel(s.dir), 1);
                assert_line(&s, KERNEL, modprobes[i]);
                assert_line(&s, BEFORE, NULL);
                assert_int_equal(handover_give_back_kernel(s.dir), 0);
        }
}

/* Switched off, another program, and one that only looks like ours. */
static void test_what_is_the_administrators(void **state) {
        static const char *const values[] = { "",
                                              "/usr/local/sbin/ask",
                                              "/usr/local/sbin/modprobe",
                                              "sbin/modprobe",
                                              LKMD_REQUEST_PROGRAM "2",
                                              "/sbin/modprobe -v" };

        for (size_t i = 0; i < ARRAY_LEN(values); i++) {
                _cleanup_(scratch_close) Scratch s;

                open_machine(&s, values[i]);
                assert_int_equal(handover_take_kernel(s.dir), 0);
                assert_line(&s, KERNEL, values[i]);
                assert_line(&s, BEFORE, NULL);
                assert_int_equal(handover_give_back_kernel(s.dir), 0);
                assert_line(&s, KERNEL, values[i]);
        }
}

static void test_changed_meanwhile(void **state) {
        _cleanup_(scratch_close) Scratch s;

        open_machine(&s, "/sbin/modprobe\n");
        assert_int_equal(handover_take_kernel(s.dir), 1);
        scratch_write(&s, KERNEL, "\n");
        assert_int_equal(handover_give_back_kernel(s.dir), 0);
        assert_line(&s, KERNEL, "");
        assert_line(&s, BEFORE, NULL);
}

/* Whatever became of the file that says what was there before. */
static void test_without_what_was_before(void **state) {
        static const char *const texts[] = { NULL, "", "/tmp/evil\n" };

        for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
                _cleanup_(scratch_close) Scratch s;

                open_machine(&s, LKMD_REQUEST_PROGRAM "\n");
                if (texts[i])
                        scratch_write(&s, BEFORE, texts[i]);
                put_program(&s, "usr/sbin/modprobe");
                assert_int_equal(handover_give_back_kernel(s.dir), 1);
                assert_line(&s, KERNEL, "/usr/sbin/modprobe");
        }
}

static void test_program_is_missing(void **state) {
        _cleanup_(scratch_close) Scratch s;

        open_machine(&s, "/sbin/modprobe\n");
        scratch_remove(&s, PROGRAM);
        assert_int_equal(handover_take_kernel(s.dir), -ENOEXEC);
        assert_line(&s, KERNEL, "/sbin/modprobe");
        put_program(&s, PROGRAM);
        assert_int_equal(handover_take_kernel(s.dir), 1);
        assert_int_equal(chmod(scratch_path(&s, PROGRAM), 0644), 0);
        assert_int_equal(handover_check_kernel(s.dir), 1);
        assert_line(&s, KERNEL, "/sbin/modprobe");
        assert_int_equal(handover_check_kernel(s.dir), 0);
}

static void test_kernel_without_it(void **state) {
        _cleanup_(scratch_close) Scratch s;

        open_machine(&s, NULL);
        assert_int_equal(handover_take_kernel(s.dir), 0);
        assert_int_equal(handover_give_back_kernel(s.dir), 0);
}

static void test_shut(void **state) {
        _cleanup_(scratch_close) Scratch s;

        open_machine(&s, NULL);
        assert_int_equal(handover_shut_kernel(s.dir, false), 0);
        assert_int_equal(handover_shut_kernel(s.dir, true), 1);
        assert_line(&s, SHUT, "");
        assert_int_equal(handover_shut_kernel(s.dir, true), 0);
        assert_int_equal(handover_shut_kernel(s.dir, false), 1);
        assert_line(&s, SHUT, NULL);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_take_and_give_back),
                cmocka_unit_test(test_what_is_the_administrators),
                cmocka_unit_test(test_changed_meanwhile),
                cmocka_unit_test(test_without_what_was_before),
                cmocka_unit_test(test_program_is_missing),
                cmocka_unit_test(test_kernel_without_it),
                cmocka_unit_test(test_shut),
        };
        return RUN_TESTS(tests);
}
