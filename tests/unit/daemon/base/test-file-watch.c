/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/base/file-watch.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "test.h"
#include "watch-bench.h"

static void bench_open(WatchBench *b, const char *dir) {
        *b = (WatchBench) {};
        scratch_open(&b->scratch);
        if (streq(dir, "conf.d"))
                scratch_mkdir(&b->scratch, dir);
        watch_bench_start(b, dir, ".conf");
}

static void test_file_comes_and_goes(void **state) {
        _cleanup_(watch_bench_close) WatchBench b;

        bench_open(&b, "conf.d");
        assert_false(watch_bench_changed(&b));
        scratch_write(&b.scratch, "conf.d/a.conf", "x");
        assert_true(watch_bench_changed(&b));
        assert_false(watch_bench_changed(&b));
        scratch_remove(&b.scratch, "conf.d/a.conf");
        assert_true(watch_bench_changed(&b));
}

static void test_replaced_by_rename(void **state) {
        _cleanup_(watch_bench_close) WatchBench b;

        bench_open(&b, "conf.d");
        scratch_write(&b.scratch, "conf.d/a.conf", "x");
        scratch_write(&b.scratch, "conf.d/a.conf.tmp", "y");
        assert_true(watch_bench_changed(&b));
        scratch_move(&b.scratch, "conf.d/a.conf.tmp", "conf.d/a.conf");
        assert_true(watch_bench_changed(&b));
        scratch_move(&b.scratch, "conf.d/a.conf", "conf.d/a.conf.off"); /* taken out of force */
        assert_true(watch_bench_changed(&b));
}

static void test_edited_in_place(void **state) {
        _cleanup_(watch_bench_close) WatchBench b;
        int fd;

        bench_open(&b, "conf.d");
        scratch_write(&b.scratch, "conf.d/a.conf", "x");
        assert_true(watch_bench_changed(&b));
        fd = open(scratch_path(&b.scratch, "conf.d/a.conf"), O_WRONLY | O_APPEND | O_CLOEXEC);
        assert_true(fd >= 0);
        assert_int_equal(write(fd, "half", 4), 4);
        assert_false(watch_bench_changed(&b));      /* half a file is nobody's business */
        close(fd);
        assert_true(watch_bench_changed(&b));
}

static void test_new_file_counts_when_it_is_written(void **state) {
        _cleanup_(watch_bench_close) WatchBench b;
        int fd;

        bench_open(&b, "conf.d");
        fd = open(scratch_path(&b.scratch, "conf.d/a.conf"), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
        assert_true(fd >= 0);
        assert_false(watch_bench_changed(&b));
        close(fd);
        assert_true(watch_bench_changed(&b));
}

static void test_rights_change(void **state) {
        _cleanup_(watch_bench_close) WatchBench b;

        bench_open(&b, "conf.d");
        scratch_write(&b.scratch, "conf.d/a.conf", "x");
        assert_true(watch_bench_changed(&b));
        assert_int_equal(chmod(scratch_path(&b.scratch, "conf.d/a.conf"), 0600), 0);
        assert_true(watch_bench_changed(&b));
}

static void test_masked_by_a_link(void **state) {
        _cleanup_(watch_bench_close) WatchBench b;

        bench_open(&b, "conf.d");
        scratch_link(&b.scratch, "conf.d/a.conf", "/dev/null");
        assert_true(watch_bench_changed(&b));
        scratch_write(&b.scratch, "b.conf", "x");
        assert_false(watch_bench_changed(&b));
        assert_int_equal(link(scratch_path(&b.scratch, "b.conf"), scratch_path(&b.scratch, "conf.d/b.conf")),
                         0);
        assert_true(watch_bench_changed(&b));
}

static void test_names_that_do_not_matter(void **state) {
        _cleanup_(watch_bench_close) WatchBench b;

        bench_open(&b, "conf.d");
        scratch_write(&b.scratch, "conf.d/a.conf~", "x");
        scratch_write(&b.scratch, "conf.d/.a.conf.swp", "x");
        scratch_write(&b.scratch, "conf.d/conf", "x");
        scratch_write(&b.scratch, "other/a.conf", "x");
        assert_false(watch_bench_changed(&b));

        assert_ok(file_watch_add(b.watch, scratch_path(&b.scratch, "other"), "modules.", ""));
        file_watch_refresh(b.watch);
        scratch_write(&b.scratch, "other/b.conf", "x");
        assert_false(watch_bench_changed(&b));
        scratch_write(&b.scratch, "other/modules.dep.bin", "x");
        assert_true(watch_bench_changed(&b));
}

static void test_directory_appears_and_disappears(void **state) {
        _cleanup_(watch_bench_close) WatchBench b;

        bench_open(&b, "later.d");
        scratch_write(&b.scratch, "unrelated", "x");
        scratch_mkdir(&b.scratch, "later"); /* only the beginning of its name */
        assert_false(watch_bench_changed(&b));
        scratch_mkdir(&b.scratch, "later.d");
        assert_true(watch_bench_changed(&b));
        assert_false(watch_bench_changed(&b));

        for (unsigned i = 0; i < 3; i++) {
                scratch_write(&b.scratch, "later.d/a.conf", "x");
                assert_true(watch_bench_changed(&b));
                scratch_remove(&b.scratch, "later.d/a.conf");
                assert_true(watch_bench_changed(&b));
                scratch_remove(&b.scratch, "later.d");
                assert_true(watch_bench_changed(&b));
                scratch_mkdir(&b.scratch, "later.d");
                assert_true(watch_bench_changed(&b));
        }
}

static void test_deep_missing_path(void **state) {
        _cleanup_(watch_bench_close) WatchBench b;

        bench_open(&b, "a/b/c/d");
        scratch_write(&b.scratch, "a/unrelated", "x");
        assert_true(watch_bench_changed(&b));       /* a is there now */
        scratch_write(&b.scratch, "a/more", "x");
        assert_false(watch_bench_changed(&b));
        scratch_mkdir(&b.scratch, "a/b/c/d");
        assert_true(watch_bench_changed(&b));
        scratch_write(&b.scratch, "a/b/c/d/a.conf", "x");
        assert_true(watch_bench_changed(&b));
        scratch_write(&b.scratch, "a/b/a.conf", "x");
        assert_false(watch_bench_changed(&b));
}

/* As when a file system is put together elsewhere and moved to its place. */
static void test_whole_tree_moves_in_and_out(void **state) {
        _cleanup_(watch_bench_close) WatchBench b;

        bench_open(&b, "lib/modules/1.0");
        scratch_write(&b.scratch, "new/modules/1.0/a.conf", "x");
        assert_false(watch_bench_changed(&b));
        scratch_move(&b.scratch, "new", "lib");
        assert_true(watch_bench_changed(&b));
        scratch_write(&b.scratch, "lib/modules/1.0/b.conf", "x");
        assert_true(watch_bench_changed(&b));
        scratch_move(&b.scratch, "lib/modules/1.0", "lib/modules/1.0.old");
        assert_true(watch_bench_changed(&b));
        scratch_write(&b.scratch, "lib/modules/1.0.old/c.conf", "x");
        assert_false(watch_bench_changed(&b));
        scratch_move(&b.scratch, "lib/modules/1.0.old", "lib/modules/1.0");
        assert_true(watch_bench_changed(&b));
}

static void test_file_in_the_way(void **state) {
        _cleanup_(watch_bench_close) WatchBench b;

        bench_open(&b, "a/b");
        scratch_write(&b.scratch, "a", "a file, no directory");
        assert_true(watch_bench_changed(&b));
        scratch_remove(&b.scratch, "a");
        assert_true(watch_bench_changed(&b));
        scratch_write(&b.scratch, "a/b/c.conf", "x");
        assert_true(watch_bench_changed(&b));
        scratch_write(&b.scratch, "a/b/d.conf", "x");
        assert_true(watch_bench_changed(&b));
}

static void test_several_that_wait_at_one_place(void **state) {
        _cleanup_(watch_bench_close) WatchBench b;

        bench_open(&b, "a/one");
        assert_ok(file_watch_add(b.watch, scratch_path(&b.scratch, "a/two"), "", ".conf"));
        assert_ok(file_watch_add(b.watch, scratch_path(&b.scratch, "three"), "", ".conf"));
        file_watch_refresh(b.watch);
        scratch_write(&b.scratch, "a/two/x.conf", "x");
        assert_true(watch_bench_changed(&b));
        scratch_write(&b.scratch, "a/two/y.conf", "x");
        assert_true(watch_bench_changed(&b));
        scratch_write(&b.scratch, "a/one/x.conf", "x");
        assert_true(watch_bench_changed(&b));
        scratch_write(&b.scratch, "three/x.conf", "x");
        assert_true(watch_bench_changed(&b));
        scratch_write(&b.scratch, "three/y.conf", "x");
        assert_true(watch_bench_changed(&b));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_file_comes_and_goes),
                cmocka_unit_test(test_replaced_by_rename),
                cmocka_unit_test(test_edited_in_place),
                cmocka_unit_test(test_new_file_counts_when_it_is_written),
                cmocka_unit_test(test_rights_change),
                cmocka_unit_test(test_masked_by_a_link),
                cmocka_unit_test(test_names_that_do_not_matter),
                cmocka_unit_test(test_directory_appears_and_disappears),
                cmocka_unit_test(test_deep_missing_path),
                cmocka_unit_test(test_whole_tree_moves_in_and_out),
                cmocka_unit_test(test_file_in_the_way),
                cmocka_unit_test(test_several_that_wait_at_one_place),
        };

        return RUN_TESTS(tests);
}
