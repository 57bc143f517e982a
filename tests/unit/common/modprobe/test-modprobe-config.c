/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include <sys/stat.h>

#include "common/modprobe/modprobe-config.h"
#include "scratch.h"

/* What a configuration says, one entry a line: "kind name|value file:line", file without its directory. */
static char *print(const ModprobeConfig *c) {
        char *text = NULL;
        size_t size;
        FILE *f = open_memstream(&text, &size);

        assert_non_null(f);
        for (ConfigKind k = 0; k < _CONFIG_KIND_MAX; k++) {
                const ConfigEntry *e;
                size_t n;

                e = modprobe_config_entries(c, k, &n);
                for (size_t i = 0; i < n; i++) {
                        const char *slash = strrchr(e[i].file, '/');

                        assert_int_equal(e[i].kind, k);
                        fprintf(f, "%s %s", config_kind_to_string(k), e[i].name);
                        if (e[i].value)
                                fprintf(f, "|%s", e[i].value);
                        fprintf(f, " %s:%u\n", slash ? slash + 1 : e[i].file, e[i].line);
                }
        }
        assert_int_equal(fclose(f), 0);
        return text;
}

static char *print_problems(const ProblemList *l) {
        char *text = NULL;
        size_t size;
        FILE *f = open_memstream(&text, &size);

        assert_non_null(f);
        for (size_t i = 0; i < l->n_items; i++) {
                const char *slash = strrchr(l->items[i].file, '/');

                fprintf(f, "%s:%u: %s\n", slash ? slash + 1 : l->items[i].file, l->items[i].line,
                        l->items[i].message);
        }
        assert_int_equal(fclose(f), 0);
        return text;
}

static void expect(const ModprobeConfigSources *sources, const char *entries, const char *complaints) {
        _cleanup_(modprobe_config_freep) ModprobeConfig *c = NULL;
        _cleanup_(freep) char *text = NULL, *problems = NULL;
        ProblemList list = {};

        assert_ok(modprobe_config_new(&c, sources, &list));
        text = print(c);
        problems = print_problems(&list);
        assert_string_equal(text, entries);
        assert_string_equal(problems, complaints);
        problem_list_clear(&list);
}

/* One file a.conf and nothing else. */
static void expect_file_bytes(const void *data, size_t size, const char *entries, const char *complaints) {
        Scratch s;

        scratch_open(&s);
        scratch_write_bytes(&s, "a.conf", data, size);
        expect(&(ModprobeConfigSources) { .paths = (const char *const[]) { s.dir, NULL } }, entries,
               complaints);
        scratch_close(&s);
}

static void expect_file(const char *text, const char *entries, const char *complaints) {
        expect_file_bytes(text, strlen(text), entries, complaints);
}

static void test_lines(void **state) {
        static const struct {
                const char *text, *entries, *complaints;
        } cases[] = {
                { "", "", "" },
                { "\n\n \n\t\n", "", "" },
                { "# blacklist a\nblacklist b", "blacklist b a.conf:2\n", "" },
                { " \tblacklist\t\ta-b  junk # x\n", "blacklist a_b a.conf:1\n", "" },
                { " # blacklist a\n", "", "a.conf:1: ignoring bad line starting with '#'\n" },
                { "options foo a=1 # x\n", "options foo|a=1 # x a.conf:1\n", "" },
                { "options foo-x   a=1\tb-c=2 \n", "options foo_x|  a=1 b-c=2  a.conf:1\n", "" },
                { "options foo\noptions\noptions foo \n", "",
                  "a.conf:1: ignoring bad line starting with 'options'\n"
                  "a.conf:2: ignoring bad line starting with 'options'\n"
                  "a.conf:3: ignoring bad line starting with 'options'\n" },
                { "options foo  \n", "options foo|  a.conf:1\n", "" },
                { "alias a-[a-z]-b* c-d e\n", "alias a_[a-z]_b*|c_d a.conf:1\n", "" },
                { "alias a\nalias a[ b\nalias a] b\nalias a b[\n", "",
                  "a.conf:1: ignoring bad line starting with 'alias'\n"
                  "a.conf:2: ignoring bad line starting with 'alias'\n"
                  "a.conf:3: ignoring bad line starting with 'alias'\n"
                  "a.conf:4: ignoring bad line starting with 'alias'\n" },
                { "blacklist a[-\n", "", "a.conf:1: ignoring bad line starting with 'blacklist'\n" },
                { "install a-b /bin/x-y \\\n  $CMDLINE_OPTS\nremove c\tcmd\\\\x \\y\n",
                  "install a_b|/bin/x-y   $CMDLINE_OPTS a.conf:1\nremove c|cmd\\x y a.conf:3\n", "" },
                { "softdep a-b pre: c-d post: e\nweakdep a b-c\n",
                  "softdep a_b|pre: c-d post: e a.conf:1\nweakdep a|b-c a.conf:2\n", "" },
                { "Blacklist a\nfrobnicate\n", "",
                  "a.conf:1: ignoring bad line starting with 'Blacklist'\n"
                  "a.conf:2: ignoring bad line starting with 'frobnicate'\n" },
                { "include /etc/x\nconfig binary_indexes yes\n", "",
                  "a.conf:1: 'include' is not supported any more\na.conf:2: 'config' is not supported any "
                  "more\n" },
                { "blacklist foo\r\nblacklist bar\r\n",
                  "blacklist foo\r a.conf:1\nblacklist bar\r a.conf:2\n", "" },
                { "blacklist \\\nfoo\n\\\n\\\n\nblacklist b",
                  "blacklist foo a.conf:1\nblacklist b a.conf:6\n", "" },
                { "blacklist foo\\", "blacklist foo a.conf:1\n", "" },
                { "blacklist foo\\\n", "blacklist foo a.conf:1\n", "" },
                { "\\\n\\\n", "", "" },
                { "blac\\klist foo\n", "blacklist foo a.conf:1\n", "" },
                { "# a \\\nblacklist foo\nblacklist bar\n", "blacklist bar a.conf:3\n", "" },
        };

        for (size_t i = 0; i < ARRAY_LEN(cases); i++)
                expect_file(cases[i].text, cases[i].entries, cases[i].complaints);
}

static void test_nul_hides_the_rest_of_a_line(void **state) {
        static const char text[] = "blacklist a\0b\nblacklist c\n\0\nblacklist d";

        expect_file_bytes(text, sizeof(text) - 1,
                          "blacklist a a.conf:1\nblacklist c a.conf:2\nblacklist d a.conf:4\n", "");
}

static void test_long_line(void **state) {
        const size_t size = 1U << 20;
        _cleanup_(freep) char *text = malloc(size + 64);
        _cleanup_(modprobe_config_freep) ModprobeConfig *c = NULL;
        const ConfigEntry *e;
        Scratch s;
        size_t n;

        assert_non_null(text);
        memcpy(text, "options foo ", 12);
        memset(text + 12, 'x', size);
        strcpy(text + 12 + size, "\nblacklist bar\n");

        scratch_open(&s);
        scratch_write(&s, "a.conf", text);
        assert_ok(modprobe_config_new(&c, &(ModprobeConfigSources) {
                .paths = (const char *const[]) { s.dir, NULL },
        }, NULL));
        e = modprobe_config_entries(c, CONFIG_OPTIONS, &n);
        assert_int_equal(n, 1);
        assert_int_equal(strlen(e->value), size);
        assert_true(modprobe_config_is_blacklisted(c, "bar", NULL));

        /* A word as long as that is not repeated in the complaint. */
        memset(text, 'y', size);
        scratch_write(&s, "a.conf", text);
        c = modprobe_config_free(c);
        ProblemList list = {};
        assert_ok(modprobe_config_new(&c, &(ModprobeConfigSources) {
                .paths = (const char *const[]) { s.dir, NULL },
        }, &list));
        assert_int_equal(list.n_items, 1);
        assert_true(strlen(list.items[0].message) < 200);
        problem_list_clear(&list);
        scratch_close(&s);
}

static void test_order_and_masking(void **state) {
        Scratch s;
        ModprobeConfigSources sources;

        scratch_open(&s);
        scratch_write(&s, "high/b.conf", "blacklist high_b\n");
        scratch_write(&s, "high/masked.conf", "");
        scratch_link(&s, "high/null.conf", "/dev/null");
        scratch_write(&s, "high/.hidden.conf", "blacklist hidden\n");
        scratch_write(&s, "high/x.cfg", "blacklist cfg\n");
        scratch_write(&s, "high/conf", "blacklist conf\n");
        scratch_write(&s, "high/.conf", "blacklist dotconf\n");
        scratch_write(&s, "high/backup.conf~", "blacklist backup\n");
        scratch_write(&s, "low/a.conf", "blacklist low_a\n");
        scratch_write(&s, "low/b.conf", "blacklist low_b\n");
        scratch_write(&s, "low/c.conf", "blacklist low_c\n");
        scratch_write(&s, "low/masked.conf", "blacklist masked\n");
        scratch_write(&s, "low/null.conf", "blacklist null\n");
        scratch_write(&s, "modules/modules.softdep", "softdep from modules pre: a\nsoftdep m pre: x\n");
        scratch_write(&s, "low/zz.conf", "softdep m pre: z\n");
        scratch_write(&s, "single", "blacklist single\n");

        sources = (ModprobeConfigSources) {
                .paths = (const char *const[]) {
                        scratch_path(&s, "high"), scratch_path(&s, "low"), scratch_path(&s, "missing"),
                        scratch_path(&s, "single"), NULL
                },
                .module_dir = scratch_path(&s, "modules"),
        };
        expect(&sources,
               "blacklist low_a a.conf:1\nblacklist high_b b.conf:1\nblacklist low_c c.conf:1\n"
               "blacklist single single:1\n"
               "softdep from|modules pre: a modules.softdep:1\nsoftdep m|pre: x modules.softdep:2\n"
               "softdep m|pre: z zz.conf:1\n", "");

        scratch_write(&s, "high/aa.conf", "softdep m pre: a\n");
        expect(&sources,
               "blacklist low_a a.conf:1\nblacklist high_b b.conf:1\nblacklist low_c c.conf:1\n"
               "blacklist single single:1\n"
               "softdep m|pre: a aa.conf:1\n"
               "softdep from|modules pre: a modules.softdep:1\nsoftdep m|pre: x modules.softdep:2\n"
               "softdep m|pre: z zz.conf:1\n", "");
        scratch_close(&s);
}

static void test_what_is_no_file(void **state) {
        Scratch s;

        scratch_open(&s);
        scratch_mkdir(&s, "a/dir.conf");
        scratch_link(&s, "a/dangling.conf", "/nonexistent/x");
        assert_int_equal(mkfifo(scratch_path(&s, "a/pipe.conf"), 0644), 0);
        scratch_write(&s, "b/dangling.conf", "blacklist behind_dangling\n");
        scratch_write(&s, "b/dir.conf", "blacklist behind_dir\n");
        scratch_write(&s, "b/pipe.conf", "blacklist behind_pipe\n");

        _cleanup_(modprobe_config_freep) ModprobeConfig *c = NULL;
        ProblemList list = {};
        assert_ok(modprobe_config_new(&c, &(ModprobeConfigSources) {
                .paths = (const char *const[]) { scratch_path(&s, "a"), scratch_path(&s, "b"), NULL },
        }, &list));

        /*
         * A directory and a dangling link hide nothing, as kmod has it; what is there hides what is below.
         */
        assert_true(modprobe_config_is_blacklisted(c, "behind_dir", NULL));
        assert_true(modprobe_config_is_blacklisted(c, "behind_dangling", NULL));
        assert_false(modprobe_config_is_blacklisted(c, "behind_pipe", NULL));
        assert_int_equal(list.n_items, 3);
        for (size_t i = 0; i < list.n_items; i++) {
                assert_true(startswith(list.items[i].file, s.dir));
                assert_int_equal(list.items[i].line, 0);
        }
        problem_list_clear(&list);
        scratch_close(&s);
}

static void test_unreadable(void **state) {
        Scratch s;

        if (geteuid() == 0) {
                /* Nothing is unreadable for root: only that a link in a circle is said to be. */
                scratch_open(&s);
                scratch_link(&s, "d", "d");
                expect(&(ModprobeConfigSources) { .paths = (const char *const[]) { scratch_path(&s, "d"),
                                                                                   NULL } },
                       "", "d:0: cannot be read: Too many levels of symbolic links\n");
                scratch_close(&s);
                return;
        }

        scratch_open(&s);
        scratch_write(&s, "a.conf", "blacklist a\n");
        scratch_write(&s, "b.conf", "blacklist b\n");
        assert_int_equal(chmod(scratch_path(&s, "a.conf"), 0), 0);
        expect(&(ModprobeConfigSources) { .paths = (const char *const[]) { s.dir, NULL } },
               "blacklist b b.conf:1\n", "a.conf:0: cannot be read: Permission denied\n");
        scratch_close(&s);
}

static void test_kernel_command_line(void **state) {
        static const struct {
                const char *text, *entries;
        } cases[] = {
                { "", "" },
                { "ro quiet root=/dev/vda1 init=/a.b\n", "" },
                { "snd-hda.power=1 quiet", "options snd_hda|power=1 cmdline:0\n" },
                { "mod.param\n", "options mod|param cmdline:0\n" },
                { "a.b", "options a|b cmdline:0\n" },
                { "x.y.z=1 a.b=c.d", "options a|b=c.d cmdline:0\n" },
                { "mod.p=\"a b\" m2.q=1", "options mod|p=\"a b\" cmdline:0\noptions m2|q=1 cmdline:0\n" },
                { "\"mod.p=a b\" m2.q=1", "options mod|p=\"a b\" cmdline:0\noptions m2|q=1 cmdline:0\n" },
                { "\"mo.p=\" m2.q=1", "options mo|p=\"\" cmdline:0\noptions m2|q=1 cmdline:0\n" },
                { "\"mod.p\" m2.q=1", "options m2|q=1 cmdline:0\n" },
                { "\"\"mod.p=1 m2.q=1", "options m2|q=1 cmdline:0\n" },
                { "mo\"d.p=1 x\"y m2.q=1", "options m2|q=1 cmdline:0\n" },
                { "a.b=1 mod.p=\"a b m2.q=1", "options a|b=1 cmdline:0\n" },
                { "mod[.p=1 m2.q=1", "options m2|q=1 cmdline:0\n" },
                { ".p=1 m.=2 m.", "options |p=1 cmdline:0\noptions m|=2 cmdline:0\noptions m| cmdline:0\n" },
                { "a.b=1 -- c.d=2", "options a|b=1 cmdline:0\noptions c|d=2 cmdline:0\n" },
                { "modprobe.blacklist=a-b,c\tmodprobe.blacklist=d",
                  "blacklist a_b cmdline:0\nblacklist c cmdline:0\nblacklist d cmdline:0\n" },
                { "modprobe.other=1", "options modprobe|other=1 cmdline:0\n" },
        };

        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                _cleanup_(modprobe_config_freep) ModprobeConfig *c = NULL;
                _cleanup_(freep) char *text = NULL;

                assert_ok(modprobe_config_new(&c, &(ModprobeConfigSources) {
                        .paths = (const char *const[]) { NULL },
                        .command_line = cases[i].text,
                }, NULL));
                text = print(c);
                assert_string_equal(text, cases[i].entries);
        }
}

static void test_command_line_comes_last(void **state) {
        Scratch s;

        scratch_open(&s);
        scratch_write(&s, "zz.conf", "options foo a=1\n");
        expect(&(ModprobeConfigSources) {
                .paths = (const char *const[]) { s.dir, NULL },
                .command_line = "foo.a=2",
        }, "options foo|a=1 zz.conf:1\noptions foo|a=2 cmdline:0\n", "");
        scratch_close(&s);
}

static void test_questions(void **state) {
        _cleanup_(modprobe_config_freep) ModprobeConfig *c = NULL;
        const ConfigEntry *e = NULL;
        Scratch s;

        scratch_open(&s);
        scratch_write(&s, "a.conf", "blacklist b\nblacklist a\nblacklist c\nblacklist a\nblacklist d*\n"
                                    "install a* first\ninstall ab second\nremove ab third\n");
        assert_ok(modprobe_config_new(&c, &(ModprobeConfigSources) {
                .paths = (const char *const[]) { s.dir, NULL },
        }, NULL));

        assert_true(modprobe_config_is_blacklisted(c, "a", &e));
        assert_int_equal(e->line, 2);   /* the first of both */
        assert_true(modprobe_config_is_blacklisted(c, "c", &e));
        assert_int_equal(e->line, 3);
        assert_false(modprobe_config_is_blacklisted(c, "", NULL));
        assert_false(modprobe_config_is_blacklisted(c, "dd", NULL)); /* no patterns there */
        assert_false(modprobe_config_is_blacklisted(c, "zzz", NULL));

        assert_string_equal(modprobe_config_find_command(c, CONFIG_INSTALL, "ab")->value, "first");
        assert_string_equal(modprobe_config_find_command(c, CONFIG_REMOVE, "ab")->value, "third");
        assert_null(modprobe_config_find_command(c, CONFIG_INSTALL, "b"));
        scratch_close(&s);
}

/* ---------------------------------------------------------------------------------------------- memory */

/* AddressSanitizer's own; absent in builds without it, where the most is not known. */
size_t __sanitizer_get_allocated_size(const volatile void *p) __attribute__((weak));
int __sanitizer_install_malloc_and_free_hooks(void (*on_malloc)(const volatile void *p, size_t size),
                                              void (*on_free)(const volatile void *p)) __attribute__((weak));

static size_t allocated, allocated_most;

static void on_malloc(const volatile void *p, size_t size) {
        allocated += size;
        allocated_most = MAX(allocated_most, allocated);
}

static void on_free(const volatile void *p) {
        if (p)
                allocated -= MIN(allocated, __sanitizer_get_allocated_size(p));
}

/* Tools write a file for each thing that they forbid. What is kept of one is its line, also while there are two. */
/* ------------------------------------------------------------------------------------------------ the observer */

static const char *after_slash(const char *path) {
        return path ? strrchr(path, '/') + 1 : "-";
}

static int on_path(const char *path, ConfigPathFate fate, const char *by, int error, void *userdata) {
        static const char *const words[] = { [CONFIG_PATH_DIRECTORY] = "directory",
                                             [CONFIG_PATH_READ] = "read",
                                             [CONFIG_PATH_HIDDEN] = "hidden",
                                             [CONFIG_PATH_NOT_NAMED] = "not named",
                                             [CONFIG_PATH_UNREADABLE] = "unreadable" };

        if (fate == CONFIG_PATH_NOT_NAMED && error == EISDIR)
                return 0;               /* "." and ".." */
        fprintf(userdata, "%s: %s %s %d\n", after_slash(path), words[fate], after_slash(by), error);
        return 0;
}

static int on_text(const char *file, const char *text, size_t size, void *userdata) {
        fprintf(userdata, "%s: %zu bytes, %zu\n", after_slash(file), size, strlen(text));
        return 0;
}

static int on_line(const char *file, unsigned line, const char *text, bool counts, void *userdata) {
        fprintf(userdata, "%s:%u: %s '%s'\n", after_slash(file), line, counts ? "counts" : "ignored", text);
        return 0;
}

static void test_what_an_observer_sees(void **state) {
        _cleanup_(modprobe_config_freep) ModprobeConfig *c = NULL;
        _cleanup_(freep) char *text = NULL;
        Scratch s;
        size_t size;
        FILE *f = open_memstream(&text, &size);
        ConfigObserver observer = { on_path, on_text, on_line, f };

        assert_non_null(f);
        scratch_open(&s);
        scratch_write(&s, "high/a.conf", "# a\n\nblacklist x y\nBLACKLIST x\noptions \\\n  b c=1\n");
        scratch_write(&s, "low/a.conf", "blacklist z\n");
        scratch_write(&s, "low/b.conf.old", "blacklist z\n");
        scratch_link(&s, "low/c.conf", "/no/such/file");
        assert_ok(
                modprobe_config_new(&c,
                                    &(ModprobeConfigSources) {
                                            .paths = (const char *const[]) { scratch_path(&s, "high"),
                                                                             scratch_path(&s, "low"), NULL },
                                            .observer = &observer,
                                    },
                                    NULL));
        assert_int_equal(fclose(f), 0);
        /* Paths of one directory come in its own order. */
        assert_ptr_equal(strstr(text, "high: directory - 0\nlow: directory - 0\n"), text);
        assert_non_null(strstr(text, "b.conf.old: not named - 0\n"));
        assert_non_null(strstr(text, "c.conf: unreadable - 2\n"));
        assert_non_null(strstr(text, "a.conf: read - 0\n"
                                     "a.conf: 49 bytes, 49\n"
                                     "a.conf:1: counts '# a'\n"
                                     "a.conf:3: counts 'blacklist x y'\n"
                                     "a.conf:4: ignored 'BLACKLIST x'\n"
                                     "a.conf:5: counts 'options   b c=1'\n"
                                     "a.conf: hidden a.conf 0\n"));
        scratch_close(&s);
}

static int refuse_line(const char *file, unsigned line, const char *text, bool counts, void *userdata) {
        return line == 2 ? -ECANCELED : 0;
}

static void test_an_observer_can_end_it(void **state) {
        ConfigObserver observer = { .on_line = refuse_line };
        ModprobeConfig *c = NULL;
        Scratch s;

        scratch_open(&s);
        scratch_write(&s, "a.conf", "blacklist a\nblacklist b\n");
        assert_int_equal(modprobe_config_new(&c,
                                             &(ModprobeConfigSources) {
                                                     .paths = (const char *const[]) { s.dir, NULL },
                                                     .observer = &observer,
                                             },
                                             NULL),
                         -ECANCELED);
        assert_null(c);
        scratch_close(&s);
}

static void test_many_small_files(void **state) {
        enum { FILES = 4000, BYTES_EACH = 256 };
        _cleanup_(modprobe_config_freep) ModprobeConfig *before = NULL, *after = NULL;
        _cleanup_(scratch_close) Scratch s;
        const char *paths[] = { NULL, NULL };
        const ModprobeConfigSources sources = { .paths = paths };
        size_t n;

        scratch_open(&s);
        for (unsigned i = 0; i < FILES; i++) {
                char name[32], text[2048];

                snprintf(name, sizeof(name), "d/%u.conf", i);
                snprintf(text, sizeof(text), "# %01000d\nblacklist m%u\n", 0, i);
                scratch_write(&s, name, text);
        }
        paths[0] = scratch_path(&s, "d");
        if (__sanitizer_install_malloc_and_free_hooks)
                assert_true(__sanitizer_install_malloc_and_free_hooks(on_malloc, on_free) > 0);
        assert_ok(modprobe_config_new(&before, &sources, NULL));
        assert_ok(modprobe_config_new(&after, &sources, NULL));
        (void) modprobe_config_entries(after, CONFIG_BLACKLIST, &n);
        assert_int_equal(n, FILES);
        assert_true(allocated_most <= 2UL * FILES * BYTES_EACH + (1U << 20));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_lines),
                cmocka_unit_test(test_nul_hides_the_rest_of_a_line),
                cmocka_unit_test(test_long_line),
                cmocka_unit_test(test_order_and_masking),
                cmocka_unit_test(test_what_is_no_file),
                cmocka_unit_test(test_unreadable),
                cmocka_unit_test(test_kernel_command_line),
                cmocka_unit_test(test_command_line_comes_last),
                cmocka_unit_test(test_questions),
                cmocka_unit_test(test_what_an_observer_sees),
                cmocka_unit_test(test_an_observer_can_end_it),
                cmocka_unit_test(test_many_small_files),
        };

        return RUN_TESTS(tests);
}
