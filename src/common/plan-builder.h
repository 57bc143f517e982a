/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/plan.h"

/* Fills in @plan, whose key is set and all else empty. */
int plan_build(Plan *plan, Index *index, const PlanRequest *request);
