/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * PlanRun: one plan being carried out. Owns the plan and the records of what was done; borrows the scheduler and
 * the planner. A step is submitted when all that it waits for is over; of a dependency it is enough that it can be
 * used. A step whose dependency failed fails too; a failed softdep stops nothing. The dependencies of a requested
 * module that is loaded already are skipped, as in modprobe.
 *
 * A plan may be under way for long. Right before a step goes to the loader the policy is asked again if it may have
 * changed. A step that is denied now becomes an omission of the plan, as if the plan had been made now, and so does
 * what needs it. What only a denied step needed is dropped.
 */

#include "daemon/engine/plan-run.h"

#include <assert.h>

#include "daemon/base/log.h"
#include "daemon/base/module-state.h"

typedef enum StepState {                /* allowed moves: step_next[] */
        STEP_WAITING,
        STEP_SUBMITTED,
        STEP_LIVE,                      /* its module can be used, but its load is not over */
        STEP_DONE,
        STEP_FAILED,
        STEP_UNNEEDED,                  /* only needed by modules that are loaded already, or denied */
        STEP_DENIED,                    /* since the plan was made; the plan has an omission for it */
        _STEP_STATE_MAX,
} StepState;

#define TO(state) (1U << (state))

_unused_ static const unsigned step_next[_STEP_STATE_MAX] = {
        [STEP_WAITING] = TO(STEP_SUBMITTED) | TO(STEP_DONE) | TO(STEP_FAILED) | TO(STEP_UNNEEDED) |
                         TO(STEP_DENIED),
        [STEP_SUBMITTED] = TO(STEP_LIVE) | TO(STEP_DONE) | TO(STEP_FAILED) | TO(STEP_UNNEEDED) |
                           TO(STEP_DENIED),
        [STEP_LIVE] = TO(STEP_DONE) | TO(STEP_FAILED),
};

/* The userdata of a step's job. */
typedef struct StepRun {
        PlanRun *run;
        size_t index;
        StepState state;
        StepState dropped;              /* STEP_DENIED or STEP_UNNEEDED: the state that it will get; else 0 */
        uint64_t rank_usec; /* expected duration of the longest chain that begins with it */
} StepRun;

struct PlanRun {
        Scheduler *scheduler;
        const Planner *planner;         /* NULL: steps are not judged again */
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
 * @planner: asked again before each step; NULL: steps are not judged again
 * @plan:    taken on success; has no required omission
 * @request: a reference is taken
 * @done:    called once every step has its outcome, from the event loop
 *
 * Return: 0 or -ENOMEM.
 */
int plan_run_new(PlanRun **ret, Scheduler *scheduler, const Planner *planner, Plan *plan, Request *request,
                 plan_run_done_t done, void *userdata) {
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
        run->planner = planner;
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
        (void) record_list_add(&run->records, record); /* without memory the reply lacks it */
        if (decides && !outcome_is_success(record->outcome) && !run->failure)
                run->failure = record_ref(record);
}

/* The record of a step that needs no job, for the reply. */
static int keep_made_up_record(PlanRun *run, const PlanStep *step, Outcome outcome, const char *message) {
        _cleanup_(record_unrefp) Record *record = NULL;
        int r;

        r = record_new(&record, step->module, run->request);
        if (r >= 0 && step->kernel_name)
                r = record_set_kernel_name(record, step->kernel_name);
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
 * Of a dependency it is enough that its symbols can be used; the kernel requires no more, see resolve_symbol_wait() in
 * kernel/module/main.c. A softdep is about the probes of the other module, which have to be over.
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

/*
 * All that a needed step waits for is needed, unless it is denied. Edges only lead to earlier steps, so one pass from
 * the end finds everything.
 */
static void spread_to_dependencies(const PlanRun *run, bool *needed) {
        const Plan *plan = run->plan;

        for (size_t i = plan->n_steps; i > 0; i--) {
                const PlanStep *step = plan->steps + i - 1;

                for (size_t k = 0; needed[i - 1] && k < step->n_after; k++)
                        if (run->steps[step->after[k].step].dropped != STEP_DENIED)
                                needed[step->after[k].step] = true;
        }
}

/*
 * The softdep posts of a needed module are needed too, and so are softdep pres that it does not wait for because that
 * order is impossible. Return: true if that found more.
 */
static bool spread_to_softdeps(const PlanRun *run, bool *needed) {
        const Plan *plan = run->plan;
        bool news = false;

        for (size_t i = 0; i < plan->n_steps; i++) {
                const PlanStep *step = plan->steps + i;

                if (!needed[i] && run->steps[i].dropped != STEP_DENIED &&
                    (step->reason == PLAN_SOFTDEP_POST || step->reason == PLAN_SOFTDEP_PRE) &&
                    needed[step->parent])
                        needed[i] = news = true;
        }
        return news;
}

static void spread_need(const PlanRun *run, bool *needed) {
        do
                spread_to_dependencies(run, needed);
        while (spread_to_softdeps(run, needed));
}

/* ------------------------------------------------------------------------------------------- judging again */

/* Can the step still be denied? Not when it is in the loader. */
static bool step_is_open(const PlanRun *run, size_t i) {
        StepState state = run->steps[i].state;

        return run->steps[i].dropped == 0 && run->plan->steps[i].action != PLAN_BUILTIN &&
               (state == STEP_WAITING ||
                (state == STEP_SUBMITTED && scheduler_is_queued(run->scheduler, run->plan->steps[i].module)));
}

static void deny_step(PlanRun *run, size_t i, PlanOmissionKind kind, const PlanRuling *ruling) {
        run->steps[i].dropped = STEP_DENIED;
        if (plan_add_omission(run->plan, kind, i, ruling) < 0)
                log_warning("%s is denied, and there is no memory to say why", run->plan->steps[i].module);
}

/* Is it a dependency of a step that is not dropped? */
static bool is_dependency(const PlanRun *run, size_t i) {
        const Plan *plan = run->plan;

        for (size_t k = i + 1; k < plan->n_steps; k++)
                for (size_t e = 0; run->steps[k].dropped == 0 && e < plan->steps[k].n_after; e++)
                        if (plan->steps[k].after[e].step == i && plan->steps[k].after[e].required)
                                return true;
        return false;
}

/* A step that is denied as requested may still be allowed as a dependency, as in a plan that is made now. */
static void judge_step(PlanRun *run, size_t i) {
        PolicyPart part = plan_step_part(run->plan->steps + i);
        PlanOmissionKind kind;
        PlanRuling ruling;

        if (!planner_denies_step(run->planner, run->request, run->plan, i, part, &ruling, &kind))
                return;
        if (part != POLICY_DEPENDENCY && is_dependency(run, i)) {
                PlanOmissionKind other_kind;
                PlanRuling other;

                if (!planner_denies_step(run->planner, run->request, run->plan, i, POLICY_DEPENDENCY, &other,
                                         &other_kind)) {
                        plan_ruling_clear(&ruling);
                        return;
                }
                plan_ruling_clear(&other);
        }
        deny_step(run, i, kind, &ruling);
        plan_ruling_clear(&ruling);
}

/* Denies what needs a denied step, with the same ruling. Steps are in a valid order, so one pass finds all. */
static void spread_denial(PlanRun *run, size_t first_omission) {
        const Plan *plan = run->plan;

        for (size_t i = 0; i < plan->n_steps; i++) {
                const PlanStep *step = plan->steps + i;

                for (size_t k = 0; step_is_open(run, i) && k < step->n_after; k++) {
                        const char *needs = plan->steps[step->after[k].step].module;
                        _cleanup_(plan_ruling_clear) PlanRuling ruling = {};

                        if (!step->after[k].required || run->steps[step->after[k].step].dropped != STEP_DENIED)
                                continue;
                        for (size_t o = first_omission; o < plan->n_omissions; o++)
                                if (streq(plan->omissions[o].module, needs)) {
                                        (void) plan_ruling_copy(&ruling, &plan->omissions[o].ruling);
                                        break;
                                }
                        deny_step(run, i, PLAN_IMPOSSIBLE, &ruling);
                }
        }
}

/* Drops steps that are only needed by dropped ones. */
static void drop_orphans(PlanRun *run) {
        _cleanup_(freep) bool *needed = calloc(run->plan->n_steps + 1, sizeof(*needed));

        if (!needed)
                return;                 /* without memory, allowed modules are loaded that nobody needs */
        for (size_t i = 0; i < run->plan->n_steps; i++)
                needed[i] = run->plan->steps[i].reason == PLAN_REQUESTED && run->steps[i].dropped == 0;
        spread_need(run, needed);
        for (size_t i = 0; i < run->plan->n_steps; i++)
                if (!needed[i] && step_is_open(run, i))
                        run->steps[i].dropped = STEP_UNNEEDED;
}

static void judge_steps(PlanRun *run, bool requested) {
        for (size_t i = 0; i < run->plan->n_steps; i++) {
                const PlanStep *step = run->plan->steps + i;

                if (step_is_open(run, i) && !step->allowed_once && (step->reason == PLAN_REQUESTED) == requested)
                        judge_step(run, i);
        }
}

/*
 * The policy may have changed. Only marks steps as dropped; the scheduler or plan_run_advance() change their
 * states.
 */
static void judge_again(PlanRun *run) {
        size_t first = run->plan->n_omissions;

        judge_steps(run, /* requested= */ true);
        if (run->plan->n_omissions > first)
                drop_orphans(run);      /* no omissions for the dependencies of a denied module */
        judge_steps(run, /* requested= */ false);
        if (run->plan->n_omissions == first)
                return;
        spread_denial(run, first);
        drop_orphans(run);
        planner_note_omissions(run->planner, run->request, run->plan, first);
}

/* -------------------------------------------------------------------------------------------------- steps */

static void plan_run_advance(PlanRun *run);

static bool on_step_asked(void *userdata) {
        const StepRun *step = userdata;

        if (step->run->planner && planner_has_news(step->run->planner, step->run->plan))
                judge_again(step->run);
        return step->dropped == 0;
}

static void on_step_done(Record *record, void *userdata) {
        StepRun *step = userdata;
        PlanRun *run = step->run;
        const PlanStep *planned = run->plan->steps + step->index;

        if (!record) {
                step_enter(run, step->index, step->dropped);
                plan_run_advance(run);
                return;
        }
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
                        .kernel_name = step->kernel_name,
                        .path = step->path,
                        .parameters = step->parameters,
                        .words = step->words,
                        .n_words = step->n_words,
                        .command_file = step->command_file,
                        .command_line = step->command_line,
                        .request = run->request,
                        .reason = step->reason,
                        .rank_usec = run->steps[i].rank_usec,
                        .allowed_by = &step->allowed_by,
                        .parent = step->parent == SIZE_MAX ? NULL : run->plan->steps[step->parent].module,
                        .may = on_step_asked,
                        .live = on_step_live,
                },
                on_step_done, run->steps + i);
        if (r < 0)
                return r;

        step_enter(run, i, STEP_SUBMITTED);
        return 0;
}

/* Return: true if the step changed its state. */
static bool step_advance(PlanRun *run, size_t i) {
        const PlanStep *step = run->plan->steps + i;
        const PlanEdge *failed;
        int r;

        if (run->steps[i].state != STEP_WAITING)
                return false;
        if (run->steps[i].dropped != 0) {
                step_enter(run, i, run->steps[i].dropped);
                return true;
        }
        if (!step_is_free(run, step))
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

/* Steps are in a valid order, so one pass finds everything that can go on. */
static void plan_run_advance(PlanRun *run) {
        for (size_t i = 0; i < run->plan->n_steps; i++)
                (void) step_advance(run, i);
        if (run->n_open == 0)
                run->done(run, run->userdata);
}

/*
 * A requested module that is loaded already stays in the run: the scheduler reports it as such, and the ledger notes
 * that it was requested.
 */
static void drop_unneeded(PlanRun *run, bool *needed) {
        const Plan *plan = run->plan;

        for (size_t i = 0; i < plan->n_steps; i++) {
                const PlanStep *step = plan->steps + i;

                if (step->reason != PLAN_REQUESTED)
                        continue;
                needed[i] = step->action == PLAN_BUILTIN ||
                            module_state_read(plan_step_name(step)) != MODULE_LIVE;
        }
        spread_need(run, needed);

        for (size_t i = 0; i < plan->n_steps; i++)
                if (!needed[i] && plan->steps[i].reason != PLAN_REQUESTED)
                        step_enter(run, i, STEP_UNNEEDED);
}

/*
 * A grant for one request is used up before anything is done, so that it does not apply to requests made meanwhile,
 * and whatever the outcome of this one is. If there is nothing to do, it is not used.
 */
static void use_grants(PlanRun *run) {
        for (size_t i = 0; run->planner && i < run->plan->n_steps; i++)
                if (run->steps[i].state == STEP_WAITING && run->plan->steps[i].action != PLAN_BUILTIN &&
                    module_state_read(plan_step_name(run->plan->steps + i)) != MODULE_LIVE)
                        planner_use(run->planner, run->plan->steps + i);
}

/* Edges only lead to earlier steps: from the end, all that waits for a step has its rank already. */
static void rank_steps(PlanRun *run) {
        const Plan *plan = run->plan;

        for (size_t i = plan->n_steps; i > 0; i--) {
                const PlanStep *step = plan->steps + i - 1;
                StepRun *this = run->steps + i - 1;

                if (this->state == STEP_UNNEEDED)
                        continue;
                this->rank_usec += scheduler_expect_usec(run->scheduler, plan_step_name(step));
                for (size_t k = 0; k < step->n_after; k++) {
                        StepRun *before = run->steps + step->after[k].step;

                        before->rank_usec = MAX(before->rank_usec, this->rank_usec);
                }
        }
}

/**
 * plan_run_start() - begin
 *
 * @done may be called before this returns, if there is nothing to do.
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
        use_grants(run);
        rank_steps(run);
        plan_run_advance(run);
        return 0;
}

const Plan *plan_run_get_plan(const PlanRun *run) {
        assert(run);

        return run->plan;
}

/* The records so far, in the order in which they were finished. */
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
