/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Whatever lies where a file is read, nobody waits for it and nobody reads without an end: it is named as a problem,
 * or it is as if it was not there. A reader that waits runs into the time limit of the test.
 */

#include <sys/stat.h>

#include "common/index/devname-table.h"
#include "common/index/index.h"
#include "common/modprobe/modprobe-config.h"
#include "common/module/module-info.h"
#include "common/policy-files/policy-sources.h"
#include "common/settings/settings.h"
#include "scratch.h"
#include "test.h"

#define _scratch_ _cleanup_(scratch_close)
#define _problems_ _cleanup_(problem_list_clear)

static void put_fifo(const Scratch *s, const char *name) {
        scratch_write(s, name, ""); /* makes its directories */
        scratch_remove(s, name);
        assert_int_equal(mkfifo(scratch_path(s, name), 0666), 0);
}

static void put_zero(const Scratch *s, const char *name) {
        scratch_link(s, name, "/dev/zero");
}

/* Reads as NULs, as far as anybody goes. */
static void put_hole(const Scratch *s, const char *name) {
        scratch_write(s, name, "");
        assert_int_equal(truncate(scratch_path(s, name), 1LL << 36), 0);
}

static void put_directory(const Scratch *s, const char *name) {
        scratch_mkdir(s, name);
}

static void (*const puts_there[])(const Scratch *s, const char *name) = {
        put_fifo, put_zero, put_hole, put_directory,
};

static void read_modprobe_config(const Scratch *s, ProblemList *problems) {
        const char *const paths[] = { scratch_path(s, "modprobe.d"), NULL };
        _cleanup_(modprobe_config_freep) ModprobeConfig *c = NULL;

        assert_ok(modprobe_config_new(&c, &(ModprobeConfigSources) { .paths = paths }, problems));
}

static void read_policy(const Scratch *s, ProblemList *problems) {
        static const char *const dirs[] = { "/policy.d", NULL }, *const list_dirs[] = { "/lists", NULL };
        _cleanup_(policy_freep) Policy *policy = NULL;
        PolicySources sources = { .root = s->dir, .grants_file = "/grants.yaml", .command_line = "", .dirs = dirs,
                                  .list_dirs = list_dirs };
        bool broken;

        scratch_write(s, "policy.d/include.yaml", "version: 1\ninclude: list\n");
        assert_ok(policy_sources_read(&policy, &sources, &(PolicyOptions) {}, &broken, problems));
        assert_true(broken);
}

static void read_settings(const Scratch *s, ProblemList *problems) {
        const char *const dirs[] = { s->dir, NULL };
        Settings settings;

        assert_ok(settings_load(&settings, dirs, problems));
}

static void read_devnames(const Scratch *s, ProblemList *problems) {
        _cleanup_(devname_table_freep) DevnameTable *t = NULL;

        assert_ok(devname_table_new(&t, scratch_path(s, "modules.devname"), problems));
}

static void read_index(const Scratch *s, ProblemList *problems) {
        const char *const paths[] = { scratch_path(s, "none"), NULL };
        _cleanup_(index_unrefp) const Index *index = NULL;

        assert_ok(index_new(&index, &(IndexSources) { .root = s->dir, .release = "1.0", .config_paths = paths,
                                                      .command_line = "" }, problems));
        assert_false(index_is_complete(index));
}

static void read_module(const Scratch *s, ProblemList *problems) {
        ModuleFacts facts;

        assert_true(module_info_facts(scratch_path(s, "m.ko"), &facts) < 0);
        assert_ok(problem_list_add(problems, "m.ko", 0, "as it should be"));
}

static const struct {
        const char *file;
        void (*read)(const Scratch *s, ProblemList *problems);
} cases[] = {
        { "modprobe.d/a.conf",                    read_modprobe_config },
        { "policy.d/a.yaml",                      read_policy          },
        { "lists/list.yaml",                      read_policy          },
        { "grants.yaml",                          read_policy          },
        { "lkmd.conf",                            read_settings        },
        { "lkmd.conf.d/a.conf",                   read_settings        },
        { "modules.devname",                      read_devnames        },
        { "lib/modules/1.0/modules.dep.bin",      read_index           },
        { "lib/modules/1.0/modules.alias.bin",    read_index           },
        { "lib/modules/1.0/modules.symbols.bin",  read_index           },
        { "lib/modules/1.0/modules.builtin.bin",  read_index           },
        { "lib/modules/1.0/modules.builtin.alias.bin", read_index      },
        { "lib/modules/1.0/modules.softdep",      read_index           },
        { "lib/modules/1.0/modules.weakdep",      read_index           },
        { "m.ko",                                 read_module          },
};

static void test_files(void **state) {
        for (size_t i = 0; i < ARRAY_LEN(cases); i++)
                for (size_t k = 0; k < ARRAY_LEN(puts_there); k++) {
                        _problems_ ProblemList problems = {};
                        _scratch_ Scratch s;

                        scratch_open(&s);
                        puts_there[k](&s, cases[i].file);
                        print_message("# %s, %zu\n", cases[i].file, k);
                        cases[i].read(&s, &problems);
                        assert_true(problems.n_items > 0);
                }
}

/* In the place of a directory of files, too. */
static void test_directories(void **state) {
        static const struct {
                const char *dir;
                void (*read)(const Scratch *s, ProblemList *problems);
        } dirs[] = { { "modprobe.d", read_modprobe_config }, { "lkmd.conf.d", read_settings } };

        for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
                for (size_t k = 0; k < ARRAY_LEN(puts_there); k++) {
                        _problems_ ProblemList problems = {};
                        _scratch_ Scratch s;

                        scratch_open(&s);
                        puts_there[k](&s, dirs[i].dir);
                        dirs[i].read(&s, &problems);
                }
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_files),
                cmocka_unit_test(test_directories),
        };

        return RUN_TESTS(tests);
}
