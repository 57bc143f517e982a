/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/index/index.h"
#include "common/plan/plan.h"

/* PlanJudge: whether a module can be loaded, in a plan in progress and without a plan. */

/* Would this module be allowed to a requester who asks for it by name? Its dependencies are not judged. */
void plan_judge_name(const Index *index, const PlanRequest *request, PolicyDecision *ret);

/* The same for a file outside of the index, by what it says of itself. */
void plan_judge_file(const Index *index, const PlanRequest *request, const char *path, PolicyDecision *ret);

/* Whether a module of an existing plan is still allowed, as this part of the request. */
void plan_judge_step(const Index *index, const PlanRequest *request, const PlanStep *step, PolicyPart part,
                     PolicyDecision *ret);
PlanOmissionKind plan_denial_kind(const PolicyRuling *ruling, PolicyPart part);

/* Internal to the files that make plans. */
typedef struct PlanGraph PlanGraph;
int plan_judge_alone(PlanGraph *g, size_t n, PolicyPart part);
int plan_judge_node(PlanGraph *g, size_t n, PolicyPart part, const char *wanted_by, const ConfigEntry *config,
                    bool candidate);
int plan_judge_omit_denied(PlanGraph *g, size_t n, PolicyPart part, const char *wanted_by, bool candidate);
