/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/index.h"
#include "common/plan.h"
#include "common/settings.h"
#include "daemon/audit.h"
#include "daemon/counters.h"
#include "daemon/monitors.h"
#include "daemon/plan-run.h"
#include "daemon/policy-keeper.h"
#include "daemon/verdicts.h"

/*
 * Planner: the one place of the daemon where plans are made, so that none is without the policy, and where what
 * the policy did to a request is told. Borrows all that is in it.
 */
typedef struct Planner {
        PolicyKeeper *policy;
        Audit *audit;
        Verdicts *verdicts;
        Monitors *monitors;
        Counters *counters;
        const Settings *settings;
} Planner;

/* For a request that is to be carried out. */
int planner_plan(const Planner *p, Index *index, const Request *request, PlanMode mode, const char *parameters,
                 Plan **ret);
void planner_note_end(const Planner *p, const PlanRun *run);

/* For a question: nothing is told, and nobody in particular asks. */
int planner_ask(const Planner *p, Index *index, const char *key, PlanMode mode, Plan **ret);

/* Would somebody who asks for this module by name be denied it? @ret is borrowed from policy and index. */
bool planner_denies(const Planner *p, const Index *index, const char *module, PolicyRuling *ret);
