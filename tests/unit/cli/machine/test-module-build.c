/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include "cli/machine/module-build.h"
#include "elf-module.h"
#include "scratch.h"

#define TEXT(t) ((char *) (t))          /* which nobody changes */

static const struct {
        ModuleBuild a, b;
        BuildMatch match;
} cases[] = {
        { { .build_id = TEXT("aa") }, { .build_id = TEXT("aa") }, BUILD_SAME },
        { { .build_id = TEXT("aa") }, { .build_id = TEXT("ab") }, BUILD_OTHER },
        { { .build_id = TEXT("aa"), .srcversion = TEXT("S") },
          { .build_id = TEXT("ab"), .srcversion = TEXT("S") },
          BUILD_OTHER },
        { { .build_id = TEXT("aa"), .srcversion = TEXT("S") }, { .srcversion = TEXT("S") }, BUILD_SAME },
        { { .srcversion = TEXT("S") }, { .srcversion = TEXT("T") }, BUILD_OTHER },
        { { .srcversion = TEXT("S") }, { .build_id = TEXT("aa") }, BUILD_UNKNOWN },
        { { .version = TEXT("1") }, { .version = TEXT("2") }, BUILD_OTHER },
        { { .version = TEXT("1") }, { .version = TEXT("1") }, BUILD_UNKNOWN },
        { {}, {}, BUILD_UNKNOWN },
};

static void test_compare(void **state) {
        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                assert_int_equal(module_build_compare(&cases[i].a, &cases[i].b), cases[i].match);
                assert_int_equal(module_build_compare(&cases[i].b, &cases[i].a), cases[i].match);
        }
}

static void test_read(void **state) {
        static const char note[] = "\4\0\0\0\2\0\0\0\3\0\0\0GNU\0\xab\xcd\0";
        _cleanup_(module_build_clear) ModuleBuild loaded = {}, gone = {}, on_disk = {};
        ElfModule m = ELF_MODULE("version=2\0srcversion=DEAD\0");
        _cleanup_(scratch_close) Scratch s;
        Machine machine = { .sys = NULL };

        scratch_open(&s);
        machine.sys = s.dir;
        scratch_write(&s, "module/a/version", "1\n");
        scratch_write(&s, "module/a/srcversion", "BEEF\n");
        scratch_write_bytes(&s, "module/a/notes/.note.gnu.build-id", note, sizeof(note));
        scratch_write_bytes(&s, "a.ko", &m, sizeof(m));
        assert_ok(module_build_of_kernel(&machine, "a", &loaded));
        assert_string_equal(loaded.version, "1");
        assert_string_equal(loaded.srcversion, "BEEF");
        assert_string_equal(loaded.build_id, "abcd");
        assert_ok(module_build_of_kernel(&machine, "b", &gone));
        assert_true(!gone.version && !gone.srcversion && !gone.build_id);
        assert_ok(module_build_of_file(scratch_path(&s, "a.ko"), &on_disk));
        assert_string_equal(on_disk.version, "2");
        assert_string_equal(on_disk.srcversion, "DEAD");
        assert_null(on_disk.build_id);
        assert_int_equal(module_build_compare(&loaded, &on_disk), BUILD_OTHER);
        assert_int_equal(module_build_of_file(scratch_path(&s, "none.ko"), &gone), -ENOENT);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_compare),
                cmocka_unit_test(test_read),
        };

        return RUN_TESTS(tests);
}
