/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * ServiceManager: systemd, PID 1, asked over a socket of its own that is there from the beginning of the boot and does
 * without a message bus. systemctl(1) asks the same there, but starting it takes many times as long, before the first
 * driver is loaded. The interface is org.freedesktop.systemd1(5).
 */

#include "daemon/service-manager.h"

#include <assert.h>
#include <stdint.h>
#include <systemd/sd-bus.h>

#define SERVICE "org.freedesktop.systemd1"
#define MANAGER_PATH "/org/freedesktop/systemd1"
#define MANAGER_INTERFACE "org.freedesktop.systemd1.Manager"
#define UNIT_PATH "/org/freedesktop/systemd1/unit"
#define UNIT_INTERFACE "org.freedesktop.systemd1.Unit"

struct ServiceManager {
        sd_bus *bus;
};

/**
 * service_manager_new() - connect
 * @address: "unix:path=..", see sd_bus_set_address(3)
 *
 * Return: 0 or a negative errno, such as -ENOENT where systemd is not PID 1.
 */
int service_manager_new(ServiceManager **ret, const char *address) {
        _cleanup_(service_manager_freep) ServiceManager *m = NULL;
        int r;

        assert(ret && address);

        m = calloc(1, sizeof(*m));
        if (!m)
                return -ENOMEM;
        r = sd_bus_new(&m->bus);
        if (r < 0)
                return r;
        r = sd_bus_set_address(m->bus, address);
        if (r < 0)
                return r;
        r = sd_bus_start(m->bus);
        if (r < 0)
                return r;

        *ret = STEAL_PTR(m);
        return 0;
}

/* Return: NULL. */
ServiceManager *service_manager_free(ServiceManager *m) {
        if (!m)
                return NULL;

        sd_bus_close_unref(m->bus);
        free(m);
        return NULL;
}

/**
 * service_manager_runs() - is a service started, and has it said that it is ready?
 * @unit: "NAME.service"
 *
 * One that is still being started is not: a signal might end it before it knows what the signal means.
 *
 * Return: 1, 0, also for a unit that does not exist, or a negative errno.
 */
int service_manager_runs(ServiceManager *m, const char *unit) {
        _cleanup_(freep) char *path = NULL, *state = NULL;
        int r;

        assert(m && unit);

        r = sd_bus_path_encode(UNIT_PATH, unit, &path);
        if (r < 0)
                return r;
        r = sd_bus_get_property_string(m->bus, SERVICE, path, UNIT_INTERFACE, "ActiveState", NULL, &state);
        if (r < 0)
                return r;
        return streq(state, "active") || streq(state, "reloading");
}

/**
 * service_manager_signal() - send a signal to the main process of a service, and to none of its others
 *
 * Return: 0 once it is sent, or a negative errno.
 */
int service_manager_signal(ServiceManager *m, const char *unit, int signo) {
        assert(m && unit && signo > 0);

        return sd_bus_call_method(m->bus, SERVICE, MANAGER_PATH, MANAGER_INTERFACE, "KillUnit", NULL, NULL, "ssi",
                                  unit, "main", (int32_t) signo);
}

/* Return: 1 if the system is being shut down, 0 if not, or a negative errno. */
int service_manager_is_stopping(ServiceManager *m) {
        _cleanup_(freep) char *state = NULL;
        int r;

        assert(m);

        r = sd_bus_get_property_string(m->bus, SERVICE, MANAGER_PATH, MANAGER_INTERFACE, "SystemState", NULL, &state);
        if (r < 0)
                return r;
        return streq(state, "stopping");
}
