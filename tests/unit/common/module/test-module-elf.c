/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include "common/base/util.h"
#include "common/module/module-elf.h"
#include "elf-module.h"
#include "scratch.h"

#define GNU_NOTE "\4\0\0\0\3\0\0\0\3\0\0\0GNU\0\xab\xcd\xef\0"

static const struct {
        const char *title, *bytes;
        size_t size;
        const char *id;                 /* NULL: none */
} notes[] = {
        { "one", GNU_NOTE, sizeof(GNU_NOTE) - 1, "abcdef" },
        { "without its padding", GNU_NOTE, sizeof(GNU_NOTE) - 2, "abcdef" },
        { "cut off", GNU_NOTE, sizeof(GNU_NOTE) - 3, NULL },
        { "nothing", "", 0, NULL },
        { "behind another", "\4\0\0\0\1\0\0\0\5\0\0\0GNU\0x\0\0\0" GNU_NOTE, 20 + sizeof(GNU_NOTE) - 1, "abcdef" },
        { "of somebody else", "\4\0\0\0\3\0\0\0\3\0\0\0XNU\0\xab\xcd\xef\0", 20, NULL },
        { "empty", "\4\0\0\0\0\0\0\0\3\0\0\0GNU\0", 16, NULL },
        { "sizes that overflow", "\xff\xff\xff\xff\xff\xff\xff\xff\3\0\0\0GNU\0", 16, NULL },
        { "longer than it is", "\4\0\0\0\x40\0\0\0\3\0\0\0GNU\0\xab\xcd\xef\0", 20, NULL },
};

static void test_notes(void **state) {
        for (size_t i = 0; i < ARRAY_LEN(notes); i++) {
                /* a copy of its own size, so that a byte too many is found out */
                _cleanup_(freep) void *bytes = malloc(notes[i].size + !notes[i].size);
                _cleanup_(freep) char *id = NULL;
                int r;

                memcpy(bytes, notes[i].bytes, notes[i].size);
                r = build_id_of_notes(bytes, notes[i].size, &id);
                if (r != (notes[i].id ? 0 : -ENODATA) || !streq_ptr(id, notes[i].id))
                        fail_msg("%s: %d, %s", notes[i].title, r, id ?: "none");
        }
}

static int open_module(const Scratch *s, const ElfModule *m, size_t size, ModuleElf **ret) {
        scratch_write_bytes(s, "m.ko", m, size);
        return module_elf_new(ret, scratch_path(s, "m.ko"));
}

static int on_symbol(const char *name, void *userdata) {
        return -EEXIST;                 /* it has none */
}

static void test_info(void **state) {
        ElfModule m = ELF_MODULE("license=GPL\0firmware=a.bin\0firmwares=no\0firmware=b.bin\0");
        _cleanup_(module_elf_freep) ModuleElf *elf = NULL;
        _cleanup_(scratch_close) Scratch s;
        _cleanup_(freep) char *id = NULL;
        size_t at = 0;

        scratch_open(&s);
        assert_ok(open_module(&s, &m, sizeof(m), &elf));
        assert_string_equal(module_elf_info(elf, "firmware", &at), "a.bin");
        assert_string_equal(module_elf_info(elf, "firmware", &at), "b.bin");
        assert_null(module_elf_info(elf, "firmware", &at));
        at = 0;
        assert_null(module_elf_info(elf, "version", &at));
        assert_int_equal(module_elf_build_id(elf, &id), -ENODATA);
        assert_ok(module_elf_undefined(elf, on_symbol, NULL));
}

/* Cut off anywhere, and with each byte of its header and sections changed: an error or an answer, no byte beyond. */
static void test_broken(void **state) {
        const ElfModule m = ELF_MODULE("license=GPL\0version=1\0");
        _cleanup_(scratch_close) Scratch s;

        scratch_open(&s);
        for (size_t size = 0; size <= sizeof(m); size += 7) {
                _cleanup_(module_elf_freep) ModuleElf *elf = NULL;
                size_t at = 0;

                if (open_module(&s, &m, size, &elf) >= 0)
                        (void) module_elf_info(elf, "version", &at);
        }
        for (size_t i = 0; i < offsetof(ElfModule, info); i++) {
                _cleanup_(module_elf_freep) ModuleElf *elf = NULL;
                _cleanup_(freep) char *id = NULL;
                ElfModule broken = m;
                size_t at = 0;

                ((unsigned char *) &broken)[i] ^= 0xff;
                if (open_module(&s, &broken, sizeof(broken), &elf) < 0)
                        continue;
                (void) module_elf_info(elf, "version", &at);
                (void) module_elf_build_id(elf, &id);
        }
}

static void test_no_module(void **state) {
        _cleanup_(scratch_close) Scratch s;
        ModuleElf *elf = NULL;

        scratch_open(&s);
        scratch_write(&s, "text.ko",
                      "This is no module, but a text that is long enough for the header of one of them.\n");
        scratch_write(&s, "packed.ko.xz",
                      "\xfd"
                      "7zXZ");
        assert_int_equal(module_elf_new(&elf, scratch_path(&s, "text.ko")), -ENOEXEC);
        assert_true(module_elf_new(&elf, scratch_path(&s, "packed.ko.xz")) < 0);
        assert_int_equal(module_elf_new(&elf, scratch_path(&s, "none.ko")), -ENOENT);
        assert_true(module_elf_new(&elf, s.dir) < 0);
        assert_null(elf);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_notes),
                cmocka_unit_test(test_info),
                cmocka_unit_test(test_broken),
                cmocka_unit_test(test_no_module),
        };

        return RUN_TESTS(tests);
}
