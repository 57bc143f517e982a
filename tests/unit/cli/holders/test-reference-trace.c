/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "cli/holders/reference-trace.h"

#include "scratch.h"
#include "test.h"

#define HEAD "# tracer: nop\n#\n# entries-in-buffer/entries-written: %s   #P:2\n#\n"

static void test_parse(void **state) {
        static const char lines[] =
                "             cat-570     [000] .....   127.920887: module_get: loop call_site=bdev_open refcnt=5\n"
                "             cat-570     [001] .....   127.942528: module_put: loop call_site=bdev_release refcnt=4\n"
                "             cat-570     [001] .....   127.942529: module_get: loop call_site=bdev_open refcnt=4\n"
                " a-1: module_put-570     [001] .....   127.9: module_get: loop call_site=bdev_open refcnt=4\n"
                "  : module_get: -571     [001] .....   127.9: module_put: loop call_site=x refcnt=4\n"
                "           <...>-572     [001] .....   127.9: module_put: other call_site=x refcnt=4\n"
                "           <...>-572     [001] .....   127.9: module_put: loop\n"
                "           <...>-572     [001] .....   127.9: module_put: \n"
                ": module_get: loop call_site=x\nCPU:1 [LOST 5 EVENTS]\n\n";
        _cleanup_(reference_trace_clear) ReferenceTrace t = {};
        char text[2048];

        (void) snprintf(text, sizeof(text), HEAD "%s", "7/7", lines);
        assert_ok(reference_trace_parse(text, "loop", &t));
        assert_false(t.incomplete);
        assert_int_equal(t.n_callers, 4);
        assert_int_equal(t.callers[0].pid, 570);
        assert_string_equal(t.callers[0].command, "cat");
        assert_string_equal(t.callers[0].site, "bdev_open");
        assert_int_equal(t.callers[0].gets, 2);
        assert_int_equal(t.callers[0].puts, 0);
        assert_string_equal(t.callers[1].command, "a-1: module_put");
        assert_string_equal(t.callers[2].site, "bdev_release");
        assert_int_equal(t.callers[2].puts, 1);
        assert_int_equal(t.callers[3].pid, 571);
        assert_string_equal(t.callers[3].command, ": module_get: ");
}

static void test_incomplete(void **state) {
        _cleanup_(reference_trace_clear) ReferenceTrace t = {};
        char text[256];

        (void) snprintf(text, sizeof(text), HEAD, "7/8");
        assert_ok(reference_trace_parse(text, "loop", &t));
        assert_true(t.incomplete);
        assert_int_equal(t.n_callers, 0);
}

/* Where there is no tracefs, and where the kernel does not offer what is needed: nothing is left behind. */
static void test_failures(void **state) {
        _cleanup_(scratch_close) Scratch s = {};
        ReferenceTrace t = {};
        TraceStep step;
        char name[64];

        scratch_open(&s);
        assert_int_equal(reference_trace_run(scratch_path(&s, "nothing"), "loop", 1, &t, &step), -ENOENT);
        assert_int_equal(step, TRACE_BEGINS);
        scratch_mkdir(&s, "instances");
        assert_int_equal(reference_trace_run(s.dir, "loop", 1, &t, &step), -ENOENT);
        assert_int_equal(step, TRACE_ARMS);
        (void) snprintf(name, sizeof(name), "instances/lkmd-%d", getpid());
        assert_int_equal(access(scratch_path(&s, name), F_OK), -1);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_parse),
                cmocka_unit_test(test_incomplete),
                cmocka_unit_test(test_failures),
        };

        return RUN_TESTS(tests);
}
