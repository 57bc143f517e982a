/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/index/index.h"
#include "common/plan/plan.h"

int plan_new(Plan **ret, const Index *index, const PlanRequest *request);
