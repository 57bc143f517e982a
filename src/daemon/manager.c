/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Manager: makes the objects of the daemon and connects them, nothing else. Owns all of them and the event loop.
 */

#include "common/base/paths.h"
#include "daemon/manager.h"

#include <assert.h>
#include <inttypes.h>
#include <libudev.h>
#include <signal.h>
#include <systemd/sd-daemon.h>

#include "common/base/clock.h"
#include "common/base/string-list.h"
#include "common/settings/settings.h"
#include "daemon/authority.h"
#include "daemon/base/log.h"
#include "daemon/base/module-state.h"
#include "daemon/base/privilege.h"
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
#include "daemon/history/audit-keeper.h"
#include "daemon/history/counters.h"
#include "daemon/history/journal.h"
#include "daemon/history/ledger.h"
#include "daemon/history/monitors.h"
#include "daemon/history/refusal-log.h"
#include "daemon/history/refused-devices.h"
#include "daemon/planning/loaded-denied.h"
#include "daemon/planning/planner.h"
#include "daemon/requests/autoload.h"
#include "daemon/requests/second-look.h"
#include "daemon/service/waits.h"

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
        RefusalLog *refusal_log;
        RefusedDevices *refused;
        Planner planner;
        Autoload *autoload;
        SecondLook *second_look;
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
        Counters counters;
        LoadedDenied *loaded_denied;
        uint64_t started_usec;          /* CLOCK_REALTIME */
        bool coldplug_done;
        RootReader *root_reader;
};

/* --------------------------------------------------------------------------------------------- wiring */

static void on_device_seen(const DeviceFacts *facts, const char *device, void *userdata) {
        Manager *m = userdata;
        int r;

        if (!charge_is_taken(m->charge))
                return;                 /* udev loads its driver; lkmd walks over all devices when it steps in */
        r = autoload_device(m->autoload, index_keeper_get(m->index), facts, device);
        if (r < 0)
                log_warning("%s: cannot look after it: %s", device, strerror(-r));
}

static bool must_wait_for_udev(const char *subsystem, void *userdata) {
        const Manager *m = userdata;

        return udev_rules_find(m->udev_rules, subsystem);
}

static void on_device_walked(const DeviceFacts *facts, const char *device, void *userdata) {
        Manager *m = userdata;
        int r = udev_wait_found(m->udev_wait, facts, device);

        if (r == 0)
                on_device_seen(facts, device, m);
        else if (r < 0)
                log_warning("%s: cannot look after it: %s", device, strerror(-r));
}

/* The device got a driver, or was removed: a Wait for its driver may be over. */
static bool is_about_a_driver(const DeviceFacts *facts) {
        return streq_ptr(facts->action, "bind") || streq_ptr(facts->action, "remove");
}

/*
 * The kernel sends uevents for modules too: one was removed, or can be used now. The event may be read after the
 * module was loaded or removed once more, since replies of the loader are processed first; so its current state
 * decides. The kernel sends "remove" while the module is still "going", kobject_del().
 */
static void on_module_uevent(Manager *m, const DeviceFacts *facts) {
        ModuleState state = module_state_read(facts->sysname);

        if (streq_ptr(facts->action, "remove") && state != MODULE_LIVE && state != MODULE_COMING)
                ledger_module_gone(m->ledger, facts->sysname);
        else if (streq_ptr(facts->action, "add") && state == MODULE_LIVE)
                scheduler_note_live(m->scheduler, facts->sysname);
        waits_check_soon(m->waits);
}

static void on_uevent(const DeviceFacts *facts, const char *device, void *userdata) {
        Manager *m = userdata;
        int r;

        m->counters.events++;
        if (streq_ptr(facts->subsystem, "module") && facts->sysname)
                on_module_uevent(m, facts);
        if (is_about_a_driver(facts))
                waits_check_soon(m->waits);
        if (streq_ptr(facts->action, "remove"))
                refused_devices_forget(m->refused, device);
        (void) udev_keeper_get(m->udev_keeper);
        r = udev_wait_event(m->udev_wait, facts, device);
        if (r == 0)
                r = intake_put(m->intake, facts, device);
        if (r < 0)
                log_warning("%s: cannot look after it: %s", device, strerror(-r));
}

/* udev has applied its rules to a device. */
static void on_udev_event(const DeviceFacts *facts, const char *device, void *userdata) {
        Manager *m = userdata;
        int r;

        udev_wait_answer(m->udev_wait, facts, device);
        r = intake_put(m->intake, facts, device);
        if (r < 0)
                log_warning("%s: cannot look after it: %s", device, strerror(-r));
}

static void on_device_noisy(const char *device, unsigned n_events, uint64_t hold_usec, void *userdata) {
        Manager *m = userdata;

        journal_noisy(m->monitors, device, n_events, INTAKE_WINDOW_USEC, hold_usec);
}

static int start_coldplug(Manager *m) {
        m->coldplug_done = false;
        return coldplug_start(m->coldplug);
}

/* Walk over all devices once more. */
static void rescan(void *userdata) {
        Manager *m = userdata;
        int r;

        m->counters.rescans++;
        r = start_coldplug(m);
        if (r < 0)
                log_error("cannot look at all devices: %s", strerror(-r));
}

static void on_events_lost(UeventLoss loss, uint64_t n_missing, void *userdata) {
        Manager *m = userdata;

        m->counters.lost++;
        journal_events_lost(m->monitors, loss == UEVENT_OVERFLOW, n_missing);
        rescan(m);
}

/*
 * The loads under way may have been for devices, which send no other event, so walk over all devices once more. A load
 * that still goes on in the kernel is joined by the next load of that module, kernel/module/main.c.
 */
static void on_loader_lost(void *userdata) {
        Manager *m = userdata;

        monitors_message(m->monitors, "rescan", "lkmd-loader went away; looking at all devices again");
        rescan(m);
}

static void settle(Manager *m, const char *good_news) {
        if (m->authority)
                authority_settle(m->authority, good_news);
}

static void on_coldplug_done(size_t n_devices, void *userdata) {
        Manager *m = userdata;

        m->counters.coldplug_devices += n_devices;
        m->coldplug_done = true;
        log_info("looked at %zu devices", n_devices);
        settle(m, "all devices in /sys can be seen again");
        waits_check_soon(m->waits);
}

static void on_loader_changed(LoaderTrouble trouble, void *userdata) {
        settle(userdata, "lkmd-loader works again");
}

static void listen_to_udev(Manager *m) {
        _cleanup_(string_list_freep) char **subsystems = NULL;
        int r;

        r = udev_rules_get_subsystems(m->udev_rules, &subsystems);
        if (r >= 0)
                r = uevent_listen_to_udev(m->uevent, subsystems);
        if (r < 0)
                log_warning("cannot listen to udev: %s", strerror(-r));
}

/* lkmd-handover puts the guard over udev's rule again when a file of the administrator's has gone from its place. */
static void on_udev_rules_changed(void *userdata) {
        Manager *m = userdata;

        listen_to_udev(m);
        udev_wait_rules_changed(m->udev_wait);
        charge_call_handover(m->charge);
        settle(m, "the administrator's file in the place of udev's rule is gone");
}

static void on_index_read(void *userdata) {
        settle(userdata, "all that lkmd has to know can be read again");
}

static void write_denied(Manager *m) {
        denied_file_follow(m->denied_file, m->policy, m->index, m->charge, m->settings.on_stop);
}

static void on_index_swapped(bool became_complete, void *userdata) {
        Manager *m = userdata;

        refusal_log_forget(m->refusal_log);
        monitors_message(m->monitors, "reloaded", "module index and modprobe.d were read");
        if (m->index) {
                loaded_denied_report(m->loaded_denied); /* by modprobe.d */
                write_denied(m);
                second_look_soon(m->second_look);
        }
        if (!became_complete || !m->index || !m->settings.coldplug)
                return;                 /* for the first index, the first walk is still to come */
        rescan(m);                      /* keys that were not found before may be found now */
}

static void on_policy_changed(bool is_news, void *userdata) {
        Manager *m = userdata;

        refusal_log_forget(m->refusal_log);
        audit_policy_changed(audit_keeper_get(m->audit));
        if (is_news)
                monitors_message(m->monitors, "reloaded", "the policy is another now");
        loaded_denied_report(m->loaded_denied);
        write_denied(m);
        second_look_soon(m->second_look);
}

static void on_policy_problem(const Problem *problem, void *userdata) {
        Manager *m = userdata;

        monitors_problem(m->monitors, problem);
}

static void on_job_finished(Manager *m, Record *record) {
        /* the module was loaded already, but from now on it counts as requested itself */
        if (record->id == 0 && outcome_is_success(record->outcome) &&
            !ledger_was_requested(m->ledger, record->module) && record->reason == PLAN_REQUESTED)
                (void) ledger_begin(m->ledger, record);
        ledger_end(m->ledger, record);
        if (record->outcome == OUTCOME_UNLOADED)
                ledger_module_gone(m->ledger, record->module);
        if (record->outcome == OUTCOME_KEPT_OUT && record->request)
                refused_devices_note_command(m->refused, record->request, record->module);
        counters_note_outcome(&m->counters, record);
        if (record->outcome != OUTCOME_ALREADY_LOADED)
                journal_record(record);
        waits_check_soon(m->waits);
}

static void on_scheduler_event(SchedulerEvent event, Record *record, void *userdata) {
        static const char *const kinds[] = {
                [SCHEDULER_STARTED] = "started",
                [SCHEDULER_FINISHED] = "finished",
                [SCHEDULER_SLOW] = "slow",
        };
        Manager *m = userdata;

        switch (event) {
        case SCHEDULER_STARTED:
                counters_add_time(&m->counters, PHASE_QUEUE,
                                  clock_usec(CLOCK_MONOTONIC) - record->submitted_usec);
                (void) ledger_begin(m->ledger, record);
                break;
        case SCHEDULER_FINISHED:
                on_job_finished(m, record);
                break;
        case SCHEDULER_SLOW:
                journal_slow(record);
                break;
        }
        monitors_record(m->monitors, kinds[event], record);
        service_report_progress(m->service, kinds[event], record);
}

/*
 * A Wait for idleness after a depmod is about the new index, which may cause work: a change that the event loop has
 * seen is read first.
 */
static bool is_idle_and_up_to_date(void *userdata) {
        Manager *m = userdata;

        (void) index_keeper_get(m->index);
        return manager_is_idle(m);
}

/* Is nothing queued, running or to be processed, as far as the event loop has seen? */
bool manager_is_idle(Manager *m) {
        assert(m);

        return scheduler_is_idle(m->scheduler) && autoload_is_idle(m->autoload) &&
               intake_is_idle(m->intake) && !coldplug_is_running(m->coldplug) &&
               udev_wait_count(m->udev_wait) == 0;
}

static bool is_idle(void *userdata) {
        return manager_is_idle(userdata);
}

static size_t count_waiting(void *userdata) {
        const Manager *m = userdata;

        return udev_wait_count(m->udev_wait);
}

static bool is_coldplug_done(void *userdata) {
        return ((const Manager *) userdata)->coldplug_done;
}

/* ------------------------------------------------------------------------------------------- settings */

static void apply_settings(Manager *m) {
        int r;

        log_set_level(m->settings.log_level);
        policy_keeper_set_mode(m->policy, m->settings.mode);
        scheduler_set_limits(m->scheduler, &(SchedulerLimits) {
                                                   .loads = m->settings.loader_threads,
                                                   .slow_usec = m->settings.slow_load_usec,
                                                   .loader_timeout_usec = m->settings.loader_timeout_usec,
                                                   .serial_modules = m->settings.serial_modules,
                                                   .async_probe_modules = m->settings.async_probe_modules,
                                           });
        if (m->index)
                write_denied(m);        /* OnStop= */
        r = ledger_set_capacity(m->ledger, m->settings.ledger_entries);
        if (r < 0)
                log_warning("cannot size the ledger: %s", strerror(-r));
}

/**
 * manager_reload() - read lkmd.conf, the policy, modprobe.d and the module index again
 * @problems: problems of lkmd.conf and the policy are added to it
 *
 * Return: 0; -EBADMSG if lkmd.conf or the policy is broken: of that one the old stays in force, while modprobe.d
 * and the index, where a broken line affects only itself, were replaced; -ENOMEM.
 */
int manager_reload(Manager *m, ProblemList *problems) {
        Settings settings;
        bool settings_broken;
        int r;

        assert(m && problems);

        settings_watch_reading(m->settings_watch);
        r = settings_load(&settings, NULL, problems);
        if (r < 0)
                return r;
        for (size_t i = 0; i < problems->n_items; i++)
                log_problem(problems->items + i);

        problem_list_clear(&m->setting_problems);
        (void) problem_list_copy(&m->setting_problems, problems);
        settings_broken = problems->n_items > 0;
        if (!settings_broken) {
                m->settings = settings;
                apply_settings(m);
        }

        r = policy_keeper_rebuild(m->policy);
        if (r < 0)
                return r;
        if (policy_keeper_is_broken(m->policy))
                (void) problem_list_copy(problems, policy_keeper_get_problems(m->policy));
        r = index_keeper_rebuild(m->index);
        if (r < 0)
                return r;
        return settings_broken || policy_keeper_is_broken(m->policy) ? -EBADMSG : 0;
}

static int on_reload(ProblemList *problems, void *userdata) {
        return manager_reload(userdata, problems);
}

static int on_sighup(sd_event_source *source, const struct signalfd_siginfo *si, void *userdata) {
        _cleanup_(problem_list_clear) ProblemList problems = {};
        Manager *m = userdata;
        int r;

        (void) sd_notifyf(/* unset_environment= */ false, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
                          clock_usec(CLOCK_MONOTONIC));
        r = manager_reload(m, &problems);
        if (r < 0)
                log_error("cannot reload: %s",
                          r != -EBADMSG                         ? strerror(-r)
                          : policy_keeper_is_broken(m->policy)
                                  ? "the policy is broken, what held before stays in force"
                                  : "lkmd.conf is broken, the old settings stay in force");
        (void) sd_notify(/* unset_environment= */ false, "READY=1");
        return 0;
}

/* lkmd-reader may be well again, and open what it did not. */
static void on_reader_retry(void *userdata) {
        _cleanup_(problem_list_clear) ProblemList problems = {};
        int r = manager_reload(userdata, &problems);

        if (r < 0 && r != -EBADMSG)
                log_error("cannot reload: %s", strerror(-r));
}

/* --------------------------------------------------------------------------------------------- object */

static int load_settings(Manager *m) {
        int r;

        r = settings_watch_new(&m->settings_watch, m->event);
        if (r < 0)
                return r;
        settings_watch_reading(m->settings_watch);
        r = settings_load(&m->settings, NULL, &m->setting_problems);
        if (r < 0)
                return r;
        for (size_t i = 0; i < m->setting_problems.n_items; i++)
                log_problem(m->setting_problems.items + i);
        return 0;
}

static int open_loop(Manager *m) {
        int r;

        r = sd_event_default(&m->event);
        if (r < 0)
                return r;
        (void) sd_event_set_watchdog(m->event, true);
        r = signal_watch(m->event, SIGTERM, NULL, NULL);
        if (r < 0)
                return r;
        r = signal_watch(m->event, SIGINT, NULL, NULL);
        if (r < 0)
                return r;
        return signal_watch(m->event, SIGHUP, on_sighup, m);
}

static int open_udev(Manager *m, const char *root) {
        int r;

        m->udev = udev_new();
        if (!m->udev)
                return -ENOMEM;
        r = udev_keeper_new(&m->udev_keeper, m->event, root, on_udev_rules_changed, m);
        if (r < 0)
                return r;
        m->udev_rules = udev_keeper_get(m->udev_keeper);
        return udev_wait_new(&m->udev_wait, &(UdevWaitOptions) {
                                                    .event = m->event,
                                                    .udev = m->udev,
                                                    .must = must_wait_for_udev,
                                                    .look = on_device_seen,
                                                    .userdata = m,
                                            });
}

static int open_sources(Manager *m, const ManagerOptions *options) {
        int r;

        r = open_udev(m, options->policy_root);
        if (r < 0)
                return r;
        r = intake_new(&m->intake, &(IntakeOptions) {
                                           .event = m->event,
                                           .counters = &m->counters,
                                           .seen = on_device_seen,
                                           .noisy = on_device_noisy,
                                           .userdata = m,
                                   });
        if (r < 0)
                return r;
        r = uevent_new(&m->uevent, &(UeventOptions) {
                                           .event = m->event,
                                           .udev = m->udev,
                                           .receive_buffer_bytes = m->settings.receive_buffer_bytes,
                                           .seen = on_uevent,
                                           .answered = on_udev_event,
                                           .lost = on_events_lost,
                                           .userdata = m,
                                   });
        if (r < 0)
                return r;
        r = privilege_drop();   /* CAP_NET_ADMIN was only for the size of the netlink buffer */
        if (r < 0)
                return r;
        listen_to_udev(m);
        r = coldplug_new(&m->coldplug, m->event, m->udev, on_device_walked, on_coldplug_done, m);
        if (r >= 0)
                coldplug_set_by_udev(m->coldplug, must_wait_for_udev);
        return r;
}

static int open_policy(Manager *m, const ManagerOptions *options) {
        int r;

        r = refusal_log_new(&m->refusal_log);
        if (r >= 0)
                r = refused_devices_new(&m->refused);
        if (r >= 0)
                r = audit_keeper_new(&m->audit, m->event, options->audit_file);
        if (r < 0)
                return r;
        r = policy_keeper_new(&m->policy, &(PolicyKeeperOptions) {
                                                  .event = m->event,
                                                  .root = options->policy_root,
                                                  .mode = m->settings.mode,
                                                  .changed = on_policy_changed,
                                                  .problem = on_policy_problem,
                                                  .userdata = m,
                                          });
        if (r < 0)
                return r;
        audit_set_policy(audit_keeper_get(m->audit), planner_has_rule, m->policy);
        m->planner = (Planner) {
                .policy = m->policy,
                .audit = audit_keeper_get(m->audit),
                .refusal_log = m->refusal_log,
                .refused = m->refused,
                .monitors = m->monitors,
                .counters = &m->counters,
                .settings = &m->settings,
        };
        return 0;
}

static int open_engine(Manager *m, const ManagerOptions *options) {
        int r;

        r = kernel_log_new(&m->kernel_log, options->kmsg_fd);
        if (r < 0)
                return r;
        r = ledger_new(&m->ledger, options->ledger_file, m->settings.ledger_entries);
        if (r < 0)
                return r;
        r = monitors_new(&m->monitors);
        if (r < 0)
                return r;
        r = open_policy(m, options);
        if (r < 0)
                return r;
        r = waits_new(&m->waits, m->event, is_idle_and_up_to_date, m);
        if (r < 0)
                return r;
        r = scheduler_new(&m->scheduler, &(SchedulerOptions) {
                                                 .event = m->event,
                                                 .loader_address = options->loader_address,
                                                 .kernel_log = m->kernel_log,
                                                 .counters = &m->counters,
                                                 .files = policy_keeper_get_facts(m->policy),
                                                 .observer = on_scheduler_event,
                                                 .loader_program = options->loader_program,
                                                 .loader_lost = on_loader_lost,
                                                 .loader_changed = on_loader_changed,
                                                 .userdata = m,
                                         });
        if (r < 0)
                return r;
        scheduler_prepare(m->scheduler); /* the loader starts while the index is built */
        scheduler_learn(m->scheduler, m->ledger);
        r = autoload_new(&m->autoload, m->scheduler, &m->planner, m->monitors, &m->counters);
        if (r < 0)
                return r;
        r = index_keeper_new(&m->index, m->event, options->root, on_index_swapped, on_index_read, m);
        if (r < 0)
                return r;
        m->planner.index = m->index;
        r = authority_new(&m->authority, &(AuthorityOptions) {
                                                 .charge = m->charge,
                                                 .scheduler = m->scheduler,
                                                 .udev = m->udev_keeper,
                                                 .index = m->index,
                                                 .coldplug = m->coldplug,
                                                 .root_reader = m->root_reader,
                                                 .settings = &m->settings,
                                                 .monitors = m->monitors,
                                                 .stepped_in = rescan,
                                                 .userdata = m,
                                         });
        if (r < 0)
                return r;
        r = second_look_new(&m->second_look, &(SecondLookOptions) {
                                                     .event = m->event,
                                                     .autoload = m->autoload,
                                                     .planner = &m->planner,
                                                     .ledger = m->ledger,
                                                     .charge = m->charge,
                                                     .walk = rescan,
                                                     .userdata = m,
                                             });
        if (r < 0)
                return r;
        return loaded_denied_new(&m->loaded_denied, &m->planner);
}

static int open_service(Manager *m, const ManagerOptions *options) {
        return service_new(&m->service,
                           &(ServiceContext) {
                                   .event = m->event,
                                   .settings = &m->settings,
                                   .setting_problems = &m->setting_problems,
                                   .settings_watch = m->settings_watch,
                                   .index = m->index,
                                   .policy = m->policy,
                                   .charge = m->charge,
                                   .udev = m->udev_keeper,
                                   .planner = &m->planner,
                                   .second_look = m->second_look,
                                   .scheduler = m->scheduler,
                                   .ledger = m->ledger,
                                   .audit = audit_keeper_get(m->audit),
                                   .monitors = m->monitors,
                                   .waits = m->waits,
                                   .counters = &m->counters,
                                   .started_usec = m->started_usec,
                                   .reload = on_reload,
                                   .is_idle = is_idle,
                                   .is_coldplug_done = is_coldplug_done,
                                   .count_waiting = count_waiting,
                                   .userdata = m,
                           },
                           options->varlink_fd, options->varlink_address);
}

/**
 * manager_new() - make all objects; manager_run() runs the loop
 *
 * The netlink socket is opened before the walk over /sys, so that no device is missed between the two.
 *
 * Return: 0 or the negative errno of the object that could not be made.
 */
int manager_new(Manager **ret, const ManagerOptions *options) {
        _cleanup_(manager_freep) Manager *m = NULL;
        int r;

        assert(ret && options);

        m = calloc(1, sizeof(*m));
        if (!m)
                return -ENOMEM;
        m->started_usec = clock_usec(CLOCK_REALTIME);

        r = open_loop(m);
        if (r < 0)
                return r;
        r = root_reader_new(&m->root_reader, m->event, options->reader_address, on_reader_retry, m);
        if (r < 0)
                return r;
        r = load_settings(m);
        if (r < 0)
                return r;
        log_set_level(m->settings.log_level);
        r = charge_new(&m->charge, options->in_charge_fd, LKMD_HANDOVER_CALL_FILE);
        if (r < 0)
                return r;
        r = denied_file_new(&m->denied_file, options->denied_file);
        if (r < 0)
                return r;
        r = open_sources(m, options);
        if (r < 0)
                return r;
        r = open_engine(m, options);
        if (r < 0)
                return r;
        apply_settings(m);
        loaded_denied_report(m->loaded_denied);
        r = open_service(m, options);
        if (r < 0)
                return r;

        *ret = STEAL_PTR(m);
        return 0;
}

/* Return: NULL. */
Manager *manager_free(Manager *m) {
        if (!m)
                return NULL;

        authority_free(m->authority);
        charge_free(m->charge);
        m->service = service_free(m->service); /* first: its calls borrow from all others */
        second_look_free(m->second_look);
        autoload_free(m->autoload);
        scheduler_free(m->scheduler);
        coldplug_free(m->coldplug);
        uevent_free(m->uevent);
        udev_wait_free(m->udev_wait);
        udev_keeper_free(m->udev_keeper);
        intake_free(m->intake);
        loaded_denied_free(m->loaded_denied);
        index_keeper_free(m->index);
        waits_free(m->waits);
        policy_keeper_free(m->policy);
        audit_keeper_free(m->audit);
        denied_file_free(m->denied_file);
        refusal_log_free(m->refusal_log);
        refused_devices_free(m->refused);
        monitors_free(m->monitors);
        ledger_free(m->ledger);
        kernel_log_free(m->kernel_log);
        settings_watch_free(m->settings_watch);
        root_reader_free(m->root_reader);
        problem_list_clear(&m->setting_problems);
        if (m->udev)
                udev_unref(m->udev);
        sd_event_unref(m->event);
        free(m);
        return NULL;
}

/**
 * manager_run() - notify systemd, begin the first walk over the devices, and serve until SIGTERM
 *
 * READY=1 does not wait for the list of the devices: requests are answered after it was made, and lkmd is not idle
 * before the walk is over.
 *
 * Return: 0, or what sd_event_loop(3) says.
 */
int manager_run(Manager *m) {
        int r;

        assert(m);

        if (m->settings.coldplug) {
                r = start_coldplug(m);
                if (r < 0)
                        return r;
        } else
                m->coldplug_done = true;
        authority_begin(m->authority);
        (void) sd_notify(/* unset_environment= */ false, "READY=1");

        r = sd_event_loop(m->event);
        authority_end(m->authority);
        (void) sd_notify(/* unset_environment= */ false, "STOPPING=1");
        return r;
}

/* Handle a uevent as if it came from the kernel. */
void manager_take_uevent(Manager *m, const DeviceFacts *facts, const char *device) {
        assert(m && facts && device);

        on_uevent(facts, device, m);
}

Service *manager_get_service(Manager *m) {
        assert(m);

        return m->service;
}
