/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/plan/plan-graph.h"

/* What waits for what, and what the request cannot do without, once all steps have their place. */
int plan_edges_draw(PlanGraph *g);
