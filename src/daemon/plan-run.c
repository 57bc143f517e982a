/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * PlanRun: one plan being carried out. Owns the plan and the records of what was done; borrows the
 * scheduler. A step is submitted when everything it waits for is over, or of what it depends on, can be used;
 * a step whose dependency failed fails with it; a softdep's failure stops nothing. What a requested module that is
 * loaded already would have needed is not looked at, as in modprobe.
 */

#include "daemon/plan-run.h"

#include <assert.h>

#include "daemon/log.h"
#include "daemon/module-state.h"

typedef enum StepState {                /* allowed moves: step_next[] */
        STEP_WAITING,
        STEP_SUBMITTED,
        STEP_LIVE,                      /* its module can be used, its load is not over */
        STEP_DONE,
        STEP_FAILED,
        STEP_UNNEEDED,                  /* only for the sake of modules that are there already */
        _STEP_STATE_MAX,
} StepState;

#define TO(state) (1U << (state))

_unused_ static const unsigned step_next[_STEP_STATE_MAX] = {
        [STEP_WAITING] = TO(STEP_SUBMITTED) | TO(STEP_DONE) | TO(STEP_FAILED) | TO(STEP_UNNEEDED),
        [STEP_SUBMITTED] = TO(STEP_LIVE) | TO(STEP_DONE) | TO(STEP_FAILED),
        [STEP_LIVE] = TO(STEP_DONE) | TO(STEP_FAILED),
};

/* What the scheduler gives back with an outcome. */
typedef struct StepRun {
        PlanRun *run;
        size_t index;
        StepState state;
        uint64_t rank_usec; /* time of the longest chain that begins with it */
} StepRun;

struct PlanRun {
        Scheduler *scheduler;
        Plan *plan;
        Request *request;
        plan_run_done_t done;
        void *userdata;
        StepRun *steps;
        size_t n_open;                  /* waiting, submitted or live */
        RecordList records;
        Record *failure;                /* why the request as a whole failed */
};

static bool step_is_under_way(const StepRun *step) {
        return step->state == STEP_SUBMITTED || step->state == STEP_LIVE;
}

/**
 * plan_run_new() - nothing happens before plan_run_start()
 * @plan:    taken on success; has no required omission
 * @request: a reference is taken
 * @done:    called once every step has its outcome, from the event loop
 *
 * Return: 0 or -ENOMEM.
 */
int plan_run_new(PlanRun **ret, Scheduler *scheduler, Plan *plan, Request *request, plan_run_done_t done,
                 void *userdata) {
        _cleanup_(plan_run_freep) PlanRun *run = NULL;

        assert(ret && scheduler && plan && request && done);

        run = calloc(1, sizeof(*run));
        if (!run)
                return -ENOMEM;
        run->steps = calloc(MAX(plan->n_steps, (size_t) 1), sizeof(*run->steps));
        if (!run->steps)
                return -ENOMEM;
        for (size_t i = 0; i < plan->n_steps; i++)
                run->steps[i] = (StepRun) { .run = run, .index = i };

        run->scheduler = scheduler;
        run->request = request_ref(request);
        run->done = done;
        run->userdata = userdata;
        run->n_open = plan->n_steps;
        run->plan = plan;

        *ret = STEAL_PTR(run);
        return 0;
}

/* Return: NULL. Jobs that were submitted go on without it. */
PlanRun *plan_run_free(PlanRun *run) {
        if (!run)
                return NULL;

        for (size_t i = 0; run->plan && i < run->plan->n_steps; i++)
                if (step_is_under_way(run->steps + i))
                        scheduler_forget(run->scheduler, &run->steps[i]);
        record_list_clear(&run->records);
        record_unref(run->failure);
        request_unref(run->request);
        plan_free(run->plan);
        free(run->steps);
        free(run);
        return NULL;
}

static void step_enter(PlanRun *run, size_t i, StepState to) {
        StepRun *step = run->steps + i;

        assert(step_next[step->state] & TO(to));

        if (to != STEP_SUBMITTED && to != STEP_LIVE)
                run->n_open--;
        step->state = to;
}

static void keep_record(PlanRun *run, Record *record, bool decides) {
        (void) record_list_add(&run->records, record); /* else the reply is short of a line */
        if (decides && !outcome_is_success(record->outcome) && !run->failure)
                run->failure = record_ref(record);
}

/* A step that needs nothing done still belongs into the answer. */
static int keep_made_up_record(PlanRun *run, const PlanStep *step, Outcome outcome, const char *message) {
        _cleanup_(record_unrefp) Record *record = NULL;
        int r;

        r = record_new(&record, step->module, run->request);
        if (r < 0)
                return r;
        record->outcome = outcome;
        record->reason = step->reason;
        if (step->parent != SIZE_MAX)
                record->parent = strdup(run->plan->steps[step->parent].module);
        if (message)
                record->message = strdup(message);

        keep_record(run, record, step->required);
        return 0;
}

static const PlanEdge *find_failed_edge(const PlanRun *run, const PlanStep *step) {
        for (size_t i = 0; i < step->n_after; i++)
                if (step->after[i].required && run->steps[step->after[i].step].state == STEP_FAILED)
                        return step->after + i;
        return NULL;
}

/*
 * For a dependency it is enough that its symbols can be used: the kernel itself asks for no more, see
 * resolve_symbol_wait() in kernel/module/main.c. What only has to come first, by a softdep, has to be over with
 * its probes.
 */
static bool step_is_free(const PlanRun *run, const PlanStep *step) {
        for (size_t i = 0; i < step->n_after; i++) {
                StepState state = run->steps[step->after[i].step].state;

                if (state == STEP_WAITING || state == STEP_SUBMITTED ||
                    (state == STEP_LIVE && !step->after[i].required))
                        return false;
        }
        return true;
}

static void plan_run_advance(PlanRun *run);

static void on_step_done(Record *record, void *userdata) {
        StepRun *step = userdata;
        PlanRun *run = step->run;
        const PlanStep *planned = run->plan->steps + step->index;

        step_enter(run, step->index, outcome_is_success(record->outcome) ? STEP_DONE : STEP_FAILED);
        keep_record(run, record, planned->required);
        plan_run_advance(run);
}

static void on_step_live(void *userdata) {
        StepRun *step = userdata;

        step_enter(step->run, step->index, STEP_LIVE);
        plan_run_advance(step->run);
}

static int step_submit(PlanRun *run, size_t i) {
        const PlanStep *step = run->plan->steps + i;
        int r;

        r = scheduler_submit(
                run->scheduler,
                &(JobSpec) {
                        .op = step->action == PLAN_COMMAND ? LOADER_INSTALL_COMMAND : LOADER_INSERT,
                        .module = step->module,
                        .path = step->path,
                        .parameters = step->parameters,
                        .words = step->words,
                        .n_words = step->n_words,
                        .request = run->request,
                        .reason = step->reason,
                        .rank_usec = run->steps[i].rank_usec,
                        .allowed_by = &step->allowed_by,
                        .parent = step->parent == SIZE_MAX ? NULL : run->plan->steps[step->parent].module,
                        .live = on_step_live,
                },
                on_step_done, run->steps + i);
        if (r < 0)
                return r;

        step_enter(run, i, STEP_SUBMITTED);
        return 0;
}

/* Return: true if the step went on. */
static bool step_advance(PlanRun *run, size_t i) {
        const PlanStep *step = run->plan->steps + i;
        const PlanEdge *failed;
        int r;

        if (run->steps[i].state != STEP_WAITING || !step_is_free(run, step))
                return false;

        failed = find_failed_edge(run, step);
        if (failed) {
                _cleanup_(freep) char *message = NULL;

                if (asprintf(&message, "%s is needed and failed", run->plan->steps[failed->step].module) < 0)
                        message = NULL;
                (void) keep_made_up_record(run, step, OUTCOME_DEPENDENCY_FAILED, message);
                step_enter(run, i, STEP_FAILED);
                return true;
        }
        if (step->action == PLAN_BUILTIN) {
                (void) keep_made_up_record(run, step, OUTCOME_BUILT_IN, NULL);
                step_enter(run, i, STEP_DONE);
                return true;
        }

        r = step_submit(run, i);
        if (r < 0) {
                (void) keep_made_up_record(run, step, OUTCOME_FAILED, strerror(-r));
                step_enter(run, i, STEP_FAILED);
        }
        return true;
}

/* Steps stand in a valid order, so one pass sees everything that the outcomes so far set free. */
static void plan_run_advance(PlanRun *run) {
        for (size_t i = 0; i < run->plan->n_steps; i++)
                (void) step_advance(run, i);
        if (run->n_open == 0)
                run->done(run, run->userdata);
}

/* Whatever a needed step waits for is needed. Edges lead back only, so one pass from the end finds all. */
static void spread_to_dependencies(const Plan *plan, bool *needed) {
        for (size_t i = plan->n_steps; i > 0; i--) {
                const PlanStep *step = plan->steps + i - 1;

                for (size_t k = 0; needed[i - 1] && k < step->n_after; k++)
                        needed[step->after[k].step] = true;
        }
}

/*
 * What a needed module wants after it is needed too; so is what it wants before it where that order cannot be
 * kept, since it does not wait for that then. Return: true if that is news.
 */
static bool spread_to_softdeps(const Plan *plan, bool *needed) {
        bool news = false;

        for (size_t i = 0; i < plan->n_steps; i++) {
                const PlanStep *step = plan->steps + i;

                if (!needed[i] && (step->reason == PLAN_SOFTDEP_POST || step->reason == PLAN_SOFTDEP_PRE) &&
                    needed[step->parent])
                        needed[i] = news = true;
        }
        return news;
}

/*
 * A requested module that is there already stays in: the scheduler says so, and the ledger notes that it is
 * wanted.
 */
static void drop_unneeded(PlanRun *run, bool *needed) {
        const Plan *plan = run->plan;

        for (size_t i = 0; i < plan->n_steps; i++) {
                const PlanStep *step = plan->steps + i;

                if (step->reason != PLAN_REQUESTED)
                        continue;
                needed[i] = step->action == PLAN_BUILTIN || module_state_read(step->module) != MODULE_LIVE;
        }
        do
                spread_to_dependencies(plan, needed);
        while (spread_to_softdeps(plan, needed));

        for (size_t i = 0; i < plan->n_steps; i++)
                if (!needed[i] && plan->steps[i].reason != PLAN_REQUESTED)
                        step_enter(run, i, STEP_UNNEEDED);
}

/* Edges lead back only: from the end, whatever waits for a step has its rank already. */
static void rank_steps(PlanRun *run) {
        const Plan *plan = run->plan;

        for (size_t i = plan->n_steps; i > 0; i--) {
                const PlanStep *step = plan->steps + i - 1;
                StepRun *this = run->steps + i - 1;

                if (this->state == STEP_UNNEEDED)
                        continue;
                this->rank_usec += scheduler_expect_usec(run->scheduler, step->module);
                for (size_t k = 0; k < step->n_after; k++) {
                        StepRun *before = run->steps + step->after[k].step;

                        before->rank_usec = MAX(before->rank_usec, this->rank_usec);
                }
        }
}

/**
 * plan_run_start() - set it going
 *
 * @done may be called before this returns, when nothing is to be done.
 *
 * Return: 0 or -ENOMEM with nothing begun.
 */
int plan_run_start(PlanRun *run) {
        _cleanup_(freep) bool *needed = NULL;

        assert(run);

        needed = calloc(MAX(run->plan->n_steps, (size_t) 1), sizeof(*needed));
        if (!needed)
                return -ENOMEM;

        drop_unneeded(run, needed);
        rank_steps(run);
        plan_run_advance(run);
        return 0;
}

const Plan *plan_run_get_plan(const PlanRun *run) {
        assert(run);

        return run->plan;
}

/* What was done so far, in the order in which it ended. */
const RecordList *plan_run_get_records(const PlanRun *run) {
        assert(run);

        return &run->records;
}

/**
 * plan_run_get_failure() - why the request failed
 *
 * Return: the first failure of something required, borrowed; NULL if there was none.
 */
Record *plan_run_get_failure(const PlanRun *run) {
        assert(run);

        return run->failure;
}
