/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-event.h>

#include "common/base/util.h"
#include "daemon/engine/scheduler.h"
#include "daemon/history/ledger.h"
#include "daemon/planning/planner.h"
#include "daemon/planning/unload-plan.h"

/*
 * IdleUnload: removes modules that were loaded on demand, once nobody has used them for a while.
 */
typedef struct IdleUnload IdleUnload;

typedef struct IdleUnloadOptions {      /* all borrowed but the event loop */
        sd_event *event;
        Scheduler *scheduler;
        const Ledger *ledger;
        const Planner *planner;
} IdleUnloadOptions;

int idle_unload_new(IdleUnload **ret, const IdleUnloadOptions *options);
IdleUnload *idle_unload_free(IdleUnload *u);
DEFINE_CLEANUP(IdleUnload, idle_unload_free);

/* @usec: IdleUnloadSec=; UINT64_MAX: off. Also after a change of the policy. */
void idle_unload_apply(IdleUnload *u, uint64_t usec);
bool idle_unload_is_on(const IdleUnload *u);

/* A module was asked for, and has just been loaded or was there. */
void idle_unload_note_use(IdleUnload *u, const char *module, bool was_loaded);

int idle_unload_plan(IdleUnload *u, bool at_once, UnloadPlan **ret);
