/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/base/util.h"
#include "common/device/device-facts.h"
#include "common/policy/policy-subject.h"

/* Device: what /sys says of one device, read once. Owns all of its strings. */
typedef struct Device {
        char *path;                     /* below /sys, without links */
        DeviceUevent uevent;
} Device;

/* Return: 0; 1 to stop; negative errno. Owns nothing of @d. */
typedef int (*device_each_t)(const Device *d, void *userdata);

int device_read(Device **ret, const char *path);
int device_find(Device **ret, const char *argument);
int device_climb(Device **d);
int device_each(device_each_t on_device, void *userdata);
Device *device_free(Device *d);
DEFINE_CLEANUP(Device, device_free);

PolicyRequester device_get_requester(const Device *d);
bool device_is_path(const char *argument);
