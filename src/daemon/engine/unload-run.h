/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/base/util.h"
#include "common/index/index.h"
#include "daemon/engine/scheduler.h"
#include "daemon/history/ledger.h"
#include "daemon/planning/planner.h"
#include "daemon/planning/unload-plan.h"

/*
 * UnloadRun: an UnloadPlan being carried out.
 */
typedef struct UnloadRun UnloadRun;
typedef void (*unload_run_done_t)(UnloadRun *run, void *userdata); /* may free the run */

typedef struct UnloadRunOptions {       /* all borrowed */
        Scheduler *scheduler;
        const Ledger *ledger;
        const Planner *planner;         /* and its index, whichever is in force */
        Request *request;
        unload_run_done_t done;
        void *userdata;
} UnloadRunOptions;

int unload_run_new(UnloadRun **ret, UnloadPlan *plan, const UnloadRunOptions *options);
UnloadRun *unload_run_free(UnloadRun *run);
DEFINE_CLEANUP(UnloadRun, unload_run_free);

int unload_run_start(UnloadRun *run);

const UnloadPlan *unload_run_get_plan(const UnloadRun *run);
const RecordList *unload_run_get_records(const UnloadRun *run);
int unload_run_get_error(const UnloadRun *run);
Record *unload_run_get_failure(const UnloadRun *run);
