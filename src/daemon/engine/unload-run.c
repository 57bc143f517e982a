/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * UnloadRun: owns the plan, and removes one module of it after the other. Each step is checked once more when its turn
 * comes, against the modules and requests of that moment: what was asked for goes, or the run ends with the failure
 * before anything that depends on it is done; what was only to go along stays where something has changed meanwhile,
 * and the plan says so then.
 */

#include "daemon/engine/unload-run.h"

#include <assert.h>

#include "daemon/base/module-state.h"

struct UnloadRun {
        UnloadRunOptions options;
        UnloadPlan *plan;
        size_t next;
        bool submitted;
        RecordList records;
        Record *failure;                /* of a step that has to be done */
        int error;                      /* why the removal could not even be tried */
};

/**
 * unload_run_new() - nothing happens before unload_run_start()
 * @plan: taken on success
 *
 * Return: 0 or -ENOMEM.
 */
int unload_run_new(UnloadRun **ret, UnloadPlan *plan, const UnloadRunOptions *options) {
        UnloadRun *run;

        assert(ret && plan && options && options->scheduler && options->ledger && options->planner &&
               options->request && options->done);

        run = calloc(1, sizeof(*run));
        if (!run)
                return -ENOMEM;
        *run = (UnloadRun) { .options = *options, .plan = plan };
        request_ref(run->options.request);
        *ret = run;
        return 0;
}

/* Return: NULL. A removal that was submitted goes on without it. */
UnloadRun *unload_run_free(UnloadRun *run) {
        if (!run)
                return NULL;

        if (run->submitted)
                scheduler_forget(run->options.scheduler, run);
        unload_plan_free(run->plan);
        record_list_clear(&run->records);
        record_unref(run->failure);
        request_unref(run->options.request);
        free(run);
        return NULL;
}

static int unload_run_advance(UnloadRun *run);

static void on_removed(Record *record, void *userdata) {
        UnloadRun *run = userdata;
        const UnloadStep *step = run->plan->steps + run->next++;
        int r;

        run->submitted = false;
        (void) record_list_add(&run->records, record);
        if (unload_reason_is_order(step->reason) && !outcome_is_success(record->outcome)) {
                run->failure = record_ref(record);
                run->next = run->plan->n_steps;
        }

        r = unload_run_advance(run);
        if (r < 0) {
                run->error = r;
                run->options.done(run, run->options.userdata);
        }
}

/* Return: as unload_plan_recheck(). */
static int recheck(UnloadRun *run) {
        const Planner *planner = run->options.planner;
        LoadedModule *loaded = NULL;
        size_t n = 0;
        int r;

        if (unload_reason_is_order(run->plan->steps[run->next].reason))
                return 1;               /* the kernel decides */
        r = loaded_modules_read(&loaded, &n);
        if (r < 0)
                return r;
        r = unload_plan_recheck(run->plan,
                                &(UnloadSources) {
                                        .ledger = run->options.ledger,
                                        .planner = planner,
                                        .index = index_keeper_get(planner->index),
                                        .loaded = loaded,
                                        .n_loaded = n,
                                },
                                run->next);
        loaded_modules_free(loaded, n);
        return r;
}

static int unload_run_advance(UnloadRun *run) {
        for (; run->next < run->plan->n_steps; run->next++) {
                const UnloadStep *step = run->plan->steps + run->next;
                int r;

                r = recheck(run);
                if (r < 0)
                        return r;
                if (r == 0)
                        continue;
                r = scheduler_submit(run->options.scheduler,
                                     &(JobSpec) {
                                             .op = step->command ? LOADER_REMOVE_COMMAND : LOADER_REMOVE,
                                             .module = step->command ?: step->module,
                                             .kernel_name = step->module,
                                             .request = run->options.request,
                                     },
                                     on_removed, run);
                if (r < 0 && unload_reason_is_order(step->reason))
                        return r;
                if (r < 0)
                        continue;       /* it stays; what was asked for goes */
                run->submitted = true;
                return 0;
        }

        run->options.done(run, run->options.userdata);
        return 0;
}

/**
 * unload_run_start() - begin; @done may be called before it returns, if there is nothing to do
 *
 * Return: 0, or a negative errno with nothing begun.
 */
int unload_run_start(UnloadRun *run) {
        assert(run);

        return unload_run_advance(run);
}

/* With what has changed since. */
const UnloadPlan *unload_run_get_plan(const UnloadRun *run) {
        assert(run);

        return run->plan;
}

/* The records so far, in the order in which they were finished. */
const RecordList *unload_run_get_records(const UnloadRun *run) {
        assert(run);

        return &run->records;
}

/* 0, or the negative errno for which the removal could not even be tried. */
int unload_run_get_error(const UnloadRun *run) {
        assert(run);

        return run->error;
}

/* The failure of what was to be removed; borrowed, NULL if it was. */
Record *unload_run_get_failure(const UnloadRun *run) {
        assert(run);

        return run->failure;
}
