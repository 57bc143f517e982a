/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * ServiceManager: what systemd, PID 1, is asked over a socket of its own, which is there from the beginning of the
 * boot and does without a message bus. systemctl(1) asks the same there, but starting it takes many times as long,
 * before the first driver is loaded. The interface is org.freedesktop.systemd1(5). Owns nothing.
 */

#include "daemon/service-manager.h"

#include <assert.h>
#include <stdint.h>

#include "common/util.h"

#define SERVICE "org.freedesktop.systemd1"
#define MANAGER_PATH "/org/freedesktop/systemd1"
#define MANAGER_INTERFACE "org.freedesktop.systemd1.Manager"
#define UNIT_PATH "/org/freedesktop/systemd1/unit"
#define UNIT_INTERFACE "org.freedesktop.systemd1.Unit"

/**
 * service_manager_connect() - reach PID 1
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

/**
 * service_manager_get_state() - is a service there?
 * @unit: "NAME.service"
 *
 * Return: a ServiceState, or a negative errno.
 */
int service_manager_get_state(sd_bus *bus, const char *unit) {
        _cleanup_(freep) char *path = NULL, *state = NULL;
        int r;

        assert(bus && unit);

        r = sd_bus_path_encode(UNIT_PATH, unit, &path);
        if (r < 0)
                return r;
        r = sd_bus_get_property_string(bus, SERVICE, path, UNIT_INTERFACE, "ActiveState", NULL, &state);
        if (r < 0)
                return r;
        if (streq(state, "active") || streq(state, "reloading"))
                return SERVICE_UP;
        return streq(state, "activating") ? SERVICE_STARTING : SERVICE_DOWN;
}

/**
 * service_manager_signal() - send a signal to the main process of a service, and to none of its others
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
