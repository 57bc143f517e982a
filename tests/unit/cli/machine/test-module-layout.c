/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include <elf.h>

#include "cli/machine/module-layout.h"
#include "scratch.h"

/* A module with one section of each kind, some symbols, and room behind it for what its headers say. */
#define NAMES \
        "\0.text\0.init.text\0.rodata\0.data\0.bss\0.data..ro_after_init\0.init.data\0.modinfo\0.comment\0.symtab\0.shstrtab"

typedef struct Module {
        Elf64_Ehdr header;
        Elf64_Shdr sections[13];
        Elf64_Sym symbols[5];
        char names[sizeof(NAMES)];
} Module;

static Elf64_Word name_of(const char *name) {
        for (size_t i = 1; i < sizeof(NAMES); i += strlen(&NAMES[i]) + 1)
                if (streq(&NAMES[i], name))
                        return (Elf64_Word) i;
        fail_msg("no name %s", name);
        return 0;
}

static Elf64_Shdr section(const char *name, Elf64_Xword flags, Elf64_Xword size, Elf64_Xword alignment) {
        return (Elf64_Shdr) { .sh_name = name_of(name),
                              .sh_type = SHT_PROGBITS,
                              .sh_flags = flags,
                              .sh_size = size,
                              .sh_addralign = alignment };
}

static Module module_make(void) {
        Module m = {};

        memcpy(m.header.e_ident, ELFMAG, SELFMAG);
        m.header.e_ident[EI_CLASS] = ELFCLASS64;
        m.header.e_type = ET_REL;
        m.header.e_shentsize = sizeof(Elf64_Shdr);
        m.header.e_shoff = offsetof(Module, sections);
        m.header.e_shnum = 13;
        m.header.e_shstrndx = 12;
        m.sections[1] = section(".text", SHF_ALLOC | SHF_EXECINSTR, 5000, 16);
        m.sections[2] = section(".init.text", SHF_ALLOC | SHF_EXECINSTR, 700, 16);
        m.sections[3] = section(".rodata", SHF_ALLOC, 4096, 8);
        m.sections[4] = section(".data", SHF_ALLOC | SHF_WRITE, 101, 8);
        m.sections[5] = section(".bss", SHF_ALLOC | SHF_WRITE, 10, 32);
        m.sections[6] = section(".data..ro_after_init", SHF_ALLOC | SHF_WRITE, 8, 8);
        m.sections[7] = section(".init.data", SHF_ALLOC | SHF_WRITE, 32, 8);
        m.sections[8] = section(".modinfo", SHF_ALLOC, 900, 1);
        m.sections[9] = section(".comment", 0, 900, 1);
        m.sections[10] = section(".symtab", 0, sizeof(m.symbols), 8);
        m.sections[10].sh_type = SHT_SYMTAB;
        m.sections[10].sh_offset = offsetof(Module, symbols);
        m.sections[10].sh_link = 12;
        m.sections[11] = section(".comment", 0, 0, 0);
        m.sections[12] = section(".shstrtab", 0, sizeof(NAMES), 1);
        m.sections[12].sh_type = SHT_STRTAB;
        m.sections[12].sh_offset = offsetof(Module, names);
        m.symbols[1] = (Elf64_Sym) { .st_name = name_of(".text"), .st_shndx = 1 };
        m.symbols[2] = (Elf64_Sym) { .st_name = name_of(".text"), .st_shndx = 2 };      /* of init: not kept */
        m.symbols[3] = (Elf64_Sym) { .st_name = name_of(".data"), .st_shndx = SHN_UNDEF };
        m.symbols[4] = (Elf64_Sym) { .st_name = name_of(".bss"), .st_shndx = 5 };
        memcpy(m.names, NAMES, sizeof(NAMES));
        return m;
}

static void test_sums(void **state) {
        const Module m = module_make();
        ModuleLayout l;

        assert_ok(module_layout_parse(&m, sizeof(m), &l));
        assert_int_equal(l.bytes[MEMORY_TEXT], 5000);
        assert_int_equal(l.bytes[MEMORY_INIT_TEXT], 700);
        assert_int_equal(l.bytes[MEMORY_RODATA], 4096);
        assert_int_equal(l.bytes[MEMORY_RO_AFTER_INIT], 8);
        assert_int_equal(l.bytes[MEMORY_INIT_DATA], 32);
        /* .data, .bss at 128, at 144 three symbols with their names, the empty one, and three types */
        assert_int_equal(l.bytes[MEMORY_DATA], 144 + 3 * sizeof(Elf64_Sym) + (1 + 1 + 6 + 5) + 3);
        assert_int_equal(module_layout_core_pages(&l, 4096), 8192 + 4096 + 4096 + 4096);
        assert_int_equal(module_layout_init_bytes(&l), 732);
        assert_int_equal(module_layout_areas(&l), 4);
}

static void test_file(void **state) {
        _cleanup_(scratch_close) Scratch s = {};
        const Module m = module_make();
        ModuleLayout l, from_file;

        scratch_open(&s);
        scratch_write_bytes(&s, "m.ko", &m, sizeof(m));
        scratch_write(&s, "empty.ko", "");
        scratch_write(&s, "text.ko",
                      "\xfd"
                      "7zXZ and nothing behind it");
        assert_ok(module_layout_parse(&m, sizeof(m), &l));
        assert_ok(module_layout_read(scratch_path(&s, "m.ko"), &from_file));
        assert_memory_equal(&l, &from_file, sizeof(l));
        assert_true(module_layout_read(scratch_path(&s, "none.ko"), &l) == -ENOENT);
        assert_true(module_layout_read(scratch_path(&s, "empty.ko"), &l) < 0);
        assert_true(module_layout_read(scratch_path(&s, "text.ko"), &l) < 0);
        assert_true(module_layout_read(s.dir, &l) < 0);
}

/* Cut off anywhere, and with any byte changed: an answer or an error, and nothing outside of the file is read. */
static void test_damage(void **state) {
        Module m = module_make();
        ModuleLayout l;

        for (size_t size = 0; size < sizeof(m); size += 3) {
                char *copy = malloc(size + 1);

                assert_non_null(copy);
                memcpy(copy, &m, size);
                (void) module_layout_parse(copy, size, &l);
                free(copy);
        }
        for (size_t i = 0; i < sizeof(m); i++)
                for (unsigned byte = 0; byte < 256; byte += 51) {
                        _cleanup_(freep) char *copy = malloc(sizeof(m));

                        assert_non_null(copy);
                        memcpy(copy, &m, sizeof(m));
                        copy[i] = (char) byte;
                        (void) module_layout_parse(copy, sizeof(m), &l);
                }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_sums),
                cmocka_unit_test(test_file),
                cmocka_unit_test(test_damage),
        };

        return RUN_TESTS(tests);
}
