/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * ManagerEvents: what one object of the daemon reports, told to those whom it concerns. The callbacks that manager.c
 * gives to the objects; each is a few lines, and decides nothing that belongs to an object. Owns nothing.
 */

#include "daemon/manager.h"

#include <assert.h>
#include <inttypes.h>
#include <systemd/sd-daemon.h>

#include "common/base/clock.h"
#include "common/base/string-list.h"
#include "daemon/base/log.h"
#include "daemon/base/module-state.h"
#include "daemon/history/journal.h"
#include "daemon/manager-internal.h"

void manager_on_device_seen(const DeviceFacts *facts, const char *device, void *userdata) {
        Manager *m = userdata;
        int r;

        if (!charge_is_taken(m->charge))
                return;                 /* udev loads its driver; lkmd walks over all devices when it steps in */
        r = autoload_device(m->autoload, index_keeper_get(m->index), facts, device);
        boot_list_device(m->boot_list, index_keeper_get(m->index), facts);
        if (r < 0)
                log_warning("%s: cannot look after it: %s", device, strerror(-r));
}

bool manager_must_wait_for_udev(const char *subsystem, void *userdata) {
        const Manager *m = userdata;

        return udev_rules_find(m->udev_rules, subsystem);
}

void manager_on_device_walked(const DeviceFacts *facts, const char *device, void *userdata) {
        Manager *m = userdata;
        int r = udev_wait_found(m->udev_wait, facts, device);

        if (r == 0)
                manager_on_device_seen(facts, device, m);
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

        if (streq_ptr(facts->action, "remove") && state != MODULE_LIVE && state != MODULE_COMING) {
                foreign_loads_gone(m->foreign, facts->sysname);
                ledger_module_gone(m->ledger, facts->sysname);
        } else if (streq_ptr(facts->action, "add") && state == MODULE_LIVE) {
                scheduler_note_live(m->scheduler, facts->sysname);
                boot_list_note_live(m->boot_list, facts->sysname);
                foreign_loads_found(m->foreign, facts->sysname, ORIGIN_FOREIGN);
        }
        waits_check_soon(m->waits);
}

void manager_on_uevent(const DeviceFacts *facts, const char *device, void *userdata) {
        Manager *m = userdata;
        int r;

        m->counters.events++;
        if (streq_ptr(facts->subsystem, "module") && facts->sysname)
                on_module_uevent(m, facts);
        if (is_about_a_driver(facts))
                waits_check_soon(m->waits);
        if (streq_ptr(facts->action, "bind") && facts->driver)
                boot_list_note_bound(m->boot_list, index_keeper_get(m->index), facts->driver);
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
void manager_on_udev_event(const DeviceFacts *facts, const char *device, void *userdata) {
        Manager *m = userdata;
        int r;

        udev_wait_answer(m->udev_wait, facts, device);
        r = intake_put(m->intake, facts, device);
        if (r < 0)
                log_warning("%s: cannot look after it: %s", device, strerror(-r));
}

void manager_on_device_noisy(const char *device, unsigned n_events, uint64_t hold_usec, void *userdata) {
        Manager *m = userdata;

        journal_noisy(m->monitors, device, n_events, INTAKE_WINDOW_USEC, hold_usec);
}

int manager_start_coldplug(Manager *m) {
        m->coldplug_done = false;
        return coldplug_start(m->coldplug);
}

/* Walk over all devices once more. */
void manager_rescan(void *userdata) {
        Manager *m = userdata;
        int r;

        m->counters.rescans++;
        r = manager_start_coldplug(m);
        if (r < 0)
                log_error("cannot look at all devices: %s", strerror(-r));
}

/* lkmd is in charge again. */
void manager_step_in(void *userdata) {
        Manager *m = userdata;

        boot_list_begin(m->boot_list);
        manager_rescan(m);
}

void manager_on_boot_list_changed(void *userdata) {
        const Manager *m = userdata;

        waits_check_soon(m->waits);
}

WaitListsState manager_look_at_lists(void *userdata) {
        static const WaitListsState states[] = {
                [BOOT_LIST_UNDER_WAY] = WAIT_LISTS_UNDER_WAY,
                [BOOT_LIST_SETTLED] = WAIT_LISTS_SETTLED,
                [BOOT_LIST_LEFT] = WAIT_LISTS_LEFT,
                [BOOT_LIST_PREVENTED] = WAIT_LISTS_LEFT,
        };
        const Manager *m = userdata;

        return states[boot_list_get_progress(m->boot_list)];
}

void manager_on_events_lost(UeventLoss loss, uint64_t n_missing, void *userdata) {
        Manager *m = userdata;

        m->counters.lost++;
        journal_events_lost(m->monitors, loss == UEVENT_OVERFLOW, n_missing);
        manager_rescan(m);
}

/*
 * The loads under way may have been for devices, which send no other event, so walk over all devices once more. A load
 * that still goes on in the kernel is joined by the next load of that module, kernel/module/main.c.
 */
void manager_on_loader_lost(void *userdata) {
        Manager *m = userdata;

        monitors_message(m->monitors, "manager_rescan",
                         "lkmd-loader went away; looking at all devices again");
        manager_rescan(m);
}

static void settle(Manager *m, const char *good_news) {
        if (m->authority)
                authority_settle(m->authority, good_news);
}

void manager_on_coldplug_done(size_t n_devices, void *userdata) {
        Manager *m = userdata;

        m->counters.coldplug_devices += n_devices;
        m->coldplug_done = true;
        log_info("looked at %zu devices", n_devices);
        foreign_loads_compare(m->foreign);
        index_keeper_settle(m->index);
        settle(m, "all devices in /sys can be seen again");
        waits_check_soon(m->waits);
}

void manager_on_loader_changed(LoaderTrouble trouble, void *userdata) {
        settle(userdata, "lkmd-loader works again");
}

void manager_listen_to_udev(Manager *m) {
        _cleanup_(string_list_freep) char **subsystems = NULL;
        int r;

        r = udev_rules_get_subsystems(m->udev_rules, &subsystems);
        if (r >= 0)
                r = uevent_listen_to_udev(m->uevent, subsystems);
        if (r < 0)
                log_warning("cannot listen to udev: %s", strerror(-r));
}

/* lkmd-handover puts the guard over udev's rule again when a file of the administrator's has gone from its place. */
void manager_on_udev_rules_changed(void *userdata) {
        Manager *m = userdata;

        manager_listen_to_udev(m);
        udev_wait_rules_changed(m->udev_wait);
        charge_call_handover(m->charge);
        settle(m, "the administrator's file in the place of udev's rule is gone");
}

void manager_on_index_read(void *userdata) {
        settle(userdata, "all that lkmd has to know can be read again");
}

static void write_denied(Manager *m) {
        denied_file_follow(m->denied_file, m->policy, m->index, m->charge, &m->settings);
}

void manager_on_index_swapped(bool became_complete, void *userdata) {
        Manager *m = userdata;

        refusal_log_forget(m->refusal_log);
        monitors_message(m->monitors, "reloaded", "module index and modprobe.d were read");
        if (m->index) {
                loaded_denied_report(m->loaded_denied); /* by modprobe.d */
                write_denied(m);
                manager_apply_gate(m);
                second_look_soon(m->second_look);
        }
        if (became_complete && m->boot_list)
                boot_list_begin(m->boot_list);
        if (!became_complete || !m->index || !m->settings.coldplug)
                return;                 /* for the first index, the first walk is still to come */
        manager_rescan(m);                      /* keys that were not found before may be found now */
}

void manager_on_policy_changed(bool is_news, void *userdata) {
        Manager *m = userdata;

        refusal_log_forget(m->refusal_log);
        audit_policy_changed(audit_keeper_get(m->audit));
        if (is_news)
                monitors_message(m->monitors, "reloaded", "the policy is another now");
        loaded_denied_report(m->loaded_denied);
        write_denied(m);
        manager_apply_gate(m);
        idle_unload_apply(m->idle_unload, m->settings.idle_unload_usec);
        second_look_soon(m->second_look);
}

void manager_on_policy_problem(const Problem *problem, void *userdata) {
        Manager *m = userdata;

        monitors_problem(m->monitors, problem);
}

bool manager_denies(const char *module, PolicyRuling *ret, void *userdata) {
        const Manager *m = userdata;

        return planner_denies(&m->planner, index_keeper_get(m->index), module, ret);
}

/* A request for a module that is there already: does it change for whom the module is there? */
static bool is_news(const Manager *m, const Record *record) {
        RequestOrigin origin = record->request->origin;

        return !ledger_was_requested(m->ledger, record->module) ||
               ((origin == ORIGIN_CLIENT || origin == ORIGIN_BOOT) &&
                ledger_is_on_demand(m->ledger, record->module));
}

static void on_job_finished(Manager *m, Record *record) {
        /* the module was loaded already, but from now on it counts as requested itself, and not on demand alone */
        if (record->id == 0 && outcome_is_success(record->outcome) && record->reason == PLAN_REQUESTED &&
            !record->removal && is_news(m, record))
                (void) ledger_begin(m->ledger, record);
        ledger_end(m->ledger, record);
        if (record->outcome == OUTCOME_UNLOADED)
                ledger_module_gone(m->ledger, record->module);
        if (record->outcome == OUTCOME_KEPT_OUT && record->request)
                refused_devices_note_command(m->refused, record->request, record->module);
        if (!record->removal && outcome_is_success(record->outcome))
                idle_unload_note_use(m->idle_unload, record->module, record->outcome == OUTCOME_LOADED);
        counters_note_outcome(&m->counters, record);
        if (record->outcome != OUTCOME_ALREADY_LOADED)
                journal_record(record);
        else
                foreign_loads_found(m->foreign, record->module, foreign_loads_origin(m->foreign));
        foreign_loads_job_ended(m->foreign);
        waits_check_soon(m->waits);
}

void manager_on_scheduler_event(SchedulerEvent event, Record *record, void *userdata) {
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
bool manager_is_idle_and_up_to_date(void *userdata) {
        Manager *m = userdata;

        (void) index_keeper_get(m->index);
        return manager_is_idle(m);
}

/* Is nothing queued, running or to be processed, as far as the event loop has seen? */
bool manager_is_idle(Manager *m) {
        assert(m);

        return scheduler_is_idle(m->scheduler) && autoload_is_idle(m->autoload) &&
               helper_requests_is_idle(m->helper_requests) && boot_list_is_idle(m->boot_list) &&
               intake_is_idle(m->intake) && !coldplug_is_running(m->coldplug) &&
               udev_wait_count(m->udev_wait) == 0;
}

size_t manager_count_waiting(void *userdata) {
        const Manager *m = userdata;

        return udev_wait_count(m->udev_wait);
}

bool manager_is_coldplug_done(void *userdata) {
        const Manager *m = userdata;

        return m->coldplug_done;
}

/* ------------------------------------------------------------------------------------------- settings */

void manager_apply_settings(Manager *m) {
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
                write_denied(m);        /* OnStop=, OnFailure= */
        manager_apply_gate(m);
        idle_unload_apply(m->idle_unload, m->settings.idle_unload_usec);
        r = ledger_set_capacity(m->ledger, m->settings.ledger_entries);
        if (r < 0)
                log_warning("cannot size the ledger: %s", strerror(-r));
}

/* Return: 0; 1: lkmd.conf is broken, and the old settings stay in force; -ENOMEM. */
static int read_settings(Manager *m, ProblemList *problems) {
        Settings settings;
        int r;

        settings_watch_reading(m->settings_watch);
        r = settings_load(&settings, NULL, problems);
        if (r < 0)
                return r;
        settings_watch_read(m->settings_watch, problems);
        for (size_t i = 0; i < problems->n_items; i++)
                log_problem(problems->items + i);
        problem_list_clear(&m->setting_problems);
        (void) problem_list_copy(&m->setting_problems, problems);
        if (problems->n_items > 0)
                return 1;
        m->settings = settings;
        manager_apply_settings(m);
        return 0;
}

/* What lkmd.conf says could not be read, and can be. */
void manager_on_settings_readable(void *userdata) {
        _cleanup_(problem_list_clear) ProblemList problems = {};
        int r = read_settings(userdata, &problems);

        if (r < 0)
                log_error("cannot read lkmd.conf: %s", strerror(-r));
        else
                log_info("lkmd.conf and its drop-ins can be read again%s",
                         r > 0 ? ", but are broken: the old settings stay in force" : ", and are in force");
}

/**
 * manager_reload() - read lkmd.conf, the policy, modprobe.d, the module index and udev's rules again
 * @problems: problems of lkmd.conf and the policy are added to it
 *
 * Return: 0; -EBADMSG if lkmd.conf or the policy is broken: of that one the old stays in force, while modprobe.d
 * and the index, where a broken line affects only itself, were replaced; -ENOMEM.
 */
int manager_reload(Manager *m, ProblemList *problems) {
        bool settings_broken;
        int r;

        assert(m && problems);

        r = read_settings(m, problems);
        if (r < 0)
                return r;
        settings_broken = r > 0;
        udev_keeper_rebuild(m->udev_keeper);
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

int manager_on_reload(ProblemList *problems, void *userdata) {
        return manager_reload(userdata, problems);
}

int manager_on_sighup(sd_event_source *source, const struct signalfd_siginfo *si, void *userdata) {
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
void manager_on_reader_retry(void *userdata) {
        _cleanup_(problem_list_clear) ProblemList problems = {};
        int r = manager_reload(userdata, &problems);

        if (r < 0 && r != -EBADMSG)
                log_error("cannot reload: %s", strerror(-r));
}
