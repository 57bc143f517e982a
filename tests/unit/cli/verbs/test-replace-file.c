/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "cli/verbs/replace-file.h"

#include <dirent.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "scratch.h"
#include "test.h"

static void assert_holds(const Scratch *s, const char *name, const char *expected) {
        char text[64] = "";
        FILE *f = fopen(scratch_path(s, name), "re");

        assert_non_null(f);
        (void) fread(text, 1, sizeof(text) - 1, f);
        assert_int_equal(fclose(f), 0);
        assert_string_equal(text, expected);
}

static size_t count_entries(const Scratch *s) {
        DIR *d = opendir(s->dir);
        size_t n = 0;

        assert_non_null(d);
        for (struct dirent *e; (e = readdir(d));)
                n += !streq(e->d_name, ".") && !streq(e->d_name, "..");
        closedir(d);
        return n;
}

static void test_replace(void **state) {
        static const char *const texts[] = { "first", "", "a longer one", "x" };
        mode_t old = umask(0077);
        struct stat st;
        Scratch s;

        scratch_open(&s);
        for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
                assert_ok(replace_file(scratch_path(&s, "file"), texts[i], strlen(texts[i])));
                assert_holds(&s, "file", texts[i]);
                assert_int_equal(stat(scratch_path(&s, "file"), &st), 0);
                assert_int_equal(st.st_mode & 07777, 0644);
                assert_int_equal(count_entries(&s), 1);
        }
        (void) umask(old);
        scratch_close(&s);
}

/* Who has the old file open goes on reading the old file. */
static void test_readers_see_one_or_the_other(void **state) {
        char text[8] = "";
        Scratch s;
        FILE *f;

        scratch_open(&s);
        scratch_write(&s, "file", "old");
        f = fopen(scratch_path(&s, "file"), "re");
        assert_non_null(f);
        assert_ok(replace_file(scratch_path(&s, "file"), "new", 3));
        assert_int_equal(fread(text, 1, sizeof(text), f), 3);
        assert_string_equal(text, "old");
        assert_int_equal(fclose(f), 0);
        assert_holds(&s, "file", "new");
        scratch_close(&s);
}

static void test_what_is_not_replaced(void **state) {
        static const struct {
                const char *name;
                int error;
        } cases[] = {
                { "directory", -ENOTSUP }, { "directory/", -ENOTSUP }, { "link", -ENOTSUP },
                { "pipe", -ENOTSUP },      { "none/file", -ENOENT },   { "file/file", -ENOTDIR },
        };
        Scratch s;

        scratch_open(&s);
        scratch_mkdir(&s, "directory");
        scratch_write(&s, "file", "old");
        scratch_link(&s, "link", "file");
        assert_int_equal(mkfifo(scratch_path(&s, "pipe"), 0600), 0);
        for (size_t i = 0; i < ARRAY_LEN(cases); i++)
                assert_int_equal(replace_file(scratch_path(&s, cases[i].name), "new", 3), cases[i].error);
        assert_holds(&s, "file", "old");
        assert_int_equal(count_entries(&s), 4);
        scratch_close(&s);
}

static void test_no_room(void **state) {
        struct rlimit before, limit;
        Scratch s;
        int r;

        scratch_open(&s);
        scratch_write(&s, "file", "old");
        (void) signal(SIGXFSZ, SIG_IGN);
        assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
        limit = before;
        limit.rlim_cur = 4;
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
        r = replace_file(scratch_path(&s, "file"), "longer than that", 16);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
        assert_int_equal(r, -EFBIG);
        assert_holds(&s, "file", "old");
        assert_int_equal(count_entries(&s), 1);
        scratch_close(&s);
}

/* The collector's user may have become somebody else's. Root does not write where that one points to. */
static void test_links_of_others(void **state) {
        Scratch s;

        if (geteuid() != 0)
                return;                 /* nobody else can make links of others */
        scratch_open(&s);
        scratch_mkdir(&s, "target");
        scratch_mkdir(&s, "collector");
        scratch_link(&s, "own", "target");
        assert_ok(replace_file(scratch_path(&s, "own/../own/file"), "x", 1));

        scratch_link(&s, "theirs", "target");
        assert_int_equal(lchown(scratch_path(&s, "theirs"), 1234, 1234), 0);
        assert_int_equal(replace_file(scratch_path(&s, "theirs/other"), "x", 1), -EREMCHG);
        scratch_link(&s, "collector/link", "../target"); /* whose directory is another's */
        assert_int_equal(chown(scratch_path(&s, "collector"), 1234, 1234), 0);
        assert_int_equal(replace_file(scratch_path(&s, "collector/link/other"), "x", 1), -EREMCHG);
        assert_int_equal(access(scratch_path(&s, "target/other"), F_OK), -1);
        assert_ok(replace_file(scratch_path(&s, "collector/file"), "x", 1));
        assert_holds(&s, "collector/file", "x");
        scratch_close(&s);
}

static void test_relative(void **state) {
        Scratch s;

        scratch_open(&s);
        assert_int_equal(chdir(s.dir), 0);
        assert_ok(replace_file("file", "x", 1));
        assert_ok(replace_file("./file", "y", 1));
        assert_int_equal(chdir("/"), 0);
        assert_holds(&s, "file", "y");
        assert_int_equal(count_entries(&s), 1);
        scratch_close(&s);
}

/* Owner and mode of a file that people edit stay; a new one is like any other. */
static void test_keeping(void **state) {
        struct stat st;
        Scratch s;

        scratch_open(&s);
        assert_ok(replace_file_keeping(scratch_path(&s, "file"), "new", 3));
        assert_int_equal(stat(scratch_path(&s, "file"), &st), 0);
        assert_int_equal(st.st_mode & 07777, 0644);
        assert_int_equal(chmod(scratch_path(&s, "file"), 0640), 0);
        if (geteuid() == 0)
                assert_int_equal(chown(scratch_path(&s, "file"), 12, 34), 0);
        assert_ok(replace_file_keeping(scratch_path(&s, "file"), "other", 5));
        assert_int_equal(stat(scratch_path(&s, "file"), &st), 0);
        assert_int_equal(st.st_mode & 07777, 0640);
        if (geteuid() == 0) {
                assert_int_equal(st.st_uid, 12);
                assert_int_equal(st.st_gid, 34);
        }
        assert_holds(&s, "file", "other");
        assert_int_equal(count_entries(&s), 1);
        scratch_close(&s);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_replace),
                cmocka_unit_test(test_links_of_others),
                cmocka_unit_test(test_relative),
                cmocka_unit_test(test_keeping),
                cmocka_unit_test(test_readers_see_one_or_the_other),
                cmocka_unit_test(test_what_is_not_replaced),
                cmocka_unit_test(test_no_room),
        };

        return RUN_TESTS(tests);
}
