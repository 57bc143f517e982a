/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/base/util.h"
#include "common/device/device-facts.h"
#include "common/index/index.h"
#include "daemon/engine/scheduler.h"
#include "daemon/history/counters.h"
#include "daemon/history/monitors.h"
#include "daemon/planning/planner.h"

/* Autoload: from the properties of a device to the plans that load its drivers. */
typedef struct Autoload Autoload;

int autoload_new(Autoload **ret, Scheduler *scheduler, const Planner *planner, Monitors *monitors,
                 Counters *counters);
Autoload *autoload_free(Autoload *a);
DEFINE_CLEANUP(Autoload, autoload_free);

typedef void (*autoload_over_t)(void *userdata);
void autoload_observe(Autoload *a, autoload_over_t over, void *userdata);

int autoload_device(Autoload *a, const Index *index, const DeviceFacts *facts, const char *device);

int autoload_request(Autoload *a, const Index *index, const Request *request);

bool autoload_is_busy_with(const Autoload *a, const char *device);
bool autoload_is_idle(const Autoload *a);
