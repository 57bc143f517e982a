/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/reasons/inquiry.h"

/* CausePlan: what the configuration and the module files leave out. */

int cause_of_plan(const Inquiry *q, Cause *ret);
int cause_of_plan_for_devices(const Inquiry *q, Cause *ret);
