/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/engine/plan-run.h"

#include "daemon-bench.h"
#include "test.h"

#define _bench_ _cleanup_(daemon_bench_close)
#define AFTER_MAX 4U
#define END { .module = NULL }

typedef struct Step {
        const char *module;
        PlanReason reason;
        size_t parent;                  /* unless PLAN_REQUESTED */
        bool optional;
        PlanAction action;
        PlanEdge after[AFTER_MAX];
        size_t n_after;
} Step;

static char *copy(const char *s) {
        char *c = strdup(s);

        assert_non_null(c);
        return c;
}

/* @steps: ended by one without a module */
static Plan *make_plan(const Step *steps) {
        Plan *p = calloc(1, sizeof(*p));

        assert_non_null(p);
        p->key = copy("asked");
        while (steps[p->n_steps].module)
                p->n_steps++;
        p->n_matches = 1;
        p->steps = calloc(p->n_steps + 1, sizeof(*p->steps));
        assert_non_null(p->steps);
        for (size_t i = 0; i < p->n_steps; i++) {
                PlanStep *step = p->steps + i;

                *step = (PlanStep) {
                        .module = copy(steps[i].module),
                        .path = steps[i].action == PLAN_INSERT ? copy("/lib/modules/x.ko") : NULL,
                        .parameters = copy(""),
                        .action = steps[i].action,
                        .reason = steps[i].reason,
                        .parent = steps[i].reason == PLAN_REQUESTED ? SIZE_MAX : steps[i].parent,
                        .required = !steps[i].optional,
                        .n_after = steps[i].n_after,
                };
                step->after = calloc(steps[i].n_after + 1, sizeof(*step->after));
                assert_non_null(step->after);
                memcpy(step->after, steps[i].after, steps[i].n_after * sizeof(*step->after));
        }
        return p;
}

typedef struct Ending {
        unsigned times;
        char story[1024];               /* "MODULE OUTCOME, ..", then "; failed MODULE" */
        Record *failure;
        bool free_run;
} Ending;

static void on_done(PlanRun *run, void *userdata) {
        const RecordList *records = plan_run_get_records(run);
        Ending *e = userdata;
        size_t n = 0;

        e->times++;
        for (size_t i = 0; i < records->n_items; i++)
                n += (size_t) snprintf(e->story + n, sizeof(e->story) - n, "%s%s %s", n > 0 ? ", " : "",
                                       records->items[i]->module,
                                       outcome_to_string(records->items[i]->outcome));
        if (plan_run_get_failure(run)) {
                e->failure = record_ref(plan_run_get_failure(run));
                snprintf(e->story + n, sizeof(e->story) - n, "; failed %s", e->failure->module);
        }
        if (e->free_run)
                plan_run_free(run);
}

static void ending_clear(Ending *e) {
        e->failure = record_unref(e->failure);
}

static PlanRun *start(DaemonBench *b, const Step *steps, Ending *e) {
        PlanRun *run;

        assert_ok(plan_run_new(&run, b->scheduler, NULL, make_plan(steps), b->request, on_done, e));
        assert_ok(plan_run_start(run));
        return run;
}

/* One that frees itself at its end, as all real ones do. */
static void carry_out(DaemonBench *b, const Step *steps, Ending *e) {
        *e = (Ending) { .free_run = true };
        (void) start(b, steps, e);
        event_settle(b->event);
        assert_int_equal(e->times, 1);
        assert_true(scheduler_is_idle(b->scheduler));
}

static void open_bench(DaemonBench *b) {
        daemon_bench_open(b);
        daemon_bench_start_loader(b);
        scheduler_set_limits(b->scheduler, &(SchedulerLimits) { .loads = 8, .slow_usec = UINT64_MAX });
}

/* top needs left and right, both need base */
static const Step diamond[] = {
        { "lkmdt_base", PLAN_DEPENDENCY, 1 },
        { "lkmdt_left", PLAN_DEPENDENCY, 3, .after = { { 0, true } }, .n_after = 1 },
        { "lkmdt_right", PLAN_DEPENDENCY, 3, .after = { { 0, true } }, .n_after = 1 },
        { "lkmdt_top", PLAN_REQUESTED, .after = { { 0, true }, { 1, true }, { 2, true } }, .n_after = 3 },
        END
};

static void test_order(void **state) {
        _cleanup_(ending_clear) Ending e;
        _bench_ DaemonBench b;

        open_bench(&b);
        carry_out(&b, diamond, &e);
        assert_string_equal(fake_loader_story(b.loader),
                            "insert lkmdt_base, insert lkmdt_left, insert lkmdt_right, insert lkmdt_top");
        assert_string_equal(e.story,
                            "lkmdt_base loaded, lkmdt_left loaded, lkmdt_right loaded, lkmdt_top loaded");
        assert_string_equal(fake_loader_last(b.loader)->path, "/lib/modules/x.ko");
}

/*
 * One slot, two plans: what begins the longer chain goes first, although it was asked for later; and a step that more
 * wait for before one that was asked for with it.
 */
static void test_the_longest_chain_comes_first(void **state) {
        static const Step alone[] = { { "lkmdt_alone", PLAN_REQUESTED }, END };
        static const Step chain[] = {
                { "lkmdt_one", PLAN_DEPENDENCY, 2 },
                { "lkmdt_two", PLAN_DEPENDENCY, 2, .after = { { 0, true } }, .n_after = 1 },
                { "lkmdt_three", PLAN_REQUESTED, .after = { { 0, true }, { 1, true } }, .n_after = 2 },
                END
        };
        _cleanup_(ending_clear) Ending first = { .free_run = true }, a = { .free_run = true };
        _cleanup_(ending_clear) Ending c = { .free_run = true };
        static const Step busy[] = { { "lkmdt_busy", PLAN_REQUESTED }, END };
        _bench_ DaemonBench b;

        open_bench(&b);
        scheduler_set_limits(b.scheduler, &(SchedulerLimits) { .loads = 1, .slow_usec = UINT64_MAX });
        fake_loader_hold(b.loader, true);
        (void) start(&b, busy, &first);
        event_settle(b.event);
        (void) start(&b, alone, &a);
        (void) start(&b, chain, &c);
        fake_loader_hold(b.loader, false);
        fake_loader_answer(b.loader, "lkmdt_busy", 0);
        event_settle(b.event);
        assert_string_equal(fake_loader_story(b.loader), "insert lkmdt_busy, insert lkmdt_one, insert lkmdt_two, "
                                                         "insert lkmdt_alone, insert lkmdt_three");
        assert_int_equal(a.times + c.times, 2);
}

/* What took long before counts for more than how many steps there are. */
static void test_durations_are_remembered(void **state) {
        static const Step chain[] = {
                { "lkmdt_one", PLAN_DEPENDENCY, 1 },
                { "lkmdt_two", PLAN_REQUESTED, .after = { { 0, true } }, .n_after = 1 },
                END
        };
        static const Step alone[] = { { "lkmdt_alone", PLAN_REQUESTED }, END };
        static const Step busy[] = { { "lkmdt_busy", PLAN_REQUESTED }, END };
        _cleanup_(ending_clear) Ending first = { .free_run = true }, a = { .free_run = true };
        _cleanup_(ending_clear) Ending c = { .free_run = true };
        _bench_ DaemonBench b;

        open_bench(&b);
        scheduler_set_limits(b.scheduler, &(SchedulerLimits) { .loads = 1, .slow_usec = UINT64_MAX });
        scheduler_remember(b.scheduler, "lkmdt_alone", 5000000);
        fake_loader_hold(b.loader, true);
        (void) start(&b, busy, &first);
        event_settle(b.event);
        (void) start(&b, chain, &c);
        (void) start(&b, alone, &a);
        fake_loader_hold(b.loader, false);
        fake_loader_answer(b.loader, "lkmdt_busy", 0);
        event_settle(b.event);
        assert_string_equal(fake_loader_story(b.loader),
                            "insert lkmdt_busy, insert lkmdt_alone, insert lkmdt_one, insert lkmdt_two");
}

static void test_what_is_independent_runs_at_once(void **state) {
        _cleanup_(ending_clear) Ending e = {};
        _cleanup_(plan_run_freep) PlanRun *run = NULL;
        _bench_ DaemonBench b;

        open_bench(&b);
        fake_loader_hold(b.loader, true);
        run = start(&b, diamond, &e);
        event_settle(b.event);
        assert_int_equal(fake_loader_count_pending(b.loader), 1);
        fake_loader_answer(b.loader, "lkmdt_base", 0);
        event_settle(b.event);
        assert_int_equal(fake_loader_count_pending(b.loader), 2);

        fake_loader_answer(b.loader, "lkmdt_right", 0); /* the other order than that of the plan */
        event_settle(b.event);
        assert_int_equal(fake_loader_count_pending(b.loader), 1);
        fake_loader_answer(b.loader, "lkmdt_left", 0);
        event_settle(b.event);
        assert_int_equal(e.times, 0);
        fake_loader_answer(b.loader, "lkmdt_top", 0);
        event_settle(b.event);
        assert_int_equal(e.times, 1);
        assert_string_equal(e.story,
                            "lkmdt_base loaded, lkmdt_right loaded, lkmdt_left loaded, lkmdt_top loaded");
        run = plan_run_free(run);       /* before the bench goes */
}

static void test_failing_dependency(void **state) {
        _cleanup_(ending_clear) Ending e;
        _bench_ DaemonBench b;

        open_bench(&b);
        fake_loader_let_fail(b.loader, "lkmdt_base", -ENOEXEC, 0);
        carry_out(&b, diamond, &e);
        assert_string_equal(fake_loader_story(b.loader), "insert lkmdt_base");
        assert_string_equal(
                e.story, "lkmdt_base failed, lkmdt_left dependency_failed, lkmdt_right dependency_failed, "
                         "lkmdt_top dependency_failed; failed lkmdt_base");
        assert_int_equal(e.failure->error, -ENOEXEC);
}

static void test_one_of_two_dependencies_fails(void **state) {
        _cleanup_(ending_clear) Ending e;
        _bench_ DaemonBench b;

        open_bench(&b);
        fake_loader_let_fail(b.loader, "lkmdt_right", -EINVAL, 0);
        carry_out(&b, diamond, &e);
        assert_string_equal(e.story, "lkmdt_base loaded, lkmdt_left loaded, lkmdt_right failed, "
                                     "lkmdt_top dependency_failed; failed lkmdt_right");
}

static void test_requested_fails(void **state) {
        _cleanup_(ending_clear) Ending e;
        _bench_ DaemonBench b;

        open_bench(&b);
        fake_loader_let_fail(b.loader, "lkmdt_top", -ENODEV, 0);
        carry_out(&b, diamond, &e);
        assert_string_equal(e.story,
                            "lkmdt_base loaded, lkmdt_left loaded, lkmdt_right loaded, lkmdt_top failed; "
                            "failed lkmdt_top");
}

/* pre and what it needs, before; post, after: none of them decides. */
static const Step softdeps[] = {
        { "lkmdt_lib", PLAN_DEPENDENCY, 1, .optional = true },
        { "lkmdt_pre", PLAN_SOFTDEP_PRE, 2, .optional = true, .after = { { 0, true } }, .n_after = 1 },
        { "lkmdt_top", PLAN_REQUESTED, .after = { { 1, false } }, .n_after = 1 },
        { "lkmdt_post", PLAN_SOFTDEP_POST, 2, .optional = true, .after = { { 2, false } }, .n_after = 1 },
        END
};

static void test_softdeps(void **state) {
        _cleanup_(ending_clear) Ending e;
        _bench_ DaemonBench b;

        open_bench(&b);
        carry_out(&b, softdeps, &e);
        assert_string_equal(fake_loader_story(b.loader),
                            "insert lkmdt_lib, insert lkmdt_pre, insert lkmdt_top, insert lkmdt_post");
}

static void say_live(DaemonBench *b, const char *module) {
        scheduler_note_live(b->scheduler, module);
        event_settle(b->event);
}

/* For a dependency it is enough to be live, for a softdep it is not; the plan ends when all is over. */
static void test_live_is_enough_for_dependencies(void **state) {
        _cleanup_(ending_clear) Ending e = {};
        _cleanup_(plan_run_freep) PlanRun *run = NULL;
        _bench_ DaemonBench b;

        open_bench(&b);
        fake_loader_hold(b.loader, true);
        run = start(&b, softdeps, &e);
        event_settle(b.event);
        assert_string_equal(fake_loader_story(b.loader), "insert lkmdt_lib");
        say_live(&b, "lkmdt_lib");
        assert_string_equal(fake_loader_story(b.loader), "insert lkmdt_lib, insert lkmdt_pre");
        say_live(&b, "lkmdt_pre");
        assert_int_equal(fake_loader_count_pending(b.loader), 2);

        fake_loader_answer(b.loader, "lkmdt_pre", 0);
        event_settle(b.event);
        assert_string_equal(fake_loader_story(b.loader),
                            "insert lkmdt_lib, insert lkmdt_pre, insert lkmdt_top");
        fake_loader_answer(b.loader, "lkmdt_top", 0);
        event_settle(b.event);
        fake_loader_answer(b.loader, "lkmdt_post", 0);
        event_settle(b.event);
        assert_int_equal(e.times, 0);   /* the first is in the kernel still */
        fake_loader_answer(b.loader, "lkmdt_lib", 0);
        event_settle(b.event);
        assert_int_equal(e.times, 1);
        assert_string_equal(e.story, "lkmdt_pre loaded, lkmdt_top loaded, lkmdt_post loaded, lkmdt_lib loaded");
        run = plan_run_free(run);       /* before the bench goes */
}

/* A second plan, which comes when the load is live already, does not wait either. */
static void test_live_for_who_comes_later(void **state) {
        _cleanup_(ending_clear) Ending first = {}, second = {};
        _cleanup_(plan_run_freep) PlanRun *one = NULL, *two = NULL;
        _bench_ DaemonBench b;

        open_bench(&b);
        fake_loader_hold(b.loader, true);
        one = start(&b, diamond, &first);
        event_settle(b.event);
        say_live(&b, "lkmdt_base");
        assert_int_equal(fake_loader_count_pending(b.loader), 3);
        two = start(&b, softdeps, &second);
        event_settle(b.event);
        one = plan_run_free(one); /* with live and submitted steps: no callback is called any more */
        one = start(&b, diamond, &first);
        event_settle(b.event);
        assert_int_equal(fake_loader_count_pending(b.loader), 4); /* all joined, and lkmdt_lib */

        fake_loader_hold(b.loader, false);
        fake_loader_answer(b.loader, "lkmdt_left", 0);
        fake_loader_answer(b.loader, "lkmdt_right", 0);
        fake_loader_answer(b.loader, "lkmdt_lib", 0);
        event_settle(b.event);
        assert_int_equal(first.times, 0);
        fake_loader_answer(b.loader, "lkmdt_base", 0);
        event_settle(b.event);
        assert_int_equal(first.times, 1);
        assert_int_equal(second.times, 1);
        one = plan_run_free(one);
        two = plan_run_free(two);
}

static void test_failing_softdep_does_no_harm(void **state) {
        _cleanup_(ending_clear) Ending e;
        _bench_ DaemonBench b;

        open_bench(&b);
        fake_loader_let_fail(b.loader, "lkmdt_lib", -ENOEXEC, 0);
        fake_loader_let_fail(b.loader, "lkmdt_post", -EPERM, 0);
        carry_out(&b, softdeps, &e);
        assert_string_equal(
                e.story,
                "lkmdt_lib failed, lkmdt_pre dependency_failed, lkmdt_top loaded, lkmdt_post failed");
        assert_null(e.failure);
}

static void test_post_follows_a_failure(void **state) {
        _cleanup_(ending_clear) Ending e;
        _bench_ DaemonBench b;

        open_bench(&b);
        fake_loader_let_fail(b.loader, "lkmdt_top", -EIO, 0);
        carry_out(&b, softdeps, &e);
        assert_string_equal(e.story,
                            "lkmdt_lib loaded, lkmdt_pre loaded, lkmdt_top failed, lkmdt_post loaded; "
                            "failed lkmdt_top");
}

static void test_already_loaded_counts_as_done(void **state) {
        _cleanup_(ending_clear) Ending e;
        _bench_ DaemonBench b;

        open_bench(&b);
        fake_loader_let_fail(b.loader, "lkmdt_base", -EEXIST, 0);
        carry_out(&b, diamond, &e);
        assert_string_equal(
                e.story,
                "lkmdt_base already_loaded, lkmdt_left loaded, lkmdt_right loaded, lkmdt_top loaded");
}

static void test_command(void **state) {
        static const Step steps[] = { { "lkmdt_base", PLAN_DEPENDENCY, 1 },
                                      { "lkmdt_top", PLAN_REQUESTED, .action = PLAN_COMMAND,
                                        .after = { { 0, true } }, .n_after = 1 },
                                      END };
        _cleanup_(ending_clear) Ending e;
        _bench_ DaemonBench b;

        open_bench(&b);
        carry_out(&b, steps, &e);
        assert_string_equal(fake_loader_story(b.loader), "insert lkmdt_base, install-command lkmdt_top");
        assert_string_equal(e.story, "lkmdt_base loaded, lkmdt_top command_run");
}

static void test_failing_command(void **state) {
        static const Step steps[] = { { "lkmdt_top", PLAN_REQUESTED, .action = PLAN_COMMAND }, END };
        _cleanup_(ending_clear) Ending e;
        _bench_ DaemonBench b;

        open_bench(&b);
        fake_loader_let_fail(b.loader, "lkmdt_top", -ECANCELED, 3 << 8);
        carry_out(&b, steps, &e);
        assert_string_equal(e.story, "lkmdt_top kept_out; failed lkmdt_top");
        assert_non_null(strstr(e.failure->message, "status 3"));
}

static void test_builtin_alone_ends_at_once(void **state) {
        static const Step steps[] = { { "lkmdt_top", PLAN_REQUESTED, .action = PLAN_BUILTIN }, END };
        _cleanup_(ending_clear) Ending e = { .free_run = true };
        _bench_ DaemonBench b;

        open_bench(&b);
        (void) start(&b, steps, &e);
        assert_int_equal(e.times, 1);   /* before the loop turned */
        event_settle(b.event);
        assert_int_equal(e.times, 1);
        assert_string_equal(e.story, "lkmdt_top built_in");
        assert_string_equal(fake_loader_story(b.loader), "");
}

static void test_builtin_dependency(void **state) {
        static const Step steps[] = { { "lkmdt_base", PLAN_DEPENDENCY, 1, .action = PLAN_BUILTIN },
                                      { "lkmdt_top", PLAN_REQUESTED, .after = { { 0, true } },
                                        .n_after = 1 },
                                      { "lkmdt_post", PLAN_SOFTDEP_POST, 1, .optional = true,
                                        .action = PLAN_BUILTIN, .after = { { 1, false } }, .n_after = 1 },
                                      END };
        _cleanup_(ending_clear) Ending e;
        _bench_ DaemonBench b;

        open_bench(&b);
        carry_out(&b, steps, &e);
        assert_string_equal(e.story, "lkmdt_base built_in, lkmdt_top loaded, lkmdt_post built_in");
}

static void test_nothing_to_be_done(void **state) {
        static const Step steps[] = { END };
        _cleanup_(ending_clear) Ending e;
        _bench_ DaemonBench b;

        open_bench(&b);
        carry_out(&b, steps, &e);
        assert_string_equal(e.story, "");
        assert_null(e.failure);
}

static void test_several_requested(void **state) {
        static const Step steps[] = {
                { "lkmdt_a", PLAN_REQUESTED },
                { "lkmdt_b", PLAN_REQUESTED },
                { "lkmdt_c", PLAN_REQUESTED, .action = PLAN_BUILTIN },
                END
        };
        _cleanup_(ending_clear) Ending e;
        _bench_ DaemonBench b;

        open_bench(&b);
        fake_loader_let_fail(b.loader, "lkmdt_a", -ENODEV, 0);
        carry_out(&b, steps, &e);
        assert_string_equal(e.story, "lkmdt_c built_in, lkmdt_a failed, lkmdt_b loaded; failed lkmdt_a");
}

static void test_loader_away(void **state) {
        _cleanup_(ending_clear) Ending e = { .free_run = true };
        _bench_ DaemonBench b;

        daemon_bench_open(&b);
        (void) start(&b, diamond, &e);
        event_settle(b.event);
        assert_int_equal(e.times, 1);
        assert_string_equal(e.failure->module, "lkmdt_base");
        assert_non_null(strstr(e.failure->message, "lkmd-loader"));
}

/* Two plans meet in what both need: one load, and each hears of its own end. */
static void test_two_plans_share_a_dependency(void **state) {
        static const Step other[] = {
                { "lkmdt_base", PLAN_DEPENDENCY, 1 },
                { "lkmdt_other", PLAN_REQUESTED, .after = { { 0, true } }, .n_after = 1 },
                END
        };
        _cleanup_(ending_clear) Ending one = { .free_run = true }, two = { .free_run = true };
        _bench_ DaemonBench b;

        open_bench(&b);
        (void) start(&b, diamond, &one);
        (void) start(&b, other, &two);
        event_settle(b.event);
        assert_int_equal(one.times, 1);
        assert_int_equal(two.times, 1);
        assert_string_equal(two.story, "lkmdt_base loaded, lkmdt_other loaded");
        assert_int_equal(b.counters.joins, 1);
}

static void test_freed_in_the_middle(void **state) {
        _cleanup_(ending_clear) Ending e = {};
        _bench_ DaemonBench b;
        PlanRun *run;

        open_bench(&b);
        fake_loader_hold(b.loader, true);
        run = start(&b, diamond, &e);
        event_settle(b.event);
        plan_run_free(run);
        fake_loader_answer(b.loader, "lkmdt_base", 0);
        event_settle(b.event);
        assert_int_equal(e.times, 0);
        assert_true(scheduler_is_idle(b.scheduler)); /* what was submitted ended, nothing was added */
}

static void test_freed_before_it_starts(void **state) {
        _cleanup_(ending_clear) Ending e = {};
        _bench_ DaemonBench b;
        PlanRun *run;

        open_bench(&b);
        assert_ok(plan_run_new(&run, b.scheduler, NULL, make_plan(diamond), b.request, on_done, &e));
        assert_string_equal(plan_run_get_plan(run)->key, "asked");
        plan_run_free(run);
        event_settle(b.event);
        assert_int_equal(e.times, 0);
}

static void test_records_say_why(void **state) {
        _cleanup_(plan_run_freep) PlanRun *run = NULL;
        _cleanup_(ending_clear) Ending e = {};
        const RecordList *records;
        _bench_ DaemonBench b;

        open_bench(&b);
        fake_loader_let_fail(b.loader, "lkmdt_left", -EIO, 0);
        run = start(&b, diamond, &e);
        event_settle(b.event);
        records = plan_run_get_records(run);
        assert_int_equal(records->n_items, 4);
        assert_int_equal(records->items[0]->reason, PLAN_DEPENDENCY);
        assert_string_equal(records->items[0]->parent, "lkmdt_left");
        assert_ptr_equal(records->items[0]->request, b.request);
        assert_int_equal(records->items[3]->reason, PLAN_REQUESTED);
        assert_null(records->items[3]->parent);
        assert_string_equal(records->items[3]->message, "lkmdt_left is needed and failed");
        run = plan_run_free(run);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_order),
                cmocka_unit_test(test_the_longest_chain_comes_first),
                cmocka_unit_test(test_durations_are_remembered),
                cmocka_unit_test(test_what_is_independent_runs_at_once),
                cmocka_unit_test(test_live_is_enough_for_dependencies),
                cmocka_unit_test(test_live_for_who_comes_later),
                cmocka_unit_test(test_failing_dependency),
                cmocka_unit_test(test_one_of_two_dependencies_fails),
                cmocka_unit_test(test_requested_fails),
                cmocka_unit_test(test_softdeps),
                cmocka_unit_test(test_failing_softdep_does_no_harm),
                cmocka_unit_test(test_post_follows_a_failure),
                cmocka_unit_test(test_already_loaded_counts_as_done),
                cmocka_unit_test(test_command),
                cmocka_unit_test(test_failing_command),
                cmocka_unit_test(test_builtin_alone_ends_at_once),
                cmocka_unit_test(test_builtin_dependency),
                cmocka_unit_test(test_nothing_to_be_done),
                cmocka_unit_test(test_several_requested),
                cmocka_unit_test(test_loader_away),
                cmocka_unit_test(test_two_plans_share_a_dependency),
                cmocka_unit_test(test_freed_in_the_middle),
                cmocka_unit_test(test_freed_before_it_starts),
                cmocka_unit_test(test_records_say_why),
        };

        return RUN_TESTS(tests);
}
