/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Manager: makes the objects of the daemon and connects them, nothing else. Owns all of them and the event loop.
 */

#include "daemon/manager.h"

#include <assert.h>
#include <systemd/sd-daemon.h>

#include "common/base/clock.h"
#include "common/base/paths.h"
#include "daemon/base/log.h"
#include "daemon/base/privilege.h"
#include "daemon/manager-internal.h"

/* --------------------------------------------------------------------------------------------- object */

static int load_settings(Manager *m) {
        int r;

        r = settings_watch_new(&m->settings_watch, m->event, manager_on_settings_readable, m);
        if (r < 0)
                return r;
        settings_watch_reading(m->settings_watch);
        r = settings_load(&m->settings, NULL, &m->setting_problems);
        if (r < 0)
                return r;
        settings_watch_read(m->settings_watch, &m->setting_problems);
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
        return signal_watch(m->event, SIGHUP, manager_on_sighup, m);
}

static int open_udev(Manager *m, const char *root) {
        int r;

        m->udev = udev_new();
        if (!m->udev)
                return -ENOMEM;
        r = udev_keeper_new(&m->udev_keeper, m->event, root, manager_on_udev_rules_changed, m);
        if (r < 0)
                return r;
        m->udev_rules = udev_keeper_get(m->udev_keeper);
        return udev_wait_new(&m->udev_wait, &(UdevWaitOptions) {
                                                    .event = m->event,
                                                    .udev = m->udev,
                                                    .must = manager_must_wait_for_udev,
                                                    .look = manager_on_device_seen,
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
                                           .seen = manager_on_device_seen,
                                           .noisy = manager_on_device_noisy,
                                           .userdata = m,
                                   });
        if (r < 0)
                return r;
        r = uevent_new(&m->uevent, &(UeventOptions) {
                                           .event = m->event,
                                           .udev = m->udev,
                                           .receive_buffer_bytes = m->settings.receive_buffer_bytes,
                                           .seen = manager_on_uevent,
                                           .answered = manager_on_udev_event,
                                           .lost = manager_on_events_lost,
                                           .userdata = m,
                                   });
        if (r < 0)
                return r;
        r = privilege_drop();   /* CAP_NET_ADMIN was only for the size of the netlink buffer */
        if (r < 0)
                return r;
        manager_listen_to_udev(m);
        r = coldplug_new(&m->coldplug, m->event, m->udev, manager_on_device_walked, manager_on_coldplug_done,
                         m);
        if (r >= 0)
                coldplug_set_by_udev(m->coldplug, manager_must_wait_for_udev);
        return r;
}

static int open_policy(Manager *m, const ManagerOptions *options) {
        int r;

        r = audit_trail_new(&m->trail, m->event, options->trail_address);
        if (r < 0)
                return r;
        r = refusal_log_new(&m->refusal_log, m->trail);
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
                                                  .changed = manager_on_policy_changed,
                                                  .problem = manager_on_policy_problem,
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
        r = waits_new(&m->waits, m->event, manager_is_idle_and_up_to_date, m);
        if (r < 0)
                return r;
        waits_set_lists(m->waits, manager_look_at_lists, m);
        r = scheduler_new(&m->scheduler, &(SchedulerOptions) {
                                                 .event = m->event,
                                                 .loader_address = options->loader_address,
                                                 .command_address = options->command_address,
                                                 .kernel_log = m->kernel_log,
                                                 .counters = &m->counters,
                                                 .files = policy_keeper_get_facts(m->policy),
                                                 .observer = manager_on_scheduler_event,
                                                 .loader_program = options->loader_program,
                                                 .loader_lost = manager_on_loader_lost,
                                                 .loader_changed = manager_on_loader_changed,
                                                 .userdata = m,
                                         });
        if (r < 0)
                return r;
        scheduler_prepare(m->scheduler); /* the loader starts while the index is built */
        scheduler_learn(m->scheduler, m->ledger);
        r = autoload_new(&m->autoload, m->scheduler, &m->planner, m->monitors, &m->counters);
        if (r < 0)
                return r;
        r = index_keeper_new(&m->index, &(IndexKeeperOptions) {
                                                .event = m->event,
                                                .root = options->root,
                                                .image_dir = options->image_dir,
                                                .swapped = manager_on_index_swapped,
                                                .read = manager_on_index_read,
                                                .userdata = m,
                                        });
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
                                                 .stepped_in = manager_step_in,
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
                                                     .walk = manager_rescan,
                                                     .userdata = m,
                                             });
        if (r < 0)
                return r;
        r = foreign_loads_new(&m->foreign, &(ForeignLoadsOptions) {
                                                   .ledger = m->ledger,
                                                   .scheduler = m->scheduler,
                                                   .monitors = m->monitors,
                                                   .denies = manager_denies,
                                                   .find_loader = manager_find_loader,
                                                   .userdata = m,
                                                   .follows_initramfs = options->follows_initramfs,
                                           });
        if (r < 0)
                return r;
        r = idle_unload_new(&m->idle_unload, &(IdleUnloadOptions) {
                                                     .event = m->event,
                                                     .scheduler = m->scheduler,
                                                     .ledger = m->ledger,
                                                     .planner = &m->planner,
                                             });
        if (r < 0)
                return r;
        return loaded_denied_new(&m->loaded_denied, &m->planner);
}

static int open_requests(Manager *m, const ManagerOptions *options) {
        int r;

        r = boot_list_new(&m->boot_list, &(BootListOptions) {
                                                 .event = m->event,
                                                 .scheduler = m->scheduler,
                                                 .planner = &m->planner,
                                                 .charge = m->charge,
                                                 .counters = &m->counters,
                                                 .root = options->policy_root,
                                                 .state_file = options->boot_list_file,
                                                 .is_late = access(UDEVD_CGROUP_DIR, F_OK) >= 0,
                                                 .changed = manager_on_boot_list_changed,
                                                 .userdata = m,
                                         });
        if (r < 0)
                return r;
        return helper_requests_new(&m->helper_requests, &(HelperRequestsOptions) {
                                                                .event = m->event,
                                                                .listen_fd = options->request_fd,
                                                                .planner = &m->planner,
                                                                .scheduler = m->scheduler,
                                                                .charge = m->charge,
                                                                .counters = &m->counters,
                                                                .find_requester = manager_find_requester,
                                                                .userdata = m,
                                                        });
}

static bool is_idle(void *userdata) {
        return manager_is_idle(userdata);
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
                                   .gate = m->gate,
                                   .planner = &m->planner,
                                   .second_look = m->second_look,
                                   .boot_list = m->boot_list,
                                   .idle_unload = m->idle_unload,
                                   .scheduler = m->scheduler,
                                   .ledger = m->ledger,
                                   .audit = audit_keeper_get(m->audit),
                                   .monitors = m->monitors,
                                   .waits = m->waits,
                                   .counters = &m->counters,
                                   .started_usec = m->started_usec,
                                   .reload = manager_on_reload,
                                   .is_idle = is_idle,
                                   .is_coldplug_done = manager_is_coldplug_done,
                                   .count_waiting = manager_count_waiting,
                                   .userdata = m,
                           },
                           options->varlink_fd, options->varlink_address);
}

static int open_broker(Manager *m, const ManagerOptions *options) {
        return broker_new(&m->broker, &(BrokerOptions) {
                                              .event = m->event,
                                              .listen_fd = options->broker_fd,
                                              .address = options->broker_address,
                                              .container = options->broker_container,
                                              .index = m->index,
                                              .planner = &m->planner,
                                              .scheduler = m->scheduler,
                                              .counters = &m->counters,
                                      });
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
        r = root_reader_new(&m->root_reader, m->event, options->reader_address, manager_on_reader_retry, m);
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
        r = open_requests(m, options);
        if (r < 0)
                return r;
        r = manager_open_gate(m, options->gate_fds, options->gate_off_file);
        if (r < 0)
                return r;
        manager_apply_settings(m);
        loaded_denied_report(m->loaded_denied);
        r = open_service(m, options);
        if (r < 0)
                return r;
        r = open_broker(m, options);
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
        m->service = service_free(
                m->service); /* first: its calls borrow from all others, as do the broker's */
        m->broker = broker_free(m->broker);
        gate_free(m->gate);
        boot_list_free(m->boot_list);
        second_look_free(m->second_look);
        foreign_loads_free(m->foreign);
        idle_unload_free(m->idle_unload);
        helper_requests_free(m->helper_requests);
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
        audit_trail_free(m->trail);
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
                r = manager_start_coldplug(m);
                if (r < 0)
                        return r;
        } else {
                m->coldplug_done = true;
                foreign_loads_compare(m->foreign);
                index_keeper_settle(m->index);
        }
        authority_begin(m->authority);
        (void) sd_notify(/* unset_environment= */ false, "READY=1");
        boot_list_begin(m->boot_list);

        r = sd_event_loop(m->event);
        authority_end(m->authority);
        (void) sd_notify(/* unset_environment= */ false, "STOPPING=1");
        return r;
}

/* Handle a uevent as if it came from the kernel. */
void manager_take_uevent(Manager *m, const DeviceFacts *facts, const char *device) {
        assert(m && facts && device);

        manager_on_uevent(facts, device, m);
}

Service *manager_get_service(Manager *m) {
        assert(m);

        return m->service;
}
