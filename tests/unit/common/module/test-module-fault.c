/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "common/module/module-fault.h"

#include <sys/stat.h>
#include <unistd.h>

#include "common/base/util.h"
#include "common/module/file-facts.h"
#include "elf-module.h"
#include "scratch.h"
#include "test.h"

#define RELEASE "6.1.0-fake"
#define DIR "lib/modules/" RELEASE "/"
#define INFO(vermagic) "name=real_name\0vermagic=" vermagic "\0"
#define MAKE_FILE(vermagic) ELF_MODULE(INFO(vermagic))

/* In a root of its own, whose architecture is not known. */
static ModuleFaultKind check(const Scratch *s, const char *name, FileFactsEffort effort, char **ret_clause) {
        _cleanup_(module_fault_clear) ModuleFault fault = {};
        _cleanup_(file_facts_freep) FileFacts *files = NULL;

        assert_ok(file_facts_new(&files));
        assert_ok(file_facts_check(files, scratch_path(s, name), effort, &fault));
        if (ret_clause)
                assert_ok(module_fault_clause(&fault, ret_clause));
        return fault.kind;
}

static void test_contents(void **state) {
        ElfModule sound = MAKE_FILE(RELEASE " SMP"), program = sound, other = MAKE_FILE("6.1.0-other SMP"),
             summed = MAKE_FILE("6.1.0-other SMP modversions");
        const struct {
                const void *data;
                size_t size;
                ModuleFaultKind at_first_sight, inside;
        } cases[] = {
                { &sound, sizeof(sound), MODULE_HAS_NO_FAULT, MODULE_HAS_NO_FAULT },
                { "", 0, MODULE_FILE_EMPTY, MODULE_FILE_EMPTY },
                { "x", 1, MODULE_FILE_ALIEN, MODULE_FILE_ALIEN },
                { "#!/bin/sh\nexit 0\n# padding\n", 27, MODULE_FILE_ALIEN, MODULE_FILE_ALIEN },
                { &program, sizeof(program), MODULE_FILE_ALIEN, MODULE_FILE_ALIEN },
                { &sound, 20, MODULE_FILE_BROKEN, MODULE_FILE_BROKEN },
                { &sound, sizeof(Elf64_Ehdr), MODULE_FILE_BROKEN, MODULE_FILE_BROKEN },
                { &sound, offsetof(ElfModule, info) - 1, MODULE_FILE_BROKEN, MODULE_FILE_BROKEN },
                { "\xfd" "7zXZ\0and no more", 18, MODULE_FILE_BROKEN, MODULE_FILE_BROKEN },
                { "\x28\xb5\x2f\xfd" "and no more", 15, MODULE_FILE_BROKEN, MODULE_FILE_BROKEN },
                { &other, sizeof(other), MODULE_HAS_NO_FAULT, MODULE_FILE_OF_OTHER_KERNEL },
                { &summed, sizeof(summed), MODULE_HAS_NO_FAULT, MODULE_HAS_NO_FAULT },
        };
        _cleanup_(scratch_close) Scratch s;

        program.header.e_type = ET_DYN;
        scratch_open(&s);
        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                scratch_write_bytes(&s, DIR "m.ko", cases[i].data, cases[i].size);
                if (check(&s, DIR "m.ko", FACTS_KNOWN, NULL) != cases[i].at_first_sight)
                        fail_msg("case %zu at first sight", i);
                if (check(&s, DIR "m.ko", FACTS_READ, NULL) != cases[i].inside)
                        fail_msg("case %zu inside", i);
        }
}

/* Only of this machine is it known which architecture it has. */
static void test_other_machine(void **state) {
        _cleanup_(module_fault_clear) ModuleFault fault = {};
        ElfModule f = MAKE_FILE("9-lkmd-test SMP");

        f.header.e_machine = EM_SH;
        (void) mkdir("/lib/modules", 0755);
        assert_true(mkdir("/lib/modules/9-lkmd-test", 0755) == 0);
        {
                Scratch real = { "/lib/modules/9-lkmd-test" };

                scratch_write_bytes(&real, "m.ko", &f, sizeof(f));
                assert_ok(module_fault_look("/lib/modules/9-lkmd-test/m.ko", &fault));
                scratch_close(&real);
        }
        assert_int_equal(fault.kind, MODULE_FILE_OF_OTHER_MACHINE);
}

static void test_places(void **state) {
        const ElfModule sound = MAKE_FILE(RELEASE " SMP");
        _cleanup_(scratch_close) Scratch s;

        scratch_open_below(&s, "/var/lib");
        scratch_write_bytes(&s, DIR "kernel/m.ko", &sound, sizeof(sound));
        scratch_write_bytes(&s, "outside.ko", &sound, sizeof(sound));
        scratch_mkdir(&s, DIR "directory.ko");
        scratch_link(&s, DIR "dangling.ko", "nowhere.ko");
        scratch_link(&s, DIR "loop.ko", "loop.ko");
        scratch_link(&s, DIR "out.ko", "/outside.ko"); /* in that root */
        scratch_link(&s, DIR "build", "kernel");

        assert_int_equal(check(&s, DIR "kernel/m.ko", FACTS_READ, NULL), MODULE_HAS_NO_FAULT);
        assert_int_equal(check(&s, DIR "out.ko", FACTS_KNOWN, NULL), MODULE_HAS_NO_FAULT);
        assert_int_equal(check(&s, "outside.ko", FACTS_KNOWN, NULL), MODULE_FILE_ELSEWHERE);
        assert_int_equal(check(&s, DIR "build/m.ko", FACTS_KNOWN, NULL), MODULE_FILE_ELSEWHERE);
        assert_int_equal(check(&s, DIR "none.ko", FACTS_KNOWN, NULL), MODULE_FILE_MISSING);
        assert_int_equal(check(&s, DIR "dangling.ko", FACTS_KNOWN, NULL), MODULE_FILE_MISSING);
        assert_int_equal(check(&s, DIR "loop.ko", FACTS_KNOWN, NULL), MODULE_FILE_MISSING);
        assert_int_equal(check(&s, DIR "directory.ko", FACTS_KNOWN, NULL), MODULE_FILE_IRREGULAR);

        assert_int_equal(chmod(scratch_path(&s, DIR "kernel/m.ko"), 0), 0);
        assert_int_equal(check(&s, DIR "kernel/m.ko", FACTS_KNOWN, NULL), MODULE_HAS_NO_FAULT);
        assert_int_equal(chmod(scratch_path(&s, DIR "kernel/m.ko"), 0666), 0);
        assert_int_equal(check(&s, DIR "kernel/m.ko", FACTS_KNOWN, NULL), MODULE_FILE_FOREIGN);
        assert_int_equal(chmod(scratch_path(&s, DIR "kernel/m.ko"), 0644), 0);
        assert_int_equal(chmod(scratch_path(&s, DIR "kernel"), 0777), 0);
        assert_int_equal(check(&s, DIR "kernel/m.ko", FACTS_KNOWN, NULL), MODULE_FILE_FOREIGN);
        assert_int_equal(chmod(scratch_path(&s, DIR "kernel"), 0755), 0);

        /* whoever owns the root of an image counts as its root */
        assert_int_equal(chown(scratch_path(&s, DIR "kernel/m.ko"), 65534, 0), 0);
        assert_int_equal(check(&s, DIR "kernel/m.ko", FACTS_KNOWN, NULL), MODULE_FILE_FOREIGN);
        assert_int_equal(chown(scratch_path(&s, ""), 65534, 0), 0);
        assert_int_equal(check(&s, DIR "kernel/m.ko", FACTS_KNOWN, NULL), MODULE_HAS_NO_FAULT);
}

/* What was put right is noticed, and so is another file in that place. */
static void test_is_up_to_date(void **state) {
        const ElfModule sound = MAKE_FILE(RELEASE " SMP");
        _cleanup_(file_facts_freep) FileFacts *files = NULL;
        _cleanup_(scratch_close) Scratch s;
        ModuleFault fault = {};
        const char *path;

        scratch_open(&s);
        scratch_write_bytes(&s, DIR "extra/m.ko", &sound, sizeof(sound));
        path = scratch_path(&s, DIR "extra/m.ko");
        assert_ok(file_facts_new(&files));
        assert_int_equal(chmod(scratch_path(&s, DIR "extra"), 0777), 0);
        assert_ok(file_facts_check(files, path, FACTS_KNOWN, &fault));
        assert_int_equal(fault.kind, MODULE_FILE_FOREIGN);
        assert_int_equal(chmod(scratch_path(&s, DIR "extra"), 0755), 0);
        assert_ok(file_facts_check(files, path, FACTS_KNOWN, &fault));
        assert_int_equal(fault.kind, MODULE_HAS_NO_FAULT);

        assert_string_equal(file_facts_name(files, path, FACTS_READ_UNUSUAL), "real_name");
        assert_true(file_facts_tell_name(files, path));
        assert_false(file_facts_tell_name(files, path));
        scratch_write(&s, DIR "extra/m.ko", "");
        assert_ok(file_facts_check(files, path, FACTS_KNOWN, &fault));
        assert_int_equal(fault.kind, MODULE_FILE_EMPTY);
        assert_null(file_facts_name(files, path, FACTS_READ));
        assert_true(file_facts_tell_name(files, path));
}

/* The kernel's own files are called like their modules, and decompressing them all would take long. */
static void test_effort(void **state) {
        const ElfModule sound = MAKE_FILE(RELEASE " SMP");
        _cleanup_(file_facts_freep) FileFacts *files = NULL;
        _cleanup_(scratch_close) Scratch s;
        const char *kernels, *others;

        scratch_open(&s);
        scratch_write_bytes(&s, DIR "kernel/m.ko", &sound, sizeof(sound));
        scratch_write_bytes(&s, DIR "updates/kernel/m.ko", &sound, sizeof(sound));
        kernels = scratch_path(&s, DIR "kernel/m.ko");
        others = scratch_path(&s, DIR "updates/kernel/m.ko");
        assert_ok(file_facts_new(&files));
        assert_null(file_facts_name(files, others, FACTS_KNOWN));
        assert_string_equal(file_facts_name(files, others, FACTS_READ_UNUSUAL), "real_name");
        assert_string_equal(file_facts_name(files, others, FACTS_KNOWN), "real_name");
        assert_null(file_facts_name(files, kernels, FACTS_READ_UNUSUAL));
        assert_string_equal(file_facts_name(files, kernels, FACTS_READ), "real_name");
        assert_string_equal(file_facts_name(files, kernels, FACTS_READ_UNUSUAL), "real_name");
}

static void test_words(void **state) {
        const ElfModule other = MAKE_FILE("5.10-lts preempt");
        _cleanup_(freep) char *clause = NULL;
        _cleanup_(scratch_close) Scratch s;

        scratch_open(&s);
        scratch_write_bytes(&s, DIR "m.ko", &other, sizeof(other));
        assert_int_equal(check(&s, DIR "m.ko", FACTS_READ, &clause), MODULE_FILE_OF_OTHER_KERNEL);
        assert_string_equal(clause, "it was built for kernel 5.10-lts");
        for (ModuleFaultKind k = 0; k < _MODULE_FAULT_KIND_MAX; k++) {
                _cleanup_(freep) char *text = NULL;

                assert_ok(module_fault_clause(&(ModuleFault) { .kind = k }, &text));
                assert_true(strlen(text) > 10 && strlen(module_fault_remedy(k)) > 5);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_contents),      cmocka_unit_test(test_other_machine),
                cmocka_unit_test(test_places),        cmocka_unit_test(test_is_up_to_date),
                cmocka_unit_test(test_effort),        cmocka_unit_test(test_words),
        };

        return RUN_TESTS(tests);
}
