/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Jobs of the kernel's own requests run beside all limits: an init that waits for one must not wait for a slot. */

#include "daemon/engine/scheduler.h"

#include "daemon-bench.h"
#include "test.h"

#define _bench_ _cleanup_(daemon_bench_close)
#define _heard_ _cleanup_(heard_clear)

static void open_bench(DaemonBench *b, unsigned limit, const char *serial) {
        daemon_bench_open(b);
        daemon_bench_start_loader(b);
        scheduler_set_limits(b->scheduler, &(SchedulerLimits) {
                                                   .loads = limit,
                                                   .slow_usec = UINT64_MAX,
                                                   .serial_modules = serial,
                                           });
        fake_loader_hold(b->loader, true);
}

static void submit_for_kernel(DaemonBench *b, LoaderOp op, const char *module, Heard *h) {
        Request *client = b->request;

        assert_ok(request_new_kernel(&b->request, "net-pf-38", NULL));
        daemon_bench_submit(b, op, module, h);
        request_unref(b->request);
        b->request = client;
}

static void finish_all(DaemonBench *b, const char *const *modules, size_t n) {
        for (size_t i = 0; i < n; i++) {
                fake_loader_answer(b->loader, modules[i], 0);
                event_settle(b->event);
        }
        assert_true(scheduler_is_idle(b->scheduler));
}

static void test_no_slot(void **state) {
        static const char *const all[] = { "lkmdt_a", "lkmdt_c", "lkmdt_b", "lkmdt_d" };
        _bench_ DaemonBench b;
        Heard h[4] = {};

        open_bench(&b, 1, NULL);
        daemon_bench_submit(&b, LOADER_INSERT, "lkmdt_a", h);
        daemon_bench_submit(&b, LOADER_INSERT, "lkmdt_b", h + 1);
        submit_for_kernel(&b, LOADER_INSERT, "lkmdt_c", h + 2);
        event_settle(b.event);
        assert_string_equal(fake_loader_story(b.loader), "insert lkmdt_a, insert lkmdt_c");

        daemon_bench_submit(&b, LOADER_INSERT, "lkmdt_d", h + 3);
        event_settle(b.event);
        assert_int_equal(scheduler_count_queued(b.scheduler), 2); /* nor does it give its place to others */
        fake_loader_answer(b.loader, "lkmdt_c", 0);
        event_settle(b.event);
        assert_int_equal(scheduler_count_queued(b.scheduler), 2);
        fake_loader_answer(b.loader, "lkmdt_a", 0);
        event_settle(b.event);
        assert_int_equal(scheduler_count_queued(b.scheduler), 1);
        finish_all(&b, all + 2, 2);
        for (size_t i = 0; i < ARRAY_LEN(h); i++)
                assert_int_equal(h[i].times, 1);
        for (size_t i = 0; i < ARRAY_LEN(h); i++)
                heard_clear(h + i);
}

/* What somebody else waits for in the queue goes on as soon as the kernel waits for it, too. */
static void test_joined(void **state) {
        static const char *const all[] = { "lkmdt_a", "lkmdt_b" };
        _bench_ DaemonBench b;
        _heard_ Heard first = {}, second = {}, third = {};

        open_bench(&b, 1, NULL);
        daemon_bench_submit(&b, LOADER_INSERT, "lkmdt_a", &first);
        daemon_bench_submit(&b, LOADER_INSERT, "lkmdt_b", &second);
        event_settle(b.event);
        assert_string_equal(fake_loader_story(b.loader), "insert lkmdt_a");
        submit_for_kernel(&b, LOADER_INSERT, "lkmdt_b", &third);
        event_settle(b.event);
        assert_string_equal(fake_loader_story(b.loader), "insert lkmdt_a, insert lkmdt_b");
        finish_all(&b, all, ARRAY_LEN(all));
        assert_ptr_equal(third.record, second.record);
}

/* A queued removal of the module comes first, and does not wait for a slot either. */
static void test_behind_another(void **state) {
        _bench_ DaemonBench b;
        _heard_ Heard first = {}, second = {}, third = {};

        open_bench(&b, 1, NULL);
        daemon_bench_submit(&b, LOADER_INSERT, "lkmdt_a", &first);
        daemon_bench_submit(&b, LOADER_REMOVE, "lkmdt_b", &second);
        submit_for_kernel(&b, LOADER_INSERT, "lkmdt_b", &third);
        event_settle(b.event);
        assert_string_equal(fake_loader_story(b.loader), "insert lkmdt_a, remove lkmdt_b");
        fake_loader_answer(b.loader, "lkmdt_b", 0);
        event_settle(b.event);
        assert_string_equal(fake_loader_story(b.loader), "insert lkmdt_a, remove lkmdt_b, insert lkmdt_b");
        fake_loader_answer(b.loader, "lkmdt_b", 0);
        fake_loader_answer(b.loader, "lkmdt_a", 0);
        event_settle(b.event);
        assert_true(scheduler_is_idle(b.scheduler));
}

static void test_serial(void **state) {
        static const char *const all[] = { "lkmdt_a", "lkmdt_b" };
        _bench_ DaemonBench b;
        _heard_ Heard first = {}, second = {};

        open_bench(&b, 4, "lkmdt_a lkmdt_b");
        daemon_bench_submit(&b, LOADER_INSERT, "lkmdt_a", &first);
        submit_for_kernel(&b, LOADER_INSERT, "lkmdt_b", &second);
        event_settle(b.event);
        assert_string_equal(fake_loader_story(b.loader), "insert lkmdt_a, insert lkmdt_b");
        finish_all(&b, all, ARRAY_LEN(all));
}

/* More than all others together may have. */
static void test_with_all_threads_in_use(void **state) {
        enum {
                N = LOADER_THREADS_MAX
        };
        _bench_ DaemonBench b;
        _heard_ Heard last = {};
        char names[N][16];
        Heard h[N] = {};

        open_bench(&b, 1, NULL);
        for (size_t i = 0; i < N; i++) {
                snprintf(names[i], sizeof(names[i]), "lkmdt_%zu", i);
                daemon_bench_submit(&b, LOADER_INSERT, names[i], h + i);
                event_settle(b.event);
                scheduler_note_live(b.scheduler, names[i]);
                event_settle(b.event);
        }
        assert_int_equal(fake_loader_count_pending(b.loader), N);
        submit_for_kernel(&b, LOADER_INSERT, "lkmdt_last", &last);
        event_settle(b.event);
        assert_int_equal(fake_loader_count_pending(b.loader), N + 1);
        for (size_t i = 0; i < N; i++) {
                fake_loader_answer(b.loader, names[i], 0);
                event_settle(b.event);
                heard_clear(h + i);
        }
        fake_loader_answer(b.loader, "lkmdt_last", 0);
        event_settle(b.event);
        assert_int_equal(last.times, 1);
        assert_true(scheduler_is_idle(b.scheduler));
}

/* Where the loads are in the kernel. */
static void test_look(void **state) {
        _bench_ DaemonBench b;
        _heard_ Heard h = {}, queued = {};
        const Job *j;

        open_bench(&b, 1, NULL);
        scheduler_look(b.scheduler);    /* there is nothing */
        assert_null(scheduler_next_job(b.scheduler, NULL));
        daemon_bench_submit(&b, LOADER_INSERT, "lkmdt_a", &h);
        daemon_bench_submit(&b, LOADER_INSERT, "lkmdt_b", &queued);
        event_settle(b.event);
        scheduler_look(b.scheduler);
        event_settle(b.event);
        j = scheduler_next_job(b.scheduler, NULL);
        assert_string_equal(j->record->module, "lkmdt_a");
        assert_true(j->looked_usec >= j->started_usec);
        assert_false(j->asks_kernel);   /* the fake loader says msleep() */
        j = scheduler_next_job(b.scheduler, j);
        assert_string_equal(j->record->module, "lkmdt_b");
        assert_int_equal(j->looked_usec, 0);
        assert_null(scheduler_next_job(b.scheduler, j));
        assert_string_equal(b.story, "start lkmdt_a"); /* it was not reported as slow */
        fake_loader_hold(b.loader, false);
        fake_loader_answer(b.loader, "lkmdt_a", 0);
        event_settle(b.event);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_no_slot),
                cmocka_unit_test(test_joined),
                cmocka_unit_test(test_behind_another),
                cmocka_unit_test(test_serial),
                cmocka_unit_test(test_with_all_threads_in_use),
                cmocka_unit_test(test_look),
        };
        return RUN_TESTS(tests);
}
