/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include "cli/reasons/stale-modules.h"
#include "elf-module.h"
#include "fake-modules.h"

typedef struct Bench {
        Scratch scratch;
        const Index *index;
        FileFacts *facts;
        char sys[128];
        Machine machine;
} Bench;

static void put_loaded(const Bench *b, const char *module, const char *srcversion, const char *users) {
        char name[128];

        (void) snprintf(name, sizeof(name), "sys/module/%s/initstate", module);
        scratch_write(&b->scratch, name, "live\n");
        (void) snprintf(name, sizeof(name), "sys/module/%s/refcnt", module);
        scratch_write(&b->scratch, name, users);
        (void) snprintf(name, sizeof(name), "sys/module/%s/srcversion", module);
        if (srcversion)
                scratch_write(&b->scratch, name, srcversion);
}

static void bench_open(Bench *b) {
        static const FakeModule modules[] = { { "same", NULL }, { "other", NULL }, { "used", NULL },
                                              { "bare", NULL }, { "broken", NULL }, {} };
        static const char *const builtin[] = { "inside", NULL };
        static const char *const no_config[] = { NULL };
        const ElfModule file = ELF_MODULE("srcversion=NEW\0"), bare = ELF_MODULE("license=GPL\0");
        _cleanup_(problem_list_clear) ProblemList problems = {};

        *b = (Bench) {};
        scratch_open(&b->scratch);
        fake_tree_write(&b->scratch, &(FakeTree) { .modules = modules, .builtin = builtin });
        scratch_write_bytes(&b->scratch, FAKE_DIR "/kernel/same.ko", &file, sizeof(file));
        scratch_write_bytes(&b->scratch, FAKE_DIR "/kernel/other.ko", &file, sizeof(file));
        scratch_write_bytes(&b->scratch, FAKE_DIR "/kernel/used.ko", &file, sizeof(file));
        scratch_write_bytes(&b->scratch, FAKE_DIR "/kernel/bare.ko", &bare, sizeof(bare));
        scratch_write(&b->scratch, FAKE_DIR "/kernel/broken.ko", "no module");
        assert_ok(index_new(&b->index,
                            &(IndexSources) { .root = b->scratch.dir,
                                              .release = FAKE_RELEASE,
                                              .config_paths = no_config,
                                              .command_line = "" },
                            &problems));
        assert_ok(file_facts_new(&b->facts));
        (void) snprintf(b->sys, sizeof(b->sys), "%s/sys", b->scratch.dir);
        b->machine = (Machine) { .sys = b->sys, .release = FAKE_RELEASE };
        scratch_mkdir(&b->scratch, "sys/module");
}

static void bench_close(Bench *b) {
        file_facts_free(b->facts);
        index_unref(b->index);
        scratch_close(&b->scratch);
}

static void test_find(void **state) {
        static const struct {
                const char *module;
                StaleKind kind;
                const char *command;
        } expected[] = {
                { "nowhere", STALE_NO_FILE, "lkmctl unload nowhere" },
                { "other", STALE_OTHER_BUILD, "lkmctl unload other && lkmctl load other" },
                { "used", STALE_OTHER_BUILD, "stop what uses it" },
        };
        _cleanup_(stale_modules_clear) StaleModules stale = {};
        _cleanup_(bench_close) Bench b;

        bench_open(&b);
        put_loaded(&b, "same", "NEW\n", "0\n");
        put_loaded(&b, "other", "OLD\n", "0\n");
        put_loaded(&b, "used", "OLD\n", "2\n");
        put_loaded(&b, "bare", "OLD\n", "0\n");
        put_loaded(&b, "broken", "OLD\n", "garbage\n");
        put_loaded(&b, "nowhere", NULL, "0\n");
        put_loaded(&b, "inside", NULL, "0\n");
        scratch_mkdir(&b.scratch, "sys/module/built_in");
        assert_ok(stale_modules_find(&b.machine, b.index, b.facts, &stale));
        assert_int_equal(stale.n_modules, 7);
        assert_int_equal(stale.n_unknown, 2); /* bare and broken */
        assert_int_equal(stale.n_items, ARRAY_LEN(expected));
        for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
                _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL;
                _cleanup_(freep) char *command = NULL;

                assert_string_equal(stale.items[i].module, expected[i].module);
                assert_int_equal(stale.items[i].kind, expected[i].kind);
                assert_ok(stale_module_command(stale.items + i, &command));
                assert_true(startswith(command, expected[i].command));
                assert_ok(stale_module_to_json(stale.items + i, &v));
                assert_non_null(stale_module_words(stale.items[i].kind));
        }
}

static void test_no_kernel(void **state) {
        _cleanup_(stale_modules_clear) StaleModules stale = {};
        _cleanup_(problem_list_clear) ProblemList problems = {};
        _cleanup_(index_unrefp) const Index *none = NULL;
        _cleanup_(freep) char *command = NULL;
        _cleanup_(bench_close) Bench b;

        bench_open(&b);
        put_loaded(&b, "same", "NEW\n", "0\n");
        assert_ok(index_new(&none,
                            &(IndexSources) { .root = b.scratch.dir, .release = "9.9", .command_line = "" },
                            &problems));
        assert_ok(stale_modules_find(&b.machine, none, b.facts, &stale));
        assert_int_equal(stale.n_items, 1);
        assert_int_equal(stale.items[0].kind, STALE_NO_KERNEL);
        assert_ok(stale_module_command(stale.items, &command));
        assert_string_equal(command, "reboot");
}

static void test_no_sysfs(void **state) {
        _cleanup_(stale_modules_clear) StaleModules stale = {};
        _cleanup_(bench_close) Bench b;

        bench_open(&b);
        b.machine.sys = "/none";
        assert_int_equal(stale_modules_find(&b.machine, b.index, b.facts, &stale), -ENOENT);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_find),
                cmocka_unit_test(test_no_kernel),
                cmocka_unit_test(test_no_sysfs),
        };

        return RUN_TESTS(tests);
}
