/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>

#include "common/modprobe-config.h"
#include "common/plan.h"

/* What a module is loaded with, and which line said so. */
int plan_parameters_collect(const ModprobeConfig *config, const char *module, const char *option_key,
                            const char *requested, PlanStep *step);
