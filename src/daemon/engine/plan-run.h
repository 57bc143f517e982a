/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/base/util.h"
#include "common/plan/plan.h"
#include "daemon/engine/scheduler.h"
#include "daemon/planning/planner.h"

/* PlanRun: one plan being carried out, step by step as its edges allow, until every step has an outcome. */
typedef struct PlanRun PlanRun;
typedef void (*plan_run_done_t)(PlanRun *run, void *userdata); /* may free the run */

int plan_run_new(PlanRun **ret, Scheduler *scheduler, const Planner *planner, Plan *plan, Request *request,
                 plan_run_done_t done, void *userdata);
PlanRun *plan_run_free(PlanRun *run);
DEFINE_CLEANUP(PlanRun, plan_run_free);

int plan_run_start(PlanRun *run);

const Plan *plan_run_get_plan(const PlanRun *run);
const RecordList *plan_run_get_records(const PlanRun *run);
Record *plan_run_get_failure(const PlanRun *run);
