/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include "common/base/limits.h"
#include "common/modprobe/load-list.h"
#include "scratch.h"

/* "name file:line\n" for each entry, files without the root; then "! file:line: message\n" for each problem. */
static char *read_lists(const Scratch *s, const char *command_line, bool in_initramfs) {
        _cleanup_(load_list_freep) LoadList *l = NULL;
        ProblemList problems = {};
        const LoadEntry *e;
        char *text = NULL;
        size_t size, n;
        FILE *f = open_memstream(&text, &size);

        assert_non_null(f);
        assert_ok(load_list_new(&l,
                                &(LoadListSources) { .root = s->dir,
                                                     .command_line = command_line,
                                                     .in_initramfs = in_initramfs },
                                &problems));
        e = load_list_entries(l, &n);
        for (size_t i = 0; i < n; i++)
                fprintf(f, "%s %s:%u\n", e[i].name,
                        startswith(e[i].file, s->dir) ? e[i].file + strlen(s->dir) : e[i].file, e[i].line);
        for (size_t i = 0; i < problems.n_items; i++) {
                const Problem *p = problems.items + i;

                fprintf(f, "! %s:%u: %s\n", p->file + (startswith(p->file, s->dir) ? strlen(s->dir) : 0),
                        p->line, p->message);
        }
        problem_list_clear(&problems);
        assert_int_equal(fclose(f), 0);
        return text;
}

static void expect(const Scratch *s, const char *expected) {
        _cleanup_(freep) char *text = read_lists(s, NULL, false);

        assert_string_equal(text, expected);
}

static void test_lines(void **state) {
        static const struct {
                const char *text;
                size_t size;            /* 0: up to the NUL */
                const char *names;      /* "name:line ", file a.conf */
        } cases[] = {
                { "", 0, "" },
                { "loop", 0, "loop:1 " },
                { "loop\n", 0, "loop:1 " },
                { "\n\n  loop\t\n", 0, "loop:3 " },
                { "# comment\n; comment\n  # loop\n\t;loop\nloop # no comment\n", 0, "loop # no comment:5 " },
                { "loop\r\nfuse\r\n", 0, "loop:1 fuse:2 " },
                { "loop\rfuse\r\r\ndm_mod", 0, "loop:1 fuse:2 dm_mod:4 " },
                { "loop\0fuse\n", sizeof("loop\0fuse\n") - 1, "loop:1 fuse:2 " },
                { "loop\nloop\nfuse\n", 0, "loop:1 fuse:3 " },
                { "dm-mod\ndm_mod\n", 0, "dm-mod:1 " },
                { "pci:v00008086d*\nfs-xfs\nnet-pf-10\n", 0, "pci:v00008086d*:1 fs-xfs:2 net-pf-10:3 " },
                { "a b c\n", 0, "a b c:1 " },
                { "\\\nloop", 0, "\\:1 loop:2 " },
                { "\377\376\n", 0, "\377\376:1 " },
                { "\n", 0, "" },
                { "\"\n'\n", 0, "\":1 ':2 " },
        };

        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                _cleanup_(load_list_freep) LoadList *l = NULL;
                _cleanup_(freep) char *names = NULL;
                const LoadEntry *e;
                size_t size, n;
                Scratch s;
                FILE *f;

                scratch_open(&s);
                scratch_write_bytes(&s, "etc/modules-load.d/a.conf", cases[i].text,
                                    cases[i].size ?: strlen(cases[i].text));
                assert_ok(load_list_new(&l, &(LoadListSources) { .root = s.dir }, NULL));
                f = open_memstream(&names, &size);
                assert_non_null(f);
                e = load_list_entries(l, &n);
                for (size_t k = 0; k < n; k++)
                        fprintf(f, "%s:%u ", e[k].name, e[k].line);
                assert_int_equal(fclose(f), 0);
                assert_string_equal(names, cases[i].names);
                scratch_close(&s);
        }
}

static void test_directories(void **state) {
        Scratch s;

        scratch_open(&s);
        expect(&s, "");
        scratch_write(&s, "usr/lib/modules-load.d/50-a.conf", "of_usr_lib\n");
        scratch_write(&s, "usr/local/lib/modules-load.d/40-b.conf", "of_local\n");
        scratch_write(&s, "run/modules-load.d/30-c.conf", "of_run\n");
        scratch_write(&s, "etc/modules-load.d/60-d.conf", "of_etc\n");
        scratch_write(&s, "lib/modules-load.d/10-e.conf", "of_lib\n");
        expect(&s, "of_run /run/modules-load.d/30-c.conf:1\n"
                   "of_local /usr/local/lib/modules-load.d/40-b.conf:1\n"
                   "of_usr_lib /usr/lib/modules-load.d/50-a.conf:1\n"
                   "of_etc /etc/modules-load.d/60-d.conf:1\n");

        /* the same name in a higher directory hides it, also if it is empty or a link to /dev/null */
        scratch_write(&s, "etc/modules-load.d/50-a.conf", "other\n");
        scratch_write(&s, "run/modules-load.d/40-b.conf", "");
        scratch_link(&s, "etc/modules-load.d/30-c.conf", "/dev/null");
        scratch_write(&s, "usr/lib/modules-load.d/60-d.conf", "hidden\n");
        expect(&s, "other /etc/modules-load.d/50-a.conf:1\n"
                   "of_etc /etc/modules-load.d/60-d.conf:1\n");
        scratch_close(&s);
}

static void test_names_of_files(void **state) {
        Scratch s;

        scratch_open(&s);
        scratch_write(&s, "etc/modules-load.d/a.conf.bak", "no\n");
        scratch_write(&s, "etc/modules-load.d/a", "no\n");
        scratch_write(&s, "etc/modules-load.d/.conf", "no\n");
        scratch_write(&s, "etc/modules-load.d/.hidden.conf", "no\n");
        scratch_write(&s, "etc/modules", "loop\n");
        scratch_link(&s, "etc/modules-load.d/modules.conf", "../modules");
        scratch_mkdir(&s, "etc/modules-load.d/directory.conf");
        scratch_link(&s, "etc/modules-load.d/nowhere.conf", "nowhere");
        expect(&s, "loop /etc/modules-load.d/modules.conf:1\n"
                   "! /etc/modules-load.d/directory.conf:0: is not a regular file, not read\n"
                   "! /etc/modules-load.d/nowhere.conf:0: cannot be read: No such file or directory\n");
        scratch_close(&s);
}

static void test_command_line(void **state) {
        static const struct {
                const char *command_line;
                bool in_initramfs;
                const char *names;
        } cases[] = {
                { "", false, "" },
                { "ro quiet", false, "" },
                { "modules_load=loop", false, "loop " },
                { "modules-load=loop", false, "loop " },
                { "modules_load=loop,fuse quiet modules_load=xfs", false, "loop fuse xfs " },
                { "modules_load= modules_load=, modules_load=,,loop,,", false, "loop " },
                { "modules_load", false, "" },
                { "\"modules_load=loop,fuse\"", false, "loop fuse " },
                { "modules_load=\"loop,fuse\" x", false, "loop fuse " },
                { "modules_load=loop,loop,lo-op,lo_op", false, "loop lo-op " },
                { "rd.modules_load=loop", false, "" },
                { "rd.modules_load=loop", true, "loop " },
                { "rd.modules-load=loop modules_load=fuse", true, "fuse loop " },
                { "-- modules_load=loop", false, "loop " },
                { "xmodules_load=loop modules_loads=a", false, "" },
        };
        Scratch s;

        scratch_open(&s);
        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                _cleanup_(load_list_freep) LoadList *l = NULL;
                _cleanup_(freep) char *names = NULL;
                const LoadEntry *e;
                size_t size, n;
                FILE *f = open_memstream(&names, &size);

                assert_non_null(f);
                assert_ok(load_list_new(&l,
                                        &(LoadListSources) { .root = s.dir,
                                                             .command_line = cases[i].command_line,
                                                             .in_initramfs = cases[i].in_initramfs },
                                        NULL));
                e = load_list_entries(l, &n);
                for (size_t k = 0; k < n; k++) {
                        fprintf(f, "%s ", e[k].name);
                        assert_string_equal(e[k].file, "/proc/cmdline");
                        assert_int_equal(e[k].line, 0);
                }
                assert_int_equal(fclose(f), 0);
                assert_string_equal(names, cases[i].names);
        }
        scratch_close(&s);
}

static void test_command_line_first(void **state) {
        _cleanup_(freep) char *text = NULL;
        Scratch s;

        scratch_open(&s);
        scratch_write(&s, "etc/modules-load.d/a.conf", "loop\nfuse\n");
        text = read_lists(&s, "modules_load=fuse,xfs", false);
        assert_string_equal(
                text, "fuse /proc/cmdline:0\nxfs /proc/cmdline:0\nloop /etc/modules-load.d/a.conf:1\n");
        scratch_close(&s);
}

static void test_bounds(void **state) {
        _cleanup_(freep) char *text = NULL, *lines = NULL, *expected = NULL;
        char name[REQUEST_KEY_MAX + 4];
        size_t size;
        Scratch s;
        FILE *f;

        (void) memset(name, 'x', REQUEST_KEY_MAX + 1);
        (void) strcpy(name + REQUEST_KEY_MAX + 1, "\na");
        scratch_open(&s);
        scratch_write(&s, "etc/modules-load.d/a.conf", name);
        text = read_lists(&s, NULL, false);
        assert_true(
                startswith(text, "a /etc/modules-load.d/a.conf:2\n! /etc/modules-load.d/a.conf:1: 'xxx"));
        assert_non_null(strstr(text, "' is too long for a module or an alias\n"));
        free(text);

        f = open_memstream(&lines, &size);
        assert_non_null(f);
        for (unsigned i = 0; i < LOAD_LIST_MAX + 3; i++)
                fprintf(f, "m%u\n", i);
        assert_int_equal(fclose(f), 0);
        scratch_write(&s, "etc/modules-load.d/a.conf", lines);
        text = read_lists(&s, NULL, false);
        assert_true(
                asprintf(
                        &expected,
                        "m%u /etc/modules-load.d/a.conf:%u\n! /etc/modules-load.d/a.conf:%u: more than %u modules are "
                        "listed for the boot, what follows is left out\n",
                        LOAD_LIST_MAX - 1, LOAD_LIST_MAX, LOAD_LIST_MAX + 1, LOAD_LIST_MAX) > 0);
        assert_true(endswith(text, expected));
        scratch_close(&s);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_lines),          cmocka_unit_test(test_directories),
                cmocka_unit_test(test_names_of_files), cmocka_unit_test(test_command_line),
                cmocka_unit_test(test_command_line_first), cmocka_unit_test(test_bounds),
        };

        return RUN_TESTS(tests);
}
