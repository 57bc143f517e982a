/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-json.h>

#include "common/plan/plan.h"

/*
 * PlanJson: a plan as JSON; omissions are the varlink type Omission. Return: 0; -ENOMEM; what sd-json returns.
 */

int plan_ruling_to_json(const PlanRuling *ruling, sd_json_variant **ret);
int plan_omission_to_json(const PlanOmission *omission, sd_json_variant **ret);
int plan_omissions_to_json(const Plan *plan, sd_json_variant **ret);
int plan_step_to_json(const Plan *plan, const PlanStep *step, sd_json_variant **ret);
int plan_to_json(const Plan *plan, sd_json_variant **ret);
