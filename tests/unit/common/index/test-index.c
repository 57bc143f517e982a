/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include <malloc.h>
#include <sys/utsname.h>

#include "common/base/limits.h"
#include "common/base/paths.h"
#include "common/index/index-lookup.h"
#include "common/index/index.h"
#include "common/index/lookup-cache.h"
#include "fake-modules.h"

static const FakeTree tree = {
        .modules = (const FakeModule[]) { { "top", "middle leaf" },
                                          { "middle", "leaf" },
                                          { "leaf" },
                                          { "other_one" },
                                          { "both" },
                                          {} },
        .aliases = (const WriterEntry[]) { { "pci:v00001234d*sv*sd*bc*sc*i*", "top", 0 },
                                           { "pci:v00001234d00005678sv*sd*bc*sc*i*", "other_one", 3 },
                                           { "pci:v*d*sv*sd*bc01sc*i*", "leaf", 2 },
                                           { "fs_some", "middle", 1 },
                                           { "leaf", "top", 0 },
                                           { "nowhere", "missing", 9 },
                                           {} },
        .symbols = (const WriterEntry[]) { { "symbol:do_it", "leaf", 2 },
                                           { "symbol:do_it", "middle", 3 },
                                           {} },
        .builtin = (const char *const[]) { "in_kernel", "both", NULL },
        .builtin_aliases = (const WriterEntry[]) { { "acpi*:PNP0C0A:*", "in_kernel", 0 }, {} },
};

typedef struct Fixture {
        Scratch scratch;
        const Index *index;
        LookupCache *cache;
        IndexAnswer answer;
        ProblemList problems;
} Fixture;

static void reload(Fixture *f) {
        problem_list_clear(&f->problems);
        f->index = index_unref(f->index);
        assert_ok(index_new(&f->index, &(IndexSources) {
                .root = f->scratch.dir,
                .release = FAKE_RELEASE,
                .config_paths = (const char *const[]) { scratch_path(&f->scratch, "conf"), NULL },
                .command_line = "",
        }, &f->problems));
}

static int setup(void **state) {
        Fixture *f = calloc(1, sizeof(*f));

        assert_non_null(f);
        assert_ok(lookup_cache_new(&f->cache, 128U << 10));
        scratch_open(&f->scratch);
        fake_tree_write(&f->scratch, &tree);
        reload(f);
        *state = f;
        return 0;
}

static int teardown(void **state) {
        Fixture *f = *state;

        lookup_cache_free(f->cache);
        index_answer_clear(&f->answer);
        index_unref(f->index);
        problem_list_clear(&f->problems);
        scratch_close(&f->scratch);
        free(f);
        return 0;
}

/* "source:module(alias,option_key) .." */
static void assert_matches(const IndexMatch *m, size_t n, const char *expected) {
        char text[1024] = "";
        size_t at = 0;

        for (size_t i = 0; i < n; i++)
                at += (size_t) snprintf(text + at, sizeof(text) - at, "%s%s:%s%s(%s,%s)", i > 0 ? " " : "",
                                        index_source_to_string(m[i].source), m[i].name,
                                        m[i].module ? "" : "!", m[i].alias ?: "", m[i].option_key ?: "");
        assert_string_equal(text, expected);
}

/* The cache says the same as the index. */
static void expect(Fixture *f, const char *key, const char *expected) {
        const IndexMatch *m;
        size_t n;

        assert_ok(index_lookup(f->index, key, &f->answer));
        assert_matches(f->answer.matches, f->answer.n_matches, expected);
        assert_ok(lookup_cache_find(f->cache, f->index, key, &m, &n));
        assert_matches(m, n, expected);
}

static void test_stages(void **state) {
        Fixture *f = *state;

        expect(f, "top", "name:top(,)");
        expect(f, "other-one", "name:other_one(,)");
        expect(f, "fs-some", "alias:middle(fs_some,fs_some)");
        expect(f, "leaf", "name:leaf(,)"); /* and not what the alias of that name leads to */
        expect(f, "symbol:do_it",
               "symbol:leaf(symbol:do_it,symbol:do_it) symbol:middle(symbol:do_it,symbol:do_it)");
        expect(f, "symbol:other", "");
        expect(f, "do_it", "");
        expect(f, "in-kernel", "builtin:in_kernel(,)");
        expect(f, "acpi:PNP0C0A:", "builtin_alias:in_kernel(acpi*:PNP0C0A:*,acpi:PNP0C0A:)");
        expect(f, "both", "name:both(,)");
        expect(f, "nowhere", "alias:missing!(nowhere,nowhere)");
        expect(f, "", "");
        expect(f, "to[p", "");
        expect(f, "top]", "");
        expect(f, "TOP", "");
        expect(f, "pci:v00001234d00005678sv0sd0bc01sc0i0",
               "alias:top(pci:v00001234d*sv*sd*bc*sc*i*,pci:v00001234d00005678sv0sd0bc01sc0i0) "
               "alias:leaf(pci:v*d*sv*sd*bc01sc*i*,pci:v00001234d00005678sv0sd0bc01sc0i0) "
               "alias:other_one(pci:v00001234d00005678sv*sd*bc*sc*i*,pci:"
               "v00001234d00005678sv0sd0bc01sc0i0)");
        assert_int_equal(f->problems.n_items, 0);
        assert_true(index_is_complete(f->index));
        assert_int_equal(index_count_modules(f->index), 6);
        assert_int_equal(index_count_aliases(f->index), 7);
}

static void test_config_hides_the_rest(void **state) {
        Fixture *f = *state;

        scratch_write(
                &f->scratch, "conf/a.conf",
                "alias top leaf\nalias t?p other-one\nalias net-pf-* missing\n"
                "install command-only /bin/x\nremove command-only /bin/y\nremove removed /bin/z\n"
                "install command-only /bin/again\ninstall fs-some /bin/true\ninstall leaf /bin/false\n");
        reload(f);

        expect(f, "top", "config_alias:leaf(top,top) config_alias:other_one(t?p,t?p)");
        expect(f, "net-pf-31", "config_alias:missing!(net_pf_*,net_pf_*)");
        expect(f, "command-only", "command:command_only!(,)");
        expect(f, "removed", "command:removed!(,)");
        expect(f, "fs_some", "command:fs_some!(,)"); /* commands come before aliases, */
        expect(f, "leaf", "name:leaf(,)");           /* but after names */
        expect(f, "command-onl?", "");

        assert_ok(index_lookup(f->index, "command_only", &f->answer));
        assert_int_equal(f->answer.matches[0].config->line, 4);
        assert_ok(index_lookup(f->index, "t-p", &f->answer));
        assert_int_equal(f->answer.n_matches, 1);
        assert_int_equal(f->answer.matches[0].config->line, 2);
}

static void test_dependencies(void **state) {
        Fixture *f = *state;
        const IndexModule *m = index_find_module(f->index, "top");
        char path[256];

        assert_non_null(m);
        assert_int_equal(m->n_dependencies, 2);
        assert_string_equal(m->dependencies[0]->name, "leaf"); /* the last one listed is loaded first */
        assert_string_equal(m->dependencies[1]->name, "middle");
        assert_ptr_equal(m->dependencies[1]->dependencies[0], m->dependencies[0]);
        snprintf(path, sizeof(path), "%s/" FAKE_DIR "/kernel/top.ko", f->scratch.dir);
        assert_string_equal(m->path, path);

        m = index_find_module(f->index, "other-one");
        assert_non_null(m);
        snprintf(path, sizeof(path), "%s/" FAKE_DIR "/kernel/other-one.ko", f->scratch.dir);
        assert_string_equal(m->path, path);

        assert_null(index_find_module(f->index, "both")->path); /* in the kernel, whatever modules.dep says */
        assert_null(index_find_module(f->index, "in_kernel")->path);
        assert_null(index_find_module(f->index, "missing"));
        assert_null(index_find_module(f->index, "to[p"));
}

static void test_odd_dependency_lines(void **state) {
        static const WriterEntry lines[] = {
                { "no_colon", "kernel/no-colon.ko", 0 },
                { "elsewhere", "/opt/elsewhere.ko.xz:  /opt/un-listed.ko.xz\tkernel/elsewhere.ko ", 1 },
                { "empty", ":", 2 },
        };
        Fixture *f = *state;
        _cleanup_(freep) uint8_t *data = NULL;
        const IndexModule *m;
        size_t size;

        data = index_write(lines, ARRAY_LEN(lines), &size);
        scratch_write_bytes(&f->scratch, FAKE_DIR "/modules.dep.bin", data, size);
        reload(f);

        expect(f, "no_colon", "");
        m = index_find_module(f->index, "elsewhere");
        assert_string_equal(m->path, "/opt/elsewhere.ko.xz");
        assert_int_equal(m->n_dependencies, 2);
        assert_ptr_equal(m->dependencies[0], m); /* broken, and no reason to fall over */
        assert_string_equal(m->dependencies[1]->name, "un_listed");
        assert_string_equal(m->dependencies[1]->path, "/opt/un-listed.ko.xz");
        expect(f, "un_listed", "");     /* known, but without a line of its own */
        assert_non_null(index_find_module(f->index, "empty"));
}

static void test_softdeps(void **state) {
        Fixture *f = *state;
        IndexSoftdep *d;
        size_t n;

        scratch_write(&f->scratch, "conf/a.conf", "softdep top pre: fs-some leaf post: x-[a-z]\n"
                                                  "softdep t* junk pre: pre: other-one  \n"
                                                  "softdep other pre: leaf\nsoftdep top post:\n");
        scratch_write(&f->scratch, FAKE_DIR "/modules.softdep", "softdep top pre: from-depmod\n");
        reload(f);

        assert_ok(index_softdeps(f->index, "top", &d, &n));
        assert_int_equal(n, 5);
        assert_string_equal(d[0].key, "fs_some");
        assert_int_equal(d[0].config->line, 1);
        assert_false(d[0].post);
        assert_string_equal(d[1].key, "leaf");
        assert_string_equal(d[2].key, "x_[a-z]");
        assert_true(d[2].post);
        assert_string_equal(d[3].key, "other_one");
        assert_int_equal(d[3].config->line, 2);
        assert_string_equal(d[4].key, "from_depmod");
        free(d);

        assert_ok(index_softdeps(f->index, "leaf", &d, &n));
        assert_int_equal(n, 0);
        assert_null(d);
}

static void test_long_keys(void **state) {
        Fixture *f = *state;
        char key[REQUEST_KEY_MAX + 2];
        const IndexMatch *m;
        size_t n;

        memset(key, 'a', sizeof(key));
        key[REQUEST_KEY_MAX] = '\0';
        expect(f, key, "");
        key[REQUEST_KEY_MAX] = 'a';
        key[REQUEST_KEY_MAX + 1] = '\0';
        assert_int_equal(index_lookup(f->index, key, &f->answer), -ENAMETOOLONG);
        assert_int_equal(f->answer.n_matches, 0);
        assert_int_equal(lookup_cache_find(f->cache, f->index, key, &m, &n), -ENAMETOOLONG);

        key[REQUEST_KEY_MAX] = '\0';
        memcpy(key, "acpi:PNP0C0A:-", strlen("acpi:PNP0C0A:-"));
        for (unsigned i = 0; i < 2; i++) {
                assert_ok(lookup_cache_find(f->cache, f->index, key, &m, &n));
                assert_int_equal(n, 1);
                assert_int_equal(strlen(m->option_key), REQUEST_KEY_MAX);
                assert_true(startswith(m->option_key, "acpi:PNP0C0A:_a"));
        }
        expect(f, "\xff\xfe \n\"'`$(reboot)", "");
}

/* Asked again, every answer is the same, and the strings in it are those of the key that was asked for. */
static void test_remembers(void **state) {
        static const struct {
                const char *key, *answer;
        } cases[] = {
                { "fs_some",  "alias:middle(fs_some,fs_some)" },
                { "fs-some",  "alias:middle(fs_some,fs_some)" }, /* the same, and remembered for itself */
                { "fs-some2", "" },
                { "symbol:do_it",
                  "symbol:leaf(symbol:do_it,symbol:do_it) symbol:middle(symbol:do_it,symbol:do_it)" },
                { "symbol:do-it",
                  "symbol:leaf(symbol:do_it,symbol:do_it) symbol:middle(symbol:do_it,symbol:do_it)" },
                { "acpi:PNP0C0A:",  "builtin_alias:in_kernel(acpi*:PNP0C0A:*,acpi:PNP0C0A:)" },
                { "acpi:PNP0C0A:-", "builtin_alias:in_kernel(acpi*:PNP0C0A:*,acpi:PNP0C0A:_)" },
                { "pci:v0000-", "" },
                { "pci:v00001234d-sv-sd-bc02sc-i-",
                  "alias:top(pci:v00001234d*sv*sd*bc*sc*i*,pci:v00001234d_sv_sd_bc02sc_i_)" },
                { "pci:v00001234d[-]sv0sd0bc01sc0i0",
                  "alias:top(pci:v00001234d*sv*sd*bc*sc*i*,pci:v00001234d[-]sv0sd0bc01sc0i0) "
                  "alias:leaf(pci:v*d*sv*sd*bc01sc*i*,pci:v00001234d[-]sv0sd0bc01sc0i0)" },
                { "top",       "name:top(,)" },
                { "other-one", "name:other_one(,)" },
                { "to[p",      "" },
                { "",          "" },
        };
        Fixture *f = *state;

        for (unsigned round = 0; round < 3; round++)
                for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                        expect(f, cases[i].key, cases[i].answer);
                        expect(f, cases[i].key, cases[i].answer);
                }
}

/* More keys than are remembered: the first are forgotten, nothing is wrong, and nothing is allocated. */
static void test_forgets(void **state) {
        Fixture *f = *state;
        char key[128], expected[512];
        size_t used;

        expect(f, "fs-some", "alias:middle(fs_some,fs_some)");
        used = mallinfo2().uordblks;
        for (unsigned i = 0; i < 20000; i++) {
                unsigned back = i - MIN(i, i * 7919U % 3000U);

                for (unsigned k = 0; k < 2; k++) {
                        unsigned number = k == 0 ? i : back;

                        (void) snprintf(key, sizeof(key), "pci:v00001234d%08Xsv-sd0bc00sc0%.*si0", number,
                                        (int) (number % 40), "----------------------------------------");
                        (void) snprintf(expected, sizeof(expected),
                                        "alias:top(pci:v00001234d*sv*sd*bc*sc*i*,"
                                        "pci:v00001234d%08Xsv_sd0bc00sc0%.*si0)", number,
                                        (int) (number % 40), "________________________________________");
                        expect(f, key, expected);
                }
        }
        expect(f, "fs-some", "alias:middle(fs_some,fs_some)");
        assert_int_equal(mallinfo2().uordblks, used);
}

/* Another index has other answers; the one before lives as long as the cache refers to it. */
static void test_cache_follows_the_index(void **state) {
        Fixture *f = *state;
        const Index *before = index_ref(f->index);
        const IndexMatch *m;
        size_t n;

        scratch_write(&f->scratch, "conf/a.conf", "alias fs-some leaf\n");
        reload(f);
        for (unsigned i = 0; i < 2; i++) {
                assert_ok(lookup_cache_find(f->cache, before, "fs-some", &m, &n));
                assert_matches(m, n, "alias:middle(fs_some,fs_some)");
        }
        before = index_unref(before);
        assert_string_equal(m->name, "middle");
        for (unsigned i = 0; i < 2; i++)
                expect(f, "fs-some", "config_alias:leaf(fs_some,fs_some)");

        lookup_cache_clear(f->cache);
        expect(f, "fs-some", "config_alias:leaf(fs_some,fs_some)");
}

/* More matches than there is room for at first, and at last more than the cache takes. */
static void test_many_matches(void **state) {
        Fixture *f = *state;
        char *text, *end;

        text = end = malloc(64 * 1024);
        assert_non_null(text);
        for (unsigned i = 0; i < 1000; i++)
                end += sprintf(end, "alias many-%.*s* m%u\n", (int) (i < 100 ? 1 : 0), "a", i);
        scratch_write(&f->scratch, "conf/a.conf", text);
        free(text);
        reload(f);

        for (unsigned round = 0; round < 3; round++)
                for (unsigned k = 0; k < 2; k++) {
                        const IndexMatch *m;
                        char name[16];
                        size_t n;

                        assert_ok(lookup_cache_find(f->cache, f->index, k ? "many-a" : "many-b", &m, &n));
                        assert_int_equal(n, k ? 1000 : 900);
                        for (unsigned i = 0; i < n; i++) {
                                (void) snprintf(name, sizeof(name), "m%u", k ? i : i + 100);
                                assert_string_equal(m[i].name, name);
                                assert_string_equal(m[i].option_key, k && i < 100 ? "many_a*" : "many_*");
                        }
                }
}

static void test_missing_files(void **state) {
        static const struct {
                const char *name;
                bool complete;
                size_t n_problems;
        } cases[] = {
                { "modules.dep.bin",           false, 1 },
                { "modules.alias.bin",         true,  1 },
                { "modules.symbols.bin",       true,  1 },
                { "modules.builtin.bin",       true,  1 },
                { "modules.builtin.alias.bin", true,  0 }, /* kernels before 5.4 have none */
        };
        Fixture *f = *state;
        char path[256];

        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                fake_tree_write(&f->scratch, &tree);
                snprintf(path, sizeof(path), FAKE_DIR "/%s", cases[i].name);
                scratch_remove(&f->scratch, path);
                reload(f);
                assert_int_equal(index_is_complete(f->index), cases[i].complete);
                assert_int_equal(f->problems.n_items, cases[i].n_problems);
                if (cases[i].n_problems > 0)
                        assert_string_equal(f->problems.items[0].file, scratch_path(&f->scratch, path));

                scratch_write(&f->scratch, path, "half a fi");
                reload(f);
                assert_int_equal(index_is_complete(f->index), cases[i].complete);
                assert_int_equal(f->problems.n_items, 1);
                assert_string_equal(f->problems.items[0].file, scratch_path(&f->scratch, path));
        }

        fake_tree_write(&f->scratch, &tree);
        scratch_remove(&f->scratch, FAKE_DIR "/modules.dep.bin");
        reload(f);
        expect(f, "fs_some", "alias:middle!(fs_some,fs_some)"); /* the rest still answers */
        expect(f, "in_kernel", "builtin:in_kernel(,)");
}

static void test_no_module_directory(void **state) {
        Fixture *f = *state;
        ProblemList problems = {};
        const Index *x = NULL;

        assert_ok(index_new(&x, &(IndexSources) {
                .root = f->scratch.dir,
                .release = "1.2.3",
                .config_paths = (const char *const[]) { NULL },
                .command_line = "",
        }, &problems));
        assert_false(index_is_complete(x));
        assert_int_equal(problems.n_items, 1);
        assert_string_equal(problems.items[0].file, index_get_module_dir(x));
        assert_string_equal(index_get_release(x), "1.2.3");
        problem_list_clear(&problems);
        index_unref(x);

        x = NULL;
        assert_int_equal(index_new(&x, &(IndexSources) { .release = "" }, NULL), -EINVAL);
        assert_int_equal(index_new(&x, &(IndexSources) { .release = "../x" }, NULL), -EINVAL);
        assert_null(x);
}

static void test_defaults(void **state) {
        _cleanup_(index_unrefp) const Index *x = NULL;
        struct utsname u;

        assert_ok(index_new(&x, &(IndexSources) {}, NULL)); /* whatever this machine has */
        assert_int_equal(uname(&u), 0);
        assert_string_equal(index_get_release(x), u.release);
        assert_true(startswith(index_get_module_dir(x), MODULE_ROOT "/"));
}

static void test_relative_root(void **state) {
        Fixture *f = *state;
        _cleanup_(index_unrefp) const Index *x = NULL;
        _cleanup_(freep) char *here = get_current_dir_name();

        assert_non_null(here);
        assert_int_equal(chdir(f->scratch.dir), 0);
        assert_ok(index_new(&x, &(IndexSources) {
                .root = ".",
                .release = FAKE_RELEASE,
                .config_paths = (const char *const[]) { NULL },
                .command_line = "",
        }, NULL));
        assert_int_equal(chdir(here), 0);
        assert_true(index_is_complete(x));
        assert_int_equal(index_get_module_dir(x)[0], '/');
        assert_int_equal(index_find_module(x, "top")->path[0], '/');
}

static void test_lives_without_its_files(void **state) {
        Fixture *f = *state;

        scratch_write(&f->scratch, FAKE_DIR "/modules.alias.bin", "");
        scratch_remove(&f->scratch, FAKE_DIR "/modules.symbols.bin");
        expect(f, "fs_some", "alias:middle(fs_some,fs_some)");
        expect(f, "symbol:do_it",
               "symbol:leaf(symbol:do_it,symbol:do_it) symbol:middle(symbol:do_it,symbol:do_it)");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_stages, setup, teardown),
                cmocka_unit_test_setup_teardown(test_config_hides_the_rest, setup, teardown),
                cmocka_unit_test_setup_teardown(test_dependencies, setup, teardown),
                cmocka_unit_test_setup_teardown(test_odd_dependency_lines, setup, teardown),
                cmocka_unit_test_setup_teardown(test_softdeps, setup, teardown),
                cmocka_unit_test_setup_teardown(test_long_keys, setup, teardown),
                cmocka_unit_test_setup_teardown(test_remembers, setup, teardown),
                cmocka_unit_test_setup_teardown(test_forgets, setup, teardown),
                cmocka_unit_test_setup_teardown(test_cache_follows_the_index, setup, teardown),
                cmocka_unit_test_setup_teardown(test_many_matches, setup, teardown),
                cmocka_unit_test_setup_teardown(test_missing_files, setup, teardown),
                cmocka_unit_test_setup_teardown(test_no_module_directory, setup, teardown),
                cmocka_unit_test(test_defaults),
                cmocka_unit_test_setup_teardown(test_relative_root, setup, teardown),
                cmocka_unit_test_setup_teardown(test_lives_without_its_files, setup, teardown),
        };

        return RUN_TESTS(tests);
}
