/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-event.h>

#include "common/base/problem-list.h"
#include "common/settings/settings.h"
#include "daemon/config/charge.h"
#include "daemon/config/index-keeper.h"
#include "daemon/config/policy-keeper.h"
#include "daemon/config/settings-watch.h"
#include "daemon/config/udev-keeper.h"
#include "daemon/engine/scheduler.h"
#include "daemon/history/audit.h"
#include "daemon/gate/gate.h"
#include "daemon/history/counters.h"
#include "daemon/history/ledger.h"
#include "daemon/history/monitors.h"
#include "daemon/planning/planner.h"
#include "daemon/requests/boot-list.h"
#include "daemon/requests/idle-unload.h"
#include "daemon/requests/second-look.h"
#include "daemon/service/waits.h"

/* ServiceContext: what the methods read and set in motion. All of it is borrowed, and outlives the service. */
typedef struct ServiceContext {
        sd_event *event;
        const Settings *settings;
        const ProblemList *setting_problems;
        SettingsWatch *settings_watch;
        IndexKeeper *index;
        PolicyKeeper *policy;
        Charge *charge;
        UdevKeeper *udev;
        const Gate *gate;
        Planner *planner;
        SecondLook *second_look;
        const BootList *boot_list;
        IdleUnload *idle_unload;
        Scheduler *scheduler;
        Ledger *ledger;
        Audit *audit;
        Monitors *monitors;
        Waits *waits;
        Counters *counters;
        uint64_t started_usec;          /* CLOCK_REALTIME */

        int (*reload)(ProblemList *problems, void *userdata); /* as manager_reload() */
        bool (*is_idle)(void *userdata); /* as manager_is_idle() */
        bool (*is_coldplug_done)(void *userdata);
        size_t (*count_waiting)(void *userdata); /* devices that wait for udev */
        void *userdata;
} ServiceContext;
