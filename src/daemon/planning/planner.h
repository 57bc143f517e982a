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
#include "daemon/history/refused-devices.h"

/*
 * Planner: the one place of the daemon that makes plans, so that none bypasses the policy, and that reports what the
 * policy did to a request. Borrows everything in it.
 */
typedef struct Planner {
        PolicyKeeper *policy;
        IndexKeeper *index;             /* NULL: none yet, so that no plan can be made */
        Audit *audit;
        RefusalLog *refusal_log;
        RefusedDevices *refused;
        Monitors *monitors;
        Counters *counters;
        const Settings *settings;
} Planner;

/* For a request that is to be carried out. */
int planner_plan(const Planner *p, const Index *index, const Request *request, PlanMode mode,
                 const char *parameters, Plan **ret);

/* While a plan is carried out: rules may have changed since. */
bool planner_has_news(const Planner *p, Plan *plan);
bool planner_denies_step(const Planner *p, const Request *request, Plan *plan, size_t step, PolicyPart part,
                         PlanRuling *ret, PlanOmissionKind *ret_kind);
void planner_note_omissions(const Planner *p, const Request *request, const Plan *plan, size_t first);
void planner_use(const Planner *p, const PlanStep *step);

/* For a question without a requester: nothing is reported. */
int planner_ask(const Planner *p, const Index *index, const char *key, PlanMode mode, Plan **ret);

/* For a question as a request that is not carried out: nothing is reported. */
int planner_ask_for(const Planner *p, const Index *index, const Request *request, PlanMode mode, Plan **ret);

/* The name of a module by its file and in the kernel, see kernel-names.h. */
const char *planner_kernel_name(const Planner *p, const Index *index, const char *module,
                                FileFactsEffort effort);
const IndexModule *planner_find_module(const Planner *p, const Index *index, const char *kernel_name);

/* For the audit. */
bool planner_has_rule(const PlanRuling *ruling, void *userdata);

/*
 * The rule of the policy that says whether a module may go when nobody uses it (idle-unload), and the least time of
 * all such rules. NULL and UINT64_MAX: there is none.
 */
const PolicyRule *planner_find_idle_rule(const Planner *p, const Index *index, const Request *request,
                                         const char *kernel_name);
uint64_t planner_least_idle_usec(const Planner *p);

/* Would a request for this module by name be denied? @ret is borrowed from policy and index. */
bool planner_denies(const Planner *p, const Index *index, const char *module, PolicyRuling *ret);
/* The same for whoever made this request, which matches nothing. */
bool planner_denies_request(const Planner *p, const Index *index, const Request *request, PolicyRuling *ret);
