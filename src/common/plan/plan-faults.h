/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/plan/plan-graph.h"

/* PlanFaults: which steps of a plan will fail because of their files. */
int plan_faults_look(PlanGraph *g, size_t node);
int plan_faults_foretell(PlanGraph *g);
