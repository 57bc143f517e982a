/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "common/module/module-info.h"

#include <elf.h>
#include <stddef.h>

#include "common/base/string-list.h"
#include "common/base/util.h"
#include "scratch.h"
#include "test.h"

#define INFO "license=GPL\0parmtype=max:int\0parm=max:how many\0intree=Y\0"
#define NAMES "\0.modinfo\0.shstrtab\0"

/* The smallest module that says something of itself. */
typedef struct File {
        Elf64_Ehdr header;
        Elf64_Shdr sections[3];
        char info[sizeof(INFO)], names[sizeof(NAMES)];
} File;

static const File good = {
        .header = {
                .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
                .e_type = ET_REL,
                .e_machine = EM_X86_64,
                .e_version = EV_CURRENT,
                .e_shoff = offsetof(File, sections),
                .e_ehsize = sizeof(Elf64_Ehdr),
                .e_shentsize = sizeof(Elf64_Shdr),
                .e_shnum = 3,
                .e_shstrndx = 2,
        },
        .sections = {
                [1] = {
                        .sh_name = 1,
                        .sh_type = SHT_PROGBITS,
                        .sh_offset = offsetof(File, info),
                        .sh_size = sizeof(INFO) - 1,
                },
                [2] = {
                        .sh_name = 10,
                        .sh_type = SHT_STRTAB,
                        .sh_offset = offsetof(File, names),
                        .sh_size = sizeof(NAMES) - 1,
                },
        },
        .info = INFO,
        .names = NAMES,
};

static void test_good(void **state) {
        _cleanup_(scratch_close) Scratch s;
        _cleanup_(module_facts_clear) ModuleFacts facts = {};
        char **names = NULL;

        scratch_open(&s);
        scratch_write_bytes(&s, "m.ko", &good, sizeof(good));
        assert_ok(module_info_parameters(scratch_path(&s, "m.ko"), &names));
        assert_string_equal(names[0], "max");
        assert_null(names[1]);
        string_list_free(names);
        assert_ok(module_info_facts(scratch_path(&s, "m.ko"), &facts));
        assert_string_equal(facts.license, "GPL");
        assert_false(facts.is_signed);
        assert_null(facts.signer);
        assert_true(facts.in_tree);
}

static void test_place(void **state) {
        assert_string_equal(module_path_get_place("/lib/modules/6.12/kernel/net/a.ko.xz"), "kernel/net/a.ko.xz");
        assert_string_equal(module_path_get_place("/usr/lib/modules/6.12/a.ko"), "a.ko");
        assert_string_equal(module_path_get_place("/srv/root/lib/modules/6.12/updates/dkms/a.ko"), "updates/dkms/a.ko");
        assert_string_equal(module_path_get_place("/lib/modules/6.12/extra/lib/modules/1/a.ko"), "extra/lib/modules/1/a.ko");
        assert_string_equal(module_path_get_place("/lib/modules/a.ko"), "/lib/modules/a.ko");
        assert_string_equal(module_path_get_place("/opt/a.ko"), "/opt/a.ko");
}

/* Refused, and nobody's assertion ends the process. */
static void test_broken(void **state) {
        static const struct {
                uint16_t n_sections, names;
                size_t size;
        } cases[] = {
                { 3, 3, sizeof(File) },
                { 3, 7, sizeof(File) },
                { 3, 0, sizeof(File) },
                { 0, 0, sizeof(File) },
                { 3, 0xffff, sizeof(File) },
                { 3, 2, sizeof(Elf64_Ehdr) },
                { 3, 2, sizeof(Elf64_Ehdr) - 1 },
                { 3, 2, 20 },
                { 3, 2, 4 },
                { 3, 2, 0 },
        };

        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                _cleanup_(scratch_close) Scratch s;
                char **names = NULL;
                File file = good;

                file.header.e_shnum = cases[i].n_sections;
                file.header.e_shstrndx = cases[i].names;
                scratch_open(&s);
                scratch_write_bytes(&s, "m.ko", &file, cases[i].size);
                if (module_info_parameters(scratch_path(&s, "m.ko"), &names) >= 0)
                        fail_msg("case %zu is read", i);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_good),
                cmocka_unit_test(test_place),
                cmocka_unit_test(test_broken),
        };

        return RUN_TESTS(tests);
}
