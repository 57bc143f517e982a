/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-bus.h>

typedef enum ServiceState {
        SERVICE_DOWN,                   /* or there is no such unit */
        SERVICE_STARTING,               /* a signal might kill it before it has set a handler */
        SERVICE_UP,
        SERVICE_STOPPING,               /* or its ExecStopPost= commands still run */
} ServiceState;

int service_manager_connect(sd_bus **ret, const char *address);
int service_manager_get_state(sd_bus *bus, const char *unit);
int service_manager_has_unit(sd_bus *bus, const char *unit);
int service_manager_restarts_soon(sd_bus *bus, const char *unit, const char *result);
int service_manager_signal(sd_bus *bus, const char *unit, int signo);
int service_manager_restart(sd_bus *bus, const char *unit);
int service_manager_is_stopping(sd_bus *bus);
