/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <libudev.h>
#include <systemd/sd-event.h>

#include "common/settings.h"
#include "common/util.h"
#include "daemon/audit.h"
#include "daemon/autoload.h"
#include "daemon/charge.h"
#include "daemon/coldplug.h"
#include "daemon/counters.h"
#include "daemon/denied-file.h"
#include "daemon/index-keeper.h"
#include "daemon/intake.h"
#include "daemon/kernel-log.h"
#include "daemon/ledger.h"
#include "daemon/monitors.h"
#include "daemon/planner.h"
#include "daemon/policy-keeper.h"
#include "daemon/scheduler.h"
#include "daemon/settings-watch.h"
#include "daemon/uevent.h"
#include "daemon/verdicts.h"
#include "daemon/waits.h"

typedef struct Service Service;

/* The objects and their wiring. The service reads it; nobody else includes this. */
typedef struct Manager {
        sd_event *event;
        struct udev *udev;
        Settings settings;
        ProblemList setting_problems;
        SettingsWatch *settings_watch;
        KernelLog *kernel_log;
        Ledger *ledger;
        Monitors *monitors;
        Scheduler *scheduler;
        PolicyKeeper *policy;
        Audit *audit;
        Verdicts *verdicts;
        Planner planner;
        Autoload *autoload;
        Charge *charge;
        DeniedFile *denied_file;
        IndexKeeper *index;
        Uevent *uevent;
        Intake *intake;
        Coldplug *coldplug;
        Waits *waits;
        Service *service;
        Counters counters;
        LoaderTrouble trouble;          /* of the loader */
        bool serving;                   /* manager_run(): from now on lkmd may step back and in */
        char *loaded_but_denied;        /* as it was told last */
        uint64_t started_usec;          /* CLOCK_REALTIME */
        bool coldplug_done;
} Manager;

typedef struct ManagerOptions {
        int varlink_fd;                 /* listening, taken; negative: listen on varlink_address */
        const char *varlink_address;
        int kmsg_fd;                    /* taken; negative: none */
        int in_charge_fd;               /* of the file that udev looks at, taken; negative: none */
        const char *loader_address;
        const char *loader_program;     /* NULL: not looked at */
        const char *ledger_file;        /* NULL: none */
        const char *audit_file;         /* NULL: none */
        const char *denied_file;        /* NULL: none */
        const char *root;               /* prefix of /lib/modules, for tests; NULL: none */
        const char *policy_root;        /* of all that belongs to policies, likewise */
} ManagerOptions;

int manager_new(Manager **ret, const ManagerOptions *options);
Manager *manager_free(Manager *m);
DEFINE_CLEANUP(Manager, manager_free);

int manager_run(Manager *m);
int manager_reload(Manager *m, ProblemList *problems);
bool manager_is_idle(Manager *m);
