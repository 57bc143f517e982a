/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/index/index.h"
#include "common/plan/plan.h"
#include "common/settings/settings.h"
#include "daemon/config/index-keeper.h"
#include "daemon/config/policy-keeper.h"
#include "daemon/history/audit.h"
#include "daemon/history/counters.h"
#include "daemon/history/monitors.h"
#include "daemon/history/refusal-log.h"

/*
 * Planner: the one place of the daemon where plans are made, so that none is without the policy, and where what
 * the policy did to a request is told. Borrows all that is in it.
 */
typedef struct Planner {
        PolicyKeeper *policy;
        IndexKeeper *index;             /* NULL: none yet, and no plan */
        Audit *audit;
        RefusalLog *refusal_log;
        Monitors *monitors;
        Counters *counters;
        const Settings *settings;
} Planner;

/* For a request that is to be carried out. */
int planner_plan(const Planner *p, Index *index, const Request *request, PlanMode mode, const char *parameters,
                 Plan **ret);

/* While it is carried out: rules may have come since. */
bool planner_has_news(const Planner *p, Plan *plan);
bool planner_denies_step(const Planner *p, const Request *request, Plan *plan, size_t step, PolicyPart part,
                         PlanRuling *ret, PlanOmissionKind *ret_kind);
void planner_note_omissions(const Planner *p, const Request *request, const Plan *plan, size_t first);
void planner_use(const Planner *p, const PlanStep *step);

/* For a question: nothing is told, and nobody in particular asks. */
int planner_ask(const Planner *p, Index *index, const char *key, PlanMode mode, Plan **ret);

/* Would somebody who asks for this module by name be denied it? @ret is borrowed from policy and index. */
bool planner_denies(const Planner *p, const Index *index, const char *module, PolicyRuling *ret);
