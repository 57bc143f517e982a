/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include <sys/sysmacros.h>

#include "common/index/devname-table.h"
#include "scratch.h"

typedef struct Read {
        DevnameTable *table;
        ProblemList problems;
        const Devname *entries;
        size_t n;
} Read;

static void read_text(Read *r, const char *text) {
        Scratch scratch;

        *r = (Read) {};
        scratch_open(&scratch);
        if (text)
                scratch_write(&scratch, "modules.devname", text);
        assert_ok(devname_table_new(&r->table, scratch_path(&scratch, "modules.devname"), &r->problems));
        r->entries = devname_table_get(r->table, &r->n);
        scratch_close(&scratch);
}

static void read_done(Read *r) {
        devname_table_free(r->table);
        problem_list_clear(&r->problems);
}

static void test_reads_nodes(void **state) {
        Read r;

        read_text(&r, "# Device nodes to trigger on-demand module loading.\n"
                      "fuse fuse c10:229\n"
                      "tun net/tun c10:200\n"
                      "loop loop0 b7:0");
        assert_int_equal(r.n, 3);
        assert_int_equal(r.problems.n_items, 0);
        assert_string_equal(r.entries[1].module, "tun");
        assert_string_equal(r.entries[1].node, "net/tun");
        assert_int_equal(r.entries[1].device, makedev(10, 200));
        assert_false(r.entries[1].block);
        assert_true(r.entries[2].block);
        read_done(&r);
}

static void test_no_file_is_no_problem(void **state) {
        Read r;

        read_text(&r, NULL);
        assert_int_equal(r.n, 0);
        assert_int_equal(r.problems.n_items, 0);
        read_done(&r);
}

static void test_bad_lines_are_named(void **state) {
        static const char *const lines[] = {
                "fuse",
                "fuse fuse",
                "fuse fuse 10:229",
                "fuse fuse c10",
                "fuse fuse c10:x",
                "fuse fuse c10:229x",
                "fuse fuse c10:229 more",
                "fuse /fuse c10:229",
                "fuse ../fuse c10:229",
                "fuse a/../../b c10:229",
                " fuse c10:229",
                "fuse fuse p10:229",
                "fuse fuse c-1:1",
        };

        for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
                _cleanup_(freep) char *text = NULL;
                Read r;

                assert_true(asprintf(&text, "# first\n%s\ntun net/tun c10:200\n", lines[i]) > 0);
                read_text(&r, text);
                assert_int_equal(r.n, 1);
                assert_string_equal(r.entries[0].module, "tun");
                assert_int_equal(r.problems.n_items, 1);
                assert_int_equal(r.problems.items[0].line, 2);
                read_done(&r);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_reads_nodes),
                cmocka_unit_test(test_no_file_is_no_problem),
                cmocka_unit_test(test_bad_lines_are_named),
        };

        return RUN_TESTS(tests);
}
