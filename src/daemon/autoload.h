/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/device-keys.h"
#include "common/index.h"
#include "common/util.h"
#include "daemon/counters.h"
#include "daemon/monitors.h"
#include "daemon/planner.h"
#include "daemon/scheduler.h"

/* Drivers for devices: from what a device says of itself to the plans that run for it. */
typedef struct Autoload Autoload;

int autoload_new(Autoload **ret, Scheduler *scheduler, const Planner *planner, Monitors *monitors,
                 Counters *counters);
Autoload *autoload_free(Autoload *a);
DEFINE_CLEANUP(Autoload, autoload_free);

int autoload_device(Autoload *a, Index *index, const DeviceFacts *facts, const char *device);

bool autoload_is_idle(const Autoload *a);
