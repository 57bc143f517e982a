/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/plan/plan-graph.h"

/* PlanEdges: the edges between the steps of a plan. */
int plan_edges_draw(PlanGraph *g);
