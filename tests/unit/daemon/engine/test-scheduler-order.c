/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What of several jobs comes first, and what beside what. */

#include "daemon/engine/scheduler.h"

#include "daemon-bench.h"
#include "test.h"

#define _bench_ _cleanup_(daemon_bench_close)

static void open_bench(DaemonBench *b, unsigned limit) {
        daemon_bench_open(b);
        daemon_bench_start_loader(b);
        scheduler_set_limits(b->scheduler, &(SchedulerLimits) { .loads = limit, .slow_usec = UINT64_MAX });
}

/* Two requests: "a" is what little waits for, "bus" what much does, "chain" what a long chain waits for. */
static void test_what_most_wait_for_comes_first(void **state) {
        static const struct {
                const char *module;
                uint64_t rank_usec;
        } submissions[] = {
                { "first", 1 }, { "a", 20 }, { "bus", 30 }, { "chain", 80 }, { "b", 20 }, { "bus", 30 }, { "bus", 30 },
        };
        Heard h[ARRAY_LEN(submissions)] = {};
        _bench_ DaemonBench b;

        open_bench(&b, 1);
        for (size_t i = 0; i < ARRAY_LEN(submissions); i++) {
                assert_ok(scheduler_submit(b.scheduler,
                                           &(JobSpec) {
                                                   .op = LOADER_INSERT,
                                                   .module = submissions[i].module,
                                                   .path = "/x.ko",
                                                   .request = b.request,
                                                   .rank_usec = submissions[i].rank_usec,
                                           },
                                           heard, h + i));
                if (i == 0) {
                        fake_loader_hold(b.loader, true);
                        event_settle(b.event);  /* takes the only slot */
                }
        }
        fake_loader_hold(b.loader, false);
        fake_loader_answer(b.loader, "first", 0);
        event_settle(b.event);
        assert_string_equal(fake_loader_story(b.loader),
                            "insert first, insert bus, insert chain, insert a, insert b");
        for (size_t i = 0; i < ARRAY_LEN(h); i++)
                heard_clear(h + i);
}

/* "install X lkmctl load Y": the command waits for a load, which has room however many commands there are. */
static void test_commands_leave_the_room_for_loads(void **state) {
        Heard commands[COMMANDS_MAX + 1] = {}, load = {};
        char name[16];
        _bench_ DaemonBench b;

        open_bench(&b, 1);
        fake_loader_hold(b.loader, true);
        for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
                (void) snprintf(name, sizeof(name), "command_%zu", i);
                daemon_bench_submit(&b, LOADER_INSTALL_COMMAND, name, commands + i);
        }
        daemon_bench_submit(&b, LOADER_INSERT, "wanted", &load);
        event_settle(b.event);
        assert_int_equal(fake_loader_count_pending(b.loader), COMMANDS_MAX + 1);
        fake_loader_answer(b.loader, "wanted", 0);
        event_settle(b.event);
        assert_int_equal(load.record->outcome, OUTCOME_LOADED);
        fake_loader_answer(b.loader, "command_3", 0);
        event_settle(b.event);
        assert_string_equal(fake_loader_last(b.loader)->module, name); /* the last one's turn */
        for (size_t i = 0; i < ARRAY_LEN(commands); i++)
                heard_clear(commands + i);
        heard_clear(&load);
}

static void test_serial_modules_never_meet(void **state) {
        static const char *const names[] = { "snd_a", "net", "snd_b", "disk", "snd_c" };
        Heard h[ARRAY_LEN(names)] = {};
        _bench_ DaemonBench b;

        open_bench(&b, 1);
        scheduler_set_limits(b.scheduler, &(SchedulerLimits) {
                                                  .loads = 8,
                                                  .slow_usec = UINT64_MAX,
                                                  .serial_modules = "other snd-*",
                                          });
        fake_loader_hold(b.loader, true);
        for (size_t i = 0; i < ARRAY_LEN(names); i++)
                daemon_bench_submit(&b, LOADER_INSERT, names[i], h + i);
        event_settle(b.event);
        assert_string_equal(fake_loader_story(b.loader), "insert snd_a, insert net, insert disk");
        fake_loader_answer(b.loader, "disk", 0);
        event_settle(b.event);
        assert_int_equal(fake_loader_count_pending(b.loader), 2);
        fake_loader_answer(b.loader, "snd_a", -ENODEV); /* over is over */
        event_settle(b.event);
        assert_string_equal(fake_loader_story(b.loader), "insert snd_a, insert net, insert disk, insert snd_b");
        fake_loader_answer(b.loader, "snd_b", 0);
        event_settle(b.event);
        fake_loader_answer(b.loader, "snd_c", 0);
        fake_loader_answer(b.loader, "net", 0);
        event_settle(b.event);
        for (size_t i = 0; i < ARRAY_LEN(names); i++) {
                assert_int_equal(h[i].times, 1);
                heard_clear(h + i);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_what_most_wait_for_comes_first),
                cmocka_unit_test(test_commands_leave_the_room_for_loads),
                cmocka_unit_test(test_serial_modules_never_meet),
        };

        return RUN_TESTS(tests);
}
