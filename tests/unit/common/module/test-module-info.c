/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "common/module/module-info.h"

#include "common/base/string-list.h"
#include "common/base/util.h"
#include "elf-module.h"
#include "scratch.h"
#include "test.h"

#define INFO "license=GPL\0parmtype=max:int\0parm=max:how many\0intree=Y\0"

static void test_good(void **state) {
        _cleanup_(scratch_close) Scratch s;
        _cleanup_(module_facts_clear) ModuleFacts facts = {};
        const ElfModule good = ELF_MODULE(INFO);
        char **names = NULL;

        scratch_open(&s);
        scratch_write_bytes(&s, "m.ko", &good, sizeof(good));
        assert_ok(module_info_parameters(scratch_path(&s, "m.ko"), &names));
        assert_string_equal(names[0], "max");
        assert_null(names[1]);
        string_list_free(names);
        assert_ok(module_info_parameter_types(scratch_path(&s, "m.ko"), &names));
        assert_string_equal(names[0], "max:int");
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
                { 3, 3, sizeof(ElfModule) },
                { 3, 7, sizeof(ElfModule) },
                { 3, 0, sizeof(ElfModule) },
                { 0, 0, sizeof(ElfModule) },
                { 3, 0xffff, sizeof(ElfModule) },
                { 3, 2, sizeof(Elf64_Ehdr) },
                { 3, 2, sizeof(Elf64_Ehdr) - 1 },
                { 3, 2, 20 },
                { 3, 2, 4 },
                { 3, 2, 0 },
        };

        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                _cleanup_(scratch_close) Scratch s;
                char **names = NULL;
                ElfModule file = ELF_MODULE(INFO);

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
