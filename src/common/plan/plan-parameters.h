/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/plan/plan-graph.h"

/* What a module is loaded with, and which line said so. */
int plan_parameters_collect(const PlanGraph *g, const Node *n, PlanStep *step);
