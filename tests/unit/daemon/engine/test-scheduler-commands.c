/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Who carries out what: the loader, the one before it, or an lkmd-command each. */

#include <sys/socket.h>

#include "daemon-bench.h"
#include "daemon/engine/scheduler.h"
#include "test.h"

#define _bench_ _cleanup_(daemon_bench_close)
#define _heard_ _cleanup_(heard_clear)

static void open_bench(DaemonBench *b, uint64_t slow_usec) {
        daemon_bench_open(b);
        daemon_bench_start_loader(b);
        scheduler_set_limits(b->scheduler, &(SchedulerLimits) { .loads = 4, .slow_usec = slow_usec });
}

/* It is not known how they ended; the loader goes on. */
static void test_lkmd_command_dies(void **state) {
        _bench_ DaemonBench b;
        _heard_ Heard command = {}, load = {};

        open_bench(&b, UINT64_MAX);
        fake_loader_hold(b.loader, true);
        daemon_bench_submit(&b, LOADER_INSTALL_COMMAND, "lkmdt_a", &command);
        daemon_bench_submit(&b, LOADER_INSERT, "lkmdt_b", &load);
        event_settle(b.event);
        fake_loader_lose_command(b.loader, "lkmdt_a");
        event_settle(b.event);
        assert_int_equal(command.record->outcome, OUTCOME_FAILED);
        assert_int_equal(command.record->error, -ECONNRESET);
        assert_non_null(strstr(command.record->message, "lkmd-command ended before it was known"));
        assert_int_equal(load.times, 0);
        fake_loader_answer(b.loader, "lkmdt_b", 0);
        event_settle(b.event);
        assert_int_equal(load.record->outcome, OUTCOME_LOADED);
        assert_int_equal(b.n_losses, 0);
}

static void test_lkmd_command_does_not_start(void **state) {
        _bench_ DaemonBench b;
        _heard_ Heard first = {}, second = {};

        open_bench(&b, UINT64_MAX);
        fake_loader_silence_commands(b.loader, true);
        daemon_bench_submit(&b, LOADER_INSTALL_COMMAND, "lkmdt_a", &first);
        event_settle(b.event);
        assert_int_equal(first.record->error, -ENOTCONN);
        assert_non_null(strstr(first.record->message, "lkmd-command did not start"));
        fake_loader_silence_commands(b.loader, false);
        daemon_bench_submit(&b, LOADER_INSTALL_COMMAND, "lkmdt_a", &second);
        event_settle(b.event);
        assert_int_equal(second.record->outcome, OUTCOME_COMMAND_RUN);
}

/* The loader dies, or cannot act; commands are not its business. */
static void test_loader_dies_during_a_command(void **state) {
        _bench_ DaemonBench b;
        _heard_ Heard command = {}, load = {};

        open_bench(&b, UINT64_MAX);
        fake_loader_hold(b.loader, true);
        daemon_bench_submit(&b, LOADER_REMOVE_COMMAND, "lkmdt_a", &command);
        daemon_bench_submit(&b, LOADER_INSERT, "lkmdt_b", &load);
        event_settle(b.event);
        fake_loader_hang_up(b.loader);
        event_settle(b.event);
        assert_int_equal(load.record->error, -ECONNRESET);
        assert_int_equal(command.times, 0);
        fake_loader_answer(b.loader, "lkmdt_a", 0);
        event_settle(b.event);
        assert_int_equal(command.record->outcome, OUTCOME_COMMAND_RUN);
}

/* The command itself asks for its module, and waits for that. */
static void test_a_command_asks_for_its_module(void **state) {
        static const struct {
                LoaderOp command, own;
                Outcome outcome;
        } cases[] = {
                { LOADER_INSTALL_COMMAND, LOADER_INSERT, OUTCOME_LOADED },
                { LOADER_REMOVE_COMMAND, LOADER_REMOVE, OUTCOME_UNLOADED },
        };

        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                _bench_ DaemonBench b;
                _heard_ Heard command = {}, own = {}, again = {}, other = {};

                open_bench(&b, UINT64_MAX);
                fake_loader_hold(b.loader, true);
                daemon_bench_submit(&b, cases[i].command, "lkmdt_a", &command);
                event_settle(b.event);
                fake_loader_hold(b.loader, false);
                daemon_bench_submit(&b, cases[i].own, "lkmdt_a", &own);
                event_settle(b.event);
                assert_int_equal(own.record->outcome, cases[i].outcome);
                daemon_bench_submit(&b, cases[i].command, "lkmdt_a", &again);
                daemon_bench_submit(&b, cases[!i].command, "lkmdt_a", &other);
                event_settle(b.event);
                assert_int_equal(command.times + again.times + other.times, 0);
                fake_loader_answer(b.loader, "lkmdt_a", 0);
                event_settle(b.event);
                assert_int_equal(command.record->outcome, OUTCOME_COMMAND_RUN);
                assert_int_equal(again.times + other.times, 2);
        }
}

/* As many as there may be, and all of them hang: each is reported with its process, and the next has its turn. */
static void test_commands_that_hang_hold_up_nothing(void **state) {
        Heard commands[COMMANDS_MAX] = {};
        _heard_ Heard next = {};
        _bench_ DaemonBench b;
        char name[16];

        open_bench(&b, UINT64_MAX);
        fake_loader_hold(b.loader, true);
        for (size_t i = 0; i < COMMANDS_MAX; i++) {
                (void) snprintf(name, sizeof(name), "command_%zu", i);
                daemon_bench_submit(&b, LOADER_INSTALL_COMMAND, name, commands + i);
        }
        daemon_bench_submit(&b, LOADER_INSTALL_COMMAND, "next", &next);
        event_settle(b.event);
        assert_int_equal(fake_loader_count_pending(b.loader), COMMANDS_MAX);

        scheduler_set_limits(b.scheduler, &(SchedulerLimits) { .loads = 4, .slow_usec = 1 });
        for (size_t i = 0; i < COMMANDS_MAX; i++) { /* those that began before have no timer */
                (void) snprintf(name, sizeof(name), "command_%zu", i);
                fake_loader_answer(b.loader, name, 0);
        }
        event_settle(b.event);
        for (size_t i = 0; i < COMMANDS_MAX; i++) {
                heard_clear(commands + i);
                commands[i] = (Heard) {};
                (void) snprintf(name, sizeof(name), "hangs_%zu", i);
                daemon_bench_submit(&b, LOADER_INSTALL_COMMAND, name, commands + i);
        }
        while (fake_loader_count_pending(b.loader) < COMMANDS_MAX + 1)
                assert_ok(sd_event_run(b.event, UINT64_MAX));
        while (!strstr(b.story, "slow next"))
                assert_ok(sd_event_run(b.event, UINT64_MAX));
        {
                _cleanup_(record_list_clear) RecordList running = {};

                assert_ok(scheduler_get_running(b.scheduler, &running));
                assert_int_equal(running.n_items, COMMANDS_MAX + 1);
                assert_int_equal(running.items[0]->thread_id, 4712);
        }
        fake_loader_answer(b.loader, "next", 0);
        event_settle(b.event);
        assert_int_equal(next.record->outcome, OUTCOME_COMMAND_RUN);
        for (size_t i = 0; i < COMMANDS_MAX; i++)
                heard_clear(commands + i);
}

/* The file is one that the kernel cannot decompress: the same request goes to lkmd-command. */
static void test_what_the_loader_cannot_decompress(void **state) {
        _bench_ DaemonBench b;
        _heard_ Heard h = {}, refused = {};

        open_bench(&b, UINT64_MAX);
        fake_loader_let_refuse(b.loader, "lkmdt_a", LOADER_REFUSED_COMPRESSION);
        fake_loader_let_refuse(b.loader, "lkmdt_b", LOADER_REFUSED_FILE);
        daemon_bench_submit(&b, LOADER_INSERT, "lkmdt_a", &h);
        event_settle(b.event);
        assert_string_equal(fake_loader_story(b.loader), "insert lkmdt_a, insert lkmdt_a");
        assert_int_equal(h.times, 1);
        assert_int_equal(h.record->outcome, OUTCOME_LOADED);
        daemon_bench_submit(&b, LOADER_INSERT, "lkmdt_b", &refused);
        event_settle(b.event);
        assert_int_equal(refused.record->outcome, OUTCOME_FAILED);
        fake_loader_silence_commands(b.loader, true);
        heard_clear(&h);
        h = (Heard) {};
        daemon_bench_submit(&b, LOADER_INSERT, "lkmdt_a", &h);
        event_settle(b.event);
        assert_string_equal(h.record->message, "lkmdt_a was not tried: lkmd-command did not start");
}

/* A restart of the loader: it answers what it has, and the next one gets what comes. */
static void test_loader_that_leaves(void **state) {
        _bench_ DaemonBench b;
        _heard_ Heard old = {}, lost = {}, next = {};

        open_bench(&b, UINT64_MAX);
        fake_loader_hold(b.loader, true);
        daemon_bench_submit(&b, LOADER_INSERT, "lkmdt_old", &old);
        daemon_bench_submit(&b, LOADER_INSERT, "lkmdt_lost", &lost);
        event_settle(b.event);
        fake_loader_leave(b.loader);
        event_settle(b.event);
        assert_int_equal(old.times, 0);

        fake_loader_hold(b.loader, false);
        daemon_bench_submit(&b, LOADER_INSERT, "lkmdt_next", &next);
        event_settle(b.event);
        assert_int_equal(fake_loader_count_connections(b.loader), 2);
        assert_int_equal(next.record->outcome, OUTCOME_LOADED);
        assert_int_equal(old.times, 0);
        fake_loader_answer(b.loader, "lkmdt_old", 0);
        event_settle(b.event);
        assert_int_equal(old.record->outcome, OUTCOME_LOADED);
        assert_int_equal(b.n_losses, 0);

        /* it dies before it has answered the last one */
        fake_loader_lose_command(b.loader, "lkmdt_lost");
        event_settle(b.event);
        assert_int_equal(lost.record->outcome, OUTCOME_FAILED);
        assert_int_equal(lost.record->error, -ECONNRESET);
        assert_int_equal(b.n_losses, 1);
        assert_int_equal(scheduler_get_trouble(b.scheduler), LOADER_IS_WELL);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_lkmd_command_dies),
                cmocka_unit_test(test_lkmd_command_does_not_start),
                cmocka_unit_test(test_a_command_asks_for_its_module),
                cmocka_unit_test(test_loader_dies_during_a_command),
                cmocka_unit_test(test_commands_that_hang_hold_up_nothing),
                cmocka_unit_test(test_what_the_loader_cannot_decompress),
                cmocka_unit_test(test_loader_that_leaves),
        };

        return RUN_TESTS(tests);
}
