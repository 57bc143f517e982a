/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <libudev.h>
#include <signal.h>

#include "common/settings/settings.h"
#include "daemon/authority.h"
#include "daemon/base/root-reader.h"
#include "daemon/base/signal-watch.h"
#include "daemon/config/charge.h"
#include "daemon/config/denied-file.h"
#include "daemon/config/index-keeper.h"
#include "daemon/config/policy-keeper.h"
#include "daemon/config/settings-watch.h"
#include "daemon/config/udev-keeper.h"
#include "daemon/devices/coldplug.h"
#include "daemon/devices/intake.h"
#include "daemon/devices/udev-wait.h"
#include "daemon/devices/uevent.h"
#include "daemon/engine/kernel-log.h"
#include "daemon/engine/scheduler.h"
#include "daemon/gate/gate.h"
#include "daemon/history/audit-keeper.h"
#include "daemon/history/counters.h"
#include "daemon/history/ledger.h"
#include "daemon/history/monitors.h"
#include "daemon/history/refusal-log.h"
#include "daemon/history/refused-devices.h"
#include "daemon/planning/loaded-denied.h"
#include "daemon/planning/planner.h"
#include "daemon/requests/autoload.h"
#include "daemon/requests/boot-list.h"
#include "daemon/requests/foreign-loads.h"
#include "daemon/requests/helper-requests.h"
#include "daemon/requests/idle-unload.h"
#include "daemon/requests/second-look.h"
#include "daemon/service/broker.h"
#include "daemon/service/service.h"
#include "daemon/service/waits.h"

/* What the parts of the manager share: its objects, and what it does when one of them reports something. */

typedef struct Manager Manager;

struct Manager {
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
        AuditKeeper *audit;
        AuditTrail *trail;
        RefusalLog *refusal_log;
        RefusedDevices *refused;
        Planner planner;
        Gate *gate;
        Autoload *autoload;
        BootList *boot_list;
        SecondLook *second_look;
        ForeignLoads *foreign;
        IdleUnload *idle_unload;
        HelperRequests *helper_requests;
        Charge *charge;
        Authority *authority;
        DeniedFile *denied_file;
        IndexKeeper *index;
        UdevKeeper *udev_keeper;
        const UdevRules *udev_rules;    /* of udev_keeper */
        Uevent *uevent;
        UdevWait *udev_wait;
        Intake *intake;
        Coldplug *coldplug;
        Waits *waits;
        Service *service;
        Broker *broker;                 /* NULL: it has no socket */
        Counters counters;
        LoadedDenied *loaded_denied;
        uint64_t started_usec;          /* CLOCK_REALTIME */
        bool coldplug_done;
        RootReader *root_reader;
};

/* manager-gate.c */
int manager_open_gate(Manager *m, const int *fds, const char *off_file);
void manager_apply_gate(Manager *m);
void manager_on_gate_refusal(Manager *m, Requester *requester, const char *key, const PolicyRule *rule);
int manager_find_requester(const char *alias, pid_t helper, Requester **ret, void *userdata);
int manager_find_loader(const char *module, Requester **ret, void *userdata);

/* manager-events.c */
void manager_on_device_seen(const DeviceFacts *facts, const char *device, void *userdata);
bool manager_must_wait_for_udev(const char *subsystem, void *userdata);
void manager_on_device_walked(const DeviceFacts *facts, const char *device, void *userdata);
void manager_on_uevent(const DeviceFacts *facts, const char *device, void *userdata);
void manager_on_udev_event(const DeviceFacts *facts, const char *device, void *userdata);
void manager_on_device_noisy(const char *device, unsigned n_events, uint64_t hold_usec, void *userdata);
int manager_start_coldplug(Manager *m);
void manager_rescan(void *userdata);
void manager_on_events_lost(UeventLoss loss, uint64_t n_missing, void *userdata);
void manager_on_loader_lost(void *userdata);
void manager_on_coldplug_done(size_t n_devices, void *userdata);
void manager_on_loader_changed(LoaderTrouble trouble, void *userdata);
void manager_listen_to_udev(Manager *m);
void manager_on_udev_rules_changed(void *userdata);
void manager_on_boot_list_changed(void *userdata);
WaitListsState manager_look_at_lists(void *userdata);
void manager_step_in(void *userdata);
void manager_on_index_read(void *userdata);
void manager_on_index_swapped(bool became_complete, void *userdata);
void manager_on_policy_changed(bool is_news, void *userdata);
void manager_on_policy_problem(const Problem *problem, void *userdata);
void manager_on_scheduler_event(SchedulerEvent event, Record *record, void *userdata);
bool manager_denies(const char *module, PolicyRuling *ret, void *userdata);
bool manager_is_idle_and_up_to_date(void *userdata);
size_t manager_count_waiting(void *userdata);
bool manager_is_coldplug_done(void *userdata);
void manager_apply_settings(Manager *m);
int manager_on_reload(ProblemList *problems, void *userdata);
int manager_on_sighup(sd_event_source *source, const struct signalfd_siginfo *si, void *userdata);
void manager_on_reader_retry(void *userdata);
void manager_on_settings_readable(void *userdata);
