/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Systemd: queries of systemd (PID 1) over its private socket, which exists from the beginning of the boot and
 * needs no message bus. systemctl(1) does the same, but starting it takes many times as long, before the first
 * driver is loaded. The interface is org.freedesktop.systemd1(5). Owns nothing.
 */

#include "daemon/privileged/handover/systemd.h"

#include <assert.h>
#include <stdint.h>

#include "common/base/util.h"

#define SERVICE "org.freedesktop.systemd1"
#define MANAGER_PATH "/org/freedesktop/systemd1"
#define MANAGER_INTERFACE "org.freedesktop.systemd1.Manager"
#define UNIT_PATH "/org/freedesktop/systemd1/unit"
#define UNIT_INTERFACE "org.freedesktop.systemd1.Unit"
#define SERVICE_INTERFACE "org.freedesktop.systemd1.Service"
#define JOB_INTERFACE "org.freedesktop.systemd1.Job"

#define SOON_USEC (2U * 1000U * 1000U)  /* a later restart is not waited for */

/**
 * service_manager_connect() - connect to PID 1
 * @ret:     to be closed with sd_bus_close_unref(3)
 * @address: "unix:path=..", see sd_bus_set_address(3)
 *
 * Return: 0 or a negative errno, such as -ENOENT where systemd is not PID 1.
 */
int service_manager_connect(sd_bus **ret, const char *address) {
        _cleanup_(sd_bus_close_unrefp) sd_bus *bus = NULL;
        int r;

        assert(ret && address);

        r = sd_bus_new(&bus);
        if (r < 0)
                return r;
        r = sd_bus_set_address(bus, address);
        if (r < 0)
                return r;
        r = sd_bus_start(bus);
        if (r < 0)
                return r;

        *ret = STEAL_PTR(bus);
        return 0;
}

/* @ret: owned by the caller */
static int get_unit_string(sd_bus *bus, const char *unit, const char *interface, const char *property, char **ret) {
        _cleanup_(freep) char *path = NULL;
        int r;

        r = sd_bus_path_encode(UNIT_PATH, unit, &path);
        if (r < 0)
                return r;
        return sd_bus_get_property_string(bus, SERVICE, path, interface, property, NULL, ret);
}

/**
 * service_manager_get_state() - the state of a service
 * @unit: "NAME.service"
 *
 * Return: a ServiceState, or a negative errno.
 */
int service_manager_get_state(sd_bus *bus, const char *unit) {
        _cleanup_(freep) char *state = NULL;
        int r;

        assert(bus && unit);

        r = get_unit_string(bus, unit, UNIT_INTERFACE, "ActiveState", &state);
        if (r < 0)
                return r;
        if (streq(state, "active") || streq(state, "reloading"))
                return SERVICE_UP;
        if (streq(state, "activating"))
                return SERVICE_STARTING;
        return streq(state, "deactivating") ? SERVICE_STOPPING : SERVICE_DOWN;
}

/* Return: 1 if systemd has loaded the unit, 0 if it is masked or missing, or a negative errno. */
int service_manager_has_unit(sd_bus *bus, const char *unit) {
        _cleanup_(freep) char *state = NULL;
        int r;

        assert(bus && unit);

        r = get_unit_string(bus, unit, UNIT_INTERFACE, "LoadState", &state);
        return r < 0 ? r : streq(state, "loaded");
}

/* The type of the job that is queued for a unit; "": none. */
static int get_job_type(sd_bus *bus, const char *unit, char **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_(freep) char *path = NULL;
        const char *job;
        uint32_t id;
        int r;

        r = sd_bus_path_encode(UNIT_PATH, unit, &path);
        if (r < 0)
                return r;
        r = sd_bus_get_property(bus, SERVICE, path, UNIT_INTERFACE, "Job", NULL, &reply, "(uo)");
        if (r < 0)
                return r;
        r = sd_bus_message_read(reply, "(uo)", &id, &job);
        if (r < 0)
                return r;
        if (id != 0) {
                r = sd_bus_get_property_string(bus, SERVICE, job, JOB_INTERFACE, "JobType", NULL, ret);
                if (r >= 0)
                        return 0;       /* else the job may just have finished */
        }
        *ret = strdup("");
        return *ret ? 0 : -ENOMEM;
}

/* By the table of Restart= in systemd.service(5). */
static bool restart_covers(const char *restart, const char *result) {
        bool clean = streq(result, "success"), by_signal = streq(result, "signal") || streq(result, "core-dump");
        bool watchdog = streq(result, "watchdog");

        if (streq(restart, "always"))
                return true;
        if (streq(restart, "on-success"))
                return clean;
        if (streq(restart, "on-failure"))
                return !clean;
        if (streq(restart, "on-abnormal"))
                return by_signal || watchdog || streq(result, "timeout");
        if (streq(restart, "on-watchdog"))
                return watchdog;
        return streq(restart, "on-abort") && by_signal;
}

/**
 * service_manager_restarts_soon() - is a service that is being stopped, or has died, about to be restarted?
 * @result: $SERVICE_RESULT of systemd.exec(5) for one that is being stopped; NULL: it stopped a while ago
 *
 * Return: 1 or 0, or a negative errno.
 */
int service_manager_restarts_soon(sd_bus *bus, const char *unit, const char *result) {
        _cleanup_(freep) char *job = NULL, *restart = NULL, *path = NULL;
        uint64_t delay_usec;
        int r;

        assert(bus && unit);

        r = get_job_type(bus, unit, &job);
        if (r < 0)
                return r;
        if (streq(job, "restart") || streq(job, "start") || streq(job, "try-restart"))
                return 1;
        if (streq(job, "stop") || !result)
                return 0;
        r = get_unit_string(bus, unit, SERVICE_INTERFACE, "Restart", &restart);
        if (r < 0)
                return r;
        if (!restart_covers(restart, result))
                return 0;
        r = sd_bus_path_encode(UNIT_PATH, unit, &path);
        if (r < 0)
                return r;
        r = sd_bus_get_property_trivial(bus, SERVICE, path, SERVICE_INTERFACE, "RestartUSecNext", NULL, 't',
                                        &delay_usec);
        return r < 0 ? r : delay_usec <= SOON_USEC;
}

/**
 * service_manager_signal() - send a signal to the main process of a service only
 *
 * Return: 0 once it is sent, or a negative errno.
 */
int service_manager_signal(sd_bus *bus, const char *unit, int signo) {
        int r;

        assert(bus && unit && signo > 0);

        r = sd_bus_call_method(bus, SERVICE, MANAGER_PATH, MANAGER_INTERFACE, "KillUnit", NULL, NULL, "ssi",
                               unit, "main", (int32_t) signo);
        return r < 0 ? r : 0;
}

/**
 * service_manager_restart() - stop a unit, if it is active, and start it
 *
 * Return: 0 once it is queued, or a negative errno.
 */
int service_manager_restart(sd_bus *bus, const char *unit) {
        int r;

        assert(bus && unit);

        r = sd_bus_call_method(bus, SERVICE, MANAGER_PATH, MANAGER_INTERFACE, "RestartUnit", NULL, NULL, "ss", unit,
                               "replace");
        return r < 0 ? r : 0;
}

/* Return: 1 if the system is being shut down, 0 if not, or a negative errno. */
int service_manager_is_stopping(sd_bus *bus) {
        _cleanup_(freep) char *state = NULL;
        int r;

        assert(bus);

        r = sd_bus_get_property_string(bus, SERVICE, MANAGER_PATH, MANAGER_INTERFACE, "SystemState", NULL, &state);
        if (r < 0)
                return r;
        return streq(state, "stopping");
}
