/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Loads whose module can be used, while the kernel keeps them waiting for the probes of others. */

#include "daemon/engine/scheduler.h"

#include "daemon-bench.h"
#include "test.h"

#define _bench_ _cleanup_(daemon_bench_close)
#define _heard_ _cleanup_(heard_clear)

static void open_bench(DaemonBench *b, unsigned limit) {
        daemon_bench_open(b);
        daemon_bench_start_loader(b);
        scheduler_set_limits(b->scheduler, &(SchedulerLimits) { .loads = limit, .slow_usec = UINT64_MAX });
}

/* What is live takes no room, is still joined, is not over before the loader says so, and was no failure. */
static void test_live(void **state) {
        _bench_ DaemonBench b;
        _cleanup_(record_list_clear) RecordList running = {};
        _heard_ Heard first = {}, second = {}, joined = {};

        open_bench(&b, 1);
        fake_loader_hold(b.loader, true);
        daemon_bench_submit(&b, LOADER_INSERT, "lkmdt_a", &first);
        daemon_bench_submit(&b, LOADER_INSERT, "lkmdt_b", &second);
        event_settle(b.event);
        scheduler_note_live(b.scheduler, "lkmdt_b"); /* not begun: somebody else's load */
        scheduler_note_live(b.scheduler, "lkmdt_c");
        event_settle(b.event);
        assert_int_equal(fake_loader_count_pending(b.loader), 1);
        assert_int_equal(first.times_live + second.times_live, 0);

        scheduler_note_live(b.scheduler, "lkmdt_a");
        assert_int_equal(first.times_live, 0); /* from the loop only */
        event_settle(b.event);
        scheduler_note_live(b.scheduler, "lkmdt_a");
        daemon_bench_submit(&b, LOADER_INSERT, "lkmdt_a", &joined);
        event_settle(b.event);
        assert_string_equal(fake_loader_story(b.loader), "insert lkmdt_a, insert lkmdt_b");
        assert_int_equal(first.times_live, 1);
        assert_int_equal(joined.times_live, 1);
        assert_int_equal(first.times, 0);
        assert_ok(scheduler_get_running(b.scheduler, &running));
        assert_int_equal(running.n_items, 2);
        assert_true(running.items[0]->live_usec > 0);

        fake_loader_answer(b.loader, "lkmdt_a", 0);
        fake_loader_answer(b.loader, "lkmdt_b", 0);
        event_settle(b.event);
        assert_string_equal(b.story,
                            "start lkmdt_a, start lkmdt_b, end lkmdt_a loaded, end lkmdt_b loaded");
        assert_int_equal(first.times, 1);
        assert_ptr_equal(joined.record, first.record);
        assert_int_equal(second.times_live, 0);
        assert_true(scheduler_is_idle(b.scheduler));
}

/* Two serial modules: the probes of the first are over before the second begins. */
static void test_live_and_serial(void **state) {
        _bench_ DaemonBench b;
        _heard_ Heard first = {}, second = {};

        open_bench(&b, 4);
        scheduler_set_limits(b.scheduler, &(SchedulerLimits) {
                                                  .loads = 4,
                                                  .slow_usec = UINT64_MAX,
                                                  .serial_modules = "lkmdt_a lkmdt_b",
                                          });
        fake_loader_hold(b.loader, true);
        daemon_bench_submit(&b, LOADER_INSERT, "lkmdt_a", &first);
        daemon_bench_submit(&b, LOADER_INSERT, "lkmdt_b", &second);
        event_settle(b.event);
        scheduler_note_live(b.scheduler, "lkmdt_a");
        event_settle(b.event);
        assert_string_equal(fake_loader_story(b.loader), "insert lkmdt_a");

        fake_loader_answer(b.loader, "lkmdt_a", 0);
        event_settle(b.event);
        assert_string_equal(fake_loader_story(b.loader), "insert lkmdt_a, insert lkmdt_b");
        fake_loader_answer(b.loader, "lkmdt_b", 0);
        event_settle(b.event);
        assert_true(scheduler_is_idle(b.scheduler));
}

/* Many that are live take all of the loader's threads. */
static void test_as_many_live_as_there_may_be(void **state) {
        enum {
                N = LOADER_THREADS_MAX + 2
        };
        _bench_ DaemonBench b;
        char names[N][16];
        Heard h[N] = {};

        open_bench(&b, 1);
        fake_loader_hold(b.loader, true);
        for (size_t i = 0; i < N; i++) {
                snprintf(names[i], sizeof(names[i]), "lkmdt_%zu", i);
                daemon_bench_submit(&b, LOADER_INSERT, names[i], h + i);
                event_settle(b.event);
                scheduler_note_live(b.scheduler, names[i]);
                event_settle(b.event);
        }
        assert_int_equal(fake_loader_count_pending(b.loader), LOADER_THREADS_MAX);
        assert_int_equal(scheduler_count_queued(b.scheduler), 2);

        fake_loader_answer(b.loader, names[0], 0);
        event_settle(b.event);
        assert_int_equal(fake_loader_count_pending(b.loader), LOADER_THREADS_MAX);
        assert_int_equal(scheduler_count_queued(b.scheduler), 1);
        fake_loader_hold(b.loader, false);
        for (size_t i = 1; i < LOADER_THREADS_MAX + 1; i++) {
                fake_loader_answer(b.loader, names[i], 0);
                event_settle(b.event);  /* the socket does not hold them all */
        }
        assert_true(scheduler_is_idle(b.scheduler));
        for (size_t i = 0; i < N; i++) {
                assert_int_equal(h[i].times, 1);
                heard_clear(h + i);
        }
}

/* The loader dies while the kernel waits for somebody else's probes: what it loaded is there. */
static void test_loader_dies_when_it_is_live(void **state) {
        _bench_ DaemonBench b;
        _heard_ Heard h = {}, other = {};

        open_bench(&b, 4);
        fake_loader_hold(b.loader, true);
        daemon_bench_submit(&b, LOADER_INSERT, "lkmdt_a", &h);
        daemon_bench_submit(&b, LOADER_INSERT, "lkmdt_b", &other);
        event_settle(b.event);
        scheduler_note_live(b.scheduler, "lkmdt_a");
        event_settle(b.event);
        fake_loader_hang_up(b.loader);
        event_settle(b.event);
        assert_int_equal(h.record->outcome, OUTCOME_LOADED);
        assert_true(h.record->duration_usec >= h.record->live_usec);
        assert_int_equal(other.record->outcome, OUTCOME_FAILED);
        assert_int_equal(b.n_losses, 1);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_live),
                cmocka_unit_test(test_live_and_serial),
                cmocka_unit_test(test_as_many_live_as_there_may_be),
                cmocka_unit_test(test_loader_dies_when_it_is_live),
        };

        return RUN_TESTS(tests);
}
