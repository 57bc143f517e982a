/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/call/failure.h"
#include "cli/print/output.h"
#include "common/plan/plan.h"

int plan_print(const Output *out, const Plan *plan);
int plan_print_audited(const Plan *plan, const Plan *enforced);
ExitStatus plan_status(const Plan *plan);
