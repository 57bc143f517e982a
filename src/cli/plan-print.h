/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/failure.h"
#include "cli/output.h"
#include "common/plan.h"

int plan_print(const Output *out, const Plan *plan);
int plan_print_audited(const Plan *plan, const Plan *enforced);
ExitStatus plan_status(const Plan *plan);
