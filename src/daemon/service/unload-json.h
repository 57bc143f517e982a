/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-json.h>

#include "daemon/planning/needed-modules.h"
#include "daemon/planning/unload-plan.h"

/* UnloadJson: plans of removals, and what is needed, as types of the varlink interface. */

int describe_unload_steps(const UnloadPlan *plan, sd_json_variant **ret);
int describe_unload_stays(const UnloadPlan *plan, sd_json_variant **ret);

/* Those that depend on a step of the plan. */
int describe_needs(const NeedList *needs, const UnloadPlan *plan, sd_json_variant **ret);
