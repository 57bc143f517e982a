/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/engine/scheduler.h"

#include "daemon-bench.h"
#include "test.h"

#define _bench_ _cleanup_(daemon_bench_close)
#define _heard_ _cleanup_(heard_clear)
#define WORDS(said)                                 \
        (&(PlanWords) { .kind = PLAN_WORDS_OF_LINE, \
                        .text = (char *) (said),    \
                        .name = (char *) "m",       \
                        .file = (char *) "/etc/modprobe.d/m.conf" })

static void set_limits(DaemonBench *b, unsigned loads, uint64_t slow_usec) {
        scheduler_set_limits(b->scheduler, &(SchedulerLimits) { .loads = loads, .slow_usec = slow_usec });
}

static void open_bench(DaemonBench *b, unsigned limit) {
        daemon_bench_open(b);
        daemon_bench_start_loader(b);
        set_limits(b, limit, UINT64_MAX);
}

static void test_one_load_per_module(void **state) {
        _bench_ DaemonBench b;
        Heard all[50] = {};

        open_bench(&b, 4);
        for (size_t i = 0; i < ARRAY_LEN(all); i++)
                daemon_bench_submit(&b, LOADER_INSERT, "lkmdt_a", all + i);
        assert_int_equal(all[0].times, 0); /* never from inside scheduler_submit() */
        event_settle(b.event);

        assert_string_equal(fake_loader_story(b.loader), "insert lkmdt_a");
        assert_string_equal(b.story, "start lkmdt_a, end lkmdt_a loaded");
        assert_int_equal(b.counters.joins, ARRAY_LEN(all) - 1);
        for (size_t i = 0; i < ARRAY_LEN(all); i++) {
                assert_int_equal(all[i].times, 1);
                assert_ptr_equal(all[i].record, all[0].record);
                assert_int_equal(all[i].record->outcome, OUTCOME_LOADED);
                assert_int_equal(all[i].record->duration_usec, 1500);
        }
        for (size_t i = 0; i < ARRAY_LEN(all); i++)
                heard_clear(all + i);
        assert_true(scheduler_is_idle(b.scheduler));
}

static void test_joins_what_runs_already(void **state) {
        _bench_ DaemonBench b;
        _heard_ Heard first = {}, second = {};

        open_bench(&b, 4);
        fake_loader_hold(b.loader, true);
        daemon_bench_submit(&b, LOADER_INSERT, "lkmdt_a", &first);
        event_settle(b.event);
        daemon_bench_submit(&b, LOADER_INSERT, "lkmdt_a", &second);
        event_settle(b.event);
        assert_int_equal(fake_loader_count_pending(b.loader), 1);

        fake_loader_answer(b.loader, "lkmdt_a", 0);
        event_settle(b.event);
        assert_int_equal(first.times, 1);
        assert_int_equal(second.times, 1);
        assert_string_equal(fake_loader_story(b.loader), "insert lkmdt_a");
}

static void test_a_finished_load_is_not_joined(void **state) {
        _bench_ DaemonBench b;
        _heard_ Heard first = {}, second = {};

        open_bench(&b, 4);
        daemon_bench_submit(&b, LOADER_INSERT, "lkmdt_a", &first);
        event_settle(b.event);
        daemon_bench_submit(&b, LOADER_INSERT, "lkmdt_a", &second);
        event_settle(b.event);
        assert_string_equal(fake_loader_story(b.loader), "insert lkmdt_a, insert lkmdt_a");
        assert_ptr_not_equal(first.record, second.record);
}

/*
 * A module that was loaded for another's sake, and is asked for by itself while that is under way, is
 * wanted.
 */
static void test_joining_notes_that_it_is_wanted(void **state) {
        _bench_ DaemonBench b;
        _heard_ Heard first = {}, second = {};

        open_bench(&b, 4);
        assert_ok(scheduler_submit(b.scheduler,
                                   &(JobSpec) {
                                           .op = LOADER_INSERT,
                                           .module = "lkmdt_a",
                                           .path = "/x.ko",
                                           .request = b.request,
                                           .reason = PLAN_DEPENDENCY,
                                           .parent = "lkmdt_top",
                                   },
                                   heard, &first));
        daemon_bench_submit(&b, LOADER_INSERT, "lkmdt_a", &second);
        event_settle(b.event);
        assert_true(first.record->also_requested);
        assert_true(record_is_wanted(first.record));
        assert_string_equal(first.record->parent, "lkmdt_top");
}

static void test_limit(void **state) {
        static const char *const names[] = { "lkmdt_a", "lkmdt_b", "lkmdt_c", "lkmdt_d", "lkmdt_e" };
        _cleanup_(record_list_clear) RecordList running = {};
        _bench_ DaemonBench b;
        Heard h[ARRAY_LEN(names)] = {};

        open_bench(&b, 2);
        fake_loader_hold(b.loader, true);
        for (size_t i = 0; i < ARRAY_LEN(names); i++)
                daemon_bench_submit(&b, LOADER_INSERT, names[i], h + i);
        event_settle(b.event);
        assert_int_equal(fake_loader_count_pending(b.loader), 2);
        assert_int_equal(scheduler_count_queued(b.scheduler), 3);
        assert_true(scheduler_is_queued(b.scheduler, "lkmdt_c"));
        assert_false(scheduler_is_queued(b.scheduler, "lkmdt_a"));
        assert_true(scheduler_has_job(b.scheduler, "lkmdt_a"));
        assert_true(scheduler_has_job(b.scheduler, "lkmdt_e"));
        assert_false(scheduler_has_job(b.scheduler, "lkmdt_f"));
        assert_ok(scheduler_get_running(b.scheduler, &running));
        assert_int_equal(running.n_items, 2);
        assert_string_equal(running.items[1]->module, "lkmdt_b");

        fake_loader_answer(b.loader, "lkmdt_b", 0); /* the second: nobody waits for the first */
        event_settle(b.event);
        assert_int_equal(fake_loader_count_pending(b.loader), 2);
        assert_string_equal(fake_loader_story(b.loader), "insert lkmdt_a, insert lkmdt_b, insert lkmdt_c");

        set_limits(&b, LOADS_MAX, UINT64_MAX);
        event_settle(b.event);
        assert_int_equal(fake_loader_count_pending(b.loader), 4);
        assert_int_equal(scheduler_count_queued(b.scheduler), 0);

        fake_loader_answer(b.loader, "lkmdt_e", 0);
        fake_loader_answer(b.loader, "lkmdt_a", 0);
        fake_loader_answer(b.loader, "lkmdt_d", 0);
        fake_loader_answer(b.loader, "lkmdt_c", 0);
        event_settle(b.event);
        assert_true(scheduler_is_idle(b.scheduler));
        for (size_t i = 0; i < ARRAY_LEN(names); i++) {
                assert_int_equal(h[i].times, 1);
                heard_clear(h + i);
        }
}

/* Full use of the limit with the largest requests: send(2) never has to wait. */
static void test_as_many_as_there_may_be(void **state) {
        char names[LOADS_MAX][16], parameters[PARAMETERS_MAX];
        _bench_ DaemonBench b;
        Heard h[LOADS_MAX] = {};

        open_bench(&b, LOADS_MAX);
        memset(parameters, 'p', sizeof(parameters) - 1);
        parameters[sizeof(parameters) - 1] = '\0';
        for (size_t i = 0; i < LOADS_MAX; i++) {
                snprintf(names[i], sizeof(names[i]), "lkmdt_%zu", i);
                assert_ok(scheduler_submit(b.scheduler,
                                           &(JobSpec) {
                                                   .op = LOADER_INSERT,
                                                   .module = names[i],
                                                   .path = "/x.ko",
                                                   .parameters = parameters,
                                                   .words = WORDS(parameters),
                                                   .n_words = 1,
                                                   .request = b.request,
                                           },
                                           heard, h + i));
        }
        event_settle(b.event);
        assert_string_equal(fake_loader_last(b.loader)->words.text, parameters);
        for (size_t i = 0; i < LOADS_MAX; i++) {
                assert_int_equal(h[i].record->outcome, OUTCOME_LOADED);
                heard_clear(h + i);
        }
}

static void test_jobs_of_one_module_keep_their_order(void **state) {
        _bench_ DaemonBench b;
        _heard_ Heard insert = {}, removal = {}, again = {}, joined = {};

        open_bench(&b, 8);
        fake_loader_hold(b.loader, true);
        daemon_bench_submit(&b, LOADER_INSERT, "lkmdt_a", &insert);
        daemon_bench_submit(&b, LOADER_REMOVE, "lkmdt_a", &removal);
        daemon_bench_submit(&b, LOADER_INSERT, "lkmdt_a", &again); /* not the first: that one will be undone */
        daemon_bench_submit(&b, LOADER_INSERT, "lkmdt_a", &joined);
        event_settle(b.event);
        assert_string_equal(fake_loader_story(b.loader), "insert lkmdt_a");

        fake_loader_answer(b.loader, "lkmdt_a", 0);
        event_settle(b.event);
        assert_int_equal(insert.times, 1);
        assert_int_equal(again.times, 0);
        assert_string_equal(fake_loader_story(b.loader), "insert lkmdt_a, remove lkmdt_a");

        fake_loader_answer(b.loader, "lkmdt_a", 0);
        event_settle(b.event);
        assert_int_equal(removal.record->outcome, OUTCOME_UNLOADED);
        assert_true(removal.record->removal);
        fake_loader_answer(b.loader, "lkmdt_a", 0);
        event_settle(b.event);
        assert_int_equal(again.times, 1);
        assert_ptr_equal(again.record, joined.record);
        assert_int_equal(b.counters.joins, 1);
}

static void test_outcomes(void **state) {
        static const struct {
                LoaderOp op;
                int error, wait_status;
                Outcome outcome;
        } cases[] = {
                { LOADER_INSERT, 0, 0, OUTCOME_LOADED },
                { LOADER_INSERT, -EEXIST, 0, OUTCOME_ALREADY_LOADED },
                { LOADER_INSERT, -ENOEXEC, 0, OUTCOME_FAILED },
                { LOADER_INSERT, -ENOENT, 0, OUTCOME_FAILED },
                { LOADER_INSERT, -ENODEV, 0, OUTCOME_FAILED },
                { LOADER_REMOVE, 0, 0, OUTCOME_UNLOADED },
                { LOADER_REMOVE, -ENOENT, 0, OUTCOME_UNLOADED },
                { LOADER_REMOVE, -EEXIST, 0, OUTCOME_FAILED },
                { LOADER_REMOVE, -EAGAIN, 0, OUTCOME_FAILED },
                { LOADER_INSTALL_COMMAND, 0, 0, OUTCOME_COMMAND_RUN },
                { LOADER_INSTALL_COMMAND, -ECANCELED, 1 << 8, OUTCOME_KEPT_OUT },
                { LOADER_INSTALL_COMMAND, -ECANCELED, 127 << 8, OUTCOME_FAILED },
                { LOADER_INSTALL_COMMAND, -ECANCELED, 9, OUTCOME_FAILED },
                { LOADER_REMOVE_COMMAND, -ECANCELED, 1 << 8, OUTCOME_FAILED },
                { LOADER_INSTALL_COMMAND, -EEXIST, 0, OUTCOME_FAILED },
                { LOADER_REMOVE_COMMAND, 0, 0, OUTCOME_COMMAND_RUN },
                { LOADER_REMOVE_COMMAND, -ENOENT, 0, OUTCOME_FAILED },
        };

        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                _bench_ DaemonBench b;
                _heard_ Heard h = {};

                open_bench(&b, 1);
                fake_loader_let_fail(b.loader, "lkmdt_a", cases[i].error, cases[i].wait_status);
                daemon_bench_submit(&b, cases[i].op, "lkmdt_a", &h);
                event_settle(b.event);

                assert_int_equal(h.times, 1);
                assert_int_equal(h.record->outcome, cases[i].outcome);
                if (cases[i].outcome != OUTCOME_FAILED && cases[i].outcome != OUTCOME_KEPT_OUT) {
                        assert_int_equal(h.record->error, 0);
                        assert_null(h.record->message);
                        continue;
                }
                assert_int_equal(h.record->error, cases[i].error);
                assert_non_null(h.record->message);
                assert_non_null(strstr(h.record->message, "lkmdt_a"));
        }
}

static void test_parameters_reach_the_loader(void **state) {
        _bench_ DaemonBench b;
        _heard_ Heard h = {};

        open_bench(&b, 1);
        assert_ok(scheduler_submit(b.scheduler,
                                   &(JobSpec) {
                                           .op = LOADER_INSERT,
                                           .module = "lkmdt_a",
                                           .path = "/lib/modules/a b.ko.xz",
                                           .parameters = "x=\"1 2\" \xff",
                                           .words = WORDS("x=\"1 2\" \xff"),
                                           .n_words = 1,
                                           .request = b.request,
                                   },
                                   heard, &h));
        event_settle(b.event);
        assert_string_equal(fake_loader_last(b.loader)->path, "/lib/modules/a b.ko.xz");
        assert_string_equal(fake_loader_last(b.loader)->words.text, "x=\"1 2\" \xff");
        assert_string_equal(h.record->parameters, "x=\"1 2\" \xff");
}

static void test_too_long_for_the_protocol(void **state) {
        char parameters[PARAMETERS_MAX + 1];
        _bench_ DaemonBench b;
        _heard_ Heard h = {};

        open_bench(&b, 1);
        memset(parameters, 'p', PARAMETERS_MAX);
        parameters[PARAMETERS_MAX] = '\0';
        assert_ok(scheduler_submit(b.scheduler,
                                   &(JobSpec) {
                                           .op = LOADER_INSERT,
                                           .module = "lkmdt_a",
                                           .path = "/x.ko",
                                           .parameters = parameters,
                                           .words = WORDS(parameters),
                                           .n_words = 1,
                                           .request = b.request,
                                   },
                                   heard, &h));
        event_settle(b.event);
        assert_int_equal(h.record->outcome, OUTCOME_FAILED);
        assert_int_equal(h.record->error, -E2BIG);
        assert_string_equal(fake_loader_story(b.loader), "");
}

static void test_loader_dies_in_the_middle(void **state) {
        _bench_ DaemonBench b;
        _heard_ Heard a = {}, c = {}, next = {}, joined = {};

        open_bench(&b, 2);
        fake_loader_hold(b.loader, true);
        daemon_bench_submit(&b, LOADER_INSERT, "lkmdt_a", &a);
        daemon_bench_submit(&b, LOADER_INSERT, "lkmdt_a", &joined);
        daemon_bench_submit(&b, LOADER_REMOVE, "lkmdt_c", &c);
        daemon_bench_submit(&b, LOADER_INSERT, "lkmdt_next", &next);
        event_settle(b.event);
        assert_int_equal(fake_loader_count_pending(b.loader), 2);

        fake_loader_hang_up(b.loader);
        fake_loader_hold(b.loader, false);
        event_settle(b.event);
        assert_int_equal(a.record->outcome, OUTCOME_FAILED);
        assert_int_equal(a.record->error, -ECONNRESET);
        assert_non_null(a.record->message);
        assert_int_equal(c.record->outcome, OUTCOME_UNLOADED); /* as its state says */
        assert_int_equal(joined.times, 1);
        assert_int_equal(b.n_losses, 1);

        /* what had not been sent yet goes to the next one */
        assert_int_equal(next.record->outcome, OUTCOME_LOADED);
        assert_int_equal(fake_loader_count_connections(b.loader), 2);
        assert_true(scheduler_is_idle(b.scheduler));
}

/* It shows only when the next request is sent: the request goes to the new loader, once. */
static void test_loader_dies_between_two_requests(void **state) {
        _bench_ DaemonBench b;
        _heard_ Heard first = {}, second = {};

        open_bench(&b, 1);
        daemon_bench_submit(&b, LOADER_INSERT, "lkmdt_a", &first);
        event_settle(b.event);

        daemon_bench_submit(&b, LOADER_INSERT, "lkmdt_b", &second);
        fake_loader_hang_up(b.loader);
        event_settle(b.event);
        assert_int_equal(second.times, 1);
        assert_int_equal(second.record->outcome, OUTCOME_LOADED);
        assert_string_equal(fake_loader_story(b.loader), "insert lkmdt_a, insert lkmdt_b");
        assert_int_equal(b.n_losses, 0);        /* nothing was under way */
}

/* The loader is there before there is anything to do; without one nothing happens yet. */
static void test_prepare(void **state) {
        _bench_ DaemonBench b;
        _heard_ Heard h = {};

        daemon_bench_open(&b);
        scheduler_prepare(b.scheduler);
        event_settle(b.event);
        daemon_bench_start_loader(&b);
        scheduler_prepare(b.scheduler);
        scheduler_prepare(b.scheduler);
        event_settle(b.event);
        assert_int_equal(fake_loader_count_connections(b.loader), 1);
        daemon_bench_submit(&b, LOADER_INSERT, "lkmdt_a", &h);
        event_settle(b.event);
        assert_int_equal(h.record->outcome, OUTCOME_LOADED);
        assert_int_equal(fake_loader_count_connections(b.loader), 1);
        assert_int_equal(b.n_losses, 0);
}

static void test_loader_talks_nonsense(void **state) {
        _bench_ DaemonBench b;
        _heard_ Heard first = {}, second = {};

        open_bench(&b, 1);
        fake_loader_hold(b.loader, true);
        daemon_bench_submit(&b, LOADER_INSERT, "lkmdt_a", &first);
        event_settle(b.event);
        fake_loader_send(b.loader, "nonsense", strlen("nonsense"));
        event_settle(b.event);
        assert_int_equal(first.record->error, -ECONNRESET);

        fake_loader_hold(b.loader, false);
        daemon_bench_submit(&b, LOADER_INSERT, "lkmdt_b", &second);
        event_settle(b.event);
        assert_int_equal(second.record->outcome, OUTCOME_LOADED);
}

static void test_answer_to_nothing_is_left_out(void **state) {
        LoaderReply stray = { .magic = LOADER_MAGIC, .id = 4711 };
        _bench_ DaemonBench b;
        _heard_ Heard h = {};

        open_bench(&b, 1);
        fake_loader_hold(b.loader, true);
        daemon_bench_submit(&b, LOADER_INSERT, "lkmdt_a", &h);
        event_settle(b.event);
        fake_loader_send(b.loader, &stray, sizeof(stray));
        event_settle(b.event);
        assert_int_equal(h.times, 0);

        fake_loader_answer(b.loader, "lkmdt_a", 0);
        event_settle(b.event);
        assert_int_equal(h.record->outcome, OUTCOME_LOADED);
}

static void test_no_loader(void **state) {
        _bench_ DaemonBench b;
        _heard_ Heard a = {}, c = {}, later = {};

        daemon_bench_open(&b);
        daemon_bench_submit(&b, LOADER_INSERT, "lkmdt_a", &a);
        daemon_bench_submit(&b, LOADER_REMOVE, "lkmdt_c", &c);
        event_settle(b.event);
        assert_int_equal(a.record->outcome, OUTCOME_FAILED);
        assert_int_equal(a.record->error, -ENOENT);
        assert_non_null(strstr(a.record->message, "lkmd-loader cannot be reached"));
        assert_non_null(strstr(a.record->hint, "systemctl"));
        assert_int_equal(c.record->outcome, OUTCOME_FAILED); /* no -ENOENT of a removal: nothing was removed */

        daemon_bench_start_loader(&b);
        daemon_bench_submit(&b, LOADER_INSERT, "lkmdt_a", &later);
        event_settle(b.event);
        assert_int_equal(later.record->outcome, OUTCOME_LOADED);
}

static void test_slow(void **state) {
        _bench_ DaemonBench b;
        _heard_ Heard h = {};

        open_bench(&b, 1);
        fake_loader_hold(b.loader, true);
        set_limits(&b, 1, 1);
        daemon_bench_submit(&b, LOADER_INSERT, "lkmdt_a", &h);
        while (!strstr(b.story, "slow lkmdt_a, slow lkmdt_a"))
                assert_ok(sd_event_run(b.event, UINT64_MAX));
        assert_int_equal(h.times, 0);

        fake_loader_answer(b.loader, "lkmdt_a", 0);
        while (h.times == 0)
                assert_ok(sd_event_run(b.event, UINT64_MAX));
        assert_int_equal(h.record->outcome, OUTCOME_LOADED);
        assert_int_equal(h.record->duration_usec,
                         1500); /* by the loader, not the time reported while it was slow */
        assert_null(h.record->kernel_stack);
        assert_int_equal(h.record->thread_id, 0);
}

/* Slow jobs are reported with where they are. A loader that does not answer that delays nothing. */
static void test_slow_says_where_it_is(void **state) {
        _cleanup_(record_list_clear) RecordList running = {};
        _bench_ DaemonBench b;
        _heard_ Heard h = {};

        open_bench(&b, 1);
        fake_loader_hold(b.loader, true);
        fake_loader_blind(b.loader, true);
        set_limits(&b, 1, 1);
        daemon_bench_submit(&b, LOADER_INSERT, "lkmdt_a", &h);
        for (unsigned i = 0; i < 20; i++)
                assert_ok(sd_event_run(b.event, 1000));
        assert_string_equal(b.story, "start lkmdt_a");

        fake_loader_blind(b.loader, false);
        while (!strstr(b.story, "slow lkmdt_a"))
                assert_ok(sd_event_run(b.event, UINT64_MAX));
        assert_ok(scheduler_get_running(b.scheduler, &running));
        assert_int_equal(running.items[0]->thread_id, 4711);
        assert_non_null(running.items[0]->kernel_stack);
        assert_string_equal(running.items[0]->kernel_stack[0], "msleep+0x2d/0x40");
        assert_string_equal(running.items[0]->kernel_stack[1], "do_one_initcall+0x58/0x300");
        assert_null(running.items[0]->kernel_stack[2]);

        fake_loader_hang_up(b.loader);          /* now it finds out that nobody is there, and fails the job */
        while (h.times == 0)
                assert_ok(sd_event_run(b.event, UINT64_MAX));
        assert_int_equal(h.record->error, -ECONNRESET);
}

static void test_async_probe(void **state) {
        static const struct {
                const char *module, *given, *sent;
        } cases[] = {
                { "slow_a", NULL, "async_probe" },
                { "slow_b", "x=1", "x=1 async_probe" },
                { "slow_c", "async_probe=0", "async_probe=0" }, /* somebody knows better */
                { "quick", "x=1", "x=1" },
                { "quick", NULL, "" },
        };
        _bench_ DaemonBench b;

        open_bench(&b, 1);
        scheduler_set_limits(b.scheduler, &(SchedulerLimits) {
                                                  .loads = 1,
                                                  .slow_usec = UINT64_MAX,
                                                  .async_probe_modules = "slow-?",
                                          });
        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                _heard_ Heard h = {};

                assert_ok(scheduler_submit(b.scheduler,
                                           &(JobSpec) {
                                                   .op = LOADER_INSERT,
                                                   .module = cases[i].module,
                                                   .path = "/x.ko",
                                                   .parameters = cases[i].given,
                                                   .words = WORDS(cases[i].given),
                                                   .n_words = cases[i].given != NULL,
                                                   .request = b.request,
                                           },
                                           heard, &h));
                event_settle(b.event);
                assert_string_equal(fake_loader_last(b.loader)->words.text, cases[i].sent);
                assert_string_equal(h.record->parameters ?: "", cases[i].sent);
        }
}

/* Who wants it by force does not get the outcome of somebody who did not. */
static void test_force_does_not_join(void **state) {
        _cleanup_(request_unrefp) Request *request = NULL;
        _heard_ Heard plain = {}, forced = {};
        _bench_ DaemonBench b;

        open_bench(&b, 8);
        fake_loader_hold(b.loader, true);
        daemon_bench_submit(&b, LOADER_INSERT, "lkmdt_a", &plain);
        assert_ok(request_new_client(&request, "lkmdt_a", 0, 1, NULL));
        request->force = REQUEST_FORCE_VERMAGIC;
        assert_ok(scheduler_submit(b.scheduler,
                                   &(JobSpec) {
                                           .op = LOADER_INSERT,
                                           .module = "lkmdt_a",
                                           .path = "/x.ko",
                                           .request = request,
                                   },
                                   heard, &forced));
        event_settle(b.event);
        fake_loader_answer(b.loader, "lkmdt_a", -ENOEXEC);
        event_settle(b.event);
        assert_int_equal(plain.record->outcome, OUTCOME_FAILED);
        assert_int_equal(fake_loader_last(b.loader)->flags, LOADER_FORCE_VERMAGIC);
        fake_loader_answer(b.loader, "lkmdt_a", 0);
        event_settle(b.event);
        assert_int_equal(forced.record->outcome, OUTCOME_LOADED);
}

static void test_durations(void **state) {
        _bench_ DaemonBench b;
        _heard_ Heard h = {};
        uint64_t unknown;

        open_bench(&b, 1);
        unknown = scheduler_expect_usec(b.scheduler, "lkmdt_a");
        assert_true(unknown > 1500);
        daemon_bench_submit(&b, LOADER_INSERT, "lkmdt_a", &h);
        event_settle(b.event);
        assert_int_equal(scheduler_expect_usec(b.scheduler, "lkmdt_a"), 1500);
        assert_int_equal(scheduler_expect_usec(b.scheduler, "lkmdt_b"), unknown);
        scheduler_remember(b.scheduler, "lkmdt_b", UINT64_MAX);
        assert_int_equal(scheduler_expect_usec(b.scheduler, "lkmdt_b"), UINT32_MAX);
        scheduler_remember(b.scheduler, "lkmdt_b", 0);
        assert_int_equal(scheduler_expect_usec(b.scheduler, "lkmdt_b"), 1);
}

static void test_forget(void **state) {
        _bench_ DaemonBench b;
        _heard_ Heard gone = {}, stays = {};

        open_bench(&b, 1);
        daemon_bench_submit(&b, LOADER_INSERT, "lkmdt_a", &gone);
        daemon_bench_submit(&b, LOADER_INSERT, "lkmdt_a", &stays);
        daemon_bench_submit(&b, LOADER_INSERT, "lkmdt_b", &gone);
        daemon_bench_submit(&b, LOADER_INSERT, "lkmdt_a", &gone);
        scheduler_forget(b.scheduler, &gone);
        event_settle(b.event);
        assert_int_equal(gone.times, 0);
        assert_int_equal(stays.times, 1);
        assert_string_equal(fake_loader_story(b.loader), "insert lkmdt_a, insert lkmdt_b"); /* nobody waits, it goes on */
}

typedef struct Jealous {
        DaemonBench *bench;
        Heard *other;
} Jealous;

static void forget_other(Record *record, void *userdata) {
        const Jealous *j = userdata;

        scheduler_forget(j->bench->scheduler, j->other);
}

/* A waiter that is forgotten while the outcome is being reported is not called any more. */
static void test_forget_while_it_is_told(void **state) {
        _bench_ DaemonBench b;
        _heard_ Heard other = {};
        Jealous jealous = { &b, &other };

        open_bench(&b, 1);
        assert_ok(scheduler_submit(b.scheduler,
                                   &(JobSpec) {
                                           .op = LOADER_INSERT,
                                           .module = "lkmdt_a",
                                           .path = "/x.ko",
                                           .request = b.request,
                                   },
                                   forget_other, &jealous));
        daemon_bench_submit(&b, LOADER_INSERT, "lkmdt_a", &other);
        event_settle(b.event);
        assert_int_equal(other.times, 0);
        assert_string_equal(b.story, "start lkmdt_a, end lkmdt_a loaded");
}

typedef struct Chain {
        DaemonBench *bench;
        Heard next;
} Chain;

static void submit_next(Record *record, void *userdata) {
        Chain *c = userdata;

        daemon_bench_submit(c->bench, LOADER_INSERT, "lkmdt_a", &c->next);
        daemon_bench_submit(c->bench, LOADER_INSERT, "lkmdt_b", &c->next);
}

static void test_submit_while_it_is_told(void **state) {
        _bench_ DaemonBench b;
        Chain chain = { &b, {} };

        open_bench(&b, 1);
        assert_ok(scheduler_submit(b.scheduler,
                                   &(JobSpec) {
                                           .op = LOADER_INSERT,
                                           .module = "lkmdt_a",
                                           .path = "/x.ko",
                                           .request = b.request,
                                   },
                                   submit_next, &chain));
        event_settle(b.event);
        assert_int_equal(chain.next.times, 2);
        assert_string_equal(fake_loader_story(b.loader), "insert lkmdt_a, insert lkmdt_a, insert lkmdt_b");
        heard_clear(&chain.next);
}

static void test_free_with_jobs_under_way(void **state) {
        _bench_ DaemonBench b;
        _heard_ Heard h = {};

        open_bench(&b, 1);
        set_limits(&b, 1, 1000000);
        fake_loader_hold(b.loader, true);
        daemon_bench_submit(&b, LOADER_INSERT, "lkmdt_a", &h);
        daemon_bench_submit(&b, LOADER_INSERT, "lkmdt_b", &h);
        daemon_bench_submit(&b, LOADER_REMOVE, "lkmdt_a", &h);
        event_settle(b.event);
        b.scheduler = scheduler_free(b.scheduler);
        event_settle(b.event);
        assert_int_equal(h.times, 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_one_load_per_module),
                cmocka_unit_test(test_joins_what_runs_already),
                cmocka_unit_test(test_a_finished_load_is_not_joined),
                cmocka_unit_test(test_joining_notes_that_it_is_wanted),
                cmocka_unit_test(test_limit),
                cmocka_unit_test(test_as_many_as_there_may_be),
                cmocka_unit_test(test_jobs_of_one_module_keep_their_order),
                cmocka_unit_test(test_outcomes),
                cmocka_unit_test(test_parameters_reach_the_loader),
                cmocka_unit_test(test_too_long_for_the_protocol),
                cmocka_unit_test(test_loader_dies_in_the_middle),
                cmocka_unit_test(test_loader_dies_between_two_requests),
                cmocka_unit_test(test_prepare),
                cmocka_unit_test(test_loader_talks_nonsense),
                cmocka_unit_test(test_answer_to_nothing_is_left_out),
                cmocka_unit_test(test_no_loader),
                cmocka_unit_test(test_slow),
                cmocka_unit_test(test_slow_says_where_it_is),
                cmocka_unit_test(test_async_probe),
                cmocka_unit_test(test_force_does_not_join),
                cmocka_unit_test(test_durations),
                cmocka_unit_test(test_forget),
                cmocka_unit_test(test_forget_while_it_is_told),
                cmocka_unit_test(test_submit_while_it_is_told),
                cmocka_unit_test(test_free_with_jobs_under_way),
        };

        return RUN_TESTS(tests);
}
