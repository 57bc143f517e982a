/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/plan/plan-graph.h"

/* PlanParameters: the parameters of a module, each with its place. */
int plan_parameters_collect(const PlanGraph *g, const Node *n, PlanStep *step);
