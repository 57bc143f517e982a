/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>

#include "common/base/util.h"
#include "daemon/history/request.h"

/* RefusedDevices: devices for which a module was refused, so that they can be looked at again when it no longer is. */
typedef struct RefusedDevices RefusedDevices;

typedef struct RefusedDevice RefusedDevice;
struct RefusedDevice {
        Request *request;               /* the first one that was refused something */
        char **modules;                 /* StringList: what was refused; the key itself if that is turned off */
        char **by_command;              /* StringList: of these, what an install command kept out */
        TAILQ_ENTRY(RefusedDevice) next;
};

int refused_devices_new(RefusedDevices **ret);
RefusedDevices *refused_devices_free(RefusedDevices *d);
DEFINE_CLEANUP(RefusedDevices, refused_devices_free);

void refused_devices_note(RefusedDevices *d, const Request *request, const char *module);
void refused_devices_note_command(RefusedDevices *d, const Request *request, const char *module);
void refused_devices_forget(RefusedDevices *d, const char *device);
void refused_devices_clear(RefusedDevices *d);

RefusedDevice *refused_devices_take(RefusedDevices *d);
void refused_devices_put_back(RefusedDevices *d, RefusedDevice *device);
RefusedDevice *refused_device_free(RefusedDevice *device);
DEFINE_CLEANUP(RefusedDevice, refused_device_free);

size_t refused_devices_count(const RefusedDevices *d);
bool refused_devices_are_all(const RefusedDevices *d);
