/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/base/util.h"
#include "common/index/index.h"
#include "daemon/engine/scheduler.h"
#include "daemon/history/ledger.h"
#include "daemon/planning/planner.h"

/*
 * UnloadRun: one removal being carried out: the module, and the modules that lkmd loaded only for it.
 */
typedef struct UnloadRun UnloadRun;
typedef void (*unload_run_done_t)(UnloadRun *run, void *userdata); /* may free the run */

int unload_run_new(UnloadRun **ret, Scheduler *scheduler, Ledger *ledger, const Planner *planner,
                   const Index *index, const char *module, Request *request, unload_run_done_t done,
                   void *userdata);
UnloadRun *unload_run_free(UnloadRun *run);
DEFINE_CLEANUP(UnloadRun, unload_run_free);

int unload_run_start(UnloadRun *run);

const RecordList *unload_run_get_records(const UnloadRun *run);
int unload_run_get_error(const UnloadRun *run);
Record *unload_run_get_failure(const UnloadRun *run);
